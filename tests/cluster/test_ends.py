# SPDX-License-Identifier: Apache-2.0
"""A test run that is told to end leaves nothing of its cluster behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from harness.janitor import CGROUP_ROOT
from harness.procs import Process
from harness.wait import until
from kube.node import KERNEL_SETTINGS

HELD = Path(__file__).with_name("held.py")

# Where the parts of a cluster would put things if they were not told otherwise.
PLACES = [
    "/etc/cni", "/etc/kubernetes", "/opt/cni", "/run/containerd", "/run/grapnel", "/run/netns",
    "/usr/libexec/kubernetes", "/var/lib/cni", "/var/lib/containerd", "/var/lib/kubelet",
    "/var/log/containers", "/var/log/pods",
]  # fmt: skip


def listing(place: str) -> list[str] | None:
    return sorted(os.listdir(place)) if os.path.isdir(place) else None


def machine() -> dict[str, Any]:
    """What a cluster could change."""
    return {
        **{place: listing(place) for place in PLACES},
        **{name: Path("/proc/sys", name).read_text() for name in KERNEL_SETTINGS},
        "ip_forward": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        "links": subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True,
                                check=True).stdout,
    }  # fmt: skip


def now_ticks() -> int:
    """The clock that processes' starts are told by: ticks since the machine's own."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def members(namespaces: list[str], born_until: int) -> list[str]:
    """Processes in any of these namespaces. Numbers of namespaces are given anew when they are gone: a process that
    began later than born_until may be somebody else's."""
    found = []
    for link in Path("/proc").glob("[0-9]*/ns/*"):
        try:
            started = (link.parent.parent / "stat").read_text().rpartition(")")[2].split()[19]
            if os.readlink(link) in namespaces and int(started) <= born_until:
                found.append(str(link))
        except OSError:  # it has ended meanwhile
            continue
    return found


def test_nothing_is_left_after_sigterm(tmp_path: Path) -> None:
    before = machine()
    told = tmp_path / "facts.json"
    run = Process(
        [sys.executable, "-m", "pytest", "-q", str(HELD)], tmp_path / "run.log",
        {**os.environ, "GRAPNEL_HELD": str(told)},
    )  # fmt: skip
    try:
        until(lambda: told.exists() or not run.running(), "a pod runs", 300, run.describe)
        assert told.exists(), run.describe()
        facts = json.loads(told.read_text())
        told_to_end = now_ticks()
        assert members(facts["namespaces"], told_to_end), "the cluster's processes are seen"
        inside = set(facts["cgroups"])
        assert inside and all(path.startswith(facts["cgroup"] + "/") for path in inside)
    finally:
        run.send(signal.SIGTERM)
        status = run.wait(120)
    assert status == 2, f"pytest says that it was interrupted: {run.describe()}"
    assert members(facts["namespaces"], told_to_end) == []
    assert not Path(facts["folder"]).exists()
    assert facts["folder"] not in Path("/proc/self/mountinfo").read_text()
    assert list(CGROUP_ROOT.glob(f"**{facts['cgroup']}")) == []
    assert machine() == before
