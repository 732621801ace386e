# SPDX-License-Identifier: Apache-2.0
"""Files change under the running plugin: what it notices, by what, and what is in force then."""
from __future__ import annotations

import ctypes
import json
import mmap
import os
import platform
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Node
from fakeruntime import Listener
from harness.procs import children_of
from harness.wait import until
from inotify import LIMITS, need_user_namespaces, with_limit
from running import RULE, WAIT_S, Lines, plugin, settings

POLICY = "apiVersion: grapnel/v1beta1\nkind: Policy\nspec: {stages: [createRuntime]}\n"


@pytest.fixture
def ruled(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    node.rule("one", RULE)
    settings(node)
    return node


def test_watch(ruled: Node):
    """New, broken, mended, masked and removed files count without a signal."""
    file = ruled.rules / "two.yaml"
    with plugin(ruled) as lines:
        assert lines.loaded()["cause"] == "start"
        ruled.rule("two", RULE)
        assert lines.loaded(sets=2)["cause"] == "watch"
        ruled.rule("two", RULE.replace("match", "mach"))
        lines.loaded(cause="watch", sets=2, last_good=1, ready="no")
        ruled.rule("two", RULE)
        lines.loaded(cause="watch", sets=2, last_good=0, ready="yes")
        file.unlink()
        file.symlink_to("/dev/null")
        lines.loaded(cause="watch", sets=1, ready="yes")
        file.unlink()
        (ruled.rules / "one.yaml").rename(ruled.rules / "one.off")
        lines.loaded(cause="watch", sets=0, ready="yes")


def test_untrusted(ruled: Node):
    """The mode of a file decides whether it counts."""
    with plugin(ruled) as lines:
        lines.loaded(rejected=0)
        (ruled.rules / "one.yaml").chmod(0o666)
        lines.loaded(cause="watch", last_good=1, ready="no")
        (ruled.rules / "one.yaml").chmod(0o644)
        lines.loaded(cause="watch", last_good=0, ready="yes")


def test_signal(ruled: Node):
    """SIGHUP reads what nobody watches, such as a hook program that was missing."""
    program = ruled.hooks / "first"
    program.rename(ruled.hooks / "later")
    with plugin(ruled) as lines:
        lines.loaded(blocked=1)
        (ruled.hooks / "later").rename(program)
        lines.process.send_signal(signal.SIGHUP)
        lines.loaded(cause="SIGHUP", blocked=0)


def test_directory_deleted_and_made_again(ruled: Node):
    rule = (ruled.rules / "one.yaml").read_text()
    with plugin(ruled) as lines:
        lines.loaded(sets=1)
        for _ in range(3):
            (ruled.rules / "one.yaml").unlink()
            ruled.rules.rmdir()
            lines.loaded(cause="watch", sets=0)
            ruled.rules.mkdir(mode=0o755)
            (ruled.rules / "one.yaml").write_text(rule)
            lines.loaded(cause="watch", sets=1)


def test_directory_appears(ruled: Node):
    """A directory that is not there is waited for, from the nearest one that is."""
    deep = ruled.home / "not" / "there" / "yet"
    settings(ruled, hooksDirs=[str(deep)])
    with plugin(ruled) as lines:
        lines.loaded(sets=0)
        deep.mkdir(parents=True, mode=0o755)
        (ruled.rules / "one.yaml").rename(deep / "one.yaml")
        lines.loaded(cause="watch", sets=1)


def publish(folder: Path, number: int, texts: dict[str, str]) -> None:
    """What kubelet does with a ConfigMap: a new directory, and a link that is swapped."""
    data = folder / f"..{number}"
    data.mkdir(parents=True, mode=0o755)
    for name, text in texts.items():
        (data / name).write_text(text)
    (folder / "..data_tmp").symlink_to(data.name)
    (folder / "..data_tmp").rename(folder / "..data")
    for name in texts:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")


def test_config_maps(ruled: Node):
    """Rules and settings from two of them."""
    rule = (ruled.rules / "one.yaml").read_text()
    rules, conf = ruled.home / "rules-map", ruled.home / "conf-map"
    text = (ruled.home / "config.yaml").read_text().replace(str(ruled.rules), str(rules))
    publish(rules, 1, {"one.yaml": rule})
    publish(conf, 1, {"config.yaml": text})
    with plugin(ruled, "--config", str(conf / "config.yaml")) as lines:
        lines.loaded(sets=1)
        publish(rules, 2, {"one.yaml": rule + "---\n" + rule.replace("spec:", "metadata: {name: two}\nspec:")})
        lines.loaded(cause="watch", sets=2)
        publish(conf, 2, {"config.yaml": text.replace(str(rules), str(ruled.rules))})
        lines.loaded(cause="watch", sets=1)


def test_settings(ruled: Node):
    """Level, format, directories: what the file says is in force without a restart."""
    other = ruled.home / "other"
    other.mkdir(mode=0o755)
    with plugin(ruled) as lines:
        lines.loaded(sets=1)
        settings(ruled, logLevel="debug")
        assert lines.until("rules loaded", cause="watch")["level"] == "debug"  # no news but at this level
        settings(ruled, hooksDirs=[str(other)])
        lines.loaded(cause="watch", sets=0)
        (ruled.rules / "one.yaml").rename(other / "one.yaml")
        lines.loaded(cause="watch", sets=1)
        settings(ruled, hooksDirs=[str(other)], logFormat="logfmt", logLevel="debug")
        text = next(lines.process.stderr)
        assert text.startswith("time=") and 'msg="rules loaded" sets=1 ' in text and "cause=watch" in text


def test_run_directory_moves(ruled: Node):
    """What is kept until the node starts anew is kept elsewhere from now on, and nowhere."""
    first, second = ruled.home / "run-1", ruled.home / "run-2"
    settings(ruled, runDir=str(first), logLevel="debug")
    with plugin(ruled) as lines:
        lines.until("journal opened", run_dir=str(first))
        settings(ruled, runDir=str(second), logLevel="debug")
        lines.until("journal opened", run_dir=str(second))
        assert [(folder / "reports.sock").exists() for folder in (first, second)] == [False, True]
        settings(ruled, runDir="none", logLevel="debug")
        ruled.rule("two", RULE)
        lines.loaded(sets=2)
        (ruled.rules / "two.yaml").unlink()
        lines.loaded(sets=1)  # what follows from a load is done when the next one is told
        assert not (second / "reports.sock").exists()
    assert (first / "since").exists() and (second / "since").exists()
    assert '"kind":"rules"' in (second / "decisions").read_text()


def sets_since(run: Path) -> list[str]:
    """Those of the file, for the next start."""
    return [line.split(" ", 2)[2] for line in (run / "since").read_text().splitlines()[1:]]


@pytest.mark.parametrize("stays", ["one", "other"])
def test_who_stays_has_the_last_word(ruled: Node, stays: str):
    """A newer instance with other rules goes, as in a rollout that is undone; or the older one, as in any other."""
    run, newer = ruled.home / "run", Node(ruled.program, ruled.home / "newer")
    for path in (newer.home, newer.rules, newer.hooks):
        path.mkdir(mode=0o755)
    newer.hook("first", "#!/bin/sh\n")
    newer.rule("other", RULE)
    for node in (ruled, newer):
        settings(node, runDir=str(run))
    with plugin(ruled) as first:
        first.loaded(sets=1)
        assert sets_since(run) == ["one"]
        with plugin(newer) as second:
            second.loaded(sets=1)
            assert sets_since(run) == ["other"]
            goes = {"one": second, "other": first}[stays].process
            goes.terminate()
            goes.wait(WAIT_S)
            assert sets_since(run) == ["other"]
            if stays == "other":
                (run / "since").write_text("")
    assert sets_since(run) == [stays]


def test_bad_settings(ruled: Node):
    """A file that turned bad changes nothing but that it is reported."""
    config = ruled.home / "config.yaml"
    with plugin(ruled) as lines:
        lines.loaded(sets=1, ready="yes")
        config.write_text(config.read_text().replace("hooksDirs", "hooksDir"))
        lines.loaded(cause="watch", sets=1, ready="no")
        assert any("unknown-key" in line for line in lines.seen)
        settings(ruled)
        lines.loaded(cause="watch", sets=1, ready="yes")


def test_policy(ruled: Node):
    """A policy that appears, and one that goes."""
    policy = ruled.home / "policy.yaml"
    policy.write_text(POLICY.replace("createRuntime", "poststop"))
    with plugin(ruled, "--policy", str(policy)) as lines:
        lines.loaded(policies=1, blocked=0)
        policy.write_text(POLICY)
        lines.loaded(cause="watch", policies=1, blocked=1)
        policy.write_text(POLICY.replace("createRuntime", "poststop"))
        lines.loaded(cause="watch", policies=1, blocked=0)
        policy.unlink()  # one that was named is not there: nothing is known of what it would forbid
        lines.loaded(cause="watch", policies=0, blocked=1)


def test_last_good_over_restarts(ruled: Node):
    """A file that was accepted once stays in force when it turns bad, also in the next process, whether it turned
    bad before that one's time or before its eyes."""
    broken = RULE.replace("match", "mach")
    served = {"sets": 1, "last_good": 1, "ready": "no"}
    with plugin(ruled) as lines:
        lines.loaded(sets=1, ready="yes")
        ruled.rule("one", broken)
        lines.loaded(cause="watch", **served)
        assert any("last-good" in line for line in lines.seen)
    with plugin(ruled) as lines:
        lines.loaded(cause="start", **served)
        ruled.rule("one", broken + "# still\n")
        ruled.rule("two", RULE)
        lines.loaded(cause="watch", sets=2, last_good=1, ready="no")
    with plugin(ruled) as lines:
        lines.loaded(cause="start", sets=2, last_good=1, ready="no")
        (ruled.rules / "one.yaml").unlink()
        lines.loaded(cause="watch", sets=1, last_good=0, ready="yes")
        ruled.rule("one", broken)
        lines.loaded(cause="watch", sets=1, last_good=0, ready="no")
    assert len(kept(ruled, "good")) == 1


def kept(node: Node, kind: str) -> list[Path]:
    return list((node.home / "last-good").glob(f"*.{kind}"))


def test_last_good_that_cannot_be_kept(ruled: Node):
    """As long as the process lives, a file that turns bad keeps its rules all the same."""
    with plugin(ruled) as lines:
        lines.loaded(sets=1, ready="yes")
        (ruled.home / "last-good").chmod(0o755)
        ruled.rule("two", RULE)
        lines.loaded(cause="watch", sets=2, ready="yes")
        assert any('"code":"last-good-directory"' in line for line in lines.seen)
        for name in ("one", "two"):
            ruled.rule(name, RULE.replace("match", "mach"))
        lines.loaded(cause="watch", sets=2, last_good=2, ready="no")
    with plugin(ruled) as lines:
        lines.loaded(cause="start", sets=0, last_good=0, ready="no")


def test_settings_over_restarts(ruled: Node):
    """A settings file that turned bad counts as it was accepted last, also in the next process, as long as it is bad."""
    config = ruled.home / "config.yaml"
    with plugin(ruled) as lines:
        lines.loaded(sets=1, ready="yes")
    good = config.read_text()
    config.write_text(good.replace("rescanInterval", "rescanIntervall"))
    for _ in range(2):
        with plugin(ruled) as lines:
            lines.loaded(cause="start", sets=1, files=1, ready="no")
            assert any("unknown-key" in line for line in lines.seen)
            warned = [json.loads(line) for line in lines.seen if '"code":"last-good"' in line]
            assert [(line["level"], line["file"]) for line in warned] == [("warning", str(config))]
            ruled.rule("two", RULE)
            lines.loaded(cause="watch", sets=2)
            (ruled.rules / "two.yaml").unlink()
            lines.loaded(cause="watch", sets=1)
    with plugin(ruled) as lines:
        lines.loaded(cause="start", sets=1, ready="no")
        config.write_text(good)
        lines.loaded(cause="watch", sets=1, ready="yes")
    assert len(kept(ruled, "settings")) == 1


def test_settings_that_are_not_kept(ruled: Node):
    """Where nothing is kept, defaults stand in; an empty file, which sets nothing, is a good one."""
    config = ruled.home / "config.yaml"
    good = config.read_text()
    broken = good.replace("rescanInterval", "rescanIntervall")

    def starts_bare() -> None:
        config.write_text(broken)
        # Not with the built-in directories, nor the built-in run directory: those are the machine's.
        with plugin(ruled, "--hooks-dir", str(ruled.home / "none"), "--run-dir", "none", "--control", "none",
                    "--log-format", "json") as lines:
            lines.loaded(cause="start", sets=0, ready="no")
            assert any('"code":"no-last-good"' in line for line in lines.seen), lines.seen
            assert not any('"code":"last-good"' in line for line in lines.seen)

    def accepted(text: str) -> None:
        config.write_text(text)
        with plugin(ruled, "--log-format", "json") as lines:
            lines.loaded(sets=1, ready="yes")

    starts_bare()
    accepted(good)
    assert len(kept(ruled, "settings")) == 1
    config.write_text("")
    with plugin(ruled, "--hooks-dir", str(ruled.rules), "--run-dir", "none", "--control", "none",
                "--log-format", "json") as lines:
        lines.loaded(sets=1, ready="yes")
    assert kept(ruled, "settings") == []
    starts_bare()


def test_settings_of_another_version(ruled: Node):
    """What was accepted once, and this version refuses, does not count."""
    config = ruled.home / "config.yaml"
    with plugin(ruled) as lines:
        lines.loaded(sets=1, ready="yes")
    (file,) = kept(ruled, "settings")
    text = config.read_text().replace("rescanInterval", "rescanEvery")
    hash_ = 0xCBF29CE484222325
    for byte in text.encode():
        hash_ = (hash_ ^ byte) * 0x100000001B3 % 2**64
    file.write_text(f"grapnel-last-good 1 {len(str(config))} {len(text)} {hash_:016x}\n{config}\n{text}")
    config.write_text("no settings")
    with plugin(ruled, "--hooks-dir", str(ruled.rules), "--run-dir", "none", "--control", "none",
                "--log-format", "json") as lines:
        lines.loaded(sets=1, ready="no")
        for code in ("last-good-outdated", "no-last-good"):
            assert any(f'"code":"{code}"' in line for line in lines.seen), lines.seen
    assert file.exists()


# ---- where events are lost ----

def pid_of(lines: Lines) -> int:
    """Of the plugin, which timeout(1) has started."""
    (pid,) = children_of(lines.process.pid)
    return pid


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        stat = Path(f"/proc/{pid}/stat")
        until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "the plugin is stopped")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def fill_queue(folder: Path) -> None:
    """As many events as the kernel keeps for one program, and more; none of them matters to rules or settings."""
    one, other = folder / "noise", folder / "more-noise"
    one.write_text("")
    for _ in range(int(Path("/proc/sys/fs/inotify/max_queued_events").read_text()) // 4 + 1):
        one.rename(other)  # two events, which differ from those before: equal ones are joined
        other.rename(one)


def overflows(node: Node, control: Path) -> int:
    done = subprocess.run([node.program, "status", "--control", control, "-o", "json"], capture_output=True, text=True,
                          check=False, timeout=60, stdin=subprocess.DEVNULL)
    return json.loads(done.stdout)["watch"]["overflows"]


def test_queue_overflow(ruled: Node):
    """The queue was full when the rule came, so that no event tells of it; that some were lost makes the plugin look.
    No rescan comes for an hour."""
    control = ruled.home / "c"
    settings(ruled, controlSocket=str(control))
    listener = Listener(ruled.home / "nri.sock")
    with plugin(ruled) as lines:
        runtime = listener.accept()
        runtime.ready()
        lines.loaded(sets=1)
        with stopped(pid_of(lines)):
            fill_queue(ruled.home)
            ruled.rule("two", RULE)
        lines.loaded(cause="watch", sets=2)
        assert overflows(ruled, control) == 1
        runtime.create("c3", "front")
        assert b"GRAPNEL_HOOKSET=two@" in runtime.last
        (ruled.rules / "two.yaml").unlink()  # what comes later is noticed as ever
        lines.loaded(cause="watch", sets=1)
        runtime.sock.close()


def test_rescan_sees_what_no_event_tells(ruled: Node):
    """A file that is written through memory changes without an event, as files of other machines do. What is in force
    afterwards is what the rescan has read."""
    settings(ruled, rescanInterval=1)
    text = (ruled.rules / "one.yaml").read_bytes()
    at = text.index(b"/first")
    with (ruled.rules / "one.yaml").open("r+b") as file, mmap.mmap(file.fileno(), len(text)) as memory:
        with plugin(ruled) as lines:
            lines.loaded(sets=1, blocked=0)
            memory[at:at + 6] = b"/fir5t"  # no such program
            lines.loaded(cause="rescan", sets=1, blocked=1)
            memory[at:at + 6] = b"/first"
            lines.loaded(cause="rescan", sets=1, blocked=0)


# ---- where inotify does not work ----

AUDIT = {"x86_64": (0xC000003E, 294, 254), "aarch64": (0xC00000B7, 26, 27)}  # architecture; init1, add_watch
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2
LOAD, EQUAL, RETURN, ALLOW, FAIL = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000


def refusing(call: int, errno: int) -> Callable[[], None]:
    """Makes a system call fail in this process, as it may in a sandbox."""
    arch = AUDIT[platform.machine()][0]
    code = [(LOAD, 0, 0, 4), (EQUAL, 0, 3, arch), (LOAD, 0, 0, 0), (EQUAL, 0, 1, call),
            (RETURN, 0, 0, FAIL | errno), (RETURN, 0, 0, ALLOW)]
    text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(text)))
    libc = ctypes.CDLL(None, use_errno=True)

    def apply(keep: object = text) -> None:
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, FILTER, program):
            raise OSError(ctypes.get_errno(), "prctl")

    return apply


@pytest.mark.parametrize("which, errno, code", [
    pytest.param(1, 24, "no-inotify", id="EMFILE"),
    pytest.param(1, 38, "no-inotify", id="ENOSYS"),
    pytest.param(2, 28, "watch-limit", id="ENOSPC"),
])
def test_rescan(ruled: Node, which: int, errno: int, code: str):
    """Where nothing can be watched, one warning says how to mend it and the timer finds what changed."""
    settings(ruled, rescanInterval=1)
    with plugin(ruled, before=refusing(AUDIT[platform.machine()][which], errno)) as lines:
        lines.loaded(sets=1)
        ruled.rule("two", RULE)
        lines.loaded(cause="rescan", sets=2)
        (ruled.rules / "two.yaml").unlink()
        lines.loaded(cause="rescan", sets=1)
        assert sum(code in line for line in lines.seen) == 1, lines.seen


@pytest.mark.parametrize("name, number, code", [("watches", 1, "watch-limit"), ("instances", 0, "no-inotify")])
def test_real_limits(ruled: Node, name: str, number: int, code: str):
    """The rescan finds what changes while they are reached; once they are raised, files are watched again."""
    need_user_namespaces()
    settings(ruled, rescanInterval=1)
    with plugin(ruled, before=with_limit(name, number)) as lines:
        lines.loaded(sets=1)
        ruled.rule("two", RULE)
        lines.loaded(cause="rescan", sets=2)
        assert sum(code in line for line in lines.seen) == 1, lines.seen
        subprocess.run(["nsenter", f"--target={pid_of(lines)}", "--user", "sh", "-c", f"echo 100 >{LIMITS}{name}"],
                       check=True, timeout=60, stdin=subprocess.DEVNULL)
        lines.until("files are watched again")
        settings(ruled, logLevel="debug")  # no rescan from now on
        lines.loaded(cause="watch")
        (ruled.rules / "two.yaml").unlink()
        lines.loaded(cause="watch", sets=1)
