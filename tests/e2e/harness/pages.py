# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/, as somebody follows them: their commands, and what the pages say that these print.

A fenced block is a command when its info word is `sh`. More words say how it is run:

    sh            as it stands; it succeeds
    sh exit=N     as it stands; it ends with N
    sh not-here   not by the tests: it needs what a test machine does not have

All commands of a page are typed into one shell; those that fail, into one of their own.
A block `text` right below is what the command prints, on stdout and stderr. In it `…` stands for anything within
a line, and a line that is nothing but `…` for any number of lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ANY = "…"
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)$")


@dataclass
class Ran:
    """What became of one command."""

    status: int | None  # None: it was not reached, or the shell ended in it
    printed: str


@dataclass
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    heading: str
    words: list[str]
    text: str
    output: str | None = None

    @property
    def where(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def is_command(self) -> bool:
        return self.words[:1] == ["sh"]

    @property
    def runs(self) -> bool:
        return self.is_command and "not-here" not in self.words

    @property
    def status(self) -> int:
        (found,) = [word[5:] for word in self.words if word.startswith("exit=")] or ["0"]
        return int(found)

    def check(self, ran: Ran) -> None:
        """Fails where the command did something else than the page says."""
        said = f"{self.where}\n{self.text}\nended with {ran.status} and printed:\n{ran.printed}"
        assert ran.status == self.status, f"{said}\nexpected: {self.status}"
        if self.output is not None:
            assert like(self.output, ran.printed), f"{said}\nexpected:\n{self.output}"


def like(pattern: str, printed: str) -> bool:
    """Whether a text is what a page shows."""
    lines = [line.rstrip() for line in pattern.strip("\n").split("\n")]
    parts = [
        r"(?:[^\n]*\n)*" if line.strip() == ANY
        else ".*".join(map(re.escape, line.split(ANY))) + r" *\n"
        for line in lines
    ]  # fmt: skip
    return re.fullmatch("".join(parts), printed.strip("\n") + "\n") is not None


def read(page: Path) -> list[Block]:
    """All fenced blocks of a page in their order, each output with its command."""
    blocks: list[Block] = []
    heading = ""
    lines = iter(enumerate(page.read_text().splitlines(), 1))
    near = False  # nothing but empty lines since the last block
    for number, line in lines:
        match = FENCE.match(line)
        if not match:
            near = near and not line.strip()
            heading = line.lstrip("# ") if line.startswith("#") else heading
            continue
        body = []
        for _, inner in lines:
            if inner.strip() == "```":
                break
            body.append(inner.removeprefix(match["indent"]))
        else:
            raise AssertionError(f"{page}:{number}: the block has no end")
        block = Block(page, number, heading, match["info"].split(), "\n".join(body) + "\n")
        if block.words == ["text"] and near and blocks[-1].runs:
            blocks[-1].output = block.text
        else:
            blocks.append(block)
        near = True
    return blocks


def script(blocks: list[Block], results: Path) -> str:
    """One shell that runs the commands one after the other, as in one terminal, and leaves what they print."""
    parts = ["set -eu"]
    for number, block in enumerate(blocks):
        out, ended = results / f"{number}.out", results / f"{number}.status"
        if block.status == 0:
            parts.append(f"{{\n{block.text}\n}} >'{out}' 2>&1 </dev/null\necho 0 >'{ended}'")
        else:
            parts.append(f"set +e\n(set -e\n{block.text}\n) >'{out}' 2>&1 </dev/null\necho $? >'{ended}'\nset -e")
    return "\n".join(parts) + "\n"


def results(blocks: list[Block], folder: Path) -> list[Ran]:
    """What the shell of script() left."""
    found = []
    for number in range(len(blocks)):
        out, ended = folder / f"{number}.out", folder / f"{number}.status"
        found.append(Ran(int(ended.read_text()) if ended.exists() else None,
                         out.read_text() if out.exists() else ""))  # fmt: skip
    return found
