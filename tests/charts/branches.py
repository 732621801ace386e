# SPDX-License-Identifier: Apache-2.0
"""Which branches of the chart's templates are taken: a copy in which each tells that it is.

Below helm lint `fail` ends nothing and prints nothing into the text: it logs. So a copy of the templates has one of them in every
branch, and makes the same objects. Outcomes are those of each `if`, `else if` and `with`: true, and false, which is whatever comes
behind it instead, an `else` being made where there is none.
"""
from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

ACTION = re.compile(r"\{\{(-?)\s*(/\*.*?\*/|.*?)\s*(-?)\}\}", re.DOTALL)
SEEN = re.compile(r"\bbranch ([0-9,]+)([tf])\b")


@dataclass(frozen=True)
class Condition:
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass
class Block:
    conditions: list[int] = field(default_factory=list)  # none: a range or a define
    ended: bool = False  # there was an else


class Meter:
    """The instrumented copy of a chart, and what its branches are."""

    def __init__(self, chart: Path, copy: Path, mark: str = 'fail "branch {}"') -> None:
        self.chart, self.mark = copy, mark
        self.conditions: list[Condition] = []
        shutil.copytree(chart, copy)
        for path in sorted((copy / "templates").rglob("*.*")):
            path.write_text(self._instrumented(path.read_text(), str(path.relative_to(copy))))

    def _marks(self, conditions: list[int], taken: int | None, right: str) -> str:
        """Those before were false; the last one is true, or false as well."""
        past = [i for i in conditions if i != taken]
        marks = [f"{','.join(map(str, past))}f"] if past else []
        marks += [f"{taken}t"] if taken is not None else []
        return "".join("{{ " + self.mark.format(mark) + f" {right}}}}}" for mark in marks)

    def _instrumented(self, text: str, file: str) -> str:
        out, at, blocks = [], 0, []
        for action in ACTION.finditer(text):
            left, what, right = action.groups()
            word = what.split(None, 1)[0] if what else ""
            before, after = "", ""
            if word in ("if", "with", "range", "define", "block"):
                blocks.append(Block())
            if word in ("if", "with") or (word == "else" and what != "else"):
                self.conditions.append(Condition(file, text.count("\n", 0, action.start()) + 1, what))
                blocks[-1].conditions.append(len(self.conditions) - 1)
                after = self._marks(blocks[-1].conditions, len(self.conditions) - 1, right)
            elif word == "else" and blocks[-1].conditions:
                blocks[-1].ended = True
                after = self._marks(blocks[-1].conditions, None, right)
            elif word == "end":
                block = blocks.pop()
                if block.conditions and not block.ended:
                    before = f"{{{{{left} else }}}}" + self._marks(block.conditions, None, "")
            out += [text[at:action.start()], before, action.group(), after]
            at = action.end()
        assert not blocks, f"{file}: {len(blocks)} blocks without an end"
        return "".join(out) + text[at:]

    def outcomes(self, log: str) -> set[tuple[int, bool]]:
        return {(int(i), which == "t") for which_ones, which in SEEN.findall(log) for i in which_ones.split(",")}

    def untaken(self, seen: set[tuple[int, bool]]) -> list[str]:
        return [f"{condition}: never {str(outcome).lower()}" for i, condition in enumerate(self.conditions) for outcome in (True, False)
                if (i, outcome) not in seen]
