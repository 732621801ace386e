# SPDX-License-Identifier: Apache-2.0
"""A node whose plugin is gone for good: what a running container needs for its poststop stays, and
goes with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import cache
from harness.cri import PodSpec
from harness.lab import Lab
from harness.store import LABELS, Store

class Left(Store):
    """What Grapnel puts on a host, in its usual places."""

    def clean(self, *more: str) -> list[str]:
        """In the host's namespaces, as a privileged container of a node has them."""
        command = [str(cache.grapnel()), "setup", "cleanup", "--config", str(self.config)]
        socket = ["--socket", str(self.lab.runtime.nri_socket), "--wait", "60"]
        return self.lab.host.run([*command, *socket, *more]).splitlines()

    def files(self) -> set[str]:
        """Everything there is of Grapnel's on the host."""
        names = self.lab.host.run(
            ["find", "/run/grapnel", "/var/lib/grapnel", str(self.path), "-mindepth", "1"]
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
    left.start()
    with lab.container(PodSpec("pod", labels=LABELS)) as running:
        lab.log.wait_for(running.container_id, ["begin"])
        new = left.install("net", "new")
        with pytest.raises(AssertionError, match="cleanup-running"):
            left.clean("--wait", "1")
        assert {"/run/grapnel/decisions", f"{left.path}/net/{new}"} <= left.files()
        left.stop()

        told = left.clean("--dry-run")
        assert f"{left.path}/net/{new} would be removed" in told
        told = left.clean()
        name = f"{running.container_id[:12]}"
        assert [line for line in told if " kept: " in line and name in line] == [
            line for line in told if line.startswith(f"{left.path}/net/{old} kept: ")
        ] != []
        assert {f"{left.path}/net/{new} removed", f"{left.path}/other/{other} removed"} <= set(told)
        digest = f"{left.path}/net/{old}"
        kept = {f"{left.path}/net", digest, f"{digest}/record", f"{digest}/text"}
        # The directories of the host that the test made itself may be gone, too.
        lab.host.run(["mkdir", "-p", "/run/grapnel", "/var/lib/grapnel"])
        assert left.files() == kept
    lab.log.wait_for(running.container_id, ["begin", "end"])
    assert f"{digest} removed" in left.clean()
    assert not left.path.exists()


def test_a_container_that_has_ended(lab: Lab, left: Left) -> None:
    """CRI-O runs its poststop when it is removed; others have done so by then."""
    old = left.install("net", "old")
    left.start()
    with lab.container(PodSpec("pod", labels=LABELS)) as running:
        lab.log.wait_for(running.container_id, ["begin"])
        lab.runtime.cri.call("stop", running.container_id)
        left.stop()
        told = left.clean()
        if lab.kind.runtime == "CRI-O":
            assert [line for line in told if line.startswith(f"{left.path}/net/{old} kept: ")]
        else:
            lab.log.wait_for(running.container_id, ["begin", "end"])
            assert f"{left.path}/net/{old} removed" in told
    lab.log.wait_for(running.container_id, ["begin", "end"])
    lab.host.run(["mkdir", "-p", "/run/grapnel", "/var/lib/grapnel"])
    left.clean()
    assert not left.path.exists()
