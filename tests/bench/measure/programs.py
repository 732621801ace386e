# SPDX-License-Identifier: Apache-2.0
"""The processes: NRI's runtime side, and the plugins under measurement. Each is ended by its pid."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

# Longer than any answer here: the Go injector compiles its patterns anew for each container.
REQUEST_TIMEOUT = "60s"

START_LIMIT_S = 60

_FETCH = Path(__file__).resolve().parents[2] / "e2e/fetch"

# A plugin must not outlive a bench that is killed: an external Grapnel would go on reconnecting.
_GUARD = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


class BenchError(Exception):
    """A program did not do what the bench needs; the text is for the person who runs it."""


def fetched(name: str) -> Path:
    """The folder of one item of tests/e2e/fetch, built first if it is not there."""
    run = subprocess.run([str(_FETCH), name], stdout=subprocess.PIPE, text=True, check=True)
    return Path(run.stdout.split()[1])


class Process:
    """One child with a log file. bare: without the guard, which is one more exec at its start."""

    def __init__(self, argv: list[str], log: Path, bare: bool = False, pipes: bool = False):
        self.log = log
        stdin, stdout = (subprocess.PIPE, subprocess.PIPE) if pipes else (subprocess.DEVNULL, None)
        with log.open("ab") as out:
            self.child = subprocess.Popen(
                argv if bare else [*_GUARD, *argv], stdin=stdin, stdout=stdout or out, stderr=out
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Asks, then insists."""
        if self.child.poll() is not None:
            return
        self.child.terminate()
        try:
            self.child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def memory_kib(self) -> dict[str, int]:
        """VmRSS, RssAnon and VmHWM, as the kernel counts them."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        found = re.findall(r"^(VmRSS|RssAnon|VmHWM):\s+(\d+) kB$", status, re.MULTILINE)
        return {name: int(value) for name, value in found}

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def forget_peak(self) -> None:
        """VmHWM counts from now on."""
        Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")


class Runtime:
    """NRI's runtime side: the adaptation library, driven by JSON lines. A context manager."""

    def __init__(self, program: Path, folder: Path):
        folder.mkdir(mode=0o755)
        self.socket = folder / "nri.sock"
        for name in ("plugins", "conf.d"):
            (folder / name).mkdir(mode=0o755)
        argv = [str(program), "--socket", str(self.socket), "--plugin-path", str(folder / "plugins"),
                "--plugin-config-path", str(folder / "conf.d"), "--request-timeout", REQUEST_TIMEOUT]  # fmt: skip
        self._process = Process(argv, folder / "runtime.log", pipes=True)

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.end()
        for pipe in (self._process.child.stdin, self._process.child.stdout):
            if pipe:
                pipe.close()

    def send(self, cmd: str, **fields: Any) -> None:
        assert self._process.child.stdin
        self._process.child.stdin.write(json.dumps({"cmd": cmd, **fields}).encode() + b"\n")
        self._process.child.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next reply; the bench's own time limit ends a wait for one that never comes."""
        assert self._process.child.stdout
        line = self._process.child.stdout.readline()
        if not line:
            raise BenchError(f"the runtime side has ended:\n{self._process.tail()}")
        reply: dict[str, Any] = json.loads(line)
        if not reply["ok"]:
            raise BenchError(f"{reply['error']}\n{self._process.tail()}")
        return reply

    def call(self, cmd: str, **fields: Any) -> dict[str, Any]:
        self.send(cmd, **fields)
        return self.receive()

    def wait_gone(self) -> None:
        """Until no plugin is in the runtime's list."""
        self.call("wait", plugins=0, timeout_ms=10_000)

    def wait_for(self, plugin: Process) -> None:
        """Until the plugin is registered, synchronized and in the runtime's list."""
        for _ in range(START_LIMIT_S):
            if plugin.child.poll() is not None:
                break
            try:
                self.call("wait", plugins=1, timeout_ms=1000)
                return
            except BenchError:
                continue
        raise BenchError(f"not registered: {plugin.child.args}\n{plugin.tail()}")


@dataclass(frozen=True)
class Plugin:
    """How to start one program under measurement."""

    name: str
    program: Path
    args: list[str] = field(default_factory=list)

    def start(self, runtime: Runtime, log: Path, bare: bool = False) -> Process:
        argv = [str(self.program), "plugin", "--socket", str(runtime.socket), "--index", "10", "--name", "bench"]
        return Process(argv + self.args, log, bare)


class Pair:
    """A plugin and a runtime side of its own, both up and registered. A context manager."""

    def __init__(self, plugin: Plugin, adaptation: Path, folder: Path, pods: int = 0):
        self.plugin, self.log = plugin, folder / "plugin.log"
        self._stack = ExitStack()
        try:
            self.runtime = self._stack.enter_context(Runtime(adaptation, folder))
            if pods:
                self.runtime.call("sync", pods=pods, containers_each=1, annotations=30, value_bytes=40)
            self.runtime.call("start")
            self.process = self._stack.enter_context(plugin.start(self.runtime, self.log))
            self.runtime.wait_for(self.process)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self._stack.__exit__(kind, error, trace)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.child.pid, number)

    def next_logged(self, log: BinaryIO, text: bytes, timeout_s: float = 20) -> None:
        """Reads on in the log up to the line with this text."""
        end, line = time.monotonic() + timeout_s, b""
        while time.monotonic() < end:
            line += log.readline()
            if not line.endswith(b"\n"):
                time.sleep(0.001)
            elif text in line:
                return
            else:
                line = b""
        raise BenchError(f"{self.plugin.name} has not logged {text!r}:\n{self.process.tail()}")

    def logged_since(self, offset: int, pattern: str, timeout_s: float = 20) -> re.Match[str]:
        """The first match in what the plugin has logged from offset on."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            with self.log.open("rb") as log:
                log.seek(offset)
                found = re.search(pattern, log.read().decode(errors="replace"))
            if found:
                return found
            time.sleep(0.01)
        raise BenchError(f"{self.plugin.name} has not logged {pattern!r}:\n{self.process.tail()}")
