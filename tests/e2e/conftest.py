# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests: real runtimes, started for the test and ended with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.dont_write_bytecode = True
# The runtime side of NRI without a runtime; the chart, rendered.
TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "peer"), str(TESTS / "charts")]

import pytest  # noqa: E402
from harness import cache, results  # noqa: E402
from harness import lab as labs  # noqa: E402
from harness.host import Host  # noqa: E402
from harness.lab import Lab  # noqa: E402
from harness.machine import UNIT, Machine, install  # noqa: E402
from harness.node import MATRIX, Kind, Node, started  # noqa: E402
from harness.results import Results  # noqa: E402
from harness.unit import STUB, Unit  # noqa: E402
from peer import Peer  # noqa: E402

RESULTS_PAGE = Path(__file__).parent / "RESULTS.md"
RESULTS = pytest.StashKey[dict[str, Results]]()

LIFE = """\
Every check on every runtime, with every low-level runtime, with the plugin as a process of its own
(external) and started by the runtime from its plugin folder (launched).
"""
LANGUAGE = """\
The rule language and the command line, against what runtimes make of it. CDI devices through NRI
are seen with containerd 2 only: containerd 1.7 and CRI-O 1.34 ignore them.
"""
REQUIRED = """\
The runtime is told to require the plugin of every container, and to let those pass that say so by
an annotation.
"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "check(name): a column of RESULTS.md; for tests that use `node`, `lab` or `strict`"
    )
    # By the fixture that stands for a cell.
    config.stash[RESULTS] = {
        "node": Results("The life of containers, plugin and runtime", LIFE, MATRIX),
        "lab": Results("The rule language", LANGUAGE, labs.MATRIX),
        "strict": Results("A required plugin", REQUIRED, labs.STRICT),
    }


@pytest.fixture(scope="session", params=MATRIX, ids=str)
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """One cell of the matrix. pytest runs all tests of a cell before it starts the next."""
    with started(request.param) as node:
        yield node


@pytest.fixture(scope="session", params=labs.MATRIX, ids=str)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """One runtime for the tests that bring rules and plugins of their own."""
    with labs.started(request.param) as lab:
        yield lab


@pytest.fixture(scope="session", params=labs.STRICT, ids=str)
def strict(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A runtime that requires the plugin of every container that does not say otherwise."""
    with labs.started(request.param) as lab:
        lab.runtime.validate(labs.REQUIRED)
        yield lab


@pytest.fixture
def host() -> Iterator[Host]:
    """A private host for one test."""
    with Host() as host:
        yield host


@pytest.fixture
def peer(host: Host) -> Iterator[Peer]:
    """The runtime side; the test starts it."""
    with Peer(host, cache.fetched("peer-0.12.2") / "adaptation") as peer:
        yield peer


@pytest.fixture(scope="session")
def installed() -> Iterator[Path]:
    """Grapnel, as `meson install` lays it out; the host is there to take it away again."""
    with Host() as host:
        yield install(host.path / "installed")


@pytest.fixture
def unit(host: Host, peer: Peer, installed: Path) -> Unit:
    """A machine that the test boots, with one set."""
    unit = Unit(Machine(host, installed))
    unit.write_set("one")
    return unit


@pytest.fixture
def running(unit: Unit, peer: Peer) -> Unit:
    """Booted, active and registered."""
    peer.start()
    unit.start()
    peer.wait(plugins=1)
    return unit


@pytest.fixture(scope="session")
def lonely(installed: Path) -> Iterator[Unit]:
    """A machine that boots with Grapnel and a kubelet, and no runtime."""
    with Host() as host:
        unit = Unit(Machine(host, installed))
        unit.write_unit("kubelet.service", STUB)
        unit.enable(UNIT, "kubelet.service")
        unit.machine.boot()
        yield unit


def _check(item: pytest.Item) -> tuple[Results, Kind, str] | None:
    marker = item.get_closest_marker("check")
    callspec = getattr(item, "callspec", None)
    if marker is None or callspec is None:
        return None
    for fixture, table in item.config.stash[RESULTS].items():
        if fixture in callspec.params:
            return table, callspec.params[fixture], marker.args[0]
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if found := _check(item):
            table, _, check = found
            table.expect(check)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    found = _check(item)
    # A failed set-up has no "call" phase; a failed tear-down comes after it and counts too.
    if found and (report.when == "call" or report.failed):
        table, kind, check = found
        table.add(kind, check, passed=report.passed)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """A run of all checks rewrites the page; a part of them must not blank the rest."""
    for title in results.write(RESULTS_PAGE, list(config.stash[RESULTS].values())):
        terminalreporter.write_line(f"{RESULTS_PAGE.name}: wrote “{title}”")
