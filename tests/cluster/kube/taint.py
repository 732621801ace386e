# SPDX-License-Identifier: Apache-2.0
"""Taints of nodes, and the container of the chart that removes one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .chart import Release
from .cluster import Cluster
from .control import API_PORT
from .manifests import Object
from .node import NODE

# The chart's, and one that the Jobs of the chart tolerate and ordinary pods do not.
KEY = "grapnel/agent-not-ready"
OTHER = "node-role.kubernetes.io/control-plane"
# The service account of a release of that name.
ACCOUNT = "grapnel"
CONTAINER = "startup-taint"
TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
DONE = "grapnel probe: done; staying until it is told to end"


class Node:
    """A Node object, with or without a node behind it."""

    def __init__(self, cluster: Cluster, name: str = NODE):
        self.cluster = cluster
        self.name = name

    def taints(self) -> list[str]:
        """The keys, without those that say how the node is."""
        taints = self.cluster.get("node", self.name)["spec"].get("taints", [])
        return sorted(taint["key"] for taint in taints if not taint["key"].startswith("node.kubernetes.io/"))

    def add_taint(self, key: str) -> None:
        self.cluster.kubectl("taint", "node", self.name, f"{key}=:NoSchedule")

    def own_part(self) -> tuple[Any, ...]:
        """What nobody changes without being asked to."""
        node = self.cluster.get("node", self.name)
        meta = node["metadata"]
        return (node["spec"], meta["labels"], meta.get("annotations"), meta.get("finalizers"),
                meta.get("ownerReferences"), node["status"].get("capacity"))  # fmt: skip

    @contextmanager
    def made(self, *keys: str) -> Iterator[Node]:
        """Without a kubelet; gone afterwards."""
        self.cluster.apply(node_object(self.name, *keys))
        try:
            # What the controllers add to each node.
            self.cluster.until(lambda: self.own_part()[2], "the node has its annotation")
            yield self
        finally:
            self.cluster.kubectl("delete", "node", self.name)


def node_object(name: str, *keys: str) -> Object:
    taints = [{"key": key, "effect": "NoSchedule"} for key in keys]
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"of": "test"}},
            "spec": {"taints": taints}}  # fmt: skip


def register(cluster: Cluster, *keys: str) -> None:
    cluster.register_again([{"key": key, "effect": "NoSchedule"} for key in keys])


@contextmanager
def registered(cluster: Cluster, *keys: str) -> Iterator[None]:
    """The cluster's node as if it were new, with those taints; without them afterwards."""
    register(cluster, *keys)
    try:
        yield
    finally:
        for key in set(keys) & set(Node(cluster).taints()):
            cluster.kubectl("taint", "node", NODE, f"{key}-")


class Sidecar:
    """The container of a release, and what somebody can do who has stolen its token."""

    def __init__(self, release: Release):
        self.release = release
        self.cluster = release.cluster
        self.policy = f"{release.namespace}.{release.name}-startup-taint"

    def _status(self, container: str = CONTAINER) -> Object:
        (found,) = (status for status in self.release.pod()["status"]["containerStatuses"]
                    if status["name"] == container)  # fmt: skip
        status: Object = found
        return status

    def _pid(self, container: str) -> int:
        """Of the container's first process, as the node sees it."""
        container_id = self._status(container)["containerID"].removeprefix("containerd://")
        return int(json.loads(self.cluster.crictl("inspect", container_id))["info"]["pid"])

    def restarts(self) -> int:
        return int(self._status()["restartCount"])

    def kill(self) -> None:
        self.cluster.host.run(["kill", "-KILL", str(self._pid(CONTAINER))])

    @contextmanager
    def stopped(self) -> Iterator[Callable[[], object]]:
        """It does nothing until what this gives is called, or the block is left."""
        pid = str(self._pid(CONTAINER))

        def go_on() -> object:
            return self.cluster.host.run(["kill", "-CONT", pid])

        self.cluster.host.run(["kill", "-STOP", pid])
        try:
            yield go_on
        finally:
            go_on()

    def log(self) -> str:
        """Of the container that runs; nothing where there is none yet."""
        done = self.cluster.control.kubectl(
            "logs", "-n", self.release.namespace, "-l", self.release.selector, "-c", CONTAINER,
            "--tail=-1", check=False,
        )  # fmt: skip
        return done.stdout if done.returncode == 0 else ""

    def log_file(self) -> str:
        """The same of all that ran, without an API server."""
        folder = self.cluster.host.path / "pod-logs"
        logs = folder.glob(f"{self.release.namespace}_*/{CONTAINER}/*.log")
        return "".join(log.read_text() for log in sorted(logs))

    def settled(self) -> None:
        """Returns when it has done its work."""
        self.cluster.until(lambda: DONE in self.log(), "the container has done its work")

    def token(self) -> str:
        return self.cluster.host.run(["cat", f"/proc/{self._pid(CONTAINER)}/root{TOKENS}/token"])

    def files_with_a_token(self, container: str) -> list[str]:
        """All files of a container that hold a JSON Web Token."""
        root = f"/proc/{self._pid(container)}/root"
        folders = [name for name in self.cluster.host.run(["ls", root]).split()
                   if name not in ("proc", "sys", "dev")]  # fmt: skip
        search = f"cd {root}; grep -rlE 'eyJ[A-Za-z0-9_-]+\\.eyJ' {' '.join(folders)} || test $? = 1"
        return ["/" + name for name in self.cluster.host.run(["sh", "-c", search]).splitlines()]

    def _as_thief(self, token: str) -> list[str]:
        """Options of kubectl that has the token and nothing else."""
        return ["--kubeconfig=/dev/null", f"--server=https://127.0.0.1:{API_PORT}",
                "--insecure-skip-tls-verify", f"--token={token or self.token()}",
                f"--namespace={self.release.namespace}"]  # fmt: skip

    def kubectl(self, *args: str) -> str:
        return self.cluster.kubectl(*self._as_thief(""), *args)

    def refused(self, *args: str, token: str = "", stdin: str = "") -> str:
        return self.cluster.refused(*self._as_thief(token), *args, stdin=stdin)

    def allowed(self) -> dict[str, str]:
        """Resources to verbs."""
        found = {}
        for line in self.kubectl("auth", "can-i", "--list").splitlines()[1:]:
            if not line.startswith(" "):
                resource, verbs = line.split()[0], line[line.rindex("["):]
                found[resource] = verbs
        return found

    @contextmanager
    def with_role(self, verb: str, *resources: str) -> Iterator[None]:
        """Lets the account do more, by mistake; no longer afterwards."""
        name = "too-much"
        account = f"--serviceaccount={self.release.namespace}:{ACCOUNT}"
        self.cluster.kubectl("create", "clusterrole", name, f"--verb={verb}",
                             f"--resource={','.join(resources)}")  # fmt: skip
        try:
            self.cluster.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", account)
            yield
        finally:
            self.cluster.kubectl("delete", f"clusterrolebinding/{name}", f"clusterrole/{name}",
                                 "--ignore-not-found")  # fmt: skip
