# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images and depth maps of a bag, decoded or named as damaged."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.inputs.bag_messages import decode, metres
from xstreamvggt_ros.inputs.datasets.bag_index import BagFile, Place
from xstreamvggt_ros.inputs.datasets.problems import Problems
from xstreamvggt_ros.inputs.datasets.sequence import DamagedFrame


def read_image(bag: BagFile, place: Place, problems: Problems) -> np.ndarray:
    """Decode an image to (H, W, 3) uint8 RGB; DamagedFrame, and a problem, where that fails."""
    try:
        message = bag.message(place)
        if message is None:
            raise ValueError('its bytes are no message')
        return decode(message)
    except Exception as error:  # noqa: BLE001 parsers of damaged bytes raise what they please
        text = f'{place.topic}: the image at {place.stamp_ns} ns is left out, damaged: {error}'
        problems.add(text)
        raise DamagedFrame(text) from error


def read_depth(bag: BagFile, place: Place, problems: Problems) -> np.ndarray | None:
    """Decode a depth map to metres (H, W), NaN where unknown; None, and a problem, if damaged."""
    try:
        return metres(bag.message(place))
    except Exception as error:  # noqa: BLE001 damaged bytes raise nearly anything
        problems.add(f'{place.topic}: no depth at {place.stamp_ns} ns, damaged: {error}')
        return None
