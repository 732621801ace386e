# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the peer tests: containerd's own NRI library as the runtime side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.dont_write_bytecode = True
# What the end-to-end tests have already: private hosts, processes, waiting.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

import pytest  # noqa: E402
from harness import cache  # noqa: E402
from harness.host import Host  # noqa: E402

from peer import Peer, Setup, one_hook  # noqa: E402

VERSIONS = ["0.6.1", "0.8.0", "0.10.0", "0.11.0", "0.12.2"]


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as host:
        yield host


@pytest.fixture(params=VERSIONS)
def setup(request: pytest.FixtureRequest, host: Host) -> Iterator[Setup]:
    """A peer of one NRI version and folders for it; the test starts it."""
    program = cache.fetched(f"peer-{request.param}") / "adaptation"
    with Peer(host, program) as peer:
        yield Setup(host, peer, request.param)


@pytest.fixture
def one(write_set: Callable[[str, str], Path]) -> Path:
    """The hooks folder with one set in it: ONE_HOOK for every container."""
    return write_set("one", one_hook("createRuntime"))


@pytest.fixture
def write_set(host: Host) -> Callable[[str, str], Path]:
    """Writes one drop-in into the hooks folder of the host and returns that folder."""

    def write(name: str, spec: str) -> Path:
        folder = host.path / "hooks.d"
        folder.mkdir(mode=0o755, exist_ok=True)
        head = f"apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {{name: {name}}}\nspec:\n"
        (folder / f"{name}.yaml").write_text(head + spec)
        return folder

    return write
