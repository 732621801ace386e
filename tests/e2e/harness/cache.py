# SPDX-License-Identifier: Apache-2.0
"""Where the programs under test and their peers come from."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

E2E = Path(__file__).resolve().parent.parent
ROOT = E2E.parent.parent


@cache
def fetched(name: str) -> Path:
    """The folder of one item of tests/e2e/fetch, built first if it is not there.

    A failure to build is a failure of the test that needs it, never a skip.
    """
    run = subprocess.run(
        [str(E2E / "fetch"), name],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise AssertionError(f"tests/e2e/fetch {name} failed:\n{run.stderr[-4000:]}")
    return Path(run.stdout.split()[1])


def grapnel() -> Path:
    """The plugin program under test: $GRAPNEL, or what `make` builds."""
    path = Path(os.environ.get("GRAPNEL", ROOT / "build" / "grapnel")).resolve()
    if not os.access(path, os.X_OK):
        raise AssertionError(f"{path} is not there: build it first, or set GRAPNEL")
    return path
