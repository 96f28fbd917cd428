# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images at the network's size, and intrinsics that follow."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
from PIL import Image
import pytest
import torch

from xstreamvggt_ros.images.preprocessing import Preprocessing

SIZES = [(480, 640), (640, 480), (1080, 1920), (37, 37), (100, 333)]


def _image(height, width, seed=0):
    """Make a smooth image with noise on it, uint8."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR), np.int16)
    noisy = smooth + rng.integers(-20, 20, smooth.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    'source, image_size, size',
    [
        ((480, 640), 518, (392, 518)),
        ((640, 480), 518, (518, 518)),
        ((1080, 1920), 518, (294, 518)),
        ((480, 640), 224, (168, 224)),
        ((480, 640), 56, (42, 56)),
        ((10, 100), 56, (14, 56)),
    ],
)
def test_the_size_is_the_checkpoints(source, image_size, size):
    assert Preprocessing.plan(*source, image_size).size == size


@pytest.mark.parametrize('source', SIZES)
def test_uint8_images_are_resized_as_pillow_does_and_cropped_in_the_middle(source):
    image = _image(*source)
    plan = Preprocessing.plan(*source, 518)
    height = round(518 * source[0] / source[1] / 14) * 14
    expected = np.asarray(Image.fromarray(image).resize((518, height), Image.Resampling.BICUBIC))
    top = max(0, height - 518) // 2
    expected = expected[top : top + 518]

    tensor = plan.apply(image)

    assert tensor.dtype == torch.float32 and tensor.is_contiguous()
    assert tuple(tensor.shape) == (3, *plan.size)
    np.testing.assert_array_equal(tensor.permute(1, 2, 0), expected.astype(np.float32) / 255)
    np.testing.assert_array_equal(plan.picture(tensor).numpy(), expected)


def test_float_images_give_what_uint8_images_give():
    # Away from black and white, where uint8 clips between the filter's two passes.
    image = _image(480, 640) // 2 + 64
    plan = Preprocessing.plan(480, 640, 518)
    from_float = plan.apply(image.astype(np.float32) / 255)
    assert from_float.dtype == torch.float32
    torch.testing.assert_close(from_float, plan.apply(image), atol=1.5 / 255, rtol=0)


def test_the_filters_overshoot_on_float_images_is_clipped():
    image = np.zeros((480, 640, 3), np.float32)
    image[:, 320:] = 1
    tensor = Preprocessing.plan(480, 640, 518).apply(image)
    assert tensor.min() == 0 and tensor.max() == 1


@pytest.mark.parametrize(
    'plan',
    [
        Preprocessing.plan(480, 640, 518),
        Preprocessing.plan(640, 480, 266),
        Preprocessing.cover(480, 640, (266, 266)),
    ],
    ids=['landscape', 'portrait', 'cover'],
)
def test_intrinsics_follow_the_image(plan):
    height, width = plan.source_size
    intrinsics = np.array([[500.0, 0, 310.3], [0, 520, 250.1], [0, 0, 1]])
    point = np.array([0.05, -0.03, 1.0])
    u, v, _ = intrinsics @ point
    rows, columns = np.mgrid[:height, :width]
    blob = np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / (2 * 6**2)).astype(np.float32)

    resized = plan.apply(np.repeat(blob[..., None], 3, axis=-1))[0].double().numpy()

    rows, columns = np.mgrid[: plan.size[0], : plan.size[1]]
    centroid = [(resized * columns).sum() / resized.sum(), (resized * rows).sum() / resized.sum()]
    projected = plan.intrinsics(intrinsics) @ point
    np.testing.assert_allclose(projected[:2], centroid, atol=0.02)


def test_the_picture_centre_stays_the_picture_centre():
    plan = Preprocessing.plan(640, 480, 518)
    centred = np.array([[500.0, 0, 239.5], [0, 500, 319.5], [0, 0, 1]])
    np.testing.assert_allclose(plan.intrinsics(centred)[:2, 2], [258.5, 258.5])


@pytest.mark.parametrize('source', SIZES)
@pytest.mark.parametrize('size', [(392, 518), (518, 518), (294, 518)])
def test_a_further_camera_fills_the_first_ones_size(source, size):
    plan = Preprocessing.cover(*source, size)
    assert tuple(plan.apply(_image(*source)).shape) == (3, *size)
    # Nothing more is cut than the aspect ratios need, and the aspect ratio is kept.
    assert plan.resized_size[0] == size[0] or plan.resized_size[1] == size[1]
    scales = np.divide(plan.resized_size, plan.source_size)
    assert scales[0] == pytest.approx(scales[1], rel=0.01)


@settings(deadline=None)
@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 60).map(lambda n: 14 * n))
def test_any_plan_fits_the_network(height, width, image_size):
    try:
        plan = Preprocessing.plan(height, width, image_size)
    except ValueError:
        assert max(height, width) > 10 * min(height, width)
        return
    assert plan.size[1] == image_size
    assert 14 <= plan.size[0] <= image_size
    assert plan.size[0] % 14 == 0
    assert 2 * plan.crop_top + plan.size[0] == plan.resized_size[0]


@pytest.mark.parametrize('image_size', [0, -14, 13, 500])
def test_an_image_size_that_is_no_multiple_of_14_is_refused(image_size):
    with pytest.raises(ValueError, match=rf'image_size is {image_size};.*multiple of 14'):
        Preprocessing.plan(480, 640, image_size)


@pytest.mark.parametrize(
    'source, message',
    [
        ((0, 640), r'640x0 pixels; both sides must be at least 1'),
        ((480, -1), r'-1x480 pixels; both sides must be at least 1'),
        ((1, 100_000), r'100000x1 pixels; crop it'),
        ((100_000, 1), r'1x100000 pixels; crop it'),
    ],
)
def test_a_source_size_that_no_camera_has_is_refused(source, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing.plan(*source, 518)
    with pytest.raises(ValueError, match=message):
        Preprocessing.cover(*source, (392, 518))


def test_a_size_to_cover_must_be_whole_patches():
    with pytest.raises(ValueError, match='size height is 390;'):
        Preprocessing.cover(480, 640, (390, 518))


@pytest.mark.parametrize(
    'image, message',
    [
        (np.zeros((480, 640), np.uint8), r'uint8 of shape \(480, 640\); give \(H, W, 3\)'),
        (np.zeros((480, 640, 4), np.uint8), r'shape \(480, 640, 4\)'),
        (np.zeros((480, 640, 3), np.float64), r'float64 of shape'),
        (np.zeros((640, 480, 3), np.uint8), r'plan is for \(480, 640\); make a new plan'),
    ],
)
def test_an_image_that_the_plan_is_not_for_is_refused(image, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing.plan(480, 640, 518).apply(image)


def test_the_share_that_is_cut_off_is_told():
    assert Preprocessing.plan(640, 480, 112).cut == pytest.approx(1 - 112 / 154)
    assert Preprocessing.plan(480, 640, 112).cut == 0


@pytest.mark.parametrize('source', SIZES)
def test_intrinsics_of_the_source_come_back(source):
    intrinsics = np.array([[500.0, 0, 310.3], [0, 480, 252.7], [0, 0, 1]])
    plan = Preprocessing.cover(*source, (42, 56))

    found = plan.source_intrinsics(plan.intrinsics(intrinsics))

    np.testing.assert_allclose(found, intrinsics, atol=1e-9)
