# SPDX-License-Identifier: Apache-2.0
"""A DaemonSet of Grapnel as a user of the cluster sees it, however it came there."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from .cluster import Cluster
from .manifests import Object
from .stock import PROGRAM


CONTAINER = "grapnel"


class Instance:
    """The DaemonSet of that name; the selector is that of its pods."""

    def __init__(self, cluster: Cluster, namespace: str, name: str, selector: str):
        self.cluster = cluster
        self.namespace = namespace
        self.name = name
        self.selector = selector

    def rolled_out(self) -> None:
        """Returns when the only pods are those of the last template, and ready."""
        self.cluster.rolled_out(f"daemonset/{self.name}", self.namespace)
        self.cluster.until(lambda: len(self.pods()) == 1, "only the new pod is there")

    def roll(self) -> None:
        """`kubectl rollout restart`, to its end."""
        self.cluster.kubectl("rollout", "restart", f"daemonset/{self.name}", "-n", self.namespace)
        self.rolled_out()

    def pods(self) -> list[Object]:
        """Those that are there, terminating ones as well."""
        found = self.cluster.get("pods", "-n", self.namespace, "-l", self.selector)
        items: list[Object] = found["items"]
        return items

    def pod(self) -> Object:
        """The one of the node."""
        (only,) = self.pods()
        return only

    def identity(self) -> tuple[str, int]:
        """Changes with every new process: the pod's name and how often its container began anew."""
        pod = self.pod()
        return pod["metadata"]["name"], container_status(pod)["restartCount"]

    def signal(self, name: str) -> None:
        """To the plugin's process."""
        container_id = container_status(self.pod())["containerID"].removeprefix("containerd://")
        pid = json.loads(self.cluster.crictl("inspect", container_id))["info"]["pid"]
        self.cluster.host.run(["kill", f"-{name}", str(pid)])

    def restarted(self, before: tuple[str, int]) -> bool:
        """Whether its container runs anew, and is ready."""
        return self.ready() and self.identity() != before

    def ready(self) -> bool:
        """Whether its readiness probe says so."""
        return bool(container_status(self.pod())["ready"])

    def _exec(self, pod: str, *args: str) -> subprocess.CompletedProcess[str]:
        return self.cluster.control.kubectl("exec", "-n", self.namespace, pod, "-c", CONTAINER,
                                            "--", PROGRAM, *args, check=False)  # fmt: skip

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """A verb in the pod, whatever comes of it."""
        return self._exec(self.pod()["metadata"]["name"], *args)

    def status(self, pod: str = "") -> Any:
        """`grapnel status -o json` in the pod; 1 says that it is not ready, which is an answer."""
        name = pod or self.pod()["metadata"]["name"]
        done = self._exec(name, "status", "-o", "json", "--all")
        assert done.returncode in (0, 1) and done.stdout, done.stderr + self.cluster.describe()
        return json.loads(done.stdout)

    def connected_after(self, sessions: int) -> bool:
        """Whether it is ready in a later session; while the runtime is away nobody can ask it."""
        done = self.run("status", "-o", "json")
        if not done.stdout:
            return False
        status = json.loads(done.stdout)
        return bool(status["ready"]) and status["connection"]["sessions"] > sessions

    def answers(self, pod: str) -> bool:
        """Whether somebody answers at the control socket."""
        return self._exec(pod, "probe", "live").returncode == 0

    def findings(self) -> list[str]:
        """The codes of what is wrong with settings and rules."""
        return [finding["code"] for finding in self.status()["findings"]]

    def missed(self, namespace: str) -> set[str]:
        """The containers of a namespace that it tells of as missed."""
        return {entry["id"] for entry in self.status()["lacking"]
                if entry["class"] == "missed" and entry["namespace"] == namespace}  # fmt: skip

    def sets(self) -> set[str]:
        """The names of the sets in force."""
        return {entry["name"] for entry in self.status()["sets"]}


def container_status(pod: Object) -> Object:
    """Of the plugin's container, whatever others the pod has."""
    (found,) = (status for status in pod["status"]["containerStatuses"]
                if status["name"] == CONTAINER)  # fmt: skip
    status: Object = found
    return status
