# SPDX-License-Identifier: Apache-2.0
"""grapnel.service on a booted machine, with the runtime side of NRI where the unit expects it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .cache import fetched
from .machine import UNIT, Machine

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
        program = self.machine.root / "usr/local/bin/containerd"
        program.write_bytes((fetched(f"containerd-{version}") / "containerd").read_bytes())
        program.chmod(0o755)
        self.write_unit("containerd.service",
                        "[Unit]\nAfter=local-fs.target\n[Service]\nType=notify\nKillMode=process\n"
                        "ExecStart=/usr/local/bin/containerd\nDelegate=yes\nRestart=always\n"
                        "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip

    def status(self) -> dict[str, Any]:
        """What `grapnel status` says, whatever its exit code."""
        document: dict[str, Any] = json.loads(
            self.machine.try_run("grapnel", "status", "-o", "json").stdout
        )
        return document
