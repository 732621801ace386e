# SPDX-License-Identifier: Apache-2.0
"""What people and scripts see of every verb but simulate: texts, JSON, exit codes, both outputs."""
from __future__ import annotations

import json
import re
import subprocess

import pytest

from conftest import ROOT, Node

VERBS = ["plugin", "check", "completion", "convert", "diff", "doctor", "explain", "list", "pause",
         "probe", "render", "resume", "schema", "setup", "simulate", "status", "test", "version"]

HEAD = "apiVersion: grapnel/v1beta1\n"
GOOD = HEAD + """kind: HookSet
metadata: {name: good}
spec:
  match: {image: "nginx:1.*", namespace: web, podAnnotations: {team: infra}}
  onUnknown: Fail
  hooks:
    createRuntime: [{path: /opt/hooks/first, args: [first, "{{.PodName}}"], timeout: 5}]
"""
BAD = HEAD + "kind: HookSet\nspec: {mach: {always: true}}\n"
MATCHING = ["--image", "nginx:1.27", "--namespace", "web", "--annotation", "team=infra",
            "--pod", "shop"]


def run(node: Node, *args: object, **more) -> subprocess.CompletedProcess:
    return subprocess.run([node.program, *map(str, args)], capture_output=True, text=True,
                          check=False, timeout=60, stdin=subprocess.DEVNULL, **more)


@pytest.fixture
def good(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    node.rule("good", GOOD)
    return node


# ---- all verbs ----

@pytest.mark.parametrize("verb", VERBS)
def test_help(node: Node, verb: str):
    for option in ("--help", "-h"):
        done = run(node, verb, option)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Usage: grapnel {verb}")
        assert max(map(len, done.stdout.splitlines())) <= 100


def test_program_help(node: Node):
    done = run(node, "--help")
    assert done.returncode == 0
    assert re.findall(r"^  (\w+) ", done.stdout, re.M) == VERBS
    bare = run(node)
    assert (bare.returncode, bare.stdout, bare.stderr) == (2, "", done.stdout)


USAGE = {
    "verb": (["chekc"], 'there is no verb "chekc"; did you mean "check"?'),
    "no verb": (["frobnicate"], 'there is no verb "frobnicate"\n'),
    "option": (["check", "--stric"], "there is no option --stric; did you mean --strict?"),
    "abbreviation": (["check", "--hooks", "/"], "there is no option --hooks; did you mean"),
    "short option": (["check", "-x"], "grapnel check: invalid option -- 'x'\nSee grapnel check"),
    "no value": (["render", "--image"], "grapnel render: option '--image' requires an argument"),
    "a value": (["check", "--strict=1"], "option '--strict' doesn't allow an argument"),
    "output": (["check", "-o", "xml"], 'expected -o text, json or yaml, found "xml"'),
    "output of simulate": (["simulate", "-o", "yaml"], 'expected -o text or json, found "yaml"'),
    "no rule file": (["check", "/etc/passwd"], "expected a directory or a file *.yaml"),
    "empty folder": (["render", "--hooks-dir", ""], 'expected a directory, found ""'),
    "host root": (["check", "--host-root", "a"], "--host-root with an absolute path"),
    "node name": (["check", "--node-name", "No_Name"], "expected --node-name of lower-case"),
    "kind": (["schema", "Pod"], 'expected HookSet, Config, Policy or TestSuite, found "Pod"'),
    "kinds": (["schema", "Config", "HookSet"], "expected one kind"),
    "version": (["version", "x"], "expected no arguments"),
    "image": (["render", "--image", "Nginx"], "expected --image with an image name"),
    "pair": (["render", "--label", "x"], "expected KEY=VALUE"),
    "word": (["render", "x"], 'expected options only, found "x"'),
    "index": (["plugin", "--index", "1"], "expected --index of two digits"),
    "plugin name": (["plugin", "--name", "a b"], "expected --name of letters"),
    "level": (["plugin", "--log-level", "loud"], "expected --log-level error, warning, info or"),
    "format": (["plugin", "--log-format", "xml"], "expected --log-format logfmt or json"),
    "last good": (["plugin", "--last-good", "a"], "expected --last-good with an absolute path"),
    "no probe": (["probe"], 'expected live or ready, found nothing'),
    "a probe": (["probe", "alive"], 'expected live or ready, found "alive"'),
    "probes": (["probe", "live", "ready"], 'expected one of live and ready, or --wait before a command, found "ready"'),
    "again": (["probe", "ready", "--wait", "--again", "86401", "true"], 'expected --again with 1 to 86400 seconds, found "86401"'),
    "never again": (["probe", "ready", "--wait", "--again", "0", "true"], 'expected --again with 1 to 86400 seconds, found "0"'),
    "accept": (["probe", "ready", "--wait", "--accept", "", "true"], 'expected --accept with a text, found ""'),
    "accept once": (["probe", "ready", "--accept", "a"], "expected --wait beside --accept and --again"),
    "again what": (["probe", "ready", "--wait", "--again", "1"], "expected a command after --accept and --again"),
    "control": (["status", "--control", "a"], "expected --control with an absolute path"),
    "never": (["status", "--watch=0"], "expected --watch of 1 to 3600 seconds"),
    "often": (["status", "--watch", "often"], 'of 1 to 3600 seconds, found "often"'),
    "status word": (["status", "one"], 'expected options only, found "one"'),
    "status output": (["status", "-o", "xml"], "expected -o text, json or yaml"),
    "probe wait": (["probe", "live", "--wait"], 'expected ready before --wait, found "live"'),
    "no setup": (["setup"], "autostart or cleanup, found nothing"),
    "setup option": (["setup", "install"], "--from for install, found nothing"),
    "plugin word": (["plugin", "x"], 'expected options only, found "x"'),
}


@pytest.mark.parametrize("case", USAGE)
def test_usage(node: Node, case: str):
    arguments, expected = USAGE[case]
    done = run(node, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr
    assert "--help" in done.stderr


def test_version(node: Node):
    done = run(node, "version")
    assert re.fullmatch(r"grapnel \d+\.\d+\.\d+ \(NRI API v0\.\d+\.\d+\)\n", done.stdout)
    assert run(node, "--version").stdout == done.stdout


def test_schema(node: Node):
    for kind, name in (("HookSet", "hookset"), ("Config", "config"), ("Policy", "policy")):
        expected = (ROOT / "specs" / f"{name}.schema.json").read_text()
        assert run(node, "schema", kind).stdout == expected
    assert run(node, "schema").stdout == run(node, "schema", "HookSet").stdout


# ---- check ----

def test_check_fine(good: Node):
    for paths in (["--hooks-dir", good.rules], [good.rules], [good.rules / "good.yaml"]):
        done = run(good, "check", "--strict", *paths)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == "1 set in 1 file: 0 errors, 0 warnings\n"


def test_check_error(good: Node):
    """The finding is on stdout, the count on stderr and last."""
    good.rule("bad", BAD)
    done = run(good, "check", good.rules)
    assert done.returncode == 1
    assert re.match(r'\S+/bad\.yaml:3:8: error: unknown key "mach" in spec; did you mean "match"\?\n',
                    done.stdout)
    assert done.stderr == "1 set in 2 files: 3 errors, 0 warnings\n"
    both = subprocess.run([good.program, "check", good.rules], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    assert both.stdout == done.stdout + done.stderr


def test_check_json(good: Node):
    good.rule("bad", BAD)
    findings = json.loads(run(good, "check", "-o", "json", good.rules).stdout)
    assert findings[0] == {
        "level": "error", "code": "unknown-key", "file": f"{good.rules}/bad.yaml", "line": 3,
        "column": 8, "field": "spec.mach",
        "text": 'unknown key "mach" in spec; did you mean "match"?'}
    (good.rules / "bad.yaml").unlink()
    assert run(good, "check", "-o", "json", good.rules).stdout == "[]\n"


def test_check_yaml_is_json(good: Node):
    yaml = pytest.importorskip("yaml")
    for bad in (False, True):
        if bad:
            good.rule("bad", BAD)
        as_json = run(good, "check", "-o", "json", good.rules)
        as_yaml = run(good, "check", "-o", "yaml", good.rules)
        assert (as_json.returncode, as_json.stderr) == (as_yaml.returncode, as_yaml.stderr)
        assert as_json.returncode == int(bad)
        assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)
        assert as_yaml.stdout.startswith("- level: error\n" if bad else "[]\n")


def test_check_one_file(good: Node):
    good.rule("bad", BAD)
    assert run(good, "check", good.rules / "good.yaml").returncode == 0


def test_check_host(good: Node):
    (good.hooks / "first").unlink()
    done = run(good, "check", good.rules)
    assert done.returncode == 1
    assert "error: expected the hook program" in done.stdout
    assert run(good, "check", "--no-host", good.rules).returncode == 0


def test_check_strict(good: Node):
    """A directory that was named and is missing is a warning."""
    missing = good.home / "missing"
    done = run(good, "check", "--hooks-dir", missing)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{missing}: warning: ")
    assert run(good, "check", "--strict", "--hooks-dir", missing).returncode == 3


def test_check_shadowed_file(good: Node):
    """Of two files of one name the later directory's counts; the other is told."""
    below = good.home / "below"
    below.mkdir()
    (below / "good.yaml").write_text((good.rules / "good.yaml").read_text())
    done = run(good, "check", "--hooks-dir", below, "--hooks-dir", good.rules)
    assert done.returncode == 0
    assert done.stdout == (f"{below}/good.yaml: info: this file has no effect: {good.rules}/good.yaml "
                           "has its name and a higher precedence\n")
    found = json.loads(run(good, "check", "-o", "json", "--hooks-dir", below, "--hooks-dir",
                           good.rules).stdout)
    assert [(item["level"], item["code"]) for item in found] == [("info", "lint-shadowed-file")]


def test_check_the_same_twice(good: Node):
    """A directory or a file that is named twice counts once, however its name is written."""
    for paths in ([good.rules, good.rules], [good.rules / "good.yaml", good.rules / "good.yaml"],
                  [good.rules, good.rules / "good.yaml"],
                  [good.rules, f"{good.rules}//.", f"{good.rules}/./"]):
        done = run(good, "check", "--strict", *paths)
        assert (done.returncode, done.stdout) == (0, ""), paths
        assert done.stderr == "1 set in 1 file: 0 errors, 0 warnings\n"


def test_check_names_files_plainly(good: Node):
    good.rule("bad", BAD)
    for path in ("./bad.yaml", "bad.yaml", ".//bad.yaml", "."):
        done = run(good, "check", path, cwd=good.rules)
        assert done.stdout.startswith(f"{good.rules}/bad.yaml:3:8: error: "), done.stdout


def test_check_rules_in_subdirectories(good: Node):
    """What lies below a directory without rules is not read, and that is told."""
    top = good.home / "top"
    (top / "b").mkdir(parents=True)
    (top / "a" / "deep").mkdir(parents=True)
    (top / ".hidden").mkdir()
    (top / ".hidden" / "x.yaml").write_text("")
    done = run(good, "check", "--strict", top)
    assert (done.returncode, done.stdout) == (0, "")
    for name in ("b/good.yaml", "a/deep/z.yaml", "a/deep/y.yml"):
        (top / name).write_text((good.rules / "good.yaml").read_text())
    done = run(good, "check", "--strict", top)
    assert done.returncode == 3
    assert done.stdout == (
        f"{top}: warning: no rule file lies in this directory, and rule files below it, such as "
        f"{top}/a/deep/y.yml, are not read; name their directory, or move them here\n")
    assert done.stderr == "0 sets in 0 files: 0 errors, 1 warning\n"
    assert json.loads(run(good, "check", "-o", "json", top).stdout)[0]["code"] == "lint-subdirectory"
    # Beside rules a directory of suites, say, is nothing to tell of; nor is a file that is named.
    (good.rules / "tests").mkdir()
    (good.rules / "tests" / "suite.yaml").write_text("")
    for path in (good.rules, good.rules / "good.yaml"):
        assert run(good, "check", "--strict", path).returncode == 0


def test_check_looks_three_directories_deep(good: Node):
    for below, code in (("a/b/c/d", 0), ("a/b/c", 3)):
        (good.home / "top" / below).mkdir(parents=True, exist_ok=True)
        (good.home / "top" / below / "x.yaml").write_text("")
        assert run(good, "check", "--strict", good.home / "top").returncode == code, below


def test_check_required_set(good: Node):
    """One that is nowhere refuses every container. Of some of the files nothing can be said."""
    config = good.home / "required.yaml"
    config.write_text("apiVersion: grapnel/v1beta1\nkind: Config\nspec:\n  requiredSets: [good, goood]\n")
    done = run(good, "check", "--strict", "--config", config, "--hooks-dir", good.rules)
    assert done.returncode == 3
    assert done.stdout == (f"{config}: warning: requiredSets names goood, and there is no HookSet of that name: "
                           "every container outside the exempt namespaces would be refused\n")
    assert run(good, "check", "--strict", "--config", config, good.rules / "good.yaml").returncode == 0


def test_check_missing_path(good: Node):
    done = run(good, "check", good.home / "missing.yaml")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"grapnel check: {good.home}/missing.yaml: No such file or directory\n"


def test_check_settings(good: Node):
    config = good.home / "config.yaml"
    config.write_text(HEAD + f"kind: Config\nspec: {{hooksDirs: [{good.rules}]}}\n")
    assert run(good, "check", "--config", config).returncode == 0
    config.write_text(HEAD + "kind: Config\nspec: {hooksDir: [/]}\n")
    done = run(good, "check", "--config", config)
    assert done.returncode == 1
    assert 'did you mean "hooksDirs"?' in done.stdout
    config.unlink()
    done = run(good, "check", "--config", config)
    assert done.returncode == 1
    assert "expected the settings file that --config names" in done.stdout


@pytest.mark.parametrize("page", ["README.md", "specs/hookset.md"])
def test_documents_hold_good_rules(node: Node, page: str):
    """Every HookSet that the documents show is accepted as it stands."""
    texts = re.findall(r"^```yaml\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)
    rules = [text for text in texts if "kind: HookSet" in text]
    assert rules
    for number, text in enumerate(rules):
        node.rule(f"rule-{number}", text)
    done = run(node, "check", "--strict", "--no-host", node.rules)
    assert done.returncode == 0, done.stdout


# ---- render ----

def test_render(good: Node):
    done = run(good, "render", "--hooks-dir", good.rules, *MATCHING)
    assert done.returncode == 0
    assert done.stderr == f"{good.rules}/good.yaml:1: good: injected\n"
    hooks = json.loads(done.stdout)
    assert list(hooks) == ["createRuntime"]
    hook = hooks["createRuntime"][0]
    assert (hook["args"], hook["timeout"]) == (["first", "shop"], 5)
    assert "GRAPNEL_POD_NAMESPACE=web" in hook["env"]


def test_render_nothing(good: Node):
    done = run(good, "render", "--hooks-dir", good.rules, "--image", "httpd")
    assert (done.returncode, done.stdout, done.stderr) == (0, "{}\n", "")


def test_render_unknown(good: Node):
    """What is not given is unknown, not empty."""
    good.rule("good", GOOD.replace("onUnknown: Fail", "onUnknown: Skip"))
    done = run(good, "render", "--hooks-dir", good.rules, *MATCHING[2:])
    assert (done.returncode, done.stdout) == (0, "{}\n")
    assert "good: skipped: whether it matches cannot be told" in done.stderr


def test_render_refused(good: Node):
    """A template without its value, under Fail."""
    good.rule("good", GOOD.replace("{{.PodName}}", '{{annotation \\"none\\"}}'))
    done = run(good, "render", "--hooks-dir", good.rules, *MATCHING)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the container would be refused: grapnel: HookSet good" in done.stderr


def test_render_with_broken_rules(good: Node):
    good.rule("bad", BAD)
    done = run(good, "render", "--hooks-dir", good.rules, *MATCHING)
    assert done.returncode == 1
    assert list(json.loads(done.stdout)) == ["createRuntime"]


# ---- limits of the command line, at the edge and one past it ----

def test_limit_of_directories(good: Node):
    fine = run(good, "check", *(["--hooks-dir", good.rules] * 256))
    assert fine.returncode == 0, fine.stderr
    past = run(good, "check", *(["--hooks-dir", good.rules] * 257))
    assert past.returncode == 2
    assert "at most 256 directories and files" in past.stderr


def test_limit_of_pairs(good: Node):
    pairs = [f"--annotation=a{i}=b" for i in range(257)]
    fine = run(good, "render", "--hooks-dir", good.rules, *pairs[:256])
    assert fine.returncode == 0, fine.stderr
    past = run(good, "render", "--hooks-dir", good.rules, *pairs)
    assert past.returncode == 2
    assert "at most 256 of them" in past.stderr


def test_limit_of_pod_files(good: Node):
    pods = good.home / "pods.yaml"
    pods.write_text("")
    past = run(good, "simulate", "--hooks-dir", good.rules, *([pods] * 257))
    assert past.returncode == 2
    assert "at most 256 files" in past.stderr
    fine = run(good, "simulate", "--hooks-dir", good.rules, *([pods] * 256))
    assert fine.returncode != 2, fine.stderr
