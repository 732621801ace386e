# SPDX-License-Identifier: Apache-2.0
"""One cell of the matrix: a runtime, a low-level runtime and a way for the plugin to get there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from . import cache
from .containerd import Containerd
from .cri import ContainerSpec, PodSpec, Running
from .crio import Crio
from .host import Cgroups, Host
from .plugin import External, Launched, Plugin
from .records import RecordLog
from .rules import Rules
from .runtime import CRUN, IMAGE_PLAIN, RUNC, LowLevel, Runtime

CONFIG = """\
apiVersion: grapnel/v1beta1
kind: Config
spec:
  hooksDirs: [{hooks}]
  lastGoodDir: none
  controlSocket: none
  logLevel: debug
"""


@dataclass(frozen=True)
class Kind:
    """What makes a cell; its text is the cell's name in test ids."""

    runtime: str
    version: str
    low_level: LowLevel
    mode: str
    pure_v2: bool = False

    @property
    def runtime_name(self) -> str:
        return f"{self.runtime} {self.version}" + (" (cgroup v2)" if self.pure_v2 else "")

    def __str__(self) -> str:
        v2 = "-v2" if self.pure_v2 else ""
        return f"{self.runtime}-{self.version}{v2}-{self.low_level.name}-{self.mode}"

    @property
    def cgroups(self) -> Cgroups:
        if self.pure_v2:
            return Cgroups.V2_ONLY
        return Cgroups.V1_ONLY if self.low_level is CRUN else Cgroups.AS_IS

    def make_runtime(self, host: Host) -> Runtime:
        make = {"containerd": Containerd, "CRI-O": Crio}[self.runtime]
        return make(host, self.version, self.low_level)


MATRIX = [
    Kind(runtime, version, low_level, mode)
    for runtime, version in (
        ("containerd", "1.7.27"),
        ("containerd", "2.1.4"),
        ("containerd", "2.3.4"),
        ("CRI-O", "1.34.0"),
    )
    for low_level in (RUNC, CRUN)
    for mode in ("external", "launched")
] + [
    Kind("containerd", "1.7.25", RUNC, "launched"),
    Kind("CRI-O", "1.34.0", RUNC, "external", pure_v2=True),
    Kind("CRI-O", "1.34.0", CRUN, "launched", pure_v2=True),
]


class Node:
    """A runtime with the plugin and the rules of the matrix in it."""

    def __init__(self, kind: Kind, host: Host):
        self.kind = kind
        self.runtime = kind.make_runtime(host)
        # Programs and records below one folder that is the same inside containers (startContainer).
        self.shared = host.path / "shared"
        self.shared.mkdir(mode=0o755)
        self.log = RecordLog(self.shared / "records.jsonl")
        recorder = Path(shutil.copy(cache.fetched("helpers") / "hook-record", self.shared))
        self.rules = Rules(host.path / "hooks.d", recorder, self.log.path)
        self.rules.write_all()
        self.plugin = self._make_plugin()
        self._serial = count()
        self.baseline = b""

    def _make_plugin(self) -> Plugin:
        program = cache.grapnel()
        if self.kind.mode == "external":
            args = ["--hooks-dir", str(self.rules.folder), "--log-level", "debug"]
            return External(self.runtime, program, args)
        return Launched(self.runtime, program, CONFIG.format(hooks=self.rules.folder))

    def start(self) -> None:
        """Runtime first, then one container without any plugin to compare with, then the plugin."""
        self.runtime.start()
        self.runtime.load_images()
        with self.container() as running:
            self.baseline = self.hooks_text(running)
        self.plugin.start()

    @contextmanager
    def container(
        self, image: str = IMAGE_PLAIN, annotations: dict[str, str] | None = None
    ) -> Iterator[Running]:
        """A running container in a pod of its own, removed at the end."""
        pod = PodSpec(f"pod-{next(self._serial)}", annotations=annotations or {})
        spec = ContainerSpec(image, mounts=[(self.shared, self.shared)])
        with self.runtime.cri.run(pod, spec) as running:
            yield running

    def hooks_text(self, running: Running) -> bytes:
        """The bytes of `hooks` in the container's config.json; empty when there is none."""
        text = (self.runtime.bundle(running.container_id) / "config.json").read_text()
        return member_text(text, "hooks").encode()

    def describe(self) -> str:
        """What a failure message should show."""
        return self.plugin.describe()


def member_text(document: str, wanted: str) -> str:
    """The text of one member of the outermost object as it was written, not as it parses."""
    decoder = json.JSONDecoder()
    at = document.index("{") + 1
    while True:
        at = _skip_space(document, at)
        if document[at] == "}":
            return ""
        key, at = decoder.raw_decode(document, at)
        at = _skip_space(document, document.index(":", at) + 1)
        _, end = decoder.raw_decode(document, at)
        if key == wanted:
            return document[at:end]
        at = _skip_space(document, end)
        if document[at] == ",":
            at += 1


def _skip_space(document: str, at: int) -> int:
    while document[at].isspace():
        at += 1
    return at


@contextmanager
def started(kind: Kind) -> Iterator[Node]:
    """A node that is gone afterwards, whatever happened."""
    with Host(kind.cgroups) as host:
        node = Node(kind, host)
        try:
            node.start()
        except BaseException as e:
            raise AssertionError(f"{kind} did not come up: {e}\n{node.describe()}") from e
        yield node
