# SPDX-License-Identifier: Apache-2.0
"""What a set adjusts beside hooks arrives in the library's merged result, and only once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.wait import until

from peer import ONE_HOOK, Setup

# Something of each kind that every version knows.
OLD = """\
    env: {MODE: new, EMPTY: ""}
    annotations: {example.com/key: value}
    mounts:
      - {destination: /data, source: /srv, options: [rbind, ro]}
      - {destination: /scratch, type: tmpfs, source: tmpfs, options: [size=1m]}
    devices:
      - {path: /dev/fuse, type: c, major: 10, minor: 229, fileMode: "0660", uid: 1, gid: 0}
      - {path: /dev/plain, type: b, major: 8, minor: 1}
    rlimits: [{type: RLIMIT_NOFILE, soft: 1024, hard: 18446744073709551615}]
    resources:
      memory: {limit: 104857600, reservation: 52428800, swap: -1}
      cpu: {shares: 512, quota: 50000, period: 100000, cpus: "0-1", mems: "0"}
      blockioClass: slow
      rdtClass: gold
      hugepageLimits: [{pageSize: 2MB, limit: 67108864}]
      unified: {memory.high: max}
"""

# And what came with 0.7.
NEW = """\
      pids: {limit: 100}
    cdiDevices: [vendor.com/class=name]
"""

MATCH = "  match: {always: true}\n"
HOOK = f"  hooks:\n    poststop: [{{path: {ONE_HOOK}}}]\n"


def knows_new(setup: Setup) -> bool:
    return setup.version != "0.6.1"


def spec(setup: Setup, hook: bool = True) -> str:
    return MATCH + (HOOK if hook else "") + "  adjust:\n" + OLD + (NEW if knows_new(setup) else "")


def value(number: int) -> dict[str, str]:
    """An optional 64-bit number, as protojson writes it."""
    return {"value": str(number)}


def by_key(items: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    """A list by the field that is its key, of which there is each one only once."""
    found = {item[key]: item for item in items}
    assert len(found) == len(items), items
    return found


def check_lists(raw: dict[str, Any]) -> None:
    env = by_key(raw["env"], "key")
    values = {key: entry.get("value", "") for key, entry in env.items()}
    assert values == {"MODE": "new", "EMPTY": ""}
    assert raw["annotations"] == {"example.com/key": "value"}
    mounts = by_key(raw["mounts"], "destination")
    assert mounts == {
        "/data": {"destination": "/data", "type": "bind", "source": "/srv",
                  "options": ["rbind", "ro"]},
        "/scratch": {"destination": "/scratch", "type": "tmpfs", "source": "tmpfs",
                     "options": ["size=1m"]},
    }  # fmt: skip
    devices = by_key(raw["linux"]["devices"], "path")
    assert devices == {
        "/dev/fuse": {"path": "/dev/fuse", "type": "c", "major": "10", "minor": "229",
                      "file_mode": {"value": 0o660}, "uid": {"value": 1}, "gid": {}},
        "/dev/plain": {"path": "/dev/plain", "type": "b", "major": "8", "minor": "1"},
    }  # fmt: skip
    rlimits = by_key(raw["rlimits"], "type")
    assert rlimits == {
        "RLIMIT_NOFILE": {"type": "RLIMIT_NOFILE", "soft": "1024", "hard": "18446744073709551615"}
    }


def check_resources(raw: dict[str, Any]) -> None:
    resources = raw["linux"]["resources"]
    assert resources["memory"] == {
        "limit": value(104857600), "reservation": value(52428800), "swap": value(-1),
    }  # fmt: skip
    assert resources["cpu"] == {
        "shares": value(512), "quota": value(50000), "period": value(100000), "cpus": "0-1",
        "mems": "0",
    }  # fmt: skip
    assert resources["blockio_class"] == {"value": "slow"}
    assert resources["rdt_class"] == {"value": "gold"}
    assert resources["hugepage_limits"] == [{"page_size": "2MB", "limit": "67108864"}]
    assert resources["unified"] == {"memory.high": "max"}


def check_all(setup: Setup, raw: dict[str, Any]) -> None:
    check_lists(raw)
    check_resources(raw)
    if knows_new(setup):
        assert raw["linux"]["resources"]["pids"] == {"limit": "100"}
        assert raw["CDI_devices"] == [{"name": "vendor.com/class=name"}]


def test_every_kind_arrives(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    folder = write_set("adjust", spec(setup))
    setup.peer.start()
    plugin = setup.external(folder)
    assert setup.peer.wait(plugins=1) == ["10-grapnel"], plugin.describe()
    adjustment = setup.peer.create({"env": ["MODE=old", "OTHER=1"]})
    assert adjustment.paths("poststop") == [ONE_HOOK]
    check_all(setup, adjustment.raw)


def test_two_instances_do_not_conflict(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    """The mark tells the second one that the first was there; a key of two would be refused."""
    folder = write_set("adjust", spec(setup))
    setup.peer.start()
    setup.external(folder)
    setup.peer.wait(plugins=1)
    plugin = setup.external(folder, index="20")
    assert setup.peer.wait(plugins=2) == ["10-grapnel", "20-grapnel"], plugin.describe()
    adjustment = setup.peer.create()
    assert adjustment.paths("poststop") == [ONE_HOOK]
    check_all(setup, adjustment.raw)


def test_two_instances_without_hooks(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    """No hook carries a mark: what is there with the same value is left out."""
    folder = write_set("adjust", MATCH + "  adjust:\n" + OLD)
    setup.peer.start()
    setup.external(folder)
    setup.peer.wait(plugins=1)
    plugin = setup.external(folder, index="20")
    assert setup.peer.wait(plugins=2) == ["10-grapnel", "20-grapnel"], plugin.describe()
    raw = setup.peer.create().raw
    check_lists(raw)
    check_resources(raw)


def test_what_the_container_has_is_left_out(
    setup: Setup, write_set: Callable[[str, str], Path]
) -> None:
    rlimit = "{type: RLIMIT_CORE, soft: 0, hard: 0}"
    adjust = f'  adjust: {{env: {{A: "1", B: "2"}}, rlimits: [{rlimit}]}}\n'
    folder = write_set("adjust", MATCH + adjust)
    setup.peer.start()
    plugin = setup.external(folder)
    setup.peer.wait(plugins=1)
    rlimits = [{"type": "RLIMIT_CORE"}]
    raw = setup.peer.create({"env": ["A=1", "B=1"], "rlimits": rlimits}).raw
    assert raw["env"] == [{"key": "B", "value": "2"}], plugin.describe()
    assert not raw.get("rlimits")


def test_two_sets_the_later_wins(setup: Setup, write_set: Callable[[str, str], Path]) -> None:
    write_set("b", "  order: 60\n" + MATCH + "  adjust: {env: {A: late, B: same}}\n")
    folder = write_set("a", MATCH + "  adjust: {env: {A: early, B: same, C: only}}\n")
    setup.peer.start()
    plugin = setup.external(folder)
    setup.peer.wait(plugins=1)
    env = by_key(setup.peer.create().raw["env"], "key")
    values = {key: entry["value"] for key, entry in env.items()}
    assert values == {"A": "late", "B": "same", "C": "only"}
    # The answer comes before the line about it.
    line = "key=A set=b over=a"
    until(lambda: line in plugin.describe(), "the loser is logged", detail=plugin.describe)
