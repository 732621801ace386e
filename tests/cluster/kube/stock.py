# SPDX-License-Identifier: Apache-2.0
"""The images that the cluster's pods are made of; there is no registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness import cache, images
from harness.runtime import BUSYBOX

KUBERNETES = "kubernetes-1.34.1"
GRAPNEL = "localhost/grapnel:test"
# Where images of Grapnel have it.
PROGRAM = "/usr/bin/grapnel"


@dataclass(frozen=True)
class Image:
    """An image with one layer."""

    name: str
    files: dict[str, Path]
    entrypoint: list[str]

    def write(self, folder: Path) -> Path:
        """As a docker-archive in the folder."""
        archive = folder / (self.name.replace("/", "-").replace(":", "-") + ".tar")
        labels = {"test.image": self.name}
        return images.write_archive(archive, [self.name], self.files, self.entrypoint, labels)


def grapnel(tag: str = "test") -> Image:
    """The program alone: it must be the static one."""
    program = cache.grapnel()
    with program.open("rb") as file:
        dynamic = b"/ld-linux" in file.read(4096)
    assert not dynamic, f"{program} needs libraries: use that of `make static`"
    return Image(GRAPNEL.replace(":test", f":{tag}"), {PROGRAM.lstrip("/"): program}, [PROGRAM])


def kubectl() -> Image:
    """For pods that talk with the API server."""
    program = cache.fetched(KUBERNETES) / "kubectl"
    return Image("localhost/kubectl:test", {"bin/kubectl": program}, ["/bin/kubectl"])


def shell() -> Image:
    """For scripts: a shell that has the usual tools in itself."""
    return Image("localhost/shell:test", {"bin/sh": BUSYBOX}, ["/bin/sh"])


def programs(tag: str = "test") -> Image:
    """Hook programs, as somebody would deliver them; with another tag another version of them."""
    helpers = cache.fetched("helpers")
    files = {"programs/hook-record": helpers / "hook-record", "bin/busybox": BUSYBOX}
    if tag != "test":
        files["programs/one-more"] = helpers / "pause"
    return Image(f"localhost/programs:{tag}", files, ["/bin/busybox"])
