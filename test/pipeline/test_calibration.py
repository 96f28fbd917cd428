# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A calibrated camera in front of the pipeline, judged by OpenCV's own projection."""

import cv2
from networks import flat_frame, Scripted
import numpy as np
import pytest

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.undistortion import Undistortion
from xstreamvggt_ros.pipeline import FrameError, PipelineConfig, ReconstructionPipeline

HEIGHT, WIDTH = 480, 640
SIZE = 322
DEPTH = 2.0
K = np.array([[520.0, 0, 310.3], [0, 515, 252.7], [0, 0, 1]])
LENSES = {
    'plumb_bob': (-0.28, 0.07, 0.0008, -0.0005, 0.01),
    'equidistant': (-0.02, 0.004, -0.003, 0.0006),
    'none': (),
}
PINCUSHION = (0.3, 0.0, 0.0, 0.0)


def camera(distortion='none', coefficients=None):
    coefficients = LENSES[distortion] if coefficients is None else coefficients
    return CameraModel(WIDTH, HEIGHT, K, coefficients, distortion)


def blank():
    return np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def pipeline(**config):
    """See a wall at DEPTH, straight ahead, in front of a camera that stands still."""
    network = Scripted(lambda index, image: flat_frame(*image.shape[-2:], depth=DEPTH))
    options = {'world_axes': 'optical'} | config
    return ReconstructionPipeline(network, PipelineConfig(SIZE, **options)), network


def photograph(pixel):
    """Draw a soft white spot at (u, v)."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    spot = np.exp(-((columns - pixel[0]) ** 2 + (rows - pixel[1]) ** 2) / (2 * 5.0**2))
    return np.repeat(np.rint(255 * spot)[..., None], 3, axis=-1).astype(np.uint8)


@pytest.mark.parametrize('distortion', LENSES)
def test_known_points_are_reconstructed_from_their_distorted_images(distortion):
    model = camera(distortion)
    rng = np.random.default_rng(5)
    known = np.column_stack([rng.uniform(-1, 1, 8), rng.uniform(-0.7, 0.7, 8), np.full(8, DEPTH)])
    lens = cv2.fisheye if distortion == 'equidistant' else cv2
    seen, _ = lens.projectPoints(
        known[:, None], np.zeros(3), np.zeros(3), K, np.array(LENSES[distortion])
    )
    for point, pixel in zip(known, seen[:, 0], strict=True):
        reconstruction = pipeline()[0].process(photograph(pixel), model)
        spot = reconstruction.picture[..., 0].astype(np.float64)
        found = np.average(reconstruction.points.reshape(-1, 3), axis=0, weights=spot.ravel())
        # A quarter of a pixel of the network's picture.
        np.testing.assert_allclose(
            found, point, atol=0.25 * DEPTH / reconstruction.intrinsics[0, 0]
        )


def test_the_camera_s_intrinsics_follow_resize_and_the_predicted_ones_are_kept():
    reconstruction = pipeline()[0].process(blank(), camera())

    height, width = reconstruction.depth.shape
    scale = np.array([width / WIDTH, height / HEIGHT])
    np.testing.assert_allclose(
        reconstruction.intrinsics[[0, 1], [0, 1]], K[[0, 1], [0, 1]] * scale
    )
    np.testing.assert_allclose(reconstruction.intrinsics[:2, 2], (K[:2, 2] + 0.5) * scale - 0.5)
    predicted = flat_frame(height, width).intrinsics
    np.testing.assert_array_equal(reconstruction.predicted_intrinsics, predicted)


def test_without_a_camera_the_predicted_intrinsics_hold():
    one, _ = pipeline()
    one.process(blank(), camera('plumb_bob', PINCUSHION))

    reconstruction = one.process(blank())

    np.testing.assert_array_equal(reconstruction.intrinsics, reconstruction.predicted_intrinsics)
    assert np.isfinite(reconstruction.depth).all()


@pytest.mark.parametrize('point_source', ['depth', 'pointmap'])
def test_what_is_undistorted_from_nothing_has_neither_depth_nor_point(point_source):
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    one, _ = pipeline(point_source=point_source)

    reconstruction = one.process(white, camera('plumb_bob', PINCUSHION))

    missing = np.isnan(reconstruction.depth)
    np.testing.assert_array_equal(np.isnan(reconstruction.points).any(axis=-1), missing)
    assert 0.02 < missing.mean() < 0.5
    # Black is what the network was shown there, but for the filter's reach at the border.
    border = cv2.dilate(missing.astype(np.uint8), np.ones((5, 5))) != cv2.erode(
        missing.astype(np.uint8), np.ones((5, 5))
    )
    np.testing.assert_array_equal(
        (reconstruction.picture[..., 0] < 128)[~border], missing[~border]
    )


def test_another_camera_begins_no_new_stream_but_another_size_does():
    one, network = pipeline()
    models = [camera(), camera('plumb_bob'), None, camera('equidistant')]
    assert [one.process(blank(), model).index for model in models] == [0, 1, 2, 3]
    assert network.resets == 1

    half = CameraModel(WIDTH // 2, HEIGHT // 2, K / [[2], [2], [1]])
    assert one.process(np.zeros((HEIGHT // 2, WIDTH // 2, 3), np.uint8), half).index == 0
    assert network.resets == 2


def test_the_tables_are_made_once_for_equal_cameras(monkeypatch):
    made = []
    original = Undistortion.__init__
    monkeypatch.setattr(
        Undistortion, '__init__', lambda *args: made.append(args) or original(*args)
    )
    one, _ = pipeline()
    for _ in range(3):
        one.process(blank(), camera('plumb_bob'))
    one.process(blank(), camera('equidistant'))

    assert len(made) == 2


def test_an_image_that_is_not_the_camera_s_is_refused_with_a_reason():
    one, network = pipeline()
    one.process(blank(), camera())
    with pytest.raises(FrameError, match='640x480 but its camera_info is for 320x240') as caught:
        one.process(blank(), CameraModel(320, 240, K))

    assert caught.value.reason == 'camera_info'
    assert one.process(blank(), camera()).index == 1  # the stream goes on


@pytest.mark.parametrize('height', [HEIGHT, 1200])
def test_registered_depth_is_aligned_with_the_reconstruction(height):
    """Depth encodes its pixel's column and row: an aligned one says where the pixel came from."""
    rows, columns = np.mgrid[:height, :WIDTH].astype(np.float32)
    one, _ = pipeline()
    reconstruction = one.process(np.zeros((height, WIDTH, 3), np.uint8))

    u, v = one.align_depth(columns), one.align_depth(rows)

    assert u.shape == reconstruction.depth.shape
    scale = SIZE / WIDTH
    expected_u = (np.arange(u.shape[1]) + 0.5) / scale - 0.5
    np.testing.assert_allclose(u[0], expected_u, atol=0.51)
    # Equal parts of a tall image are cut at its top and bottom.
    np.testing.assert_allclose(v[0, 0] + v[-1, 0], height - 1, atol=1.01)
    np.testing.assert_allclose(np.diff(v[:, 0]).mean(), 1 / scale, rtol=0.02)


def test_depth_is_undistorted_with_the_image():
    one, _ = pipeline()
    reconstruction = one.process(blank(), camera('plumb_bob', PINCUSHION))

    aligned = one.align_depth(np.ones((HEIGHT, WIDTH), np.float32))

    np.testing.assert_array_equal(np.isnan(aligned), np.isnan(reconstruction.depth))


def test_depth_of_another_size_is_refused():
    one, _ = pipeline()
    one.process(blank())
    with pytest.raises(ValueError, match='publish depth registered to the colour image'):
        one.align_depth(np.ones((240, 320), np.float32))
