# SPDX-License-Identifier: Apache-2.0
"""Guard rails as the verbs show them: --policy, policies in Configure, --oci-hooks-dir."""
from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from conftest import Node

HEAD = "apiVersion: grapnel/v1beta1\n"
RULE = HEAD + """kind: HookSet
metadata: {name: good}
spec:
  match: {namespace: web}
  hooks:
    createRuntime: [{path: /opt/hooks/first, timeout: 5}]
    poststop: [{path: /opt/hooks/first}]
"""
POD = """apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: web}
spec: {containers: [{name: c, image: nginx}]}
"""
OCI = """{"version": "1.0.0", "hook": {"path": "%s", "timeout": 5}, "when": {"always": true},
 "stages": ["poststop"]}
"""


def run(node: Node, *args: object) -> subprocess.CompletedProcess:
    return subprocess.run([node.program, *map(str, args)], capture_output=True, text=True,
                          check=False, timeout=60, stdin=subprocess.DEVNULL)


@pytest.fixture
def good(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    node.rule("good", RULE)
    return node


def policy(node: Node, spec: str, name: str = "policy.yaml") -> Path:
    path = node.home / name
    path.write_text(f"{HEAD}kind: Policy\nspec: {spec}\n")
    return path


def test_check_allows(good: Node):
    path = policy(good, f"{{programs: {{directories: [{good.hooks}]}}, timeout: {{max: 5}}}}")
    done = run(good, "check", "--strict", "--policy", path, good.rules)
    assert (done.returncode, done.stdout) == (0, "")


def test_check_shows_violations(good: Node):
    path = policy(good, "\n  programs: {directories: [/srv/none]}\n  stages: [createRuntime]\n"
                        "  timeout: {max: 4}")
    done = run(good, "check", "--policy", path, good.rules)
    assert done.returncode == 1
    texts = done.stdout.splitlines()
    assert len(texts) == 4
    assert all(re.match(rf"{good.rules}/good\.yaml:[67]:\d+: error: policy {path}:\d: ?", text)
               or f"policy {path}:" in text for text in texts)
    assert f"{path}:5 allows no hooks of the stage poststop" in done.stdout
    assert f"{path}:6 allows timeouts from 1 to 4 seconds, found 5" in done.stdout
    assert f"{path}:4 allows programs in /srv/none only" in done.stdout
    # A rule repository's CI has no host to look at; the rest holds there too.
    done = run(good, "check", "--no-host", "--policy", path, good.rules)
    assert len(done.stdout.splitlines()) == 2


def test_check_shows_what_is_wrong_with_the_policy(good: Node):
    path = policy(good, "{stage: [poststop]}")
    done = run(good, "check", "--policy", path, good.rules)
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert first == f'{path}:3:8: error: unknown key "stage" in spec; did you mean "stages"?'
    assert second.startswith(f"{path}: error: every set is blocked until the policy in ")


def test_a_named_policy_must_be_there(good: Node):
    done = run(good, "check", "--policy", good.home / "none.yaml", good.rules)
    assert done.returncode == 1
    assert "expected the policy that --policy names, found nothing there" in done.stdout


def test_render_refuses_blocked_sets(good: Node):
    path = policy(good, "{stages: [createRuntime]}")
    arguments = ["render", "--hooks-dir", good.rules, "--image", "nginx", "--namespace", "web"]
    assert run(good, *arguments, "--policy", policy(good, "{}", "other.yaml")).returncode == 0
    done = run(good, *arguments, "--policy", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"policy {path}:3 allows no hooks of the stage poststop" in done.stderr


def test_simulate_hands_it_over_in_configure(good: Node):
    pod = good.home / "pod.yaml"
    pod.write_text(POD)
    out = good.json("--policy", policy(good, "{timeout: {default: 7}}"), pod)
    hooks = out["containers"][0]["hooks"]
    assert hooks["createRuntime"][0]["timeout"] == 5
    assert hooks["poststop"][0]["timeout"] == 7
    done = good.run("--policy", policy(good, "{stages: [createRuntime]}"), pod)
    assert done.returncode == 1
    assert "policy NRI Configure:" in done.stdout + done.stderr
    done = good.run("--policy", policy(good, "{stage: [createRuntime]}"), pod)
    assert done.returncode == 1
    assert "NRI Configure" in done.stdout + done.stderr


def test_oci_hooks_directories(good: Node):
    folder = good.home / "oci"
    folder.mkdir()
    (folder / "old.json").write_text(OCI % (good.hooks / "first"))
    done = run(good, "check", "--strict", "--hooks-dir", good.rules, "--oci-hooks-dir", folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "2 sets in 2 files: 0 errors, 0 warnings\n"
    # What the settings name is left out where a path says what is meant.
    config = good.home / "config.yaml"
    config.write_text(f"{HEAD}kind: Config\nspec: {{ociHooksDirs: [{folder}]}}\n")
    done = run(good, "check", "--config", config, good.rules)
    assert done.stderr == "1 set in 1 file: 0 errors, 0 warnings\n"
    done = run(good, "check", "--config", config, "--hooks-dir", good.rules)
    assert done.stderr == "2 sets in 2 files: 0 errors, 0 warnings\n"
    done = run(good, "check", "--hooks-dir", good.rules, "--oci-hooks-dir", good.home / "none")
    assert (done.returncode, "it counts as empty" in done.stdout) == (0, True)


@pytest.mark.parametrize("option", ["--policy", "--oci-hooks-dir"])
@pytest.mark.parametrize("verb", ["check", "plugin", "render", "simulate"])
def test_every_verb_has_the_options(node: Node, verb: str, option: str):
    assert f"  {option} " in run(node, verb, "--help").stdout


def test_a_policy_in_the_wrong_file(good: Node):
    path = policy(good, "{}")
    done = run(good, "check", "--config", path, "--hooks-dir", good.rules)
    assert done.returncode == 1
    assert "guard rails belong into /etc/grapnel/policy.yaml" in done.stdout
    config = good.home / "config.yaml"
    config.write_text(HEAD + "kind: Config\nspec: {}\n")
    done = run(good, "check", "--policy", config, "--hooks-dir", good.rules)
    assert done.returncode == 1
    assert "settings belong into /etc/grapnel/config.yaml" in done.stdout
