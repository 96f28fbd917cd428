# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The similarity between two streams that saw the same images."""

from dataclasses import replace
import math

import numpy as np
from oracles import film, Oracle
import pytest
from scipy.spatial.transform import Rotation
import torch

from xstreamvggt_ros.geometry import unproject, world_from_camera_points
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.guard.alignment import align, IntoWorld

TURN = Rotation.from_euler('xyz', (20, -35, 70), degrees=True).as_matrix()
TRUTH = Similarity(2.5, TURN, np.array([1.0, -2.0, 0.5]))
AT = (0, 8, 16, 24)


def overlap(noise=0.0, seed=1):
    """Give frames of a stream, and the same brought into another world."""
    oracle = Oracle(film('room', 'handheld', seed), noise)
    new = [oracle.step(oracle.images[at]) for at in AT]
    again = [oracle.step(oracle.images[at]) for at in AT]
    return new, list(map(IntoWorld(TRUTH), again))


def assert_close(found, expected, tolerance):
    assert found.scale == pytest.approx(expected.scale, rel=tolerance)
    np.testing.assert_allclose(found.rotation, expected.rotation, atol=tolerance)
    np.testing.assert_allclose(found.translation, expected.translation, atol=5 * tolerance)


def test_applied_to_a_frame_it_keeps_pose_depth_and_points_together():
    new, old = overlap()
    for before, after in zip(new, old, strict=True):
        lifted = world_from_camera_points(
            unproject(after.depth, after.intrinsics), after.camera_from_world
        )
        torch.testing.assert_close(after.points, lifted, rtol=1e-4, atol=1e-4)
        expected = TRUTH.scale * before.points.double().numpy() @ TURN.T + TRUTH.translation
        np.testing.assert_allclose(after.points, expected, rtol=1e-4, atol=1e-4)
        rotation = after.camera_from_world[:, :3]
        torch.testing.assert_close(rotation @ rotation.T, torch.eye(3), rtol=0, atol=1e-5)
        assert torch.equal(after.pose_encoding, before.pose_encoding)


def test_frames_of_a_device_are_brought_there_without_a_look_at_their_numbers():
    frame = overlap()[0][0]
    # These have none: whoever asks for one fails.
    unknown = replace(frame, **{name: part.to('meta') for name, part in vars(frame).items()})
    moved = IntoWorld(TRUTH)(unknown)
    assert moved.camera_from_world.shape == (3, 4)
    assert moved.camera_from_world.dtype == frame.camera_from_world.dtype


def test_what_a_similarity_is_made_of_is_brought_to_a_device_once(monkeypatch):
    frames, brought = overlap()[0], []
    bring = torch.as_tensor
    monkeypatch.setattr(torch, 'as_tensor', lambda *a, **k: brought.append(a) or bring(*a, **k))
    into_world = IntoWorld(TRUTH)
    for frame in frames:
        moved, expected = into_world(frame), IntoWorld(TRUTH)(frame)
        assert all(torch.equal(each, vars(expected)[name]) for name, each in vars(moved).items())
    # A rotation and a translation, in two precisions; and so for each of the others.
    assert len(brought) == 4 * (1 + len(frames))


def test_the_exact_similarity_is_found():
    alignment = align(*overlap())
    assert alignment.agreed == (0, 1, 2, 3)
    assert_close(alignment.similarity, TRUTH, 1e-4)
    assert max(alignment.scale_spread, alignment.place_error, alignment.angle_error) < 1e-3


def test_noise_moves_it_little():
    alignment = align(*overlap(noise=0.01))
    assert_close(alignment.similarity, TRUTH, 0.03)
    assert 0 < alignment.place_error < 0.05


@pytest.mark.parametrize('wrong', [(3,), (0,), (2, 3)])
def test_frames_that_disagree_are_left_out(wrong):
    new, old = overlap()
    for index in wrong:
        pose = old[index].camera_from_world.clone()
        pose[:, 3] += 1.5 * index + 1
        old[index] = replace(old[index], camera_from_world=pose, depth=1.7 * old[index].depth)
    alignment = align(new, old)
    assert alignment.agreed == tuple(sorted({0, 1, 2, 3} - set(wrong)))
    assert_close(alignment.similarity, TRUTH, 1e-4)


def test_of_two_groups_as_large_the_older_decides():
    new, old = overlap()
    other = Similarity(0.4, TURN.T, np.array([7.0, 0.0, 0.0]))
    old[2:] = map(IntoWorld(other), new[2:])
    alignment = align(new, old)
    assert alignment.agreed == (0, 1)
    assert_close(alignment.similarity, TRUTH, 1e-4)


def test_half_of_the_depth_may_be_wrong_where_the_network_doubts_it():
    new, old = overlap()
    for index, frame in enumerate(old):
        depth, trust = frame.depth.clone(), frame.depth_confidence.clone()
        depth[:40] *= 3
        trust[:40] = 1.01
        old[index] = replace(frame, depth=depth, depth_confidence=trust)
    assert_close(align(new, old).similarity, TRUTH, 1e-4)


def test_depth_that_is_not_finite_does_not_count():
    new, old = overlap()
    depth = old[1].depth.clone()
    depth[::2] = math.nan
    old[1] = replace(old[1], depth=depth)
    ruined = torch.full_like(old[2].depth, math.inf)
    old[2] = replace(old[2], depth=ruined)
    alignment = align(new, old)
    assert alignment.agreed == (0, 1, 3)
    assert_close(alignment.similarity, TRUTH, 1e-4)


def test_one_place_is_enough():
    """A robot that stands still gives no baseline; depth gives the scale."""
    oracle = Oracle(film('room', 'handheld', 1))
    new = [oracle.step(oracle.images[0]) for _ in range(3)]
    alignment = align(new, list(map(IntoWorld(TRUTH), new)))
    assert_close(alignment.similarity, TRUTH, 1e-4)


def test_fewer_than_two_frames_that_agree_give_none():
    new, old = overlap()
    assert align(new[:1], old[:1]) is None
    assert align([], []) is None
    for index in range(4):
        old[index] = IntoWorld(Similarity(2.0**index))(old[index])
    assert align(new, old) is None


def test_a_state_is_exact_and_checked():
    again = Similarity.from_state(TRUTH.state())
    assert again.scale == TRUTH.scale
    assert (again.rotation == TRUTH.rotation).all()
    assert (again.translation == TRUTH.translation).all()
    with pytest.raises(ValueError, match='13 finite numbers'):
        Similarity.from_state(torch.full((13,), math.nan))
