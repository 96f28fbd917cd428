# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exact replay without ROS."""

from dataclasses import replace
import subprocess
import sys

from filmed import Filmed
import numpy as np
from oracles import Oracle
import pytest
from recorded import CONFIG
import torch

from xstreamvggt_ros.cache import BudgetTooSmall
from xstreamvggt_ros.evaluation.replay import frame_tokens, replay
from xstreamvggt_ros.evaluation.run_config import RunConfig
from xstreamvggt_ros.evaluation.truth import TruthAligner

SMALL = RunConfig(image_size=56, device='cpu', checkpoint='random').as_reference()


def test_every_frame_comes_in_order_with_its_truth_at_the_network_s_size():
    sequence = Filmed(count=5, damaged=(2,))

    results = list(replay(sequence, SMALL.varied(budget='3f', bits=4)))

    assert [each.index for each in results] == list(range(5))
    assert [each.status for each in results] == ['done', 'done', 'failed', 'done', 'done']
    assert 'frame 2 is damaged' in results[2].reason
    for each in (results[0], results[4]):
        assert each.estimate.depth.shape == each.truth.depth.shape == (42, 56)
        assert each.estimate.picture.shape == (42, 56, 3)
        assert each.cost.latency_s > 0
        assert each.cost.cache_bytes > 0
        assert each.cost.resident_bytes > 10e6
        rotation = each.estimate.world_from_camera[:3, :3]
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


def test_the_camera_s_intrinsics_take_the_place_of_predicted_ones_where_they_may():
    sequence = Filmed(count=1)

    (known,) = replay(sequence, SMALL)
    (predicted,) = replay(sequence, replace(SMALL, camera_info=False))

    np.testing.assert_allclose(known.estimate.intrinsics, known.truth.intrinsics)
    assert not np.allclose(predicted.estimate.intrinsics, known.truth.intrinsics, rtol=1e-3)


def test_a_share_is_of_what_an_unbounded_cache_would_hold():
    full = list(replay(Filmed(count=6), SMALL))[-1].cost.cache_tokens
    half = list(replay(Filmed(count=6), SMALL.varied(budget='50%')))[-1].cost.cache_tokens

    layers = 4
    assert full == layers * 6 * frame_tokens(SMALL, (84, 112))
    assert half == full / 2


def test_stride_and_max_frames_choose():
    results = list(replay(Filmed(count=8), replace(SMALL, stride=3, max_frames=2)))

    assert [each.frame.name for each in results] == ['000000', '000003']


def test_a_budget_that_is_too_small_is_refused_with_what_would_do():
    with pytest.raises(BudgetTooSmall, match='use at least'):
        list(replay(Filmed(), SMALL.varied(budget='3')))


def test_a_sequence_without_an_image_that_can_be_read_is_refused():
    with pytest.raises(ValueError, match='no image'):
        list(replay(Filmed(count=2, damaged=(0, 1)), SMALL))


def test_memory_that_runs_out_ends_the_stream_and_not_the_run():
    class Exhausted(Oracle):
        def step(self, image, keep=True):
            if self.since == 3:
                raise torch.OutOfMemoryError('CUDA out of memory')
            return super().step(image, keep)

    sequence = Filmed(count=6)
    results = list(replay(sequence, CONFIG, Exhausted(sequence.film)))

    assert [each.status for each in results] == ['done'] * 3 + ['failed'] * 3
    assert all('out_of_memory: at frame 3' in each.reason for each in results[3:])
    # The camera went on: what was not followed counts as lost.
    for result, frame in zip(results[3:], sequence.frames[3:], strict=True):
        np.testing.assert_array_equal(
            result.truth.world_from_camera, frame.truth().world_from_camera
        )


def test_images_that_are_no_video_each_begin_a_stream():
    sequence = Filmed(count=3, independent_frames=True)

    results = list(replay(sequence, CONFIG, Oracle(sequence.film)))

    assert len({each.estimate.world for each in results}) == 3


def test_truth_of_another_size_than_the_image_is_brought_to_it():
    frame = Filmed(count=1).frames[0]
    truth = frame.truth()
    small = replace(truth, depth=truth.depth[::2, ::2])
    half = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
    small = replace(small, intrinsics=half @ truth.intrinsics)

    whole = TruthAligner(112, True).align(truth, None, (84, 112))
    scaled = TruthAligner(112, True).align(small, None, (84, 112))

    assert scaled.depth.shape == (84, 112)
    np.testing.assert_array_equal(scaled.depth[::2, ::2], truth.depth[::2, ::2])
    np.testing.assert_allclose(scaled.intrinsics, whole.intrinsics)


def test_a_truth_that_does_not_belong_to_its_image_is_none_and_says_so():
    frame = Filmed(count=1, distortion=(0.1, 0, 0, 0, 0)).frames[0]
    aligner = TruthAligner(112, True)

    good, nothing = aligner.of_frame(frame, (84, 112))
    none, words = aligner.of_frame(frame, (50, 112))

    assert good.depth is not None
    assert nothing == ''
    assert none.depth is none.world_from_camera is None
    assert 'truth: an image is 112x50 but its camera_info is for 112x84' in words


def test_a_picture_is_shown_without_a_camera_that_cannot_have_taken_it():
    frame = Filmed(count=1, distortion=(-1000.0, 0, 0, 0, 0)).frames[0]
    aligner = TruthAligner(112, True)

    _, words = aligner.of_frame(frame, (84, 112))
    shown = aligner.picture(frame.image(), frame.camera)

    assert 'camera_info.d is (-1000.0' in words
    np.testing.assert_array_equal(shown, aligner.picture(frame.image(), None))


def test_it_needs_no_ros():
    program = (
        'import sys; sys.modules["rclpy"] = None\n'
        'import xstreamvggt_ros.evaluation.__main__\n'
        'import xstreamvggt_ros.evaluation.report\n'
        'import xstreamvggt_ros.evaluation.export.mcap\n'
    )
    subprocess.run([sys.executable, '-c', program], check=True, timeout=120)
