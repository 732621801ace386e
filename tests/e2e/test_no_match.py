# SPDX-License-Identifier: Apache-2.0
"""A container that nothing matches is what it would be without the plugin."""

from __future__ import annotations

import pytest
from harness.node import Node


@pytest.mark.check("no match: hooks byte-identical")
def test_hooks_are_byte_identical(node: Node) -> None:
    with node.container() as running:
        assert node.hooks_text(running) == node.baseline, node.describe()
        ran = node.log.of(running.container_id)
    assert ran == []
