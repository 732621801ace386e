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
from kube.left import EMPTY, inventory, on_node, touched
from kube.manifests import WANTED, Object, pod


# Of the node, and of the values: these it has not, and has then.
TEXTFILES = "/var/lib/textfiles"
MADE = ("/var/lib/rules-of-the-node", "/opt/hooks-of-the-node")


def values(release: Release) -> Object:
    """A program that a rule names, and one that nothing names."""
    wanted = release.set("wanted", {"podAnnotations": WANTED}, "createRuntime", "poststop")
    named = chart.programs(stock.programs().name)["hookPrograms"]["images"]
    idle = {**named[0], "name": "idle", "image": stock.programs("next").name}
    own = {
        "rules": {"hostDirs": [MADE[0]]},
        "hookPrograms": {"images": [*named, idle], "hostDirs": [MADE[1]]},
        "metrics": {"textfileDir": TEXTFILES},
    }
    return chart.merged(chart.rules(wanted=wanted), own)


@dataclass(frozen=True)
class Place:
    """Where a release will come, and all that the cluster had before."""

    release: Release
    before: set[str]
    files: dict[str, tuple[object, ...]]  # of the node

    def more(self, but: str = "") -> set[str]:
        """What is there now, outside of that namespace."""
        found = inventory(self.release.cluster) - self.before
        return {name for name in found if not but or but not in name.split("/")}


@pytest.fixture(scope="module")
def place(stocked: Cluster) -> Iterator[Place]:
    stocked.host.run(["rm", "-rf", *KEPT])
    stocked.host.run(["mkdir", TEXTFILES])
    with chart.placed(stocked) as release:
        yield Place(release, inventory(stocked), on_node(stocked))


def test_refused_install_leaves_its_reason_and_nothing_else(place: Place) -> None:
    told = place.release.refused("install", {"rules": {"files": {"bad.yaml": "kind: HookSets\n"}}})
    assert "bad.yaml:1:" in told
    kinds = {name.split("/")[0] for name in place.more()}
    assert kinds == {"Job", "Pod", "Secret"}, "the Job that says why, and helm's own record"
    assert touched(place.release.cluster, place.files) == set()


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
        program = {needed, *map(str, list(Path(needed).parents)[:2])}
        assert touched(cluster, place.files) == EMPTY | program | set(MADE)
        cluster.kubectl("delete", "pod", "running", "-n", pods)
        tags = cluster.log.tags()[container_id]
        assert tags == ["wanted-createRuntime", "wanted-poststop"]
