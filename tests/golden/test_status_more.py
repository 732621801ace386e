# SPDX-License-Identifier: Apache-2.0
"""What status tells of hits, decisions, the journal, metrics, the watch and the sandbox."""
from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from running import limited
from test_status import (COMPARED, RULE, WAIT_S, Place, Runtime, ask, connected,  # noqa: F401
                         place, plugin, ready, say, server, write_many)

NO_MATCH = RULE.replace("always: true", "podLabels: {app: none}")


def begin(place: Place, running, runtime: Runtime) -> None:
    runtime.ready()
    running.said(COMPARED)


def sets_of(status: dict) -> dict[str, dict]:
    return {one["name"]: one for one in status["sets"]}


# ---- hits ----

def test_hits(place: Place):
    place.node.rule("idle", NO_MATCH)
    place.node.rule("seen", RULE.replace("spec:", "spec:\n  mode: Observe", 1))
    with connected(place) as (running, runtime):
        begin(place, running, runtime)
        assert all("hits" not in one for one in place.status(code=0)["sets"])
        runtime.create("0123456789abcdef", "shop")
        runtime.create("c4", "shop")
        sets = sets_of(place.status(code=0))
        hits = sets["one"]["hits"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", hits.pop("last"))
        assert hits == {"injected": 2, "observed": 0, "refused": 0, "skipped": 0, "ignored": 0}
        assert sets["seen"]["hits"]["observed"] == 2
        assert "hits" not in sets["idle"]
        text = place.verb("status").stdout
        assert re.search(r"one\.yaml:1\n         2 injected, the last \d+ s ago\n", text)
        assert re.search(r"idle\.yaml:1\n {5}50  one ", text)  # and nothing of hits


def test_hits_among_thousands(place: Place):
    """Blocked sets first, then those that had hits, all in their order."""
    write_many(place, 1, 150)
    place.node.rule("idle", NO_MATCH)
    place.node.rule("zz-blocked", NO_MATCH.replace("/first", "/none"))
    with connected(place) as (running, runtime):
        begin(place, running, runtime)
        assert list(sets_of(place.status())) == ["zz-blocked"]
        runtime.create("c3", "shop")
        status = place.status()
        names = list(sets_of(status))
        assert (len(names), names[-1], status["more"]["sets"]) == (100, "zz-blocked", 53)
        assert "idle" not in names and names[:-1] == sorted(names[:-1])
        assert all("hits" in one for one in status["sets"][:-1])
        whole = sets_of(place.status("--all"))
        assert len(whole) == 153 and whole["set-00-0149"]["hits"]["injected"] == 1


# ---- decisions ----

def test_decisions(place: Place):
    with connected(place) as (running, runtime):
        begin(place, running, runtime)
        assert place.status(code=0)["decisions"] == {"list": []}
        for i in range(22):
            runtime.create(f"{i:02}23456789abcdef", "shop")
        status = place.status(code=0)
        decisions = status["decisions"]["list"]
        assert len(decisions) == 20
        assert re.fullmatch(r"[-\d]+T[:\d]+Z", decisions[0].pop("time"))
        assert decisions[0] == {"id": "2123456789abcdef", "namespace": "shop", "pod": "web",
                                "container": "shop", "outcome": "injected",
                                "sets": [{"name": "one", "verdict": "injected"}]}
        assert decisions[-1]["id"] == "0223456789abcdef"
        journal = status["journal"]
        assert (journal["runDir"], journal["open"]) == (str(place.run), True)
        assert (journal["lost"], journal["damaged"], journal["known"]) == (0, 0, 24)
        assert journal["complete"] is True and journal["records"] >= 22
        text = place.verb("status").stdout
        assert re.search(r"\nLast decisions, the latest first\n  [-\dT:]+Z  212345678 *9ab  injected\n"
                         r"      shop/web/shop\n      one\n", text)
        assert all(len(line) <= 80 or str(place.node.home) in line for line in text.splitlines())


def test_no_hooks_and_refused(place: Place):
    place.node.rule("one", NO_MATCH)
    place.node.rule("must", RULE.replace("/first", "/none").replace("spec:", "spec:\n  failurePolicy: Fail", 1))
    with connected(place) as (running, runtime):
        begin(place, running, runtime)
        runtime.create("c3", "shop")
        status = place.status()
        decision = status["decisions"]["list"][0]
        assert (decision["outcome"], decision["sets"]) == (
            "refused", [{"name": "must", "verdict": "refused"}])
        assert sets_of(status)["must"]["hits"]["refused"] == 1
        assert "  refused\n      shop/web/shop\n      must (refused)\n" in place.verb("status").stdout


def test_a_journal_that_cannot_be_read(place: Place):
    with ready(place):
        (place.run / "decisions").chmod(0o666)
        decisions = place.status(code=0)["decisions"]
        assert list(decisions) == ["problem"]
        assert f"{place.run}/decisions is not read" in decisions["problem"]
        text = " ".join(place.verb("status").stdout.split())
        assert "Last decisions, the latest first " + decisions["problem"] in text


def test_a_journal_of_somebody_else(place: Place):
    """A plugin in a container has another directory at the same path."""
    with connected(place) as (running, runtime):
        begin(place, running, runtime)
        runtime.create("c3", "shop")
        answer = ask(place.control, b'{"command": "status"}\n')
    found = place.run.stat()
    assert answer["journal"]["directory"] == f"{found.st_dev:x}:{found.st_ino:x}"
    for directory in (answer["journal"]["directory"], f"{found.st_dev:x}:0"):
        answer["journal"]["directory"] = directory
        place.control.unlink(missing_ok=True)
        with server(place.control, say(json.dumps(answer).encode() + b"\n")):
            decisions = place.status(code=0)["decisions"]
        if directory.endswith(":0"):
            assert decisions == {"problem": f"the plugin has another directory as {place.run} than "
                                            "there is here: ask inside its container"}
        else:
            assert [decision["id"] for decision in decisions["list"]] == ["c3"]


def test_no_run_directory(place: Place):
    place.config.write_text(place.config.read_text().replace(f"runDir: {place.run}", "runDir: none"))
    with ready(place):
        status = place.status(code=0)
        assert status["journal"] == {"open": False, "lost": 0}
        assert "no run directory is set" in status["decisions"]["problem"]
        text = place.verb("status").stdout
        assert "\n  journal            none\n" in text and "  no run directory is set" in text


def test_a_run_directory_that_cannot_be_used(place: Place):
    bad = place.node.home / "file"
    bad.write_text("")
    place.config.write_text(place.config.read_text().replace(f"runDir: {place.run}", f"runDir: {bad}"))
    with ready(place):
        status = place.status(code=0)
        journal = status["journal"]
        assert (journal["open"], journal["runDir"]) == (False, str(bad))
        assert "decisions are not recorded: " + journal["problem"] in status["problems"]
        assert "  journal            NOT WRITTEN" in place.verb("status").stdout
        assert str(bad) in status["decisions"]["problem"]


# ---- the process ----

def test_causes(place: Place):
    with ready(place) as running:
        assert place.status(code=0)["load"]["cause"] == "start"
        running.reload()
        assert place.status(code=0)["load"]["cause"] == "SIGHUP"
        place.node.rule("two", RULE)
        assert running.said("rules loaded")["cause"] == "watch"
        assert place.status(code=0)["load"]["cause"] == "watch"
        assert " ago by watch, good, in " in place.verb("status").stdout
        watch = place.status(code=0)["watch"]
        assert (watch["working"], watch["overflows"]) == (True, 0)
        assert watch["directories"] > 0 and watch["events"] > 0 and "problem" not in watch


@pytest.mark.parametrize("sandbox", ["Full", "Capabilities", "None"])
def test_sandbox(place: Place, sandbox: str):
    """As the kernel has it."""
    place.configure(f"  sandbox: {sandbox}\n")
    with plugin(place) as running:
        kernel = dict(line.split(":\t", 1) for line in
                      Path(f"/proc/{running.pid}/status").read_text().splitlines())
        found = place.status()["process"]["sandbox"]
        bits = {key: kernel[key] if int(kernel[key], 16) else "none" for key in ("CapPrm", "CapBnd")}
        assert found == {"capabilities": bits["CapPrm"], "bounding": bits["CapBnd"],
                         "noNewPrivileges": kernel["NoNewPrivs"] == "1",
                         "filter": kernel["Seccomp"] == "2"}
        text = place.verb("status").stdout
    assert (found["capabilities"] == "none") == (sandbox != "None")
    if sandbox == "None":
        assert "capabilities NOT DROPPED" in text
    else:
        assert found["noNewPrivileges"] is True and "\n  sandbox            no capabilities, " in text


def test_metrics_address(place: Place):
    """Served, or why not."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        place.configure(f"  metricsAddress: {address}\n")
        with plugin(place) as running:
            status = place.status()
            assert status["metrics"] == {"address": address, "served": False,
                                         "problem": "Address already in use"}
            assert status["problems"][-1] == (
                f"the metrics cannot be served at {address}: Address already in use")
            assert f"NOT SERVED at {address}, trying on" in place.verb("status").stdout
            taken.close()
            running.said("the metrics are served")
            assert place.status()["metrics"] == {"address": address, "served": True}
            assert f"\n  metrics            served at {address}\n" in place.verb("status").stdout
            assert place.status()["control"] == str(place.control)


def test_unknown_is_not_0(place: Place):
    with plugin(place):
        status = place.status()
        assert (status["running"], status["lacking"]) == ({"known": False}, [])
        assert "\n  compared           not known\n" in place.verb("status").stdout


def test_older_containers(place: Place):
    with ready(place):
        status = place.status(code=0)
        assert status["running"] == {"known": True, "running": 2, "unreadable": 0, "missed": 0,
                                     "outdated": 0, "preexisting": 2}
        assert status["problems"] == []
        assert status["lacking"][0] == {"id": "c1", "namespace": "shop", "pod": "web", "set": "one",
                                        "class": "preexisting"}
        assert "\n  preexisting        shop/web lacks one, id c1\n" in place.verb("status", "--all").stdout


def test_a_container_that_cannot_be_read(place: Place):
    with connected(place) as (running, runtime):
        runtime.register()
        runtime.configure()
        runtime.synchronize("0123456789abcdef")
        assert running.said("a running container cannot be read: whether it lacks hooks is not "
                            "known")["level"] == "warning"
        running.said(COMPARED)
        status = place.status(code=0)
        assert (status["running"]["running"], status["running"]["unreadable"]) == (3, 1)
        assert status["lacking"][0] == {"id": "0123456789abcdef", "class": "unreadable"}
        assert status["problems"] == [
            "1 running container cannot be read, so that whether it lacks hooks is not known: "
            "id 0123456789abcdef; the log says why"]
        assert "\n  unreadable         id 0123456789ab\n  2 more: see --all\n" in place.verb("status").stdout


def test_watch_shows_changes(place: Place):
    command = [place.node.program, "status", "--watch=1", "-o", "json", "--config", place.config]
    with connected(place) as (running, runtime):
        begin(place, running, runtime)
        with limited(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)) as watching:
            assert any('"decisions"' in line for line in watching.stdout)
            runtime.create("c3", "shop")
            assert any('"injected": 1' in line for line in watching.stdout)
            assert any('"outcome": "injected"' in line for line in watching.stdout)
            watching.send_signal(signal.SIGINT)
            watching.communicate(timeout=WAIT_S)
            assert watching.returncode == 0


# ---- ready ----

def test_a_missing_program_is_not_ready(place: Place):
    """An error of the rules; it goes away when the program is installed."""
    place.node.rule("two", RULE.replace("/first", "/second"))
    with ready(place) as running:
        status = place.status()
        assert (status["rules"]["blocked"], status["rules"]["rejected"]) == (1, 0)
        assert status["notReady"] == "rules have errors, or were rejected"
        assert place.probe("ready") == (1, "grapnel probe: rules have errors, or were rejected\n")
        place.node.hook("second", "#!/bin/sh\n")
        running.reload()
        assert place.status(code=0)["rules"]["blocked"] == 0
        assert place.probe("ready") == (0, "")


def test_a_set_for_later_programs_is_ready(place: Place):
    """Blocked with a warning: what the rollout of a new version looks like on nodes with the old."""
    place.node.rule("two", RULE.replace("spec:", 'spec:\n  minVersion: "9.0"'))
    with ready(place):
        status = place.status(code=0)
        assert status["rules"]["blocked"] == 1
        assert status["problems"] == ["1 set is blocked"]
        assert place.probe("ready") == (0, "")


def test_yaml_has_the_same(place: Place):
    with ready(place):
        document = place.status(code=0)
        text = place.verb("status", "-o", "yaml").stdout
    keys = [line.split(":")[0] for line in text.splitlines() if re.match(r"\w+:", line)]
    assert keys == list(document)
    assert json.dumps(document["running"]) and "running:\n  known: true\n" in text
