# SPDX-License-Identifier: Apache-2.0
"""Real limits of inotify for one process."""
from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from conftest import cannot

CLONE_NEWUSER = 0x10000000
LIMITS = "/proc/sys/user/max_inotify_"


def with_limit(name: str, number: int) -> Callable[[], None]:
    """Gives this process a real limit of its own, as root of a user namespace: the kernel counts in each."""
    users, groups = f"0 {os.geteuid()} 1", f"0 {os.getegid()} 1"
    libc = ctypes.CDLL(None, use_errno=True)

    def apply() -> None:
        if libc.unshare(CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "unshare")
        for path, text in [("/proc/self/uid_map", users), ("/proc/self/setgroups", "deny"),
                           ("/proc/self/gid_map", groups), (LIMITS + name, str(number))]:
            Path(path).write_text(text)

    return apply


def need_user_namespaces() -> None:
    """Not every machine gives them: none does to a process below chroot(2)."""
    if subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False, timeout=60).returncode != 0:
        cannot("no user namespaces for the real limits of inotify")
