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
hooks_dir = []
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


class Crio(Runtime):
    """A CRI-O of its own: storage, state, sockets, NRI, all below the host's folder."""

    def __init__(self, host: Host, version: str, low_level: LowLevel):
        self.version = version
        super().__init__(host, f"crio-{version}", low_level)

    def _configure(self) -> None:
        conmon = shutil.which("conmon")
        assert conmon, "conmon is not there: install it (tests/setup/packages-e2e)"
        policy = self.work / "policy.json"
        policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        names = ("root", "runroot", "log_dir", "version_file", "version_file_persist", "clean_shutdown_file",
                 "namespaces_dir", "exits_dir", "attach_dir", "low_level_root", "policy_dir",
                 "network_dir")  # fmt: skip
        values = {name: self.work / f"crio-{name}" for name in names} | {
            "socket": self.socket,
            "pinns": self.folder / "pinns",
            "low_level": self.low_level.binary,
            "conmon": Path(conmon),
            "pause": IMAGE_PAUSE,
            "policy": policy,
            "nri_socket": self.nri_socket,
            "plugin_dir": self.plugin_dir,
            "plugin_config_dir": self.plugin_config_dir,
        }
        values["network_dir"].mkdir()
        values["policy_dir"].mkdir()
        quoted = {key: json.dumps(str(value)) for key, value in values.items()}
        (self.work / "crio.conf").write_text(CONFIG.format(**quoted))

    def _argv(self) -> list[str]:
        return [str(self.folder / "crio"), "--config", str(self.work / "crio.conf"), "--config-dir", ""]

    def _load(self, archive: Path) -> None:
        self.host.run(
            ["podman", "--root", str(self.work / "crio-root"), "--runroot", str(self.work / "crio-runroot"),
             "--storage-driver", "vfs", "load", "-i", str(archive)]
        )  # fmt: skip

    def bundle(self, container_id: str) -> Path:
        return self.work / "crio-runroot" / "vfs-containers" / container_id / "userdata"
