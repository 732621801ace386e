# SPDX-License-Identifier: Apache-2.0
"""A machine with containerd 1.7 as its unit starts it, and the init container of the chart that switches NRI on."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from chart import Rendered  # tests/charts

from . import cache, images
from .cri import ContainerSpec, Cri, CriError, PodSpec
from .machine import UNIT
from .runtime import BUSYBOX, IMAGE_PAUSE, IMAGE_PLAIN, RUNC
from .unit import Unit
from .wait import until

VERSION = "1.7.27"
# Without these no container runs inside of a machine of this kind.
CRI = f"""\
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{IMAGE_PAUSE}"
  restrict_oom_score_adj = true
  disable_cgroup = true
"""
HOOKED = "/run/hooked"
SET = f"""\
spec:
  match: {{podAnnotations: {{wanted: "yes"}}}}
  hooks: {{createRuntime: [{{path: /usr/bin/touch, args: [touch, {HOOKED}]}}]}}
"""


@dataclass(frozen=True)
class Ended:
    """What an init container leaves."""

    code: int
    said: str


class OldNode:
    """Booted with a containerd that has that configuration, and grapnel.service, which waits for NRI."""

    def __init__(self, unit: Unit):
        self.unit = unit
        self.machine = unit.machine
        self.folder = self.machine.host.path
        unit.write_set("one", text=SET)
        unit.install_containerd(VERSION)
        # Tests restart it more often than systemd takes for healthy.
        unit.write_unit("containerd.service.d/often.conf", "[Unit]\nStartLimitIntervalSec=0\n")
        (self.machine.root / "etc/containerd").mkdir()
        self.machine.boot()
        self.machine.settle()
        self._prepare()

    def _prepare(self) -> None:
        self.cri = Cri(cache.fetched("crictl-1.36.0") / "crictl",
                       self.machine.root / "run/containerd/containerd.sock", self.folder, "/pods")  # fmt: skip
        folder = cache.fetched(f"containerd-{VERSION}")
        for program in (folder / "containerd-shim-runc-v2", folder / "ctr", RUNC.binary):
            shutil.copy(program, self.path("/usr/local/bin"))
        for file in ("/etc/hosts", "/etc/resolv.conf"):
            self.path(file).touch()
        # Where overlays can be made, and where the runtime writes logs.
        self.machine.run("sh", "-ec", "mkdir /var/lib/containerd; mount -t tmpfs tmpfs /var/lib/containerd")
        self.path(str(self.folder / "logs")).mkdir(parents=True)
        self.configure("version = 2\n" + CRI)
        self._load(IMAGE_PAUSE, {"pause": cache.fetched("helpers") / "pause"})
        for image in (IMAGE_PLAIN, self._shell()):
            self._load(image, {"bin/busybox": BUSYBOX, "bin/sh": BUSYBOX})
        self.machine.run("systemctl", "start", "--no-block", UNIT)

    def _load(self, name: str, files: dict[str, Path]) -> None:
        archive = self.path("/root/image.tar")
        images.write_archive(archive, [name], files, [f"/{next(iter(files))}"], {"test.image": name})
        self.machine.run("ctr", "-n", "k8s.io", "images", "import", "/root/image.tar")

    @staticmethod
    def _shell() -> str:
        name: str = Rendered({"enableNri": {"enabled": True}}).container("enable-nri")["image"]
        return name

    def path(self, of_node: str) -> Path:
        return self.machine.root / of_node.lstrip("/")

    def files(self) -> dict[str, tuple[int, str]]:
        """Of containerd's configuration: inode and text."""
        top = self.path("/etc/containerd")
        return {str(path.relative_to(top)): (path.stat().st_ino, path.read_text())
                for path in top.rglob("*") if path.is_file()}  # fmt: skip

    def configure(self, text: str | None) -> None:
        """There is this config.toml and nothing else; None: there is none. containerd starts with it."""
        shutil.rmtree(self.path("/etc/containerd"))
        self.path("/etc/containerd").mkdir()
        if text is not None:
            self.path("/etc/containerd/config.toml").write_text(text)
        self.restart()

    def restart(self) -> None:
        self.machine.run("systemctl", "restart", "containerd")
        until(self.cri.ready, "containerd serves CRI", 60, self.machine.describe)

    def starts(self) -> str:
        """Another one after every start of containerd."""
        return self.machine.show("InvocationID", "containerd.service")

    def nri_is_on(self) -> bool:
        """As the running containerd has it, which says so when it starts."""
        since = f"_SYSTEMD_INVOCATION_ID={self.starts()}"
        self.machine.run("journalctl", "--sync")
        text = self.machine.run("journalctl", "--no-pager", "-o", "cat", since)
        assert "containerd successfully booted" in text, text
        return "NRI interface is disabled" not in text

    def enable_nri(self, **values: object) -> Ended:
        """Runs the init container as the chart makes it of these values of enableNri."""
        rendered = Rendered({"enableNri": {"enabled": True, **values}})
        wanted = rendered.container("enable-nri")
        paths = {volume["name"]: volume["hostPath"]["path"] for volume in rendered.pod["volumes"]
                 if "hostPath" in volume}  # fmt: skip
        script = self.path("/root/enable-nri")
        script.mkdir(exist_ok=True)
        for name, text in rendered.one("ConfigMap", "g-grapnel-enable-nri")["data"].items():
            (script / name).write_text(text)
        paths["enable-nri"] = "/root/enable-nri"
        return self._ended(container_spec(wanted, paths))

    def _ended(self, container: ContainerSpec) -> Ended:
        log = self.path(str(self.folder / "logs" / f"{container.name}.log"))
        log.unlink(missing_ok=True)
        with self.cri.run(PodSpec("init"), container) as running:

            def status() -> dict[str, object] | None:
                try:
                    found = json.loads(running.cri.inspect(running.container_id))["status"]
                except CriError:
                    return None  # it restarts containerd
                return found if found["state"] == "CONTAINER_EXITED" else None

            found = until(status, "the init container has ended", 60, self.machine.describe)
        lines = [line.split(" ", 3)[3] for line in log.read_text().splitlines()]
        return Ended(found["exitCode"], "\n".join(lines) + "\n")

    def hook_runs(self) -> bool:
        """Whether a container that the rule matches gets its hook, and one that it does not match does not."""
        hooked = self.path(HOOKED)
        seen = []
        for annotations in ({}, {"wanted": "yes"}):
            hooked.unlink(missing_ok=True)
            with self.cri.run(PodSpec("pod", annotations=annotations), ContainerSpec(IMAGE_PLAIN)):
                seen.append(hooked.exists())
        assert not seen[0]
        return seen[1]


def container_spec(wanted: dict[str, object], paths: dict[str, str]) -> ContainerSpec:
    """A container of a pod as the kubelet asks the runtime for it; `paths` are those of its volumes."""
    container = json.loads(json.dumps(wanted))
    security = container["securityContext"]
    assert security["seccompProfile"] == {"type": "RuntimeDefault"} and not security["privileged"]
    asked = {
        "run_as_user": {"value": security["runAsUser"]},
        "readonly_rootfs": security["readOnlyRootFilesystem"],
        "no_new_privs": not security["allowPrivilegeEscalation"],
        "capabilities": {f"{verb}_capabilities": names for verb, names in security["capabilities"].items()},
        "seccomp": {"profile_type": 0},
    }
    if "appArmorProfile" in security:
        assert security["appArmorProfile"] == {"type": "Unconfined"}
        asked["apparmor"] = {"profile_type": 1}
    mounts: dict[bool, list[tuple[Path, Path]]] = {True: [], False: []}
    for mount in container["volumeMounts"]:
        mounts[mount.get("readOnly", False)].append((Path(paths[mount["name"]]), Path(mount["mountPath"])))
    return ContainerSpec(
        container["image"], container["name"], args=[], command=container["command"],
        env={entry["name"]: entry["value"] for entry in container["env"]},
        mounts=mounts[False], read_only=mounts[True], security=asked,
    )  # fmt: skip
