# SPDX-License-Identifier: Apache-2.0
"""What the golden tests share: the program, and rules installed where nobody else can write."""
from __future__ import annotations

import ctypes
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# What the end-to-end tests have already: waiting, and reading pages.
sys.path.append(str(ROOT / "tests/e2e"))
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/rule.yaml"))
HOOKS = "/opt/hooks/"  # where the examples expect their programs
# What they use of the host, with files in it; here it lies below the node's home.
HOST = {
    "/run/health-monitor": {},
    "/srv/datasets": {"imagenet/LICENSE": b"for research\n"},
    "/srv/ml/lib": {},  # a library, where one is needed
    "/var/lib/lxcfs/proc": {"cpuinfo": b"processor: 0\n", "meminfo": b"MemTotal: 4096 kB\n",
                            "stat": b"cpu 1 2 3\n", "uptime": b"1.00 0.50\n"},
}
HOST_FILES = ["/run/grapnel-example.log"]  # what they write there by themselves
STORE = "/opt/grapnel/programs"  # where they expect what comes from images
NODE_NAME = "node-1"
STAGES = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart",
          "poststop"]

# Prints as JSON what it was started with. The environment is read from the kernel, since Python may
# add to its own; /proc/self is right in a container's namespaces too.
PROBE = """#!/usr/bin/python3 -IS
import json, os, sys
environ = open("/proc/self/environ").read().rstrip("\\0").split("\\0")
print(json.dumps({"cwd": os.getcwd(), "env": environ, "args": sys.argv[1:],
                  "state": sys.stdin.read()}, indent=1))
"""


# Where the program writes unless it is told another place.
DEFAULTS = [Path("/run/grapnel"), Path("/var/lib/grapnel"), Path("/opt/grapnel")]
CLONE_NEWNS = 0x20000
OVERLAY = """mount --make-rprivate / && mount -t tmpfs none "$1" && cd "$1" || exit
shift
for default; do
    above=$(dirname "$default")
    mkdir -p ".$above/new" ".$above/work"
    mount -t overlay none -o "lowerdir=$above,upperdir=.$above/new,workdir=.$above/work" "$above" || exit
    rm -rf "$default"
done
cd / && umount "$OLDPWD"
"""


@pytest.fixture(scope="session")
def own_defaults() -> bool:
    """
    Mounts of our own, in which nothing lies in the default directories: what a plugin on this machine
    keeps there is no matter of the tests, and theirs none of the machine. False: that needs root, and
    who is not root cannot write there either; and a / that is a mount, which that of a chroot is not.
    """
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    if os.geteuid() != 0 or "/" not in (line.split()[4] for line in mounts) or ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        return False
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["sh", "-c", OVERLAY, "sh", place, *map(str, DEFAULTS)], check=True, stdin=subprocess.DEVNULL,
                       timeout=60)
    return True


@pytest.fixture(autouse=True)
def nothing_in_defaults(own_defaults: bool) -> Iterator[None]:
    """A test names its own directories; the next one finds these as this one did."""
    yield
    left = [path for path in DEFAULTS if own_defaults and path.exists()]
    for path in left:
        shutil.rmtree(path)
    assert left == [], "the program used default directories"


@pytest.fixture(scope="session")
def grapnel() -> str:
    path = os.environ.get("GRAPNEL", str(ROOT / "build" / "grapnel"))
    assert os.access(path, os.X_OK), f"GRAPNEL={path} is no program; run make first"
    return path


@dataclass
class Node:
    """A place with rules, hook programs and a folder for temporary files."""

    program: str
    home: Path

    @property
    def rules(self) -> Path:
        return self.home / "hooks.d"

    @property
    def hooks(self) -> Path:
        return self.home / "hooks"

    @property
    def store(self) -> Path:
        return self.home / "programs"

    @property
    def tmp(self) -> Path:
        return self.home / "tmp"

    def hook(self, name: str, text: str) -> Path:
        path = self.hooks / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    @property
    def host(self) -> Path:
        return self.home / "host"

    def rule(self, name: str, text: str) -> None:
        for path in [*HOST, *HOST_FILES]:
            text = text.replace(path, f"{self.host}{path}")
        (self.rules / f"{name}.yaml").write_text(text.replace(HOOKS, f"{self.hooks}/"))

    def install_image(self, example: Path, probe: bool) -> None:
        """What the example's image has, into the store, as the chart does it. The program is built beside this one."""
        source = self.home / "image"
        source.mkdir()
        if probe:
            (source / "hello").write_text(PROBE)
        else:
            shutil.copy(Path(self.program).parent / "examples" / example.name / "hello", source)
        (source / "hello").chmod(0o755)
        subprocess.run([self.program, "setup", "install", "--from", source, "--to", self.store / "example"],
                       check=True, capture_output=True, timeout=60)

    def provide_host(self) -> None:
        for folder, files in HOST.items():
            (self.host / folder[1:]).mkdir(parents=True)
            for name, data in files.items():
                path = self.host / folder[1:] / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(data)

    def install(self, example: Path, probe: bool = False) -> None:
        """An example's rule, programs, policy and settings; with probe, PROBE in place of each
        program."""
        self.rule(example.name, (example / "rule.yaml").read_text())
        self.provide_host()
        if (example / "policy.yaml").exists():
            shutil.copy(example / "policy.yaml", self.home / "policy.yaml")
        if (example / "config.yaml").exists():  # simulate takes all settings from one place
            text = (example / "config.yaml").read_text()
            (self.home / "config.yaml").write_text(f"{text}  hooksDirs: [{self.rules}]\n  nodeName: {NODE_NAME}\n")
        for program in (example / "hooks").glob("*"):
            self.hook(program.name, PROBE if probe else program.read_text())
        if (example / "Containerfile").exists():
            self.install_image(example, probe)

    def run(self, *args: object, prefix: tuple[str, ...] = (), **more) -> subprocess.CompletedProcess:
        policy, config = self.home / "policy.yaml", self.home / "config.yaml"
        settings = (["--config", str(config)] if config.exists()
                    else ["--hooks-dir", str(self.rules), "--node-name", NODE_NAME])
        if policy.exists():
            settings += ["--policy", str(policy)]
        if self.store.exists():
            settings += ["--programs-dir", str(self.store)]
        command = [*prefix, self.program, "simulate", *settings, *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60,
                              stdin=subprocess.DEVNULL,
                              env={**os.environ, "TMPDIR": str(self.tmp)}, **more)
        assert list(self.tmp.iterdir()) == [], "something was left behind"
        return done

    def json(self, *args: object, code: int = 0, **more) -> dict:
        done = self.run("-o", "json", *args, **more)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def normal(self, text: str) -> str:
        """Without what differs from place to place: paths, and hashes over texts with paths."""
        text = text.replace(f"{self.hooks}/", HOOKS).replace(f"{self.rules}/", "/etc/grapnel/hooks.d/")
        text = text.replace(str(self.host), "")
        text = re.sub(f"{self.store}/(\\w+)/[0-9a-f]{{64}}/", f"{STORE}/\\1/DIGEST/", text)
        return re.sub(r"@[0-9a-f]{16}\b", "@HASH", text)


@pytest.fixture
def node(grapnel: str, tmp_path: Path) -> Node:
    node = Node(grapnel, tmp_path)
    for path in (node.rules, node.hooks, node.tmp):
        path.mkdir(mode=0o755)
    return node


@pytest.fixture
def open_node(grapnel: str) -> Iterator[Node]:
    """Which every user can reach, with the program in it. Not below the directories of other tests: plugins watch
    those, and would see a mode that is changed."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        node = Node(str(shutil.copy(Path(grapnel).resolve(), Path(home) / "grapnel")), Path(home))
        for path in (node.rules, node.hooks, node.tmp):
            path.mkdir(mode=0o755)
        yield node


def cannot(why: str) -> NoReturn:
    """This machine has not what a test needs: it is skipped, which is counted; in CI, which has all of it, it fails."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)


@functools.cache
def no_container_because(program: str, runc: str) -> str | None:
    """Why runc can make no container on this machine, as simulate finds out; None: it can."""
    with tempfile.TemporaryDirectory() as home:
        node = Node(program, Path(home))
        node.home.chmod(0o755)
        for path in (node.rules, node.hooks, node.tmp):
            path.mkdir(mode=0o755)
        node.install(EXAMPLES[0], probe=True)
        return node.json("--runtime", runc, EXAMPLES[0] / "pods.yaml").get("noContainerBecause")


def need_containers(program: str) -> str:
    """The path of a runc that makes containers; otherwise the test is skipped, in CI it fails."""
    runc = need_runc()
    why = no_container_because(program, runc)
    if why:
        cannot(why)
    return runc


def need_runc() -> str:
    """The path of runc; without it the test is skipped, in CI it fails."""
    path = shutil.which("runc", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path and os.geteuid() == 0:
        return path
    cannot("runc is not installed" if os.geteuid() == 0 else "making containers needs root")
