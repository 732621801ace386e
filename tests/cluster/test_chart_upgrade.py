# SPDX-License-Identifier: Apache-2.0
"""A release that is changed and rolled out while pods are created."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kube import chart, loop, stock
from kube.chart import CHART, STORE, Release
from kube.cluster import Cluster
from kube.manifests import WANTED, Object, pod
from kube.traffic import Traffic

RESTART: Object = {"reload": {"mode": "Restart"}}
NO_SURGE: Object = {"updateStrategy": {"maxSurge": 0, "maxUnavailable": 1}}
# A new pod counts sooner, and the old one goes sooner, than by default; what checks the rules before
# is tried elsewhere. The host's / is mounted.
QUICK: Object = {
    "minReadySeconds": 1,
    "preflight": {"enabled": False},
    "hostRootMount": True,
    "probes": {"startup": {"periodSeconds": 1}, "readiness": {"periodSeconds": 1}},
}


@pytest.fixture(scope="module")
def release(stocked: Cluster) -> Iterator[Release]:
    with chart.placed(stocked) as release:
        release.install(first(release))
        yield release


def first(release: Release) -> Object:
    """The values that everything begins with."""
    wanted = release.set("wanted", {"podAnnotations": WANTED}, "createRuntime", "poststop", tag="first")
    return chart.merged(QUICK, chart.programs(stock.programs().name), chart.rules(wanted=wanted))


def second(release: Release) -> Object:
    """Other programs and other arguments."""
    wanted = release.set("wanted", {"podAnnotations": WANTED}, "createRuntime", "poststop", tag="second")
    return chart.merged(QUICK, chart.programs(stock.programs("next").name), chart.rules(wanted=wanted))


@pytest.fixture
def traffic(release: Release) -> Iterator[Traffic]:
    with release.cluster.namespace("pods", wait=False) as namespace:
        traffic = Traffic(release.cluster, namespace)
        with traffic.running():
            yield traffic


def test_host_is_seen_whole(release: Release) -> None:
    """Programs are checked up to /, and the doctor in the pod looks at the node."""
    assert release.findings() == []
    found = release.run("doctor", "-o", "json")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "v2.3.4" in found.stdout


def test_rolled_out_with_a_surge_no_container_is_without_its_hook(
    release: Release, traffic: Traffic
) -> None:
    begun = traffic.ids()
    for _ in range(2):
        before = release.identity()
        release.roll()
        assert release.identity() != before
    found = traffic.hooks()
    assert found.keys() > begun, "containers came after the first rollout had begun"
    assert {tuple(tags) for tags in found.values()} == {("first-createRuntime",)}
    assert release.status()["running"]["missed"] == 0


def test_changed_rules_leave_no_container_without_its_hook(
    release: Release, traffic: Traffic
) -> None:
    """Swapped under the running plugin, and then brought by a new pod."""
    before = release.identity()
    more = release.set("more", {"podAnnotations": WANTED})
    watched = chart.merged(first(release), chart.rules(more=more))
    release.upgrade(watched)
    release.cluster.until(lambda: "more" in release.sets(), "the new set is in force")
    assert release.identity() == before
    maps = release.config_maps()
    release.upgrade(first(release), RESTART)
    assert release.identity() != before
    assert release.sets() == {"wanted"}
    assert not maps & release.config_maps(), "a new name for what has changed, and the old one gone"
    release.upgrade(watched, RESTART)
    assert release.sets() == {"wanted", "more"}
    found = traffic.hooks()
    assert all("first-createRuntime" in tags for tags in found.values())
    assert any("more" in tags for tags in found.values())
    assert all(len(tags) == len(set(tags)) for tags in found.values()), "none ran twice"
    assert release.status()["running"]["missed"] == 0


def test_without_a_surge_each_missed_container_is_told(
    release: Release, traffic: Traffic
) -> None:
    release.upgrade(first(release), NO_SURGE)
    release.roll()
    missed = loop.only_missed_have_no_hook(release, traffic, "first-createRuntime")
    assert missed, "no container was created while the plugin was away"


def test_a_restarted_runtime_leaves_no_container_untold(release: Release) -> None:
    loop.runtime_restarted(release, WANTED, "first-createRuntime")


def newer(folder: Path, cluster: Cluster) -> Path:
    """The next version of the chart, and of the image that it names."""
    version = ["--version=99.1.0", "--app-version=99.1.0"]
    cluster.helm("package", str(CHART), *version, f"--destination={folder}")
    cluster.load_image(stock.grapnel("99.1.0").write(cluster.host.path))
    return folder / "grapnel-99.1.0.tgz"


def test_poststop_is_that_of_the_start_whatever_the_release_is_by_then(
    release: Release, tmp_path: Path
) -> None:
    """Programs, rules and the chart itself are another version, and then the old one again."""
    cluster = release.cluster
    release.upgrade(first(release))
    with cluster.namespace("pods") as namespace:
        cluster.apply(pod("old", namespace, WANTED))
        cluster.is_ready("old", namespace)
        release.upgrade(second(release), {"image": {"tag": ""}}, chart=newer(tmp_path, cluster))
        assert release.pod()["spec"]["containers"][0]["image"] == "localhost/grapnel:99.1.0"
        cluster.apply(pod("new", namespace, WANTED))
        cluster.is_ready("new", namespace)
        (old,) = release.hook_paths("old", namespace, "poststop")
        (new,) = release.hook_paths("new", namespace, "poststop")
        assert old != new
        assert ends(release, "old", namespace) == ["first-createRuntime", "first-poststop"]
        release.rollback()
        assert release.pod()["spec"]["containers"][0]["image"] == stock.GRAPNEL
        current = release.on_node(f"{STORE}/{chart.PROGRAMS}/current").readlink()
        assert str(current) in old and release.on_node(new).exists()
        assert ends(release, "new", namespace) == ["second-createRuntime", "second-poststop"]


def ends(release: Release, name: str, namespace: str) -> list[str]:
    """Deletes a pod and tells the hooks that have run for it."""
    container_id = release.cluster.container_id(name, namespace)
    release.cluster.kubectl("delete", "pod", name, "-n", namespace)
    return release.cluster.log.tags()[container_id]
