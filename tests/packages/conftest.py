# SPDX-License-Identifier: Apache-2.0
"""What the tests of the packages share: the packages, later versions of them, and a clean Debian."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))

import pytest  # noqa: E402
from harness.package import repacked  # noqa: E402

PACKAGES = Path(os.environ.get("GRAPNEL_PACKAGES", ROOT / "build-packages"))
LATER = "0.1.99"
# Answers as a systemd would in which the service is in the state that two files say, and notes what
# it was asked for.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>/systemctl/log
case "$*" in
    *is-enabled*) [ -e /systemctl/enabled ] && echo enabled || { echo disabled; exit 1; } ;;
    *is-active*) [ -e /systemctl/active ] ;;
esac
"""


def run(*command: object, **more: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, timeout=300, stdin=subprocess.DEVNULL, **more)


def done(*command: object, **more: object) -> str:
    """What a command prints that must succeed."""
    result = run(*command, **more)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


def package(pattern: str) -> Path:
    found = sorted(PACKAGES.glob(pattern))
    assert len(found) == 1, f"{pattern} in {PACKAGES}: {found}; run make packages"
    return found[0]


@dataclass
class Machine:
    """A Debian in a folder. Each command runs in namespaces of its own, which end with it."""

    path: Path

    def beside(self, *command: object) -> subprocess.CompletedProcess:
        """A command of this machine, for which the other one has /proc and /dev."""
        inside = ('mount --make-rprivate / && mount -t proc proc "$0/proc" && '
                  'mount --rbind /dev "$0/dev" && exec "$@"')
        return run("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inside,
                   self.path, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                   "DEBIAN_FRONTEND=noninteractive", *command)

    def run(self, *command: object) -> subprocess.CompletedProcess:
        return self.beside("chroot", self.path, *command)

    def done(self, *command: object) -> str:
        result = self.run(*command)
        assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
        return result.stdout + result.stderr

    def copy(self, file: Path) -> str:
        shutil.copy(file, self.path / "tmp" / file.name)
        return f"/tmp/{file.name}"

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        file = self.path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def text(self, path: str) -> str:
        return (self.path / path.lstrip("/")).read_text()

    def exists(self, path: str) -> bool:
        return os.path.lexists(self.path / path.lstrip("/"))

    def files(self) -> dict[str, str]:
        """Everything with its mode and content, but what installers keep of themselves."""
        own = re.compile(r"/(?:proc|dev|tmp|systemctl|var/(?:lib/(?:dpkg|rpm|systemd)|log|cache)|"
                         r"usr/lib/sysimage)(?:/|$)")
        found = {}
        for folder, folders, names in os.walk(self.path):
            for name in folders + names:
                path = Path(folder) / name
                inside = "/" + str(path.relative_to(self.path))
                if own.match(inside):
                    continue
                mode = path.lstat().st_mode
                found[inside] = f"{mode:o} " + (os.readlink(path) if path.is_symlink() else
                                                str(hash(path.read_bytes())) if path.is_file() else "")
            folders[:] = [name for name in folders
                          if not own.match("/" + str((Path(folder) / name).relative_to(self.path)))]
        return found

    def service(self, *, enabled: bool, active: bool) -> None:
        """A systemd that runs, and the service in it."""
        (self.path / "run/systemd/system").mkdir(parents=True, exist_ok=True)
        self.write("/usr/bin/systemctl", SYSTEMCTL, 0o755)
        self.write("/systemctl/log", "")
        for name, wanted in (("enabled", enabled), ("active", active)):
            file = self.path / "systemctl" / name
            file.touch() if wanted else file.unlink(missing_ok=True)

    def asked(self) -> list[str]:
        """What systemctl was asked to do since service(); questions are left out."""
        words = [re.findall(r"[a-z][\w.-]*", line) for line in
                 re.sub(r"--[\w-]+", "", self.text("/systemctl/log")).splitlines()]
        return [" ".join(word) for word in words if word and not word[0].startswith("is-")]


@pytest.fixture
def machine():
    if os.geteuid() != 0:
        pytest.fail("needs root, to make a root folder")
    folder = Path(tempfile.mkdtemp(prefix="grapnel-packages.", dir="/var/tmp"))
    try:
        done(ROOT / "tests/packages/root", folder / "root")
        yield Machine(folder / "root")
    finally:
        done("rm", "-rf", "--one-file-system", folder)


def later_settings(tree: Path) -> None:
    for name in ("config", "policy"):
        file = tree / f"etc/grapnel/{name}.yaml"
        file.write_text("# Of a later version.\n" + file.read_text())


@pytest.fixture(scope="session")
def later_deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a later version, with other settings in it."""
    return repacked(package("*.deb"), LATER, tmp_path_factory.mktemp("deb"), later_settings)


@pytest.fixture(scope="session")
def later_rpm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the rpm: our own spec with the files of the first version instead of a build."""
    folder = tmp_path_factory.mktemp("rpm")
    tree = folder / "tree"
    tree.mkdir()
    done("sh", "-c", 'rpm2cpio "$1" | cpio -idm --quiet', "sh", binary_rpm(), cwd=tree)
    later_settings(tree)
    spec = (ROOT / "packaging/rpm/grapnel.spec").read_text()
    before, rest = spec.split("%prep\n")
    rest = rest[rest.index("# The scripts know by $1"):]
    before = re.sub(r"(?m)^Version:.*", f"Version: {LATER}", before)
    before = re.sub(r"(?m)^Source0:.*\n", "", before)
    (folder / "later.spec").write_text(
        f"{before}%install\nmkdir -p %{{buildroot}}\ncp -a {tree}/. %{{buildroot}}\n\n{rest}")
    done("rpmbuild", "-bb", "--nodeps", "--define", f"_topdir {folder}", folder / "later.spec")
    return next(folder.glob("RPMS/*/*.rpm"))


def binary_rpm() -> Path:
    found = [path for path in PACKAGES.glob("*.rpm") if not path.name.endswith(".src.rpm")]
    assert len(found) == 1, f"{PACKAGES}: {found}; run make packages"
    return found[0]
