# SPDX-License-Identifier: Apache-2.0
"""One million containers and 10,000 reloads in one process: its memory, descriptors and threads stay as they were.

The containers come in batches of which the runtime does not wait for the single answer, each with an id and a pod of its
own, while the rules are read again with other texts: good, broken, without a set, one whose hook program is not there.
Journal, last good texts, metrics and control socket are as on a node.
"""
from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field as attribute
from pathlib import Path

from fakeruntime import PLUGIN, Listener, Runtime, field
from harness import cache
from harness.host import Host
from harness.procs import children_of
from harness.wait import until

RELOADS = 10_000
BATCH = 50  # containers; one batch while a load goes on, and one after it
TENTHS = 10
# Of the loads, one in so many comes from the watch, which waits for 100 ms of quiet. The others come from SIGHUP: what
# they find lies behind links, where nothing is watched.
BY_WATCH = 100
WAIT_S = 60
# Growth of anonymous memory from the first tenth, when the journal's table of 16,384 known containers has long been full,
# to the end. What the allocator leaves free between blocks changes by up to 23 pages from one look to another, up and down.
# The smallest block that it gives has 32 bytes: lost once in each reload they would be 281 KiB, once in each container
# 27 MiB.
GROWN_MAX_BYTES = 192 << 10
SETS = ("a", "b", "c")


def rule(name: str, program: Path, generation: int) -> str:
    hook = f"{{path: {program}, args: [hook, {name}, g{generation:05}]}}"
    return (f"apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {{name: {name}}}\n"
            f"spec:\n  match: {{always: true}}\n  onUnknown: Skip\n  hooks:\n    createRuntime: [{hook}]\n")  # fmt: skip


# ---- the node ----


@dataclass
class Rules:
    """Three files of one set each, links to texts that nobody watches."""

    top: Path
    refuses: bool = False  # a hook program is not there
    generations: dict[str, int | None] = attribute(default_factory=dict)  # in force; None: nothing

    def __post_init__(self) -> None:
        self.folder, self.texts, self.programs = (self.top / name for name in ("rules", "texts", "programs"))
        for folder in (self.folder, self.texts, self.programs):
            folder.mkdir(mode=0o755)
        for name in SETS:
            self.program(name).write_text("#!/bin/sh\n")
            self.program(name).chmod(0o755)
            self.good(name, 0)
            (self.folder / f"{name}.yaml").symlink_to(self.texts / name)

    def program(self, name: str) -> Path:
        return self.programs / name

    def put(self, name: str, text: str) -> None:
        fresh = self.texts / "fresh"
        fresh.write_text(text)
        fresh.rename(self.texts / name)

    def good(self, name: str, generation: int) -> None:
        self.put(name, rule(name, self.program(name), generation))
        self.generations[name] = generation

    def broken(self, name: str, generation: int) -> None:
        """Its last good text stays in force."""
        self.put(name, rule(name, self.program(name), generation).replace("match", "mach"))

    def empty(self, name: str) -> None:
        self.put(name, "")
        self.generations[name] = None

    def change(self, number: int) -> None:
        """Eight changes, after which everything is as before but for the generations."""
        step = number % 8
        if step in (0, 1, 2):
            self.good(SETS[step], number)
        elif step == 3:
            self.broken("b", number)
        elif step == 4:
            self.good("b", number)
        elif step == 5:
            self.program("c").rename(self.programs / "gone")
            self.refuses = True
        elif step == 6:
            self.refuses = False
            (self.programs / "gone").rename(self.program("c"))
            self.good("c", number)
        else:
            self.good("a", number)

    def touch_watched(self, number: int) -> None:
        """A new link in the directory that is watched, and a new text with it."""
        self.good("a", number)
        fresh = self.texts / "fresh"
        fresh.symlink_to(self.texts / "a")
        fresh.rename(self.folder / "a.yaml")


class Plugin:
    """The process. It logs to a pipe, which is read to the end of each load."""

    def __init__(self, host: Host, rules: Rules) -> None:
        self.top = rules.top
        config = self.top / "config.yaml"
        config.write_text("apiVersion: grapnel/v1beta1\nkind: Config\nspec: {rescanInterval: 3600}\n")
        self.metrics = self.top / "metrics.sock"
        self.child = subprocess.Popen(
            host.inside([str(cache.grapnel()), "plugin", "--socket", str(self.top / "nri.sock"),
                         "--hooks-dir", str(rules.folder), "--config", str(config), "--metrics", f"unix:{self.metrics}"]),
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.child.stderr
        self.log = self.child.stderr.fileno()
        fcntl.fcntl(self.log, fcntl.F_SETPIPE_SZ, 1 << 20)  # the lines of two batches, and more
        self.said = b""

    def begun(self) -> None:
        assert self.loaded() == "start"
        (self.pid,) = children_of(self.child.pid)  # of nsenter

    def loaded(self) -> str:
        """Reads on to the end of the next load that has brought news; what it came from."""
        end, line = time.monotonic() + WAIT_S, re.compile(rb'msg="rules loaded".* cause=(\S+) took_us=\d+\n')
        while not (found := line.search(self.said)):
            assert select.select([self.log], [], [], max(0, end - time.monotonic()))[0], self.said[-2000:]
            more = os.read(self.log, 1 << 20)
            assert more, f"the plugin has ended: {self.said[-2000:]!r}"
            self.said += more
        self.said = self.said[found.end():]
        return found[1].decode()

    def scraped(self) -> dict[str, float]:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(WAIT_S)
            sock.connect(str(self.metrics))
            sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            text = b"".join(iter(lambda: sock.recv(1 << 16), b"")).decode()
        return {name: float(value) for name, value in re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)}


@contextmanager
def running(host: Host, rules: Rules) -> Iterator[tuple[Plugin, Runtime]]:
    listener = Listener(rules.top / "nri.sock")
    plugin = Plugin(host, rules)
    try:
        runtime = listener.accept()
        runtime.ready()
        plugin.begun()
        yield plugin, runtime
        runtime.sock.close()
    finally:
        plugin.child.terminate()  # nsenter; the program ends with the host
        plugin.child.wait(WAIT_S)
        plugin.child.stderr.close()
        listener.sock.close()


# ---- the containers ----


class Containers:
    """Asks for batches of containers, as many bytes at once as they have."""

    ID = b"%064x"

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.runtime.read = runtime.sock.makefile("rb").read  # many answers with one system call
        self.n = 1
        pod = field(1, self.ID % 0) + field(2, "web") + field(4, "shop")
        container = field(1, self.ID % 0) + field(2, self.ID % 0) + field(3, "front")
        data = field(1, "nri.pkg.api.v1alpha1.Plugin") + field(2, "CreateContainer")
        data += field(3, field(1, pod) + field(2, container))
        self.parts = data.split(self.ID % 0)
        self.head = struct.pack(">III", PLUGIN, 10 + len(data), len(data))

    def _request(self, stream: int) -> bytes:
        id_ = self.ID % self.n
        self.n += 1
        return self.head + struct.pack(">IBB", stream, 1, 0) + id_.join(self.parts)

    def create(self) -> list[bytes]:
        """The answers to one batch, each with zeros for its id."""
        first, id_ = self.runtime.stream + 2, self.n
        streams = range(first, first + 2 * BATCH, 2)
        self.runtime.stream = streams[-1]
        self.runtime.sock.sendall(b"".join(map(self._request, streams)))
        answers = []
        for number, stream in enumerate(streams):
            assert self.runtime.receive() == (PLUGIN, stream, 2)
            answers.append(self.runtime.last.replace(self.ID % (id_ + number), self.ID % 0))
        return answers


def check(answer: bytes, rules: Rules) -> None:
    """It is that of what is in force, and about its container."""
    if rules.refuses:
        assert b"HookSet c (" in answer and b" refuses container front " in answer, answer
        return
    assert Containers.ID % 0 in answer
    for name, generation in rules.generations.items():
        found = re.findall(rb"\x01%s.{1,4}g(\d{5})" % name.encode(), answer, re.DOTALL)
        assert found == ([] if generation is None else [b"%05d" % generation]), (name, generation, answer)


def check_half(answers: list[bytes], old: bytes, new: bytes) -> None:
    """Those of a load that goes on: first of the old rules, then of the new ones."""
    n = answers.count(old)
    assert answers == [old] * n + [new] * (len(answers) - n), (old, new, answers)


# ---- what it has ----


@dataclass(frozen=True)
class Kept:
    """What the process has at one moment. anon: anonymous memory in bytes, counted page by page; RssAnon in its status
    may lag by some pages of each processor."""

    anon: int
    descriptors: int
    threads: int

    @staticmethod
    def of(pid: int) -> Kept:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        anon = re.search(r"^Anonymous: +(\d+) kB$", rollup, re.MULTILINE)
        assert anon
        return Kept(int(anon[1]) << 10, len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task")))


def is_flat(first: Kept, now: Kept) -> bool:
    return (now.anon - first.anon <= GROWN_MAX_BYTES
            and (now.descriptors, now.threads) == (first.descriptors, first.threads))  # fmt: skip


def one_reload(number: int, plugin: Plugin, rules: Rules, containers: Containers, old: bytes) -> bytes:
    by_watch = number % BY_WATCH == 0
    if by_watch:
        rules.touch_watched(number)
    else:
        rules.change(number)
        os.kill(plugin.pid, signal.SIGHUP)
    during = containers.create()
    # A load that something in /tmp has disturbed is done again, which then comes from the watch.
    assert plugin.loaded() in (("watch",) if by_watch else ("SIGHUP", "watch"))
    after = containers.create()
    new = after[0]
    assert after == [new] * BATCH, "one load, and two answers after it"
    check(new, rules)
    check_half(during, old, new)
    return new


def test_flat(host: Host) -> None:
    rules = Rules(host.path)
    with running(host, rules) as (plugin, runtime):
        containers = Containers(runtime)
        seen: list[Kept] = []
        answer = containers.create()[-1]
        for number in range(1, RELOADS + 1):
            answer = one_reload(number, plugin, rules, containers, answer)
            if number % (RELOADS // TENTHS) == 0:
                seen.append(Kept.of(plugin.pid))
                figures = plugin.scraped()
                print(f"{number} reloads, {containers.n} containers: {seen[-1]}")
        # The rules before are freed a moment after the load is told of.
        until(lambda: is_flat(seen[0], Kept.of(plugin.pid)), "the process has what it had after the first tenth",
              detail=lambda: "\n".join(map(str, [*seen, Kept.of(plugin.pid)])))
    assert containers.n > 1_000_000
    assert figures["grapnel_config_reloads_total"] >= RELOADS
