# SPDX-License-Identifier: Apache-2.0
"""grapnel convert: what comes out of the files that people have, what is said, exit codes."""
from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

TIMEOUT = "no timeout and may run for ever elsewhere; here the longest stands in, 120 seconds"

UMOUNT = {"version": "1.0.0",
          "hook": {"path": "/usr/libexec/oci/hooks.d/oci-umount", "args": ["oci-umount", "--debug"]},
          "when": {"hasBindMounts": True}, "stages": ["prestart"]}
UMOUNT_YAML = """apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {name: NAME}
spec:
  match:
    mounts: {type: bind}
  hooks:
    createRuntime:
      - path: /usr/libexec/oci/hooks.d/oci-umount
        args: [oci-umount, --debug]
        timeout: 120
"""

LXCFS = {"prestart": [{"path": "/var/lib/docker/hooks/lxcfs-hook",
                       "args": ["lxcfs-hook", "--log", "/var/log/lxcfs-hook.log"], "env": []}],
         "poststart": [], "poststop": []}
DOCKER = {"prestart": [{"path": "/docker-root/hooks/docker-hooks",
                        "args": ["docker-hooks", "--state", "prestart"], "env": [], "timeout": 5}],
          "poststart": [],
          "poststop": [{"path": "/docker-root/hooks/docker-hooks",
                        "args": ["docker-hooks", "--state", "poststop"], "env": [], "timeout": 5}]}
MERGED_YAML = """apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {name: NAME}
spec:
  match: {always: true}
  hooks:
    prestart:
      - path: /var/lib/docker/hooks/lxcfs-hook
        args: [lxcfs-hook, --log, /var/log/lxcfs-hook.log]
        timeout: 120
      - path: /docker-root/hooks/docker-hooks
        args: [docker-hooks, --state, prestart]
        timeout: 5
    poststop:
      - path: /docker-root/hooks/docker-hooks
        args: [docker-hooks, --state, poststop]
        timeout: 5
"""

TOOLKIT = """[container-hooks]
# the hooks
path = "PATH"

[container-hooks-ctk]
path = '/usr/bin/container-hooks-ctk'

[container-hooks-runtime]
debug = "/etc/container-hooks/container-hooks-runtime.log"
log-level = "info"
runtimes = [
  "runc", # first
  "docker-runc",
]
"""


@pytest.fixture
def convert(grapnel: str):
    def run(*args: object, code: int = 0, cwd: Path | None = None) -> subprocess.CompletedProcess:
        done = subprocess.run([grapnel, "convert", *map(str, args)], capture_output=True, text=True,
                              check=False, timeout=60, stdin=subprocess.DEVNULL, cwd=cwd)
        assert done.returncode == code, done.stdout + done.stderr
        if code:
            assert done.stdout == ""
        return done

    return run


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_oci_hooks(convert, tmp_path):
    path = write(tmp_path / "99-Oci_Umount.json", UMOUNT)
    done = convert(path)
    assert done.stdout == (f"# From {path} (oci-hooks(5))\n" +
                           UMOUNT_YAML.replace("NAME", "99-oci-umount"))
    assert done.stderr == f"{path}:1:30: warning: 1 hook has {TIMEOUT}\n"


def test_the_old_version(convert, tmp_path):
    path = write(tmp_path / "a.json", {"hook": UMOUNT["hook"]["path"], "arguments": ["--debug"],
                                       "hasbindmounts": True, "stage": ["prestart"]})
    text = UMOUNT_YAML.replace("NAME", "a").replace(
        "[oci-umount, --debug]", f"[{UMOUNT['hook']['path']}, --debug]")
    assert convert(path).stdout.split("\n", 1)[1] == text


def test_directories_mask_and_order(convert, tmp_path):
    low, high = tmp_path / "usr", tmp_path / "etc"
    for folder, name in ((low, "b.json"), (low, "A.json"), (low, "0.json"), (high, "b.json")):
        write(folder / name, UMOUNT)
    write(low / "a.txt", "not json")
    done = convert(low, high)
    heads = [line for line in done.stdout.split("\n") if line.startswith(("# ", "---"))]
    assert heads == [f"# From {low}/0.json (oci-hooks(5))", "---",
                     f"# From {low}/A.json (oci-hooks(5))", "---",
                     f"# From {high}/b.json (oci-hooks(5))"]
    assert f"{high}/b.json masks {low}/b.json" in done.stderr


def test_two_files_of_one_name(convert, tmp_path):
    paths = [write(tmp_path / name, UMOUNT) for name in ("A.json", "a.json")]
    done = convert(*paths, code=1)
    assert "the set's name would be \"a\", as that of" in done.stderr
    assert "nothing was written" in done.stderr


def test_hook_specs_are_merged(convert, tmp_path):
    paths = [write(tmp_path / "hookspec.json", LXCFS), write(tmp_path / "second.json", DOCKER)]
    done = convert(*paths)
    assert done.stdout == (f"# From {paths[0]}, then {paths[1]} (OCI hooks)\n" +
                           MERGED_YAML.replace("NAME", "hookspec"))
    assert done.stderr == f"{paths[0]}:1:1: warning: 1 hook has {TIMEOUT}\n"
    named = convert("--name", "docker-default", *paths)
    assert "metadata: {name: docker-default}\n" in named.stdout


def test_config_json(convert, tmp_path):
    path = write(tmp_path / "config.json",
                 {"ociVersion": "1.0.2", "process": {"args": ["sh"]}, "hooks": DOCKER,
                  "linux": {"resources": {"rlimit": 18446744073709551615}}})
    text = convert(path).stdout
    assert "    prestart:\n      - path: /docker-root/hooks/docker-hooks\n" in text
    assert "metadata: {name: config}\n" in text


def test_toolkit(convert, tmp_path):
    hooks = write(tmp_path / "hooks.json",
                  {"prestart": [{"path": "/usr/bin/container-hooks"}, {"path": "/opt/test.sh"}]})
    path = write(tmp_path / "config.toml", TOOLKIT.replace("PATH", str(hooks)))
    done = convert(path)
    assert done.stdout == f"""# From {hooks} (OCI hooks)
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: hooks}}
spec:
  match: {{always: true}}
  hooks:
    prestart:
      - path: /opt/test.sh
        timeout: 120
"""
    for place, key in ((6, "container-hooks-ctk.path"), (9, "container-hooks-runtime.debug"),
                       (10, "container-hooks-runtime.log-level"),
                       (11, "container-hooks-runtime.runtimes")):
        assert f"{path}:{place}:1: warning: {key} has no counterpart" in done.stderr
    assert "the hook container-hooks is the mark of the Container Hooks Toolkit" in done.stderr


@pytest.mark.parametrize("text,place,part", [
    ("[a\n", "1:3", "] behind the name"),
    ("[[a]\n", "1:4", "]] behind the name"),
    ("a = 1\nb\n", "2:2", "= behind the key"),
    ("a = \n", "1:5", "a value"),
    ("a = 1 2\n", "1:7", "the end of the line"),
    ('a = "b\n', "1:5", "a closing quote"),
    ('a = "\\x"\n', "1:6", "b, t, n, f, r"),
    ("a = [1 2]\n", "1:8", "a comma or the closing ]"),
    ("a = [1,\n", "2:1", "a value"),
    ("[container-hooks]\npath = 5\n", "2:8", "an absolute path"),
    ("[container-hooks]\npath = 'x'\n", "2:8", "an absolute path"),
])
def test_other_toml(convert, tmp_path, text, place, part):
    path = write(tmp_path / "config.toml", text)
    done = convert(path, code=1)
    assert f"{path}:{place}: error: expected {part}" in done.stderr


def test_out(convert, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    source = write(tmp_path / "in" / "10-A_b.json", UMOUNT)
    spec = write(tmp_path / "spec.json", DOCKER)
    done = convert("--out", folder, tmp_path / "in", spec)
    assert done.stdout == ""
    assert sorted(p.name for p in folder.iterdir()) == ["10-a_b.yaml", "spec.yaml"]
    text = (folder / "10-a_b.yaml").read_text()
    assert text == f"# From {source} (oci-hooks(5))\n" + UMOUNT_YAML.replace("NAME", "'10-a-b'")
    assert (folder / "spec.yaml").stat().st_mode & 0o777 == 0o644
    (folder / "spec.yaml").write_text("mine")
    (folder / "10-a_b.yaml").unlink()
    done = convert("--out", folder, tmp_path / "in", spec, code=1)
    assert "spec.yaml is there already; use --force" in done.stderr
    assert sorted(p.name for p in folder.iterdir()) == ["spec.yaml"]
    assert (folder / "spec.yaml").read_text() == "mine"
    convert("--force", "--out", folder, tmp_path / "in", spec)
    assert (folder / "spec.yaml").read_text().startswith("# From")
    assert len(list(folder.iterdir())) == 2


def test_out_says_when_the_order_changes(convert, tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("a.json", "a.k.json"):
        write(tmp_path / "in" / name, UMOUNT)
    done = convert("--out", tmp_path / "out", tmp_path / "in")
    assert "a.k.yaml: warning: this set ran behind that of" in done.stderr


def test_what_cannot_be_read_or_written(convert, tmp_path):
    path = write(tmp_path / "a.json", UMOUNT)
    assert "No such file" in convert(tmp_path / "none", code=4).stderr
    assert "No such file" in convert("--out", tmp_path / "none", path, code=4).stderr
    os.mkfifo(tmp_path / "fifo.json")
    assert "expected a regular file" in convert(tmp_path / "fifo.json", code=4).stderr
    missing = write(tmp_path / "c.toml", TOOLKIT.replace("PATH", str(tmp_path / "none.json")))
    assert "none.json cannot be read: No such file" in convert(missing, code=4).stderr


@pytest.mark.parametrize("more", [0, 1])
def test_number_of_files(convert, tmp_path, more):
    """At the limit, and one past it."""
    (tmp_path / "in").mkdir()
    for i in range(4096 + more):
        (tmp_path / "in" / f"{i}.json").write_text(
            '{"version":"1.0.0","hook":{"path":"/x","timeout":1},"when":{"always":true},'
            '"stages":["poststop"]}')
    done = convert(tmp_path / "in", code=2 if more else 0)
    assert ("at most 4096 files" in done.stderr) == bool(more)
    assert done.stdout.count("# From") == (0 if more else 4096)


def test_refused(convert, tmp_path):
    good = write(tmp_path / "good.json", UMOUNT)
    bad = write(tmp_path / "bad.json", {**UMOUNT, "stages": ["precreate"]})
    done = convert(good, bad, code=1)
    assert "bad.json" in done.stderr and "is no stage of the OCI runtime-spec" in done.stderr
    broken = write(tmp_path / "broken.json", '{"hook": {},\n "stages"; []}')
    assert f"{broken}:2:10: error: expected a colon behind the key, found ;\n" in convert(
        broken, code=1).stderr
    other = write(tmp_path / "other.json", {"a": 1})
    assert "say what it is with --kind" in convert(other, code=1).stderr
    assert "path" in convert("--kind", "oci-hooks", other, code=1).stderr
    both = write(tmp_path / "both.json", {**DOCKER, "hooks": DOCKER})
    assert "stand side by side" in convert(both, code=1).stderr
    for beside in ({}, {"hooks": DOCKER}):
        below = write(tmp_path / "below.json", {"process": {"args": ["sh"], "hooks": DOCKER}, **beside})
        assert (f'{below}:1:30: error: "hooks" stands below "process", where no runtime looks for it; '
                'it belongs beside "process"\n') in convert(below, code=1).stderr


def test_nothing_to_write(convert, tmp_path):
    empty = write(tmp_path / "default.json", {"prestart": [], "poststart": [], "poststop": []})
    done = convert(empty)
    assert done.stdout == "" and "there is no hook here" in done.stderr
    typo = write(tmp_path / "typo.json", {"prestart": [], "poststopp": [{"path": "/x"}]})
    assert "did you mean \"poststop\"?" in convert(typo).stderr
    no_stage = write(tmp_path / "none.json", {**UMOUNT, "stages": []})
    done = convert(no_stage)
    assert done.stdout == "" and "injects nothing" in done.stderr
    (tmp_path / "folder").mkdir()
    assert "holds no *.json file" in convert(tmp_path / "folder").stderr


@pytest.mark.parametrize("args,expected", [
    ([], "at least one file or directory"),
    (["--name", "A", "x"], "--name of lower-case letters"),
    (["--kind", "x", "y"], "--kind oci-hooks, hook-spec or toolkit"),
    (["--outt", "x"], "did you mean --out?"),
])
def test_usage(convert, args, expected):
    assert expected in convert(*args, code=2).stderr


def test_one_name_for_several(convert, tmp_path):
    for name in ("a.json", "b.json"):
        write(tmp_path / "in" / name, UMOUNT)
    assert "several sets" in convert("--name", "x", tmp_path / "in", code=2).stderr


def test_help(convert):
    text = convert("--help").stdout
    assert text.startswith("Usage: grapnel convert [OPTION]... FILE|DIR...\n")
    for option in ("--name", "--out", "--force", "--kind"):
        assert f"  {option}" in text


def test_what_is_written_is_read(convert, grapnel, tmp_path):
    """Texts that YAML would take for something else come through as they are."""
    (tmp_path / "out").mkdir()
    args = ["hook", "a b", "{{.ID}}", "it's \"x\"", "line\nline", "", "#", "yes", "\u202e"]
    write(tmp_path / "in.json", {"hooks": {"poststop": [
        {"path": "/bin/true", "args": args, "env": ["A=b c", "B="], "timeout": 7}]}})
    convert("--out", tmp_path / "out", tmp_path / "in.json")
    done = subprocess.run([grapnel, "render", "--hooks-dir", str(tmp_path / "out")], text=True,
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    hook = json.loads(done.stdout)["poststop"][0]
    assert hook["args"] == args
    assert hook["env"][:2] == ["A=b c", "B="] and hook["timeout"] == 7


