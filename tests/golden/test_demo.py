# SPDX-License-Identifier: Apache-2.0
"""What make demo runs ends well, also where no container can be made."""
from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import ROOT

UNPRIVILEGED = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.mark.parametrize("prefix", [[], UNPRIVILEGED], ids=["as-it-is", "unprivileged"])
def test_demo(grapnel: str, prefix: list[str]):
    if prefix and os.geteuid() != 0:
        pytest.skip("needs root, to stop being it")
    home = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        home.chmod(0o755)
        for part in ("examples", "tests/demo", "tests/setup"):
            shutil.copytree(ROOT / part, home / part)
        shutil.copy(grapnel, home / "grapnel")
        (home / "tmp").mkdir()
        (home / "tmp").chmod(0o1777)
        done = subprocess.run([*prefix, home / "tests/demo/run"], capture_output=True, text=True,
                              check=False, timeout=300, stdin=subprocess.DEVNULL,
                              env={**os.environ, "GRAPNEL": str(home / "grapnel"),
                                   "TMPDIR": str(home / "tmp")})
        assert done.returncode == 0, done.stdout + done.stderr
        assert "All as it should be." in done.stdout
        assert not prefix or "run by grapnel itself" in done.stdout
        assert list((home / "tmp").iterdir()) == [], "something was left behind"
    finally:
        shutil.rmtree(home)
