# SPDX-License-Identifier: Apache-2.0
"""A plugin that is written here, byte by byte, for what a good one never does.

Only as much of mux, ttrpc and protobuf as is needed: messages of a few bytes, one frame each.
"""
from __future__ import annotations

import struct

# Starts with the plugin's connection, which the runtime puts on descriptor 3.
SOURCE = '''#!/usr/bin/python3 -IS
import os, socket, struct, sys, time

PLUGIN, RUNTIME = 1, 2
sock = socket.socket(fileno=3)


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """A field of bytes, or of a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def send(mux, stream, kind, data):
    message = struct.pack(">IIBB", len(data), stream, kind, 0) + data
    sock.sendall(struct.pack(">II", mux, len(message)) + message)


def read(n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            sys.exit(0)
        data += more
    return data


def receive():
    """(mux id, stream, type, data) of the next message that is one frame."""
    mux, size = struct.unpack(">II", read(8))
    frame = read(size)
    length, stream, kind, _ = struct.unpack(">IIBB", frame[:10])
    return mux, stream, kind, frame[10:10 + length]


def register():
    request = field(1, "nri.pkg.api.v1alpha1.Runtime") + field(2, "RegisterPlugin")
    send(RUNTIME, 1, 1, request + field(3, field(1, "fake") + field(2, "10")))


def next_call():
    """The stream of the next call of the runtime, and its whole request."""
    while True:
        mux, stream, kind, data = receive()
        if mux == PLUGIN and kind == 1:
            return stream, data


def answer(stream, payload=b""):
    send(PLUGIN, stream, 2, field(2, payload))


def refuse(stream, code, text):
    send(PLUGIN, stream, 2, field(1, field(1, code) + field(2, text)))


def ready():
    """Up to Synchronize."""
    register()
    stream, _ = next_call()
    answer(stream, field(2, 8))
    stream, _ = next_call()
    answer(stream)

'''


def hooks_answer(path: str, args: list[str], stage: int = 2) -> str:
    """Python source of a CreateContainerResponse with one hook; stage is the field's number."""
    fields = "".join(f" + field(2, {arg!r})" for arg in args)
    return f"field(1, field(5, field({stage}, field(1, {path!r}){fields})))"


def adjust_answer(path: str) -> str:
    """The same with something of each kind that an adjustment has, numbered as NRI does."""
    env = "field(4, field(1, 'MODE') + field(2, 'new')) + field(4, field(1, 'MORE') + field(2, 'm\\n'))"
    mount = "field(3, field(1, '/mnt') + field(2, 'tmpfs') + field(3, 'none') + field(4, 'ro'))"
    annotation = "field(2, field(1, 'key') + field(2, 'value'))"
    device = "field(1, field(1, '/dev/x') + field(2, 'c') + field(3, 1) + field(4, 3))"
    shares = "field(2, field(1, field(1, 512)))"
    high = "field(6, field(1, 'memory.high') + field(2, 'max'))"
    linux = f"field(6, {device} + field(2, {shares} + {high} + field(8, field(1, 100))))"
    rlimit = "field(7, field(1, 'RLIMIT_NOFILE') + field(2, 64) + field(3, 32))"
    cdi = "field(8, field(1, 'vendor.com/class=x'))"
    hook = f"field(5, field(2, field(1, {path!r})))"
    parts = [annotation, mount, env, hook, linux, rlimit, cdi]
    return f"field(1, {' + '.join(parts)})"


assert struct.calcsize(">IIBB") == 10
