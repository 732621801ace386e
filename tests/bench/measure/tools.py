# SPDX-License-Identifier: Apache-2.0
"""Commands that somebody waits for: check and explain, each started anew as a person would."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from statistics import median

from .programs import BenchError

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
