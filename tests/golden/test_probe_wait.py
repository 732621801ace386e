# SPDX-License-Identifier: Apache-2.0
"""probe --wait: what it runs when the plugin is ready, how often, and how it ends."""
from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Node
from fakeruntime import Listener
from running import WAIT_S, limited, plugin, settings


@pytest.fixture
def home(node: Node) -> Node:
    settings(node, controlSocket=str(node.home / "control.sock"))
    return node


@contextmanager
def waiting(home: Node, *command: object, options: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    arguments = ["probe", "ready", "--control", home.home / "control.sock", "--wait", *options, "--", *command]
    with limited(subprocess.Popen([home.program, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)) as process:
        yield process


@contextmanager
def ready(home: Node) -> Iterator[None]:
    listener = Listener(home.home / "nri.sock")
    with plugin(home) as lines:
        runtime = listener.accept()
        runtime.ready()
        lines.until("synchronized")
        yield
        runtime.sock.close()
    listener.sock.close()
    (home.home / "nri.sock").unlink()


def script(home: Node, text: str) -> Path:
    path = home.home / "command"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def until_said(process: subprocess.Popen[str], text: str) -> list[str]:
    """Waits for a line that has this, and gives those before it."""
    said = []
    for line in process.stderr:
        if text in line:
            return said
        said.append(line)
    raise AssertionError(said)


def succeeded(process: subprocess.Popen[str]) -> list[str]:
    """What was said until the command had succeeded."""
    return until_said(process, "grapnel probe: done; staying until it is told to end\n")


def only_states(lines: list[str]) -> bool:
    """Whether they say nothing of the command: how much is seen of a plugin that comes, or goes, is a matter of luck."""
    return all(line.startswith("grapnel probe: ") and "trying again" not in line for line in lines)


def ended(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=WAIT_S)
    return process.returncode, out, err


def test_waits_then_runs_once_and_stays(home: Node):
    with waiting(home, script(home, "echo run\n")) as process:
        assert "Grapnel is not running here" in process.stderr.readline()
        with ready(home):
            assert process.stdout.readline() == "run\n"
            assert only_states(succeeded(process))
        with ready(home):
            pass
        assert ended(process)[:2] == (0, "")


def test_without_a_command(home: Node):
    with waiting(home) as process, ready(home):
        assert process.wait(timeout=WAIT_S) == 0


@pytest.mark.parametrize(("text", "why"), [
    ("exit 3", "command ended with 3; trying again"),
    ("kill -9 $$", "command was ended by signal 9; trying again")])
def test_until_it_succeeds(home: Node, text: str, why: str):
    """What fails is said once."""
    runs = home.home / "runs"
    command = script(home, f"echo >>{runs}\n[ $(wc -l <{runs}) = 3 ] || {text}\necho enough\n")
    with ready(home), waiting(home, command) as process:
        assert process.stdout.readline() == "enough\n"
        (said,) = succeeded(process)
        assert why in said
        assert ended(process) == (0, "", "")


def test_a_program_that_is_not_there(home: Node):
    missing = home.home / "missing"
    with ready(home), waiting(home, missing) as process:
        assert process.stderr.readline() == (
            f"grapnel probe: {missing} cannot be run: No such file or directory; trying again\n")
        assert ended(process, signal.SIGINT)[0] == 1


def test_told_to_end(home: Node):
    with waiting(home, "true") as process:
        assert process.stderr.readline()
        assert ended(process)[0] == 1


def test_the_program_is_told_to_end(home: Node):
    """And is waited for; signals are its own again."""
    command = script(home, "trap 'echo told; exit 0' TERM\necho run\nwhile :; do sleep 1; done\n")
    with ready(home), waiting(home, command) as process:
        assert process.stdout.readline() == "run\n"
        assert ended(process)[1] == "told\n"


def test_orphans_are_taken_in(home: Node):
    """As the first process of a container, which inherits what its program leaves behind. The orphan waits until that
    has ended and was waited for."""
    command = script(home, "(while kill -0 $$ 2>/dev/null; do sleep 0.01; done; echo late) &\necho run\n")
    arguments = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", home.program, "probe",
                 "ready", "--control", home.home / "control.sock", "--wait", "--", command]
    if subprocess.run([*arguments[:5], "true"], check=False, capture_output=True, timeout=WAIT_S).returncode != 0:
        pytest.skip("no namespaces can be made here")
    with ready(home):
        with limited(subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, text=True)) as process:
            assert [process.stdout.readline() for _ in range(2)] == ["run\n", "late\n"]


def test_a_failure_that_is_as_good(home: Node):
    """What the command says is not shown then, and else it is."""
    runs = home.home / "runs"
    command = script(home, f"echo >>{runs}\n[ $(wc -l <{runs}) = 1 ] && echo no answer >&2 || echo 'a \"x\" not found' >&2\n"
                           "exit 1\n")
    with ready(home), waiting(home, command, options=("--accept", '"x" not found')) as process:
        assert succeeded(process) == ["no answer\n", f"grapnel probe: {command} ended with 1; trying again\n"]
        assert ended(process) == (0, "", "")
    assert len(runs.read_text()) == 2


def test_only_a_failure_is_accepted(home: Node):
    """One that succeeds, and one that a signal has ended, say what they say."""
    runs = home.home / "runs"
    command = script(home, f"echo >>{runs}\necho fine >&2\n[ $(wc -l <{runs}) != 1 ] || kill -9 $$\n")
    with ready(home), waiting(home, command, options=("--accept", "fine")) as process:
        assert succeeded(process) == [
            "fine\n", f"grapnel probe: {command} was ended by signal 9; trying again\n", "fine\n"]


@pytest.mark.parametrize(("before", "accepted"), [(16384 - 4, True), (16384 - 3, False)])
def test_how_much_of_it_is_looked_at(home: Node, before: int, accepted: bool):
    """And a command that says more than is kept neither hangs nor is ended by it."""
    runs = home.home / "runs"
    command = script(home, f"echo >>{runs}\n[ $(wc -l <{runs}) = 1 ] || exit 0\n"
                           f"printf '%{before}s' >&2\nprintf text >&2\nhead -c 100000 /dev/zero >&2\nexit 1\n")
    with ready(home), waiting(home, command, options=("--accept", "text")) as process:
        said = "".join(succeeded(process))
        assert ("trying again" in said) != accepted
        assert len(runs.read_text()) == (1 if accepted else 2)


def test_again(home: Node):
    """Each time only when the plugin is ready; told to end meanwhile, it has succeeded before."""
    command = script(home, "echo run\n")
    with waiting(home, command, options=("--again", "1")) as process:
        assert "Grapnel is not running here" in process.stderr.readline()
        with ready(home):
            assert [process.stdout.readline() for _ in range(3)] == ["run\n"] * 3
            assert only_states(succeeded(process))
        assert only_states(until_said(process, "Grapnel is not running here"))
        with ready(home):
            assert only_states(succeeded(process))
        assert only_states(until_said(process, "Grapnel is not running here"))
        assert ended(process)[0] == 0
