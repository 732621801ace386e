# SPDX-License-Identifier: Apache-2.0
"""What the tests of a release share: what packaging/release/build made, taken apart."""
from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests/golden")]

import pytest  # noqa: E402

RELEASE = Path(os.environ.get("GRAPNEL_RELEASE", ROOT / "build-release"))
AGAIN = RELEASE / "again"
VERSION = "0.1.0"
# The word of each for the same thing: ours, Debian's and OCI's; rpm's; file's of ELF (e_machine).
ARCHITECTURES = {"amd64": ("x86_64", 62), "arm64": ("aarch64", 183)}
QEMU = "/usr/bin/qemu-aarch64-static"


def done(*command: object, **more: object) -> str:
    """What a command prints that must succeed."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                            timeout=120, stdin=subprocess.DEVNULL, **more)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


def released(name: str) -> Path:
    path = RELEASE / name
    assert path.exists(), f"{path} is not there: run make release"
    return path


@dataclass(frozen=True)
class Tree:
    """The tarball of one architecture, unpacked."""

    arch: str
    root: Path
    runner: Path  # runs its program on this machine

    @property
    def program(self) -> Path:
        return self.root / "usr/bin/grapnel"

    def run(self, *words: object) -> str:
        return done(self.runner, *words)


def unpacked(arch: str, folder: Path) -> Tree:
    name = f"grapnel-{VERSION}-linux-{arch}"
    done("tar", "-C", folder, "-xzf", released(f"{name}.tar.gz"))
    assert [path.name for path in folder.iterdir()] == [name]
    program = runner = folder / name / "usr/bin/grapnel"
    if arch == "arm64":
        runner = folder / "grapnel"
        runner.write_text(f'#!/bin/sh\nexec {QEMU} {program} "$@"\n')
        runner.chmod(0o755)
    return Tree(arch, folder / name, runner)


@pytest.fixture(scope="session", params=sorted(ARCHITECTURES))
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return unpacked(request.param, tmp_path_factory.mktemp(request.param))
