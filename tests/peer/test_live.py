# SPDX-License-Identifier: Apache-2.0
"""The journal of decisions: what is known after the plugin was killed, and after it came back."""
from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from harness import cache
from harness.procs import Process
from harness.wait import until

from peer import ONE_HOOK, Setup

# In the private host, where every test has a /run of its own.
RUN_DIR = "/run/grapnel"


def start(setup: Setup, folder: Path) -> Process:
    arguments = ["--hooks-dir", str(folder), "--log-level", "debug", "--log-format", "json"]
    return setup.run(cache.grapnel(), ["plugin"], arguments, "10", "grapnel")


def explain(setup: Setup, folder: Path, what: str) -> list[dict[str, Any]]:
    text = setup.host.run([str(cache.grapnel()), "explain", "--hooks-dir", str(folder), "--live", what, "-o", "json"])
    return list(json.loads(text)["containers"])


def create(setup: Setup, number: int, **more: Any) -> None:
    setup.peer.create({"id": f"{number:064x}", "name": f"c{number}", "args": ["sleep", "9"], "env": ["TOKEN=hush"],
                       **more}, {"name": "shop", "namespace": "web", "labels": {"app": "shop"}})


def opened(process: Process) -> dict[str, Any]:
    lines = [json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")]
    return next(line for line in reversed(lines) if line["msg"] == "journal opened")


def records(setup: Setup) -> list[dict[str, Any]]:
    return [json.loads(line) for line in setup.host.run(["cat", f"{RUN_DIR}/decisions"]).splitlines()]


def decisions(setup: Setup, number: int) -> list[dict[str, Any]]:
    """As many as that; they are written when the answer has left, so the last may be on its way."""
    def found() -> list[dict[str, Any]]:
        return [record for record in records(setup) if record["kind"] == "decision"]

    until(lambda: len(found()) == number, f"{number} decisions are recorded")
    return found()


def test_killed_and_started_again(setup: Setup, one: Path) -> None:
    """What was decided is told while no plugin runs, and the next one knows it."""
    setup.peer.start()
    plugin = start(setup, one)
    setup.peer.wait(plugins=1)
    for number in range(3):
        create(setup, number)
    decisions(setup, 3)
    plugin.kill()
    setup.peer.wait(plugins=0)

    containers = explain(setup, one, "web/shop")
    assert sorted(container["container"] for container in containers) == ["c0", "c1", "c2"]
    for container in containers:
        recorded = container["recorded"]
        assert (recorded["outcome"], recorded["hooks"]) == ("injected", 1)
        assert [(s["name"], s["verdict"], "since" in s) for s in recorded["sets"]] == [("one", "injected", False)]
        assert container["hooks"]["createRuntime"][0]["path"] == ONE_HOOK
    text = setup.host.run(["cat", f"{RUN_DIR}/decisions"])
    assert "hush" not in text and '"app":"shop"' in text
    assert setup.host.run(["stat", "-c", "%a", f"{RUN_DIR}/decisions"]).strip() == "600"

    again = start(setup, one)
    setup.peer.wait(plugins=1)
    assert opened(again)["known"] == 3, again.describe()
    create(setup, 3)
    decisions(setup, 4)
    (container,) = explain(setup, one, f"{3:064x}")
    assert container["container"] == "c3"
    again.terminate()
    setup.peer.wait(plugins=0)
    events = [record["event"] for record in records(setup) if record["kind"] == "session"]
    assert events == ["begun", "begun", "ended"]


def test_two_instances_write_one_journal(setup: Setup, one: Path) -> None:
    setup.peer.start()
    first = start(setup, one)
    setup.peer.wait(plugins=1)
    second = setup.run(cache.grapnel(), ["plugin"], ["--hooks-dir", str(one)], "20", "grapnel-new")
    setup.peer.wait(plugins=2)
    create(setup, 1)
    decisions(setup, 2)
    first.kill()
    setup.peer.wait(plugins=1)
    create(setup, 2)
    outcomes = [(int(record["id"], 16), record["outcome"]) for record in decisions(setup, 3)]
    second.kill()
    setup.peer.wait(plugins=0)
    assert sorted(outcomes) == [(1, "injected"), (1, "unmatched"), (2, "injected")]
    again = start(setup, one)
    setup.peer.wait(plugins=1)
    assert opened(again)["known"] == 2, again.describe()


def test_run_directory_that_cannot_be_used(setup: Setup, one: Path) -> None:
    """Containers get their hooks all the same, and it is said once."""
    setup.host.run(["mkdir", "-m", "777", RUN_DIR])
    setup.peer.start()
    plugin = start(setup, one)
    setup.peer.wait(plugins=1)
    for _ in range(3):
        assert setup.peer.create().paths() == [ONE_HOOK], plugin.describe()
    until(lambda: "decisions are not recorded" in plugin.log.read_text(), "it is said")
    assert plugin.log.read_text().count("decisions are not recorded") == 1


def test_the_run_directory_is_removed(setup: Setup, one: Path) -> None:
    """Everything in it comes back with the next load, also what is known; what happened meanwhile is not lost."""
    setup.peer.start()
    plugin = start(setup, one)
    setup.peer.wait(plugins=1)
    create(setup, 0)
    decisions(setup, 1)
    setup.host.run(["rm", "-rf", RUN_DIR])
    plugin.send(signal.SIGHUP)
    until(lambda: {"decisions", "pauses", "since", "instances"} <= set(setup.host.run(["ls", "-R", "/run"]).split()),
          "the directory is made again", detail=plugin.describe)
    create(setup, 1)
    decisions(setup, 1)
    (container,) = explain(setup, one, f"{1:064x}")
    assert container["recorded"]["outcome"] == "injected"
    status = json.loads(setup.host.run([str(cache.grapnel()), "status", "-o", "json"]))
    assert (status["journal"]["lost"], status["journal"].get("problem")) == (0, None)

    plugin.kill()
    setup.peer.wait(plugins=0)
    again = start(setup, one)
    setup.peer.wait(plugins=1)
    assert opened(again)["known"] == 2, again.describe()
