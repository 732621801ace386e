# SPDX-License-Identifier: Apache-2.0
"""Every example: which hooks its pods get, and that they run as runc runs them.

GRAPNEL_UPDATE=1 writes expected.json anew; look at the difference before it is committed.
"""
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from conftest import EXAMPLES, STAGES, Node, need_runc

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)

# What runc puts into the state, by stage.
STATUS = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
          "poststart": "created", "poststop": "stopped"}


def test_there_are_examples():
    assert len(EXAMPLES) >= 5


@each_example
def test_expected(node: Node, example: Path):
    node.install(example)
    done = node.run("-o", "json", example / "pods.yaml")
    expected = example / "expected.json"
    found = node.normal(done.stdout)
    if os.environ.get("GRAPNEL_UPDATE"):
        expected.write_text(found)
    assert json.loads(found) == json.loads(expected.read_text()), done.stderr
    refused = any(container["refused"] for container in json.loads(found)["containers"])
    assert done.returncode == int(refused)


@each_example
def test_programs_succeed(node: Node, example: Path):
    node.install(example)
    done = node.run("--run-hooks", "-o", "json", example / "pods.yaml")
    result = json.loads(done.stdout)
    assert result["ranBy"] == "grapnel"
    runs = [run for container in result["containers"] for run in container.get("runs", [])]
    assert runs
    for run in runs:
        assert run["exitCode"] == 0, run
        assert run["output"], run


def flat(container: dict) -> list[tuple[str, dict]]:
    """The hooks of a container, in the order of the stages."""
    return [(stage, hook) for stage in STAGES for hook in container["hooks"].get(stage, [])]


def facts(run: dict) -> dict:
    """What PROBE printed."""
    found = json.loads("".join(run["output"]))
    found["state"] = json.loads(found["state"])
    return found


def check_run(container: dict, stage: str, hook: dict, run: dict, real: bool):
    found = facts(run)
    state = found["state"]
    assert (run["stage"], run["path"]) == (stage, hook["path"])
    assert found["env"] == hook["env"]
    assert found["args"] == hook.get("args", [""])[1:]
    assert found["cwd"] == state["bundle"] + ("/rootfs" if stage == "createContainer" else "")
    assert list(state) == [key for key in ("ociVersion", "id", "status", "pid", "bundle",
                                           "annotations") if key in state]
    assert state["id"] == container["id"]
    assert state["status"] == STATUS[stage]
    assert state["annotations"]["io.kubernetes.cri.image-name"] == container["image"]
    assert state["annotations"]["io.kubernetes.cri.sandbox-name"] == container["pod"]
    if stage == "poststop":
        assert "pid" not in state
    elif stage == "createContainer" and real:
        assert state["pid"] == 1  # inside the container
    else:
        assert state["pid"] > 1


def check_all(result: dict, real: bool):
    ran = 0
    for container in result["containers"]:
        if container["refused"]:
            assert "runs" not in container
            continue
        hooks = flat(container)
        assert len(container["runs"]) == len(hooks)
        for (stage, hook), run in zip(hooks, container["runs"]):
            check_run(container, stage, hook, run, real)
            ran += 1
    assert ran > 0


@each_example
def test_embedded(node: Node, example: Path):
    node.install(example, probe=True)
    done = node.run("--run-hooks", "-o", "json", example / "pods.yaml")
    check_all(json.loads(done.stdout), real=False)


@each_example
def test_runc(node: Node, example: Path):
    runc = need_runc()
    node.install(example, probe=True)
    done = node.run("--runtime", runc, "-o", "json", example / "pods.yaml")
    result = json.loads(done.stdout)
    if "noContainerBecause" in result and os.environ.get("CI") != "true":
        pytest.skip(result["noContainerBecause"])
    assert result["ranBy"].startswith("runc version"), result
    check_all(result, real=True)
