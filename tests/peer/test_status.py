# SPDX-License-Identifier: Apache-2.0
"""What status and the probes say beside a real runtime side."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import cache
from harness.wait import until

from peer import Setup


@pytest.fixture
def control(setup: Setup) -> Path:
    """Where the plugin is to listen."""
    return setup.host.path / "run" / "control.sock"


def ask(control: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [str(cache.grapnel()), *args, "--control", str(control)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def ready(control: Path, beside: bool = False) -> dict[str, Any]:
    """The document of a plugin that is ready; beside: another one on the node is its only problem."""
    done = ask(control, "status", "-o", "json")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    probed = ask(control, "probe", "ready")
    assert (probed.returncode, probed.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["ready"]
    assert [problem.partition(" (")[0] for problem in document["problems"]] == (
        ["another Grapnel runs on this node, by hand"] if beside else [])
    assert document["rules"]["inForce"] == 1
    return document


def test_external(setup: Setup, one: Path, control: Path) -> None:
    setup.peer.start()
    setup.external(one, control=control)
    setup.peer.wait(plugins=1)
    connection = ready(control)["connection"]
    assert (connection["state"], connection["launched"]) == ("ready", False)
    assert connection["socket"] == str(setup.peer.socket)
    assert connection["runtime"] and connection["requestTimeoutMs"] > 0
    assert ("nri" in connection) == (setup.version == "0.12.2")


def test_launched(setup: Setup, one: Path, control: Path) -> None:
    """It is ready although an old runtime never tells it what runs already."""
    setup.launched(one, control=control)
    setup.peer.start()
    setup.peer.wait(plugins=1)
    connection = ready(control)["connection"]
    assert connection["launched"] is True
    assert connection["synchronized"] == (setup.version != "0.6.1")
    assert ("containers" in connection) == connection["synchronized"]


def test_upgrade(setup: Setup, one: Path, control: Path) -> None:
    """The probes of the newer instance reach it; when it goes the older one takes the path back."""
    setup.peer.start()
    setup.external(one, index="10", control=control)
    setup.peer.wait(plugins=1)
    old = ready(control)
    new = setup.external(one, index="11", control=control)
    setup.peer.wait(plugins=2)
    document = ready(control, beside=True)
    assert document["connection"]["index"] == "11"
    assert document["process"]["pid"] != old["process"]["pid"]
    new.terminate()
    until(lambda: ask(control, "probe", "live").returncode == 0, "the older one is asked again")
    assert ready(control)["process"]["pid"] == old["process"]["pid"]


def test_the_runtime_is_gone(setup: Setup, one: Path, control: Path) -> None:
    setup.peer.start()
    plugin = setup.external(one, control=control)
    setup.peer.wait(plugins=1)
    assert ready(control)
    setup.peer.crash()
    until(lambda: "the runtime is lost" in plugin.log.read_text(), "it notices", detail=plugin.describe)
    assert ask(control, "probe", "live").returncode == 0
    probed = ask(control, "probe", "ready")
    assert (probed.returncode, probed.stderr) == (1, "grapnel probe: not connected to the runtime\n")


def test_hits_and_decisions(setup: Setup, one: Path, control: Path) -> None:
    """What a container that is created leaves in the document."""
    setup.peer.start()
    setup.external(one, settings=f"  runDir: {control.parent}\n", control=control)
    setup.peer.wait(plugins=1)
    first = ready(control)
    assert first["decisions"] == {"list": []}
    assert all("hits" not in found for found in first["sets"])
    setup.peer.create({"id": "0123456789abcdef"})
    document = ready(control)
    (found,) = document["sets"]
    assert (found["hits"]["injected"], found["hits"]["refused"]) == (1, 0)
    (decision,) = document["decisions"]["list"]
    assert (decision["id"], decision["outcome"]) == ("0123456789abcdef", "injected")
    assert decision["sets"] == [{"name": found["name"], "verdict": "injected"}]
    assert document["journal"]["lost"] == 0
    sandbox = document["process"]["sandbox"]
    assert (sandbox["capabilities"], sandbox["filter"]) == ("none", True)
    assert document["load"]["cause"] == "start"
    assert document["watch"]["working"] is True


def test_settings_that_turn_bad(setup: Setup, one: Path) -> None:
    """Verbs find the plugin by the text that it has accepted, also in the next process, and not without it."""
    settings = "  controlSocket: /run/elsewhere/control.sock\n  runDir: /run/elsewhere\n"
    setup.peer.start()
    plugin = setup.external(one, settings=settings)
    setup.peer.wait(plugins=1)
    (config,) = setup.host.path.glob("config-*.yaml")

    def verb(*args: str) -> subprocess.CompletedProcess[str]:
        command = [str(cache.grapnel()), *args, "--config", str(config)]
        return subprocess.run(setup.host.inside(command), capture_output=True, text=True, check=False, timeout=30)

    setup.peer.create({"id": "0123456789abcdef", "name": "front"}, {"name": "shop", "namespace": "web"})
    until(lambda: verb("probe", "ready").returncode == 0, "it is ready", detail=plugin.describe)
    config.write_text(config.read_text() + "  noSuchSetting: 1\n")
    until(lambda: verb("probe", "ready").returncode == 1, "it has seen the file", detail=plugin.describe)
    for _ in range(2):
        done = verb("status", "-o", "json")
        assert done.returncode == 1 and "noSuchSetting" in done.stderr
        document = json.loads(done.stdout)
        assert document["settingsFile"]["inForce"] == "last-good"
        assert document["journal"]["runDir"] == "/run/elsewhere"
        assert verb("probe", "live").returncode == 0
        assert verb("pause", "one", "--reason", "x").returncode == 0
        assert verb("resume", "one").returncode == 0
        explained = verb("explain", "--live", "web/shop", "--hooks-dir", str(one), "-o", "json")
        assert [found["container"] for found in json.loads(explained.stdout)["containers"]] == ["front"]
        in_force = verb("explain", "--in-force", "--live", "web/shop", "-o", "json")
        assert [found["container"] for found in json.loads(in_force.stdout)["containers"]] == ["front"]
        checked = verb("check", str(one))
        assert checked.returncode == 1 and "noSuchSetting" in checked.stderr + checked.stdout
        assert "accepted at" not in checked.stderr + checked.stdout, "it judges the file as it stands"
        plugin.kill()
        setup.peer.wait(plugins=0)
        written = config.read_text()
        plugin = setup.external(one, settings=re.sub(r"(?s).*sandbox: Full\n", "", written))
        setup.peer.wait(plugins=1)
        assert config.read_text() == written

    (kept,) = setup.host.run(["ls", "-d", "/var/lib/grapnel/last-good"]).split()
    setup.host.run(["rm", "-r", kept])
    done = verb("probe", "live")
    assert done.returncode == 4 and "so the default socket was tried" in done.stderr
