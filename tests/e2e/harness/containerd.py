# SPDX-License-Identifier: Apache-2.0
"""containerd 1.7 and 2.x."""

from __future__ import annotations

import json
from pathlib import Path

from .host import Cgroups, Host
from .runtime import CRUN, IMAGE_PAUSE, LowLevel, Runtime

# The CRI plugin was split in containerd 2, and its tables moved. restrict_oom_score_adj: without
# CAP_SYS_RESOURCE (containers, CI) nobody can lower the OOM score that sandboxes ask for.
CONFIG_2 = """\
version = 3
root = {root}
state = {state}

[grpc]
address = {socket}

[plugins.'io.containerd.internal.v1.opt']
path = {opt}

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = {pause}

[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
disable_cgroup = false
enable_cdi = true
cdi_spec_dirs = [{cdi_dir}]

[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = 'test'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.test]
runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.test.options]
BinaryName = {low_level}

[plugins.'io.containerd.nri.v1.nri']
disable = false
socket_path = {nri_socket}
plugin_path = {plugin_dir}
plugin_config_path = {plugin_config_dir}
"""

CONFIG_1 = """\
version = 2
root = {root}
state = {state}

[grpc]
address = {socket}

[plugins.'io.containerd.internal.v1.opt']
path = {opt}

[plugins.'io.containerd.grpc.v1.cri']
sandbox_image = {pause}
restrict_oom_score_adj = true
enable_cdi = true
cdi_spec_dirs = [{cdi_dir}]

[plugins.'io.containerd.grpc.v1.cri'.containerd]
default_runtime_name = 'test'

[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.test]
runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.test.options]
BinaryName = {low_level}

[plugins.'io.containerd.nri.v1.nri']
disable = false
socket_path = {nri_socket}
plugin_path = {plugin_dir}
plugin_config_path = {plugin_config_dir}
"""


class Containerd(Runtime):
    """A containerd of its own: root, state, sockets, NRI, all below the host's folder."""

    def __init__(self, host: Host, version: str, low_level: LowLevel):
        self.version = version
        super().__init__(host, f"containerd-{version}", low_level)

    def _configure(self) -> None:
        values = {
            "root": self.work / "root",
            "state": self.work / "state",
            "opt": self.work / "opt",
            "socket": self.socket,
            "pause": IMAGE_PAUSE,
            "cdi_dir": self.cdi_dir,
            "low_level": self.low_level.binary,
            "nri_socket": self.nri_socket,
            "plugin_dir": self.plugin_dir,
            "plugin_config_dir": self.plugin_config_dir,
        }
        template = CONFIG_1 if self.version.startswith("1.") else CONFIG_2
        # A JSON string is a TOML basic string.
        quoted = {key: json.dumps(str(value)) for key, value in values.items()}
        text = template.format(**quoted) + self._validator_table()
        (self.work / "config.toml").write_text(text)

    def _validator_table(self) -> str:
        if not self._validator:
            return ""
        return (
            "\n[plugins.'io.containerd.nri.v1.nri'.default_validator]\nenable = true\n"
            f"required_plugins = {json.dumps(self._validator.required)}\n"
            f"tolerate_missing_plugins_annotation = {json.dumps(self._validator.tolerate)}\n"
            f"reject_oci_hook_adjustment = {json.dumps(self._validator.reject_hooks)}\n"
        )

    def _argv(self) -> list[str]:
        # The daemon looks for its shim beside itself.
        return [str(self.folder / "containerd"), "--config", str(self.work / "config.toml")]

    def load(self, archive: Path) -> None:
        ctr = str(self.folder / "ctr")
        self.host.run(
            [ctr, "-a", str(self.socket), "-n", "k8s.io", "images", "import", str(archive)]
        )

    def bundle(self, container_id: str) -> Path:
        return self.work / "state" / "io.containerd.runtime.v2.task" / "k8s.io" / container_id


def cgroups_for(low_level: LowLevel) -> Cgroups:
    """crun does not run in the hybrid layout that systemd hosts of the v1 era have."""
    return Cgroups.V1_ONLY if low_level is CRUN else Cgroups.AS_IS
