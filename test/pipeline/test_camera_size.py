# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is shown of a reconstruction at the size of the camera's picture."""

from networks import flat_frame, Scripted
import numpy as np
import pytest

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.pipeline import (
    CameraPicture,
    CameraSized,
    PipelineConfig,
    ReconstructionPipeline,
)

HEIGHT, WIDTH = 84, 112
PINCUSHION = CameraModel(
    WIDTH, HEIGHT, np.array([[90.0, 0, 50], [0, 80, 40], [0, 0, 1]]), (0.6, 0, 0, 0), 'plumb_bob'
)


def shown(image, camera=None):
    """See a wall 2 m ahead; give what is shown and the network's reconstruction."""
    network = Scripted(lambda index, pixels: flat_frame(*pixels.shape[-2:], depth=2.0))
    pipeline = ReconstructionPipeline(network, PipelineConfig(56))
    begun = pipeline.begin(pipeline.prepare(image, camera))
    source = CameraPicture.of(image, begun)
    reconstruction = pipeline.finish(begun).result()
    return CameraSized(reconstruction, source), reconstruction


def noise():
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def test_floating_point_images_are_shown_as_bytes():
    image = noise()

    found, _ = shown(image.astype(np.float32) / 255)

    assert found.size == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(found.picture, image)


@pytest.mark.parametrize('camera', [None, PINCUSHION], ids=['predicted', 'calibrated'])
def test_a_point_of_the_network_and_of_the_picture_lie_on_one_ray(camera):
    found, reconstruction = shown(noise(), camera)

    # A pixel of the network is two by two of the picture, and edges are half a pixel off centres.
    for pixel, depth_pixel in (((0.5, 0.5), (1.5, 1.5)), ((10, 7), (20.5, 14.5))):
        ray = np.linalg.solve(reconstruction.intrinsics, [*pixel, 1])
        np.testing.assert_allclose(found.intrinsics @ ray, [*depth_pixel, 1], atol=1e-9)


def test_neither_depth_nor_confidence_is_known_where_a_lens_shows_nothing():
    found, _ = shown(noise(), PINCUSHION)

    missing = ~found.picture.any(axis=-1)
    assert missing[[0, 0, -1, -1], [0, -1, 0, -1]].all()
    assert np.isnan(found.depth[missing]).all() and np.isnan(found.confidence[missing]).all()
    assert (found.depth[30:50, 40:70] == 2).all()
