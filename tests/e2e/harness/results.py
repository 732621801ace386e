# SPDX-License-Identifier: Apache-2.0
"""The table of results: RESULTS.md, written by a run that covered all of it."""

from __future__ import annotations

from pathlib import Path

from .node import MATRIX, Kind

HEAD = """\
# What was run against real runtimes

This page is written by the end-to-end tests (`make e2e`) and says what they saw: every check on
every runtime, with every low-level runtime, with the plugin as a process of its own (external) and
started by the runtime from its plugin folder (launched). NRI versions: containerd 1.7.25 has 0.6.1,
1.7.27 and 2.1.4 have 0.8.0, 2.3.4 has 0.12.0, CRI-O 1.34.0 has 0.10.0.

"""


def columns(page: str) -> list[str]:
    """The checks of a page that was written before."""
    rows = [line for line in page.splitlines() if line.startswith("| runtime |")]
    return [cell.strip() for cell in rows[0].strip("|").split("|")[3:]] if rows else []


class Results:
    """Check by check and cell by cell."""

    def __init__(self) -> None:
        self._cells: dict[tuple[Kind, str], str] = {}
        self._checks: list[str] = []

    def expect(self, check: str) -> None:
        """Names a check; the order of the first mentions is the order of the columns."""
        if check not in self._checks:
            self._checks.append(check)

    def add(self, kind: Kind, check: str, passed: bool) -> None:
        """Records one result; a failure stays a failure."""
        before = self._cells.get((kind, check), "ok")
        self._cells[kind, check] = "ok" if passed and before == "ok" else "**FAILED**"

    def complete(self, page: Path) -> bool:
        """Whether every cell of the matrix has a result for every check that the page has.

        A run of some of the tests must not take columns away; to take one away, delete the page.
        """
        text = page.read_text() if page.exists() else ""
        missing = [check for check in columns(text) if check not in self._checks]
        return bool(self._checks) and not missing and all(
            (kind, check) in self._cells for kind in MATRIX for check in self._checks
        )

    def markdown(self) -> str:
        """The page; the same results give the same bytes."""
        checks = sorted(self._checks)
        lines = [
            "| runtime | low level | plugin | " + " | ".join(checks) + " |",
            "| --- " * (3 + len(checks)) + "|",
        ]
        for kind in MATRIX:
            cells = [self._cells.get((kind, check), "not run") for check in checks]
            low_level = kind.low_level.item.replace("-", " ")
            lines.append(
                f"| {kind.runtime_name} | {low_level} | {kind.mode} | " + " | ".join(cells) + " |"
            )
        return HEAD + "\n".join(lines) + "\n"

    def write(self, path: Path) -> None:
        path.write_text(self.markdown())
