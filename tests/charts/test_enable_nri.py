# SPDX-License-Identifier: Apache-2.0
"""charts/grapnel/files/enable-nri.sh, which switches NRI on for containerd 1.7."""
from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from harness import cache
from harness.runtime import BUSYBOX

from chart import CHART

IMPORTS = 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n'
DROPIN = "conf.d/50-grapnel-nri.toml"
TEXT = '# Written by Grapnel (enable-nri).\nversion = 2\n[plugins."io.containerd.nri.v1.nri"]\n  disable = false\n'
NRI = '[plugins."io.containerd.nri.v1.nri"]\n'


class Node:
    """A configuration directory, and commands in place of the host's that say how they were called."""

    def __init__(self, folder: Path, tools: list[Path]) -> None:
        self.config = folder / "containerd"
        self.config.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls = folder / "calls"
        chroot = self.bin / "chroot"
        chroot.write_text(f'#!/bin/sh\necho "$SYSTEMCTL_FORCE_BUS $SYSTEMD_IGNORE_CHROOT $*" >>{self.calls}\nexit $(cat {self.bin}/code)\n')
        (self.bin / "code").write_text("0")
        chroot.chmod(0o755)
        self.path = ":".join(map(str, [self.bin, *tools]))

    def write(self, text: str, name: str = "config.toml") -> Path:
        path = self.config / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def run(self, before: str = "", code: int = 0, **env: str) -> subprocess.CompletedProcess:
        """Has the shell do what is before the script first, and then the code is not looked at."""
        env = {"PATH": self.path, "CONFIG_DIR": str(self.config), "HOST_CONFIG_DIR": "/etc/containerd", **env}
        shell = shutil.which("sh", path=self.path)
        done = subprocess.run([shell, "-c", f'{before}\nexec sh "$0"', CHART / "files/enable-nri.sh"], env=env,
                              capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == code or before, done.stderr
        return done

    def files(self) -> dict[str, str]:
        return {str(path.relative_to(self.config)): path.read_text() for path in self.config.rglob("*") if path.is_file()}

    def restarts(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tools of the image that the chart names."""
    folder = tmp_path_factory.mktemp("busybox")
    subprocess.run([BUSYBOX, "--install", "-s", folder], check=True, timeout=60)
    return folder


@pytest.fixture(params=["busybox", "usual"])
def node(request: pytest.FixtureRequest, tmp_path: Path, busybox: Path) -> Node:
    return Node(tmp_path, [busybox] if request.param == "busybox" else [Path("/usr/bin"), Path("/bin")])


@pytest.mark.parametrize("imports", [
    'imports = ["/etc/containerd/conf.d/*.toml"]',
    "imports = ['/elsewhere/a.toml', '/etc/containerd/conf.d/*.toml']",
    'imports = ["conf.d/*.toml"]  # beside this file',
    'imports = [\n  "/elsewhere/a.toml",\n  "/etc/containerd/conf.d/*.toml",\n]'])
def test_a_drop_in_where_they_are_imported(node: Node, imports: str):
    config = f'version = 2\n{imports}\ndisabled_plugins = ["a"]\n# {NRI}[plugins."io.containerd.grpc.v1.cri"]\n  disable = true\n'
    node.write(config)
    said = node.run().stdout
    assert node.files() == {"config.toml": config, DROPIN: TEXT}
    assert "was not restarted" in said and node.restarts() == []
    assert (node.config / DROPIN).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(("config", "said"), [
    (None, "there is no /etc/containerd/config.toml"),
    ("version = 2\n", "does not import"),
    ('version = 2\nimports = ["/elsewhere/*.toml"]\n', "does not import"),
    ('version = 2\n# imports = ["/etc/containerd/conf.d/*.toml"]\n', "does not import"),
    ('version = 2\nimports = [] # "/etc/containerd/conf.d/*.toml"\n', "does not import"),
    ('version = 2\n[a]\nimports = ["/etc/containerd/conf.d/*.toml"]\n', "does not import"),
    (IMPORTS + NRI + "  disable = true\n", "switches NRI or its connections off"),
    (IMPORTS + NRI + "  disable = false\n  disable_connections = true\n", "switches NRI or its connections off"),
    (IMPORTS + 'disabled_plugins = ["io.containerd.nri.v1.nri"]\n', "switches NRI or its connections off"),
    (IMPORTS + 'disabled_plugins = [\n "a",\n "io.containerd.nri.v1.nri",\n]\n', "switches NRI or its connections off"),
    ("version = 3\n" + NRI + "  disable = true\n", "switches NRI or its connections off"),
])
def test_nothing_is_changed(node: Node, config: str | None, said: str):
    if config is not None:
        node.write(config)
    before = node.files()
    done = node.run(RESTART_UNIT="containerd.service", HOST_ROOT="/host")
    assert node.files() == before and node.restarts() == []
    assert said in done.stderr
    assert NRI + "  disable = false" in done.stderr


@pytest.mark.parametrize(("config", "where"), [
    (NRI + "  disable = true\n", "config.toml:4 switches"),
    (NRI + "  disable_connections = true\n", "config.toml:4 switches"),
    ('disabled_plugins = [\n  "a",\n  "io.containerd.nri.v1.nri",\n]\n', "config.toml:5 switches"),
    ("# " + NRI + NRI + '  socket_path = "/run/mine.sock"\n', "config.toml:4 has a table"),
    ('[plugins]\n  "io.containerd.nri.v1.nri" = {socket_path = "/run/mine.sock"}\n', "config.toml:4 has a table"),
])
def test_the_line_is_told(node: Node, config: str, where: str):
    """A table that is there already would be replaced whole by that of a drop-in."""
    before = IMPORTS + config
    node.write(before)
    assert f"enable-nri: /etc/containerd/{where}" in node.run().stderr
    assert node.files() == {"config.toml": before}


@pytest.mark.parametrize("version", ["", "version = 1\n"])
def test_nothing_beside_a_file_of_version_1(node: Node, version: str):
    config = version + 'imports = ["/etc/containerd/conf.d/*.toml"]\n[a]\nversion = 2\n'
    node.write(config)
    done = node.run()
    assert node.files() == {"config.toml": config}
    assert "has version 1" in done.stderr and "[plugins.nri]\n  disable = false" in done.stderr


def test_another_drop_in_has_its_say(node: Node):
    node.write(IMPORTS)
    other = node.write(NRI + "  disable = true\n", "conf.d/90-mine.toml")
    assert "switches NRI or its connections off" in node.run().stderr
    assert "/etc/containerd/conf.d/90-mine.toml:2 switches" in node.run().stderr
    other.write_text(NRI + "  disable = false\n")
    assert "/etc/containerd/conf.d/90-mine.toml:2 has NRI on already" in node.run().stdout
    assert set(node.files()) == {"config.toml", "conf.d/90-mine.toml"}


@pytest.mark.parametrize(("config", "said"), [
    (IMPORTS + NRI + "  disable = false\n", "has NRI on already"),
    (IMPORTS.replace("version = 2", "version = 3"), "configuration of containerd 2"),
    ("version = 4\n", "configuration of containerd 2"),
])
def test_nothing_to_do(node: Node, config: str, said: str):
    node.write(config)
    done = node.run(RESTART_UNIT="containerd.service", HOST_ROOT="/host")
    assert said in done.stdout and "nothing to do" in done.stdout and done.stderr == ""
    assert node.files() == {"config.toml": config} and node.restarts() == []


def test_no_half_written_file(node: Node):
    """Here no file may have a byte, as on a disk that is full."""
    node.write(IMPORTS)
    done = node.run(before="trap '' XFSZ; ulimit -f 0")
    assert done.returncode != 0 and "cannot be written" in done.stderr
    assert node.files() == {"config.toml": IMPORTS}
    node.run()
    assert node.files() == {"config.toml": IMPORTS, DROPIN: TEXT}
    done = node.run(before="trap '' XFSZ; ulimit -f 0")
    assert node.files() == {"config.toml": IMPORTS, DROPIN: TEXT}


def dumped(version: str, config: Path) -> str:
    """The configuration as that containerd takes it; it fails where containerd would not start."""
    program = cache.fetched(f"containerd-{version}") / "containerd"
    done = subprocess.run([program, "--config", config, "config", "dump"], capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("'", '"')


@pytest.mark.parametrize("version", ["1.7.27", "2.3.4"])
def test_containerd_takes_it(node: Node, version: str):
    """With all that the file says beside it."""
    cri = '[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "mine"\n'
    config = node.write(f'version = 2\nimports = ["{node.config}/conf.d/*.toml"]\n{cri}')
    before = dumped(version, config)
    node.run(HOST_CONFIG_DIR=str(node.config))
    after = dumped(version, config)
    assert ("disable = true" in before.partition(NRI)[2].partition("[plugins")[0]) == (version == "1.7.27")
    assert after.partition(NRI)[2].lstrip().startswith("disable = false\n")
    assert '"mine"' in after


@pytest.mark.parametrize("config", [
    '[plugins.cri]\n  sandbox_image = "mine"\n', 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "mine"\n', ""],
    ids=["version 1", "version 2", "none"])  # fmt: skip
def test_containerd_takes_the_lines(node: Node, config: str):
    """Those that it says to add, by hand."""
    if config:
        node.write(config)
    lines = node.run().stderr.partition("restart containerd:\n")[2]
    after = dumped("1.7.27", node.write(config + lines))
    assert after.partition(NRI)[2].lstrip().startswith("disable = false\n") and (not config or '"mine"' in after)


def test_a_later_table_takes_the_place_of_one_that_has_it_on(node: Node):
    """As containerd has it: the script does not take it for on."""
    config = node.write(f'version = 2\nimports = ["{node.config}/conf.d/*.toml"]\n{NRI}  disable = false\n')
    node.write(NRI + '  socket_path = "/run/mine.sock"\n', "conf.d/mine.toml")
    assert dumped("1.7.27", config).partition(NRI)[2].lstrip().startswith("disable = true\n")
    assert "conf.d/mine.toml:1 has a table" in node.run(HOST_CONFIG_DIR=str(node.config)).stderr


@pytest.mark.parametrize("node", ["usual"], indirect=True)  # busybox has its own chroot
def test_restarted_once_and_only_if_asked(node: Node):
    node.write(IMPORTS)
    asked = {"RESTART_UNIT": "containerd.service", "HOST_ROOT": "/host"}
    node.run(**asked)
    assert node.restarts() == ["1 1 /host systemctl restart containerd.service"]
    assert "as it should be" in node.run(**asked).stdout
    assert len(node.restarts()) == 1
    node.write("version = 2\n", DROPIN)
    node.run(**asked)
    assert len(node.restarts()) == 2
    assert set(node.files()) == {"config.toml", DROPIN}


@pytest.mark.parametrize("node", ["usual"], indirect=True)
def test_what_could_not_be_restarted_is_tried_again(node: Node):
    """The drop-in is not left as if all were done."""
    node.write(IMPORTS)
    (node.bin / "code").write_text("1")
    asked = {"RESTART_UNIT": "containerd.service", "HOST_ROOT": "/host"}
    for tries in (1, 2):
        done = node.run(code=1, **asked)
        assert "containerd.service could not be restarted: removed /etc/containerd/conf.d/50-grapnel-nri.toml again" in done.stderr
        assert node.files() == {"config.toml": IMPORTS} and len(node.restarts()) == tries
    (node.bin / "code").write_text("0")
    node.run(**asked)
    assert set(node.files()) == {"config.toml", DROPIN}
