# SPDX-License-Identifier: Apache-2.0
"""Drives the Go peer (adaptation/): one JSON command, one JSON reply."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import cache
from harness.host import Host
from harness.procs import Process, children_of
from harness.wait import tail

STAGES = {
    "prestart": "prestart",
    "create_runtime": "createRuntime",
    "create_container": "createContainer",
    "start_container": "startContainer",
    "poststart": "poststart",
    "poststop": "poststop",
}

# Longer than any reconnect that the plugin's backoff may choose (60 s) plus a slow machine.
RECONNECT_S = 90.0

# A program that is there and that root alone can change, wherever the tests run.
ONE_HOOK = "/bin/true"


def one_hook(stage: str) -> str:
    """The spec of a set that gives every container one hook."""
    hook = f"{{path: {ONE_HOOK}, args: [hook, one]}}"
    return f"  match: {{always: true}}\n  hooks:\n    {stage}: [{hook}]\n"


# The pod of a container, where a test does not say otherwise.
POD = {"id": "pod0", "name": "pod", "uid": "uid", "namespace": "default"}


class PeerError(Exception):
    """The peer's answer was an error; for `create` that is what would reach kubelet."""


@dataclass(frozen=True)
class Hook:
    """One hook as it came over the wire; timeout None: the field was absent, 0: it was zero."""

    path: str
    args: list[str]
    env: list[str]
    timeout: int | None


@dataclass(frozen=True)
class Adjustment:
    """What all plugins together asked for."""

    hooks: dict[str, list[Hook]]
    size_bytes: int
    raw: dict[str, Any] = field(repr=False)

    def paths(self, stage: str = "createRuntime") -> list[str]:
        return [hook.path for hook in self.hooks.get(stage, [])]


def _hook(raw: dict[str, Any]) -> Hook:
    timeout = raw.get("timeout")
    # protojson leaves a zero value out of the message, but not the message.
    seconds = None if timeout is None else int(timeout.get("value", 0))
    return Hook(raw.get("path", ""), raw.get("args", []), raw.get("env", []), seconds)


def _adjustment(reply: dict[str, Any]) -> Adjustment:
    raw = reply["adjust"] or {}
    hooks = {
        STAGES[stage]: [_hook(hook) for hook in hooks]
        for stage, hooks in raw.get("hooks", {}).items()
    }
    return Adjustment(hooks, reply["bytes"], raw)


class Peer:
    """The runtime side. Use as a context manager; start() brings the library up."""

    def __init__(
        self, host: Host, program: Path, name: str = "containerd", version: str = "v2.1.4"
    ):
        self.socket = host.path / "nri" / "nri.sock"
        self.plugin_dir = host.path / "plugins"
        self.config_dir = host.path / "conf.d"
        for folder in (self.socket.parent, self.plugin_dir, self.config_dir):
            folder.mkdir(mode=0o755)
        self.log = host.path / "peer.log"
        self._argv = [str(program), "--name", name, "--version", version,
                      "--socket", str(self.socket), "--plugin-path", str(self.plugin_dir),
                      "--plugin-config-path", str(self.config_dir)]  # fmt: skip
        self._host = host
        self._child = self._spawn()
        self._buffer = b""

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._host.inside(self._argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        """The process that entered the host's namespaces; the peer is its child."""
        return self._child.pid

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        """Closes the pipes; the process ends with its input, or is made to."""
        assert self._child.stdin and self._child.stdout
        self._child.stdin.close()
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()

    def call(self, cmd: str, timeout: float = 60, **fields: Any) -> dict[str, Any]:
        """Sends one command and returns the reply; an error reply becomes a PeerError."""
        assert self._child.stdin
        self._child.stdin.write(json.dumps({"cmd": cmd, **fields}).encode() + b"\n")
        self._child.stdin.flush()
        reply: dict[str, Any] = json.loads(self._line(cmd, timeout))
        if not reply["ok"]:
            raise PeerError(reply["error"])
        return reply

    def _line(self, cmd: str, timeout: float) -> bytes:
        assert self._child.stdout
        end = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            ready, _, _ = select.select(
                [self._child.stdout], [], [], max(0, end - time.monotonic())
            )
            chunk = os.read(self._child.stdout.fileno(), 1 << 20) if ready else b""
            if not chunk:
                raise AssertionError(f"no answer to {cmd!r}\n{self.describe()}")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def start(self) -> None:
        """Brings the runtime side up, launched plugins included."""
        self.call("start")

    def stop(self) -> None:
        """A clean end: launched plugins are killed, external ones lose their connection."""
        self.call("stop")
        self._end()

    def crash(self) -> None:
        """SIGKILL: plugins of both kinds see the end of their connection, and nobody ends them."""
        for pid in children_of(self._child.pid):
            os.kill(pid, signal.SIGKILL)
        self._end()

    def rename(self, name: str) -> None:
        """Before the start, or a restart: what plugins are told that the runtime is."""
        self._argv[self._argv.index("--name") + 1] = name

    def restart(self, running: list[dict[str, Any]] | None = None) -> None:
        """A new runtime after stop() or crash(), with a new socket under the same name."""
        self._child, self._buffer = self._spawn(), b""
        if running is not None:
            self.tell(running)
        self.start()

    def tell(self, running: list[dict[str, Any]]) -> None:
        """What the next plugins are told at Synchronize: these containers, in one pod."""
        containers = [{"pod_sandbox_id": "pod0", "name": "main"} | container for container in running]
        self.call("state", pod_list=[POD], container_list=containers)

    def wait(self, plugins: int, timeout: float = 30, syncs: int = 0) -> list[str]:
        """Waits for so many registered and synchronized plugins; their names in calling order."""
        try:
            reply = self.call(
                "wait", timeout + 10, plugins=plugins, syncs=syncs, timeout_ms=int(timeout * 1000)
            )
        except PeerError as e:
            raise AssertionError(f"{e}\n{self.describe()}") from e
        return list(reply["plugins"])

    def create(
        self, container: dict[str, Any] | None = None, pod: dict[str, Any] | None = None
    ) -> Adjustment:
        """Asks the plugins about one container; fields not given are those of an ordinary one."""
        full_pod = POD | (pod or {})
        full = {"id": "ctr0", "pod_sandbox_id": "pod0", "name": "main"} | (container or {})
        return _adjustment(self.call("create", pod=full_pod, container=full))

    def describe(self) -> str:
        """What a failure message should show."""
        return tail(self.log)


@dataclass
class Setup:
    """A peer, the host it lives in and the NRI version it was built with."""

    host: Host
    peer: Peer
    version: str

    def external(
        self,
        folder: Path,
        index: str = "10",
        name: str = "grapnel",
        settings: str = "",
        env: dict[str, str] | None = None,
        control: Path | None = None,
    ) -> Process:
        """
        Starts Grapnel as a process of its own; the caller waits for its registration. It runs in the
        tightest sandbox, so that whatever the tests make it do is shown to be allowed there.
        """
        config = self.host.path / f"config-{index}-{name}.yaml"
        config.write_text(
            "apiVersion: grapnel/v1beta1\nkind: Config\nspec:\n"
            + ("" if "sandbox:" in settings else "  sandbox: Full\n")
            + settings
        )
        args = ["--hooks-dir", str(folder), "--config", str(config)]
        args += ["--control", str(control)] if control else []
        return self.run(cache.grapnel(), ["plugin"], args, index, name, env)

    def go_plugin(self, hook: str, index: str, name: str) -> Process:
        """Starts another party's plugin, which adds one createRuntime hook to every container."""
        program = cache.fetched("go-injector") / "go-injector"
        return self.run(program, [], ["--hook", f"createRuntime={hook}"], index, name)

    def run(
        self,
        program: Path,
        verb: list[str],
        args: list[str],
        index: str,
        name: str,
        env: dict[str, str] | None = None,
    ) -> Process:
        argv = [
            str(program),
            *verb,
            "--socket",
            str(self.peer.socket),
            "--index",
            index,
            "--name",
            name,
        ]
        return self.host.start(argv + args, f"plugin-{index}-{name}.log", env)

    def launched(
        self, folder: Path, index: str = "10", name: str = "grapnel", control: Path | None = None
    ) -> None:
        """Installs Grapnel for the next start of the runtime side."""
        full = f"{index}-{name}"
        os.symlink(cache.grapnel(), self.peer.plugin_dir / full)
        socket = f", controlSocket: {control}" if control else ""
        spec = f"{{hooksDirs: [{folder}], lastGoodDir: none{socket}}}"
        config = f"apiVersion: grapnel/v1beta1\nkind: Config\nspec: {spec}\n"
        (self.peer.config_dir / f"{full}.conf").write_text(config)
