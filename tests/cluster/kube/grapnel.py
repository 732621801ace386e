# SPDX-License-Identifier: Apache-2.0
"""Grapnel as a plain DaemonSet, without a chart: the least that works."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .cluster import Cluster
from .manifests import WANTED, Object, config_map
from .stock import GRAPNEL, PROGRAM

NAME = "grapnel"
RUN_DIR = "/run/grapnel"
NRI_DIR = "/var/run/nri"
HOST_ROOT = "/host"

SETTINGS = """\
apiVersion: grapnel/v1beta1
kind: Config
spec:
  ownNamespace: {namespace}
"""
RULE = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: {name}}}
spec:
  match: {match}
  hooks:
    createRuntime:
      - path: {recorder}
        args: {args}
"""


class Grapnel:
    """The DaemonSet in a namespace of its own, with its rules and settings in ConfigMaps."""

    def __init__(self, cluster: Cluster, namespace: str):
        self.cluster = cluster
        self.namespace = namespace

    def rule(self, name: str, match: Object, fails: bool = False) -> str:
        """A set with a hook that records its run under the set's name, and perhaps fails then."""
        args = ["hook-record", "--log", str(self.cluster.log.path), "--tag", name,
                *(["--exit", "1"] if fails else [])]  # fmt: skip
        return RULE.format(name=name, match=json.dumps(match), args=json.dumps(args),
                           recorder=self.cluster.recorder)  # fmt: skip

    def set_rules(self, **texts: str) -> None:
        """Replaces all rule files; how soon the pods see them is the kubelet's affair."""
        files = {f"{name}.yaml": text for name, text in texts.items()}
        self.cluster.apply(config_map("rules", self.namespace, files))

    def see_host(self) -> None:
        """The node's whole `/`, read-only, instead of the programs' directory alone."""
        daemonset = self.daemonset(surge=True)
        spec = daemonset["spec"]["template"]["spec"]
        (shared,) = (volume for volume in spec["volumes"] if volume["name"] == "shared")
        shared["hostPath"]["path"] = "/"
        (mount,) = (mount for mount in spec["containers"][0]["volumeMounts"]
                    if mount["name"] == "shared")  # fmt: skip
        mount["mountPath"] = HOST_ROOT
        self.cluster.apply(daemonset)
        self.rolled_out()

    def findings(self) -> list[str]:
        """The codes of what is wrong with settings and rules."""
        return [finding["code"] for finding in self.status()["findings"]]

    def install(self, surge: bool = True) -> None:
        """Returns when it is ready on the node."""
        self.set_rules(wanted=self.rule("wanted", {"podAnnotations": WANTED}))
        settings = {"config.yaml": SETTINGS.format(namespace=self.namespace)}
        self.cluster.apply(config_map("settings", self.namespace, settings), self.daemonset(surge))
        self.rolled_out()

    def daemonset(self, surge: bool) -> Object:
        strategy = {"maxSurge": 1, "maxUnavailable": 0} if surge else {"maxUnavailable": 1}
        labels = {"app": NAME}
        return {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": NAME, "namespace": self.namespace},
            "spec": {
                "selector": {"matchLabels": labels},
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": strategy},
                "template": {"metadata": {"labels": labels}, "spec": self._pod()},
            },
        }

    def _pod(self) -> Object:
        shared = str(self.cluster.shared)
        host = {"nri": str(self.cluster.runtime.nri_socket.parent), "run": RUN_DIR, "shared": shared}
        types = {"run": "DirectoryOrCreate"}
        maps = ("rules", "settings")
        return {
            "automountServiceAccountToken": False,
            "priorityClassName": "system-node-critical",
            # One that hangs does not see SIGTERM.
            "terminationGracePeriodSeconds": 2,
            "tolerations": [{"operator": "Exists"}],
            "containers": [self._container(shared)],
            "volumes": [
                *({"name": name, "hostPath": {"path": path, "type": types.get(name, "Directory")}}
                  for name, path in host.items()),
                *({"name": name, "configMap": {"name": name}} for name in maps),
            ],
        }  # fmt: skip

    def _container(self, shared: str) -> Object:
        def probe(what: str) -> Object:
            return {"exec": {"command": [PROGRAM, "probe", what]}, "periodSeconds": 1,
                    "timeoutSeconds": 5, "failureThreshold": 10}  # fmt: skip

        return {
            "name": NAME,
            "image": GRAPNEL,
            "imagePullPolicy": "Never",
            "args": [
                "plugin", "--socket", f"{NRI_DIR}/{self.cluster.runtime.nri_socket.name}",
                "--hooks-dir", "/etc/grapnel/rules", "--config", "/etc/grapnel/settings/config.yaml",
                "--node-name", "$(NODE)", "--host-root", HOST_ROOT, "--last-good", "none",
            ],
            "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "securityContext": {
                "runAsUser": 0,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "livenessProbe": probe("live"),
            "readinessProbe": probe("ready"),
            "volumeMounts": [
                {"name": "nri", "mountPath": NRI_DIR},
                {"name": "run", "mountPath": RUN_DIR},
                {"name": "shared", "mountPath": HOST_ROOT + shared, "readOnly": True},
                {"name": "rules", "mountPath": "/etc/grapnel/rules", "readOnly": True},
                {"name": "settings", "mountPath": "/etc/grapnel/settings", "readOnly": True},
            ],
        }  # fmt: skip

    def rolled_out(self) -> None:
        """Returns when the only pods are those of the last template, and ready."""
        self.cluster.rolled_out(f"daemonset/{NAME}", self.namespace)
        self.cluster.until(lambda: len(self.pods()) == 1, "only the new pod is there")

    def roll(self) -> None:
        """`kubectl rollout restart`, to its end."""
        self.cluster.kubectl("rollout", "restart", f"daemonset/{NAME}", "-n", self.namespace)
        self.rolled_out()

    def pods(self) -> list[Object]:
        """Those that are there, terminating ones as well."""
        found: list[Object] = self.cluster.get("pods", "-n", self.namespace)["items"]
        return found

    def pod(self) -> Object:
        """The one of the node."""
        (only,) = self.pods()
        return only

    def identity(self) -> tuple[str, int]:
        """Changes with every new process: the pod's name and how often its container began anew."""
        pod = self.pod()
        return pod["metadata"]["name"], pod["status"]["containerStatuses"][0]["restartCount"]

    def signal(self, name: str) -> None:
        """To the plugin's process."""
        container_id = self.cluster.container_id(self.pod()["metadata"]["name"], self.namespace)
        pid = json.loads(self.cluster.crictl("inspect", container_id))["info"]["pid"]
        self.cluster.host.run(["kill", f"-{name}", str(pid)])

    def restarted(self, before: tuple[str, int]) -> bool:
        """Whether its container runs anew, and is ready."""
        (container,) = self.pod()["status"]["containerStatuses"]
        return bool(container["ready"]) and self.identity() != before

    def _exec(self, pod: str, *args: str) -> subprocess.CompletedProcess[str]:
        return self.cluster.control.kubectl("exec", "-n", self.namespace, pod, "--", PROGRAM, *args,
                                            check=False)  # fmt: skip

    def status(self, pod: str = "") -> Any:
        """`grapnel status -o json` in the pod; 1 says that it is not ready, which is an answer."""
        name = pod or self.pod()["metadata"]["name"]
        done = self._exec(name, "status", "-o", "json", "--all")
        assert done.returncode in (0, 1), done.stderr + self.cluster.describe()
        return json.loads(done.stdout)

    def answers(self, pod: str) -> bool:
        """Whether somebody answers at the control socket."""
        return self._exec(pod, "probe", "live").returncode == 0


@contextmanager
def installed(cluster: Cluster, surge: bool = True) -> Iterator[Grapnel]:
    """Gone afterwards, with what it kept on the node."""
    with cluster.namespace("grapnel") as namespace:
        grapnel = Grapnel(cluster, namespace)
        grapnel.install(surge)
        yield grapnel
    cluster.host.run(["rm", "-rf", RUN_DIR])
