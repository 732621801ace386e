# SPDX-License-Identifier: Apache-2.0
"""Go's regexp and ours say the same of thousands of expressions and texts.

regexp/table (Go) writes a table, regexp/regex_table (C) reads it. `make peer` runs this; a run is
repeated with GRAPNEL_REGEX_SEED=N.
"""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
from harness import cache

PATTERNS = 20000
HERE = Path(__file__).resolve().parent
FIXED_SEEDS = [1, 2, 3]
GO_S, TABLE_S = 600, 300


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, which needs nothing but the standard library."""
    go = subprocess.run(
        [cache.ROOT / "tests" / "setup" / "go"], capture_output=True, text=True, check=True,
        timeout=GO_S,
    ).stdout.strip()
    program = tmp_path_factory.mktemp("regexp") / "table"
    subprocess.run(
        [Path(go) / "go", "build", "-o", program, "."],
        cwd=HERE / "regexp" / "table",
        env={**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"},
        check=True,
        timeout=GO_S,
    )
    return program


def compare(table: Path, seed: int) -> str:
    checker = cache.grapnel().parent / "tests" / "peer" / "regexp" / "regex_table"
    rows = subprocess.run(
        [table, "-seed", str(seed), "-patterns", str(PATTERNS)], capture_output=True, check=True,
        timeout=TABLE_S,
    ).stdout
    run = subprocess.run([checker], input=rows, capture_output=True, check=False, timeout=TABLE_S)
    said = (run.stdout + run.stderr).decode(errors="replace")
    assert run.returncode == 0, f"seed {seed}:\n{said}"
    return said


def check_counts(said: str) -> None:
    """The table was read whole, and it was no table of refusals only."""
    words = said.split()
    patterns, accepted, texts = int(words[0]), int(words[2]), int(words[6])
    assert patterns > 2 * PATTERNS, said
    assert PATTERNS / 2 < accepted < patterns, said
    assert texts > 5 * PATTERNS, said


@pytest.mark.parametrize("seed", FIXED_SEEDS)
def test_same_as_go(table: Path, seed: int) -> None:
    check_counts(compare(table, seed))


def test_same_as_go_by_chance(table: Path) -> None:
    seed = int(os.environ.get("GRAPNEL_REGEX_SEED") or random.randrange(1, 2**31))
    print(f"seed {seed}")
    check_counts(compare(table, seed))
