# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Either way through the libraries gives the same."""

from array import array
import os
import sys

import numpy as np
import pytest
from sensor_msgs.msg import Image, PointField

from xstreamvggt_ros.messages import backend, decode_image

CONVERSIONS = [
    ('rgb8', 3, 'rgb8'),
    ('bgr8', 3, 'rgb8'),
    ('rgba8', 4, 'rgb8'),
    ('bgra8', 4, 'rgb8'),
    ('mono8', 1, 'rgb8'),
    ('bayer_rggb8', 1, 'rgb8'),
    ('bayer_bggr8', 1, 'rgb8'),
    ('bayer_gbrg8', 1, 'rgb8'),
    ('bayer_grbg8', 1, 'rgb8'),
    ('mono16', 2, 'rgb16'),
    ('rgb16', 6, 'rgb16'),
    ('bgr16', 6, 'rgb16'),
]
FIELDS = [
    PointField(name='x', offset=0, datatype=PointField.FLOAT32, count=1),
    PointField(name='normal', offset=8, datatype=PointField.FLOAT64, count=3),
    PointField(name='ring', offset=34, datatype=PointField.UINT16, count=1),
    PointField(name='flag', offset=36, datatype=PointField.INT8, count=1),
]


@pytest.fixture
def fresh_choice():
    """Let a test choose its converter, and forget the choice afterwards."""
    backend.image_converter.cache_clear()
    yield
    backend.image_converter.cache_clear()
    sys.modules.pop('cv_bridge', None)


@pytest.fixture(scope='module')
def working_cv_bridge():
    if not backend.cv_bridge_works():
        pytest.skip('cv_bridge is not installed, or does not work here')
    return backend.cv_bridge_converter()


def _message(encoding='rgb8', pixel_bytes=3):
    pixels = np.random.default_rng(0).integers(0, 256, 8 * 10 * pixel_bytes, dtype=np.uint8)
    return Image(
        height=8,
        width=10,
        encoding=encoding,
        step=10 * pixel_bytes,
        is_bigendian=int(sys.byteorder == 'big'),
        data=array('B', pixels.tobytes()),
    )


@pytest.mark.parametrize('source, pixel_bytes, target', CONVERSIONS)
def test_cv_bridge_and_rosbags_image_convert_alike(working_cv_bridge, source, pixel_bytes, target):
    pytest.importorskip('rosbags.image', reason='rosbags-image is not installed')
    message = _message(source, pixel_bytes)
    by_cv_bridge = working_cv_bridge(message, target)
    by_rosbags = backend.rosbags_converter()(message, target)
    assert by_cv_bridge.dtype == by_rosbags.dtype
    np.testing.assert_allclose(by_cv_bridge, by_rosbags, atol=1)


def test_sensor_msgs_py_and_the_package_describe_points_alike():
    library = pytest.importorskip(
        'sensor_msgs_py.point_cloud2', reason='sensor_msgs_py is not installed'
    )
    assert library.dtype_from_fields(FIELDS, point_step=40) == backend.dtype_of_fields(FIELDS, 40)


def test_points_are_described_by_their_fields():
    dtype = backend.point_dtype(FIELDS, 40)
    assert dtype.names == ('x', 'normal_0', 'normal_1', 'normal_2', 'ring', 'flag')
    assert [dtype.fields[name][1] for name in dtype.names] == [0, 8, 16, 24, 34, 36]
    kinds = [dtype.fields[name][0] for name in dtype.names]
    assert kinds == [np.float32, *[np.float64] * 3, np.uint16, np.int8]
    assert dtype.itemsize == 40


def _install_cv_bridge(monkeypatch, folder, body):
    """Put a cv_bridge in front of any other, for this process and those it starts."""
    monkeypatch.delitem(sys.modules, 'cv_bridge', raising=False)
    (folder / 'cv_bridge.py').write_text(
        f'import os\n\nimport numpy\n\n\nclass CvBridge:\n'
        f'    def imgmsg_to_cv2(self, message, encoding):\n        {body}\n'
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv('PYTHONPATH', str(folder), prepend=os.pathsep)


def test_cv_bridge_is_used_where_it_works(monkeypatch, tmp_path, fresh_choice):
    body = "return numpy.full((8, 10, 3), 42) if encoding == 'rgb8' else None"
    _install_cv_bridge(monkeypatch, tmp_path, body)
    assert (decode_image(_message('bgr8'), 80) == 42).all()


@pytest.mark.parametrize('body', ['os.abort()', 'raise RuntimeError'])
def test_a_cv_bridge_that_fails_is_passed_over(monkeypatch, tmp_path, fresh_choice, body):
    pytest.importorskip('rosbags.image', reason='rosbags-image is not installed')
    _install_cv_bridge(monkeypatch, tmp_path, body)
    message = _message('bgr8')
    expected = np.frombuffer(message.data, np.uint8).reshape(8, 10, 3)[..., ::-1]
    np.testing.assert_array_equal(decode_image(message, 80), expected)


def test_without_either_library_the_error_says_what_to_install(monkeypatch, fresh_choice):
    monkeypatch.setattr(backend, 'find_spec', lambda name: None)
    monkeypatch.setitem(sys.modules, 'rosbags.image', None)
    with pytest.raises(ImportError, match='pip install rosbags-image'):
        decode_image(_message(), 80)
