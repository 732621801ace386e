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
    """Files and empty directories under one name, with their modes; links with where they lead."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_dir() and any(path.iterdir()):
            continue
        name = "/" + str(path.relative_to(folder))
        for pattern, other in SAME:
            name = re.sub(pattern, other, name)
        if not OWN.match(name):
            found[name] = os.readlink(path) if path.is_symlink() else f"{path.stat().st_mode & 0o7777:04o}"
    return found


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """As make install does it, and as packages do."""
    folder = tmp_path_factory.mktemp("trees")
    done("meson", "compile", "-C", BUILD, "delivered")
    done("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", folder / "install")
    done("dpkg-deb", "-x", package("*.deb"), folder / "deb")
    (folder / "rpm").mkdir()
    done("sh", "-c", 'rpm2cpio "$1" | cpio -idm --quiet', "sh", binary_rpm(), cwd=folder / "rpm")
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def installed(trees: dict[str, Path]) -> dict[str, str]:
    return walked(trees["install"])


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_same(trees: dict[str, Path], installed: dict[str, str], kind: str):
    assert walked(trees[kind]) == installed


@pytest.mark.parametrize("kind", ["install", "deb", "rpm"])
def test_links(trees: dict[str, Path], kind: str):
    """Whoever has no clone can follow every link of every page."""
    (readme,) = trees[kind].rglob("doc/grapnel/README.md")
    said = run(ROOT / "tests/lint/links", readme.parent)
    assert said.returncode == 0, said.stdout
    dangling = [path for path in readme.parent.rglob("*") if path.is_symlink() and not path.exists()]
    assert dangling == []


def test_pages_are_all_there(trees: dict[str, Path]):
    """Guides and formats, as the source has them."""
    for folder in ("docs", "specs", "deploy"):
        pages = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.md")}
        assert pages and all((trees["install"] / "usr/local/share/doc/grapnel" / page).is_file() for page in pages)


def test_pages(installed: dict[str, str]):
    """Every manual page is delivered."""
    pages = {path.name.removesuffix(".scd") for path in (ROOT / "man").glob("*.scd")}
    assert {Path(path).name for path in installed if "/share/man/" in path} == pages


def test_modes(installed: dict[str, str]):
    """Only programs can be executed, and nothing is writable but for root. Links are of schemas."""
    assert {mode for path, mode in installed.items()
            if mode != f"../../../grapnel/schema/{Path(path).name}"} == {"0644", "0755"}
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


def test_who_packs():
    maintainer = done("dpkg-deb", "-f", package("*.deb"), "Maintainer")
    assert re.match(r"\S.* <\S+@\S+>$", maintainer)
    assert done("rpm", "-qp", "--qf", "%{PACKAGER}\n", binary_rpm()) == maintainer


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
