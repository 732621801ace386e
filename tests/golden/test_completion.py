# SPDX-License-Identifier: Apache-2.0
"""Completion cannot go stale: it names the verbs of the help and the options that verbs take."""
from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SHELLS = ["bash", "zsh", "fish"]


def run(grapnel: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([grapnel, *arguments], capture_output=True, text=True, check=False,
                          timeout=60)


def verbs(grapnel: str) -> list[str]:
    return re.findall(r"^  (\w+) ", run(grapnel, "--help").stdout, re.M)


def complete(grapnel: str, tmp_path: Path, *words: str) -> list[str]:
    """What bash offers in place of the last word."""
    script = tmp_path / "grapnel.bash"
    script.write_text(run(grapnel, "completion", "bash").stdout)
    command = 'source "$1"; shift; COMP_WORDS=(grapnel "$@"); COMP_CWORD=$#; _grapnel; ' \
        'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", command, "bash", str(script), *words],
                          capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path)
    assert done.stderr == ""
    return done.stdout.split()


def test_verbs(grapnel: str, tmp_path: Path):
    assert complete(grapnel, tmp_path, "") == verbs(grapnel)
    assert complete(grapnel, tmp_path, "ex") == ["explain"]


def test_options(grapnel: str, tmp_path: Path):
    """Those of the help of each verb, and the other way round."""
    for verb in verbs(grapnel):
        offered = {word for word in complete(grapnel, tmp_path, verb, "-") if len(word) > 2}
        text = run(grapnel, verb, "--help").stdout
        told = set(re.findall(r"^ {2,4}(?:-\w, )?(--[a-z-]+)", text, re.M))
        short = {"--output"} if re.search(r"^  -o ", text, re.M) else set()
        assert offered == told | short | {"--help"}, verb


def test_values(grapnel: str, tmp_path: Path):
    (tmp_path / "rules").mkdir()
    assert complete(grapnel, tmp_path, "explain", "-o", "") == ["text", "json", "yaml"]
    assert complete(grapnel, tmp_path, "explain", "--from", "ru") == ["rules"]
    assert complete(grapnel, tmp_path, "explain", "--image", "ru") == []
    assert complete(grapnel, tmp_path, "check", "ru") == ["rules"]
    assert complete(grapnel, tmp_path, "schema", "H") == ["HookSet"]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell(grapnel: str, shell: str):
    """Each names every verb; where the shell is there it can read its text."""
    done = run(grapnel, "completion", shell)
    assert done.returncode == 0
    for verb in verbs(grapnel):
        assert re.search(rf"\b{verb}\b", done.stdout), verb
    if shutil.which(shell):
        read = subprocess.run([shell, "-n", "/dev/stdin"], input=done.stdout, capture_output=True,
                              text=True, check=False, timeout=60)
        assert (read.returncode, read.stderr) == (0, "")


def test_usage(grapnel: str):
    for arguments in (["tcsh"], [], ["bash", "zsh"]):
        done = run(grapnel, "completion", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
