# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A large cloud is sent on block by block, bounded, and only where it changed."""

from hypothesis import given, settings, strategies
import numpy as np

from xstreamvggt_ros.view.blocks import ALONG, Blocks, finite, thinned
from xstreamvggt_ros.view.contents import FAR, Points


def a_cloud(count, seed=0, extent=4.0, centre=(0.0, 0.0, 0.0)):
    rng = np.random.default_rng(seed)
    points = (rng.uniform(-extent / 2, extent / 2, (count, 3)) + centre).astype(np.float32)
    rgb = rng.integers(0, 256, (count, 3)).astype(np.uint8)
    return Points(points, rgb, rng.uniform(1, 9, count).astype(np.float32))


def joined(*clouds):
    parts = zip(*((c.points, c.rgb, c.confidence) for c in clouds), strict=True)
    return Points(*(np.concatenate(part) for part in parts))


def rows(points):
    return {tuple(row) for row in points.tolist()}


@settings(max_examples=40, deadline=None)
@given(
    count=strategies.integers(0, 3000),
    extent=strategies.floats(1e-3, 1e4),
    far=strategies.floats(-1e4, 1e4),
    seed=strategies.integers(0, 1000),
)
def test_blocks_are_a_partition_and_few(count, extent, far, seed):
    cloud = a_cloud(count, seed, extent, (far, -far, 0.0))
    blocks, empty = Blocks(10_000).changed(cloud)
    assert empty == []
    assert all(0 <= block.slot < ALONG**3 for block in blocks)
    assert len({block.slot for block in blocks}) == len(blocks)
    assert sum(len(block.points.points) for block in blocks) == count
    found = set().union(*(rows(block.points.points) for block in blocks))
    assert found == rows(cloud.points)


def test_only_what_changed_is_sent_again():
    room, corner = a_cloud(5000), a_cloud(20, 1, 0.1, (1.9, 1.9, 1.9))
    blocks = Blocks(100_000)
    first, _ = blocks.changed(room)
    assert blocks.changed(room) == ([], [])
    changed, empty = blocks.changed(joined(room, corner))
    assert empty == [] and 1 <= len(changed) <= 8 < len(first)
    assert rows(corner.points) <= set().union(*(rows(b.points.points) for b in changed))
    nothing, empty = blocks.changed(a_cloud(0))
    assert nothing == [] and set(empty) == {block.slot for block in first}


def test_a_recoloured_point_is_a_change():
    cloud = a_cloud(100)
    blocks = Blocks(1000)
    blocks.changed(cloud)
    rgb = cloud.rgb.copy()
    rgb[7] ^= 1
    changed, _ = blocks.changed(Points(cloud.points, rgb, cloud.confidence))
    assert len(changed) == 1


def test_thinning_is_bounded_and_keeps_the_same_points_as_more_come():
    small, more = a_cloud(40_000), a_cloud(2_000, 1)
    kept, later = thinned(small, 10_000), thinned(joined(small, more), 10_000)
    assert 6_000 < len(kept.points) <= 10_000
    assert len(later.points) <= 10_000
    old = rows(kept.points)
    assert len(rows(later.points) & old) > 0.85 * len(old)
    # Evenly over the room: no side of it goes.
    left = (kept.points[:, 0] < 0).mean()
    assert 0.45 < left < 0.55
    assert thinned(small, 40_000) is small


def test_points_that_are_not_finite_or_not_sure_are_left_out():
    cloud = a_cloud(4)
    cloud.points[1, 2] = np.nan
    cloud.points[2, 0] = np.inf
    cloud.confidence[:] = (1, 5, 5, 5)
    assert len(finite(cloud).points) == 2
    assert len(finite(cloud, 3.0).points) == 1


@settings(max_examples=40, deadline=None)
@given(number=strategies.floats(width=32), index=strategies.integers(0, 2))
def test_what_is_nowhere_is_left_out_and_the_rest_is_drawn(number, index):
    cloud = a_cloud(5)
    cloud.points[2, index] = number
    kept = finite(cloud)
    assert len(kept.points) == (5 if abs(number) <= FAR else 4)
    fresh, _ = Blocks(5).changed(cloud)
    assert sum(len(block.points.points) for block in fresh) == len(kept.points)
    assert all(np.isfinite(block.points.points.mean(axis=0)).all() for block in fresh)


def test_no_map_is_asked_for_by_none_of_its_points():
    assert len(thinned(a_cloud(50), 0).points) == 0
