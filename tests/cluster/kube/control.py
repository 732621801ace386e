# SPDX-License-Identifier: Apache-2.0
"""etcd, API server, controller manager and scheduler, in the namespaces of one host."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.host import Host
from harness.procs import Process
from harness.wait import until

# Addresses of TEST-NET-2 (RFC 5737): nobody has them.
NODE_ADDRESS = "198.51.100.2"
POD_SUBNET = "198.51.100.64/26"
SERVICE_SUBNET = "198.51.100.128/25"
# The first of the services' addresses is that of the service "kubernetes". There is no kube-proxy:
# the node has the address itself, and the API server listens on the service's port.
API_ADDRESS = "198.51.100.129"
API_PORT = 443
TOKEN = "test"

# What the host needs inside its network namespace. One end of the veth pair is the node's, the other
# the world: a default route must lead somewhere.
NETWORK = [
    "ip link set lo up",
    "ip link add eth0 type veth peer name world0",
    "ip link set eth0 up",
    "ip link set world0 up",
    f"ip address add {NODE_ADDRESS}/26 dev eth0",
    "ip route add default via 198.51.100.1",
    f"ip address add {API_ADDRESS}/32 dev lo",
]


class ControlPlane:
    """Use begin() and, when there is nothing else to do, finish(); it ends with the host."""

    def __init__(self, host: Host, binaries: Path):
        self.host = host
        self._binaries = binaries
        self.folder = host.path / "control"
        self.folder.mkdir(mode=0o755)
        self.kubeconfig = self.folder / "kubeconfig"
        self._certificates = self.folder / "certificates"
        self.parts: list[Process] = []

    def _part(self, name: str, flags: dict[str, object]) -> Process:
        argv = [str(self._binaries / name), *(f"--{flag}={value}" for flag, value in flags.items())]
        self.parts.append(self.host.start(argv, f"{name}.log"))
        return self.parts[-1]

    def begin(self) -> None:
        """Starts what takes longest, and does not wait for it."""
        self._write_files()
        self._start_etcd()
        self._start_api_server()

    @contextmanager
    def without_api_server(self) -> Iterator[None]:
        """It crashes, and comes back afterwards; returns when it is ready."""
        self._api_server.kill()
        self.parts.remove(self._api_server)
        try:
            yield
        finally:
            self._start_api_server()
            until(self._api_ready, "the API server is ready again", 180, self.describe)

    def finish(self) -> None:
        """Returns when the API server is ready; the others may need a moment more."""
        until(self._api_ready, "the API server is ready", 180, self.describe)
        common = {"kubeconfig": self.kubeconfig, "leader-elect": "false"}
        self._part("kube-controller-manager", {
            **common,
            "service-account-private-key-file": self.folder / "accounts.key",
            # It signs its own certificate, and the file has the signer's as well.
            "root-ca-file": self._certificates / "apiserver.crt",
        })  # fmt: skip
        self._part("kube-scheduler", common)

    def _write_files(self) -> None:
        (self.folder / "tokens").write_text(f'{TOKEN},admin,admin,"system:masters"\n')
        key = ["openssl", "genrsa", "-out", str(self.folder / "accounts.key"), "2048"]
        subprocess.run(key, check=True, capture_output=True)
        named = "test"
        server = f"https://127.0.0.1:{API_PORT}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": named, "cluster": {"server": server, "insecure-skip-tls-verify": True}}
            ],
            "users": [{"name": named, "user": {"token": TOKEN}}],
            "contexts": [{"name": named, "context": {"cluster": named, "user": named}}],
            "current-context": named,
        }
        self.kubeconfig.write_text(json.dumps(config))

    def _start_etcd(self) -> None:
        client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
        self._part("etcd", {
            "data-dir": self.folder / "etcd",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "unsafe-no-fsync": "true",
        })  # fmt: skip

    def _start_api_server(self) -> None:
        self._api_server = self._part("kube-apiserver", {
            "etcd-servers": "http://127.0.0.1:2379",
            "bind-address": "0.0.0.0",
            "advertise-address": NODE_ADDRESS,
            "secure-port": API_PORT,
            "cert-dir": self._certificates,
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": self.folder / "accounts.key",
            "service-account-signing-key-file": self.folder / "accounts.key",
            "token-auth-file": self.folder / "tokens",
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            "allow-privileged": "true",
            "kubelet-preferred-address-types": "InternalIP",
            "service-cluster-ip-range": SERVICE_SUBNET,
        })  # fmt: skip

    def _api_ready(self) -> bool:
        for part in self.parts:
            assert part.running(), part.describe()
        try:
            return self.kubectl("get", "--raw", "/readyz", check=False).stdout == "ok"
        except subprocess.TimeoutExpired:
            return False

    def environment(self, *programs: Path) -> dict[str, str]:
        """Of somebody who administers this cluster, with the programs of these folders."""
        path = [*map(str, programs), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return {"PATH": ":".join(path), "HOME": str(self.folder), "KUBECONFIG": str(self.kubeconfig)}

    def kubectl(
        self, *args: str, stdin: str = "", timeout: float = 120, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Runs kubectl inside; where it fails, so does the test."""
        return self.client(self._binaries / "kubectl", *args,
                           stdin=stdin, timeout=timeout, check=check)  # fmt: skip

    def client(
        self, program: Path, *args: str, stdin: str = "", timeout: float = 120, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """The same for any program that talks with the API server."""
        done = subprocess.run(
            self.host.inside([str(program), *args]), input=stdin, capture_output=True, text=True,
            timeout=timeout, env=self.environment(), check=False,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise AssertionError(
                f"{program.name} {' '.join(args)} failed ({done.returncode}):\n"
                f"{done.stdout}{done.stderr}"
            )
        return done

    def describe(self) -> str:
        return "\n".join(part.describe() for part in self.parts)
