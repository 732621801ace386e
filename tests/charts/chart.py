# SPDX-License-Identifier: Apache-2.0
"""The chart, rendered: as text, and as objects by kind and name."""
from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path

import yaml
from harness import cache

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "charts/grapnel"
EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
# The one that all is rendered with, and others that give the same.
HELM = "4.1.4"
OTHER_HELMS = ("3.18.6",)
# Of which there are schemas: the oldest that the chart takes, the oldest that can confine the startup taint's
# token, the one of tests/cluster, and the newest.
KUBERNETES = ("1.25.0", "1.30.0", "1.34.1", "1.37.2")
RUN_WITH = "1.34.1"


class LOADER(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Refuses a mapping that has a key twice, of which Kubernetes would take the last one or nothing at all."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"line {node.start_mark.line + 1}: {sorted(twice)} is there twice"
        return super().construct_mapping(node, deep)


@functools.cache
def helm(version: str = HELM) -> str:
    return str(cache.fetched(f"helm-{version}") / "helm")


@functools.cache
def kubeconform(version: str = RUN_WITH) -> list[str]:
    """The command, for that Kubernetes; kinds that no schema is to be had for have one in schemas/. Without one an object is a mistake."""
    locations = [f"-schema-location={folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
                 for folder in (cache.fetched(f"schemas-{version}"), ROOT / "tests/charts/schemas")]
    return [str(cache.fetched("kubeconform-0.7.0") / "kubeconform"), "-strict", "-summary", *locations]


@functools.cache
def _run(version: str, verb: str, args: tuple[str, ...], values: str, release: str) -> subprocess.CompletedProcess:
    names = [release] if verb == "template" else []
    return subprocess.run([helm(version), verb, *names, CHART, *args, "--values", "-"], input=values,
                          capture_output=True, text=True, check=False, timeout=60)


def run(verb: str, *args: object, values: object = None, version: str = HELM, release: str = "g") -> subprocess.CompletedProcess:
    """helm VERB with the chart; values are laid over those of the files in args."""
    return _run(version, verb, tuple(map(str, args)), json.dumps(values or {}), release)


def text(values: object = None, *args: object) -> str:
    done = run("template", "--namespace=hooks", *args, values=values)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Rendered:
    """All objects that one set of values makes."""

    def __init__(self, values: object = None, *args: object) -> None:
        self.objects = [found for found in yaml.load_all(text(values, *args), LOADER) if found]

    def all(self, kind: str) -> list[dict]:
        return [found for found in self.objects if found["kind"] == kind]

    def names(self, kind: str) -> list[str]:
        return sorted(found["metadata"]["name"] for found in self.all(kind))

    def one(self, kind: str, name: str = "g-grapnel") -> dict:
        found = [item for item in self.all(kind) if item["metadata"]["name"] == name]
        assert len(found) == 1, f"{kind} {name}: there is {self.names(kind)}"
        return found[0]

    @property
    def template(self) -> dict:
        """The pod template of the plugin's DaemonSet."""
        return self.one("DaemonSet", self.fullname)["spec"]["template"]

    @property
    def pod(self) -> dict:
        return self.template["spec"]

    @property
    def fullname(self) -> str:
        return min((found["metadata"]["name"] for found in self.all("DaemonSet")), key=len)

    def container(self, name: str = "grapnel") -> dict:
        every = self.pod["containers"] + self.pod.get("initContainers", [])
        return next(found for found in every if found["name"] == name)

    def host_paths(self) -> dict[str, str]:
        """Of the plugin's pod: path on the host to the volume's name."""
        return {volume["hostPath"]["path"]: volume["name"] for volume in self.pod["volumes"] if "hostPath" in volume}

    def mounts(self, container: str = "grapnel") -> dict[str, dict]:
        return {mount["mountPath"]: mount for mount in self.container(container)["volumeMounts"]}

    def config_map(self, part: str, hook: bool = False) -> dict:
        """The ConfigMap of rules or settings, whatever its suffix."""
        infix = f"-preflight-{part}" if hook else f"-{part}"
        return next(found for found in self.all("ConfigMap") if found["metadata"]["name"].startswith(self.fullname + infix))

    def config(self) -> dict:
        return yaml.safe_load(self.config_map("settings")["data"]["config.yaml"])["spec"]

    def policy(self) -> dict:
        return yaml.safe_load(self.config_map("settings")["data"]["policy.yaml"])["spec"]


def pods(objects: list[dict]):
    """(kind/name, pod specification) of everything that makes pods."""
    for found in objects:
        where = f"{found['kind']}/{found['metadata']['name']}"
        if found["kind"] == "Pod":
            yield where, found["spec"]
        elif "template" in found.get("spec", {}):
            yield where, found["spec"]["template"]["spec"]


def containers(pod: dict) -> list[dict]:
    return pod.get("initContainers", []) + pod["containers"]
