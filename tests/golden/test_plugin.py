# SPDX-License-Identifier: Apache-2.0
"""Where the plugin's process writes: its log, which is syslog's where stderr is /dev/null, and the audit."""
from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Node
from fakeruntime import Listener, Runtime, field
from running import RULE, WAIT_S, limited, plugin, settings

# In a mount namespace of its own, with nothing but a log socket and /dev/null in /dev: starts a
# command with its stderr in a file, and prints what comes to the socket.
LISTEN = """
mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec /usr/bin/python3 - "$@" <<'END'
import socket, subprocess, sys
count, stderr, *command = sys.argv[1:]
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
log.settimeout(60)
null = open("/dev/null", "r+")
plugin = subprocess.Popen(command, stdin=null, stdout=null, stderr=open(stderr, "a"))
try:
    for _ in range(int(count)):
        print(log.recv(8192).decode())
finally:
    plugin.kill()
END
"""


@contextmanager
def syslog(node: Node, lines: int, stderr: Path, *args: object) -> Iterator[subprocess.Popen[str]]:
    """The plugin with a /dev/log of its own; stdout of the process is so many lines of it."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a /dev/log of its own")
    try_it = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                            capture_output=True, timeout=WAIT_S)
    if try_it.returncode != 0:
        pytest.skip("no mount namespace can be made here")
    command = [Path(node.program).resolve(), "plugin", *args]
    process = subprocess.Popen(["unshare", "-m", "sh", "-c", LISTEN, "sh", str(lines), stderr, *map(str, command)],
                               stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.stdout.close()
        assert process.wait(timeout=60) == 0


def create(runtime: Runtime, name: str) -> None:
    pod = field(1, "p1") + field(2, "web") + field(4, "shop")
    container = field(1, "id-of-" + name) + field(2, "p1") + field(3, name)
    runtime.call("CreateContainer", field(1, pod) + field(2, container))


@pytest.fixture
def ruled(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    node.rule("one", RULE)
    return node


def test_log_goes_to_syslog(node: Node):
    """Runtimes give a launched plugin /dev/null as stderr."""
    with syslog(node, 3, Path("/dev/null"), "--socket", "/dev/nri.sock", "--hooks-dir", "/dev/none",
                "--last-good", "none", "--run-dir", "none", "--control", "none") as process:
        text = process.stdout.read()
    lines = text.splitlines()
    # Facility daemon (3 * 8) and the severity of each line; syslog has a time of its own.
    assert re.match(r"<28>.* grapnel\[\d+\]: level=warning msg=.*code=missing-directory", lines[0])
    assert re.match(r'<30>.* grapnel\[\d+\]: level=info msg="rules loaded" ', lines[1])
    assert re.match(r'<28>.* grapnel\[\d+\]: level=warning msg="cannot connect', lines[2])
    assert "time=" not in text


def test_audit_goes_to_syslog(ruled: Node):
    """Whatever the level of the log, which is elsewhere; within the tightest sandbox."""
    settings(ruled, auditLog="syslog", logLevel="warning", logFormat="logfmt", sandbox="Full")
    listener, stderr = Listener(ruled.home / "nri.sock"), ruled.home / "stderr"
    with syslog(ruled, 1, stderr, "--socket", ruled.home / "nri.sock", "--config",
                ruled.home / "config.yaml", "--last-good", "none") as process:
        runtime = listener.accept()
        runtime.ready()
        create(runtime, "nginx")
        line = process.stdout.read()
        runtime.sock.close()
    listener.sock.close()
    assert re.match(r'<30>.* grapnel\[\d+\]: level=info msg="hooks added" .*container=nginx .*sets=one', line), line
    assert "hooks added" not in stderr.read_text()


def test_audit_follows_the_settings(ruled: Node):
    """Asked for under the running plugin, and taken back."""
    settings(ruled, logLevel="debug")
    listener = Listener(ruled.home / "nri.sock")
    with plugin(ruled, stdout=subprocess.PIPE) as lines:
        runtime = listener.accept()
        runtime.ready()
        lines.until("synchronized")
        create(runtime, "before")
        lines.until("hooks added", container="before")
        settings(ruled, logLevel="debug", auditLog="stdout")
        lines.loaded(cause="watch")
        create(runtime, "told")
        lines.until("hooks added", container="told")
        settings(ruled, logLevel="debug")
        lines.loaded(cause="watch")
        create(runtime, "after")
        lines.until("hooks added", container="after")
        runtime.sock.close()
    listener.sock.close()
    told = lines.out.splitlines()
    assert len(told) == 1 and '"container":"told"' in told[0].replace(" ", ""), told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_stop_many_times(ruled: Node, number: signal.Signals):
    """timeout(1) and terminals tell the whole group: whoever is told again while it ends, ends in order."""
    settings(ruled)
    for _ in range(5):
        with limited(subprocess.Popen(
                [ruled.program, "plugin", "--socket", str(ruled.home / "nri.sock"),
                 "--config", str(ruled.home / "config.yaml"), "--last-good", "none"],
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)) as process:
            assert any("rules loaded" in line for line in process.stderr)
            process.terminate()
            while process.poll() is None:
                process.send_signal(number)
        assert process.returncode == 0
