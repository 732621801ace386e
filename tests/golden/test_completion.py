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
        assert offered == told_options(grapnel, verb), verb


def told_options(grapnel: str, verb: str) -> set[str]:
    """Those of its help; -o is --output in full."""
    text = run(grapnel, verb, "--help").stdout
    told = set(re.findall(r"^ {2,4}(?:-\w, )?(--[a-z-]+)", text, re.M))
    return told | ({"--output"} if re.search(r"^  -o ", text, re.M) else set()) | {"--help"}


@pytest.mark.parametrize("shell, pattern", [
    ("bash", r"^ *{verb}:-\*\) words=\"(.*)\" ;;$"),
    ("zsh", r"^ *{verb}:-\*\) compadd -- (.*) ;;$"),
    ("fish", r"^complete -c grapnel -n '__fish_seen_subcommand_from {verb}' -l ([a-z-]+)"),
])
def test_options_of_every_script(grapnel: str, shell: str, pattern: str):
    """As text, whether or not the shell is there: those of the help of each verb, and no others."""
    script = run(grapnel, "completion", shell).stdout
    for verb in verbs(grapnel):
        found = re.findall(pattern.format(verb=verb), script, re.M)
        words = {f"--{word}" for word in found} if shell == "fish" else set(found[0].split())
        assert {word for word in words if len(word) > 2} == told_options(grapnel, verb), verb


VALUES = {
    ("convert", "--kind"): "oci-hooks hook-spec toolkit",
    ("plugin", "--log-level"): "error warning info debug",
    ("plugin", "--log-format"): "logfmt json",
    ("doctor", "--runtime"): "auto containerd crio docker podman",
    ("diff", "--runtime"): "containerd cri-o", ("explain", "--runtime"): "containerd cri-o",
    ("render", "--runtime"): "containerd cri-o",
}


@pytest.mark.parametrize("verb, option", VALUES)
def test_words_for_a_value(grapnel: str, tmp_path: Path, verb: str, option: str):
    """Each is one that the verb takes, and the help names it."""
    words = VALUES[verb, option]
    assert complete(grapnel, tmp_path, verb, option, "") == words.split()
    assert f"{verb}:{option}) compadd -- {words}; return ;;" in run(grapnel, "completion", "zsh").stdout
    assert f"__fish_seen_subcommand_from {verb}' -l {option[2:]} -x -a '{words}'\n" in \
        run(grapnel, "completion", "fish").stdout
    text = run(grapnel, verb, "--help").stdout
    about = re.search(rf"^ *{option} .*\n(?: {{10,}}.*\n)*", text, re.M).group()
    for word in words.split():
        assert re.search(rf"\b{word}\b", about), word


def test_files_for_a_value(grapnel: str, tmp_path: Path):
    (tmp_path / "rules").mkdir()
    for words in (["convert", "--out"], ["diff", "--old-oci-hooks-dir"], ["simulate", "--runtime"],
                  ["doctor", "--runtime-config"], ["setup", "--store"]):
        assert complete(grapnel, tmp_path, *words, "ru") == ["rules"], words


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
