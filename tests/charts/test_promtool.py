# SPDX-License-Identifier: Apache-2.0
"""promtool's word on the alerts and on every expression of the dashboard.

That all of them name metrics and labels which the program has is what tests/lint/metrics compares; that
the program's own output is sound is checked where there is one, in tests/peer/test_metrics.py.
"""
from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = ROOT / "charts/grapnel/files"
# What Grafana fills in.
VARIABLES = {"$__rate_interval": "5m", "$instance": ".*", "$rule": ".*"}


def run(promtool: str, *args: object) -> subprocess.CompletedProcess:
    return subprocess.run([promtool, *map(str, args)], capture_output=True, text=True, check=False,
                          timeout=120)


def test_alerts_are_sound(promtool: str):
    done = run(promtool, "check", "rules", "--lint-fatal", FILES / "alerts.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_and_do_not(promtool: str):
    done = run(promtool, "test", "rules", ROOT / "tests/charts/alerts_test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_broken_alert_is_found(promtool: str, tmp_path: Path):
    """The tests above test something: an alert with another threshold fails them."""
    rules = (FILES / "alerts.yaml").read_text()
    tests = (ROOT / "tests/charts/alerts_test.yaml").read_text()
    edits = [("expr: grapnel_connected == 0", "expr: grapnel_connected == 2"), ("> 0.1", "> 0.4"), ("for: 24h", "for: 23h"),
             ("expr: grapnel_hook_binary_present == 0", "expr: grapnel_hook_binary_present == 1")]

    def edited(number: int) -> subprocess.CompletedProcess:
        old, new = edits[number]
        assert rules.count(old) == 1, old
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "alerts.yaml").write_text(rules.replace(old, new))
        (folder / "test.yaml").write_text(tests.replace("../../charts/grapnel/files/alerts.yaml", "alerts.yaml"))
        return run(promtool, "test", "rules", folder / "test.yaml")

    with ThreadPoolExecutor() as pool:
        done = list(pool.map(edited, range(len(edits))))
    assert [new for (_, new), one in zip(edits, done) if one.returncode == 0] == []


def panels(of: dict):
    for panel in of.get("panels", []):
        yield panel
        yield from panels(panel)


def test_expressions_of_the_dashboard(promtool: str, tmp_path: Path):
    board = json.loads((FILES / "dashboard.json").read_text())
    exprs = [target["expr"] for panel in panels(board) for target in panel.get("targets", [])]
    assert len(exprs) > 30
    for variable, value in VARIABLES.items():
        exprs = [expr.replace(variable, value) for expr in exprs]
    assert not [expr for expr in exprs if "$" in expr]
    rules = [{"record": f"panel:{i}", "expr": expr} for i, expr in enumerate(exprs)]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "board", "rules": rules}]}))
    done = run(promtool, "check", "rules", tmp_path / "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_panels_lie_beside_each_other():
    board = json.loads((FILES / "dashboard.json").read_text())
    taken: dict[tuple[int, int], str] = {}
    for panel in panels(board):
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]
