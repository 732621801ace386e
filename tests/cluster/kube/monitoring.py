# SPDX-License-Identifier: Apache-2.0
"""What scrapes Grapnel where there is a Prometheus Operator: its kinds, and what they select."""

from __future__ import annotations

from dataclasses import dataclass

from .cluster import Cluster
from .manifests import Object, container, pod

# Kinds that others bring into a cluster.
KINDS = {
    "PodMonitor": "monitoring.coreos.com",
    "ServiceMonitor": "monitoring.coreos.com",
    "PrometheusRule": "monitoring.coreos.com",
    "VerticalPodAutoscaler": "autoscaling.k8s.io",
}


def kinds() -> list[Object]:
    """Their definitions, without the schemas: tests/charts looks at the objects with those."""
    return [_kind(kind, group) for kind, group in KINDS.items()]


def _kind(kind: str, group: str) -> Object:
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    # The group is protected: the API server wants to know who approved of it.
    approved = {"api-approved.kubernetes.io": "unapproved, test-only"} if group.endswith("k8s.io") else {}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": approved},
        "spec": {"group": group, "scope": "Namespaced", "versions": [version],
                 "names": {"kind": kind, "plural": plural, "singular": kind.lower()}},
    }  # fmt: skip


@dataclass(frozen=True)
class Monitors:
    """Those of a namespace."""

    cluster: Cluster
    namespace: str

    def _get(self, *args: str) -> list[Object]:
        items: list[Object] = self.cluster.get(*args, "-n", self.namespace)["items"]
        return items

    def _selected(self, kind: str, monitor: Object) -> list[Object]:
        assert set(monitor["spec"]["selector"]) == {"matchLabels"}
        wanted = monitor["spec"]["selector"]["matchLabels"]
        return self._get(kind, "-l", ",".join(f"{key}={value}" for key, value in wanted.items()))

    def of_pods(self) -> list[str]:
        """The addresses that the only PodMonitor makes Prometheus scrape."""
        (monitor,) = self._get("podmonitors")
        return [
            f"http://{found['status']['podIP']}:{port['containerPort']}{endpoint['path']}"
            for endpoint in monitor["spec"]["podMetricsEndpoints"]
            for found in self._selected("pods", monitor)
            for own in found["spec"]["containers"]
            for port in own.get("ports", [])
            if port["name"] == endpoint["port"]
        ]

    def of_services(self) -> list[str]:
        """The same of the only ServiceMonitor."""
        (monitor,) = self._get("servicemonitors")
        return [
            f"http://{address}:{port['port']}{endpoint['path']}"
            for endpoint in monitor["spec"]["endpoints"]
            for service in self._selected("services", monitor)
            for found in self._get("endpointslices", "-l", f"kubernetes.io/service-name={service['metadata']['name']}")
            for port in found["ports"]
            if port["name"] == endpoint["port"]
            for ready in found["endpoints"]
            for address in ready["addresses"]
        ]


def scraped(cluster: Cluster, name: str, namespace: str, url: str) -> dict[str, float]:
    """What a new pod of that name gets there: a value for each series."""
    command = ["/bin/busybox", "wget", "-q", "-O", "-", url]
    cluster.apply(pod(name, namespace, containers=[container(command=command)]))
    cluster.succeeded(name, namespace)
    lines = cluster.kubectl("logs", name, "-n", namespace).splitlines()
    series = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {what: float(value) for what, _, value in series}
