# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures, depth and confidence to sensor_msgs/Image."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from xstreamvggt_ros.messages.buffers import byte_array


def depth_image(depth: np.ndarray, header: Header) -> Image:
    """Build a 32FC1 image of depth (H, W), metres along z, NaN where there is none (REP 118)."""
    return _float_image(depth, header)


def confidence_image(confidence: np.ndarray, header: Header) -> Image:
    """Build a 32FC1 image of the network's confidence (H, W), at least 1 and without a unit."""
    return _float_image(confidence, header)


def picture_image(picture: np.ndarray, header: Header) -> Image:
    """Build an rgb8 image of a picture (H, W, 3) uint8."""
    height, width, _ = picture.shape
    return Image(
        header=header,
        height=height,
        width=width,
        encoding='rgb8',
        is_bigendian=0,
        step=3 * width,
        data=byte_array(picture),
    )


def _float_image(values: np.ndarray, header: Header) -> Image:
    height, width = values.shape
    return Image(
        header=header,
        height=height,
        width=width,
        encoding='32FC1',
        is_bigendian=0,
        step=4 * width,
        data=byte_array(np.asarray(values, dtype='<f4')),
    )
