# SPDX-License-Identifier: Apache-2.0
"""What Grapnel makes of the containers that run when it connects."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from harness import cache
from harness.procs import Process
from harness.wait import until

from peer import ONE_HOOK, RECONNECT_S, Setup

COMPARED = "running containers compared with the rules"
MISSED = "a container runs without the hooks of a set that was in force when it was created"

WEB = """\
  match: {containerLabels: {app: web}}
  hooks: {createRuntime: [{path: %s, args: [hook, "%s"]}]}
"""


def web(text: str = "first") -> str:
    return WEB % (ONE_HOOK, text)


@dataclass
class Runtime:
    """The peer with its containers, and Grapnel beside it."""

    setup: Setup
    folder: Path
    running: list[dict[str, Any]] = field(default_factory=list)
    plugin: Process | None = None
    start: int = 0

    def grapnel(self) -> None:
        """Grapnel, registered and synchronized with what runs now."""
        args = ["--hooks-dir", str(self.folder), "--log-format", "json"]
        args += ["--control", str(self.control)]
        self.setup.peer.tell(self.running)
        log = self.setup.host.path / "plugin-10-grapnel.log"
        self.start = log.stat().st_size if log.exists() else 0
        self.plugin = self.setup.run(cache.grapnel(), ["plugin"], args, "10", "grapnel")
        self.setup.peer.wait(plugins=1)

    def create(self, name: str, app: str = "web") -> None:
        """A container that runs afterwards, with the hooks that the plugins gave it."""
        container = {"id": name, "labels": {"app": app}}
        raw = self.setup.peer.create(container).raw
        self.running.append(container | {"hooks": raw.get("hooks", {})})

    def lines(self, message: str) -> list[dict[str, Any]]:
        assert self.plugin
        with self.plugin.log.open("rb") as log:
            log.seek(self.start)
            lines = [json.loads(line) for line in log if line.endswith(b"\n")]
        return [line for line in lines if line["msg"] == message]

    def compared(self, times: int = 1) -> dict[str, int]:
        """The figures after so many Synchronize, without those that are 0."""
        assert self.plugin
        until(
            lambda: len(self.lines(COMPARED)) >= times,
            "the running containers were compared",
            timeout=RECONNECT_S,
            detail=self.plugin.describe,
        )
        line = self.lines(COMPARED)[-1]
        keys = ("running", "missed", "outdated", "preexisting", "unreadable")
        return {key: line[key] for key in keys if line[key]}

    def missed(self) -> list[str]:
        """Containers that this process said are missed."""
        return [line["id"] for line in self.lines(MISSED)]

    @property
    def control(self) -> Path:
        return self.setup.host.path / "run" / "control.sock"

    def status(self, *args: str) -> str:
        command = [str(cache.grapnel()), "status", *args, "--control", str(self.control)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def kill(self) -> None:
        assert self.plugin
        self.plugin.kill()
        self.setup.peer.wait(plugins=0)

    def stop(self) -> None:
        assert self.plugin
        self.plugin.terminate()
        self.setup.peer.wait(plugins=0)


def lasts_a_second() -> None:
    """Times are kept in seconds: what happens now is later than what has happened.

    The clock of time(2) is up to a tick (10 ms) behind that of clock_gettime(2).
    """
    later = int(time.time()) + 1.02
    until(lambda: time.time() > later, "the next second")


@pytest.fixture
def runtime(setup: Setup, write_set: Callable[[str, str], Path]) -> Runtime:
    setup.peer.start()
    runtime = Runtime(setup, write_set("web", web()))
    runtime.create("before")
    runtime.grapnel()
    assert runtime.compared() == {"running": 1, "preexisting": 1}
    runtime.create("asked")
    runtime.create("other", app="db")
    return runtime


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "stopped"])
def test_created_while_away(runtime: Runtime, killed: bool) -> None:
    lasts_a_second()
    if killed:
        runtime.kill()
    else:
        runtime.stop()
    runtime.create("missed")
    runtime.create("another", app="db")
    runtime.grapnel()
    assert runtime.compared() == {"running": 5, "missed": 1, "preexisting": 1}
    assert runtime.missed() == ["missed"]
    # Once, also by the next process; and no longer than it runs.
    runtime.stop()
    runtime.grapnel()
    assert runtime.compared() == {"running": 5, "missed": 1, "preexisting": 1}
    assert runtime.missed() == []
    runtime.stop()
    runtime.running = [one for one in runtime.running if one["id"] != "missed"]
    runtime.grapnel()
    assert runtime.compared() == {"running": 4, "preexisting": 1}


def test_status_tells(runtime: Runtime) -> None:
    """A missed container comes first; those that are older are no problem."""
    before = json.loads(runtime.status("-o", "json"))
    assert before["problems"] == []
    assert before["running"] == {
        "known": True,
        "running": 1,
        "unreadable": 0,
        "missed": 0,
        "outdated": 0,
        "preexisting": 1,
    }
    assert [item["class"] for item in before["lacking"]] == ["preexisting"]
    lasts_a_second()
    runtime.stop()
    runtime.create("missed")
    runtime.grapnel()
    runtime.compared()
    after = json.loads(runtime.status("-o", "json"))
    name = "/".join(after["lacking"][0][key] for key in ("namespace", "pod", "container"))
    assert after["problems"] == [
        f"1 container runs without hooks that it should have: {name}; recreate its pod"
    ]
    assert after["running"]["missed"] == 1
    items = [(item["id"], item["set"], item["class"]) for item in after["lacking"]]
    assert items == [("missed", "web", "missed"), ("before", "web", "preexisting")]
    assert json.loads(runtime.status("--all", "-o", "json"))["lacking"] == after["lacking"]
    text = runtime.status()
    problem = " ".join(text.split("Problems\n")[1].split("\n\n")[0].split())
    assert problem == "- " + after["problems"][0]
    assert f"\n  missed             {name} lacks web, id missed\n  1 more: see --all\n" in text
    assert "\n  preexisting " in runtime.status("--all")


def test_nothing_is_missed_by_a_restart(runtime: Runtime) -> None:
    lasts_a_second()
    for _ in range(2):
        runtime.kill()
        runtime.grapnel()
        assert runtime.compared() == {"running": 3, "preexisting": 1}
    runtime.stop()
    runtime.grapnel()
    assert runtime.compared() == {"running": 3, "preexisting": 1}


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
def test_nothing_is_missed_by_the_runtime_s_restart(runtime: Runtime, crash: bool) -> None:
    lasts_a_second()
    if crash:
        runtime.setup.peer.crash()
    else:
        runtime.setup.peer.stop()
    runtime.setup.peer.restart(runtime.running)
    assert runtime.compared(times=2) == {"running": 3, "preexisting": 1}
    assert runtime.missed() == []


def test_an_edit_while_away(
    runtime: Runtime, write_set: Callable[[str, str], Path]
) -> None:
    """Containers of before are outdated or older than the text; none is missed."""
    lasts_a_second()
    runtime.stop()
    runtime.create("away", app="db")
    write_set("web", web("second"))
    write_set("db", web().replace("app: web", "app: db"))
    runtime.grapnel()
    # outdated: asked; preexisting: before, and other and away of the new set.
    assert runtime.compared() == {"running": 4, "outdated": 1, "preexisting": 3}
    assert runtime.missed() == []


def test_an_edit_while_connected(
    runtime: Runtime, write_set: Callable[[str, str], Path]
) -> None:
    assert runtime.plugin
    write_set("web", web("second"))
    loaded = len(runtime.lines("rules loaded"))
    runtime.plugin.send(signal.SIGHUP)
    until(lambda: len(runtime.lines("rules loaded")) > loaded, "the new text is in force")
    runtime.create("new")
    assert len(runtime.lines(COMPARED)) == 1  # rules that change compare nothing
    lasts_a_second()
    runtime.kill()
    runtime.create("missed")
    runtime.grapnel()
    assert runtime.compared() == {"running": 5, "missed": 1, "outdated": 1, "preexisting": 1}
    assert runtime.missed() == ["missed"]


def test_an_answer_that_came_too_late(runtime: Runtime) -> None:
    """The runtime drops the plugin and creates the container without hooks."""
    assert runtime.plugin
    runtime.plugin.pause()
    runtime.create("late")
    assert runtime.running[-1]["hooks"] == {}
    runtime.setup.peer.tell(runtime.running)
    runtime.plugin.resume()
    assert runtime.compared(times=2) == {"running": 4, "missed": 1, "preexisting": 1}
    assert runtime.missed() == ["late"]


def test_the_run_directory_is_lost(runtime: Runtime) -> None:
    """Nothing is known any more, so that nothing is said to be missed."""
    lasts_a_second()
    runtime.kill()
    runtime.create("missed")
    runtime.setup.host.run(["rm", "-r", "/run/grapnel"])
    runtime.grapnel()
    assert runtime.compared() == {"running": 4, "preexisting": 2}
    assert runtime.missed() == []


def test_the_runtime_tells_the_age(runtime: Runtime) -> None:
    """From NRI 0.10 on; then the journal is not needed."""
    if runtime.setup.version in ("0.6.1", "0.8.0"):
        with pytest.raises(Exception, match="unknown field"):
            runtime.setup.peer.tell([{"id": "a", "created_at": "1"}])
        return
    runtime.stop()
    lasts_a_second()
    now = int(time.time())
    lasts_a_second()
    runtime.running = [
        {"id": age, "labels": {"app": "web"}, "created_at": str(at * 10**9)}
        for age, at in (("older", 1000), ("younger", now))
    ]
    runtime.setup.host.run(["rm", "/run/grapnel/decisions"])
    runtime.grapnel()
    assert runtime.compared() == {"running": 2, "missed": 1, "preexisting": 1}
    assert runtime.missed() == ["younger"]


@pytest.mark.parametrize("annotations, value_bytes", [(5, 40), (20, 100)], ids=["small", "7MiB"])
def test_a_large_synchronize(
    setup: Setup, write_set: Callable[[str, str], Path], annotations: int, value_bytes: int
) -> None:
    """Whole up to NRI 0.6.1 and in parts since: every container finds its pod."""
    folder = write_set("all", "  match: {podLabels: {app: {glob: app-*}}}\n"
                              f"  hooks: {{poststop: [{{path: {ONE_HOOK}}}]}}\n")  # fmt: skip
    setup.peer.start()
    runtime = Runtime(setup, folder)
    runtime.grapnel()
    assert runtime.compared() == {}
    runtime.stop()
    state = {"pods": 1000, "containers_each": 2, "annotations": annotations, "value_bytes": value_bytes}
    log = setup.host.path / "plugin-10-grapnel.log"
    runtime.start = log.stat().st_size
    setup.peer.call("sync", **state)
    args = ["--hooks-dir", str(folder), "--log-format", "json"]
    runtime.plugin = setup.run(cache.grapnel(), ["plugin"], args, "10", "grapnel")
    # All of them were created after the first session, as far as can be known.
    assert runtime.compared()["running"] == 2000
    figures = runtime.compared()
    assert figures.get("unreadable", 0) == 0
    assert figures.get("missed", 0) + figures.get("preexisting", 0) == 2000
