# SPDX-License-Identifier: Apache-2.0
"""The archive of the chart: helm takes it as it takes the folder, and it is the same whoever makes it."""
from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, VERSION, done, released
from harness import cache

CHART = ROOT / "charts/grapnel"
FILES = [None, *sorted((CHART / "ci").glob("*-values.yaml"))]
NAME = f"grapnel-{VERSION}.tgz"


@pytest.fixture(scope="session", params=["3.18.6", "4.1.4"])
def helm(request: pytest.FixtureRequest) -> Path:
    return cache.fetched(f"helm-{request.param}") / "helm"


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of somebody who has a key."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    environment = {"GNUPGHOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "Somebody <somebody@example.com>",
         "rsa3072", "sign", "never", env=environment)
    yield environment
    done("gpgconf", "--kill", "all", env=environment)


def test_members():
    """What `helm package` packs, in an order and with owners, modes and times that are the same everywhere."""
    with tarfile.open(released(NAME)) as archive:
        members = archive.getmembers()
    assert all(member.isreg() and member.mode == 0o644 for member in members)
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    assert len({member.mtime for member in members}) == 1
    names = [member.name for member in members]
    assert names == sorted(names) and "grapnel/Chart.yaml" in names
    assert released(NAME).read_bytes()[4:8] == bytes(4)  # gzip's own time


def test_has_what_helm_packs(helm: Path, tmp_path: Path):
    done(helm, "package", CHART, "--destination", tmp_path)
    with tarfile.open(tmp_path / NAME) as theirs, tarfile.open(released(NAME)) as ours:
        assert sorted(theirs.getnames()) == sorted(ours.getnames())
        for name in ours.getnames():
            if name != "grapnel/Chart.yaml":  # helm spells it anew
                assert theirs.extractfile(name).read() == ours.extractfile(name).read(), name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem if file else "defaults")
def test_renders_as_the_folder(helm: Path, file: Path | None):
    values = [f"--values={file}"] if file else []
    assert "0 chart(s) failed" in done(helm, "lint", "--strict", released(NAME), *values)
    rendered = done(helm, "template", "g", released(NAME), "--namespace=hooks", *values)
    assert "kind: DaemonSet" in rendered
    assert rendered == done(helm, "template", "g", CHART, "--namespace=hooks", *values)


def recipe() -> str:
    """The commands of CONTRIBUTING.md that sign it."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    (block,) = [found for found in re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) if ".prov" in found]
    return block.replace("0.1.0", VERSION).replace("KEY", "somebody@example.com")


def test_signed_as_the_page_says(helm: Path, keys: dict[str, str], tmp_path: Path):
    """Both versions of helm find the signature good, and bad of other bytes. The archive is not touched."""
    folder = tmp_path / "build-release"
    folder.mkdir()
    archive = Path(shutil.copy(released(NAME), folder))
    done("bash", "-euc", recipe(), cwd=tmp_path, env=keys | {"PATH": f"{helm.parent}:/usr/bin:/bin"})
    assert archive.read_bytes() == released(NAME).read_bytes()
    verify = [helm, "verify", "--keyring", folder / "keyring.gpg", archive]
    said = done(*verify)
    assert f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}" in said and "somebody@example.com" in said
    archive.write_bytes(archive.read_bytes() + b"\0")
    refused = subprocess.run([str(word) for word in verify], capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode != 0 and "sha256 sum does not match" in refused.stderr
