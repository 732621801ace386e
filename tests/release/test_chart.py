# SPDX-License-Identifier: Apache-2.0
"""The chart and the images as they are released, in a real cluster: the values are the chart's own, and what the
quick start adds to them."""
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import yaml
from conftest import REF, ROOT, VERSION, is_confined, released
from kube import chart, stock
from kube import cluster as clusters
from kube.chart import CHART, Release
from kube.instance import container_status
from kube.left import EMPTY, inventory, on_node, touched
from kube.manifests import pod

ARCHIVE = f"grapnel-{VERSION}.tgz"
QUICK_START = ROOT / "examples/23-quick-start"
# On the node: where the quick start's program writes.
LOG = "/run/grapnel-example.log"


def kubectl() -> stock.Image:
    """As the chart names it; nobody here pulls images."""
    image = yaml.safe_load((CHART / "values.yaml").read_text())["kubectl"]["image"]
    return replace(stock.kubectl(), name="{registry}/{repository}:{tag}".format_map(image))


@dataclass(frozen=True)
class Place:
    """Where the release comes, and every object that the cluster, and every file that its node has before."""

    release: Release
    before: set[str]
    files: dict[str, tuple[object, ...]]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """The archives are looked for first: a cluster is not started in vain."""
    released(ARCHIVE)
    grapnel, example = (released(f"{name}-{VERSION}-image.tar") for name in ("grapnel", "grapnel-example"))
    with clusters.started(grapnel) as cluster:
        for archive in (example, kubectl().write(cluster.host.path)):
            cluster.load_image(archive)
        with chart.placed(cluster) as release:
            yield Place(release, inventory(cluster), on_node(cluster))


@pytest.fixture(scope="module")
def release(place: Place) -> Release:
    release = place.release
    values = yaml.safe_load((QUICK_START / "values.yaml").read_text())
    rules = {"rules": {"files": {"hello.yaml": (QUICK_START / "rule.yaml").read_text()}}}
    done = release.helm("install", values=chart.merged(values, rules), chart=released(ARCHIVE))
    assert done.returncode == 0, f"{done.stderr}\n{release.cluster.describe()}"
    release.rolled_out()
    return release


def inspected(release: Release) -> dict[str, Any]:
    """What the runtime says of the plugin's container."""
    container = container_status(release.pod())["containerID"].removeprefix("containerd://")
    return json.loads(release.cluster.crictl("inspect", container))["info"]


def test_is_what_is_released(release: Release):
    """Ready, out of the image of that name, which nobody had to name."""
    status = container_status(release.pod())
    assert status["ready"] and status["restartCount"] == 0
    assert status["image"] == REF
    assert release.run("version").stdout.startswith(f"grapnel {VERSION} ")
    assert release.status()["ready"] and release.sets() == {"hello"}


def test_is_confined(release: Release):
    info = inspected(release)
    is_confined(release.cluster.host.run(["cat", f"/proc/{info['pid']}/status"]), info["runtimeSpec"])


def test_hook_runs_where_it_is_asked_for(release: Release):
    """The program of the example image, for the pod with the annotation and no other."""
    cluster = release.cluster
    with cluster.namespace("pods") as namespace:
        cluster.apply(pod("plain", namespace), pod("greeted", namespace, {"example.com/hello": "yes"}))
        for name in ("plain", "greeted"):
            cluster.is_ready(name, namespace)
        container = cluster.container_id("greeted", namespace)
        assert release.on_node(LOG).read_text() == (
            f"createRuntime: {namespace}/greeted/main, id {container[:12]}, is creating\n")
        assert len(release.hook_paths("greeted", namespace, "createRuntime")) == 1
        assert release.hook_paths("plain", namespace, "createRuntime") == []


def test_uninstall_leaves_the_node_as_it_was(release: Release, place: Place):
    """Its Job and DaemonSet are of the images that the chart names, too."""
    cluster = release.cluster
    stored = {path for path in on_node(cluster) if path.startswith(f"{chart.STORE}/")}
    assert stored, "there is something to remove"
    release.uninstall()
    cluster.until(lambda: inventory(cluster) <= place.before, "everything of the release is gone")
    assert touched(cluster, place.files) == EMPTY | {LOG}
