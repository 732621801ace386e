# SPDX-License-Identifier: Apache-2.0
"""`grapnel render --spec` on the config.json of a running container: runc and crun take what it
prints, and a container made of it has it all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness.cri import PodSpec, Running
from harness.lab import Lab, Rules, marks, run

SET = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: merged}}
spec:
  match: {{namespace: default, podName: {{prefix: merged-}}}}
  hooks:
    createRuntime: [{hook}]
  adjust:
    env: {{E2E_MODE: merged}}
    annotations: {{e2e.example.com/added: value}}
    mounts: [{{destination: /scratch, type: tmpfs, source: tmpfs, options: [size=1m]}}]
    devices: [{{path: /dev/e2e-full, type: c, major: 1, minor: 7, fileMode: "0640"}}]
    rlimits: [{{type: RLIMIT_NOFILE, soft: 100, hard: 200}}]
    resources: {resources}
"""

# One answer of each kind, from inside.
QUESTIONS = """\
echo "mode $E2E_MODE"
echo "device $(stat -c '%F %t:%T %a' /dev/e2e-full)"
echo "files $(ulimit -Sn) $(ulimit -Hn)"
grep -c ' /scratch ' /proc/self/mountinfo
"""
ANSWERS = ["mode merged", "device character special file 1:7 640", "files 100 200", "1"]


def own(lab: Lab, spec: dict[str, Any], rootfs: Path) -> dict[str, Any]:
    """The container's spec for a second container beside it: what has to be its own is its own."""
    spec["root"]["path"] = str(rootfs)
    spec["process"] |= {"terminal": False, "args": ["/bin/busybox", "sh", "-c", QUESTIONS]}
    spec["linux"]["cgroupsPath"] = f"{lab.host.cgroup_parent}/merged"
    return spec


def start(lab: Lab, folder: Path, name: str) -> str:
    """The output of a container that the low-level runtime makes of a bundle."""
    program = [str(lab.kind.low_level.binary), "--root", str(folder / "state")]
    if lab.kind.low_level.name == "crun":
        program.append("--cgroup-manager=cgroupfs")
    return lab.host.run([*program, "run", "--bundle", str(folder), name])


def merge(lab: Lab, running: Running, rules: Rules) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the bundle says, and what render makes of it."""
    config = lab.runtime.bundle(running.container_id) / "config.json"
    merged = run("render", "--spec", str(config), *rules.all, "--from", "-",
                 piped=lab.documents(running).piped)  # fmt: skip
    return json.loads(config.read_text()), json.loads(merged)


def without_ours(merged: dict[str, Any]) -> dict[str, Any]:
    """What must be as it was, in a form that can be compared."""
    spec = json.loads(json.dumps(merged))
    spec.pop("hooks", None)
    spec["annotations"].pop("e2e.example.com/added", None)
    spec["mounts"] = [each for each in spec["mounts"] if each["destination"] != "/scratch"]
    spec["process"]["env"] = [e for e in spec["process"]["env"] if not e.startswith("E2E_")]
    spec["process"].pop("rlimits", None)
    spec["linux"].pop("resources", None)
    spec["linux"].pop("devices", None)
    return spec


@pytest.mark.check("merged bundle runs")
def test_a_merged_bundle_runs(lab: Lab) -> None:
    resources = "{unified: {hugetlb.2MB.max: \"4194304\"}}" if lab.kind.pure_v2 else (
        "{memory: {limit: 67108864}, pids: {limit: 77}}")  # fmt: skip
    text = SET.format(hook=lab.hook("merged"), resources=resources)
    rules = Rules(lab.folder("merged", {"merged.yaml": text}))
    name = f"{lab.host.path.name}-merged"
    with lab.container(PodSpec("merged")) as running:
        before, merged = merge(lab, running, rules)
        assert marks(merged) == [("createRuntime", "merged")], merged.get("hooks")
        assert without_ours(merged) == without_ours(before)
        rootfs = lab.runtime.bundle(running.container_id) / before["root"]["path"]
        bundle = lab.folder("bundle", {"config.json": json.dumps(own(lab, merged, rootfs))})
        assert start(lab, bundle, name).splitlines() == ANSWERS
    assert [record.tag for record in lab.log.of(name)] == ["merged"]
