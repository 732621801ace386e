# SPDX-License-Identifier: Apache-2.0
"""Metrics and probes of the plugin's process, over HTTP and as a textfile. No runtime is there."""
from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from conftest import Node
from harness.wait import until
from running import WAIT_S

# specs/metrics.md, "Limits".
CONNECTIONS_MAX = 16
HEADER_MAX = 8192

RULE = """apiVersion: grapnel/v1beta1
kind: HookSet
spec:
  match: {always: true}
  hooks: {poststop: [{path: /opt/hooks/first}]}
"""
CONFIG = """apiVersion: grapnel/v1beta1
kind: Config
spec:
  hooksDirs: [%s]
  lastGoodDir: none
  logFormat: json
  controlSocket: none
"""


class Plugin:
    """One process and the lines of its log."""

    def __init__(self, node: Node, *args: str, **more):
        command = [node.program, "plugin", "--socket", str(node.home / "nri.sock"),
                   "--config", str(node.home / "config.yaml"), *args]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True, **more)
        self.lines = map(json.loads, self.process.stderr)
        # Nobody waits for ever for a line that does not come.
        self.watchdog = threading.Timer(WAIT_S, self.process.kill)
        self.watchdog.start()

    def said(self, message: str) -> dict:
        """The next line that says this."""
        for line in self.lines:
            if line["msg"] == message:
                return line
        raise AssertionError(f"the plugin ended without saying: {message}")

    def served(self) -> Plugin:
        self.said("the metrics are served")
        return self

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def end(self, with_signal: int = signal.SIGTERM) -> None:
        self.watchdog.cancel()
        if self.process.returncode is not None:
            return
        self.process.send_signal(with_signal)
        try:
            self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stderr.close()
        assert self.process.returncode in (0, -with_signal), self.process.returncode


@pytest.fixture
def ruled(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    node.rule("one", RULE)
    configure(node)
    return node


def configure(node: Node, **settings: object) -> None:
    settings = {"runDir": "none", **settings}
    lines = [f"  {key}: {json.dumps(str(value))}\n" for key, value in settings.items()]
    (node.home / "config.yaml").write_text(CONFIG % node.rules + "".join(lines))


@contextmanager
def plugin(node: Node, *args: str, **more) -> Iterator[Plugin]:
    running = Plugin(node, *args, **more)
    try:
        yield running
    finally:
        running.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(address: str) -> socket.socket:
    """To what --metrics was given."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(WAIT_S)
        sock.connect(address[5:])
        return sock
    return socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), WAIT_S)


class Connection(http.client.HTTPConnection):
    """Python's own client, also over a unix socket."""

    def __init__(self, address: str):
        super().__init__("grapnel")
        self.address = address

    def connect(self) -> None:
        self.sock = connect(self.address)


def get(address: str, path: str, method: str = "GET", body: bytes | None = None) -> http.client.HTTPResponse:
    connection = Connection(address)
    connection.request(method, path, body)
    response = connection.getresponse()
    response.text = response.read().decode()
    connection.close()
    return response


def raw(address: str, data: bytes) -> bytes:
    """All that comes for these bytes."""
    with connect(address) as sock:
        sock.sendall(data)
        return received(sock)


def received(sock: socket.socket) -> bytes:
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


def families(text: str) -> dict[str, str]:
    """Name to type."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


@pytest.fixture(params=["tcp", "any", "unix"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    forms = {"tcp": f"127.0.0.1:{free_port()}", "any": f":{free_port()}",
             "unix": f"unix:{tmp_path}/m.sock"}
    return forms[request.param]


@pytest.fixture
def tcp() -> str:
    return f"127.0.0.1:{free_port()}"


def test_paths(ruled: Node, address: str):
    with plugin(ruled, "--metrics", address) as running:
        running.served()
        metrics = get(address, "/metrics")
        assert metrics.status == 200
        assert metrics.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
        assert metrics.text.endswith("\n")
        assert families(metrics.text)["grapnel_request_duration_seconds"] == "histogram"
        assert "process_open_fds" in families(metrics.text)
        assert get(address, "/metrics?name=x").status == 200
        head = get(address, "/metrics", "HEAD")
        assert (head.status, head.text) == (200, "")
        assert int(head.getheader("Content-Length")) > 1000
        healthy = get(address, "/healthz")
        assert (healthy.status, healthy.text) == (200, "ok\n")
        ready = get(address, "/readyz")
        assert (ready.status, ready.text) == (503, "not ready: not connected to the runtime\n")
        for path in ("/", "/metrics/", "/metricss", "/healthz/x", "//metrics", "/%6detrics"):
            assert get(address, path).status == 404, path
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
            found = get(address, "/metrics", method)
            assert (found.status, found.getheader("Allow")) == (405, "GET, HEAD"), method
        assert get(address, "/metrics", "TRACE", b"x" * 20000).status == 405
        assert get(address, "/metrics", "POST", b"x" * 20000).status == 413
        assert get(address, "/metrics", "X", b"x" * 20000).status == 501


CHUNKED = b"POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
ODD = [(b"\r\n\r\n", 400), (b"GET\r\n\r\n", 400), (b"GET /metrics\r\n\r\n", 400),
       (b"GET /metrics HTTP/2.0\r\n\r\n", 400), (b"GET  /metrics HTTP/1.1\r\n\r\n", 404),
       (b"get /metrics HTTP/1.1\r\n\r\n", 501), (b"\0" * 100 + b"\r\n\r\n", 400),
       (b"GET metrics HTTP/1.1\r\n\r\n", 404), (b"GET /metrics HTTP/1.1 x\r\n\r\n", 400),
       (b"\xff /metrics HTTP/1.1\r\n\r\n", 501), (b" /metrics HTTP/1.1\r\n\r\n", 501),
       (b"GET http://a/metrics HTTP/1.1\r\n\r\n", 200), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
       (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400),
       (b"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n", 400), (b"GET /healthz HTTP/1.1\r\n x\r\n\r\n", 400),
       (b"GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
       (b"GET /healthz HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
       (b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n", 413),
       (b"POST / HTTP/1.1\r\nExpect: x\r\nContent-Length: 9\r\n\r\n", 417),
       (CHUNKED + b"0\r\n\r\n", 405), (CHUNKED + b"5\r\n", 413), (CHUNKED + b"-1\r\n", 413),
       (CHUNKED + b"ffffffffffffffff\r\n", 413),
       (b"GET /healthz HTTP/1.1\r\n\r\n" * 40, 200)]


@pytest.mark.parametrize(("data", "status"), ODD, ids=range(len(ODD)))
def test_odd_requests(ruled: Node, tcp: str, data: bytes, status: int):
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        answer = raw(tcp, data)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert answer.count(b"HTTP/1.1") == 1, "a connection has one request"
        assert get(tcp, "/healthz").status == 200


def resident(tcp: str) -> float:
    found = re.search(r"^process_resident_memory_bytes (\S+)$", get(tcp, "/metrics").text, re.MULTILINE)
    assert found
    return float(found[1])


@pytest.mark.parametrize("start", [CHUNKED, b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
                                   b"GET /metrics HTTP/1.1\r\n\r\n", b""], ids=range(4))
def test_floods(ruled: Node, tcp: str, start: bytes):
    """Bytes without an end wait in the kernel, or are thrown away, for as long as the connection may last."""
    # The address sanitizer keeps what was freed, to find who uses it; here that would look like growth.
    options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
    with plugin(ruled, "--metrics", tcp, env={**os.environ, "ASAN_OPTIONS": options}) as running:
        running.served()
        running.said("rules loaded")
        before = resident(tcp)
        with connect(tcp) as sock:
            sent = 0
            try:
                sock.sendall(start)
                while sent < 64 << 20:
                    sent += sock.send(b"1" * 65536)
            except OSError:
                pass  # it was ended
        assert resident(tcp) - before < 16 << 20, sent


def test_no_end_of_the_header(ruled: Node, tcp: str):
    """A client that ends within it gets nothing, and harms nobody."""
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        with connect(tcp) as sock:
            sock.sendall(b"GET /metrics HTTP/1.1\r\n")
            sock.shutdown(socket.SHUT_WR)
            assert received(sock) == b""
        assert get(tcp, "/healthz").status == 200


def test_half_closed(ruled: Node, tcp: str):
    """A client may say at once that it sends no more."""
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        with connect(tcp) as sock:
            sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            sock.shutdown(socket.SHUT_WR)
            assert received(sock).endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize("over", [0, 1])
def test_longest_header(ruled: Node, tcp: str, over: int):
    line, field = b"GET /healthz HTTP/1.1", b"X: "
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        value = b"x" * (HEADER_MAX + over - len(line + field))
        answer = raw(tcp, line + b"\r\n" + field + value + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 " if over else b"HTTP/1.1 200 ")


def test_endless_header(ruled: Node, tcp: str):
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        assert raw(tcp, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000).startswith(b"HTTP/1.1 400 ")


def accepted(address: str) -> int:
    """Connections to this port that a process has taken; those that wait have no inode yet."""
    port = f":{int(address.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(port) and row[3] != "0A" and row[9] != "0" for row in rows)


def test_as_many_connections_as_allowed(ruled: Node, tcp: str):
    """More wait in the kernel, and are answered when others have left."""
    with plugin(ruled, "--metrics", tcp) as running, ExitStack() as stack:
        running.served()
        running.said("rules loaded")
        idle = [stack.enter_context(connect(tcp)) for _ in range(CONNECTIONS_MAX)]
        until(lambda: accepted(tcp) == CONNECTIONS_MAX, "all were accepted")
        late = [stack.enter_context(connect(tcp)) for _ in range(5)]
        for sock in late:
            sock.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        # The loop turns, and looks at its listener as well.
        ruled.rule("two", RULE)
        running.reload()
        assert running.said("rules loaded")["sets"] == 2
        assert accepted(tcp) == CONNECTIONS_MAX
        idle[0].close()
        for sock in late:
            assert received(sock).endswith(b"ok\n")
            sock.close()
        for sock in idle[1:]:
            sock.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert received(sock).endswith(b"ok\n")


def test_slow_clients(ruled: Node, tcp: str):
    """Each byte comes before any pause is too long, but the whole takes longer than a connection may."""
    with plugin(ruled, "--metrics", tcp) as running, ExitStack() as stack:
        running.served()
        slow = [stack.enter_context(connect(tcp)) for _ in range(CONNECTIONS_MAX)]
        with connect(tcp) as other:  # has to wait for all of them
            other.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            other.settimeout(0.2)
            answer = b""
            while not answer:
                for sock in slow:
                    try:
                        sock.send(b"G")
                    except OSError:
                        pass  # ended by the plugin
                try:
                    answer = other.recv(1000)
                except TimeoutError:
                    assert running.process.poll() is None
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_client_that_does_not_read(ruled: Node, tcp: str):
    """Its answer waits no longer than a connection may last."""
    for i in range(1500):
        ruled.rule(f"{'x' * 150}-{i}", RULE)  # some 300 KB of metrics
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        running.said("rules loaded")
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.connect(("127.0.0.1", int(tcp.rpartition(":")[2])))
        deaf.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        until(lambda: accepted(tcp) == 1, "it was accepted")
        text = get(tcp, "/metrics").text
        assert text.count('grapnel_hook_binary_present{rule="') == 1001
        assert 'grapnel_hook_binary_present{rule=""} 1\n' in text
        until(lambda: accepted(tcp) == 0, "it was ended")
        deaf.close()


def test_no_descriptors_left(ruled: Node, tcp: str):
    """Accepting fails for a while; it is tried again when there is room."""
    limit = ["prlimit", "--nofile=18"]
    with plugin(ruled, "--metrics", tcp) as running, ExitStack() as stack:
        running.served()
        running.said("rules loaded")
        subprocess.run([*limit, f"--pid={running.process.pid}"], check=True, timeout=WAIT_S)
        held = [stack.enter_context(connect(tcp)) for _ in range(CONNECTIONS_MAX)]
        # One of them may be wanted for the runtime at this moment; some may be above the new limit.
        numbers = {str(number) for number in range(18)}
        until(lambda: numbers <= set(os.listdir(f"/proc/{running.process.pid}/fd")), "none are left")
        assert accepted(tcp) < CONNECTIONS_MAX
        for sock in held:
            sock.close()
        assert get(tcp, "/healthz").status == 200


def test_unix_socket_is_ours_alone(ruled: Node, tmp_path: Path):
    path = tmp_path / "m.sock"
    with plugin(ruled, "--metrics", f"unix:{path}") as running:
        running.served()
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


@pytest.mark.parametrize("form", ["127.0.0.1:%d", ":%d"])
def test_two_instances_at_a_port(ruled: Node, form: str):
    """As during an upgrade: the second has the port when the first has left."""
    address = form % free_port()
    with plugin(ruled, "--metrics", address) as first:
        first.served()
        with plugin(ruled, "--metrics", address) as second:
            assert "in use" in second.said("the metrics cannot be served, trying on")["error"]
            assert get(address, "/healthz").status == 200
            first.end()
            second.served()
            assert get(address, "/healthz").status == 200


def test_two_instances_at_a_path(ruled: Node, tmp_path: Path):
    """The second takes it over; the first has it again when it looks and the second has left."""
    address = f"unix:{tmp_path}/m.sock"
    with plugin(ruled, "--metrics", address) as first:
        first.served()
        first.said("rules loaded")
        with connect(address) as before:
            with plugin(ruled, "--metrics", address) as second:
                second.served()
                second.said("rules loaded")
                before.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
                assert received(before).endswith(b"ok\n"), "it keeps its connections"
                inode = (tmp_path / "m.sock").stat().st_ino
                ruled.rule("two", RULE)
                first.reload()
                assert first.said("rules loaded")["sets"] == 2
                assert (tmp_path / "m.sock").stat().st_ino == inode
                assert get(address, "/healthz").status == 200
        first.served()
        assert get(address, "/healthz").status == 200


def test_first_of_two_instances_leaves(ruled: Node, tmp_path: Path):
    address = f"unix:{tmp_path}/m.sock"
    with plugin(ruled, "--metrics", address) as first:
        first.served()
        with plugin(ruled, "--metrics", address) as second:
            second.served()
            first.end()
            assert get(address, "/healthz").status == 200
    assert list(tmp_path.glob("*m.sock*")) == [], "nothing is left beside it"


def test_directory_that_others_may_change(ruled: Node, tmp_path: Path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with plugin(ruled, "--metrics", f"unix:{tmp_path}/open/m.sock") as running:
        said = running.said("the metrics cannot be served, trying on")
        assert "others than root may change it" in said["error"]


def test_socket_of_a_killed_instance(ruled: Node, tmp_path: Path):
    address = f"unix:{tmp_path}/m.sock"
    first = Plugin(ruled, "--metrics", address).served()
    first.end(signal.SIGKILL)
    assert (tmp_path / "m.sock").exists()
    with plugin(ruled, "--metrics", address) as second:
        second.served()
        assert get(address, "/healthz").status == 200


def test_settings_are_followed(ruled: Node, tcp: str, tmp_path: Path):
    other = f"unix:{tmp_path}/m.sock"
    with plugin(ruled) as running:
        running.said("rules loaded")
        configure(ruled, metricsAddress=tcp)
        running.reload()
        assert running.said("the metrics are served")["address"] == tcp
        assert get(tcp, "/healthz").status == 200
        configure(ruled, metricsAddress=other)
        running.reload()
        assert running.said("the metrics are served")["address"] == other
        assert get(other, "/healthz").status == 200
        with pytest.raises(ConnectionRefusedError):
            connect(tcp)
        configure(ruled)
        running.reload()
        until(lambda: not (tmp_path / "m.sock").exists(), "it is closed")


def test_flag_is_over_the_file(ruled: Node, tcp: str):
    configure(ruled, metricsAddress="127.0.0.1:1")
    with plugin(ruled, "--metrics", tcp) as running:
        assert running.said("the metrics are served")["address"] == tcp


@pytest.mark.parametrize("value", ["", "9753", "localhost:9753", "/run/m.sock", "unix:m.sock", "None"])
def test_bad_flag(grapnel: str, value: str):
    done = subprocess.run([grapnel, "plugin", "--metrics", value], capture_output=True, text=True,
                          check=False, timeout=WAIT_S, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "--metrics 127.0.0.1:PORT" in done.stderr


def test_rules_that_are_refused(ruled: Node, tcp: str):
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        running.said("rules loaded")
        assert "\ngrapnel_rules_rejected 0\n" in get(tcp, "/metrics").text
        ruled.rule("bad", RULE.replace("match", "mach"))
        running.reload()
        running.said("rules loaded")
        text = get(tcp, "/metrics").text
        assert "\ngrapnel_rules_rejected 1\n" in text
        assert "\ngrapnel_config_last_reload_successful 0\n" in text
        assert "\ngrapnel_config_reload_failures_total 1\n" in text
        assert re.search(r'^grapnel_log_messages_total\{level="error"\} [1-9]', text, re.MULTILINE)


def test_missing_program(ruled: Node, tcp: str):
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        running.said("rules loaded")
        assert 'grapnel_hook_binary_present{rule="one"} 1\n' in get(tcp, "/metrics").text
        (ruled.hooks / "first").unlink()
        running.reload()
        running.said("rules loaded")
        text = get(tcp, "/metrics").text
        assert 'grapnel_hook_binary_present{rule="one"} 0\n' in text
        assert "\ngrapnel_rules_blocked 1\n" in text


def test_within_the_sandbox(ruled: Node, tcp: str, tmp_path: Path):
    """All of it needs no capability and no system call that the sandbox does not allow."""
    configure(ruled, sandbox="Full", metricsTextfile=tmp_path / "grapnel.prom")
    # A sanitizer that looks for leaks at the end traces the process, which the sandbox forbids.
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    with plugin(ruled, "--metrics", tcp, env=env) as running:
        running.served()
        appears(tmp_path / "grapnel.prom")
        assert "process_open_fds" in families(get(tcp, "/metrics").text)
        assert get(tcp, "/readyz").status == 503
        assert raw(tcp, ODD[0][0]).startswith(b"HTTP/1.1 400 ")
    assert not (tmp_path / "grapnel.prom").exists()
    address = f"unix:{tmp_path}/m.sock"
    with plugin(ruled, "--metrics", address, env=env) as running:
        running.served()
        assert get(address, "/healthz").status == 200


def test_sockets_that_somebody_removed(ruled: Node, tmp_path: Path):
    """They are there again, without a load."""
    address, reports = f"unix:{tmp_path}/m.sock", tmp_path / "run" / "reports.sock"
    configure(ruled, runDir=reports.parent, rescanInterval="3600s")
    with plugin(ruled, "--metrics", address) as running:
        running.served()
        until(reports.exists, "hook runners can report")
        Path(address[5:]).unlink()
        reports.unlink()
        running.served()
        assert get(address, "/healthz").status == 200
        until(reports.exists, "hook runners can report again")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"nonsense", str(reports))
        until(lambda: "\ngrapnel_hook_reports_total 1\n" in get(address, "/metrics").text, "it is read")
        assert re.findall(r"^grapnel_config_reloads_total (.*)$", get(address, "/metrics").text, re.M) == ["1"]


# ---- the textfile ----

def appears(path: Path) -> Path:
    until(path.exists, f"{path} is written")
    return path


def test_textfile(ruled: Node, tcp: str, tmp_path: Path):
    path = tmp_path / "t" / "grapnel.prom"
    path.parent.mkdir()
    configure(ruled, metricsTextfile=path)
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        text = appears(path).read_text()
        assert path.stat().st_mode & 0o777 == 0o644
        served = families(get(tcp, "/metrics").text)
        # node_exporter has process_* of its own, and takes no family twice.
        assert families(text) == {name: kind for name, kind in served.items()
                                  if not name.startswith("process_")}
        assert [entry.name for entry in path.parent.glob("*.prom")] == ["grapnel.prom"]
    assert not path.exists()


def test_textfile_of_two_instances(ruled: Node, tmp_path: Path):
    path = tmp_path / "grapnel.prom"
    configure(ruled, metricsTextfile=path)
    with plugin(ruled) as first:
        appears(path)
        with plugin(ruled) as second:
            assert "in use" in second.said("the metrics cannot be written, trying on")["error"]
            assert path.exists()
        assert path.exists(), "the second has not removed what is not its own"
        first.end()
    assert not path.exists()


def test_textfile_whose_lock_is_a_link(ruled: Node, tmp_path: Path):
    (tmp_path / ".grapnel.prom.lock").symlink_to(tmp_path / "elsewhere")
    configure(ruled, metricsTextfile=tmp_path / "grapnel.prom")
    with plugin(ruled) as running:
        running.said("the metrics cannot be written, trying on")
    assert not (tmp_path / "elsewhere").exists()


def test_textfile_after_a_crash(ruled: Node, tmp_path: Path):
    path = tmp_path / "grapnel.prom"
    configure(ruled, metricsTextfile=path)
    first = Plugin(ruled)
    appears(path)
    first.end(signal.SIGKILL)
    path.write_text("of a process that is gone\n")
    (tmp_path / ".grapnel.prom.new").symlink_to(tmp_path / "elsewhere")
    with plugin(ruled):
        until(lambda: "grapnel_build_info" in path.read_text(), "it is written anew")
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / ".grapnel.prom.new").is_symlink()


def test_textfile_without_its_directory(ruled: Node, tmp_path: Path):
    configure(ruled, metricsTextfile=tmp_path / "none" / "grapnel.prom")
    with plugin(ruled) as running:
        line = running.said("the metrics cannot be written, trying on")
        assert "No such file" in line["error"]


def test_textfile_moves(ruled: Node, tmp_path: Path):
    configure(ruled, metricsTextfile=tmp_path / "a.prom")
    with plugin(ruled) as running:
        appears(tmp_path / "a.prom")
        configure(ruled, metricsTextfile=tmp_path / "b.prom")
        running.reload()
        appears(tmp_path / "b.prom")
        assert not (tmp_path / "a.prom").exists()


# ---- hook runners ----

def test_reports_of_hook_runners(ruled: Node, tcp: str):
    """One JSON object in a datagram, as grapnel-exec will send it (specs/runner-reports.md)."""
    run_dir = ruled.home / "run"
    configure(ruled, runDir=run_dir)
    report = {"v": 1, "set": "one", "hash": "0" * 16, "id": "c0ffee", "stage": "poststop",
              "result": "exit", "code": 75, "durationMs": 12}
    with plugin(ruled, "--metrics", tcp) as running:
        running.served()
        running.said("rules loaded")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(run_dir / "reports.sock"))
            for result in ("ok", "exit", "verify"):
                sender.send(json.dumps(report | {"result": result}).encode())
            sender.send(b"nonsense")
        hook = 'rule="one",hook_point="poststop"'
        until(lambda: "\ngrapnel_hook_reports_total 4\n" in get(tcp, "/metrics").text, "all have come")
        text = get(tcp, "/metrics").text
        assert f"grapnel_hook_runs_total{{{hook}}} 3\n" in text
        for reason, runs in (("exit", 1), ("signal", 0), ("verify", 1)):
            assert f'grapnel_hook_run_failures_total{{{hook},reason="{reason}"}} {runs}\n' in text
        for what in ('bucket{rule="one",le="0.01"} 0', 'bucket{rule="one",le="0.05"} 3', 'count{rule="one"} 3'):
            assert f"grapnel_hook_run_duration_seconds_{what}\n" in text
        assert 'grapnel_hook_report_failures_total{reason="bad"} 1\n' in text
        assert "\ngrapnel_journal_working 1\n" in text
        assert "\ngrapnel_watch_working 1\n" in text
