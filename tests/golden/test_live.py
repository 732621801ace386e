# SPDX-License-Identifier: Apache-2.0
"""explain --live and diff --live: what the journal of decisions tells people and scripts."""
from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import Node

HEAD = "apiVersion: grapnel/v1beta1\nkind: HookSet\n"
HOOK = "  hooks: {poststop: [{path: /opt/hooks/first}]}\n"
TAP = HEAD + "spec:\n  match: {namespace: web, podAnnotations: {team: infra}}\n" + HOOK
SECRET = HEAD + "spec:\n  match: {env: {prefix: \"MODE=\"}}\n  onUnknown: Skip\n" + HOOK
ID = "5f0e33ab{:056x}"


def decision(number: int, time: int = 1760000000, container: str = "front", **more) -> dict:
    """A record as the plugin writes it."""
    facts = {"runtime": "containerd", "runtimeHandler": "", "podLabels": {}, "podAnnotations": {"team": "infra"},
             "containerLabels": {}, "containerAnnotations": {}, "args": ["nginx"], "mounts": []}
    facts.update(more.pop("facts", {}))
    return {"kind": "decision", "time": time, "by": "1a2b3c4d", "id": ID.format(number), "namespace": "web",
            "pod": "shop", "container": container, "podUid": "u-1", "image": "nginx:1.27", "outcome": "injected",
            "hooks": 1, "adjusted": 0,
            "sets": [{"name": "tap", "hash": "0123456789abcdef", "verdict": "injected", "match": "true"}],
            "facts": {key: value for key, value in facts.items() if value is not None}, **more}


def with_rules(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    node.rule("tap", TAP)
    (node.home / "run").mkdir(mode=0o755)
    return node


@pytest.fixture
def live(node: Node) -> Node:
    return with_rules(node)


def write(node: Node, *records: dict, name: str = "decisions") -> None:
    path = node.home / "run" / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    path.chmod(0o600)


def explain(node: Node, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([node.program, "explain", "--hooks-dir", node.rules, "--node-name", "node-1", "--run-dir",
                           node.home / "run", *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=60, stdin=subprocess.DEVNULL)


def test_text(live: Node):
    write(live, decision(1, dropped=[{"field": "podLabels", "bytes": 90000}], facts={"podLabels": None}))
    done = explain(live, "--live", "web/shop/front")
    assert (done.returncode, done.stderr) == (0, "")
    assert live.normal(done.stdout) == """\
Recorded at 2025-10-09T08:53:20Z, id 5f0e33ab00000: injected, 1 hook

injected   tap@HASH  (its text has changed since)
too large  podLabels, 90000 bytes: not recorded

Today's rules, with what was recorded:
Container web/shop/front, image nginx:1.27: gets 1 hook: 1 of 1 set

injected   tap  /etc/grapnel/hooks.d/tap.yaml:1
           namespace is "web"; seen: "web"  (/etc/grapnel/hooks.d/tap.yaml:4:11)
           podAnnotations["team"] is "infra"; seen: "infra"  (/etc/grapnel/hooks.d/tap.yaml:4:44)

poststop
  1. /opt/hooks/first  (tap)
"""


def test_today(live: Node):
    """A rule that has changed since: the first condition that fails, with its place."""
    write(live, decision(1))
    live.rule("tap", TAP.replace("infra", "other"))
    done = explain(live, "--live", ID.format(1)[:12])
    assert done.returncode == 0
    assert 'podAnnotations["team"] is "other"; seen: "infra"  (' in done.stdout
    (live.rules / "tap.yaml").unlink()
    assert "tap@0123456789abcdef  (no longer there)" in explain(live, "--live", "web/shop").stdout


def test_env_is_not_recorded(live: Node):
    write(live, decision(1))
    live.rule("secret", SECRET)
    done = explain(live, "--live", "web/shop/front", "secret")
    assert "seen: unknown: env was not recorded" in done.stdout, done.stdout + done.stderr


def test_several_incarnations(live: Node):
    write(live, decision(1, 1760000000), decision(2, 1760000060, outcome="refused", refused=True, refusal="because"),
          decision(3, 1760000030, container="side"), name="decisions.old")
    write(live, decision(4, 1760000120))
    done = explain(live, "--live", "web/shop")
    assert re.findall(r"^Recorded at (\S+), id .*: (\w+)", done.stdout, re.M) == [
        ("2025-10-09T08:55:20Z", "injected"), ("2025-10-09T08:53:50Z", "injected")]
    assert re.findall(r"^earlier +(\S+) +\S+ +(\w+)$", done.stdout, re.M) == [
        ("2025-10-09T08:54:20Z", "refused"), ("2025-10-09T08:53:20Z", "injected")]
    second = explain(live, "--live", ID.format(2))
    assert second.returncode == 0
    assert ": refused, 1 hook\n  because\n" in second.stdout


def test_documents(live: Node):
    objection = {"kind": "request", "set": "x", "verdict": "refused", "reason": "no"}
    write(live, decision(1), decision(2, 1760000060, objections=[objection], setsLeftOut=3,
                                      dropped=[{"field": "args", "bytes": 7}], facts={"args": None}))
    (one,) = json.loads(explain(live, "--live", "web/shop/front", "-o", "json").stdout)["containers"]
    recorded = one["recorded"]
    assert one["container"] == "front"
    assert one["sets"][0]["verdict"] == "injected"
    assert recorded == {
        "time": "2025-10-09T08:54:20Z", "id": ID.format(2), "podUid": "u-1", "outcome": "injected", "refused": False,
        "hooks": 1, "adjusted": 0, "setsLeftOut": 3, "objections": [objection],
        "sets": [{"name": "tap", "hash": "0123456789abcdef", "verdict": "injected", "match": "true",
                  "since": "changed"}],
        "dropped": [{"field": "args", "bytes": 7}],
        "earlier": [{"time": "2025-10-09T08:53:20Z", "id": ID.format(1), "outcome": "injected"}]}
    assert yaml.safe_load(explain(live, "--live", "web/shop", "-o", "yaml").stdout)["containers"] == [one]


def test_not_found(live: Node):
    write(live, decision(1), {**decision(2), "pod": "shop-7d9f", "container": "side"})
    done = explain(live, "--live", "web/shp/front")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r'grapnel explain: no decision is recorded about "web/shp/front"; near it: web/shop/front; '
                        r"the journal begins at 2025-10-09T08:53:20Z, \d+ d \d+ h ago\n", done.stderr), done.stderr
    assert "near it: web/shop-7d9f/side" in explain(live, "--live", "web/shop-").stderr
    assert "near it: web/shop/front" in explain(live, "--live", "shop").stderr
    assert "near it" not in explain(live, "--live", "ffffffff").stderr
    write(live)
    assert explain(live, "--live", "web/shop").stderr.endswith("; nothing is recorded yet\n")


def test_several_ids(live: Node):
    write(live, decision(1), decision(2))
    done = explain(live, "--live", "5f0e")
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected the beginning of one id, found \"5f0e\" of 2:\n" in done.stderr
    assert f"  {ID.format(2)}  2025-10-09T08:53:20Z  web/shop/front\n" in done.stderr


def test_not_there(live: Node):
    done = explain(live, "--live", "web/shop")
    assert (done.returncode, done.stdout) == (4, "")
    assert f"the journal {live.home}/run/decisions cannot be read: No such file" in done.stderr
    assert "--run-dir" in done.stderr


def test_not_ours(live: Node):
    write(live, decision(1))
    (live.home / "run" / "decisions").chmod(0o622)
    done = explain(live, "--live", "web/shop")
    assert (done.returncode, done.stdout) == (4, "")
    assert "it is no file that only root may change" in done.stderr


def test_not_permitted(open_node: Node):
    live = with_rules(open_node)
    write(live, decision(1))
    done = subprocess.run([live.program, "explain", "--live", "web/shop", "--run-dir", live.home / "run"],
                          capture_output=True, text=True, check=False, timeout=60, user=65534, group=65534,
                          extra_groups=[])
    assert done.returncode == 4
    assert "only root may read it" in done.stderr


def test_none(live: Node):
    (live.home / "config.yaml").write_text("apiVersion: grapnel/v1beta1\nkind: Config\nspec: {runDir: none}\n")
    done = subprocess.run([live.program, "explain", "--config", live.home / "config.yaml", "--live", "web/shop"],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 4
    assert "runDir: none" in done.stderr


@pytest.mark.parametrize("arguments", [["--live", "abc"], ["--live", "web/"], ["--live", "/shop"],
                                       ["--live", "web/shop/"], ["--live", "a/b/c/d"],
                                       ["--live", "web/shop", "--image", "nginx"],
                                       ["--live", "web/shop", "--from", "/dev/null"], []])
def test_usage(live: Node, arguments: list[str]):
    write(live, decision(1))
    done = explain(live, *arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_damaged_and_strange_lines(live: Node):
    """They are passed over; nothing of them reaches the terminal as a command."""
    write(live, {**decision(1), "outcome": "\x1b[2Jclear", "sets": [
        {"name": "\x1b]0;x\x07", "hash": "\n", "verdict": "\x1b[1m", "reason": "\x1b[31m" + "r" * 2000}]})
    with (live.home / "run" / "decisions").open("a") as file:
        file.write('{"kind":"decision","id":"torn')
    done = explain(live, "--live", "web/shop/front")
    assert done.returncode == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)


# ---- all containers of the node (tests/peer/test_live.py has what a plugin writes) ----

@pytest.fixture
def recorded(live: Node) -> Node:
    live.rule("secret", SECRET)
    write(live, decision(1), decision(2, container="side"))
    return live


def test_diff(recorded: Node, tmp_path: Path):
    def diff(*more: object) -> subprocess.CompletedProcess:
        return subprocess.run([recorded.program, "diff", "--node-name", "node-1", recorded.rules, tmp_path / "new",
                               "--run-dir", recorded.home / "run", *map(str, more)], capture_output=True, text=True,
                              check=False, timeout=60)

    (tmp_path / "new").mkdir()
    done = diff("--live")
    assert done.returncode == 1
    assert done.stderr == "2 of 2 containers would change\n"
    assert re.findall(r"^(\S+)\n  loses tap", done.stdout, re.M), done.stdout
    (tmp_path / "new" / "tap.yaml").write_text((recorded.rules / "tap.yaml").read_text())
    assert diff("--live").returncode == 0
    assert diff("--live", "--image", "nginx").returncode == 2
    assert diff("--namespace", "web").returncode == 2  # --run-dir alone
    path = recorded.home / "run" / "decisions"
    nothing = {"kind": "listed", "time": 1, "by": "1", "part": 1, "of": 1, "complete": True, "sessionEnded": 0,
               "sessionBy": "0", "ids": []}
    path.write_text(path.read_text() + json.dumps(nothing) + "\n")
    assert diff("--live").stderr == "0 of 0 containers would change\n"
    path.unlink()
    assert diff("--live").returncode == 2
