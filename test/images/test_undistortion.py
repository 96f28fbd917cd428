# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images as a pinhole camera would have taken them, judged by OpenCV's own projection."""

import gc
import weakref

import cv2
import numpy as np
import pytest

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.undistortion import Undistortion

HEIGHT, WIDTH = 240, 320
K = np.array([[260.0, 0, 158.3], [0, 255, 121.7], [0, 0, 1]])
LENSES = {
    'plumb_bob': (-0.28, 0.07, 0.0008, -0.0005, 0.01),
    'rational_polynomial': (0.5, 0.1, 0.0004, -0.0003, 0.02, 0.85, 0.2, 0.05),
    'equidistant': (-0.02, 0.004, -0.003, 0.0006),
    'none': (),
}


def camera(distortion, coefficients=None, **changes):
    coefficients = LENSES[distortion] if coefficients is None else coefficients
    fields = {'width': WIDTH, 'height': HEIGHT, 'K': K, 'D': coefficients}
    return CameraModel(**(fields | changes), distortion=distortion)


def project(points, model):
    """Say where OpenCV sees optical-frame points (N, 3) in the distorted image."""
    arguments = (points[:, None], np.zeros(3), np.zeros(3), K, np.array(model.D))
    if model.distortion == 'equidistant':
        return cv2.fisheye.projectPoints(*arguments)[0][:, 0]
    return cv2.projectPoints(*arguments)[0][:, 0]


def photograph(pixel):
    """Draw a soft spot at (u, v), float32."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    spot = np.exp(-((columns - pixel[0]) ** 2 + (rows - pixel[1]) ** 2) / (2 * 2.0**2))
    return np.repeat(spot[..., None], 3, axis=-1).astype(np.float32)


def centroid(spot):
    rows, columns = np.mgrid[: spot.shape[0], : spot.shape[1]]
    return np.array([(spot * columns).sum(), (spot * rows).sum()]) / spot.sum()


@pytest.mark.parametrize('distortion', LENSES)
def test_known_points_are_found_again_by_lifting_undistorted_pixels(distortion):
    model = camera(distortion)
    undistortion = Undistortion(model, HEIGHT, WIDTH)
    rng = np.random.default_rng(4)
    points = np.column_stack([rng.uniform(-1, 1, 12), rng.uniform(-0.7, 0.7, 12), np.full(12, 2)])
    for point, pixel in zip(points, project(points, model), strict=True):
        undistorted, missing = undistortion.apply(photograph(pixel))
        u, v = centroid(undistorted[..., 0])
        found = np.linalg.solve(undistortion.K, [u, v, 1]) * point[2]
        assert not missing[round(v), round(u)]
        # A tenth of a pixel at this distance.
        np.testing.assert_allclose(found, point, atol=0.1 * point[2] / K[0, 0])


@pytest.mark.parametrize('distortion', ['plumb_bob', 'rational_polynomial', 'equidistant'])
def test_missing_pixels_are_those_whose_rays_the_image_has_not(distortion):
    # Pincushion: the result's corners come from outside.
    model = camera(distortion, (0.6, 0.3, 0, 0) if distortion == 'equidistant' else (0.3,) * 4)
    image = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)

    undistorted, missing = Undistortion(model, HEIGHT, WIDTH).apply(image)

    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    pixels = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3)
    u, v = project(np.linalg.solve(K, pixels.T).T, model).T.reshape(2, HEIGHT, WIDTH)
    outside = np.maximum(np.abs(u - WIDTH / 2 + 0.5) - WIDTH / 2, np.abs(v - 119.5) - 120)
    assert missing[outside > 0.01].all() and not missing[outside < -0.01].any()
    assert 0.02 < missing.mean() < 0.9
    assert (undistorted[missing] == 0).all() and (undistorted[~missing] == 200).all()


def test_where_the_lens_model_folds_the_image_is_not_shown_again():
    # The radius falls beyond r = 1 / sqrt(3 * 1.5) = 0.47; at 0.82 it is 0 again.
    model = camera('plumb_bob', (-1.5, 0, 0, 0))
    missing = Undistortion(model, HEIGHT, WIDTH).missing

    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    radius = np.hypot((columns - K[0, 2]) / K[0, 0], (rows - K[1, 2]) / K[1, 1])
    assert missing[radius > 0.48].all() and not missing[radius < 0.46].any()


@pytest.mark.parametrize(
    ('distortion', 'coefficients'),
    [
        ('plumb_bob', (-1000.0, 0, 0, 0, 0)),
        ('plumb_bob', (1000.0, 0, 0, 0, 0)),
        ('plumb_bob', (0, 0, 50.0, 0, 0)),
        ('rational_polynomial', (0, 0, 0, 0, 0, -1000.0, 0, 0)),
        ('equidistant', (-1000.0, 0, 0, 0)),
        ('equidistant', (1e300, 0, 0, 0)),
    ],
)
def test_a_lens_that_leaves_nearly_nothing_is_refused_by_its_coefficients(
    distortion, coefficients
):
    model = camera(distortion, coefficients)
    with pytest.raises(ValueError, match=r'camera_info\.d is \(.* % of .*use_camera_info'):
        Undistortion(model, HEIGHT, WIDTH)


@pytest.mark.parametrize('focal_length', [60.0, 100.0, 160.0])
@pytest.mark.parametrize(
    ('distortion', 'coefficients'),
    [
        ('equidistant', (0.0, 0, 0, 0)),
        ('equidistant', LENSES['equidistant']),
        # Of a lens of 150 degrees; its polynomial falls beyond what was calibrated.
        ('plumb_bob', (-0.31, 0.105, 0, 0, -0.015)),
        ('rational_polynomial', LENSES['rational_polynomial']),
    ],
)
def test_wide_lenses_are_far_from_refused(distortion, coefficients, focal_length):
    wide = (focal_length, 0, 158.3, 0, focal_length, 121.7, 0, 0, 1)
    missing = Undistortion(camera(distortion, coefficients, K=wide), HEIGHT, WIDTH).missing
    assert missing.mean() < 0.6


def test_tables_made_in_chunks_are_those_made_at_once(monkeypatch):
    model = camera('plumb_bob')
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    at_once = Undistortion(model, HEIGHT, WIDTH).apply(image)
    monkeypatch.setattr('xstreamvggt_ros.images.undistortion.CHUNK_PIXELS', 7 * WIDTH)

    in_chunks = Undistortion(model, HEIGHT, WIDTH).apply(image)

    np.testing.assert_array_equal(in_chunks[1], at_once[1])
    assert np.abs(in_chunks[0].astype(int) - at_once[0]).max() <= 2  # 1/32 pixel, rounded


def test_it_does_what_opencv_does_at_once():
    model = camera('plumb_bob')
    smooth = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8), (0, 0), 3
    )
    undistorted, missing = Undistortion(model, HEIGHT, WIDTH).apply(smooth)
    expected = cv2.undistort(smooth, K, np.array(model.D))

    inner = ~cv2.dilate(missing.astype(np.uint8), np.ones((5, 5))).astype(bool)
    assert inner.mean() > 0.9
    assert np.abs(undistorted.astype(int) - expected)[inner].max() <= 2


def test_a_binned_region_is_undistorted_as_the_full_image_is():
    full = np.repeat(np.linspace(0, 1, WIDTH, dtype=np.float32)[None], HEIGHT, axis=0)
    full = np.repeat(full[..., None], 3, axis=-1)
    region = full[20:220, 40:300].reshape(100, 2, 130, 2, 3).mean(axis=(1, 3))
    model = camera('plumb_bob', roi=(40, 20, 260, 200), binning_x=2, binning_y=2)

    whole, _ = Undistortion(camera('plumb_bob'), HEIGHT, WIDTH).apply(full)
    part, missing = Undistortion(model, 100, 130).apply(region)

    expected = whole[20:220, 40:300].reshape(100, 2, 130, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(part[~missing], expected[~missing], atol=2e-3)
    assert not missing[10:90, 10:120].any()


def test_depth_is_never_mixed():
    depth = np.where(np.arange(WIDTH) % 2, 1.0, 5.0)[None].repeat(HEIGHT, axis=0)
    undistortion = Undistortion(camera('plumb_bob', (0.3, 0, 0, 0)), HEIGHT, WIDTH)

    undistorted = undistortion.apply_nearest(depth.astype(np.float32))

    assert set(np.unique(undistorted[~undistortion.missing])) == {1.0, 5.0}
    assert np.isnan(undistorted[undistortion.missing]).all() and undistortion.missing.any()


def test_a_camera_that_does_not_distort_gives_the_very_image():
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    undistorted, missing = Undistortion(camera('none'), HEIGHT, WIDTH).apply(image)
    assert undistorted is image and not missing.any()


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match='100x100 but its camera_info is for 320x240'):
        Undistortion(camera('plumb_bob'), 100, 100)
    with pytest.raises(ValueError, match='make a new one'):
        Undistortion(camera('plumb_bob'), HEIGHT, WIDTH).apply(np.zeros((9, 9, 3), np.uint8))


def test_tables_are_made_once_for_all_who_hold_them_and_let_go_with_the_last():
    first = Undistortion.of(camera('plumb_bob'), HEIGHT, WIDTH)

    assert Undistortion.of(camera('plumb_bob'), HEIGHT, WIDTH) is first
    assert Undistortion.of(camera('rational_polynomial'), HEIGHT, WIDTH) is not first
    held = weakref.ref(first)
    del first
    gc.collect()
    assert held() is None
