# SPDX-License-Identifier: Apache-2.0
"""Child processes with a log file, ended by their own pid."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from .wait import DEFAULT_TIMEOUT_S, tail, until


def children_of(pid: int) -> list[int]:
    """The child processes of a process, by pid; none when it has ended.

    Linux keeps them by the thread that made them, which in a program in Go may be any.
    """
    found: list[int] = []
    for task in Path("/proc").glob(f"{pid}/task/*"):
        with suppress(OSError):  # it may end meanwhile
            found += map(int, (task / "children").read_text().split())
    return found


def _state_of(pid: int) -> str:
    """One letter, as in /proc/PID/stat; the name before it may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class Process:
    """One long-running program; its output goes to a log file that failure messages quote."""

    def __init__(
        self, argv: list[str], log: Path, env: dict[str, str] | None = None, entered: bool = False
    ):
        """Starts argv; `entered` says that it begins with nsenter (see Host.inside)."""
        self.log = log
        self.name = Path(argv[argv.index("--") + 1 if entered else 0]).name
        with log.open("ab") as out:
            self._child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env
            )
        self._entered = entered

    @property
    def pid(self) -> int:
        """The pid of the program itself, as the outer pid namespace sees it."""
        if not self._entered:
            return self._child.pid
        pid = until(lambda: self._inner_pid() or not self.running(), f"{self.name} has started",
                    detail=self.describe)  # fmt: skip
        if pid is True:
            raise ProcessLookupError(self.describe())
        return pid

    def _inner_pid(self) -> int | None:
        """nsenter stays outside and forks: the program is its only child."""
        return next(iter(children_of(self._child.pid)), None)

    def running(self) -> bool:
        return self._child.poll() is None

    def send(self, sig: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it may end meanwhile
            if self.running():
                os.kill(self.pid, sig)

    def pause(self) -> None:
        """Stops the program until it is resumed; nsenter stops with it."""
        self.send(signal.SIGSTOP)
        until(lambda: _state_of(self._child.pid) == "T", f"{self.name} is stopped")

    def resume(self) -> None:
        """Lets it go on; nsenter passes that on."""
        os.kill(self._child.pid, signal.SIGCONT)

    def wait(self, timeout: float = DEFAULT_TIMEOUT_S) -> int:
        """The exit status; fails the test when the program does not end."""
        until(lambda: not self.running(), f"{self.name} has ended", timeout, self.describe)
        return self._child.returncode

    def kill(self) -> None:
        """Ends the program at once, as a crash or the OOM killer would."""
        self.send(signal.SIGKILL)
        self.wait()

    def terminate(self, timeout: float = 10) -> None:
        """Asks the program to end and insists when it does not."""
        self.send(signal.SIGTERM)
        try:
            self.wait(timeout)
        except AssertionError:
            self.kill()

    def describe(self) -> str:
        """What a failure message should show of this process."""
        state = "running" if self.running() else f"ended with status {self._child.returncode}"
        return f"{self.name} is {state}\n{tail(self.log)}"
