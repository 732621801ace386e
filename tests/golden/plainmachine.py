# SPDX-License-Identifier: Apache-2.0
"""A plain machine in namespaces of its own: a root with nothing but /usr of this one, the program, and a copy of
what a clone has for readers. What runs in it ends with it, and nothing of it is left."""
from __future__ import annotations

import functools
import subprocess
from pathlib import Path

from conftest import ROOT, cannot
from harness import pages

CLONE = "/root/grapnel"  # where the commands are typed
LIMIT_S = 120
CLONED = ["charts", "deploy", "docs", "examples", "packaging"]

# $1: an empty folder, $2: where results go, $3: the program, $4: the repository
SETUP = """
set -eu
mount -t tmpfs -o mode=755 tmpfs "$1"
cd "$1"
mkdir -p usr etc/alternatives etc/containerd opt proc dev run srv var/lib var/log results root/grapnel tests
mkdir -m 1777 tmp
ln -s /run var/run
for folder in bin sbin lib lib32 lib64; do
    if [ -L /$folder ]; then cp -P /$folder .; elif [ -d /$folder ]; then mkdir $folder; mount --bind /$folder $folder; fi
done
mount --bind /usr usr
mount -o remount,bind,ro usr
mount -t tmpfs -o mode=755 tmpfs usr/local
mkdir usr/local/bin
mount --bind /etc/alternatives etc/alternatives
mount --rbind /dev dev
mount -t proc proc proc
mount --bind "$2" results
cp "$3" usr/local/bin/grapnel
cp "$4"/tests/golden/fakeruntime.py "$4"/tests/golden/noderuntime.py "$4"/tests/golden/states/rules.sh tests/
for name in @CLONED@; do cp -R "$4/$name" root/grapnel/; done
echo root:x:0:0:root:/root:/bin/sh >etc/passwd
echo 'version = 3' >etc/containerd/config.toml
exec chroot . /bin/sh -c 'hostname node-1; cd @CLONE@ && exec sh /results/script'
""".replace("@CLONED@", " ".join(CLONED)).replace("@CLONE@", CLONE)


NAMESPACES = ["unshare", "--mount", "--pid", "--uts", "--net", "--fork", "--kill-child", "--propagation", "private"]


@functools.cache
def possible() -> bool:
    """Whether this user may make such a machine here."""
    return subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False, timeout=60).returncode == 0


def follow(program: str, blocks: list[pages.Block], tmp: Path) -> None:
    """Types the commands there; fails where one does something else than its page says. Without the rights for it
    the test is skipped, in CI it fails."""
    if not possible():
        cannot("a machine of its own needs root")
    root, results = tmp / "root", tmp / "results"
    root.mkdir()
    results.mkdir()
    (results / "script").write_text(pages.script(blocks, Path("/results")))
    command = [*NAMESPACES, "sh", "-c", SETUP, "sh", root, results, program, ROOT]
    environment = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
    try:
        said = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=LIMIT_S, check=False, env=environment).stdout
    except subprocess.TimeoutExpired:
        said = f"it took more than {LIMIT_S} seconds"
    for block, ran in zip(blocks, pages.results(blocks, results)):
        try:
            block.check(ran)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{said}") from None
