# SPDX-License-Identifier: Apache-2.0
"""What a release leaves, in the cluster and on its node."""

from __future__ import annotations

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


def kept(cluster: Cluster) -> set[str]:
    """What the node has in the directories of the chart."""
    tops = [cluster.root / top.lstrip("/") for top in KEPT]
    return {
        f"/{path.relative_to(cluster.root)}"
        for top in tops
        for path in [top, *sorted(top.rglob("*"))]
        if path.exists() or path.is_symlink()
    }
