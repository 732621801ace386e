# SPDX-License-Identifier: Apache-2.0
"""Hosts for doctor: a folder that looks like a node's /, in which a test makes one thing wrong.

Everything in it is what a real node has: configuration as packages write it, a program with a Go
build record, records of processes, sockets. A host that nothing was done to is in order.
"""
from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

F_OFD_SETLK = 37  # Python names it from 3.9 on where the C library does
CONTAINERD_TABLE = '[plugins."io.containerd.nri.v1.nri"]'
RULE = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {name: one}
spec:
  match: {always: true}
  hooks:
    createRuntime: [{path: /opt/hooks/first}]
"""
STATUS = {
    "ok": True, "ready": True, "problems": [],
    "connection": {"state": "ready", "launched": False, "socket": "/run/nri/nri.sock",
                   "name": "grapnel", "index": "10", "synchronized": True}}


def varint(n: int) -> bytes:
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def go_program(lines: list[str]) -> bytes:
    """An ELF file with nothing but Go's build record, as debug/buildinfo describes it."""
    text = ("0" * 16 + "\n".join(lines) + "\n" + "1" * 16).encode()
    version = b"go1.24.0"
    record = b"\xff Go buildinf:" + bytes([8, 2]) + bytes(16)
    record += varint(len(version)) + version + varint(len(text)) + text
    names = b"\0.shstrtab\0.go.buildinfo\0"
    at = 64
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0, 0,
                       at + len(record) + len(names), 0, 64, 0, 0, 64, 3, 1)

    def section(name: int, offset: int, size: int) -> bytes:
        return struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, offset, size, 0, 0, 1, 0)

    table = section(0, 0, 0) + section(1, at + len(record), len(names)) + section(11, at, len(record))
    return head + record + names + table


def containerd(version: str = "v2.1.4", nri: str = "v0.8.0") -> bytes:
    module = "github.com/containerd/containerd" + ("" if version.startswith("v1.") else "/v2")
    return go_program([f"path\t{module}/cmd/containerd", f"mod\t{module}\t{version}\th1:x=",
                       f"dep\tgithub.com/containerd/nri\t{nri}\th1:x="])


def crio(version: str = "v1.35.0", nri: str = "v0.11.0") -> bytes:
    return go_program(["path\tgithub.com/cri-o/cri-o/cmd/crio",
                       f"mod\tgithub.com/cri-o/cri-o\t{version}\th1:x=",
                       f"dep\tgithub.com/containerd/nri\t{nri}\th1:x="])


@dataclass
class DoctorHost:
    """runtime: "containerd" or "crio"."""

    program: str
    home: Path
    runtime: str = "containerd"
    args: list[object] = field(default_factory=list)  # more, for every run
    settings: str = ""  # more lines below spec
    closing: list = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.home / "host"

    @property
    def rules(self) -> Path:
        return self.home / "hooks.d"

    @property
    def run_dir(self) -> Path:
        return self.home / "run"

    @property
    def control(self) -> Path:
        return self.run_dir / "control.sock"

    def path(self, name: str) -> Path:
        """The place of a path of the host; its folder is made."""
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, text: str | bytes, mode: int = 0o644) -> Path:
        path = self.path(name)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    def remove(self, name: str) -> None:
        path = self.root / name.lstrip("/")
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def process(self, pid: int, *argv: str, exe: str | None = None, started: int = 1,
                parent: int = 1, group: str | None = None) -> None:
        """A record in /proc; started: seconds after the host's start; group: its control group."""
        self.write(f"/proc/{pid}/cmdline", "\0".join(argv) + "\0")
        ticks = started * os.sysconf("SC_CLK_TCK")
        self.write(f"/proc/{pid}/stat", f"{pid} (a name) S {parent}" + " 0" * 17 + f" {ticks} 0\n")
        if group is not None:
            self.write(f"/proc/{pid}/cgroup", f"0::{group}\n")
        link = self.path(f"/proc/{pid}/exe")
        link.unlink(missing_ok=True)
        link.symlink_to(exe or argv[0])

    def copy_process(self, pid: int) -> None:
        """The record of a process that really runs."""
        for name in ("cmdline", "stat"):
            self.write(f"/proc/{pid}/{name}", Path(f"/proc/{pid}/{name}").read_bytes())
        self.path(f"/proc/{pid}/exe").symlink_to(os.readlink(f"/proc/{pid}/exe"))

    def instance(self, mode: str, name: str = "10-grapnel", unit: str = "-", pid: int = 1,
                 folder: Path | None = None) -> None:
        """One that tells of itself in the run directory, as long as this test has the file open."""
        fd = os.open((folder or self.run_dir) / "instances", os.O_RDWR | os.O_CREAT, 0o600)
        self.files.append(fd)
        line = f"grapnel-instance-1 {mode} {pid} 1800000000 {name} 0.1.0 {unit}\n".encode()
        at = 512 * (len(self.files) - 1)
        os.pwrite(fd, line.ljust(512, b"\0"), at)
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, at, 512, 0)
        fcntl.fcntl(fd, F_OFD_SETLK, lock)

    def enable(self, unit: str = "grapnel.service",
               by: str = "/etc/systemd/system/multi-user.target.wants") -> None:
        self.write(f"/lib/systemd/system/{unit}", "[Service]\n")
        self.path(f"{by}/{unit}").symlink_to(f"/lib/systemd/system/{unit}")

    def listen(self, name: str = "/run/nri/nri.sock") -> socket.socket:
        """A socket where somebody listens."""
        path = self.path(name)
        server = socket.socket(socket.AF_UNIX)
        folder = os.open(path.parent, os.O_RDONLY)
        try:  # the path may be longer than an address
            server.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        server.listen()
        self.closing.append(server)
        return server

    def answer(self, status: dict) -> None:
        """What the plugin says on its control socket."""
        server = socket.socket(socket.AF_UNIX)
        self.control.unlink(missing_ok=True)
        server.bind(str(self.control))
        server.listen()
        self.closing.append(server)

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    assert client.recv(65536).endswith(b"\n")
                    client.sendall(json.dumps(status).encode() + b"\n")

        threading.Thread(target=serve, daemon=True).start()

    @staticmethod
    def stop(server: socket.socket) -> None:
        """Ends the listening also for a thread that waits in it; the socket's file stays."""
        server.shutdown(socket.SHUT_RDWR)
        server.close()

    def close(self) -> None:
        for server in self.closing:
            self.stop(server)
        for fd in self.files:
            os.close(fd)

    def build(self) -> None:
        """A node that is in order."""
        self.root.mkdir(mode=0o755)
        self.rules.mkdir(mode=0o755)
        self.run_dir.mkdir(mode=0o755)
        self.write("/opt/hooks/first", "#!/bin/sh\n", 0o755)
        self.write("/bin/sh", go_program(["path\tsh"]), 0o755)
        self.write("/proc/stat", "cpu 1\nbtime 4000000000\n")
        self.write("/proc/sys/fs/inotify/max_user_instances", "128\n")
        self.write("/proc/sys/fs/inotify/max_user_watches", "8192\n")
        self.path("/var/run").symlink_to("../run")
        if self.runtime == "crio":
            self.write("/usr/bin/crio", crio(), 0o755)
            self.write("/etc/crio/crio.conf", "[crio]\n")
            self.process(100, "/usr/bin/crio")
        else:
            self.write("/usr/bin/containerd", containerd(), 0o755)
            self.write("/etc/containerd/config.toml", "version = 3\n")
            self.process(100, "/usr/bin/containerd")
        self.process(200, "/usr/sbin/grapnel", "plugin")
        self.listen()
        (self.rules / "10-one.yaml").write_text(RULE)
        self.answer(STATUS)

    def run(self, *args: object, code: int | None = None,
            prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
        config = self.home / "config.yaml"
        config.write_text("apiVersion: grapnel/v1beta1\nkind: Config\nspec:\n"
                          f"  hooksDirs: [{self.rules}]\n  hostRoot: {self.root}\n"
                          f"  runDir: {self.run_dir}\n  nodeName: node-1\n"
                          f"  controlSocket: {self.control}\n{self.settings}")
        command = [*prefix, self.program, "doctor", "--config", config, *self.args, *args]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              check=False, timeout=60, stdin=subprocess.DEVNULL)
        if code is not None:
            assert done.returncode == code, done.stdout + done.stderr
        return done

    def report(self, *args: object, code: int | None = None) -> dict:
        done = self.run("-o", "json", *args, code=code)
        assert done.stderr == ""
        return json.loads(done.stdout)

    def findings(self, *args: object) -> dict[str, list[dict]]:
        found: dict[str, list[dict]] = {}
        for finding in self.report(*args)["findings"]:
            found.setdefault(finding["code"], []).append(finding)
        return found


@contextmanager
def doctor_host(program: str, home: Path, runtime: str = "containerd"):
    host = DoctorHost(program, home, runtime)
    host.build()
    try:
        yield host
    finally:
        host.close()
