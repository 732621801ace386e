# SPDX-License-Identifier: Apache-2.0
"""A DaemonSet that is rolled out while pods are created."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from kube.cluster import Cluster
from kube.grapnel import Grapnel, installed
from kube.manifests import WANTED, Object, container, pod
from kube.stock import PROGRAM

ROLLS = 3
# At a time, and in each: so many that hardly a moment passes in which none is created.
PODS = 4
CONTAINERS = 6


class Traffic:
    """Pods with the annotation, some at a time, until it is told to end; all stay."""

    def __init__(self, cluster: Cluster, namespace: str):
        self.cluster = cluster
        self.namespace = namespace
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._failure: BaseException | None = None

    def _run(self) -> None:
        try:
            for serial in count():
                if self._end.is_set():
                    return
                self._round(serial)
        except BaseException as e:
            self._failure = e

    def _round(self, serial: int) -> None:
        names = [f"pod-{serial}-{i}" for i in range(PODS)]
        containers = [container(f"c{i}") for i in range(CONTAINERS)]
        # The node's network: addresses of pods are few.
        self.cluster.apply(*(
            pod(name, self.namespace, WANTED, containers, hostNetwork=True) for name in names
        ))  # fmt: skip
        for name in names:
            self.cluster.is_ready(name, self.namespace)

    def ids(self) -> set[str]:
        """All containers that were started."""
        pods = self.cluster.get("pods", "-n", self.namespace)["items"]
        return {
            status["containerID"].removeprefix("containerd://")
            for pod in pods
            for status in pod["status"]["containerStatuses"]
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """From the first pod on until the block is left."""
        self._thread.start()
        try:
            self.cluster.until(self._begun, "the first pod runs")
            yield
        finally:
            self._end.set()
            self._thread.join()
        if self._failure:
            raise self._failure

    def _begun(self) -> bool:
        assert self._thread.is_alive(), self._failure
        return "Running" in self.cluster.kubectl("get", "pods", "-n", self.namespace)


def without_hook(cluster: Cluster, ids: set[str]) -> set[str]:
    return {container_id for container_id in ids if not cluster.log.of(container_id)}


def rolled_under_traffic(grapnel: Grapnel, namespace: str) -> set[str]:
    """The containers that were started before, while and after the DaemonSet was rolled out."""
    traffic = Traffic(grapnel.cluster, namespace)
    with traffic.running():
        for _ in range(ROLLS):
            before = grapnel.identity()
            grapnel.roll()
            assert grapnel.identity() != before
    return traffic.ids()


def test_with_a_surge_no_container_is_without_its_hook(cluster: Cluster) -> None:
    with installed(cluster, surge=True) as grapnel, cluster.namespace("pods") as namespace:
        ids = rolled_under_traffic(grapnel, namespace)
        assert len(ids) > PODS * CONTAINERS, "pods came after the first rollout had begun"
        assert without_hook(cluster, ids) == set()
        once = [container_id for container_id in ids if len(cluster.log.of(container_id)) > 1]
        assert once == [], "two instances have run the hook of one container twice"
        assert grapnel.status()["running"]["missed"] == 0


def test_without_a_surge_each_missed_container_is_told(cluster: Cluster) -> None:
    with installed(cluster, surge=False) as grapnel, cluster.namespace("pods") as namespace:
        ids = rolled_under_traffic(grapnel, namespace)
        expected = without_hook(cluster, ids)
        assert expected, "no container was created while the plugin was away"
        status = grapnel.status()
        missed = {entry["id"] for entry in status["lacking"] if entry["class"] == "missed"}
        assert missed == expected
        assert status["running"]["missed"] == len(expected)


def never_ready(grapnel: Grapnel) -> Object:
    """A new version that works, and that the kubelet never takes for ready."""
    daemonset = grapnel.daemonset(surge=True)
    (container,) = daemonset["spec"]["template"]["spec"]["containers"]
    container["readinessProbe"] = {"exec": {"command": [PROGRAM, "no-such-verb"]}}
    return daemonset


def test_a_rollout_that_is_undone_does_no_harm(cluster: Cluster) -> None:
    """The new instance had the control socket; the old one has it back before it counts as dead."""
    with installed(cluster, surge=True) as grapnel:
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
