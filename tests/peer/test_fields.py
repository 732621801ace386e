# SPDX-License-Identifier: Apache-2.0
"""What only some rules look at is read as soon as a rule in force looks at it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from harness.wait import until

from peer import ONE_HOOK, Setup

HOOK = f"  hooks: {{createRuntime: [{{path: {ONE_HOOK}}}]}}\n"
BY_ENV = '  match: {env: "MODE=on"}\n' + HOOK
BY_MOUNT = "  match: {mounts: {destination: /data, type: bind}}\n" + HOOK
MOUNT = {"destination": "/data", "source": "/srv", "type": "bind"}


def test_env_and_mounts(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    write_set("by-env", BY_ENV)
    folder = write_set("by-mount", BY_MOUNT)
    setup.peer.start()
    plugin = setup.external(folder)
    setup.peer.wait(plugins=1)
    assert setup.peer.create({"env": ["MODE=off"]}).paths() == [], plugin.describe()
    assert setup.peer.create({"env": ["MODE=on"]}).paths() == [ONE_HOOK], plugin.describe()
    assert setup.peer.create({"mounts": [MOUNT]}).paths() == [ONE_HOOK], plugin.describe()


def test_a_later_rule_reads_more(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    """The connection stays; what is read of a request follows the rules."""
    folder = write_set("never", "  match: {namespace: nowhere}\n" + HOOK)
    setup.peer.start()
    plugin = setup.external(folder)
    setup.peer.wait(plugins=1)
    assert setup.peer.create({"env": ["MODE=on"]}).paths() == [], plugin.describe()
    write_set("by-env", BY_ENV)
    plugin.send(signal.SIGHUP)
    until(lambda: "sets=2" in plugin.describe(), "the new set is there", detail=plugin.describe)
    assert setup.peer.create({"env": ["MODE=on"]}).paths() == [ONE_HOOK], plugin.describe()
