# SPDX-License-Identifier: Apache-2.0
"""Memory, start, reload: what is measured once per program and not per call."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Callable

from .programs import Pair, Plugin, Runtime

PODS = 1000
STARTS = 9
RELOADS = 5
# Calls during a reload go on for so long; the file changes when a quarter of it is over.
RELOAD_WINDOW_S = 2.0
LONG_CALLS = 1_000_000
LONG_RELOADS = 10_000
LONG_STEPS = 10
# So many reloads by SIGHUP to one by a changed file, which waits for 100 ms of quiet.
SIGNALS_TO_A_CHANGE = 9


@dataclass(frozen=True)
class Memory:
    rss_kib: int
    anon_kib: int


def memory(plugin: Plugin, adaptation: Path, folder: Path) -> Memory:
    """Resident memory of a plugin that has just been given 1,000 pods."""
    with Pair(plugin, adaptation, folder, PODS) as pair:
        time.sleep(0.3)
        now = pair.process.memory_kib()
        return Memory(now["VmRSS"], now["RssAnon"])


def start_ms(plugin: Plugin, adaptation: Path, folder: Path) -> float:
    """From before fork and exec until the runtime side has the plugin in its list; median."""
    taken = []
    with Runtime(adaptation, folder) as runtime:
        runtime.call("start")
        for i in range(STARTS):
            begin = time.monotonic()
            with plugin.start(runtime, folder / f"plugin-{i}.log", bare=True) as process:
                runtime.wait_for(process)
                taken.append((time.monotonic() - begin) * 1e3)
            runtime.wait_gone()
    return median(taken)


@dataclass(frozen=True)
class Reload:
    took_ms: float
    longest_ms: float  # answer during a reload, median over the reloads
    worst_ms: float  # the longest of all
    quiet_ms: float  # longest answer of as many calls without a reload, median
    p99_ms: float  # the same two of the 99th percentile
    quiet_p99_ms: float
    resting_kib: int
    peak_kib: int
    after_kib: int  # resting again


def change(folder: Path, number: int) -> None:
    """A new text for the first file, as an administrator's tool would put it there."""
    first = min(folder.iterdir())
    text = re.sub(r"timeout: \d+", f"timeout: {31 + number % 60}", first.read_text(), count=1)
    fresh = folder.parent / "fresh"
    fresh.write_text(text)
    os.replace(fresh, first)


def _slowest_ms(pair: Pair, request: dict[str, Any], calls: int, during: Callable[[], None]) -> tuple[float, float]:
    """The longest answer, and the 99th percentile."""
    pair.runtime.send("bench", n=calls, **request)
    time.sleep(RELOAD_WINDOW_S / 4)
    during()
    reply = pair.runtime.receive()
    return float(reply["max_ns"]) / 1e6, float(reply["p99_ns"]) / 1e6


def reload(plugin: Plugin, adaptation: Path, folder: Path, sets: Path, request: dict[str, Any]) -> Reload:
    """A file changes while requests run; the plugin notices by itself."""
    with Pair(plugin, adaptation, folder) as pair:
        cost_ns = pair.runtime.call("bench", n=500, **request)["p50_ns"] + 60_000
        calls = int(RELOAD_WINDOW_S * 1e9 / cost_ns)
        resting = pair.process.memory_kib()["VmRSS"]
        pair.process.forget_peak()
        took, busy, quiet = [], [], []
        for number in range(RELOADS):
            quiet.append(_slowest_ms(pair, request, calls, lambda: None))
            offset = pair.log.stat().st_size
            busy.append(_slowest_ms(pair, request, calls, lambda: change(sets, number)))
            found = pair.logged_since(offset, r'msg="rules loaded".* cause=watch took_us=(\d+)')
            took.append(int(found[1]) / 1e3)
        after = pair.process.memory_kib()
    longest, p99 = zip(*busy)
    quiet_longest, quiet_p99 = zip(*quiet)
    return Reload(median(took), median(longest), max(longest), median(quiet_longest), median(p99), median(quiet_p99),
                  resting, after["VmHWM"], after["VmRSS"])  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What a process has at one moment."""

    anon_kib: int
    descriptors: int


def _kept(pair: Pair) -> Kept:
    return Kept(pair.process.memory_kib()["RssAnon"], pair.process.descriptors())


def reloads(plugin: Plugin, adaptation: Path, folder: Path, sets: Path, progress: Callable[[str], None]) -> list[Kept]:
    """After each tenth of 10,000 reloads, the first entry after a warm-up. The plugin must log at level debug."""
    with Pair(plugin, adaptation, folder) as pair, pair.log.open("rb") as log:
        log.seek(0, os.SEEK_END)
        seen = []
        for i in range(LONG_RELOADS + 1):
            if i % (LONG_RELOADS // LONG_STEPS) == 0:
                progress(f"{i} of {LONG_RELOADS} reloads")
                seen.append(_kept(pair))
            if i % (SIGNALS_TO_A_CHANGE + 1) == 0:
                change(sets, i)
                pair.next_logged(log, b"rules loaded")
            else:
                pair.signal(signal.SIGHUP)
                pair.next_logged(log, b"rules loaded")
    return seen


def growth(plugin: Plugin, adaptation: Path, folder: Path, request: dict[str, Any],
           progress: Callable[[str], None]) -> list[Kept]:  # fmt: skip
    """After each tenth of a million calls, the first entry after a warm-up."""
    with Pair(plugin, adaptation, folder) as pair:
        pair.runtime.call("bench", n=1000, **request)
        seen = [_kept(pair)]
        for i in range(LONG_STEPS):
            progress(f"{LONG_CALLS // LONG_STEPS * i} of {LONG_CALLS} calls")
            pair.runtime.call("bench", n=LONG_CALLS // LONG_STEPS, **request)
            seen.append(_kept(pair))
    return seen
