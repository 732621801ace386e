# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/: their commands do what the pages say, on a machine of their own; those that cannot be run here
have options and values that are there; no page is forgotten."""
from __future__ import annotations

import functools
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import plainmachine
from conftest import ROOT
from plainmachine import pages

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
ON_THE_CLUSTER = [DOCS / "quick-start.md"]  # tests/cluster/test_quick_start.py
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
FOLLOWED = [page for page in PAGES if page not in ON_THE_CLUSTER and any(block.runs for block in pages.read(page))]
INLINE = re.compile(r"`([^`\n]+)`")
ELSEWHERE = ["kubectl", "helm", "sudo", "make", "skopeo", "crictl", "containerd"]
LANGUAGES = {"sh", "yaml", "toml", ""}


def prepared(page: Path, blocks: list[pages.Block]) -> list[pages.Block]:
    """The commands, and before each heading's first one what brings the machine into the state that it is about:
    the part of tests/golden/states/PAGE.sh below the same heading."""
    source = ROOT / "tests/golden/states" / f"{page.name}.sh"
    parts = re.split(r"^## (.*)\n", source.read_text() if source.exists() else "", flags=re.M)
    states = dict(zip(parts[1::2], parts[2::2]))
    found = []
    for block in blocks:
        if block.heading in states:
            found.append(pages.Block(page, 0, block.heading, ["sh"], states.pop(block.heading)))
        found.append(block)
    assert not states, f"{page.name} has no commands below {list(states)}"
    return found


# ---- what can be run ----

@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: str(page.relative_to(DOCS)))
def test_commands(grapnel: str, page: Path, tmp_path: Path):
    blocks = [block for block in pages.read(page) if block.runs]
    plainmachine.follow(grapnel, prepared(page, blocks), tmp_path)


def test_a_wrong_page_is_found(grapnel: str, tmp_path: Path):
    """The test above tests something: another output, another exit code, a command after one that fails."""
    page = tmp_path / "page.md"
    for number, (text, found) in enumerate({
        "```sh\necho one\n```\n\n```text\none\n```\n": False,
        "```sh\necho one\n```\n\n```text\ntwo\n```\n": True,
        "```sh\necho one two three\n```\n\n```text\none … three\n```\n": False,
        "```sh\nprintf '1\\n2\\n3\\n'\n```\n```text\n…\n3\n```\n": False,
        "```sh\nprintf '1\\n2\\n3\\n'\n```\n```text\n…\n2\n```\n": True,
        "```sh exit=3\nexit 3\n```\n": False, "```sh exit=3\ntrue\n```\n": True, "```sh\nfalse\n```\n": True,
        "```sh\nx=1\n```\n\n```sh\necho $x\n```\n```text\n1\n```\n": False,
        "```sh\nfalse\n```\n\n```sh\ntrue\n```\n": True,
        "```sh not-here\nfalse\n```\n": False,
    }.items()):
        page.write_text(text)
        folder = tmp_path / str(number)
        folder.mkdir()
        blocks = [block for block in pages.read(page) if block.runs]
        if found:
            with pytest.raises(AssertionError):
                plainmachine.follow(grapnel, blocks, folder)
        else:
            plainmachine.follow(grapnel, blocks, folder)


# ---- what cannot ----

@functools.cache
def help_of(program: str, verb: str) -> str:
    return subprocess.run([program, verb, "--help"], capture_output=True, text=True, check=False, timeout=60).stdout


def grapnel_calls(text: str) -> list[list[str]]:
    """The arguments of each call of the program in a text of shell commands."""
    calls = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        for part in re.split(r"\||&&|;|\$\(|\)", line.split(" #")[0]):
            try:
                words = shlex.split(part)
            except ValueError:
                words = part.replace("'", "").replace('"', "").split()
            calls += [words[i + 1:] for i, word in enumerate(words)
                      if (word == "grapnel" or word.endswith("bin/grapnel")) and leads_in(words[:i])][:1]
    return calls


def leads_in(words: list[str]) -> bool:
    """Whether what follows these words is a command."""
    return not words or words == ["sudo"] or words[-1] == "--" or words[-1].startswith(("if", "!", "exec"))


def problems(program: str, call: list[str]) -> list[str]:
    """What --help does not know of a call."""
    words = [word for word in call if not re.fullmatch(r"[<>].*|\d?>.*", word)]
    if not words or words[0].startswith("-"):
        return []
    text = help_of(program, words[0])
    if not text:
        return [f"no verb {words[0]}"]
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))
    before = words[:words.index("--")] if "--" in words else words
    return [f"grapnel {words[0]} has no {word}" for word in before[1:]
            if word.startswith("-") and word != "-" and word.split("=")[0] not in known]


@each_page
def test_options_exist(grapnel: str, page: Path):
    """In all commands, and in what stands in the text as one."""
    texts = [(block.where, block.text) for block in pages.read(page) if block.is_command]
    texts += [(page.name, code) for code in INLINE.findall(page.read_text()) if "grapnel " in code]
    found = [f"{where}: {problem}" for where, text in texts for call in grapnel_calls(text)
             for problem in problems(grapnel, call)]
    assert found == []


def test_options_are_looked_for(grapnel: str):
    def of(text: str) -> list[str]:
        return [problem for call in grapnel_calls(text) for problem in problems(grapnel, call)]

    assert of("sudo grapnel doctor --strict | cat\nkubectl exec x -- /usr/bin/grapnel list -o json") == []
    assert of("grapnel doctor --strikt") == ["grapnel doctor has no --strikt"]
    assert of("kubectl -n grapnel exec ds/grapnel -- /usr/bin/grapnel lst") == ["no verb lst"]
    assert of("true && grapnel list \\\n  --frob=1") == ["grapnel list has no --frob=1"]
    assert of("helm install grapnel charts/grapnel -n grapnel") == []


VALUES = yaml.safe_load((ROOT / "charts/grapnel/values.yaml").read_text())


def is_value(path: str) -> bool:
    """Whether the chart has it; what is below an empty map or a list is anybody's."""
    found: object = VALUES
    for part in path.split("."):
        if not isinstance(found, dict) or not found:
            return True
        if part not in found:
            return False
        found = found[part]
    return True


@each_page
def test_values_exist(page: Path):
    """Those that are set, and those that the text names."""
    text = page.read_text()
    named = re.findall(r"--set(?:-file|-string)? '?([A-Za-z.]+)", text)
    named += [code.split(":")[0].split("=")[0] for code in INLINE.findall(text)
              if re.match(r"[a-z]\w*\.[a-zA-Z.]+(?:[:=]|$)", code) and code.split(".")[0] in VALUES
              and not code.endswith((".toml", ".yaml"))]
    assert [name for name in named if not is_value(name)] == []
    assert not is_value("hookPrograms.dirs") and is_value("rules.files.x")


@each_page
def test_what_is_not_run_cannot_be(page: Path):
    """Every command of such a block needs a cluster, a service manager, a registry, another package or a build."""
    for block in pages.read(page):
        if block.is_command and not block.runs:
            lines = re.sub(r"\\\n *", " ", block.text).splitlines()
            assert [line for line in lines if not re.match(rf"(\w+=\$\()?({'|'.join(ELSEWHERE)}) ", line)] == [], block.where


@each_page
def test_files_exist(page: Path):
    """Those of the clone that commands name."""
    named = [name for block in pages.read(page) if block.is_command
             for name in re.findall(r"(?<![\w/.])(?:charts|deploy|examples|packaging)/[\w./-]+", block.text)]
    assert [name for name in named if not (ROOT / name).exists()] == []


# ---- pages ----

@each_page
def test_form(page: Path):
    """A title, then what the page is for; blocks of known languages; an output only below its command."""
    lines = page.read_text().splitlines()
    assert lines[0].startswith("# ") and lines[1] == "" and lines[2][:1].isalnum(), lines[:3]
    assert not [f"{page.name}:{number}" for number, line in enumerate(lines, 1) if len(line) > 130 and line[0] != "|"]
    for block in pages.read(page):
        language = block.words[0] if block.words else ""
        assert language in LANGUAGES, f"{block.where}: {block.words}"
        if language == "yaml":
            list(yaml.safe_load_all(block.text))
        if language == "toml":
            tomllib.loads(block.text)
        if block.is_command:
            assert all(re.fullmatch(r"not-here|exit=\d", word) for word in block.words[1:]), block.where


def test_every_refusal_of_an_installer_is_looked_up():
    """Somebody who has one of these codes before him finds it below a symptom."""
    parts = re.split(r"^## (.*)\n", (ROOT / "specs/errors.md").read_text(), flags=re.M)
    sections = dict(zip(parts[1::2], parts[2::2]))
    rows = "".join(sections[name] for name in ("Programs of hooks on the host", "Installing programs", "Cleaning up"))
    codes = [code for code, row in re.findall(r"^\| `((?:program|setup|cleanup)-[\w-]+)` (.*)", rows, flags=re.M)
             if "never printed" not in row]
    text = (DOCS / "troubleshooting.md").read_text()
    assert len(codes) >= 12 and [code for code in codes if f"`{code}`" not in text] == []


def test_every_page_is_found():
    """From README.md, by links alone."""
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen:
            continue
        seen.add(page)
        for link in re.findall(r"\]\(([^)\s#]+)", page.read_text()):
            target = (page.parent / link).resolve()
            if target.suffix == ".md" and target.exists() and (DOCS in target.parents):
                todo.append(target)
    assert [str(page) for page in PAGES if page not in seen] == []
