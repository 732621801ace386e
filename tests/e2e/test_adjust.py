# SPDX-License-Identifier: Apache-2.0
"""What a set changes beside hooks is there inside the container, every kind of it, once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from harness.cri import Running
from harness.lab import Lab, Rules, marks

CDI_DEVICE = "e2e.example.com/device=one"
CDI = {
    "cdiVersion": "0.6.0",
    "kind": "e2e.example.com/device",
    "devices": [{"name": "one", "containerEdits": {
        "env": ["E2E_CDI=one"],
        "deviceNodes": [{"path": "/dev/e2e-cdi", "hostPath": "/dev/null"}],
    }}],
}  # fmt: skip

SET = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: adjust}}
spec:
  match: {{always: true}}
  hooks:
    createRuntime: [{hook}]
  adjust:
    env: {{E2E_MODE: adjusted, E2E_EMPTY: ""}}
    annotations: {{e2e.example.com/added: value}}
    mounts:
      - {{destination: /adjusted, source: {source}, options: [rbind, ro]}}
      - {{destination: /scratch, type: tmpfs, source: tmpfs, options: [nosuid, size=1m]}}
    devices:
      - {{path: /dev/e2e-full, type: c, major: 1, minor: 7, fileMode: "0640", uid: 1, gid: 2}}
    rlimits: [{{type: RLIMIT_NOFILE, soft: 100, hard: 200}}]
"""
RESOURCES_V1 = """\
    resources:
      memory: {limit: 67108864}
      cpu: {shares: 512, quota: 50000, period: 100000}
"""
PIDS = "      pids: {limit: 77}\n"
# The one controller that is left to cgroup v2 on machines that give the rest to v1.
RESOURCES_V2 = """\
    resources:
      unified: {hugetlb.2MB.max: "4194304"}
"""


def knows_new(lab: Lab) -> bool:
    """NRI has pids and CDI devices since 0.7."""
    return lab.kind.version != "1.7.25"


def gives_cdi(lab: Lab) -> bool:
    """containerd 1.7.27 and CRI-O 1.34 take the message and do nothing about it."""
    return lab.kind.version.startswith("2.")


def adjusting(lab: Lab) -> Rules:
    source = lab.folder("source", {"file": "from the host\n"})
    text = SET.format(hook=lab.hook("adjust"), source=source)
    if lab.kind.pure_v2:
        text += RESOURCES_V2
    else:
        text += RESOURCES_V1 + (PIDS if knows_new(lab) else "")
    if knows_new(lab):
        (lab.runtime.cdi_dir / "e2e.json").write_text(json.dumps(CDI))
        text += f"    cdiDevices: [{CDI_DEVICE}]\n"
    return Rules(lab.folder("adjust", {"adjust.yaml": text}))


def check_environment(lab: Lab, running: Running) -> None:
    entries = running.inside("cat", "/proc/1/environ").strip("\0").split("\0")
    env = dict(entry.split("=", 1) for entry in entries)
    assert len(env) == len(entries), entries
    assert (env["E2E_MODE"], env["E2E_EMPTY"]) == ("adjusted", ""), env
    assert env.get("E2E_CDI") == ("one" if gives_cdi(lab) else None), env


def check_mounts(running: Running) -> None:
    lines = [line.split() for line in running.inside("cat", "/proc/1/mountinfo").splitlines()]
    by_place = {line[4]: line for line in lines}
    # What is mounted twice on one place would show twice.
    count = Counter(line[4] for line in lines)
    assert (count["/adjusted"], count["/scratch"]) == (1, 1), lines
    assert "ro" in by_place["/adjusted"][5].split(",")
    scratch = by_place["/scratch"]
    assert "nosuid" in scratch[5].split(",") and "size=1024k" in scratch[-1].split(","), scratch
    assert running.inside("cat", "/adjusted/file") == "from the host"


def check_devices(lab: Lab, running: Running) -> None:
    stat = ("stat", "-c", "%F %t:%T %a %u:%g")
    found = running.inside(*stat, "/dev/e2e-full")
    assert found == "character special file 1:7 640 1:2", found
    if gives_cdi(lab):
        assert running.inside(*stat, "/dev/e2e-cdi").startswith("character special file 1:3 ")


def check_limits(running: Running) -> None:
    lines = running.inside("cat", "/proc/1/limits").splitlines()
    (files,) = [line.split() for line in lines if line.startswith("Max open files")]
    assert files[3:5] == ["100", "200"], files


def cgroup_file(lab: Lab, pid: int, controller: str, name: str) -> str:
    """A file of the container's cgroup, as the runtime's own mount namespace shows it."""
    lines = lab.host.run(["cat", f"/proc/{pid}/cgroup"]).splitlines()
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controller in controllers.split(","):
            top = Path("/sys/fs/cgroup") / controller
            return lab.host.run(["cat", str(top / path.lstrip("/") / name)]).strip()
    raise AssertionError(f"no {controller} in {lines}")


def check_resources(lab: Lab, running: Running) -> None:
    pid = int(running.info()["pid"])
    if lab.kind.pure_v2:
        assert cgroup_file(lab, pid, "", "hugetlb.2MB.max") == "4194304"
        return
    assert cgroup_file(lab, pid, "memory", "memory.limit_in_bytes") == "67108864"
    assert cgroup_file(lab, pid, "cpu", "cpu.shares") == "512"
    assert cgroup_file(lab, pid, "cpu", "cpu.cfs_quota_us") == "50000"
    assert cgroup_file(lab, pid, "cpu", "cpu.cfs_period_us") == "100000"
    if knows_new(lab):
        assert cgroup_file(lab, pid, "pids", "pids.max") == "77"


def once(items: list[dict[str, Any]], key: str, value: str) -> bool:
    return [item[key] for item in items].count(value) == 1


def check_spec(spec: dict[str, Any]) -> None:
    assert marks(spec) == [("createRuntime", "adjust")], spec.get("hooks")
    assert spec["annotations"]["e2e.example.com/added"] == "value", spec["annotations"]
    assert spec["process"]["env"].count("E2E_MODE=adjusted") == 1
    assert once(spec["mounts"], "destination", "/adjusted")
    assert once(spec["mounts"], "destination", "/scratch")
    assert once(spec["linux"]["devices"], "path", "/dev/e2e-full")
    assert once(spec["process"]["rlimits"], "type", "RLIMIT_NOFILE")


def check_all(lab: Lab, running: Running) -> None:
    check_spec(running.spec())
    check_environment(lab, running)
    check_mounts(running)
    check_devices(lab, running)
    check_limits(running)
    check_resources(lab, running)
    ran = [record.tag for record in lab.log.wait_for(running.container_id, ["adjust"])]
    assert ran == ["adjust"]


@pytest.mark.check("adjust, every kind")
def test_every_kind_is_inside(lab: Lab) -> None:
    with lab.plugin(adjusting(lab)) as judge, lab.container() as running:
        assert judge.verdicts(running.container_id) == {"adjust": "injected"}
        check_all(lab, running)


@pytest.mark.check("adjust, two instances")
def test_two_instances_adjust_once(lab: Lab) -> None:
    """During an upgrade both are connected; NRI refuses a container that both change."""
    rules = adjusting(lab)
    with lab.plugin(rules, "10") as first, lab.plugin(rules, "20"), lab.container() as running:
        check_all(lab, running)
        # Both write to one log, each after its answer.
        verdicts = first.all_verdicts(running.container_id, 2)
        assert sorted(verdicts) == [("adjust", "already"), ("adjust", "injected")]
