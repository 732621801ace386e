# SPDX-License-Identifier: Apache-2.0
"""Large messages both ways: replies past 4,096 bytes, Synchronize past 4 MiB."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from peer import Setup

HOOK = """\
      - path: /bin/true
        args: [hook, "%s"]
"""


def spec(hooks: int, bytes_each: int) -> str:
    text = "  match: {always: true}\n  hooks:\n    createRuntime:\n"
    return text + "".join(HOOK % f"{n:04d}{'x' * (bytes_each - 4)}" for n in range(hooks))


# Around the first frame's limit and far past it. The reply has some bytes more than the arguments.
@pytest.mark.parametrize(
    "hooks, bytes_each",
    [
        (1, 100),
        (1, 3700),
        (1, 3800),
        (1, 3900),
        (1, 4000),
        (1, 4100),
        (4, 4000),
        (32, 4000),
        (60, 15000),
    ],
)
def test_replies_of_all_sizes(
    setup: Setup, write_set: Callable[[str, str], Path], hooks: int, bytes_each: int
) -> None:
    folder = write_set("large", spec(hooks, bytes_each))
    setup.peer.start()
    plugin = setup.external(folder)
    setup.peer.wait(plugins=1)
    # Twice: a message that is cut wrongly may only kill the connection for the next one.
    for _ in range(2):
        adjustment = setup.peer.create()
        assert adjustment.size_bytes > hooks * bytes_each
        numbers = [hook.args[1][:4] for hook in adjustment.hooks["createRuntime"]]
        assert numbers == [f"{n:04d}" for n in range(hooks)], plugin.describe()


# 1,000 pods: below one message's 4 MiB, and far above (split from NRI 0.7; whole before).
@pytest.mark.parametrize("annotations, value_bytes", [(5, 40), (20, 100)], ids=["small", "7MiB"])
def test_a_thousand_pods_at_synchronize(
    setup: Setup, write_set: Callable[[str, str], Path], annotations: int, value_bytes: int
) -> None:
    folder = write_set("one", spec(1, 10))
    state = {
        "pods": 1000,
        "containers_each": 1,
        "annotations": annotations,
        "value_bytes": value_bytes,
    }
    setup.peer.call("sync", **state)
    setup.peer.start()
    plugin = setup.external(folder)
    setup.peer.wait(plugins=1, syncs=1)
    assert len(setup.peer.create().hooks["createRuntime"]) == 1, plugin.describe()
