# SPDX-License-Identifier: Apache-2.0
"""docs/quick-start.md, followed to the letter."""

from __future__ import annotations

from harness import cache, pages
from harness.cache import ROOT
from harness.runtime import BUSYBOX
from kube import stock
from kube.cluster import Cluster
from kube.stock import Image

PAGE = ROOT / "docs/quick-start.md"
# Image pulls aside; the page says ten minutes.
LIMIT_S = 600


def images() -> list[Image]:
    """What the node would pull: the page, the example and the chart name them."""
    program = cache.grapnel()
    pause = cache.fetched("helpers") / "pause"
    return [
        Image("ghcr.io/grapnel/grapnel:0.1.0", {"usr/bin/grapnel": program}, ["/usr/bin/grapnel"]),
        Image("ghcr.io/grapnel/grapnel-example:0.1.0",
              {"hooks/hello": program.parent / "examples/23-quick-start/hello"}, ["/hooks/hello"]),
        Image("registry.k8s.io/pause:3.10.1", {"pause": pause}, ["/pause"]),
        Image("registry.k8s.io/kubectl:v1.34.1",
              {"bin/kubectl": cache.fetched(stock.KUBERNETES) / "kubectl"}, ["/bin/kubectl"]),
        Image("docker.io/library/busybox:1.37", {"bin/cat": BUSYBOX, "bin/sleep": BUSYBOX},
              ["/bin/sleep"]),
    ]  # fmt: skip


def follow(cluster: Cluster, blocks: list[pages.Block]) -> None:
    """As somebody would, in the clone; fails where a command does something else than the page says."""
    folder = cluster.host.path / "quick-start"
    folder.mkdir()
    cluster.shell(ROOT, pages.script(blocks, folder), LIMIT_S)
    try:
        for block, ran in zip(blocks, pages.results(blocks, folder), strict=True):
            block.check(ran)
    except AssertionError as e:
        raise AssertionError(f"{e}\n{cluster.describe()}") from None


def left(cluster: Cluster) -> list[str]:
    """What the node has that it had not before: on the host's own file systems."""
    places = [cluster.root / place for place in ("opt", "run/grapnel", "var/lib/grapnel")]
    return [str(path) for place in places if place.exists() for path in [place, *place.rglob("*")]
            if path.is_file()]  # fmt: skip


def test_quick_start(cluster: Cluster) -> None:
    for image in images():
        cluster.load_image(image.write(cluster.host.path))
    blocks = [block for block in pages.read(PAGE) if block.is_command]
    assert len(blocks) == 9 and all(block.runs for block in blocks)
    try:
        follow(cluster, blocks)
        assert left(cluster) == []
        assert "grapnel" not in cluster.kubectl("get", "namespaces,clusterroles,daemonsets", "-A")
    finally:
        cluster.host.run(["rm", "-f", "/run/grapnel-example.log"])
