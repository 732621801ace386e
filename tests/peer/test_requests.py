# SPDX-License-Identifier: Apache-2.0
"""Requests of every shape get their hooks or a refusal, never nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from peer import ONE_HOOK, PeerError, Setup


def test_many_containers_in_a_row(setup: Setup, one: Path) -> None:
    setup.peer.start()
    plugin = setup.external(one)
    setup.peer.wait(plugins=1)
    container = {"id": "c", "name": "main", "annotations": {"a": "x" * 5000}}
    result = setup.peer.call("bench", n=2000, container=container)
    assert (result["n"], result["hooks"]) == (2000, 1), plugin.describe()


@pytest.mark.parametrize("size", [4 << 10, 64 << 10, 256 << 10, 1 << 20])
def test_a_huge_annotation(setup: Setup, one: Path, size: int) -> None:
    setup.peer.start()
    plugin = setup.external(one)
    setup.peer.wait(plugins=1)
    pod = {"annotations": {"big": "y" * size}}
    assert setup.peer.create(pod=pod).paths() == [ONE_HOOK], plugin.describe()


def test_an_annotation_with_nul(setup: Setup, one: Path) -> None:
    """What cannot be judged is refused, never let through without hooks."""
    setup.peer.start()
    plugin = setup.external(one)
    setup.peer.wait(plugins=1)
    with pytest.raises(PeerError, match="NUL"):
        setup.peer.create(pod={"annotations": {"nul": "a\0b"}})
    assert setup.peer.create().paths() == [ONE_HOOK], plugin.describe()


def test_an_empty_request(setup: Setup, one: Path) -> None:
    """Nothing known about pod or container: a rule that always matches still does."""
    setup.peer.start()
    plugin = setup.external(one)
    setup.peer.wait(plugins=1)
    assert setup.peer.call("create")["adjust"]["hooks"], plugin.describe()
