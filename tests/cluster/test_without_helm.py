# SPDX-License-Identifier: Apache-2.0
"""The plain manifest and the base for Kustomize, by the words of their page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.runtime import IMAGE_HOOKED
from kube.chart import KEPT
from kube.cluster import Cluster
from kube.manifests import container, pod
from kube.plain import NAMESPACE, Kustomized, Manifest, Plain, commands, put
from kube.traffic import Traffic


@pytest.fixture(scope="module", params=[Manifest, Kustomized], ids=["manifest", "kustomize"])
def plain(
    cluster: Cluster, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plain]:
    with put(cluster, tmp_path_factory.mktemp("person"), request.param) as plain:
        in_force(plain, plain.first)
        yield plain


@pytest.fixture(scope="module")
def namespace(plain: Plain) -> Iterator[str]:
    """For pods; only once Grapnel is there."""
    with plain.cluster.namespace("pods") as namespace:
        yield namespace


def in_force(plain: Plain, *names: str) -> None:
    """Returns when these sets are, and no other."""
    plain.cluster.until(lambda: plain.sets() == set(names), f"in force: {names}")


def ran(plain: Plain, namespace: str, *pods: str) -> list[list[str]]:
    """Makes pods and tells the hooks that ran for each: what is "annotated" in its name is that, what is
    "hooked" has that image."""
    cluster = plain.cluster
    cluster.apply(*(
        pod(name, namespace, plain.annotations if "annotated" in name else None,
            [container(image=IMAGE_HOOKED)] if "hooked" in name else None)
        for name in pods
    ))  # fmt: skip
    found = []
    for name in pods:
        cluster.is_ready(name, namespace)
        records = cluster.log.of(cluster.container_id(name, namespace))
        found.append(sorted(record.tag for record in records))
    return found


def test_what_the_page_says_to_look_at(plain: Plain) -> None:
    said = plain.type(commands("How it is")[0])
    assert "\nready\n" in said and f"/rules/values/{plain.first}.yaml: loaded" in said, said
    assert plain.findings() in ([], ["hook-unverified"])


def test_pods_get_the_hooks_that_they_match(plain: Plain, namespace: str) -> None:
    """And rules that are added come without a restart."""
    before = plain.identity()
    plain.set_rules(image=plain.rule("image", {"image": IMAGE_HOOKED}))
    in_force(plain, plain.first, "image")
    found = ran(plain, namespace, "annotated", "hooked", "plain", "annotated-hooked")
    assert found == [[plain.first], ["image"], [], sorted([plain.first, "image"])]
    assert plain.identity() == before


def test_a_mistake_keeps_what_was_good(plain: Plain, namespace: str) -> None:
    """Also in a new pod."""
    plain.set_rules(image=plain.rule("image", {"image": IMAGE_HOOKED}))
    in_force(plain, plain.first, "image")
    plain.set_rules(image="kind: HookSet\n")
    plain.cluster.until(lambda: not plain.status()["ready"], "the mistake is found")
    assert ran(plain, namespace, "hooked-meanwhile") == [["image"]]
    plain.cluster.kubectl("delete", "pod", "-n", NAMESPACE, plain.pod()["metadata"]["name"])
    plain.cluster.until(lambda: connected(plain), "a new pod is connected")
    assert not plain.status()["ready"]
    assert ran(plain, namespace, "hooked-later") == [["image"]]
    plain.set_rules()
    in_force(plain, plain.first)
    assert plain.status()["ready"]


def connected(plain: Plain) -> bool:
    """Whether there is one pod, with a plugin that the runtime has told everything."""
    pods = plain.pods()
    return len(pods) == 1 and plain.answers(pods[0]["metadata"]["name"]) and bool(
        plain.status()["connection"]["synchronized"])  # fmt: skip


def test_applied_again_it_changes_nothing(plain: Plain) -> None:
    """Not even rules that are no part of the manifest."""
    before = plain.identity()
    rules = plain.cluster.get("configmap", "grapnel-rules", "-n", NAMESPACE)["data"]
    assert rules
    plain.type(plain.apply)
    assert plain.cluster.get("configmap", "grapnel-rules", "-n", NAMESPACE)["data"] == rules
    assert plain.identity() == before


@pytest.fixture
def traffic(plain: Plain) -> Iterator[Traffic]:
    with plain.cluster.namespace("pods", wait=False) as namespace:
        traffic = Traffic(plain.cluster, namespace, plain.annotations)
        with traffic.running():
            yield traffic


def test_rolled_out_anew_no_container_is_without_its_hook(plain: Plain, traffic: Traffic) -> None:
    begun = traffic.ids()
    before = plain.identity()
    plain.roll()
    assert plain.identity() != before
    ids = traffic.end()
    assert ids > begun, "containers came after the rollout had begun"
    tags = plain.cluster.log.tags()
    assert {tuple(tags.get(container_id, [])) for container_id in ids} == {(plain.first,)}
    assert plain.status()["running"]["missed"] == 0


def test_comes_back_to_a_restarted_runtime(plain: Plain, namespace: str) -> None:
    before = plain.identity()
    sessions = plain.status()["connection"]["sessions"]
    plain.cluster.restart_runtime()
    plain.cluster.until(lambda: plain.connected_after(sessions), "the plugin is connected again")
    assert ran(plain, namespace, "annotated-restarted") == [[plain.first]]
    assert plain.identity() == before


def test_away_with_it(plain: Plain, namespace: str) -> None:
    """What the page says stays on the node, does, and goes as it says; a poststop finds its program."""
    cluster = plain.cluster
    plain.set_rules(ends=plain.rule("ends", {"podName": "annotated-stays"}, "poststop"))
    in_force(plain, plain.first, "ends")
    assert ran(plain, namespace, "annotated-stays") == [[plain.first]]
    stays = cluster.container_id("annotated-stays", namespace)
    plain.remove()
    assert NAMESPACE not in cluster.kubectl("get", "namespaces", "-o", "name")
    assert set(plain.kept()) == set(KEPT)
    assert ran(plain, namespace, "annotated-after") == [[]]
    assert "Running" in cluster.kubectl("get", "pod", "annotated-stays", "-n", namespace)
    (clean_up,) = commands("Away with it")[1:]
    assert (" kept: " in plain.type(clean_up)) == plain.in_store
    assert plain.kept().get("/opt/grapnel", 0) == int(plain.in_store)
    cluster.kubectl("delete", "pods", "--all", "-n", namespace)
    assert cluster.log.tags()[stays] == [plain.first, "ends"]
    plain.type(clean_up)
    assert sum(plain.kept().values()) == 0
