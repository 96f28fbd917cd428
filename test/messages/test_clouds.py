# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clouds to PointCloud2 and back."""

from array import array
import struct

from hypothesis import given, settings, strategies
import numpy as np
import pytest
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from xstreamvggt_ros.messages import point_cloud, read_points

HEADER = Header(frame_id='map')
COUNT = 12


def _arrays(count=COUNT):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(count, 3)).astype(np.float32)
    rgb = rng.integers(0, 256, (count, 3), dtype=np.uint8)
    return points, rgb, rng.random(count).astype(np.float32)


def _assert_holds(cloud, points, rgb, confidence):
    read = read_points(cloud)
    np.testing.assert_array_equal(read.points, points)
    np.testing.assert_array_equal(read.rgb, rgb)
    np.testing.assert_array_equal(read.confidence, confidence)
    assert (read.points.dtype, read.rgb.dtype) == (np.float32, np.uint8)


def test_a_cloud_is_tight_little_endian_floats():
    points, rgb, confidence = _arrays()
    cloud = point_cloud(points, rgb, confidence, HEADER)
    assert cloud.header == HEADER
    assert (cloud.height, cloud.width) == (1, COUNT)
    assert [(field.name, field.offset) for field in cloud.fields] == [
        ('x', 0),
        ('y', 4),
        ('z', 8),
        ('rgb', 12),
        ('confidence', 16),
    ]
    assert {(field.datatype, field.count) for field in cloud.fields} == {(PointField.FLOAT32, 1)}
    assert (cloud.point_step, cloud.row_step) == (20, 20 * COUNT)
    assert not cloud.is_bigendian and cloud.is_dense
    # Field by field as any other reader has it; PCL's rgb is 0x00RRGGBB.
    x, y, z, packed, sure = struct.unpack_from('<fffIf', cloud.data, 20)
    np.testing.assert_array_equal([x, y, z, sure], [*points[1], confidence[1]])
    assert packed == int.from_bytes(bytes(rgb[1]), 'big')


def test_the_data_need_no_conversion_by_the_message():
    cloud = point_cloud(*_arrays(), HEADER)
    assert isinstance(cloud.data, array) and cloud.data.typecode == 'B'


@pytest.mark.parametrize('count', [0, 1, COUNT])
def test_a_cloud_is_read_back(count):
    arrays = _arrays(count)
    _assert_holds(point_cloud(*arrays, HEADER), *arrays)


def test_a_shape_organises_the_cloud():
    arrays = _arrays()
    cloud = point_cloud(*arrays, HEADER, shape=(3, 4))
    assert (cloud.height, cloud.width, cloud.row_step) == (3, 4, 80)
    _assert_holds(cloud, *arrays)


def test_images_of_points_give_an_organised_cloud():
    points, rgb, confidence = _arrays()
    cloud = point_cloud(
        points.reshape(3, 4, 3), rgb.reshape(3, 4, 3), confidence.reshape(3, 4), HEADER
    )
    assert (cloud.height, cloud.width) == (3, 4)
    _assert_holds(cloud, points, rgb, confidence)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_cloud_with_invalid_points_is_not_dense(value):
    points, rgb, confidence = _arrays()
    points[5, 1] = value
    cloud = point_cloud(points, rgb, confidence, HEADER, shape=(3, 4))
    assert cloud.is_dense is False
    _assert_holds(cloud, points, rgb, confidence)


@pytest.mark.parametrize('short', [0, 1, 2])
def test_arrays_that_do_not_match_are_refused(short):
    arrays = list(_arrays())
    arrays[short] = arrays[short][:-1]
    with pytest.raises(ValueError, match='11'):
        point_cloud(*arrays, HEADER)


def test_a_shape_that_does_not_match_is_refused():
    with pytest.raises(ValueError, match='5x4 has 12 points'):
        point_cloud(*_arrays(), HEADER, shape=(5, 4))


def _foreign_cloud(big_endian, datatype=PointField.FLOAT32):
    """Lay a cloud out unlike ours: other order, gaps, padded rows, another field."""
    points, rgb, confidence = _arrays()
    order = '>' if big_endian else '<'
    data = bytearray()
    for index in range(COUNT):
        colour = int.from_bytes(bytes(rgb[index]), 'big') | 0xFF000000
        data += struct.pack(order + 'HxxfIfffxx', 7, confidence[index], colour, *points[index])
        if index % 4 == 3:
            data += b'padding'
    names = [('ring', 0), ('confidence', 4), ('rgb', 8), ('x', 12), ('y', 16), ('z', 20)]
    types = {'ring': PointField.UINT16, 'rgb': datatype}
    fields = [
        PointField(name=name, offset=offset, datatype=types.get(name, PointField.FLOAT32), count=1)
        for name, offset in names
    ]
    cloud = PointCloud2(
        height=3,
        width=4,
        fields=fields,
        is_bigendian=big_endian,
        point_step=26,
        row_step=26 * 4 + 7,
        data=array('B', bytes(data)),
    )
    return cloud, (points, rgb, confidence)


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('datatype', [PointField.FLOAT32, PointField.UINT32])
def test_another_layout_is_read_by_its_fields(big_endian, datatype):
    cloud, arrays = _foreign_cloud(big_endian, datatype)
    before = bytes(cloud.data)
    _assert_holds(cloud, *arrays)
    assert bytes(cloud.data) == before


def test_a_missing_field_is_named():
    cloud = point_cloud(*_arrays(), HEADER)
    cloud.fields = [field for field in cloud.fields if field.name != 'confidence']
    with pytest.raises(ValueError, match='no field confidence'):
        read_points(cloud)


@pytest.mark.parametrize('change', [{'row_step': 239}, {'height': 2}])
def test_less_data_than_the_header_says_is_refused(change):
    cloud = point_cloud(*_arrays(), HEADER)
    for name, value in change.items():
        setattr(cloud, name, value)
    with pytest.raises(ValueError, match='240 bytes'):
        read_points(cloud)


@pytest.mark.parametrize('datatype', [PointField.UINT8, PointField.FLOAT64])
def test_colours_that_are_not_packed_into_four_bytes_are_refused(datatype):
    cloud, _ = _foreign_cloud(False, datatype)
    with pytest.raises(ValueError, match='rgb is .*; pack it into 4 bytes'):
        read_points(cloud)


SIZES = strategies.sampled_from([0, 1, 2, 12, 20, 2**16, 2**31, 2**32 - 1])
FIELD = strategies.builds(
    PointField,
    name=strategies.sampled_from(['x', 'y', 'z', 'rgb', 'confidence', '']),
    offset=SIZES,
    datatype=strategies.integers(0, 255),
    count=SIZES,
)


@settings(max_examples=200, deadline=None)
@given(
    own=strategies.booleans(),
    fields=strategies.lists(FIELD, max_size=6),
    sizes=strategies.tuples(SIZES, SIZES, SIZES, SIZES),
    change=strategies.integers(0, 4),
    big_endian=strategies.booleans(),
    data=strategies.binary(max_size=80),
)
def test_a_cloud_that_says_anything_of_itself_is_read_or_refused(
    own, fields, sizes, change, big_endian, data
):
    cloud = point_cloud(*_arrays(), HEADER)
    if not own:
        cloud.fields = fields
        cloud.data = array('B', data)
    cloud.is_bigendian = big_endian
    names = ['height', 'width', 'point_step', 'row_step']
    for name, size in list(zip(names, sizes, strict=True))[:change]:
        setattr(cloud, name, size)
    try:
        read = read_points(cloud)
    except ValueError:
        return
    assert len(read.points) == len(read.rgb) == len(read.confidence) <= COUNT
