# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fields of clouds as numpy's."""

import numpy as np
import pytest
from sensor_msgs.msg import PointField

from xstreamvggt_ros.messages.point_fields import point_dtype

FIELDS = [
    PointField(name='x', offset=0, datatype=PointField.FLOAT32, count=1),
    PointField(name='normal', offset=8, datatype=PointField.FLOAT64, count=3),
    PointField(name='ring', offset=34, datatype=PointField.UINT16, count=1),
    PointField(name='flag', offset=36, datatype=PointField.INT8, count=1),
]


def test_sensor_msgs_py_and_the_package_describe_points_alike():
    library = pytest.importorskip(
        'sensor_msgs_py.point_cloud2', reason='sensor_msgs_py is not installed'
    )
    assert library.dtype_from_fields(FIELDS, point_step=40) == point_dtype(FIELDS, 40)


def test_points_are_described_by_their_fields():
    dtype = point_dtype(FIELDS, 40)
    assert dtype.names == ('x', 'normal_0', 'normal_1', 'normal_2', 'ring', 'flag')
    assert [dtype.fields[name][1] for name in dtype.names] == [0, 8, 16, 24, 34, 36]
    kinds = [dtype.fields[name][0] for name in dtype.names]
    assert kinds == [np.float32, *[np.float64] * 3, np.uint16, np.int8]
    assert dtype.itemsize == 40


def a_field(**given):
    return PointField(**{'name': 'x', 'datatype': PointField.FLOAT32, 'count': 1, **given})


@pytest.mark.parametrize(
    ('field', 'step', 'wrong'),
    [
        (a_field(count=2**32 - 1), 2**32 - 1, 'a point has 4294967295 numbers; give at most'),
        (
            a_field(offset=2**32 - 1),
            16,
            r"field 'x' ends at byte 4294967299 of points of 16 bytes",
        ),
        (a_field(offset=13), 16, r"field 'x' ends at byte 17"),
        (a_field(datatype=9), 16, r"field 'x' is of datatype 9, not one of 1 to 8"),
    ],
)
def test_a_field_that_no_point_has_is_refused(field, step, wrong):
    with pytest.raises(ValueError, match=wrong):
        point_dtype([field], step)
