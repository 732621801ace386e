# SPDX-License-Identifier: Apache-2.0
"""grapnel setup: what it says, what is there afterwards, several at once, and ones that are killed."""
from __future__ import annotations

import fcntl
import hashlib
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from running import WAIT_S, limited


def call(grapnel: str, *args: object, code: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run([grapnel, "setup", *map(str, args)], capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == code, done.stderr
    return done


def digest_of(folder: Path) -> str:
    """As specs/programs.md says."""
    text = b"grapnel-programs 1\n"
    files = {str(path.relative_to(folder)).encode(): path for path in folder.rglob("*") if path.is_file()}
    for name in sorted(files):
        mode = b"755" if files[name].stat().st_mode & 0o111 else b"644"
        text += hashlib.sha256(files[name].read_bytes()).hexdigest().encode() + b" " + mode + b" " + name + b"\n"
    return hashlib.sha256(text).hexdigest()


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Nobody else may write it, up to /."""
    home = tmp_path_factory.mktemp("store")
    source = home / "source"
    (source / "lib" / "net").mkdir(parents=True)
    (source / "setup").write_text("#!/bin/sh\nexit 0\n")
    (source / "setup").chmod(0o755)
    (source / "lib" / "net" / "table").write_bytes(bytes(range(256)) * 1000)
    yield home


def test_install(grapnel: str, home: Path):
    digest, to = digest_of(home / "source"), home / "programs" / "net"
    args = ("install", "--from", home / "source", "--to", to)
    assert call(grapnel, *args, "--dry-run").stdout == (
        f"{to}/{digest} would be installed: 2 files, 256017 bytes\n{to}/current would be set to it\n")
    assert not to.exists()
    assert call(grapnel, *args).stdout == (
        f"{to}/{digest} installed: 2 files, 256017 bytes\n{to}/current set to it\n")
    assert os.readlink(to / "current") == digest
    assert (to / "current" / "lib/net/table").read_bytes() == (home / "source/lib/net/table").read_bytes()
    assert call(grapnel, *args).stdout == (
        f"{to}/{digest} is there already, and is what its name says\n{to}/current names it already\n")
    (home / "source" / "setup").write_text("#!/bin/sh\nexit 1\n")
    newer = digest_of(home / "source")
    assert call(grapnel, *args).stdout == (
        f"{to}/{newer} installed: 2 files, 256017 bytes\n{to}/current switched from {digest}\n")
    (to / newer / "setup").write_text("#!/bin/sh\nexit 2\n")
    assert call(grapnel, *args, "--dry-run").stdout.startswith(
        f"{to}/{newer} would be replaced, since it was damaged")
    assert call(grapnel, *args).stdout.startswith(f"{to}/{newer} replaced, since it was damaged")
    assert sorted(os.listdir(to)) == sorted([digest, newer, "current", ".lock"])
    assert (to / ".lock").stat().st_mode == 0o100600
    assert digest_of(to / newer) == newer


def test_host_root(grapnel: str, home: Path):
    """Links of the host mean below its root what they mean on the host."""
    host = home / "host"
    (host / "var/opt").mkdir(parents=True)
    (host / "opt").symlink_to("/var/opt")
    call(grapnel, "install", "--from", home / "source", "--to", "/opt/grapnel/programs/net", "--host-root", host)
    assert (host / "var/opt/grapnel/programs/net/current/setup").exists()


def test_messages(grapnel: str, home: Path):
    to = home / "programs" / "net"
    (home / "source" / "link").symlink_to("/etc/shadow")
    done = call(grapnel, "install", "--from", home / "source", "--to", to, code=1)
    assert done.stderr == ("grapnel setup: program-source: expected files and directories only, no links, found "
                           f"that {home}/source/link is a symbolic link\n")
    assert not to.exists()
    (home / "source" / "link").unlink()
    assert "--to" in call(grapnel, "install", "--from", home / "source", code=2).stderr
    assert "--from" in call(grapnel, "install", "--to", to, code=2).stderr
    assert "absolute" in call(grapnel, "install", "--from", "x", "--to", "x", code=2).stderr
    assert "install, retire, self, autostart or cleanup" in call(grapnel, "remove", code=2).stderr
    assert "name of a package" in call(grapnel, "install", "--from", home / "source", "--to", home / "N.x",
                                        code=4).stderr
    done = call(grapnel, "install", "--from", home / "nothing", "--to", to, code=1)
    assert "No such file" in done.stderr


def around(grapnel: str, folder: Path, to: Path, *args: object) -> None:
    done = call(grapnel, "install", "--from", folder, "--to", to, *args, code=1)
    assert done.stderr.startswith(f"grapnel setup: program-around: expected the program files in a directory that does not hold "
                                  f"{to}, found that {folder} does; name the directory")


def test_a_source_that_holds_the_store(grapnel: str, home: Path):
    """Refused the first time, when the store is not there yet; the second time it would be part of what is installed."""
    source, to = home / "source", home / "source/a/programs/net"
    (home / "link").symlink_to("source/a")
    for args in ((), ("--dry-run",)):
        around(grapnel, source, to, *args)
        assert not (source / "a").exists()
    (source / "a").mkdir()
    for folder in (source, source / "a", home / "link"):
        around(grapnel, folder, to)
    assert not (source / "a/programs").exists()
    around(grapnel, source, Path("/a/programs/net"), "--host-root", source)
    call(grapnel, "install", "--from", source / "lib", "--to", to)
    digest = os.readlink(to / "current")
    for folder in (source, to.parent, to):
        around(grapnel, folder, to)
    (source / "lib/net/table").write_text("new")
    call(grapnel, "install", "--from", source / "lib", "--to", to)
    assert os.readlink(to / "current") != digest
    call(grapnel, "install", "--from", to / digest, "--to", to)
    assert os.readlink(to / "current") == digest


def test_several_at_once(grapnel: str, home: Path):
    """Two pods of an upgrade, and more, each with its own or the same files."""
    other = home / "other"
    other.mkdir()
    (other / "setup").write_text("other")
    digests = {digest_of(home / "source"), digest_of(other)}
    to = home / "programs" / "net"
    running = [subprocess.Popen([grapnel, "setup", "install", "--from", str(source), "--to", str(to)],
                                stdout=subprocess.DEVNULL) for source in [home / "source", other] * 6]
    assert [process.wait(timeout=60) for process in running] == [0] * len(running)
    assert set(os.listdir(to)) == digests | {"current", ".lock"}
    assert os.readlink(to / "current") in digests
    for digest in digests:
        assert digest_of(to / digest) == digest


def install_behind(command: list[str], to: Path, then: Callable[[], None]) -> None:
    """An installer that waits; what is done then lets it go on."""
    with limited(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)) as process:
        assert process.stderr.readline() == (
            f"grapnel setup: another command is at work in {to}: waiting for it, at most 120 seconds\n")
        then()
        assert "installed: " in process.stdout.read()
        assert process.wait(WAIT_S) == 0
    assert digest_of(to / os.readlink(to / "current")) == os.readlink(to / "current")


def lock(to: Path) -> int:
    """As an installer at work has it."""
    other = os.open(to / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(other, fcntl.LOCK_EX)
    return other


def test_behind_another(grapnel: str, home: Path):
    """It says for whom it waits and for how long, and that is not for ever."""
    to = home / "programs" / "net"
    to.mkdir(parents=True)
    command = [grapnel, "setup", "install", "--from", str(home / "source"), "--to", str(to)]
    other = lock(to)
    done = call(grapnel, *command[2:], "--wait", "1", code=4)
    assert "setup-busy" in done.stderr and "another one has it locked" in done.stderr
    assert os.listdir(to) == [".lock"]
    install_behind(command, to, lambda: os.close(other))
    assert len(os.listdir(to)) == 3


def test_behind_a_clean_up(grapnel: str, home: Path):
    """The package goes while an installer waits for it: what it has waited for counts no more."""
    to = home / "programs" / "net"
    to.mkdir(parents=True)
    other = lock(to)

    def clean_up() -> None:
        (to / ".lock").unlink()
        to.rmdir()
        os.close(other)

    install_behind([grapnel, "setup", "install", "--from", str(home / "source"), "--to", str(to)], to, clean_up)
    assert len(os.listdir(to)) == 3


NOBODY = 65534


def lock_as_nobody(folder: int, paths: list[str], how: int) -> str:
    """Of a process of its own, which holds what it has got: those that it has not."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    refused = []
    for path in paths:
        try:
            fcntl.flock(os.open(path, os.O_RDONLY, dir_fd=folder), how | fcntl.LOCK_NB)
        except PermissionError:
            refused.append(path)
    return " ".join(refused)


@pytest.mark.parametrize("how", [fcntl.LOCK_EX, fcntl.LOCK_SH])
def test_nobody_else_holds_it_up(grapnel: str, home: Path, how: int):
    """A process without rights that can see the store, as it can see /opt, locks whatever it can open there."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    to = home / "programs" / "net"
    args = ("install", "--from", home / "source", "--to", to, "--wait", "1")
    call(grapnel, *args)
    (home / "source" / "setup").write_text("newer")
    paths = [".", "net", "net/.lock", f"net/{os.readlink(to / 'current')}", "net/current/setup"]
    folder = os.open(to.parent, os.O_PATH)
    (said, say), (ended, end) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(end)
            os.write(say, lock_as_nobody(folder, paths, how).encode())
            os.read(ended, 1)
        finally:
            os._exit(0)
    for fd in (say, ended, folder):
        os.close(fd)
    try:
        assert os.read(said, 4096) == b"net/.lock"
        assert call(grapnel, *args).stderr == ""
    finally:
        os.close(end)
        os.close(said)
        os.waitpid(child, 0)
    assert (to / "current" / "setup").read_text() == "newer"


def test_a_lock_that_others_can_open(grapnel: str, home: Path):
    to = home / "programs" / "net"
    args = ("install", "--from", home / "source", "--to", to)
    call(grapnel, *args)
    (to / ".lock").chmod(0o644)
    done = call(grapnel, *args, code=4)
    assert f"setup-target: expected {to}/.lock to be a regular file with mode 0600" in done.stderr
    (to / ".lock").unlink()
    call(grapnel, *args)


def test_killed(grapnel: str, home: Path):
    """Whenever it is killed: current names something whole or nothing, and the next one puts all right."""
    for number in range(200):
        (home / "source" / f"file-{number}").write_bytes(bytes([number]) * 4096)
    to = home / "programs" / "net"
    args = [grapnel, "setup", "install", "--from", str(home / "source"), "--to", str(to)]
    choice = random.Random(7)
    for number in range(12):
        (home / "source" / "setup").write_text(f"{number}")
        process = subprocess.Popen(args, stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=choice.uniform(0.001, 0.03))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=60)
        if to.exists():
            for name in os.listdir(to):
                if len(name) == 64:
                    assert digest_of(to / name) == name
            if (to / "current").is_symlink():
                assert digest_of(to / "current") == os.readlink(to / "current")
    call(grapnel, *args[2:])
    assert os.readlink(to / "current") == digest_of(home / "source")
    assert [name for name in os.listdir(to) if name.startswith(".")] == [".lock"]


def mounted(tmp: Path, options: str, *command: object) -> subprocess.CompletedProcess:
    """In a mount namespace of its own, with a small file system mounted there."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount")
    script = 'mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", options, str(tmp), *map(str, command)],
                          capture_output=True, text=True, check=False, timeout=60)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("nothing can be mounted here")
    return done


@pytest.mark.parametrize("options,text", [
    ("ro,mode=755", "is on a read-only file system; choose another directory with --to, and the same in the setting programsDir"),
    ("noexec,mode=755", "is mounted noexec; choose another directory"),
    ("size=64k,mode=755", "expected room for program files in"),
    ("size=64k,mode=777", "run: chmod go-w"),
])
def test_file_systems(grapnel: str, home: Path, options: str, text: str):
    programs = home / "programs"
    programs.mkdir()
    done = mounted(programs, options, Path(grapnel).resolve(), "setup", "install", "--from", home / "source",
                   "--to", programs / "net")
    assert done.returncode == 4
    assert text in done.stderr


def test_self(grapnel: str, home: Path):
    tools = home / "tools"
    assert "would be written" in call(grapnel, "self", "--to", tools, "--dry-run").stdout
    assert not tools.exists()
    call(grapnel, "self", "--to", tools)
    call(grapnel, "self", "--to", tools)
    assert os.listdir(tools) == ["grapnel"]
    assert (tools / "grapnel").read_bytes() == Path(grapnel).read_bytes()
    assert call(str(tools / "grapnel"), "--help").stdout.startswith("Usage: grapnel setup install")


@pytest.mark.parametrize("where", ["tools", "tools/bin"])
def test_self_where_others_may_write(grapnel: str, home: Path, where: str):
    """Root runs it: on a host nobody else may replace it, nor a directory above it."""
    (home / "tools").mkdir()
    (home / "tools").chmod(0o777)
    done = call(grapnel, "self", "--to", home / where, code=4)
    assert f"run: chmod go-w {home}/tools\n" in done.stderr
    assert os.listdir(home / "tools") == []


@pytest.mark.parametrize("options,code,text", [
    ("mode=777", 0, "written"),
    ("mode=2777,gid=7", 0, "written"),
    ("mode=777,uid=7", 4, "chown -h root:root"),
    ("mode=755,ro", 4, "choose another directory with --to\n"),
    ("mode=755,noexec", 4, "choose another directory with --to, or mount it with exec\n"),
])
def test_self_into_a_volume(grapnel: str, home: Path, options: str, code: int, text: str):
    """Kubelet makes those of emptyDir 0777, and each is a mount of its own."""
    tools = home / "tools"
    tools.mkdir()
    done = mounted(tools, options, Path(grapnel).resolve(), "setup", "self", "--to", tools)
    assert done.returncode == code, done.stderr
    assert text in done.stdout + done.stderr
