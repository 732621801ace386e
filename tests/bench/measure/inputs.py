# SPDX-License-Identifier: Apache-2.0
"""What goes in: rule files for both programs, and the container that they are asked about.

The first rule is the one that matches. Grapnel's others are by annotation, by image pattern, by namespace and
label, and by image path, in equal parts, each with something that no container has. The Go injector
knows annotations and commands only, so its others are these in turn.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

# Limits of Grapnel's format: a ConfigMap's size, and documents per file.
FILE_MAX_BYTES = 1 << 20
DOCUMENTS_MAX = 2000

IMAGE = "registry.example.com/team-0/app:1.7.3"
IMAGE_ANNOTATION = "io.kubernetes.cri.image-name"

# A hook program that is there, and that root alone can change, on any host.
PROGRAM = shutil.which("true", path="/usr/bin:/bin") or "/bin/true"

SET = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata:
  name: bench-{i}
spec:
  match:
    {match}
  failurePolicy: Fail
  hooks:
    createRuntime:
      - path: {program}
        args: ["true", --container-id, "{{{{.ID}}}}"]
        env: [NETWORK_MODE=bridge]
        timeout: 30
"""


def _match(i: int, matching: int = 1) -> str:
    if i < matching:
        return 'image: "registry.example.com/team-0/app:1.*"\n    podAnnotations: {hook-0.example.com: enabled}'
    return (
        f"annotations: {{hook-{i}.example.com: enabled}}",
        f'image: "registry.example.com/team-{i}/app:1.*"',
        f"namespace: prod\n    podLabels: {{app.kubernetes.io/name: app-{i}}}",
        f'image: "registry.example.com/other-{i}/**"',
    )[i % 4]


def _match_image(i: int) -> str:
    """For the case in which no image is known: every one of these rules is unknown then."""
    return f'image: "registry.example.com/{"team" if i % 2 else "other"}-{i}/app:1.*"'


def _write_files(folder: Path, documents: list[str]) -> None:
    """Several documents per file, up to the size that a ConfigMap can hold."""
    folder.mkdir(mode=0o755)
    batch: list[str] = []
    size = files = 0
    for text in [*documents, ""]:
        if batch and (not text or len(batch) == DOCUMENTS_MAX or size + len(text) + 4 > FILE_MAX_BYTES):
            (folder / f"{files:04}.yaml").write_text("---\n".join(batch))
            batch, size, files = [], 0, files + 1
        batch.append(text)
        size += len(text) + 4


def one_set(i: int, matching: int = 1, program: str = PROGRAM) -> str:
    return SET.format(i=i, match=_match(i, matching), program=program)


def write_sets(folder: Path, n: int, by_image: bool = False, matching: int = 1) -> Path:
    """Grapnel's rules; by_image: all of them keyed on the image and nothing else."""
    if by_image:
        texts = [SET.format(i=i, match=_match_image(i), program=PROGRAM) for i in range(n)]
    else:
        texts = [one_set(i, matching) for i in range(n)]
    _write_files(folder, texts)
    return folder


def write_oci_hooks(folder: Path, n: int, always: bool = False) -> Path:
    """The Go injector's rules, oci-hooks(5): one file each, since that format has it so.

    always: rules without a condition, the least that this injector can have to do.
    """
    folder.mkdir(mode=0o755)
    hook = {"path": PROGRAM, "args": ["true", "--container-id", "id"], "env": ["NETWORK_MODE=bridge"],
            "timeout": 30}  # fmt: skip
    for i in range(n):
        when: dict[str, Any] = {"annotations": {rf"^hook-{i}\.example\.com$": "^enabled$"}}
        if i % 2:
            when = {"commands": [f"^/opt/app-{i}/bin/server$"]}
        if always:
            when = {"always": True}
        rule = {"version": "1.0.0", "hook": hook, "when": when, "stages": ["createRuntime"]}
        (folder / f"{i:05}.json").write_text(json.dumps(rule))
    return folder


def _regex_when(i: int) -> dict[str, Any]:
    """As the files of device plugins, Podman and CRI-O have it: anchored keys, keys and values that are
    searched for, a key that every container has and whose value decides, commands, mounts."""
    if i == 0:
        return {"annotations": {r"^hook-0\.example\.com$": "^enabled$"}}
    return (
        {"annotations": {rf"^io\.kubernetes\.cri-o\.hook-{i}$": "^(true|enabled)$"}},
        {"annotations": {rf"hook-{i}\.example\.com": "on"}},
        {"commands": [f"^/opt/app-{i}/bin/.*$", f"server-{i}$"]},
        {"annotations": {r"^pod\.annotations\.io/key-3$": f"tenant-{i}$"}},
        {"annotations": {rf"^team-{i}\.io/.*": r"^v[0-9]+\.", r"^runtime\.": "usual"}, "hasBindMounts": True},
    )[i % 5]


def write_oci_regex(folder: Path, n: int) -> Path:
    """oci-hooks(5) files with expressions, of which the first matches; for both programs."""
    folder.mkdir(mode=0o755)
    hook = {"path": PROGRAM, "args": ["true", "--container-id", "id"], "env": ["NETWORK_MODE=bridge"],
            "timeout": 30}  # fmt: skip
    for i in range(n):
        rule = {"version": "1.0.0", "hook": hook, "when": _regex_when(i), "stages": ["createRuntime"]}
        (folder / f"{i:05}.json").write_text(json.dumps(rule))
    return folder


def write_single_files(folder: Path, n: int, programs: Path | None = None) -> Path:
    """As write_sets, one file for each rule; programs: and one hook program for each, in this folder."""
    folder.mkdir(mode=0o755)
    if programs:
        programs.mkdir(mode=0o755)
    for i in range(n):
        program = PROGRAM
        if programs:
            program = str(programs / f"hook-{i}")
            Path(program).write_text("#!/bin/sh\nexit 0\n")
            Path(program).chmod(0o755)
        (folder / f"{i:05}.yaml").write_text(one_set(i, program=program))
    return folder


def _annotations(prefix: str, n: int) -> dict[str, str]:
    return {f"{prefix}.annotations.io/key-{i}": f"a value of usual length, number {i}" for i in range(n)}


def _mount(i: int) -> dict[str, Any]:
    return {
        "destination": f"/var/run/volumes/mount-{i}",
        "type": "bind",
        "source": f"/var/lib/kubelet/pods/0a1b2c3d/volumes/{i}",
        "options": ["rbind", "rprivate", "ro"],
    }


def request(image_known: bool = True) -> dict[str, Any]:
    """A container as kubelet makes them: 30 + 30 annotations, 20 labels, 60 variables, 25 mounts."""
    container_annotations = _annotations("runtime", 29 if image_known else 30)
    if image_known:
        container_annotations[IMAGE_ANNOTATION] = IMAGE
    pod = {
        "id": "5a7d0ab0e1a94a0f9b1c5b4b3c2d1e0f" * 2,
        "name": "web-6d4b75cb6d-x2x9k",
        "uid": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        "namespace": "prod",
        "annotations": _annotations("pod", 29) | {"hook-0.example.com": "enabled"},
        "labels": {f"example.com/label-{i}": f"value-{i}" for i in range(19)}
        | {"app.kubernetes.io/name": "web"},
    }
    container = {
        "id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0" * 2,
        "podSandboxId": pod["id"],
        "name": "web",
        "annotations": container_annotations,
        "args": ["/usr/bin/server", "--listen", ":8080"],
        "env": [f"SERVICE_{i}_ADDRESS=tcp://10.96.0.{i}:8080" for i in range(60)],
        "mounts": [_mount(i) for i in range(25)],
    }
    return {"pod": pod, "container": container}
