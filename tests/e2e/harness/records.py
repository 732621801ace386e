# SPDX-License-Identifier: Apache-2.0
"""What the recording hook (helpers/hook-record.c) wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .wait import until


@dataclass(frozen=True)
class Record:
    """One run of one hook."""

    tag: str
    time_ns: int
    cwd: str
    argv: list[str]
    env: dict[str, str]
    stdin: str

    @property
    def state(self) -> dict[str, Any]:
        """The OCI state that the runtime gave to the hook."""
        state: dict[str, Any] = json.loads(self.stdin)
        return state

    @property
    def container_id(self) -> str:
        """Whose hook it was; empty without a state.

        A container that is killed while it starts can leave a startContainer hook that finds its
        stdin closed. That is no record of any container, and a test that waits for one fails.
        """
        return str(self.state["id"]) if self.stdin else ""


def _parse(line: str) -> Record:
    raw = json.loads(line)
    env = dict(entry.split("=", 1) for entry in raw["env"])
    return Record(raw["tag"], raw["time_ns"], raw["cwd"], raw["argv"], env, raw["stdin"])


class RecordLog:
    """The file that hooks of one host append to."""

    def __init__(self, path: Path):
        self.path = path

    def of(self, container_id: str) -> list[Record]:
        """All runs for one container so far, in the order in which they happened."""
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines()
        return [record for record in map(_parse, lines) if record.container_id == container_id]

    def tags(self) -> dict[str, list[str]]:
        """The tags of all runs so far, by container."""
        found: dict[str, list[str]] = {}
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        for record in map(_parse, lines):
            found.setdefault(record.container_id, []).append(record.tag)
        return found

    def last_tags(self) -> list[str]:
        """Of the container whose first hook ran last; none where no hook ran."""
        return next(reversed(self.tags().values()), [])

    def wait_for(self, container_id: str, tags: list[str]) -> list[Record]:
        """Waits until every tag was recorded for that container, then returns all its records."""

        def complete() -> list[Record] | None:
            records = self.of(container_id)
            return records if {record.tag for record in records} >= set(tags) else None

        return until(
            complete,
            f"hooks {tags} have run for {container_id[:12]}",
            detail=lambda: f"ran: {[record.tag for record in self.of(container_id)]}",
        )
