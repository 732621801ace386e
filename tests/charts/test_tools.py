# SPDX-License-Identifier: Apache-2.0
"""Where the tests' own tools come from: what has other bytes than those that were looked at is not used."""
from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from chart import ROOT, RUN_WITH


def test_a_module_of_another_content_is_refused(tmp_path: Path):
    for folder in ("e2e", "setup", "charts/tools"):
        shutil.copytree(ROOT / "tests" / folder, tmp_path / "tests" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    sums = tmp_path / "tests/charts/tools/schemas/sums"
    listed = sums.read_text()
    assert f" v{RUN_WITH} h1:" in listed
    sums.write_text(listed.replace(f" v{RUN_WITH} h1:", f" v{RUN_WITH} h1:another"))
    done = subprocess.run([tmp_path / "tests/e2e/fetch", f"schemas-{RUN_WITH}"], capture_output=True, text=True, check=False,
                          timeout=600)
    assert done.returncode != 0 and done.stdout == ""
    assert f"not in sums: k8s.io/kubernetes v{RUN_WITH} " in done.stderr
