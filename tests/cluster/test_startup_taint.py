# SPDX-License-Identifier: Apache-2.0
"""A node that lets no pod in before Grapnel is ready there."""

from __future__ import annotations

from kube.cluster import Cluster
from kube.grapnel import Grapnel, installed
from kube.manifests import WANTED, pod
from kube.node import NODE

TAINT = "grapnel.example.com/agent-not-ready"


def taints(cluster: Cluster) -> set[str]:
    return {taint["key"] for taint in cluster.get("node", NODE)["spec"].get("taints", [])}


def test_no_pod_comes_before_grapnel(cluster: Cluster) -> None:
    cluster.register_again([{"key": TAINT, "value": "true", "effect": "NoSchedule"}])
    try:
        assert TAINT in taints(cluster)
        with cluster.namespace("pods") as namespace:
            cluster.apply(pod("early", namespace, WANTED))
            cluster.until(
                lambda: TAINT in cluster.kubectl("get", "events", "-n", namespace, "-o", "json"),
                "an event says that the pod was kept off the node by the taint",
            )
            with installed(cluster) as grapnel:
                comes_after(grapnel, namespace)
    finally:
        if TAINT in taints(cluster):
            cluster.kubectl("taint", "node", NODE, f"{TAINT}-")


def comes_after(grapnel: Grapnel, namespace: str) -> None:
    """The pod, once the taint is gone, which it is when Grapnel is ready."""
    cluster = grapnel.cluster
    assert cluster.get("pod", "early", "-n", namespace)["status"]["phase"] == "Pending"
    assert grapnel.status()["ready"]
    cluster.kubectl("taint", "node", NODE, f"{TAINT}-")
    cluster.is_ready("early", namespace)
    ran = cluster.log.of(cluster.container_id("early", namespace))
    assert [record.tag for record in ran] == ["wanted"]
