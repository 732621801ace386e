# SPDX-License-Identifier: Apache-2.0
"""Programs that a release does not install any more: when they go, and when not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kube import chart, stock
from kube.chart import PROGRAMS, STORE, Release
from kube.cluster import Cluster
from kube.manifests import WANTED, Object, pod

# A new pod counts sooner, and the old one goes sooner, than by default; what checks the rules before
# is tried elsewhere. The host's / is mounted.
QUICK: Object = {
    "minReadySeconds": 1,
    "preflight": {"enabled": False},
    "hostRootMount": True,
    "probes": {"startup": {"periodSeconds": 1}, "readiness": {"periodSeconds": 1}},
    "hookPrograms": {"retireAfterSeconds": 2},
}
NEVER_THERE: Object = {"image": {"tag": "never"}}


@pytest.fixture(scope="module")
def release(stocked: Cluster) -> Iterator[Release]:
    with chart.placed(stocked) as release:
        release.install(with_programs(release))
        yield release


def rules(release: Release) -> Object:
    wanted = release.set("wanted", {"podAnnotations": WANTED}, "createRuntime", "poststop")
    return chart.merged(QUICK, chart.rules(wanted=wanted))


def with_programs(release: Release) -> Object:
    return chart.merged(rules(release), chart.programs(stock.programs().name))


def in_force(release: Release) -> bool:
    return release.on_node(f"{STORE}/{PROGRAMS}/current").is_symlink()


def ran(release: Release, name: str, namespace: str) -> list[str]:
    container_id = release.cluster.container_id(name, namespace)
    release.cluster.kubectl("delete", "pod", name, "-n", namespace)
    return release.cluster.log.tags().get(container_id, [])


def test_a_pod_that_never_comes_up_takes_nothing_away(release: Release) -> None:
    """The one before goes on with what it came with, and a roll-back leaves it in place."""
    cluster, before = release.cluster, release.identity()
    values = chart.merged(chart.images(), rules(release), NEVER_THERE)
    done = release.helm("upgrade", values=values)
    assert done.returncode == 0, done.stderr
    cluster.until(lambda: len(release.pods()) == 2, "the new pod stands beside the old one")
    release.rollback()
    assert release.identity() == before
    assert in_force(release) and release.findings() == []
    with cluster.namespace("pods", wait=False) as namespace:
        cluster.apply(pod("rolled", namespace, WANTED))
        cluster.is_ready("rolled", namespace)
        assert ran(release, "rolled", namespace) == ["wanted-createRuntime", "wanted-poststop"]


def test_an_image_that_is_taken_out_goes(release: Release) -> None:
    """Rules that name it are blocked, containers keep it, and a roll-back brings it back."""
    cluster = release.cluster
    mine = release.on_node(f"{STORE}/mine")
    mine.mkdir(mode=0o755)
    (mine / "current").symlink_to("0" * 64)
    with cluster.namespace("pods", wait=False) as namespace:
        cluster.apply(pod("running", namespace, WANTED))
        cluster.is_ready("running", namespace)
        (needed,) = release.hook_paths("running", namespace, "poststop")
        release.upgrade(rules(release))
        cluster.until(lambda: not in_force(release), "the package is out of force")
        cluster.until(lambda: set(release.findings()) == {"program-missing"}, "the set is blocked")
        assert (mine / "current").is_symlink(), "nobody's package stays"
        assert release.on_node(needed).exists()
        assert ran(release, "running", namespace) == ["wanted-createRuntime", "wanted-poststop"]
        release.rollback()
        assert in_force(release)
        cluster.until(lambda: release.findings() == [], "the set is in force")
        cluster.apply(pod("again", namespace, WANTED))
        cluster.is_ready("again", namespace)
        assert ran(release, "again", namespace) == ["wanted-createRuntime", "wanted-poststop"]
