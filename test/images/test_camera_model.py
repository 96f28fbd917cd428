# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A calibrated camera in plain numbers."""

from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from xstreamvggt_ros.images.camera_model import CameraModel, is_rectified

K = (500.0, 0.0, 310.0, 0.0, 510.0, 250.0, 0.0, 0.0, 1.0)


def camera(**changes):
    return CameraModel(**({'width': 640, 'height': 480, 'K': K} | changes))


def test_equal_numbers_make_equal_models():
    # As CameraInfo gives them: an array of nine, another array.
    given_arrays = camera(K=np.array(K), D=np.zeros(5), distortion='plumb_bob')
    assert given_arrays == camera(K=np.reshape(K, (3, 3)), D=[0] * 5, distortion='plumb_bob')
    assert given_arrays != camera(K=K, D=[0, 0, 0, 0, 1e-9], distortion='plumb_bob')
    assert len({given_arrays, camera()}) == 2


def test_a_camera_that_sends_everything_has_the_intrinsics_of_its_calibration():
    np.testing.assert_array_equal(camera().intrinsics, np.reshape(K, (3, 3)))
    assert camera().image_size == (480, 640)


@settings(deadline=None)
@given(
    st.tuples(st.integers(0, 100), st.integers(0, 80)),
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
)
def test_a_region_and_binning_show_the_same_ray_in_the_pixel_that_covers_it(offset, binning):
    region = camera(roi=(*offset, 400, 320), binning_x=binning[0], binning_y=binning[1])
    ray = np.array([0.1, -0.05, 1])
    full, sent = (model.intrinsics @ ray for model in (camera(), region))

    # Edges of a binned pixel are edges of the unbinned ones that it averages.
    expected = (full[:2] - offset + 0.5) / binning - 0.5
    np.testing.assert_allclose(sent[:2], expected)
    assert region.image_size == (320 // binning[1], 400 // binning[0])


def test_binning_0_is_1_and_an_empty_region_is_everything():
    assert camera(binning_x=0, binning_y=1, roi=(0, 0, 0, 0)).image_size == (480, 640)


@pytest.mark.parametrize(
    ('roi', 'binning', 'size'),
    [
        ((0, 0, 640, 480), 0, (480, 640)),
        ((0, 0, 640, 480), 2, (240, 320)),
        # In the offset's corner, the last pixel, and of one side only.
        ((320, 240, 320, 240), 4, (60, 80)),
        ((639, 479, 1, 1), 1, (1, 1)),
        ((0, 100, 0, 380), 1, (380, 640)),
    ],
)
def test_regions_that_drivers_send_are_accepted(roi, binning, size):
    read = camera(roi=roi, binning_x=binning, binning_y=binning)
    assert read.image_size == size
    read.check_image(*size)


@pytest.mark.parametrize(
    'model, size',
    [
        (camera(), (480, 640)),
        (camera(binning_x=2, binning_y=2), (240, 320)),
        (camera(binning_x=3, binning_y=3), (160, 213)),
        (camera(binning_x=3, binning_y=3), (160, 214)),
        (camera(roi=(10, 20, 300, 200)), (200, 300)),
    ],
)
def test_images_of_the_camera_are_accepted(model, size):
    model.check_image(*size)


@pytest.mark.parametrize(
    'model, size, message',
    [
        (camera(), (240, 320), '320x240 but its camera_info is for 640x480'),
        (camera(), (481, 640), '640x481'),
        (camera(binning_x=2, binning_y=2), (480, 640), 'is for 320x240 .*use_camera_info'),
    ],
)
def test_images_of_another_size_are_refused(model, size, message):
    with pytest.raises(ValueError, match=message):
        model.check_image(*size)


@pytest.mark.parametrize(
    'wrong, message',
    [
        ({'width': 0}, 'is for 0x480 pixels'),
        ({'roi': (4_000_000_000, 0, 0, 0)}, r'roi is 0x0 pixels at \(4000000000, 0\), not within'),
        ({'roi': (0, 480, 0, 0)}, r'camera_info.roi .* \(0, 480\), not within the 640x480'),
        ({'roi': (0, 0, 641, 480)}, 'camera_info.roi is 641x480 pixels'),
        ({'roi': (0, 1, 640, 480)}, 'camera_info.roi is 640x480 pixels'),
        ({'roi': (-1, 0, 640, 480)}, 'camera_info.roi .*-1'),
        ({'K': (0.0,) * 9}, 'fx = 0, fy = 0: the camera is not calibrated; calibrate it'),
        ({'K': (500.0, 0, 1, 0, 0, 1, 0, 0, 1)}, 'fy = 0: the camera is not calibrated'),
        ({'K': (-500.0, *K[1:])}, 'fx and fy above 0'),
        ({'K': (500.0, 3.0, *K[2:])}, 'publish fx, 0, cx'),
        ({'K': (np.nan, *K[1:])}, 'nine finite numbers'),
        ({'K': K[:8]}, 'nine finite numbers'),
        ({'distortion': 'omni'}, "distortion_model is 'omni'; use one of: plumb_bob"),
        ({'distortion': 'plumb_bob', 'D': (0.1,) * 8}, 'plumb_bob has 0, 4, 5 finite'),
        ({'distortion': 'plumb_bob', 'D': (np.inf,) * 5}, 'finite coefficients'),
        ({'distortion': 'equidistant'}, 'equidistant has 4 finite'),
        ({'distortion': '', 'D': (0.1,) * 5}, 'none has 0 finite'),
    ],
)
def test_what_describes_no_camera_is_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        camera(**wrong)


def message(rectified=False, p=(0.0,) * 12, **changes):
    """Read a camera from what a driver publishes."""
    fields = {'width': 640, 'height': 480, 'k': K, 'd': (), 'distortion_model': 'plumb_bob'}
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    info = SimpleNamespace(**{**fields, **changes}, p=p, roi=roi, binning_x=0, binning_y=0)
    return CameraModel.of_message(info, rectified)


@pytest.mark.parametrize(
    ('wrong', 'words'),
    [
        # In units of the image's width, in metres, for a picture of another size.
        ({'k': (0.8, 0, 0.5, 0, 0.8, 0.5, 0, 0, 1)}, 'fx = 0.8, fy = 0.8 for an image of 640x480'),
        ({'k': (4e6, 0, 320, 0, 4e6, 240, 0, 0, 1)}, 'from 64 to 64000'),
        ({'k': (500.0, 0, 320, 0, 70, 240, 0, 0, 1)}, 'fx = 500 but fy = 70'),
        ({'k': (500.0, 0, 960, 0, 500, 240, 0, 0, 1)}, r'principal point \(960, 240\), outside'),
        ({'k': (500.0, 0, 320, 0, 500, -1, 0, 0, 1)}, 'outside the image of 640x480'),
        ({'rectified': True, 'p': (1.0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0)}, 'camera_info.p has fx'),
        (
            {'k': (0.0,) * 9, 'p': (500.0, 0, 320, 0, 0, 500, 240, 0, 0, 0, 1, 0)},
            'input.rectified',
        ),
    ],
)
def test_a_calibration_that_no_camera_has_is_refused_with_the_reason(wrong, words):
    with pytest.raises(ValueError, match=words):
        message(**wrong)


@pytest.mark.parametrize(
    ('model', 'count', 'zeros'),
    [
        ('plumb_bob', 5, 3),
        ('plumb_bob', 4, 4),
        ('equidistant', 4, 1),
        ('rational_polynomial', 8, 2),
    ],
)
def test_zeros_behind_the_coefficients_are_passed_over(model, count, zeros):
    given = (0.1,) * count
    read = message(distortion_model=model, d=given + (0.0,) * zeros)
    assert read.D[:count] == given
    assert not any(read.D[count:])

    with pytest.raises(ValueError, match='finite coefficients'):
        message(distortion_model='plumb_bob', d=(0.1,) * 8)


def test_whether_it_distorts():
    assert not camera().distorts
    assert not camera(distortion='', D=[0.0] * 5).distorts
    assert not camera(distortion='plumb_bob', D=[0.0] * 5).distorts
    assert camera(distortion='plumb_bob', D=[0.1, 0, 0, 0]).distorts
    # Angles grow evenly with the radius: no pinhole.
    assert camera(distortion='equidistant', D=[0.0] * 4).distorts


@pytest.mark.parametrize(
    ('topic', 'rectified'),
    [
        ('/camera/image_rect', True),
        ('/camera/image_rect_color', True),
        ('/zed/rgb/rect/image', True),
        ('/camera/rect', True),
        ('/image_rect/compressed', True),
        ('/camera/image_raw', False),
        ('/camera/image', False),
        ('/rectangle/direct/image', False),
        ('/not_rect/my_image_rect', False),
    ],
)
def test_rectified_images_are_known_by_their_topic(topic, rectified):
    assert is_rectified(topic) == rectified
