# SPDX-License-Identifier: Apache-2.0
"""What doctor finds: for every code a host in which exactly that is wrong.

Each case makes a host that is in order, does one thing to it, and names everything that is found
then: its code, where it is, and a part of what mends it.
"""
from __future__ import annotations

import errno
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import ROOT
from doctorhost import (CONTAINERD_TABLE, RULE, STATUS, DoctorHost, containerd, crio, doctor_host,
                        go_program)
from harness.wait import until
from running import WAIT_S, limited

PAGE = ROOT / "specs" / "doctor.md"
TABLE = ROOT / "specs" / "compatibility.md"
CONFIG = "/etc/containerd/config.toml"
CRIO_DROP_IN = "/etc/crio/crio.conf.d/10-nri.conf"
ENTRY = "/opt/nri/plugins/10-grapnel"
NOBODY = 65534
FRESH = 4_100_000_000  # a time after the start of every process
HEAD = "apiVersion: grapnel/v1beta1\n"

Make = Callable[[DoctorHost], None]


class Case:
    """What is done to a host, and the finding that has its name: (file, line), a part of the fix."""

    def __init__(self, code: str, make: Make, fix: str, *, file: str | None = None,
                 line: int | None = None, also: tuple[str, ...] = (), runtime: str = "containerd",
                 found: str = "", name: str = ""):
        self.code, self.make, self.fix, self.file, self.line = code, make, fix, file, line
        self.also, self.runtime, self.found = also, runtime, found
        self.id = f"{code}-{name}" if name else code


CASES: list[Case] = []


def case(code: str, fix: str, **more) -> Callable[[Make], Make]:
    def add(make: Make) -> Make:
        CASES.append(Case(code, make, fix, **more))
        return make
    return add


def new_binary(host: DoctorHost, program: bytes) -> None:
    host.write("/usr/bin/" + host.runtime, program, 0o755)


def nri(host: DoctorHost, lines: str, path: str = CONFIG, version: int = 3) -> None:
    host.write(path, f"version = {version}\n\n{CONTAINERD_TABLE}\n{lines}")


def launch(host: DoctorHost, path: str = ENTRY) -> None:
    """The runtime starts the plugin, nobody else does."""
    host.write(path, b"program", 0o755)
    host.remove("/proc/200")


# ---- the runtime ----

def engine_alone(host: DoctorHost, program: str) -> None:
    """Nothing of a runtime or of Grapnel, only this engine."""
    for path in ("/usr/bin/containerd", CONFIG, "/proc/100", "/proc/200", "/run/nri/nri.sock"):
        host.remove(path)
    silent(host)
    host.write(program, "", 0o755)


@case("no-runtime", "install containerd", also=("plugin-not-running", "socket-missing"), found="neither containerd nor CRI-O")
def no_runtime(host):
    engine_alone(host, "/usr/bin/true")


@case("no-runtime", "nothing to start or to restart", also=("podman-reads-oci-hooks",), name="Podman",
      found="Podman does not ask NRI plugins, and was all that was found")
def podman_alone(host):
    engine_alone(host, "/usr/bin/podman")


@case("no-runtime", "nothing to start or to restart", also=("docker-ignores-hooks",), name="Docker",
      found="Docker does not ask NRI plugins, and was all that was found")
def docker_alone(host):
    engine_alone(host, "/usr/bin/dockerd")


@case("no-runtime", "nothing to start or to restart", name="asked for",
      found="Docker does not ask NRI plugins, and was asked for")
def docker_asked_for(host):
    host.args += ["--runtime", "docker"]


@case("runtime-not-running", "systemctl start containerd",
      also=("socket-dead", "plugin-not-connected"))
def not_running(host):
    away(host)
    host.remove("/proc/100")
    host.stop(host.closing.pop(0))


@case("runtime-too-old", "upgrade to containerd 2.0", found="containerd v1.6.20")
def too_old(host):
    new_binary(host, containerd("v1.6.20", "v0.1.0"))


@case("runtime-too-old", "upgrade to CRI-O 1.30", runtime="crio", name="CRI-O")
def too_old_crio(host):
    new_binary(host, crio("v1.25.4", "v0.1.0"))


@case("nri-old", "upgrade to containerd 1.7.26", found="NRI 0.6.1")
def nri_old(host):
    new_binary(host, containerd("v1.7.25", "v0.6.1"))
    nri(host, "disable = false\n", version=2)


@case("adjust-ignored", "--table", found="adjust.cdiDevices")
def adjust_ignored(host):
    new_binary(host, containerd("v1.7.27"))
    nri(host, "disable = false\n", version=2)
    (host.rules / "10-one.yaml").write_text(RULE + "  adjust: {cdiDevices: [vendor.com/gpu=one]}\n")


@case("version-unknown", "containerd --version")
def version_unknown(host):
    new_binary(host, b"#!/bin/sh\n")
    nri(host, "disable = false\n")


@case("config-not-understood", "mend that line", file=CONFIG, line=2, name="syntax",
      found="expected a value")
def config_syntax(host):
    host.write(CONFIG, "version = 3\nroot = yes\n")


@case("config-not-understood", "take it out of imports", file="/etc/containerd/conf.d/x.toml", name="import",
      found="containerd does not start without it")
def config_import(host):
    host.write(CONFIG, 'version = 3\nimports = ["conf.d/x.toml", "none/*.toml"]\n')


@case("config-not-understood", "without quotes", file=CONFIG, line=4, name="type",
      found="disable is a text")
def config_type(host):
    nri(host, 'disable = "true"\n')


@case("restart-needed", "systemctl restart containerd", file=CONFIG)
def restart_needed(host):
    os.utime(host.path(CONFIG), (FRESH, FRESH))


# ---- NRI ----

@case("nri-off", "disable = false", file=CONFIG, line=4, name="set")
def nri_off(host):
    nri(host, "  disable = true\n")


@case("nri-off", f"{CONTAINERD_TABLE}\n    disable = false", file=CONFIG, name="default",
      found="off in this release")
def nri_off_by_default(host):
    new_binary(host, containerd("v1.7.27"))
    host.write(CONFIG, "version = 2\n")


@case("nri-off", "take it out of disabled_plugins", file=CONFIG, line=2, name="disabled_plugins")
def nri_disabled(host):
    host.write(CONFIG, 'version = 2\ndisabled_plugins = ["io.containerd.nri.v1.nri"]\n')


@case("nri-off", "enable_nri = true", file=CRIO_DROP_IN, line=2, runtime="crio", name="CRI-O set")
def crio_off(host):
    host.write(CRIO_DROP_IN, "[crio.nri]\nenable_nri = false\n")


@case("nri-off", "/etc/crio/crio.conf.d/10-grapnel.conf:\n  [crio.nri]\n    enable_nri = true",
      file="/etc/crio/crio.conf", runtime="crio", name="CRI-O default", also=("nri-old",))
def crio_off_by_default(host):
    new_binary(host, crio("v1.29.2", "v0.6.0"))


@case("nri-off", "take --enable-nri=false from it", file="the command line of crio",
      runtime="crio", name="CRI-O command line")
def crio_off_by_flag(host):
    host.process(100, "/usr/bin/crio", "--enable-nri=false")


@case("nri-off", "k3s/agent/etc/containerd/config.toml is written anew", name="k3s",
      file="/var/lib/rancher/k3s/agent/etc/containerd/config.toml")
def k3s_off(host):
    config = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"
    host.remove("/usr/bin/containerd")
    host.write("/var/lib/rancher/k3s/data/x/bin/k3s", containerd("v1.7.27-k3s1"), 0o755)
    host.process(100, "containerd", "-c", config, exe="/var/lib/rancher/k3s/data/x/bin/k3s")
    host.write(config, "version = 2\n")


@case("nri-unsure", "enable_nri = true", runtime="crio", also=("version-unknown",),
      file="/etc/crio/crio.conf")
def nri_unsure(host):
    new_binary(host, crio("(devel)", "v0.6.0"))  # in 1.29, off, and in 1.30, on


@case("nri-connections-off", "disable_connections = false", file=CONFIG, line=4)
def connections_off(host):
    nri(host, "disable_connections = true\n")


@case("nri-connections-off", "nri_disable_connections = false", file=CRIO_DROP_IN, line=2,
      runtime="crio", name="CRI-O")
def crio_connections_off(host):
    host.write(CRIO_DROP_IN, "[crio.nri]\nnri_disable_connections = true\n")


@case("cri-off", 'take "cri" out', file=CONFIG, line=1)
def cri_off(host):
    host.write(CONFIG, 'disabled_plugins = ["cri"]\n')


# ---- the socket ----

AWAY = ("plugin-not-connected",)


def away(host: DoctorHost) -> None:
    """The plugin runs and has no connection: only then its socket matters."""
    status(host, ready=False, notReady="not connected to the runtime",
           connection={**STATUS["connection"], "state": "closed"})


@case("socket-elsewhere", "--socket /run/other/nri.sock", file=CONFIG, line=4, also=AWAY)
def socket_elsewhere(host):
    away(host)
    nri(host, 'socket_path = "/run/other/nri.sock"\n')


@case("socket-missing", "systemctl restart containerd", file="/run/nri/nri.sock", also=AWAY)
def socket_missing(host):
    away(host)
    host.remove("/run/nri/nri.sock")


@case("socket-missing", "remove it", file="/run/nri/nri.sock", name="a file",
      found="no socket", also=AWAY)
def socket_file(host):
    away(host)
    host.remove("/run/nri/nri.sock")
    host.write("/run/nri/nri.sock", "")


@case("socket-dead", "journalctl -u containerd", file="/run/nri/nri.sock", also=AWAY)
def socket_dead(host):
    """Only the file is left of a socket."""
    away(host)
    host.stop(host.closing.pop(0))


@case("socket-not-permitted", "grep -i denied", file="/run/nri/nri.sock", also=AWAY)
def socket_denied(host):
    """Whoever refuses: owners and modes do not."""
    status(host, ready=False, notReady="not connected to the runtime",
           connection={**STATUS["connection"], "state": "closed", "connectError": "Permission denied"})


# ---- the directories of plugins ----

@case("plugin-dir-elsewhere", "mv /opt/nri/plugins/10-grapnel /opt/other/", file=ENTRY)
def plugin_dir_elsewhere(host):
    nri(host, 'plugin_path = "/opt/other"\n')
    host.write(ENTRY, b"program", 0o755)


@case("conf-dir-elsewhere", "mv /etc/nri/conf.d/10-grapnel.conf /etc/other/",
      file="/etc/nri/conf.d/10-grapnel.conf")
def conf_dir_elsewhere(host):
    nri(host, 'plugin_config_path = "/etc/other"\n')
    host.write("/etc/nri/conf.d/10-grapnel.conf", "")


@case("bad-plugin-name", "rm /opt/nri/plugins/README", file="/opt/nri/plugins/README")
def bad_plugin_name(host):
    host.write("/opt/nri/plugins/README", "", 0o755)
    host.write("/opt/nri/plugins/notes", "", 0o644)  # these two are passed over
    host.path("/opt/nri/plugins/folder/x")


@case("bad-plugin-name", "rm", file="/opt/nri/plugins/latest", name="link",
      found="a link counts as executable")
def bad_link_name(host):
    host.write("/opt/plain", "", 0o644)
    host.path("/opt/nri/plugins/latest").symlink_to("../../plain")


@case("dangling-plugin", "rm /opt/nri/plugins/20-other", file="/opt/nri/plugins/20-other")
def dangling(host):
    host.path("/opt/nri/plugins/20-other").symlink_to("/opt/gone")


@case("plugin-not-executable", "chmod 0755", file=ENTRY)
def not_executable(host):
    host.write(ENTRY, b"program", 0o644)


@case("backup-plugin", "rm /opt/nri/plugins/10-grapnel.bak",
      file="/opt/nri/plugins/10-grapnel.bak")
def backup(host):
    launch(host)
    host.write(ENTRY + ".bak", b"program", 0o755)


@case("several-entries", "rm /opt/nri/plugins/20-hooks", file="/opt/nri/plugins/20-hooks",
      found="beside /opt/nri/plugins/10-grapnel")
def several_entries(host):
    launch(host)
    host.write("/usr/sbin/grapnel", b"program", 0o755)
    host.path("/opt/nri/plugins/20-hooks").symlink_to("/usr/sbin/grapnel")


@case("several-processes", "keep one of", found="process 200 (/usr/sbin/grapnel)")
def several_processes(host):
    host.process(201, "/usr/local/bin/grapnel", "plugin")


@case("two-ways", "rm /opt/nri/plugins/10-grapnel", file=ENTRY, found="process 200")
def two_ways(host):
    host.write(ENTRY, b"program", 0o755)


# Each way in which it comes to a node, by what tells of it. The process 200 is of no known way.
POD_GROUP = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-0123.scope"


def alone(host: DoctorHost, *argv: str, group: str) -> None:
    """Exactly this process of it."""
    host.process(200, "/usr/sbin/grapnel", "plugin", *argv, group=group)


def by_entry(host):
    host.write(ENTRY, b"program", 0o755)


def by_enabled_unit(host):
    host.enable()


def by_running_unit(host):
    alone(host, group="/system.slice/my-grapnel.service")


def by_pod(host):
    alone(host, group=POD_GROUP)


def by_told_pod(host):
    """All that can be seen in another pod."""
    host.instance("pod")


def by_hand(host):
    alone(host, group="/user.slice/user-0.slice/session-1.scope")


WAYS = {
    by_entry: ("the runtime launches /opt/nri/plugins/10-grapnel", "rm /opt/nri/plugins/10-grapnel, then: "
               "systemctl restart containerd"),
    by_enabled_unit: ("the unit grapnel.service is enabled (/etc/systemd/system/multi-user.target.wants/"
                      "grapnel.service)", "systemctl disable --now grapnel.service"),
    by_running_unit: ("the unit my-grapnel.service runs", "systemctl disable --now my-grapnel.service"),
    by_pod: ("a pod runs it, as from a DaemonSet", "uninstall the chart, or keep"),
    by_told_pod: ("a pod runs it, as from a DaemonSet", "uninstall the chart, or keep"),
    by_hand: ("process 200 (/usr/sbin/grapnel) was started by hand", "end that process"),
}
PAIRS = [(by_entry, by_running_unit), (by_entry, by_pod), (by_entry, by_told_pod), (by_entry, by_hand),
         (by_enabled_unit, by_pod), (by_enabled_unit, by_hand), (by_running_unit, by_told_pod),
         (by_told_pod, by_hand)]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: " and ".join(way.__name__ for way in pair))
def test_two_ways(host: DoctorHost, pair: tuple[Make, Make]):
    host.remove("/proc/200")
    for way in pair:
        way(host)
    found = host.findings()
    assert set(found) == {"two-ways"}
    finding = found["two-ways"][0]
    assert finding["level"] == "warning" and finding.get("file") == (ENTRY if by_entry in pair else None)
    assert finding["found"].startswith("Grapnel comes to this node in 2 ways: ")
    for way in pair:
        assert WAYS[way][0] in finding["found"] and WAYS[way][1] in finding["fix"]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_one_way(host: DoctorHost, way: Make):
    host.remove("/proc/200")
    way(host)
    assert host.findings() == {}


def test_all_ways(host: DoctorHost):
    """An entry and an enabled unit, before the one that systemd has started came to run."""
    for way in (by_entry, by_enabled_unit, by_told_pod, by_hand):
        way(host)
    assert host.findings()["two-ways"][0]["found"].startswith("Grapnel comes to this node in 4 ways: ")


def masked(host):
    host.path("/etc/systemd/system/grapnel.service").symlink_to("/dev/null")


def uninstalled(host):
    host.remove("/lib/systemd/system/grapnel.service")


def unrelated(host):
    host.remove("/etc/systemd/system/multi-user.target.wants/grapnel.service")
    host.path("/etc/systemd/system/multi-user.target.notes/grapnel.service").symlink_to("/lib")


@pytest.mark.parametrize("change", [masked, uninstalled, unrelated])
def test_a_unit_that_is_not_started(host: DoctorHost, change: Make):
    by_pod(host)
    host.enable()
    assert set(host.findings()) == {"two-ways"}
    change(host)
    assert host.findings() == {}


@pytest.mark.parametrize("by", ["/run/systemd/system/kubelet.service.requires",
                                "/usr/lib/systemd/system/a.target.upholds"])
def test_a_unit_that_is_started_otherwise(host: DoctorHost, by: str):
    by_pod(host)
    host.enable(by=by)
    assert by in host.findings()["two-ways"][0]["found"]


def test_what_was_launched_before_goes_on(host: DoctorHost):
    """Its file is gone, and the runtime has not been restarted."""
    host.process(201, "10-grapnel", exe="/opt/nri/plugins/10-grapnel")
    alone(host, group="/system.slice/grapnel.service")
    found = host.findings()
    assert "one runs that the runtime launched; the unit grapnel.service runs" in found["two-ways"][0]["found"]
    assert "process 200 (/usr/sbin/grapnel), from the unit grapnel.service, and as process 201 (10-grapnel), " \
        "launched by the runtime" in found["several-processes"][0]["found"]


def test_instances_that_no_process_is_seen_of(host: DoctorHost):
    """In a pod: two of an upgrade, then one that the runtime launched."""
    host.remove("/proc/200")
    host.instance("pod")
    host.instance("pod")
    found = host.findings()
    assert set(found) == {"several-processes"}
    assert found["several-processes"][0]["found"] == \
        "2 instances of Grapnel run: 10-grapnel in a pod, and 10-grapnel in a pod"
    host.instance("launched", "20-hooks")
    found = host.findings()
    assert set(found) == {"several-processes", "two-ways"}
    assert "one runs that the runtime launched; a pod runs it" in found["two-ways"][0]["found"]
    for fd in host.files:
        os.close(fd)
    host.files.clear()
    assert host.findings() == {}


def test_how_the_one_that_answers_came(host: DoctorHost):
    """Its run directory is not here: what it says on its socket counts."""
    host.remove("/proc/200")
    host.write(ENTRY, b"program", 0o755)
    assert "two-ways" not in host.findings()
    host.answer({**STATUS, "process": {"mode": "pod"}})
    assert "a pod runs it" in host.findings()["two-ways"][0]["found"]


def test_the_problem_of_others_is_told_once(host: DoctorHost):
    """status has it among the problems; here the ways have it."""
    host.instance("pod")
    problem = "another Grapnel runs on this node, in a pod (10-grapnel, version 0.1.0), and both are asked"
    host.answer({**STATUS, "problems": [problem], "problemCodes": ["several-processes"]})
    assert set(host.findings()) == {"two-ways"}


# What package managers, editors and careful people leave beside a file.
@pytest.mark.parametrize("end", [".bak", ".old", ".orig", ".save", ".tmp", ".new", ".part", ".swp", "~", ".rpmsave",
                                 ".rpmnew", ".rpmorig", ".dpkg-old", ".dpkg-new", ".dpkg-dist", ".dpkg-tmp"])
def test_leftovers(host: DoctorHost, end: str):
    launch(host)
    host.write(ENTRY + end, b"program", 0o644)  # nobody starts it
    assert host.findings() == {}
    host.write(ENTRY + end, b"program", 0o755)
    assert [finding["file"] for finding in host.findings()["backup-plugin"]] == [ENTRY + end]
    host.remove(ENTRY + end)
    host.write("/opt/nri/plugins/grapnel" + end, b"program", 0o755)  # NRI does not even start
    assert [finding["file"] for finding in host.findings()["bad-plugin-name"]] == \
        ["/opt/nri/plugins/grapnel" + end]


def test_a_copy_by_any_name(host: DoctorHost, grapnel: str):
    """It is known by what it is."""
    launch(host)
    shutil.copy(grapnel, host.path("/opt/nri/plugins/42-answer"))
    found = host.findings()
    assert [finding["file"] for finding in found["several-entries"]] == ["/opt/nri/plugins/42-answer"]
    shutil.copy("/bin/true", host.path("/opt/nri/plugins/42-answer"))
    assert host.findings() == {}


@case("plugin-config-unreadable", "rm -r", file="/etc/nri/conf.d/20-other.conf",
      found="Is a directory")
def config_unreadable(host):
    host.write("/opt/nri/plugins/20-other", b"program", 0o755)
    host.path("/etc/nri/conf.d/20-other.conf/x")


@case("plugin-config-refused", "mend it", file="/etc/nri/conf.d/grapnel.conf", line=3,
      also=("unknown-key",))
def config_refused(host):
    launch(host)
    host.write("/etc/nri/conf.d/grapnel.conf", HEAD + "kind: Config\nspec: {noSuchKey: 1}\n")


@case("plugin-config-refused", "UTF-8", file="/etc/nri/conf.d/10-grapnel.conf", name="UTF-8",
      also=("bad-utf8",))
def config_no_utf8(host):
    launch(host)
    host.write("/etc/nri/conf.d/10-grapnel.conf", b"# \xff\n")


# ---- the validator ----

@case("validator-rejects-hooks", "write false there", file=CONFIG, line=6)
def rejects(host):
    new_binary(host, containerd("v2.2.1", "v0.11.0"))
    nri(host, "  [plugins.'io.containerd.nri.v1.nri'.default_validator]\n  enable = true\n"
              "  reject_oci_hook_adjustment = true\n")


@case("validator-rejects-hooks", "systemctl restart crio", file=CRIO_DROP_IN, line=3,
      runtime="crio", name="CRI-O")
def crio_rejects(host):
    host.write(CRIO_DROP_IN, "[crio.nri.default_validator]\nnri_enable_default_validator = true\n"
                             "nri_validator_reject_oci_hook_adjustment = true\n")


@case("required-plugin-name", 'write "grapnel" there', file=CONFIG, line=7,
      found='"20-grapnel" is required, and this one is 10-grapnel')
def required_name(host):
    new_binary(host, containerd("v2.2.1", "v0.11.0"))
    nri(host, "default_validator = { enable = true, required_plugins = [\n  'other',\n"
              "  'grapnel', '20-grapnel' ] }\n".replace("\n  'grapnel'", "\n\n  'grapnel'"))


@case("required-plugin-name", 'write "grapnel" there', file=CONFIG, line=4,
      found="this one is 20-grapnel", name="launched", also=("plugin-not-running",))
def required_launched(host):
    new_binary(host, containerd("v2.2.1", "v0.11.0"))
    nri(host, "default_validator = { enable = true, required_plugins = ['10-grapnel'] }\n")
    launch(host, "/opt/nri/plugins/20-grapnel")
    silent(host)


# ---- SELinux ----

@case("selinux-domain", "seLinuxOptions: {type: spc_t}", found="runs as container_t")
def selinux(host):
    host.write("/sys/fs/selinux/enforce", "1")
    host.write("/proc/200/attr/current", "system_u:system_r:container_t:s0:c1,c2\0")


@case("selinux-domain", "spc_t", found="this process", name="own", also=("plugin-not-running",))
def selinux_own(host):
    silent(host)
    host.remove("/proc/200")
    host.write("/sys/fs/selinux/enforce", "1")
    host.write("/proc/400/attr/current", "system_u:system_r:container_t:s0:c1,c2\0")
    host.path("/proc/self").symlink_to("400")


# ---- rules and programs ----

@case("no-rules", "grapnel list")
def no_rules(host):
    (host.rules / "10-one.yaml").unlink()


@case("hook-dir-noexec", "remount,exec /opt", found="which is mounted noexec")
def noexec(host):
    host.write("/proc/1/mountinfo", "1 0 8:1 / / rw,relatime - ext4 /dev/x rw\n"
               "2 1 8:2 / /opt rw,nosuid,noexec - ext4 /dev/y rw\n"
               "3 1 8:3 / /optional rw,noexec - ext4 /dev/z rw\n")


def policy(host: DoctorHost, *dirs: str) -> None:
    path = host.home / "policy.yaml"
    path.write_text(f"{HEAD}kind: Policy\nspec:\n  programs: {{directories: [{', '.join(dirs)}]}}\n")
    host.args += ["--policy", path]


@case("hook-dir-missing", "mkdir -p /opt/more", line=4, found="/opt/more is not there")
def dir_missing(host):
    policy(host, "/opt/hooks", "/opt/more")


@case("hook-dir-missing", "allow another directory", name="read-only")
def dir_missing_read_only(host):
    host.write("/proc/1/mountinfo", "1 0 8:1 / / ro - ext4 /dev/x rw\n"
               "2 1 8:2 / /opt/hooks rw - ext4 /dev/y rw\n")
    policy(host, "/opt/hooks", "/opt/more")


@case("hook-dir-read-only", "ship the programs", line=4)
def dir_read_only(host):
    host.write("/proc/1/mountinfo", "1 0 8:1 / / ro - ext4 /dev/x rw\n")
    policy(host, "/opt/hooks")


# ---- oci-hooks(5) ----

@case("oci-hooks-unread", "ociHooksDirs: [/etc/containers/oci/hooks.d]",
      file="/etc/containers/oci/hooks.d", found="2 oci-hooks(5) files lie here")
def unread(host):
    for name in ("a.json", "b.json", "c.txt"):
        host.write("/etc/containers/oci/hooks.d/" + name, "{}")


OCI_HOOK = {"version": "1.0.0", "hook": {"path": "/opt/hooks/first"}, "when": {"always": True},
            "stages": ["prestart"]}


@case("oci-hooks-twice", "take /usr/share/containers/oci/hooks.d out", runtime="crio")
def twice(host):
    path = host.write("/usr/share/containers/oci/hooks.d/a.json", json.dumps(OCI_HOOK))
    host.settings += f"  ociHooksDirs: [{path.parent}]\n"


@case("oci-hooks-twice", "take /etc/hooks.d out", runtime="crio", file=CRIO_DROP_IN, line=2,
      name="named")
def twice_named(host):
    path = host.write("/etc/hooks.d/a.json", json.dumps(OCI_HOOK))
    host.write(CRIO_DROP_IN, "[crio.runtime]\nhooks_dir = ['/srv', '/etc/hooks.d']\n")
    host.settings += f"  ociHooksDirs: [{path.parent}]\n"


# ---- the plugin ----

def silent(host: DoctorHost) -> None:
    """Nobody listens at the control socket."""
    host.stop(host.closing.pop())


@case("plugin-not-running", 'grapnel setup autostart, then: systemctl restart containerd')
def plugin_not_running(host):
    silent(host)
    host.remove("/proc/200")


@case("plugin-not-running", "starts /opt/nri/plugins/10-grapnel only when", name="launched")
def plugin_not_launched(host):
    launch(host)
    silent(host)


@case("plugin-no-answer", "--control")
def no_answer(host):
    host.control.unlink()


@case("plugin-no-answer", "another version", name="refused", found="has no command")
def refused_answer(host):
    host.answer({"ok": False, "code": "unknown-command", "error": "it has no command \"status\""})


def status(host: DoctorHost, **more) -> None:
    host.answer({**STATUS, **more})


@case("plugin-not-connected", "connects again", file="/run/nri/nri.sock",
      found="Connection refused")
def not_connected(host):
    text = "/run/nri/nri.sock cannot be connected to: Connection refused"
    status(host, ready=False, notReady="not connected", problems=[text],
           problemCodes=["plugin-not-connected"],
           connection={**STATUS["connection"], "state": "closed",
                       "connectError": "Connection refused"})


@case("plugin-not-ready", "grapnel status", found="the rules are not loaded yet")
def not_ready(host):
    status(host, ready=False, notReady="the rules are not loaded yet")


@case("plugin-problem", "grapnel status", found="something new")
def of_another_version(host):
    status(host, problems=["something new"], problemCodes=["something-new"])


@case("plugin-problem", "grapnel status", found="something old", name="older")
def of_an_older_version(host):
    status(host, problems=["something old"])


@case("run-dir-unusable", "chmod 0755", found="mode 0777")
def run_dir_open(host):
    host.run_dir.chmod(0o777)


@case("journal-unusable", "rm -r", found="no regular file")
def journal(host):
    (host.run_dir / "decisions").mkdir()


# ---- the node ----

@case("inotify-limits", "sysctl -w fs.inotify.max_user_instances=128",
      file="/proc/sys/fs/inotify/max_user_instances")
def inotify(host):
    host.write("/proc/sys/fs/inotify/max_user_instances", "127\n")


@case("docker-ignores-hooks", "in pods of containerd or CRI-O", found="Docker runs here")
def docker(host):
    host.process(300, "/usr/bin/dockerd")
    # Its own containerd is not the node's.
    host.process(50, "containerd", "--config", "/var/run/docker/containerd/containerd.toml",
                 exe="/usr/bin/containerd")


@case("podman-reads-oci-hooks", "/etc/containers/oci/hooks.d")
def podman(host):
    host.write("/usr/bin/podman", "", 0o755)


# ---- the tests ----

@pytest.fixture
def home() -> Iterator[Path]:
    """Short: a socket's path may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="gr-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def host(grapnel: str, home: Path) -> Iterator[DoctorHost]:
    with doctor_host(grapnel, home) as host:
        yield host


def rows(page: Path) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in page.read_text().splitlines() if line.startswith("| ")]


def codes_of_problems() -> set[str]:
    """Of every problem that the plugin process can tell of itself."""
    table = (ROOT / "plugin/app/problem.c").read_text()
    codes = re.findall(r'^    \[GR_PROBLEM_[A-Z_]+\] = "([a-z-]+)",$', table, re.MULTILINE)
    assert len(codes) == len(set(codes)) > 10
    return set(codes)


def codes_of_page() -> dict[str, str]:
    return {row[0].strip("`"): row[1] for row in rows(PAGE) if row[0].startswith("`")}


@pytest.mark.parametrize("wrong", CASES, ids=lambda case: case.id)
def test_finding(grapnel: str, home: Path, wrong: Case):
    with doctor_host(grapnel, home, wrong.runtime) as host:
        wrong.make(host)
        found = host.findings()
        assert set(found) == {wrong.code, *wrong.also}, json.dumps(found, indent=1)
        assert len(found[wrong.code]) == 1, json.dumps(found, indent=1)
        finding = found[wrong.code][0]
        assert wrong.fix in finding["fix"]
        assert wrong.found in finding["found"]
        assert wrong.file in (None, finding.get("file"))
        assert wrong.line in (None, finding.get("line"))
        assert finding["why"]
        assert finding["level"] == codes_of_page()[wrong.code]
        levels = [item["level"] for items in found.values() for item in items]
        expected = 1 if "error" in levels else 0
        assert host.run().returncode == expected
        strict = expected or (3 if "warning" in levels else 0)
        assert host.run("--strict").returncode == strict


def test_every_code_has_a_case():
    """Also those that need another user: the last test below. Those of what the plugin tells of itself
    have theirs in test_doctor_problems."""
    source = (ROOT / "plugin/app/doctor/codes.c").read_text()
    codes = re.findall(r'^    \{"([a-z-]+)", ', source, re.MULTILINE)
    told = codes_of_problems()
    assert len(codes) == len(set(codes)) > 30
    assert set(codes_of_page()) == set(codes)
    assert {case.code for case in CASES} | {"not-permitted"} | told == set(codes)
    used = set()
    for path in (ROOT / "plugin/app/doctor").glob("*.c"):
        used |= set(re.findall(r'gr_doctor_add\(\s*d, "([a-z-]+)"', path.read_text()))
        used |= set(re.findall(r'check_elsewhere\(d, "([a-z-]+)"', path.read_text()))
    assert used | told == set(codes)


@pytest.mark.parametrize("runtime", ["containerd", "crio"])
def test_in_order(grapnel: str, home: Path, runtime: str):
    with doctor_host(grapnel, home, runtime) as host:
        report = host.report("--strict", code=0)
        assert report["findings"] == []
        assert (report["errors"], report["warnings"]) == (0, 0)
        assert all(check["ok"] for check in report["checks"])
        text = host.run(code=0).stdout
        assert text.splitlines()[-1] == "0 errors, 0 warnings"
        assert len(text.splitlines()) == 3  # nothing but the runtime and the counts
        verbose = host.run("-v", code=0).stdout
        assert verbose.count(": ok") == len(report["checks"])
        assert "\033" not in verbose


def test_text(host: DoctorHost):
    nri_off(host)
    done = host.run(code=1)
    assert done.stdout == (
        "containerd v2.1.4, NRI 0.8.0, /etc/containerd/config.toml\n"
        "\n"
        "nri\n"
        "  ERROR   nri-off  /etc/containerd/config.toml:4\n"
        "          NRI is switched off in containerd\n"
        "          why: a runtime without NRI never asks a plugin\n"
        "          fix: write there: disable = false, then: systemctl restart containerd\n"
        "\n"
        "1 error, 0 warnings\n")
    assert done.stderr == ""


def test_the_page_shows_what_is_printed(host: DoctorHost):
    nri_off_by_default(host)
    shown = re.search(r"^```\n\$ sudo grapnel doctor\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    assert shown and host.run(code=1).stdout == shown.group(1)


def test_names_cannot_speak_to_the_terminal(host: DoctorHost):
    host.write("/opt/nri/plugins/x\033[2J\n", "", 0o755)
    text = host.run(code=1).stdout
    assert "\033" not in text
    assert "bad-plugin-name" in text


def test_yaml_is_json(host: DoctorHost):
    yaml = pytest.importorskip("yaml")
    nri_off(host)
    done = host.run("-o", "yaml", code=1)
    assert yaml.safe_load(done.stdout) == host.report(code=1)


# ---- how configurations are put together ----

def off(host: DoctorHost) -> tuple[str, int] | None:
    """Where NRI is switched off; None: it is on."""
    found = host.findings().get("nri-off")
    return (found[0].get("file"), found[0].get("line")) if found else None


def test_imports_in_order(host: DoctorHost):
    """The last file that says something counts, key by key; each is read once, however it is named."""
    host.write(CONFIG, 'version = 3\nimports = ["conf.d/*.toml", "/etc/containerd/conf.d/20.toml"]\n' + CONTAINERD_TABLE + "\ndisable = true\n")
    nri(host, "disable = true\n", "/etc/containerd/conf.d/10.toml")
    host.write("/etc/containerd/conf.d/20.toml",
               'imports = ["../last.toml"]\n[plugins]\n"io.containerd.nri.v1.nri".disable = false\n')
    nri(host, "disable = true\n", "/etc/containerd/conf.d/README")  # no .toml
    assert off(host) is None
    host.write("/etc/containerd/last.toml", f"{CONTAINERD_TABLE}\ndisable = true # again\n")
    assert off(host) == ("/etc/containerd/conf.d/../last.toml", 2)
    report = host.report()
    assert report["runtime"]["configFiles"] == [
        CONFIG, "/etc/containerd/conf.d/10.toml", "/etc/containerd/conf.d/20.toml",
        "/etc/containerd/conf.d/../last.toml"]


def test_a_later_table_replaces_the_whole_one_in_containerd_1(host: DoctorHost):
    new_binary(host, containerd("v1.7.27"))
    host.write(CONFIG, 'version = 2\nimports = ["/etc/containerd/more.toml"]\n' + CONTAINERD_TABLE +
               "\ndisable = false\n")
    nri(host, "", "/etc/containerd/more.toml", version=2)
    assert off(host) == (CONFIG, None)  # the default again
    new_binary(host, containerd("v2.1.4"))
    assert off(host) is None


def test_old_names_of_version_1(host: DoctorHost):
    host.write(CONFIG, "[plugins.nri]\ndisable = true\n")
    assert off(host) == (CONFIG, 2)
    host.write(CONFIG, "version = 2\n[plugins.nri]\ndisable = true\n")
    assert off(host) is None


def test_what_only_looks_like_a_setting(host: DoctorHost):
    host.write(CONFIG, f"version = 3\nx = '''\n{CONTAINERD_TABLE}\ndisable = true\n'''\n"
                       f"# {CONTAINERD_TABLE}\n[plugins.'io.containerd.nri.v1'.nri]\n"
                       "disable = true\n[plugins.other]\ndisable = true\n")
    assert off(host) is None


def test_drop_ins_without_a_file(host: DoctorHost):
    """containerd 2.2 and later read conf.d where there is no config.toml; earlier ones do not."""
    host.remove(CONFIG)
    nri(host, "disable = true\n", "/etc/containerd/conf.d/10.toml")
    assert off(host) is None
    new_binary(host, containerd("v2.2.0", "v0.10.0"))
    assert off(host) == ("/etc/containerd/conf.d/10.toml", 4)


@pytest.mark.parametrize("words", [("--config", "/srv/c.toml"), ("--config=/srv/c.toml",),
                                   ("-c", "/srv/c.toml")])
def test_the_file_that_the_process_was_given(host: DoctorHost, words: tuple[str, ...]):
    host.process(100, "/usr/bin/containerd", *words)
    nri(host, "disable = true\n", "/srv/c.toml")
    assert off(host) == ("/srv/c.toml", 4)
    host.args += ["--runtime-config", CONFIG]
    assert off(host) is None


EVIL = ("--config", "/tmp/evil.toml")


def test_a_name_that_somebody_took(host: DoctorHost):
    """Anybody gives a program that runs as root the first word that he likes."""
    host.process(10, "containerd", *EVIL, exe="/usr/bin/su")
    nri(host, "disable = true\n", "/tmp/evil.toml")
    assert off(host) is None


def test_a_process_of_another_user(host: DoctorHost):
    if os.geteuid() != 0:
        pytest.skip("changing the owner needs root")
    host.process(10, "/tmp/containerd", *EVIL)
    nri(host, "disable = true\n", "/tmp/evil.toml")
    assert off(host) == ("/tmp/evil.toml", 4)
    os.chown(host.path("/proc/10"), NOBODY, NOBODY)
    assert off(host) is None


def test_crio_order(grapnel: str, home: Path):
    """Drop-ins by name, folders included and whatever the suffix; the command line comes last."""
    with doctor_host(grapnel, home, "crio") as host:
        host.write("/etc/crio/crio.conf", "[crio.nri]\nenable_nri = false\n")
        host.write("/etc/crio/crio.conf.d/20-on.conf", "[crio]\nnri.enable_nri = true\n")
        assert off(host) is None
        host.write("/etc/crio/crio.conf.d/20-on.d/a", "[crio.nri]\nenable_nri = false\n")
        assert off(host) == ("/etc/crio/crio.conf.d/20-on.d/a", 2)
        host.process(100, "/usr/bin/crio", "--enable-nri=true")
        assert off(host) is None
        host.process(100, "/usr/bin/crio", "--enable-nri=false", "-d", "")
        assert off(host) == ("the command line of crio", None)
        host.process(100, "/usr/bin/crio", "--config-dir", "/srv")
        assert off(host) == ("/etc/crio/crio.conf", 2)


def test_validator_of_an_earlier_release(host: DoctorHost):
    """It is not there before NRI 0.10, whatever the configuration says of it."""
    rejects(host)
    assert set(host.findings()) == {"validator-rejects-hooks"}
    new_binary(host, containerd("v2.1.4", "v0.8.0"))
    assert host.findings() == {}


def test_a_container_cannot_pose_as_the_runtime(host: DoctorHost):
    """It may call its process as it likes and come first, but it is no child of the first one."""
    host.process(10, "containerd", "--config", "/pod.toml", exe="/usr/bin/containerd", parent=99)
    nri(host, "disable = true\n", "/pod.toml")
    assert off(host) is None
    assert host.report()["runtime"]["pid"] == 100


# ---- versions ----

def test_what_the_runtime_told_comes_first(host: DoctorHost):
    status(host, connection={**STATUS["connection"], "runtime": "containerd",
                             "runtimeVersion": "v2.3.1", "nri": "v0.12.0"})
    runtime = host.report()["runtime"]
    assert (runtime["version"], runtime["nri"]) == ("v2.3.1", "0.12.0")
    assert runtime["versionFrom"] == "what the runtime told the plugin"


def test_another_engine_is_not_what_was_told(host: DoctorHost):
    """The plugin's runtime is not seen from here: its version is not that of an engine that is."""
    for path in ("/usr/bin/containerd", CONFIG, "/proc/100"):
        host.remove(path)
    host.write("/usr/bin/podman", "", 0o755)
    status(host, connection={**STATUS["connection"], "runtime": "cri-o",
                             "runtimeVersion": "v1.34.0", "nri": "v0.9.0"})
    report = host.report()
    assert (report["runtime"]["name"], report["runtime"]["version"]) == ("CRI-O", "v1.34.0")
    assert set(host.findings()) == {"runtime-not-seen", "podman-reads-oci-hooks"}


@case("runtime-not-seen", "hostRootMount: true", found="connected to containerd")
def not_seen(host):
    for path in ("/usr/bin/containerd", CONFIG, "/proc/100"):
        host.remove(path)
    status(host, connection={**STATUS["connection"], "runtime": "containerd",
                             "runtimeVersion": "v2.3.1", "nri": "v0.12.0"})


@pytest.mark.parametrize("lines,version,is_off", [
    (["mod\tgithub.com/containerd/containerd/v2\t(devel)\t",
      "build\t-ldflags=\"-s -X github.com/containerd/containerd/v2/version.Version=2.1.9 -w\""],
     "2.1.9", False),
    (["mod\tgithub.com/containerd/containerd\t(devel)\t",
      "dep\tgithub.com/containerd/nri\tv0.8.0\th1:x="], None, True),
    (["mod\tgithub.com/containerd/containerd/v2\tv0.0.0-20260101000000-0123456789ab\t",
      "dep\tgithub.com/containerd/nri\tv0.8.0\th1:x="], None, False),
    (["mod\tgithub.com/containerd/containerd/v2\t(devel)\t", "dep\tgithub.com/containerd/nri\tv0.1.0",
      "=>\tgithub.com/somebody/nri\tv0.13.0\th1:x="], None, False),
    # A program of another version that has the runtime built in, from a repository of its own.
    (["mod\tgithub.com/k3s-io/k3s\tv1.33.1\t", "dep\tgithub.com/containerd/containerd/v2\tv2.0.5",
      "=>\tgithub.com/k3s-io/containerd/v2\tv2.0.5-k3s1\th1:x=",
      "build\t-ldflags=\"-X github.com/k3s-io/k3s/pkg/version.Version=v1.33.1\""],
     "v2.0.5-k3s1", False),
    (["mod\tgithub.com/k3s-io/k3s\tv1.29.1\t", "dep\tgithub.com/containerd/containerd\tv1.7.11",
      "dep\tgithub.com/containerd/nri\tv0.4.0"], "v1.7.11", True),
])
def test_build_records(host: DoctorHost, lines: list[str], version: str | None, is_off: bool):
    new_binary(host, go_program(lines))
    report = host.report()
    assert report["runtime"].get("version") == version
    assert ("nri-off" in [finding["code"] for finding in report["findings"]]) == is_off


@pytest.mark.parametrize("cut", [0, 3, 40, 70, 100, -1, -100])
def test_a_damaged_program(host: DoctorHost, cut: int):
    whole = containerd()
    new_binary(host, whole[:cut])
    assert "version" not in host.report()["runtime"]


def test_table(grapnel: str):
    """The page has the same rows as the program."""
    done = subprocess.run([grapnel, "doctor", "--table"], capture_output=True, text=True, check=True,
                          timeout=60)
    page = []
    for row in rows(TABLE):
        if row[0] in ("containerd", "CRI-O"):
            page.append(f"{row[0]} {row[1]} - {row[2]}: NRI {row[3]}, {row[4]}")
        elif row[0].startswith("`"):
            page.append(f"{row[0].strip('`')}: containerd {row[1]}, CRI-O {row[2]}")
    assert done.stdout.splitlines() == page
    assert len(page) > 20


# ---- what is real ----

def test_real_processes(host: DoctorHost, grapnel: str):
    """Two plugins that wait for a socket: one by its verb, one as a runtime launches it."""
    host.remove("/proc/200")
    entry = host.home / "10-grapnel"
    shutil.copy(grapnel, entry)
    mine, theirs = socket.socketpair()
    mine.settimeout(WAIT_S)
    os.set_inheritable(theirs.fileno(), True)
    common = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    config = host.home / "plugin.yaml"
    config.write_text(f"{HEAD}kind: Config\nspec: {{hooksDirs: [{host.rules}], lastGoodDir: none, "
                      f"runDir: {host.home}, controlSocket: none}}\n")
    first = subprocess.Popen([grapnel, "plugin", "--config", config, "--socket",
                              host.home / "none.sock"], **common)
    second = subprocess.Popen([entry], env={"NRI_PLUGIN_SOCKET": str(theirs.fileno()),
                                            "NRI_PLUGIN_IDX": "10", "NRI_PLUGIN_NAME": "grapnel"},
                              pass_fds=[theirs.fileno()], **common)
    theirs.close()
    try:
        assert mine.recv(1), "it registers"
        for process in (first, second):
            host.copy_process(process.pid)
        found = host.findings()["several-processes"]
        assert len(found) == 1
        assert all(f"process {process.pid} " in found[0]["found"] for process in (first, second))
    finally:
        mine.close()
        for process in (first, second):
            process.kill()
            process.wait()


def test_real_plugin_without_runtime(host: DoctorHost, grapnel: str):
    """What the process says itself, over its own control socket: it cannot connect, and why."""
    host.stop(host.closing.pop())
    host.control.unlink()
    host.remove("/run/nri/nri.sock")
    host.run()  # writes the settings
    missing = host.home / "none.sock"
    with limited(subprocess.Popen([grapnel, "plugin", "--config", host.home / "config.yaml", "--socket",
                                   missing, "--last-good", "none"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)) as plugin:
        assert any(b"cannot" in line for line in iter(plugin.stderr.readline, b""))
        host.copy_process(plugin.pid)
        host.remove("/proc/200")
        found = host.findings()
        assert set(found) == {"socket-elsewhere", "plugin-not-connected"}
        finding = found["plugin-not-connected"][0]
        assert finding["file"] == str(missing)
        assert "the plugin runs and has no connection: No such file or directory" in finding["found"]
        assert f"the plugin looks for it at {missing}" in found["socket-elsewhere"][0]["found"]


def of_another_user(host: DoctorHost) -> tuple[str, str]:
    host.path("/srv/own/nri").mkdir()
    host.path("/srv/own").chmod(0o700)
    os.chown(host.path("/srv/own"), NOBODY, NOBODY)
    return "/srv/own", "setfacl -m u:0:x /srv/own, "


def of_its_group(host: DoctorHost) -> tuple[str, str]:
    """Root is in the group, and the others' bits do not count then."""
    host.path("/srv/own/nri").mkdir()
    host.path("/srv/own").chmod(0o705)
    os.chown(host.path("/srv/own"), NOBODY, 0)
    return "/srv/own", "setfacl -m u:0:x /srv/own, "


def of_root(host: DoctorHost) -> tuple[str, str]:
    host.path("/srv/own/nri").mkdir(mode=0o600)
    return "/srv/own/nri", "chmod u+x /srv/own/nri"


def the_socket(host: DoctorHost) -> tuple[str, str]:
    host.path("/srv/own/nri").mkdir()
    return "/srv/own/nri/nri.sock", "chown root: /srv/own/nri/nri.sock; "


@pytest.mark.parametrize("make", [of_another_user, of_its_group, of_root, the_socket])
def test_real_plugin_that_is_refused(host: DoctorHost, grapnel: str, make: Callable[[DoctorHost], tuple[str, str]]):
    """Root without capabilities, as the sandbox leaves it: who owns the way to the socket lets it through or not."""
    if os.geteuid() != 0:
        pytest.skip("changing owners needs root")
    nri_socket = "/srv/own/nri/nri.sock"
    host.stop(host.closing.pop())
    host.control.unlink()
    place, fix = make(host)
    host.listen(nri_socket)
    if place == nri_socket:
        os.chown(host.path(place), NOBODY, NOBODY)
        host.path(place).chmod(0o700)
    nri(host, f'socket_path = "{nri_socket}"\n')
    host.remove("/proc/200")
    host.run()  # writes the settings
    with limited(subprocess.Popen([grapnel, "plugin", "--config", host.home / "config.yaml", "--socket",
                                   host.path(nri_socket), "--last-good", "none"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)) as plugin:
        assert any(b"Permission denied" in line for line in iter(plugin.stderr.readline, b""))
        host.copy_process(plugin.pid)
        found = host.findings("--socket", nri_socket)
    assert set(found) == {"socket-not-permitted", "plugin-not-connected"}
    finding = found["socket-not-permitted"][0]
    assert finding["file"] == place and finding["fix"].startswith(fix)
    assert finding["found"].startswith(f"the plugin may not reach {nri_socket}: {place} belongs to user ")
    assert "Permission denied" in found["plugin-not-connected"][0]["found"]


def test_what_a_pod_mounts_counts(host: DoctorHost):
    """What lies above its own mount refuses nobody in it: the last place that would is the one."""
    for name in ("/srv/own/nri", "/srv/own"):
        host.path(name).mkdir(exist_ok=True)
        host.path(name).chmod(0o600)
    host.listen("/srv/own/nri/nri.sock")
    nri(host, 'socket_path = "/srv/own/nri/nri.sock"\n')
    for mode, place in (("pod", "/srv/own/nri"), ("unit", "/srv/own")):
        status(host, ready=False, notReady="not connected", process={"mode": mode, "unit": "x.service"},
               connection={**STATUS["connection"], "state": "closed", "connectError": "Permission denied"})
        found = host.findings("--socket", "/srv/own/nri/nri.sock")
        assert found["socket-not-permitted"][0]["file"] == place


def test_a_socket_that_is_seen(host: DoctorHost):
    """The kernel tells who listens: no runtime has to take a connection."""
    away(host)
    server = host.closing[0]
    assert set(host.findings()) == {"plugin-not-connected"}
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        server.accept()
    host.remove("/run/nri/nri.sock")
    assert set(host.findings()) == {"socket-missing", "plugin-not-connected"}


def test_a_socket_of_another_network(host: DoctorHost):
    """As in a pod: the sockets of the host cannot be seen, and a connection is made and closed."""
    away(host)
    server = host.closing[0]
    report = json.loads(host.run("-o", "json", prefix=("unshare", "--net")).stdout)
    assert {finding["code"] for finding in report["findings"]} == {"plugin-not-connected"}
    server.settimeout(WAIT_S)
    client, _ = server.accept()
    with client:
        client.settimeout(WAIT_S)
        assert client.recv(1) == b""


FORGED = "x\n0000000000000000: 00000002 00000000 00010000 0001 01 4711 /run/nri/nri.sock"


def is_bound(sock: socket.socket, name: str) -> bool:
    """Such a name is one of the whole machine: another run of this test may have it."""
    try:
        sock.bind(f"\0{name}")
    except OSError as e:
        if e.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def test_names_are_not_believed(host: DoctorHost):
    """Whoever listens anywhere may have a name that looks like the socket, or like a line about it."""
    away(host)
    host.stop(host.closing.pop(0))
    with socket.socket(socket.AF_UNIX) as forged, socket.socket(socket.AF_UNIX) as plain:
        for sock, name in ((forged, FORGED), (plain, "/run/nri/nri.sock")):
            until(lambda: is_bound(sock, name), "the name is free")
        forged.listen()
        plain.listen()
        table = Path("/proc/self/net/unix").read_text(encoding="utf-8", errors="replace")
        assert f"\n{FORGED[2:]}\n" in table
        host.write("/proc/100/net/unix", table)
        assert "socket-dead" in host.findings()


MOUNTED = """
mount -t tmpfs -o mode=755 none "$1" && printf '#!/bin/sh\\n' > "$1/first" && chmod 755 "$1/first" &&
mount -o remount,"$2" "$1" && shift 2 && exec "$@"
"""


@pytest.mark.parametrize("options,codes", [
    ("noexec", {"hook-dir-noexec", "hook-not-executable"}),  # of the directory, of the program
    ("ro", {"hook-dir-read-only"}),
    ("rw", set()),
])
def test_real_mounts(grapnel: str, tmp_path: Path, options: str, codes: set[str]):
    """A file system of the host, as the kernel has it: doctor is the first process of a pid namespace."""
    hooks, rules = tmp_path / "hooks", tmp_path / "hooks.d"
    for folder in (hooks, rules):
        folder.mkdir(mode=0o755)
    (rules / "one.yaml").write_text(RULE.replace("/opt/hooks", str(hooks)))
    policy_file = tmp_path / "policy.yaml"
    policy_file.write_text(f"{HEAD}kind: Policy\nspec:\n  programs: {{directories: [{hooks}]}}\n")
    inside = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--propagation", "private"]
    if subprocess.run([*inside, "mount", "-t", "tmpfs", "none", hooks], capture_output=True, check=False,
                      timeout=WAIT_S).returncode:
        pytest.skip("no file system can be mounted here")
    done = subprocess.run([*inside, "sh", "-c", MOUNTED, "sh", hooks, options, Path(grapnel).resolve(), "doctor", "-o", "json",
                           "--hooks-dir", rules, "--policy", policy_file],
                          capture_output=True, text=True, check=False, timeout=60)
    findings = [item for item in json.loads(done.stdout)["findings"] if str(hooks) in item["found"]]
    assert {item["code"] for item in findings} == codes, done.stdout


def test_links_stay_inside_the_host(host: DoctorHost):
    """A link of the host means what it means there, not here."""
    host.remove(CONFIG)
    host.path(CONFIG).symlink_to("/../../../etc/real.toml")
    nri(host, "disable = true\n", "/etc/real.toml")
    assert off(host) == (CONFIG, 4)


def test_findings_of_rules_keep_their_codes(host: DoctorHost):
    host.write("/opt/hooks/script", "#!/opt/none\n", 0o755)
    host.write("/opt/hooks/open", "#!/bin/sh\n", 0o757)
    host.path("/opt/hooks/open").chmod(0o757)
    other = bytearray(Path("/bin/true").read_bytes())
    other[18] = 183 if os.uname().machine == "x86_64" else 62
    host.write("/opt/hooks/other", bytes(other), 0o755)
    for name in ("missing", "script", "open", "other"):
        (host.rules / f"20-{name}.yaml").write_text(
            RULE.replace("name: one", f"name: {name}").replace("first", name))
    (host.rules / "30-bad.yaml").write_text(HEAD + "kind: HookSet\nspec: {}\n")
    # Below a directory that is only this container's own, a program is not visible.
    found = {code.replace("not-visible", "missing"): items for code, items in host.findings().items()}
    assert set(found) == {"hook-missing", "program-interpreter", "untrusted-mode",
                          "program-architecture", "missing-key"}
    missing = found["hook-missing"][0]
    assert missing["file"] == f"{host.rules}/20-missing.yaml"
    assert missing["line"] == 7
    assert missing["check"] == "rules"
    assert found["missing-key"][0]["level"] == "error"


# ---- the command line ----

@pytest.mark.parametrize("args,text", [
    (["--runtime", "rkt"], "expected --runtime auto, containerd, crio, docker or podman"),
    (["--socket", "x"], "expected --socket with an absolute path"),
    (["--control", "x"], "expected --control with an absolute path"),
    (["--runtime-config", "x"], "expected --runtime-config with an absolute path"),
    (["-o", "junit"], "expected -o text, json or yaml"),
    (["now"], "expected options only"),
    (["--sockets"], "did you mean --socket?"),
])
def test_usage(grapnel: str, args: list[str], text: str):
    done = subprocess.run([grapnel, "doctor", *args], capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 2
    assert text in done.stderr


def test_runtime_by_name(host: DoctorHost):
    host.write("/usr/bin/crio", crio(), 0o755)
    assert host.report()["runtime"]["name"] == "containerd"  # it runs
    assert host.report("--runtime", "crio")["runtime"]["name"] == "CRI-O"
    assert set(host.findings("--runtime", "docker")) >= {"no-runtime"}


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_an_engine_is_not_restarted(host: DoctorHost, engine: str):
    """That would stop its containers and start no plugin, whatever else is wrong."""
    silent(host)
    host.remove("/proc/200")
    host.write("/opt/nri/plugins/10-grapnel", b"program", 0o644)
    host.write("/opt/nri/plugins/10-grapnel.bak", b"program", 0o755)
    text = host.run("--runtime", engine, code=1).stdout
    assert "no-runtime" in text and not re.search(r"systemctl \w+ (docker|podman)|setup autostart", text)


def test_nothing_to_restart(host: DoctorHost):
    engine_alone(host, "/usr/bin/true")
    fix = host.findings()["plugin-not-running"][0]["fix"]
    assert fix == "where a runtime is, run grapnel plugin from a unit or a DaemonSet"


def test_socket_by_name(host: DoctorHost):
    assert set(host.findings("--socket", "/var/run/nri/nri.sock")) == set()
    assert set(host.findings("--socket", "/run/x.sock")) == {"socket-elsewhere"}


def test_no_host(grapnel: str, tmp_path: Path):
    done = subprocess.run([grapnel, "doctor", "--host-root", str(tmp_path / "none")],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 4
    assert f"the host's / at {tmp_path}/none: No such file" in done.stderr


def test_not_permitted(host: DoctorHost):
    """Another user sees only a part, and is told so with an exit code of its own."""
    if os.geteuid() != 0:
        pytest.skip("changing the user needs root")
    program = host.home / "grapnel"
    shutil.copy(host.program, program)
    program.chmod(0o755)
    host.program = str(program)
    host.path("/run/nri").chmod(0o700)
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    done = host.run("-o", "json", prefix=user)
    found = json.loads(done.stdout)["findings"]
    assert done.returncode == 4, done.stdout
    assert {finding["code"] for finding in found} == {"not-permitted"}
    assert any(finding.get("file", "").endswith("/run/nri/nri.sock") for finding in found)
    assert all(finding["fix"] == "run it as root: sudo grapnel doctor" for finding in found)
