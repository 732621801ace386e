# SPDX-License-Identifier: Apache-2.0
"""No test of its own: what test_ends.py runs and ends from outside. It never passes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from kube.cluster import Cluster
from kube.manifests import pod


def test_held(cluster: Cluster) -> None:
    """Tells where it lives, once a pod with volumes and an address runs."""
    cluster.kubectl("create", "namespace", "held")
    cluster.until(
        lambda: "default" in cluster.kubectl("get", "serviceaccounts", "-n", "held"),
        "the namespace has its service account",
    )
    cluster.apply(pod("held", "held"))
    cluster.is_ready("held", "held")
    container_id = cluster.container_id("held", "held")
    pid = json.loads(cluster.crictl("inspect", container_id))["info"]["pid"]
    lines = cluster.host.run(["cat", f"/proc/{pid}/cgroup"]).splitlines()
    facts = {
        "folder": str(cluster.host.path),
        "cgroup": cluster.host.cgroup_parent,
        "cgroups": [line.split(":", 2)[2] for line in lines],
        "namespaces": [os.readlink(f"/proc/{cluster.host.pid}/ns/{kind}")
                       for kind in ("mnt", "net", "pid")],
    }  # fmt: skip
    told = Path(os.environ["GRAPNEL_HELD"])
    told.with_suffix(".new").write_text(json.dumps(facts))
    told.with_suffix(".new").rename(told)
    signal.pause()
    raise AssertionError("the signal should have ended it")
