"""containerd up to 1.7.25: its NRI takes CRI down with a launched plugin that fails to start."""

from __future__ import annotations

from typing import Iterator

import pytest

from harness import cache
from harness.cri import ContainerSpec, PodSpec
from harness.containerd import Containerd
from harness.host import Host
from harness.plugin import Launched
from harness.runtime import IMAGE_PLAIN, RUNC, Runtime

BAD_CONFIGS = {
    "not YAML": "{{{",
    "unknown key": "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {noSuchKey: 1}\n",
    "no such folder": "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {hooksDirs: [/no/such/folder]}\n",
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
    """The plugin registers and stays, whatever it is given; containers without a claim on it start."""
    plugin = Launched(runtime, cache.grapnel(), config)
    plugin.start()
    with runtime.cri.run(PodSpec("plain"), ContainerSpec(IMAGE_PLAIN)):
        assert plugin.pid() is not None, plugin.describe()
