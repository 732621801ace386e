# SPDX-License-Identifier: Apache-2.0
"""The .deb of this clone, and others made of it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from .cache import ROOT

BUILD_TIMEOUT_S = 1800


def _run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, timeout=BUILD_TIMEOUT_S)  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def _digest_of_the_source() -> str:
    """The same content gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.tar.gz"
        _run(ROOT / "packaging/source", source)
        return hashlib.sha256(source.read_bytes()).hexdigest()


@cache
def deb() -> Path:
    """In $GRAPNEL_PACKAGES as it is; else in build-packages, made anew where something else was built there."""
    given = os.environ.get("GRAPNEL_PACKAGES")
    folder = Path(given or ROOT / "build-packages")
    made_of = folder / "source.sum"
    if not given and (not made_of.exists() or made_of.read_text().split()[0] != _digest_of_the_source()):
        _run(ROOT / "packaging/build")
    found = sorted(folder.glob("*.deb"))
    assert len(found) == 1, f"one .deb in {folder}: {found}"
    return found[0]


def repacked(package: Path, version: str, folder: Path, change: Callable[[Path], None]) -> Path:
    """A .deb as another version, after `change` was done to the tree of its files."""
    tree = folder / "tree"
    _run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*", f"Version: {version}", control.read_text()))
    change(tree)
    out = folder / f"grapnel_{version}.deb"
    _run("dpkg-deb", "--root-owner-group", "-b", tree, out)
    return out
