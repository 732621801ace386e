# SPDX-License-Identifier: Apache-2.0
"""What is in the packages: the same as meson install lays out; and what lintian and rpmlint say."""
from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from conftest import PACKAGES, ROOT, binary_rpm, done, package, run

BUILD = Path(os.environ.get("GRAPNEL", ROOT / "build/grapnel")).parent
# Where each of them puts the same thing, by what it says of itself.
SAME = [
    (r"^/usr/local/", "/usr/"),
    (r"^/lib/systemd/", "/usr/lib/systemd/"),
    (r"^/usr/share/zsh/vendor-completions/", "/usr/share/zsh/site-functions/"),
    (r"^(/usr/share/man/.*)\.gz$", r"\1"),
]
# What only packages have, and what a .deb says in its own words.
OWN = re.compile(r"/usr/share/(?:lintian/|licenses/|doc/grapnel/(?:third-party|copyright$|"
                 r"changelog|CHANGELOG\.md$))|/usr/share/grapnel/hooks\.d$")


def walked(folder: Path) -> dict[str, str]:
    """Files and empty directories under one name, with their modes."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_dir() and any(path.iterdir()):
            continue
        name = "/" + str(path.relative_to(folder))
        for pattern, other in SAME:
            name = re.sub(pattern, other, name)
        if not OWN.match(name):
            found[name] = f"{path.lstat().st_mode & 0o7777:04o}"
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """As make install does it."""
    folder = tmp_path_factory.mktemp("installed")
    done("meson", "compile", "-C", BUILD, "delivered")
    done("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", folder)
    return walked(folder)


def test_deb(installed: dict[str, str], tmp_path: Path):
    done("dpkg-deb", "-x", package("*.deb"), tmp_path)
    assert walked(tmp_path) == installed


def test_rpm(installed: dict[str, str], tmp_path: Path):
    done("sh", "-c", 'rpm2cpio "$1" | cpio -idm --quiet', "sh", binary_rpm(), cwd=tmp_path)
    assert walked(tmp_path) == installed


def test_pages(installed: dict[str, str]):
    """Every manual page is delivered."""
    pages = {path.name.removesuffix(".scd") for path in (ROOT / "man").glob("*.scd")}
    assert {Path(path).name for path in installed if "/share/man/" in path} == pages


def test_modes(installed: dict[str, str]):
    """Only programs can be executed, and nothing is writable but for root."""
    assert {mode for mode in installed.values()} == {"0644", "0755"}
    programs = [path for path, mode in installed.items() if mode == "0755"]
    assert "/usr/bin/grapnel" in programs and "/etc/grapnel/hooks.d" in programs
    assert all(re.match(r"/usr/bin/grapnel$|/etc/grapnel/hooks\.d$|"
                        r"/usr/share/doc/grapnel/examples/.*/hooks/", path) for path in programs)


def test_one_version():
    """All files that name it agree."""
    version = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text()).group(1)
    changes = (ROOT / "packaging/deb/changelog").read_text()
    spec = (ROOT / "packaging/rpm/grapnel.spec").read_text()
    assert changes.startswith(f"grapnel ({version}) ")
    assert re.search(r"(?m)^Version: +(.*)$", spec).group(1) == version
    assert f"> - {version}-1\n" in spec


def test_config_files():
    control = done("dpkg-deb", "-I", package("*.deb"), "conffiles").split()
    assert control == ["/etc/grapnel/config.yaml", "/etc/grapnel/policy.yaml"]
    assert done("rpm", "-qpc", binary_rpm()).split() == control


def test_licences(tmp_path: Path):
    """Of each library in the static program."""
    libraries = re.findall(r"\blib[\w-]+-dev\b", (ROOT / "packaging/deb/control").read_text())
    assert len(libraries) >= 6
    done("dpkg-deb", "-x", package("*.deb"), tmp_path)
    carried = {path.name.removesuffix(".gz") for path in
               (tmp_path / "usr/share/doc/grapnel/third-party").iterdir()}
    assert carried == {*libraries, "libc6-dev", "libgcc-12-dev"}


def test_lintian():
    user = [] if os.geteuid() else ["--allow-root"]
    said = run("lintian", *user, "--fail-on", "error,warning", package("*.changes"))
    assert (said.returncode, said.stdout) == (0, ""), said.stdout + said.stderr


def test_rpmlint():
    said = run("rpmlint", "-c", ROOT / "packaging/rpm/rpmlint.toml", *PACKAGES.glob("*.rpm"),
               ROOT / "packaging/rpm/grapnel.spec")
    assert said.returncode == 0 and " 0 errors, 0 warnings" in said.stdout, said.stdout + said.stderr
