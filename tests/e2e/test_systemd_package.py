# SPDX-License-Identifier: Apache-2.0
"""The life of the .deb on a machine with a real systemd and real containers: what ran before an upgrade or a removal
keeps its hooks to its end, and what comes after an upgrade has them as well."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from harness import cache, package
from harness.containers import RECORDS, Containers
from harness.host import Host
from harness.machine import UNIT, Machine
from harness.unit import Unit
from harness.wait import until

LATER = "0.1.99"
STORE = "/opt/grapnel/programs"
HOOK = f"program: net/hook-record, args: [record, --log, /{RECORDS}, --tag"
SPEC = f"""\
spec:
  match: {{namespace: default}}
  hooks:
    createRuntime: [{{{HOOK}, begin]}}]
    poststop: [{{{HOOK}, end]}}]
"""


def another_program(tree: Path) -> None:
    """Other bytes that do the same: nothing looks behind the end of what ELF names."""
    program = tree / "usr/bin/grapnel"
    program.write_bytes(program.read_bytes() + b"\0of a later version")


class Place:
    def __init__(self, host: Host, empty: Path):
        self.unit = Unit(Machine(host, empty))
        self.machine = self.unit.machine
        self.containers = Containers(self.unit)
        self.unit.enable("containerd.service")
        self.machine.boot()
        self.containers.ready()

    def dpkg(self, *words: str) -> None:
        self.machine.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *words)

    def install(self, deb: Path) -> str:
        """What runs now: the digest of the program, which is the installed one."""
        self.dpkg("-i", self.containers.copy(deb, "/root"))
        return hashlib.sha256((self.machine.root / "usr/bin/grapnel").read_bytes()).hexdigest()

    def running_digest(self) -> str:
        return hashlib.sha256(Path(f"/proc/{self.machine.main_pid()}/exe").read_bytes()).hexdigest()

    def install_hooks(self) -> str:
        """Into the store, with the program of the package; where the version that is current now lies."""
        self.containers.copy(cache.fetched("helpers") / "hook-record", "/root/net")
        self.machine.run("grapnel", "setup", "install", "--from", "/root/net", "--to", f"{STORE}/net")
        return f"{STORE}/net/{os.readlink(self.machine.root / STORE.lstrip('/') / 'net/current')}"

    def wait_ready(self) -> None:
        self.machine.wait("StatusText", "ready")


@pytest.fixture
def place(host: Host, tmp_path: Path) -> Place:
    return Place(host, tmp_path)


def test_upgrade_and_removal_below_running_containers(place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    machine, containers = place.machine, place.containers
    first = place.install(package.deb())
    assert machine.show("UnitFileState") == "disabled" and machine.show("ActiveState") == "inactive"
    digest = place.install_hooks()
    place.unit.write_set("net", text=SPEC)
    machine.run("systemctl", "enable", "--now", UNIT)
    place.wait_ready()
    assert place.running_digest() == first
    with containers.container() as old:
        containers.log.wait_for(old.container_id, ["begin"])
        (poststop,) = old.spec()["hooks"]["poststop"]
        assert poststop["path"] == f"{digest}/hook-record"

        before = machine.show("InvocationID")
        later = package.repacked(package.deb(), LATER, tmp_path_factory.mktemp("later"), another_program)
        second = place.install(later)
        machine.wait("ActiveState", "active")
        place.wait_ready()
        assert machine.run("dpkg-query", "-W", "-f", "${Version}", "grapnel") == LATER
        assert machine.show("InvocationID") not in ("", before) and machine.show("NRestarts") == "0"
        assert second != first and place.running_digest() == second
        assert machine.run("systemd-analyze", "verify", UNIT) == ""

        with containers.container() as new:
            containers.log.wait_for(new.container_id, ["begin"])
            seen = place.unit.status()["running"]
            assert (seen["known"], seen["missed"], seen["unreadable"]) == (True, 0, 0)

            place.dpkg("-r", "grapnel")
            assert machine.show("LoadState") == "not-found" and machine.main_pid() == 0
            assert not (machine.root / "usr/bin/grapnel").exists()
            assert [record.tag for record in containers.log.of(old.container_id)] == ["begin"]
            with containers.container() as without:
                assert "hooks" not in without.spec()
        containers.log.wait_for(new.container_id, ["begin", "end"])
    containers.log.wait_for(old.container_id, ["begin", "end"])
    tags = containers.log.tags()
    assert tags == {old.container_id: ["begin", "end"], new.container_id: ["begin", "end"]}
