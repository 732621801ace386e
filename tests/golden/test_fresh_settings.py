# SPDX-License-Identifier: Apache-2.0
"""The settings and guard rails of a fresh installation: they change nothing, and what they suggest works."""
from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT

OPTIONS = {"config": "--config", "policy": "--policy"}


def installed(name: str, folder: Path) -> Path:
    """As the packages install it: readable for all, writable for root."""
    path = folder / f"{name}.yaml"
    path.write_text((ROOT / f"packaging/config/{name}.yaml").read_text())
    path.chmod(0o644)
    return path


def check(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    rules = folder / "hooks.d"
    rules.mkdir(mode=0o755, exist_ok=True)
    return subprocess.run([program, "check", "--hooks-dir", str(rules), *arguments],
                          capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", OPTIONS)
def test_as_it_is(grapnel: str, tmp_path: Path, name: str):
    done = check(grapnel, tmp_path, OPTIONS[name], str(installed(name, tmp_path)))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", OPTIONS)
def test_what_it_suggests(grapnel: str, tmp_path: Path, name: str):
    """With the # of the suggested lines taken away it is read without a finding."""
    path = installed(name, tmp_path)
    text = path.read_text()
    assert text.count("spec: {}\n# spec:\n") == 1
    before, suggested = text.split("spec: {}\n")
    path.write_text(before + re.sub(r"^# ", "", suggested, flags=re.M))
    done = check(grapnel, tmp_path, OPTIONS[name], str(path))
    assert done.returncode == 0 and "error" not in done.stdout, done.stdout + done.stderr


def test_nothing_happens(grapnel: str, tmp_path: Path):
    """A pod of a fresh node gets nothing, and is not refused."""
    rules = tmp_path / "hooks.d"
    rules.mkdir(mode=0o755)
    pod = tmp_path / "pod.yaml"
    pod.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: shop, namespace: web}\n"
                   "spec: {containers: [{name: front, image: nginx}]}\n")
    done = subprocess.run([grapnel, "render", "--hooks-dir", str(rules),
                           "--config", str(installed("config", tmp_path)),
                           "--policy", str(installed("policy", tmp_path)), "--from", str(pod)],
                          capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, ["{}"]), done.stdout + done.stderr
