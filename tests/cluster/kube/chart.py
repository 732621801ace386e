# SPDX-License-Identifier: Apache-2.0
"""Releases of the chart, as helm makes them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from harness import cache

from . import stock
from .cluster import Cluster
from .instance import Instance
from .manifests import Object

CHART = cache.ROOT / "charts/grapnel"
EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
# What the chart keeps on a node.
STORE = "/opt/grapnel/programs"
KEPT = ("/opt/grapnel", "/run/grapnel", "/var/lib/grapnel")
# The name of the program image in the store.
PROGRAMS = "recorder"


def reference(name: str) -> Object:
    """The values that stand for an image of the node's store."""
    registry, repository = name.rsplit(":", 1)[0].split("/", 1)
    return {"registry": registry, "repository": repository, "tag": name.rsplit(":", 1)[1],
            "pullPolicy": "Never"}  # fmt: skip


def merged(*layers: Object) -> Object:
    """Values laid over each other, as helm does with several files."""
    out: Object = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, dict) and isinstance(out.get(key), dict)
            out[key] = merged(out[key], value) if both else value
    return out


def images() -> Object:
    """There is no registry: the values that say where images come from, and nothing else."""
    return {
        "image": reference(stock.GRAPNEL),
        "kubectl": {"image": reference(stock.kubectl().name)},
    }


def example(name: str) -> Object:
    """The values of one of the chart's examples."""
    values: Object = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text())
    return values


def programs(image: str) -> Object:
    """The values by which that image's /programs comes into the store."""
    named = {"name": PROGRAMS, "image": image, "from": "/programs", "pullPolicy": "Never"}
    return {"hookPrograms": {"images": [named]}}


def rules(**sets: Object) -> Object:
    """The values with a file for each set."""
    return {"rules": {"files": {f"{name}.yaml": json.dumps(found) for name, found in sets.items()}}}


class Release(Instance):
    """A release of that name, there or not."""

    def __init__(self, cluster: Cluster, namespace: str, release: str = "grapnel"):
        name = release if "grapnel" in release else f"{release}-grapnel"
        labels = f"app.kubernetes.io/instance={release},app.kubernetes.io/component=plugin"
        super().__init__(cluster, namespace, name, labels)
        self.release = release
        self.values: Object = {}

    def helm(
        self, verb: str, *args: str, values: Object | None = None, chart: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Whatever comes of it. `values` are all there are: helm keeps none of before."""
        what = [self.release, *([str(chart or CHART), "--values=-"] if values is not None else [])]
        return self.cluster.helm_says(verb, *what, f"--namespace={self.namespace}", *args,
                                      stdin=json.dumps(values or {}))  # fmt: skip

    def _done(self, done: subprocess.CompletedProcess[str]) -> str:
        command = " ".join(done.args[-6:])
        assert done.returncode == 0, f"{command}\n{done.stderr}\n{self.cluster.describe()}"
        return done.stdout

    def install(self, *layers: Object) -> str:
        """Returns when it is ready on the node; what helm says."""
        return self._change("install", *layers)

    def upgrade(self, *layers: Object, chart: Path | None = None, create: bool = False) -> str:
        """The same for a release that is there, or perhaps is not."""
        return self._change("upgrade", *layers, chart=chart, create=create)

    def _change(
        self, verb: str, *layers: Object, chart: Path | None = None, create: bool = False
    ) -> str:
        values = merged(images(), *layers)
        more = ["--install"] if create else []
        said = self._done(self.helm(verb, *more, values=values, chart=chart))
        self.values = values
        self.rolled_out()
        return said

    def refused(self, verb: str, *layers: Object) -> str:
        """What helm says when it must not succeed."""
        done = self.helm(verb, values=merged(images(), *layers))
        assert done.returncode != 0, f"helm {verb} succeeded:\n{done.stdout}"
        return done.stderr + done.stdout

    def rollback(self) -> None:
        """To the revision before this one; returns when it is ready on the node."""
        self._done(self.helm("rollback"))
        self.rolled_out()

    def test(self) -> subprocess.CompletedProcess[str]:
        return self.helm("test")

    def uninstall(self, *args: str) -> None:
        self._done(self.helm("uninstall", *args))

    def gone(self) -> None:
        """Returns when no pod of the plugin is left."""
        self.cluster.until(lambda: not self.pods(), "the plugin's pod is gone")

    def removed(self) -> None:
        """Whatever is left of it, without its own clean-up."""
        self.uninstall("--no-hooks", "--ignore-not-found")
        self.gone()
        self.cluster.host.run(["rm", "-rf", *KEPT])

    def set(self, name: str, match: Object, *stages: str, tag: str = "") -> Object:
        """A set whose hooks record their run, with a program of the store. One hook has the name or
        `tag` as its tag; of several, each has the stage's name beside it."""

        def hook(stage: str) -> Object:
            told = f"{tag or name}-{stage}" if stages else tag or name
            args = ["hook-record", "--log", str(self.cluster.log.path), "--tag", told]
            return {"program": f"{PROGRAMS}/hook-record", "args": args}

        hooks = {stage: [hook(stage)] for stage in stages or ("createRuntime",)}
        return {"apiVersion": "grapnel/v1beta1", "kind": "HookSet", "metadata": {"name": name},
                "spec": {"match": match, "hooks": hooks}}  # fmt: skip

    def hook_paths(self, pod: str, namespace: str, stage: str) -> list[str]:
        """The programs that the runtime was told of for a pod's first container."""
        container_id = self.cluster.container_id(pod, namespace)
        spec = json.loads(self.cluster.crictl("inspect", container_id))["info"]["runtimeSpec"]
        return [hook["path"] for hook in spec.get("hooks", {}).get(stage, [])]

    def on_node(self, path: str) -> Path:
        """Where a path of the node is seen from here."""
        return self.cluster.root / path.lstrip("/")

    def config_maps(self) -> set[str]:
        """The names of those of rules and settings."""
        found = self.cluster.get("configmaps", "-n", self.namespace,
                                 "-l", f"app.kubernetes.io/instance={self.release}")  # fmt: skip
        return {item["metadata"]["name"] for item in found["items"]}

    def versions(self) -> dict[str, str]:
        """Of everything that the release has in its namespace, less what checks it."""
        kinds = "daemonsets,pods,configmaps,serviceaccounts,services,roles,rolebindings"
        found = self.cluster.get(kinds, "-n", self.namespace)["items"]
        return {
            f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
            for item in found
            if item["metadata"].get("labels", {}).get("app.kubernetes.io/component") != "preflight"
        }

    def events(self) -> str:
        """What events say in the release's namespace."""
        items = self.cluster.get("events", "-n", self.namespace)["items"]
        return "\n".join(item["message"] for item in items)


@contextmanager
def placed(cluster: Cluster) -> Iterator[Release]:
    """A release that is not there yet, in a namespace such as the chart's page asks for. Gone
    afterwards with what it kept on the node."""
    with cluster.namespace("grapnel", wait=False) as namespace:
        label = "pod-security.kubernetes.io/enforce=privileged"
        cluster.kubectl("label", "namespace", namespace, label)
        release = Release(cluster, namespace)
        try:
            yield release
        finally:
            release.removed()
