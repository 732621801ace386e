# SPDX-License-Identifier: Apache-2.0
"""How long an answer takes. All programs are up at once and take turns in short bursts, so that a
noisy moment of the machine meets all of them alike; differences are taken within a round."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any, Callable

from .programs import BenchError, Pair

# One burst: long enough for a p99, short enough that a round fits into one mood of the machine.
BURST_S = 0.15
BURST_MAX_CALLS = 600
BURST_MIN_CALLS = 1
# A program that takes longer for one call takes part in the first rounds only: it can hold up the
# others for minutes (the Go injector compiles its patterns anew for each container).
SLOW_NS = 200_000_000
SLOW_ROUNDS = 3
# What a program takes longer than the floor: short bursts, each between two of the floor, since the
# machine's mood changes within a round by more than what is measured.
PAIR_CALLS = 100
PAIRS_A_ROUND = 5
PAIR_MAX_US = 2_000  # who takes longer is compared by the rounds
# What a call costs the runtime side outside the measured time (it copies the request).
COPY_NS = 60_000


@dataclass
class Case:
    """One program with one number of rules, and what was measured, one entry per round."""

    program: str
    rules: int
    pair: Pair
    request: dict[str, Any]
    hooks: int  # that the answer must have
    calls: int = 0
    slow: bool = False
    rounds: list[dict[str, int]] = field(default_factory=list)
    over_ns: list[float] = field(default_factory=list)  # the floor, at p50; one entry per pair

    def burst(self, calls: int) -> dict[str, int]:
        reply = self.pair.runtime.call("bench", n=calls, **self.request)
        if reply["hooks"] != self.hooks:
            raise BenchError(f"{self.program}, {self.rules} rules: {reply['hooks']} hooks, not {self.hooks}")
        return {key: int(reply[key]) for key in ("min_ns", "p50_ns", "p90_ns", "p99_ns", "max_ns")}

    def calibrate(self) -> None:
        """How many calls fit into a burst; warms the program up, too."""
        first = self.burst(1)["p50_ns"]
        cost = self.burst(50)["p50_ns"] if first < 50_000_000 else first
        self.slow = cost > SLOW_NS
        self.calls = int(BURST_S * 1e9 / (cost + COPY_NS))
        self.calls = max(BURST_MIN_CALLS, min(BURST_MAX_CALLS, self.calls))

    def us(self, key: str) -> float:
        """The median over the rounds, in microseconds."""
        return median(r[key] for r in self.rounds) / 1e3


def run(cases: list[Case], rounds: int, progress: Callable[[str], None]) -> None:
    """Fills the cases; each round starts with another case than the one before."""
    for case in cases:
        case.calibrate()
    for i in range(rounds):
        progress(f"latency, round {i + 1} of {rounds}")
        turn = i * len(cases) // rounds
        for case in [*cases[turn:], *cases[:turn]]:
            if i < SLOW_ROUNDS or not case.slow:
                case.rounds.append(case.burst(case.calls))


def compare(cases: list[Case], floor: Case, pairs: int, progress: Callable[[str], None]) -> None:
    """How much longer than the floor each takes."""
    for case in cases:
        if case is floor or case.us("p50_ns") > PAIR_MAX_US:
            continue
        progress(f"beside the floor: {case.program}, {case.rules} rules")
        before = floor.burst(PAIR_CALLS)["p50_ns"]
        for _ in range(pairs):
            own = case.burst(PAIR_CALLS)["p50_ns"]
            after = floor.burst(PAIR_CALLS)["p50_ns"]
            case.over_ns.append(own - (before + after) / 2)
            before = after


def over_us(case: Case, floor: Case) -> float:
    """What case takes longer than floor at p50, in microseconds."""
    if case.over_ns:
        return median(case.over_ns) / 1e3
    return median(a["p50_ns"] - b["p50_ns"] for a, b in zip(case.rounds, floor.rounds, strict=False)) / 1e3


def times(case: Case, other: Case, key: str = "p50_ns") -> float:
    """case as a multiple of other: the median of the ratios of their rounds."""
    return median(a[key] / b[key] for a, b in zip(case.rounds, other.rounds, strict=False))
