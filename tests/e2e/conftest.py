# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests: real runtimes, started for the test and ended with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.dont_write_bytecode = True

import pytest  # noqa: E402
from harness.node import MATRIX, Kind, Node, started  # noqa: E402
from harness.results import Results  # noqa: E402

RESULTS_PAGE = Path(__file__).parent / "RESULTS.md"
RESULTS = pytest.StashKey[Results]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "check(name): a column of RESULTS.md; for tests that use `node`"
    )
    config.stash[RESULTS] = Results()


@pytest.fixture(scope="session", params=MATRIX, ids=str)
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """One cell of the matrix. pytest runs all tests of a cell before it starts the next."""
    with started(request.param) as node:
        yield node


def _check(item: pytest.Item) -> tuple[Kind, str] | None:
    marker = item.get_closest_marker("check")
    callspec = getattr(item, "callspec", None)
    if marker is None or callspec is None:
        return None
    return callspec.params["node"], marker.args[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if found := _check(item):
            config.stash[RESULTS].expect(found[1])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    found = _check(item)
    # A failed set-up has no "call" phase; a failed tear-down comes after it and counts too.
    if found and (report.when == "call" or report.failed):
        item.config.stash[RESULTS].add(*found, passed=report.passed)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """A run of all checks rewrites the page; a part of them must not blank the rest."""
    results = config.stash[RESULTS]
    if results.complete(RESULTS_PAGE):
        results.write(RESULTS_PAGE)
        terminalreporter.write_line(f"wrote {RESULTS_PAGE.name}")
