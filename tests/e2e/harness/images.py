# SPDX-License-Identifier: Apache-2.0
"""Container images without a registry: docker-archive tarballs made from static programs."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

# What `uname -m` says, in the words of OCI images.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    """A tar of regular files (content, mode) with fixed owner and time, so that ids are stable."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in sorted({parent for name in files for parent in _parents(name)}):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name, (content, mode) in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), mode
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _parents(name: str) -> list[str]:
    return [str(parent) for parent in Path(name).parents if str(parent) != "."]


def write_archive(
    target: Path,
    tags: list[str],
    files: dict[str, Path],
    entrypoint: list[str],
    labels: dict[str, str],
) -> Path:
    """Writes an image with one layer: `files` maps paths in the image to programs of this host."""
    layer = _tar({name: (source.read_bytes(), 0o755) for name, source in files.items()})
    config = {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "config": {"Entrypoint": entrypoint, "Env": ["PATH=/bin"], "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }
    config_bytes = json.dumps(config, sort_keys=True).encode()
    config_name = hashlib.sha256(config_bytes).hexdigest() + ".json"
    manifest = [{"Config": config_name, "RepoTags": tags, "Layers": ["layer.tar"]}]
    target.write_bytes(
        _tar(
            {
                "manifest.json": (json.dumps(manifest).encode(), 0o644),
                config_name: (config_bytes, 0o644),
                "layer.tar": (layer, 0o644),
            }
        )
    )
    return target
