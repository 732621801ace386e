# SPDX-License-Identifier: Apache-2.0
"""What people and scripts see of explain, and of render with documents."""
from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from conftest import Node

HEAD = "apiVersion: grapnel/v1beta1\nkind: HookSet\n"
HOOK = "  hooks:\n    createRuntime: [{path: /opt/hooks/first, args: [first, \"{{.PodName}}\"]}]\n"
TAP = HEAD + "metadata: {name: tap}\nspec:\n" \
    "  match: {image: \"nginx:1.*\", namespace: web, podAnnotations: {team: infra}}\n" + HOOK
ANY = HEAD + "metadata: {name: either}\nspec:\n" \
    "  match:\n    any:\n      - namespace: {in: [a, b]}\n      - not: {namespace: web}\n" + HOOK
SHELL = HEAD + "metadata: {name: shell}\nspec:\n  match: {command: sh}\n" + HOOK
GPU = HEAD + "metadata: {name: gpu}\nspec:\n  nodes: {names: {glob: \"gpu-*\"}}\n" \
    "  match: {always: true}\n" + HOOK
MATCHING = ["--image", "nginx:1.27", "--namespace", "web", "--annotation", "team=infra",
            "--pod", "shop"]


def run(node: Node, *arguments: object, stdin: str | None = None,
        **more) -> subprocess.CompletedProcess:
    return subprocess.run([node.program, *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=60, input=stdin or "", **more)


@pytest.fixture
def rules(node: Node) -> Node:
    node.hook("first", "#!/bin/sh\n")
    for name, text in {"10-tap": TAP, "20-any": ANY, "30-shell": SHELL, "40-gpu": GPU}.items():
        node.rule(name, text)
    return node


def explain(node: Node, *arguments: object, **more) -> subprocess.CompletedProcess:
    return run(node, "explain", "--hooks-dir", node.rules, "--node-name", "node-1", *arguments,
               **more)


def test_text(rules: Node):
    done = explain(rules, *MATCHING)
    assert done.returncode == 0, done.stderr
    assert rules.normal(done.stdout) == """\
Container web/shop/?, image nginx:1.27: gets 1 hook: 1 of 4 sets

injected   tap  /etc/grapnel/hooks.d/10-tap.yaml:1
           image nginx:1.*; seen: "nginx:1.27"  (/etc/grapnel/hooks.d/10-tap.yaml:5:11)
           namespace is "web"; seen: "web"  (/etc/grapnel/hooks.d/10-tap.yaml:5:31)
           podAnnotations["team"] is "infra"; seen: "infra"  (/etc/grapnel/hooks.d/10-tap.yaml:5:64)
no match   either  /etc/grapnel/hooks.d/20-any.yaml:1
           namespace in [a, b]; seen: "web"  (/etc/grapnel/hooks.d/20-any.yaml:7:9)
           not: namespace is "web"; seen: "web"  (/etc/grapnel/hooks.d/20-any.yaml:8:15)
skipped    shell  /etc/grapnel/hooks.d/30-shell.yaml:1
           whether it matches cannot be told here, and onUnknown is Skip
           command is "sh"; seen: unknown: this source does not tell command  (/etc/grapnel/hooks.d/30-shell.yaml:5:11)
other node gpu  /etc/grapnel/hooks.d/40-gpu.yaml:1
           nodes.names glob "gpu-*", and this node is "node-1"
           without that, its match would be true
           always: true  (/etc/grapnel/hooks.d/40-gpu.yaml:6:11)

createRuntime
  1. /opt/hooks/first shop  (tap)
"""


def test_without_the_host(rules: Node):
    """Rules of a repository on a machine that has none of their programs."""
    (rules.hooks / "first").unlink()
    done = explain(rules, *MATCHING)
    assert done.returncode == 1
    assert "REFUSED" in done.stdout
    done = explain(rules, *MATCHING, "--no-host")
    assert (done.returncode, done.stderr) == (0, "")
    assert "gets 1 hook: 1 of 4 sets" in done.stdout
    rendered = run(rules, "render", "--no-host", "--hooks-dir", rules.rules, *MATCHING)
    assert rendered.returncode == 0
    assert list(json.loads(rendered.stdout)) == ["createRuntime"]


def test_failing_leaf(rules: Node):
    """Of an all the first condition that fails, with what was expected and what was seen."""
    done = explain(rules, *MATCHING, "--annotation", "team=web", "tap")
    assert done.returncode == 0
    assert rules.normal(done.stdout).splitlines()[2:4] == [
        "near miss  tap  /etc/grapnel/hooks.d/10-tap.yaml:1",
        '           podAnnotations["team"] is "infra"; seen: "web"  '
        "(/etc/grapnel/hooks.d/10-tap.yaml:5:64)"]


def test_refused(rules: Node):
    """The verdict comes first."""
    done = explain(rules, *MATCHING[:-2])
    assert done.returncode == 1
    first, second = done.stdout.splitlines()[:2]
    assert first.endswith(": REFUSED")
    assert second.startswith("  grapnel: HookSet tap (")
    assert "refused    tap  " in done.stdout


def test_denied_request(rules: Node):
    """What a pod asks for and may not have refuses it, whatever matches."""
    done = explain(rules, *MATCHING, "--annotation", "hooks.noderesource.dev=shell")
    assert done.returncode == 1
    assert 'refused    the pod asks for the HookSet "shell", which the namespace web may not have' \
        in done.stdout
    done = explain(rules, *MATCHING, "--annotation", "hooks.noderesource.dev=shell", "-o", "json")
    objection = json.loads(done.stdout)["containers"][0]["objections"][0]
    assert (objection["kind"], objection["set"], objection["verdict"]) == (
        "request", "shell", "refused")


def test_exempt(rules: Node):
    """Nothing is injected; what would have matched is told, the rest counted."""
    policy = rules.home / "policy.yaml"
    policy.write_text("apiVersion: grapnel/v1beta1\nkind: Policy\n"
                      "spec: {exemptNamespaces: [web]}\n")
    done = explain(rules, "--policy", policy, *MATCHING)
    assert done.returncode == 0, done.stderr
    assert ": gets nothing: its namespace is exempt\n" in done.stdout
    assert "exempt     tap  " in done.stdout
    assert "           without that, its match would be true\n" in done.stdout
    found = json.loads(explain(rules, "--policy", policy, "-o", "json", *MATCHING).stdout)
    assert found["containers"][0]["exempt"] is True
    assert found["containers"][0]["sets"][0]["state"] == "exempt"


def test_which_sets(rules: Node):
    """Many sets that do not match are counted; --all shows them, a name only itself."""
    for i in range(20):
        rules.rule(f"50-other-{i:02}", HEAD + f"metadata: {{name: other-{i:02}}}\n"
                   f"spec:\n  match: {{namespace: other-{i}}}\n" + HOOK)
    done = explain(rules, *MATCHING)
    assert "21 other sets do not match; --all shows them, or name one" in done.stdout
    assert "other-03" not in done.stdout
    assert "other-03" in explain(rules, "--all", *MATCHING).stdout
    one = explain(rules, "other-03", *MATCHING).stdout
    assert "other-03" in one and "other-04" not in one and "other sets" not in one


def test_limit_of_near_misses(rules: Node):
    """Ten are shown, an eleventh is counted."""
    for i in range(16):
        rules.rule(f"50-near-{i:02}", HEAD + f"metadata: {{name: near-{i:02}}}\n"
                   "spec:\n  match: {namespace: web, podName: other}\n" + HOOK)
    out = explain(rules, *MATCHING).stdout
    assert out.count("near miss ") == 10
    assert "7 other sets do not match" in out


def test_json(rules: Node):
    done = explain(rules, *MATCHING, "-o", "json", "--annotation", "team=web")
    container = json.loads(done.stdout)["containers"][0]
    assert (container["namespace"], container["image"]) == ("web", "nginx:1.27")
    assert (container["refused"], container["exempt"], container["hooks"]) == (False, False, {})
    sets = {item["name"]: item for item in container["sets"]}
    assert list(sets) == ["tap", "either", "shell", "gpu"]
    assert sets["tap"] == {
        "name": "tap", "file": f"{rules.rules}/10-tap.yaml", "line": 1, "state": "evaluated",
        "match": "false", "near": True,
        "conditions": [{"expected": 'podAnnotations["team"] is "infra"', "seen": '"web"',
                        "result": "false", "file": f"{rules.rules}/10-tap.yaml", "line": 5,
                        "column": 64}]}
    assert (sets["shell"]["match"], sets["shell"]["verdict"]) == ("unknown", "skipped")
    assert (sets["gpu"]["state"], sets["gpu"]["match"]) == ("otherNode", "true")
    assert "gpu-*" in sets["gpu"]["reason"]


@pytest.mark.parametrize("handler, told", [
    ("kata-qemu", "Kata's Go runtime has no createContainer hooks"),
    ("gvisor", "gVisor runs createContainer hooks only where it serves the root file system itself"),
    ("runc", None),
    (None, None),
])
def test_stage_that_the_handler_does_not_run(node: Node, handler: str | None, told: str | None):
    node.hook("first", "#!/bin/sh\n")
    node.rule("10-two", HEAD + "metadata: {name: two}\nspec:\n  match: {always: true}\n  hooks:\n"
              "    createRuntime: [{path: /opt/hooks/first}]\n"
              "    createContainer: [{path: /opt/hooks/first}]\n")
    arguments = ["--runtime-handler", handler] if handler else []
    heading = "\ncreateContainer\n"
    if told:
        heading += f"  not run under the handler {handler}: {told}\n"
    assert heading + "  1. /opt/hooks/first  (two)\n" in \
        node.normal(explain(node, *arguments).stdout)
    container = json.loads(explain(node, *arguments, "-o", "json").stdout)["containers"][0]
    assert list(container["hooks"]) == ["createRuntime", "createContainer"]
    assert container.get("stagesNotRun") == ({"createContainer": told} if told else None)


def test_yaml_is_json(rules: Node):
    """Both say the same."""
    for verb in (["explain", "--all"], ["render"]):
        arguments = [*verb, "--hooks-dir", rules.rules, *MATCHING]
        as_json = run(rules, *arguments, "-o", "json")
        as_yaml = run(rules, *arguments, "-o", "yaml")
        assert as_json.returncode == as_yaml.returncode == 0
        assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)


def test_colours(rules: Node):
    """None where the output is no terminal; on one, unless NO_COLOR is set."""
    assert "\033" not in explain(rules, *MATCHING).stdout
    command = " ".join([rules.program, "explain", "--hooks-dir", str(rules.rules), *MATCHING])
    for settings, coloured in (({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)):
        done = subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True,
                              text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
                              env=settings | {"PATH": "/usr/bin:/bin"})
        assert "injected" in done.stdout
        assert ("\033[32minjected" in done.stdout) is coloured


USAGE = {
    "no such set": (["nothing"], 'expected the name of a set that is in force, found "nothing"'),
    "live": (["--live", "x"], "expected --live with an id, at least 4 characters of it"),
    "output": (["-o", "xml"], 'expected -o text, json or yaml, found "xml"'),
    "argument alone": (["--arg", "x"], "expected --command before --arg"),
    "variable": (["--env", "x"], "expected --env NAME=VALUE"),
    "mount": (["--mount", "a:b"], "expected --mount SOURCE:/DESTINATION[:TYPE]"),
    "stdin twice": (["--from", "-", "--from", "-"], "expected stdin only once"),
}


@pytest.mark.parametrize("case", USAGE)
def test_usage(rules: Node, case: str):
    arguments, expected = USAGE[case]
    done = explain(rules, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr


def test_unreadable_document(rules: Node):
    done = explain(rules, "--from", rules.home / "missing")
    assert (done.returncode, done.stdout) == (4, "")
    assert "missing cannot be read: No such file or directory" in done.stderr


def test_broken_rules(rules: Node):
    rules.rule("bad", HEAD + "spec: {mach: {always: true}}\n")
    done = explain(rules, *MATCHING)
    assert done.returncode == 1
    assert 'did you mean "match"?' in done.stderr
    assert "injected   tap" in done.stdout


def test_flags(rules: Node):
    """Every flag is seen by the field that it names."""
    leaves = {
        "podName: p": ["--pod", "p"],
        "containerName: c": ["--container", "c"],
        "podLabels: {k: v}": ["--label", "k=v"],
        "podAnnotations: {k: v}": ["--annotation", "k=v"],
        "runtimeHandler: kata": ["--runtime-handler", "kata"],
        "runtime: cri-o": ["--runtime", "cri-o"],
        "command: sh": ["--command", "sh"],
        "args: b": ["--command", "a", "--arg", "b"],
        "env: A=b": ["--env", "A=b"],
        "mounts: {source: /s, destination: /d, type: bind}": ["--mount", "/s:/d"],
        "mounts: {destination: /d, type: tmpfs}": ["--mount", "tmpfs:/d:tmpfs"],
        "image: nginx": ["--image", "nginx"],
        "namespace: web": ["--namespace", "web"],
    }
    for leaf, flags in leaves.items():
        rules.rule("10-tap", HEAD + "metadata: {name: tap}\nspec:\n  match: {" + leaf + "}\n"
                   "  hooks: {poststop: [{path: /opt/hooks/first}]}\n")
        assert "injected   tap" in explain(rules, *flags, "tap").stdout, leaf
        assert "injected   tap" not in explain(rules, "tap").stdout, leaf


# ---- documents: one pod with two containers ----

POD = """apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: web, annotations: {team: infra}}
spec:
  containers:
  - {name: front, image: "nginx:1.27"}
  - {name: back, image: "httpd:2"}
"""


def test_manifest(rules: Node):
    done = explain(rules, "--from", "-", "tap", stdin=POD)
    assert done.returncode == 0, done.stderr
    heads = [line for line in done.stdout.splitlines() if line.startswith("Container ")]
    assert heads == ["Container web/shop/front, image nginx:1.27: gets 1 hook: 1 of 4 sets",
                     "Container web/shop/back, image httpd:2: gets nothing: 0 of 4 sets"]


def test_manifest_selects(rules: Node):
    done = explain(rules, "--from", "-", "--container", "back", "-o", "json", stdin=POD)
    assert [item["container"] for item in json.loads(done.stdout)["containers"]] == ["back"]
    done = explain(rules, "--from", "-", "--container", "none", stdin=POD)
    assert done.returncode == 2
    assert 'expected the name of one of the containers: front, back; found "none"' in done.stderr


# ---- documents: what runtimes print, and a bundle ----

INSPECT = {
    "status": {"id": "c1", "metadata": {"name": "front"}, "image": {"image": "docker.io/library/nginx:1.27"},
               "labels": {"io.kubernetes.pod.namespace": "web", "io.kubernetes.pod.name": "shop",
                          "io.kubernetes.pod.uid": "u1"}},
    "info": {"sandboxID": "s1", "runtimeSpec": {
        "process": {"args": ["nginx", "-g"], "env": ["A=b"]},
        "annotations": {"io.kubernetes.cri.image-name": "docker.io/library/nginx:1.27"}}}}
SANDBOX = {"status": {"id": "s1", "metadata": {"name": "shop", "namespace": "web", "uid": "u1"},
                      "annotations": {"team": "infra"}, "labels": {"app": "x"}}}


def test_crictl(rules: Node, tmp_path: Path):
    """What inspect does not tell of the pod, inspectp does."""
    files = []
    for name, document in (("inspect", INSPECT), ("inspectp", SANDBOX)):
        files += ["--from", tmp_path / name]
        (tmp_path / name).write_text(json.dumps(document))
    alone = explain(rules, *files[:2], "tap").stdout
    assert alone.startswith("Container web/shop/front, image docker.io/library/nginx:1.27: ")
    assert "injected   tap" not in alone
    both = explain(rules, *files, "tap", "shell")
    assert both.returncode == 0, both.stderr
    assert "injected   tap" in both.stdout
    assert 'podAnnotations["team"] is "infra"; seen: "infra"' in both.stdout
    assert 'command is "sh"; seen: "nginx"' in both.stdout


def test_bundle(rules: Node, tmp_path: Path):
    """The config.json of a container: its process, and what CRI runtimes annotate."""
    spec = {"ociVersion": "1.1.0", "process": {"args": ["sh", "-c"], "cwd": "/", "env": ["A=b"]},
            "annotations": {"io.kubernetes.cri.container-type": "container",
                            "io.kubernetes.cri.container-name": "front",
                            "io.kubernetes.cri.image-name": "docker.io/library/nginx:1.27",
                            "io.kubernetes.cri.sandbox-name": "shop",
                            "io.kubernetes.cri.sandbox-namespace": "web"}}
    (tmp_path / "config.json").write_text(json.dumps(spec))
    done = explain(rules, "--from", tmp_path / "config.json", "tap", "shell")
    assert done.stdout.startswith("Container web/shop/front, image docker.io/library/nginx:1.27: ")
    assert 'command is "sh"; seen: "sh"' in done.stdout
    assert 'podAnnotations["team"] is "infra"; seen: unknown' in done.stdout


def test_flags_over_documents(rules: Node):
    done = explain(rules, "--from", "-", "--container", "back", "--image", "nginx:1.9", "tap",
                   stdin=POD)
    assert "injected   tap" in done.stdout


def test_a_slip_in_the_name_of_a_set(rules: Node):
    done = explain(rules, *MATCHING, "tpa")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ('grapnel explain: expected the name of a set that is in force, found "tpa"; '
                           'did you mean "tap"? grapnel list shows them\n')
    assert "did you mean" not in explain(rules, *MATCHING, "something-else").stderr


@pytest.mark.parametrize("name, told", [("crio", True), ("docker", True), ("cri-o", False),
                                        ("containerd", False), ("v2", False)])
def test_name_of_the_runtime(rules: Node, name: str, told: bool):
    """It is taken, since a rule may ask for it; a name that no runtime has is told."""
    done = explain(rules, *MATCHING, "--runtime", name)
    assert done.returncode == 0
    warning = ("grapnel explain: warning: runtimes call themselves containerd (2.0.0 to 2.0.3: v2) "
               f'or cri-o, found --runtime "{name}"\n')
    assert done.stderr == (warning if told else "")


@pytest.mark.parametrize("between", ["\n", "\n---\n", "\n--- \r\n", "\n---\n\n---\n"])
def test_json_documents_divided(rules: Node, between: str):
    """As jq prints them, or as documents of YAML that happen to be JSON."""
    pods = [json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                        "spec": {"containers": [{"name": "a", "image": "b"}]}}, indent=1)
            for name in ("one", "two")]
    done = explain(rules, "--from", "-", "-o", "json", stdin=between.join(pods) + "\n")
    assert done.returncode == 0, done.stderr
    assert [found["pod"] for found in json.loads(done.stdout)["containers"]] == ["one", "two"]
    bad = explain(rules, "--from", "-", stdin=pods[0] + "\n--x\n")
    assert bad.returncode == 1
    assert "error: expected" in bad.stderr


def test_render_several(rules: Node):
    done = run(rules, "render", "--hooks-dir", rules.rules, "--from", "-", stdin=POD)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["containers"]
    assert (first["container"], list(first["hooks"])) == ("front", ["createRuntime"])
    assert (second["container"], second["hooks"]) == ("back", {})
    alone = run(rules, "render", "--hooks-dir", rules.rules, "--from", "-", "--container", "front",
                stdin=POD)
    assert json.loads(alone.stdout) == first["hooks"]


def test_render_spec(rules: Node):
    """The subject comes from the bundle; what is not touched stays."""
    spec = rules.home / "config.json"
    spec.write_text(json.dumps({
        "ociVersion": "1.1.0", "process": {"args": ["sh"], "cwd": "/"},
        "annotations": {"io.kubernetes.cri.sandbox-namespace": "kube"},
        "x-other": 18446744073709551615}))
    rules.rule("30-shell", SHELL.replace(', "{{.PodName}}"', ""))
    done = run(rules, "render", "--hooks-dir", rules.rules, "--spec", spec)
    assert done.returncode == 0, done.stderr
    assert "18446744073709551615" in done.stdout
    merged = json.loads(done.stdout)
    assert merged["process"]["args"] == ["sh"]
    assert merged["hooks"]["createRuntime"][0]["path"] == f"{rules.hooks}/first"


@pytest.mark.parametrize("adjust, told", [
    ("cdiDevices: [v.com/gpu=0], resources: {blockioClass: a}", "1 CDI device, blockioClass"),
    ("cdiDevices: [v.com/gpu=0, v.com/gpu=1]", "2 CDI devices"),
    ("resources: {blockioClass: a}", "blockioClass"),
    ("env: {A: b}", None),
])
def test_render_spec_says_what_is_left_out(node: Node, adjust: str, told: str | None):
    spec = node.home / "config.json"
    spec.write_text(json.dumps({"ociVersion": "1.1.0", "process": {"args": ["sh"], "cwd": "/"}}))
    node.rule("a", "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec:\n  match: {always: true}\n"
              f"  adjust: {{{adjust}}}\n")
    done = run(node, "render", "--hooks-dir", node.rules, "--spec", spec)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "left out" in line]
    assert said == ([] if not told else [
        f"grapnel render: left out, since the engine resolves it: {told}"])


def test_render_spec_with_hooks_below_process(rules: Node):
    """Told once, whether or not the bundle also says what the container is; the result is the same."""
    spec = rules.home / "config.json"
    spec.write_text('{"ociVersion": "1.1.0",\n "process": {"hooks": {"poststop": [{"path": "/x"}]}}}')
    pod = rules.home / "pod.yaml"
    pod.write_text("kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: b}]}\n")
    for more in ([], ["--from", pod]):
        done = run(rules, "render", "--hooks-dir", rules.rules, "--spec", spec, *more)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(f'{spec}:2:14: warning: "hooks" stands below "process"') == 1
        assert json.loads(done.stdout)["process"] == {"hooks": {"poststop": [{"path": "/x"}]}}

# What a terminal takes for commands, and what turns a line round or ends it.
COMMANDS = "a\x1b[31m\x7f\x9b31m\u202e\u2028\u2066\nb"


@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_commands_of_terminals(rules: Node, output: str):
    """Names and values of pods are shown by all outputs, and command none of what shows them."""
    names = ["front" + COMMANDS, "back" + COMMANDS]
    pod = json.dumps({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": COMMANDS, "namespace": COMMANDS, "annotations": {
            "team": COMMANDS, "hooks.noderesource.dev": COMMANDS}},
        "spec": {"runtimeClassName": COMMANDS, "containers": [
            {"name": name, "image": COMMANDS} for name in names]}})
    shown = explain(rules, "--all", "-o", output, "--from", "-", stdin=pod)
    assert shown.stdout.count("front") > 0
    other = explain(rules, "--from", "-", "--container", COMMANDS, stdin=pod)
    assert "expected the name of one of the containers: fronta?" in other.stderr
    usage = explain(rules, "--image", COMMANDS)
    assert usage.returncode == 2
    unknown = explain(rules, *MATCHING, COMMANDS)
    assert unknown.returncode == 2
    for text in [done.stdout + done.stderr for done in (shown, other, usage, unknown)]:
        assert not set("\x1b\x7f\x9b\u202e\u2028\u2066") & set(text)
        assert not [line for line in text.splitlines() if line.startswith("b")]
    if output == "json":
        found = json.loads(shown.stdout)["containers"]
        assert [container["container"] for container in found] == names
        assert found[0]["namespace"] == COMMANDS
