# SPDX-License-Identifier: Apache-2.0
"""What people and scripts see of diff."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from conftest import Node

HEAD = "apiVersion: grapnel/v1beta1\nkind: HookSet\n"


def rule(name: str, match: str, args: str = "[x]", more: str = "") -> str:
    return HEAD + f"metadata: {{name: {name}}}\nspec:\n{more}  match: {{{match}}}\n" \
        f"  hooks: {{createRuntime: [{{path: /opt/hooks/{name}, args: {args}}}]}}\n"


@pytest.fixture
def sides(node: Node) -> tuple[Node, Path, Path]:
    old, new = node.home / "old", node.home / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "10-a.yaml").write_text(rule("a", "namespace: web"))
        (folder / "20-b.yaml").write_text(rule("b", "namespace: web"))
    return node, old, new


def run(sides: tuple[Node, Path, Path], *more: object) -> subprocess.CompletedProcess:
    node, old, new = sides
    return subprocess.run([node.program, "diff", "--node-name", "node-1", old, new, "--namespace",
                           "web", "--image", "nginx", *map(str, more)], capture_output=True,
                          text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)


def changes(sides: tuple[Node, Path, Path], *more: object) -> list[tuple[str, str | None]]:
    done = run(sides, "-o", "json", *more)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    assert found["changed"] == len(found["containers"]) == done.returncode
    return [(item["change"], item.get("set")) for container in found["containers"]
            for item in container["changes"]]


def test_same(sides: tuple[Node, Path, Path]):
    done = run(sides)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "0 of 1 container would change\n"
    assert changes(sides) == []


def test_same_in_other_words(sides: tuple[Node, Path, Path]):
    """Another text, and so another hash in the mark, is no change."""
    (sides[2] / "10-a.yaml").write_text("# now with a comment\n" + rule("a", "namespace: [web]"))
    assert changes(sides) == []


def test_gains_and_loses(sides: tuple[Node, Path, Path]):
    (sides[2] / "20-b.yaml").unlink()
    (sides[2] / "30-c.yaml").write_text(rule("c", "image: nginx"))
    assert changes(sides) == [("loses", "b"), ("gains", "c")]
    done = run(sides)
    assert done.returncode == 1
    assert done.stdout == """\
web/?/?
  loses b
    - createRuntime: /opt/hooks/b [x] timeout 10
  gains c
    + createRuntime: /opt/hooks/c [x] timeout 10
"""


def test_yaml_is_json(sides: tuple[Node, Path, Path]):
    yaml = pytest.importorskip("yaml")
    (sides[2] / "20-b.yaml").unlink()
    as_json, as_yaml = (run(sides, "-o", form) for form in ("json", "yaml"))
    assert as_json.returncode == as_yaml.returncode == 1
    assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)


def test_changes(sides: tuple[Node, Path, Path]):
    (sides[2] / "10-a.yaml").write_text(rule("a", "namespace: web", args="[z]"))
    assert changes(sides) == [("changes", "a")]
    found = json.loads(run(sides, "-o", "json").stdout)["containers"][0]
    assert found["before"]["hooks"]["createRuntime"][0]["args"] == ["x"]
    assert found["after"]["hooks"]["createRuntime"][0]["args"] == ["z"]


def test_order(sides: tuple[Node, Path, Path]):
    (sides[2] / "10-a.yaml").write_text(rule("a", "namespace: web", more="  order: 60\n"))
    assert changes(sides) == [("order", None)]
    assert "order: the same hooks run in another order\n" in run(sides).stdout


def test_refused(sides: tuple[Node, Path, Path]):
    """A container that is refused loses everything; the refusal comes first."""
    (sides[2] / "10-a.yaml").write_text(
        rule("a", "namespace: web", args="[x, '{{annotation \"none\"}}']"))
    assert changes(sides) == [("refused", None), ("loses", "a"), ("loses", "b")]
    node, old, new = sides
    assert changes((node, new, old)) == [("created", None), ("gains", "a"), ("gains", "b")]


def test_other_containers(sides: tuple[Node, Path, Path]):
    """What no container is touched by is no difference."""
    (sides[2] / "30-c.yaml").write_text(rule("c", "namespace: other"))
    assert changes(sides) == []


def test_trouble(sides: tuple[Node, Path, Path]):
    """As diff(1): trouble is no difference."""
    node, old, new = sides
    (new / "bad.yaml").write_text(HEAD + "spec: {mach: {always: true}}\n")
    done = run(sides)
    assert (done.returncode, done.stdout) == (2, "")
    assert 'did you mean "match"?' in done.stderr
    assert run((node, old, node.home / "missing")).returncode == 2
    assert run(sides, "third").returncode == 2
    assert "expected --live without --from" in run(sides, "--live").stderr


OCI_HOOK = {"version": "1.0.0", "hook": {"path": "/opt/hooks/old", "args": ["old"]},
            "when": {"commands": ["/bin/sh"]}, "stages": ["prestart"]}


def oci_diff(node: Node, *more: object) -> subprocess.CompletedProcess:
    return subprocess.run([node.program, "diff", "--command", "/bin/sh", *map(str, more)],
                          capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL)


@pytest.fixture
def oci(node: Node) -> tuple[Path, Path]:
    """oci-hooks(5) files, and what convert makes of them."""
    there, converted = node.home / "oci", node.home / "converted"
    converted.mkdir()
    there.mkdir()
    (there / "10-old.json").write_text(json.dumps(OCI_HOOK))
    done = subprocess.run([node.program, "convert", there, "--out", converted], check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return there, converted


def test_oci_hooks_as_converted(node: Node, oci: tuple[Path, Path]):
    """The old files do what the converted ones do, whichever is old."""
    there, converted = oci
    for words in (["--old-oci-hooks-dir", there, converted],
                  ["--new-oci-hooks-dir", there, converted]):
        done = oci_diff(node, "--strict", *words)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert done.stderr.endswith("0 of 1 container would change\n")
    again = oci_diff(node, "--old-oci-hooks-dir", there, "--new-oci-hooks-dir", there)
    assert (again.returncode, again.stdout) == (0, "")
    # Also where it is not known whether it matches: both say the same.
    done = subprocess.run([node.program, "diff", "--strict", "--old-oci-hooks-dir", there, converted,
                           "--pod", "x"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_oci_hooks_that_changed(node: Node, oci: tuple[Path, Path]):
    there, converted = oci
    more = node.home / "more"
    more.mkdir()
    (more / "10-old.json").write_text(json.dumps({**OCI_HOOK, "hook": {"path": "/opt/hooks/new"}}))
    done = oci_diff(node, converted, "--new-oci-hooks-dir", there, "--new-oci-hooks-dir", more)
    assert done.returncode == 1
    assert "changes 10-old" in done.stdout
    assert "+ createRuntime: /opt/hooks/new" in done.stdout  # a later directory masks


def test_oci_hooks_beside_rules(node: Node, oci: tuple[Path, Path]):
    there, converted = oci
    (node.home / "new").mkdir()
    (node.home / "new" / "a.yaml").write_text(rule("a", "command: /bin/sh"))
    done = oci_diff(node, converted, node.home / "new", "--new-oci-hooks-dir", there)
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        "  gains a", "    + createRuntime: /opt/hooks/a [x] timeout 10"]


def test_oci_hooks_usage(node: Node, oci: tuple[Path, Path]):
    """Two sides, each of something that is there."""
    there, converted = oci
    for words, text in (
            (["--old-oci-hooks-dir", there], "expected OLD and NEW"),
            ([converted], "expected OLD and NEW"),
            ([converted, converted, converted], "expected OLD and NEW"),
            (["--old-oci-hooks-dir", there, "--new-oci-hooks-dir", there, converted],
             "expected OLD and NEW"),
            (["--old-oci-hooks-dir", node.home / "none", converted], "No such file"),
            (["--old-oci-hooks-dir", there / "10-old.json", converted],
             "expected a directory of oci-hooks(5) files")):
        done = oci_diff(node, *words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert text in done.stderr, words
    (there / "20-bad.json").write_text("{}")
    bad = oci_diff(node, "--old-oci-hooks-dir", there, converted)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "20-bad.json" in bad.stderr


def test_something_must_tell_of_a_container(sides: tuple[Node, Path, Path]):
    node, old, new = sides
    done = subprocess.run([node.program, "diff", old, new], capture_output=True, text=True,
                          check=False, timeout=60, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected --live, --from or what else tells of a container" in done.stderr


def test_what_cannot_be_told(sides: tuple[Node, Path, Path]):
    """A set that asks for what is not known is named, and its container counted for itself."""
    new = sides[2]
    (new / "30-c.yaml").write_text(rule("c", "command: sh"))
    done = run(sides)
    assert done.returncode == 0
    assert done.stdout == f"""\
web/?/?
  unknown c: command is "sh"; seen: unknown: this source does not tell command  \
({new}/30-c.yaml:5:11)
"""
    assert done.stderr == "0 of 1 container would change; of 1 it cannot be told\n"
    assert run(sides, "--strict").returncode == 3
    found = json.loads(run(sides, "-o", "json").stdout)
    assert (found["compared"], found["changed"], found["unknown"]) == (1, 0, 1)
    change, = found["containers"][0]["changes"]
    assert (change["change"], change["set"]) == ("unknown", "c")
    assert change["why"].startswith('command is "sh"; seen: unknown')
    told = run(sides, "--strict", "--command", "ls")
    assert (told.returncode, told.stdout) == (0, "")
    assert told.stderr == "0 of 1 container would change\n"


def test_unknown_on_both_sides(sides: tuple[Node, Path, Path]):
    """Nothing hangs on a set that says the same; whatever one side does with it is named once."""
    old, new = sides[1:]
    (old / "30-c.yaml").write_text(rule("c", "command: sh"))
    (new / "30-c.yaml").write_text("# moved\n" + rule("c", "command: [sh]"))
    assert changes(sides, "--strict") == []
    (new / "30-c.yaml").write_text(rule("c", "command: sh", args="[z]"))
    done = run(sides, "--strict")
    assert (done.returncode, done.stdout.count("unknown c")) == (3, 1)
    (new / "30-c.yaml").unlink()
    assert "unknown c: command is" in run(sides).stdout


def test_unknown_beside_a_change(sides: tuple[Node, Path, Path]):
    """A container that would change counts as that, and what cannot be told is still named."""
    new = sides[2]
    (new / "10-a.yaml").unlink()
    (new / "30-c.yaml").write_text(rule("c", "command: sh"))
    done = run(sides, "--strict")
    assert done.returncode == 1
    assert done.stderr == "1 of 1 container would change\n"
    assert "  loses a\n" in done.stdout and "  unknown c: " in done.stdout


def test_what_only_observes_is_not_unknown(sides: tuple[Node, Path, Path]):
    (sides[2] / "30-c.yaml").write_text(rule("c", "command: sh", more="  mode: Observe\n"))
    done = run(sides, "--strict")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_running_container_is_compared_as_new(sides: tuple[Node, Path, Path], tmp_path: Path):
    """The marks of its hooks do not hide what other rules would give it; others' hooks stay."""
    node, old, new = sides
    mine = {"path": "/opt/hooks/a", "args": ["x"], "timeout": 10, "env": ["GRAPNEL_HOOKSET=a@00"]}
    other = {"path": "/opt/other"}
    running = {"status": {"id": "1", "metadata": {"name": "front"}, "labels": {
        "io.kubernetes.pod.namespace": "web", "io.kubernetes.pod.name": "shop"}},
        "info": {"runtimeSpec": {"hooks": {"createRuntime": [other, mine]}}}}
    dump = tmp_path / "inspect.json"
    dump.write_text(json.dumps(running))
    assert changes(sides, "--from", dump) == []
    (new / "10-a.yaml").write_text(rule("a", "namespace: web", "[z]"))
    (new / "20-b.yaml").unlink()
    assert changes(sides, "--from", dump) == [("changes", "a"), ("loses", "b")]
    (new / "10-a.yaml").unlink()
    assert changes(sides, "--from", dump) == [("loses", "a"), ("loses", "b")]
