# SPDX-License-Identifier: Apache-2.0
"""What doctor says of each problem that the plugin process tells of itself: a real process, in which a test makes the cause."""
from __future__ import annotations

import ctypes
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from fakeruntime import Listener, Runtime
from inotify import need_user_namespaces, with_limit
from test_doctor import codes_of_page, codes_of_problems
from test_pause import REPORT, hash_of, send
from test_status import (COMPARED, HEAD, RULE, Place, Plugin, launched, place, plugin)  # noqa: F401

CLONE_NEWNET = 0x40000000
CONTAINERS_MAX = 20000  # that a runtime may tell of: GR_NRI_RUNNING_MAX_OBJECTS


def unshare(flags: int) -> None:
    assert ctypes.CDLL(None).unshare(flags) == 0


class Setup:
    """A node with a process of the plugin, which starts when a cause has made what is to be there before."""

    def __init__(self, place: Place, stack: ExitStack) -> None:
        self.place, self.node, self.stack = place, place.node, stack
        self.listener = Listener(place.nri)
        self.host = place.node.home / "host"
        self.host.mkdir()
        self.args: tuple[object, ...] = ()  # more, for doctor

    def start(self, *args: object, before: Callable[[], None] | None = None) -> tuple[Plugin, Runtime]:
        """before: called in the child."""
        running = self.stack.enter_context(plugin(self.place, *args, preexec_fn=before))
        runtime = self.listener.accept()
        self.stack.callback(runtime.sock.close)
        return running, runtime

    def ready(self, *args: object) -> Plugin:
        running, runtime = self.start(*args)
        runtime.ready()
        running.said(COMPARED)
        return running

    def verb(self, *args: object) -> str:
        done = self.place.verb(*args, "--control", self.place.control)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def findings(self, *args: object) -> dict[str, dict]:
        """What it finds of the plugin, by code; each is there once, and has what the page says of it."""
        done = self.place.verb("doctor", "-o", "json", "--host-root", self.host, *self.args, *args)
        assert done.stderr == "" and done.returncode in (0, 1), done.stderr
        found = [item for item in json.loads(done.stdout)["findings"] if item["check"] == "plugin"]
        page = codes_of_page()
        assert all(item["why"] and item["fix"] and item["level"] == page[item["code"]] for item in found)
        assert len({item["code"] for item in found}) == len(found), json.dumps(found, indent=1)
        return {item["code"]: item for item in found}


@pytest.fixture
def setup(place: Place) -> Iterator[Setup]:
    with ExitStack() as stack:
        yield Setup(place, stack)


Cause = Callable[[Setup], None]


class Case:
    """What is done, what is found then and a part of what mends it; also: further codes."""

    def __init__(self, code: str, found: str, fix: str, make: Cause, also: tuple[str, ...], name: str) -> None:
        self.code, self.found, self.fix, self.make, self.also = code, found, fix, make, also
        self.id = f"{code}-{name}" if name else code


CASES: list[Case] = []


def case(code: str, found: str, fix: str, *, also: tuple[str, ...] = (), name: str = "") -> Callable[[Cause], Cause]:
    def add(make: Cause) -> Cause:
        CASES.append(Case(code, found, fix, make, also, name))
        return make
    return add


# ---- containers ----

def late(setup: Setup, running: Plugin, runtime: Runtime, pod: str = "web") -> None:
    """A container whose answer had hooks and which has none: the runtime did not wait, and the connection ended."""
    runtime.ready()
    running.said(COMPARED)
    runtime.create("c3", "shop")
    runtime.sock.close()
    runtime = setup.listener.accept()
    setup.stack.callback(runtime.sock.close)
    runtime.register()
    runtime.configure()
    runtime.synchronize(pod=pod, more=["c3"])
    running.said(COMPARED)


@case("containers-missed", "shop/web/", "kubectl -n shop delete pod web")
def missed(setup: Setup) -> None:
    running, runtime = setup.start()
    late(setup, running, runtime)


@case("containers-unreadable", "id 0123456789abcdef", "recreate their pods")
def unreadable(setup: Setup) -> None:
    running, runtime = setup.start()
    runtime.register()
    runtime.configure()
    runtime.synchronize("0123456789abcdef")
    running.said(COMPARED)


@case("missed-unknown", "more containers than are kept", "run fewer pods on this node")
def too_many(setup: Setup) -> None:
    running, runtime = setup.start()
    runtime.register()
    runtime.configure()
    runtime.synchronize(more=map(str, range(CONTAINERS_MAX)))
    running.said("whether containers were missed is not known")


@case("plugin-not-connected", "No such file or directory", "connects again")
def away(setup: Setup) -> None:
    setup.place.nri.unlink()
    setup.stack.enter_context(plugin(setup.place))


# ---- settings and rules ----

@case("settings-refused", "the settings file has an error; its text that was accepted at ", "config.yaml:4", also=("plugin-not-ready",))
def settings(setup: Setup) -> None:
    running = setup.ready()
    text = setup.place.config.read_text()
    setup.place.config.write_text(text.replace("spec:", "spec:\n  noSuchKey: 1"))
    running.reload()
    setup.args = ("--control", setup.place.control)


@case("policy-refused", "every set is blocked", "policy.yaml:3", also=("plugin-not-ready",))
def policy(setup: Setup) -> None:
    path = setup.node.home / "policy.yaml"
    path.write_text(f"{HEAD}kind: Policy\nspek: {{}}\n")
    setup.ready("--policy", path)


@case("sets-blocked", "1 set is blocked", "/none", also=("plugin-not-ready",))
def blocked(setup: Setup) -> None:
    setup.node.rule("blocked", RULE.replace("/first", "/none"))
    setup.ready()


@case("rules-refused", "1 document of rules is refused", "broken.yaml:4", also=("plugin-not-ready",))
def refused(setup: Setup) -> None:
    setup.node.rule("broken", RULE.replace("match", "mach"))
    setup.ready()


@case("earlier-text", "1 file counts with an earlier text", "one.yaml:4", also=("plugin-not-ready", "rules-refused"))
def earlier(setup: Setup) -> None:
    running = setup.ready("--last-good", setup.node.home / "last-good")
    setup.node.rule("one", RULE.replace("match", "mach"))
    running.reload()


@case("last-good-not-kept", "the accepted texts of 2 files cannot be kept", "chmod 0700 ")
def unkept(setup: Setup) -> None:
    kept = setup.node.home / "last-good"
    kept.mkdir(mode=0o755)
    setup.ready("--last-good", kept)


@case("required-set-missing", "the required set gone is not in force (missing)", "requiredSets (file, line 9)")
def required(setup: Setup) -> None:
    setup.place.configure("  requiredSets: [gone]\n")
    setup.ready()


# ---- pauses ----

@case("required-set-paused", "the required set one is paused", "grapnel resume one", also=("sets-paused",))
def required_paused(setup: Setup) -> None:
    setup.place.configure("  requiredSets: [one]\n")
    setup.ready()
    setup.verb("pause", "one")


@case("sets-paused", "1 set is paused", "grapnel resume one")
def paused(setup: Setup) -> None:
    setup.ready()
    setup.verb("pause", "one")


@case("sets-paused", "1 set is paused", "grapnel resume --all", name="all")
def all_paused(setup: Setup) -> None:
    setup.ready()
    setup.verb("pause", "--all")


@case("breaker-tripped", "its breaker tripped", "grapnel resume one")
def tripped(setup: Setup) -> None:
    setup.node.rule("one", RULE.replace("spec:", "spec:\n  breaker: {failures: 2, window: 60}"))
    running = setup.ready()
    for _ in range(2):
        send(setup.node, json.dumps(REPORT | {"set": "one", "hash": hash_of(setup.node, "one")}).encode())
    running.said("the breaker of a HookSet tripped: it is out of force until it is resumed")


@case("pauses-not-kept", "the file pauses of the run directory is damaged", "/run/pauses, and pause again")
def damaged(setup: Setup) -> None:
    setup.place.run.mkdir(mode=0o755)
    (setup.place.run / "pauses").write_text("{")
    setup.ready()


# ---- around ----

@case("files-not-watched", "fs.inotify.max_user_instances", "sysctl fs.inotify.max_user_instances")
def not_watched(setup: Setup) -> None:
    need_user_namespaces()
    running, runtime = setup.start(before=with_limit("instances", 0))
    runtime.ready()
    running.said(COMPARED)


@case("decisions-not-recorded", "decisions are not recorded: ", "within 10 seconds", also=("run-dir-unusable", "pauses-not-kept"))
def not_recorded(setup: Setup) -> None:
    text = setup.place.config.read_text()
    setup.place.config.write_text(text.replace(f"runDir: {setup.place.run}", f"runDir: {setup.node.home}/file"))
    (setup.node.home / "file").write_text("")
    setup.ready()


@case("metrics-not-served", "Address already in use", "a free port from 1024 on")
def not_served(setup: Setup) -> None:
    taken = setup.stack.enter_context(socket.socket())
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    setup.place.configure(f"  metricsAddress: 127.0.0.1:{taken.getsockname()[1]}\n")
    setup.ready()


@case("metrics-not-served", "only sandbox: None leaves", "a free port from 1024 on", name="low port")
def low_port(setup: Setup) -> None:
    """In a network of its own, where nobody has changed which ports are for root."""
    setup.place.configure('  metricsAddress: ":1"\n')
    setup.start(before=lambda: unshare(CLONE_NEWNET))[1].ready()


@pytest.mark.parametrize("wrong", CASES, ids=lambda case: case.id)
def test_cause(setup: Setup, wrong: Case):
    wrong.make(setup)
    found = setup.findings()
    assert set(found) == {wrong.code, *wrong.also}, json.dumps(found, indent=1)
    assert wrong.found in found[wrong.code]["found"]
    assert wrong.fix in found[wrong.code]["fix"]
    status = json.loads(setup.place.verb("status", "-o", "json", "--control", setup.place.control).stdout)
    assert len(status["problems"]) == len(status["problemCodes"])
    assert wrong.code in status["problemCodes"]


def test_another_instance(setup: Setup):
    """It has findings of its own, of all that is seen of the ways."""
    setup.ready()
    with launched(setup.place, "--control", setup.node.home / "other.sock"):
        status = setup.place.status(code=0)
        assert status["problemCodes"] == ["several-processes"]
        report = json.loads(setup.place.verb("doctor", "-o", "json", "--host-root", setup.host).stdout)
        codes = [item["code"] for item in report["findings"]]
        assert codes.count("several-processes") == 1 and "plugin-problem" not in codes
    assert setup.findings() == {}


def test_every_problem_has_its_cause():
    assert {case.code for case in CASES} | {"several-processes"} == codes_of_problems()


# ---- what is put into a command ----

def test_names_in_commands(setup: Setup):
    """A pod that a runtime tells of may be called anything: such a name is no word of a command."""
    running, runtime = setup.start()
    late(setup, running, runtime, "x; reboot")
    fix = setup.findings()["containers-missed"]["fix"]
    assert fix == "recreate their pods; grapnel status --all names them"


def test_many_names(setup: Setup):
    """The first four, and where the others stand; the socket that was named is named again."""
    for i in range(6):
        setup.node.rule(f"set-{i}", RULE)
    setup.ready()
    for i in range(5):
        setup.verb("pause", f"set-{i}")
    fix = setup.findings("--control", setup.place.control)["sets-paused"]["fix"]
    assert fix == "; ".join(f"grapnel resume set-{i} --control {setup.place.control}" for i in range(4)) + \
        "; more of them: grapnel status --all"
