# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which points of a reconstruction make a cloud."""

import numpy as np
import pytest
from reports import report

from xstreamvggt_ros.pipeline import Reconstruction
from xstreamvggt_ros.world.clouds import select_cloud

HEIGHT, WIDTH = 5, 8


@pytest.fixture
def reconstruction():
    """Every pixel has a confidence of its own, and (2, 4) no point."""
    generator = np.random.default_rng(1)
    points = generator.random((HEIGHT, WIDTH, 3), dtype=np.float32)
    points[2, 4] = np.nan
    confidence = 1 + generator.permutation(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    return Reconstruction(
        depth=points[..., 2],
        confidence=np.ones((HEIGHT, WIDTH), np.float32),
        picture=generator.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8),
        intrinsics=np.eye(3),
        predicted_intrinsics=np.eye(3),
        map_from_camera=np.eye(4),
        points=points,
        points_confidence=confidence.astype(np.float32),
        report=report(),
        index=0,
    )


def test_percentile_0_keeps_the_image_s_order_and_nan(reconstruction):
    cloud = select_cloud(reconstruction, percentile=0.0, stride=1)

    np.testing.assert_array_equal(cloud.points, reconstruction.points)
    np.testing.assert_array_equal(cloud.colours, reconstruction.picture)
    np.testing.assert_array_equal(cloud.confidence, reconstruction.points_confidence)


def test_a_percentile_leaves_out_that_share_of_the_least_confident(reconstruction):
    cloud = select_cloud(reconstruction, percentile=75.0, stride=1)

    finite = np.isfinite(reconstruction.points).all(axis=-1)
    confidence = reconstruction.points_confidence
    kept = finite & (confidence >= np.sort(confidence[finite])[-10])
    np.testing.assert_array_equal(cloud.points, reconstruction.points[kept])
    np.testing.assert_array_equal(cloud.colours, reconstruction.picture[kept])
    np.testing.assert_array_equal(cloud.confidence, confidence[kept])
    assert len(cloud.points) == 10  # a quarter of 39


def test_a_stride_takes_every_nth_pixel_of_every_nth_row(reconstruction):
    cloud = select_cloud(reconstruction, percentile=0.0, stride=3)

    assert cloud.points.shape == (2, 3, 3)
    np.testing.assert_array_equal(cloud.points[1, 2], reconstruction.points[3, 6])
    np.testing.assert_array_equal(cloud.colours[1, 2], reconstruction.picture[3, 6])


def test_without_a_single_point_the_cloud_is_empty(reconstruction):
    reconstruction.points[...] = np.nan

    assert select_cloud(reconstruction, percentile=50.0, stride=1).points.shape == (0, 3)


def test_equal_confidences_are_all_kept(reconstruction):
    reconstruction.points_confidence[...] = 1.0

    assert len(select_cloud(reconstruction, percentile=99.0, stride=1).points) == 39
