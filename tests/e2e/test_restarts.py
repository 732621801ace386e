# SPDX-License-Identifier: Apache-2.0
"""Runtime and plugin come back after either was gone; then containers have hooks again."""

from __future__ import annotations

import pytest
from harness.node import Node
from harness.plugin import Launched
from harness.rules import STAGES, WANTED, tag
from harness.wait import until


def has_hooks(node: Node) -> None:
    """The next container gets its hooks and they run."""
    with node.container(annotations=WANTED) as running:
        stages = [tag("by-annotation", stage) for stage in STAGES[:-1]]
        node.log.wait_for(running.container_id, stages)


def restart_runtime(node: Node, crash: bool) -> None:
    launched = node.plugin if isinstance(node.plugin, Launched) else None
    before = launched.pid() if launched else None
    if crash:
        node.runtime.crash()
    else:
        node.runtime.stop()
    if launched:
        # Nobody else ends it: copies would pile up, one per restart of the runtime.
        until(
            lambda: launched.pid() is None,
            "the launched plugin has ended at EOF",
            detail=node.describe,
        )
    offset = node.runtime.log_offset()
    node.runtime.start()
    node.plugin.runtime_restarted(offset)
    if launched:
        assert launched.pid() not in (None, before), node.describe()


@pytest.mark.check("runtime restarted")
@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
def test_runtime_restarts_under_the_plugin(node: Node, crash: bool) -> None:
    restart_runtime(node, crash)
    has_hooks(node)


@pytest.mark.check("plugin killed")
def test_plugin_is_killed_under_the_runtime(node: Node) -> None:
    node.plugin.kill()
    # NRI fails open: while the plugin is away containers are created, without hooks.
    with node.container(annotations=WANTED) as running:
        assert node.hooks_text(running) == node.baseline, node.describe()
    node.plugin.restore()
    has_hooks(node)
