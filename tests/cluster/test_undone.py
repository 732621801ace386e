# SPDX-License-Identifier: Apache-2.0
"""A rollout that is undone."""

from __future__ import annotations

from kube.cluster import Cluster
from kube.grapnel import Grapnel, installed
from kube.manifests import Object
from kube.stock import PROGRAM


def never_ready(grapnel: Grapnel) -> Object:
    """A new version that works, and that the kubelet never takes for ready."""
    daemonset = grapnel.daemonset()
    (container,) = daemonset["spec"]["template"]["spec"]["containers"]
    container["readinessProbe"] = {"exec": {"command": [PROGRAM, "no-such-verb"]}}
    return daemonset


def test_a_rollout_that_is_undone_does_no_harm(cluster: Cluster) -> None:
    """The new instance had the control socket; the old one has it back before it counts as dead."""
    with installed(cluster) as grapnel:
        old = grapnel.pod()["metadata"]["name"]
        before, started = grapnel.identity(), grapnel.status(old)["process"]["started"]
        cluster.apply(never_ready(grapnel))
        cluster.until(
            lambda: grapnel.status(old)["process"]["started"] != started,
            "the new instance answers in place of the old one",
        )
        cluster.kubectl("rollout", "undo", "daemonset/grapnel", "-n", grapnel.namespace)
        cluster.until(lambda: len(grapnel.pods()) == 1, "the new pod is gone")
        cluster.until(lambda: grapnel.answers(old), "the old instance answers again")
        assert grapnel.identity() == before
        assert grapnel.status(old)["process"]["started"] == started
