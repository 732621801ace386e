# SPDX-License-Identifier: Apache-2.0
"""containerd up to 1.7.25: its NRI takes CRI down with a launched plugin that fails to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import cache
from harness.containerd import Containerd
from harness.cri import ContainerSpec, PodSpec
from harness.host import Host
from harness.plugin import Launched
from harness.runtime import IMAGE_PLAIN, RUNC, Runtime

HEAD = "apiVersion: grapnel/v1beta1\n"
BAD_CONFIGS = {
    "not YAML": "{{{",
    "unknown key": HEAD + "kind: Config\nspec: {noSuchKey: 1}\n",
    "no such folder": HEAD
    + "kind: Config\nspec: {hooksDirs: [/no/such/folder], lastGoodDir: none, controlSocket: none}\n",
    "empty": "",
}


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Host() as host:
        runtime = Containerd(host, "1.7.25", RUNC)
        runtime.start()
        runtime.load_images()
        yield runtime


@pytest.mark.parametrize("config", BAD_CONFIGS.values(), ids=BAD_CONFIGS.keys())
def test_bad_config_leaves_cri_up(runtime: Runtime, config: str) -> None:
    """The plugin registers and stays, whatever it is given, and containers start."""
    plugin = Launched(runtime, cache.grapnel(), config)
    plugin.start()
    with runtime.cri.run(PodSpec("plain"), ContainerSpec(IMAGE_PLAIN)):
        assert plugin.pid() is not None, plugin.describe()
