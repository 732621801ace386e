# SPDX-License-Identifier: Apache-2.0
"""Either side goes away and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from peer import ONE_HOOK, RECONNECT_S, Setup


def test_plugin_killed_and_started_again(setup: Setup, one: Path) -> None:
    setup.peer.start()
    plugin = setup.external(one)
    setup.peer.wait(plugins=1)
    plugin.kill()
    setup.peer.wait(plugins=0)
    assert setup.peer.create().hooks == {}

    again = setup.external(one)
    setup.peer.wait(plugins=1)
    assert setup.peer.create().paths() == [ONE_HOOK], again.describe()


def test_plugin_ends_cleanly_on_sigterm(setup: Setup, one: Path) -> None:
    setup.peer.start()
    plugin = setup.external(one)
    setup.peer.wait(plugins=1)
    plugin.terminate()
    setup.peer.wait(plugins=0)


def test_plugin_waits_for_a_runtime_that_starts_later(setup: Setup, one: Path) -> None:
    plugin = setup.external(one)
    setup.peer.start()
    setup.peer.wait(plugins=1, timeout=RECONNECT_S)
    assert setup.peer.create().paths() == [ONE_HOOK], plugin.describe()


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
def test_runtime_restarted_under_the_plugin(setup: Setup, one: Path, crash: bool) -> None:
    setup.peer.start()
    plugin = setup.external(one)
    setup.peer.wait(plugins=1)
    if crash:
        setup.peer.crash()
    else:
        setup.peer.stop()
    setup.peer.restart()
    setup.peer.wait(plugins=1, timeout=RECONNECT_S)
    assert plugin.running(), plugin.describe()
    assert setup.peer.create().paths() == [ONE_HOOK], plugin.describe()
