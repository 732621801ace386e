# SPDX-License-Identifier: Apache-2.0
"""The cluster itself: what the other tests stand on."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from harness.cri import CriError
from kube import stock
from kube.cluster import Cluster
from kube.control import POD_SUBNET
from kube.manifests import container, pod
from kube.node import KERNEL_SETTINGS, NODE


def test_node_is_ready(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    node = cluster.get("node", NODE)["status"]
    with capsys.disabled():
        print(f"\nnode ready after {cluster.took_s:.0f} s")
    assert node["nodeInfo"]["kubeletVersion"] == "v1.34.1"
    assert node["nodeInfo"]["containerRuntimeVersion"] == "containerd://2.3.4"


def test_pod_runs_and_ends(cluster: Cluster) -> None:
    with cluster.namespace("pods") as namespace:
        cluster.apply(pod("one", namespace))
        cluster.is_ready("one", namespace)
        said = cluster.kubectl("exec", "-n", namespace, "one", "--", "/bin/busybox", "echo", "here")
        assert said == "here\n"
        address = cluster.get("pod", "one", "-n", namespace)["status"]["podIP"]
        assert ip_address(address) in ip_network(POD_SUBNET)
        container_id = cluster.container_id("one", namespace)
        assert container_id in cluster.crictl("ps", "-q", "--no-trunc")
    with pytest.raises(CriError):
        cluster.crictl("inspect", container_id)


def test_pod_asks_the_api_server(cluster: Cluster) -> None:
    """With its own token, at the address that the kubelet gives it."""
    image = stock.kubectl()
    cluster.load_image(image.write(cluster.host.path))
    asking = container(image=image.name, command=["/bin/kubectl", "auth", "whoami"])
    with cluster.namespace("asking") as namespace:
        cluster.apply(pod("asking", namespace, containers=[asking]))
        cluster.succeeded("asking", namespace)
        said = cluster.kubectl("logs", "-n", namespace, "asking")
        assert f"system:serviceaccount:{namespace}:default" in said


def test_hook_programs_come_as_an_image(cluster: Cluster) -> None:
    """A pod of the image puts its program where the node runs hooks from."""
    image = stock.programs()
    cluster.load_image(image.write(cluster.host.path))
    target = cluster.shared / "from-image"
    target.mkdir()
    copy = ["/bin/busybox", "cp", "/programs/hook-record", "/to/"]
    mount = [{"name": "to", "mountPath": "/to"}]
    copying = container(image=image.name, command=copy, volumeMounts=mount)
    volumes = [{"name": "to", "hostPath": {"path": str(target), "type": "Directory"}}]
    with cluster.namespace("programs") as namespace:
        cluster.apply(pod("copying", namespace, containers=[copying], volumes=volumes))
        cluster.succeeded("copying", namespace)
    assert (target / "hook-record").read_bytes() == cluster.recorder.read_bytes()


def test_machine_keeps_its_settings(cluster: Cluster) -> None:
    """What a kubelet sets on a node is seen inside, and only there."""
    for name, value in KERNEL_SETTINGS.items():
        inside = cluster.host.run(["cat", f"/proc/sys/{name}"])
        assert int(inside) == value, name
    mounts = cluster.host.run(["cat", "/proc/self/mountinfo"])
    assert all(f"/proc/sys/{name} " in mounts for name in KERNEL_SETTINGS)
