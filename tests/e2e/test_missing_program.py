# SPDX-License-Identifier: Apache-2.0
"""A hook whose program is not there: failurePolicy decides, before anything is started."""

from __future__ import annotations

import pytest
from harness.cri import CriError
from harness.node import Node
from harness.rules import MISSING_FAIL, MISSING_IGNORE


@pytest.mark.check("program missing, Fail")
def test_fail_refuses_the_container(node: Node) -> None:
    with pytest.raises(CriError, match="missing-fail"):
        with node.container(annotations=MISSING_FAIL):
            pass


@pytest.mark.check("program missing, Ignore")
def test_ignore_starts_the_container_without(node: Node) -> None:
    with node.container(annotations=MISSING_IGNORE) as running:
        assert node.hooks_text(running) == node.baseline, node.describe()
