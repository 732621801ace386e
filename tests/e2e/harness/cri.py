# SPDX-License-Identifier: Apache-2.0
"""Pods and containers through CRI, by crictl."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

# The values of the CRI enum NamespaceMode that are used here.
NAMESPACE_CONTAINER = 1
NAMESPACE_NODE = 2


class CriError(Exception):
    """A CRI call that the runtime refused; the text is what kubelet would show."""


@dataclass
class PodSpec:
    """What a test may choose about a pod; everything else is what makes it run here."""

    name: str
    namespace: str = "default"
    annotations: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


@dataclass
class ContainerSpec:
    """What a test may choose about a container."""

    image: str
    name: str = "main"
    args: list[str] = field(default_factory=lambda: ["sleep", "3600"])
    env: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    mounts: list[tuple[Path, Path]] = field(default_factory=list)
    read_only: list[tuple[Path, Path]] = field(default_factory=list)  # mounts as well
    # args are those of busybox, or of what the image starts by itself.
    command: list[str] = field(default_factory=lambda: ["/bin/busybox"])
    # More of CRI's LinuxContainerSecurityContext.
    security: dict[str, Any] = field(default_factory=dict)


class Cri:
    """One runtime's CRI socket. No CNI here: every pod uses the host's network."""

    def __init__(self, crictl: Path, socket: Path, work: Path, cgroup_parent: str):
        self._crictl = crictl
        self._socket = socket
        self._work = work
        self._cgroup_parent = cgroup_parent
        self._serial = count()
        self._config = work / "crictl.yaml"
        self._config.write_text("")

    def call(self, *args: str, timeout: float = 60) -> str:
        """Runs one crictl command; what the runtime refuses becomes a CriError with its text."""
        endpoint = f"unix://{self._socket}"
        argv = [str(self._crictl), "--config", str(self._config), "-r", endpoint, "-i", endpoint,
                f"--timeout={int(timeout)}s", *args]  # fmt: skip
        run = subprocess.run(
            argv, capture_output=True, text=True, timeout=timeout + 10, check=False
        )
        if run.returncode != 0:
            raise CriError(run.stderr.strip() or run.stdout.strip())
        return run.stdout.strip()

    def ready(self) -> bool:
        """Whether the runtime answers; it does so only after launched plugins had their turn."""
        try:
            self.call("version", timeout=5)
        except (CriError, subprocess.TimeoutExpired):
            return False
        return True

    def images(self) -> set[str]:
        """All names that the runtime's image store knows."""
        listed = json.loads(self.call("images", "-o", "json"))
        return {tag for image in listed["images"] for tag in image["repoTags"]}

    def _file(self, kind: str, content: dict[str, object]) -> str:
        path = self._work / f"{kind}-{next(self._serial)}.json"
        path.write_text(json.dumps(content))
        return str(path)

    def _pod_file(self, spec: PodSpec) -> str:
        logs = self._work / "logs"
        logs.mkdir(exist_ok=True)
        namespaces = {"network": NAMESPACE_NODE, "pid": NAMESPACE_CONTAINER}
        return self._file(
            "pod",
            {
                "metadata": {
                    "name": spec.name,
                    "namespace": spec.namespace,
                    "uid": spec.name + "-uid",
                },
                "annotations": spec.annotations,
                "labels": spec.labels,
                "log_directory": str(logs),
                "linux": {
                    "cgroup_parent": self._cgroup_parent,
                    "security_context": {"namespace_options": namespaces},
                },
            },
        )

    def _container_file(self, spec: ContainerSpec) -> str:
        namespaces = {"network": NAMESPACE_NODE, "pid": NAMESPACE_CONTAINER}
        return self._file(
            "container",
            {
                "metadata": {"name": spec.name},
                # kubelet tells the runtime what the pod's author wrote in the second field.
                "image": {"image": spec.image, "user_specified_image": spec.image},
                "command": spec.command,
                "args": spec.args,
                "envs": [{"key": key, "value": value} for key, value in spec.env.items()],
                "annotations": spec.annotations,
                "labels": spec.labels,
                "log_path": f"{spec.name}.log",
                "mounts": [
                    {"host_path": str(host), "container_path": str(path), "readonly": read_only}
                    for mounts, read_only in ((spec.mounts, False), (spec.read_only, True))
                    for host, path in mounts
                ],
                "linux": {"security_context": {"namespace_options": namespaces, **spec.security}},
            },
        )

    def inspect(self, container_id: str) -> str:
        """What the runtime tells of a container, as crictl prints it."""
        return self.call("inspect", container_id)

    def inspect_pod(self, pod_id: str) -> str:
        """The same of a pod sandbox."""
        return self.call("inspectp", pod_id)

    def run(self, pod: PodSpec, container: ContainerSpec) -> Running:
        """Pod sandbox, container, start. Where a step fails, the pod is removed first."""
        pod_file = self._pod_file(pod)
        pod_id = self.call("runp", pod_file)
        try:
            container_id = self.call(
                "create", "--no-pull", pod_id, self._container_file(container), pod_file
            )
            self.call("start", container_id)
        except BaseException:
            self.remove_pod(pod_id)
            raise
        return Running(self, pod_id, container_id)

    def remove_pod(self, pod_id: str) -> None:
        """Stops and removes the pod with its containers."""
        self.call("stopp", pod_id)
        self.call("rmp", "--force", pod_id)


@dataclass
class Running:
    """A started container; leaving the `with` block stops and removes it."""

    cri: Cri
    pod_id: str
    container_id: str

    def __enter__(self) -> Running:
        return self

    def inside(self, *argv: str) -> str:
        """The output of a busybox applet in the container."""
        return self.cri.call("exec", "--sync", self.container_id, "/bin/busybox", *argv)

    def info(self) -> dict[str, Any]:
        """What the runtime tells beside the status, among it pid and runtimeSpec."""
        info: dict[str, Any] = json.loads(self.cri.inspect(self.container_id))["info"]
        return info

    def spec(self) -> dict[str, Any]:
        """The OCI config.json that the runtime made, as it tells it."""
        spec: dict[str, Any] = self.info()["runtimeSpec"]
        return spec

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Stops the container, so that poststop hooks run, and removes all."""
        self.cri.call("stop", "--timeout", "0", self.container_id)
        self.cri.call("rm", self.container_id)
        self.cri.remove_pod(self.pod_id)
