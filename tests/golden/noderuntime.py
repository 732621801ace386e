#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A runtime for plainmachine: listens where runtimes do, serves one plugin after the other, and stays until it is
ended.

    noderuntime.py [--running FILE.json] [FILE.json]...

--running: the containers that it tells each plugin of. The first one is asked about the containers of each other
file, when the file is there. A file is a list of {id, name, pod, namespace, annotations, poststop}; annotations and
poststop, a list of paths of programs, may be missing.
"""
from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path

from fakeruntime import Listener, Runtime, field

SOCKET = Path("/run/nri/nri.sock")


def pod_of(one: dict) -> bytes:
    annotations = (field(6, field(1, key) + field(2, value)) for key, value in one.get("annotations", {}).items())
    return field(1, f"p-{one['pod']}") + field(2, one["pod"]) + field(4, one["namespace"]) + b"".join(annotations)


def container_of(one: dict) -> bytes:
    hooks = b"".join(field(6, field(1, path)) for path in one.get("poststop", []))
    return field(1, one["id"]) + field(2, f"p-{one['pod']}") + field(3, one["name"]) + field(10, hooks)


def read(file: str) -> list[dict]:
    return json.loads(Path(file).read_text())


def serve(runtime: Runtime, running: list[dict], files: list[str]) -> None:
    """One connection, to its end."""
    runtime.register()
    runtime.configure()
    runtime.call("Synchronize", b"".join(field(1, pod_of(one)) for one in running)
                 + b"".join(field(2, container_of(one)) for one in running))
    for file in files:
        while not Path(file).exists():
            time.sleep(0.05)
        for one in read(file):
            runtime.call("CreateContainer", field(1, pod_of(one)) + field(2, container_of(one)))
    runtime.sock.settimeout(None)
    with contextlib.suppress(ConnectionError):
        while runtime.sock.recv(4096):
            pass


def main(files: list[str]) -> None:
    SOCKET.parent.mkdir(mode=0o700, exist_ok=True)
    SOCKET.unlink(missing_ok=True)
    listener = Listener(SOCKET)
    listener.sock.settimeout(None)
    running = []
    if files[:1] == ["--running"]:
        running, files = read(files[1]), files[2:]
    while True:
        serve(listener.accept(), running, files)
        files = []


if __name__ == "__main__":
    main(sys.argv[1:])
