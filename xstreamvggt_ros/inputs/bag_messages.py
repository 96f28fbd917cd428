# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What messages of a bag hold, as arrays and plain numbers."""

from __future__ import annotations

import logging

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.images.decoding import decode_image
from xstreamvggt_ros.images.decoding_compressed import decode_compressed
from xstreamvggt_ros.images.errors import ImageError
from xstreamvggt_ros.inputs.frames import Calibration, depth_in_metres, RawImage

# Encodings of depth maps (REP 118) and the factor that makes them metres.
DEPTH_ENCODINGS = {'32FC1': 1.0, '16UC1': 1e-3, 'mono16': 1e-3}

# An image beyond this many pixels is a damaged header, not a camera's.
MAX_PIXELS = 2**27

logger = logging.getLogger(__name__)


def deserialise(reader, connection, cdr: bytes, log_ns: int):
    """Give the message, or None with a warning that names the one which is damaged."""
    try:
        return reader.deserialize(cdr, connection.msgtype)
    except Exception as error:  # damaged bytes raise nearly anything
        logger.warning(
            'skipped a damaged message on %s, recorded at %d ns: %s',
            connection.topic,
            log_ns,
            error,
        )
        return None


def raw_image(message) -> RawImage:
    return RawImage(
        message.height,
        message.width,
        message.encoding,
        message.is_bigendian,
        message.step,
        message.data.tobytes(),
    )


def calibration_of(message) -> Calibration:
    d, k, r, p = (tuple(getattr(message, name).tolist()) for name in 'dkrp')
    return Calibration(message.height, message.width, message.distortion_model, d, k, r, p)


def decode(message) -> np.ndarray:
    """Decode an image to RGB (H, W, 3) as the node does; ImageError."""
    decoder = decode_image if hasattr(message, 'encoding') else decode_compressed
    return decoder(message, MAX_PIXELS)


def show(message) -> np.ndarray | None:
    """Decode an image to RGB for people; None where its encoding cannot be shown."""
    try:
        return decode(message)
    except ImageError as error:
        logger.warning('no picture of the image at its stamp: %s', error)
        return None


def metres(message) -> np.ndarray:
    """Turn a depth image into metres (H, W), NaN where it has no reading."""
    dtype = np.dtype(np.float32 if message.encoding == '32FC1' else np.uint16)
    rows = message.data.reshape(message.height, message.step)
    values = rows[:, : message.width * dtype.itemsize].copy()
    values = values.view(dtype.newbyteorder('>' if message.is_bigendian else '<'))
    return depth_in_metres(values, DEPTH_ENCODINGS[message.encoding])


def matrix_of_pose(pose) -> np.ndarray:
    """Turn a geometry_msgs/Pose into a rigid (4, 4) transform."""
    matrix = np.eye(4)
    position, orientation = pose.position, pose.orientation
    matrix[:3, :3] = Rotation.from_quat(
        [orientation.x, orientation.y, orientation.z, orientation.w]
    ).as_matrix()
    matrix[:3, 3] = position.x, position.y, position.z
    return matrix
