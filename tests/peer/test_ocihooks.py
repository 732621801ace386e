# SPDX-License-Identifier: Apache-2.0
"""oci-hooks(5) files against the Go library itself: which files load, which hooks each container
gets, and in which order; read in place, and after `grapnel convert`."""
from __future__ import annotations

import json
import os
import random
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import cache

sys.path.insert(0, str(Path(__file__).resolve().parent / "ocihooks"))

import table  # noqa: E402
from table import Case  # noqa: E402

ANSWER_S = 60  # one of the two sides to a question


class Side:
    """A program that answers one JSON line with one."""

    def __init__(self, program: Path):
        # Relative paths of hooks are looked for from here.
        self.child = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, cwd="/")

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.child.stdin and self.child.stdout
        self.child.stdin.write(json.dumps(request) + "\n")
        self.child.stdin.flush()
        answers = select.select([self.child.stdout], [], [], ANSWER_S)[0]
        line = self.child.stdout.readline() if answers else ""
        assert line, f"no answer to {json.dumps(request)[:2000]}"
        return json.loads(line)

    def close(self) -> None:
        assert self.child.stdin and self.child.stdout
        self.child.stdin.close()
        self.child.wait(timeout=30)
        self.child.stdout.close()


@pytest.fixture(scope="module")
def library() -> Iterator[Side]:
    side = Side(cache.fetched("ocihooks") / "ocihooks")
    yield side
    side.close()


@pytest.fixture(scope="module")
def ours() -> Iterator[Side]:
    side = Side(cache.grapnel().parent / "tests" / "peer" / "ocihooks" / "ours")
    yield side
    side.close()


def lay_out(case: Case, home: Path) -> list[Path]:
    folders = []
    for i, files in enumerate(case.directories):
        folder = home / str(i)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(table.text(content))
        folders.append(folder)
    return folders


def normal(hooks: dict[str, Any]) -> dict[str, Any]:
    """The library's hooks as ours print them: no timeout is 120 s, nothing is empty."""
    return {stage: [{"path": h["path"], "args": h.get("args") or [], "env": h.get("env") or [],
                     "timeout": h.get("timeout", 120)} for h in hooks]
            for stage, hooks in hooks.items()}


def converted(folders: list[Path], home: Path) -> Path:
    """What grapnel convert makes of the folders."""
    done = subprocess.run([str(cache.grapnel()), "convert", *map(str, folders)], capture_output=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    path = home / "converted.yaml"
    path.write_bytes(done.stdout)
    return path


# What one changed letter may bring about, of the differences that specs/oci-hooks.md names.
BY_CHANCE = ("bad-path: the path", "bad-args: args[0]")


def drop_refused(case: Case, folders: list[Path], theirs: dict[str, str],
                 own: dict[str, str]) -> None:
    """Compares which files load, and removes those that one side refuses."""
    assert theirs.keys() == own.keys()
    for path in theirs:
        name = Path(path).name
        if name in case.only_library:
            assert theirs[path] == "" and own[path] != "", f"{name}: {theirs[path]} / {own[path]}"
        elif "no such file or directory" in theirs[path]:
            pass  # the library looks for the program first: we leave that to the loader
        elif case.by_chance and theirs[path] == "" and own[path].startswith(BY_CHANCE):
            pass
        elif name in case.only_ours:
            assert theirs[path] != "" and own[path] == "", f"{name}: {theirs[path]} / {own[path]}"
        else:
            content = Path(path).read_bytes()[:300]
            assert (theirs[path] == "") == (own[path] == ""), (
                f"{name}: the library: {theirs[path] or 'loaded'}; "
                f"we: {own[path] or 'loaded'}\n{content!r}")
        if theirs[path] or own[path]:
            Path(path).unlink()


def ran_out(hooks: dict[str, Any]) -> bool:
    return "the work that one container may cause is used up" in hooks.get("refused", "")


def compare(case: Case, home: Path, library: Side, ours: Side,
            may_run_out: bool = False) -> tuple[int, int]:
    """Every row of all three; how many hooks were given, and how many rows had none."""
    folders = lay_out(case, home)
    directories = [str(folder) for folder in folders]
    theirs = library.ask(directories=directories)
    own = ours.ask(directories=directories, containers=[])
    drop_refused(case, folders, theirs["files"], own["files"])
    request = {"directories": directories, "containers": case.containers}
    theirs = library.ask(**request)
    assert theirs["new"] == ""
    place = ours.ask(**request)["hooked"]
    after = ours.ask(yaml=str(converted(folders, home)), containers=case.containers)["hooked"]
    given = none = 0
    for container, their, one, other in zip(case.containers, theirs["hooked"], place, after,
                                            strict=True):
        assert "error" not in their, their["error"]
        expected = normal(their["hooks"])
        if may_run_out and ran_out(one):
            assert ran_out(other)
            continue
        assert one == expected, f"in place: {container}"
        assert other == expected, f"converted: {container}"
        given += sum(map(len, expected.values()))
        none += not expected
    return given, none


@pytest.mark.parametrize("case", table.CASES, ids=lambda case: case.name)
def test_table(case: Case, tmp_path: Path, library: Side, ours: Side) -> None:
    compare(case, tmp_path, library, ours)


@pytest.mark.parametrize("case", table.HOSTILE_CASES, ids=lambda case: case.name)
def test_hostile(case: Case, tmp_path: Path, library: Side, ours: Side) -> None:
    """The same answer, or the container is refused: never another answer."""
    compare(case, tmp_path, library, ours, may_run_out=True)


def test_table_says_something(tmp_path: Path, library: Side, ours: Side) -> None:
    """Enough rows with hooks, and without."""
    given = none = 0
    for i, case in enumerate(table.MATCHING + table.OLD_VERSION):
        (tmp_path / str(i)).mkdir()
        more, fewer = compare(case, tmp_path / str(i), library, ours)
        given, none = given + more, none + fewer
    assert given >= 100 and none >= 100
    files = sum(len(files) for case in table.CASES for files in case.directories)
    assert files >= 150


def random_case(rng: random.Random, number: int) -> Case:
    words = ["a", "b", "^a$", "b$", "", "x.*", "[ab]", "a|x", "(", ".", "sh", "init"]

    def condition() -> dict[str, Any]:
        out: dict[str, Any] = {}
        if rng.random() < 0.4:
            out["annotations"] = {rng.choice(words): rng.choice(words) for _ in range(rng.randint(0, 3))}
        if rng.random() < 0.4:
            out["commands"] = [rng.choice(words) for _ in range(rng.randint(0, 3))]
        for key in ("always", "hasBindMounts"):
            if rng.random() < 0.3:
                out[key] = rng.choice([True, True, False, None])
        return out

    def new() -> dict[str, Any]:
        return {"version": "1.0.0", "hook": {"path": "/bin/true", "args": ["x", str(rng.random())]},
                "when": condition(),
                "stages": [rng.choice(["prestart", "createRuntime", "poststop", "startContainer"])
                           for _ in range(rng.randint(0, 3))]}

    def old() -> dict[str, Any]:
        when = condition()
        out: dict[str, Any] = {"hook": "/bin/true", "stages": ["prestart"],
                               "arguments": [str(rng.random())]}
        if "annotations" in when:
            out[rng.choice(["annotation", "annotations"])] = list(when["annotations"].values())
        if "commands" in when:
            out[rng.choice(["cmd", "cmds"])] = when["commands"]
        if "hasBindMounts" in when:
            out["hasbindmounts"] = when["hasBindMounts"]
        return out

    def content() -> str:
        text = json.dumps(new() if rng.random() < 0.7 else old())
        if rng.random() < 0.3:
            text = re.sub(r'"(\w+)":', lambda m: rng.choice([m[0], m[0].upper(), m[0].title()]), text)
        if rng.random() < 0.1:
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(["", ",", "null", '"', "1", "}"]) + text[at + 1:]
        return text

    def container() -> dict[str, Any]:
        return {"args": [rng.choice(["a", "/bin/sh", "init", "xb", ""])],
                "annotations": {rng.choice(["a", "b", "ab", "x"]): rng.choice(["", "a", "b", "xa"])
                                for _ in range(rng.randint(0, 3))},
                "bindMounts": rng.random() < 0.5}

    names = ["a", "b-1", "10-c", "D", "e.f", "G_h"]
    directories = [{f"{name}.json": content() for name in names if rng.random() < 0.6}
                   for _ in range(rng.randint(1, 3))]
    return Case(f"random {number}", directories, [container() for _ in range(8)], by_chance=True)


@pytest.mark.parametrize("fresh", [False, True], ids=["the same each time", "others each time"])
def test_random(tmp_path: Path, library: Side, ours: Side, fresh: bool) -> None:
    """GRAPNEL_SEED repeats those that are others each time."""
    seed = int(os.environ.get("GRAPNEL_SEED") or random.SystemRandom().getrandbits(32)) if fresh \
        else 20260822
    print(f"GRAPNEL_SEED={seed}")
    rng = random.Random(seed)
    given = 0
    for number in range(150):
        (tmp_path / str(number)).mkdir()
        try:
            given += compare(random_case(rng, number), tmp_path / str(number), library, ours)[0]
        except AssertionError as error:
            raise AssertionError(f"case {number} of GRAPNEL_SEED={seed}: {error}") from error
    assert given > 500


@pytest.mark.parametrize("path", sorted(cache.ROOT.glob("examples/*/rule.yaml")),
                         ids=lambda path: path.parent.name)
def test_examples_are_written_and_read(path: Path, ours: Side) -> None:
    assert ours.ask(rewrite=str(path))["same"] >= 1


def test_no_args(tmp_path: Path, library: Side, ours: Side) -> None:
    """The one row that differs: the library fails where commands meet an empty args. No runtime
    runs such a container (runc: "args must not be empty"); we inject nothing."""
    case = table.one("no args", table.when(commands=["sh"]), containers=[table.container(None)])
    directories = [str(folder) for folder in lay_out(case, tmp_path)]
    request = {"directories": directories, "containers": case.containers}
    assert "process.args must have at least one entry" in library.ask(**request)["hooked"][0]["error"]
    assert ours.ask(**request)["hooked"] == [{}]


def test_names_that_differ_in_letters_only(tmp_path: Path, library: Side) -> None:
    """Theirs have no order between them; we refuse them, since sets are told apart by name."""
    case = Case("letters", [{"A.json": table.BASE, "a.json": table.BASE}], [table.PLAIN])
    folders = lay_out(case, tmp_path)
    answer = library.ask(directories=[str(folders[0])], containers=case.containers)
    assert len(answer["hooked"][0]["hooks"]["createRuntime"]) == 2
    done = subprocess.run([str(cache.grapnel()), "convert", str(folders[0])], capture_output=True,
                          text=True, check=False, timeout=60)
    assert done.returncode == 1 and "the set's name would be" in done.stderr
