# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of TestSuite says what the reader says, over documents of every kind.

Documents are JSON, which the reader takes as YAML. What a schema cannot say is listed as such.
"""
from __future__ import annotations

import json
import subprocess

import jsonschema
import pytest

from conftest import ROOT, Node

STAGES = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
NAME = "a" * 253
LONG = ("/" + "a" * 200) * 20 + "/" + "a" * 74
NO_TEXT = [1, True, None, [], {}]
UNKNOWN = ["image", "namespace", "pod", "container", "annotations", "labels", "containerAnnotations",
           "containerLabels", "env", "args", "mounts", "runtimeHandler", "runtime"]

TEXT = {"good": ["a", "", "*", "1", "é", "a" * 16384],
        "bad": ["a\tb", "a\nb", "\u0000", "\u007f", "\u2028", "a" * 16385] + NO_TEXT}
TEXTS = {"good": [[], ["a"], ["", "a"], ["a" * 16384], ["a"] * 1024],
         "bad": ["a", {}, None, [1], [["a"]], [None], ["a\tb"], ["a" * 16385], ["a"] * 1025]}
FILES = {"good": [["a"], ["a", "b/c.yaml", "../d"], ["a"] * 256],
         "bad": [[], "a", {}, None, [1], [[]], ["a"] * 257]}
PAIRS = {"good": [{}, {"a": "b"}, {"a/b": "", "c": "d\te\nf"}, {"a": "b" * 16384}],
         "bad": [{"a": "\r"}, {"a": "\u0000"}, {"a": "b" * 16385}, {"a\n": "b"}, "a", [], None, {"a": 1}, {"a": None}, {"a": ["b"]}, {"": "a"}]}
NAMES = {"good": ["a", "a-b.c", "0", NAME],
         "bad": ["", "A", "a_b", "-a", "a-", "a..b", ".a", NAME + "a"] + NO_TEXT}
PATHS = {"good": ["/a", "/a/b.c", "/..a", LONG],
         "bad": ["", "a", "/", "/a/", "/a//b", "/a/..", "/./a", LONG + "a", 1, None]}
SECONDS = {"good": [1, 120, "1s", "30s", "99s", "100s", "120s"],
           "bad": [0, 121, -1, 1.5, "0s", "121s", "130s", "999s", "1", "1m", "01s", "s", "", None, True, [1]]}
WORD = {"good": [True, False], "bad": ["true", "", 0, None, [], {}]}


def around(key: str, rows: dict, **more) -> dict:
    return {kind: [{**more, key: row} for row in rows[kind]] for kind in ("good", "bad")}


def listed(rows: dict) -> dict:
    return {kind: [[row] for row in rows[kind]] for kind in ("good", "bad")}


HOOK_ARGS = {"good": TEXTS["good"][:3] + [["a"] * 256], "bad": TEXTS["bad"][:-1] + [["a"] * 257]}
HOOKS = {"good": [[], ["/a", {"path": "/b"}], ["/a"] * 1024],
         "bad": ["/a", {}, None, [[]], [{}], [{"args": []}], [{"path": "/a", "arg": []}], ["/a"] * 1025]}
MOUNTS = {"good": [[], [{"destination": "/a", "source": "b", "type": "c"}], [{"destination": ""}],
                   [{"destination": "/a"}] * 1024],
          "bad": ["/a", {}, None, ["/a"], [{}], [{"destination": "a" * 4096}],
                  [{"destination": "/a", "source": "a" * 4096}],
                  [{"destination": "/a", "type": "a" * 254}], [{"source": "/a"}], [{"destination": 1}],
                  [{"destination": "/a", "options": []}], [{"destination": "/a"}] * 1025]}

# Where a value stands: "case", "container", "expect", "spec" or "head", then the keys below.
ROWS = {
    "head:metadata": {"good": [{"name": "a"}], "bad": [{}, [], "a", None, {"nam": "a"}]},
    "head:metadata.name": NAMES,
    "head:apiVersion": {"good": ["grapnel/v1beta1"], "bad": ["grapnel/v1", 1, None]},
    "head:kind": {"good": ["TestSuite"], "bad": ["HookSet", "testsuite", None]},
    "head:spec": {"good": [], "bad": [{}, [], None, {"rules": ["a"]}]},
    "head:cases": {"good": [], "bad": [[]]},
    "spec:rules": FILES,
    "spec:node": NAMES,
    "spec:environment": NAMES,
    "spec:policy": {"good": ["policy.yaml", "../a b"], "bad": ["", "a\tb", "a" * 16385] + NO_TEXT},
    "spec:nodeName": {"good": [], "bad": ["a"]},
    "spec:cases": {"good": [[{"name": f"case {i}", "container": {"pod": "a"}, "expect": {"sets": []}}
                             for i in range(1024)]],
                   "bad": [[], {}, "a", None, ["a"], [{}], [[]],
                           [{"name": f"case {i}", "container": {"pod": "a"}, "expect": {"sets": []}}
                            for i in range(1025)]]},
    "case:name": {"good": ["a", "Ä b!", "a" * 1024], "bad": ["", "a" * 1025] + NO_TEXT},
    "case:from": FILES,
    "case:container": {"good": [{"pod": "a"}], "bad": [{}, [], "a", None, {"imge": "a"}]},
    "case:expect": {"good": [{"sets": []}], "bad": [{}, [], "a", None, {"set": []}]},
    "case:image": {"good": [], "bad": ["nginx"]},
    "container:image": {"good": ["nginx", "nginx:1.27", "r.io/a/b"], "bad": NO_TEXT},
    **{f"container:{key}": TEXT for key in ("namespace", "pod", "container", "runtimeHandler", "runtime")},
    **{f"container:{key}": PAIRS
       for key in ("annotations", "labels", "containerAnnotations", "containerLabels")},
    "container:env": TEXTS,
    "container:args": TEXTS,
    "container:mounts": MOUNTS,
    "container:unknown": {"good": [[word] for word in UNKNOWN] + [UNKNOWN],
                          "bad": [[], "image", {}, None, ["Image"], [1], [[]]]},
    "expect:sets": TEXTS,
    "expect:hooks": {"good": [{}, {stage: [] for stage in STAGES}],
                     "bad": [[], "a", None, {"postStop": []}]},
    **{f"expect:hooks.{stage}": HOOKS for stage in STAGES},
    "expect:hooks.poststop ": listed(PATHS),
    "expect:hooks.poststop  ": listed(around("path", PATHS)),
    "expect:hooks.prestart ": listed(around("args", HOOK_ARGS, path="/a")),
    "expect:hooks.prestart  ": listed(around("env", HOOK_ARGS, path="/a")),
    "expect:hooks.prestart   ": listed(around("timeout", SECONDS, path="/a")),
    "expect:adjust": {"good": [{}], "bad": [[], "a", None, {"mount": []}]},
    **{f"expect:adjust/{kind}": TEXTS
       for kind in ("env", "mounts", "annotations", "devices", "cdiDevices", "rlimits", "resources",
                    "resources.hugepageLimits", "resources.unified")},
    "expect:refused": {"good": [True, False, "a", "yes", {"regex": "a+"}, "a" * 1024, {"regex": "a" * 1024}],
                       "bad": [1, None, [], {}, {"regex": 1}, {"regexp": "a"}, "a" * 1025,
                               {"regex": "a" * 1025}]},
    "expect:exempt": WORD,
}

# What the reader refuses beside that, with the code.
READER_ONLY = {
    "bad-image": {"container": {"image": "Nginx"}},
    "contradiction": {"container": {"pod": "a", "unknown": ["pod"]}},
    "bad-regex": {"expect": {"refused": {"regex": "("}}},
    "too-long": {"name": "é" * 513},
}


def document(place: str, value: object) -> dict:
    case = {"name": "one", "container": {"pod": "a"}, "expect": {"refused": False}}
    spec = {"rules": ["hooks.d"], "cases": [case]}
    doc = {"apiVersion": "grapnel/v1beta1", "kind": "TestSuite", "spec": spec}
    where, _, keys = place.strip().partition(":")
    at = {"head": doc, "spec": spec, "case": case, "container": case["container"],
          "expect": case["expect"]}[where]
    first, _, rest = keys.partition("/")
    *above, last = [first, rest] if rest else keys.split(".")
    for key in above:
        at = at.setdefault(key, {})
    at[last] = value
    if place == "container:unknown" and isinstance(value, list) and "pod" in value:
        case["from"] = ["pod.yaml"]
        del case["container"]["pod"]
    return doc


def schema() -> jsonschema.Draft202012Validator:
    text = json.loads((ROOT / "specs" / "testsuite.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(text)
    return jsonschema.Draft202012Validator(text)


def refusals(node: Node, docs: list[dict]) -> list[str]:
    """What the reader says of each document."""
    paths = []
    for i, doc in enumerate(docs):
        paths.append(node.home / f"suite-{i}.yaml")
        paths[-1].write_text(json.dumps(doc))
    done = subprocess.run([node.program, "test", *map(str, paths)], capture_output=True, text=True,
                          check=False, timeout=60, stdin=subprocess.DEVNULL)
    lines = done.stderr.splitlines()
    return ["\n".join(line for line in lines if line.startswith(f"{path}:") and ": error: " in line)
            for path in paths]


@pytest.mark.parametrize("place", ROWS)
def test_place(node: Node, place: str):
    validator = schema()
    rows = [(kind == "good", document(place, row)) for kind in ("good", "bad") for row in ROWS[place][kind]]
    for (good, doc), refused in zip(rows, refusals(node, [doc for _, doc in rows])):
        shown = json.dumps(doc)[:400]
        assert validator.is_valid(doc) == good, f"schema: {shown}"
        assert (refused == "") == good, f"reader: {shown}\n{refused}"


def test_required_keys(node: Node):
    docs = []
    for place in ("head:spec", "spec:rules", "spec:cases", "case:name", "case:expect", "case:container"):
        doc = document("case:name", "a")
        case = doc["spec"]["cases"][0]
        where, key = place.split(":")
        del {"head": doc, "spec": doc["spec"], "case": case}[where][key]
        docs.append(doc)
    assert not any(map(schema().is_valid, docs))
    assert all(refusals(node, docs))


def test_what_a_schema_cannot_say(node: Node):
    docs = []
    for part in READER_ONLY.values():
        docs.append(document("case:name", "a"))
        docs[-1]["spec"]["cases"][0].update(part)
    docs.append(document("spec:cases", [document("case:name", "a")["spec"]["cases"][0]] * 2))
    assert all(map(schema().is_valid, docs))
    for code, refused in zip([*READER_ONLY, "duplicate-name"], refusals(node, docs)):
        assert refused, code


def test_every_key_is_compared():
    text = schema().schema
    for where, part in (("head", text), ("spec", text["properties"]["spec"]),
                        *((name, text["$defs"][name]) for name in ("case", "container", "expect"))):
        compared = {place.strip().split(":")[1].split(".")[0].split("/")[0] for place in ROWS
                    if place.startswith(where + ":")}
        assert set(part["properties"]) <= compared, where
