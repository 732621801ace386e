# SPDX-License-Identifier: Apache-2.0
"""tests/setup/ensure: what happens where packages cannot be installed."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from conftest import ROOT

ENSURE = ROOT / "tests/setup/ensure"


def tools(folder: Path, *names: str) -> dict[str, str]:
    """An environment whose PATH has these programs and no others."""
    folder.mkdir()
    for name in ("sh", "dirname", "sed", "sort", "id", "mktemp", *names):
        (folder / name).symlink_to(shutil.which(name))
    return {"PATH": str(folder)}


def ensure(env: dict[str, str], *lists: str) -> subprocess.CompletedProcess:
    return subprocess.run([ENSURE, *lists], env=env, capture_output=True, text=True, check=False,
                          timeout=60, stdin=subprocess.DEVNULL)


def test_another_distribution_is_told_what_is_missing(tmp_path: Path):
    done = ensure(tools(tmp_path / "bin"), "build", "test")
    assert done.returncode == 1
    assert "no Debian or Ubuntu" in done.stderr
    for package in ("meson", "libyaml-dev", "protobuf-c-compiler", "python3-pytest"):
        assert f"  {package}\n" in done.stderr


def test_another_distribution_may_go_on(tmp_path: Path):
    env = tools(tmp_path / "bin") | {"GRAPNEL_SKIP_SETUP": "1"}
    assert ensure(env, "build").returncode == 0


def test_neither_root_nor_sudo(tmp_path: Path):
    env = tools(tmp_path / "bin", "apt-get")
    (tmp_path / "bin/dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/dpkg-query").chmod(0o755)
    (tmp_path / "bin/id").unlink()
    (tmp_path / "bin/id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "bin/id").chmod(0o755)
    done = ensure(env, "build")
    assert done.returncode == 1
    assert "neither root nor sudo" in done.stderr
    assert "meson" in done.stderr


def test_nothing_is_done_where_all_is_there():
    done = ensure(dict(os.environ), "build")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
