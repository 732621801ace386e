# SPDX-License-Identifier: Apache-2.0
""".ci/run, tests/run and packaging/apart: what is said at the end, and that an interrupt ends all that was started."""
from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import ROOT

WAIT_S = 60
# tests/run with suites of its own: "one" is the command that it is given, "two" does nothing.
RUN = f"""
import importlib.machinery, importlib.util, sys
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("run", "{ROOT}/tests/run")
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
sys.modules["run"] = run
loader.exec_module(run)
run.groups = lambda: {{"all": suites}}
suites = [run.Suite("one", sys.argv[2:]), run.Suite("two", ["true"])]
exec(sys.argv[1])
sys.exit(run.main(["all"]))
"""
# Holds the pipe $1 open in itself, in one that left its session and in one that nothing waits for.
HOLDS = """exec 3>"$1"
setsid sh -c 'trap "" INT TERM HUP; sleep 600' &
sh -c 'sleep 600 & exec true'
%s
echo ready >&3
sleep 600 & wait
"""


class Pipe:
    """Tells when all who hold it have ended."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self) -> bytes:
        """What is there next; nothing: all have ended."""
        assert select.select([self.fd], [], [], WAIT_S)[0], "somebody goes on"
        return os.read(self.fd, 100)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    pipe = Pipe(tmp_path / "pipe")
    yield pipe
    os.close(pipe.fd)


@contextmanager
def started(*command: object, **more: object) -> Iterator[subprocess.Popen]:
    """What is counted there is not counted with the run that this test is part of."""
    apart = {name: value for name, value in os.environ.items() if name != "GRAPNEL_COUNTS"}
    process = subprocess.Popen([str(word) for word in command], env=apart, **more)
    try:
        yield process
    finally:
        process.kill()
        process.wait(WAIT_S)


def run(change: str, *command: object) -> list[object]:
    return [sys.executable, "-c", RUN, change, *command]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(pipe: Pipe, number: signal.Signals):
    """Also what does not want to."""
    command = run("run.TAKE_DOWN_S = run.GONE_S = 0", "sh", "-c", HOLDS % "trap '' INT TERM HUP", "sh", pipe.path)
    with started(*command, stdout=subprocess.PIPE, text=True) as process:
        assert pipe.read() == b"ready\n"
        process.send_signal(number)
        assert pipe.read() == b""
        out, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == -number
    assert out == "== one\n"


def test_ctrl_c(pipe: Pipe):
    """On a terminal, where make and whoever started it get it, too; a suite once, through tests/run."""
    main, other = pty.openpty()
    script = 'exec 3>"$1"; echo ready >&3; exec sleep 600'
    command = ["setsid", "--ctty", *run("", "sh", "-c", script, "sh", pipe.path)]
    with started(*command, stdin=other, stdout=subprocess.DEVNULL) as process:
        os.close(other)
        assert pipe.read() == b"ready\n"
        os.write(main, b"\x03")
        assert pipe.read() == b""
        assert process.wait(WAIT_S) == -signal.SIGINT
    os.close(main)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_steps(pipe: Pipe, tmp_path: Path, number: signal.Signals):
    """With make in between; no step follows the one that is under way."""
    (tmp_path / "Makefile").write_text(f"test:\n\t@exec 3>{pipe.path}; echo ready >&3; exec sleep 600\n")
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\nexec {shutil.which("make")} --file={tmp_path}/Makefile "$@"\n')
    make.chmod(0o755)
    apart = ["env", "-u", "MAKELEVEL", "-u", "MAKEFLAGS", f"PATH={tmp_path}:{os.environ['PATH']}"]
    with started(*apart, ROOT / ".ci" / "run", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                 text=True) as process:
        assert pipe.read() == b"ready\n"
        process.send_signal(number)
        assert pipe.read() == b""
        out, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 128 + number
    assert out == "==== make test\n"


# What takes itself down when it is asked to, and somebody in another session who tidies up behind it.
TIDY = """exec 3>"$1/pipe"
mkfifo "$1/end"
setsid sh -c 'read line <"$0/end"; echo behind >>"$0/down"' "$1" &
exec 4>"$1/end"
trap 'kill $!; echo suite >>"$1/down"; exit' INT
sleep 600 4>&- &
echo ready >&3
wait
"""


def test_a_suite_takes_its_things_down(pipe: Pipe, tmp_path: Path):
    with started(*run("", "sh", "-c", TIDY, "sh", tmp_path), stdout=subprocess.DEVNULL) as process:
        assert pipe.read() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert pipe.read() == b""
        assert process.wait(WAIT_S) == -signal.SIGTERM
    assert (tmp_path / "down").read_text() == "suite\nbehind\n"


def test_the_last_lines():
    """What took longest is first. Each suite looks at the clock before and after it is built, and run."""
    clock = "times = iter([0, 1, 2, 6, 10, 10, 10, 130.4]); run.time.monotonic = lambda: next(times)"
    with started(*run(clock, "false"), stdout=subprocess.PIPE, text=True) as process:
        out, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1
    assert out.splitlines()[-4:] == ["   120 s  two", "     5 s  one", "failed: one: exit code 1",
                                     "1 passed, 1 failed, 0 skipped"]


# Each waits until the other one is there, too.
MEET = 'mkfifo "$1/$2" 2>/dev/null; mkfifo "$1/$3" 2>/dev/null; echo "$2" >"$1/$2" & read -r other <"$1/$3"; ' \
       'echo "$2 met $other"; wait'


def test_side_by_side(tmp_path: Path):
    """What they say is not mixed, and what fails in one is its own."""
    both = 'suites[1] = run.Suite("two", [*sys.argv[2:-2], "b", "a"], beside=True); ' \
           'suites.append(run.Suite("three", ["false"], beside=True))'
    with started(*run(both, "sh", "-c", MEET, "sh", tmp_path, "a", "b"), stdout=subprocess.PIPE, text=True) as process:
        out, _ = process.communicate(timeout=WAIT_S)
    lines = out.splitlines()
    assert lines[:5] == ["== one", "== two", "== three", "a met b", "b met a"]
    assert lines[-2:] == ["failed: three: exit code 1", "2 passed, 1 failed, 0 skipped"]


def test_a_signal_ends_those_side_by_side(pipe: Pipe):
    both = 'suites[1] = run.Suite("two", sys.argv[2:], beside=True); run.TAKE_DOWN_S = run.GONE_S = 0'
    command = run(both, "sh", "-c", HOLDS % "", "sh", pipe.path)
    with started(*command, stdout=subprocess.DEVNULL) as process:
        said = b""
        while said.count(b"ready") < 2:
            said += pipe.read()
        process.send_signal(signal.SIGTERM)
        assert pipe.read() == b""
        assert process.wait(WAIT_S) == -signal.SIGTERM


# ---- packaging/apart ----

# The first process of the namespaces has handlers for nothing, as a script has not.
APART = 'echo "$FOLDER" >"$1/folder"; exec 3>"$1/pipe"; touch "$FOLDER/file"; sleep 600 & echo ready >&3; wait'


@pytest.fixture
def own_namespaces() -> None:
    made = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False, capture_output=True, text=True,
                          timeout=WAIT_S)
    if made.returncode != 0:  # without root, and in a chroot, whose / is no mount
        pytest.skip(made.stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_apart_is_told_to_end(own_namespaces: None, pipe: Pipe, tmp_path: Path, number: signal.Signals):
    with started(ROOT / "packaging/apart", "FOLDER", "sh", "-c", APART, "sh", tmp_path) as process:
        assert pipe.read() == b"ready\n"
        folder = Path((tmp_path / "folder").read_text().strip())
        assert (folder / "file").exists()
        process.send_signal(number)
        assert pipe.read() == b""
        assert process.wait(WAIT_S) == (-number if number == signal.SIGKILL else 128 + number)
    if number == signal.SIGKILL:
        shutil.rmtree(folder)  # nobody was left to do it
    assert not folder.exists()


def test_apart_ends_as_its_command_does(own_namespaces: None):
    command = [ROOT / "packaging/apart", "FOLDER", "sh", "-c", 'echo "$FOLDER $$"; exit "$1"', "sh", "7"]
    with started(*command, stdout=subprocess.PIPE, text=True) as process:
        out, _ = process.communicate(timeout=WAIT_S)
    folder, pid = out.split()
    assert (process.returncode, pid) == (7, "1")
    assert not Path(folder).exists()
