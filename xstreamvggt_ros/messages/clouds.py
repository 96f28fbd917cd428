# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/PointCloud2 from arrays and back."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from xstreamvggt_ros.messages.buffers import byte_array
from xstreamvggt_ros.messages.point_fields import point_dtype

_NAMES = ('x', 'y', 'z', 'rgb', 'confidence')
_POINT_STEP = 4 * len(_NAMES)


@dataclass(frozen=True, eq=False)
class CloudPoints:
    """What a cloud holds: points (N, 3) float32, rgb (N, 3) uint8, confidence (N,) float32."""

    points: np.ndarray
    rgb: np.ndarray
    confidence: np.ndarray


def point_cloud(
    points: np.ndarray,
    rgb: np.ndarray,
    confidence: np.ndarray,
    header: Header,
    shape: tuple[int, int] | None = None,
) -> PointCloud2:
    """
    Build a PointCloud2 of x, y, z, rgb and confidence, each FLOAT32, 20 bytes a point.

    points (N, 3), metres; rgb (N, 3) uint8, packed into a FLOAT32's bits as PCL does; confidence
    (N,). `shape` (height, width) organises the cloud, as do arrays of (H, W, …); without, its
    height is 1. Points that are NaN or infinite make it not dense. ValueError: arrays or a shape
    that do not match.
    """
    if shape is None:
        shape = points.shape[:2] if points.ndim == 3 else (1, len(points))
    height, width = shape
    points, rgb = points.reshape(-1, 3), rgb.reshape(-1, 3)
    if not len(points) == len(rgb) == confidence.size == height * width:
        raise ValueError(
            f'a cloud of {height}x{width} has {len(points)} points, {len(rgb)} colours and '
            f'{confidence.size} confidences; give as many of each'
        )
    data = _pack(points, rgb, confidence)
    return _message(header, (height, width), data, bool(np.isfinite(points).all()))


def packed_cloud(
    rows: np.ndarray, shape: tuple[int, int], dense: bool, header: Header
) -> PointCloud2:
    """
    Build the PointCloud2 of `point_cloud` of rows (N, 5) float32 that have its columns already.

    The colours are in the bits of the fourth; `dense` says that all points are finite.
    """
    return _message(header, shape, byte_array(rows.astype('<f4', copy=False)), dense)


def _message(header: Header, shape: tuple[int, int], data: array, dense: bool) -> PointCloud2:
    height, width = shape
    return PointCloud2(
        header=header,
        height=height,
        width=width,
        fields=[
            PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
            for index, name in enumerate(_NAMES)
        ],
        is_bigendian=False,
        point_step=_POINT_STEP,
        row_step=_POINT_STEP * width,
        data=data,
        is_dense=dense,
    )


def read_points(cloud: PointCloud2) -> CloudPoints:
    """
    Read a cloud that has the fields x, y, z, rgb and confidence, wherever they lie.

    Offsets, padded points and rows, and big-endian numbers are understood. ValueError: a field is
    missing, or there is less data than the header says.
    """
    dtype = point_dtype(cloud.fields, cloud.point_step)
    missing = [name for name in _NAMES if name not in dtype.names]
    if missing:
        raise ValueError(f'a cloud has no field {", ".join(missing)}; it has {dtype.names}')
    if cloud.is_bigendian:
        dtype = dtype.newbyteorder('>')
    if dtype['rgb'].itemsize != 4:
        raise ValueError(f"a cloud's rgb is {dtype['rgb']}; pack it into 4 bytes")
    row_bytes = cloud.width * cloud.point_step
    needed = cloud.height * cloud.row_step
    if cloud.row_step < row_bytes or len(cloud.data) < needed:
        raise ValueError(
            f'a cloud has {len(cloud.data)} bytes, row_step {cloud.row_step} and '
            f'{cloud.height} rows of {cloud.width} points of {cloud.point_step} bytes; '
            'publish row_step x height bytes'
        )
    rows = np.frombuffer(cloud.data, np.uint8, count=needed).reshape(cloud.height, cloud.row_step)
    values = np.ascontiguousarray(rows[:, :row_bytes]).view(dtype).reshape(-1)
    packed = values['rgb'].view(np.dtype('u4').newbyteorder(values['rgb'].dtype.byteorder))
    # FLOAT64 may be more than a float32 holds, and is infinite then.
    with np.errstate(over='ignore'):
        points = np.stack([values[name] for name in 'xyz'], axis=-1).astype(np.float32)
        confidence = values['confidence'].astype(np.float32)
    rgb = np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], -1).astype(np.uint8)
    return CloudPoints(points, rgb, confidence)


def _pack(points: np.ndarray, rgb: np.ndarray, confidence: np.ndarray) -> array:
    """Interleave the fields into bytes; the message takes an array.array as it is."""
    values = np.empty((len(points), len(_NAMES)), '<f4')
    values[:, :3] = points
    red, green, blue = rgb.T.astype('<u4')
    values.view('<u4')[:, 3] = red << 16 | green << 8 | blue
    values[:, 4] = confidence.reshape(-1)
    return byte_array(values)
