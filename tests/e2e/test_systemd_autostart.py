# SPDX-License-Identifier: Apache-2.0
"""The unit and autostart on one machine, with a real systemd and a real containerd: from the one to
the other, and both at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness.host import Host
from harness.machine import UNIT, Machine
from harness.unit import Unit
from harness.wait import until

ENTRY = "/opt/nri/plugins/10-grapnel"
REFUSED = "setup-mode: expected that Grapnel comes to this node in no other way, found that "


class Place:
    def __init__(self, unit: Unit):
        self.unit, self.machine = unit, unit.machine

    def findings(self) -> dict[str, str]:
        """Those about what is there twice, with what was found."""
        report = json.loads(self.machine.try_run("grapnel", "doctor", "-o", "json").stdout)
        return {finding["code"]: finding["found"] for finding in report["findings"]
                if finding["check"] == "plugin directory"}  # fmt: skip

    def wait_ready(self, mode: str) -> dict[str, Any]:
        """What answers, as soon as it came so and is registered."""

        def ready() -> dict[str, Any] | None:
            done = self.machine.try_run("grapnel", "status", "-o", "json")
            status: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
            came = status.get("process", {}).get("mode")
            return status if done.returncode == 0 and came == mode else None

        return until(ready, f"a plugin that is ready, {mode}", detail=self.machine.describe)

    def refused(self, found: str) -> None:
        done = self.machine.try_run("grapnel", "setup", "autostart")
        assert done.returncode == 1 and REFUSED + found in done.stderr, done.stderr


@pytest.fixture
def place(host: Host, installed: Path) -> Place:
    unit = Unit(Machine(host, installed))
    unit.write_set("one")
    unit.install_containerd("2.3.4")
    unit.enable("containerd.service", UNIT)
    unit.machine.boot()
    unit.machine.wait("StatusText", "ready")
    return Place(unit)


def test_from_the_unit_to_autostart_and_both(place: Place) -> None:
    machine = place.machine
    status = place.wait_ready("unit")
    assert status["process"]["unit"] == UNIT and status["others"] == []
    assert place.findings() == {}
    place.refused(f"the unit {UNIT} runs: ")
    machine.run("systemctl", "stop", UNIT)
    link = f"/etc/systemd/system/containerd.service.wants/{UNIT}"
    place.refused(f"the unit {UNIT} is enabled ({link}): ")

    machine.run("systemctl", "disable", UNIT)
    assert f"{ENTRY} written" in machine.run("grapnel", "setup", "autostart")
    machine.run("systemctl", "restart", "containerd")
    status = place.wait_ready("launched")
    assert "unit" not in status["process"] and status["others"] == []
    assert place.findings() == {}

    machine.run("systemctl", "enable", UNIT)
    both = f"Grapnel comes to this node in 2 ways: the runtime launches {ENTRY}; the unit {UNIT} "
    assert place.findings() == {"two-ways": f"{both}is enabled ({link})"}
    machine.run("systemctl", "start", UNIT)
    found = place.findings()
    assert set(found) == {"two-ways", "several-processes"}
    assert found["two-ways"] == f"{both}runs"
    status = place.wait_ready("unit")  # the later one has the socket
    assert [(other["name"], other["mode"]) for other in status["others"]] == [
        ("10-grapnel", "launched")
    ]
    assert any(text.startswith("another Grapnel runs on this node, launched by the runtime")
               for text in status["problems"])  # fmt: skip

    machine.run("systemctl", "disable", "--now", UNIT)
    assert place.wait_ready("launched")["others"] == []
    assert f"{ENTRY} removed" in machine.run("grapnel", "setup", "autostart", "--undo")
    assert place.findings() == {}  # one runs still, and nothing starts another one
    machine.run("systemctl", "restart", "containerd")
    until(lambda: machine.try_run("grapnel", "probe", "live").returncode == 4, "none runs",
          detail=machine.describe)  # fmt: skip
