# SPDX-License-Identifier: Apache-2.0
"""Grapnel in a DaemonSet, with no more rights than it needs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from harness import cache
from harness.node import CONFIG
from harness.plugin import FULL_NAME, Launched
from kube.cluster import Cluster
from kube.grapnel import Grapnel, installed
from kube.manifests import WANTED, pod

UNIT = "grapnel.service"


@pytest.fixture(scope="module")
def grapnel(cluster: Cluster) -> Iterator[Grapnel]:
    with installed(cluster) as grapnel:
        yield grapnel


@pytest.fixture(scope="module")
def namespace(grapnel: Grapnel) -> Iterator[str]:
    """For pods; only once Grapnel is there."""
    with grapnel.cluster.namespace("pods") as namespace:
        yield namespace


def tags(cluster: Cluster, name: str, namespace: str) -> list[str]:
    """The hooks that ran for a pod that is ready."""
    return [record.tag for record in cluster.log.of(cluster.container_id(name, namespace))]


def run(cluster: Cluster, name: str, namespace: str, annotations: dict[str, str] | None) -> list[str]:
    """Makes a pod and tells the hooks that ran for it."""
    cluster.apply(pod(name, namespace, annotations))
    cluster.is_ready(name, namespace)
    return tags(cluster, name, namespace)


def test_is_ready_by_its_probes(grapnel: Grapnel) -> None:
    (container,) = grapnel.pod()["status"]["containerStatuses"]
    assert container["ready"] and container["restartCount"] == 0
    status = grapnel.status()
    assert status["ready"], status
    assert status["connection"]["runtimeVersion"] == "v2.3.4"
    assert status["journal"]["open"], status["journal"]


def test_has_no_more_rights_than_it_needs(grapnel: Grapnel) -> None:
    sandbox = grapnel.status()["process"]["sandbox"]
    assert sandbox == {
        "capabilities": "none", "bounding": "none", "noNewPrivileges": True, "filter": True
    }  # fmt: skip


def test_annotated_pod_gets_its_hook_and_no_other(grapnel: Grapnel, namespace: str) -> None:
    assert run(grapnel.cluster, "wanted", namespace, WANTED) == ["wanted"]
    assert run(grapnel.cluster, "plain", namespace, None) == []


def test_edited_config_map_counts_without_a_restart(grapnel: Grapnel, namespace: str) -> None:
    before = grapnel.identity()
    wanted = grapnel.rule("wanted", {"podAnnotations": WANTED})
    match = {"podAnnotations": {"cluster.example.com/hooks": "new"}}
    grapnel.set_rules(wanted=wanted, new=grapnel.rule("new", match))
    grapnel.cluster.until(
        lambda: {"wanted", "new"} == {entry["name"] for entry in grapnel.status()["sets"]},
        "the new set is in force",
    )
    annotations = {"cluster.example.com/hooks": "new"}
    assert run(grapnel.cluster, "new", namespace, annotations) == ["new"]
    assert run(grapnel.cluster, "old", namespace, WANTED) == ["wanted"]
    assert grapnel.identity() == before


def test_mistake_in_a_config_map_makes_it_not_ready(grapnel: Grapnel, namespace: str) -> None:
    wanted = grapnel.rule("wanted", {"podAnnotations": WANTED})
    grapnel.set_rules(wanted=wanted, bad="kind: HookSet\n")

    def ready() -> bool:
        return bool(grapnel.pod()["status"]["containerStatuses"][0]["ready"])

    grapnel.cluster.until(lambda: not ready(), "the pod is not ready")
    assert run(grapnel.cluster, "meanwhile", namespace, WANTED) == ["wanted"]
    grapnel.set_rules(wanted=wanted)
    grapnel.cluster.until(ready, "the pod is ready again")


def test_comes_back_to_a_restarted_runtime(grapnel: Grapnel, namespace: str) -> None:
    before = grapnel.identity()
    sessions = grapnel.status()["connection"]["sessions"]
    grapnel.cluster.restart_runtime()
    grapnel.cluster.until(
        lambda: grapnel.connected_after(sessions), "the plugin is connected again"
    )
    assert run(grapnel.cluster, "after", namespace, WANTED) == ["wanted"]
    assert grapnel.identity() == before


@contextmanager
def launched_beside(grapnel: Grapnel) -> Iterator[None]:
    """A second instance with the same rule, which the runtime launches; gone with its next start."""
    cluster = grapnel.cluster
    rules = cluster.shared / "launched"
    rules.mkdir(mode=0o755)
    (rules / "wanted.yaml").write_text(grapnel.rule("wanted", {"podAnnotations": WANTED}))
    try:
        Launched(cluster.runtime, cache.grapnel(), CONFIG.format(hooks=rules)).start()
        yield
    finally:
        (cluster.runtime.plugin_dir / FULL_NAME).unlink()
        (cluster.runtime.plugin_config_dir / f"{FULL_NAME}.conf").unlink()
        shutil.rmtree(rules)
        cluster.restart_runtime()


def test_beside_one_that_the_runtime_launches_hooks_run_once(grapnel: Grapnel, namespace: str) -> None:
    """And it tells of it."""
    cluster = grapnel.cluster
    sessions = grapnel.status()["connection"]["sessions"]
    with launched_beside(grapnel):
        cluster.until(lambda: grapnel.connected_after(sessions), "the plugin is connected again")
        status = grapnel.status()
        assert [(other["name"], other["mode"]) for other in status["others"]] == [(FULL_NAME, "launched")]
        assert [text for text in status["problems"] if text.startswith("another Grapnel runs on this node")]
        assert run(cluster, "with-two", namespace, WANTED) == ["wanted"]
        sessions = status["connection"]["sessions"]
    cluster.until(lambda: grapnel.connected_after(sessions), "the plugin is connected once more")
    status = grapnel.status()
    assert status["others"] == [] and status["problems"] == []
    assert run(cluster, "with-one", namespace, WANTED) == ["wanted"]


@contextmanager
def unit_beside(grapnel: Grapnel) -> Iterator[None]:
    """A second instance on the host with the same rule and the package's settings, where systemd would have it; gone
    afterwards."""
    cluster = grapnel.cluster
    rules = cluster.shared / "unit"
    rules.mkdir(mode=0o755)
    (rules / "wanted.yaml").write_text(grapnel.rule("wanted", {"podAnnotations": WANTED}))
    settings = cache.ROOT / "packaging/config/config.yaml"
    command = f"{cache.grapnel()} plugin --config {settings} --hooks-dir {rules}"
    group = cluster.host_cgroup(UNIT)
    process = cluster.host.start(["sh", "-ec", f"echo $$ >{group}/cgroup.procs\nexec {command}"], "unit.log")
    try:
        yield
    finally:
        process.terminate()
        shutil.rmtree(rules)
        cluster.host.run(["rm", "-rf", "/var/lib/grapnel"])


def seen(grapnel: Grapnel) -> tuple[str, list[tuple[str, str, str]]]:
    """How the instance came that has the control socket, and the others that it knows."""
    status = grapnel.status()
    others = [(other["name"], other["mode"], other.get("unit", "")) for other in status["others"]]
    told = [text for text in status["problems"] if text.startswith("another Grapnel runs on this node")]
    assert len(told) == len(others), status["problems"]
    return status["process"]["mode"], others


def ways(grapnel: Grapnel) -> dict[str, str]:
    """What the doctor finds on the host about them."""
    doctor = f"{cache.grapnel()} doctor -o json 2>/dev/null || test $? = 1"
    report = json.loads(grapnel.cluster.shell(grapnel.cluster.host.path, doctor, 60).stdout)
    return {finding["code"]: finding["found"] for finding in report["findings"]
            if finding["code"] in ("two-ways", "several-processes")}  # fmt: skip


def test_beside_a_unit_hooks_run_once(grapnel: Grapnel, namespace: str) -> None:
    """Whichever came later; each tells of the other, and so does the doctor."""
    cluster = grapnel.cluster
    assert seen(grapnel) == ("pod", []) and ways(grapnel) == {}
    with unit_beside(grapnel):
        cluster.until(lambda: seen(grapnel) == ("unit", [(FULL_NAME, "pod", "")]), "the unit's has the socket")
        cluster.until(lambda: grapnel.status()["ready"], "it is ready")
        assert run(cluster, "unit-later", namespace, WANTED) == ["wanted"]
        found = ways(grapnel)
        assert set(found) == {"two-ways", "several-processes"}
        assert found["two-ways"].endswith(f"in 2 ways: the unit {UNIT} runs; a pod runs it, as from a DaemonSet")
        grapnel.roll()
        assert seen(grapnel) == ("pod", [(FULL_NAME, "unit", UNIT)])
        assert run(cluster, "pod-later", namespace, WANTED) == ["wanted"]
    cluster.until(lambda: seen(grapnel) == ("pod", []), "only the pod is left")
    assert ways(grapnel) == {}


@pytest.mark.parametrize("name", ["KILL", "STOP"], ids=["killed", "hanging"])
def test_kubelet_starts_it_again(grapnel: Grapnel, namespace: str, name: str) -> None:
    """What has ended at once, and what hangs by its liveness probe."""
    before = grapnel.identity()
    grapnel.signal(name)
    grapnel.cluster.until(lambda: grapnel.restarted(before), "a new process is ready")
    assert grapnel.identity()[0] == before[0], "it is the same pod"
    assert run(grapnel.cluster, name.lower(), namespace, WANTED) == ["wanted"]


def test_programs_are_checked_where_the_host_is_seen(grapnel: Grapnel) -> None:
    """Without the node's `/` the directories above them are the container's own."""
    assert grapnel.findings() == ["hook-unverified"]
    grapnel.see_host()
    assert grapnel.findings() == []
    aside = grapnel.cluster.recorder.rename(grapnel.cluster.shared / "aside")
    try:
        wanted = grapnel.rule("wanted", {"podAnnotations": WANTED})
        grapnel.set_rules(wanted=wanted, again=grapnel.rule("again", {"namespace": "nowhere"}))
        grapnel.cluster.until(
            lambda: set(grapnel.findings()) == {"hook-missing"}, "the missing program is noticed"
        )
        assert not grapnel.status()["ready"]
    finally:
        aside.rename(grapnel.cluster.recorder)
    grapnel.cluster.until(lambda: grapnel.status()["ready"], "the program is there again")


def test_own_pods_are_never_refused(grapnel: Grapnel, namespace: str) -> None:
    """A set that refuses every container of the node lets the pod through that can mend it."""
    cluster = grapnel.cluster
    grapnel.set_rules(all=grapnel.rule("all", {"always": True}, fails=True))
    cluster.until(
        lambda: [entry["name"] for entry in grapnel.status()["sets"]] == ["all"],
        "the bad set is in force",
    )
    cluster.apply(pod("refused", namespace))
    cluster.until(
        lambda: "hook" in cluster.kubectl("get", "events", "-n", namespace, "-o", "json"),
        "an event says that the hook failed",
    )
    before = grapnel.identity()
    grapnel.roll()
    assert grapnel.identity()[0] != before[0]
    assert cluster.get("pod", "refused", "-n", namespace)["status"]["phase"] != "Running"
    grapnel.set_rules(wanted=grapnel.rule("wanted", {"podAnnotations": WANTED}))
