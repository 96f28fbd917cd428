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


def point_dtype(fields: Sequence[PointField], point_step: int) -> np.dtype:
    """
    Describe one point, little-endian on a little-endian machine.

    A field's numbers are named x_0, x_1, … as sensor_msgs_py's `dtype_from_fields` does it, which
    the wheels do not carry.
    """
    names, formats, offsets = [], [], []
    for field in fields:
        number = np.dtype(_NUMPY_TYPES[field.datatype])
        for index in range(field.count):
            names.append(field.name if field.count == 1 else f'{field.name}_{index}')
            formats.append(number)
            offsets.append(field.offset + index * number.itemsize)
    return np.dtype(
        {'names': names, 'formats': formats, 'offsets': offsets, 'itemsize': point_step}
    )
