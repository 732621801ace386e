# SPDX-License-Identifier: Apache-2.0
"""What doctor says of a real runtime."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from . import cache
from .host import Host
from .runtime import Runtime


def doctor(host: Host | None, *args: object) -> dict[str, Any]:
    """Its report; inside of a private host or here."""
    command = [str(word) for word in (cache.grapnel(), "doctor", "-o", "json", *args)]
    if host:
        command = host.inside(command)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def codes(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of the runtime's side: engines of the test machine, and rules, are not what this is about."""
    return {
        finding["code"]: finding
        for finding in report["findings"]
        if finding["check"] not in ("other engines", "rules", "kernel limits", "oci-hooks")
    }


def ask(runtime: Runtime) -> dict[str, Any]:
    return doctor(runtime.host, "--socket", runtime.nri_socket, "--control",
                  runtime.work / "control.sock")  # fmt: skip
