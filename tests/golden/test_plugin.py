# SPDX-License-Identifier: Apache-2.0
"""The plugin's process while no runtime is there: its log goes to syslog where stderr is /dev/null."""
from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from conftest import Node

# In a mount namespace of its own, with nothing but a log socket and /dev/null in /dev.
LISTEN = """
mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec /usr/bin/python3 - "$1" <<'END'
import socket, subprocess, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
log.settimeout(20)
null = open("/dev/null", "r+")
plugin = subprocess.Popen([sys.argv[1], "plugin", "--socket", "/dev/nri.sock", "--hooks-dir",
                           "/dev/none", "--last-good", "none", "--run-dir", "none", "--control", "none"],
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
