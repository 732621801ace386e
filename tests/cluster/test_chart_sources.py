# SPDX-License-Identifier: Apache-2.0
"""Rules from everywhere that the chart takes them from, and what watches all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from kube import chart, monitoring, stock
from kube.chart import CHART, Release
from kube.cluster import Cluster
from kube.manifests import Object, config_map, pod
from kube.monitoring import Monitors, scraped

# By where they come from, in the order of precedence. Each source has the file shared.yaml as well.
SOURCES = ("host", "team-network", "team-storage", "values")
KEY = "cluster.example.com/hooks"


def matched(name: str) -> Object:
    return {"podAnnotations": {KEY: {"regex": f"(.*,)?{name}(,.*)?"}}}


def files(release: Release, source: str, *more: str) -> dict[str, str]:
    """A set of the source's own for each name, and one that the next source masks."""
    sets = {name: release.set(name, matched(name)) for name in (source, *more)}
    sets["shared"] = release.set("shared", matched("shared"), tag=f"shared-{source}")
    return {f"{name}.yaml": json.dumps(found) for name, found in sets.items()}


def policy(release: Release, *exempt: str) -> None:
    spec = {"exemptNamespaces": ["kube-system", *exempt]}
    text = json.dumps({"apiVersion": "grapnel/v1beta1", "kind": "Policy", "spec": spec})
    release.cluster.apply(config_map("node-policy", release.namespace, {"policy.yaml": text}))


def host_dir(release: Release) -> Path:
    return release.cluster.shared / "rules"


def values(release: Release) -> Object:
    """Two examples of the chart, with what they name as it is here."""
    own = {
        "image": {"digest": release.cluster.pinned(stock.GRAPNEL)},
        "rules": {"hostDirs": [str(host_dir(release))], "files": files(release, "values")},
        "reload": {"mode": "Watch"},
        "preflight": {"enabled": True},
        # Sooner than by default.
        "minReadySeconds": 1,
        "probes": {"startup": {"periodSeconds": 1}, "readiness": {"periodSeconds": 1}},
    }
    return chart.merged(chart.example("full-check"), chart.example("monitoring"),
                        chart.programs(stock.programs().name), chart.images(), own)  # fmt: skip


@pytest.fixture(scope="module")
def place(stocked: Cluster) -> Iterator[Release]:
    """A release that is not there yet, with its rules but for those of ConfigMaps."""
    stocked.apply(*monitoring.kinds())
    with chart.placed(stocked) as release:
        host_dir(release).mkdir(mode=0o755)
        for name, text in files(release, "host").items():
            (host_dir(release) / name).write_text(text)
        yield release
    stocked.kubectl("delete", "crds", "--all")


@pytest.fixture(scope="module")
def release(place: Release) -> Release:
    for name in ("team-network", "team-storage"):
        place.cluster.apply(config_map(name, place.namespace, files(place, name)))
    policy(place)
    place.install(values(place))
    return place


@pytest.fixture(scope="module")
def namespace(release: Release) -> Iterator[str]:
    with release.cluster.namespace("pods", wait=False) as namespace:
        yield namespace


def ran(release: Release, namespace: str, **wanted: str) -> dict[str, list[str]]:
    """Makes a pod for each name, which asks for these sets, and tells the hooks that ran for it."""
    cluster = release.cluster
    cluster.apply(*(pod(name, namespace, {KEY: sets}) for name, sets in wanted.items()))
    for name in wanted:
        cluster.is_ready(name, namespace)
    return {name: sorted(record.tag for record in cluster.log.of(cluster.container_id(name, namespace)))
            for name in wanted}  # fmt: skip


def test_config_map_that_is_not_there_is_told_at_once(place: Release) -> None:
    """Before anything is made: pods that wait for it would say so in their events only."""
    cluster, namespace = place.cluster, place.namespace
    said = place.refused("install", values(place))
    assert f"rules.existingConfigMaps: there is no ConfigMap team-network in the namespace {namespace}" in said
    for name in ("team-network", "team-storage", "node-policy"):
        cluster.apply(config_map(name, namespace, {"policy.yml": ""}))
    said = place.refused("install", values(place))
    assert "policy.existingConfigMap: there is no ConfigMap node-policy" in said and "no key policy.yaml" in said
    assert place.config_maps() == set() and place.pods() == []
    cluster.kubectl("delete", "configmap", "-n", namespace, "team-network", "team-storage", "node-policy")


def listed(release: Release) -> dict[str, str]:
    """By set, the directory of its file; all are in force."""
    found = json.loads(release.run("list", "-o", "json").stdout)
    assert {entry["state"] for entry in found["sets"]} == {"inForce"}, found
    return {entry["name"]: str(Path(entry["file"]).parent) for entry in found["sets"]}


def test_sets_of_every_source_are_in_force(release: Release, namespace: str) -> None:
    assert listed(release) == {
        "host": f"/rules/host{host_dir(release)}", "team-network": "/rules/configmap/team-network",
        "team-storage": "/rules/configmap/team-storage", "values": "/rules/values", "shared": "/rules/values",
    }  # fmt: skip
    wanted = {"all": ",".join([*SOURCES, "shared"]), **{source: source for source in SOURCES}, "none": "nothing"}
    assert ran(release, namespace, **wanted) == {
        "all": ["host", "shared-values", *SOURCES[1:]], **{source: [source] for source in SOURCES}, "none": [],
    }  # fmt: skip


def text_in_force(release: Release) -> str:
    """The hash of rules and policy."""
    found: str = release.status()["rules"]["hash"]
    return found


def test_each_source_can_change_under_the_plugin(release: Release, namespace: str) -> None:
    """The policy, too, which lets a namespace be for a while."""
    before = release.identity()
    more = files(release, "team-network", "more")
    release.cluster.apply(config_map("team-network", release.namespace, more))
    (host_dir(release) / "late.yaml").write_text(json.dumps(release.set("late", matched("late"))))
    release.cluster.until(lambda: {"more", "late"} <= release.sets(), "the new sets are in force")
    assert ran(release, namespace, new="more,late") == {"new": ["late", "more"]}
    in_force = text_in_force(release)
    policy(release, namespace)
    release.cluster.until(lambda: text_in_force(release) != in_force, "the new policy is in force")
    assert ran(release, namespace, exempt="more,late") == {"exempt": []}
    policy(release)
    release.cluster.until(lambda: text_in_force(release) == in_force, "the old policy is in force")
    assert ran(release, namespace, again="more,late") == {"again": ["late", "more"]}
    assert release.identity() == before


def test_prometheus_finds_the_hooks_of_containers(release: Release, namespace: str) -> None:
    """At the port and the path of the only pod that the PodMonitor selects."""
    monitors = Monitors(release.cluster, release.namespace)
    (url,) = monitors.of_pods()
    series = scraped(release.cluster, "scrape", namespace, url)
    ran(release, namespace, counted="team-network,values")
    later = scraped(release.cluster, "scrape-later", namespace, url)
    assert series["grapnel_ready"] == series["grapnel_connected"] == 1
    grown = {name: later[name] - series.get(name, 0) for name in later if "hooks_injected_total" in name}
    one = 'grapnel_hooks_injected_total{rule="%s",hook_point="createRuntime"}'
    assert {name for name, by in grown.items() if by} == {one % "team-network", one % "values"}
    assert {by for by in grown.values() if by} == {1}


def test_what_watches_it_is_taken(release: Release) -> None:
    """The NetworkPolicy is only accepted here: there is no network that obeys it."""
    namespace = release.namespace
    dashboard = release.cluster.get("configmaps", "-n", namespace, "-l", "grafana_dashboard=1")["items"]
    (data,) = (found["data"] for found in dashboard)
    assert json.loads(data["grapnel.json"]) == json.loads((CHART / "files/dashboard.json").read_text())
    (rule,) = release.cluster.get("prometheusrules", "-n", namespace)["items"]
    assert rule["spec"]["groups"][0]["rules"] and rule["metadata"]["labels"]["release"] == "prometheus"
    (scaler,) = release.cluster.get("verticalpodautoscalers", "-n", namespace)["items"]
    target = scaler["spec"]["targetRef"]
    assert release.cluster.get(target["kind"], target["name"], "-n", namespace)["metadata"]["name"] == release.name
    (network,) = release.cluster.get("networkpolicies", "-n", namespace)["items"]
    (port,) = network["spec"]["ingress"][0]["ports"]
    (own,) = release.pod()["spec"]["containers"][0]["ports"]
    assert port["port"] == own["name"]
    assert network["spec"]["podSelector"]["matchLabels"].items() <= release.pod()["metadata"]["labels"].items()


def test_examples_are_the_pod_s(release: Release) -> None:
    spec = release.pod()["spec"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["priorityClassName"] == "system-node-critical" and spec["priority"] > 1_000_000_000
    assert spec["containers"][0]["image"].endswith("@" + release.values["image"]["digest"])


def test_config_map_that_goes_later_leaves_the_plugin_its_rules(release: Release, namespace: str) -> None:
    """Only a new pod would wait for it: the kubelet says so, and helm before it makes one."""
    cluster, before = release.cluster, release.identity()
    cluster.kubectl("delete", "configmap", "team-storage", "-n", release.namespace)
    cluster.until(lambda: 'configmap "team-storage" not found' in release.events(), "an event names it")
    assert ran(release, namespace, later="team-storage") == {"later": ["team-storage"]}
    assert "there is no ConfigMap team-storage" in release.refused("upgrade", release.values)
    assert release.identity() == before and release.ready()
