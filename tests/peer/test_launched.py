# SPDX-License-Identifier: Apache-2.0
"""The launched process itself: how it is started, and that it ends with its runtime."""

from __future__ import annotations

import os
from pathlib import Path

from harness.procs import children_of
from harness.wait import until
from peer import ONE_HOOK, Setup


def command_line(pid: int) -> list[str]:
    """The arguments of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    except OSError:
        return []


def plugin_pid(setup: Setup) -> int:
    """The launched plugin, a child of the peer."""
    (peer,) = children_of(setup.peer.pid)
    name = str(setup.peer.plugin_dir / "10-grapnel")
    (pid,) = (pid for pid in children_of(peer) if command_line(pid)[:1] == [name])
    return pid


def test_needs_no_more_than_it_gets(setup: Setup, one: Path) -> None:
    """Three variables, no arguments, nowhere to write: all that NRI gives a launched plugin."""
    setup.launched(one)
    setup.peer.start()
    setup.peer.wait(plugins=1)
    pid = plugin_pid(setup)
    environment = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")[:-1]
    assert sorted(entry.split("=")[0] for entry in environment) == [
        "NRI_PLUGIN_IDX",
        "NRI_PLUGIN_NAME",
        "NRI_PLUGIN_SOCKET",
    ]
    assert len(command_line(pid)) == 1
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}
    assert setup.peer.create().paths() == [ONE_HOOK]


def test_ends_when_the_runtime_is_killed(setup: Setup, one: Path) -> None:
    """Nobody else ends it: copies would pile up, one per crash of the runtime."""
    setup.launched(one)
    setup.peer.start()
    setup.peer.wait(plugins=1)
    pid = plugin_pid(setup)
    setup.peer.crash()
    until(lambda: not command_line(pid), "the plugin has ended at EOF")
    setup.peer.restart()
    setup.peer.wait(plugins=1)
    assert setup.peer.create().paths() == [ONE_HOOK]
