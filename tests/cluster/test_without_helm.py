# SPDX-License-Identifier: Apache-2.0
"""The plain manifest and the base for Kustomize, by the words of their page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.runtime import IMAGE_HOOKED
from kube import loop, stock
from kube.chart import KEPT
from kube.cluster import Cluster
from kube.instance import container_status
from kube.manifests import config_map
from kube.plain import NAMESPACE, Base, Kustomized, Manifest, Plain, commands, put
from kube.traffic import Traffic


def test_the_base_as_it_is(cluster: Cluster, tmp_path: Path) -> None:
    """Applied again, as with the manifest, it leaves the rules alone."""
    with put(cluster, tmp_path, Base) as plain, cluster.namespace("pods", wait=False) as namespace:
        plain.in_force(plain.first)
        before = plain.identity()
        assert plain.ran(namespace, "annotated", "plain") == [[plain.first], []]
        plain.type(plain.apply)
        assert plain.ran(namespace, "annotated-again") == [[plain.first]]
        assert (plain.identity(), plain.sets()) == (before, {plain.first})
        plain.remove()
        assert NAMESPACE not in cluster.kubectl("get", "namespaces", "-o", "name")


@pytest.fixture(scope="module", params=[Manifest, Kustomized], ids=["manifest", "kustomize"])
def plain(
    cluster: Cluster, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plain]:
    with put(cluster, tmp_path_factory.mktemp("person"), request.param) as plain:
        plain.in_force(plain.first)
        yield plain


@pytest.fixture(scope="module")
def namespace(plain: Plain) -> Iterator[str]:
    """For pods; only once Grapnel is there."""
    with plain.cluster.namespace("pods") as namespace:
        yield namespace


def test_what_the_page_says_to_look_at(plain: Plain) -> None:
    said = plain.type(commands("How it is")[0])
    assert "\nready\n" in said and f"/rules/values/{plain.first}.yaml: loaded" in said, said
    assert plain.findings() in ([], ["hook-unverified"])


def test_pods_get_the_hooks_that_they_match(plain: Plain, namespace: str) -> None:
    """And rules that are added come without a restart."""
    before = plain.identity()
    plain.set_rules(image=plain.rule("image", {"image": IMAGE_HOOKED}))
    plain.in_force(plain.first, "image")
    found = plain.ran(namespace, "annotated", "hooked", "plain", "annotated-hooked")
    assert found == [[plain.first], ["image"], [], sorted([plain.first, "image"])]
    assert plain.identity() == before


def test_a_mistake_keeps_what_was_good(plain: Plain, namespace: str) -> None:
    """Also in a new pod."""
    plain.set_rules(image=plain.rule("image", {"image": IMAGE_HOOKED}))
    plain.in_force(plain.first, "image")
    plain.set_rules(image="kind: HookSet\n")
    plain.cluster.until(lambda: not plain.status()["ready"], "the mistake is found")
    assert plain.ran(namespace, "hooked-meanwhile") == [["image"]]
    plain.cluster.kubectl("delete", "pod", "-n", NAMESPACE, plain.pod()["metadata"]["name"])
    plain.cluster.until(lambda: connected(plain), "a new pod is connected")
    assert not plain.status()["ready"]
    assert plain.ran(namespace, "hooked-later") == [["image"]]
    plain.set_rules()
    plain.in_force(plain.first)
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
    found = traffic.hooks()
    assert found.keys() > begun, "containers came after the rollout had begun"
    assert {tuple(tags) for tags in found.values()} == {(plain.first,)}
    assert plain.status()["running"]["missed"] == 0


def test_changed_under_the_loop_no_container_is_without_its_hook(plain: Plain, traffic: Traffic) -> None:
    """The rules, and then the program, which is in the end that of before."""
    before = plain.identity()
    plain.set_rules(more=plain.rule("more", {"podAnnotations": plain.annotations}))
    traffic.comes_to(plain.first, "more")
    plain.set_rules()
    traffic.comes_to(plain.first)
    for tag in ("changed", plain.first):
        plain.deliver(tag)
        traffic.comes_to(tag)
    found = [[tag for tag in tags if tag != "more"] for tags in traffic.hooks().values()]
    assert {tuple(tags) for tags in found} == {(plain.first,), ("changed",)}
    assert plain.identity() == before
    assert plain.status()["running"]["missed"] == 0


def patch(plain: Plain, spec: dict[str, object]) -> None:
    plain.cluster.kubectl("patch", "daemonset/grapnel", "-n", NAMESPACE, "--patch", json.dumps({"spec": spec}))


def undo(plain: Plain) -> None:
    plain.cluster.kubectl("rollout", "undo", "daemonset/grapnel", "-n", NAMESPACE)
    plain.rolled_out()


def test_an_upgrade_that_is_undone_leaves_its_poststop(plain: Plain, namespace: str) -> None:
    cluster, image = plain.cluster, stock.grapnel("next")
    cluster.load_image(image.write(cluster.host.path))
    plain.set_rules(ends=plain.rule("ends", {"podName": "annotated-between"}, "poststop"))
    upgraded = {"spec": {"containers": [{"name": "grapnel", "image": image.name}]}}
    patch(plain, {"minReadySeconds": 1, "template": upgraded})
    plain.rolled_out()
    plain.in_force(plain.first, "ends")
    assert plain.ran(namespace, "annotated-between") == [[plain.first]]
    container_id = cluster.container_id("annotated-between", namespace)
    undo(plain)
    assert plain.pod()["spec"]["containers"][0]["image"] != image.name
    cluster.kubectl("delete", "pod", "annotated-between", "-n", namespace)
    assert cluster.log.tags()[container_id] == [plain.first, "ends"]
    plain.set_rules()
    plain.in_force(plain.first)


def test_a_rollout_stops_at_rules_that_are_bad(plain: Plain, namespace: str) -> None:
    """Which come with it, under a name of their own: the old pod has those of before, and stays."""
    old = plain.identity()
    plain.cluster.apply(config_map("bad-rules", NAMESPACE, {"bad.yaml": "kind: HookSet\n"}))
    patch(plain, {"template": {"spec": {"volumes": [{"name": "rules", "configMap": {"name": "bad-rules"}}]}}})

    def newer() -> str:
        return next((name for name in readiness(plain) if name != old[0] and plain.answers(name)), "")

    new = plain.cluster.until(newer, "the new pod answers")
    plain.cluster.until(lambda: plain.status(new)["load"]["result"] == "errors", "it has seen the rules")
    assert plain.ran(namespace, "annotated-stopped") == [[plain.first]]
    assert readiness(plain) == {old[0]: True, new: False}
    undo(plain)
    assert plain.identity() == old


def readiness(plain: Plain) -> dict[str, bool]:
    """Of each pod that has begun."""
    return {pod["metadata"]["name"]: bool(container_status(pod)["ready"])
            for pod in plain.pods() if pod["status"].get("containerStatuses")}  # fmt: skip


def test_without_a_surge_each_missed_container_is_told(plain: Plain, traffic: Traffic) -> None:
    patch(plain, {"updateStrategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}})
    plain.roll()
    missed = loop.only_missed_have_no_hook(plain, traffic, plain.first)
    assert missed, "no container was created while the plugin was away"
    plain.type(plain.apply)
    strategy = plain.cluster.get("daemonset", "grapnel", "-n", NAMESPACE)["spec"]["updateStrategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_a_restarted_runtime_leaves_no_container_untold(plain: Plain) -> None:
    loop.runtime_restarted(plain, plain.annotations, plain.first)


def test_away_with_it(plain: Plain, namespace: str) -> None:
    """What the page says stays on the node, does, and goes as it says; a poststop finds its program."""
    cluster = plain.cluster
    plain.set_rules(ends=plain.rule("ends", {"podName": "annotated-stays"}, "poststop"))
    plain.in_force(plain.first, "ends")
    assert plain.ran(namespace, "annotated-stays") == [[plain.first]]
    stays = cluster.container_id("annotated-stays", namespace)
    plain.remove()
    assert NAMESPACE not in cluster.kubectl("get", "namespaces", "-o", "name")
    assert set(plain.kept()) == set(KEPT)
    assert plain.ran(namespace, "annotated-after") == [[]]
    assert "Running" in cluster.kubectl("get", "pod", "annotated-stays", "-n", namespace)
    (clean_up,) = commands("Away with it")[1:]
    assert (" kept: " in plain.type(clean_up)) == plain.in_store
    assert plain.kept().get("/opt/grapnel", 0) == int(plain.in_store)
    cluster.kubectl("delete", "pods", "--all", "-n", namespace)
    assert cluster.log.tags()[stays] == [plain.first, "ends"]
    plain.type(clean_up)
    assert sum(plain.kept().values()) == 0
