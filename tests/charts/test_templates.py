# SPDX-License-Identifier: Apache-2.0
"""Each branch of the templates: what a value changes, and what it leaves alone."""
from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import chart
from chart import CHART, Rendered

IMAGE = {"name": "netdev", "image": "example.com/netdev:1", "from": "/hooks"}
DIGEST = "sha256:" + "ab" * 32
OWNER = "hooks/g"


def one(kind: str, values: dict | None = None, name: str = "g-grapnel") -> dict:
    return Rendered(values).one(kind, name)


def only_with(values: dict, kind: str, name: str) -> dict:
    """The object that values make, which there is not without them."""
    assert name not in Rendered().names(kind)
    return one(kind, values, name)


def test_defaults_are_few_objects():
    made = [(found["kind"], found["metadata"]["name"]) for found in Rendered().objects
            if "helm.sh/hook" not in found["metadata"].get("annotations", {})]
    assert sorted(made) == [("ConfigMap", "g-grapnel-rules"), ("ConfigMap", "g-grapnel-settings"),
                            ("DaemonSet", "g-grapnel"), ("ServiceAccount", "g-grapnel")]


# Names and labels

@pytest.mark.parametrize(("values", "name"), [
    ({}, "g-grapnel"), ({"nameOverride": "g"}, "g"), ({"nameOverride": "hooks"}, "g-hooks"),
    ({"fullnameOverride": "x"}, "x"), ({"fullnameOverride": "x" * 39 + "y"}, "x" * 39 + "y")])
def test_names(values: dict, name: str):
    rendered = Rendered(values)
    assert rendered.fullname == name
    assert all(name in found["metadata"]["name"] for found in rendered.objects)
    assert all(len(found["metadata"]["name"]) <= 63 for found in rendered.objects)


@pytest.mark.parametrize(("release", "override", "name"), [
    ("grapnel", "", "grapnel"), ("my-grapnel-two", "", "my-grapnel-two"), ("r" * 32, "", "r" * 32 + "-grapnel"),
    ("r" * 33, "", "r" * 33 + "-grapne"), ("r" * 39, "", "r" * 39), ("r" * 53, "", "r" * 40), ("r", "n" * 38, "r-" + "n" * 38),
    ("r", "n" * 39, "r-" + "n" * 38)])
def test_long_names(release: str, override: str, name: str):
    """40 bytes at most, and none ends in a hyphen."""
    text = chart.run("template", values={"nameOverride": override}, release=release)
    assert text.returncode == 0, text.stderr
    found = [item for item in yaml.load_all(text.stdout, chart.LOADER) if item]
    assert name in {item["metadata"]["name"] for item in found if item["kind"] == "DaemonSet"}
    assert all(len(item["metadata"]["name"]) <= 63 and not item["metadata"]["name"].endswith("-") for item in found)


def test_labels():
    rendered = Rendered({"commonLabels": {"team": "platform"}, "podLabels": {"tier": "node"}})
    for found in rendered.objects:
        labels = found["metadata"]["labels"]
        assert labels["team"] == "platform" and labels["helm.sh/chart"] == "grapnel-0.1.0", found["metadata"]["name"]
        assert labels["app.kubernetes.io/managed-by"] == "Helm" and labels["app.kubernetes.io/instance"] == "g"
    assert rendered.template["metadata"]["labels"] == {
        "app.kubernetes.io/name": "grapnel", "app.kubernetes.io/instance": "g",
        "app.kubernetes.io/part-of": "grapnel", "app.kubernetes.io/component": "plugin", "grapnel/release": "hooks.g",
        "team": "platform", "tier": "node"}
    selector = rendered.one("DaemonSet")["spec"]["selector"]["matchLabels"]
    assert selector.items() <= rendered.template["metadata"]["labels"].items() and "team" not in selector


def test_selectors_tell_the_pods_of_the_release_apart():
    rendered = Rendered()
    components = [found["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
                  for found in rendered.all("DaemonSet") + rendered.all("Job")]
    assert len(components) == len(set(components)) == 4


CLUSTER = {"Namespace", "ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
           "SecurityContextConstraints"}


def test_every_object_is_in_the_namespace():
    for file in chart.EXAMPLES:
        for found in Rendered(None, f"--values={file}").objects:
            assert found["metadata"].get("namespace") == (None if found["kind"] in CLUSTER else "hooks"), found["kind"]


def of_the_cluster(namespace: str, name: str) -> set[tuple[str, str]]:
    values = {"startupTaint": {"enabled": True}, "openshift": {"scc": True}, "fullnameOverride": name}
    return {(found["kind"], found["metadata"]["name"]) for found in Rendered(values, f"--namespace={namespace}").objects
            if found["kind"] in CLUSTER}


def test_releases_share_no_object_of_the_cluster():
    """Also where the names of namespace and release are the same in a row."""
    every = [of_the_cluster(*names) for names in (("a", "b"), ("c", "b"), ("a", "c"), ("a-b", "c"), ("a", "b-c"), ("x" * 63, "y" * 40))]
    assert all(len(found) == 6 for found in every) and len(set().union(*every)) == 36
    longest = max(len(name) for _, name in every[-1])
    assert longest == 63 + 1 + 40 + len("-startup-taint") <= 253


def test_namespace():
    labels = only_with({"namespace": {"create": True}}, "Namespace", "hooks")["metadata"]["labels"]
    assert all(labels[f"pod-security.kubernetes.io/{mode}"] == "privileged" for mode in ("enforce", "audit", "warn"))
    more = {"namespace": {"create": True, "labels": {"team": "nodes"}}}
    assert one("Namespace", more, "hooks")["metadata"]["labels"]["team"] == "nodes"


# Images

@pytest.mark.parametrize(("image", "expected"), [
    ({}, "ghcr.io/grapnel/grapnel:0.1.0"), ({"tag": "2"}, "ghcr.io/grapnel/grapnel:2"),
    ({"digest": DIGEST, "tag": "2"}, f"ghcr.io/grapnel/grapnel@{DIGEST}"),
    ({"registry": "example.com:5000", "repository": "a/b"}, "example.com:5000/a/b:0.1.0")])
def test_image(image: dict, expected: str):
    rendered = Rendered({"image": image, "hookPrograms": {"images": [IMAGE]}})
    assert rendered.container()["image"] == rendered.container("self")["image"] == expected
    own = {container["image"] for _, pod in chart.pods(rendered.objects) for container in chart.containers(pod)
           if container.get("command", [""])[0] == "/usr/bin/grapnel"}
    assert own == {expected}


def test_images_of_others_are_pinned_too():
    image = {"digest": DIGEST}
    rendered = Rendered({"kubectl": {"image": image}, "startupTaint": {"enabled": True},
                         "enableNri": {"enabled": True, "image": image}, "image": image})
    images = {container["image"] for _, pod in chart.pods(rendered.objects) for container in chart.containers(pod)}
    assert len(images) == 3 and all(image.endswith(f"@{DIGEST}") for image in images)


def test_pull_policy_and_secrets():
    rendered = Rendered({"image": {"pullPolicy": "Always"}, "imagePullSecrets": [{"name": "registry"}]})
    assert rendered.container()["imagePullPolicy"] == "Always"
    assert all(pod["imagePullSecrets"] == [{"name": "registry"}] for _, pod in chart.pods(rendered.objects))
    assert all("imagePullSecrets" not in pod for _, pod in chart.pods(Rendered().objects))


# The runtime

def test_the_socket_is_mounted_by_its_directory():
    rendered = Rendered({"nri": {"index": "05", "name": "hooks", "socketDir": "/run/other", "socketName": "n.sock"}})
    assert rendered.container()["args"][:3] == ["--socket=/run/other/n.sock", "--index=05", "--name=hooks"]
    assert rendered.mounts()["/run/other"]["readOnly"]
    assert rendered.host_paths()["/run/other"] == "nri"


def test_host_paths_are_few():
    assert set(Rendered().host_paths()) == {"/var/run/nri", "/run/grapnel", "/var/lib/grapnel", "/opt/grapnel/programs"}


def test_the_page_lists_what_may_be_mounted():
    """Everything on at once, and each path of the host is a row of the page's table, or the value that a row names."""
    values = {"hostRootMount": True, "enableNri": {"enabled": True, "configDir": "/a"}, "metrics": {"textfileDir": "/b"},
              "nri": {"socketDir": "/c"}, "rules": {"hostDirs": ["/d"]}, "hookPrograms": {"dir": "/e", "hostDirs": ["/f"], "crioDir": "/h"}}
    page = (CHART / "README.md").read_text()
    table = page[page.index("| mounted |"):page.index("The container runs as")]
    found = set(Rendered(values).host_paths()) | set(Rendered(values | {"hostRootMount": False}).host_paths()) | {"/run"}
    named = {"/a": "`enableNri.configDir`", "/b": "`metrics.textfileDir`", "/c": "`nri.socketDir`", "/d": "`rules.hostDirs`",
             "/e": "`hookPrograms.dir`", "/f": "`hookPrograms.hostDirs`", "/h": "`hookPrograms.crioDir`"}
    assert {named.get(path, f"`{path}`") for path in found} == set(re.findall("`[^` ]+`", re.sub(r" (at|only).*", " ", table)))


def test_the_cleanup_sees_what_the_plugin_left():
    rendered = Rendered({"hookPrograms": {"dir": "/x/programs"}, "nri": {"socketDir": "/run/other"},
                         "metrics": {"textfileDir": "/x/textfiles"}})
    spec = rendered.one("DaemonSet", "g-grapnel-cleanup")["spec"]["template"]["spec"]
    paths = {volume["hostPath"]["path"] for volume in spec["volumes"] if "hostPath" in volume}
    assert paths == set(rendered.host_paths()) | {"/run"}
    mounts = {mount["name"]: mount["mountPath"] for mount in spec["initContainers"][0]["volumeMounts"]}
    there = {mount["name"]: mount["mountPath"] for mount in rendered.container()["volumeMounts"]}
    del mounts["crio"]
    assert mounts.items() <= there.items()
    assert rendered.config()["metricsTextfile"].startswith(mounts["textfile"] + "/")
    assert yaml.safe_load(rendered.config_map("cleanup")["data"]["config.yaml"])["spec"] == rendered.config()
    assert rendered.container()["args"][0] in spec["initContainers"][0]["command"]


@pytest.mark.parametrize(("crio", "host"), [
    ("/run/containers/storage", "/run"), ("/run/x", "/run"), ("/run", "/"), ("/running/x", "/"), ("/srv/crio", "/"),
    ("/var/run/containers/storage", "/"),
])
def test_the_cleanup_makes_no_directory_of_crio(crio: str, host: str):
    """What is mounted is there on every node, and the runroot is seen through it, links and mounts that come and go as well."""
    spec = Rendered({"cleanup": {"crioDir": crio}}).one("DaemonSet", "g-grapnel-cleanup")["spec"]["template"]["spec"]
    (volume,) = (found for found in spec["volumes"] if found["name"] == "crio")
    assert volume["hostPath"] == {"path": host, "type": "Directory"}
    (mount,) = (found for found in spec["initContainers"][0]["volumeMounts"] if found["name"] == "crio")
    assert mount == {"name": "crio", "mountPath": f"/host{host}".rstrip("/"), "readOnly": True,
                     "mountPropagation": "HostToContainer"}
    assert f"--crio-dir={crio}" in spec["initContainers"][0]["command"]


def test_tolerated_by_required_plugins():
    rendered = Rendered({"requiredPlugin": {"tolerateAnnotation": "example.com/without"}})
    templates = [found["spec"].get("template", found)["metadata"] for found in rendered.objects
                 if found["kind"] in ("DaemonSet", "Job", "Pod")]
    assert len(templates) == 5
    assert all(meta["annotations"]["example.com/without"] == "true" for meta in templates)


def test_enable_nri():
    container = Rendered({"enableNri": {"enabled": True}}).container("enable-nri")
    assert "RESTART_UNIT" not in json.dumps(container) and "host-root" not in json.dumps(container)
    rendered = Rendered({"enableNri": {"enabled": True, "restart": True, "unit": "k3s.service"}})
    container = rendered.container("enable-nri")
    assert {"name": "RESTART_UNIT", "value": "k3s.service"} in container["env"]
    assert rendered.mounts("enable-nri")["/host"]["readOnly"] and "/host" not in rendered.mounts()
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["SYS_CHROOT"]}
    script = rendered.one("ConfigMap", "g-grapnel-enable-nri")["data"]["enable-nri.sh"]
    assert script.rstrip() == (CHART / "files/enable-nri.sh").read_text().rstrip()
    assert rendered.pod["initContainers"][0]["name"] == "enable-nri"
    assert "initContainers" not in Rendered().pod


def test_enable_nri_beside_the_hosts_root():
    """One volume for both containers; each has its own mount of it."""
    rendered = Rendered({"enableNri": {"enabled": True, "restart": True}, "hostRootMount": True})
    assert [volume["name"] for volume in rendered.pod["volumes"]].count("host-root") == 1
    assert rendered.host_paths()["/"] == "host-root"
    assert rendered.mounts()["/host"]["mountPropagation"] == "HostToContainer" and rendered.mounts("enable-nri")["/host"]["readOnly"]
    without = Rendered({"enableNri": {"enabled": True}, "hostRootMount": True})
    assert "/host" in without.mounts() and "/host" not in without.mounts("enable-nri")
    assert "host-root" not in Rendered({"enableNri": {"enabled": True}}).host_paths().values()


def test_what_restarts_the_runtime_may_use_d_bus():
    """Which AppArmor's usual profile forbids; how that is said depends on the version of Kubernetes."""
    values, annotation = {"enableNri": {"enabled": True, "restart": True}}, "container.apparmor.security.beta.kubernetes.io/enable-nri"
    for version, field in (("1.29.14", False), ("1.30.0", True), ("1.30.0-gke.1", True)):
        rendered = Rendered(values, f"--kube-version={version}")
        profile = rendered.container("enable-nri")["securityContext"].get("appArmorProfile")
        assert profile == ({"type": "Unconfined"} if field else None)
        assert (rendered.template["metadata"]["annotations"].get(annotation) == "unconfined") is not field
        assert "appArmorProfile" not in rendered.container()["securityContext"]
    plain = Rendered({"enableNri": {"enabled": True}})
    assert "nconfined" not in json.dumps(plain.objects)


# Rules, policy, settings

def test_rules_in_order_of_precedence():
    values = {"rules": {"hostDirs": ["/etc/a", "/etc/b"], "existingConfigMaps": ["one", "two"],
                        "files": {"a.yaml": "text: {{ not a template }}\n", "gone.yaml": None}}}
    rendered = Rendered(values)
    assert rendered.config()["hooksDirs"] == ["/rules/host/etc/a", "/rules/host/etc/b", "/rules/configmap/one",
                                              "/rules/configmap/two", "/rules/values"]
    assert set(rendered.config()["hooksDirs"]) <= set(rendered.mounts())
    assert all(rendered.mounts()[path]["readOnly"] for path in rendered.config()["hooksDirs"])
    assert rendered.config_map("rules")["data"] == {"a.yaml": "text: {{ not a template }}\n"}


def test_no_file_is_mounted_alone():
    """The kubelet never changes what is mounted by subPath."""
    assert "subPath" not in chart.text(None, f"--values={CHART / 'ci/full-check-values.yaml'}")


def test_the_release_is_exempt_from_its_own_rules():
    assert Rendered().config()["ownNamespace"] == "hooks"
    assert Rendered().policy()["exemptNamespaces"] == ["kube-system", "hooks"]
    assert Rendered({"policy": {"spec": {"exemptNamespaces": []}}}).policy()["exemptNamespaces"] == ["hooks"]
    mine = Rendered({"policy": {"spec": {"exemptNamespaces": ["hooks", {"prefix": "x-"}]}}}).policy()
    assert mine["exemptNamespaces"] == ["hooks", {"prefix": "x-"}] and mine["neverFail"] == ["kube-system"]
    assert Rendered({"policy": {"spec": {"neverFail": ["a"], "stages": ["poststop"]}}}).policy().items() >= {
        "neverFail": ["a"], "stages": ["poststop"]}.items()


def test_policy_of_a_config_map():
    rendered = Rendered({"policy": {"existingConfigMap": "mine"}})
    assert "policy.yaml" not in rendered.config_map("settings")["data"]
    sources = next(volume for volume in rendered.pod["volumes"] if volume["name"] == "settings")["projected"]["sources"]
    assert sources[1]["configMap"] == {"name": "mine", "items": [{"key": "policy.yaml", "path": "policy.yaml"}]}


def test_settings():
    config = Rendered({"config": {"logLevel": "debug", "requiredSets": ["a"]}}).config()
    assert config["logLevel"] == "debug" and config["requiredSets"] == ["a"]
    assert not {"programsDir", "metricsAddress", "metricsTextfile"} & set(config)
    assert Rendered({"hookPrograms": {"dir": "/x/y"}}).config()["programsDir"] == "/x/y"


def test_crios_directory_is_mounted_where_it_is_asked_for():
    """With what comes and goes in it: a mount that stayed in the pod would hold what is gone on the host."""
    rendered = Rendered({"hookPrograms": {"crioDir": "/srv/crio"}})
    assert rendered.config()["crioDir"] == "/srv/crio"
    assert rendered.host_paths()["/srv/crio"] == "crio"
    mount = rendered.mounts()["/host/srv/crio"]
    assert (mount["name"], mount["readOnly"], mount["mountPropagation"]) == ("crio", True, "HostToContainer")
    seen = Rendered({"hookPrograms": {"crioDir": "/srv/crio"}, "hostRootMount": True})
    assert seen.config()["crioDir"] == "/srv/crio" and "/srv/crio" not in seen.host_paths()
    assert "crioDir" not in Rendered().config() and "crio" not in Rendered().host_paths().values()


def test_watch_leaves_pods_alone():
    before, after = Rendered(), Rendered({"rules": {"files": {"a.yaml": "#"}}, "config": {"logLevel": "debug"}})
    assert before.template == after.template
    assert before.config_map("rules")["metadata"]["name"] == after.config_map("rules")["metadata"]["name"]
    assert "immutable" not in after.config_map("rules")


def test_restart_makes_new_pods_and_keeps_the_texts_of_the_old():
    one, same, rules, settings = (Rendered({"reload": {"mode": "Restart"}} | more) for more in (
        {}, {"minReadySeconds": 7}, {"rules": {"files": {"a.yaml": "#"}}}, {"config": {"logLevel": "debug"}}))
    assert one.template == same.template
    for part, changed in (("rules", rules), ("settings", settings)):
        assert changed.template != one.template
        assert changed.template["metadata"]["annotations"]["checksum/rules"] != one.template["metadata"]["annotations"]["checksum/rules"]
        assert changed.config_map(part)["metadata"]["name"] != one.config_map(part)["metadata"]["name"]
        assert changed.config_map(part)["immutable"]
        assert changed.config_map(part)["metadata"]["name"] in json.dumps(changed.pod["volumes"])


# Hook programs

def test_programs_of_images():
    rendered = Rendered({"hookPrograms": {"images": [IMAGE, IMAGE | {"name": "b", "pullPolicy": "Never"}], "dir": "/x/p"}})
    assert [container["name"] for container in rendered.pod["initContainers"]] == ["self", "program-netdev", "program-b"]
    assert rendered.container("self")["command"] == ["/usr/bin/grapnel", "setup", "self", "--to", "/tools"]
    first, second = rendered.container("program-netdev"), rendered.container("program-b")
    assert first["command"] == ["/tools/grapnel", "setup", "install", "--from", "/hooks", "--to", "/x/p/netdev",
                                f"--owner={OWNER}"]
    assert (first["image"], first["imagePullPolicy"], second["imagePullPolicy"]) == ("example.com/netdev:1", "IfNotPresent", "Never")
    assert rendered.mounts("program-b")["/tools"]["readOnly"] and "/x/p" in rendered.mounts("program-b")
    assert "readOnly" not in rendered.mounts()["/host/x/p"]  # the plugin collects what no container names


def retiring(rendered: Rendered) -> list[str]:
    return [arg for arg in rendered.container()["args"] if arg.startswith("--retire-")]


def test_programs_that_are_not_installed_any_more():
    """The pod says what it came with, since settings are those of all revisions; also when that is nothing."""
    assert retiring(Rendered()) == [f"--retire-owner={OWNER}", "--retire-after=600"]
    rendered = Rendered({"hookPrograms": {"images": [IMAGE, IMAGE | {"name": "b"}], "retireAfterSeconds": 5}})
    assert retiring(rendered) == [f"--retire-owner={OWNER}", "--retire-after=5", "--retire-keep=netdev", "--retire-keep=b"]
    assert [container["command"][-1] for container in rendered.pod["initContainers"]][1:] == [f"--owner={OWNER}"] * 2
    assert "retire" not in json.dumps(rendered.config())
    assert retiring(Rendered({"hookPrograms": {"images": [IMAGE], "retireAfterSeconds": 0}})) == []


def test_tools_only_where_needed():
    assert "tools" not in json.dumps(Rendered().pod)
    other = [{"name": "x", "image": "y:1"}]
    for values in ({"extraContainers": other}, {"extraInitContainers": other}, {"startupTaint": {"enabled": True}}):
        rendered = Rendered(values)
        assert rendered.pod["initContainers"][0]["name"] == "self"
        assert rendered.mounts("self")["/tools"]["name"] == "tools" in [volume["name"] for volume in rendered.pod["volumes"]]
    assert [container["name"] for container in Rendered({"extraInitContainers": other}).pod["initContainers"]] == ["self", "x"]


def test_host_root():
    rendered = Rendered({"hostRootMount": True, "hookPrograms": {"hostDirs": ["/opt/hooks"]}})
    assert rendered.config()["hostRoot"] == "/host"
    mount = rendered.mounts()["/host"]
    assert mount["readOnly"] and mount["mountPropagation"] == "HostToContainer"
    assert "/host/opt/grapnel/programs" in rendered.mounts() and "/opt/hooks" not in rendered.host_paths()
    without = Rendered({"hookPrograms": {"hostDirs": ["/opt/hooks"]}})
    assert without.mounts()["/host/opt/hooks"]["readOnly"] and "/" not in without.host_paths()
    assert without.config()["hostRoot"] == "/host", "the container's own directories are not taken for the host's"


# Hooks of the release

def weight(found: dict) -> int:
    return int(found["metadata"]["annotations"]["helm.sh/hook-weight"])


def hooks(rendered: Rendered, event: str) -> list[dict]:
    return [found for found in rendered.objects
            if event in found["metadata"].get("annotations", {}).get("helm.sh/hook", "").split(",")]


def test_preflight_carries_the_new_texts():
    """As if there were no directories of the nodes: an empty volume in their place is writable for everybody, an error."""
    rules = {"files": {"a.yaml": "#"}, "existingConfigMaps": ["one"]}
    rendered, without = (Rendered({"rules": rules | dirs}) for dirs in ({"hostDirs": ["/etc/a"]}, {}))
    found = {item["kind"] + "/" + item["metadata"]["name"]: item for item in hooks(rendered, "pre-upgrade")}
    assert set(found) == {"ConfigMap/g-grapnel-preflight-rules", "ConfigMap/g-grapnel-preflight-settings", "Job/g-grapnel-preflight"}
    assert hooks(rendered, "pre-install") == hooks(rendered, "pre-upgrade")
    job = found["Job/g-grapnel-preflight"]
    assert all(weight(item) < weight(job) for item in found.values() if item is not job)
    assert job["metadata"]["annotations"]["helm.sh/hook-output-log-policy"] == "hook-failed"
    assert job["spec"]["ttlSecondsAfterFinished"] > job["spec"]["activeDeadlineSeconds"], "its log can be read"
    for part in ("rules", "settings"):
        mine, theirs = rendered.config_map(part, True)["data"], without.config_map(part)["data"]
        assert {key: yaml.safe_load(text) for key, text in mine.items()} == {key: yaml.safe_load(text) for key, text in theirs.items()}
    spec = job["spec"]["template"]["spec"]
    assert "serviceAccountName" not in spec and spec["restartPolicy"] == "Never" and job["spec"]["backoffLimit"] == 0
    container = spec["containers"][0]
    assert container["command"] == ["/usr/bin/grapnel", "check", "--strict", "--no-host"]
    assert container["securityContext"]["runAsNonRoot"] and container["securityContext"]["runAsUser"] == 65532
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted == {"/etc/grapnel", *without.config()["hooksDirs"]}
    assert "hostPath" not in json.dumps(spec)
    carried = {volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume}
    settings = next(volume for volume in spec["volumes"] if volume["name"] == "settings")["projected"]["sources"]
    assert carried == {"g-grapnel-preflight-rules", "one"}
    assert [source["configMap"]["name"] for source in settings] == ["g-grapnel-preflight-settings"]
    assert hooks(Rendered({"preflight": {"enabled": False}}), "pre-upgrade") == []


def test_preflight_with_a_policy_of_a_config_map():
    rendered = Rendered({"policy": {"existingConfigMap": "mine"}})
    assert set(rendered.config_map("settings", True)["data"]) == {"config.yaml"}
    volumes = rendered.one("Job", "g-grapnel-preflight")["spec"]["template"]["spec"]["volumes"]
    sources = next(volume for volume in volumes if volume["name"] == "settings")["projected"]["sources"]
    assert [source["configMap"]["name"] for source in sources] == ["g-grapnel-preflight-settings", "mine"]
    assert sources[1]["configMap"]["items"] == [{"key": "policy.yaml", "path": "policy.yaml"}]


@pytest.mark.parametrize(("dirs", "expected"), [([], ["a"]), (["/etc/a"], None)])
def test_preflight_asks_for_sets_that_it_can_see(dirs: list[str], expected: list[str] | None):
    rendered = Rendered({"rules": {"hostDirs": dirs}, "config": {"requiredSets": ["a"]}})
    carried = yaml.safe_load(rendered.config_map("settings", True)["data"]["config.yaml"])["spec"]
    assert carried.get("requiredSets") == expected and rendered.config()["requiredSets"] == ["a"]
    assert {**carried, "requiredSets": ["a"], "hooksDirs": rendered.config()["hooksDirs"]} == rendered.config()


def test_cleanup():
    rendered = Rendered({"cleanup": {"timeoutSeconds": 99}, "rules": {"hostDirs": ["/etc/a"]}})
    found = hooks(rendered, "post-delete")
    order = {kind: weight(item) for item in found for kind in [item["kind"]]}
    assert set(order) == {"ServiceAccount", "Role", "RoleBinding", "ConfigMap", "DaemonSet", "Job"}
    assert max(order[kind] for kind in ("ServiceAccount", "Role", "RoleBinding", "ConfigMap")) < order["DaemonSet"] < order["Job"]
    assert all("hook-succeeded" in item["metadata"]["annotations"]["helm.sh/hook-delete-policy"] for item in found)
    assert all(item["metadata"]["annotations"]["helm.sh/hook-output-log-policy"] == "hook-failed" for item in found)
    spec = rendered.one("DaemonSet", "g-grapnel-cleanup")["spec"]["template"]["spec"]
    assert spec["initContainers"][0]["command"] == ["/usr/bin/grapnel", "setup", "cleanup",
                                                    "--socket=/var/run/nri/nri.sock", "--crio-dir=/run/containers/storage",
                                                    "--wait=99"]
    assert "readinessProbe" not in spec["containers"][0]  # ready when it runs: behind the init container
    assert "volumeMounts" not in spec["containers"][0]  # nor is there a plugin that it could see
    apart = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]["labelSelector"]
    assert apart["matchLabels"].items() <= rendered.template["metadata"]["labels"].items()
    job = rendered.one("Job", "g-grapnel-cleanup")["spec"]
    assert "--timeout=99s" in job["template"]["spec"]["containers"][0]["command"] and job["activeDeadlineSeconds"] > 99
    rules = rendered.one("Role", "g-grapnel-cleanup")["rules"]
    assert rules == [{"apiGroups": ["apps"], "resources": ["daemonsets"], "resourceNames": ["g-grapnel-cleanup"],
                      "verbs": ["get", "list", "watch"]}]
    assert hooks(Rendered({"cleanup": {"enabled": False}}), "post-delete") == []


def test_cleanup_runs_on_the_nodes_of_the_plugin():
    node = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": []}]}}
    values = {"affinity": {"nodeAffinity": node}, "nodeSelector": {"a": "b"}, "tolerations": [{"key": "x", "operator": "Exists"}]}
    rendered = Rendered(values)
    spec = rendered.one("DaemonSet", "g-grapnel-cleanup")["spec"]["template"]["spec"]
    for key in ("nodeSelector", "tolerations"):
        assert spec[key] == rendered.pod[key]
    assert spec["affinity"]["nodeAffinity"] == node == rendered.pod["affinity"]["nodeAffinity"]


def test_jobs_keep_off_nodes_that_do_not_work():
    """Who tolerates everything is put on a node that is not ready, too."""
    mine = {"key": "a", "operator": "Exists"}
    taint = {"key": "example.com/wait", "operator": "Exists"}
    plain = Rendered()
    asked = Rendered({"jobs": {"tolerations": [mine]}, "startupTaint": {"enabled": True, "key": "example.com/wait"}})
    for rendered, expected in ((plain, [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]),
                               (asked, [mine, taint])):
        specs = [spec for where, spec in chart.pods(rendered.objects) if not where.startswith("DaemonSet")]
        assert len(specs) == 3 and all(spec["tolerations"] == expected for spec in specs)
        assert all(spec["nodeSelector"] == rendered.pod["nodeSelector"] for spec in specs)


def test_helm_test():
    rendered = Rendered()
    pod = rendered.one("Pod", "g-grapnel-test-ready")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["metadata"]["annotations"]["helm.sh/hook-output-log-policy"] == "hook-failed"
    assert pod["spec"]["containers"][0]["command"][:3] == ["/usr/bin/grapnel", "probe", "ready"]
    with_ = pod["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]["labelSelector"]
    assert with_["matchLabels"].items() <= rendered.template["metadata"]["labels"].items()


# Startup taint

def test_startup_taint():
    rendered = Rendered({"startupTaint": {"enabled": True, "key": "example.com/wait"}, "serviceAccount": {"name": "me"}})
    container = rendered.container("startup-taint")
    assert container["command"] == [
        "/tools/grapnel", "probe", "ready", "--wait", '--accept=taint "example.com/wait" not found', "--again=300", "--",
        "kubectl", "taint", "node", "$(NODE_NAME)", "example.com/wait-"]
    assert rendered.one("ClusterRole", "hooks.g-grapnel-startup-taint")["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "patch"]}]
    subject = rendered.one("ClusterRoleBinding", "hooks.g-grapnel-startup-taint")["subjects"][0]
    assert (subject["namespace"], subject["name"]) == ("hooks", "me")
    policy = rendered.one("ValidatingAdmissionPolicy", "hooks.g-grapnel-startup-taint")["spec"]
    assert "system:serviceaccount:hooks:me" in policy["matchConditions"][0]["expression"]
    assert policy["failurePolicy"] == "Fail"
    assert any('t.key == "example.com/wait"' in item["expression"] for item in policy["validations"])
    assert all(item["message"] and item["reason"] == "Forbidden" for item in policy["validations"])
    binding = rendered.one("ValidatingAdmissionPolicyBinding", "hooks.g-grapnel-startup-taint")["spec"]
    assert binding == {"policyName": "hooks.g-grapnel-startup-taint", "validationActions": ["Deny"]}
    assert not Rendered().all("ClusterRole")


# The pod

def test_update_leaves_no_gap():
    spec = one("DaemonSet")["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert spec["minReadySeconds"] > 0
    changed = one("DaemonSet", {"minReadySeconds": 9, "revisionHistoryLimit": 3, "terminationGracePeriodSeconds": 7,
                                "updateStrategy": {"maxSurge": 0, "maxUnavailable": "20%"}})["spec"]
    assert (changed["minReadySeconds"], changed["revisionHistoryLimit"]) == (9, 3)
    assert changed["template"]["spec"]["terminationGracePeriodSeconds"] == 7
    assert changed["updateStrategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": "20%"}
    assert one("DaemonSet", {"updateStrategy": {"type": "OnDelete"}})["spec"]["updateStrategy"] == {"type": "OnDelete"}


def test_probes_ask_the_real_session():
    container = Rendered().container()
    commands = {probe: container[probe]["exec"]["command"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert commands == {"startupProbe": ["/usr/bin/grapnel", "probe", "live"], "livenessProbe": ["/usr/bin/grapnel", "probe", "live"],
                        "readinessProbe": ["/usr/bin/grapnel", "probe", "ready"]}
    live = container["livenessProbe"]
    assert live["periodSeconds"] * live["failureThreshold"] >= 120
    without = Rendered({"probes": {probe: {"enabled": False} for probe in ("startup", "liveness", "readiness")}}).container()
    assert not [key for key in without if key.endswith("Probe")]
    assert Rendered({"probes": {"readiness": {"initialDelaySeconds": 3}}}).container()["readinessProbe"]["initialDelaySeconds"] == 3


def test_users_and_seccomp():
    pod = Rendered().pod
    assert pod["hostUsers"] is True and Rendered().container()["securityContext"]["runAsUser"] == 0
    assert pod["terminationGracePeriodSeconds"] <= 10 and pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["priorityClassName"] == "system-node-critical"
    for value, expected in (("", None), ("nodes", "nodes")):
        daemons = Rendered({"priorityClassName": value}).all("DaemonSet")
        assert [found["spec"]["template"]["spec"].get("priorityClassName") for found in daemons] == [expected] * 2


def test_selinux():
    """Of those that reach the host. The preflight comes before all accounts: restricted-v2 refuses it with a label."""
    rendered = Rendered({"seLinuxOptions": {"type": "spc_t"}, "startupTaint": {"enabled": True},
                         "hookPrograms": {"images": [IMAGE]}, "enableNri": {"enabled": True}})
    given = {container["name"]: container["securityContext"].get("seLinuxOptions") for _, pod in chart.pods(rendered.objects)
             for container in chart.containers(pod)}
    spc = {"type": "spc_t"}
    assert given == {"grapnel": spc, "self": spc, "program-netdev": spc, "enable-nri": spc, "startup-taint": spc, "cleanup": spc,
                     "ready": spc, "check": None, "done": None, "wait": None}
    assert "seLinuxOptions" not in chart.text()


def test_security_context_is_laid_over_that_of_the_plugin():
    mine = {"appArmorProfile": {"type": "Unconfined"}, "seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"},
            "capabilities": {"add": ["KILL"]}}
    plain, rendered = Rendered(), Rendered({"securityContext": mine, "hookPrograms": {"images": [IMAGE]}})
    assert rendered.container()["securityContext"] == {
        **plain.container()["securityContext"], **mine, "capabilities": {"drop": ["ALL"], "add": ["KILL"]}}
    assert rendered.container("self")["securityContext"] == plain.container()["securityContext"]


def test_resources_of_each_container():
    def asked(cpu: int) -> dict:
        return {"requests": {"cpu": f"{cpu}m", "memory": f"{cpu}Mi"}, "limits": {"memory": f"{cpu + 1}Mi"}}

    rendered = Rendered({"resources": asked(31), "hookPrograms": {"resources": asked(32), "images": [IMAGE]},
                         "preflight": {"resources": asked(33)}, "startupTaint": {"enabled": True, "resources": asked(34)}})
    given = {container["name"]: container["resources"] for _, pod in chart.pods(rendered.objects)
             for container in chart.containers(pod)}
    expected = {"grapnel": 31, "self": 32, "program-netdev": 32, "check": 33, "startup-taint": 34}
    assert {name: given[name] for name in expected} == {name: asked(cpu) for name, cpu in expected.items()}
    assert "cpu" not in Rendered().container()["resources"]["limits"], "throttled, it would delay every container"


def test_service_account():
    account = one("ServiceAccount", {"serviceAccount": {"annotations": {"a": "b"}}})
    assert account["metadata"]["annotations"] == {"a": "b"} and account["automountServiceAccountToken"] is False
    rendered = Rendered({"serviceAccount": {"create": False, "name": "mine"}})
    assert rendered.pod["serviceAccountName"] == "mine" and "mine" not in rendered.names("ServiceAccount")


def test_extras_are_added_and_replace_nothing():
    extra, before = {"name": "x", "image": "y:1"}, {"name": "z", "image": "y:1"}
    values = {"extraArgs": ["--oci-hooks-dir=/x"], "extraEnv": [{"name": "A", "value": "b"}], "podAnnotations": {"n": "o"},
              "extraVolumes": [{"name": "v", "emptyDir": {}}], "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}],
              "extraContainers": [extra], "extraInitContainers": [before], "affinity": {"podAffinity": {"a": []}}}
    plain, rendered = Rendered(), Rendered(values)
    assert rendered.container()["args"] == plain.container()["args"] + ["--oci-hooks-dir=/x"]
    assert rendered.container()["env"] == plain.container()["env"] + [{"name": "A", "value": "b"}]
    assert rendered.container()["volumeMounts"] == plain.container()["volumeMounts"] + [{"name": "v", "mountPath": "/v"}]
    assert rendered.pod["volumes"][-1] == {"name": "v", "emptyDir": {}}
    assert (rendered.pod["containers"][-1], rendered.pod["initContainers"][-1]) == (extra, before)
    assert rendered.template["metadata"]["annotations"]["n"] == "o"
    assert rendered.pod["affinity"] == {"podAffinity": {"a": []}, **plain.pod["affinity"]}


def apart(rendered: Rendered) -> list[dict]:
    return rendered.pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]


def test_releases_keep_off_each_others_nodes():
    """Not from the pods of their own: an old and a new one meet in an upgrade."""
    (term,) = apart(Rendered())
    labels, selector = Rendered().template["metadata"]["labels"], term["labelSelector"]
    assert term["namespaceSelector"] == {} and term["topologyKey"] == "kubernetes.io/hostname"
    assert selector["matchLabels"].items() <= labels.items()
    (other,) = selector["matchExpressions"]
    assert other == {"key": "grapnel/release", "operator": "NotIn", "values": [labels["grapnel/release"]]}
    assert labels["grapnel/release"] == "hooks.g"
    mine = {"topologyKey": "x", "labelSelector": {"matchLabels": {"a": "b"}}}
    values = {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [mine]}}}
    assert apart(Rendered(values)) == [mine, term]


@pytest.mark.parametrize(("length", "expected"), [(61, "a" * 61 + ".g"), (62, "a" * 62)])
def test_name_of_a_release_is_a_label(length: int, expected: str):
    """63 bytes, and it ends in a letter or a digit."""
    assert Rendered(None, f"--namespace={'a' * length}").template["metadata"]["labels"]["grapnel/release"] == expected


# Metrics

def test_no_port_by_default():
    assert "ports" not in Rendered().container() and "metrics" not in json.dumps(Rendered().config())


def test_metrics_port():
    rendered = Rendered({"metrics": {"enabled": True, "port": 2000, "scrapeAnnotations": True}})
    assert rendered.config()["metricsAddress"] == ":2000"
    assert rendered.container()["ports"] == [{"name": "metrics", "containerPort": 2000, "protocol": "TCP"}]
    annotations = rendered.template["metadata"]["annotations"]
    assert (annotations["prometheus.io/scrape"], annotations["prometheus.io/port"]) == ("true", "2000")
    assert "prometheus.io/scrape" not in Rendered({"metrics": {"enabled": True}}).template["metadata"]["annotations"]


@pytest.mark.parametrize(("value", "kind", "endpoints"), [
    ("podMonitor", "PodMonitor", "podMetricsEndpoints"), ("serviceMonitor", "ServiceMonitor", "endpoints")])
def test_monitors(value: str, kind: str, endpoints: str):
    values = {"metrics": {"enabled": True, value: {"enabled": True, "interval": "17s", "labels": {"release": "p"}}}}
    found = only_with(values, kind, "g-grapnel")
    assert found["metadata"]["labels"]["release"] == "p"
    endpoint = found["spec"][endpoints][0]
    assert (endpoint["port"], endpoint["interval"]) == ("metrics", "17s")
    assert endpoint["relabelings"][0]["targetLabel"] == "instance"
    rendered = Rendered(values)
    selected = found["spec"]["selector"]["matchLabels"].items()
    if kind == "PodMonitor":
        assert selected <= rendered.template["metadata"]["labels"].items() and not rendered.all("Service")
    else:
        service = rendered.one("Service", "g-grapnel-metrics")
        assert selected <= service["metadata"]["labels"].items()
        assert service["spec"]["selector"].items() <= rendered.template["metadata"]["labels"].items()


def test_alerts_are_those_of_the_file(promtool: str, tmp_path: Path):
    alerts = yaml.safe_load((CHART / "files/alerts.yaml").read_text())["groups"]
    values = {"metrics": {"prometheusRule": {"enabled": True}}}
    assert only_with(values, "PrometheusRule", "g-grapnel")["spec"]["groups"] == alerts
    values["metrics"]["prometheusRule"]["disabled"] = ["GrapnelConfigDiffers"]
    left = one("PrometheusRule", values)["spec"]
    names = [rule["alert"] for rule in alerts[0]["rules"]]
    assert [rule["alert"] for rule in left["groups"][0]["rules"]] == [name for name in names if name != "GrapnelConfigDiffers"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(left))
    done = subprocess.run([promtool, "check", "rules", tmp_path / "rules.yaml"], capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboard():
    values = {"metrics": {"dashboard": {"enabled": True, "annotations": {"folder": "nodes"}}}}
    found = only_with(values, "ConfigMap", "g-grapnel-dashboard")
    assert found["data"]["grapnel.json"] == (CHART / "files/dashboard.json").read_text()
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1" and found["metadata"]["annotations"] == {"folder": "nodes"}


def test_textfile():
    rendered = Rendered({"metrics": {"textfileDir": "/var/lib/node_exporter"}})
    assert rendered.config()["metricsTextfile"] == "/textfile/grapnel.prom"
    assert "/textfile" in rendered.mounts() and rendered.host_paths()["/var/lib/node_exporter"] == "textfile"


def test_network_policy():
    closed = only_with({"networkPolicy": {"enabled": True}}, "NetworkPolicy", "g-grapnel")["spec"]
    assert closed["policyTypes"] == ["Ingress", "Egress"] and not {"ingress", "egress"} & set(closed)
    peers = [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]
    scraped = one("NetworkPolicy", {"networkPolicy": {"enabled": True, "metricsFrom": peers}, "metrics": {"enabled": True}})["spec"]
    assert scraped["ingress"] == [{"from": peers, "ports": [{"port": "metrics", "protocol": "TCP"}]}] and "egress" not in scraped
    taint = {"networkPolicy": {"enabled": True, "apiServerPorts": [6443]}, "startupTaint": {"enabled": True}}
    assert one("NetworkPolicy", taint)["spec"]["egress"] == [{"ports": [{"port": 6443, "protocol": "TCP"}]}]


def test_vertical_pod_autoscaler():
    values = {"verticalPodAutoscaler": {"enabled": True, "updateMode": "Initial"}}
    spec = only_with(values, "VerticalPodAutoscaler", "g-grapnel")["spec"]
    assert spec["targetRef"] == {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "g-grapnel"}
    assert spec["updatePolicy"] == {"updateMode": "Initial"}
