# SPDX-License-Identifier: Apache-2.0
"""Containers that were created while the plugin was away, with another text, or before the set."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness import cache
from harness import rules as node_rules
from harness.cri import PodSpec
from harness.lab import Judge, Lab, Rules
from harness.node import Node
from harness.plugin import External
from harness.wait import until

KEY = "missed.example.com/hooks"
WANTED = {KEY: "wanted"}
SET = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: wanted}}
spec:
  order: {order}
  match: {{podAnnotations: {{missed.example.com/hooks: {wanted}}}}}
  hooks:
    createRuntime: [{hook}]
"""
CLASSES = ("missed", "outdated", "preexisting")
CONTROL, METRICS = "control.sock", "metrics.sock"
COMPARED = "running containers compared with the rules"
MISSED = "a container runs without the hooks of a set that was in force when it was created"


@dataclass(frozen=True)
class Bench:
    """One runtime, one set and a run directory of its own."""

    lab: Lab
    rules: Rules
    run_dir: Path
    stack: ExitStack

    def container(self, annotations: dict[str, str] | None = None) -> str:
        """A container that runs until the test ends; its id."""
        running = self.lab.container(PodSpec("missed", annotations=annotations or {}))
        return self.stack.enter_context(running).container_id

    def write(self, order: int, wanted: str = "wanted") -> None:
        """The set, in a text of its own for each order; wanted: of which containers."""
        text = SET.format(order=order, wanted=wanted, hook=self.lab.hook("wanted"))
        (self.rules.folder / "wanted.yaml").write_text(text)

    def told(self) -> dict[str, list[str]]:
        """What status has: the containers of each class, whose lists have as many as are counted."""
        command = [cache.grapnel(), "status", "--all", "-o", "json", "--control", self.run_dir / CONTROL]
        document = json.loads(self.lab.host.run([str(word) for word in command]))
        lists: dict[str, list[str]] = {name: [] for name in CLASSES}
        for item in document["lacking"]:
            assert (item["set"], item["namespace"]) == ("wanted", "default"), item
            lists[item["class"]].append(item["id"])
        assert {name: len(ids) for name, ids in lists.items()} == {
            name: document["running"][name] for name in CLASSES
        }
        assert document["problemCodes"] == (["containers-missed"] if lists["missed"] else [])
        return {name: sorted(ids) for name, ids in lists.items() if ids}

    def scraped(self) -> dict[str, int]:
        """The same figures, as Prometheus gets them."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.run_dir / METRICS))
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            text = client.makefile().read()
        found = re.findall(r"^grapnel_(\w+)_containers (\d+)$", text, re.MULTILINE)
        return {name: int(count) for name, count in found if name in CLASSES}

    def lasts_a_second(self) -> None:
        """What happens now is later than what has happened, in whole seconds.

        The clock of time(2) is up to a tick (10 ms) behind that of clock_gettime(2).
        """
        later = int(time.time()) + 1.02
        until(lambda: time.time() > later, "the next second")


@pytest.fixture
def bench(lab: Lab) -> Iterator[Bench]:
    run_dir: Path = lab.folder("run", {})
    own = ["--run-dir", run_dir, "--control", run_dir / CONTROL, "--metrics", f"unix:{run_dir / METRICS}"]
    rules = Rules(lab.folder("missed", {}), [str(word) for word in own])
    with ExitStack() as stack:
        bench = Bench(lab, rules, run_dir, stack)
        bench.write(order=10)
        yield bench


@dataclass(frozen=True)
class Reader:
    """What the plugin says about running containers."""

    judge: Judge

    def _lines(self, message: str) -> list[dict[str, Any]]:
        with self.judge.log.open("rb") as log:
            log.seek(self.judge.start)
            lines = [json.loads(line) for line in log if line.startswith(b"{") and line.endswith(b"\n")]
        return [line for line in lines if line["msg"] == message]

    def compared(self, times: int = 1) -> tuple[int, int, int]:
        """How many are missed, outdated and preexisting after so many Synchronize."""
        until(
            lambda: len(self._lines(COMPARED)) >= times,
            "the running containers were compared",
            timeout=90,
            detail=self.judge.describe,
        )
        line = self._lines(COMPARED)[-1]
        assert line["unreadable"] == 0, self.judge.describe()
        return line["missed"], line["outdated"], line["preexisting"]

    def loads(self, more_than: int = -1) -> int:
        """How often the rules were loaded."""
        until(
            lambda: len(self._lines("rules loaded")) > more_than,
            "the rules are loaded again",
            detail=self.judge.describe,
        )
        return len(self._lines("rules loaded"))

    def missed(self) -> list[str]:
        """The containers that were said to be missed, by this process."""
        return [line["id"] for line in self._lines(MISSED)]


@contextmanager
def plugin(bench: Bench) -> Iterator[Reader]:
    with bench.lab.plugin(bench.rules) as judge:
        yield Reader(judge)


def kill(reader: Reader) -> None:
    reader.judge.plugin.kill()


def stop(reader: Reader) -> None:
    reader.judge.plugin.stop()


@pytest.mark.check("missed containers")
@pytest.mark.parametrize("end", [kill, stop], ids=["killed", "stopped"])
def test_created_while_the_plugin_was_away(bench: Bench, end: Any) -> None:
    older = bench.container(WANTED)
    with plugin(bench) as reader:
        # The set is younger than that container: nothing was missed by installing it.
        assert reader.compared() == (0, 0, 1)
        assert bench.told() == {"preexisting": [older]}
        hooked = bench.container(WANTED)
        bench.lasts_a_second()
        end(reader)
    missed = bench.container(WANTED)
    bench.container()
    with plugin(bench) as reader:
        assert reader.compared() == (1, 0, 1)
        assert reader.missed() == [missed]
        assert bench.told() == {"missed": [missed], "preexisting": [older]}
        assert bench.scraped() == {"missed": 1, "outdated": 0, "preexisting": 1}
        another = bench.container(WANTED)
    # Nothing comes of a restart, and what was said is not said again.
    with plugin(bench) as reader:
        assert reader.compared() == (1, 0, 1)
        assert reader.missed() == []
    bench.write(order=20)
    with plugin(bench) as reader:
        # The two that have hooks have those of the old text.
        assert reader.compared() == (1, 2, 1)
        assert reader.missed() == []
        outdated = sorted([hooked, another])
        assert bench.told() == {"missed": [missed], "outdated": outdated, "preexisting": [older]}
        assert bench.scraped() == {"missed": 1, "outdated": 2, "preexisting": 1}


@pytest.mark.check("missed containers")
def test_an_edit_while_the_plugin_runs(bench: Bench) -> None:
    """Nothing is missed by it: neither at once, nor when all is compared again."""
    with plugin(bench) as reader:
        assert reader.compared() == (0, 0, 0)
        old = bench.container(WANTED)
        other = bench.container({KEY: "other"})
        bench.lasts_a_second()
        loads = reader.loads()
        bench.write(order=20, wanted="[wanted, other]")
        reader.loads(more_than=loads)
        bench.container(WANTED)
        assert bench.told() == {}
        assert bench.scraped() == {"missed": 0, "outdated": 0, "preexisting": 0}
    with plugin(bench) as reader:
        # The one has the old text; the other was looked at when the set did not want it yet.
        assert reader.compared() == (0, 1, 1)
        assert reader.missed() == []
        assert bench.told() == {"outdated": [old], "preexisting": [other]}


@pytest.mark.check("missed containers")
def test_the_runtime_was_away(bench: Bench) -> None:
    """Containers outlive their runtime; a session that ends misses nothing by itself."""
    bench.container(WANTED)
    with plugin(bench) as reader:
        assert reader.compared() == (0, 0, 1)
        bench.container(WANTED)
        bench.container()
        bench.lasts_a_second()
        external = reader.judge.plugin
        assert isinstance(external, External) and external.process
        process = external.process
        bench.lab.runtime.stop()
        process.pause()
        offset = bench.lab.runtime.log_offset()
        bench.lab.runtime.start()
        missed = bench.container(WANTED)
        process.resume()
        reader.judge.plugin.runtime_restarted(offset)
        assert reader.compared(times=2) == (1, 0, 1)
        assert reader.missed() == [missed]


def recorded(node: Node) -> list[tuple[str, str]]:
    """The containers and sets that are in the journal as missed."""
    text = node.runtime.host.run(["cat", "/run/grapnel/decisions"])
    records = [json.loads(line) for line in text.splitlines()]
    return [(record["id"], record["set"]) for record in records if record["kind"] == "missed"]


@pytest.mark.check("missed container")
def test_created_while_the_plugin_was_dead(node: Node) -> None:
    """With each way to start the plugin. A runtime of NRI 0.6.1 tells a launched one nothing."""
    before = recorded(node)
    node.plugin.kill()
    with node.container(annotations=node_rules.WANTED) as running:
        node.plugin.restore()
        with node.container(annotations=node_rules.WANTED) as another:
            assert node.hooks_text(another) != node.baseline, node.describe()
        if node.kind.version == "1.7.25" and node.kind.mode == "launched":
            assert recorded(node) == before
            return
        until(
            lambda: recorded(node) == [*before, (running.container_id, "by-annotation")],
            "the container is recorded as missed",
            detail=node.describe,
        )
