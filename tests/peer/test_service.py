# SPDX-License-Identifier: Apache-2.0
"""The process as a service: what it tells a service manager, what it has given up, what it audits."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from harness.procs import Process
from harness.wait import until

from peer import PeerError, Setup

pytestmark = pytest.mark.parametrize("setup", ["0.12.2"], indirect=True)

SECRET = "a-value-that-no-log-may-show"


class Manager:
    """The service manager's end of sd_notify(3)."""

    def __init__(self, path: Path):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(30)

    def close(self) -> None:
        self._socket.close()

    def next(self) -> str:
        return self._socket.recv(4096).decode()

    def until(self, wanted: str) -> list[str]:
        """What was told up to and with the first text that begins so."""
        told = [self.next()]
        while not told[-1].startswith(wanted):
            told.append(self.next())
        return told

    def env(self, **more: str) -> dict[str, str]:
        return {**os.environ, "NOTIFY_SOCKET": str(self.path), **more}


@contextmanager
def _manager(path: Path) -> Iterator[Manager]:
    manager = Manager(path)
    try:
        yield manager
    finally:
        manager.close()


@pytest.fixture
def manager(setup: Setup) -> Iterator[Manager]:
    with _manager(setup.host.path / "notify") as manager:
        yield manager


def test_ready_is_told_when_the_runtime_has_synchronized(
    setup: Setup, one: Path, manager: Manager
) -> None:
    plugin = setup.external(one, env=manager.env())
    before = manager.until("STATUS=not connected")
    assert "READY=1" not in before, before
    setup.peer.start()
    setup.peer.wait(plugins=1)
    told = manager.until("STATUS=ready")
    assert told[-2] == "READY=1", told
    plugin.send(signal.SIGHUP)
    told = manager.until("READY=1")
    assert told[0].startswith("RELOADING=1\nMONOTONIC_USEC="), told
    setup.peer.stop()
    told = manager.until("STATUS=not connected")
    assert "READY=1" not in told, told
    plugin.terminate()
    assert manager.until("STOPPING=1")[-1] == "STOPPING=1"


def test_a_fault_of_the_rules_is_the_status_and_delays_nobody(
    setup: Setup, write_set: Callable[[str, str], Path], manager: Manager
) -> None:
    folder = write_set("bad", "  mach: {}\n")
    setup.peer.start()
    setup.external(folder, env=manager.env())
    manager.until("READY=1")
    assert manager.next() == "STATUS=rules have errors, or were rejected"


def test_the_watchdog_is_fed_by_the_loop(setup: Setup, one: Path, manager: Manager) -> None:
    plugin = setup.external(one, env=manager.env(WATCHDOG_USEC="200000"))
    for _ in range(3):
        manager.until("WATCHDOG=1")
    assert plugin.running()


def test_another_process_s_watchdog_is_left_alone(
    setup: Setup, one: Path, manager: Manager
) -> None:
    setup.external(one, env=manager.env(WATCHDOG_USEC="1000", WATCHDOG_PID="1"))
    setup.peer.start()
    told = manager.until("STATUS=ready")
    assert "WATCHDOG=1" not in told, told


def _statuses(plugin: Process) -> list[dict[str, str]]:
    """What the kernel tells of each thread; one that has ended meanwhile is none."""
    statuses = []
    for file in Path(f"/proc/{plugin.pid}/task").glob("*/status"):
        with suppress(FileNotFoundError, ProcessLookupError):
            lines = file.read_text().splitlines()
            statuses.append(dict(line.split(":\t", 1) for line in lines if ":\t" in line))
    return statuses


@pytest.mark.parametrize(
    "sandbox, filtered", [("Full", "2"), ("Capabilities", None), ("None", None)]
)
def test_every_thread_is_in_the_sandbox(
    setup: Setup, one: Path, sandbox: str, filtered: str | None
) -> None:
    setup.peer.start()
    plugin = setup.external(one, settings=f"  sandbox: {sandbox}\n")
    setup.peer.wait(plugins=1)
    statuses = _statuses(plugin)
    assert len(statuses) > 1, "the loader is a thread of its own"
    for status in statuses:
        none = [int(status[name], 16) == 0 for name in ("CapEff", "CapPrm", "CapBnd")]
        assert all(none) == (sandbox != "None"), status
        assert (status["NoNewPrivs"] == "1") >= (sandbox != "None")
        if filtered:
            assert status["Seccomp"] == filtered
    assert setup.peer.create().paths() != []


def _audit(setup: Setup, where: str) -> list[str]:
    """Lines of one log with level error, where only audit lines repeat what was done."""
    return [line for line in setup.host.path.joinpath(where).read_text().splitlines() if "msg=" in line]


def test_audit_lines_are_repeated_whatever_the_level(setup: Setup, one: Path) -> None:
    setup.peer.start()
    plugin = setup.external(one, settings="  logLevel: error\n  auditLog: stdout\n")
    setup.peer.wait(plugins=1)
    assert setup.peer.create().paths() != []
    lines = until(lambda: _audit(setup, plugin.log.name), "the audit has a line")
    assert len(lines) == 1, lines
    assert 'msg="hooks added"' in lines[0] and "sets=one" in lines[0], lines


def test_no_value_of_an_annotation_is_logged(
    setup: Setup, write_set: Callable[[str, str], Path]
) -> None:
    """Matching, not matching, in an error, and refused: the values stay where they are."""
    folder = write_set("given", "  match: {annotations: {a: {glob: '*'}}}\n"
                       "  hooks: {createRuntime: [{path: /bin/true, args: [hook, '{{annotation \"a\"}}']}]}\n")
    write_set("other", "  match: {annotations: {a: other}}\n"
              "  hooks: {createRuntime: [{path: /bin/true}]}\n")
    write_set("error", "  failurePolicy: Ignore\n  match: {annotations: {a: {exists: true}}}\n"
              "  hooks: {createRuntime: [{path: /bin/true, args: [hook, '{{annotation \"b\"}}']}]}\n")
    setup.peer.start()
    plugin = setup.external(folder, settings="  auditLog: stdout\n")
    setup.peer.wait(plugins=1)
    pod = {"annotations": {"a": SECRET, "b": f"{SECRET}\n"}}
    try:
        setup.peer.create(pod=pod)
    except PeerError as error:
        assert SECRET not in str(error)
    text = until(lambda: "hook set" in plugin.log.read_text() and plugin.log.read_text(), "logged")
    assert SECRET not in text


def test_sigusr1_tells_how_it_is(setup: Setup, one: Path) -> None:
    setup.peer.start()
    plugin = setup.external(one)
    setup.peer.wait(plugins=1)
    plugin.send(signal.SIGUSR1)
    line = until(
        lambda: [one for one in plugin.log.read_text().splitlines() if "msg=state" in one],
        "the state was logged",
    )[0]
    assert "ready=yes" in line and "session=ready" in line and "sets=1" in line, line
