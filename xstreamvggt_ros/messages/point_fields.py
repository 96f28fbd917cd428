# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a point of a PointCloud2 looks like in memory."""

from collections.abc import Sequence

import numpy as np
from sensor_msgs.msg import PointField

# sensor_msgs/PointField's datatypes.
_NUMPY_TYPES = {
    PointField.INT8: 'i1',
    PointField.UINT8: 'u1',
    PointField.INT16: 'i2',
    PointField.UINT16: 'u2',
    PointField.INT32: 'i4',
    PointField.UINT32: 'u4',
    PointField.FLOAT32: 'f4',
    PointField.FLOAT64: 'f8',
}
# Histograms of PCL's features have some hundreds; whoever says more says nothing of a cloud.
MOST_NUMBERS = 4096


def point_dtype(fields: Sequence[PointField], point_step: int) -> np.dtype:
    """
    Describe one point, little-endian on a little-endian machine.

    A field's numbers are named x_0, x_1, … as sensor_msgs_py's `dtype_from_fields` does it, which
    the wheels do not carry. ValueError: a type that there is not, numbers beyond the point's end,
    or more than MOST_NUMBERS.
    """
    names, formats, offsets = [], [], []
    if (numbers := sum(field.count for field in fields)) > MOST_NUMBERS:
        raise ValueError(f'a point has {numbers} numbers; give at most {MOST_NUMBERS}')
    for field in fields:
        if field.datatype not in _NUMPY_TYPES:
            raise ValueError(
                f'field {field.name!r} is of datatype {field.datatype}, not one of '
                f'{min(_NUMPY_TYPES)} to {max(_NUMPY_TYPES)}'
            )
        number = np.dtype(_NUMPY_TYPES[field.datatype])
        end = field.offset + field.count * number.itemsize
        if end > point_step:
            raise ValueError(
                f'field {field.name!r} ends at byte {end} of points of {point_step} bytes'
            )
        for index in range(field.count):
            names.append(field.name if field.count == 1 else f'{field.name}_{index}')
            formats.append(number)
            offsets.append(field.offset + index * number.itemsize)
    return np.dtype(
        {'names': names, 'formats': formats, 'offsets': offsets, 'itemsize': point_step}
    )
