# SPDX-License-Identifier: Apache-2.0
"""The chart as a whole: helm takes it, Kubernetes' schemas take what it makes, and Grapnel takes the rules in it."""
from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

import chart
from chart import CHART, EXAMPLES, ROOT, Rendered

FILES = [None, *EXAMPLES]
IDS = ["defaults", *(path.name.removesuffix("-values.yaml") for path in EXAMPLES)]
each = pytest.mark.parametrize("file", FILES, ids=IDS)
GRAPNEL = os.environ.get("GRAPNEL", str(ROOT / "build/grapnel"))


def flags(file: Path | None) -> list[str]:
    return [f"--values={file}"] if file else []


def conforms(kubeconform: list[str], text: str) -> subprocess.CompletedProcess:
    return subprocess.run([*kubeconform, "-"], input=text, capture_output=True, text=True, check=False, timeout=60)


@each
def test_lint(file: Path | None):
    done = chart.run("lint", "--strict", *flags(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout and "[ERROR]" not in done.stdout


@each
def test_schemas_of_kubernetes(file: Path | None, kubeconform: list[str]):
    text = chart.text(None, *flags(file))
    done = conforms(kubeconform, text)
    assert done.returncode == 0, done.stdout + done.stderr
    valid, skipped = (int(re.search(rf"{word}: (\d+)", done.stdout)[1]) for word in ("Valid", "Skipped"))
    assert (valid, skipped) == (len(Rendered(None, *flags(file)).objects), 0)


@pytest.mark.parametrize(("old", "new"), [
    ("minReadySeconds: 5", "minReadySeconds: five"), ("hostPID: false", "hostPid: false"), ("maxSurge: 1", "maxSurge: [1]"),
    ("periodSeconds: 30", "period: 30"), ("kind: DaemonSet", "kind: DemonSet")])
def test_a_wrong_object_is_found(old: str, new: str, kubeconform: list[str]):
    """The test above tests something."""
    text = chart.text()
    assert old in text
    assert conforms(kubeconform, text.replace(old, new, 1)).returncode != 0


@pytest.mark.parametrize(("interval", "good"), [("interval: 15s", True), ("interval: fifteen", False),
                                                ("intervall: 15s", False)])
def test_a_wrong_custom_resource_is_found(interval: str, good: bool, kubeconform: list[str]):
    text = chart.text(None, *flags(CHART / "ci/monitoring-values.yaml"))
    done = conforms(kubeconform, text.replace("interval: 15s", interval, 1))
    assert (done.returncode == 0) == good, done.stdout


@pytest.mark.parametrize(("file", "old", "new"), [
    ("monitoring", "updateMode: \"Initial\"", "updateMode: \"Once\""), ("monitoring", "updatePolicy:", "updatePolicies:"),
    ("monitoring", "containerName: grapnel", "container: grapnel"), ("monitoring", "controlledResources: [cpu", "controlledResources: [gpu"),
    ("monitoring", "targetRef:", "target:"), ("monitoring", "autoscaling.k8s.io/v1", "autoscaling.k8s.io/v2"),
    ("openshift", "allowHostIPC: false", "allowHostIpc: false"), ("openshift", "readOnlyRootFilesystem: true\nrunAsUser", "runAsUser"),
    ("openshift", "seLinuxContext: {type: RunAsAny}", "seLinuxContext: {type: Any}"), ("openshift", "volumes: [configMap", "volumes: [configmap"),
    ("openshift", "seccompProfiles: [runtime/default]", "seccompProfiles: runtime/default"),
    ("openshift", "runAsUser: {type: RunAsAny}", "runAsUser: {typ: RunAsAny}"), ("openshift", "groups: []", "group: []")])
def test_a_wrong_object_of_others_is_found(file: str, old: str, new: str, kubeconform: list[str]):
    """Of the kinds whose schemas are our own."""
    text = chart.text(None, *flags(CHART / f"ci/{file}-values.yaml"))
    assert old in text and conforms(kubeconform, text.replace(old, new, 1)).returncode != 0


def findings(folder: Path, rendered: Rendered, hook: bool) -> list[dict]:
    """What `check --strict` says of the texts in the ConfigMaps."""
    for part in ("settings", "rules"):
        (folder / part).mkdir()
        for name, text in (rendered.config_map(part, hook)["data"] or {}).items():
            (folder / part / name).write_text(text)
    policy = folder / "settings/policy.yaml"
    command = [GRAPNEL, "check", "--strict", "--no-host", "-o", "json", f"--config={folder}/settings/config.yaml",
               f"--hooks-dir={folder}/rules", *([f"--policy={policy}"] if policy.exists() else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode in (0, 1, 3), done.stderr
    found = [item for item in json.loads(done.stdout) if item["level"] != "info"]
    assert bool(found) == (done.returncode != 0)
    return found


@each
def test_rules_and_settings_pass_check(file: Path | None, tmp_path: Path):
    rendered = Rendered(None, *flags(file))
    found = findings(tmp_path, rendered, hook=False)
    assert found == []


def test_the_example_of_the_page(tmp_path: Path):
    page = (CHART / "README.md").read_text()
    values = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[1])
    rendered = Rendered(values)
    assert "program-netdev" in [container["name"] for container in rendered.pod["initContainers"]]
    assert findings(tmp_path, rendered, hook=True) == []


def test_a_bad_rule_reaches_the_preflight(tmp_path: Path):
    values = {"rules": {"files": {"bad.yaml": "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec: {}\n"}}}
    found = findings(tmp_path, Rendered(values), hook=True)
    assert [item["code"] for item in found] and found[0]["file"].endswith("bad.yaml")


def test_versions():
    meson = (ROOT / "meson.build").read_text()
    version = re.search(r"^ +version: '([^']+)'", meson, re.MULTILINE)[1]
    meta = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (meta["version"], meta["appVersion"]) == (version, version)
    assert yaml.safe_load(meta["annotations"]["artifacthub.io/changes"])


def test_maintainers_are_those_of_the_packages():
    control = (ROOT / "packaging/deb/control").read_text()
    meta = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert [f"{one['name']} <{one['email']}>" for one in meta["maintainers"]] == re.findall(r"^Maintainer: (.*)$", control, re.MULTILINE)


def test_addresses_are_not_invented():
    """Nothing is published: who adds an address changes this, and says in README.md where it is."""
    meta = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert "not published yet" in (ROOT / "README.md").read_text()
    assert not {"home", "sources", "icon"} & set(meta)


def test_images_are_named():
    """For Artifact Hub, which looks at each: those of others as well, whatever values bring them."""
    meta = yaml.safe_load((CHART / "Chart.yaml").read_text())
    rendered = Rendered({"startupTaint": {"enabled": True}, "enableNri": {"enabled": True}})
    used = {container["image"] for _, pod in chart.pods(rendered.objects) for container in chart.containers(pod)}
    images = yaml.safe_load(meta["annotations"]["artifacthub.io/images"])
    assert {image["image"] for image in images} == used and len(used) == 3


def test_what_is_packaged(tmp_path: Path):
    """The chart and its page, without what tests and tools read."""
    subprocess.run([chart.helm(), "package", CHART, "--destination", tmp_path], check=True, capture_output=True, timeout=60)
    with tarfile.open(next(tmp_path.glob("grapnel-*.tgz"))) as archive:
        names = {name.removeprefix("grapnel/") for name in archive.getnames()}
    there = {str(path.relative_to(CHART)) for path in CHART.rglob("*") if path.is_file()}
    left = {name for name in there if name.startswith("ci/")} | {"README.head.md", ".helmignore"}
    assert names - {".helmignore"} == there - left


def test_an_old_cluster_is_refused():
    done = chart.run("template", "--kube-version=1.24.0")
    assert done.returncode != 0 and ">=1.25.0-0" in done.stderr


def test_one_object_in_each_file():
    """Every template makes one object in some example, and none makes two."""
    made: dict[str, set[int]] = {}
    for file in FILES:
        counts: dict[str, int] = {}
        for name in re.findall(r"^# Source: grapnel/templates/(.*)$", chart.text(None, *flags(file)), re.MULTILINE):
            counts[name] = counts.get(name, 0) + 1
        for name, count in counts.items():
            made.setdefault(name, set()).add(count)
    templates = {str(path.relative_to(CHART / "templates")) for path in (CHART / "templates").rglob("*.yaml")}
    assert set(made) == templates - {"validate.yaml", "validate-own.yaml"}
    assert {name for name, counts in made.items() if counts != {1}} == set()


@each
def test_security_of_every_container(file: Path | None):
    checked = 0
    for where, pod in chart.pods(Rendered(None, *flags(file)).objects):
        assert not any(pod[name] for name in ("hostNetwork", "hostPID", "hostIPC")), where
        for container in chart.containers(pod):
            if container["name"] in ("before", "beside"):  # of the user
                continue
            context = container["securityContext"]
            what = f"{where}: {container['name']}"
            assert context["capabilities"]["drop"] == ["ALL"], what
            added = ["SYS_CHROOT"] if container["name"] == "enable-nri" else None
            assert context["capabilities"].get("add") == added, what
            assert not context["privileged"] and not context["allowPrivilegeEscalation"], what
            assert context["readOnlyRootFilesystem"] and context["seccompProfile"] == {"type": "RuntimeDefault"}, what
            assert "memory" in container["resources"]["limits"] and container["resources"]["requests"], what
            assert ":latest" not in container["image"] and re.search("[:@]", container["image"]), what
            checked += 1
    assert checked >= 3


@each
def test_tokens(file: Path | None):
    """Only the Job that waits for the clean-up and the container startup-taint have one."""
    for where, pod in chart.pods(Rendered(None, *flags(file)).objects):
        waits = where.startswith("Job/") and where.endswith("-cleanup")
        assert pod["automountServiceAccountToken"] == waits, where
        tokens = [volume["name"] for volume in pod.get("volumes", [])
                  if any("serviceAccountToken" in source for source in volume.get("projected", {}).get("sources", []))]
        users = [container["name"] for container in chart.containers(pod)
                 if any(mount["name"] in tokens for mount in container.get("volumeMounts", []))]
        assert users == (["startup-taint"] if tokens else []), where


@each
def test_every_mount_has_a_volume(file: Path | None):
    for where, pod in chart.pods(Rendered(None, *flags(file)).objects):
        volumes = [volume["name"] for volume in pod.get("volumes", [])]
        mounted = {mount["name"] for container in chart.containers(pod) for mount in container.get("volumeMounts", [])}
        assert len(volumes) == len(set(volumes)) and mounted == set(volumes), where
        for container in chart.containers(pod):
            paths = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            assert len(paths) == len(set(paths)), f"{where}: {container['name']}"
