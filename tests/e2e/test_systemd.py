# SPDX-License-Identifier: Apache-2.0
"""The life of grapnel.service under a real systemd: start, order, watchdog, restarts, end, journal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import cache
from harness.host import Host
from harness.janitor import CGROUP_ROOT
from harness.machine import UNIT, Machine
from harness.unit import HOOK, STUB, Unit
from harness.wait import until
from peer import Peer, PeerError

NOT_CONNECTED = "not connected to the runtime"

# Booted before anything else, for test_systemd_without_runtime: its patience takes a minute.
pytestmark = pytest.mark.usefixtures("lonely")


def activated(unit: Unit, name: str) -> int:
    return int(unit.machine.show("ActiveEnterTimestampMonotonic", name))


def test_a_boot_waits_for_the_runtime_and_the_kubelet_for_us(unit: Unit, peer: Peer) -> None:
    unit.write_unit("kubelet.service", STUB)
    unit.enable(UNIT, "kubelet.service")
    machine = unit.machine
    machine.boot()
    machine.wait("StatusText", NOT_CONNECTED)
    assert machine.show("ActiveState") == "activating"
    assert machine.show("ActiveState", "kubelet.service") == "inactive"
    peer.start()
    machine.wait("ActiveState", "active")
    machine.wait("StatusText", "ready")
    machine.wait("ActiveState", "active", "kubelet.service")
    assert 0 < activated(unit, UNIT) <= activated(unit, "kubelet.service")
    assert peer.create().paths() == [HOOK]


def test_a_runtime_that_goes_is_the_status(running: Unit, peer: Peer) -> None:
    machine = running.machine
    machine.wait("StatusText", "ready")
    pid = machine.show("MainPID")
    peer.stop()
    machine.wait("StatusText", NOT_CONNECTED)
    assert (machine.show("ActiveState"), machine.show("MainPID")) == ("active", pid)
    peer.restart()
    peer.wait(plugins=1, timeout=90)
    machine.wait("StatusText", "ready")
    assert machine.show("NRestarts") == "0"


@pytest.mark.parametrize("name,version", [("containerd", "2.3.4"), ("crio", "1.36.3")])
def test_with_a_real_runtime(host: Host, installed: Path, name: str, version: str) -> None:
    """A real runtime: what is wrong, and what becomes of us when it restarts, crashes, stops, starts."""
    unit = Unit(Machine(host, installed))
    unit.write_set("one")
    install = {"containerd": unit.install_containerd, "crio": unit.install_crio}
    install[name](version)
    unit.enable(f"{name}.service", UNIT)
    machine = unit.machine
    machine.boot()
    machine.wait("StatusText", "ready")
    assert activated(unit, f"{name}.service") <= activated(unit, UNIT)
    report = json.loads(machine.run("grapnel", "doctor", "-o", "json"))
    errors = [finding for finding in report["findings"] if finding["level"] == "error"]
    assert errors == [] and report["runtime"]["version"].removeprefix("v") == version

    for command in (f"systemctl restart {name}",
                    f"kill -KILL $(systemctl show --value --property MainPID {name})"):  # fmt: skip
        before = machine.show("InvocationID")
        machine.run("sh", "-c", command)
        until(lambda: machine.show("InvocationID") not in ("", before), "it was started anew")
        machine.wait("ActiveState", "active")
        machine.wait("StatusText", "ready")
    machine.run("systemctl", "stop", name)
    machine.wait("ActiveState", "inactive")
    machine.run("systemctl", "start", name)
    machine.wait("ActiveState", "active")
    machine.wait("StatusText", "ready")


def ended_and_came_back(unit: Unit, peer: Peer, before: str) -> None:
    """systemd has started it once more, and it is in the runtime's list and adds hooks."""
    unit.machine.wait("NRestarts", "1")
    unit.machine.wait("StatusText", "ready")
    assert unit.machine.show("MainPID") != before
    # The library notices a plugin that died when it next asks it.
    until(lambda: peer.create().paths() == [HOOK], "containers have hooks again",
          detail=unit.machine.describe)  # fmt: skip


def test_the_watchdog_ends_one_that_hangs(unit: Unit, peer: Peer) -> None:
    unit.write_unit(f"{UNIT}.d/quick.conf", "[Service]\nWatchdogSec=2\n")
    peer.start()
    unit.start()
    machine = unit.machine
    machine.wait("StatusText", "ready")
    before, pid = machine.show("MainPID"), machine.main_pid()
    os.kill(pid, signal.SIGSTOP)
    ended_and_came_back(unit, peer, before)
    machine.until_logged("Watchdog timeout")


def test_one_that_is_fed_is_left_alone(unit: Unit, peer: Peer) -> None:
    """Four times as long as the watchdog waits."""
    unit.write_unit(f"{UNIT}.d/quick.conf", "[Service]\nWatchdogSec=1\n")
    peer.start()
    unit.start()
    machine = unit.machine
    first = machine.show("WatchdogTimestampMonotonic")
    until(lambda: int(machine.show("WatchdogTimestampMonotonic")) > int(first) + 4_000_000, "fed")
    assert machine.show("NRestarts") == "0"


def test_killed_it_comes_back_with_what_was_paused(running: Unit, peer: Peer) -> None:
    running.write_set("two")
    until(lambda: len(peer.create().paths()) == 2, "both sets are in force")
    machine = running.machine
    machine.run("grapnel", "pause", "two", "--for", "1h")
    before = machine.show("MainPID")
    os.kill(machine.main_pid(), signal.SIGKILL)
    ended_and_came_back(running, peer, before)


def test_a_clean_stop(running: Unit, peer: Peer) -> None:
    machine = running.machine
    assert peer.create().paths() == [HOOK]
    machine.run("systemctl", "stop", UNIT)
    shown = {name: machine.show(name) for name in ("ActiveState", "Result", "ExecMainStatus",
                                                   "NRestarts")}  # fmt: skip
    assert shown == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0",
                     "NRestarts": "0"}  # fmt: skip
    machine.until_logged("msg=ending", "signal=Terminated")
    run = machine.root / "run/grapnel"
    assert not (run / "control.sock").exists()
    assert '"outcome":"injected"' in (run / "decisions").read_text(), "the journal outlives a stop"
    assert peer.create().paths() == []


PRIORITIES = {"error": "3", "warning": "4", "info": "6", "debug": "7"}


def test_lines_have_their_priority_in_the_journal(unit: Unit, peer: Peer) -> None:
    unit.write_settings(logLevel="debug")
    unit.write_set("bad")
    bad = unit.etc / "hooks.d/bad.yaml"
    bad.write_text(bad.read_text().replace("match:", "mach:"))
    peer.start()
    unit.start()
    machine = unit.machine
    machine.run("grapnel", "pause", "one", "--for", "1h")
    for level in PRIORITIES:
        machine.until_logged(f"level={level}")
    for entry in machine.journal():
        if entry.get("SYSLOG_IDENTIFIER") != "grapnel":
            continue
        level, _, rest = entry["MESSAGE"].removeprefix("level=").partition(" ")
        assert entry["PRIORITY"] == PRIORITIES[level], entry
        assert rest.startswith("msg="), "no time of its own"


def test_a_bad_settings_file_is_said_and_mended(unit: Unit, peer: Peer) -> None:
    unit.write_settings(logLevell="info")
    peer.start()
    unit.start()
    machine = unit.machine
    machine.wait("StatusText", "a source of settings has an error")
    machine.until_logged("level=error", "did you mean", "file=/etc/grapnel/config.yaml line=4")
    assert peer.create().paths() == [HOOK], "with the defaults, since no text was ever accepted"
    unit.write_settings(logLevel="info")
    machine.wait("StatusText", "ready")
    assert machine.show("NRestarts") == "0"


def test_a_restart_beside_a_bad_settings_file(unit: Unit, peer: Peer) -> None:
    """What was accepted last is in force, with all that it requires, until the file is mended or removed."""
    unit.write_settings(requiredSets="[absent]")
    peer.start()
    unit.start()
    machine = unit.machine
    machine.wait("StatusText", "ready")
    unit.write_settings(requiredSets="[absent]", logLevell="info")
    machine.wait("StatusText", "a source of settings has an error")
    for _ in range(2):
        machine.run("systemctl", "restart", "grapnel")
        machine.wait("StatusText", "a source of settings has an error")
        peer.wait(plugins=1)
        with pytest.raises(PeerError, match="the required HookSet absent is not in force"):
            peer.create()
    assert "accepted at" in machine.run("sh", "-c", "grapnel status || test $? = 1")
    (unit.etc / "config.yaml").unlink()
    machine.wait("StatusText", "ready")
    assert peer.create().paths() == [HOOK]


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.host import Host
from harness.machine import Machine
machine = Machine(Host(), Path(sys.argv[1]))
machine.boot()
print(machine.host.path, machine.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nothing_is_left_of_a_run_that_was_killed(installed: Path) -> None:
    """The test run is killed while a machine is up: all of it is gone a moment later."""
    done = subprocess.run([sys.executable, "-Bc", KILLED, str(installed)], cwd=cache.E2E, check=False,
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    folder, pid = done.stdout.split()
    cgroups = [top / f"grapnel-e2e-{Path(folder).name}" for top in CGROUP_ROOT.glob("*")]
    left = [Path(folder), Path(f"/proc/{pid}"), *cgroups]
    until(lambda: not any(path.exists() for path in left), f"none of {left} is there")
