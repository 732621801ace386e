# SPDX-License-Identifier: Apache-2.0
"""explain --in-force: what a running plugin says is what explain says of the same rules, and differs where what
is in force does; many who ask, who leave, who never listen; plugins that end, or are none."""
from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import yaml

from conftest import EXAMPLES, Node
from fakeruntime import Listener
from running import RULE, Lines, plugin, settings
from test_live import decision

HEAD = "apiVersion: grapnel/v1beta1\nkind: HookSet\n"
HOOK = "  hooks: {poststop: [{path: /opt/hooks/first}]}\n"
TAP = HEAD + "metadata: {name: tap}\nspec:\n  match: {namespace: web}\n" + HOOK
WEB = ["--image", "nginx:1.27", "--namespace", "web", "--pod", "shop", "--container", "front"]
WAIT_S = 60
EXPLAINS_MAX = 4  # GR_CONTROL_EXPLAIN_MAX
OUTPUTS = ["text", "json", "yaml"]


def control(node: Node) -> Path:
    return node.home / "control.sock"


def run(node: Node, *words: object, **more) -> subprocess.CompletedProcess:
    return subprocess.run([node.program, "explain", *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=WAIT_S, stdin=subprocess.DEVNULL, **more)


def in_force(node: Node, *words: object, **more) -> subprocess.CompletedProcess:
    return run(node, "--in-force", "--config", node.home / "config.yaml", *words, **more)


def from_files(node: Node, *words: object) -> subprocess.CompletedProcess:
    return run(node, "--config", node.home / "config.yaml", *words)


def outcome(done: subprocess.CompletedProcess) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


@contextmanager
def running(node: Node, *more: str) -> Iterator[Lines]:
    """The plugin, with its rules in force and its socket there."""
    with plugin(node, *more) as lines:
        lines.loaded()
        yield lines


def with_rules(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    node.rule("10-tap", TAP)
    node.rule("20-any", RULE.replace("spec:", "metadata: {name: any}\nspec:"))
    settings(node, controlSocket=str(control(node)))
    return node


@pytest.fixture
def ruled(node: Node) -> Node:
    return with_rules(node)


def many_sets(node: Node, n: int) -> None:
    """In files of a ConfigMap's size."""
    one = HEAD + "metadata: {name: more-%d}\nspec:\n  match: {namespace: none, podLabels: {a: b}}\n" + HOOK
    for first in range(0, n, 1000):
        node.rule(f"30-more-{first}", "---\n".join(one % i for i in range(first, min(first + 1000, n))))


# ---- the same ----

@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_examples(node: Node, example: Path):
    """Byte for byte, and by the exit code, for the pods of each example."""
    node.install(example)
    own = yaml.safe_load((example / "config.yaml").read_text())["spec"] if (example / "config.yaml").exists() else {}
    settings(node, controlSocket=str(control(node)), nodeName="node-1", **own)
    policy = ["--policy", str(node.home / "policy.yaml")] if (node.home / "policy.yaml").exists() else []
    with running(node, *policy):
        for more in ([], ["--all"], ["-o", "json"], ["--all", "-o", "yaml"]):
            words = ["--from", example / "pods.yaml", *more]
            here = from_files(node, *policy, *words)
            assert here.stdout
            there = in_force(node, *words)
            assert (there.returncode, there.stdout) == (here.returncode, here.stdout), more
            assert bool(there.stderr) == bool(here.stderr), more  # findings, and that there are some


def test_what_runs_already(ruled: Node, tmp_path: Path):
    """Marks, mounts, devices and limits of a bundle reach the plugin, and what is unknown stays so."""
    with running(ruled):
        done = subprocess.run([ruled.program, "render", "--config", ruled.home / "config.yaml", *WEB],
                              capture_output=True, text=True, check=True, timeout=WAIT_S)
        bundle = {"ociVersion": "1.1.0", "hooks": json.loads(done.stdout), "process": {
                      "args": ["nginx", "-g", "\u00e4\n"], "env": ["A=b"], "cwd": "/",
                      "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 18446744073709551615}]},
                  "mounts": [{"destination": "/data", "source": "/srv", "type": "bind", "options": ["ro", "rbind"]}],
                  "annotations": {"io.kubernetes.cri.container-name": "front", "io.kubernetes.cri.sandbox-name": "shop",
                                  "io.kubernetes.cri.sandbox-namespace": "web"},
                  "linux": {"devices": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "fileMode": 438}],
                            "resources": {"memory": {"limit": -1}, "cpu": {"cpus": "0-1"}}}}
        (tmp_path / "config.json").write_text(json.dumps(bundle))
        for output in OUTPUTS:
            words = ["--from", tmp_path / "config.json", "-o", output, "--all"]
            here = from_files(ruled, *words)
            assert here.returncode == 0
            assert "already" in here.stdout
            assert outcome(in_force(ruled, *words)) == outcome(here)


@pytest.mark.parametrize("words", [
    [], WEB, [*WEB, "tap"], [*WEB, "--all", "any", "tap"], ["--namespace", "web", "--runtime", "cri-o"],
    ["--image", "Not An Image"], ["--command", "sh", "--arg", "-c", "--env", "A=b", "--mount", "/a:/b"],
    [*WEB, "nobody"]], ids=str)
def test_flags(ruled: Node, words: list[str]):
    with running(ruled):
        for output in OUTPUTS:
            here, there = from_files(ruled, *words, "-o", output), in_force(ruled, *words, "-o", output)
            assert (there.returncode, there.stdout) == (here.returncode, here.stdout)
            assert there.stderr == here.stderr.replace("grapnel list shows", "grapnel status --all shows")


def test_control_flag(ruled: Node):
    settings(ruled)
    with running(ruled, "--control", str(control(ruled))):
        assert in_force(ruled, *WEB).returncode == 4
        done = in_force(ruled, "--control", control(ruled), *WEB)
        assert outcome(done) == outcome(from_files(ruled, *WEB))


@pytest.mark.parametrize("output", OUTPUTS)
def test_live(ruled: Node, output: str):
    """What was recorded comes from the journal, as ever; the second part, and which sets have changed, from
    the plugin."""
    folder = ruled.home / "run"
    folder.mkdir(mode=0o755)
    path = folder / "decisions"
    words = ["--run-dir", folder, "-o", output, "--live", "web/shop"]
    with running(ruled):
        text = json.loads(from_files(ruled, *WEB, "-o", "json").stdout)
        assert text["containers"][0]["sets"][0]["name"] == "tap"
        sets = [{"name": name, "hash": "0123456789abcdef", "verdict": "injected", "match": "true"}
                for name in ("tap", "gone", "\x1b[1m\u00e4")]
        path.write_text("".join(json.dumps(record) + "\n" for record in (
            decision(1, sets=sets), decision(2, container="side"))))
        path.chmod(0o600)
        here = from_files(ruled, *words)
        assert here.returncode == 0
        assert outcome(in_force(ruled, *words)) == outcome(here)
        assert ("no longer there" if output == "text" else "gone") in here.stdout
    assert in_force(ruled, *words).returncode == 4


# ---- where it differs ----

def test_last_good(ruled: Node):
    """A file that was broken after it was loaded: its last good text is what counts, and it is said."""
    before = from_files(ruled, *WEB)
    assert before.stdout.count("injected") == 2
    with running(ruled) as lines:
        ruled.rule("10-tap", TAP.replace("match:", "mach:"))
        lines.loaded(cause="watch", last_good=1)
        done = in_force(ruled, *WEB)
        assert done.stdout == before.stdout
        assert done.returncode == 1
        assert done.stderr == ("grapnel explain: the last load of the rules or settings had errors: what is in force "
                               "may be older than the files; grapnel status says more\n")
        assert from_files(ruled, *WEB).stdout.count("injected") == 1
        ruled.rule("10-tap", TAP.replace("web", "other"))
        lines.loaded(cause="watch", last_good=0)
        assert outcome(in_force(ruled, *WEB)) == outcome(from_files(ruled, *WEB))


def test_not_loaded_again(ruled: Node):
    """Files that were changed and not read yet."""
    before = from_files(ruled, *WEB)
    with running(ruled) as lines:
        moved = ruled.home / "elsewhere"
        shutil.copytree(ruled.rules, moved)
        tap = moved / "10-tap.yaml"
        tap.write_text(tap.read_text().replace("namespace: web", "namespace: b"))
        settings(ruled, controlSocket=str(control(ruled)), hooksDirs=[str(moved)], nodeName="node-9")
        # The settings are watched: whichever are in force, no other answer than one of the two comes.
        texts = {before.stdout, from_files(ruled, *WEB).stdout}
        assert len(texts) == 2
        assert in_force(ruled, *WEB).stdout in texts
        lines.loaded(cause="watch")
        assert outcome(in_force(ruled, *WEB)) == outcome(from_files(ruled, *WEB))


def test_paused(ruled: Node):
    with running(ruled):
        subprocess.run([ruled.program, "pause", "tap", "--reason", "a look", "--control", control(ruled)], check=True,
                       capture_output=True, timeout=WAIT_S)
        done = in_force(ruled, *WEB, "tap")
        assert done.returncode == 0
        assert "observed   tap" in done.stdout
        assert "a look" in done.stdout
        assert "injected   tap" in from_files(ruled, *WEB, "tap").stdout
        subprocess.run([ruled.program, "resume", "tap", "--control", control(ruled)], check=True, capture_output=True,
                       timeout=WAIT_S)
        assert outcome(in_force(ruled, *WEB)) == outcome(from_files(ruled, *WEB))


def test_refused_container(ruled: Node):
    """The exit code says so, as with files."""
    settings(ruled, controlSocket=str(control(ruled)), requiredSets=["missing"])
    with running(ruled):
        done = in_force(ruled, *WEB)
        assert done.returncode == 1
        assert "REFUSED" in done.stdout
        assert outcome(done) == outcome(from_files(ruled, *WEB))


# ---- many, and strange ones ----

def test_many_at_once(ruled: Node):
    many_sets(ruled, 300)
    words = [*WEB, "--all"]
    expected = outcome(from_files(ruled, *words))
    with running(ruled):
        command = [ruled.program, "explain", "--in-force", "--config", ruled.home / "config.yaml", *words]
        asking = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                  for _ in range(16)]
        try:
            said = [process.communicate(timeout=WAIT_S) for process in asking]
        finally:
            for process in asking:
                process.kill()
                process.wait()
        assert {(process.returncode, *texts) for process, texts in zip(asking, said)} == {expected}


PACKED = b"".join(n.to_bytes(8, "little") for n in (1, *[0] * 21))


def ask(node: Node, body: bytes = PACKED, **more: object) -> socket.socket:
    """A request for everything, whose answer nobody reads for now."""
    request = {"command": "explain", "bytes": len(PACKED), "output": "json", "all": True} | more
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(WAIT_S)
    client.connect(str(control(node)))
    client.sendall(json.dumps(request).encode() + b"\n" + body)
    return client


def answered(client: socket.socket) -> tuple[dict, bytes]:
    with client, client.makefile("rb") as stream:
        line = json.loads(stream.readline())
        return line, stream.read(line.get("bytes", 0))


def test_packed_by_hand(ruled: Node):
    """The socket's protocol: a line and bytes, and a line and bytes."""
    with running(ruled):
        line, text = answered(ask(ruled))
        assert line == {"ok": True, "refused": False, "recorded": {}, "bytes": len(text)}
        assert [one["name"] for one in json.loads(text)["sets"]] == ["tap", "any"]
        line, text = answered(ask(ruled, recorded=["tap", "none"]))
        assert list(line["recorded"]) == ["tap"]
        line, text = answered(ask(ruled, body=PACKED[:-1] + b"\1"))
        assert (line["ok"], line["code"], text) == (False, "bad-container", b"")
        assert answered(ask(ruled, bytes=(1 << 20) + 1))[0]["code"] == "too-long"
        assert answered(ask(ruled, bytes="1"))[0]["code"] == "wrong-type"
        assert answered(ask(ruled, sets=["none"]))[0]["code"] == "unknown-set"


def test_clients_that_leave(ruled: Node):
    many_sets(ruled, 2000)
    with running(ruled) as lines:
        for i in range(40):
            client = ask(ruled)
            if i % 3 == 1:
                client.recv(1)
            client.close()
        ask(ruled, body=PACKED[:50]).close()  # in the middle of its container
        done = in_force(ruled, *WEB)
        assert outcome(done) == outcome(from_files(ruled, *WEB))
        assert lines.process.poll() is None


def test_clients_that_never_read(ruled: Node):
    """Those who do not take their answers keep others out for the time that a client has, and no longer; nobody
    else is kept waiting."""
    many_sets(ruled, 2000)
    with running(ruled):
        deaf = [ask(ruled) for _ in range(EXPLAINS_MAX)]
        for client in deaf:
            assert client.recv(1) == b"{"  # it has its answer, and there is more of it than a socket holds
        assert answered(ask(ruled))[0]["code"] == "busy"
        status = subprocess.run([ruled.program, "status", "-o", "json", "--control", control(ruled)], timeout=WAIT_S,
                                capture_output=True, text=True, check=False)
        assert json.loads(status.stdout)["rules"]["sets"] == 2002
        done = in_force(ruled, *WEB)  # tries again until they were closed
        assert outcome(done) == outcome(from_files(ruled, *WEB))
        for client in deaf:
            client.close()


def test_containers_are_answered_meanwhile(ruled: Node):
    """Explanations of everything are asked for; before any of them is read, containers are created."""
    many_sets(ruled, 4000)
    listener = Listener(ruled.home / "nri.sock")
    try:
        with running(ruled):
            runtime = listener.accept()
            runtime.ready()
            asking = [ask(ruled) for _ in range(EXPLAINS_MAX)]
            for i in range(20):
                runtime.create(f"c{i}", "front")  # waits for its answer
            for client in asking:
                line, text = answered(client)
                assert line["ok"]
                assert len(json.loads(text)["sets"]) == 4002
            runtime.create("last", "front")
            runtime.sock.close()
    finally:
        listener.sock.close()


def test_larger_than_an_answer_may_be(node: Node):
    """8 MiB. A few sets by name are explained all the same."""
    node.hook("first", "#!/bin/sh\n")
    long = node.home / ("long-" * 40)
    long.mkdir(mode=0o755)
    settings(node, controlSocket=str(control(node)), hooksDirs=[str(long)])
    conditions = ", ".join(f"{{podLabels: {{label-{k}: {'v' * 40}}}}}" for k in range(8))
    one = HEAD + "metadata: {name: more-%d}\nspec:\n  match: {any: [" + conditions + "]}\n" \
        + HOOK.replace("/opt/hooks", str(node.hooks))
    for first in range(0, 3000, 500):
        (long / f"{first}.yaml").write_text("---\n".join(one % i for i in range(first, first + 500)))
    with running(node):
        done = in_force(node, *WEB, "--all", "-o", "json")
        assert outcome(done) == (4, "", "grapnel explain: the explanation would have more than 8388608 bytes; ask for "
                                        "a few sets by their names\n")
        assert len(from_files(node, *WEB, "--all", "-o", "json").stdout) > 8 << 20
        assert outcome(in_force(node, *WEB, "more-7")) == outcome(from_files(node, *WEB, "more-7"))


def test_too_large_container(ruled: Node, tmp_path: Path):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "annotations": {
               f"key-{i}": "x" * 100000 for i in range(11)}}, "spec": {"containers": [{"name": "b", "image": "c"}]}}
    (tmp_path / "pod.json").write_text(json.dumps(pod))
    with running(ruled):
        done = in_force(ruled, "--from", tmp_path / "pod.json")
        assert (done.returncode, done.stdout) == (2, "")
        assert "at most 1048576 bytes" in done.stderr
        del pod["metadata"]["annotations"]["key-1"]
        (tmp_path / "pod.json").write_text(json.dumps(pod))
        words = ["--from", tmp_path / "pod.json"]
        assert outcome(in_force(ruled, *words)) == outcome(from_files(ruled, *words))


def test_no_text(ruled: Node):
    with running(ruled):
        done = in_force(ruled, "--annotation", b"a=\xff".decode(errors="surrogateescape"))
        assert (done.returncode, done.stdout) == (2, "")
        assert "texts of UTF-8" in done.stderr


# ---- plugins that are not there, or not as they should be ----

@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_ends_meanwhile(ruled: Node, number: int):
    """It is stopped, so that the question waits; then it is killed, or ends in order."""
    with running(ruled) as lines:
        pid = int(Path(f"/proc/{lines.process.pid}/task/{lines.process.pid}/children").read_text())
        os.kill(pid, signal.SIGSTOP)
        client = ask(ruled)
        try:
            os.kill(pid, number)
        finally:
            os.kill(pid, signal.SIGCONT)
        with client, suppress(ConnectionResetError):
            while client.recv(65536):
                pass
        lines.process.wait(WAIT_S)
        assert lines.process.returncode in (0, 137, -signal.SIGKILL)
        lines.process.returncode = 0
        done = in_force(ruled, *WEB)
        assert (done.returncode, done.stdout) == (4, "")
        assert "is not running" in done.stderr


def test_none_runs(ruled: Node):
    done = in_force(ruled, *WEB)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("grapnel explain: Grapnel is not running here")
    settings(ruled)
    assert outcome(in_force(ruled, *WEB)) == (
        4, "", "grapnel explain: the settings say controlSocket: none; the plugin cannot be asked\n")


REPLIES = {
    "an older plugin": (b'{"ok":false,"code":"unknown-command","error":"Grapnel 0.0.1 has no command"}\n',
                        "cannot be asked this, it is of another version: Grapnel 0.0.1 has no command"),
    "rules not loaded": (b'{"ok":false,"code":"rules-not-loaded","error":"still loading"}\n', "still loading"),
    "no JSON": (b"hello\n", "is no answer of Grapnel's"),
    "nothing": (b"", "is no answer of Grapnel's"),
    "no bytes": (b'{"ok":true}\nmore', "is no answer of Grapnel's"),
    "too few": (b'{"ok":true,"bytes":9}\nmore', "is no answer of Grapnel's"),
    "too many": (b'{"ok":true,"bytes":3}\nmore', "is no answer of Grapnel's"),
    "a negative number": (b'{"ok":true,"bytes":-1}\n', "is no answer of Grapnel's"),
    "more than there may be": (b'{"ok":true,"bytes":8388609}\n' + b"x" * ((8 << 20) + 1), "is no answer of Grapnel's"),
    "a line without an end": (b"x" * (2 << 20), "is no answer of Grapnel's"),
}


@pytest.mark.parametrize("case", REPLIES)
def test_strange_replies(ruled: Node, case: str):
    reply, expected = REPLIES[case]
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(WAIT_S)
        server.bind(str(control(ruled)))
        server.listen(1)

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.settimeout(WAIT_S)
                client.recv(65536)
                try:
                    client.sendall(reply)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass
                except OSError:
                    pass  # it has gone

        thread = threading.Thread(target=serve)
        thread.start()
        done = in_force(ruled, *WEB)
        thread.join(WAIT_S)
        assert not thread.is_alive()
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert expected in done.stderr


@pytest.mark.parametrize("words", [["--hooks-dir", "/etc"], ["--oci-hooks-dir", "/etc"], ["--policy", "/etc/p"],
                                   ["--host-root", "/host"], ["--programs-dir", "none"], ["--node-name", "a"],
                                   ["--no-host"]], ids=lambda words: words[0])
def test_other_rules(ruled: Node, words: list[str]):
    done = in_force(ruled, *WEB, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (f"grapnel explain: expected --in-force without {words[0]}: the plugin has its rules and "
                           "says what they do; see grapnel explain --help\n")


@pytest.mark.parametrize("words", [["--control", "/run/x"], ["--in-force", "--control", "x"]], ids=str)
def test_usage(ruled: Node, words: list[str]):
    done = run(ruled, *WEB, *words)
    assert (done.returncode, done.stdout) == (2, "")


def test_not_permitted(open_node: Node):
    ruled = with_rules(open_node)
    with running(ruled):
        done = subprocess.run([ruled.program, "explain", "--in-force", "--control", control(ruled), *WEB],
                              capture_output=True, text=True, check=False, timeout=WAIT_S, user=65534, group=65534,
                              extra_groups=[])
    assert (done.returncode, done.stdout) == (4, "")
    assert "only root may ask" in done.stderr
