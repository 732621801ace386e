# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests in a real cluster: one for the session, gone with it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "e2e")]

import pytest  # noqa: E402
from kube import cluster as clusters  # noqa: E402
from kube import stock  # noqa: E402
from kube.cluster import Cluster  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    """A run that is told to end takes its cluster along, as with ^C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with clusters.started() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def stocked(cluster: Cluster) -> Cluster:
    """The cluster with the images that releases of the chart name."""
    for image in (stock.programs(), stock.programs("next"), stock.kubectl()):
        cluster.load_image(image.write(cluster.host.path))
    return cluster
