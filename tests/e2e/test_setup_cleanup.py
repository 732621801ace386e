# SPDX-License-Identifier: Apache-2.0
"""A node whose plugin is gone for good: what a running container needs for its poststop stays, and
goes with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import cache
from harness.lab import Lab, Rules
from harness.plugin import External

SET = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: programs}}
spec:
  match: {{always: true}}
  hooks:
    createRuntime: [{{program: net/record, args: [record, --log, {log}, --tag, begin]}}]
    poststop: [{{program: net/record, args: [record, --log, {log}, --tag, end]}}]
"""


class Left:
    """What Grapnel puts on a host, in its usual places; the store apart from the machine's own."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.store = lab.folder("store", {})
        self.config = lab.folder("config", {"config.yaml": f"""\
apiVersion: grapnel/v1beta1
kind: Config
spec: {{programsDir: {self.store}}}
"""}) / "config.yaml"  # fmt: skip
        self.plugin: External | None = None

    def install(self, name: str, text: str) -> str:
        """The recording hook and another file, so that each text has a digest of its own."""
        source = self.lab.folder("source", {"text": text})
        shutil.copy(self.lab.recorder, source / "record")
        command = [cache.grapnel(), "setup", "install", "--from", source, "--to", self.store / name]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return os.readlink(self.store / name / "current")

    def start(self, rules: Rules) -> None:
        arguments = [*rules.all, "--config", str(self.config)]
        self.plugin = External(self.lab.runtime, cache.grapnel(), arguments)
        self.plugin.start()

    def stop(self) -> None:
        if self.plugin:
            self.plugin.stop()

    def clean(self, *more: str) -> list[str]:
        """In the host's namespaces, as a privileged container of a node has them."""
        command = [str(cache.grapnel()), "setup", "cleanup", "--config", str(self.config)]
        socket = ["--socket", str(self.lab.runtime.nri_socket), "--wait", "60"]
        crio = ["--crio-dir", str(self.lab.runtime.work / "crio-runroot")]
        return self.lab.host.run([*command, *socket, *crio, *more]).splitlines()

    def files(self) -> set[str]:
        """Everything there is of Grapnel's on the host."""
        names = self.lab.host.run(
            ["find", "/run/grapnel", "/var/lib/grapnel", str(self.store), "-mindepth", "1"]
        )
        return set(names.splitlines())


@pytest.fixture
def left(lab: Lab) -> Iterator[Left]:
    left = Left(lab)
    lab.host.run(["mkdir", "-p", "/run/grapnel", "/var/lib/grapnel"])
    yield left
    left.stop()
    lab.host.run(["rm", "-rf", "/run/grapnel", "/var/lib/grapnel"])


def test_poststop_runs_after_the_cleanup(lab: Lab, left: Left) -> None:
    old, other = left.install("net", "old"), left.install("other", "other")
    folder: Path = lab.folder("rules", {"programs.yaml": SET.format(log=lab.log.path)})
    left.start(Rules(folder))
    with lab.container() as running:
        lab.log.wait_for(running.container_id, ["begin"])
        new = left.install("net", "new")
        with pytest.raises(AssertionError, match="cleanup-running"):
            left.clean("--wait", "1")
        assert {"/run/grapnel/decisions", f"{left.store}/net/{new}"} <= left.files()
        left.stop()

        told = left.clean("--dry-run")
        assert f"{left.store}/net/{new} would be removed" in told
        told = left.clean()
        name = f"{running.container_id[:12]}"
        assert [line for line in told if " kept: " in line and name in line] == [
            line for line in told if line.startswith(f"{left.store}/net/{old} kept: ")
        ] != []
        assert {f"{left.store}/net/{new} removed", f"{left.store}/other/{other} removed"} <= set(told)
        digest = f"{left.store}/net/{old}"
        kept = {f"{left.store}/net", digest, f"{digest}/record", f"{digest}/text"}
        # The directories of the host that the test made itself may be gone, too.
        lab.host.run(["mkdir", "-p", "/run/grapnel", "/var/lib/grapnel"])
        assert left.files() == kept
    lab.log.wait_for(running.container_id, ["begin", "end"])
    assert f"{digest} removed" in left.clean()
    assert not left.store.exists()


def test_a_container_that_has_ended(lab: Lab, left: Left) -> None:
    """CRI-O runs its poststop when it is removed; others have done so by then."""
    old = left.install("net", "old")
    folder: Path = lab.folder("rules", {"programs.yaml": SET.format(log=lab.log.path)})
    left.start(Rules(folder))
    with lab.container() as running:
        lab.log.wait_for(running.container_id, ["begin"])
        lab.runtime.cri.call("stop", running.container_id)
        left.stop()
        told = left.clean()
        if lab.kind.runtime == "CRI-O":
            assert [line for line in told if line.startswith(f"{left.store}/net/{old} kept: ")]
        else:
            lab.log.wait_for(running.container_id, ["begin", "end"])
            assert f"{left.store}/net/{old} removed" in told
    lab.log.wait_for(running.container_id, ["begin", "end"])
    lab.host.run(["mkdir", "-p", "/run/grapnel", "/var/lib/grapnel"])
    left.clean()
    assert not left.store.exists()
