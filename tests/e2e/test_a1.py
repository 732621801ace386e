"""The wire: one hook from the command line reaches a container of containerd 2.1.4 with runc."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Iterator

import pytest

from harness import cache
from harness.containerd import Containerd
from harness.cri import ContainerSpec, PodSpec
from harness.host import Host
from harness.plugin import External, Launched, Plugin
from harness.records import RecordLog
from harness.runtime import IMAGE_PLAIN, RUNC, Runtime


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Host() as host:
        runtime = Containerd(host, "2.1.4", RUNC)
        runtime.start()
        runtime.load_images()
        yield runtime


def executable(path: Path, *argv: str) -> Path:
    """A shell script that becomes argv: --hook and the plugin folder take programs without arguments."""
    command = shlex.join(argv)
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)
    return path


def make_plugin(mode: str, runtime: Runtime, hook: Path) -> Plugin:
    option = ["--hook", f"createRuntime={hook}"]
    if mode == "external":
        return External(runtime, cache.grapnel(), option)
    wrapper = executable(runtime.work / "wrapper", str(cache.grapnel()), "plugin", *option)
    return Launched(runtime, wrapper, config=None)


@pytest.mark.parametrize("mode", ["external", "launched"])
def test_one_hook_runs(runtime: Runtime, mode: str) -> None:
    log = RecordLog(runtime.work / "hooks.jsonl")
    recorder = cache.fetched("helpers") / "hook-record"
    hook = executable(
        runtime.work / "hook", str(recorder), "--log", str(log.path), "--tag", "createRuntime"
    )
    plugin = make_plugin(mode, runtime, hook)
    plugin.start()

    with runtime.cri.run(PodSpec("a1"), ContainerSpec(IMAGE_PLAIN)) as running:
        bundle = runtime.bundle(running.container_id)
        config = json.loads((bundle / "config.json").read_text())
        records = log.of(running.container_id)

    assert [hook["path"] for hook in config["hooks"]["createRuntime"]] == [str(hook)], plugin.describe()
    assert [record.tag for record in records] == ["createRuntime"], plugin.describe()
    assert Path(records[0].cwd).name == running.container_id
    assert records[0].state["status"] == "creating"
