# SPDX-License-Identifier: Apache-2.0
"""Sets that are taken out of force while containers come: by people, and by their breaker."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import cache
from harness.procs import Process
from harness.wait import until

from peer import ONE_HOOK, Adjustment, PeerError, Setup

HOOK = "  match: {always: true}\n  hooks: {createRuntime: [{path: /bin/true, args: [%s]}]}\n"
BREAKER = "  breaker: {failures: 3, window: 60}\n"


class Node:
    """Grapnel with a run directory of its own, and the commands of whoever runs the node."""

    def __init__(self, setup: Setup, folder: Path):
        self.setup = setup
        self.folder = folder
        self.run_dir = setup.host.path / "run"
        self.settings = setup.host.path / "config.yaml"
        self.policy = setup.host.path / "policy.yaml"
        head = "apiVersion: grapnel/v1beta1\nkind: "
        self.policy.write_text(f"{head}Policy\nspec: {{protectedSets: [guarded]}}\n")
        self.settings.write_text(
            f"{head}Config\nspec: {{hooksDirs: [{folder}], lastGoodDir: none, runDir: {self.run_dir}, "
            f"controlSocket: {self.run_dir}/c, requiredSets: [needed], rescanInterval: 1}}\n"
        )

    def start(self, index: str = "10", name: str = "grapnel") -> Process:
        args = ["--config", str(self.settings), "--policy", str(self.policy)]
        return self.setup.run(cache.grapnel(), ["plugin"], args, index, name)

    def ask(self, *words: str) -> str:
        argv = [str(cache.grapnel()), *words, "--config", str(self.settings)]
        return self.setup.host.run(argv)

    def create(self) -> Adjustment:
        return self.setup.peer.create()

    def sets(self) -> set[str]:
        """The sets whose hooks the next container gets."""
        hooks = self.create().hooks.get("createRuntime", [])
        return {hook.args[0] for hook in hooks}

    def report(self, name: str, mark: str) -> None:
        """As a hook runner tells of a run that failed."""
        told = {"v": 1, "set": name, "hash": mark, "id": "c", "stage": "createRuntime",
                "result": "timeout", "durationMs": 10000}  # fmt: skip
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(json.dumps(told).encode(), str(self.run_dir / "reports.sock"))


@pytest.fixture
def node(setup: Setup, write_set: Callable[[str, str], Path]) -> Node:
    for name in ("guarded", "needed", "plain"):
        folder = write_set(name, HOOK % name + BREAKER)
    setup.peer.start()
    return Node(setup, folder)


ALL = {"guarded", "needed", "plain"}


def test_pause_and_resume(node: Node) -> None:
    plugin = node.start()
    node.setup.peer.wait(plugins=1)
    assert node.sets() == ALL, plugin.describe()
    node.ask("pause", "plain", "--reason", "a test")
    assert node.sets() == {"guarded", "needed"}, plugin.describe()
    node.ask("resume", "plain")
    assert node.sets() == ALL, plugin.describe()
    node.ask("pause", "--all")
    assert node.sets() == {"guarded"}, plugin.describe()
    node.ask("resume", "--all")
    assert node.sets() == ALL, plugin.describe()


def test_a_pause_ends_by_itself(node: Node) -> None:
    plugin = node.start()
    node.setup.peer.wait(plugins=1)
    node.ask("pause", "plain", "--for", "2s")
    until(lambda: "plain" in node.sets(), "the pause has ended", detail=plugin.describe)


def test_a_pause_outlives_the_plugin(node: Node) -> None:
    plugin = node.start()
    node.setup.peer.wait(plugins=1)
    node.ask("pause", "plain")
    plugin.kill()
    node.setup.peer.wait(plugins=0)
    again = node.start()
    node.setup.peer.wait(plugins=1)
    assert node.sets() == {"guarded", "needed"}, again.describe()


def test_two_instances_at_once(node: Node) -> None:
    """Only one of them is told; both leave the set out, from the next container on."""
    first = node.start()
    node.setup.peer.wait(plugins=1)
    node.start(index="20", name="later")
    node.setup.peer.wait(plugins=2)
    for _ in range(5):
        node.ask("pause", "plain")
        assert node.sets() == {"guarded", "needed"}, first.describe()
        node.ask("resume", "plain")
        assert node.sets() == ALL, first.describe()


def test_a_required_set_is_waived(node: Node) -> None:
    plugin = node.start()
    node.setup.peer.wait(plugins=1)
    (node.folder / "needed.yaml").unlink()

    def refused() -> bool:
        try:
            node.create()
        except PeerError as e:
            return "the required HookSet needed is not in force" in str(e)
        return False

    until(refused, "containers are refused", detail=plugin.describe)
    node.ask("pause", "needed")
    assert node.sets() == {"guarded", "plain"}, plugin.describe()
    node.ask("resume", "needed")
    assert refused(), plugin.describe()


def marks_of(adjustment: Adjustment) -> dict[str, str]:
    """Set to the hash that its mark has."""
    found = (
        re.fullmatch("GRAPNEL_HOOKSET=(.*)@(.*)", entry)
        for hook in adjustment.hooks["createRuntime"]
        for entry in hook.env
    )
    return {match.group(1): match.group(2) for match in found if match}


def test_the_breaker_trips(node: Node) -> None:
    """Nothing trips that is required or protected, however often it fails."""
    plugin = node.start()
    node.setup.peer.wait(plugins=1)
    marks = marks_of(node.create())
    assert set(marks) == ALL
    for name in ("needed", "guarded"):
        for _ in range(9):
            node.report(name, marks[name])
    for _ in range(2):
        node.report("plain", marks["plain"])
    node.report("plain", "0" * 16)
    assert node.sets() == ALL, plugin.describe()
    node.report("plain", marks["plain"])
    until(lambda: node.sets() == {"guarded", "needed"}, "it has tripped", detail=plugin.describe)
    plugin.kill()
    node.setup.peer.wait(plugins=0)
    again = node.start()
    node.setup.peer.wait(plugins=1)
    assert node.sets() == {"guarded", "needed"}, again.describe()
    node.ask("resume", "plain")
    assert node.sets() == ALL, again.describe()


def test_launched(setup: Setup, one: Path) -> None:
    """By the settings that Configure brings, and what is built in."""
    setup.launched(one)
    (setup.peer.config_dir / "10-grapnel.conf").write_text(
        f"apiVersion: grapnel/v1beta1\nkind: Config\nspec: {{hooksDirs: [{one}], lastGoodDir: none}}\n"
    )
    setup.peer.start()
    assert setup.peer.create().paths() == [ONE_HOOK]
    setup.host.run([str(cache.grapnel()), "pause", "one"])
    assert setup.peer.create().paths() == []
    setup.host.run([str(cache.grapnel()), "resume", "one"])
    assert setup.peer.create().paths() == [ONE_HOOK]
