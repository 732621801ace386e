# SPDX-License-Identifier: Apache-2.0
"""grapnel.service on a booted machine, with the runtime side of NRI where the unit expects it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .cache import fetched
from .machine import UNIT, Machine
from .runtime import RUNC

HEAD = "apiVersion: grapnel/v1beta1\nkind: "
# A program that every Debian has.
HOOK = "/bin/true"

STUB = """\
[Service]
Type=exec
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""


# Without networks, which nothing here needs; the rest is CRI-O's own.
CRIO_CONFIG = """\
[crio]
storage_driver = "vfs"
[crio.runtime]
default_runtime = "runc"
cgroup_manager = "cgroupfs"
conmon_cgroup = "pod"
pinns_path = "/usr/local/bin/pinns"
disable_hostport_mapping = true
[crio.runtime.runtimes.runc]
runtime_path = "/usr/local/bin/runc"
monitor_path = "/usr/local/bin/conmon"
monitor_cgroup = "pod"
[crio.image]
signature_policy = "/etc/crio/policy.json"
"""


class Unit:
    """Files before or after the boot; commands after it."""

    def __init__(self, machine: Machine):
        self.machine = machine

    @property
    def etc(self) -> Path:
        return self.machine.root / "etc/grapnel"

    def write_set(self, name: str, program: str = HOOK, text: str = "") -> None:
        """A set that gives every container one hook, whose argument is the set's name."""
        hook = f"{{path: {program}, args: [hook, {name}]}}"
        spec = f"spec:\n  match: {{always: true}}\n  hooks: {{createRuntime: [{hook}]}}\n"
        head = f"{HEAD}HookSet\nmetadata: {{name: {name}}}\n"
        (self.etc / f"hooks.d/{name}.yaml").write_text(head + (text or spec))

    def write_settings(self, **settings: str) -> None:
        lines = [f"  {key}: {value}\n" for key, value in settings.items()]
        (self.etc / "config.yaml").write_text(f"{HEAD}Config\nspec:\n{''.join(lines)}")

    def write_unit(self, name: str, text: str) -> None:
        """Another unit, or a drop-in of one (NAME.service.d/FILE.conf)."""
        path = self.machine.root / "etc/systemd/system" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def enable(self, *units: str) -> None:
        """As an administrator does in an image, before the machine boots."""
        self.machine.host.run(
            ["chroot", f"{self.machine.host.path}/machine/root", "systemctl", "enable", *units]
        )

    def start(self) -> None:
        """Boots, with no service of ours enabled, and starts it by hand; returns when it is active."""
        self.machine.boot()
        self.machine.settle()
        self.machine.run("systemctl", "start", UNIT)

    def install_containerd(self, version: str) -> None:
        """A real one, with the unit that its project ships (in short)."""
        self._install(fetched(f"containerd-{version}") / "containerd")
        self._write_runtime_unit("containerd")

    def install_crio(self, version: str) -> None:
        """The same of CRI-O, whose helpers must be there when it starts. No container is run here,
        and of conmon, which needs libraries that the machine has not got, only the version is asked."""
        folder = fetched(f"crio-{version}")
        for program in (folder / "crio", folder / "pinns", RUNC.binary):
            self._install(program)
        conmon = self.machine.root / "usr/local/bin/conmon"
        conmon.write_text("#!/bin/sh\necho conmon version 2.1.6\n")
        conmon.chmod(0o755)
        etc = self.machine.root / "etc/crio"
        etc.mkdir()
        (etc / "policy.json").write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        (etc / "crio.conf").write_text(CRIO_CONFIG)
        self._write_runtime_unit("crio")

    def _install(self, program: Path) -> None:
        to = self.machine.root / "usr/local/bin" / program.name
        to.write_bytes(program.read_bytes())
        to.chmod(0o755)

    def _write_runtime_unit(self, name: str) -> None:
        self.write_unit(f"{name}.service",
                        "[Unit]\nAfter=local-fs.target\n[Service]\nType=notify\nKillMode=process\n"
                        f"ExecStart=/usr/local/bin/{name}\nDelegate=yes\nRestart=always\n"
                        "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip

    def status(self) -> dict[str, Any]:
        """What `grapnel status` says, whatever its exit code."""
        document: dict[str, Any] = json.loads(
            self.machine.try_run("grapnel", "status", "-o", "json").stdout
        )
        return document
