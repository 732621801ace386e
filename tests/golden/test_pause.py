# SPDX-License-Identifier: Apache-2.0
"""pause and resume as people use them, against a running plugin; what is heard of failed hooks."""
from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest

from conftest import Node
from running import WAIT_S

RULE = """apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {name: %s}
spec:
  match: {always: true}
  breaker: {failures: 2, window: 60}
  hooks: {poststop: [{path: /opt/hooks/first}]}
"""
POLICY = """apiVersion: grapnel/v1beta1
kind: Policy
spec:
  protectedSets:
    - {prefix: sec-}
"""
CONFIG = """apiVersion: grapnel/v1beta1
kind: Config
spec: {hooksDirs: [%s], lastGoodDir: none, runDir: %s, controlSocket: %s, logFormat: json,
       requiredSets: [need], rescanInterval: 3600}
"""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@dataclass
class Plugin:
    node: Node
    process: subprocess.Popen
    lines: Iterator[dict]
    before: list[dict]  # the lines up to the first "rules loaded"

    def next(self, message: str) -> dict:
        """The next line of the log that begins so."""
        return next(line for line in self.lines if line["msg"].startswith(message))

    def ask(self, *words: str) -> subprocess.CompletedProcess:
        return ask(self.node, *words)

    def said(self, *words: str) -> str:
        done = self.ask(*words)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return re.sub(TIME, "TIME", done.stdout)

    def refused(self, *words: str) -> str:
        done = self.ask(*words)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout
        return done.stderr

    def report(self, **more: object) -> None:
        send(self.node, json.dumps(REPORT | more).encode())


def nothing_paused(plugin: Plugin) -> bool:
    return json.loads((plugin.node.home / "run/pauses").read_text()) == {"v": 1, "suspended": []}


def ask(node: Node, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([node.program, *words, "--control", str(node.home / "run/control.sock")],
                          capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL)


def send(node: Node, data: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(data, str(node.home / "run/reports.sock"))


REPORT = {"v": 1, "set": "tap", "id": "c0ffee", "stage": "poststop", "result": "exit", "code": 75,
          "durationMs": 12, "output": "no network\n"}


@pytest.fixture
def ruled(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    for name in ("tap", "top-2", "sec-audit", "need"):
        node.rule(name, RULE % name)
    (node.home / "policy.yaml").write_text(POLICY)
    (node.home / "config.yaml").write_text(
        CONFIG % (node.rules, node.home / "run", node.home / "run/control.sock"))
    return node


@contextmanager
def running(node: Node) -> Iterator[Plugin]:
    """A plugin that has loaded its rules."""
    command = ["timeout", "-k", str(WAIT_S), str(WAIT_S), node.program, "plugin", "--socket",
               str(node.home / "nri.sock"), "--config", str(node.home / "config.yaml"),
               "--policy", str(node.home / "policy.yaml")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        plugin = Plugin(node, process, map(json.loads, process.stderr), [])
        while not plugin.before or plugin.before[-1]["msg"] != "rules loaded":
            plugin.before.append(plugin.next(""))
        yield plugin
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
    assert process.returncode in (0, -15), process.returncode


@pytest.fixture
def plugin(ruled: Node) -> Iterator[Plugin]:
    with running(ruled) as plugin:
        yield plugin


# ---- what is said ----

def test_pause_and_resume(plugin: Plugin):
    assert plugin.said("pause", "tap", "--for", "30m", "--reason", "new cards") == (
        "HookSet tap is paused on this node until TIME.\n"
        "From the next container on it is evaluated and logged, and injects, adjusts and refuses "
        "nothing.\n"
        "To end it: grapnel resume tap\n")
    line = plugin.next("HookSet paused")
    by = f"uid {os.geteuid()}"
    assert (line["level"], line["set"], line["by"], line["reason"]) == ("warning", "tap", by, "new cards")
    assert re.fullmatch(TIME, line["until"])
    assert plugin.said("resume", "tap") == "HookSet tap is in force again, from the next container on.\n"
    line = plugin.next("HookSet resumed")
    assert (line["level"], line["set"], line["by"]) == ("warning", "tap", by)
    assert plugin.said("resume", "tap") == "HookSet tap was neither paused nor tripped.\n"


def test_all(plugin: Plugin):
    assert plugin.said("pause", "--all") == (
        "All HookSets are paused on this node until they are resumed.\n"
        "From the next container on they are evaluated and logged, and inject, adjust and refuse "
        "nothing.\n"
        "A policy protects 1 of them, which stays in force: sec-audit\n"
        "To end it: grapnel resume --all\n")
    assert plugin.next("all HookSets paused")["set"] == "(all)"
    assert "paused with all others; resume all of them (--all)" in plugin.refused("resume", "tap")
    plugin.said("pause", "tap")
    assert plugin.said("resume", "tap") == (
        f"HookSet tap is resumed, but still out of force with all others: paused by uid {os.geteuid()}.\n")
    assert plugin.said("resume", "--all") == (
        "Everything that was paused or tripped is in force again: 1 entry.\n")
    assert plugin.said("resume", "--all") == "Nothing was paused or tripped.\n"


def test_required(plugin: Plugin):
    """Whoever pauses a required set waives it, whether it is there or not."""
    plugin.said("pause", "need")
    (plugin.node.rules / "need.yaml").unlink()
    plugin.said("pause", "need", "--for", "1d")


def test_refused(plugin: Plugin):
    assert plugin.refused("pause", "tpa") == (
        'grapnel pause: there is no HookSet "tpa" here; did you mean "tap"? grapnel list shows those '
        'there are\n')
    assert 'no HookSet "elsewhere" here; grapnel list' in plugin.refused("pause", "elsewhere")
    assert 'no HookSet "elsewhere" here; grapnel list' in plugin.refused("resume", "elsewhere")
    for name in ("nope", "x"):  # more than half of them would be a slip
        assert f'no HookSet "{name}" here; grapnel list' in plugin.refused("resume", name)
    assert plugin.refused("pause", "sec-audit") == (
        f"grapnel pause: the policy {plugin.node.home}/policy.yaml:5 protects the HookSet sec-audit "
        "(protectedSets), so that it cannot be paused\n")
    assert "one line" in plugin.refused("pause", "tap", "--reason", "a\nb")
    assert nothing_paused(plugin)


@pytest.mark.parametrize("words", [
    ["pause"], ["resume"], ["pause", "a", "b"], ["pause", "--all", "a"], ["resume", "--all", "a"],
    ["pause", "A_b"], ["pause", ""], ["resume", "a", "--for", "1m"], ["pause", "a", "--force"],
    *(["pause", "a", "--for", time] for time in ("", "0s", "30", "-5s", "8d", "604801s", "1w", "1.5h",
                                                 "1h30m", "99999999999999999999s")),
    ["pause", "a", "--reason", "x" * 257]])
def test_usage(ruled: Node, words: list[str]):
    done = ask(ruled, *words)
    assert (done.returncode, done.stdout) == (2, ""), words
    assert f"grapnel {words[0]} --help" in done.stderr


def test_no_set_is_named(ruled: Node):
    assert ask(ruled, "pause").stderr == (
        "grapnel pause: expected the name of a HookSet, or --all, found nothing; see grapnel pause --help\n")
    assert ', found ""; see' in ask(ruled, "pause", "").stderr


def test_times(plugin: Plugin):
    """The greatest of each unit."""
    for time in ("604800s", "10080m", "168h", "7d", "1s"):
        plugin.said("pause", "tap", "--for", time)
        line = plugin.next("HookSet paused")
        assert re.fullmatch(TIME, line["until"])


def test_nobody_there(ruled: Node):
    for verb in ("pause", "resume"):
        done = ask(ruled, verb, "tap")
        assert (done.returncode, done.stdout) == (4, "")
        assert "not running" in done.stderr


# ---- the control socket ----

def raw(plugin: Plugin, **request: object) -> dict:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(WAIT_S)
        client.connect(str(plugin.node.home / "run/control.sock"))
        client.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(client.makefile().readline())


def test_replies(plugin: Plugin):
    by = f"uid {os.geteuid()}"
    reply = raw(plugin, command="pause", set="tap", forSeconds=604800, reason="why")
    since, until = (datetime.fromisoformat(reply.pop(key)[:-1]) for key in ("since", "until"))
    assert (until - since).total_seconds() == 604800
    assert reply == {"ok": True, "set": "tap", "by": by}
    reply = raw(plugin, command="pause", all=True)
    assert re.fullmatch(TIME, reply.pop("since"))
    assert reply == {"ok": True, "all": True, "by": by, "protected": ["sec-audit"], "protectedCount": 1}
    assert raw(plugin, command="resume", set="tap") == {
        "ok": True, "set": "tap", "resumed": 1, "still": f"paused by {by}"}
    assert raw(plugin, command="resume", all=True) == {"ok": True, "all": True, "resumed": 1}


@pytest.mark.parametrize(("request_", "code"), [
    ({"command": "pause"}, "missing-key"),
    ({"command": "pause", "all": False}, "missing-key"),
    ({"command": "pause", "set": ""}, "missing-key"),
    ({"command": "pause", "set": "tap", "all": True}, "missing-key"),
    ({"command": "pause", "set": "tap", "forSeconds": 0}, "bad-seconds"),
    ({"command": "pause", "set": "tap", "forSeconds": 604801}, "bad-seconds"),
    ({"command": "pause", "set": "tap", "forSeconds": 4294967297}, "bad-seconds"),
    ({"command": "pause", "set": "tap", "forSeconds": "60"}, "wrong-type"),
    ({"command": "pause", "set": "tap", "reason": "x" * 257}, "too-long"),
    ({"command": "pause", "set": "a" * 300}, "unknown-set"),
    ({"command": "pause", "set": "sec-audit"}, "protected-set"),
    ({"command": "resume"}, "missing-key"),
    ({"command": "resume", "set": "tap", "reason": "x"}, "unknown-key"),
])
def test_refused_requests(plugin: Plugin, request_: dict, code: str):
    reply = raw(plugin, **request_)
    assert (reply["ok"], reply["code"]) == (False, code), reply
    assert nothing_paused(plugin)


# ---- status ----

def status(plugin: Plugin) -> dict:
    return json.loads(plugin.ask("status", "-o", "json").stdout)


def test_status(plugin: Plugin):
    found = status(plugin)["suspended"]
    assert found == {"paused": 0, "tripped": 0, "total": 0, "list": []}
    plugin.said("pause", "tap", "--for", "1h", "--reason", "new cards")
    plugin.said("pause", "need")
    document = status(plugin)
    by = f"uid {os.geteuid()}"
    assert (document["suspended"]["paused"], document["suspended"]["total"]) == (2, 2)
    one = document["suspended"]["list"][1]
    assert re.fullmatch(TIME, one.pop("since")) and re.fullmatch(TIME, one.pop("until"))
    assert one == {"set": "tap", "kind": "paused", "by": by, "reason": "new cards"}
    sets = {entry["name"]: entry.get("suspended") for entry in document["sets"]}
    assert re.sub(TIME, "TIME", sets.pop("tap")) == f"paused until TIME by {by}: new cards"
    assert sets == {"need": f"paused by {by}", "sec-audit": None, "top-2": None}
    assert "2 sets are paused" in document["problems"]
    assert "the required set need is paused: containers are created without it" in document["problems"]
    assert (document["rules"]["sets"], document["rules"]["inForce"], document["rules"]["suspended"]) == (4, 2, 2)
    text = re.sub(TIME, "TIME", plugin.ask("status").stdout)
    assert re.search(r"^  sets +4 in 4 files: 2 in force, 2 paused or tripped$", text, re.M)
    assert "\nPaused or tripped\n" in text
    assert re.search(rf"^  tap +paused until TIME by {by}: new cards$", text, re.M)
    assert re.search(rf"^  +50  top-2 +in force$", text, re.M)
    assert re.search(rf"^  +50  tap +in force, but paused until TIME by {by}: new cards$", text, re.M)
    plugin.said("pause", "--all")
    document = status(plugin)
    assert document["suspended"]["list"][0]["all"] is True
    assert document["suspended"]["paused"] == 3  # not the protected one


def test_status_of_reports(plugin: Plugin):
    for _ in range(2):
        plugin.report(hash=hash_of(plugin.node, "tap"))
    send(plugin.node, b"noise")
    plugin.next("a runner's report cannot be read")
    document = status(plugin)
    assert document["reports"] == {"good": 2, "bad": 1, "foreign": 0}
    assert (document["suspended"]["paused"], document["suspended"]["tripped"]) == (0, 1)
    assert "1 set is out of force: its breaker tripped" in document["problems"]


# ---- how long it lasts ----

def test_the_end_is_logged(plugin: Plugin):
    plugin.said("pause", "tap", "--for", "1s")
    line = plugin.next("the pause has ended")
    assert (line["level"], line["set"]) == ("warning", "tap")
    assert plugin.said("resume", "tap") == "HookSet tap was neither paused nor tripped.\n"


def test_restart(ruled: Node):
    """It outlives the process, and is found before the first container."""
    with running(ruled) as plugin:
        plugin.said("pause", "tap", "--reason", "new cards")
    with running(ruled) as plugin:
        found = [line for line in plugin.before if line["msg"].startswith("a HookSet is suspended")]
        assert [(line["set"], line["reason"]) for line in found] == [("tap", "new cards")]
        assert "in force again" in plugin.said("resume", "tap")
    with running(ruled) as plugin:
        assert all("suspended" not in line["msg"] for line in plugin.before)


def test_damaged_file(ruled: Node):
    (ruled.home / "run").mkdir(mode=0o755)
    (ruled.home / "run/pauses").write_text('{"v":1,"suspended":[{"kind":"paused","set":"tap"}]}')
    with running(ruled) as plugin:
        found = [line for line in plugin.before if line.get("code") == "pauses-damaged"]
        assert len(found) == 1 and found[0]["level"] == "error"
        assert plugin.said("resume", "tap") == "HookSet tap was neither paused nor tripped.\n"
        plugin.said("pause", "tap")
    document = json.loads((ruled.home / "run/pauses").read_text())
    assert [entry["set"] for entry in document["suspended"]] == ["tap"]


def test_what_cannot_be_kept_counts(ruled: Node):
    """The warning says so, and the exit code is that of a pause."""
    (ruled.home / "run").mkdir(mode=0o777)
    (ruled.home / "run").chmod(0o777)
    text = (ruled.home / "config.yaml").read_text()
    text = text.replace(f"{ruled.home}/run/control.sock", f"{ruled.home}/own/control.sock")
    (ruled.home / "config.yaml").write_text(text)
    with running(ruled) as plugin:
        done = subprocess.run([ruled.program, "pause", "tap", "--config",
                               str(ruled.home / "config.yaml")], capture_output=True, text=True,
                              check=False, timeout=60)
        assert done.returncode == 0 and done.stdout.startswith("HookSet tap is paused")
        assert done.stderr.startswith("grapnel pause: warning: the directory")
        assert plugin.next("HookSet paused")["set"] == "tap"


def test_two_instances(ruled: Node):
    """What one of them was told the other one knows, and what it was not told it leaves alone."""
    with running(ruled) as first:
        with running(ruled) as second:
            second.said("pause", "tap")  # has the control socket
            second.said("pause", "top-2")
        first.process.send_signal(signal.SIGHUP)  # has it now
        assert {first.next("a HookSet is suspended")["set"] for _ in range(2)} == {"tap", "top-2"}
        assert first.said("resume", "tap") == "HookSet tap is in force again, from the next container on.\n"
    document = json.loads((ruled.home / "run/pauses").read_text())
    assert [entry["set"] for entry in document["suspended"]] == ["top-2"]


# ---- failed hooks ----

def hash_of(node: Node, name: str) -> str:
    """As the marks of its hooks have it."""
    done = subprocess.run([node.program, "render", "--hooks-dir", str(node.rules), "--image", "a"],
                          capture_output=True, text=True, check=True, timeout=60)
    return re.search(f"GRAPNEL_HOOKSET={name}@([0-9a-f]{{16}})", done.stdout).group(1)


def test_breaker(plugin: Plugin):
    fingerprint = hash_of(plugin.node, "tap")
    plugin.report(hash="0" * 16)  # of another text: does not count
    plugin.report(hash=fingerprint)
    plugin.report(hash=fingerprint, result="ok")
    send(plugin.node, b"noise")
    plugin.report(hash=fingerprint, result="timeout")
    line = plugin.next("a hook failed")
    assert (line["result"], line["code"], line["id"], line["output"]) == ("exit", 75, "c0ffee", "no network\n")
    assert plugin.next("a runner's report cannot be read")["level"] == "warning"
    line = plugin.next("the breaker of a HookSet tripped")
    assert (line["set"], line["kind"], line["by"]) == ("tap", "tripped", "breaker")
    assert line["reason"] == "2 failed runs within 60 s"
    assert "in force again" in plugin.said("resume", "tap")


def test_tripped_over_a_restart(ruled: Node):
    with running(ruled) as plugin:
        for _ in range(2):
            plugin.report(hash=hash_of(ruled, "tap"))
        plugin.next("the breaker of a HookSet tripped")
    with running(ruled) as plugin:
        found = [line for line in plugin.before if line["msg"].startswith("a HookSet is suspended")]
        assert [(line["set"], line["kind"]) for line in found] == [("tap", "tripped")]


@pytest.mark.parametrize(("name", "message"), [
    ("need", "the breaker of a required HookSet does not trip"),
    ("sec-audit", "the breaker of a HookSet that a policy protects does not trip")])
def test_breaker_that_must_not_trip(plugin: Plugin, name: str, message: str):
    for _ in range(2):
        plugin.report(set=name, hash=hash_of(plugin.node, name))
    assert plugin.next(message)["set"] == name
    assert nothing_paused(plugin)
