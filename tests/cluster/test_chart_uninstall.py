# SPDX-License-Identifier: Apache-2.0
"""A release that goes while a container still waits for its poststop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kube import chart, stock
from kube.chart import KEPT, Release
from kube.cluster import Cluster
from kube.left import EMPTY, inventory, kept
from kube.manifests import WANTED, Object, pod


def values(release: Release) -> Object:
    """A program that a rule names, and one that nothing names."""
    wanted = release.set("wanted", {"podAnnotations": WANTED}, "createRuntime", "poststop")
    named = chart.programs(stock.programs().name)["hookPrograms"]["images"]
    idle = {**named[0], "name": "idle", "image": stock.programs("next").name}
    return chart.merged({"hookPrograms": {"images": [*named, idle]}}, chart.rules(wanted=wanted))


@dataclass(frozen=True)
class Place:
    """Where a release will come, and all that the cluster had before."""

    release: Release
    before: set[str]

    def more(self, but: str = "") -> set[str]:
        """What is there now, outside of that namespace."""
        found = inventory(self.release.cluster) - self.before
        return {name for name in found if not but or but not in name.split("/")}


@pytest.fixture(scope="module")
def place(stocked: Cluster) -> Iterator[Place]:
    stocked.host.run(["rm", "-rf", *KEPT])
    with chart.placed(stocked) as release:
        yield Place(release, inventory(stocked))


def test_refused_install_leaves_its_reason_and_nothing_else(place: Place) -> None:
    told = place.release.refused("install", {"rules": {"files": {"bad.yaml": "kind: HookSets\n"}}})
    assert "bad.yaml:1:" in told
    kinds = {name.split("/")[0] for name in place.more()}
    assert kinds == {"Job", "Pod", "Secret"}, "the Job that says why, and helm's own record"
    assert kept(place.release.cluster) == set()


def test_uninstall_leaves_what_a_poststop_needs(place: Place) -> None:
    release, cluster = place.release, place.release.cluster
    release.upgrade(values(release), create=True)
    with cluster.namespace("pods", wait=False) as pods:
        cluster.apply(pod("running", pods, WANTED))
        cluster.is_ready("running", pods)
        (needed,) = release.hook_paths("running", pods, "poststop")
        container_id = cluster.container_id("running", pods)
        release.uninstall()
        cluster.until(lambda: not place.more(but=pods), "everything of the release is gone")
        assert kept(cluster) == EMPTY | {needed, *map(str, list(Path(needed).parents)[:2])}
        cluster.kubectl("delete", "pod", "running", "-n", pods)
        tags = cluster.log.tags()[container_id]
        assert tags == ["wanted-createRuntime", "wanted-poststop"]
