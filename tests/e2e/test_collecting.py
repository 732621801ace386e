# SPDX-License-Identifier: Apache-2.0
"""Old versions of hook programs go when no container needs them any more, whatever the runtime tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.cri import PodSpec
from harness.lab import Lab
from harness.store import LABELS, NOTE, Store


@pytest.fixture
def store(lab: Lab) -> Iterator[Store]:
    store = Store(lab)
    yield store
    store.stop()


def test_a_container_that_has_ended(lab: Lab, store: Store) -> None:
    """CRI-O runs its poststop when it is removed, and does not tell it until then; others have done so by then."""
    old = store.install("net", "old")
    store.start()
    with lab.container():  # which has no hooks
        with lab.container(PodSpec("pod", labels=LABELS)) as running:
            lab.log.wait_for(running.container_id, ["begin"])
            new = store.install("net", "new")
            store.age()
            store.stop()
            store.start()
            looked = store.looked()
            assert (looked["removed"], looked["kept"]) == (0, 1)

            config = (lab.runtime.bundle(running.container_id) / "config.json").read_text()
            assert rf"NOTE=\u003c\u0026\u003e{NOTE}" in config, "escapes stand right before digests"
            lab.runtime.cri.call("stop", running.container_id)
            hides = lab.kind.runtime == "CRI-O"
            if not hides:
                lab.log.wait_for(running.container_id, ["begin", "end"])
            store.stop()
            store.start()
            looked = store.looked()
            assert (looked["removed"], looked["kept"]) == ((0, 1) if hides else (1, 0))
            assert (store.path / "net" / old / "record").exists() == hides
        lab.log.wait_for(running.container_id, ["begin", "end"])
        store.stop()
        store.start()
        assert store.looked()["removed"] == (1 if hides else 0)
        names = {path.name for path in (store.path / "net").iterdir()}
        assert names == {new, "current", ".lock"}
