# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas of Policy and Config say what the reader says, over documents of every kind.

Documents are JSON, which the reader takes as YAML. What a schema cannot say is listed as such.
"""
from __future__ import annotations

import json
import subprocess

import jsonschema
import pytest

from conftest import ROOT, Node

STAGES = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
LONG = ("/" + "a" * 200) * 20 + "/" + "a" * 74
NAME = "a" * 253

# What stands at one place of the document, good and bad. The place is a path of keys below spec.
VALUES = {
    "good": ["a", "", ["a", "b"], {"exact": "a*"}, {"exact": ""}, {"glob": "a*"}, {"prefix": "a"},
             {"in": ["a"]}, {"notIn": ["a", "b"]}, {"exists": True}, ["a", {"glob": "*"}],
             ["a"] * 1024],
    "bad": [1, True, None, "a*", "a?", [], {}, [[]], [["a"]], {"glob": ""}, {"glob": 1}, {"in": []},
            {"in": "a"}, {"in": ["*"]}, {"exists": "true"}, {"glob": "a", "prefix": "b"},
            {"globb": "a"}, {"glob": "a" * 1025}, ["a"] * 1025],
}
PATHS = {
    "good": [["/a"], ["/a/b.c", "/..a"], [LONG], ["/a"] * 32],
    "bad": [[], "/a", ["a"], ["/"], ["/a/"], ["/a//b"], ["/a/.."], ["/./a"], [LONG + "a"], [1], {},
            [""], ["/a"] * 65],
}
SECONDS = {
    "good": [1, 120, "1s", "30s", "120s"],
    "bad": [0, 121, -1, 1.5, "0s", "121s", "1", "1m", "01s", "s", "", None, True, [1]],
}
STAGE_LISTS = {
    "good": [[stage] for stage in STAGES] + [STAGES],
    "bad": [[], "poststop", ["postStop"], ["poststop", "poststop"], [1], {}, [None]],
}


def words(*good: str) -> dict:
    return {"good": list(good), "bad": [good[0].lower(), good[0] + "x", "", 1, None, [good[0]], {}]}


def around(key: str, rows: dict, **more) -> dict:
    """Each row as one key of the only mapping of a list, beside others."""
    return {kind: [[{**more, key: row}] for row in rows[kind]] for kind in rows}


NAMES = {
    "good": ["a", "a-b.c", "0", NAME],
    "bad": ["", "A", "a_b", "-a", "a-", "a..b", ".a", NAME + "a", 1, None, [], {}],
}

POLICY = {
    "programs.directories": PATHS,
    "programs.unverified": words("Warn", "Block"),
    "programs.verify": words("None", "Digest", "Signature"),
    "programs": {"good": [{"verify": "None", "unverified": "Warn"}],
                 "bad": [{}, [], "a", {"dirs": []}, None]},
    "stages": STAGE_LISTS,
    "timeout.min": SECONDS,
    "timeout.max": SECONDS,
    "timeout.default": SECONDS,
    "timeout": {"good": [{"min": 1, "max": 2, "default": 2}], "bad": [{}, 30, "30s", {"mim": 1}]},
    "createTimeoutTotal": {"good": [1, 600, "600s", "99s", "599s"],
                           "bad": [0, 601, "601s", "0s", "1000s", None, [1]]},
    "hooksPerContainer": {"good": [1, 4096], "bad": [0, 4097, "1", 1.5, None]},
    "requests": {"good": [[{"sets": "a", "namespaces": "b"}] * 256],
                 "bad": [[], {}, "a", ["a"], [{}], [{"sets": "a"}], [{"namespaces": "a"}],
                         [{"sets": "a", "namespaces": "b", "c": "d"}],
                         [{"sets": "a", "namespaces": "b"}] * 257]},
    "requests:sets": around("sets", VALUES, namespaces="b"),
    "requests:namespaces": around("namespaces", VALUES, sets="a"),
    "onDeniedRequest": words("Fail", "Ignore"),
    "exemptNamespaces": VALUES,
    "neverFail": {"good": VALUES["good"] + [[]],
                  "bad": [row for row in VALUES["bad"] if row != []]},
    "protectedSets": VALUES,
    "skipStages": {"good": [[{"runtimeHandlers": "a", "stages": ["prestart"]}] * 64],
                   "bad": [[], {}, [{}], [{"runtimeHandlers": "a"}], [{"stages": ["prestart"]}],
                           [{"runtimeHandlers": "a", "stages": ["prestart"]}] * 65]},
    "skipStages:runtimeHandlers": around("runtimeHandlers", VALUES, stages=["prestart"]),
    "skipStages:stages": around("stages", STAGE_LISTS, runtimeHandlers="a"),
    "stage": {"good": [], "bad": [["poststop"]]},
}
DIRS = {"good": PATHS["good"], "bad": PATHS["bad"] + [["/a"] * 33]}
ROOTS = {"good": ["/", "/host"], "bad": ["", "host", "/host/", "/a/../b", 1, None, ["/"]]}
CONFIG = {
    "hooksDirs": DIRS,
    "ociHooksDirs": DIRS,
    "hostRoot": ROOTS,
    "nodeName": NAMES,
    "ownNamespace": NAMES,
    "logLevel": {"good": ["error", "warning", "info", "debug"], "bad": ["INFO", "", 1, None, []]},
    "logFormat": {"good": ["logfmt", "json"], "bad": ["JSON", "text", 1]},
    "ambiguousImage": words("Trust", "Unknown"),
    "onRequestError": words("Fail", "Ignore"),
    "rescanInterval": {"good": [1, 3600, "1s", "3600s", "999s"],
                       "bad": [0, 3601, "3601s", "0s", "1m", None, "1"]},
    "lastGoodDir": {"good": ["none", "/a"], "bad": ["None", "", "/", "a", 1, None]},
    "runDir": {"good": ["none", "/a", "/a/b.c", LONG], "bad": ["", "/", "a", "/a/", "/a/..", LONG + "a", 1, None, ["/a"]]},
    "controlSocket": {"good": ["none", "/a", "/" + "a" * 106], "bad": ["", "/", "a", "/" + "a" * 107, 1, None]},
    "auditLog": {"good": ["none", "stdout", "syslog"], "bad": ["None", "stderr", "", 1, None]},
    "sandbox": words("None", "Capabilities", "Full"),
    "metricsAddress": {"good": ["none", "127.0.0.1:1", "255.0.9.10:65535", "[::1]:9753", "[::]:9753", "[::ffff:1.2.3.4]:80", ":9753",
                                "unix:/a", "unix:/a/b.c", "unix:/" + "a" * 106],
                       "bad": ["", "None", "9753", ":", ":0", ":65536", ":01", ":-1", "localhost:9753", "1.2.3:9753", "256.0.0.1:9753",
                               "1.2.3.04:9753", "1.2.3.4", "1.2.3.4:", "::1:9753", "[::1]", "[]:9753", "[::1:9753", "[::1%lo]:9753",
                               "unix:", "unix:a", "unix:/", "unix:/a/", "unix:/a/../b", "unix:/" + "a" * 107, 9753, None, ["none"]]},
    "metricsTextfile": {"good": ["none", "/a.prom", "/a/b.c.prom", "/a/..prom", LONG[:-5] + ".prom"],
                        "bad": ["", "/a", "a.prom", "/.prom", "/a/.prom", "/a.prom/", "/a/../b.prom", "/a.PROM", LONG + ".prom", 1, None]},
    "programsDir": {"good": ["none", "/a", "/a/b.c", LONG], "bad": ["", "None", "/", "a", "/a/", "/a/..", LONG + "a", 1, None]},
    "crioDir": {"good": ["none", "/a", "/a/b.c", LONG], "bad": ["", "None", "/", "a", "/a/", "/a/..", LONG + "a", 1, None]},
    "environment": {"good": ["staging", "a b", "a" * 253], "bad": ["", "a" * 254, 1, None, ["a"], "a\nb"]},
    "requestAnnotation": {"good": ["a", "hooks.noderesource.dev", "a.b/c_D-e", "a" * 317],
                          "bad": ["", "a b", "/a", "a/", "a" * 318, 1, None, ["a"]]},
    "requiredSets": {"good": [[name] for name in NAMES["good"]] + [["a"] * 64],
                     "bad": [[name] for name in NAMES["bad"]] + [[], "a", ["a"] * 65]},
    "runner": {"good": [], "bad": ["Always", "Auto"]},
    "loglevel": {"good": [], "bad": ["info"]},
}


def document(kind: str, place: str, value: object) -> dict:
    keys = place.split(":")[0].split(".")
    for key in reversed(keys):
        value = {key: value}
    return {"apiVersion": "grapnel/v1beta1", "kind": kind, "spec": value}


def heads(kind: str) -> list[dict]:
    """Documents whose head is at fault."""
    fine = {"apiVersion": "grapnel/v1beta1", "kind": kind, "spec": {}}
    return [{key: value for key, value in fine.items() if key != left} for left in fine] + [
        {**fine, "apiVersion": "grapnel/v1"}, {**fine, "kind": "HookSet"}, {**fine, "spec": []},
        {**fine, "spec": None}, {**fine, "metadata": {"name": "a"}}]


def accepted(node: Node, kind: str, text: str) -> subprocess.CompletedProcess:
    path = node.home / f"{kind.lower()}.yaml"
    path.write_text(text)
    empty = node.home / "empty.d"
    empty.mkdir(exist_ok=True)
    flags = {"Policy": ["--policy", path, "--hooks-dir", empty],
             "Config": ["--config", path, "--policy", node.home / "any.yaml"]}[kind]
    (node.home / "any.yaml").write_text(
        'apiVersion: grapnel/v1beta1\nkind: Policy\nspec: {}\n')
    return subprocess.run([node.program, "check", *map(str, flags)], capture_output=True, text=True,
                          check=False, timeout=60, stdin=subprocess.DEVNULL)


def compare(node: Node, kind: str, good: bool, doc: dict) -> None:
    schema = json.loads((ROOT / "specs" / f"{kind.lower()}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    done = accepted(node, kind, json.dumps(doc))
    shown = json.dumps(doc)[:300]
    assert jsonschema.Draft202012Validator(schema).is_valid(doc) == good, f"schema: {shown}"
    assert done.returncode == (0 if good else 1), f"reader: {shown}\n{done.stdout}{done.stderr}"
    assert good or f"{kind.lower()}.yaml:" in done.stdout


@pytest.mark.parametrize("place", POLICY)
def test_policy(node: Node, place: str):
    for good in (True, False):
        for row in POLICY[place]["good" if good else "bad"]:
            compare(node, "Policy", good, document("Policy", place, row))


@pytest.mark.parametrize("place", CONFIG)
def test_config(node: Node, place: str):
    for good in (True, False):
        for row in CONFIG[place]["good" if good else "bad"]:
            compare(node, "Config", good, document("Config", place, row))


@pytest.mark.parametrize("kind", ["Policy", "Config"])
def test_heads(node: Node, kind: str):
    compare(node, kind, True, {"apiVersion": "grapnel/v1beta1", "kind": kind, "spec": {}})
    for doc in heads(kind):
        compare(node, kind, False, doc)


def test_every_key_is_compared():
    for kind, rows in (("Policy", POLICY), ("Config", CONFIG)):
        schema = json.loads((ROOT / "specs" / f"{kind.lower()}.schema.json").read_text())
        keys = set(schema["properties"]["spec"]["properties"])
        assert keys <= {place.split(":")[0].split(".")[0] for place in rows}


def test_what_a_schema_cannot_say(node: Node):
    """Limits that compare two values of a document."""
    schema = json.loads((ROOT / "specs" / "policy.schema.json").read_text())
    for timeout in ({"min": 3, "max": 2}, {"max": 2, "default": 3}, {"min": 3, "default": 2}):
        doc = document("Policy", "timeout", timeout)
        assert jsonschema.Draft202012Validator(schema).is_valid(doc)
        done = accepted(node, "Policy", json.dumps(doc))
        assert done.returncode == 1
        assert "lie" in done.stdout
