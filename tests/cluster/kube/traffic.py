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
    """Pods with annotations, until it is told to end; all stay until their namespace goes."""

    def __init__(self, cluster: Cluster, namespace: str, annotations: dict[str, str] = WANTED):
        self.cluster = cluster
        self.namespace = namespace
        self.annotations = annotations
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
                               hostNetwork=True, terminationGracePeriodSeconds=0))  # fmt: skip

    def _pods(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cluster.get("pods", "-n", self.namespace)["items"]
        return found

    def _coming(self) -> int:
        return sum(
            not any(condition["type"] == "Ready" and condition["status"] == "True"
                    for condition in pod["status"].get("conditions", []))
            for pod in self._pods()
        )  # fmt: skip

    def ids(self) -> set[str]:
        """All containers that were started so far."""
        return {
            status["containerID"].removeprefix("containerd://")
            for pod in self._pods()
            for status in pod["status"].get("containerStatuses", [])
            if status.get("containerID")
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
