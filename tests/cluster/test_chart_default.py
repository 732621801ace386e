# SPDX-License-Identifier: Apache-2.0
"""The chart with its default values, and rules and programs as a user has them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

import pytest
import yaml
from harness.runtime import IMAGE_HOOKED
from kube import chart, stock
from kube.chart import CHART, STORE, Release
from kube.cluster import Cluster
from kube.manifests import WANTED, container, pod


@pytest.fixture(scope="module")
def release(stocked: Cluster) -> Iterator[Release]:
    with chart.placed(stocked) as release:
        release.install(chart.programs(stock.programs().name), wanted_rules(release))
        yield release


def wanted_rules(release: Release, **more: dict[str, object]) -> dict[str, object]:
    """One set for an annotation, one for an image."""
    wanted = release.set("wanted", {"podAnnotations": WANTED})
    return chart.rules(wanted=wanted, image=release.set("image", {"image": IMAGE_HOOKED}), **more)


@pytest.fixture(scope="module")
def namespace(release: Release) -> Iterator[str]:
    """For pods; only once the release is there."""
    with release.cluster.namespace("pods", wait=False) as namespace:
        yield namespace


def ran(release: Release, name: str, namespace: str, hooked: bool = False, **pod_: object) -> list[str]:
    """Makes a pod and tells the hooks that ran for it."""
    made = container(image=IMAGE_HOOKED) if hooked else container()
    release.cluster.apply(pod(name, namespace, containers=[made], **pod_))
    release.cluster.is_ready(name, namespace)
    found = release.cluster.log.of(release.cluster.container_id(name, namespace))
    return sorted(record.tag for record in found)


def test_is_ready_by_its_own_probes(release: Release) -> None:
    (spec,) = release.pod()["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert spec[probe]["exec"]["command"][:2] == [stock.PROGRAM, "probe"]
    (status,) = release.pod()["status"]["containerStatuses"]
    assert status["ready"] and status["restartCount"] == 0
    status = release.status()
    assert status["ready"], status
    assert status["connection"]["runtimeVersion"] == "v2.3.4"
    assert status["process"]["sandbox"]["capabilities"] == "none"
    assert {"wanted", "image"} == release.sets()
    assert set(release.findings()) == {"hook-unverified"}, "what is above the store is not seen"


def test_pods_get_the_hooks_that_they_match(release: Release, namespace: str) -> None:
    assert ran(release, "annotated", namespace, annotations=WANTED) == ["wanted"]
    assert ran(release, "image", namespace, hooked=True) == ["image"]
    assert ran(release, "both", namespace, hooked=True, annotations=WANTED) == ["image", "wanted"]
    assert ran(release, "neither", namespace) == []


def test_programs_lie_in_the_store_by_their_content(release: Release, namespace: str) -> None:
    ran(release, "stored", namespace, annotations=WANTED)
    (path,) = release.hook_paths("stored", namespace, "createRuntime")
    assert re.fullmatch(f"{STORE}/{chart.PROGRAMS}/[0-9a-f]{{64}}/hook-record", path)
    assert release.on_node(path).read_bytes() == release.cluster.recorder.read_bytes()


def test_what_the_notes_say_to_do_works(release: Release) -> None:
    """Each command of NOTES.txt that looks at the release."""
    notes = release.cluster.helm("get", "notes", release.release, "-n", release.namespace)
    commands = [line.strip() for line in notes.splitlines()
                if line.startswith("     ") and line.strip().split()[0] in ("kubectl", "helm")]  # fmt: skip
    assert len(commands) >= 6
    for command in commands:
        program, *args = shlex.split(command)
        if program == "helm":
            release.cluster.helm(*args)
        else:
            release.cluster.kubectl(*args)


def test_changed_rules_come_without_a_restart(release: Release, namespace: str) -> None:
    before = release.identity()
    late = release.set("late", {"podName": "late"})
    release.upgrade(chart.programs(stock.programs().name), wanted_rules(release, late=late))
    release.cluster.until(lambda: "late" in release.sets(), "the new set is in force")
    assert ran(release, "late", namespace) == ["late"]
    assert release.identity() == before


def test_comes_back_to_a_restarted_runtime(release: Release, namespace: str) -> None:
    before = release.identity()
    sessions = release.status()["connection"]["sessions"]
    release.cluster.restart_runtime()
    release.cluster.until(
        lambda: release.connected_after(sessions), "the plugin is connected again"
    )
    assert ran(release, "after", namespace, annotations=WANTED) == ["wanted"]
    assert release.identity() == before


def test_helm_test_says_whether_it_is_ready(release: Release) -> None:
    """A rule that no preflight has stopped makes it not ready, and the test says why."""
    assert release.test().returncode == 0
    bad = {"rules": {"files": {"bad.yaml": "kind: HookSet\n"}}}
    unchecked = {"preflight": {"enabled": False}}
    release.helm("upgrade", values=chart.merged(release.values, bad, unchecked))
    release.cluster.until(lambda: not release.ready(), "the pod is not ready")
    failed = release.test()
    assert failed.returncode != 0
    assert "rules have errors" in failed.stdout + failed.stderr
    release.upgrade(release.values)
    release.cluster.until(release.ready, "the pod is ready again")


# Kinds that others bring into a cluster, and one that is refused before its account is there.
NOT_HERE = {"PodMonitor", "ServiceMonitor", "PrometheusRule", "VerticalPodAutoscaler",
            "SecurityContextConstraints", "Pod"}  # fmt: skip


@pytest.mark.parametrize("example", [path.stem for path in chart.EXAMPLES])
def test_api_server_takes_each_example(release: Release, example: str) -> None:
    """It looks at more than schemas tell."""
    values = f"--values={CHART / 'ci' / example}.yaml"
    text = release.cluster.helm("template", "other", str(CHART), values, "-n", release.namespace)
    objects = [found for found in yaml.safe_load_all(text) if found]
    own = [found for found in objects if found["kind"] not in NOT_HERE]
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": own})
    said = release.cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=items)
    assert len(said.splitlines()) == len(own) > 5


def hook_set(*, stage: str) -> dict[str, object]:
    return {"apiVersion": "grapnel/v1beta1", "kind": "HookSet", "metadata": {"name": "bad"},
            "spec": {"match": {"always": True}, "hooks": {stage: [{"path": "/x"}]}}}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [
    ({"reload": {"mode": "watch"}}, "at '/reload/mode': value must be one of"),
    (chart.rules(bad=hook_set(stage="createRuntimes")), 'did you mean \\"createRuntime\\"'),
    ({"policy": {"spec": {"exemptNamespaces": [{"regex": "("}]}}}, "/etc/grapnel/policy.yaml:"),
], ids=["value", "rule", "policy"])  # fmt: skip
def test_mistakes_are_refused_before_anything_changes(
    release: Release, change: dict[str, object], said: str
) -> None:
    before = release.versions()
    told = release.refused("upgrade", release.values, change)
    assert said in told
    assert release.versions() == before


def test_second_release_keeps_off_the_node(release: Release) -> None:
    """In a namespace that lets no pod of it in, and then in one that does."""
    cluster = release.cluster
    before = release.identity()
    with cluster.namespace("second", wait=False) as namespace:
        cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
        second = Release(cluster, namespace, "second")
        try:
            done = second.helm("install", values=release.values)
            assert done.returncode == 0 and "would violate PodSecurity" in done.stderr
            cluster.until(lambda: "violates PodSecurity" in second.events(), "an event says why")
            cluster.kubectl("label", "--overwrite", "namespace", namespace,
                            "pod-security.kubernetes.io/enforce=privileged")  # fmt: skip
            cluster.until(lambda: "didn't match pod anti-affinity" in second.events(), "and then why")
            assert second.pod()["status"]["phase"] == "Pending"
        finally:
            second.uninstall("--no-hooks", "--ignore-not-found")
    assert release.identity() == before and release.status()["ready"]
