# SPDX-License-Identifier: Apache-2.0
"""grapnel.service on a node whose runtime does not come: READY after a minute, so the boot goes on."""

from __future__ import annotations

from harness.unit import Unit

NOT_CONNECTED = "not connected to the runtime"


def test_without_a_runtime_the_boot_goes_on(lonely: Unit) -> None:
    """After its patience it counts as started, and says that it is not connected."""
    machine = lonely.machine
    machine.wait("ActiveState", "active", timeout=120)
    assert machine.show("StatusText") == NOT_CONNECTED
    machine.wait("ActiveState", "active", "kubelet.service")
    assert machine.show("NRestarts") == "0"
    assert machine.try_run("grapnel", "probe", "ready").returncode == 1
    assert machine.try_run("grapnel", "probe", "live").returncode == 0
