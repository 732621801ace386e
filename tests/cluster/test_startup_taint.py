# SPDX-License-Identifier: Apache-2.0
"""A node that lets no pod in before Grapnel is ready there, by the chart's startup taint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from kube import chart, stock
from kube.chart import Release
from kube.cluster import Cluster
from kube.manifests import WANTED, Object, pod
from kube.node import NODE
from kube.taint import ACCOUNT, DONE, KEY, OTHER, TOKENS, Node, Sidecar, node_object, register, registered

UNCHECKED = {"preflight": {"enabled": False}}
BAD = {**UNCHECKED, "rules": {"files": {"bad.yaml": "kind: HookSet\n"}}}
WHY = "rules have errors, or were rejected"
ENABLED = {"startupTaint": {"enabled": True, "againSeconds": 1}}


@dataclass
class Beginning:
    """A release on a node that has just been registered, and what was seen until it was ready."""

    release: Release
    pods: str  # a namespace; "early" was created in it before the release
    held: str  # the phase of that pod when the plugin was there and not ready
    taints: list[str]  # of the node then
    said: str  # by the container then


@pytest.fixture(scope="module")
def beginning(stocked: Cluster) -> Iterator[Beginning]:
    with registered(stocked, KEY, OTHER), stocked.namespace("pods") as pods:
        stocked.apply(pod("early", pods, WANTED, tolerations=[{"key": OTHER, "operator": "Exists"}]))
        stocked.until(
            lambda: KEY in stocked.kubectl("get", "events", "-n", pods, "-o", "json"),
            "an event says that the pod was kept off the node by the taint",
        )
        with chart.placed(stocked) as release:
            yield begun(release, pods)


def helm(release: Release, verb: str, *layers: Object) -> None:
    """Does not wait for the plugin."""
    done = release.helm(verb, values=chart.merged(*layers))
    assert done.returncode == 0, done.stderr


def begun(release: Release, pods: str) -> Beginning:
    """Installs it with a mistake, looks around, and mends that."""
    cluster = release.cluster
    common = chart.merged(ENABLED, chart.programs(stock.programs().name))
    helm(release, "install", chart.images(), common, BAD)
    cluster.until(lambda: WHY in Sidecar(release).log(), "the container says what it waits for")
    seen = Beginning(
        release, pods, cluster.get("pod", "early", "-n", pods)["status"]["phase"],
        Node(cluster).taints(), Sidecar(release).log(),
    )  # fmt: skip
    wanted = chart.rules(wanted=release.set("wanted", {"podAnnotations": WANTED}))
    release.values = chart.merged(chart.images(), common, wanted)
    helm(release, "upgrade", release.values)
    cluster.until(lambda: release.status()["ready"], "the plugin is ready")
    return seen


@pytest.fixture
def release(beginning: Beginning) -> Release:
    return beginning.release


@pytest.fixture
def sidecar(release: Release) -> Sidecar:
    return Sidecar(release)


@pytest.fixture
def node(release: Release) -> Node:
    """It has the other taint, and not that of the release."""
    node = Node(release.cluster)
    release.cluster.until(lambda: node.taints() == [OTHER], "only the other taint is there")
    return node


@pytest.fixture(scope="module")
def another(beginning: Beginning) -> Iterator[Node]:
    """A node with the taint that the release does not run on."""
    with Node(beginning.release.cluster, "node2").made(KEY) as node:
        yield node


def test_no_pod_comes_before_grapnel_is_ready(beginning: Beginning, node: Node) -> None:
    assert beginning.held == "Pending"
    assert beginning.taints == [KEY, OTHER]
    assert DONE not in beginning.said
    cluster = beginning.release.cluster
    cluster.is_ready("early", beginning.pods)
    ran = cluster.log.of(cluster.container_id("early", beginning.pods))
    assert [record.tag for record in ran] == ["wanted"]


def test_the_plugin_has_no_token(release: Release, sidecar: Sidecar) -> None:
    """Not in any file that its container sees; the one beside it has one."""
    (token,) = sidecar.files_with_a_token("startup-taint")
    assert token.startswith(TOKENS) and token.endswith("/token")
    assert sidecar.files_with_a_token("grapnel") == []


# What the token is not good for, though it may patch nodes: arguments of kubectl, and why not.
NOT_THIS_NODE = "only the node that the pod runs on may be changed"
NO_MORE_TAINTS = "no taint may be added or changed"
NO_OTHER_TAINT = f"only the taint {KEY} may be removed"
ONLY_TAINTS = "nothing but taints may be changed"


def merge(patch: str) -> list[str]:
    return ["patch", "node", NODE, "--type=merge", "-p", patch]


OWNER = '{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b"}'
REFUSED = {
    "another node": (["taint", "node", "node2", f"{KEY}-"], NOT_THIS_NODE),
    "label of another node": (["label", "node", "node2", "a=b"], NOT_THIS_NODE),
    "a new taint": (["taint", "node", NODE, "a/b=c:NoExecute"], NO_MORE_TAINTS),
    "its own taint": (["taint", "node", NODE, f"{KEY}=:NoExecute"], NO_MORE_TAINTS),
    "a value": (["taint", "node", NODE, "--overwrite", f"{OTHER}=x:NoSchedule"], NO_MORE_TAINTS),
    "an effect": (merge(f'{{"spec": {{"taints": [{{"key": "{OTHER}", "effect": "NoExecute"}}]}}}}'),
                  NO_MORE_TAINTS),
    "another taint": (["taint", "node", NODE, f"{OTHER}-"], NO_OTHER_TAINT),
    "all taints": (merge('{"spec": {"taints": null}}'), NO_OTHER_TAINT),
    "a label": (["label", "node", NODE, "a=b"], ONLY_TAINTS),
    "no label": (["label", "node", NODE, "kubernetes.io/hostname-"], ONLY_TAINTS),
    "an annotation": (["annotate", "node", NODE, "a=b"], ONLY_TAINTS),
    "a finalizer": (merge('{"metadata": {"finalizers": ["a/b"]}}'), ONLY_TAINTS),
    "an owner": (merge(f'{{"metadata": {{"ownerReferences": [{OWNER}]}}}}'), ONLY_TAINTS),
    "unschedulable": (merge('{"spec": {"unschedulable": true}}'), ONLY_TAINTS),
    "addresses": (merge('{"spec": {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"]}}'),
                  ONLY_TAINTS),
    "provider": (merge('{"spec": {"providerID": "a://b"}}'), ONLY_TAINTS),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_the_token_changes_nothing_else_of_nodes(
    sidecar: Sidecar, node: Node, another: Node, what: str
) -> None:
    args, why = REFUSED[what]
    before = node.own_part(), another.own_part()
    said = sidecar.refused(*args)
    assert f"ValidatingAdmissionPolicy '{sidecar.policy}'" in said
    assert "(Forbidden)" in said and said.rstrip().endswith(f"denied request: {why}")
    assert (node.own_part(), another.own_part()) == before


@pytest.mark.parametrize("patch", [
    '{"status": {"capacity": {"example.com/a": "4"}}}',
    '{"spec": {"configSource": {"configMap": {"name": "a", "namespace": "b", "kubeletConfigKey": "c"}}}}',
])  # fmt: skip
def test_what_the_api_server_passes_over(sidecar: Sidecar, node: Node, patch: str) -> None:
    """Parts of a node that such a request may name and cannot change."""
    before = node.own_part()
    sidecar.kubectl(*merge(patch))
    assert node.own_part() == before


def test_the_token_may_do_nothing_else(sidecar: Sidecar) -> None:
    reviews = {
        "selfsubjectaccessreviews.authorization.k8s.io", "selfsubjectreviews.authentication.k8s.io",
        "selfsubjectrulesreviews.authorization.k8s.io",
    }  # fmt: skip
    allowed = sidecar.allowed()
    assert allowed.pop("nodes") == "[get patch]"
    assert allowed == dict.fromkeys(reviews, "[create]")


@pytest.mark.parametrize("args", [
    ["get", "secrets", "-A"], ["get", "nodes"], ["delete", "node", NODE],
    ["create", "token", ACCOUNT], ["get", "--raw", f"/api/v1/nodes/{NODE}/proxy/configz"],
    [*merge('{"status": {"capacity": {"example.com/a": "4"}}}'), "--subresource=status"],
])  # fmt: skip
def test_what_its_role_does_not_have(sidecar: Sidecar, args: list[str]) -> None:
    said = sidecar.refused(*args)
    assert "(Forbidden)" in said or "is forbidden" in said
    assert "ValidatingAdmissionPolicy" not in said


def test_a_role_too_many_gives_it_no_more(sidecar: Sidecar, node: Node, another: Node) -> None:
    """The policy is a wall of its own: here the account may do everything to nodes."""
    before = node.own_part(), another.own_part()
    with sidecar.with_role("*", "nodes", "nodes/status", "nodes/proxy"):
        for args in (
            ["delete", "node", NODE],
            ["delete", "node", "node2"],
            ["create", "-f", "-"],
            ["get", "--raw", f"/api/v1/nodes/{NODE}/proxy/configz"],
            [*merge('{"status": {"capacity": {"example.com/a": "4"}}}'), "--subresource=status"],
        ):
            said = sidecar.refused(*args, stdin=json.dumps(node_object("node3")))
            assert "only the node itself may be changed" in said, args
    assert (node.own_part(), another.own_part()) == before


def test_a_token_of_no_pod_is_good_for_nothing(sidecar: Sidecar, node: Node) -> None:
    """One that the account got by other ways names no node."""
    release = sidecar.release
    token = release.cluster.kubectl("create", "token", ACCOUNT, "-n", release.namespace).strip()
    said = sidecar.refused("label", "node", NODE, "a=b", token=token)
    assert NOT_THIS_NODE in said


def test_nothing_to_do_is_no_failure(release: Release, sidecar: Sidecar, node: Node) -> None:
    """A new pod on a node without the taint, and a container that the kubelet starts anew."""
    before = release.identity()
    release.cluster.kubectl("delete", "pod", "-n", release.namespace, before[0])
    sidecar.settled()
    assert "kubectl" not in sidecar.log() and "error" not in sidecar.log()
    after = release.identity()
    assert after != before
    sidecar.kill()
    release.cluster.until(lambda: sidecar.restarts() == 1, "the kubelet has started it again")
    sidecar.settled()
    assert "kubectl" not in sidecar.log() and "error" not in sidecar.log()
    assert release.identity() == after


def test_a_plugin_that_is_no_longer_ready_brings_no_taint(
    release: Release, sidecar: Sidecar, node: Node
) -> None:
    """It is about nodes that start. The container waits until the plugin is ready again."""
    helm(release, "upgrade", release.values, BAD)
    release.cluster.until(lambda: WHY in sidecar.log(), "the container waits for the plugin")
    assert node.taints() == [OTHER]
    helm(release, "upgrade", release.values, UNCHECKED)
    release.cluster.until(lambda: release.status()["ready"], "the plugin is ready again")


def test_a_node_that_is_registered_anew(release: Release, node: Node) -> None:
    """Its pods stay, and with them the container that has done its work once."""
    before = release.identity()
    register(release.cluster, KEY, OTHER)
    release.cluster.until(lambda: node.taints() == [OTHER], "the taint is gone again")
    assert release.identity() == before


def test_the_api_server_is_away(release: Release, sidecar: Sidecar, node: Node) -> None:
    """The container tries again, and is not started anew for it."""
    cluster, restarts = release.cluster, sidecar.restarts()
    with sidecar.stopped() as go_on:
        node.add_taint(KEY)
        with cluster.control.without_api_server():
            go_on()
            cluster.until(lambda: "trying again" in sidecar.log_file(), "kubectl finds no API server")
    cluster.until(lambda: node.taints() == [OTHER], "the taint is gone")
    assert sidecar.restarts() == restarts
