# SPDX-License-Identifier: Apache-2.0
"""Commands that somebody waits for: check and explain, each started anew as a person would; explain also beside a
plugin that it asks."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from .programs import START_LIMIT_S, BenchError, Process

RUNS = 7


def command_ms(argv: list[str], expect: str) -> float:
    """The whole command, from fork to exit; median. Its output must hold the text expected."""
    taken = []
    for _ in range(RUNS):
        begin = time.monotonic()
        run = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        taken.append((time.monotonic() - begin) * 1e3)
        if run.returncode != 0 or expect not in run.stdout:
            raise BenchError(f"{argv} has ended with {run.returncode}:\n{run.stdout[-2000:]}")
    return median(taken)


def check_ms(program: Path, files: Path, sets: int, *more: str) -> float:
    argv = [str(program), "check", "--config", "/dev/null", *more, str(files)]
    return command_ms(argv, f"{sets} sets in {sets} files: 0 errors")


def explain_ms(program: Path, files: Path, image: str, expect: str, *more: str) -> float:
    argv = [str(program), "explain", "--config", "/dev/null", "--hooks-dir", str(files), "--image", image, *more]
    return command_ms(argv, expect)


@contextmanager
def in_force(program: Path, sets: Path, folder: Path, config: Path) -> Iterator[list[str]]:
    """A plugin with these rules in force, and no runtime; gives the options of explain that ask it."""
    folder.mkdir(mode=0o755)
    socket = folder / "control.sock"
    argv = [str(program), "plugin", "--socket", str(folder / "nri.sock"), "--config", str(config), "--hooks-dir",
            str(sets), "--run-dir", "none", "--last-good", "none", "--control", str(socket)]  # fmt: skip
    with Process(argv, folder / "log") as plugin:
        begin = time.monotonic()
        while "rules loaded" not in plugin.tail() or not socket.exists():
            if plugin.child.poll() is not None or time.monotonic() - begin > START_LIMIT_S:
                raise BenchError(f"the plugin to be asked is not there:\n{plugin.tail()}")
            time.sleep(0.01)
        yield ["--in-force", "--control", str(socket)]


def explain_in_force_ms(program: Path, asking: list[str], image: str, expect: str, *more: str) -> float:
    argv = [str(program), "explain", "--config", "/dev/null", *asking, "--image", image, *more]
    return command_ms(argv, expect)
