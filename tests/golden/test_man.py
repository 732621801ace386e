# SPDX-License-Identifier: Apache-2.0
"""Manual pages cannot go stale: they have the options of --help and the fields of the schemas."""
from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT

MAN = ROOT / "man"
FORMATS = {"hookset.5": "hookset", "grapnel-config.5": "config", "grapnel-policy.5": "policy",
           "grapnel-testsuite.5": "testsuite"}
# Sections of the format's pages whose entries are no fields.
NO_FIELDS = {"TEMPLATES", "EXAMPLES", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"}


def page_of(verb: str) -> str:
    return f"grapnel-{verb}.{8 if verb == 'plugin' else 1}"


def helped(program: str, *verb: str) -> str:
    return subprocess.run([program, *verb, "--help"], capture_output=True, text=True, check=True,
                          timeout=60).stdout


def verbs(program: str) -> dict[str, str]:
    return dict(re.findall(r"^  (\w+) +(\S.*)$", helped(program), re.M))


def sections(name: str) -> dict[str, str]:
    parts = re.split(r"^# (.*)\n", (MAN / f"{name}.scd").read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def plain(text: str) -> str:
    """Without scdoc's marks."""
    return re.sub(r"\\(.)|[*]|(?<!\w)_|_(?!\w)", r"\1", text)


def entries(text: str) -> list[str]:
    """What stands before an indented paragraph."""
    return [plain(line) for line in re.findall(r"^(\S.*)\n\t", text, re.M)]


def fields(schema: object) -> set[str]:
    """The names of all properties, wherever they are."""
    if isinstance(schema, list):
        return {name for item in schema for name in fields(item)}
    if not isinstance(schema, dict):
        return set()
    own = {part for name in schema.get("properties", {}) for part in name.split(".")}
    below = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(),
             *(value for key, value in schema.items()
               if key not in ("properties", "$defs", "enum", "const", "default", "examples"))]
    return own | fields(below)


def test_pages(grapnel: str):
    """A page for each verb, none for what is not there, and all are installed."""
    expected = {page_of(verb) for verb in verbs(grapnel)} | set(FORMATS) | {"grapnel.1"}
    assert {path.name.removesuffix(".scd") for path in MAN.glob("*.scd")} == expected
    assert set(re.findall(r"'([\w.-]+\.\d)'", (MAN / "meson.build").read_text())) == expected


def test_overview(grapnel: str):
    """grapnel(1) names the verbs as --help does."""
    listed = [re.fullmatch(r"grapnel-(\w+)\(\d\)", name).group(1)
              for name in entries(sections("grapnel.1")["VERBS"])]
    assert listed == list(verbs(grapnel))


def test_options(grapnel: str):
    """Every option with its value, in the order of the help, and none that is not there."""
    for verb in verbs(grapnel):
        told = re.findall(r"^  (-h, --help|-v, --verbose|--?[a-z-]+(?:\[=[A-Z]+\])?"
                          r"(?: (?:[A-Z][^a-z\s]*|[a-z]+\|\S+))?)(?= |$)", helped(grapnel, verb), re.M)
        assert told, verb
        assert entries(sections(page_of(verb))["OPTIONS"]) == told, verb


def test_summaries(grapnel: str):
    for verb, summary in verbs(grapnel).items():
        assert sections(page_of(verb))["NAME"].strip() == f"grapnel-{verb} - {summary}"


def test_exit_codes(grapnel: str):
    for verb in verbs(grapnel):
        told = re.search(r"^Exit codes.*?:((?:.|\n(?!\n))*)", helped(grapnel, verb), re.M).group(1)
        codes = re.findall(r"(?:^|,)\s+(\d) ", told)
        assert entries(sections(page_of(verb))["EXIT STATUS"]) == codes, verb


def test_examples(grapnel: str):
    """Those of the help, word by word."""
    for verb in verbs(grapnel):
        told = re.search(r"^Example.*:\n((?:  .*\n)+)", helped(grapnel, verb), re.M)
        shown = re.findall(r"^```\n(.*?)\n```$", sections(page_of(verb)).get("EXAMPLES", ""), re.M | re.S)
        assert shown == ([line.strip() for line in told.group(1).splitlines()] if told else []), verb


@pytest.mark.parametrize("page", FORMATS)
def test_fields(page: str):
    """All fields of the JSON Schema and no others; a name in capitals stands for any."""
    schema = json.loads((ROOT / f"specs/{FORMATS[page]}.schema.json").read_text())
    named = {part for title, text in sections(page).items() if title not in NO_FIELDS
             for entry in entries(text) for part in re.split(r"[.,] ?", entry)
             if not part.isupper()}
    assert named == fields(schema)


@pytest.mark.parametrize("page", ["grapnel-config.5", "grapnel-policy.5", "hookset.5"])
def test_documents(grapnel: str, tmp_path: Path, page: str):
    """The documents of the examples are what check takes."""
    shown = re.findall(r"^```\n(apiVersion.*?\n)```$", sections(page)["EXAMPLES"], re.M | re.S)
    assert len(shown) == 1
    document = tmp_path / "document.yaml"
    document.write_text(shown[0])
    for path in (tmp_path, document):
        path.chmod(path.stat().st_mode & ~0o022)
    if page != "hookset.5":
        (tmp_path / "rules").mkdir(mode=0o755)
    what = {"grapnel-config.5": ["--hooks-dir", str(tmp_path / "rules"), "--config"],
            "grapnel-policy.5": ["--hooks-dir", str(tmp_path / "rules"), "--policy"],
            "hookset.5": []}[page]
    done = subprocess.run([grapnel, "check", "--no-host", *what, str(document)],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", sorted(path.stem for path in MAN.glob("*.scd")))
def test_see_also(page: str):
    """Pages of ours that are referred to are there, in that section."""
    text = plain((MAN / f"{page}.scd").read_text())
    named = set(re.findall(r"\b((?:grapnel[\w-]*|hookset)\(\d\))", text))
    missing = {name for name in named if not (MAN / f"{name[:-3]}.{name[-2]}.scd").exists()}
    assert named and not missing
