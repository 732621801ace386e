# SPDX-License-Identifier: Apache-2.0
"""The tables of results: RESULTS.md, each written by a run that covered all of it."""

from __future__ import annotations

from pathlib import Path

from .node import Kind

HEAD = """\
# What was run against real runtimes

This page is written by the end-to-end tests (`make e2e`) and says what they saw. NRI versions:
containerd 1.7.25 has 0.6.1, 1.7.27 and 2.1.4 have 0.8.0, 2.3.4 has 0.12.0, CRI-O 1.34.0 has 0.10.0,
1.36.3 has 0.11.0.
"""

TITLE = "\n## "


def sections(page: str) -> dict[str, str]:
    """The tables of a page that was written before, by their titles."""
    parts = page.split(TITLE)[1:]
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1].strip() + "\n" for part in parts}


def columns(section: str) -> list[str]:
    """The checks of a table that was written before."""
    rows = [line for line in section.splitlines() if line.startswith("| runtime |")]
    return [cell.strip() for cell in rows[0].strip("|").split("|")[3:]] if rows else []


class Results:
    """One table, check by check and cell by cell."""

    def __init__(self, title: str, text: str, matrix: list[Kind]) -> None:
        self.title = title
        self._text = text
        self._matrix = matrix
        self._cells: dict[tuple[Kind, str], str] = {}
        self._checks: list[str] = []

    def expect(self, check: str) -> None:
        """Names a check; they stand in the order of their names."""
        if check not in self._checks:
            self._checks.append(check)

    def add(self, kind: Kind, check: str, passed: bool) -> None:
        """Records one result; a failure stays a failure."""
        before = self._cells.get((kind, check), "ok")
        self._cells[kind, check] = "ok" if passed and before == "ok" else "**FAILED**"

    def complete(self, before: str) -> bool:
        """Whether every cell of the matrix has a result for every check that the table had.

        A run of some of the tests must not take columns away; to take one away, delete the page.
        """
        missing = [check for check in columns(before) if check not in self._checks]
        return bool(self._checks) and not missing and all(
            (kind, check) in self._cells for kind in self._matrix for check in self._checks
        )

    def markdown(self) -> str:
        """The text below the title; the same results give the same bytes."""
        checks = sorted(self._checks)
        lines = [
            "| runtime | low level | plugin | " + " | ".join(checks) + " |",
            "| --- " * (3 + len(checks)) + "|",
        ]
        for kind in self._matrix:
            cells = [self._cells.get((kind, check), "not run") for check in checks]
            low_level = kind.low_level.item.replace("-", " ")
            lines.append(
                f"| {kind.runtime_name} | {low_level} | {kind.mode} | " + " | ".join(cells) + " |"
            )
        return self._text + "\n" + "\n".join(lines) + "\n"


def write(path: Path, tables: list[Results]) -> list[str]:
    """Replaces the tables that this run covered; returns their titles."""
    before = sections(path.read_text()) if path.exists() else {}
    now = {t.title: t.markdown() for t in tables if t.complete(before.get(t.title, ""))}
    if now:
        texts = {t.title: now.get(t.title) or before.get(t.title) for t in tables}
        parts = [f"{title}\n\n{text}" for title, text in texts.items() if text]
        path.write_text(TITLE.join([HEAD, *parts]))
    return list(now)
