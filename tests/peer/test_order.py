# SPDX-License-Identifier: Apache-2.0
"""Several plugins: hooks come in the order of the plugins' indexes, whoever connected first."""

from __future__ import annotations

from pathlib import Path

from peer import ONE_HOOK, Setup


def test_hooks_in_index_order(setup: Setup, one: Path) -> None:
    setup.peer.start()
    late = setup.go_plugin("/other/late", "50", "late")
    setup.peer.wait(plugins=1)
    grapnel = setup.external(one, index="20")
    setup.peer.wait(plugins=2)
    early = setup.go_plugin("/other/early", "05", "early")
    assert setup.peer.wait(plugins=3) == ["05-early", "20-grapnel", "50-late"], grapnel.describe()

    assert setup.peer.create().paths() == ["/other/early", ONE_HOOK, "/other/late"]
    assert early.running() and late.running() and grapnel.running()


def test_hooks_of_the_container_are_left_alone(setup: Setup, one: Path) -> None:
    """A hook that was there before the plugin is neither repeated nor taken away."""
    setup.peer.start()
    grapnel = setup.external(one)
    setup.peer.wait(plugins=1)
    before = {"hooks": {"create_runtime": [{"path": "/other/before", "args": ["before"]}]}}
    assert setup.peer.create(before).paths() == [ONE_HOOK], grapnel.describe()
