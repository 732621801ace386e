# SPDX-License-Identifier: Apache-2.0
"""The plugin's process as status and probe see it, and whoever else comes to its control socket."""
from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from conftest import ROOT, Node
from fakeruntime import Listener, Runtime
from running import WAIT_S, limited

HEAD = "apiVersion: grapnel/v1beta1\n"
RULE = HEAD + """kind: HookSet
spec:
  match: {always: true}
  hooks: {poststop: [{path: /opt/hooks/first}]}
"""
CONFIG = HEAD + """kind: Config
spec:
  hooksDirs: [%s]
  lastGoodDir: none
  runDir: %s
  logFormat: json
  rescanInterval: 3600
"""
NOBODY = 65534
COMPARED = "running containers compared with the rules"


class Place:
    """A node's rules with a control socket; each has its own, so that its path is short."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.run = node.home / "run"
        self.control = self.run / "control.sock"
        self.config = node.home / "config.yaml"
        self.nri = node.home / "nri.sock"
        node.hook("first", "#!/bin/sh\n")
        node.rule("one", RULE)
        self.configure()

    def configure(self, more: str = "") -> None:
        text = CONFIG % (self.node.rules, self.run)
        if "controlSocket" not in more:
            more += f"  controlSocket: {self.control}\n"
        self.config.write_text(text + more)

    def verb(self, *args: object, **more) -> subprocess.CompletedProcess:
        return subprocess.run([self.node.program, *map(str, args), "--config", self.config],
                              capture_output=True, text=True, check=False, timeout=WAIT_S,
                              stdin=subprocess.DEVNULL, **more)

    def status(self, *args: object, code: int = 1) -> dict:
        done = self.verb("status", "-o", "json", *args)
        assert (done.returncode, done.stderr) == (code, ""), done.stdout
        return json.loads(done.stdout)

    def probe(self, what: str) -> tuple[int, str]:
        done = self.verb("probe", what)
        assert done.stdout == ""
        return done.returncode, done.stderr


@pytest.fixture
def place(node: Node) -> Place:
    return Place(node)


class Plugin:
    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        # What is logged before the settings are read is no JSON yet.
        self.lines = (json.loads(line) for line in process.stderr if line.startswith("{"))

    def said(self, message: str) -> dict:
        """The next line with this message."""
        return next(line for line in self.lines if line["msg"] == message)

    @property
    def pid(self) -> int:
        """Below timeout, which runs it."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())

    def reload(self, until: str = "rules loaded") -> dict:
        """Where it listens is seen to after that line."""
        os.kill(self.pid, signal.SIGHUP)
        return self.said(until)


@contextmanager
def plugin(place: Place, *args: object, **more) -> Iterator[Plugin]:
    """Runs it until its rules are loaded for the first time, and then beside the test."""
    command = ["timeout", "-k", str(WAIT_S), str(WAIT_S), place.node.program, "plugin", "--socket",
               str(place.nri), "--config", str(place.config), "--log-level", "debug",
               *map(str, args)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               **more)
    try:
        running = Plugin(process)
        if "pass_fds" not in more:
            running.said("rules loaded")
        yield running
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


@contextmanager
def connected(place: Place) -> Iterator[tuple[Plugin, Runtime]]:
    """With a runtime that has done nothing yet."""
    listener = Listener(place.nri)
    with plugin(place) as running:
        runtime = listener.accept()
        yield running, runtime
        runtime.sock.close()
    listener.sock.close()


@contextmanager
def ready(place: Place) -> Iterator[Plugin]:
    with connected(place) as (running, runtime):
        runtime.ready()
        running.said(COMPARED)
        yield running


def ask(path: Path, line: bytes) -> dict:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(WAIT_S)
        sock.connect(str(path))
        sock.sendall(line)
        answer = sock.makefile("rb").readline()
    assert len(answer) <= (1 << 20) + 1
    return json.loads(answer)


def pid_at(place: Place) -> int:
    return ask(place.control, b'{"command": "ping"}\n')["pid"]


# ---- its states ----

def test_without_a_plugin(place: Place):
    for arguments in (["status"], ["probe", "live"], ["probe", "ready"]):
        done = place.verb(*arguments)
        assert (done.returncode, done.stdout) == (4, "")
        assert re.fullmatch(rf"grapnel \w+: Grapnel is not running here, or has its control socket "
                            rf"elsewhere: there is no {place.control}; .*\n", done.stderr)


def test_a_file_in_place_of_the_socket(place: Place):
    place.run.mkdir()
    place.control.write_text("")
    for arguments in (["status"], ["probe", "live"], ["probe", "ready"]):
        done = place.verb(*arguments)
        assert (done.returncode, done.stdout) == (4, "")
        assert f"what lies at {place.control} is no socket" in done.stderr and "remove it" in done.stderr


def test_without_a_runtime(place: Place):
    with plugin(place):
        status = place.status()
        assert status["version"] == 1
        assert (status["ready"], status["notReady"]) == (False, "not connected to the runtime")
        assert status["problems"] == [f"{place.nri} cannot be connected to: No such file or directory"]
        connection = status["connection"]
        assert (connection["state"], connection["launched"]) == ("closed", False)
        assert connection["connectError"] == "No such file or directory"
        assert (connection["index"], connection["name"], connection["sessions"]) == ("10", "grapnel", 0)
        assert "runtime" not in connection
        assert status["load"]["result"] == "good"
        assert place.probe("live") == (0, "")
        assert place.probe("ready") == (1, "grapnel probe: not connected to the runtime\n")


def test_up_to_ready_and_back(place: Place):
    with connected(place) as (running, runtime):
        stream = runtime.registering()
        status = place.status()
        assert status["connection"]["state"] == "registering"
        assert status["notReady"] == "connected, but not registered by the runtime"
        runtime.send(2, stream, 2, b"")
        runtime.configure()
        running.said("configured by the runtime")
        status = place.status()
        assert status["connection"]["state"] == "configured"
        assert status["notReady"] == "registered, but not synchronized by the runtime"
        assert place.probe("ready")[0] == 1
        runtime.synchronize()
        status = place.status(code=0)
        connection = status["connection"]
        assert connection["state"] == "ready"
        assert (connection["pods"], connection["containers"]) == (1, 2)
        assert (connection["runtime"], connection["runtimeVersion"]) == ("containerd", "v2.1.4")
        assert (connection["nri"], connection["requestTimeoutMs"]) == ("0.12.2", 2000)
        assert (status["ready"], status["problems"]) == (True, [])
        assert "notReady" not in status
        assert place.probe("ready") == place.probe("live") == (0, "")
        runtime.sock.close()
        running.said("the connection to the runtime is lost: containers created now get no hooks")
        connection = place.status()["connection"]
        assert (connection["state"], connection["sessions"]) == ("closed", 1)
        assert connection["lastEnd"] == "end of file"
        assert connection["runtime"] == "containerd"  # the last one


def test_launched(place: Place):
    """Where its settings come from Configure, so does the place of its socket."""
    text = place.config.read_text()
    place.config.write_text(HEAD + "kind: Config\nspec: {logFormat: json, lastGoodDir: none}\n")
    ours, theirs = socket.socketpair()
    environment = {**os.environ, "NRI_PLUGIN_SOCKET": str(theirs.fileno())}
    with plugin(place, pass_fds=[theirs.fileno()], env=environment) as running:
        theirs.close()
        runtime = Runtime(ours)
        runtime.ready(text)
        status = place.status("--control", place.control, code=0)
        assert status["connection"]["launched"] is True
        assert "socket" not in status["connection"]
        settings = {setting["name"]: setting for setting in status["settings"]}
        assert settings["controlSocket"] == {"name": "controlSocket", "value": str(place.control),
                                             "source": "NRI Configure", "line": 9}
        ours.close()
        running.process.wait()
    assert not place.control.exists()


# ---- more than one of them ----

BEING_LAUNCHED = {"NRI_PLUGIN_IDX": "20", "NRI_PLUGIN_NAME": "hooks"}
IN_A_POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}


@contextmanager
def launched(place: Place, *args: object) -> Iterator[Plugin]:
    """As a runtime does it, registered and with settings."""
    ours, theirs = socket.socketpair()
    environment = {**os.environ, **BEING_LAUNCHED, "NRI_PLUGIN_SOCKET": str(theirs.fileno())}
    with plugin(place, *args, pass_fds=[theirs.fileno()], env=environment) as running:
        theirs.close()
        Runtime(ours).ready()
        running.said("rules loaded")
        yield running
        ours.close()
        running.process.wait(WAIT_S)  # timeout(1) tells its whole group to end: also who looks for leaks at the end


def others(status: dict) -> list[tuple[str, str]]:
    return sorted((other["name"], other["mode"]) for other in status["others"])


def of_others(status: dict) -> list[str]:
    return [problem for problem in status["problems"] if problem.startswith("another Grapnel")]


def own_mode() -> str:
    """Of what this test starts: wherever it runs, that is not launched."""
    groups = Path("/proc/self/cgroup").read_text()
    return "unit" if re.search(r"(?m)\.service$", groups) else \
        "pod" if "kubepods" in groups or "KUBERNETES_SERVICE_HOST" in os.environ else "external"


def test_launched_beside_another(place: Place):
    """Each knows of the other as long as that lives, by the run directory alone."""
    with plugin(place):
        status = place.status()
        assert status["process"]["mode"] == own_mode()
        assert status["others"] == [] and of_others(status) == []
        with launched(place, "--control", place.node.home / "other.sock") as second:
            status = place.status()
            assert others(status) == [("20-hooks", "launched")]
            assert status["others"][0]["pid"] == second.pid
            assert status["others"][0]["version"] == status["process"]["version"]
            assert of_others(status) == [
                "another Grapnel runs on this node, launched by the runtime (20-hooks, version "
                f"{status['process']['version']}), and both are asked about each container; keep "
                "one: grapnel doctor says how"]
            status = place.status("--control", place.node.home / "other.sock", code=0)
            assert status["process"]["mode"] == "launched"
            assert (status["connection"]["index"], status["connection"]["name"]) == ("20", "hooks")
            assert others(status) == [("10-grapnel", own_mode())]
            text = place.verb("status").stdout
            assert re.search(r"\n  beside  +20-hooks launched by the runtime, version [\d.]+, for \d", text)
            os.kill(second.pid, signal.SIGKILL)
            second.process.wait()
            status = place.status()
            assert status["others"] == [] and of_others(status) == []


@pytest.mark.skipif(own_mode() == "unit", reason="nothing that a unit's process starts is in a pod")
def test_an_upgrade_of_pods_is_no_problem(place: Place):
    environment = {**os.environ, **IN_A_POD}
    with plugin(place, env=environment), plugin(place, env=environment):
        status = place.status()
        assert status["process"]["mode"] == "pod"
        assert others(status) == [("10-grapnel", "pod")]
        assert of_others(status) == []


def test_others_are_not_known(place: Place):
    """Not known is not none: without a run directory, and where the file is not to be trusted."""
    with plugin(place, "--run-dir", "none"):
        assert "others" not in place.status()
    place.run.mkdir(exist_ok=True)
    (place.run / "instances").unlink(missing_ok=True)
    (place.run / "instances").symlink_to("/etc/passwd")
    with plugin(place):
        assert "others" not in place.status()


def test_the_run_directory_changes(place: Place):
    with plugin(place) as running, plugin(place, "--control", "none"):
        assert len(place.status()["others"]) == 1
        text = place.config.read_text()
        place.config.write_text(text.replace(f"runDir: {place.run}", f"runDir: {place.run}2"))
        running.reload()
        assert place.status()["others"] == []


def test_broken_rules(place: Place):
    with ready(place) as running:
        place.node.rule("broken", RULE.replace("match", "mach"))
        place.node.rule("masked", "")
        place.node.rule("blocked", RULE.replace("/first", "/none"))
        place.configure("  requiredSets: [blocked, missing]\n")
        running.reload()
        status = place.status()
        assert status["notReady"] == "rules have errors, or were rejected"
        assert status["problems"] == [
            "1 set is blocked",
            "1 document of rules is refused",
            "the required set blocked is not in force (blocked): containers are refused",
            "the required set missing is not in force (missing): containers are refused"]
        sets = {one["name"]: one for one in status["sets"]}
        assert (sets["one"]["state"], sets["blocked"]["state"]) == ("inForce", "blocked")
        assert "/none" in sets["blocked"]["blocked"]
        states = {Path(file["path"]).name: file["state"] for file in status["files"]}
        assert states == {"one.yaml": "loaded", "broken.yaml": "rejected", "masked.yaml": "disabled",
                          "blocked.yaml": "loaded"}
        assert {Path(finding["file"]).name for finding in status["findings"]} == {
            "broken.yaml", "blocked.yaml"}
        assert {key: status["rules"][key] for key in ("sets", "inForce", "blocked", "rejected")} == {
            "sets": 2, "inForce": 1, "blocked": 1, "rejected": 1}
        assert status["load"]["result"] == "errors"
        for name in ("broken", "masked", "blocked"):
            (place.node.rules / f"{name}.yaml").unlink()
        place.configure()
        running.reload()
        status = place.status(code=0)
        assert (status["findings"], status["problems"]) == ([], [])
        assert (status["load"]["loads"], status["load"]["failures"]) == (3, 1)


def test_broken_settings(place: Place):
    """The settings from before count, and what is wrong is told."""
    with ready(place) as running:
        good = place.config.read_text()
        place.config.write_text(good.replace("spec:", "spec:\n  noSuchKey: 1"))
        running.reload()
        done = place.verb("status", "-o", "json", "--control", place.control)
        assert done.returncode == 1
        status = json.loads(done.stdout)
        assert status["notReady"] == "a source of settings has an error"
        assert status["findings"][0]["file"] == str(place.config)
        at = status["settingsFile"]["acceptedAt"]
        assert status["problems"] == [f"the settings file has an error; its text that was accepted at {at} counts"]
        assert status["settingsFile"] == {"inForce": "last-good", "acceptedAt": at}
        assert [finding["code"] for finding in status["findings"]] == ["unknown-key", "last-good"]
        place.config.write_text(good)
        running.reload()
        status = place.status(code=0)
        assert (status["findings"], status["settingsFile"]) == ([], {"inForce": "present", "acceptedAt": at})


def test_broken_settings_and_no_earlier_ones(place: Place):
    """Where nobody is found, it is told that the socket was guessed; named, it is found."""
    place.config.write_text("no settings")
    for arguments in (["status"], ["probe", "live"], ["probe", "ready"],
                      ["explain", "--in-force", "--image", "a"]):
        done = place.verb(*arguments)
        assert (done.returncode, done.stdout) == (4, ""), arguments
        said = done.stderr.splitlines()
        assert said[0].startswith(f"{place.config}:1:1: error: "), done.stderr
        assert f"{place.config}: warning: " in said[-2] and "no earlier text of this file is kept" in said[-2]
        assert "there is no /run/grapnel/control.sock" in said[-1]
        assert said[-1].endswith("so the default socket was tried: mend them, or name the socket with --control")
    done = place.verb("status", "--control", place.control)
    assert "default socket" not in done.stderr and f"there is no {place.control}" in done.stderr


def test_settings(place: Place):
    """Each with its value and where that came from."""
    place.configure("  requiredSets: [one]\n")
    with plugin(place, "--node-name", "n1"):
        settings = {setting.pop("name"): setting for setting in place.status()["settings"]}
    assert settings["hooksDirs"] == {"value": [str(place.node.rules)], "source": "file", "line": 4}
    assert settings["nodeName"] == {"value": "n1", "source": "flag"}
    assert settings["requiredSets"] == {"value": ["one"], "source": "file", "line": 9}
    assert settings["ambiguousImage"] == {"value": "Trust", "source": "built-in"}
    assert settings["lastGoodDir"] == {"value": "none", "source": "file", "line": 5}
    schema = json.loads((ROOT / "specs" / "config.schema.json").read_text())
    assert set(settings) == set(schema["properties"]["spec"]["properties"]) - {"runner"}


# ---- as people see it ----

TEXT = """Grapnel VERSION, process PID, up TIME, SIZE MiB
NOT READY: rules have errors, or were rejected

Problems
  - 1 set is blocked
  - 1 document of rules is refused

Connection
  state              registered, synchronized for TIME
  socket             HOME/nri.sock
  registers as       10-grapnel
  runtime            containerd v2.1.4, NRI 0.12.2, waits 2000 ms for an answer
  found              1 pod, 2 containers
  sessions           1

Rules
  sets               2 in 3 files: 1 in force, 1 BLOCKED
  last load          TIME ago by SIGHUP, with errors, in N ms
  last good load     TIME ago

Containers that run since before
  compared           2: 0 missed, 0 outdated, 2 preexisting, 0 unreadable
  2 more: see --all

Sets, in the order in which their hooks run
     50  blocked  BLOCKED
         HOME/hooks.d/blocked.yaml:1
         it needs Grapnel 9.0 or later, this is VERSION
     50  one      in force
         HOME/hooks.d/one.yaml:1

Files, lowest precedence first
  HOME/hooks.d/broken.yaml: REJECTED, not in force

Findings
  warning HOME/hooks.d/blocked.yaml:4:15
      this set is blocked: it needs Grapnel 9.0 or later, this is VERSION; a
      container that matches it is an error under its failurePolicy
  error HOME/hooks.d/broken.yaml:4:3
      unknown key "mach" in spec; did you mean "match"?
  error HOME/hooks.d/broken.yaml:4:3
      the key "match" is missing; write match: {always: true} to match
      everything

Last decisions, the latest first
  none yet

Process
  runs               SOMEHOW
  files              watched in N directories
  run directory      HOME/run
  journal            N records, 2 containers known
  metrics            not served
  control socket     HOME/run/control.sock
  hook runners       0 reports, 0 bad, 0 from other users
  sandbox            no capabilities, no new ones, system calls not filtered
"""


def normal(place: Place, text: str) -> str:
    text = text.replace(str(place.node.home), "HOME")
    text = re.sub(r"Grapnel [\d.]+, process \d+", "Grapnel VERSION, process PID", text)
    text = re.sub(r"\d+ (s|min)\b", "TIME", text)
    text = re.sub(r"[\d.]+ MiB", "SIZE MiB", text)
    text = re.sub(r"(?m)^(  runs  +).+", r"\1SOMEHOW", text)
    text = re.sub(r"this is [\d.]+", "this is VERSION", text)
    text = re.sub(r"watched in \d+ dir", "watched in N dir", text)
    text = re.sub(r"\d+ records", "N records", text)
    return re.sub(r"in [\d.]+ ms", "in N ms", text)


def test_text(place: Place):
    with ready(place) as running:
        place.node.rule("broken", RULE.replace("match", "mach"))
        place.node.rule("blocked", RULE.replace("spec:", 'spec:\n  minVersion: "9.0"'))
        running.reload()
        done = place.verb("status")
    assert (done.returncode, done.stderr) == (1, "")
    text = normal(place, done.stdout)
    assert text.split("\nSettings")[0] == TEXT
    assert "\n  logLevel           debug (flag)\n  logFormat          json (file, line 7)\n" in text
    long = [line for line in done.stdout.splitlines() if len(line) > 80]
    assert all(str(place.node.home) in line for line in long)  # a path is not broken


def test_long_name(place: Place):
    """It moves its own state and nobody else's."""
    name = "a" * 60
    place.node.rule("two", RULE.replace("spec:", f"metadata: {{name: {name}}}\nspec:", 1))
    with plugin(place):
        text = place.verb("status").stdout
    assert f"     50  {name}  in force\n" in text
    assert f"     50  {'one':40}  in force\n" in text


def test_all_settings(place: Place):
    with plugin(place):
        text = place.verb("status", "--all").stdout
    assert "\nSettings\n" in text
    assert "  ambiguousImage     Trust (built-in)\n" in text
    assert f"  {place.node.rules}/one.yaml: loaded\n" in text


def test_yaml(place: Place):
    with plugin(place):
        text = place.verb("status", "-o", "yaml").stdout
    assert text.startswith('version: 1\nready: false\nnotReady: "not connected to the runtime"\n')


def on_terminal(place: Place, *args: str, **environment: str) -> str:
    """What a terminal shows of status."""
    main, other = pty.openpty()
    with limited(subprocess.Popen([place.node.program, "status", *args, "--config", place.config],
                                  stdin=other, stdout=other, stderr=other,
                                  env={**os.environ, "TERM": "xterm", **environment})) as done:
        os.close(other)
        text = b""
        try:
            while more := os.read(main, 65536):
                text += more
                if "--watch=1" in args and text.count(b"\x1b[H\x1b[J") == 3:
                    done.send_signal(signal.SIGINT)
        except OSError:
            pass  # the other end is closed
        assert done.wait(WAIT_S) == (0 if "--watch=1" in args else 1)
    os.close(main)
    return text.decode()


def test_colours(place: Place):
    with plugin(place):
        assert "\x1b[31mNOT READY\x1b[0m: not connected" in on_terminal(place)
        assert "\x1b" not in on_terminal(place, NO_COLOR="1")
        assert "\x1b" not in on_terminal(place, TERM="dumb")
        assert "\x1b" not in place.verb("status").stdout


def test_watch_on_a_terminal(place: Place):
    with plugin(place):
        assert on_terminal(place, "--watch=1").count("NOT READY") >= 2


@pytest.mark.parametrize("arguments", [["--watch=1"], ["--watch", "1"], ["--watch=1", "-o", "json"]])
def test_watch(place: Place, arguments: list[str]):
    """One after the other, also when the plugin goes away, until it is interrupted."""
    command = [place.node.program, "status", *arguments, "--config", place.config]
    with ExitStack() as stack:
        with plugin(place):
            watching = stack.enter_context(limited(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)))
            sign = '"notReady"' if "-o" in arguments else "NOT READY"
            for _ in range(2):
                assert any(sign in line for line in watching.stdout)
        assert "not running" in watching.stderr.readline()
        watching.send_signal(signal.SIGINT)
        out, _ = watching.communicate(timeout=WAIT_S)
        assert (watching.returncode, "\x1b" in out) == (0, False)


# ---- thousands of sets ----

def write_many(place: Place, files: int, sets: int) -> None:
    for i in range(files):
        text = "---\n".join(RULE.replace("spec:", f"metadata: {{name: set-{i:02}-{k:04}}}\nspec:", 1)
                            for k in range(sets))
        place.node.rule(f"many-{i:02}", text)


def test_ten_thousand_sets(place: Place):
    """One reply stays small, has what is wrong, and all of them come in pages."""
    write_many(place, 10, 1000)
    place.node.rule("blocked", RULE.replace("/first", "/none"))
    with plugin(place):
        status = place.status()
        assert status["rules"]["sets"] == 10002
        assert [one["name"] for one in status["sets"]] == ["blocked"]
        assert status["more"] == {"sets": 10001}
        assert len(json.dumps(status)) < 1 << 20
        assert len(status["files"]) == 12
        whole = place.status("--all")
        assert whole["more"] == {}
        listed = json.loads(place.verb("list", "-o", "json").stdout)
        assert whole["sets"] == listed["sets"]
        text = place.verb("status").stdout
        assert "  10001 more sets: see --all\n" in text


def test_pages(place: Place):
    write_many(place, 1, 450)
    (place.node.rules / "one.yaml").unlink()
    with plugin(place) as running:
        assert (place.status()["sets"], place.status()["more"]) == ([], {"sets": 450})

        def page(of: str, start: int) -> dict:
            return ask(place.control, b'{"command": "page", "of": "%s", "from": %d}\n'
                       % (of.encode(), start))

        first = page("sets", 0)
        assert (len(first["sets"]), first["next"], first["total"]) == (100, 100, 450)
        last = page("sets", 400)
        assert (len(last["sets"]), "next" in last) == (50, False)
        assert last["load"] == first["load"]
        for start in (450, 1 << 63):
            beyond = page("sets", start)
            assert (beyond["sets"], "next" in beyond) == ([], False)
        assert [Path(file["path"]).name for file in page("files", 0)["files"]] == ["many-00.yaml"]
        assert page("findings", 0)["findings"] == []
        assert page("others", 0)["code"] == "bad-word"
        running.reload()
        assert page("sets", 0)["load"] != first["load"]


def test_many_findings(place: Place):
    """More than the plugin keeps: the count says so."""
    for i in range(30):
        place.node.rule(f"bad-{i:02}", "---\n".join([RULE.replace("match", "mach")] * 20))
    with plugin(place):
        status = place.status()
        assert len(status["findings"]) <= 100
        told = len(status["findings"]) + status["more"]["findings"]
        whole = place.status("--all")
        assert len(whole["findings"]) == 500
        assert 500 + whole["more"]["findings"] == told


# ---- who may ask, and whom ----

@pytest.fixture
def open_place(open_node: Node) -> Place:
    return Place(open_node)


def test_another_user_asks(open_place: Place):
    with plugin(open_place):
        assert open_place.control.stat().st_mode & 0o777 == 0o600
        assert open_place.control.parent.stat().st_mode & 0o777 == 0o755
        done = open_place.verb("probe", "live", user=NOBODY, group=NOBODY, extra_groups=[])
        assert done.returncode == 4
        assert "no permission to use the socket" in done.stderr
        # Even with the socket's file open to all, as somebody might make it.
        open_place.control.chmod(0o666)
        done = open_place.verb("status", user=NOBODY, group=NOBODY, extra_groups=[])
        assert (done.returncode, done.stdout) == (1, "")
        assert "only root may ask here, not the user 65534" in done.stderr


@contextmanager
def server(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Something else at the path of the control socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(WAIT_S)
        listener.bind(str(path))
        listener.listen(4)

        def run() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.settimeout(WAIT_S)
                serve(sock)

        thread = threading.Thread(target=run)
        thread.start()
        yield
        thread.join()


def say(data: bytes) -> Callable[[socket.socket], None]:
    def serve(sock: socket.socket) -> None:
        try:
            sock.recv(65536)
            sock.sendall(data)
        except OSError:
            pass  # it has heard enough
    return serve


STRANGE = {
    "nothing": (b"", 1, "is no answer of Grapnel's"),
    "half a line": (b'{"ok": true', 1, "is no answer of Grapnel's"),
    "garbage": (b"\xff\x00 SSH-2.0\n", 1, "is no answer of Grapnel's"),
    "no ok": (b'{"ready": true}\n', 1, "is no answer of Grapnel's"),
    "a list": (b"[]\n", 1, "is no answer of Grapnel's"),
    "too much": (b"x" * (2 << 20), 1, "is no answer of Grapnel's"),
    "an error": (b'{"ok": false, "code": "busy", "error": "try\\u001b again"}\n', 4, "try? again"),
    "not ready": (b'{"ok": true, "ready": false}\n', 1, "not ready"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_strange_answers(place: Place, case: str):
    data, code, text = STRANGE[case]
    place.run.mkdir()
    with server(place.control, say(data)):
        found, why = place.probe("ready")
    assert (found, text in why) == (code, True), why


def test_no_answer(place: Place):
    """A loop that does not come round: not live, within the deadline."""
    place.run.mkdir()
    with server(place.control, lambda sock: sock.recv(1) and sock.recv(65536) and sock.recv(1)):
        code, why = place.probe("live")
    assert (code, "no answer at the socket" in why) == (1, True)


def test_another_users_server(open_place: Place):
    """Whoever can put a socket there is not believed."""
    open_place.run.mkdir()
    os.chown(open_place.run, NOBODY, NOBODY)
    listening, writing = os.pipe()
    child = os.fork()
    if child == 0:
        heard = True
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            with socket.socket(socket.AF_UNIX) as listener:
                listener.settimeout(WAIT_S)
                listener.bind(str(open_place.control))
                listener.listen(4)
                os.write(writing, b".")
                sock, _ = listener.accept()
                sock.settimeout(WAIT_S)
                heard = sock.recv(4096) != b""
        finally:
            os._exit(heard)
    os.close(writing)
    assert os.read(listening, 1) == b"."
    code, why = open_place.probe("ready")
    assert (code, "runs as another user than root" in why) == (4, True)
    assert os.waitpid(child, 0)[1] == 0, "it was asked"
    os.close(listening)


# ---- where it listens ----

def test_two_instances(place: Place):
    with plugin(place) as old:
        assert pid_at(place) == old.pid
        with plugin(place) as new:
            assert pid_at(place) == new.pid
            old.reload()
            assert pid_at(place) == new.pid
        old.said("the control socket is open")
        assert pid_at(place) == old.pid
    assert not place.control.exists()


def test_the_later_of_two_is_killed(place: Place):
    with plugin(place) as old:
        old.reload()
        with plugin(place) as new:
            os.kill(new.pid, signal.SIGKILL)
            new.process.wait()
            old.said("the control socket is open")
            assert pid_at(place) == old.pid


def test_killed(place: Place):
    """What it leaves is in nobody's way."""
    with plugin(place) as killed:
        os.kill(killed.pid, signal.SIGKILL)
        killed.process.wait()
        assert place.control.is_socket()
        code, why = place.probe("live")
        assert (code, "the process that had the socket" in why) == (4, True)
    with plugin(place) as running:
        assert pid_at(place) == running.pid
    assert list(place.run.glob("*.sock")) == []


def test_another_path(place: Place):
    with plugin(place) as running:
        other = place.run / "other.sock"
        place.configure(f"  controlSocket: {other}\n")
        running.reload("the control socket is open")
        assert (place.control.exists(), other.is_socket()) == (False, True)
        assert place.probe("live") == (0, "")
        place.configure("  controlSocket: none\n")
        running.reload("the control socket is closed")
        assert not other.exists()
        code, why = place.probe("live")
        assert (code, "controlSocket: none" in why) == (4, True)


def test_cannot_be_made(place: Place):
    """One line, containers are served, and it is tried again."""
    place.run.mkdir()
    place.control.write_text("precious\n")
    listener = Listener(place.nri)
    with plugin(place) as running:
        runtime = listener.accept()
        runtime.ready()
        running.said("synchronized")
        assert place.control.read_text() == "precious\n"
        for _ in range(2):
            os.kill(running.pid, signal.SIGHUP)
            for line in running.lines:
                assert "control socket" not in line["msg"]
                if line["msg"] == "rules loaded":
                    break
        place.control.unlink()
        running.reload("the control socket is open")
        assert place.probe("ready") == (0, "")
    listener.sock.close()


def test_simulate_keeps_apart(place: Place):
    """Not even with the node's own settings does it touch the socket of the plugin that runs."""
    pod = place.node.home / "pod.yaml"
    pod.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
                   "spec: {containers: [{name: a, image: a}]}\n")
    with plugin(place) as running:
        done = place.verb("simulate", pod)
        assert done.returncode == 0, done.stderr
        assert pid_at(place) == running.pid
