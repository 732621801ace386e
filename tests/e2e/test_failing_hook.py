# SPDX-License-Identifier: Apache-2.0
"""A createRuntime hook that fails keeps the container from starting; the CRI error names it."""

from __future__ import annotations

import pytest
from harness.cri import CriError
from harness.node import Node
from harness.rules import FAILING, LAST_WORDS


def names_the_hook(error: str, node: Node) -> bool:
    """runc quotes the stage and the hook's stderr, crun the program's path."""
    return LAST_WORDS in error or str(node.rules.recorder) in error


@pytest.mark.check("failing hook")
def test_failing_hook_refuses_the_container(node: Node) -> None:
    with pytest.raises(CriError) as refused:
        with node.container(annotations=FAILING):
            pass
    assert names_the_hook(str(refused.value), node), f"{refused.value}\n{node.describe()}"
