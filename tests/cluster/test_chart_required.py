# SPDX-License-Identifier: Apache-2.0
"""A release on a node whose runtime creates no container without the plugin, but where a pod says so."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from harness.runtime import Validator
from kube import chart, stock
from kube.chart import Release
from kube.cluster import Cluster
from kube.manifests import WANTED, Object, pod

WITHOUT = "example.com/without-grapnel"
REQUIRED = Validator(required=["grapnel"], tolerate=WITHOUT)
# Sooner than by default.
QUICK: Object = {"minReadySeconds": 1, "probes": {"readiness": {"periodSeconds": 1}, "startup": {"periodSeconds": 1}}}


@pytest.fixture(scope="module")
def strict(stocked: Cluster) -> Iterator[Cluster]:
    stocked.runtime.validate(REQUIRED)
    try:
        yield stocked
    finally:
        stocked.runtime.validate(Validator())


@pytest.fixture(scope="module")
def release(strict: Cluster) -> Iterator[Release]:
    """With all that the chart runs on a node: what checks the rules, what brings programs, the plugin."""
    with chart.placed(strict) as release:
        wanted = chart.rules(wanted=release.set("wanted", {"podAnnotations": WANTED}))
        own = {"requiredPlugin": {"tolerateAnnotation": WITHOUT}}
        release.install(QUICK, chart.programs(stock.programs().name), wanted, own)
        yield release


@pytest.fixture(scope="module")
def namespace(release: Release) -> Iterator[str]:
    with release.cluster.namespace("pods", wait=False) as namespace:
        yield namespace


def assert_created(release: Release, namespace: str, name: str) -> None:
    """With its hook."""
    cluster = release.cluster
    cluster.is_ready(name, namespace)
    assert cluster.log.tags()[cluster.container_id(name, namespace)] == ["wanted"]


def make_refused(release: Release, namespace: str, name: str) -> None:
    """A pod of which the runtime says why it creates no container."""
    release.cluster.apply(pod(name, namespace, WANTED))

    def told() -> bool:
        chosen = f"involvedObject.name={name},reason=Failed"
        events = release.cluster.get("events", "-n", namespace, "--field-selector", chosen)["items"]
        return any("required" in event["message"] and "grapnel" in event["message"] for event in events)

    release.cluster.until(told, "an event says that the plugin is missing")
    (status,) = release.cluster.get("pod", name, "-n", namespace)["status"]["containerStatuses"]
    assert "waiting" in status["state"] and not status.get("containerID")


def place_on(release: Release, selector: object) -> None:
    """The DaemonSet's nodes, of which there is one; None: as the chart has it."""
    patch = {"spec": {"template": {"spec": {"nodeSelector": {"example.com/nowhere": selector}}}}}
    release.cluster.kubectl("patch", f"daemonset/{release.name}", "-n", release.namespace, "--patch", json.dumps(patch))


def test_it_comes_up_and_is_rolled_out(release: Release, namespace: str) -> None:
    """Its own pods wait for nobody."""
    assert release.ready()
    release.cluster.apply(pod("first", namespace, WANTED))
    assert_created(release, namespace, "first")
    before = release.identity()
    release.roll()
    assert release.identity() != before
    release.cluster.apply(pod("rolled", namespace, WANTED))
    assert_created(release, namespace, "rolled")


def test_what_is_refused_while_it_is_away_is_created_when_it_is_back(release: Release, namespace: str) -> None:
    place_on(release, "true")
    release.gone()
    make_refused(release, namespace, "away")
    place_on(release, None)
    release.rolled_out()
    assert_created(release, namespace, "away")
    assert release.status()["running"]["missed"] == 0


def test_it_goes(release: Release, namespace: str) -> None:
    """What clears the node runs without it, and what comes then is refused."""
    release.uninstall()
    make_refused(release, namespace, "gone")
