# SPDX-License-Identifier: Apache-2.0
"""The node: containerd with a pod network, and the kubelet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.containerd import Containerd
from harness.host import Host
from harness.janitor import CGROUP_ROOT
from harness.procs import Process
from harness.runtime import RUNC

from .control import NODE_ADDRESS, POD_SUBNET

NODE = "node1"
CNI_PLUGINS = Path("/usr/lib/cni")

# The kubelet sets these on the whole machine, which is not ours: it gets files of its own instead,
# with the values that it wants.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}
SETUP = [
    # As systemd has it, and as volumes need it that show what is mounted later.
    "mount --make-rshared /",
    # Links to the logs of containers.
    "mount -t tmpfs -o mode=755 tmpfs /var/log",
    # Hook programs that are delivered to the node.
    "mount -t tmpfs -o mode=755 tmpfs /opt",
    "mkdir /run/kernel",
    *(
        f"echo {value} >/run/kernel/{name.replace('/', '.')}\n"
        f"mount --bind /run/kernel/{name.replace('/', '.')} /proc/sys/{name}"
        for name, value in KERNEL_SETTINGS.items()
    ),
]


class NodeContainerd(Containerd):
    """containerd as of the other tests, and every pod gets an address of its own."""

    def __init__(self, host: Host, version: str):
        super().__init__(host, version, RUNC)
        # Where a node has it, for those who are not told another place.
        host.run(["mkdir", "/run/nri"])
        host.run(["mount", "--bind", str(self.nri_socket.parent), "/run/nri"])

    def _configure(self) -> None:
        super()._configure()
        folder = self.work / "cni"
        folder.mkdir(mode=0o755, exist_ok=True)
        ipam = {
            "type": "host-local",
            "subnet": POD_SUBNET,
            "dataDir": str(self.work / "cni-data"),
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        ptp = {"type": "ptp", "ipMasq": False, "ipam": ipam}
        network = {"cniVersion": "0.4.0", "name": "ptp", "plugins": [ptp]}
        (folder / "10-ptp.conflist").write_text(json.dumps(network))
        with (self.work / "config.toml").open("a") as out:
            out.write(
                "\n[plugins.'io.containerd.cri.v1.runtime'.cni]\n"
                f"bin_dirs = [{json.dumps(str(CNI_PLUGINS))}]\nconf_dir = {json.dumps(str(folder))}\n"
            )


class Kubelet:
    """One kubelet; it can be started again with other taints."""

    def __init__(self, host: Host, program: Path, runtime: Containerd, kubeconfig: Path):
        self._host = host
        self._program = program
        self._runtime = runtime
        self._kubeconfig = kubeconfig
        self.folder = host.path / "kubelet"
        self.folder.mkdir(mode=0o755)
        self._process: Process | None = None

    def _config(self, taints: list[dict[str, str]]) -> dict[str, Any]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{self._runtime.socket}",
            "cgroupDriver": "cgroupfs",
            # Below the host's own, so that they go with it.
            "cgroupRoot": self._host.cgroup_parent,
            "cgroupsPerQOS": True,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "localStorageCapacityIsolation": False,
            "evictionHard": {"memory.available": "1Mi", "nodefs.available": "1Mi",
                             "imagefs.available": "1Mi", "nodefs.inodesFree": "1"},
            "imageGCHighThresholdPercent": 100,
            "address": "0.0.0.0",
            "clusterDNS": ["127.0.0.1"],
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "makeIPTablesUtilChains": False,
            "protectKernelDefaults": True,
            "podLogsDir": str(self._host.path / "pod-logs"),
            "volumePluginDir": str(self.folder / "volume-plugins"),
            "registerWithTaints": taints,
            # What a test waits for: ConfigMaps in pods, pods that have ended, the node's state.
            "syncFrequency": "1s",
            "nodeStatusUpdateFrequency": "1s",
        }  # fmt: skip

    def start(self, taints: list[dict[str, str]] | None = None) -> None:
        """The taints count where the node is not registered yet."""
        for top in CGROUP_ROOT.iterdir():
            if top.is_dir() and not top.is_symlink():
                (top / self._host.cgroup_parent.lstrip("/")).mkdir(exist_ok=True)
        config = self.folder / "config.json"
        config.write_text(json.dumps(self._config(taints or [])))
        self._process = self._host.start(
            [str(self._program), f"--config={config}", f"--kubeconfig={self._kubeconfig}",
             f"--root-dir={self.folder / 'root'}", f"--cert-dir={self.folder / 'certificates'}",
             f"--hostname-override={NODE}", f"--node-ip={NODE_ADDRESS}"],
            "kubelet.log",
        )  # fmt: skip

    def stop(self) -> None:
        """Pods go on without it."""
        if self._process:
            self._process.terminate()

    def describe(self) -> str:
        return self._process.describe() if self._process else "the kubelet was never started"
