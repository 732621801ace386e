# SPDX-License-Identifier: Apache-2.0
"""program: NAME/FILE in the verbs, and in a plugin at work while programs come and change."""
from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import Node
from running import plugin, settings

RULE = """apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {name: tap}
spec:
  match: {always: true}
  hooks:
    createRuntime:
      - program: net/bin/setup
        args: [setup]
        timeout: 5
"""


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("programs")
    (home / "rules").mkdir()
    (home / "rules/tap.yaml").write_text(RULE)
    return home


def run(grapnel: str, home: Path, verb: str, *args: object, code: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run([grapnel, verb, "--hooks-dir", str(home / "rules"), "--programs-dir",
                           str(home / "programs"), *map(str, args)], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == code, done.stderr + done.stdout
    return done


def install(grapnel: str, home: Path, text: str) -> str:
    """The path of the program."""
    source = home / "source"
    (source / "bin").mkdir(parents=True, exist_ok=True)
    (source / "bin/setup").write_text(f"#!/bin/sh\n# {text}\nexit 0\n")
    (source / "bin/setup").chmod(0o755)
    to = home / "programs/net"
    subprocess.run([grapnel, "setup", "install", "--from", source, "--to", to], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    return f"{to}/{os.readlink(to / 'current')}/bin/setup"


def test_check(grapnel: str, home: Path):
    done = run(grapnel, home, "check", code=1)
    assert done.stdout.splitlines()[0] == (
        f"{home}/rules/tap.yaml:8:9: error: expected the hook program net/bin/setup in the store {home}/programs, "
        f"found no such directory there; run grapnel setup install --to {home}/programs/net, or correct the name")
    done = run(grapnel, home, "check", "--no-host")
    assert "error" not in done.stdout
    install(grapnel, home, "one")
    assert "error" not in run(grapnel, home, "check", "--strict").stdout
    done = run(grapnel, home, "check", "--programs-dir", "none", code=1)
    assert "programsDir: none" in done.stdout
    for bad in ("programs", "/", "/a/", "/a/../b", "/a//b", "/..", ""):
        run(grapnel, home, "check", "--programs-dir", bad, code=2)


def test_shown(grapnel: str, home: Path):
    """Both the reference and the path."""
    path = install(grapnel, home, "one")
    subject = ("--image", "nginx", "--namespace", "shop", "--pod", "web", "--container", "c")
    assert f"  1. {path}  (tap, program net/bin/setup)\n" in run(grapnel, home, "explain", *subject).stdout
    explained = json.loads(run(grapnel, home, "explain", *subject, "-o", "json").stdout)["containers"][0]
    expected = [{"program": "net/bin/setup", "path": path}]
    assert explained["programs"] == expected
    assert explained["hooks"]["createRuntime"][0]["path"] == path
    rendered = run(grapnel, home, "render", *subject)
    assert json.loads(rendered.stdout)["createRuntime"][0]["path"] == path
    assert f"program net/bin/setup: {path}\n" in rendered.stderr
    assert f"       program net/bin/setup: {path}\n" in run(grapnel, home, "list").stdout
    assert json.loads(run(grapnel, home, "list", "-o", "json").stdout)["sets"][0]["programs"] == expected
    named = f"{home}/programs/net/current/bin/setup"
    rendered = json.loads(run(grapnel, home, "render", *subject, "--no-host").stdout)
    assert rendered["createRuntime"][0]["path"] == named


def test_blocked_is_listed(grapnel: str, home: Path):
    """Without a path: nothing lies there."""
    done = run(grapnel, home, "list", code=1)
    assert "BLOCKED" in done.stdout
    assert "       program " not in done.stdout
    done = run(grapnel, home, "list", "-o", "json", code=1)
    assert json.loads(done.stdout)["sets"][0]["programs"] == [{"program": "net/bin/setup"}]


def test_policy(grapnel: str, home: Path):
    """Its directories are asked about the path that comes out."""
    install(grapnel, home, "one")
    for directory, code in ((home / "programs", 0), (home / "programs/net", 0), (home / "programs/ne", 1),
                            ("/opt/hooks", 1)):
        policy = {"apiVersion": "grapnel/v1beta1", "kind": "Policy",
                  "spec": {"programs": {"directories": [str(directory)]}}}
        (home / "policy.yaml").write_text(yaml.safe_dump(policy))
        done = run(grapnel, home, "check", "--policy", home / "policy.yaml", code=code)
        assert ("policy" in done.stdout) == (code == 1)


def test_in_force_at_once(grapnel: str, node: Node):
    """A store that comes, a package that comes, a link that is switched: no rescan is waited for, and what
    is loaded is news."""
    (node.rules / "tap.yaml").write_text(RULE)
    settings(node, programsDir=str(node.home / "programs"))
    with plugin(node) as log:
        log.loaded(blocked=1)
        install(grapnel, node.home, "one")
        log.loaded(blocked=0, cause="watch")
        install(grapnel, node.home, "two")
        log.loaded(blocked=0, cause="watch")
        (node.home / "programs/net/current").unlink()
        log.loaded(blocked=1, cause="watch")
        install(grapnel, node.home, "two")
        log.loaded(blocked=0, cause="watch")
        (node.rules / "other.yaml").write_text(RULE.replace("tap", "other").replace("net/", "other/"))
        log.loaded(blocked=1, cause="watch")
        (node.home / "programs/net").rename(node.home / "programs/other")
        log.loaded(blocked=1, cause="watch")
