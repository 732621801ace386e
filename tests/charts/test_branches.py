# SPDX-License-Identifier: Apache-2.0
"""Every condition of the templates comes out true for some values that tests look at, and false for others."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import chart
from branches import Meter
from chart import CHART, EXAMPLES
from test_combinations import REFUSED
from test_own import OLD, ON, SCRAPED, SERVICE, merged

# With those that tests of refusals, examples and names have: what else tests look at.
VALUES = [
    {}, ON, SERVICE, SCRAPED, {"image": {"digest": "sha256:" + "0" * 64}}, {"imagePullSecrets": [{"name": "registry"}]},
    {"rules": {"files": {"a.yaml": "#", "gone.yaml": None}}}, {"policy": {"existingConfigMap": "mine"}},
    {"policy": {"spec": {"exemptNamespaces": ["hooks"]}}}, {"serviceAccount": {"annotations": {"a": "b"}}},
    {"hookPrograms": {"retireAfterSeconds": 0}}, {"preflight": {"enabled": False}}, {"probes": {"startup": {"enabled": False}}},
    {"metrics": {"dashboard": {"enabled": True, "annotations": {"folder": "nodes"}}}},
    {"enableNri": {"enabled": True}}, {"priorityClassName": ""}, {"affinity": {"nodeAffinity": {"a": []}}},
]
TAKEN = [*((values, ()) for values in VALUES), *(({}, (f"--values={file}",)) for file in EXAMPLES),
         (merged(ON, {"startupTaint": {"enabled": False}}), OLD)]
ENDED = [*((values, ()) for values, _ in REFUSED), (ON, OLD), ({"namespace": {"create": True}}, ("--namespace=kube-system",)),
         ({"image": {"tag": "a b"}}, ())]

# What only a cluster answers: tests/cluster/test_chart_sources.py.
OF_CLUSTERS = ["if lookup \"v1\" \"ConfigMap\" $n \"kube-root-ca.crt\": never true",
               *(f"{condition}: never {outcome}" for condition in ("if not (lookup \"v1\" \"ConfigMap\" $n .)", "with $v.policy.existingConfigMap",
                 "if not (dig \"data\" \"policy.yaml\" \"\" (lookup \"v1\" \"ConfigMap\" $n .))") for outcome in ("true", "false"))]

SMALL = """{{- define "a" -}}x{{- end -}}
a: [{{ if .Values.x }}b{{ else if .Values.y -}} c {{- end }}]
{{- with .Values.z }}
e: {{ . }}
{{- else }}
f: g
{{- end }}
{{- range .Values.l }}{{ if . }}
l: {{ . }}
{{- else if true }}{{ end }}{{ end }}
"""


def lint(meter: Meter, values: object, *args: object) -> str:
    done = subprocess.run([chart.helm(), "lint", meter.chart, "--namespace=hooks", *args, "--values=-"], input=json.dumps(values),
                          capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def small(folder: Path, **how: str) -> Meter:
    (folder / "small/templates").mkdir(parents=True)
    (folder / "small/Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
    (folder / "small/templates/a.yaml").write_text(SMALL)
    return Meter(folder / "small", folder / "copy", **how)


@pytest.mark.parametrize(("values", "left"), [
    ({}, ["2: if .Values.x: never true", "2: else if .Values.y: never true", "3: with .Values.z: never true", "8: if .: never true",
          "8: if .: never false", "10: else if true: never true", "10: else if true: never false"]),
    ({"x": 1, "y": 1, "z": 1, "l": [1, 2]}, ["2: if .Values.x: never false", "2: else if .Values.y: never true",
                                            "2: else if .Values.y: never false", "3: with .Values.z: never false", "8: if .: never false",
                                            "10: else if true: never true", "10: else if true: never false"]),
    ({"y": 1, "l": [1, 0]}, ["2: if .Values.x: never true", "2: else if .Values.y: never false", "3: with .Values.z: never true",
                             "10: else if true: never false"])], ids=["none", "first", "second"])
def test_the_meter(values: dict, left: list[str], tmp_path: Path):
    meter = small(tmp_path)
    assert meter.untaken(meter.outcomes(lint(meter, values))) == [f"templates/a.yaml:{text}" for text in left]


@pytest.mark.parametrize("file", [None, *EXAMPLES], ids=lambda file: file.stem if file else "defaults")
def test_a_metered_chart_makes_the_same(file: Path | None, metered: Meter):
    """But for marks that a template may print: what is metered is what is installed."""
    args = ["template", "g", "--namespace=hooks", *([f"--values={file}"] if file else [])]
    one, other = (subprocess.run([chart.helm(), *args, folder], capture_output=True, text=True, check=True, timeout=60).stdout
                  for folder in (CHART, metered.chart))
    assert one == other and one


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Meter:
    return Meter(CHART, tmp_path_factory.mktemp("silent") / "grapnel", mark='print "" ""')


def test_every_branch_is_taken(tmp_path: Path):
    meter = Meter(CHART, tmp_path / "grapnel")
    seen: set[tuple[int, bool]] = set()
    for values, args in TAKEN:
        assert chart.run("template", "--namespace=hooks", *args, values=values).returncode == 0
        seen |= meter.outcomes(lint(meter, values, *args))
    for values, args in ENDED:
        # helm lint goes on where these end: of the objects they say nothing.
        seen |= {(i, outcome) for i, outcome in meter.outcomes(lint(meter, values, *args)) if "validate" in meter.conditions[i].file}
    left = meter.untaken(seen)
    assert [text.split(": ", 1)[1] for text in left] == OF_CLUSTERS, "\n".join(left)
