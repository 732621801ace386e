#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A runtime for plainmachine: listens where runtimes do, lets a plugin register, and stays until it is ended.

    noderuntime.py [FILE.json]...

It asks the plugin about the containers of each file, a list of {id, name, pod, namespace, annotations}, when the
file is there, and then makes FILE.json.done.
"""
from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from fakeruntime import Listener, Runtime, field

SOCKET = Path("/run/nri/nri.sock")


def create(runtime: Runtime, one: dict) -> None:
    annotations = (field(6, field(1, key) + field(2, value)) for key, value in one.get("annotations", {}).items())
    pod = field(1, f"p-{one['pod']}") + field(2, one["pod"]) + field(4, one["namespace"]) + b"".join(annotations)
    container = field(1, one["id"]) + field(2, f"p-{one['pod']}") + field(3, one["name"])
    runtime.call("CreateContainer", field(1, pod) + field(2, container))


def main(files: list[str]) -> None:
    SOCKET.parent.mkdir(mode=0o700, exist_ok=True)
    SOCKET.unlink(missing_ok=True)
    listener = Listener(SOCKET)
    runtime = listener.accept()
    runtime.ready()
    for file in map(Path, files):
        while not file.exists():
            time.sleep(0.05)
        for one in json.loads(file.read_text()):
            create(runtime, one)
        Path(f"{file}.done").touch()
    time.sleep(3600)


if __name__ == "__main__":
    main(sys.argv[1:])
