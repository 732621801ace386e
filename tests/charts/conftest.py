# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the chart: the programs that look at it, built by tests/e2e/fetch."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))

import pytest  # noqa: E402
from harness import cache  # noqa: E402

import chart  # noqa: E402


@pytest.fixture(scope="session")
def promtool() -> str:
    return subprocess.run([ROOT / "tests/setup/promtool"], capture_output=True, text=True, check=True,
                          timeout=600).stdout.strip()


@pytest.fixture(scope="session")
def kubeconform() -> list[str]:
    return chart.kubeconform()


@pytest.fixture(scope="session")
def kustomize() -> str:
    return str(cache.fetched("kustomize-5.7.1") / "kustomize")
