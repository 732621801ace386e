# SPDX-License-Identifier: Apache-2.0
"""setup autostart: from one start of a runtime to the next, and beside another instance."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import cache
from harness.host import Host
from harness.node import CONFIG, Kind, Node
from harness.plugin import FULL_NAME, External, Launched
from harness.rules import STAGES, WANTED, tag
from harness.runtime import RUNC
from harness.wait import until

KINDS = [
    Kind("containerd", "1.7.27", RUNC, "launched"),
    Kind("containerd", "2.1.4", RUNC, "launched"),
    Kind("containerd", "2.3.4", RUNC, "launched"),
    Kind("CRI-O", "1.34.0", RUNC, "launched"),
]
RAN = [tag("by-annotation", stage) for stage in STAGES[:-1]]


class Place:
    """A runtime that launches nothing yet; rules and settings for a plugin lie ready."""

    def __init__(self, node: Node):
        self.node = node
        self.runtime = node.runtime
        assert isinstance(node.plugin, Launched)
        self.launched = node.plugin
        self.control = node.runtime.work / "control.sock"
        config = CONFIG.format(hooks=node.rules.folder).replace(
            "controlSocket: none", f"controlSocket: {self.control}"
        )
        (self.runtime.plugin_config_dir / f"{FULL_NAME}.conf").write_text(config)

    def setup(self, *args: object, code: int = 0) -> str:
        """The verb on this host; it finds the directory in the configuration by itself."""
        command = [str(word) for word in (cache.grapnel(), "setup", "autostart", *args)]
        done = subprocess.run(self.runtime.host.inside(command), capture_output=True, text=True,
                              check=False, timeout=60)  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, verb: str, *args: object) -> dict[str, Any]:
        command = [str(word) for word in (cache.grapnel(), verb, "-o", "json", "--control",
                                          self.control, *args)]  # fmt: skip
        done = subprocess.run(self.runtime.host.inside(command), capture_output=True, text=True,
                              check=False, timeout=60)  # fmt: skip
        assert done.returncode in (0, 1), done.stdout + done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def findings(self) -> dict[str, dict[str, Any]]:
        """Those of the directory of plugins."""
        report = self.json("doctor", "--socket", self.runtime.nri_socket)
        return {found["code"]: found for found in report["findings"]
                if found["check"] == "plugin directory"}  # fmt: skip

    def restart(self) -> None:
        """And whatever is launched then has had its turn."""
        self.runtime.stop()
        until(lambda: self.launched.pid() is None, "what was launched has ended")
        self.runtime.start()

    def has_hooks(self) -> None:
        """The next container: each of its hooks once."""
        with self.node.container(annotations=WANTED) as running:
            self.node.log.wait_for(running.container_id, RAN)
            ran = [record.tag for record in self.node.log.of(running.container_id)]
            assert sorted(ran) == sorted(RAN)
            hooks = json.loads(self.node.hooks_text(running))
            ours = [hook for hook in hooks["createRuntime"] if "hook-record" in str(hook)]
            assert len(ours) == 1

    def has_none(self) -> None:
        with self.node.container(annotations=WANTED) as running:
            assert self.node.hooks_text(running) == self.node.baseline, self.node.describe()

    def put_copy(self, name: str, version: str = "0.0.9") -> Path:
        """This program as another version: the note in it says so."""
        text = cache.grapnel().read_bytes()
        note = re.search(rb"Grapnel\0[\d.]+\0{16}", text)
        assert note
        after = b"Grapnel\0" + version.encode()
        path = self.runtime.plugin_dir / name
        path.write_bytes(text.replace(note.group(), after.ljust(len(note.group()), b"\0")))
        path.chmod(0o755)
        return path


def started(kind: Kind) -> Iterator[Place]:
    with Host(kind.cgroups) as host:
        node = Node(kind, host)
        place = Place(node)
        node.runtime.start()
        node.runtime.load_images()
        with node.container() as running:
            node.baseline = node.hooks_text(running)
        yield place


@pytest.fixture(params=KINDS, ids=str)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from started(request.param)


@pytest.fixture
def newest() -> Iterator[Place]:
    yield from started(KINDS[2])


def test_from_start_to_start(place: Place) -> None:
    """In, replaced by another version, and out again; what a killed one left is passed over."""
    entry = place.runtime.plugin_dir / FULL_NAME
    place.put_copy(FULL_NAME)
    left = place.runtime.plugin_dir / ".grapnel-0123456789abcdef"
    left.mkdir(mode=0o700)
    place.put_copy(f"{left.name}/grapnel")
    (place.runtime.plugin_dir / ".grapnel.lock").touch(mode=0o600)
    place.restart()
    old = place.launched.pid()
    assert old is not None
    place.has_hooks()

    said = place.setup()
    assert f"{entry} replaced: one of version 0.0.9 by version" in said
    assert "launches it when it starts the next time, and not before" in said
    assert entry.read_bytes() == cache.grapnel().read_bytes()
    assert [path.name for path in place.runtime.plugin_dir.iterdir()] == [FULL_NAME]
    assert place.launched.pid() == old  # nothing was restarted
    place.restart()
    assert place.launched.pid() not in (None, old)
    status = place.json("status")
    assert status["process"]["mode"] == "launched" and status["others"] == []
    place.has_hooks()
    assert "is this program already" in place.setup()
    assert place.findings() == {}

    said = place.setup("--undo")
    assert f"{entry} removed: version" in said and "goes on until" in said
    place.has_hooks()  # as it says
    place.restart()
    assert place.launched.pid() is None
    place.has_none()


def test_from_nothing(newest: Place) -> None:
    entry = newest.runtime.plugin_dir / FULL_NAME
    assert f"{entry} would be written" in newest.setup("--dry-run")
    newest.restart()
    newest.has_none()
    assert f"{entry} written" in newest.setup()
    newest.has_none()
    newest.restart()
    newest.has_hooks()


def test_two_ways_are_harmless_and_told(place: Place) -> None:
    """Launched and external at one runtime: each hook once, and all three verbs know."""
    place.setup()
    place.restart()
    args = ["--hooks-dir", str(place.node.rules.folder), "--control", "none", "--last-good", "none"]
    beside = External(place.runtime, cache.grapnel(), args, index="20")
    try:
        beside.start()
        place.has_hooks()
        found = place.findings()
        assert set(found) == {"several-processes", "two-ways"}
        assert f"the runtime launches {place.runtime.plugin_dir}/10-grapnel; process" in \
            found["two-ways"]["found"]  # fmt: skip
        status = place.json("status")
        assert [(other["name"], other["mode"]) for other in status["others"]] == [
            ("20-grapnel", "external")
        ]
        assert [text for text in status["problems"] if text.startswith("another Grapnel")]
        said = place.setup(code=1)
        assert "setup-mode: expected that Grapnel comes to this node in no other way" in said
    finally:
        beside.stop()
    assert place.json("status")["others"] == []
    place.setup()
    place.has_hooks()


@pytest.mark.parametrize("name", ["10-grapnel.bak", "10-grapnel.dpkg-new"])
def test_a_copy_that_was_left(newest: Place, name: str) -> None:
    """The runtime launches it as well; doctor tells, before and after that."""
    newest.setup()
    copy = newest.put_copy(name)
    assert newest.findings()["backup-plugin"]["file"] == str(copy)
    newest.restart()
    found = newest.findings()
    assert set(found) == {"backup-plugin", "several-processes"}
    newest.has_hooks()
    assert sorted(other["name"] for other in newest.json("status")["others"]) in (
        [name], [FULL_NAME])  # fmt: skip
    assert f"found {name}: the runtime would launch both" in newest.setup(code=1)
    assert f"{copy} removed: version 0.0.9" in newest.setup("--undo")
    newest.setup()
    newest.restart()
    assert newest.findings() == {}
    newest.has_hooks()


def test_a_bad_name(newest: Place) -> None:
    """With it the runtime would not serve pods at its next start: nothing is added to that."""
    copy = newest.put_copy("grapnel")
    assert newest.findings()["bad-plugin-name"]["file"] == str(copy)
    newest.setup(code=1)
    copy.chmod(0o644)
    newest.setup()
    newest.restart()
    newest.has_hooks()
