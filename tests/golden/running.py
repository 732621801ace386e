# SPDX-License-Identifier: Apache-2.0
"""The plugin's process beside no runtime: its settings file, and its log as it comes; processes whose lines are waited for."""
from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from conftest import Node

RULE = """apiVersion: grapnel/v1beta1
kind: HookSet
spec:
  match: {always: true}
  hooks: {poststop: [{path: /opt/hooks/first}]}
"""
WAIT_S = 60


def settings(node: Node, **more: object) -> None:
    """Writes the settings file; a rescan as rare as it can be, unless it is asked for."""
    spec = {"hooksDirs": [str(node.rules)], "runDir": "none", "controlSocket": "none",
            "logFormat": "json", "rescanInterval": 3600} | more
    head = {"apiVersion": "grapnel/v1beta1", "kind": "Config"}
    fresh = node.home / "config.new"
    fresh.write_text(json.dumps(head | {"spec": spec}))
    fresh.rename(node.home / "config.yaml")


@contextmanager
def limited(process: subprocess.Popen) -> Iterator[subprocess.Popen]:
    """Whoever waits for a line of it does not wait for ever: it is killed when its time is up, and has ended after this."""
    limit = threading.Timer(WAIT_S, process.kill)
    limit.start()
    try:
        yield process
    finally:
        limit.cancel()
        process.kill()
        process.wait(WAIT_S)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


class Lines:
    """What the process logs, one line after the other; waiting ends with the process."""

    def __init__(self, process: subprocess.Popen[str]):
        self.process = process
        self.seen: list[str] = []
        self.out = ""  # its stdout, where that was asked for, once it has ended

    def until(self, msg: str, **fields: object) -> dict:
        """The next line with this message and these fields."""
        for text in self.process.stderr:
            self.seen.append(text)
            line = json.loads(text) if text.startswith("{") else {}
            if line.get("msg") == msg and fields.items() <= line.items():
                return line
        raise AssertionError(f"{msg!r} {fields} was not logged:\n{''.join(self.seen)}")

    def loaded(self, **fields: object) -> dict:
        """The next line that says what was loaded, with these figures."""
        return self.until("rules loaded", **fields)


@contextmanager
def plugin(node: Node, *more: str, before: Callable[[], None] | None = None,
           stdout: int | None = None) -> Iterator[Lines]:
    """Runs it; before: called in the child."""
    command = ["timeout", "-k", str(WAIT_S), str(WAIT_S), node.program, "plugin", "--socket", str(node.home / "nri.sock"),
               "--config", str(node.home / "config.yaml"), "--last-good", str(node.home / "last-good"), *more]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                               text=True, preexec_fn=before)
    lines = Lines(process)
    try:
        yield lines
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
        if process.stdout:
            lines.out = process.stdout.read()
            process.stdout.close()
    assert process.returncode in (0, 124, -15), process.returncode
