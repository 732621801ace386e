# SPDX-License-Identifier: Apache-2.0
"""The images: what is in them, and the plugin at work out of one, as little allowed as in the chart's pod."""
from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ARCHITECTURES, REF, ROOT, VERSION, Tree, is_confined, released
from harness import lab as labs
from harness.cri import ContainerSpec, PodSpec
from harness.lab import Lab
from harness.node import Kind
from harness.runtime import IMAGE_PLAIN, RUNC
from harness.wait import until

# As charts/grapnel has it of every container of ours; 0 is CRI's RuntimeDefault.
SECURITY = {"run_as_user": {"value": 0}, "readonly_rootfs": True, "no_new_privs": True,
            "capabilities": {"drop_capabilities": ["ALL"]}, "seccomp": {"profile_type": 0}}
SET = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: all}}
spec:
  match: {{always: true}}
  hooks: {{createRuntime: [{hook}]}}
"""


@dataclass(frozen=True)
class Platform:
    """An OCI image of one architecture, out of the archive."""

    config: dict[str, Any]
    layers: list[bytes]

    def members(self) -> list[tarfile.TarInfo]:
        return [member for layer in self.layers for member in tarfile.open(fileobj=io.BytesIO(layer))]

    def content(self, name: str) -> bytes:
        file = tarfile.open(fileobj=io.BytesIO(self.layers[-1])).extractfile(name)
        assert file
        return file.read()


def platforms(archive: Path) -> dict[str, Platform]:
    """By architecture; each blob is what its digest says."""
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}

    def blob(descriptor: dict[str, Any]) -> bytes:
        kind, digest = descriptor["digest"].split(":")
        content = files[f"blobs/{kind}/{digest}"]
        assert (kind, hashlib.sha256(content).hexdigest(), len(content)) == ("sha256", digest, descriptor["size"])
        return content

    [top] = json.loads(files["index.json"])["manifests"]
    assert top["annotations"]["org.opencontainers.image.ref.name"].endswith(f":{VERSION}")
    found = {}
    for entry in json.loads(blob(top))["manifests"]:
        manifest = json.loads(blob(entry))
        config = json.loads(blob(manifest["config"]))
        assert entry["platform"] == {"architecture": config["architecture"], "os": "linux"}
        found[config["architecture"]] = Platform(config, [blob(layer) for layer in manifest["layers"]])
    return found


@pytest.fixture(scope="module")
def image() -> dict[str, Platform]:
    return platforms(released(f"grapnel-{VERSION}-image.tar"))


def test_config(image: dict[str, Platform]):
    assert set(image) == set(ARCHITECTURES)
    for platform in image.values():
        config = platform.config["config"]
        assert config["Entrypoint"] == ["/usr/bin/grapnel"]
        assert not {"User", "Cmd", "Volumes", "ExposedPorts"} & set(config)
        labels = config["Labels"]
        assert labels["org.opencontainers.image.version"] == VERSION
        assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
        assert re.fullmatch("[0-9a-f]{40}", labels["org.opencontainers.image.revision"])
        assert labels["org.opencontainers.image.created"] == platform.config["created"]


def test_files(image: dict[str, Platform]):
    """The program, schemas, licences and the bill of materials; nothing else, and nobody's but root's."""
    for platform in image.values():
        members = platform.members()
        files = {member.name: member for member in members if not member.isdir()}
        assert all(member.isfile() for member in files.values())
        assert all((member.uid, member.gid) == (0, 0) for member in members)
        assert len({member.mtime for member in members}) == 1
        assert {member.mode & 0o7777 for member in files.values()} == {0o644, 0o755}
        assert [name for name, member in files.items() if member.mode & 0o111] == ["usr/bin/grapnel"]
        others = {re.sub(r"(third-party)/.*", r"\1/", name) for name in files}
        assert others == {
            "usr/bin/grapnel", "usr/share/doc/grapnel/grapnel.spdx.json", "usr/share/licenses/grapnel/LICENSE",
            "usr/share/licenses/grapnel/third-party/",
            *(f"usr/share/grapnel/schema/{path.name}" for path in (ROOT / "specs").glob("*.schema.json"))}


def test_program_is_the_same(image: dict[str, Platform], tree: Tree):
    """As in tarball and packages; and it knows of which commit it is."""
    program = image[tree.arch].content("usr/bin/grapnel")
    assert program == tree.program.read_bytes()
    assert image[tree.arch].config["config"]["Labels"]["org.opencontainers.image.revision"][:12].encode() in program


def test_example():
    """The image of the quick start: a static program below /hooks, licences, and no entry point."""
    found = platforms(released(f"grapnel-example-{VERSION}-image.tar"))
    assert set(found) == set(ARCHITECTURES)
    for arch, platform in found.items():
        assert "Entrypoint" not in platform.config["config"]
        files = {member.name: member for member in platform.members() if member.isfile()}
        programs = [name for name, member in files.items() if member.mode & 0o111]
        assert programs == ["hooks/hello"]
        assert all(name.startswith("usr/share/licenses/grapnel/") for name in files if name not in programs)
        assert len(files) == 4
        program = platform.content("hooks/hello")
        assert program[:4] == b"\x7fELF" and program[18] == ARCHITECTURES[arch][1] and b"/ld-linux" not in program


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A containerd that has read the archive."""
    with labs.started(Kind("containerd", "2.3.4", RUNC, "external")) as lab:
        lab.runtime.load(released(f"grapnel-{VERSION}-image.tar"))
        until(lambda: REF in lab.runtime.cri.images(), "the image is known", detail=lab.runtime.describe)
        yield lab


def test_verb(lab: Lab):
    spec = ContainerSpec(REF, args=["version"], command=[], security=SECURITY)
    with lab.container(container=spec) as running:
        def ended() -> dict[str, Any] | None:
            status = json.loads(lab.runtime.cri.inspect(running.container_id))["status"]
            return status if status["state"] == "CONTAINER_EXITED" else None

        assert until(ended, "the verb has ended", detail=lab.runtime.describe)["exitCode"] == 0
        assert lab.runtime.cri.call("logs", running.container_id).startswith(f"grapnel {VERSION} ")


def test_plugin(lab: Lab):
    """It registers and injects a hook, confined."""
    rules = lab.folder("rules", {"all.yaml": SET.format(hook=lab.hook("image"))})
    nri = lab.runtime.nri_socket.parent
    arguments = ["plugin", f"--socket={lab.runtime.nri_socket}", "--index=10", "--name=grapnel",
                 f"--hooks-dir={rules}", "--last-good=none", "--control=none", "--run-dir=none"]
    mounts = [(path, path) for path in (nri, rules, lab.shared)]
    spec = ContainerSpec(REF, args=arguments, command=[], mounts=mounts, security=SECURITY)
    offset = lab.runtime.log_offset()
    with lab.container(PodSpec("plugin"), spec) as plugin:
        until(lambda: lab.runtime.logged_since(offset, r'plugin \\?"10-grapnel\\?" connected'),
              "the plugin is registered", detail=lab.runtime.describe)
        is_confined(lab.host.run(["cat", f"/proc/{plugin.info()['pid']}/status"]), plugin.spec())
        with lab.container() as running:
            assert labs.marks(running.spec()) == [("createRuntime", "all")]
            lab.log.wait_for(running.container_id, ["image"])
