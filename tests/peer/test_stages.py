# SPDX-License-Identifier: Apache-2.0
"""All six stages of a drop-in arrive as written: order, args, env, timeouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from peer import STAGES, Hook, Setup

PROGRAM = "/bin/true"

SPEC = """\
  match: {always: true}
  hooks:
"""

STAGE = """\
    %(stage)s:
      - path: /bin/true
        args: [hook, "%(stage)s", "--id", "{{.ID}}", "", "two words", "ümläut"]
        env: [FIRST=%(stage)s, "SECOND=a=b c"]
        timeout: %(timeout)d
      - path: /bin/true
        args: [hook, second]
"""


def check(stage: str, timeout: int, hooks: list[Hook]) -> None:
    first, second = hooks
    assert first.path == second.path == PROGRAM
    assert first.args == ["hook", stage, "--id", "ctr0", "", "two words", "ümläut"]
    # Grapnel may add its own variables, but the set's come as written and in order.
    own = [entry for entry in first.env if entry.split("=")[0] in ("FIRST", "SECOND")]
    assert own == [f"FIRST={stage}", "SECOND=a=b c"]
    assert first.timeout == timeout
    assert second.args == ["hook", "second"]
    # An empty environment would let the hook inherit the runtime's.
    assert second.env
    assert second.timeout == 10


def check_all(setup: Setup) -> None:
    adjustment = setup.peer.create()
    assert list(adjustment.hooks) == list(STAGES.values())
    for number, stage in enumerate(STAGES.values()):
        check(stage, 20 + number, adjustment.hooks[stage])
    # Hooks and nothing else. (The library fills in empty messages of its own.)
    assert "hooks" in adjustment.raw
    assert not any(
        scalars(value) for key, value in adjustment.raw.items() if key != "hooks"
    ), adjustment.raw


def scalars(value: Any) -> list[Any]:
    """All values in a JSON document that are no container themselves."""
    if isinstance(value, dict):
        return [found for inner in value.values() for found in scalars(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in scalars(inner)]
    return [value]


def write(write_set: Callable[[str, str], Path]) -> Path:
    stages = (
        STAGE % {"stage": stage, "timeout": 20 + n} for n, stage in enumerate(STAGES.values())
    )
    return write_set("all-stages", SPEC + "".join(stages))


def test_external(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    folder = write(write_set)
    setup.peer.start()
    plugin = setup.external(folder)
    assert setup.peer.wait(plugins=1) == ["10-grapnel"], plugin.describe()
    check_all(setup)


def test_launched(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    setup.launched(write(write_set))
    setup.peer.start()
    assert setup.peer.wait(plugins=1) == ["10-grapnel"]
    check_all(setup)


def test_launched_after_the_runtime_restarted(
    setup: Setup, write_set: Callable[[str, str], Path]
) -> None:
    setup.launched(write(write_set))
    setup.peer.start()
    setup.peer.wait(plugins=1)
    setup.peer.stop()
    setup.peer.restart()
    assert setup.peer.wait(plugins=1) == ["10-grapnel"]
    check_all(setup)
