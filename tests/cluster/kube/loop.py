# SPDX-License-Identifier: Apache-2.0
"""What is done under the loop of pods, by whatever way the DaemonSet came."""

from __future__ import annotations

from .instance import Instance
from .traffic import Traffic


def only_missed_have_no_hook(instance: Instance, traffic: Traffic, tag: str) -> set[str]:
    """Ends the loop: for each container that hook ran, and none twice, but for those that are told as missed, which had
    none at all and which it gives."""
    found = traffic.hooks()
    missed = {container_id for container_id, ran in found.items() if not ran}
    assert missed < found.keys(), found
    assert all(tag in ran and len(ran) == len(set(ran)) for ran in found.values() if ran), found
    assert instance.missed(traffic.namespace) == missed, instance.status()["lacking"]
    assert instance.status()["running"]["missed"] >= len(missed), "those of a loop before may still run"
    return missed


def runtime_restarted(instance: Instance, annotations: dict[str, str], tag: str) -> None:
    """Containers are created before it, until the plugin is there again, which is held up, and after that. One that was
    just being started fails, and the kubelet begins it anew. When it returns none of them is left: they name programs."""
    cluster = instance.cluster
    before, sessions = instance.identity(), instance.status()["connection"]["sessions"]
    with cluster.namespace("pods") as namespace:
        traffic = Traffic(cluster, namespace, annotations, mended=True)
        with traffic.running():
            instance.signal("STOP")
            cluster.restart_runtime()
            traffic.misses()
            instance.signal("CONT")
            cluster.until(lambda: instance.connected_after(sessions), "the plugin is connected again")
            traffic.goes_on()
            assert only_missed_have_no_hook(instance, traffic, tag)
    assert instance.identity() == before
