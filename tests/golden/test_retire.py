# SPDX-License-Identifier: Apache-2.0
"""Packages that their owner does not install any more: the command, and a plugin that came with its programs."""
from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Node
from fakeruntime import Listener
from running import Lines, plugin, settings

RULE = """apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {name: tap}
spec:
  match: {always: true}
  hooks: {createRuntime: [{program: net/setup}]}
"""
RETIRED = "hook programs that are not installed any more were retired"
LONGEST = "a" * 253


def run_setup(grapnel: str, *args: object, code: int = 0) -> str:
    done = subprocess.run([grapnel, "setup", *map(str, args)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def install(grapnel: str, home: Path, name: str, *args: str) -> str:
    """What it says."""
    source = home / "source"
    source.mkdir(exist_ok=True)
    (source / "setup").write_text(name)
    (source / "setup").chmod(0o755)
    return run_setup(grapnel, "install", "--from", source, "--to", home / "programs" / name, *args)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("retire")


def packages(home: Path) -> list[str]:
    """Those in force."""
    return sorted(path.parent.name for path in home.glob("programs/*/current"))


def test_owners(grapnel: str, home: Path):
    """The last one that installs it, and that is told when it is another one."""
    net = home / "programs" / "net"
    assert f"{net} would belong to a/one\n" in install(grapnel, home, "net", "--owner", "a/one", "--dry-run")
    assert f"{net} belongs to a/one\n" in install(grapnel, home, "net", "--owner", "a/one")
    assert "belong" not in install(grapnel, home, "net", "--owner", "a/one")
    assert f"{net} would belong to b now, no longer to a/one\n" in install(
        grapnel, home, "net", "--owner", "b", "--dry-run")
    assert os.readlink(net / ".owner") == "a/one"
    assert f"{net} belongs to b now, no longer to a/one\n" in install(grapnel, home, "net", "--owner", "b")
    assert f"{net} belongs to nobody now, no longer to b\n" in install(grapnel, home, "net")
    assert "belong" not in install(grapnel, home, "net")
    assert sorted(os.listdir(net))[:1] == [".lock"] and len(os.listdir(net)) == 3
    install(grapnel, home, "net", "--owner", LONGEST)
    assert os.readlink(net / ".owner") == LONGEST


@pytest.mark.parametrize("owner", ["", "/etc", "a b", "a:b", "../x", "a\n", LONGEST + "a"])
def test_no_owner(grapnel: str, home: Path, owner: str):
    said = run_setup(grapnel, "install", "--from", home, "--to", home / "programs/net", "--owner", owner, code=2)
    assert "expected --owner of at most 253 letters, digits and ._/- that begin with a letter or digit" in said


def test_command(grapnel: str, home: Path):
    for name, *owner in (("net", "--owner", "a/one"), ("log", "--owner", "a/one"), ("old", "--owner", "a/one"),
                         ("other", "--owner", "a/two"), ("mine",)):
        install(grapnel, home, name, *owner)
    args = ("retire", "--store", home / "programs", "--owner", "a/one", "--keep", "net", "--keep", "log")
    gone = f"{home}/programs/old/current %sremoved: a/one does not install it any more\n"
    assert run_setup(grapnel, *args, "--dry-run") == gone % "would be "
    assert packages(home) == ["log", "mine", "net", "old", "other"]
    assert run_setup(grapnel, *args) == gone % ""
    assert packages(home) == ["log", "mine", "net", "other"]
    assert len([name for name in os.listdir(home / "programs/old") if len(name) == 64]) == 1
    assert run_setup(grapnel, *args) == f"nothing of a/one is to be retired in {home}/programs\n"
    assert f"{home}/programs/old/current set to it\n" in install(grapnel, home, "old", "--owner", "a/one")
    assert len(run_setup(grapnel, *args[:5]).splitlines()) == 3  # none is kept
    assert packages(home) == ["mine", "other"]


def test_command_below_a_host_root(grapnel: str, home: Path):
    install(grapnel, home, "net", "--owner", "a")
    args = ("retire", "--host-root", home, "--owner", "a", "--store")
    assert run_setup(grapnel, *args, "/programs") == "/programs/net/current removed: a does not install it any more\n"
    assert run_setup(grapnel, *args, "/none") == "nothing of a is to be retired in /none\n"


def test_command_that_cannot(grapnel: str, home: Path):
    install(grapnel, home, "net", "--owner", "a")
    args = ("retire", "--store", home / "programs", "--owner", "a")
    (home / "programs/net/.lock").chmod(0o644)
    said = run_setup(grapnel, *args, code=4)
    assert said.startswith(f"grapnel setup: {home}/programs/net cannot be retired: expected {home}/programs/net/.lock to")
    (home / "programs").chmod(0o777)
    assert "grapnel setup: untrusted-mode: " in run_setup(grapnel, *args, code=4)
    (home / "programs").chmod(0o755)
    assert packages(home) == ["net"]
    assert "--owner" in run_setup(grapnel, *args[:3], code=2)
    assert "--store" in run_setup(grapnel, "retire", "--owner", "a", code=2)
    assert "no --keep for install" in run_setup(grapnel, "install", "--from", "/x", "--to", "/x/y", "--keep", "a", code=2)
    assert "name of a package" in run_setup(grapnel, *args, "--keep", "A", code=2)
    most = [word for number in range(64) for word in ("--keep", f"p{number}")]
    assert "--keep at most 64 times" in run_setup(grapnel, *args, *most, "--keep", "net", code=2)
    assert "cannot be retired" in run_setup(grapnel, *args, *most, code=4)


# ---- a plugin ----

@contextmanager
def ready(node: Node, listener: Listener, *args: str) -> Iterator[Lines]:
    """One that a runtime has in its list."""
    with plugin(node, *args) as log:
        log.loaded()
        runtime = listener.accept()
        with runtime.sock:
            runtime.ready()
            yield log


def prepared(grapnel: str, home: Path) -> tuple[Node, Listener]:
    node = Node(grapnel, home)
    node.rules.mkdir()
    (node.rules / "tap.yaml").write_text(RULE)
    (home / "run").mkdir(mode=0o755)
    settings(node, programsDir=str(node.store), runDir=str(home / "run"))
    return node, Listener(home / "nri.sock")


MINE = ("--retire-owner", "a/one", "--retire-after", "1")


def test_plugin(grapnel: str, home: Path):
    """Its own go, but for those that it came with; rules that name them are blocked, until somebody installs them."""
    node, listener = prepared(grapnel, home)
    for name in ("net", "log"):
        install(grapnel, home, name, "--owner", "a/one")
    install(grapnel, home, "other", "--owner", "a/two")
    for name in packages(home):  # not in the second in which the plugin starts
        os.utime(node.store / name / ".owner", (1000, 1000), follow_symlinks=False)
    with ready(node, listener, *MINE, "--retire-keep", "log") as log:
        log.until(RETIRED, package="net", owner="a/one", store=str(node.store))
        log.loaded(blocked=1, cause="watch")
        assert packages(home) == ["log", "other"]
        install(grapnel, home, "net", "--owner", "a/one")
        log.loaded(blocked=0, cause="watch")
    listener.sock.close()


def test_plugin_beside_another(grapnel: str, home: Path):
    """The other one may be the one that stays, with the programs that it came with."""
    (home / "third").mkdir()
    node, listener = prepared(grapnel, home)
    third, third_listener = prepared(grapnel, home / "third")
    for place in (home, third.home):
        install(grapnel, place, "net", "--owner", "a/one")
        os.utime(place / "programs/net/.owner", (1000, 1000), follow_symlinks=False)
    with ready(node, listener) as old:
        with ready(node, listener, *MINE) as new:
            # As much time as one that is alone needs, for which it had more.
            for _ in range(2):
                with ready(third, third_listener, *MINE) as alone:
                    alone.until(RETIRED, package="net")
                install(grapnel, third.home, "net", "--owner", "a/one")
                os.utime(third.home / "programs/net/.owner", (1000, 1000), follow_symlinks=False)
            assert packages(home) == ["net"]
            old.process.terminate()
            old.process.wait()
            new.until(RETIRED, package="net")
            assert packages(home) == []
    listener.sock.close()
    third_listener.sock.close()


@pytest.mark.parametrize(("args", "text"), [
    (("--retire-owner", "a b"), "--retire-owner of at most 253 letters"),
    (("--retire-owner", "a", "--retire-keep", "A"), "--retire-keep with the name of a package"),
    (("--retire-keep", "a"), "--retire-owner with --retire-keep"),
    (("--retire-owner", "a", "--retire-after", "0"), "--retire-after of 1 to 86400 seconds"),
    (("--retire-owner", "a", "--retire-after", "86401"), "--retire-after of 1 to 86400 seconds"),
    (("--retire-owner", "a", *("--retire-keep", "a") * 65), "--retire-keep at most 64 times"),
])
def test_plugin_usage(grapnel: str, args: tuple[str, ...], text: str):
    done = subprocess.run([grapnel, "plugin", *args], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert text in done.stderr
