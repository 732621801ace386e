# SPDX-License-Identifier: Apache-2.0
"""grapnel setup cleanup: what goes, what containers keep, and when nothing is touched."""
from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import Node
from fakeruntime import Listener, Runtime, field
from harness.wait import until
from running import RULE, WAIT_S, limited, plugin, settings

STORE = "/opt/grapnel/programs"
POD = field(1, field(1, "p1") + field(2, "web") + field(4, "shop"))
TEXT = "0123456789abcdef.good"


@dataclass
class Home:
    grapnel: str
    top: Path
    listener: Listener

    @property
    def store(self) -> Path:
        return self.top / f"host{STORE}"

    @property
    def socket(self) -> Path:
        return self.top / "nri.sock"

    def install(self, name: str, text: str) -> str:
        """Gives the digest."""
        source = self.top / "source"
        source.mkdir(exist_ok=True)
        (source / "setup").write_text(text)
        (source / "setup").chmod(0o755)
        subprocess.run([self.grapnel, "setup", "install", "--from", source, "--to", f"{STORE}/{name}", "--host-root",
                        self.top / "host"], check=True, timeout=WAIT_S, stdout=subprocess.DEVNULL)
        return os.readlink(self.store / name / "current")

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.grapnel, "setup", "cleanup", "--config", self.top / "config.yaml",
             "--host-root", self.top / "host", "--socket", self.socket, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def clean(self, *args: str, code: int = 0, play: Callable[[Runtime], None] | None = None,
              ) -> tuple[list[str], str]:
        """Runs it beside a runtime that play is; what it says, line by line, and on stderr."""
        with limited(self.start(*args)) as process:
            if play:
                runtime = self.listener.accept()
                with runtime.sock:
                    play(runtime)
                    out, err = process.communicate(timeout=WAIT_S)
            else:
                out, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == code, err
        return out.splitlines(), err


@pytest.fixture
def home(grapnel: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A host on which a plugin was: nobody else may write to it, up to /."""
    top = tmp_path_factory.mktemp("host")
    listener = Listener(top / "nri.sock")
    (top / "host").mkdir()
    (top / "run").mkdir(mode=0o755)
    (top / "run/decisions").write_text("{}\n")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(top / "run/control.sock"))
    (top / "last-good").mkdir(mode=0o700)
    (top / "last-good" / TEXT).write_text("text")
    spec = {"runDir": str(top / "run"), "controlSocket": str(top / "run/control.sock"),
            "lastGoodDir": str(top / "last-good")}
    (top / "config.yaml").write_text(json.dumps(
        {"apiVersion": "grapnel/v1beta1", "kind": "Config", "spec": spec}))
    yield Home(grapnel, top, listener)
    listener.sock.close()


def container(name: str, *paths: str, args: tuple[str, ...] = (), pod: str = "p1") -> bytes:
    hooks = b"".join(field(6, field(1, path) + b"".join(field(2, arg) for arg in args)) for path in paths)
    return field(2, field(1, f"id-{name}") + field(2, pod) + field(3, name) + field(10, hooks))


def told(*parts: bytes) -> Callable[[Runtime], None]:
    """A runtime that tells these parts of Synchronize."""
    def play(runtime: Runtime) -> None:
        runtime.register()
        runtime.configure()
        for i, part in enumerate(parts):
            runtime.call("Synchronize", part + (field(3, 1) if i + 1 < len(parts) else b""))
    return play


def rest(home: Home) -> list[str]:
    return [f"{home.top}/last-good removed, with 1 file", f"{home.top}/run removed, with 2 files"]


def test_all_of_it(home: Home):
    one, two = home.install("net", "one"), home.install("net", "two")
    log = home.install("log", "three")
    lines, err = home.clean(play=told(POD + container("a", "/opt/other/hook")))
    assert sorted(lines[:-3]) == sorted([f"{STORE}/net/{one} removed", f"{STORE}/net/{two} removed",
                                         f"{STORE}/net removed", f"{STORE}/log/{log} removed", f"{STORE}/log removed"])
    assert lines[-3:] == [f"{STORE} removed", *rest(home)]
    assert err == ""
    assert not home.store.exists()
    assert sorted(os.listdir(home.top)) == ["config.yaml", "host", "nri.sock", "source"]
    assert home.clean()[0] == ["nothing of Grapnel's is left here"]


def test_what_containers_name_stays(home: Home):
    one, two = home.install("net", "one"), home.install("net", "two")
    sh = home.install("sh", "three")
    path = f"{STORE}/net/{one}/setup"
    lines, _ = home.clean(play=told(
        POD + container("a", path, path) + container("b", "/srv/elsewhere/" + one) +
        container("c", "/bin/sh", args=("sh", f"/{sh}/setup"))))
    assert sorted(lines[:-2]) == sorted([
        f"{STORE}/net/{one} kept: 2 containers name it in their hooks, such as shop/web/a (id-a)",
        f"{STORE}/net/{two} removed",
        f"{STORE}/sh/{sh} kept: a container names it in its hooks: shop/web/c (id-c)"])
    assert lines[-2:] == rest(home)
    assert os.listdir(home.store / "net") == [one]
    assert (home.store / "net" / one / "setup").read_text() == "one"
    assert sorted(os.listdir(home.store)) == ["net", "sh"]


def test_through_current(home: Home):
    """Rules may have written the path out."""
    one, two = home.install("net", "one"), home.install("net", "two")
    lines, _ = home.clean(play=told(POD + container("a", f"{STORE}/net/current/setup")))
    assert f"{STORE}/net/current kept: hooks of containers go through it" in lines
    assert f"{STORE}/net/{one} removed" in lines
    assert (home.store / "net/current/setup").read_text() == "two"
    assert sorted(os.listdir(home.store / "net")) == sorted([two, "current"])


def test_parts(home: Home):
    """Containers before their pods, in several parts."""
    one = home.install("net", "one")
    lines, _ = home.clean(play=told(container("a", f"/{one}/setup"), b"", POD))
    assert lines[0].startswith(f"{STORE}/net/{one} kept:")


def test_dry_run(home: Home):
    one, two = home.install("net", "one"), home.install("net", "two")
    lines, _ = home.clean("--dry-run", play=told(POD + container("a", f"/{one}/setup")))
    assert sorted(lines[:2]) == sorted([
        f"{STORE}/net/{one} kept: a container names it in its hooks: shop/web/a (id-a)",
        f"{STORE}/net/{two} would be removed"])
    assert lines[2:] == [f"{home.top}/last-good would be removed, with 1 file",
                         f"{home.top}/run would be removed, with 2 files"]
    assert sorted(os.listdir(home.store / "net")) == sorted([one, two, "current", ".lock"])
    assert sorted(os.listdir(home.top / "run")) == ["control.sock", "decisions"]


def test_foreign_files(home: Home):
    one = home.install("net", "one")
    (home.store / "net/README").write_text("")
    (home.store / "net" / ("0" * 64)).symlink_to("/etc")
    (home.store / "other.d").mkdir()
    (home.top / "run/notes").write_text("")
    (home.top / "run/pauses").symlink_to("/etc/passwd")
    (home.top / "last-good/fedcba9876543210.good").mkdir()
    lines, _ = home.clean(play=told(b""))
    assert sorted(line for line in lines if " left: " in line) == sorted(
        f"{path} left: it is not Grapnel's" for path in (
            f"{STORE}/net/README", f"{STORE}/net/{'0' * 64}", f"{STORE}/other.d", f"{home.top}/run/notes",
            f"{home.top}/run/pauses", f"{home.top}/last-good/fedcba9876543210.good"))
    assert f"{STORE}/net/{one} removed" in lines
    assert f"{home.top}/run: 2 files removed" in lines
    assert sorted(os.listdir(home.top / "run")) == ["notes", "pauses"]


def test_control_socket_elsewhere(home: Home):
    """Of a directory that is not Grapnel's only the socket goes."""
    elsewhere = home.top / "sockets"
    elsewhere.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(elsewhere / "grapnel.sock"))
    (elsewhere / "other").write_text("")
    settings_file = home.top / "config.yaml"
    settings_file.write_text(settings_file.read_text().replace("run/control.sock", "sockets/grapnel.sock"))
    assert home.clean()[0] == [f"{home.top}/last-good removed, with 1 file", f"{elsewhere}/grapnel.sock removed",
                               f"{home.top}/run removed, with 2 files"]
    assert os.listdir(elsewhere) == ["other"]
    (elsewhere / "grapnel.sock").write_text("")
    assert home.clean()[0] == [f"{elsewhere}/grapnel.sock left: it is no socket of Grapnel's"]


def test_installer_at_work(home: Home):
    one = home.install("net", "one")
    fd = os.open(home.store / "net/.lock", os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        lines, _ = home.clean(play=told(b""))
    finally:
        os.close(fd)
    assert lines == [f"{STORE}/net left: an installer is at work there", *rest(home)]
    assert (home.store / "net" / one / "setup").exists()


def test_directory_locked(home: Home):
    """Which anybody can: it is no installer."""
    home.install("net", "one")
    fd = os.open(home.store / "net", os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        home.clean(play=told(b""))
    finally:
        os.close(fd)
    assert not home.store.exists()


def test_a_lock_that_others_can_open(home: Home):
    one = home.install("net", "one")
    (home.store / "net/.lock").chmod(0o640)
    lines, err = home.clean(code=4, play=told(b""))
    assert "cleanup-failed" in err
    assert any(f"expected {STORE}/net/.lock to be a regular file with mode 0600" in line for line in [*lines, err])
    assert (home.store / "net" / one / "setup").exists()


# ---- what the runtime says, and does not say ----

def test_it_asks_for_nothing_else(home: Home):
    """What it registers as, and the events that it subscribes to: RemovePodSandbox, since none would be all."""
    home.install("net", "one")

    def play(runtime: Runtime) -> None:
        stream = runtime.registering()
        assert field(1, "grapnel-cleanup") + field(2, "99") in runtime.last
        runtime.send(2, stream, 2, b"")
        runtime.configure()
        assert runtime.last == field(2, field(2, 4))
        runtime.call("StateChange", field(1, 3))
        assert runtime.last == b""
        runtime.call("Synchronize", b"")
        assert runtime.sock.recv(1) == b"", "the connection stays open while files are removed"

    lines, _ = home.clean(play=play)
    assert lines[-3] == f"{STORE} removed"


def untouched(home: Home, lines: list[str], err: str) -> None:
    """The store is as it was; the rest went."""
    assert "nothing of the program store was removed" in err
    assert lines == rest(home)
    assert (home.store / "net/current/setup").exists()


def test_a_container_that_cannot_be_read(home: Home):
    home.install("net", "one")
    lines, err = home.clean(code=4, play=told(POD + container("a") + container("lost", pod="none")))
    untouched(home, lines, err)
    assert "cleanup-containers" in err
    assert "the container id-lost cannot be read" in err


def test_no_socket(home: Home):
    home.install("net", "one")
    home.socket.unlink()
    lines, err = home.clean("--wait", "1", code=4)
    untouched(home, lines, err)
    assert "found: No such file or directory" in err


def silent(runtime: Runtime) -> None:
    runtime.registering()


def never_synchronizes(runtime: Runtime) -> None:
    runtime.register()
    runtime.configure()


def closes(runtime: Runtime) -> None:
    runtime.register()
    runtime.sock.close()


def refuses(runtime: Runtime) -> None:
    status = field(1, 7) + field(2, "go away")
    runtime.send(2, runtime.registering(), 2, field(1, status))


@pytest.mark.parametrize(("play", "wait_s", "words"), [
    (silent, 1, "it takes the connection and does not answer"),
    # These have to come so far in that time, and it tries again 3.75 to 5 s after a connection that was lost.
    (never_synchronizes, 5, "it has taken us and waits for something else"),
    (closes, 3, "found: end of file"),
    (refuses, 3, "go away"),
])
def test_a_runtime_that_does_not_tell(home: Home, play: Callable[[Runtime], None], wait_s: int, words: str):
    home.install("net", "one")
    lines, err = home.clean("--wait", str(wait_s), code=4, play=play)
    untouched(home, lines, err)
    assert words in err


def test_it_waits_for_the_runtime(home: Home):
    home.install("net", "one")
    home.socket.unlink()
    home.listener.sock.close()
    with limited(home.start("--wait", str(WAIT_S))) as process:
        assert "cannot connect to the runtime, trying on" in process.stderr.readline()
        home.listener = Listener(home.socket)
        with home.listener.accept().sock as sock:
            told(b"")(Runtime(sock))
            out, err = process.communicate(timeout=WAIT_S)
    assert (process.returncode, err) == (0, "")
    assert f"{STORE} removed" in out


def test_an_empty_store_asks_nobody(home: Home):
    """Nodes without NRI have none to lose."""
    home.store.mkdir(parents=True)
    home.socket.unlink()
    assert home.clean()[0] == [f"{STORE} removed", *rest(home)]


# ---- CRI-O, which does not tell containers that have ended ----

RUNROOT = "/run/containers/storage"


def crio(runtime: Runtime) -> None:
    runtime.register()
    runtime.call("Configure", field(2, "cri-o") + field(3, "1.36.0"))
    runtime.call("Synchronize", POD + container("a"))


def bundle(home: Home, id_: str, text: str, runroot: str = RUNROOT) -> None:
    userdata = Path(f"{home.top}/host{runroot}/overlay-containers/{id_}/userdata")
    userdata.mkdir(parents=True)
    (userdata / "config.json").write_text(text)


def test_ended_containers_of_crio(home: Home):
    one, two, three, new = (home.install("net", text) for text in ("one", "two", "three", "four"))
    bundle(home, "id-a", "{}")
    bundle(home, "0123456789abcdef", f'{{"hooks": {{"poststop": [{{"path": "{STORE}/net/{one}/setup"}}]}}}}')
    bundle(home, "fedcba", f'"/{two}/x", "/{two}/y"')
    bundle(home, "98765", f'"env": ["A=\\u003c{three}\\u003e"]')
    runroot = home.top / f"host{RUNROOT}"
    (runroot / "overlay-containers/being-made").mkdir()
    (runroot / "overlay-containers/containers.json").write_text(new)
    (runroot / "overlay-layers").mkdir()
    lines, _ = home.clean(play=crio)
    assert sorted(lines[:-2]) == sorted([
        f"{STORE}/net/{one} kept: a container names it in its hooks: 0123456789ab, which has ended or just begun",
        f"{STORE}/net/{two} kept: a container names it in its hooks: fedcba, which has ended or just begun",
        f"{STORE}/net/{three} kept: a container names it in its hooks: 98765, which has ended or just begun",
        f"{STORE}/net/{new} removed"])
    assert sorted(os.listdir(home.store / "net")) == sorted([one, two, three])


def test_other_digests_in_containers_of_crio(home: Home):
    """Ids of layers, images and containers, and whatever a pod's annotations hold."""
    home.install("net", "one")
    others = ",".join(f"{n:064x}" for n in range(2000))
    bundle(home, "id-a", json.dumps({"annotations": {"pod": others}}))
    lines, _ = home.clean(play=crio)
    assert not home.store.exists(), lines


@pytest.mark.parametrize("by", ["option", "setting"])
def test_crio_elsewhere(home: Home, by: str):
    """Below the host's root, as the store is."""
    one = home.install("net", "one")
    bundle(home, "id-a", one, "/srv/crio")
    bundle(home, "podmans", "{}")
    lines, err = home.clean("--crio-dir", "/none", code=4, play=crio)
    untouched(home, lines, err)
    assert "crio-dir: expected to see in /none" in err and "name CRI-O's runroot with the setting crioDir" in err
    (home.top / "run").mkdir()
    (home.top / "last-good").mkdir()
    lines, err = home.clean(code=4, play=crio)
    assert [line for line in lines if STORE in line] == [] and "found none of those that run" in err
    config = json.loads((home.top / "config.yaml").read_text())
    if by == "setting":
        config["spec"]["crioDir"] = "/srv/crio"
        (home.top / "config.yaml").write_text(json.dumps(config))
    lines, _ = home.clean(*(["--crio-dir", "/srv/crio"] if by == "option" else []), play=crio)
    assert f"{STORE}/net/{one} kept: a container names it in its hooks: id-a, which has ended or just begun" in lines


def test_crio_unreadable(home: Home):
    home.install("net", "one")
    (home.top / f"host{RUNROOT}/overlay-containers/c1/userdata/config.json").mkdir(parents=True)
    lines, err = home.clean(code=4, play=crio)
    untouched(home, lines, err)
    assert "crio-unreadable: " in err and "the config.json of the container c1 cannot be read" in err


# ---- a plugin that runs ----

def test_a_plugin_runs(node: Node, home: Home):
    one = home.install("net", "one")
    run = {"runDir": str(home.top / "run"), "controlSocket": str(home.top / "run/control.sock")}
    settings(node, **run)
    with plugin(node) as lines:
        lines.until("cannot connect to the runtime, trying on")
        out, err = home.clean("--wait", "1", code=1)
    assert out == []
    assert "cleanup-running: expected no plugin to run on this node, found that process " in err
    assert (home.store / "net" / one / "setup").exists()
    assert (home.top / "run/decisions").exists()


def test_a_plugin_without_control_socket(node: Node, home: Home):
    home.install("net", "one")
    settings(node, runDir=str(home.top / "run"))
    with plugin(node) as lines:
        lines.until("cannot connect to the runtime, trying on")
        _, err = home.clean("--wait", "1", code=1)
    assert f"found that 10-grapnel runs (external), as {home.top}/run/instances tells" in err


def test_it_waits_for_the_plugin(node: Node, home: Home):
    home.install("net", "one")
    settings(node, runDir=str(home.top / "run"), controlSocket=str(home.top / "run/control.sock"))
    with ExitStack() as stack:
        with plugin(node) as lines:
            lines.until("cannot connect to the runtime, trying on")
            process = stack.enter_context(limited(home.start("--wait", str(WAIT_S))))
            assert "waiting: a plugin runs on this node still" in process.stderr.readline()
        with home.listener.accept().sock as sock:
            told(b"")(Runtime(sock))
            out, err = process.communicate(timeout=WAIT_S)
    assert (process.returncode, err) == (0, "")
    assert f"{STORE} removed" in out


def test_after_a_plugin(node: Node, home: Home):
    """Whatever a plugin has left, nothing of it stays."""
    node.rules.mkdir(exist_ok=True)
    (node.rules / "first.yaml").write_text(RULE)
    settings(node, runDir=str(home.top / "run"), controlSocket=str(home.top / "run/control.sock"),
             lastGoodDir=str(home.top / "last-good"))
    (home.top / "last-good" / TEXT).unlink()
    with plugin(node, "--last-good", str(home.top / "last-good")) as lines:
        lines.until("cannot connect to the runtime, trying on")
        subprocess.run([home.grapnel, "pause", "--all", "--control", home.top / "run/control.sock", "--reason",
                        "x"], check=True, timeout=WAIT_S, stdout=subprocess.DEVNULL)
    left = sorted(os.listdir(home.top / "run"))
    assert left == ["decisions", "instances", "pauses", "pauses.lock", "since"]
    out, _ = home.clean()
    assert out == [f"{home.top}/last-good removed, with 2 files", f"{home.top}/run removed, with 5 files"]


# ---- metrics, in the directory of node_exporter's textfile collector ----

def textfile(home: Home) -> Path:
    """As the settings name it; others write there as well."""
    folder = home.top / "textfiles"
    folder.mkdir()
    (folder / "node.prom").write_text("")
    config = json.loads((home.top / "config.yaml").read_text())
    config["spec"]["metricsTextfile"] = str(folder / "grapnel.prom")
    (home.top / "config.yaml").write_text(json.dumps(config))
    return folder / "grapnel.prom"


def test_metrics_of_a_plugin_that_was_killed(node: Node, home: Home):
    path = textfile(home)
    settings(node, metricsTextfile=str(path))
    with limited(subprocess.Popen([node.program, "plugin", "--socket", str(node.home / "nri.sock"), "--config",
                                   str(node.home / "config.yaml"), "--last-good", "none"],
                                  stderr=subprocess.DEVNULL)) as process:
        until(path.exists, "the metrics are written")
        process.kill()
    assert sorted(os.listdir(path.parent)) == [".grapnel.prom.lock", "grapnel.prom", "node.prom"]
    told = [f"{path} would be removed", f"{path.parent}/.grapnel.prom.lock would be removed"]
    assert home.clean("--dry-run")[0][1:-1] == told
    assert home.clean()[0][1:-1] == [line.replace("would be ", "") for line in told]
    assert os.listdir(path.parent) == ["node.prom"]


def test_metrics_of_a_plugin_that_runs_elsewhere(node: Node, home: Home):
    """It has no run directory here, and perhaps is not seen: the lock says that it writes."""
    path = textfile(home)
    path.write_text("")
    lock = path.with_name(".grapnel.prom.lock")
    lock.touch(0o600)
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert home.clean()[0][1:-1] == [f"{path} left: a plugin writes it"]
    assert path.exists() and lock.exists()


def test_metrics_where_others_may_write(home: Home):
    """It is told, and is no failure: the directory is the collector's."""
    path = textfile(home)
    path.write_text("")
    path.parent.chmod(0o777)
    lines, _ = home.clean()
    assert lines[1].startswith(f"{path} left: ") and str(path.parent) in lines[1], lines
    assert path.exists()


# ---- usage, settings, errors ----

def test_bad_settings(home: Home):
    """They could name other directories."""
    (home.top / "config.yaml").write_text("{kind: Config")
    home.install("net", "one")
    lines, err = home.clean(code=4)
    assert lines == []
    assert "config.yaml" in err
    assert (home.top / "run/decisions").exists()


def test_others_may_write(home: Home):
    home.install("net", "one")
    (home.top / "run").chmod(0o777)
    (home.store / "net").chmod(0o777)
    lines, err = home.clean(code=4, play=told(b""))
    assert f"{STORE}/net left: others than root may write there" in lines
    assert f"{home.top}/run cannot be removed: " in err
    assert "cleanup-failed" in err
    assert sorted(os.listdir(home.top / "run")) == ["control.sock", "decisions"]
    assert not (home.top / "last-good").exists()


@pytest.mark.parametrize(("args", "words"), [
    (("--wait", "3601"), "--wait of 1 to 3600 seconds"),
    (("--wait", "0"), "--wait of 1 to 3600 seconds"),
    (("--wait", "x"), "--wait of 1 to 3600 seconds"),
    (("--socket", "nri.sock"), "--socket with an absolute path"),
    (("--to", "/x"), "no --to for cleanup"),
    (("--from", "/x"), "no --from for cleanup"),
    (("now",), "one command"),
])
def test_usage(grapnel: str, args: tuple[str, ...], words: str):
    done = subprocess.run([grapnel, "setup", "cleanup", *args], capture_output=True, text=True, check=False,
                          timeout=WAIT_S)
    assert done.returncode == 2
    assert words in done.stderr
