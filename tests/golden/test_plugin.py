# SPDX-License-Identifier: Apache-2.0
"""The plugin's process while no runtime is there: its log, the rescan, and texts kept over restarts."""
from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Node

RULE = """apiVersion: grapnel/v1beta1
kind: HookSet
spec:
  match: {always: true}
  hooks: {poststop: [{path: /opt/hooks/first}]}
"""
CONFIG = """apiVersion: grapnel/v1beta1
kind: Config
spec: {hooksDirs: [%s], lastGoodDir: %s, logFormat: json, rescanInterval: 1}
"""
WAIT_S = 20


@pytest.fixture
def ruled(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    node.rule("one", RULE)
    (node.home / "config.yaml").write_text(CONFIG % (node.rules, node.home / "last-good"))
    return node


@contextmanager
def plugin(node: Node) -> Iterator[Iterator[dict]]:
    """Runs it and gives its log lines, as they come."""
    command = ["timeout", str(WAIT_S), node.program, "plugin", "--socket", str(node.home / "nri.sock"),
               "--config", str(node.home / "config.yaml")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield map(json.loads, process.stderr)
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
    assert process.returncode in (0, 124, -15), process.returncode


def loaded(lines: Iterator[dict]) -> dict:
    """The next line that says what was loaded."""
    return next(line for line in lines if line["msg"] == "rules loaded")


def test_rescan(ruled: Node):
    """A new file counts without a signal."""
    with plugin(ruled) as lines:
        assert loaded(lines)["sets"] == 1
        ruled.rule("two", RULE)
        assert loaded(lines)["sets"] == 2


def test_last_good_over_restarts(ruled: Node):
    """A file that was accepted once stays in force when it turns bad, also in the next process."""
    with plugin(ruled) as lines:
        assert loaded(lines)["ready"] == "yes"
    ruled.rule("one", RULE.replace("match", "mach"))
    with plugin(ruled) as lines:
        line = loaded(lines)
        assert (line["sets"], line["last_good"], line["ready"]) == (1, 1, "no")
    (ruled.rules / "one.yaml").unlink()
    with plugin(ruled) as lines:
        line = loaded(lines)
        assert (line["sets"], line["last_good"], line["ready"]) == (0, 0, "yes")
    assert list((ruled.home / "last-good").iterdir()) == []


# In a mount namespace of its own, with nothing but a log socket and /dev/null in /dev.
LISTEN = """
mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec /usr/bin/python3 - "$1" <<'END'
import socket, subprocess, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
log.settimeout(20)
null = open("/dev/null", "r+")
plugin = subprocess.Popen([sys.argv[1], "plugin", "--socket", "/dev/nri.sock", "--hooks-dir",
                           "/dev/none", "--last-good", "none"],
                          stdin=null, stdout=null, stderr=null)
try:
    for _ in range(3):
        print(log.recv(8192).decode())
finally:
    plugin.kill()
END
"""


def test_log_goes_to_syslog(node: Node):
    """Runtimes give a launched plugin /dev/null as stderr."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a /dev/log of its own")
    try_it = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                            capture_output=True)
    if try_it.returncode != 0:
        pytest.skip("no mount namespace can be made here")
    done = subprocess.run(["unshare", "-m", "sh", "-c", LISTEN, "sh", Path(node.program).resolve()],
                          capture_output=True, text=True, check=True, timeout=60)
    lines = done.stdout.splitlines()
    # Facility daemon (3 * 8) and the severity of each line; syslog has a time of its own.
    assert re.match(r"<28>.* grapnel\[\d+\]: level=warning msg=.*code=missing-directory", lines[0])
    assert re.match(r'<30>.* grapnel\[\d+\]: level=info msg="rules loaded" ', lines[1])
    assert re.match(r'<28>.* grapnel\[\d+\]: level=warning msg="cannot connect', lines[2])
    assert "time=" not in done.stdout
