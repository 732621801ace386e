# SPDX-License-Identifier: Apache-2.0
"""Rules change while containers are created: every answer is that of the old rules or of the new ones.

Each rule's hook carries the generation of its text, so that an answer tells which texts it was made of.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness import cache
from harness.procs import Process
from harness.wait import POLL_S, until

from peer import ONE_HOOK, Peer, Setup

ANSWERS = 20_000
SWAPS = 500
SWAPS_IN_A_ROW = 10
SLOTS = 8  # files that change one by one
MAPPED = 5  # files that change together
SETTLED_S = 60.0

Value = int | None
Answer = dict[str, int]


def rule(name: str, generation: int) -> str:
    hook = f"{{path: {ONE_HOOK}, args: [hook, {name}, g{generation}]}}"
    return (
        f"apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {{name: {name}}}\n"
        f"spec:\n  match: {{always: true}}\n  hooks:\n    createRuntime: [{hook}]\n"
    )


BROKEN = "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec: {mach: everything}\n"


def ask(peer: Peer) -> Answer:
    """Which sets a container gets, and of which generation."""
    hooks = peer.create().hooks.get("createRuntime", [])
    answer = {hook.args[1]: int(hook.args[2][1:]) for hook in hooks}
    assert len(answer) == len(hooks), f"a set twice: {hooks}"
    assert list(answer) == sorted(answer), f"another order: {hooks}"
    return answer


# ---- files that change one by one ----


@dataclass
class File:
    """One file: what is in it, and what of it is in force once it was read."""

    path: Path
    state: str = "gone"  # gone, good, broken, empty
    value: Value = None

    def put(self, text: str, at_once: bool) -> None:
        """As a careful tool does it, or as an editor may."""
        if at_once:
            fresh = self.path.with_name(".fresh")
            fresh.write_text(text)
            fresh.rename(self.path)
        else:
            if self.path.is_symlink():
                self.path.unlink()
            self.path.write_text(text)


@dataclass
class Slot:
    """A name in two directories, the second of which masks the first."""

    name: str
    low: File
    high: File
    old: Value = None  # what may still be in force
    new: Value = None

    @property
    def value(self) -> Value:
        return self.low.value if self.high.state == "gone" else self.high.value

    def change(self, draw: random.Random, generation: int) -> Callable[[], None]:
        """Settles what is in force after one change, and returns the change."""
        file = draw.choice([self.low, self.low, self.high])
        verbs = {"gone": ["good", "broken"], "empty": ["gone", "good"]}
        verb = draw.choice(verbs.get(file.state, ["good", "broken", "gone", "empty"]))
        at_once = draw.random() < 0.5
        masked = file is self.low and self.high.state != "gone"
        if verb == "good":
            text, file.value = rule(self.name, generation), generation
        elif verb == "broken":
            text = BROKEN + f"# {generation}\n"
        else:
            text, file.value = "", None
        if file.state == "broken" and verb == "broken" and masked:
            file.value = None
        file.state = verb
        # What is masked is not read, so that nothing of it is kept.
        if self.high.state != "gone" and self.low.state == "broken":
            self.low.value = None
        if verb == "gone":
            return file.path.unlink
        if verb == "empty" and draw.random() < 0.5:
            return lambda: link_to_null(file.path)
        return lambda: file.put(text, at_once)


def link_to_null(path: Path) -> None:
    fresh = path.with_name(".null")
    fresh.symlink_to("/dev/null")
    fresh.rename(path)


# ---- files that change together ----


@dataclass
class Map:
    """A ConfigMap as kubelet mounts it: all files of one generation, swapped by one rename."""

    folder: Path
    generation: int = 0  # the newest one that may be there
    seen: int = 0  # the newest one that was answered

    def publish(self, generation: int) -> None:
        data = self.folder / f"..{generation}"
        data.mkdir(mode=0o755)
        for i in range(MAPPED):
            (data / f"map{i}.yaml").write_text(rule(f"map{i}", generation))
        fresh, link = self.folder / "..data_tmp", self.folder / "..data"
        before = os.readlink(link) if link.is_symlink() else None
        fresh.symlink_to(data.name)
        fresh.rename(link)
        for i in range(MAPPED):
            name = self.folder / f"map{i}.yaml"
            if not name.is_symlink():
                name.symlink_to(f"..data/{name.name}")
        if before:
            for file in (self.folder / before).iterdir():
                file.unlink()
            (self.folder / before).rmdir()


# ---- the answers ----


@dataclass
class Load:
    """Containers created one after the other by a thread of its own, each answer checked."""

    peer: Peer
    slots: list[Slot]
    map: Map
    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: int = 0
    failure: str = ""
    last: Answer = field(default_factory=dict)
    _stop: bool = False

    def _check(self, answer: Answer) -> None:
        for slot in self.slots:
            value = answer.get(slot.name)
            assert value in (slot.old, slot.new), f"{slot}: {value} in {answer}"
            if value == slot.new:
                slot.old = value  # never back
        mapped = {answer.get(f"map{i}") for i in range(MAPPED)}
        assert len(mapped) == 1, f"half of one and half of another: {answer}"
        generation = mapped.pop()
        assert generation is not None, f"nothing of the ConfigMap: {answer}"
        assert self.map.seen <= generation <= self.map.generation, f"{self.map}: {answer}"
        self.map.seen = generation
        assert len(answer) == MAPPED + sum(slot.name in answer for slot in self.slots), answer

    def _run(self) -> None:
        try:
            while not self._stop:
                answer = ask(self.peer)
                with self.lock:
                    self._check(answer)
                    self.answers += 1
                    self.last = answer
        except Exception as e:  # noqa: BLE001 - told by the test's own thread
            self.failure = f"answer {self.answers}: {type(e).__name__}: {e}"

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stop = True
            thread.join(timeout=90)

    def settled(self) -> bool:
        with self.lock:
            assert not self.failure, self.failure
            slots = all(self.last.get(s.name) == s.new for s in self.slots)
            return slots and self.map.seen == self.map.generation


def change_some(draw: random.Random, load: Load, generation: int) -> None:
    """One change each of some files."""
    for slot in draw.sample(load.slots, draw.randint(1, 4)):
        with load.lock:
            slot.old = slot.new
            change = slot.change(draw, generation)
            slot.new = slot.value
        change()
        pause(draw)


def swap_some(draw: random.Random, load: Load) -> None:
    for _ in range(SWAPS_IN_A_ROW):
        with load.lock:
            load.map.generation += 1
        load.map.publish(load.map.generation)
        pause(draw)


def pause(draw: random.Random) -> None:
    """Nothing waits for this: it spreads the changes over quiet and busy moments of the plugin."""
    time.sleep(draw.choice([0, 0, 0, 0, 0, 0.001, 0.01, draw.uniform(0.09, 0.12)]))


def folders(setup: Setup, *names: str) -> list[Path]:
    made = [setup.host.path / name for name in names]
    for folder in made:
        folder.mkdir(mode=0o755)
    return made


def start(setup: Setup, rules: list[Path], **settings: str) -> Process:
    """The plugin with these directories, and no rescan while a test lasts."""
    config = setup.host.path / "config.yaml"
    spec = "".join(f", {key}: {value}" for key, value in settings.items())
    head = "apiVersion: grapnel/v1beta1\nkind: Config\n"
    config.write_text(f"{head}spec: {{rescanInterval: 3600{spec}}}\n")
    dirs = [part for folder in rules for part in ("--hooks-dir", str(folder))]
    more = [*dirs, "--config", str(config)]
    return setup.run(cache.grapnel(), ["plugin"], more, "10", "grapnel")


@pytest.mark.parametrize("setup", ["0.12.2"], indirect=True)
def test_under_load(setup: Setup) -> None:
    """Files are added, broken, mended, masked and removed, and a ConfigMap is swapped."""
    seed = int(os.environ.get("GRAPNEL_SEED", "20261"))
    print(f"GRAPNEL_SEED={seed}")
    draw = random.Random(seed)
    low, high, mapped = folders(setup, "low", "high", "map")
    slots = [Slot(f"s{i}", File(low / f"s{i}.yaml"), File(high / f"s{i}.yaml"))
             for i in range(SLOTS)]  # fmt: skip
    load = Load(setup.peer, slots, Map(mapped))
    load.map.publish(0)
    setup.peer.start()
    plugin = start(setup, [low, high, mapped])
    setup.peer.wait(plugins=1)
    ask(setup.peer)
    resting, descriptors = memory_kib(plugin, "VmRSS"), open_descriptors(plugin)
    rounds = 0
    with load.running():
        while load.map.generation < SWAPS or load.answers < ANSWERS:
            rounds += 1
            change_some(draw, load, rounds)
            if load.map.generation < SWAPS:
                swap_some(draw, load)
            until(load.settled, f"round {rounds} is in force", SETTLED_S, plugin.describe)
    assert not load.failure, load.failure
    log = plugin.log.read_text()
    print(f"{load.answers} answers, {rounds} rounds, {log.count('rules loaded')} loads with news")
    assert setup.peer.wait(plugins=1, syncs=1) == ["10-grapnel"]
    assert "is lost" not in log and log.count("msg=connected") == 1, plugin.describe()
    assert "cause=rescan" not in log
    peak = memory_kib(plugin, "VmHWM")
    print(f"{resting} KiB at rest, {peak} KiB at most")
    assert peak <= 2 * resting, plugin.describe()
    until(lambda: open_descriptors(plugin) == descriptors, "no descriptor is left", detail=plugin.describe)


def memory_kib(plugin: Process, name: str) -> int:
    lines = Path(f"/proc/{plugin.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def open_descriptors(plugin: Process) -> int:
    return len(os.listdir(f"/proc/{plugin.pid}/fd"))


# ---- memory ----

MANY = 3_000  # sets of other namespaces: most of what the process has is rules
MANY_EACH = 20  # of one file
MEMORY_ROUNDS = 100
SAMPLES = 40
# Of the process' own, beside the rules in force, those that are read and their texts: answers, findings, the sets that change.
ROOM_KIB = 512


def other(number: int) -> str:
    hook = f"{{path: {ONE_HOOK}, args: [hook, --container-id, '{{{{.ID}}}}'], env: [MODE=bridge], timeout: 30}}"
    return (
        f"apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {{name: other-{number}}}\n"
        f"spec:\n  match:\n    namespace: team-{number}\n    podLabels: {{app.kubernetes.io/name: app-{number}}}\n"
        f"  hooks:\n    createRuntime: [{hook}]\n"
    )


def write_others(folder: Path) -> int:
    """Gives how many KiB of text there are."""
    texts = ["---\n".join(map(other, range(n, n + MANY_EACH))) for n in range(0, MANY, MANY_EACH)]
    for n, text in enumerate(texts):
        (folder / f"others-{n}.yaml").write_text(text)
    return sum(map(len, texts)) >> 10


@dataclass(frozen=True)
class Memory:
    """In KiB."""

    own: int  # RssAnon
    all: int  # VmRSS

    @staticmethod
    def at_rest(plugin: Process) -> Memory:
        """The least that is seen for a while: another load may follow the first one."""
        seen = []
        for _ in range(SAMPLES):
            seen.append(Memory(memory_kib(plugin, "RssAnon"), memory_kib(plugin, "VmRSS")))
            time.sleep(POLL_S)
        return min(seen, key=lambda memory: memory.all)

    @staticmethod
    def forget_peak(plugin: Process) -> None:
        """VmHWM counts from now on."""
        Path(f"/proc/{plugin.pid}/clear_refs").write_text("5")

    def peak(self, plugin: Process) -> Memory:
        """Since then. What is not the process' own was there before."""
        most = memory_kib(plugin, "VmHWM")
        return Memory(most - (self.all - self.own), most)


@pytest.mark.parametrize("setup", ["0.12.2"], indirect=True)
def test_memory_with_many_sets(setup: Setup) -> None:
    """Loads that follow each other at once never hold more than the rules in force and those that are read."""
    low, high, mapped = folders(setup, "low", "high", "map")
    text_kib = write_others(low)
    slots = [Slot(f"s{i}", File(low / f"s{i}.yaml"), File(high / f"s{i}.yaml")) for i in range(SLOTS)]
    map_ = Map(mapped)
    map_.publish(0)
    setup.peer.start()
    plugin = start(setup, [low, high, mapped])
    setup.peer.wait(plugins=1)
    resting = Memory.at_rest(plugin)
    Memory.forget_peak(plugin)
    draw = random.Random(1)
    for number in range(1, MEMORY_ROUNDS + 1):
        draw.choice(slots).change(draw, number)()
        map_.publish(number)
        plugin.send(signal.SIGHUP)
        ask(setup.peer)
    until(lambda: ask(setup.peer).get("map0") == MEMORY_ROUNDS, "the last one is in force", detail=plugin.describe)
    peak = resting.peak(plugin)
    print(f"{resting} at rest, {peak} at most, {text_kib} KiB of text")
    assert resting.own > resting.all / 2, "what is measured is rules"
    assert peak.all <= 2 * resting.all
    assert peak.own <= 2 * resting.own + text_kib + ROOM_KIB


def test_directory_deleted_and_made_again(setup: Setup) -> None:
    """Under the running plugin, on every version of the library."""
    (rules,) = folders(setup, "rules")
    file = rules / "one.yaml"
    file.write_text(rule("one", 0))
    setup.peer.start()
    plugin = start(setup, [rules])
    setup.peer.wait(plugins=1)
    for generation in (1, 2):
        assert ask(setup.peer) == {"one": generation - 1}
        file.unlink()
        rules.rmdir()
        until(lambda: ask(setup.peer) == {}, "nothing is in force", detail=plugin.describe)
        rules.mkdir(mode=0o755)
        file.write_text(rule("one", generation))
        until(lambda: ask(setup.peer), "the rule is in force again", detail=plugin.describe)
    assert ask(setup.peer) == {"one": 2}


@pytest.mark.parametrize("setup", ["0.12.2"], indirect=True)
def test_required_with_its_file(setup: Setup) -> None:
    """A set that becomes required together with its file is never missed, and one that is required and goes is."""
    (rules,) = folders(setup, "rules")
    setup.peer.start()
    plugin = start(setup, [rules])
    setup.peer.wait(plugins=1)
    assert ask(setup.peer) == {}
    (rules / "one.yaml").write_text(rule("one", 1))
    config = setup.host.path / "config.yaml"
    config.write_text(config.read_text().replace("}", ", requiredSets: [one]}"))
    until(lambda: ask(setup.peer), "the rule is in force", detail=plugin.describe)
    (rules / "one.yaml").unlink()
    until(lambda: refused(setup.peer), "its containers are refused", detail=plugin.describe)


def refused(peer: Peer) -> bool:
    try:
        ask(peer)
    except Exception as e:  # noqa: BLE001 - the text says which error it is
        assert "the required HookSet one is not in force" in str(e), e
        return True
    return False
