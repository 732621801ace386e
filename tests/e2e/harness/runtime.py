# SPDX-License-Identifier: Apache-2.0
"""What all runtimes have in common: start, stop, crash, images, NRI folders."""

from __future__ import annotations

import re
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from . import cache, images
from .cri import Cri
from .host import Host
from .procs import Process
from .wait import tail, until

IMAGE_HOOKED = "localhost/hooked:test"
IMAGE_PLAIN = "localhost/plain:test"
IMAGE_PAUSE = "localhost/pause:test"
BUSYBOX = Path("/bin/busybox")


@dataclass(frozen=True)
class LowLevel:
    """An OCI runtime."""

    name: str
    item: str

    @property
    def binary(self) -> Path:
        return cache.fetched(self.item) / self.name


RUNC = LowLevel("runc", "runc-1.5.2")
CRUN = LowLevel("crun", "crun-1.21")


@dataclass(frozen=True)
class Validator:
    """What NRI's default validator, which newer runtimes have, asks of every container."""

    required: list[str] = field(default_factory=list)
    tolerate: str = ""
    reject_hooks: bool = False


def write_images(folder: Path) -> dict[str, Path]:
    """Archives, by name: two images of the same content, and that of sandboxes."""
    helpers = cache.fetched("helpers")
    assert BUSYBOX.exists(), f"{BUSYBOX} is not there: install busybox-static"
    tools = {"bin/busybox": BUSYBOX, "bin/hook-record": helpers / "hook-record"}
    pause = {"pause": helpers / "pause"}
    wanted = {}
    for tag, files, entry in (
        (IMAGE_HOOKED, tools, "/bin/busybox"),
        (IMAGE_PLAIN, tools, "/bin/busybox"),
        (IMAGE_PAUSE, pause, "/pause"),
    ):
        # A label keeps the images apart: equal ones would be one image with two names.
        archive = folder / (re.sub(r"\W", "-", tag) + ".tar")
        wanted[tag] = images.write_archive(archive, [tag], files, [entry], {"test.image": tag})
    return wanted


class Runtime(ABC):
    """One CRI runtime in one private host. Subclasses know its configuration."""

    def __init__(self, host: Host, item: str, low_level: LowLevel):
        self.host = host
        self.low_level = low_level
        self.folder = cache.fetched(item)
        self.work = host.path
        self.socket = self.work / "cri.sock"
        # A folder of its own: a plugin elsewhere would mount the folder, not the socket.
        self.nri_socket = self.work / "nri" / "nri.sock"
        self.plugin_dir = self.work / "plugins"
        self.plugin_config_dir = self.work / "conf.d"
        self.cdi_dir = self.work / "cdi"
        for folder in (
            self.nri_socket.parent, self.plugin_dir, self.plugin_config_dir, self.cdi_dir
        ):  # fmt: skip
            folder.mkdir(mode=0o755)
        self.cri = Cri(
            cache.fetched("crictl-1.36.0") / "crictl", self.socket, self.work, host.cgroup_parent
        )
        self.log = self.work / "runtime.log"
        self._process: Process | None = None
        self._validator: Validator | None = None
        self._configure()

    @abstractmethod
    def _configure(self) -> None:
        """Writes the configuration files."""

    @abstractmethod
    def _argv(self) -> list[str]:
        """The daemon's command line."""

    @abstractmethod
    def load(self, archive: Path) -> None:
        """Puts a docker-archive into the runtime's image store; called while the daemon runs."""

    @abstractmethod
    def bundle(self, container_id: str) -> Path:
        """The folder with the container's config.json."""

    def start(self) -> None:
        """Starts the daemon; returns when it serves CRI, after launched plugins had their turn."""
        self._process = self.host.start(self._argv(), self.log.name)
        process = self._process

        def up() -> bool:
            assert process.running(), "the runtime ended\n" + process.describe()
            return self.cri.ready()

        until(up, "the runtime serves CRI", timeout=60, detail=process.describe)

    def stop(self) -> None:
        """A clean stop; containers stay."""
        if self._process:
            self._process.terminate()

    def validate(self, validator: Validator) -> None:
        """Restarts with these settings of the validator."""
        self._validator = validator
        self._configure()
        self.stop()
        self.start()

    def crash(self) -> None:
        """SIGKILL; containers and shims stay."""
        if self._process:
            self._process.kill()

    def load_images(self) -> None:
        """Two test images of the same content under two names, and the sandbox image."""
        wanted = write_images(self.work)
        for archive in wanted.values():
            self.load(archive)
        until(
            lambda: wanted.keys() <= self.cri.images(), "the images are known", detail=self.describe
        )

    def install(self, program: Path) -> Path:
        """A copy of a program below this host's folder, where only root can change it."""
        return Path(shutil.copy(program, self.work))

    def log_offset(self) -> int:
        """Where the log ends now, for logged_since."""
        return self.log.stat().st_size if self.log.exists() else 0

    def logged_since(self, offset: int, pattern: str) -> bool:
        """Whether a line that matches was logged after that offset."""
        with self.log.open("rb") as log:
            log.seek(offset)
            return re.search(pattern, log.read().decode(errors="replace")) is not None

    def describe(self) -> str:
        """What a failure message should show."""
        return tail(self.log)
