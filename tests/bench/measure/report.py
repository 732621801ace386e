# SPDX-License-Identifier: Apache-2.0
"""What is printed and written: tables in Markdown, with the goals of the design beside the figures."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass, field
from pathlib import Path

from .churn import CALLS, Churned
from .footprint import Kept, Memory, Reload
from .latency import Case, over_us, times

FLOOR, GRAPNEL, QUIET = "floor", "Grapnel", "Grapnel, log level warning"
GO, GO_ALWAYS = "Go injector", "Go injector, always: true"
UNKNOWN = "Grapnel, image unknown"
FOREIGN, GO_FOREIGN = "Grapnel, oci-hooks(5) files in place", "Go injector, the same files"
COUNTS = [1, 100, 1000, 10000]
OCI_FILES = 5000


@dataclass
class Results:
    """Everything that was measured. start_ms and memory by program and number of rules."""

    versions: dict[str, str]
    load: float = 0  # average over a minute, before anything was started
    request_bytes: int = 0
    rounds: int = 0
    cases: list[Case] = field(default_factory=list)
    memory: dict[tuple[str, int], Memory] = field(default_factory=dict)
    start_ms: dict[tuple[str, int], float] = field(default_factory=dict)
    reload: Reload | None = None
    churned: Churned | None = None
    inside_us: tuple[float, float] = (0, 0)  # best, p50
    foreign_us: tuple[float, float] = (0, 0)  # the same with the oci-hooks(5) files
    grown_bytes: int | None = None  # over a million of these calls
    matching_us: float | None = None
    explain_ms: tuple[float, float] = (0, 0)  # explaining alone; with all conditions in words
    explain_command_ms: dict[str, float] = field(default_factory=dict)
    explain_in_force_ms: dict[str, float] = field(default_factory=dict)
    check_ms: dict[str, float] = field(default_factory=dict)
    hostile_ms: dict[str, float] = field(default_factory=dict)
    static_bytes: int | None = None
    growth: list[Kept] = field(default_factory=list)
    reloads: list[Kept] = field(default_factory=list)

    def case(self, program: str, rules: int) -> Case:
        return next(c for c in self.cases if c.program == program and c.rules == rules)

    @property
    def floor(self) -> Case:
        return self.case(FLOOR, 0)


def machine() -> str:
    """Cores, CPU model and kernel release; nothing that names the host."""
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    kernel = re.match(r"\d+\.\d+(\.\d+)?", platform.release())
    return (f"{len(os.sched_getaffinity(0))} cores, {model[1] if model else platform.machine()}, "
            f"Linux {kernel[0] if kernel else 'unknown'}")  # fmt: skip


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown; the first column left, figures right."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 20 else f"{value:.1f}"


def _row(results: Results, case: Case) -> list[str]:
    label = f"{case.rules:,}" if case.rules else "none"
    own = "" if case.program == FLOOR else _figure(over_us(case, results.floor))
    return [case.program, label, *(_figure(case.us(k)) for k in ("p50_ns", "p90_ns", "p99_ns")), own]


def latency_table(results: Results) -> str:
    head = ["program", "rules", "p50 µs", "p90 µs", "p99 µs", "p50 over the floor"]
    return table(head, [_row(results, case) for case in results.cases])


def _mib(kib: float) -> str:
    return f"{kib / 1024:.1f} MiB"


def memory_table(results: Results) -> str:
    rows = [[name, f"{rules:,}" if rules else "none", _mib(m.anon_kib), _mib(m.rss_kib)]
            for (name, rules), m in results.memory.items()]  # fmt: skip
    return table(["program", "rules", "own (RssAnon)", "resident (VmRSS)"], rows)


def start_table(results: Results) -> str:
    rows = [[name, f"{rules:,}" if rules else "none", f"{ms:.1f}"] for (name, rules), ms in results.start_ms.items()]
    return table(["program", "rules", "ms"], rows)


def _goals_latency(results: Results) -> list[list[str]]:
    one, many = results.case(GRAPNEL, 1), results.case(GRAPNEL, 10000)
    unknown = results.case(UNKNOWN, 10000)
    return [
        ["p50 beside the Go injector, 1 rule", "at most 0.5 x", f"{times(one, results.case(GO, 1)):.2f} x"],
        ["the same, its rule having no condition", "", f"{times(one, results.case(GO_ALWAYS, 1)):.2f} x"],
        ["p50 with 10,000 rules beside 1 rule", "at most 1.3 x", f"{times(many, one):.2f} x"],
        ["p50 over the floor, 1 rule", "40 µs", _figure(over_us(one, results.floor)) + " µs"],
        ["p50 over the floor, 10,000 rules", "55 µs", _figure(over_us(many, results.floor)) + " µs"],
        ["the same, image unknown to 10,000 image rules", "", _figure(over_us(unknown, results.floor)) + " µs"],
        [f"p50, {OCI_FILES:,} oci-hooks(5) files with expressions, in place", "under 1 ms",
         f"{results.case(FOREIGN, OCI_FILES).us('p50_ns') / 1e3:.2f} ms"],
        ["the Go injector with the same files", "", f"{results.case(GO_FOREIGN, OCI_FILES).us('p50_ns') / 1e3:.0f} ms"],
    ]  # fmt: skip


def _goals_memory(results: Results) -> list[list[str]]:
    rows = []
    for name, rules, of, goal in (("Grapnel, static", 100, "sets", "under 2 MiB"),
                                  ("Grapnel, static", 10000, "sets", "under 24 MiB"),
                                  (f"{FOREIGN}, static", OCI_FILES, "oci-hooks(5) files", "")):  # fmt: skip
        m = results.memory.get((name, rules))
        if m:
            rows.append([f"resident, static build, 1,000 pods, {rules:,} {of}: own / all", goal,
                         f"{_mib(m.anon_kib)} / {_mib(m.rss_kib)}"])  # fmt: skip
    if results.static_bytes is not None:
        rows.append(["static binary, stripped", "under 3 MiB", _mib(results.static_bytes / 1024)])
    return rows


def _grown(seen: list[Kept]) -> str:
    """From the first tenth to the last."""
    first, last = seen[1], seen[-1]
    return f"{last.anon_kib - first.anon_kib} KiB ({last.anon_kib}), {last.descriptors - first.descriptors} ({last.descriptors})"


def _goals_life(results: Results) -> list[list[str]]:
    rows = [["start to registered, 100 sets", "under 10 ms", f"{results.start_ms[(GRAPNEL, 100)]:.1f} ms"]]
    r = results.reload
    if r:
        rows += [
            ["reload of 10,000 sets", "under 300 ms", f"{r.took_ms:.0f} ms"],
            ["longest answer while reloading (and with no reload)", "5 ms more",
             f"{r.longest_ms:.1f} ms ({r.quiet_ms:.1f} ms); worst of all {r.worst_ms:.1f} ms"],
            ["p99 while reloading (and with no reload)", "5 ms more", f"{r.p99_ms:.2f} ms ({r.quiet_p99_ms:.2f} ms)"],
            ["peak memory while reloading beside resting", "at most 2 x", f"{r.peak_kib / r.resting_kib:.2f} x"],
            ["memory after five reloads beside before", "", f"{r.after_kib / r.resting_kib:.2f} x"],
        ]  # fmt: skip
    if results.churned:
        c = results.churned
        rows.append([f"p99 under churn, {c.loads} loads in {CALLS:,} calls (and quiet)", "5 ms more",
                     f"{c.p99_ms:.2f} ms ({c.quiet_p99_ms:.2f} ms)"])  # fmt: skip
    if results.grown_bytes is not None:
        rows.append(["growth of memory over 1,000,000 calls with expressions, inside the plugin", "none",
                     f"{results.grown_bytes:,} bytes"])  # fmt: skip
    if results.growth:
        rows.append(["the same through the library, own memory and descriptors", "none",
                     _grown(results.growth)])  # fmt: skip
    if results.reloads:
        rows.append(["the same over 10,000 reloads of 100 sets", "none", _grown(results.reloads)])
    return rows


def _goals_inside(results: Results) -> list[list[str]]:
    best, p50 = results.inside_us
    rows = [["inside the plugin without socket and log, 1,000 rules, 3 match: best / p50", "under 30 µs",
             f"{_figure(best)} / {_figure(p50)} µs"]]  # fmt: skip
    if results.matching_us is not None:
        rows.append(["matching and deciding alone, 1,000 rules, 3 match", "", f"{_figure(results.matching_us)} µs"])
    best, p50 = results.foreign_us
    rows.append([f"inside the plugin, {OCI_FILES:,} oci-hooks(5) files: best / p50", "",
                 f"{_figure(best)} / {_figure(p50)} µs"])  # fmt: skip
    for what, ms in results.hostile_ms.items():
        rows.append([what, "under 200 ms", f"{ms:.0f} ms"])
    return rows


def _goals_tools(results: Results) -> list[list[str]]:
    rows = [[f"check of 10,000 files, {what}", "under 2 s", f"{ms / 1e3:.2f} s"]
            for what, ms in results.check_ms.items()]  # fmt: skip
    alone, words = results.explain_ms
    rows.append(["explaining one container, 10,000 sets: alone / every condition in words", "under 50 ms",
                 f"{alone:.1f} / {words:.1f} ms"])  # fmt: skip
    rows += [[f"the whole command explain, 10,000 sets read and printed: {what}", "", f"{ms:.0f} ms"]
             for what, ms in results.explain_command_ms.items()]  # fmt: skip
    rows += [[f"the whole command explain --in-force, a plugin with 10,000 sets asked and printed: {what}", "under 50 ms",
              f"{ms:.1f} ms"] for what, ms in results.explain_in_force_ms.items()]  # fmt: skip
    return rows


def goals_table(results: Results) -> str:
    inside = _goals_inside(results)
    rows = _goals_latency(results) + inside + _goals_memory(results) + _goals_life(results) + _goals_tools(results)
    return table(["what", "goal", "measured"], rows)


def readme_block(results: Results) -> str:
    """The short form: latency, memory, start."""
    rows = []
    for rules in COUNTS:
        cases = [results.case(GRAPNEL, rules), results.case(GO, rules)]
        rows.append([f"{rules:,}"] + [" / ".join(_figure(c.us(k)) for k in ("p50_ns", "p90_ns", "p99_ns"))
                                      for c in cases])  # fmt: skip
    cases = [results.case(FOREIGN, OCI_FILES), results.case(GO_FOREIGN, OCI_FILES)]
    rows.append([f"{OCI_FILES:,} oci-hooks(5) files, read in place"]
                + [" / ".join(_figure(c.us(k)) for k in ("p50_ns", "p90_ns", "p99_ns")) for c in cases])  # fmt: skip
    m, go = results.memory[("Grapnel, static", 100)], results.memory[(GO, 100)]
    starts = [results.start_ms[(GRAPNEL, 100)], results.start_ms[(GO, 100)]]
    rows.append(["resident memory, 100 rules, 1,000 pods", _mib(m.rss_kib), _mib(go.rss_kib)])
    rows.append(["start to registered, 100 rules", *(f"{ms:.0f} ms" for ms in starts)])
    return "\n".join([
        "CreateContainer through containerd's own NRI library, p50 / p90 / p99 in µs, by number of rules of which "
        "one\nmatches. The Go injector is `nri/pkg/stub` with the hooks library of Podman and CRI-O; a C plugin that "
        f"answers\nwithout looking takes {_figure(results.floor.us('p50_ns'))} µs (p50) of each figure. Machine: "
        f"{machine()}.",
        "", table(["rules", GRAPNEL, GO], rows), "",
        "`make bench` measures it again; all figures and goals: [tests/bench/RESULTS.md](tests/bench/RESULTS.md).",
    ])  # fmt: skip


INTRO = """\
# What the bench saw

Written by `make bench`. Programs take turns in short bursts; each figure is the median over {rounds} rounds,
differences and ratios are taken within a round. The client is containerd's `nri/pkg/adaptation`. One request has
{bytes:,} bytes: 30 + 30 annotations, 20 labels, 60 variables, 25 mounts. One rule matches, with image and pod
annotation; the others are by annotation, image, namespace and label (Go injector: annotation, command). Programs log
one line per container that gets hooks to a file, Grapnel at its default level (info).

- machine: {machine}; load average of the last minute when the bench began: {load:.1f}
- versions: {versions}
"""


LIFE = """\
Memory, descriptors and threads of one process over a million containers and 10,000 reloads are no figures but asserted, by
`tests/endurance`; `--long` measures both through the library, with other rules.
"""


def document(results: Results) -> str:
    """tests/bench/RESULTS.md."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    intro = INTRO.format(rounds=results.rounds, bytes=results.request_bytes, machine=machine(), versions=versions,
                          load=results.load)  # fmt: skip
    return "\n".join([
        intro,
        "## Goals", "", "Printed, not asserted.", "", goals_table(results), "", LIFE,
        "## Answering CreateContainer", "",
        "The floor is a C plugin with Grapnel's wire that answers without looking. \"Image unknown\": every rule "
        "asks for an\nimage, and the request has none, so that all of them are unknown (onUnknown Skip). A p99 of "
        "the Go injector with\nmany rules is that of few calls. \"oci-hooks(5) files\": both read the same "
        f"{OCI_FILES:,} files, one of which matches; keys\nand values are expressions, anchored and not, with "
        "commands and mounts among them.\nWhat a program takes over the floor is the median of many short bursts, each "
        "between two bursts of the floor.", "", latency_table(results), "",
        f"## Memory after Synchronize of {1000:,} pods", "", memory_table(results), "",
        "## Start to registered", "",
        "From before fork until the runtime has the plugin in its list: rules read, registered, configured,\n"
        "synchronized (without pods). The floor is what the runtime side and starting a process take.", "",
        start_table(results), "",
    ])  # fmt: skip


def replace_block(text: str, block: str) -> str:
    """README.md with the text between its two markers replaced."""
    begin, end = "<!-- bench -->", "<!-- /bench -->"
    head, found, rest = text.partition(begin)
    tail = rest.partition(end)[2] if end in rest else rest
    if not found:
        raise ValueError(f"no {begin} in README.md")
    return f"{head}{begin}\n{block}\n{end}{tail}"
