# SPDX-License-Identifier: Apache-2.0
"""A container that matches gets all its hooks, and every one of them runs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from harness.node import Node
from harness.records import Record
from harness.rules import STAGES, WANTED, tag
from harness.runtime import IMAGE_HOOKED, IMAGE_PLAIN, RUNC

# The state's status as the low-level runtimes give it. startContainer runs in the container.
STATUS = {
    "runc": {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
             "startContainer": "created", "poststop": "stopped"},
    "crun": {"prestart": "created", "createRuntime": "created", "createContainer": "created",
             "poststart": "running", "poststop": "stopped"},
}  # fmt: skip


def run_through(node: Node, name: str, image: str, annotations: dict[str, str]) -> None:
    """Takes a container that the set `name` matches through its life; checks every record."""
    before = time.time_ns()
    with node.container(image, annotations) as running:
        bundle = str(node.runtime.bundle(running.container_id))
        rootfs = rootfs_of(bundle)
        node.log.wait_for(running.container_id, [tag(name, stage) for stage in STAGES[:-1]])
    records = node.log.wait_for(running.container_id, [tag(name, stage) for stage in STAGES])
    after = time.time_ns()

    by_tag = {record.tag: record for record in records}
    assert (
        len(records) == len(by_tag) == len(STAGES)
    ), f"{[r.tag for r in records]}\n{node.describe()}"
    for stage in STAGES:
        record = by_tag[tag(name, stage)]
        check_record(node, stage, record, bundle, rootfs, name)
        assert before <= record.time_ns <= after, (stage, record)
    # startContainer runs inside, at the same time as poststart outside: no order between these two.
    outside = [record.tag for record in records if not record.tag.endswith("/startContainer")]
    assert outside == [tag(name, stage) for stage in STAGES if stage != "startContainer"], outside


def rootfs_of(bundle: str) -> str:
    """The container's root folder, as the runtime's config.json has it."""
    root = json.loads((Path(bundle) / "config.json").read_text())["root"]["path"]
    return str(Path(bundle) / root)


def check_record(
    node: Node, stage: str, record: Record, bundle: str, rootfs: str, name: str
) -> None:
    """Arguments and environment as the drop-in says; state and folder as the runtime gives."""
    assert record.argv[0] == "hook-record", (stage, record)
    assert record.env["E2E_SET"] == name, (stage, record)
    assert record.env["GRAPNEL_HOOKSET"].startswith(name + "@"), (stage, record)
    assert "PATH" in record.env, (stage, record)
    # Inside the container there is no bundle; crun says so, runc names the one outside.
    if stage != "startContainer":
        assert record.state["bundle"] == bundle, (stage, record)
    expected = STATUS[node.kind.low_level.name].get(stage, record.state["status"])
    assert record.state["status"] == expected, (stage, record)
    if stage in ("prestart", "createRuntime", "poststart"):
        assert record.cwd == bundle, (stage, record)
    if stage == "createContainer":
        inside = node.kind.low_level is RUNC
        assert record.cwd == (rootfs if inside else bundle), (stage, record)
    assert record.cwd.startswith("/"), (stage, record)


@pytest.mark.check("matched by image")
def test_matched_by_image(node: Node) -> None:
    run_through(node, "by-image", IMAGE_HOOKED, {})


@pytest.mark.check("matched by annotation")
def test_matched_by_annotation(node: Node) -> None:
    run_through(node, "by-annotation", IMAGE_PLAIN, WANTED)
