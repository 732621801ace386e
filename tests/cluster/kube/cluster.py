# SPDX-License-Identifier: Apache-2.0
"""The cluster as the tests use it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from harness import cache
from harness.host import Host
from harness.janitor import CGROUP_ROOT
from harness.records import RecordLog
from harness.wait import tail, until

from . import control, node, stock
from .control import ControlPlane
from .node import NODE, Kubelet, NodeContainerd

# Generous: the machine may be busy with other suites.
LIMIT_S = 180.0


class Cluster:
    """One node with everything that a cluster has, in one private host."""

    def __init__(self, host: Host):
        self.host = host
        self.binaries = cache.fetched(stock.KUBERNETES)
        self.control = ControlPlane(host, self.binaries)
        self.runtime = NodeContainerd(host, "2.3.4")
        self.kubelet = Kubelet(
            host, self.binaries / "kubelet", self.runtime, self.control.kubeconfig
        )
        # Hook programs and what they record: at one path on the node and, mounted, in pods.
        self.shared = host.path / "shared"
        self.shared.mkdir(mode=0o755)
        self.log = RecordLog(self.shared / "records.jsonl")
        self.recorder = Path(shutil.copy(cache.fetched("helpers") / "hook-record", self.shared))
        self.took_s = 0.0
        self._serial = count()

    def start(self, image: Path | None = None) -> None:
        """Returns when the node is ready and the images of all tests are there; `image` is an archive
        of Grapnel that takes the place of the program under test."""
        begin = time.monotonic()
        self.control.begin()
        self.runtime.start()
        self.runtime.load_images()
        self.load_image(image or stock.grapnel().write(self.host.path))
        self.control.finish()
        self.kubelet.start()
        self._until_ready()
        self.took_s = time.monotonic() - begin

    def _until_ready(self) -> None:
        def ready() -> bool:
            path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
            found = self.control.kubectl("get", "node", NODE, "-o", path, check=False)
            return found.stdout == "True"

        until(ready, "the node is ready", LIMIT_S, self.describe)

    @property
    def root(self) -> Path:
        """The node's `/`, with its own /run and /var."""
        return Path(f"/proc/{self.host.pid}/root")

    def host_cgroup(self, name: str) -> Path:
        """A control group of that name beside those of pods; gone with the host."""
        top = next(top for top in (CGROUP_ROOT / "systemd", CGROUP_ROOT) if (top / "cgroup.procs").exists())
        group = top / self.host.cgroup_parent.lstrip("/") / name
        group.mkdir(parents=True, exist_ok=True)
        return group

    def load_image(self, archive: Path) -> None:
        """Puts a docker or OCI archive into the node's image store."""
        self.runtime.load(archive)

    def pinned(self, name: str) -> str:
        """The digest of an image that is there, by which it can be named then, as after a pull."""
        ctr = [str(self.runtime.folder / "ctr"), "-a", str(self.runtime.socket), "-n", "k8s.io", "images"]
        listed = self.host.run([*ctr, "ls", f"name=={name}"]).split()
        (digest,) = (word for word in listed if word.startswith("sha256:"))
        self.host.run([*ctr, "tag", "--force", name, f"{name.rsplit(':', 1)[0]}@{digest}"])
        return digest

    def crictl(self, *args: str) -> str:
        return self.runtime.cri.call(*args)

    def kubectl(self, *args: str, stdin: str = "", timeout: float = LIMIT_S) -> str:
        """The stdout of kubectl; the test fails, with what goes on in the cluster, where it does."""
        done = self.control.kubectl(*args, stdin=stdin, timeout=timeout + 30, check=False)
        if done.returncode != 0:
            command = " ".join(args)
            raise AssertionError(
                f"kubectl {command}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.describe()}"
            )
        return done.stdout

    def refused(self, *args: str, stdin: str = "") -> str:
        """What kubectl says on stderr when it must not succeed."""
        done = self.control.kubectl(*args, stdin=stdin, check=False)
        assert done.returncode != 0, f"kubectl {' '.join(args)} succeeded:\n{done.stdout}"
        return done.stderr

    @cached_property
    def _helm(self) -> Path:
        listed = subprocess.run([str(cache.E2E / "fetch"), "--list"],
                                capture_output=True, text=True, check=True)  # fmt: skip
        return cache.fetched(next(n for n in listed.stdout.split() if n.startswith("helm-")))

    def helm(self, *args: str, stdin: str = "", timeout: float = LIMIT_S) -> str:
        """The stdout of helm; the test fails where it does."""
        return self.control.client(self._helm / "helm", *args, stdin=stdin, timeout=timeout).stdout

    def helm_says(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Whatever comes of it."""
        return self.control.client(self._helm / "helm", *args,
                                   stdin=stdin, timeout=LIMIT_S, check=False)  # fmt: skip

    def shell(self, folder: Path, script: str, timeout: float) -> subprocess.CompletedProcess[str]:
        """What an administrator types, who has kubectl and helm: stdout and stderr are one."""
        return subprocess.run(
            self.host.inside(["sh", "-euc", f"cd '{folder}'\n{script}"]), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False,
            env=self.control.environment(self.binaries, self._helm),
        )  # fmt: skip

    def apply(self, *objects: dict[str, Any]) -> None:
        """Objects as kubectl would read them from a file."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def get(self, *args: str) -> Any:
        """`kubectl get … -o json`."""
        return json.loads(self.kubectl("get", *args, "-o", "json"))

    def until(self, probe: Callable[[], Any], what: str, timeout: float = LIMIT_S) -> Any:
        """Polls, and shows the cluster when time is up."""
        return until(probe, what, timeout, self.describe)

    def rolled_out(self, what: str, namespace: str) -> None:
        """Returns when a DaemonSet or Deployment is as it should be."""
        self.kubectl("rollout", "status", what, "-n", namespace, f"--timeout={LIMIT_S:.0f}s")

    def is_ready(self, pod: str, namespace: str) -> None:
        """Returns when the pod's containers run and are ready."""
        self.kubectl("wait", "--for=condition=Ready", f"pod/{pod}", "-n", namespace,
                     f"--timeout={LIMIT_S:.0f}s")  # fmt: skip

    def succeeded(self, pod: str, namespace: str) -> None:
        """Returns when the pod's containers have ended, each with status 0."""
        self.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{pod}",
                     "-n", namespace, f"--timeout={LIMIT_S:.0f}s")  # fmt: skip

    def container_id(self, pod: str, namespace: str) -> str:
        """Of the first container of a pod, as the runtime and hooks know it."""
        path = "jsonpath={.status.containerStatuses[0].containerID}"
        found = self.kubectl("get", "pod", pod, "-n", namespace, "-o", path)
        return found.removeprefix("containerd://")

    @contextmanager
    def namespace(self, stem: str, wait: bool = True) -> Iterator[str]:
        """A new namespace that pods can be made in; gone afterwards with all in it, or going if
        nothing that comes later needs to `wait` for that."""
        name = f"{stem}-{next(self._serial)}"
        self.kubectl("create", "namespace", name)
        try:
            # What controllers put into each.
            own = {"serviceaccount/default", "configmap/kube-root-ca.crt"}
            self.until(
                lambda: own <= set(self.kubectl("get", "sa,cm", "-n", name, "-o", "name").split()),
                f"{name} has its service account and the certificate of the API server",
            )
            yield name
        finally:
            self.kubectl("delete", "namespace", name, f"--wait={json.dumps(wait)}",
                         f"--timeout={LIMIT_S:.0f}s")  # fmt: skip

    def restart_runtime(self) -> None:
        """Containers go on, plugins lose their connection."""
        self.runtime.stop()
        self.runtime.start()

    def register_again(self, taints: list[dict[str, str]]) -> None:
        """The node joins as if it were new. Its pods stay: they are deleted where none comes in 40 s."""
        self.kubelet.stop()
        self.kubectl("delete", "node", NODE)
        self.kubelet.start(taints)
        self._until_ready()

    def describe(self) -> str:
        """Pods, events, and the last lines of every log."""
        asked = [
            ("get", "nodes,pods", "-A", "-o", "wide"),
            ("describe", "pods", "-A"),
            ("get", "events", "-A", "--sort-by=.lastTimestamp"),
        ]
        answers = []
        for args in asked:
            try:
                done = self.control.kubectl(*args, timeout=20, check=False)
                answers.append(f"--- kubectl {' '.join(args)}\n{done.stdout}{done.stderr}")
            except subprocess.TimeoutExpired:
                answers.append(f"--- kubectl {' '.join(args)}: no answer")
        logs = sorted((self.host.path / "pod-logs").glob("*/*/*.log"))
        return "\n".join([
            *answers, *(f"{log.parent}\n{tail(log)}" for log in logs), self.control.describe(),
            self.kubelet.describe(), self.runtime.describe(),
        ])  # fmt: skip


@contextmanager
def started(image: Path | None = None) -> Iterator[Cluster]:
    """A cluster that is gone afterwards, whatever happened; `image` as for its start."""
    with Host(network=True, more=[*control.NETWORK, *node.SETUP]) as host:
        cluster = Cluster(host)
        try:
            cluster.start(image)
        except Exception as e:
            raise AssertionError(f"no cluster: {e}\n{cluster.describe()}") from e
        yield cluster
