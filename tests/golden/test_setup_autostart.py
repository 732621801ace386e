# SPDX-License-Identifier: Apache-2.0
"""grapnel setup autostart: into the directory of plugins and out of it, on hosts that a test made."""
from __future__ import annotations

import fcntl
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doctorhost import CONTAINERD_TABLE, DoctorHost, doctor_host

PLUGINS = "/opt/nri/plugins"
ENTRY = f"{PLUGINS}/10-grapnel"
VERSION = r"[\d.]+"
GROUP = "/system.slice/grapnel.service"
POD = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-0123.scope"


@pytest.fixture
def host(grapnel: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoctorHost]:
    """A node in order, with no plugin on it."""
    with doctor_host(grapnel, tmp_path_factory.mktemp("autostart")) as host:
        host.remove("/proc/200")
        yield host


def call(host: DoctorHost, *args: object, code: int = 0, program: object = None) -> str:
    command = [program or host.program, "setup", "autostart", "--host-root", host.root, *args]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    assert (done.stderr == "") == (code == 0)
    return done.stdout + done.stderr


def names(host: DoctorHost, folder: str = PLUGINS) -> list[str]:
    return sorted(os.listdir(host.root / folder[1:]))


def older(host: DoctorHost, name: str, version: str = "0.0.9") -> Path:
    """The program as a version before it was: the note in it says so."""
    text = Path(host.program).read_bytes()
    note = re.search(rb"Grapnel\0" + rb"[\d.]+\0{16}", text)
    assert note
    before = note.group()
    after = b"Grapnel\0" + version.encode()
    return host.write(name, text.replace(before, after.ljust(len(before), b"\0")), 0o755)


def test_there_and_back(host: DoctorHost, grapnel: str):
    next_time = "containerd launches it when it starts the next time, and not before: systemctl restart containerd\n"
    said = call(host, "--dry-run")
    assert re.fullmatch(rf"{ENTRY} would be written: version {VERSION}\n" + next_time, said)
    assert not (host.root / "opt/nri").exists()
    said = call(host)
    assert re.fullmatch(rf"{ENTRY} written: version {VERSION}\n" + next_time, said)
    entry = host.root / ENTRY[1:]
    assert entry.read_bytes() == Path(grapnel).read_bytes()
    assert (entry.stat().st_mode, entry.stat().st_uid) == (0o100755, os.geteuid())
    assert names(host) == ["10-grapnel"]
    before = entry.stat()
    assert re.fullmatch(rf"{ENTRY} is this program already, version {VERSION}\n", call(host))
    assert entry.stat() == before
    assert host.findings() == {}  # and doctor has nothing against it
    gone = rf"{ENTRY} %sremoved: version {VERSION}\nwhat containerd launched before goes on until containerd is " \
        r"restarted: systemctl restart containerd\n"
    assert re.fullmatch(gone % "would be ", call(host, "--undo", "--dry-run"))
    assert names(host) == ["10-grapnel"]
    assert re.fullmatch(gone % "", call(host, "--undo"))
    assert names(host) == []
    assert call(host, "--undo") == f"there is no program of Grapnel's in {PLUGINS}\n"


def test_behind_another(host: DoctorHost):
    """Two at once would not know which of both names is the newer one."""
    directory = host.root / PLUGINS[1:]
    directory.mkdir(parents=True)
    held = os.open(directory / ".grapnel.lock", os.O_RDONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        said = call(host, "--wait", 1, code=4)
    finally:
        os.close(held)
    assert f"another command is at work in {PLUGINS}: waiting for it, at most 1 seconds\n" in said
    assert f"setup-busy: expected {PLUGINS} for this command alone, found that another one has it locked" in said
    assert names(host) == [".grapnel.lock"]
    call(host)  # as after one that was killed
    assert names(host) == ["10-grapnel"]


def test_directory_locked(host: DoctorHost):
    """Which anybody can who may read it."""
    directory = host.root / PLUGINS[1:]
    directory.mkdir(parents=True)
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        call(host, "--wait", 1)
        call(host, "--undo", "--wait", 1)
    finally:
        os.close(held)
    assert names(host) == []


def test_a_lock_that_others_can_open(host: DoctorHost):
    host.write(f"{PLUGINS}/.grapnel.lock", "", 0o644)
    said = call(host, code=4)
    assert f"setup-target: expected {PLUGINS}/.grapnel.lock to be a regular file with mode 0600" in said
    assert names(host) == [".grapnel.lock"]
    assert "would be written" in call(host, "--dry-run")


def test_upgrade(host: DoctorHost, grapnel: str):
    """It stays at its place, and is whole at any time."""
    entry = older(host, f"{PLUGINS}/42-grapnel")
    with entry.open("rb") as running:
        said = call(host)
        assert re.match(rf"{PLUGINS}/42-grapnel replaced: one of version 0.0.9 by version {VERSION}\n", said)
        assert b"0.0.9" in running.read()  # whoever runs it, goes on with it
    assert names(host) == ["42-grapnel"]
    assert entry.read_bytes() == Path(grapnel).read_bytes()


def test_from_its_own_place(host: DoctorHost):
    """The one that was put there can do the same."""
    call(host)
    entry = host.root / ENTRY[1:]
    assert "is this program already" in call(host, program=entry)
    assert "removed" in call(host, "--undo", program=entry)


@pytest.mark.parametrize("lines,directory", [
    ("", PLUGINS), ('plugin_path = "/usr/local/nri"\n', "/usr/local/nri")])
def test_the_directory_of_the_runtime(host: DoctorHost, lines: str, directory: str):
    host.write("/etc/containerd/config.toml", f"version = 3\n{CONTAINERD_TABLE}\n{lines}")
    assert f"{directory}/10-grapnel written" in call(host)
    assert names(host, directory) == ["10-grapnel"]
    # Another one than that is taken, and said to be of no use.
    said = call(host, "--to", "/srv/plugins")
    assert f"but containerd launches what lies in {directory}" in said
    assert names(host, "/srv/plugins") == ["10-grapnel"]


def test_the_directory_of_crio(grapnel: str, tmp_path_factory: pytest.TempPathFactory):
    with doctor_host(grapnel, tmp_path_factory.mktemp("autostart"), "crio") as host:
        host.remove("/proc/200")
        host.write("/etc/crio/crio.conf.d/10.conf", '[crio.nri]\nnri_plugin_dir = "/var/lib/nri"\n')
        said = call(host)
        assert "/var/lib/nri/10-grapnel written" in said
        assert "systemctl restart crio" in said


def test_nri_that_is_off(host: DoctorHost):
    host.write("/etc/containerd/config.toml", f"version = 3\n{CONTAINERD_TABLE}\ndisable = true\n")
    assert "NRI is off in containerd: grapnel doctor says how to switch it on\n" in call(host)


def test_an_engine_without_nri(host: DoctorHost):
    """Podman launches no plugins, whatever lies there."""
    for path in ("/usr/bin/containerd", "/etc/containerd/config.toml", "/proc/100"):
        host.remove(path)
    host.write("/usr/bin/podman", "", 0o755)
    said = call(host)
    assert "the runtime launches it when it starts the next time, and not before: restart it\n" in said
    assert "odman" not in said + call(host, "--undo")


def test_links_of_the_host(host: DoctorHost):
    """/opt is one on systems whose /usr is read-only."""
    (host.root / "var/opt").mkdir(parents=True)
    shutil.rmtree(host.root / "opt")
    (host.root / "opt").symlink_to("/var/opt")
    call(host)
    assert names(host, "/var/opt/nri/plugins") == ["10-grapnel"]


# ---- other ways to the node ----

def instance(host: DoctorHost, mode: str) -> None:
    """The host's own run directory, as its settings have it."""
    host.write("/etc/grapnel/config.yaml", "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {runDir: /run/mine}\n")
    host.path("/run/mine/x").parent.chmod(0o755)
    host.instance(mode, folder=host.root / "run/mine")


WAYS: dict[str, tuple[Callable[[DoctorHost], None], str, str]] = {
    "an enabled unit": (lambda host: host.enable(), "the unit grapnel.service is enabled",
                        "systemctl disable --now grapnel.service"),
    "a unit that runs": (lambda host: host.process(7, "/usr/bin/grapnel", "plugin", group=GROUP),
                         "the unit grapnel.service runs", "systemctl disable --now grapnel.service"),
    "a pod": (lambda host: host.process(7, "/usr/bin/grapnel", "plugin", group=POD), "a pod runs it",
              "uninstall the chart"),
    "a pod that tells": (lambda host: instance(host, "pod"), "a pod runs it", "uninstall the chart"),
    "a unit that tells": (lambda host: instance(host, "unit"), "the unit grapnel.service runs",
                          "systemctl disable --now grapnel.service"),
    "by hand": (lambda host: host.process(7, "grapnel", "plugin"), "process 7 (grapnel) was started by hand",
                "end that process"),
}


@pytest.mark.parametrize("make,found,fix", WAYS.values(), ids=WAYS)
def test_other_ways(host: DoctorHost, make: Callable[[DoctorHost], None], found: str, fix: str):
    make(host)
    for args in ((), ("--dry-run",)):
        said = call(host, *args, code=1)
        assert said.startswith("grapnel setup: setup-mode: expected that Grapnel comes to this node in no other "
                               f"way, found that {found}"), said
        assert fix in said
    assert not (host.root / "opt/nri").exists()
    host.write(ENTRY, Path(host.program).read_bytes(), 0o755)
    assert "removed" in call(host, "--undo")  # taking away is always right


def test_beside_what_it_launched_itself(host: DoctorHost):
    """That is what is upgraded."""
    older(host, ENTRY)
    host.process(7, "10-grapnel", exe=ENTRY)
    instance(host, "launched")
    assert "replaced" in call(host)


# ---- what lies there ----

def test_hostile(host: DoctorHost):
    """What only calls itself so, links included, is neither replaced nor removed."""
    host.write("/bin/other", "#!/bin/sh\necho Grapnel\n", 0o755)
    for make, what in ((lambda: host.write(ENTRY, "#!/bin/sh\n", 0o755), "a regular file"),
                       (lambda: host.path(ENTRY).symlink_to("/bin/other"), "a symbolic link"),
                       (lambda: host.path(ENTRY).symlink_to("/bin/none"), "a symbolic link"),
                       (lambda: host.path(ENTRY).symlink_to("../../../../../../../../../../bin/ls"), "a symbolic link"),
                       (lambda: host.path(ENTRY).symlink_to("10-grapnel"), "a symbolic link"),
                       (lambda: host.path(ENTRY).mkdir(), "a directory"),
                       (lambda: os.mkfifo(host.path(ENTRY)), "something else")):
        make()
        said = call(host, code=1)
        assert f"setup-entry: expected a program of Grapnel's or nothing at {ENTRY}, found " in said
        if what != "something else":
            assert what in said
        assert call(host, "--undo") == f"there is no program of Grapnel's in {PLUGINS}\n"
        assert names(host) == ["10-grapnel"]
        host.remove(ENTRY)


@pytest.mark.parametrize("name", ["grapnel", "10-grapnel.bak", "10-grapnel.dpkg-new", "grapnel.dpkg-new", "20-grapnel",
                                  "30-tap"])
def test_leftovers(host: DoctorHost, name: str):
    """With two of them there would be two instances, or a runtime that does not start."""
    left = older(host, f"{PLUGINS}/{name}")
    said = call(host, "--index", "10", code=1)
    assert f"found {name}: the runtime would launch both" in said
    assert names(host) == [name]
    codes = {"bad-plugin-name": name[0] == "g", "backup-plugin": name.startswith("10-")}
    found = host.findings()
    for code, expected in codes.items():
        assert (code in found) == expected, found
    left.chmod(0o644)  # nobody starts it now
    call(host, "--index", "10")
    assert set(call(host, "--undo").splitlines()[:2]) >= {f"{PLUGINS}/{name} removed: version 0.0.9"}
    assert names(host) == []


def test_a_bad_name_of_others(host: DoctorHost):
    host.write(f"{PLUGINS}/notes.sh", "#!/bin/sh\n", 0o755)
    said = call(host, code=1)
    assert "found notes.sh: with that the runtime does not start the next time" in said
    host.path(f"{PLUGINS}/notes.sh").chmod(0o644)
    call(host)
    assert names(host) == ["10-grapnel", "notes.sh"]


def test_half_a_copy(host: DoctorHost, grapnel: str):
    """Of a cp that was interrupted, executable or not."""
    for n, mode in ((20000, 0o755), (100000, 0o644)):
        host.write(ENTRY, Path(grapnel).read_bytes()[:n], mode)
        assert "replaced" in call(host)
        assert (host.root / ENTRY[1:]).read_bytes() == Path(grapnel).read_bytes()


def test_killed(host: DoctorHost, grapnel: str):
    """Whenever: a runtime finds the one before, or this one; folders it passes over."""
    choice = random.Random(7)
    new = Path(grapnel).read_bytes()
    command = [grapnel, "setup", "autostart", "--host-root", str(host.root)]
    for _ in range(25):
        old = older(host, ENTRY).read_bytes()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=choice.uniform(0.001, 0.02))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=60)
        for name in names(host):
            path = host.root / PLUGINS[1:] / name
            if path.is_dir():
                assert name.startswith(".grapnel-")
            elif name == ".grapnel.lock":
                assert path.stat().st_mode == 0o100600
            else:
                assert name == "10-grapnel" and path.stat().st_mode == 0o100755
                assert path.read_bytes() in (old, new)
    call(host)
    assert names(host) == ["10-grapnel"]


def test_several_at_once(host: DoctorHost, grapnel: str):
    older(host, ENTRY)
    command = [grapnel, "setup", "autostart", "--host-root", str(host.root)]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(8)]
    assert [process.wait(timeout=60) for process in running] == [0] * len(running)
    assert names(host) == ["10-grapnel"]
    assert (host.root / ENTRY[1:]).read_bytes() == Path(grapnel).read_bytes()


# ---- the directory ----

@pytest.mark.parametrize("path,text", [
    ("/opt/nri/plugins", "chmod go-w /opt/nri/plugins"), ("/opt/nri", "chmod go-w /opt/nri"),
])
def test_others_may_write(host: DoctorHost, path: str, text: str):
    host.path("/opt/nri/plugins/x")
    (host.root / path[1:]).chmod(0o777)
    assert text in call(host, code=4)
    assert names(host) == []


@pytest.mark.parametrize("options,text", [
    ("ro,mode=755", "is on a read-only file system; choose another directory with --to, and the same in the runtime's "
     "configuration (plugin_path of containerd, nri_plugin_dir of CRI-O)"),
    ("noexec,mode=755", "is mounted noexec; choose another directory"),
    ("size=64k,mode=755", "expected room for program files in /opt/nri/plugins, found none when writing the program"),
])
def test_file_systems(host: DoctorHost, options: str, text: str):
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount")
    host.path("/opt/nri/plugins/x")
    script = 'mount -t tmpfs -o "$1" none "$2" && shift && d=$1 && shift && "$@"; code=$?; ls -A "$d"; exit $code'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", options, host.root / "opt/nri/plugins",
                           Path(host.program).resolve(), "setup", "autostart", "--host-root", host.root],
                          capture_output=True, text=True, check=False, timeout=60)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert text in done.stderr


def test_a_mount_of_its_own(host: DoctorHost):
    """Nothing has to be on the same file system but the directory with itself."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount")
    host.path("/opt/nri/plugins/x")
    script = 'mount -t tmpfs -o mode=755 none "$1" && d=$1 && shift && "$@" && ls -A "$d"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", host.root / "opt/nri/plugins",
                           Path(host.program).resolve(), "setup", "autostart", "--host-root", host.root],
                          capture_output=True, text=True, check=False, timeout=60)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "10-grapnel"


@pytest.mark.parametrize("args,text", [
    (("--index", "1"), "--index of two digits"), (("--index", "x1"), "--index of two digits"),
    (("--undo", "--index", "10"), "--undo without --index"), (("--from", "/x"), "no --from for autostart"),
    (("--to", "x"), "--to with an absolute path"), (("--wait", "0"), "--wait of 1 to 3600 seconds"),
])
def test_usage(host: DoctorHost, args: tuple[str, ...], text: str):
    assert text in call(host, *args, code=2)


@pytest.mark.parametrize("command", [("install", "--from", "/x", "--to", "/x/y"), ("self", "--to", "/x"), ("cleanup",)])
@pytest.mark.parametrize("option", ["--undo", "--index=10"])
def test_usage_of_others(host: DoctorHost, command: tuple[str, ...], option: str):
    done = subprocess.run([host.program, "setup", *command, option], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert f"no {option[:7].rstrip('=')} for {command[0]}" in done.stderr
