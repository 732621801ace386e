# SPDX-License-Identifier: Apache-2.0
"""Grapnel as a plain DaemonSet, without a chart: the least that works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from .cluster import Cluster
from .instance import Instance
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


class Grapnel(Instance):
    """The DaemonSet in a namespace of its own, with its rules and settings in ConfigMaps."""

    def __init__(self, cluster: Cluster, namespace: str):
        super().__init__(cluster, namespace, NAME, f"app={NAME}")

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
        daemonset = self.daemonset()
        spec = daemonset["spec"]["template"]["spec"]
        (shared,) = (volume for volume in spec["volumes"] if volume["name"] == "shared")
        shared["hostPath"]["path"] = "/"
        (mount,) = (mount for mount in spec["containers"][0]["volumeMounts"]
                    if mount["name"] == "shared")  # fmt: skip
        mount["mountPath"] = HOST_ROOT
        self.cluster.apply(daemonset)
        self.rolled_out()

    def install(self) -> None:
        """Returns when it is ready on the node."""
        self.set_rules(wanted=self.rule("wanted", {"podAnnotations": WANTED}))
        settings = {"config.yaml": SETTINGS.format(namespace=self.namespace)}
        self.cluster.apply(config_map("settings", self.namespace, settings), self.daemonset())
        self.rolled_out()

    def daemonset(self) -> Object:
        strategy = {"maxSurge": 1, "maxUnavailable": 0}
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


@contextmanager
def installed(cluster: Cluster) -> Iterator[Grapnel]:
    """Gone afterwards, with what it kept on the node."""
    with cluster.namespace("grapnel") as namespace:
        grapnel = Grapnel(cluster, namespace)
        grapnel.install()
        yield grapnel
    cluster.host.run(["rm", "-rf", RUN_DIR])
