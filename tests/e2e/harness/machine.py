# SPDX-License-Identifier: Apache-2.0
"""A Debian 12 that its own systemd has booted, with Grapnel as `meson install` puts it there.

systemd is the first process of its own pid, mount, cgroup, uts, ipc and network namespaces, inside
of a private host, with which all of it ends. Whatever is written lies in memory: the folder that
tests/e2e/fetch made is the lower half of an overlay.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from . import cache
from .host import Host
from .procs import Process, children_of
from .wait import DEFAULT_TIMEOUT_S, until

UNIT = "grapnel.service"

# Mounts of the private host, which see the machine's root but are not seen by it. $1: the host's
# folder, $2: Debian, $3: what meson installed, $4: the cgroup.
PREPARE = """
cd "$1"
mkdir machine cgroup
mount -t tmpfs tmpfs machine
mkdir machine/upper machine/work machine/root
mount -t overlay -o "lowerdir=$3:$2,upperdir=machine/upper,workdir=machine/work" overlay machine/root
mount -t cgroup2 none cgroup
mkdir "cgroup/$4"
cd machine/root
mkdir -p etc/systemd/system
# These would change the kernel of the whole machine, or show it.
for unit in systemd-sysctl.service systemd-modules-load.service sys-kernel-debug.mount \\
    sys-kernel-tracing.mount sys-fs-fuse-connections.mount sys-kernel-config.mount \\
    dev-hugepages.mount; do
    ln -s /dev/null "etc/systemd/system/$unit"
done
echo machine >etc/hostname
: >etc/machine-id
mount -t tmpfs -o mode=755 tmpfs run
mkdir run/nri
mount --bind "$1/nri" run/nri
"""

# Becomes the machine's first process. $1 and $4 as above.
ENTER = """
echo 0 >"$1/cgroup/$4/cgroup.procs"
cd "$1/machine/root"
exec unshare --mount --pid --fork --uts --ipc --net --cgroup --propagation private sh -ec "$5"
"""

BOOT = """
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
    : >dev/$node
    mount --bind /dev/$node dev/$node
done
mkdir dev/pts dev/shm old
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
pivot_root . old
umount -l old
rmdir old
exec env -i container=grapnel-e2e PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
"""


def install(folder: Path) -> Path:
    """`meson install` of the build directory that the program under test lies in; the folder."""
    build = cache.grapnel().parent
    done = subprocess.run(
        ["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", folder],
        capture_output=True, text=True, check=False, timeout=DEFAULT_TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, f"meson install -C {build}: {done.stdout}{done.stderr}"
    return folder


class Machine:
    """One boot. The NRI socket, where Grapnel looks for it, is nri/nri.sock of the host's folder."""

    def __init__(self, host: Host, installed: Path):
        """`installed`: what install() made; it is not written to."""
        self.host = host
        self._init: Process | None = None
        self._names = [str(host.path), str(cache.fetched("debian-12")), str(installed),
                       host.cgroup_parent.lstrip("/")]  # fmt: skip
        host.path.joinpath("nri").mkdir(mode=0o755, exist_ok=True)
        host.run(["sh", "-ec", PREPARE, "sh", *self._names])

    def boot(self) -> None:
        """Returns when systemd answers; what it starts may still be on its way."""
        argv = ["sh", "-ec", ENTER, "sh", *self._names, BOOT]
        self._init = self.host.start(argv, "systemd.log")
        until(lambda: (self.root / "run/systemd/private").exists(), "systemd answers", 60,
              self._init.describe)  # fmt: skip

    def settle(self) -> None:
        """Returns when everything is started that the boot starts; /tmp is cleaned meanwhile."""
        state = self.try_run("systemctl", "is-system-running", "--wait").stdout.strip()
        assert state == "running", f"{state}\n{self.describe()}"

    @property
    def pid(self) -> int:
        """systemd, as seen from outside."""
        assert self._init
        init = self._init
        return until(lambda: next(iter(children_of(init.pid)), None), "systemd has started", 60,
                     init.describe)  # fmt: skip

    @property
    def root(self) -> Path:
        """The machine's root folder; before the boot only the host's namespaces have it."""
        if not self._init:
            return Path(f"/proc/{self.host.pid}/root{self.host.path}/machine/root")
        return Path(f"/proc/{self.pid}/root")

    def try_run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Runs a program as root in the machine, outside of every service."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--uts", "--ipc", "--net",
                 "--cgroup", "env", "-i", "HOME=/root", "LANG=C.UTF-8",
                 "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]  # fmt: skip
        return subprocess.run(
            [*enter, *argv], capture_output=True, text=True, check=False, timeout=120, cwd="/",
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self, *argv: str) -> str:
        """The same, and it must succeed; its stdout."""
        done = self.try_run(*argv)
        assert done.returncode == 0, (
            f"{' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.describe()}"
        )
        return done.stdout

    def show(self, name: str, unit: str = UNIT) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", "--value", "--property", name, unit).strip()

    def wait(self, name: str, value: str, unit: str = UNIT, timeout: float = 60) -> None:
        """Until a property has that value."""
        until(lambda: self.show(name, unit) == value, f"{name} of {unit} is {value}", timeout,
              self.describe)  # fmt: skip

    def main_pid(self) -> int:
        """The service's process as seen from outside; 0: there is none."""
        inner = self.show("MainPID")
        for pid in children_of(self.pid):
            status = Path(f"/proc/{pid}/status").read_text()
            if f"\t{inner}\n" in next(line + "\n" for line in status.splitlines() if "NSpid" in line):
                return pid
        return 0

    def journal(self, unit: str = UNIT) -> list[dict[str, Any]]:
        """What the unit wrote, and what systemd said of it, oldest first. The last lines may be on their way."""
        self.run("journalctl", "--sync")
        text = self.run("journalctl", "--no-pager", "-o", "json", "-u", unit)
        return [json.loads(line) for line in text.splitlines()]

    def logged(self, *parts: str) -> bool:
        """Whether one line of the unit has all these parts."""
        lines = [str(entry["MESSAGE"]) for entry in self.journal()]
        return any(all(part in line for part in parts) for line in lines)

    def until_logged(self, *parts: str) -> None:
        """Waits for such a line."""
        until(lambda: self.logged(*parts), f"the journal has {parts}", detail=self.describe)

    def describe(self) -> str:
        """What a failure message should show."""
        if not self._init:
            return "not booted"
        status = self.try_run("systemctl", "--no-pager", "-n", "0", "status", UNIT).stdout
        lines = self.try_run("journalctl", "--no-pager", "-n", "40").stdout
        return f"{status}\n{lines}\n{self._init.describe()}"
