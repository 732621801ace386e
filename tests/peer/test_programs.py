# SPDX-License-Identifier: Apache-2.0
"""Programs of the store: what containers are created with, and what is collected when they are gone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import cache
from harness.procs import Process
from harness.wait import until

from peer import RECONNECT_S, Setup

LOOKED = "the program store was looked through"
SPEC = "  match: {always: true}\n  hooks: {createRuntime: [{program: net/setup}], poststop: [{program: net/setup}]}\n"


class Store:
    """A runtime with containers, Grapnel beside it, and a store."""

    def __init__(self, setup: Setup, folder: Path):
        self.setup, self.folder = setup, folder
        self.programs = setup.host.path / "programs"
        self.running: list[dict[str, Any]] = []
        self.plugin: Process | None = None
        self.settings = ""
        self.start = 0

    def install(self, text: str) -> str:
        """Returns the digest."""
        source = self.setup.host.path / "source"
        source.mkdir(exist_ok=True)
        (source / "setup").write_text(f"#!/bin/sh\n# {text}\n")
        (source / "setup").chmod(0o755)
        command = [str(cache.grapnel()), "setup", "install", "--from", str(source), "--to", str(self.programs / "net")]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return os.readlink(self.programs / "net" / "current")

    def age(self) -> None:
        """As if all of it had been there for a day."""
        day_ago = time.time() - 86400
        for path in (self.programs / "net").iterdir():
            os.utime(path, (day_ago, day_ago), follow_symlinks=False)
        os.utime(self.programs / "net", (day_ago, day_ago))

    def digests(self) -> set[str]:
        return {path.name for path in (self.programs / "net").iterdir() if len(path.name) == 64}

    def grapnel(self, settings: str = "") -> None:
        self.settings = settings
        self.setup.peer.tell(self.running)
        log = self.setup.host.path / "plugin-10-grapnel.log"
        self.start = log.stat().st_size if log.exists() else 0
        self.plugin = self.setup.external(
            self.folder, settings=f"  programsDir: {self.programs}\n  logLevel: debug\n  logFormat: json\n{settings}")
        self.setup.peer.wait(plugins=1)

    def restart(self) -> None:
        assert self.plugin
        self.plugin.terminate()
        self.setup.peer.wait(plugins=0)
        self.grapnel(self.settings)

    def lines(self, message: str) -> list[dict[str, Any]]:
        assert self.plugin
        with self.plugin.log.open("rb") as log:
            log.seek(self.start)
            lines = [json.loads(line) for line in log if line.startswith(b"{") and line.endswith(b"\n")]
        return [line for line in lines if line["msg"] == message]

    def looked(self) -> dict[str, Any]:
        """What it says once it has looked for what nothing names."""
        assert self.plugin
        until(lambda: self.lines(LOOKED), "the store was looked through", timeout=RECONNECT_S,
              detail=self.plugin.describe)
        return self.lines(LOOKED)[0]

    def create(self, name: str) -> set[str]:
        """A container that runs afterwards; returns the digests in its hooks."""
        adjustment = self.setup.peer.create({"id": name})
        self.running.append({"id": name, "hooks": adjustment.raw.get("hooks", {})})
        paths = adjustment.paths() + adjustment.paths("poststop")
        assert len(paths) == 2
        return {Path(path).parent.name for path in paths}


@pytest.fixture
def store(setup: Setup, write_set: Callable[[str, str], Path]) -> Store:
    setup.peer.start()
    return Store(setup, write_set("net", SPEC))


def test_containers_keep_theirs(store: Store) -> None:
    """Two versions, a container of each; a restart collects what no container has any more."""
    one = store.install("one")
    store.grapnel()
    assert store.create("first") == {one}
    two = store.install("two")
    names = iter(range(10**6))

    def create() -> bool:
        return store.create(f"second-{next(names)}") == {two}

    until(create, "the new version is in force", timeout=RECONNECT_S)
    store.running = [store.running[0], store.running[-1]]
    store.age()
    store.restart()
    assert store.looked()["removed"] == 0
    assert store.digests() == {one, two}

    del store.running[0]
    store.restart()
    assert store.looked()["removed"] == 1
    assert store.digests() == {two}
    assert store.create("third") == {two}


def test_a_package_that_is_taken_out(store: Store) -> None:
    """Without `current` nothing of it is installed: it stays for the container that has it, and no longer."""
    one = store.install("one")
    store.grapnel()
    assert store.create("first") == {one}
    (store.programs / "net" / "current").unlink()
    store.age()
    store.restart()
    assert store.looked()["removed"] == 0
    assert store.digests() == {one}

    store.running.clear()
    store.restart()
    assert store.looked()["removed"] == 1
    assert not (store.programs / "net").exists()


def test_a_package_that_was_just_taken_out(store: Store) -> None:
    """A container that is being made may have it, and the runtime does not tell of that one yet."""
    one = store.install("one")
    store.age()
    store.grapnel()
    assert store.create("in the making") == {one}
    store.running.clear()
    (store.programs / "net" / "current").unlink()
    store.restart()
    assert store.looked()["removed"] == 0
    assert store.digests() == {one}

    store.age()
    store.restart()
    assert store.looked()["removed"] == 1
    assert not (store.programs / "net").exists()


def test_what_is_young_stays(store: Store) -> None:
    """An installer may be at work, and another instance of the plugin with its rules."""
    one, two = store.install("one"), store.install("two")
    store.grapnel()
    assert store.looked()["removed"] == 0
    assert store.digests() == {one, two}


def test_unreadable_container(store: Store) -> None:
    """It may name anything."""
    one, two = store.install("one"), store.install("two")
    store.age()
    store.running = [{"id": "bad\u0000name"}]
    store.grapnel()
    assert store.plugin
    until(lambda: store.lines("running containers compared with the rules"), "the containers were compared",
          timeout=RECONNECT_S, detail=store.plugin.describe)
    assert store.lines("running containers compared with the rules")[0]["unreadable"] == 1
    assert store.create("next") == {two}
    assert not store.lines(LOOKED)
    assert store.digests() == {one, two}


NOT_REMOVED = "hook programs that nothing names could not be removed"


@pytest.fixture
def crio(store: Store) -> Store:
    store.setup.peer.stop()
    store.setup.peer.rename("cri-o")
    store.setup.peer.restart()
    return store


def bundle(store: Store, name: str, text: str) -> Path:
    """What CRI-O has of a container until it is removed."""
    userdata = store.setup.host.path / "runroot/overlay-containers" / name / "userdata"
    userdata.mkdir(parents=True)
    (userdata / "config.json").write_text(text)
    return userdata.parent


def test_crio_does_not_tell_containers_that_have_ended(crio: Store) -> None:
    """Their poststop is still to run: they are looked for where they lie."""
    one, two = crio.install("one"), crio.install("two")
    crio.age()
    crio.running = [{"id": "runs"}]
    bundle(crio, "runs", "{}")
    hooks = {"poststop": [{"path": f"{crio.programs}/net/{one}/setup"}]}
    ended = bundle(crio, "ended", json.dumps({"ociVersion": "1.2.0", "hooks": hooks}))
    crio.grapnel(f"  crioDir: {crio.setup.host.path}/runroot\n  sandbox: Full\n")
    assert crio.looked()["removed"] == 0
    assert crio.digests() == {one, two}

    shutil.rmtree(ended)
    crio.restart()
    assert crio.looked()["removed"] == 1
    assert crio.digests() == {two}
    assert crio.create("next") == {two}


def test_crio_whose_directory_is_not_seen(crio: Store) -> None:
    """As in a pod without the mount: nothing goes, however old it is, and it is said once."""
    one, two = crio.install("one"), crio.install("two")
    crio.age()
    crio.grapnel(f"  crioDir: {crio.setup.host.path}/runroot\n")
    assert crio.plugin
    until(lambda: crio.lines(NOT_REMOVED), "it was said", timeout=RECONNECT_S, detail=crio.plugin.describe)
    said = crio.lines(NOT_REMOVED)[0]
    assert (said["level"], said["code"]) == ("info", "crio-dir")
    assert f"in {crio.setup.host.path}/runroot" in said["error"] and "the setting crioDir" in said["error"]
    crio.setup.peer.stop()
    crio.setup.peer.restart()
    until(lambda: len(crio.lines(NOT_REMOVED)) > 1, "it was looked again", timeout=RECONNECT_S,
          detail=crio.plugin.describe)
    assert crio.lines(NOT_REMOVED)[1]["level"] == "debug"
    assert crio.create("next") == {two}
    assert not crio.lines(LOOKED)
    assert crio.digests() == {one, two}
