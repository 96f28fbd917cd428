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
    return _image(picture, 'rgb8', header)


def _float_image(values: np.ndarray, header: Header) -> Image:
    return _image(np.asarray(values, dtype='<f4'), '32FC1', header)


def _image(values: np.ndarray, encoding: str, header: Header) -> Image:
    height, width = values.shape[:2]
    return Image(
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=values.nbytes // height,
        data=byte_array(values),
    )
