# SPDX-License-Identifier: Apache-2.0
"""A launched plugin must come up whatever it is given: with NRI 0.6.1 the runtime dies with it."""

from __future__ import annotations

import pytest

from peer import Setup

HEAD = "apiVersion: grapnel/v1beta1\n"
BAD_CONFIGS = {
    "not YAML": "{{{",
    "unknown key": HEAD + "kind: Config\nspec: {noSuchKey: 1}\n",
    "wrong kind": HEAD + "kind: HookSet\nspec: {}\n",
    "no such folder": HEAD + "kind: Config\nspec: {hooksDirs: [/no/such/folder], lastGoodDir: none, controlSocket: none}\n",
    "empty": "",
}


@pytest.mark.parametrize("config", BAD_CONFIGS.values(), ids=BAD_CONFIGS.keys())
def test_bad_config_does_not_end_the_plugin(setup: Setup, config: str) -> None:
    setup.launched(setup.host.path)
    (setup.peer.config_dir / "10-grapnel.conf").write_text(config)
    setup.peer.start()
    assert setup.peer.wait(plugins=1) == ["10-grapnel"]
    assert setup.peer.create().hooks == {}
    assert setup.peer.wait(plugins=1) == ["10-grapnel"]


def test_no_config_file(setup: Setup) -> None:
    setup.launched(setup.host.path)
    (setup.peer.config_dir / "10-grapnel.conf").unlink()
    setup.peer.start()
    assert setup.peer.wait(plugins=1) == ["10-grapnel"]
