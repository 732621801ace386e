# SPDX-License-Identifier: Apache-2.0
"""Kubernetes objects that the tests create."""

from __future__ import annotations

from typing import Any

from harness.runtime import IMAGE_PLAIN

Object = dict[str, Any]

WANTED = {"cluster.example.com/hooks": "wanted"}


def config_map(name: str, namespace: str, data: dict[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def container(name: str = "main", **more: Any) -> Object:
    """One that does nothing until it is told to end."""
    sleep = ["/bin/busybox", "sleep", "3600"]
    return {"name": name, "image": IMAGE_PLAIN, "imagePullPolicy": "Never", "command": sleep, **more}


def pod(
    name: str,
    namespace: str,
    annotations: dict[str, str] | None = None,
    containers: list[Object] | None = None,
    **spec: Any,
) -> Object:
    """A pod that ends quickly when it is deleted."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations or {}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "restartPolicy": "Never",
            "containers": containers or [container()],
            **spec,
        },
    }
