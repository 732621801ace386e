# SPDX-License-Identifier: Apache-2.0
"""One folder of oci-hooks(5) files, read in place by the plugin and by CRI-O itself: the same
container gets the same hooks in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from harness.cri import ContainerSpec, PodSpec, Running
from harness.crio import Crio
from harness.lab import Lab, Rules
from harness.runtime import IMAGE_PLAIN

# What stands in no file but is added: PATH, the container's identity, and the longest timeout.
ADDED = ("PATH=", "GRAPNEL_")
TIMEOUT_S = 120

POD = {"oci.example.com/tracing": "on", "plain": "value"}

Hooks = dict[str, list[dict[str, Any]]]


def files(lab: Lab) -> dict[str, str]:
    """Names in another order than the file system's; half of them are for other containers."""

    def hook(tag: str, stages: list[str], when: dict[str, Any], **more: Any) -> str:
        args = ["hook-record", "--log", str(lab.log.path), "--tag", tag]
        hook = {"path": str(lab.recorder), "args": args, **more}
        return json.dumps({"version": "1.0.0", "hook": hook, "when": when, "stages": stages})

    return {
        "20-Always.json": hook("always", ["createRuntime", "poststop"], {"always": True}),
        "10-annotation.json": hook("annotation", ["createRuntime"],
                                   {"annotations": {r"^oci\.example\.com/tr": "on|yes"}},
                                   env=["E2E=annotation"], timeout=7),
        "30-command.json": hook("command", ["createContainer", "createRuntime"],
                                {"commands": ["/busybox$"], "hasBindMounts": True}),
        "40-prestart.json": hook("prestart", ["prestart"], {"always": True}),
        "21-old.json": json.dumps({"version": "0.1.0", "hook": str(lab.recorder),
                                   "arguments": ["--log", str(lab.log.path), "--tag", "old"],
                                   "stages": ["createRuntime"], "annotation": ["^val"]}),
        "50-other.json": hook("other", ["createRuntime"], {"annotations": {"^plain$": "^no"}}),
        "60-veto.json": hook("veto", ["createRuntime"], {"always": True, "hasBindMounts": False}),
    }  # fmt: skip


# Stage by stage; the tag of a hook is its last argument.
EXPECTED = {
    "createRuntime": ["annotation", "always", "old", "command", "prestart"],
    "createContainer": ["command"],
    "poststop": ["always"],
}


@contextmanager
def container(lab: Lab) -> Iterator[Running]:
    spec = ContainerSpec(IMAGE_PLAIN, mounts=[(lab.shared, Path("/bound"))])
    with lab.container(PodSpec("oci", annotations=POD), spec) as running:
        yield running


def hooks_of(running: Running) -> Hooks:
    """Every stage's hooks without what Grapnel adds."""
    found = {stage: hooks for stage, hooks in (running.spec().get("hooks") or {}).items() if hooks}
    return {stage: [plain(hook) for hook in hooks] for stage, hooks in found.items()}


def plain(hook: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": hook["path"],
        "args": hook.get("args") or [],
        "env": [entry for entry in hook.get("env") or [] if not entry.startswith(ADDED)],
        "timeout": hook.get("timeout", TIMEOUT_S),
    }


def tags(hooks: Hooks) -> dict[str, list[str]]:
    return {stage: [hook["args"][-1] for hook in each] for stage, each in hooks.items()}


def by_crio(lab: Lab, folder: Path) -> Hooks:
    """What CRI-O makes of the folder without Grapnel."""
    assert isinstance(lab.runtime, Crio)
    lab.runtime.read_hooks([folder])
    try:
        with container(lab) as running:
            return hooks_of(running)
    finally:
        lab.runtime.read_hooks([])


@pytest.mark.check("oci-hooks(5) in place")
def test_read_in_place(lab: Lab) -> None:
    folder = lab.folder("oci-hooks", files(lab))
    rules = Rules(lab.folder("none", {}), ["--oci-hooks-dir", str(folder)])
    theirs = by_crio(lab, folder) if isinstance(lab.runtime, Crio) else None
    with lab.plugin(rules) as judge, container(lab) as running:
        ours = hooks_of(running)
        assert tags(ours) == EXPECTED, judge.describe()
        # A hook of createContainer may come late to the log; it must come.
        lab.log.wait_for(running.container_id, ["annotation", "always", "old", "command", "prestart"])
    lab.log.wait_for(running.container_id, ["always"])
    ran = [record.tag for record in lab.log.of(running.container_id)]
    outside = EXPECTED["createRuntime"] + EXPECTED["createContainer"] + EXPECTED["poststop"]
    assert ran == outside
    if theirs is not None:
        assert ours == theirs
