# SPDX-License-Identifier: Apache-2.0
"""What people and scripts see of list."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from conftest import Node

HEAD = "apiVersion: grapnel/v1beta1\nkind: HookSet\n"


def rule(name: str, more: str = "", path: str = "/opt/hooks/first") -> str:
    return HEAD + f"metadata: {{name: {name}}}\nspec:\n{more}  match: {{always: true}}\n" \
        f"  hooks:\n    createRuntime: [{{path: {path}}}]\n    poststop: [{{path: {path}}}]\n"


def run(node: Node, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([node.program, "list", "--node-name", "node-1", *map(str, arguments)],
                          capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def both(node: Node) -> tuple[Node, Path]:
    """Two directories: the second one masks."""
    node.hook("first", "#!/bin/sh\n")
    node.rule("10-late", rule("late", "  order: 70\n"))
    node.rule("20-early", rule("early", "  order: 20\n  mode: Observe\n"))
    node.rule("30-gpu", rule("gpu", "  nodes: {names: {glob: \"gpu-*\"}}\n"))
    node.rule("40-broken", rule("broken", path="/opt/hooks/missing"))
    above = node.home / "above"
    above.mkdir()
    (above / "10-late.yaml").write_text((node.rules / "10-late.yaml").read_text())
    (above / "50-off.yaml").write_text("")
    (above / "60-bad.yaml").write_text(HEAD + "spec: {mach: {always: true}}\n")
    return node, above


def test_text(both: tuple[Node, Path]):
    node, above = both
    done = run(node, node.rules, above)
    assert done.returncode == 1
    text = node.normal(done.stdout).replace(str(above), "/above")
    sets, files = text.split("\nFiles, lowest precedence first\n")
    assert sets.splitlines()[:7] == [
        "ORDER  SET     STATE       FORMAT     STAGES",
        "   20  early   observe     HookSet    createRuntime, poststop",
        "       /etc/grapnel/hooks.d/20-early.yaml:1",
        "   50  gpu     other node  HookSet    createRuntime, poststop",
        "       /etc/grapnel/hooks.d/30-gpu.yaml:1",
        "   50  broken  BLOCKED     HookSet    createRuntime, poststop",
        "       /etc/grapnel/hooks.d/40-broken.yaml:1"]
    assert sets.splitlines()[7].startswith("       blocked: ")
    assert sets.splitlines()[8] == "   70  late    in force    HookSet    createRuntime, poststop"
    assert "  /etc/grapnel/hooks.d/10-late.yaml: masked by /above/10-late.yaml\n" in files
    assert "  /above/50-off.yaml: disabled: empty, or a link to /dev/null\n" in files
    assert "  /above/60-bad.yaml: REJECTED, not in force\n" in files
    assert '    /above/60-bad.yaml:3:8: error: unknown key "mach" in spec' in files


def test_json(both: tuple[Node, Path]):
    node, above = both
    done = run(node, "-o", "json", node.rules, above)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [(item["name"], item["state"]) for item in found["sets"]] == [
        ("early", "observe"), ("gpu", "otherNode"), ("broken", "blocked"), ("late", "inForce")]
    early = found["sets"][0]
    assert early == {"name": "early", "file": f"{node.rules}/20-early.yaml", "line": 1, "order": 20,
                     "mode": "Observe", "state": "observe", "format": "HookSet",
                     "stages": {"createRuntime": 1, "poststop": 1}}
    assert "missing" in found["sets"][2]["blocked"]
    files = {item["path"]: item for item in found["files"]}
    assert files[f"{node.rules}/10-late.yaml"] == {
        "path": f"{node.rules}/10-late.yaml", "state": "masked", "format": "HookSet",
        "sets": 0, "maskedBy": f"{above}/10-late.yaml"}
    assert files[f"{above}/50-off.yaml"]["state"] == "disabled"
    bad = files[f"{above}/60-bad.yaml"]
    assert bad["state"] == "rejected"
    assert bad["findings"][0]["code"] == "unknown-key"


def test_yaml_is_json(both: tuple[Node, Path]):
    yaml = pytest.importorskip("yaml")
    node, above = both
    as_json, as_yaml = (run(node, "-o", form, node.rules, above) for form in ("json", "yaml"))
    assert as_json.returncode == as_yaml.returncode == 1
    assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)


def test_fine(node: Node):
    node.hook("first", "#!/bin/sh\n")
    node.rule("10-one", rule("one"))
    done = run(node, node.rules)
    assert (done.returncode, done.stderr) == (0, "")
    assert "in force" in done.stdout


def test_without_host(both: tuple[Node, Path]):
    node, _ = both
    done = run(node, "--no-host", "-o", "json", node.rules)
    assert done.returncode == 0
    assert "blocked" not in [item["state"] for item in json.loads(done.stdout)["sets"]]


def test_nothing(node: Node):
    done = run(node, node.rules)
    assert (done.returncode, done.stdout) == (0, "No sets of rules.\n")


def test_missing_path(node: Node):
    done = run(node, node.home / "missing")
    assert (done.returncode, done.stdout) == (4, "")
    assert run(node, "-o", "tap").returncode == 2
