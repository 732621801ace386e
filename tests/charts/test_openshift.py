# SPDX-License-Identifier: Apache-2.0
"""The chart under OpenShift's SecurityContextConstraints: its own, and restricted-v2 for what runs without them."""
from __future__ import annotations

import yaml

import chart
from chart import CHART, Rendered

EVERYTHING = {"hostRootMount": True, "startupTaint": {"enabled": True}, "metrics": {"textfileDir": "/b"},
              "hookPrograms": {"hostDirs": ["/f"], "images": [{"name": "netdev", "image": "example.com/netdev:1", "from": "/hooks"}]}}
RESTRICTED_VOLUMES = {"configMap", "downwardAPI", "emptyDir", "projected"}
ACCOUNT = "system:serviceaccount:hooks:"


def for_openshift(values: dict | None = None) -> Rendered:
    return Rendered(values, "--values", CHART / "ci/openshift-values.yaml")


def test_constraints_and_who_has_them():
    rendered = Rendered({"openshift": {"scc": True}, "serviceAccount": {"name": "me"}})
    scc = rendered.one("SecurityContextConstraints", "hooks.g-grapnel")
    assert scc["users"] == ["system:serviceaccount:hooks:me"]
    assert scc["allowHostDirVolumePlugin"] and not scc["allowPrivilegedContainer"] and scc["allowedCapabilities"] == []
    later = rendered.one("SecurityContextConstraints", "hooks.g-grapnel-cleanup")
    assert later["metadata"]["annotations"]["helm.sh/hook"] == "post-delete"
    assert later["users"] == ["system:serviceaccount:hooks:g-grapnel-cleanup"]
    restart = Rendered({"openshift": {"scc": True}, "enableNri": {"enabled": True, "restart": True}})
    assert restart.one("SecurityContextConstraints", "hooks.g-grapnel")["allowedCapabilities"] == ["SYS_CHROOT"]
    assert "cleanup" not in "".join(Rendered({"openshift": {"scc": True}, "cleanup": {"enabled": False}}).names("SecurityContextConstraints"))


def test_old_programs_go_beside_crio():
    """The plugin sees what ended containers still need, where the clean-up looks, too."""
    rendered = for_openshift()
    crio = rendered.config()["crioDir"]
    assert rendered.host_paths()[crio] == "crio" and rendered.mounts()[f"/host{crio}"]["readOnly"]
    done = rendered.one("DaemonSet", "g-grapnel-cleanup")["spec"]["template"]["spec"]["initContainers"][0]
    assert f"--crio-dir={crio}" in done["command"]


def kinds_of_volumes(pod: dict) -> set[str]:
    return {kind for volume in pod.get("volumes", []) for kind in volume if kind != "name"}


def judged(pod: dict, scc: dict | None) -> list[str]:
    """What keeps a pod from running. Without a constraint of its own it has restricted-v2, which gives uid and SELinux
    labels itself and refuses others; one of ours gives none, and the image's own user is root."""
    problems = [f"volume {kind}" for kind in kinds_of_volumes(pod) - (set(scc["volumes"]) if scc else RESTRICTED_VOLUMES)]
    for container in chart.containers(pod):
        name, context = container["name"], container["securityContext"]
        allowed = scc["allowedCapabilities"] if scc else []
        problems += [f"{name}: adds {added}" for added in context["capabilities"].get("add", []) if added not in allowed]
        if not scc:
            problems += [f"{name}: {key}" for key in ("runAsUser", "runAsGroup", "seLinuxOptions") if key in context]
        elif context["runAsNonRoot"] and not context.get("runAsUser"):
            problems.append(f"{name}: would run as root")
    return problems


def test_every_pod_is_admitted_and_runs():
    rendered = for_openshift(EVERYTHING)
    own = {user: scc for scc in rendered.all("SecurityContextConstraints") for user in scc["users"]}
    found = {where: judged(pod, own.get(ACCOUNT + pod.get("serviceAccountName", "default")))
             for where, pod in chart.pods(rendered.objects)}
    assert len(found) == 5 and {where: problems for where, problems in found.items() if problems} == {}


def test_a_pod_that_is_not_admitted_is_found():
    rendered = for_openshift()
    plugin, scc = rendered.pod, rendered.one("SecurityContextConstraints", "hooks.g-grapnel")
    assert judged(plugin, scc) == []
    assert judged(plugin, None) == ["volume hostPath", "grapnel: runAsUser", "grapnel: runAsGroup", "grapnel: seLinuxOptions"]
    done = next(pod for where, pod in chart.pods(rendered.objects) if where == "DaemonSet/g-grapnel-cleanup")
    other = yaml.safe_load(yaml.safe_dump(done))
    del other["containers"][0]["securityContext"]["runAsUser"]
    assert judged(done, scc) == [] and judged(other, scc) == ["done: would run as root"]
