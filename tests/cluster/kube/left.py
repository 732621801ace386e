# SPDX-License-Identifier: Apache-2.0
"""What a release leaves, in the cluster and on its node."""

from __future__ import annotations

import stat
from contextlib import suppress

from .chart import KEPT, STORE
from .cluster import Cluster

# What it cannot remove, since they are mounted while it works.
EMPTY = {*KEPT, STORE}
# What comes and goes with everything that happens in a cluster.
PASSING = {"events", "events.events.k8s.io", "leases.coordination.k8s.io", "componentstatuses"}


def inventory(cluster: Cluster) -> set[str]:
    """Every object of the cluster."""
    kinds = set(cluster.kubectl("api-resources", "--verbs=list", "-o", "name").split()) - PASSING
    found = cluster.get(",".join(sorted(kinds)), "-A")["items"]
    return {
        "/".join([item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]])
        for item in found
    }


# Where anything could be put on a node, and what the kubelet, the runtime and the machine write there themselves.
PLACES = ("etc", "opt", "run", "var")
OF_OTHERS = {
    "run/containerd", "run/netns", "run/runc", "var/cache", "var/lib/cni", "var/lib/containerd", "var/lib/kubelet",
    "var/log", "var/tmp",
}  # fmt: skip


def on_node(cluster: Cluster) -> dict[str, tuple[object, ...]]:
    """Every file and directory of the node, with what changes when somebody changes it."""
    found: dict[str, tuple[object, ...]] = {}

    def see(name: str) -> None:
        path = cluster.root / name
        status = path.lstat()
        folder = stat.S_ISDIR(status.st_mode)
        content = () if folder else (status.st_size, status.st_mtime_ns)
        found[f"/{name}"] = (status.st_mode, status.st_uid, *content)
        for entry in path.iterdir() if folder else ():
            if f"{name}/{entry.name}" not in OF_OTHERS:
                with suppress(FileNotFoundError):  # it has gone meanwhile
                    see(f"{name}/{entry.name}")

    for place in PLACES:
        see(place)
    return found


def touched(cluster: Cluster, before: dict[str, tuple[object, ...]]) -> set[str]:
    """What the node has now and had not, what is gone, and what is not the same."""
    now = on_node(cluster)
    return {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
