# SPDX-License-Identifier: Apache-2.0
"""How long answers take while rule files change all the time: they are added, broken, mended, masked and removed, and a
ConfigMap is swapped as kubelet does it. That every answer is right then is asserted by tests/peer."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Callable

from . import inputs
from .programs import BenchError, Pair, Plugin

CALLS = 20_000
SWAPS = 500
FILES = 8  # that change one by one
MAPPED = 5  # files of the ConfigMap; the first has the rule that matches
# In bursts with 200 ms from one to the next where an answer takes 200 us: the plugin waits for 100 ms of quiet.
IN_A_ROW = 20
# The bursts are spread over so much of what the calls took without them.
SPREAD = 0.9


@dataclass(frozen=True)
class Churned:
    p99_ms: float
    quiet_p99_ms: float
    loads: int


def _put(path: Path, text: str) -> None:
    fresh = path.with_name(".fresh")
    fresh.write_text(text)
    os.replace(fresh, path)


def _text(i: int, generation: int) -> str:
    return inputs.one_set(i).replace("timeout: 30", f"timeout: {31 + generation % 60}")


class Files:
    """The directories; the second masks the first."""

    def __init__(self, top: Path) -> None:
        self.low, self.high, self.mapped = top / "low", top / "high", top / "map"
        for folder in (top, self.low, self.high, self.mapped):
            folder.mkdir(mode=0o755)
        self._deeds = cycle([self._add, self._break, self._mend, self._mask, self._unmask, self._remove])
        self._file = 0
        self.swap(0)

    @property
    def args(self) -> list[str]:
        """The directory of the ConfigMap is given by whoever starts the plugin."""
        return ["--hooks-dir", str(self.low), "--hooks-dir", str(self.high)]

    def swap(self, generation: int) -> None:
        data, link = self.mapped / f"..{generation}", self.mapped / "..data"
        before = os.readlink(link) if link.is_symlink() else None
        data.mkdir(mode=0o755)
        for i in range(MAPPED):
            (data / f"map{i}.yaml").write_text(_text(i, generation))
        fresh = self.mapped / "..data_tmp"
        fresh.symlink_to(data.name)
        os.replace(fresh, link)
        if before:
            shutil.rmtree(self.mapped / before)
            return
        for i in range(MAPPED):
            (self.mapped / f"map{i}.yaml").symlink_to(f"..data/map{i}.yaml")

    def change(self, generation: int) -> None:
        """One deed to one file; when all have had it, the next one."""
        if self._file == 0:
            self._deed = next(self._deeds)
        self._deed(f"file{self._file}.yaml", _text(MAPPED + self._file, generation))
        self._file = (self._file + 1) % FILES

    def _add(self, name: str, text: str) -> None:
        _put(self.low / name, text)

    def _break(self, name: str, text: str) -> None:
        (self.low / name).write_text(text.replace("match:", "mach:"))

    def _mend(self, name: str, text: str) -> None:
        (self.low / name).write_text(text)

    def _mask(self, name: str, text: str) -> None:
        (self.high / name).symlink_to("/dev/null")

    def _unmask(self, name: str, text: str) -> None:
        (self.high / name).unlink()

    def _remove(self, name: str, text: str) -> None:
        (self.low / name).unlink()


def _answers(pair: Pair, request: dict[str, Any], during: Callable[[], None]) -> float:
    """The 99th percentile in milliseconds."""
    pair.runtime.send("bench", n=CALLS, **request)
    during()
    reply = pair.runtime.receive()
    if reply["hooks"] != 1:
        raise BenchError(f"{pair.plugin.name}, while files change: {reply['hooks']} hooks, not 1")
    return float(reply["p99_ns"]) / 1e6


def measure(plugin: Plugin, adaptation: Path, folder: Path, files: Files, request: dict[str, Any]) -> Churned:
    """The quiet run first: it also tells how far the changes are to be spread."""
    with Pair(plugin, adaptation, folder) as pair:
        begin = time.monotonic()
        quiet = _answers(pair, request, lambda: None)
        distance = (time.monotonic() - begin) * SPREAD / SWAPS  # from one swap to the next, on average

        def change_all() -> None:
            start = time.monotonic()
            for i in range(1, SWAPS + 1):
                files.swap(i)
                files.change(i)
                if i % IN_A_ROW == 0:
                    time.sleep(max(0, start + i * distance - time.monotonic()))

        offset = pair.log.stat().st_size
        busy = _answers(pair, request, change_all)
        pair.logged_since(offset, r'msg="rules loaded".* cause=watch ')
        log = pair.log.read_bytes()[offset:]
    if log.count(b"is lost"):
        raise BenchError(f"{plugin.name}: the connection was lost while files changed")
    return Churned(busy, quiet, log.count(b'msg="rules loaded"'))
