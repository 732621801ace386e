# SPDX-License-Identifier: Apache-2.0
"""The shortest way through: one drop-in, one hook, one runtime, both ways to start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import cache
from harness.containerd import Containerd
from harness.cri import ContainerSpec, PodSpec
from harness.host import Host
from harness.plugin import External, Launched, Plugin
from harness.records import RecordLog
from harness.runtime import IMAGE_PLAIN, RUNC, Runtime

SET = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: first}}
spec:
  match: {{always: true}}
  hooks:
    createRuntime:
      - path: {recorder}
        args: [hook-record, --log, "{log}", --tag, createRuntime]
"""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Host() as host:
        runtime = Containerd(host, "2.1.4", RUNC)
        runtime.start()
        runtime.load_images()
        yield runtime


def make_plugin(mode: str, runtime: Runtime, folder: Path) -> Plugin:
    if mode == "external":
        return External(runtime, cache.grapnel(), ["--hooks-dir", str(folder)])
    config = f"apiVersion: grapnel/v1beta1\nkind: Config\nspec: {{hooksDirs: [{folder}], lastGoodDir: none, controlSocket: none}}\n"
    return Launched(runtime, cache.grapnel(), config)


@pytest.mark.parametrize("mode", ["external", "launched"])
def test_one_hook_runs(runtime: Runtime, mode: str) -> None:
    log = RecordLog(runtime.work / "records.jsonl")
    recorder = runtime.install(cache.fetched("helpers") / "hook-record")
    folder = runtime.work / "hooks.d"
    folder.mkdir(mode=0o755)
    (folder / "first.yaml").write_text(SET.format(recorder=recorder, log=log.path))
    plugin = make_plugin(mode, runtime, folder)
    plugin.start()

    with runtime.cri.run(PodSpec("a1"), ContainerSpec(IMAGE_PLAIN)) as running:
        bundle = runtime.bundle(running.container_id)
        config = json.loads((bundle / "config.json").read_text())
        records = log.of(running.container_id)

    hooks = config.get("hooks", {}).get("createRuntime", [])
    assert [hook["path"] for hook in hooks] == [str(recorder)], plugin.describe()
    assert [record.tag for record in records] == ["createRuntime"], plugin.describe()
    assert Path(records[0].cwd).name == running.container_id
    assert records[0].state["status"] == "creating"
