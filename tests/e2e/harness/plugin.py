# SPDX-License-Identifier: Apache-2.0
"""The two ways a plugin comes to a runtime."""

from __future__ import annotations

import os
import signal
from abc import ABC, abstractmethod
from pathlib import Path

from .procs import Process
from .runtime import Runtime
from .wait import until

INDEX = "10"
NAME = "grapnel"
FULL_NAME = f"{INDEX}-{NAME}"


class Plugin(ABC):
    """One plugin for one runtime."""

    mode: str
    # What the runtime logs when the plugin is in its event list, as a regular expression.
    _registered: str

    def __init__(self, runtime: Runtime, index: str = INDEX):
        self.runtime = runtime
        self.full_name = f"{index}-{NAME}"

    @abstractmethod
    def start(self) -> None:
        """Brings the plugin up; returns when the runtime has registered and synchronized it."""

    @abstractmethod
    def kill(self) -> None:
        """Ends the plugin process as a crash would."""

    @abstractmethod
    def stop(self) -> None:
        """Ends the plugin as an administrator does."""

    @abstractmethod
    def restore(self) -> None:
        """What an administrator's node does after the plugin has died, until it is back."""

    @abstractmethod
    def runtime_restarted(self, offset: int) -> None:
        """Returns when the plugin is back in a restarted runtime; offset: its log before that."""

    @abstractmethod
    def describe(self) -> str:
        """What a failure message should show."""

    def _wait_registered(self, offset: int, timeout: float = 60) -> None:
        """Reads it from the runtime's log: CRI has no call that lists plugins."""
        # A quote is a quote or, where the log quotes the message, \".
        pattern = self._registered.replace("NAME", rf'\\?"{self.full_name}\\?"')

        def registered() -> bool:
            self._alive()
            return self.runtime.logged_since(offset, pattern)

        until(registered, f"{self.full_name} is registered", timeout, self.describe)

    def _alive(self) -> None:
        """Fails the test at once when waiting any longer is in vain."""


class External(Plugin):
    """A process of its own that connects to the NRI socket, as from a DaemonSet or a unit."""

    mode = "external"
    _registered = "plugin NAME connected"

    def __init__(self, runtime: Runtime, program: Path, args: list[str], index: str = INDEX):
        super().__init__(runtime, index)
        self._argv = [str(program), "plugin", "--socket", str(runtime.nri_socket), "--index", index,
                      "--name", NAME, *args]  # fmt: skip
        self.process: Process | None = None

    def start(self) -> None:
        offset = self.runtime.log_offset()
        self.process = self.runtime.host.start(self._argv, "plugin.log")
        self._wait_registered(offset)

    def kill(self) -> None:
        assert self.process
        self.process.kill()

    def stop(self) -> None:
        if self.process:
            self.process.terminate()

    def restore(self) -> None:
        self.start()

    def runtime_restarted(self, offset: int) -> None:
        """Nobody starts it again: it must have stayed and connected again by itself.

        Its own backoff after a short session is 5 to 60 s, so this may take a while.
        """
        self._wait_registered(offset, timeout=90)

    def _alive(self) -> None:
        assert self.process and self.process.running(), self.describe()

    def describe(self) -> str:
        own = self.process.describe() if self.process else "the plugin was never started"
        return own + "\n" + self.runtime.describe()


class Launched(Plugin):
    """Started by the runtime from its plugin folder: three variables, no arguments, fd 3."""

    mode = "launched"
    # Up to NRI 0.6.1 there is no Synchronize for launched plugins and nothing later to see.
    _registered = "(plugin NAME synchronization success|registered as NAME)"

    def __init__(self, runtime: Runtime, program: Path, config: str | None):
        super().__init__(runtime)
        self._program = program
        self._config = config

    def start(self) -> None:
        """Installs the plugin and restarts the runtime, which reads the folder at its start."""
        os.symlink(self._program, self.runtime.plugin_dir / FULL_NAME)
        if self._config is not None:
            (self.runtime.plugin_config_dir / f"{FULL_NAME}.conf").write_text(self._config)
        self.restore()

    def pid(self) -> int | None:
        """The process that serves this runtime now; other hosts may have one of their own."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and self._is_ours(entry):
                return int(entry.name)
        return None

    def _is_ours(self, entry: Path) -> bool:
        try:
            argv0 = (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
            env = (entry / "environ").read_bytes()
            namespace = os.readlink(entry / "ns" / "pid")
        except OSError:
            return False
        ours = os.readlink(f"/proc/{self.runtime.host.pid}/ns/pid")
        return bool(argv0) and b"NRI_PLUGIN_SOCKET=" in env and namespace == ours

    def kill(self) -> None:
        pid = until(self.pid, "the launched plugin is running", detail=self.describe)
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.pid() != pid, "the launched plugin has ended", detail=self.describe)

    def stop(self) -> None:
        """Takes it out of the folder; what the runtime has launched ends with it."""
        (self.runtime.plugin_dir / FULL_NAME).unlink(missing_ok=True)
        (self.runtime.plugin_config_dir / f"{FULL_NAME}.conf").unlink(missing_ok=True)
        self.runtime.stop()
        self.runtime.start()

    def restore(self) -> None:
        """NRI never starts a launched plugin again; only a restart of the runtime does."""
        self.runtime.stop()
        offset = self.runtime.log_offset()
        self.runtime.start()
        self._wait_registered(offset)

    def runtime_restarted(self, offset: int) -> None:
        self._wait_registered(offset)

    def describe(self) -> str:
        return self.runtime.describe()
