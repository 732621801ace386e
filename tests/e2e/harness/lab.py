# SPDX-License-Identifier: Apache-2.0
"""A runtime whose rules, settings and plugins each test brings itself, to try the rule language."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from . import cache
from .cri import ContainerSpec, PodSpec, Running
from .host import Host
from .node import Kind
from .plugin import INDEX, External, Launched, Plugin
from .records import RecordLog
from .runtime import CRUN, IMAGE_PLAIN, RUNC, Validator
from .wait import until

# Every version of NRI's messages, both low-level runtimes with either, cgroup v1 and v2.
MATRIX = [
    Kind("containerd", "1.7.25", RUNC, "external"),
    Kind("containerd", "1.7.27", CRUN, "external"),
    Kind("containerd", "2.1.4", RUNC, "external"),
    Kind("containerd", "2.3.4", CRUN, "external"),
    Kind("CRI-O", "1.34.0", RUNC, "external"),
    Kind("CRI-O", "1.34.0", CRUN, "external", pure_v2=True),
]

# The runtimes whose validator can require a plugin.
STRICT = [
    Kind("containerd", "2.3.4", RUNC, "external"),
    Kind("containerd", "2.3.4", RUNC, "launched"),
    Kind("CRI-O", "1.36.3", CRUN, "external"),
]
TOLERATE = "grapnel.test/without-hooks"
REQUIRED = Validator(required=["grapnel"], tolerate=TOLERATE)

MARK = "GRAPNEL_HOOKSET="


@dataclass(frozen=True)
class Rules:
    """What the plugin and the verbs of the command line are given: the same arguments for both."""

    folder: Path
    arguments: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        return ["--hooks-dir", str(self.folder), "--node-name", "e2e", *self.arguments]


@dataclass(frozen=True)
class Documents:
    """`crictl inspect` and `crictl inspectp` of one container."""

    container: str
    pod: str

    @property
    def piped(self) -> str:
        """One behind the other, as `{ crictl inspect …; crictl inspectp …; } |` hands them over."""
        return f"{self.container}\n{self.pod}\n"


class Lab:
    """One runtime of the matrix; a plugin only while a test has one."""

    def __init__(self, kind: Kind, host: Host):
        self.kind = kind
        self.host = host
        self.runtime = kind.make_runtime(host)
        self.shared = host.path / "shared"
        self.shared.mkdir(mode=0o755)
        self.log = RecordLog(self.shared / "records.jsonl")
        self.recorder = Path(shutil.copy(cache.fetched("helpers") / "hook-record", self.shared))
        self._serial = count()

    def start(self) -> None:
        self.runtime.start()
        self.runtime.load_images()

    def folder(self, name: str, files: dict[str, str]) -> Path:
        """A new folder of the host with these files."""
        folder = self.host.path / f"{name}-{next(self._serial)}"
        folder.mkdir(mode=0o755)
        for file, text in files.items():
            (folder / file).write_text(text)
        return folder

    def hook(self, tag: str, env: str = "") -> str:
        """A hook, in the words of a drop-in, that records its run under the tag."""
        args = json.dumps(["hook-record", "--log", str(self.log.path), "--tag", tag])
        return f"{{path: {self.recorder}, args: {args}{f', env: [{env}]' if env else ''}}}"

    @contextmanager
    def plugin(self, rules: Rules, index: str = INDEX) -> Iterator[Judge]:
        """The plugin with these rules, ended on leaving."""
        log = self.host.path / "plugin.log"
        start = log.stat().st_size if log.exists() else 0
        plugin = self._launched(rules) if self.kind.mode == "launched" else self._external(rules, index)
        try:
            plugin.start()
            yield Judge(plugin, log, start)
        finally:
            plugin.stop()

    def _external(self, rules: Rules, index: str) -> Plugin:
        apart = ["--last-good", "none", "--control", "none"]
        arguments = [*apart, *rules.all, "--log-level", "debug", "--log-format", "json"]
        return External(self.runtime, cache.grapnel(), arguments, index)

    def _launched(self, rules: Rules) -> Plugin:
        """As `setup autostart` leaves it: it has no command line, and what it logs the runtime has."""
        assert not rules.arguments
        spec = {"hooksDirs": [str(rules.folder)], "nodeName": "e2e", "lastGoodDir": "none", "controlSocket": "none"}
        head = {"apiVersion": "grapnel/v1beta1", "kind": "Config"}
        return Launched(self.runtime, cache.grapnel(), json.dumps(head | {"spec": spec}))

    def container(
        self, pod: PodSpec | None = None, container: ContainerSpec | None = None
    ) -> Running:
        """A running container; its pod's name is made unique."""
        pod = pod or PodSpec("pod")
        pod = PodSpec(f"{pod.name}-{next(self._serial)}", pod.namespace, pod.annotations, pod.labels)
        return self.runtime.cri.run(pod, container or ContainerSpec(IMAGE_PLAIN))

    def documents(self, running: Running) -> Documents:
        """What crictl prints about a container and its pod."""
        cri = self.runtime.cri
        return Documents(cri.inspect(running.container_id), cri.inspect_pod(running.pod_id))

    def files(self, documents: Documents) -> list[str]:
        """The same in two files, as arguments of the command line."""
        names = {"inspect.json": documents.container, "inspectp.json": documents.pod}
        folder = self.folder("documents", names)
        return [word for name in names for word in ("--from", str(folder / name))]


@dataclass(frozen=True)
class Judge:
    """A running plugin and what it has logged since its start."""

    plugin: Plugin
    log: Path
    start: int

    def _lines(self, container_id: str) -> list[dict[str, Any]]:
        with self.log.open("rb") as log:
            log.seek(self.start)
            whole = [line for line in log if line.endswith(b"\n")]
        found = [json.loads(line) for line in whole if container_id.encode() in line]
        return [line for line in found if line.get("id") == container_id]

    def all_verdicts(self, container_id: str, plugins: int = 1) -> list[tuple[str, str]]:
        """Every set that came into it with its verdict, as logged for this container."""

        # The answer comes before the lines about it; the one about the whole is the last.
        def concluded() -> list[dict[str, Any]] | None:
            lines = self._lines(container_id)
            return lines if sum("adjusted" in line for line in lines) == plugins else None

        lines = until(concluded, "the decision is logged", detail=self.plugin.describe)
        return [(line["set"], line["verdict"]) for line in lines if line["msg"] == "hook set"]

    def verdicts(self, container_id: str) -> dict[str, str]:
        """The same of the only plugin there is."""
        return dict(self.all_verdicts(container_id))

    def describe(self) -> str:
        return self.plugin.describe()


def run(verb: str, *arguments: str, statuses: tuple[int, ...] = (0,), piped: str = "") -> str:
    """One verb of the command line; its stdout."""
    done = subprocess.run(
        [str(cache.grapnel()), verb, *arguments], capture_output=True, text=True, timeout=60,
        input=piped, check=False,
    )  # fmt: skip
    if done.returncode not in statuses:
        command = " ".join([verb, *arguments])
        raise AssertionError(f"grapnel {command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def marks(spec: dict[str, Any]) -> list[tuple[str, str]]:
    """Stage and set of every hook of ours in a config.json, in the order in which they stand."""
    return [
        (stage, entry.removeprefix(MARK).split("@")[0])
        for stage, hooks in (spec.get("hooks") or {}).items()
        for hook in hooks or []
        for entry in hook.get("env") or []
        if entry.startswith(MARK)
    ]


@contextmanager
def started(kind: Kind) -> Iterator[Lab]:
    """A lab that is gone afterwards, whatever happened."""
    with Host(kind.cgroups) as host:
        lab = Lab(kind, host)
        try:
            lab.start()
        except BaseException as e:
            raise AssertionError(f"{kind} did not come up: {e}\n{lab.runtime.describe()}") from e
        yield lab
