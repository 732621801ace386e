# SPDX-License-Identifier: Apache-2.0
"""What the chart takes beside rules: names, labels, and more of everything that a pod has."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from kube import chart, monitoring, stock
from kube.chart import Release
from kube.cluster import Cluster
from kube.instance import container_status
from kube.manifests import WANTED, Object, container, pod
from kube.monitoring import Monitors, scraped
from kube.node import NODE

NAME = "node-hooks"
LABEL = "node-role.example.com/hooks"
WATCHED: Object = {"metrics": {"scrapeAnnotations": False}}


def oci_hook(release: Release) -> str:
    """As podman has it in its directory."""
    args = ["hook-record", "--log", str(release.cluster.log.path), "--tag", "oci"]
    return json.dumps({
        "version": "1.0.0", "stages": ["createRuntime"], "when": {"annotations": {"^cluster.example.com/hooks$": "^wanted$"}},
        "hook": {"path": str(release.cluster.recorder), "args": args},
    })  # fmt: skip


def values(release: Release) -> Object:
    """Three examples, with what there is here: one scrapes by annotations, another by a Service."""
    oci_hooks = release.cluster.shared / "oci-hooks"
    oci_hooks.mkdir(mode=0o755)
    (oci_hooks / "oci.json").write_text(oci_hook(release))
    containerd = release.cluster.shared / "containerd"
    containerd.mkdir(mode=0o755)
    (containerd / "config.toml").write_text("version = 3\n")
    everything = chart.example("everything")
    (volume,) = everything["extraVolumes"]
    volume["hostPath"]["path"] = str(oci_hooks)
    tool = {"volumeMounts": [{"name": "tools", "mountPath": "/tools"}], "command": ["/tools/grapnel", "version"]}
    own = {
        "namespace": {"create": False},
        # Sooner than by default.
        "minReadySeconds": 1, "terminationGracePeriodSeconds": 1, "probes": {"readiness": {"periodSeconds": 1}},
        "image": {"digest": release.cluster.pinned(stock.GRAPNEL)},
        "imagePullSecrets": [{"name": "registry"}],
        # The kubelet takes no other profile where there is no AppArmor.
        "securityContext": {"appArmorProfile": {"type": "Unconfined"}},
        "extraInitContainers": [container("before", **tool)],
        "extraContainers": [container("beside")],
        "enableNri": {"image": chart.reference(stock.shell().name), "configDir": str(containerd)},
        "hookPrograms": {"hostDirs": [str(release.cluster.shared)]},
        "metrics": {"textfileDir": str(textfiles(release))},
    }
    return chart.merged(chart.example("containerd-1.7"), everything, chart.example("servicemonitor"), WATCHED, chart.images(), own)


def textfiles(release: Release) -> Path:
    return release.cluster.shared / "textfiles"


def ready_nodes(release: Release) -> int:
    found: int = release.cluster.get("daemonset", NAME, "-n", release.namespace)["status"]["numberReady"]
    return found


@pytest.fixture(scope="module")
def release(stocked: Cluster) -> Iterator[Release]:
    stocked.apply(*monitoring.kinds())
    stocked.kubectl("label", "node", NODE, f"{LABEL}=true")
    stocked.load_image(stock.shell().write(stocked.host.path))
    with chart.placed(stocked) as release:
        release.name = NAME
        for what in (("serviceaccount", "hooks"), ("secret", "generic", "registry", "--from-literal=a=b")):
            stocked.kubectl("create", *what, "-n", release.namespace)
        textfiles(release).mkdir(mode=0o755)
        done = release.helm("install", values=values(release))
        assert done.returncode == 0, done.stderr
        # Not rolled_out(): kubectl knows no rollout where updates wait for somebody to delete pods.
        stocked.until(lambda: ready_nodes(release) == 1, "the pod is ready")
        yield release
    stocked.kubectl("label", "node", NODE, f"{LABEL}-")
    stocked.kubectl("delete", "crds", "--all")


@pytest.fixture(scope="module")
def namespace(release: Release) -> Iterator[str]:
    with release.cluster.namespace("pods", wait=False) as namespace:
        yield namespace


def test_pod_is_as_asked(release: Release) -> None:
    made = release.pod()
    spec, labels = made["spec"], made["metadata"]["labels"]
    assert (labels["team"], labels["tier"], made["metadata"]["annotations"]["example.com/note"]) == ("platform", "node", "yes")
    assert (spec["serviceAccountName"], spec["imagePullSecrets"]) == ("hooks", [{"name": "registry"}])
    assert "priorityClassName" not in spec and spec["priority"] == 0
    assert spec["nodeSelector"][LABEL] == "true"
    assert {"key": "example.com/gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"} in spec["tolerations"]
    assert sorted(status["name"] for status in made["status"]["containerStatuses"] if status["ready"]) == ["beside", "grapnel"]
    ended = [status["state"]["terminated"]["exitCode"] for status in made["status"]["initContainerStatuses"]]
    assert ended == [0, 0, 0], "enable-nri, self, and before, which has the program at /tools"
    own = spec["containers"][0]
    assert own["securityContext"]["appArmorProfile"] == {"type": "Unconfined"}
    assert "livenessProbe" not in own and "startupProbe" not in own and own["readinessProbe"]
    digest = release.cluster.pinned(stock.GRAPNEL)
    assert own["image"] == f"localhost/grapnel@{digest}"


def test_process_has_what_the_container_was_given(release: Release) -> None:
    container_id = container_status(release.pod())["containerID"].removeprefix("containerd://")
    info = json.loads(release.cluster.crictl("inspect", container_id))["info"]
    process = info["runtimeSpec"]["process"]
    assert "TZ=UTC" in process["env"] and "--oci-hooks-dir=/oci-hooks" in process["args"]
    assert info["runtimeSpec"]["linux"]["resources"]["memory"]["limit"] == 256 << 20


def test_hooks_of_the_extra_volume_run(release: Release, namespace: str) -> None:
    cluster = release.cluster
    cluster.apply(pod("wanted", namespace, WANTED), pod("plain", namespace))
    for name, tags in (("wanted", ["oci"]), ("plain", [])):
        cluster.is_ready(name, namespace)
        assert [record.tag for record in cluster.log.of(cluster.container_id(name, namespace))] == tags


HOOKS = 'grapnel_hooks_injected_total{rule="oci",hook_point="createRuntime"}'


def test_metrics_come_by_the_service(release: Release, namespace: str) -> None:
    (url,) = Monitors(release.cluster, release.namespace).of_services()
    series = scraped(release.cluster, "scrape", namespace, url)
    assert series[HOOKS] == 1 and series["grapnel_ready"] == 1


def test_notes_and_helm_test_hold_for_these_values(release: Release) -> None:
    """With OnDelete there is no rollout to wait for."""
    notes = release.cluster.helm("get", "notes", release.release, "-n", release.namespace)
    commands = [shlex.split(line) for line in notes.splitlines() if line.startswith("     kubectl ")]
    assert len(commands) >= 4
    said = "".join(release.cluster.kubectl(*args) for _, *args in commands)
    assert "enable-nri: this is the configuration of containerd 2, which has NRI on; nothing to do" in said
    done = release.test()
    assert done.returncode == 0, done.stderr


def test_metrics_come_in_a_file(release: Release) -> None:
    """Every 15 seconds."""
    file = textfiles(release) / "grapnel.prom"
    release.cluster.until(lambda: file.exists() and f"{HOOKS} 1\n" in file.read_text(), "the file has the hook")


def test_new_rules_come_with_a_new_pod(release: Release) -> None:
    """reload.mode Restart, once updates are rolling ones; the next mistake stops before that."""
    before = release.identity()
    rolling: Object = {"updateStrategy": {"type": "RollingUpdate"}, "reload": {"mode": "Restart"}}
    named: Object = chart.rules(named={
        "apiVersion": "grapnel/v1beta1", "kind": "HookSet", "metadata": {"name": "named"},
        "spec": {"match": {"podName": "named"}, "hooks": {"createRuntime": [{"path": str(release.cluster.recorder)}]}},
    })  # fmt: skip
    done = release.helm("upgrade", values=chart.merged(release_values(release), rolling, named))
    assert done.returncode == 0, done.stderr
    release.rolled_out()
    assert release.identity() != before and release.sets() == {"named", "oci"}
    maps = release.config_maps()
    told = release.refused("upgrade", release_values(release), rolling, chart.rules(named={"kind": "HookSets"}))
    assert "named.yaml:1:" in told
    assert release.config_maps() == maps and release.sets() == {"named", "oci"}


def release_values(release: Release) -> Object:
    """Those that helm has of it."""
    found: Object = json.loads(release.cluster.helm("get", "values", release.release, "-n", release.namespace, "-o", "json"))
    return found
