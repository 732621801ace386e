# SPDX-License-Identifier: Apache-2.0
"""What the tests of a long life share: a private host, and the runtime that the golden tests have."""
from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "golden")]

import pytest  # noqa: E402
from harness.host import Host  # noqa: E402


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as host:
        yield host
