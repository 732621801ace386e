# SPDX-License-Identifier: Apache-2.0
"""The bills of materials: good SPDX, and of what is really linked in."""
from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from conftest import ARCHITECTURES, ROOT, VERSION, Tree, released


@pytest.fixture(params=sorted(ARCHITECTURES))
def file(request: pytest.FixtureRequest) -> Path:
    return released(f"grapnel-{VERSION}-linux-{request.param}.spdx.json")


@pytest.fixture(scope="session")
def checker() -> str:
    return subprocess.run([ROOT / "tests/setup/spdx"], capture_output=True, text=True, check=True,
                          timeout=300).stdout.strip()


def checked(checker: str, file: Path) -> subprocess.CompletedProcess:
    return subprocess.run([checker, "--infile", file], capture_output=True, text=True, check=False, timeout=60)


def test_is_spdx(checker: str, file: Path):
    said = checked(checker, file)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("change", ["licenseConcluded", "relationship", "created"])
def test_checker_notices(checker: str, file: Path, tmp_path: Path, change: str):
    bill = json.loads(file.read_text())
    if change == "licenseConcluded":
        bill["packages"][1][change] = "Mine, all of it"
    elif change == "relationship":
        bill["relationships"][2]["relatedSpdxElement"] = "SPDXRef-Package-nowhere"
    else:
        bill["creationInfo"][change] = "yesterday"
    (tmp_path / "bad.spdx.json").write_text(json.dumps(bill))
    assert checked(checker, tmp_path / "bad.spdx.json").returncode != 0


def test_says_what_is_linked(tree: Tree):
    """The libraries that the build names, the C library and the compiler's; each with its version and licence."""
    bill = json.loads((tree.root / "usr/share/doc/grapnel/grapnel.spdx.json").read_text())
    assert bill == json.loads(released(f"grapnel-{VERSION}-linux-{tree.arch}.spdx.json").read_text())
    own, *others = bill["packages"]
    assert (own["name"], own["versionInfo"], own["licenseDeclared"]) == ("grapnel", VERSION, "Apache-2.0")
    compiler = "gcc-12" if tree.arch == "amd64" else "gcc-12-cross"
    assert {package["name"] for package in others} == {
        compiler, "glibc", "jansson", "libevent", "libseccomp", "libyaml", "pcre2", "protobuf-c"}
    for package in others:
        assert re.search(r"\d", package["versionInfo"]) and re.search("MIT|BSD|GPL", package["licenseDeclared"])
        assert package["externalRefs"][0]["referenceLocator"].startswith(f"pkg:deb/debian/{package['name']}@")
    static = [name for name in re.findall(r"static: static", (ROOT / "meson.build").read_text())]
    archives = {Path(entry["fileName"]).name for entry in bill["files"] if entry["fileName"].endswith(".a")}
    # One dependency() of meson.build for each archive, beside the C library's and the compiler's.
    assert len(archives - {"libc.a", "libgcc.a", "libgcc_eh.a"}) == len(static) == 7
    linked = {one["relatedSpdxElement"] for one in bill["relationships"] if one["relationshipType"] == "STATIC_LINK"}
    assert {package["SPDXID"] for package in others} <= linked


def test_is_of_this_program(tree: Tree):
    bill = json.loads((tree.root / "usr/share/doc/grapnel/grapnel.spdx.json").read_text())
    program = next(entry for entry in bill["files"] if entry["fileName"] == "./usr/bin/grapnel")
    content = tree.program.read_bytes()
    assert {one["algorithm"]: one["checksumValue"] for one in program["checksums"]} == {
        "SHA1": hashlib.sha1(content).hexdigest(), "SHA256": hashlib.sha256(content).hexdigest()}


def test_notices_are_of_the_same(tree: Tree):
    """The copyright files beside the program are those of the packages that the bill names, and not empty."""
    bill = json.loads((tree.root / "usr/share/doc/grapnel/grapnel.spdx.json").read_text())
    named = {name for package in bill["packages"][1:]
             for name in re.search(r"Debian's ([^;]*);", package["comment"]).group(1).split(", ")}
    notices = tree.root / "usr/share/licenses/grapnel/third-party"
    assert {path.name for path in notices.iterdir()} == named
    assert all(re.search("(?i)licen[cs]e", path.read_text()) for path in notices.iterdir())
