# SPDX-License-Identifier: Apache-2.0
"""CRI-O."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .host import Host
from .runtime import IMAGE_PAUSE, LowLevel, Runtime

CONFIG = """\
[crio]
root = {root}
runroot = {runroot}
storage_driver = "vfs"
log_dir = {log_dir}
version_file = {version_file}
version_file_persist = {version_file_persist}
clean_shutdown_file = {clean_shutdown_file}

[crio.api]
listen = {socket}
stream_address = "127.0.0.1"
stream_port = "0"

[crio.runtime]
default_runtime = "test"
cgroup_manager = "cgroupfs"
conmon_cgroup = "pod"
pinns_path = {pinns}
namespaces_dir = {namespaces_dir}
container_exits_dir = {exits_dir}
container_attach_socket_dir = {attach_dir}
hooks_dir = {hooks_dirs}
cdi_spec_dirs = [{cdi_dir}]
disable_hostport_mapping = true
log_level = "info"

[crio.runtime.runtimes.test]
runtime_path = {low_level}
runtime_root = {low_level_root}
monitor_path = {conmon}
monitor_cgroup = "pod"

[crio.image]
pause_image = {pause}
pause_command = "/pause"
signature_policy = {policy}
signature_policy_dir = {policy_dir}

[crio.network]
network_dir = {network_dir}
plugin_dirs = [{network_dir}]

[crio.nri]
enable_nri = true
nri_listen = {nri_socket}
nri_plugin_dir = {plugin_dir}
nri_plugin_config_dir = {plugin_config_dir}
"""

# Everything that would else lie in the host's own folders.
OWN_PATHS = [
    "root",
    "runroot",
    "log_dir",
    "version_file",
    "version_file_persist",
    "clean_shutdown_file",
    "namespaces_dir",
    "exits_dir",
    "attach_dir",
    "low_level_root",
    "policy_dir",
    "network_dir",
]


class Crio(Runtime):
    """A CRI-O of its own: storage, state, sockets, NRI, all below the host's folder."""

    def __init__(self, host: Host, version: str, low_level: LowLevel):
        self.version = version
        self._hooks_dirs: list[Path] = []
        super().__init__(host, f"crio-{version}", low_level)

    def _configure(self) -> None:
        conmon = shutil.which("conmon")
        assert conmon, "conmon is not there: install it (tests/setup/packages-e2e)"
        policy = self.work / "policy.json"
        policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        values: dict[str, object] = {name: self.work / f"crio-{name}" for name in OWN_PATHS}
        values |= {
            "socket": self.socket,
            "cdi_dir": self.cdi_dir,
            "pinns": self.folder / "pinns",
            "low_level": self.low_level.binary,
            "conmon": Path(conmon),
            "pause": IMAGE_PAUSE,
            "policy": policy,
            "nri_socket": self.nri_socket,
            "plugin_dir": self.plugin_dir,
            "plugin_config_dir": self.plugin_config_dir,
        }
        for name in ("network_dir", "policy_dir"):
            (self.work / f"crio-{name}").mkdir(exist_ok=True)
        quoted = {key: json.dumps(str(value)) for key, value in values.items()}
        quoted["hooks_dirs"] = json.dumps([str(folder) for folder in self._hooks_dirs])
        (self.work / "crio.conf").write_text(CONFIG.format(**quoted) + self._validator_table())

    def _validator_table(self) -> str:
        if not self._validator:
            return ""
        return (
            "\n[crio.nri.default_validator]\nnri_enable_default_validator = true\n"
            f"nri_validator_required_plugins = {json.dumps(self._validator.required)}\n"
            "nri_validator_tolerate_missing_plugins_annotation = "
            f"{json.dumps(self._validator.tolerate)}\n"
            "nri_validator_reject_oci_hook_adjustment = "
            f"{json.dumps(self._validator.reject_hooks)}\n"
        )

    def read_hooks(self, folders: list[Path]) -> None:
        """Restarts with these folders of oci-hooks(5) files, which CRI-O itself then reads."""
        self._hooks_dirs = folders
        self._configure()
        self.stop()
        self.start()

    def _argv(self) -> list[str]:
        return [
            str(self.folder / "crio"),
            "--config",
            str(self.work / "crio.conf"),
            "--config-dir",
            "",
        ]

    def load(self, archive: Path) -> None:
        root, run_root = self.work / "crio-root", self.work / "crio-runroot"
        podman = ["podman", "--root", str(root), "--runroot", str(run_root)]
        self.host.run([*podman, "--storage-driver", "vfs", "load", "-i", str(archive)])

    def bundle(self, container_id: str) -> Path:
        return self.work / "crio-runroot" / "vfs-containers" / container_id / "userdata"
