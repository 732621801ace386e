# SPDX-License-Identifier: Apache-2.0
"""charts/grapnel/files/enable-nri.sh, which switches NRI on for containerd 1.7."""
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chart import CHART

IMPORTS = 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n'
DROPIN = "conf.d/50-grapnel-nri.toml"


class Node:
    """A configuration directory, and commands in place of the host's that say how they were called."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "containerd"
        self.config.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls = folder / "calls"
        chroot = self.bin / "chroot"
        chroot.write_text(f'#!/bin/sh\necho "$SYSTEMD_IGNORE_CHROOT $*" >>{self.calls}\n')
        chroot.chmod(0o755)

    def run(self, **env: str) -> subprocess.CompletedProcess:
        path = f"{self.bin}:/usr/bin:/bin"
        env = {"PATH": path, "CONFIG_DIR": str(self.config), "HOST_CONFIG_DIR": "/etc/containerd", **env}
        done = subprocess.run(["/bin/sh", CHART / "files/enable-nri.sh"], env=env, capture_output=True, text=True,
                              check=False, timeout=30)
        assert done.returncode == 0, done.stderr
        return done

    def files(self) -> dict[str, str]:
        return {str(path.relative_to(self.config)): path.read_text() for path in self.config.rglob("*") if path.is_file()}

    def restarts(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_drop_in_where_they_are_imported(node: Node):
    (node.config / "config.toml").write_text(IMPORTS)
    said = node.run().stdout
    text = 'version = 2\n[plugins."io.containerd.nri.v1.nri"]\n  disable = false\n'
    assert node.files() == {"config.toml": IMPORTS, DROPIN: "# Written by Grapnel (enable-nri).\n" + text}
    assert "was not restarted" in said and node.restarts() == []
    assert (node.config / DROPIN).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(("config", "said"), [
    (None, "there is no /etc/containerd/config.toml"),
    ("version = 2\n", "does not import"),
    ('imports = ["/elsewhere/*.toml"]\n', "does not import"),
    ('# imports = ["/etc/containerd/conf.d/*.toml"]\n', "does not import"),
    (IMPORTS + '[plugins."io.containerd.nri.v1.nri"]\n  disable = true\n', "says something of NRI already"),
])
def test_nothing_is_changed(node: Node, config: str | None, said: str):
    if config is not None:
        (node.config / "config.toml").write_text(config)
    before = node.files()
    done = node.run(RESTART_UNIT="containerd.service", HOST_ROOT="/host")
    assert node.files() == before and node.restarts() == []
    assert said in done.stderr
    assert '[plugins."io.containerd.nri.v1.nri"]\n  disable = false' in done.stderr


def test_containerd_2_needs_nothing(node: Node):
    (node.config / "config.toml").write_text(IMPORTS.replace("version = 2", "version = 3"))
    assert "nothing to do" in node.run().stdout
    assert set(node.files()) == {"config.toml"}


def test_restarted_once_and_only_if_asked(node: Node):
    (node.config / "config.toml").write_text(IMPORTS)
    asked = {"RESTART_UNIT": "containerd.service", "HOST_ROOT": "/host"}
    node.run(**asked)
    assert node.restarts() == ["1 /host systemctl restart containerd.service"]
    assert "as it should be" in node.run(**asked).stdout
    assert len(node.restarts()) == 1
    (node.config / DROPIN).write_text("version = 2\n")
    node.run(**asked)
    assert len(node.restarts()) == 2
    assert set(node.files()) == {"config.toml", DROPIN}
