# SPDX-License-Identifier: Apache-2.0
"""Removes what a private host leaves behind, also when the test run was killed.

    python3 -m harness.janitor FOLDER CGROUP

It waits for the end of its standard input, which only the test run holds.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path

from .wait import until

CGROUP_ROOT = Path("/sys/fs/cgroup")


def remove_cgroups(parent: str) -> None:
    """Removes our own cgroup from every hierarchy, deepest first. Never anything above it."""
    assert parent.startswith("/grapnel-e2e-"), parent
    tops = [CGROUP_ROOT, *(entry for entry in CGROUP_ROOT.iterdir() if entry.is_dir())]
    for top in tops:
        ours = top / parent.lstrip("/")
        if not ours.is_dir():
            continue
        for folder, _, _ in os.walk(ours, topdown=False):
            until(partial(_rmdir, folder), f"{folder} is empty and can go")


def _rmdir(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def main(folder: str, cgroup: str) -> None:
    sys.stdin.read()
    remove_cgroups(cgroup)
    if not os.environ.get("GRAPNEL_E2E_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
