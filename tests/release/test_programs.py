# SPDX-License-Identifier: Apache-2.0
"""The released programs: made twice the same, small, one for all ways of delivery, and at work."""
from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import subprocess
from pathlib import Path

from fakeruntime import Listener

from conftest import AGAIN, ARCHITECTURES, RELEASE, ROOT, VERSION, Tree, done, released

# The release's limit (specs/decisions/0007).
PROGRAM_MAX_BYTES = 3 << 20
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/rule.yaml"))
RULE = """apiVersion: grapnel/v1beta1
kind: HookSet
spec:
  match: {always: true}
  hooks: {poststop: [{path: /bin/true}]}
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_made_twice():
    """In other folders, later, by another user, in another language and time zone."""
    names = {f"grapnel-{VERSION}-{name}" for arch in ARCHITECTURES for name in
             (f"linux-{arch}.tar.gz", f"linux-{arch}.spdx.json")} | {f"grapnel-{VERSION}-image.tar", f"grapnel-{VERSION}.tgz"}
    assert names <= {path.name for path in AGAIN.iterdir()}
    for path in AGAIN.iterdir():
        assert sha256(path) == sha256(RELEASE / path.name), f"{path.name} differs from what was made first"


def test_sums():
    listed = dict(reversed(line.split("  ")) for line in released("SHA256SUMS").read_text().splitlines())
    files = {path.name: sha256(path) for path in RELEASE.iterdir() if path.is_file()}
    del files["SHA256SUMS"]
    assert listed == files
    packages = [name for name in listed if name.endswith((".deb", ".rpm")) and not name.endswith(".src.rpm")]
    assert len(packages) == 2 * len(ARCHITECTURES)


def test_size(tree: Tree):
    assert tree.program.stat().st_size < PROGRAM_MAX_BYTES


def test_kind(tree: Tree):
    """ELF of its architecture, position-independent, with no interpreter, no symbols, and no data to be executed."""
    head = tree.program.read_bytes()[:64]
    kind, machine = struct.unpack_from("<HH", head, 16)
    assert (head[:4], kind, machine) == (b"\x7fELF", 3, ARCHITECTURES[tree.arch][1])
    said = done("readelf", "-lSW", tree.program)
    assert "INTERP" not in said and ".symtab" not in said and ".debug" not in said
    assert re.search(r"GNU_STACK .* RW +0x", said) and "GNU_RELRO" in said
    segments = re.findall(r"^ +LOAD +(?:0x\w+ +){5}([R ])([W ])([E ]) 0x", said, re.MULTILINE)
    assert len(segments) >= 2 and ("W", "E") not in [flags[1:] for flags in segments]


def test_says_nothing_of_where_it_was_built(tree: Tree):
    content = tree.program.read_bytes()
    assert b"/build/" not in content and b"second build" not in content and b"plugin/app/main.c" not in content


def test_version(tree: Tree):
    assert tree.run("version").startswith(f"grapnel {VERSION} (NRI ")


def test_check(tree: Tree, tmp_path: Path):
    for example in EXAMPLES:
        (tmp_path / f"{example.name}.yaml").write_text((example / "rule.yaml").read_text())
    said = subprocess.run([tree.runner, "check", "--no-host", tmp_path], capture_output=True, text=True,
                          check=False, timeout=60)
    assert said.returncode == 0, said.stdout
    assert re.search(rf"^\d+ sets in {len(EXAMPLES)} files: 0 errors", said.stderr + said.stdout, re.MULTILINE), said


def test_suites(tree: Tree):
    """Every example does what its suite says; they have all kinds of expressions, conditions and templates."""
    files = [str(path / "tests.yaml") for path in EXAMPLES]
    said = json.loads(tree.run("test", "-o", "json", *files))
    assert {suite["file"] for suite in said["suites"]} == set(files)


def test_suite_notices(tree: Tree, tmp_path: Path):
    """The same, where something is wrong."""
    (tmp_path / "rule.yaml").write_text(RULE)
    (tmp_path / "tests.yaml").write_text(
        "apiVersion: grapnel/v1beta1\nkind: TestSuite\nmetadata: {name: wrong}\nspec:\n  rules: [rule.yaml]\n"
        "  cases: [{name: none, container: {namespace: web}, expect: {sets: []}}]\n")
    said = subprocess.run([tree.runner, "test", tmp_path / "tests.yaml"], capture_output=True, text=True,
                          check=False, timeout=60)
    assert said.returncode == 1 and "rule" in said.stdout


def test_session(tree: Tree, tmp_path: Path):
    """The plugin beside a runtime, from its registration to a container that gets a hook."""
    (tmp_path / "hooks.d").mkdir()
    (tmp_path / "hooks.d/one.yaml").write_text(RULE)
    listener = Listener(tmp_path / "nri.sock")
    # Nobody waits for ever for a line that does not come.
    command = ["timeout", "-k", "60", "60", tree.runner, "plugin", "--socket", tmp_path / "nri.sock", "--hooks-dir",
               tmp_path / "hooks.d", "--last-good", "none", "--control", "none", "--run-dir", "none",
               "--log-level", "debug", "--log-format", "json"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        runtime = listener.accept()
        runtime.ready()
        runtime.create("c3", "front")
        seen = (json.loads(line) for line in process.stderr)
        decision = next(line for line in seen if line.get("id") == "c3" and "hooks" in line)
        assert decision["hooks"] == 1, decision
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
        listener.sock.close()


def test_programs_are_one(tree: Tree, tmp_path: Path):
    """Tarball and packages carry the same bytes (the image: test_image)."""
    deb, rpm = tmp_path / "deb", tmp_path / "rpm"
    rpm.mkdir()
    done("dpkg-deb", "-x", released(f"grapnel_{VERSION}_{tree.arch}.deb"), deb)
    done("sh", "-c", 'rpm2cpio "$1" | cpio -idm --quiet', "sh",
         released(f"grapnel-{VERSION}-1.{ARCHITECTURES[tree.arch][0]}.rpm"), cwd=rpm)
    sums = {folder.name: sha256(folder / "usr/bin/grapnel") for folder in (deb, rpm)}
    assert sums == dict.fromkeys(("deb", "rpm"), sha256(tree.program))


def test_packages_are_judged(tree: Tree):
    """Those of arm64, too, are as their distributions want them (of amd64 also by tests/packages, from a build of its own)."""
    user = [] if os.geteuid() else ["--allow-root"]
    deb = released(f"grapnel_{VERSION}_{tree.arch}.deb")
    said = subprocess.run(["lintian", *user, "--fail-on", "error,warning", deb], capture_output=True, text=True,
                          check=False, timeout=300)
    assert (said.returncode, said.stdout) == (0, ""), said.stdout + said.stderr
    rpm = released(f"grapnel-{VERSION}-1.{ARCHITECTURES[tree.arch][0]}.rpm")
    said = subprocess.run(["rpmlint", "-c", ROOT / "packaging/rpm/rpmlint.toml", rpm], capture_output=True, text=True,
                          check=False, timeout=300)
    assert said.returncode == 0 and " 0 errors, 0 warnings" in said.stdout, said.stdout + said.stderr


def test_tarball(tree: Tree):
    """What is in it, and the same for every architecture."""
    files = {str(path.relative_to(tree.root)) for path in tree.root.rglob("*") if path.is_file()}
    assert {"usr/bin/grapnel", "usr/share/licenses/grapnel/LICENSE", "usr/share/grapnel/schema/hookset.schema.json",
            "usr/lib/systemd/system/grapnel.service", "usr/share/man/man1/grapnel.1",
            "usr/share/bash-completion/completions/grapnel", "usr/share/zsh/site-functions/_grapnel",
            "usr/share/fish/vendor_completions.d/grapnel.fish", "etc/grapnel/config.yaml",
            "usr/share/doc/grapnel/examples/01-image/rule.yaml", "usr/share/doc/grapnel/docs/install/README.md",
            "usr/share/doc/grapnel/grapnel.spdx.json"} <= files
    done(ROOT / "tests/lint/links", tree.root / "usr/share/doc/grapnel")
    other = next(arch for arch in ARCHITECTURES if arch != tree.arch)
    members = {arch: {re.sub(r"(linux-)\w+|-\w+-cross$", r"\1", line) for line in
                      done("tar", "-tzf", released(f"grapnel-{VERSION}-linux-{arch}.tar.gz")).splitlines()}
               for arch in (tree.arch, other)}
    assert members[tree.arch] == members[other]
