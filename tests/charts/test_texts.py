# SPDX-License-Identifier: Apache-2.0
"""files/texts.yaml: what texts among the values look like. A wrong one is refused in words, with what was found and an example."""
from __future__ import annotations

import json
import re

import pytest
import yaml

import chart
from chart import CHART

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
TEXTS = yaml.safe_load((CHART / "files/texts.yaml").read_text())
KINDS, PLACES = TEXTS["kinds"], TEXTS["values"]
IMAGE = {"name": "a", "image": "example.com/a:1", "from": "/hooks"}
# What has to be beside a text.
BESIDE = {"hookPrograms.images": IMAGE, "extraVolumeMounts": {"name": "v"}}
# Any text will do.
FREE = {"affinity", "config.environment", "config.requiredSets.[]", "rules.files.{}", "podAnnotations.{}", "serviceAccount.annotations.{}",
        "metrics.dashboard.annotations.{}", "tolerations.[].key", "tolerations.[].value", "jobs.tolerations.[].key",
        "jobs.tolerations.[].value", *(f"seLinuxOptions.{key}" for key in ("user", "role", "type", "level")),
        *(f"policy.spec.{key}.[]" for key in ("exemptNamespaces", "neverFail", "protectedSets", "requests.[].sets",
                                              "skipStages.[].runtimeHandlers")),
        "policy.spec.requests.[].namespaces",
        *(f"extra{key}.[].name" for key in ("Env", "Volumes", "VolumeMounts", "InitContainers", "Containers"))}

# Of each kind: what is just right, and what is just not.
EDGES = {
    "absolutePath": (["/a", "/a/b.c", "/.a/..b", "/_@:+-"], ["", "a", "/", "/a/", "//a", "/a/../b", "/a/.", "/a b", "/ä", "/a\n", '/a"']),
    "alert": (["GrapnelA"], ["Grapnel", "grapnelA", "GrapnelA1", "ConfigDiffers"]),
    "argument": (["-v", "--log-level=debug"], ["v", "---v", "--", "--V", "", " --v"]),
    "digest": (["sha256:" + "0" * 64], ["sha256:" + "0" * 63, "sha256:" + "0" * 65, "sha256:" + "A" * 64, "0" * 64, "sha512:" + "0" * 64]),
    "dnsLabel": (["a", "0", "a-b"], ["-a", "a-", "A", "a.b", "a_b", "a b"]),
    "dnsName": (["a", "a.b-c.d0"], ["Team", "a..b", ".a", "a.", "-a", "a.-b", "a_b"]),
    "duration": (["1ms", "1m30s", "10h"], ["30", "0s", "1d", "1.5s", "", "-1s", "1 s"]),
    "fileName": (["a", "_a.B-0"], [".a", "-a", "a/b", "", "a b"]),
    "imageReference": (["a/b", "r.example.com:5000/a/b-c:1@sha256:" + "a" * 64, "localhost/a__b"],
                       ["a", "a b/c", "A/b", "a/B", "a/b:", "a/b@sha256:0", "https://a/b", "a/b:1 ", "a//b", "a:123456/b"]),
    "labelValue": (["a", "A.b_C-0"], ["-a", "a-", "a b", "ä", ".", "a/b"]),
    "mountPath": (["/", "/a b"], ["a", ""]),
    "nriIndex": (["00", "99"], ["5", "100", "", "1a", " 1"]),
    "nriName": (["a", "A" + "-" * 62], ["", "-a", "A" + "-" * 63, "a b", "a/b"]),
    "percent": (["0%", "100%", "10%"], ["101%", "1", "%", "-1%", "00%", "1.5%"]),
    "qualifiedName": (["a", "A" * 63, "example.com/" + "a" * 63, "a/b"], ["A" * 64, "a/" + "a" * 64, "A/b", "a/b/c", "/a", "a/", "a b", "-a"]),
    "quantity": (["0", "1.5Gi", "100m"], ["128 Mi", "-1", "1.", ".5", "1mi", "1KiB", ""]),
    "registry": (["a", "a.b-c:5000"], ["https://example.com", "a/b", "A", "a:", "a:123456", "-a", ""]),
    "repository": (["a", "a/b_c-d.e"], ["Grapnel/Grapnel", "/a", "a/", "a:1", "a b", ""]),
    "requestAnnotation": (["a", "hooks.example.com/a_b"], ["-a", "a-", "a b", "/a", ""]),
    "rescanSeconds": (["1s", "3600s"], ["0s", "s", "36000s", "1", "1m", ""]),
    "ruleFile": (["a.yaml", "B_1.yml", "0-.json"], ["a.txt", "../a.yaml", ".a.yaml", "a", "a.yaml ", "a.YAML", ".yaml", "a/b.yaml"]),
    "seconds": (["1s", "600s"], ["0s", "s", "6000s", "1", "1m"]),
    "tag": (["a", "_" + "." * 127], [".a", "-a", "_" + "." * 128, "a b", "a:b"]),
    "unit": (["a.service", "k3s@x.service"], ["containerd", ".service", "a.socket", "a b.service", "a/b.service"]),
}


def shown(path: str) -> str:
    """How a message calls a place, where lists have one item, and mappings the key k."""
    return re.sub(r"\.\{key\}$", ", its keys", path.replace(".[]", "[0]").replace(".{}", ".k"))


def at(path: str, text: str) -> dict:
    """Values with the text at that place, and what has to be beside it."""
    value: object = text
    steps = path.split(".")
    for i in range(len(steps) - 1, -1, -1):
        beside = BESIDE.get(".".join(steps[:i - 1])) if i and steps[i - 1] == "[]" else None
        if steps[i] == "[]":
            value = [value]
        elif steps[i] == "{key}":
            value = {value: "x"}
        elif steps[i] == "{}":
            value = {"cpu" if "resources" in path else "k": value}
        else:
            value = (beside or {}) | {steps[i]: value}
    return value


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_edges(kind: str):
    right, wrong = EDGES[kind]
    pattern = re.compile(KINDS[kind]["pattern"].removesuffix("$") + (r"\Z" if KINDS[kind]["pattern"].endswith("$") else ""))
    assert [text for text in [*right, KINDS[kind]["example"].strip('"')] if not pattern.match(text)] == []
    assert [text for text in wrong if pattern.match(text)] == []


def test_each_kind_is_used():
    assert set(KINDS) == set(EDGES) == {kind.removesuffix("?") for kind in PLACES.values()}
    for kind in KINDS.values():
        assert set(kind) == {"pattern", "expected", "example"} and len(kind["expected"]) > 10 and not re.search(r"[\[\]^$\\*]", kind["expected"])


def strings(schema: dict, path: list[str]):
    """(place, its kind) of every text in the schema that is not one of a few words."""
    if "$ref" in schema:
        yield from strings(SCHEMA["definitions"][schema["$ref"].split("/")[-1]], path)
    types = [schema.get("type")] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if "string" in types and "enum" not in schema:
        comment = schema.get("$comment", "")
        yield ".".join(path), comment.removeprefix("text: ") if comment.startswith("text: ") else None
    for key, below in schema.get("properties", {}).items():
        yield from strings(below, [*path, "{}" if key in ("cpu", "memory", "ephemeral-storage") else key])
    for key, step in (("additionalProperties", "{}"), ("propertyNames", "{key}"), ("items", "[]")):
        if isinstance(schema.get(key), dict):
            yield from strings(schema[key], [*path, step])


def test_every_text_of_the_schema_has_a_kind():
    """Or is free. The schema has no pattern: helm would print it, and ask nothing else."""
    found = dict(strings(SCHEMA, []))
    assert {path: kind for path, kind in found.items() if kind} == PLACES
    assert {path for path, kind in found.items() if not kind} <= FREE
    assert '"pattern"' not in (CHART / "values.schema.json").read_text()


@pytest.mark.parametrize("path", sorted(PLACES))
def test_refused_in_words(path: str):
    """At each place, with the first text of its kind that is not right."""
    kind = KINDS[PLACES[path].removesuffix("?")]
    wrong = next(text for text in EDGES[PLACES[path].removesuffix("?")][1] if text)
    done = chart.run("template", values=at(path, wrong))
    where = shown(path).replace(".k", ".cpu") if "resources" in path else shown(path)
    said = f"{where}: expected {kind['expected']}, such as {kind['example']}; found {json.dumps(wrong, ensure_ascii=False)}."
    assert done.returncode != 0 and said in done.stderr, done.stderr
    if "{key}" not in path:
        empty = chart.run("template", values=at(path, ""))
        assert ('found "".' in empty.stderr) == (not PLACES[path].endswith("?")), empty.stderr


@pytest.mark.parametrize(("values", "said"), [
    ({"hookPrograms": {"images": [IMAGE, IMAGE | {"name": "B"}]}}, "hookPrograms.images[1].name: expected a name of lower-case letters"),
    ({"rules": {"hostDirs": ["/a", "b"]}}, "rules.hostDirs[1]: expected an absolute path"),
    ({"commonLabels": {"a": "b", "c": "d e"}}, "commonLabels.c: expected at most 63 letters"),
    ({"updateStrategy": {"maxSurge": "1"}}, "updateStrategy.maxSurge: expected a number without quotes"),
    ({"hookPrograms": {"dir": "x\ny"}}, 'found "x\\ny"')])
def test_which_one_is_said(values: dict, said: str):
    done = chart.run("template", values=values)
    assert done.returncode != 0 and said in done.stderr, done.stderr


def test_what_is_no_text_is_left_to_the_schema():
    """Numbers where there may be numbers, and files that are taken out."""
    values = {"updateStrategy": {"maxSurge": 2}, "resources": {"limits": {"cpu": 1}}, "config": {"rescanInterval": 5},
              "policy": {"spec": {"timeout": {"max": 60}}}, "rules": {"files": {"a.yaml": None}}}
    assert chart.run("template", values=values).returncode == 0
