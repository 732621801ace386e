# SPDX-License-Identifier: Apache-2.0
"""The chart with other versions of Helm and Kubernetes than those of tests/cluster, and that the page tells which."""
from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import chart
from chart import CHART, EXAMPLES, HELM, KUBERNETES, OTHER_HELMS, ROOT, RUN_WITH, Rendered
from test_chart import each, flags
from test_schema import WRONG

PAGE = (ROOT / "specs/compatibility.md").read_text()
# What some values ask for is in Kubernetes since then.
LATER, SINCE = ("startupTaint", "appArmorProfile"), (1, 30)
other = pytest.mark.parametrize("version", OTHER_HELMS)
# One of each kind that the schema can refuse, and what the templates and Chart.yaml refuse.
REFUSED = [*WRONG[::6],
           ({"namespace": {"create": True}}, "--namespace=kube-system", "kube-system belongs to Kubernetes"),
           ({"image": {"tag": "a b"}}, "image.tag", 'such as "1.2.0"; found "a b"'),
           ({}, "--kube-version=1.24.0", "chart requires kubeVersion: >=1.25.0-0")]


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def fits(version: str, file: Path | None) -> bool:
    return numbers(version) >= SINCE or not file or not any(name in file.read_text() for name in LATER)


@other
@each
def test_another_helm_lints(version: str, file: Path | None):
    done = chart.run("lint", "--strict", *flags(file), version=version)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout and "[ERROR]" not in done.stdout


@other
@each
def test_another_helm_renders_the_same(version: str, file: Path | None):
    """Without --kube-version, so that each takes the one that it knows."""
    done = chart.run("template", "--namespace=hooks", *flags(file), version=version)
    assert done.returncode == 0, done.stderr
    assert done.stdout == chart.text(None, *flags(file))


@other
@pytest.mark.parametrize(("values", "where", "said"), REFUSED, ids=[f"{where}: {said}" for _, where, said in REFUSED])
def test_another_helm_refuses_the_same(version: str, values: dict, where: str, said: str):
    args = [where] if where.startswith("--") else []
    done = chart.run("template", *args, values=values, version=version)
    assert done.returncode != 0 and said in done.stderr, done.stderr
    assert done.stderr == chart.run("template", *args, values=values).stderr


@pytest.mark.parametrize(("version", "file"), [
    pytest.param(version, file, id=f"{version}-{file.stem.removesuffix('-values') if file else 'defaults'}")
    for version in KUBERNETES if version != RUN_WITH for file in (None, *EXAMPLES) if fits(version, file)])
def test_schemas_of_another_kubernetes(version: str, file: Path | None):
    args = [f"--kube-version={version}", *flags(file)]
    done = subprocess.run([*chart.kubeconform(version), "-"], input=chart.text(None, *args), capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    valid, skipped = (int(re.search(rf"{word}: (\d+)", done.stdout)[1]) for word in ("Valid", "Skipped"))
    assert (valid, skipped) == (len(Rendered(None, *args).objects), 0)


@pytest.mark.parametrize(("example", "said"), [("startup-taint", "ValidatingAdmissionPolicy"), ("everything", "'appArmorProfile' not allowed")])
def test_the_schemas_differ(example: str, said: str):
    """What a later Kubernetes has, the schemas of an earlier one do not take."""
    file = CHART / f"ci/{example}-values.yaml"
    assert not fits("1.25.0", file)
    done = subprocess.run([*chart.kubeconform("1.25.0"), "-"], input=chart.text(None, *flags(file)), capture_output=True,
                          text=True, check=False, timeout=60)
    assert done.returncode != 0 and said in done.stdout


def said_of(first: str) -> dict[str, list[str]]:
    """Rows of the page's table that begins with this column: version to the other cells."""
    table = re.search(rf"^\| {first} \|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize(("first", "tried", "run"), [("Kubernetes", KUBERNETES, RUN_WITH), ("Helm", (*OTHER_HELMS, HELM), HELM)])
def test_the_page_says_what_was_tried(first: str, tried: tuple[str, ...], run: str):
    rows = said_of(first)
    assert {version for version, cells in rows.items() if cells[0].startswith("rendered")} == set(tried)
    assert {version for version, cells in rows.items() if cells[1].startswith("run")} == {run}
    # Whatever lies between is said to be untried.
    assert all(cells[0].startswith(("rendered", "not tried", "refused")) for cells in rows.values())


def test_the_page_says_what_the_chart_takes():
    assert said_of("Kubernetes")["before 1.25"][0].startswith("refused")
    assert chart.run("template", "--kube-version=1.24.17").returncode != 0
    assert chart.run("template", "--kube-version=1.25.0").returncode == 0
