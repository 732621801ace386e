# SPDX-License-Identifier: Apache-2.0
"""NOTES.txt: what to check next, for the values at hand."""
from __future__ import annotations

import re
import subprocess

import yaml

import chart


def notes(values: dict) -> str:
    done = subprocess.run([chart.helm(), "install", "g", chart.CHART, "--namespace=hooks", "--dry-run=client", "--values", "-"],
                          input=yaml.safe_dump(values), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("NOTES:\n", 1)[1]


def test_what_to_check_next():
    text = notes({})
    for command in ("rollout status daemonset/g-grapnel", "exec daemonset/g-grapnel -- /usr/bin/grapnel status", "helm test g -n hooks",
                    "With hostRootMount `grapnel doctor`", "kubectl label namespace hooks pod-security.kubernetes.io/enforce=privileged"):
        assert command in text
    assert "systemctl disable --now grapnel" in text and "grapnel setup autostart --undo" in text
    assert "There are no rules yet" in text and "hostRootMount is off" in text and "pin it: image.digest" in text
    assert "is root on the nodes" in text and "preflight is off" not in text and "registerWithTaints" not in text


def test_who_is_root_is_said():
    """Where somebody reads who sets values, and once they are set."""
    for text in (notes({}), *((chart.CHART / name).read_text() for name in ("values.yaml", "README.md"))):
        said = " ".join(text.replace("#", " ").lower().split())
        assert re.search(r"whoever may write the configmaps .{0,80}root on the nodes", said)


def test_what_does_not_concern_is_left_out():
    text = notes({"rules": {"existingConfigMaps": ["a"]}, "hostRootMount": True, "image": {"digest": "sha256:" + "0" * 64},
                  "namespace": {"create": True}, "preflight": {"enabled": False}, "startupTaint": {"enabled": True, "key": "a/b"},
                  "metrics": {"enabled": True}, "enableNri": {"enabled": True}})
    assert not [line for line in ("There are no rules", "hostRootMount is off", "image.digest", "kubectl label") if line in text]
    assert "exec daemonset/g-grapnel -- /usr/bin/grapnel doctor" in text and "With hostRootMount" not in text
    assert "-c enable-nri --prefix" in text and "from containerd's next start" in text
    assert "enable-nri" not in notes({}) and "next start" not in notes({"enableNri": {"enabled": True, "restart": True}})
    assert "preflight is off" in text and "registerWithTaints: [{key: a/b" in text and "open to every pod" in text


def test_any_rules_are_rules():
    for rules in ({"files": {"a.yaml": "#"}}, {"hostDirs": ["/etc/a"]}, {"existingConfigMaps": ["a"]}):
        assert "There are no rules" not in notes({"rules": rules})


def test_a_port_that_is_guarded():
    guarded = {"metrics": {"enabled": True}, "networkPolicy": {"enabled": True}}
    assert "open to every pod" not in notes(guarded) and "open to every pod" not in notes({"networkPolicy": {"enabled": True}})


def test_nobody_waits_for_a_rollout_that_there_is_not():
    text = notes({"updateStrategy": {"type": "OnDelete"}})
    assert "rollout status" not in text and "get daemonset/g-grapnel" in text


def test_commands_name_what_there_is():
    """Each thing that a command names is an object of the chart."""
    rendered = chart.Rendered()
    assert rendered.names("DaemonSet")[0] == "g-grapnel" and "daemonset/g-grapnel " in notes({})
    labels = rendered.template["metadata"]["labels"]
    assert f"app.kubernetes.io/instance={labels['app.kubernetes.io/instance']}," in notes({})
