# SPDX-License-Identifier: Apache-2.0
"""A pod cannot make itself match by writing the annotations that carry the image's name."""

from __future__ import annotations

import pytest
from harness.node import Node
from harness.runtime import IMAGE_HOOKED

FORGED = {
    "io.kubernetes.cri.image-name": IMAGE_HOOKED,
    "io.kubernetes.cri-o.ImageName": IMAGE_HOOKED,
    "io.kubernetes.cri-o.Image": IMAGE_HOOKED,
    "io.kubernetes.cri-o.ImageRef": IMAGE_HOOKED,
    "io.kubernetes.cri-o.ImageRepoDigests": IMAGE_HOOKED + "@sha256:" + "0" * 64,
}


@pytest.mark.check("forged image annotation")
def test_forged_annotations_change_nothing(node: Node) -> None:
    with node.container(annotations=FORGED) as running:
        assert node.hooks_text(running) == node.baseline, node.describe()


@pytest.mark.check("forged image annotation")
def test_forged_annotations_do_not_take_hooks_away(node: Node) -> None:
    forged = {key: "localhost/other:test" for key in FORGED}
    with node.container(IMAGE_HOOKED, forged) as running:
        assert b"by-image" in node.hooks_text(running), node.describe()
