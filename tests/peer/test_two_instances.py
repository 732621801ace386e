# SPDX-License-Identifier: Apache-2.0
"""Two instances of Grapnel at once, as during an upgrade: containers get one set of hooks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from peer import ONE_HOOK, Setup

SPEC = """\
  match: {always: true}
  hooks:
    createRuntime: [{path: /bin/true, args: [hook, "%s"]}]
    poststop: [{path: /bin/true, args: [hook, "%s"]}]
"""


def test_same_rules(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    folder = write_set("one", SPEC % ("up", "down"))
    setup.peer.start()
    old = setup.external(folder, index="10")
    setup.peer.wait(plugins=1)
    new = setup.external(folder, index="11")
    setup.peer.wait(plugins=2)
    assert setup.peer.create().paths() == ["/bin/true"], old.describe() + new.describe()
    assert setup.peer.create().paths("poststop") == ["/bin/true"]


def test_different_texts_of_the_same_set(
    setup: Setup, write_set: Callable[[str, str], Path]
) -> None:
    """The first instance's text stands; the second sees its mark and leaves the set alone."""
    folder = write_set("one", SPEC % ("up", "down"))
    setup.peer.start()
    old = setup.external(folder, index="10")
    setup.peer.wait(plugins=1)
    newer = setup.host.path / "newer"
    newer.mkdir(mode=0o755)
    (newer / "one.yaml").write_text((folder / "one.yaml").read_text().replace("up", "up2"))
    new = setup.external(newer, index="11")
    setup.peer.wait(plugins=2)
    hooks = setup.peer.create().hooks["createRuntime"]
    assert [hook.args for hook in hooks] == [["hook", "up"]], old.describe() + new.describe()


def test_a_hook_that_is_there_without_a_mark(setup: Setup, one: Path) -> None:
    """What the container has already, equal in all its parts, is not added again."""
    setup.peer.start()
    plugin = setup.external(one)
    setup.peer.wait(plugins=1)
    # As another injector would write it: the set's own environment (none), not what Grapnel adds.
    same = {"path": ONE_HOOK, "args": ["hook", "one"], "timeout": {"value": 10}}
    assert setup.peer.create({"hooks": {"create_runtime": [same]}}).hooks == {}, plugin.describe()
    for other in ({"args": ["hook", "other"]}, {"timeout": {"value": 11}}, {"env": ["A=b"]}):
        there = {"hooks": {"create_runtime": [same | other]}}
        assert setup.peer.create(there).paths() == [ONE_HOOK], plugin.describe()
