# SPDX-License-Identifier: Apache-2.0
"""Metrics and probes while a runtime asks about containers."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import cache
from harness.procs import Process
from harness.wait import until
from peer import ONE_HOOK, PeerError, Setup

SPEC = """\
  match: {podLabels: {app: web}}
  hooks:
    createRuntime: [{path: /bin/true}, {path: /bin/false}]
    poststop: [{path: /bin/true}]
"""
OBSERVED = """\
  mode: Observe
  match: {podLabels: {app: web}}
  hooks: {poststop: [{path: /bin/true}]}
"""
REFUSES = """\
  match: {podLabels: {app: bad}}
  hooks: {poststop: [{path: /nonexistent/hook}]}
"""


ROOT = Path(__file__).resolve().parent.parent.parent


def promtool_says(text: str) -> str:
    """What promtool has against a text of metrics; nothing, where it is sound."""
    tool = subprocess.run(
        [ROOT / "tests/setup/promtool"], capture_output=True, text=True, check=True, timeout=600
    ).stdout.strip()
    done = subprocess.run(
        [tool, "check", "metrics"], input=text, capture_output=True, text=True, check=False,
        timeout=60,
    )
    return done.stdout + done.stderr + (str(done.returncode) if done.returncode else "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Scraped:
    """One text of metrics."""

    def __init__(self, text: str):
        self.text = text
        self.values = dict(
            re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
        )

    def __getitem__(self, series: str) -> float:
        return float(self.values[series])

    def names(self) -> set[str]:
        return {series.partition("{")[0] for series in self.values}


class Served:
    """The plugin of a setup with its metrics."""

    def __init__(self, setup: Setup, folder: Path):
        self.setup = setup
        self.folder = folder
        self.port = free_port()
        self.run_dir = setup.host.path / "run"
        args = ["--hooks-dir", str(folder), "--last-good", "none", "--run-dir", str(self.run_dir),
                "--control", f"{self.run_dir}/c", "--metrics", f"127.0.0.1:{self.port}"]  # fmt: skip
        self.plugin: Process = setup.run(cache.grapnel(), ["plugin"], args, "10", "grapnel")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=30
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def ask(self, *words: str) -> str:
        """As whoever runs the node."""
        return self.setup.host.run([str(cache.grapnel()), *words, "--control", f"{self.run_dir}/c"])

    def report(self, **told: object) -> None:
        """As a hook runner tells of a run."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            text = json.dumps({"v": 1, "id": "c", "stage": "poststop", "durationMs": 20} | told)
            sender.sendto(text.encode(), str(self.run_dir / "reports.sock"))

    def scrape(self) -> Scraped:
        status, text = self.get("/metrics")
        assert status == 200, text
        return Scraped(text)

    def ready(self) -> str:
        status, text = self.get("/readyz")
        assert (status == 200) == (text == "ready\n")
        return text


@contextmanager
def served(setup: Setup, folder: Path) -> Iterator[Served]:
    setup.peer.start()
    served = Served(setup, folder)
    setup.peer.wait(plugins=1)
    yield served
    served.plugin.terminate()


def web(setup: Setup, app: str = "web") -> list[str]:
    return setup.peer.create(pod={"labels": {"app": app}}).paths()


def refused(setup: Setup) -> bool:
    try:
        web(setup, "bad")
    except PeerError:
        return True
    return False


def test_real_events(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    write_set("watched", OBSERVED)
    write_set("missing", REFUSES)
    folder = write_set("tap", SPEC)
    with served(setup, folder) as plugin:
        for _ in range(3):
            assert web(setup) == ["/bin/true", "/bin/false"]
        assert web(setup, "other") == []
        assert refused(setup)
        found = plugin.scrape()
        assert found['grapnel_events_total{event="CreateContainer"}'] == 5
        assert found['grapnel_events_total{event="Configure"}'] == 1
        assert found['grapnel_events_total{event="Synchronize"}'] >= 1
        assert found['grapnel_request_duration_seconds_count{event="CreateContainer"}'] == 5
        assert 0 < found['grapnel_request_duration_seconds_sum{event="CreateContainer"}'] < 5
        assert found['grapnel_containers_total{decision="injected"}'] == 3
        assert found['grapnel_containers_total{decision="unmatched"}'] == 1
        assert found['grapnel_containers_total{decision="denied"}'] == 1
        assert found['grapnel_hooks_injected_total{rule="tap",hook_point="createRuntime"}'] == 6
        assert found['grapnel_hooks_injected_total{rule="tap",hook_point="poststop"}'] == 3
        assert found['grapnel_rule_results_total{rule="tap",result="injected"}'] == 3
        assert found['grapnel_rule_results_total{rule="watched",result="observed"}'] == 3
        assert found['grapnel_rule_results_total{rule="missing",result="refused"}'] == 1
        assert found['grapnel_hook_binary_present{rule="missing"}'] == 0
        assert found["grapnel_rules_blocked"] == 1
        assert found["grapnel_connected"] == 1
        assert found["grapnel_connections_total"] == 1
        runtime = 'grapnel_runtime_info{runtime="containerd",runtime_version="v2.1.4",plugin_index="10"}'
        assert found[runtime] == 1
        assert found['grapnel_log_messages_total{level="warning"}'] >= 1
        assert promtool_says(found.text) == ""
        assert promtool_says(found.text.replace("_total", "_sum")) != ""


def test_suspended_sets_and_hook_runs(
    setup: Setup, write_set: Callable[[str, str], Path]
) -> None:
    """One set that somebody paused, one whose breaker tripped; resumed, they count no longer."""
    write_set("plain", SPEC)
    folder = write_set("fragile", "  breaker: {failures: 2, window: 60}\n" + SPEC)
    with served(setup, folder) as plugin:
        found = plugin.scrape()
        assert (found["grapnel_rules_paused"], found["grapnel_rules_tripped"]) == (0, 0)
        env = setup.peer.create(pod={"labels": {"app": "web"}}).hooks["poststop"][0].env
        mark = next(entry.split("@")[1] for entry in env if entry.startswith("GRAPNEL_HOOKSET=fragile@"))
        plugin.ask("pause", "plain")
        plugin.report(set="fragile", hash=mark, result="ok")
        for _ in range(2):
            plugin.report(set="fragile", hash=mark, result="exit", code=1)
        until(lambda: plugin.scrape()["grapnel_rules_tripped"] == 1, "the breaker tripped")
        assert web(setup) == []
        found = plugin.scrape()
        assert found["grapnel_rules_paused"] == 1
        assert found['grapnel_rule_results_total{rule="plain",result="observed"}'] == 1
        of_hook = 'rule="fragile",hook_point="poststop"'
        assert found[f"grapnel_hook_runs_total{{{of_hook}}}"] == 3
        assert found[f'grapnel_hook_run_failures_total{{{of_hook},reason="exit"}}'] == 2
        assert promtool_says(found.text) == ""
        plugin.ask("resume", "--all")
        found = plugin.scrape()
        assert (found["grapnel_rules_paused"], found["grapnel_rules_tripped"]) == (0, 0)
        assert len(web(setup)) == 4


def test_readiness(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    folder = write_set("tap", SPEC)
    with served(setup, folder) as plugin:
        until(lambda: plugin.ready() == "ready\n", "it is ready")
        (folder / "tap.yaml").write_text("nonsense: [\n")
        plugin.plugin.send(signal.SIGHUP)
        until(lambda: plugin.ready() != "ready\n", "a broken file is told")
        assert plugin.ready() == "not ready: rules have errors, or were rejected\n"
        found = plugin.scrape()
        assert (found["grapnel_ready"], found["grapnel_connected"]) == (0, 1)
        assert plugin.get("/healthz") == (200, "ok\n")
        write_set("tap", SPEC)
        plugin.plugin.send(signal.SIGHUP)
        until(lambda: plugin.ready() == "ready\n", "it is ready again")
        setup.peer.crash()
        until(lambda: "not connected" in plugin.ready(), "the runtime is gone")
        found = plugin.scrape()
        assert found['grapnel_disconnections_total{reason="eof"}'] == 1
        assert found["grapnel_connected"] == 0


def test_running_containers(setup: Setup, one: Path) -> None:
    """Those that were there before the set, with a new plugin that knows nothing of them."""
    setup.peer.call("sync", pods=3, containers_each=1, annotations=0, value_bytes=0)
    with served(setup, one) as plugin:
        key = "grapnel_preexisting_containers"
        until(lambda: key in plugin.scrape().names(), "they were looked at")
        found = plugin.scrape()
        assert found[key] == 3
        assert found["grapnel_missed_containers"] == 0
        assert found["grapnel_outdated_containers"] == 0


def test_launched(setup: Setup, one: Path) -> None:
    """Where the metrics are served is learnt from the runtime's drop-in."""
    port = free_port()
    setup.launched(one)
    config = setup.peer.config_dir / "10-grapnel.conf"
    config.write_text(
        config.read_text().replace("none}", f"none, metricsAddress: '127.0.0.1:{port}'}}")
    )
    setup.peer.start()
    setup.peer.wait(plugins=1)
    assert setup.peer.create().paths() == [ONE_HOOK]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        found = Scraped(answer.read().decode())
    assert found["grapnel_connected"] == 1
    assert found['grapnel_rule_results_total{rule="one",result="injected"}'] == 1
    if setup.version == "0.6.1":  # no Synchronize: what is unknown is not 0
        assert "grapnel_missed_containers" not in found.names()


def hostile(port: int, stop: threading.Event) -> None:
    """Connects, sends something bad or nothing, and leaves at any time."""
    rows = [b"", b"GET /metrics HTTP/1.1\r\nX: ", b"\0" * 4000, b"GET /metrics HTTP/1.1\r\n\r\n",
            b"X: y\r\n" * 5000, b"POST /metrics HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nxxxx"]  # fmt: skip
    held: list[socket.socket] = []
    turn = 0
    while not stop.is_set():
        try:
            sock = socket.create_connection(("127.0.0.1", port), 0.5)
            sock.setblocking(False)
            held.append(sock)
            sock.send(rows[turn % len(rows)])
        except OSError:
            pass  # the backlog is full, or it was ended
        turn += 1
        if len(held) > 40:
            held.pop(turn % len(held)).close()
    for sock in held:
        sock.close()


def test_hostile_clients(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    """Containers are created meanwhile, and the metrics are to be had afterwards."""
    folder = write_set("tap", SPEC)
    with served(setup, folder) as plugin:
        stop = threading.Event()
        clients = [threading.Thread(target=hostile, args=(plugin.port, stop)) for _ in range(2)]
        for client in clients:
            client.start()
        try:
            reply = setup.peer.call(
                "bench", n=500, warmup=10,
                pod={"id": "p", "name": "p", "uid": "u", "namespace": "d", "labels": {"app": "web"}},
                container={"id": "c", "pod_sandbox_id": "p", "name": "c"},
            )  # fmt: skip
        finally:
            stop.set()
            for client in clients:
                client.join()
        assert (reply["n"], reply["hooks"]) == (500, 3)
        found = plugin.scrape()
        assert found['grapnel_events_total{event="CreateContainer"}'] == 510
        assert found['grapnel_request_duration_seconds_bucket{event="CreateContainer",le="2"}'] == 510
        assert found["process_open_fds"] < 64
        assert os.path.exists(f"/proc/{plugin.plugin.pid}")
