# SPDX-License-Identifier: Apache-2.0
"""The chart's enableNri on a node with containerd 1.7, where NRI is off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.host import Host
from harness.machine import Machine
from harness.oldnode import CRI, OldNode
from harness.unit import Unit

DROPIN = "conf.d/50-grapnel-nri.toml"
HEAD = "version = 2\n"
IMPORTS = HEAD + 'imports = ["/etc/containerd/conf.d/*.toml"]\n'
NRI = '[plugins."io.containerd.nri.v1.nri"]\n'


@pytest.fixture(scope="module")
def node(installed: Path) -> Iterator[OldNode]:
    with Host() as host:
        yield OldNode(Unit(Machine(host, installed)))


def default(node: OldNode) -> str:
    """What many nodes have: `containerd config default`, and in it what the node needs."""
    text = node.machine.run("containerd", "config", "default")
    for key, value in re.findall(r"(?m)^  (\w+) = (.*)$", CRI):
        text, changed = re.subn(rf"(?m)^(\s+{key}) = .*$", rf"\1 = {value}", text)
        assert changed == 1, key
    return text


def switched(config: str, said: str) -> str:
    """The line that is told says otherwise."""
    (number,) = re.findall(r"config\.toml:(\d+) switches NRI", said)
    lines = config.splitlines(keepends=True)
    assert lines[int(number) - 1].strip() == "disable = true"
    lines[int(number) - 1] = "disable = false\n"
    return "".join(lines)


def lines_of(said: str) -> str:
    """Those that it says to have."""
    return said.partition("restart containerd:\n")[2]


def begun(node: OldNode, config: str | None) -> None:
    node.configure(config)
    assert not node.nri_is_on()


@pytest.mark.parametrize("kind", ["default", "table", "no imports", "none"])
def test_where_nothing_is_written_it_says_what_to_do(node: OldNode, kind: str) -> None:
    """And that works: by hand, in the words of the advice."""
    configs = {"default": default(node), "table": IMPORTS + CRI + NRI + '  plugin_request_timeout = "3s"\n',
               "no imports": HEAD + CRI, "none": HEAD + CRI}  # fmt: skip
    config = configs[kind]
    begun(node, config)
    file = node.path("/etc/containerd/config.toml")
    if kind == "none":  # containerd goes on with what it has read
        file.unlink()
        config = ""
    files, starts = node.files(), node.starts()
    ended = node.enable_nri()
    assert ended.code == 0 and "nothing was changed" in ended.said
    assert (node.files(), node.starts()) == (files, starts)
    if kind == "default":
        config = switched(config, ended.said)
    elif kind == "table":
        config += lines_of(ended.said).splitlines()[-1] + "\n"
    else:
        config += lines_of(ended.said)
    file.write_text(config)
    node.restart()
    assert node.nri_is_on()
    node.machine.wait("StatusText", "ready")
    if kind != "none":  # without more no container runs here
        assert node.hook_runs()


def test_a_drop_in_counts_from_the_next_start(node: OldNode) -> None:
    """Nothing is restarted, nor changed again, and it is undone by hand."""
    begun(node, IMPORTS + CRI)
    starts, before = node.starts(), node.files()
    ended = node.enable_nri()
    assert ended.code == 0 and ended.said.endswith("was not restarted; NRI is on from its next start\n")
    files = node.files()
    assert {name: found for name, found in files.items() if name != DROPIN} == before and DROPIN in files
    assert node.starts() == starts
    node.restart()
    assert node.nri_is_on()
    node.machine.wait("StatusText", "ready")
    assert node.hook_runs()
    assert node.enable_nri().said == f"enable-nri: /etc/containerd/{DROPIN} is as it should be\n"
    assert node.files() == files
    node.path(f"/etc/containerd/{DROPIN}").unlink()
    node.restart()
    assert not node.nri_is_on() and not node.hook_runs()


def test_told_to_it_restarts_containerd_once(node: OldNode) -> None:
    """Through the node's systemd, from inside of its container, which goes on meanwhile."""
    begun(node, IMPORTS + CRI)
    starts = node.starts()
    ended = node.enable_nri(restart=True)
    assert ended.code == 0 and "restarting containerd.service" in ended.said, ended
    assert node.starts() != starts and node.nri_is_on()
    node.machine.wait("StatusText", "ready")
    assert node.hook_runs()
    starts, files = node.starts(), node.files()
    assert "as it should be" in node.enable_nri(restart=True).said
    assert (node.starts(), node.files()) == (starts, files)


def test_a_restart_that_fails_leaves_nothing(node: OldNode) -> None:
    """The next try of the init container is as the first one."""
    begun(node, IMPORTS + CRI)
    files, starts = node.files(), node.starts()
    for _ in range(2):
        ended = node.enable_nri(restart=True, unit="other.service")
        assert ended.code == 1 and "other.service could not be restarted" in ended.said
        assert (node.files(), node.starts()) == (files, starts)
