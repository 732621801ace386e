# SPDX-License-Identifier: Apache-2.0
"""Pods that are created all the time while something else happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from .cluster import LIMIT_S, Cluster
from .manifests import WANTED, container, pod

# Pods that are being started at any time, and containers in each: so many that hardly a moment passes
# in which none is created, and so few that the node does nothing else.
PODS = 3
CONTAINERS = 3


class Traffic:
    """Pods with annotations, until it is told to end; all stay until their namespace goes. A container that cannot be
    started fails the test, or is begun anew where pods are mended."""

    def __init__(
        self, cluster: Cluster, namespace: str, annotations: dict[str, str] = WANTED, mended: bool = False
    ):
        self.cluster = cluster
        self.namespace = namespace
        self.annotations = annotations
        self.policy = "OnFailure" if mended else "Never"
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._failure: BaseException | None = None

    def _run(self) -> None:
        try:
            for serial in count():
                if self._end.is_set():
                    return
                self._start(serial)
                self.cluster.until(lambda: self._coming() < PODS, "pods become ready")
        except BaseException as e:
            self._failure = e

    def _start(self, serial: int) -> None:
        containers = [container(f"c{i}") for i in range(CONTAINERS)]
        # The node's network: addresses of pods are few.
        self.cluster.apply(pod(f"pod-{serial}", self.namespace, self.annotations, containers,
                               hostNetwork=True, terminationGracePeriodSeconds=0,
                               restartPolicy=self.policy))  # fmt: skip

    def _pods(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cluster.get("pods", "-n", self.namespace)["items"]
        return found

    def _coming(self) -> int:
        return sum(
            not any(condition["type"] == "Ready" and condition["status"] == "True"
                    for condition in pod["status"].get("conditions", []))
            for pod in self._pods()
        )  # fmt: skip

    def ids(self, state: str = "") -> set[str]:
        """All containers that were started so far, or of them those in that state."""
        return {
            status["containerID"].removeprefix("containerd://")
            for pod in self._pods()
            for status in pod["status"].get("containerStatuses", [])
            if status.get("containerID") and (not state or state in status["state"])
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """From the first container on until end(), or until the block is left."""
        self._thread.start()
        try:
            self.cluster.until(self._begun, "the first container runs")
            yield
        finally:
            self._end.set()
            self._thread.join()
        if self._failure:
            raise self._failure

    def _begun(self) -> bool:
        assert self._thread.is_alive(), self._failure
        return bool(self.ids())

    def end(self) -> set[str]:
        """Returns when all pods that were begun run: the containers that were started."""
        self._end.set()
        self._thread.join()
        if self._failure:
            raise self._failure
        self.cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", "-n", self.namespace,
                             f"--timeout={LIMIT_S:.0f}s")  # fmt: skip
        return self.ids()

    def comes_to(self, *tags: str) -> None:
        """Returns when the container that came last had just these hooks."""
        self.cluster.until(lambda: sorted(self.cluster.log.last_tags()) == sorted(tags), f"a container has the hooks {tags}")

    def goes_on(self) -> None:
        """Returns when containers were started that are not there now."""
        before = self.ids()
        self.cluster.until(lambda: self.ids() > before, "more containers are started")

    def misses(self) -> None:
        """Returns when a container runs for which no hook ran."""
        self.cluster.until(lambda: self.ids("running") - self.cluster.log.tags().keys(), "a container runs without a hook")

    def hooks(self) -> dict[str, list[str]]:
        """The same, with the tags of the hooks that ran for each container."""
        ids = self.end()
        tags = self.cluster.log.tags()
        return {container_id: tags.get(container_id, []) for container_id in ids}
