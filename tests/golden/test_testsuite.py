# SPDX-License-Identifier: Apache-2.0
"""What people and scripts see of test: results in every form, coverage, what is refused."""
from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET

import jsonschema
import pytest
import yaml

from conftest import ROOT, Node

HEAD = "apiVersion: grapnel/v1beta1\n"
TAP = HEAD + """kind: HookSet
metadata: {name: tap}
spec:
  match: {image: "nginx:1.*", any: [{namespace: web}, {podLabels: {app: x}}]}
  hooks:
    createRuntime: [{path: /opt/hooks/tap, args: [tap, "{{.PodName}}"], env: [A=b], timeout: 5}]
"""
GPU = HEAD + """kind: HookSet
metadata: {name: gpu}
spec:
  nodes: {names: {glob: "gpu-*"}}
  match: {namespace: web}
  hooks: {poststop: [{path: /opt/hooks/gpu}]}
"""
SUITE = HEAD + """kind: TestSuite
metadata: {name: mine}
spec:
  rules: [hooks.d]
  cases:
"""
GOOD = """\
  - name: it matches
    container: {image: "nginx:1.27", namespace: web, pod: shop}
    expect:
      sets: [tap]
      hooks:
        createRuntime: [{path: /opt/hooks/tap, args: [tap, shop], env: [A=b], timeout: 5}]
  - name: another image
    container: {image: httpd, namespace: web}
    expect: {sets: [], hooks: {}, adjust: {}, refused: false, exempt: false}
  - name: no pod name
    container: {image: nginx:1.1, namespace: web, unknown: [pod]}
    expect: {refused: ".PodName"}
"""


@pytest.fixture
def rules(node: Node) -> Node:
    (node.rules / "10-tap.yaml").write_text(TAP)
    (node.rules / "20-gpu.yaml").write_text(GPU)
    return node


def run(node: Node, text: str, *arguments: object) -> subprocess.CompletedProcess:
    suite = node.home / "suite.yaml"
    suite.write_text(text)
    return subprocess.run([node.program, "test", *map(str, arguments), suite], capture_output=True,
                          text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)


def test_passes(rules: Node):
    done = run(rules, SUITE + GOOD)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == """\
ok    mine: it matches
ok    mine: another image
ok    mine: no pod name

3 passed, 0 failed
"""


BAD = {
    "sets": ("sets: []", "expected the sets [], found [tap]"),
    "order of sets": ("sets: [tap, gpu]", "expected the sets [tap, gpu], found [tap]"),
    "no such set": ("sets: [tapp]", "tapp: there is no set of this name in the rules"),
    "other node": ("sets: [tap, gpu]",
                   'gpu: nodes.names glob "gpu-*", and this node is "test-node"'),
    "paths": ("hooks: {createRuntime: [/opt/hooks/other]}",
              "expected the hooks of createRuntime [/opt/hooks/other], found [/opt/hooks/tap]"),
    "a stage that is left out": ("hooks: {poststop: []}",
                                 "expected the hooks of createRuntime [], found [/opt/hooks/tap]"),
    "args": ("hooks: {createRuntime: [{path: /opt/hooks/tap, args: [tap]}]}",
             "/opt/hooks/tap: expected the args [tap], found [tap, shop]"),
    "env": ("hooks: {createRuntime: [{path: /opt/hooks/tap, env: [A=c]}]}",
            "/opt/hooks/tap: expected A=c in its env, which is not there"),
    "timeout": ("hooks: {createRuntime: [{path: /opt/hooks/tap, timeout: 6}]}",
                "/opt/hooks/tap: expected a timeout of 6 seconds, found 5"),
    "adjustment": ("adjust: {env: [A=b]}", "expected the adjustment env A=b, which is not there"),
    "refusal": ("refused: true", "expected that the container is refused, found that it is created"),
    "exempt": ("exempt: true", "expected that the namespace is exempt, found that it is not"),
}


@pytest.mark.parametrize("case", BAD)
def test_fails(rules: Node, case: str):
    expect, message = BAD[case]
    done = run(rules, SUITE + """\
  - name: one
    container: {image: "nginx:1.27", namespace: web, pod: shop}
    expect: {""" + expect + "}\n")
    assert done.returncode == 1
    assert done.stdout.startswith("FAIL  mine: one\n")
    assert f": {message}\n" in done.stdout
    assert done.stdout.endswith("0 passed, 1 failed\n")


def test_says_why(rules: Node):
    """A set that is expected and not there is explained."""
    done = run(rules, SUITE + "  - {name: a, container: {image: nginx:2, namespace: web}, "
               "expect: {sets: [tap]}}\n")
    assert 'tap: near miss: image nginx:1.*; seen: "nginx:2" (' in done.stdout


def test_refusal_text(rules: Node):
    case = "  - {name: a, container: {image: nginx:1.1, namespace: web}, expect: {refused: %s}}\n"
    assert run(rules, SUITE + case % "true").returncode == 0
    done = run(rules, SUITE + case % "no such text")
    assert 'expected a refusal with "no such text" in it, found: grapnel: HookSet tap' in done.stdout
    done = run(rules, SUITE + case.replace("{refused: %s}", "{sets: []}"))
    assert "expected that the container is created, found that it is refused" in done.stdout


def test_node(rules: Node):
    case = "  - {name: a, container: {namespace: web, image: a}, expect: {sets: [gpu]}}\n"
    assert run(rules, SUITE + case).returncode == 1
    assert run(rules, SUITE.replace("spec:\n", "spec:\n  node: gpu-7\n") + case).returncode == 0


def test_environment(rules: Node):
    (rules.rules / "10-tap.yaml").write_text(TAP.replace(
        "  hooks:", "  environments: {staging: {env: [WHERE=here]}}\n  hooks:"))
    case = "  - name: a\n    container: {image: nginx:1.1, namespace: web, pod: p}\n" \
        "    expect: {hooks: {createRuntime: [{path: /opt/hooks/tap, env: [WHERE=here]}]}}\n"
    assert run(rules, SUITE + case).returncode == 1
    done = run(rules, SUITE.replace("spec:\n", "spec:\n  environment: staging\n") + case)
    assert done.returncode == 0, done.stdout + done.stderr


MIXED = GOOD + """\
  - name: 'a <wrong> "one" & #2'
    container: {image: nginx:1.1, namespace: web, pod: x}
    expect: {sets: []}
"""


def test_json(rules: Node):
    done = run(rules, SUITE + MIXED, "-o", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["passed"], found["failed"]) == (3, 1)
    cases = found["suites"][0]["cases"]
    assert [case["passed"] for case in cases] == [True, True, True, False]
    assert cases[3]["failures"][0]["text"] == "expected the sets [], found [tap]"
    assert cases[3]["line"] == 19
    assert "coverage" not in found["suites"][0]


def test_junit(rules: Node):
    done = run(rules, SUITE + MIXED, "-o", "junit")
    assert done.returncode == 1
    root = ET.fromstring(done.stdout)
    assert (root.get("tests"), root.get("failures")) == ("4", "1")
    cases = root.findall("testsuite[@name='mine']/testcase")
    assert [case.get("name") for case in cases][3] == 'a <wrong> "one" & #2'
    assert [len(case.findall("failure")) for case in cases] == [0, 0, 0, 1]
    assert "expected the sets [], found [tap]" in cases[3].find("failure").get("message")


def test_tap(rules: Node):
    done = run(rules, SUITE + MIXED, "-o", "tap")
    lines = done.stdout.splitlines()
    assert lines[:3] == ["TAP version 13", "1..4", "ok 1 - mine: it matches"]
    assert lines[5] == 'not ok 4 - mine: a <wrong> "one" & \\#2'
    assert lines[6].startswith("# ") and "expected the sets [], found [tap]" in lines[6]


def test_coverage(rules: Node):
    """Sets of other nodes do not count."""
    done = run(rules, SUITE + GOOD, "--coverage")
    assert done.returncode == 0
    coverage = done.stdout.split("\n\n")[1].replace(f"{rules.rules}/", "")
    assert coverage == """\
mine: 1 of 1 sets matched in some case, 1 of 3 conditions were both true and false
  10-tap.yaml:5:38: tap: namespace is "web": never false
  10-tap.yaml:5:68: tap: podLabels["app"] is "x": never true"""
    assert run(rules, SUITE + GOOD, "--fail-uncovered").returncode == 1
    whole = GOOD + "  - {name: b, container: {image: nginx:1.1, namespace: x, pod: p, " \
        "labels: {app: x}}, expect: {sets: [tap]}}\n"
    done = run(rules, SUITE + whole, "--fail-uncovered")
    assert done.returncode == 0, done.stdout


def test_coverage_json(rules: Node):
    found = json.loads(run(rules, SUITE + GOOD, "-o", "json", "--coverage").stdout)
    coverage = found["suites"][0]["coverage"]
    assert (coverage["sets"], coverage["setsMatched"]) == (1, 1)
    assert (coverage["conditions"], coverage["conditionsCovered"]) == (3, 1)
    assert coverage["uncovered"][1] == {
        "set": "tap", "condition": 'podLabels["app"] is "x"',
        "file": coverage["uncovered"][1]["file"], "line": 5, "column": 68, "neverTrue": True,
        "neverFalse": False}


def test_unmatched_set(rules: Node):
    done = run(rules, SUITE + "  - {name: a, container: {image: a}, expect: {sets: []}}\n",
               "--coverage")
    assert "10-tap.yaml:1:1: tap: matched in no case\n" in done.stdout


def test_documents(rules: Node):
    """A case about a manifest holds for each of its containers; container selects and overlays."""
    (rules.home / "pod.yaml").write_text("""apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: web}
spec: {containers: [{name: front, image: "nginx:1.27"}, {name: back, image: "httpd:2"}]}
""")
    done = run(rules, SUITE + "  - {name: a, from: [pod.yaml], expect: {sets: [tap]}}\n")
    assert done.returncode == 1
    assert "ok    mine: a: web/shop/front\n" in done.stdout
    assert "FAIL  mine: a: web/shop/back\n" in done.stdout
    done = run(rules, SUITE + "  - {name: a, from: [pod.yaml], container: {container: back, "
               "image: nginx:1.1}, expect: {sets: [tap]}}\n")
    assert (done.returncode, done.stdout) == (0, "ok    mine: a\n\n1 passed, 0 failed\n")


def test_refused_suites(rules: Node):
    done = run(rules, SUITE + "  - {name: a, container: {imge: a}, expect: {sets: []}}\n")
    assert done.returncode == 1
    assert 'suite.yaml:7:27: error: unknown key "imge"' in done.stderr
    assert run(rules, "").returncode == 1
    (rules.rules / "bad.yaml").write_text(HEAD + "kind: HookSet\nspec: {mach: {always: true}}\n")
    done = run(rules, SUITE + GOOD)
    assert done.returncode == 1
    assert 'did you mean "match"?' in done.stderr
    assert "FAIL  mine: rules\n" in done.stdout
    assert "its rules cannot be used, see the messages above" in done.stdout


BAD_CASE = "  - {name: a, container: {imge: a}, expect: {sets: []}}\n"


@pytest.mark.parametrize("text, why, passed", [
    (SUITE + BAD_CASE, "it has documents that are refused, see the messages above", 0),
    (SUITE + "    x: [\n", "it has documents that are refused, see the messages above", 0),
    ("", "there is no TestSuite in it", 0),
    (SUITE + GOOD + "---\n" + SUITE.replace("mine", "other") + BAD_CASE,
     "it has documents that are refused, see the messages above", 3),
], ids=["a bad key", "no YAML", "no suite", "one of two"])
def test_a_bad_suite_is_a_failure_in_every_form(rules: Node, text: str, why: str, passed: int):
    done = run(rules, text)
    assert done.returncode == 1
    assert f"FAIL  suite: suite\n      {rules.home}/suite.yaml:1:1: {why}\n" in done.stdout
    assert done.stdout.endswith(f"{passed} passed, 1 failed\n")
    root = ET.fromstring(run(rules, text, "-o", "junit").stdout)
    assert (root.get("tests"), root.get("failures")) == (str(passed + 1), "1")
    case = root.find("testsuite[@name='suite']/testcase")
    assert (case.get("name"), case.get("line")) == ("suite", "1")
    assert case.find("failure").get("message") == why
    tap = run(rules, text, "-o", "tap").stdout.splitlines()
    assert tap[1] == f"1..{passed + 1}"
    assert f"not ok {passed + 1} - suite: suite" in tap
    found = json.loads(run(rules, text, "-o", "json").stdout)
    assert (found["passed"], found["failed"]) == (passed, 1)
    assert found["suites"][-1]["cases"][0]["name"] == "suite"


def test_a_suite_that_is_not_there_is_a_failure(rules: Node):
    """The others run, and the name may hold what XML cannot."""
    missing = rules.home / "mis\x01sing.yaml"
    done = run(rules, SUITE + GOOD, "-o", "junit", missing)
    assert done.returncode == 4
    root = ET.fromstring(done.stdout)
    assert (root.get("tests"), root.get("failures")) == ("4", "1")
    suites = root.findall("testsuite")
    assert [suite.get("failures") for suite in suites] == ["1", "0"]
    assert suites[0].find("testcase/failure").get("message") == "it cannot be read"


def test_document(rules: Node):
    """The suite that the documents show is read without a finding."""
    text = (ROOT / "specs" / "testsuite.md").read_text()
    suite = text.split("```yaml\n")[1].split("```")[0]
    (rules.home / "policy.yaml").write_text(HEAD + "kind: Policy\nspec: {}\n")
    done = run(rules, suite)
    assert ": error: " not in done.stderr
    assert "FAIL  network: the shop gets its tap\n" in done.stdout


def test_usage(rules: Node):
    for arguments, code in ((["test"], 2), (["test", "-o", "yaml", "x"], 2),
                            (["test", rules.home / "missing"], 4)):
        done = subprocess.run([rules.program, *map(str, arguments)], capture_output=True, text=True,
                              check=False, timeout=60)
        assert done.returncode == code, done.stderr


ASKED = HEAD + """kind: HookSet
metadata: {name: asked}
spec:
  requestable: true
  match: {requested: true}
  hooks: {createRuntime: [{path: /opt/hooks/asked}]}
"""
ASKING = """\
  - name: asks
    container: {image: a, namespace: web, annotations: {hooks.noderesource.dev: asked}}
    expect: {sets: [asked]}
"""


def test_brings_its_policy(rules: Node):
    """In place of that of the command line and of this host."""
    (rules.rules / "30-asked.yaml").write_text(ASKED)
    for name, namespace in (("p", "web"), ("other", "shop")):
        (rules.home / f"{name}.yaml").write_text(
            HEAD + f"kind: Policy\nspec: {{requests: [{{sets: asked, namespaces: {namespace}}}]}}\n")
    suite = SUITE.replace("spec:\n", "spec:\n  policy: p.yaml\n") + ASKING
    done = run(rules, suite, "--policy", rules.home / "other.yaml")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    done = run(rules, SUITE + ASKING, "--policy", rules.home / "other.yaml")
    assert "the container is created, found that it is refused" in done.stdout


@pytest.mark.parametrize("what, text", [
    ("policy", None), ("policy", HEAD + "kind: Policy\nspec: {stage: [poststop]}\n"),
    ("settings", None), ("settings", HEAD + "kind: Config\nspec: {enviroment: a}\n")])
def test_bad_policy_and_settings(rules: Node, what: str, text: str | None):
    if text:
        (rules.home / "bad.yaml").write_text(text)
    if what == "policy":
        done = run(rules, SUITE.replace("spec:\n", "spec:\n  policy: bad.yaml\n") + GOOD)
    else:
        done = run(rules, SUITE + GOOD, "--config", rules.home / "bad.yaml")
    assert done.returncode == 1
    assert "bad.yaml" in done.stderr
    assert "FAIL  mine: rules\n" in done.stdout


def test_schema(rules: Node):
    """The schema that is printed takes what the program takes."""
    done = subprocess.run([rules.program, "schema", "TestSuite"], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.stdout == (ROOT / "specs" / "testsuite.schema.json").read_text()
    whole = SUITE.replace("spec:\n", "spec:\n  policy: p.yaml\n") + MIXED
    jsonschema.validate(yaml.safe_load(whole), json.loads(done.stdout))
