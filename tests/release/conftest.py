# SPDX-License-Identifier: Apache-2.0
"""What the tests of a release share: what packaging/release/build made, taken apart."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("e2e", "golden", "cluster")]

import pytest  # noqa: E402

RELEASE = Path(os.environ.get("GRAPNEL_RELEASE", ROOT / "build-release"))
AGAIN = RELEASE / "again"
VERSION = "0.1.0"
REF = f"ghcr.io/grapnel/grapnel:{VERSION}"
# The word of each for the same thing: ours, Debian's and OCI's; rpm's; file's of ELF (e_machine).
ARCHITECTURES = {"amd64": ("x86_64", 62), "arm64": ("aarch64", 183)}
QEMU = "/usr/bin/qemu-aarch64-static"


def pytest_configure() -> None:
    """A run that is told to end takes runtimes and cluster along, as with ^C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


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


def is_confined(status: str, spec: dict[str, Any]) -> None:
    """Fails unless a container is as little allowed as the chart has it: uid 0, no capability, a root that is
    read-only, RuntimeDefault. `status` is that of its process below /proc."""
    said = dict(line.split(":\t", 1) for line in status.splitlines())
    assert said["Uid"].split() == ["0"] * 4
    assert {said[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {"0" * 16}
    assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
    # The program gives up by itself what it was given.
    assert not any((spec["process"].get("capabilities") or {}).values())
    assert spec["root"].get("readonly") is True


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
