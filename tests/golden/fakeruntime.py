# SPDX-License-Identifier: Apache-2.0
"""A runtime that is written here, byte by byte, so that a test can stop it at any point.

Only as much of mux, ttrpc and protobuf as is needed: messages of a few bytes, one frame each.
"""
from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from pathlib import Path

PLUGIN, RUNTIME = 1, 2  # mux ids
WAIT_S = 60


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


class Runtime:
    """One connection with a plugin, from the runtime's side."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.settimeout(WAIT_S)
        self.stream = -1
        self.last = b""  # what the last message that was received carries

    def send(self, mux: int, stream: int, kind: int, data: bytes) -> None:
        message = struct.pack(">IIBB", len(data), stream, kind, 0) + data
        self.sock.sendall(struct.pack(">II", mux, len(message)) + message)

    def read(self, n: int) -> bytes:
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            assert more, "the plugin closed the connection"
            data += more
        return data

    def receive(self) -> tuple[int, int, int]:
        """(mux id, stream, type) of the next message."""
        mux, size = struct.unpack(">II", self.read(8))
        message = self.read(size)
        _, stream, kind, _ = struct.unpack(">IIBB", message[:10])
        self.last = message[10:]
        return mux, stream, kind

    def registering(self) -> int:
        """Waits for RegisterPlugin; gives its stream."""
        mux, stream, kind = self.receive()
        assert (mux, kind) == (RUNTIME, 1)
        return stream

    def call(self, method: str, request: bytes) -> None:
        """Waits for the answer, too."""
        self.stream += 2
        data = field(1, "nri.pkg.api.v1alpha1.Plugin") + field(2, method)
        self.send(PLUGIN, self.stream, 1, data + (field(3, request) if request else b""))
        assert self.receive() == (PLUGIN, self.stream, 2)

    def register(self) -> None:
        self.send(RUNTIME, self.registering(), 2, b"")

    def configure(self, config: str = "") -> None:
        request = (field(1, config) if config else b"") + field(2, "containerd") + field(3, "v2.1.4")
        self.call("Configure", request + field(5, 2000) + field(6, "0.12.2"))

    def synchronize(self, *lost: str, pod: str = "web", more: Iterable[str] = ()) -> None:
        """Two containers of a pod, and more of it; lost: ids of others, whose pod is not told."""
        sandbox = field(1, "p1") + field(2, pod) + field(4, "shop")
        containers = b"".join(field(2, field(1, id_) + field(2, "p1")) for id_ in ("c1", "c2", *more))
        containers += b"".join(field(2, field(1, id_) + field(2, "none")) for id_ in lost)
        self.call("Synchronize", field(1, sandbox) + containers)

    def create(self, id_: str, name: str) -> None:
        """A container of the pod web in the namespace shop."""
        pod = field(1, "p1") + field(2, "web") + field(4, "shop")
        container = field(1, id_) + field(2, "p1") + field(3, name)
        self.call("CreateContainer", field(1, pod) + field(2, container))

    def ready(self, config: str = "") -> None:
        self.register()
        self.configure(config)
        self.synchronize()


class Listener:
    """Where a runtime listens."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(WAIT_S)
        self.sock.bind(str(path))
        self.sock.listen(4)

    def accept(self) -> Runtime:
        return Runtime(self.sock.accept()[0])
