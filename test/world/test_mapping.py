# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A map of one point per voxel, grown within a fixed bound."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.spatial import cKDTree

from xstreamvggt_ros.world.mapping import BYTES_PER_POINT, VoxelMap

SIZE = 0.5


def scatter(count, seed=0, extent=2.0):
    """Draw a frame: points in a cube about the origin, colours, confidences from 1 to 3."""
    rng = np.random.default_rng(seed)
    return (
        rng.uniform(-extent, extent, (count, 3)).astype(np.float32),
        rng.integers(0, 256, (count, 3), dtype=np.uint8),
        rng.uniform(1, 3, count).astype(np.float32),
    )


def row_of_voxels(first, count, confidence=1.0):
    """Make a frame of one point each in neighbouring voxels along x."""
    points = np.zeros((count, 3), np.float32)
    points[:, 0] = (np.arange(first, first + count) + 0.5) * SIZE
    return points, np.zeros((count, 3), np.uint8), np.full(count, confidence, np.float32)


def voxels(points, size=SIZE):
    return [tuple(index) for index in np.floor(points.astype(np.float64) / size).astype(int)]


def averaged(frames):
    """Do by loops what the map does: rows (V, 7) of position, colour, confidence."""
    members = defaultdict(list)
    for points, rgb, confidence in frames:
        for index, voxel in enumerate(voxels(points)):
            members[voxel].append((points[index], rgb[index], confidence[index]))
    rows = []
    for found in members.values():
        weights = [float(weight) for _, _, weight in found]
        position = np.average([point for point, _, _ in found], axis=0, weights=weights)
        colour = np.average([colour for _, colour, _ in found], axis=0, weights=weights)
        rows.append([*position, *colour, max(weights)])
    return np.array(rows).reshape(-1, 7)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 99)), max_size=5))
def test_each_voxel_holds_the_weighted_mean_of_its_points(sizes):
    frames = [scatter(count, seed) for count, seed in sizes]
    voxel_map = VoxelMap(SIZE, 2000)
    for frame in frames:
        voxel_map.insert(*frame)

    cloud, expected = voxel_map.cloud(), averaged(frames)

    assert len(voxel_map) == len(cloud.points) == len(expected)
    if len(expected):
        distance, nearest = cKDTree(cloud.points).query(expected[:, :3])
        assert distance.max() < 1e-5 and len(set(nearest)) == len(expected)
        np.testing.assert_allclose(cloud.colours[nearest], expected[:, 3:6], atol=0.51)
        np.testing.assert_allclose(cloud.confidence[nearest], expected[:, 6], rtol=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 9)), max_size=6),
    st.floats(0.1, 10),
)
def test_whatever_comes_the_bound_holds_and_no_voxel_has_two_points(bound, sizes, factor):
    voxel_map = VoxelMap(SIZE, bound)
    for count, seed in sizes:
        frame = scatter(count, seed)
        before = len(voxel_map)
        voxel_map.insert(*frame)
        assert before <= len(voxel_map) <= bound
    voxel_map.rescale(factor, np.zeros(3))

    cloud = voxel_map.cloud()

    assert voxel_map.bytes == BYTES_PER_POINT * len(cloud.points) <= BYTES_PER_POINT * bound
    assert np.isfinite(cloud.points).all()
    # Held points inserted again find their own voxels, but for means that round onto a face.
    count = len(voxel_map)
    roomy = VoxelMap(SIZE, 10_000)
    roomy.insert(cloud.points, cloud.colours, cloud.confidence)
    assert len(roomy) >= count - 1


def test_the_order_of_frames_does_not_matter():
    frames = [scatter(300, seed) for seed in range(3)]
    clouds = []
    for order in (frames, frames[::-1]):
        voxel_map = VoxelMap(SIZE, 5000)
        for frame in order:
            voxel_map.insert(*frame)
        cloud = voxel_map.cloud()
        clouds.append(cloud.points[np.lexsort(np.round(cloud.points, 3).T)])

    np.testing.assert_allclose(*clouds, atol=1e-5)


def test_points_without_a_place_or_a_confidence_are_left_out():
    points, rgb, confidence = row_of_voxels(0, 8)
    points[1, 2] = np.nan
    points[2, 0] = np.inf
    points[3, 1] = -1e9
    confidence[4:7] = np.nan, 0, np.inf
    voxel_map = VoxelMap(SIZE, 100)

    with np.errstate(all='raise'):
        voxel_map.insert(points, rgb, confidence)

    np.testing.assert_array_equal(np.sort(voxel_map.cloud().points[:, 0]), points[[0, 7], 0])


def test_an_organised_frame_is_taken_as_a_list():
    points, rgb, confidence = scatter(12)
    flat, organised = VoxelMap(SIZE, 100), VoxelMap(SIZE, 100)
    flat.insert(points, rgb, confidence)
    organised.insert(points.reshape(3, 4, 3), rgb.reshape(3, 4, 3), confidence.reshape(3, 4))

    np.testing.assert_array_equal(organised.cloud().points, flat.cloud().points)


def test_a_full_map_forgets_what_was_not_seen_for_the_longest():
    voxel_map = VoxelMap(SIZE, 30)
    for first in (0, 10, 20):
        voxel_map.insert(*row_of_voxels(first, 10))
    voxel_map.insert(*row_of_voxels(0, 5))  # seen again
    voxel_map.insert(*row_of_voxels(100, 8))

    left = {index for index, _, _ in voxels(voxel_map.cloud().points)}

    assert len(voxel_map) == 30
    # Five of the first frame were not seen again; three more go from the second.
    assert left >= {*range(5), *range(20, 30), *range(100, 108)}
    assert len(left & set(range(10, 20))) == 7


def test_of_the_same_age_the_least_confident_are_forgotten():
    points, rgb, _ = row_of_voxels(0, 10)
    voxel_map = VoxelMap(SIZE, 10)
    voxel_map.insert(points, rgb, np.array([5, 1, 5, 2, 5, 5, 3, 5, 5, 5], np.float32))
    voxel_map.insert(*row_of_voxels(50, 3))

    left = {index for index, _, _ in voxels(voxel_map.cloud().points)}

    assert left == {0, 2, 4, 5, 7, 8, 9, 50, 51, 52}


def test_of_a_frame_larger_than_the_map_the_surest_points_are_kept():
    points, rgb, confidence = row_of_voxels(0, 20)
    confidence[:] = np.random.default_rng(0).permutation(20) + 1
    voxel_map = VoxelMap(SIZE, 4)
    voxel_map.insert(*row_of_voxels(100, 4))
    voxel_map.insert(points, rgb, confidence)

    assert sorted(voxel_map.cloud().confidence) == [17, 18, 19, 20]


def test_rescaling_moves_points_about_the_centre():
    points, rgb, confidence = row_of_voxels(0, 6)
    voxel_map = VoxelMap(SIZE, 100)
    voxel_map.insert(points, rgb, confidence)
    centre = np.array([1.0, 2.0, 3.0])

    voxel_map.rescale(3.0, centre)

    moved = voxel_map.cloud().points
    np.testing.assert_allclose(
        moved[np.argsort(moved[:, 0])], centre + 3 * (points - centre), atol=1e-5
    )
    # They are found in their new voxels.
    voxel_map.insert(moved, rgb, confidence)
    assert len(voxel_map) == 6


def test_points_that_shrink_into_one_voxel_are_averaged_by_what_they_weigh():
    points, rgb, confidence = row_of_voxels(0, 4)
    confidence[:] = 1, 2, 3, 4
    voxel_map = VoxelMap(SIZE, 100)
    voxel_map.insert(points, rgb, confidence)

    voxel_map.rescale(0.25, np.zeros(3))

    cloud = voxel_map.cloud()
    np.testing.assert_allclose(
        cloud.points, [np.average(0.25 * points, axis=0, weights=confidence)], atol=1e-6
    )
    np.testing.assert_array_equal(cloud.confidence, [4])


def test_clearing_forgets_everything():
    voxel_map = VoxelMap(SIZE, 100)
    voxel_map.insert(*scatter(50))
    voxel_map.clear()
    assert len(voxel_map) == voxel_map.bytes == len(voxel_map.cloud().points) == 0

    voxel_map.insert(*row_of_voxels(0, 3))
    assert len(voxel_map) == 3


def test_a_cloud_is_a_copy():
    voxel_map = VoxelMap(SIZE, 100)
    voxel_map.insert(*row_of_voxels(0, 3))
    voxel_map.cloud().points[:] = 7
    assert voxel_map.cloud().points.max() < 7


@pytest.mark.parametrize(
    'wrong, message',
    [
        ((0.0, 10), 'voxel_size is 0.0; use a finite number above 0'),
        ((float('nan'), 10), 'voxel_size is nan'),
        ((0.1, 0), 'max_points is 0; use at least 1'),
    ],
)
def test_a_map_without_size_or_room_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        VoxelMap(*wrong)


def test_what_does_not_match_is_refused():
    points, rgb, confidence = scatter(5)
    with pytest.raises(ValueError, match='5 points, 4 colours and 5 confidences'):
        VoxelMap(SIZE, 10).insert(points, rgb[:4], confidence)
    with pytest.raises(ValueError, match='scaled by 0'):
        VoxelMap(SIZE, 10).rescale(0, np.zeros(3))
