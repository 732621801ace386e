# SPDX-License-Identifier: Apache-2.0
"""Waiting, always by polling and always with an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

DEFAULT_TIMEOUT_S = 60.0
POLL_S = 0.02
# Some runtimes log their whole configuration in one line.
LINE_MAX = 1000


def until(
    probe: Callable[[], T | None],
    what: str,
    timeout: float = DEFAULT_TIMEOUT_S,
    detail: Callable[[], str] | None = None,
) -> T:
    """Calls probe until it gives something true and returns that.

    `what` names the state that is waited for; `detail` is asked for context (a log's tail) when
    time is up.
    """
    end = time.monotonic() + timeout
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() >= end:
            text = f"after {timeout:g} s still not: {what}"
            raise AssertionError(text + ("\n" + detail() if detail else ""))
        time.sleep(POLL_S)


def tail(path: Path, lines: int = 25) -> str:
    """The last lines of a log, under a header that names it, for failure messages."""
    try:
        text = path.read_text(errors="replace").splitlines()
    except OSError as e:
        return f"--- {path.name}: {e.strerror}"
    shown = [line[:LINE_MAX] + (" […]" if len(line) > LINE_MAX else "") for line in text[-lines:]]
    return "\n".join([f"--- last lines of {path.name}", *shown])
