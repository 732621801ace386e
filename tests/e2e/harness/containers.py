# SPDX-License-Identifier: Apache-2.0
"""Real containers on a booted machine: its own containerd, which systemd started, asked over CRI."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from . import cache
from .cri import ContainerSpec, Cri, PodSpec, Running
from .records import RecordLog
from .runtime import IMAGE_PAUSE, IMAGE_PLAIN, RUNC, write_images
from .unit import Unit
from .wait import until

VERSION = "2.3.4"
# As a node has it, but for the image of sandboxes, which comes from no registry, and for what cannot be lowered
# without CAP_SYS_RESOURCE.
CONFIG = f"""\
version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{IMAGE_PAUSE}'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
"""
# Containers have their cgroups where those of the other tests do: the machine's own tree has no controllers where
# cgroup v1 has them.
CGROUPS = """\
[Service]
BindPaths=/cgroups-of-containers:/sys/fs/cgroup:rbind
"""
# An overlay cannot lie on an overlay.
MOUNTS = """
cd "$0"
mkdir -p var/lib/containerd cgroups-of-containers
mount -t tmpfs tmpfs var/lib/containerd
mount --rbind /sys/fs/cgroup cgroups-of-containers
"""
# Where hooks record their runs, on the machine.
RECORDS = "root/records.jsonl"


class Containers:
    """Make it before the machine boots; the rest is for afterwards."""

    def __init__(self, unit: Unit):
        self.machine = unit.machine
        self._serial = count()
        root = self.machine.root
        unit.install_containerd(VERSION)
        for program in (cache.fetched(f"containerd-{VERSION}") / "containerd-shim-runc-v2",
                        cache.fetched(f"containerd-{VERSION}") / "ctr", RUNC.binary):  # fmt: skip
            shutil.copy(program, root / "usr/local/bin")
        (root / "etc/containerd").mkdir(parents=True)
        (root / "etc/containerd/config.toml").write_text(CONFIG)
        for name in ("hosts", "resolv.conf"):  # sandboxes get copies
            (root / "etc" / name).touch()
        unit.write_unit("containerd.service.d/cgroups.conf", CGROUPS)
        self.machine.host.run(["sh", "-ec", MOUNTS, str(self.machine.host.path / "machine/root")])

    def ready(self) -> None:
        """Until containerd serves CRI; then it gets the images."""
        machine = self.machine
        socket = machine.root / "run/containerd/containerd.sock"
        crictl = cache.fetched("crictl-1.36.0") / "crictl"
        self.cri = Cri(crictl, socket, machine.host.path, machine.host.cgroup_parent)
        self.log = RecordLog(machine.root / RECORDS)
        until(self.cri.ready, "containerd serves CRI", timeout=60, detail=machine.describe)
        for archive in write_images(machine.host.path).values():
            shutil.copy(archive, machine.root / "root")
            machine.run("ctr", "-n", "k8s.io", "images", "import", f"/root/{archive.name}")

    @contextmanager
    def container(self) -> Iterator[Running]:
        """In a pod of its own."""
        with self.cri.run(PodSpec(f"pod-{next(self._serial)}"), ContainerSpec(IMAGE_PLAIN)) as running:
            yield running

    def copy(self, file: Path, folder: str) -> str:
        """Into the machine; its path there."""
        target = self.machine.root / folder.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
        return f"{folder}/{file.name}"
