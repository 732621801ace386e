# SPDX-License-Identifier: Apache-2.0
"""A private "host" for one runtime: its own mount and pid namespaces, /run and /var/lib, and where
it is asked for a network of its own.

Whatever runs in it (runtime, shims, containers, plugin) ends with it, also when the test run is
killed: its first process waits for the end of a pipe that only this process holds, and the kernel
ends a pid namespace together with its first process. Mounts go with the mount namespace. What is
left, cgroups and the folder, is removed by a janitor that waits in the same way.
"""

from __future__ import annotations

import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from .cache import E2E
from .procs import Process, children_of
from .wait import DEFAULT_TIMEOUT_S


class Cgroups(Enum):
    """How /sys/fs/cgroup looks inside; the value is the shell command that makes it so."""

    AS_IS = ":"
    # crun refuses a hybrid layout: hide the v2 half.
    V1_ONLY = "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi"
    V2_ONLY = "mount -t cgroup2 none /sys/fs/cgroup"


class Host:
    """Use as a context manager; `path` is the folder that everything lives in."""

    def __init__(
        self, cgroups: Cgroups = Cgroups.AS_IS, network: bool = False, more: Sequence[str] = ()
    ):
        """Shell commands in `more` are run inside before anything else."""
        # Short on purpose: a socket's path may have 107 bytes.
        self.path = Path(tempfile.mkdtemp(prefix="gr-"))
        self.path.chmod(0o755)
        self.cgroup_parent = f"/grapnel-e2e-{self.path.name}"
        self._processes: list[Process] = []
        # A session of its own: what interrupts the test run must not end it.
        self._janitor = subprocess.Popen(
            [sys.executable, "-Bm", "harness.janitor", str(self.path), self.cgroup_parent],
            stdin=subprocess.PIPE, cwd=E2E, start_new_session=True,
        )  # fmt: skip
        setup = [
            "mount -t tmpfs -o mode=755 tmpfs /run",
            "mkdir -p /run/lock",
            "mount -t tmpfs -o mode=755 tmpfs /var/lib",
            cgroups.value,
            *more,
            "echo ready",
            "exec cat",
        ]
        self._namespaces = ["--mount", "--pid", *(["--net"] if network else [])]
        self._init = subprocess.Popen(
            ["unshare", *self._namespaces, "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
             "sh", "-ec", "\n".join(setup)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._init.stdout and self._init.stderr
        answers = select.select([self._init.stdout], [], [], DEFAULT_TIMEOUT_S)[0]
        if not answers or self._init.stdout.readline() != "ready\n":
            self._init.kill()
            error = self._init.stderr.read()
            self.close()
            raise AssertionError(f"no private namespaces for the runtime: {error}")

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The first process inside, as seen from outside."""
        children = children_of(self._init.pid)
        assert children, "the private host has ended"
        return children[0]

    def inside(self, argv: list[str]) -> list[str]:
        """The command line that runs argv in the namespaces of this host."""
        return ["nsenter", f"--target={self.pid}", *self._namespaces, "--", *argv]

    def start(self, argv: list[str], log: str, env: dict[str, str] | None = None) -> Process:
        """Starts a program inside; it ends with this host at the latest."""
        process = Process(self.inside(argv), self.path / log, env, entered=True)
        self._processes.append(process)
        return process

    def run(self, argv: list[str], env: dict[str, str] | None = None, timeout: float = 120) -> str:
        """Runs a program inside to its end and returns its stdout; it must succeed."""
        done = subprocess.run(
            self.inside(argv), capture_output=True, text=True, env=env, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise AssertionError(
                f"{' '.join(argv)} failed ({done.returncode}):\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def close(self) -> None:
        """Ends everything inside and removes what it left; safe to call twice."""
        if self._init.stdin and not self._init.stdin.closed:
            self._init.stdin.close()
        try:
            self._init.wait(timeout=60)
        finally:
            for process in self._processes:
                process.wait()
            for stream in (self._init.stdout, self._init.stderr):
                if stream:
                    stream.close()
            self._janitor.communicate(timeout=DEFAULT_TIMEOUT_S)
        assert self._janitor.returncode == 0, f"something of {self.path} is left"
