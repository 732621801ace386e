# SPDX-License-Identifier: Apache-2.0
"""doctor beside real runtimes: it reads their configuration as they do, and finds what is true."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import cache
from harness.containerd import Containerd
from harness.crio import Crio
from harness.doctor import ask, codes, doctor
from harness.host import Host
from harness.plugin import External, Launched
from harness.runtime import RUNC, Runtime

TABLE = "plugins.'io.containerd.nri.v1.nri'"
VERSIONS = ["1.7.27", "2.1.4", "2.3.4"]

# Each a main file and what it imports, by name: {v} is the version of the format. The files are
# read in an order that is not that of their names, replace each other key by key or as a whole,
# and are fooled with.
CONFIGS = {
    "nothing": {"main": "version = {v}\n"},
    "on": {"main": "version = {v}\n[{t}]\ndisable = false\n"},
    "off": {"main": "version = {v}\n[{t}]\n  disable = true # really\n"},
    "a drop-in": {
        "main": "version = {v}\nimports = ['d/*.toml']\n[{t}]\ndisable = true\n",
        "d/a.toml": "version = {v}\n[{t}]\ndisable = false\n",
    },
    "only another key in a drop-in": {
        "main": "version = {v}\nimports = ['d/*.toml']\n[{t}]\ndisable = true\n",
        "d/a.toml": "version = {v}\n[{t}]\nsocket_path = '/run/other.sock'\n",
    },
    "on, and then only another key": {
        "main": "version = {v}\nimports = ['d/*.toml']\n[{t}]\ndisable = false\n",
        "d/a.toml": "version = {v}\n[{t}]\nsocket_path = '/run/other.sock'\n",
    },
    "drop-ins in the order of the list": {
        "main": "version = {v}\nimports = ['d/b.toml', 'd/a.toml']\n",
        "d/a.toml": "version = {v}\n[{t}]\ndisable = false\n",
        "d/b.toml": "version = {v}\n[{t}]\ndisable = true\n",
    },
    "an import of an import comes last": {
        "main": "version = {v}\nimports = ['a.toml', 'b.toml']\n",
        "a.toml": "version = {v}\nimports = ['c.toml', 'main']\n[{t}]\ndisable = true\n",
        "b.toml": "version = {v}\n[{t}]\ndisable = true\n",
        "c.toml": "version = {v}\n[{t}]\ndisable = false\n",
    },
    "an inline table": {
        "main": "version = {v}\nplugins = {{ 'io.containerd.nri.v1.nri' = {{ disable = true }} }}\n"
    },
    "dotted keys": {"main": "version = {v}\n[plugins]\n\"io.containerd.nri.v1.nri\".disable=true\n"},
    "another table": {"main": "version = {v}\n[plugins.'io.containerd.nri.v1'.nri]\ndisable = true\n"},
    "a text that looks like it": {
        "main": "version = {v}\nroot = '''/tmp/x\n[{t}]\ndisable = true\n'''\n"
    },
    "the validator, and off": {
        "main": "version = {v}\n[{t}.default_validator]\nenable = false\n"
        "reject_oci_hook_adjustment = true\n"
    },
    "the validator rejects": {
        "main": "version = {v}\n[{t}.default_validator]\nenable = true\n"
        "reject_oci_hook_adjustment = true\n"
    },
    "the validator in a drop-in": {
        "main": "version = {v}\nimports = ['d/*.toml']\n[{t}.default_validator]\nenable = true\n"
        "reject_oci_hook_adjustment = true\n",
        "d/a.toml": "version = {v}\n[{t}.default_validator]\nreject_oci_hook_adjustment = false\n",
    },
    "a drop-in makes it reject": {
        "main": "version = {v}\nimports = ['d/*.toml']\n[{t}]\n"
        "default_validator = {{ enable = true }}\n",
        "d/a.toml": "version = {v}\n[{t}]\ndefault_validator.reject_oci_hook_adjustment = true\n",
    },
    "a drop-in requires another name": {
        "main": "version = {v}\nimports = ['d/*.toml']\n[{t}.default_validator]\nenable = true\n"
        "required_plugins = ['grapnel']\n",
        "d/a.toml": "version = {v}\n[{t}.default_validator]\nrequired_plugins = ['99-grapnel']\n",
    },
}  # fmt: skip


ON, OFF = "[crio.nri]\nenable_nri = true\n", "[crio.nri]\nenable_nri = false\n"
CRIO_CONFIGS = {
    "nothing": {},
    "off": {"crio.conf": OFF},
    "a drop-in": {"crio.conf": OFF, "d/10": ON},
    "a backup counts, too": {"d/10.conf": ON, "d/10.conf.bak": OFF},
    "by name": {"d/20.conf": ON, "d/10.conf": OFF},
    "folders": {"d/20.conf": OFF, "d/20.d/a": ON, "d/10.d/z": OFF},
    "dotted keys": {"crio.conf": "crio.nri.enable_nri = false\n"},
    "only another key in a drop-in": {
        "crio.conf": OFF,
        "d/a": "[crio.nri]\nnri_listen = '/run/x.sock'\n",
    },
    "another table": {"crio.conf": "[crio.runtime.nri]\nenable_nri = false\n"},
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("files", CONFIGS.values(), ids=CONFIGS.keys())
def test_containerd_reads_the_same(tmp_path: Path, version: str, files: dict[str, str]) -> None:
    """The same answer as containerd's own: config dump prints what it has put together."""
    folder = tmp_path / "etc" / "containerd"
    number = 2 if version.startswith("1.") else 3
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(v=number, t=TABLE))
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    program = cache.fetched(f"containerd-{version}") / "containerd"
    shutil.copy(program, tmp_path / "usr" / "bin")
    dump = subprocess.run([program, "-c", folder / "main", "config", "dump"], capture_output=True,
                          text=True, check=True, timeout=60).stdout  # fmt: skip
    table = re.findall(r"\[plugins\.['\"]io\.containerd\.nri\.v1\.nri['\"]\]\n(.*?)\n *\[", dump,
                       re.DOTALL)[-1]  # fmt: skip
    is_off = re.search(r"disable = (\w+)", table)
    socket = re.search(r"socket_path = ['\"](.*)['\"]", table)
    assert is_off and socket, dump

    report = doctor(None, "--host-root", tmp_path, "--runtime-config", "/etc/containerd/main",
                    "--socket", socket.group(1), "--control", tmp_path / "none")  # fmt: skip
    found = codes(report)
    assert report["runtime"]["version"] == f"v{version}"
    assert ("nri-off" in found) == (is_off.group(1) == "true"), json.dumps(found, indent=1)
    assert "socket-elsewhere" not in found
    expected = judged(dump) if is_off.group(1) == "false" else set()
    assert {code for code in found if found[code]["check"] == "validator"} == expected, dump


def judged(dump: str) -> set[str]:
    """What the validator of this configuration, as containerd itself has it, does to hooks and to our plugin."""
    table = re.search(r"\.default_validator\]\n(.*?)(?=\n *\[|\Z)", dump, re.DOTALL)
    if not table or "enable = true" not in table.group(1):  # before containerd 2.2 there is none
        return set()
    found = set()
    if "reject_oci_hook_adjustment = true" in table.group(1):
        found.add("validator-rejects-hooks")
    if re.search(r"required_plugins = \[.*99-grapnel", table.group(1)):
        found.add("required-plugin-name")
    return found


@pytest.mark.parametrize("files", CRIO_CONFIGS.values(), ids=CRIO_CONFIGS.keys())
def test_crio_reads_the_same(tmp_path: Path, files: dict[str, str]) -> None:
    """The same answer as CRI-O's own: config prints what it has put together."""
    folder = tmp_path / "etc" / "crio"
    for name, text in files.items():
        path = folder / name.replace("d/", "crio.conf.d/", 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    program = cache.fetched("crio-1.34.0") / "crio"
    shutil.copy(program, tmp_path / "usr" / "bin")
    main = folder / "crio.conf"
    if files:  # a file that is named must be there
        main.touch()
    own = subprocess.run(
        [program, "--config", main if files else "", "--config-dir",
         folder / "crio.conf.d", "--root", tmp_path / "root", "--runroot", tmp_path / "run",
         "config"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    # What is the default stands behind a mark of comment.
    is_on = re.search(r"^#? ?enable_nri = (\w+)$", own, re.MULTILINE)
    socket = re.search(r'^#? ?nri_listen = "(.*)"$', own, re.MULTILINE)
    assert is_on and socket, own

    found = codes(doctor(None, "--host-root", tmp_path, "--runtime", "crio", "--socket",
                         socket.group(1), "--control", tmp_path / "none"))  # fmt: skip
    assert ("nri-off" in found) == (is_on.group(1) == "false"), json.dumps(found, indent=1)
    assert "socket-elsewhere" not in found


def check_program(report: dict[str, Any], runtime: Runtime, item: str) -> None:
    told = report["runtime"]
    assert told["program"] == str(cache.fetched(item) / Path(told["program"]).name)
    assert told["configFiles"][0].startswith(str(runtime.work))
    assert told["pid"] > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_containerd_as_it_runs(host: Host, version: str) -> None:
    """From NRI that is on, over connections that are refused, to none; the plugin cannot lie."""
    runtime = Containerd(host, version, RUNC)
    config = runtime.work / "config.toml"
    good = config.read_text()
    runtime.start()
    report = ask(runtime)
    check_program(report, runtime, f"containerd-{version}")
    assert report["runtime"]["version"] == f"v{version}"
    assert set(codes(report)) == {"plugin-not-running"}

    for line, code in (("disable_connections = true\n", "nri-connections-off"),
                       ("", "nri-off")):  # fmt: skip
        runtime.stop()
        text = good.replace("disable = false\n", "disable = true\n") if not line else good + line
        config.write_text(text)
        runtime.nri_socket.unlink(missing_ok=True)
        runtime.start()
        assert not runtime.nri_socket.exists()
        found = codes(ask(runtime))
        assert set(found) == {code, "plugin-not-running"}
        wanted = line or "disable = true\n"
        assert text.splitlines()[found[code]["line"] - 1] == wanted.strip()
        assert found[code]["file"] == str(config)


def test_containerd_that_is_gone(host: Host) -> None:
    """A crash leaves the socket's file; the program is not at a usual place, so nothing is there."""
    runtime = Containerd(host, "2.3.4", RUNC)
    runtime.start()
    runtime.crash()
    assert runtime.nri_socket.exists()
    report = doctor(host, "--runtime", "containerd", "--runtime-config",
                    runtime.work / "config.toml", "--socket", runtime.nri_socket,
                    "--control", runtime.work / "control.sock")  # fmt: skip
    assert {"no-runtime", "socket-dead"} <= set(codes(report))


def test_crio_as_it_runs(host: Host) -> None:
    runtime = Crio(host, "1.34.0", RUNC)
    config = runtime.work / "crio.conf"
    good = config.read_text()
    runtime.start()
    report = ask(runtime)
    check_program(report, runtime, "crio-1.34.0")
    assert report["runtime"]["version"] == "v1.34.0"
    assert set(codes(report)) == {"plugin-not-running"}
    runtime.stop()
    config.write_text(good.replace("enable_nri = true", "enable_nri = false"))
    runtime.start()
    found = codes(ask(runtime))
    assert set(found) == {"nri-off", "plugin-not-running"}
    assert found["nri-off"]["file"] == str(config)


def test_two_plugins(host: Host) -> None:
    """From two processes at one runtime over one, where nothing is wrong, to none."""
    runtime = Containerd(host, "2.3.4", RUNC)
    runtime.start()
    control = runtime.work / "control.sock"
    program = runtime.install(cache.grapnel())
    first = External(runtime, program, ["--control", str(control)])
    second = External(runtime, program, ["--control", "none"], index="20")
    first.start()
    second.start()
    assert set(codes(ask(runtime))) == {"several-processes"}
    second.stop()
    report = ask(runtime)
    assert codes(report) == {}, json.dumps(report, indent=1)
    assert report["runtime"]["versionFrom"] == "what the runtime told the plugin"
    first.stop()
    assert set(codes(ask(runtime))) == {"plugin-not-running"}


def test_launched(host: Host) -> None:
    """A plugin that the runtime starts, and that nobody starts again when it has ended."""
    runtime = Containerd(host, "2.3.4", RUNC)
    rules = runtime.work / "hooks.d"
    rules.mkdir()
    config = f"""apiVersion: grapnel/v1beta1
kind: Config
spec: {{hooksDirs: [{rules}], lastGoodDir: none, controlSocket: {runtime.work}/control.sock}}
"""
    plugin = Launched(runtime, cache.grapnel(), config)
    runtime.start()
    plugin.start()
    report = ask(runtime)
    assert codes(report) == {}, json.dumps(report, indent=1)
    plugin.kill()
    found = codes(ask(runtime))
    assert set(found) == {"plugin-not-running"}
    assert f"{runtime.plugin_dir}/10-grapnel only when it starts" in found["plugin-not-running"]["fix"]
