# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files and arrays come to a stream as images come to the node."""

import numpy as np
from PIL import Image
import pytest
import torch

from xstreamvggt_ros.images.errors import ImageError
from xstreamvggt_ros.images.prepare import prepare_image, prepare_intrinsics
from xstreamvggt_ros.images.preprocessing import Preprocessing

SIZE = 56


def pixels(height=90, width=120):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_an_array_is_resized_and_cropped_as_in_the_node():
    expected = Preprocessing.plan(120, 90, SIZE).apply(pixels(120, 90))

    assert torch.equal(prepare_image(pixels(120, 90), SIZE), expected)


@pytest.mark.parametrize('kind', [np.float32, np.float64])
def test_floating_point_in_0_to_1_is_taken(kind):
    image = (pixels() / 255).astype(kind)

    actual = prepare_image(image, SIZE)

    assert actual.dtype == torch.float32
    # Bytes are rounded and clipped between the two passes of the filter.
    assert float((255 * (actual - prepare_image(pixels(), SIZE))).abs().max()) < 4


def test_a_file_is_read_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned a quarter to the right when it is shown.
    Image.fromarray(pixels()).save(tmp_path / 'image.png', exif=exif)

    actual = prepare_image(tmp_path / 'image.png', SIZE)

    assert torch.equal(actual, prepare_image(np.rot90(pixels(), -1).copy(), SIZE))
    assert torch.equal(actual, prepare_image(str(tmp_path / 'image.png'), SIZE))


def test_intrinsics_follow():
    intrinsics = np.array([[100.0, 0, 60], [0, 98, 45], [0, 0, 1]])

    actual = prepare_intrinsics(intrinsics, 90, 120, SIZE)

    np.testing.assert_array_equal(actual, Preprocessing.plan(90, 120, SIZE).intrinsics(intrinsics))
    assert actual[0, 0] == pytest.approx(100 * 56 / 120)


@pytest.mark.parametrize(
    ('image', 'words'),
    [
        (pixels().astype(np.float32), r'0 to 255.*divide what goes to 255 by 255'),
        (pixels() / 255 - 0.5, r'from -0\.5.*in \[0, 1\]'),
        (np.full((30, 40, 3), np.nan), 'NaN'),
        (pixels()[..., 0], r'\(90, 120\).*np\.repeat'),
        (pixels().transpose(2, 0, 1), r'\(3, 90, 120\).*\(H, W, 3\)'),
        (pixels().astype(np.int64), 'int64.*uint8'),
        (pixels(10, 1200), '10 times'),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_remedy(image, words):
    with pytest.raises(ValueError, match=words):
        prepare_image(image, SIZE)


def test_a_file_that_is_no_image_or_too_large_is_refused(tmp_path):
    (tmp_path / 'text.jpg').write_text('no image')
    Image.fromarray(pixels()).save(tmp_path / 'image.png')

    with pytest.raises(ImageError, match=r'text\.jpg'):
        prepare_image(tmp_path / 'text.jpg', SIZE)
    with pytest.raises(ImageError, match='pixels'):
        prepare_image(tmp_path / 'image.png', SIZE, max_pixels=1000)
    with pytest.raises(FileNotFoundError, match='absent'):
        prepare_image(tmp_path / 'absent.png', SIZE)
