# SPDX-License-Identifier: Apache-2.0
"""What grapnel.service promises holds for the process that systemd started, and all works under it."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import cache
from harness.machine import UNIT, Machine
from harness.unit import HOOK, Unit
from harness.wait import until
from peer import Peer

# Lines of the unit that make the service Grapnel; without them it is the sandbox alone.
OF_GRAPNEL = ("Type=", "NotifyAccess=", "Exec", "WatchdogSec=", "Restart", "TimeoutStartSec=")
MMAP = {"x86_64": 9, "aarch64": 222}[platform.machine()]

# A key that no set has.
BAD = "unheard-of"
# What systemd and the kernel say.
DENIED = ["Operation not permitted", "Permission denied", "Read-only file system",
          "Function not implemented", "Failed to"]  # fmt: skip

# By promise: what anybody but the service may do on this machine.
REFUSED = {
    "ProtectSystem, /etc": ": >/etc/x",
    "ProtectSystem, /usr": ": >/usr/x",
    "ProtectSystem, /var": ": >/var/x",
    "ProtectSystem, /opt": ": >/opt/x",
    "ProtectSystem, beside the store": ": >/opt/grapnel/x",
    "ProtectSystem, /": ": >/x",
    "ReadOnlyPaths, /run": ": >/run/x",
    "ReadOnlyPaths, /dev/shm": ": >/dev/shm/x",
    "ProtectHome, /root": ": >/root/x",
    "ProtectHome, /home": ": >/home/x",
    "PrivateTmp, /tmp": "test -e /tmp/of-the-node",
    "PrivateTmp, /var/tmp": "test -e /var/tmp/of-the-node",
    "PrivateDevices": "test -e /dev/of-the-node",
    "ProtectControlGroups": "mkdir /sys/fs/cgroup/x$$",
    "ProtectHostname": "hostname machine",
    "ProtectKernelLogs": "dmesg",
    "ProtectKernelModules": "ls /usr/lib/modules/of-the-node",
    "ProcSubset": "test -e /proc/sys",
    "ProtectProc": "test -e /proc/1/status",
    "PrivateNetwork": 'test "$(readlink /proc/self/ns/net)" = NETWORK',
    "RestrictAddressFamilies": "bash -c ': >/dev/udp/127.0.0.1/9'",
    "RestrictNamespaces, user": "unshare --user true",
    "RestrictNamespaces, mount": "unshare --mount true",
    "RestrictRealtime": "chrt --fifo 1 true",
    "RestrictSUIDSGID": "chmod u+s /run/grapnel/file",
    "LockPersonality": "setarch --addr-no-randomize true",
    "MemoryDenyWriteExecute": f"perl -e 'exit(syscall({MMAP}, 0, 4096, 7, 0x22, -1, 0) == -1)'",
    "SystemCallFilter, @mount": "mount -t tmpfs none /mnt",
    "SystemCallFilter, @resources": "renice -n -1 $$",
    "CapabilityBoundingSet": "chown 1 /run/grapnel/file",
    "UMask": "umask | grep 0022",
}
GRANTED = {
    "RuntimeDirectory": ": >/run/grapnel/x",
    "StateDirectory": ": >/var/lib/grapnel/x",
    "ReadWritePaths, the program store": ": >/opt/grapnel/programs/x",
    "PrivateTmp": ": >/tmp/x",
    "reading /etc": "cat /etc/passwd",
}


def script(commands: dict[str, str]) -> str:
    """Says of each of its commands whether it went well."""
    lines = [f"( {cmd} ) >/dev/null 2>&1 && echo '{name}=yes' || echo '{name}=no'"
             for name, cmd in commands.items()]  # fmt: skip
    return "\n".join(lines) + "\n"


def verdicts(text: str) -> dict[str, bool]:
    return {name: said == "yes" for name, said in (line.split("=") for line in text.splitlines())}


def test_the_sandbox_refuses_what_it_says(unit: Unit) -> None:
    """A shell in place of the program: what it cannot do is what systemd and the kernel forbid."""
    machine = unit.machine
    text = (machine.root / "usr/local/lib/systemd/system" / UNIT).read_text()
    lines = [line for line in text.splitlines() if not line.startswith(OF_GRAPNEL)]
    lines[lines.index("[Service]") + 1 : 1] = [
        "Type=oneshot", "ExecStart=/bin/sh /probe.sh", "StandardOutput=truncate:/probe.out",
    ]  # fmt: skip
    unit.write_unit("probe.service", "\n".join(lines) + "\n")
    (machine.root / "usr/lib/modules/of-the-node").mkdir(parents=True)
    machine.boot()
    machine.settle()
    machine.run("sh", "-c", "mkdir -p /run/grapnel /opt/grapnel/programs; touch /run/grapnel/file; for d in /tmp /var/tmp /dev;"
                " do touch $d/of-the-node; done")  # fmt: skip
    network = machine.run("readlink", "/proc/1/ns/net").strip()
    commands = {name: cmd.replace("NETWORK", network) for name, cmd in (REFUSED | GRANTED).items()}
    (machine.root / "probe.sh").write_text(script(commands))
    machine.run("systemctl", "start", "probe.service")
    inside = verdicts((machine.root / "probe.out").read_text())
    outside = verdicts(machine.run("sh", "/probe.sh"))
    expected = dict.fromkeys(REFUSED, False) | dict.fromkeys(GRANTED, True)
    assert inside == expected, {name for name in expected if inside.get(name) != expected[name]}
    assert [name for name in REFUSED if not outside[name]] == [], "refused to everybody"


def status_of(pid: int) -> list[dict[str, str]]:
    """/proc/PID/status of every thread."""
    tasks = [path.read_text().splitlines() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return [dict(line.split(":\t", 1) for line in task if ":\t" in line) for task in tasks]


def test_the_process_has_nothing_of_root_but_the_name(running: Unit) -> None:
    machine = running.machine
    threads = status_of(machine.main_pid())
    assert len(threads) > 1, "the loader is a thread of its own"
    for thread in threads:
        none = [int(thread[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")]
        assert none == [0] * 5
        assert (thread["NoNewPrivs"], thread["Seccomp"], thread["Umask"]) == ("1", "2", "0077")
        assert thread["Uid"].split() == ["0"] * 4
    # Without CAP_SYS_RESOURCE systemd itself cannot lower it.
    manager = int(status_of(machine.pid)[0]["CapEff"], 16)
    score = int(Path(f"/proc/{machine.main_pid()}/oom_score_adj").read_text())
    assert score == (-900 if manager >> 24 & 1 else 0)
    assert machine.run("systemd-analyze", "security", "--threshold=9", UNIT)


def test_what_it_writes_is_for_root_alone(running: Unit, peer: Peer) -> None:
    assert peer.create().paths() == [HOOK]
    root = running.machine.root
    modes = {"run/grapnel": 0o755, "var/lib/grapnel": 0o700}
    assert {name: (root / name).stat().st_mode & 0o7777 for name in modes} == modes
    # Rules come to hooks.d, which the boot makes (tmpfiles.d).
    written = [path for name in modes for path in (root / name).rglob("*") if path.name != "hooks.d"]
    names = {path.name for path in written}
    assert {"control.sock", "decisions", "last-good"} <= names
    assert [path for path in written if path.lstat().st_mode & 0o077 or path.lstat().st_uid] == []


@pytest.fixture(params=["Capabilities", "Full"])
def boxed(request: pytest.FixtureRequest, unit: Unit, peer: Peer) -> Iterator[Unit]:
    """Running, with what the program gives up by itself; nothing may be denied to it."""
    unit.write_settings(sandbox=request.param, rescanInterval="3600")
    peer.start()
    unit.start()
    peer.wait(plugins=1)
    yield unit
    assert [error for error in DENIED if unit.machine.logged(error)] == []


def sets_of(peer: Peer) -> list[str]:
    """The sets whose hooks a new container gets: a hook's argument is the name of its set."""
    return [hook.args[1] for hook in peer.create().hooks.get("createRuntime", [])]


def test_changed_rules_are_noticed_in_it(boxed: Unit, peer: Peer) -> None:
    boxed.write_set("two")
    until(lambda: boxed.machine.logged("rules loaded", "sets=2", "cause=watch"), "noticed",
          detail=boxed.machine.describe)  # fmt: skip
    assert sets_of(peer) == ["one", "two"]


def test_it_reloads(boxed: Unit, peer: Peer) -> None:
    """A program that was missing is installed, which inotify does not see."""
    machine = boxed.machine
    program = machine.root / "usr/local/bin/tool"
    boxed.write_set("two", program="/usr/local/bin/tool")
    machine.wait("StatusText", "rules have errors, or were rejected")
    shutil.copy(machine.root / "bin/true", program)
    machine.run("systemctl", "reload", UNIT)
    machine.wait("StatusText", "ready")
    machine.until_logged("rules loaded", "sets=2", "blocked=0", "cause=SIGHUP")
    assert (machine.show("ActiveState"), machine.show("NRestarts")) == ("active", "0")
    assert sets_of(peer) == ["one", "two"]


def test_the_control_socket_answers_in_it(boxed: Unit, peer: Peer) -> None:
    machine = boxed.machine
    said = boxed.status()
    assert (said["ready"], said["problems"]) == (True, [])
    machine.run("grapnel", "probe", "ready")
    machine.run("grapnel", "pause", "one", "--for", "1h")
    assert sets_of(peer) == []
    machine.run("grapnel", "resume", "one")
    assert sets_of(peer) == ["one"]
    doctor = json.loads(machine.try_run("grapnel", "doctor", "-o", "json").stdout)
    # There is no containerd on this machine, only its side of the socket; nothing is wrong.
    assert [finding["code"] for finding in doctor["findings"]] == ["runtime-not-seen"]


def test_decisions_are_kept_in_it(boxed: Unit, peer: Peer) -> None:
    """And outlive a restart."""
    peer.create({"id": "a" * 64, "name": "shop"})
    boxed.machine.run("systemctl", "restart", UNIT)
    text = boxed.machine.run("grapnel", "explain", "--live", "a" * 64, "-o", "json")
    (container,) = json.loads(text)["containers"]
    assert container["recorded"]["outcome"] == "injected", container


def test_last_good_texts_are_kept_in_it(boxed: Unit, peer: Peer) -> None:
    """In force also after a restart."""
    boxed.write_set("one", text=f"spec: {{{BAD}: {{}}}}\n")
    machine = boxed.machine
    for _ in range(2):
        machine.wait("StatusText", "rules have errors, or were rejected")
        assert sets_of(peer) == ["one"]
        machine.run("systemctl", "restart", UNIT)
    machine.until_logged(BAD, "level=error")
    boxed.write_set("one")
    machine.wait("StatusText", "ready")


# Two versions of a hook program, as old as installers are never at work.
PROGRAMS = """
mkdir -p /source && for version in one two; do
    echo "#!/bin/sh
# $version" >/source/setup && chmod 755 /source/setup
    grapnel setup install --from /source --to /opt/grapnel/programs/net >/dev/null
done
touch -h -d yesterday /opt/grapnel/programs/net/*
ls /opt/grapnel/programs/net
"""


REMOVED = "hook programs that nothing names were removed"


def two_versions(machine: Machine) -> tuple[str, str]:
    """Installs them; returns the digest of the old and of the new one."""
    names = machine.run("sh", "-c", PROGRAMS).split()
    new = machine.run("readlink", "/opt/grapnel/programs/net/current").strip()
    (old,) = set(names) - {new, "current"}
    return old, new


def store_of(machine: Machine) -> list[str]:
    return sorted(machine.run("ls", "/opt/grapnel/programs/net").split())


def test_the_program_store_is_collected_in_it(unit: Unit, peer: Peer) -> None:
    """One that is made while the service runs, from the next start on: until then nothing is written there."""
    machine = unit.machine
    peer.start()
    unit.start()
    peer.wait(plugins=1)
    _, new = two_versions(machine)
    machine.run("systemctl", "restart", UNIT)
    until(lambda: machine.logged(REMOVED), "the store was looked through", detail=machine.describe)
    assert store_of(machine) == sorted([new, "current"])


# What CRI-O has of a container until it is removed, with the modes that it has there.
BUNDLE = """
umask 077
mkdir -p /run/containers/storage/overlay-containers/ended/userdata
echo "/opt/grapnel/programs/net/$1/setup" >/run/containers/storage/overlay-containers/ended/userdata/config.json
"""


@pytest.mark.parametrize("sandbox", ["Capabilities", "Full"])
def test_containers_of_crio_are_read_in_it(unit: Unit, peer: Peer, sandbox: str) -> None:
    """What one that has ended names stays until it is gone."""
    machine = unit.machine
    unit.write_settings(sandbox=sandbox, logLevel="debug")
    peer.start()
    peer.stop()
    peer.rename("cri-o")
    peer.restart()
    unit.start()
    peer.wait(plugins=1)
    old, new = two_versions(machine)
    machine.run("sh", "-c", BUNDLE, "sh", old)
    machine.run("systemctl", "restart", UNIT)
    machine.until_logged("the program store was looked through", "removed=0", "kept=1")
    assert store_of(machine) == sorted([old, new, "current"])
    machine.run("rm", "-r", "/run/containers/storage/overlay-containers/ended")
    machine.run("systemctl", "restart", UNIT)
    machine.until_logged(REMOVED, f"net/{old}")
    assert store_of(machine) == sorted([new, "current"])
    assert [error for error in DENIED if machine.logged(error)] == []


# What timeout(1) says of a program that it has ended.
TIMED_OUT = 124
# Prometheus in three lines of bash.
SCRAPE = "exec 3<>/dev/tcp/127.0.0.1/9753; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"


def test_metrics_over_tcp_need_the_drop_in(unit: Unit, peer: Peer) -> None:
    unit.write_settings(metricsAddress="127.0.0.1:9753")
    peer.start()
    unit.start()
    peer.wait(plugins=1)
    machine = unit.machine
    assert machine.try_run("bash", "-c", SCRAPE).returncode != 0
    assert peer.create().paths() == [HOOK], "nothing else is lost by it"
    drop_in = (cache.ROOT / "packaging/systemd/metrics.conf").read_text()
    unit.write_unit(f"{UNIT}.d/metrics.conf", drop_in)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", UNIT)
    machine.wait("StatusText", "ready")
    assert "grapnel_connected 1" in machine.run("bash", "-c", SCRAPE)
    assert machine.run("systemd-analyze", "security", "--threshold=17", UNIT)


def test_without_it_addresses_are_filtered_too(unit: Unit, peer: Peer) -> None:
    """A network alone is not enough: what a client sends is dropped (IPAddressDeny)."""
    unit.write_settings(metricsAddress="127.0.0.1:9753")
    text = (cache.ROOT / "packaging/systemd/metrics.conf").read_text()
    kept = [line for line in text.splitlines() if not line.startswith("IPAddress")]
    unit.write_unit(f"{UNIT}.d/half.conf", "\n".join(kept) + "\n")
    peer.start()
    unit.start()
    peer.wait(plugins=1)
    assert not unit.machine.logged("level=error")
    status = unit.machine.try_run("timeout", "2", "bash", "-c", SCRAPE).returncode
    assert status == TIMED_OUT, "a port that nobody listens at is refused at once"


def test_metrics_in_a_file_need_its_directory(unit: Unit, peer: Peer) -> None:
    unit.write_settings(metricsTextfile="/var/lib/node_exporter/grapnel.prom")
    unit.write_unit(f"{UNIT}.d/textfile.conf", "[Service]\nReadWritePaths=/var/lib/node_exporter\n")
    folder = unit.machine.root / "var/lib/node_exporter"
    folder.mkdir(mode=0o755)
    peer.start()
    unit.start()
    file = unit.machine.root / "var/lib/node_exporter/grapnel.prom"
    until(file.exists, "the file is written", detail=unit.machine.describe)
    assert "grapnel_build_info" in file.read_text()


def test_metrics_over_a_socket_need_nothing(unit: Unit, peer: Peer) -> None:
    unit.write_settings(metricsAddress="unix:/run/grapnel/metrics.sock")
    peer.start()
    unit.start()
    peer.wait(plugins=1)
    assert (unit.machine.root / "run/grapnel/metrics.sock").is_socket()
    assert unit.status()["problems"] == []
