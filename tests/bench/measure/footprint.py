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
# Calls during a reload go on for so long; the signal comes when a quarter of it is over.
RELOAD_WINDOW_S = 2.0
LONG_CALLS = 1_000_000
LONG_STEPS = 10


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
    resting_kib: int
    peak_kib: int
    after_kib: int  # resting again


def change(folder: Path, number: int) -> None:
    """A new text for the first file, as an administrator's tool would put it there."""
    first = min(folder.iterdir())
    text = re.sub(r"timeout: \d+", f"timeout: {31 + number}", first.read_text(), count=1)
    fresh = folder.parent / "fresh"
    fresh.write_text(text)
    os.replace(fresh, first)


def _longest_ms(pair: Pair, request: dict[str, Any], calls: int, during: Callable[[], None]) -> float:
    pair.runtime.send("bench", n=calls, **request)
    time.sleep(RELOAD_WINDOW_S / 4)
    during()
    return float(pair.runtime.receive()["max_ns"]) / 1e6


def _reload_once(pair: Pair, folder: Path, request: dict[str, Any], calls: int, number: int) -> tuple[float, float]:
    change(folder, number)
    offset = pair.log.stat().st_size
    longest = _longest_ms(pair, request, calls, lambda: pair.signal(signal.SIGHUP))
    found = pair.logged_since(offset, r'msg="rules loaded".* took_us=(\d+)')
    return int(found[1]) / 1e3, longest


def reload(plugin: Plugin, adaptation: Path, folder: Path, sets: Path, request: dict[str, Any]) -> Reload:
    """SIGHUP while requests run, each time with one file changed."""
    with Pair(plugin, adaptation, folder) as pair:
        cost_ns = pair.runtime.call("bench", n=500, **request)["p50_ns"] + 60_000
        calls = int(RELOAD_WINDOW_S * 1e9 / cost_ns)
        resting = pair.process.memory_kib()["VmRSS"]
        pair.process.forget_peak()
        took, longest, quiet = [], [], []
        for number in range(RELOADS):
            quiet.append(_longest_ms(pair, request, calls, lambda: None))
            one_took, one_longest = _reload_once(pair, sets, request, calls, number)
            took.append(one_took)
            longest.append(one_longest)
        after = pair.process.memory_kib()
    return Reload(median(took), median(longest), max(longest), median(quiet), resting, after["VmHWM"], after["VmRSS"])


def growth(plugin: Plugin, adaptation: Path, folder: Path, request: dict[str, Any],
           progress: Callable[[str], None]) -> list[int]:  # fmt: skip
    """RssAnon in KiB after each tenth of a million calls, the first entry after a warm-up."""
    with Pair(plugin, adaptation, folder) as pair:
        pair.runtime.call("bench", n=1000, **request)
        seen = [pair.process.memory_kib()["RssAnon"]]
        for i in range(LONG_STEPS):
            progress(f"{LONG_CALLS // LONG_STEPS * i} of {LONG_CALLS} calls")
            pair.runtime.call("bench", n=LONG_CALLS // LONG_STEPS, **request)
            seen.append(pair.process.memory_kib()["RssAnon"])
    return seen
