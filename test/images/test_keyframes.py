# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keyframes: none while nothing happens, one whenever something does."""

import math

from oracles import film, inputs
import pytest
import torch

from xstreamvggt_ros.images.keyframes import KeyframeGate

SCENES = [('room', 0), ('room', 1), ('outdoor', 0), ('outdoor', 1)]


def still(scene, seed):
    return inputs(film(scene, 'handheld', seed))[0]


def grain(image, deviation, seed):
    generator = torch.Generator().manual_seed(seed)
    return (image + deviation * torch.randn(image.shape, generator=generator)).clamp(0, 1)


def exposed(image, gain):
    """Expose an image anew, in linear light."""
    return (gain * image**2.2).clamp(0, 1) ** (1 / 2.2)


def kept(images, gate=None):
    gate = gate or KeyframeGate()
    return [gate.keep(image) for image in images]


def test_the_first_frame_is_a_keyframe_and_its_repetition_is_none():
    image = still('room', 1)
    gate = KeyframeGate()
    assert kept([image, image, image], gate) == [True, False, False]
    gate.reset()
    assert gate.keep(image)


@pytest.mark.parametrize(('scene', 'seed'), SCENES)
def test_noise_is_nothing_new_for_hours(scene, seed):
    image = still(scene, seed)
    assert sum(kept(grain(image, 0.03, at) for at in range(300))) == 1


@pytest.mark.parametrize(('scene', 'seed'), SCENES)
def test_flicker_of_the_exposure_is_nothing_new(scene, seed):
    image = still(scene, seed)
    gains = [1 + 0.25 * math.sin(at) for at in range(60)]
    images = [grain(exposed(image, gain), 0.01, at) for at, gain in enumerate(gains)]
    assert sum(kept(images)) == 1


@pytest.mark.parametrize(('scene', 'seed'), SCENES)
@pytest.mark.parametrize('speed', [0.1, 1.0])
def test_a_camera_that_moves_gives_keyframes(scene, seed, speed):
    sequence = film(scene, 'handheld', seed, speed)
    poses = sequence.camera_from_world
    decisions = kept(inputs(sequence))
    focal = float(sequence.intrinsics[0, 0, 0])
    assert sum(decisions) > 1
    last = 0
    for at, keyframe in enumerate(decisions):
        turn = poses[at, :, :3] @ poses[last, :, :3].T
        angle = math.acos(min(1.0, max(-1.0, (float(turn.trace()) - 1) / 2)))
        # By then a pixel has moved by a cell of the grid and a half.
        assert keyframe or focal * math.tan(angle) < 1.5 * 7
        last = at if keyframe else last


def test_a_slow_turn_adds_up():
    sequence = film('room', 'rotation', 0, 0.1)
    decisions = kept(inputs(sequence))
    assert 2 <= sum(decisions) < len(decisions)


@pytest.mark.parametrize(('scene', 'seed'), SCENES)
def test_something_small_that_comes_into_view_is_new(scene, seed):
    image = still(scene, seed)
    changed = image.clone()
    changed[:, 30:58, 40:60] = 0.9 if image[:, 30:58, 40:60].mean() < 0.5 else 0.1
    gate = KeyframeGate()
    gate.keep(image)
    assert gate.keep(changed) and not gate.keep(changed)


def test_a_low_threshold_keeps_more():
    images = inputs(film('outdoor', 'driving', 0))
    counts = [sum(kept(images, KeyframeGate(threshold))) for threshold in (0.05, 0.25, 1.0)]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[2]


def test_a_plain_wall_in_the_dark_is_nothing_new():
    wall = torch.full((3, 392, 518), 0.05)
    assert sum(kept(grain(wall, 0.03, at) for at in range(10))) == 1


def test_another_size_is_a_keyframe():
    image = still('room', 1)
    gate = KeyframeGate()
    gate.keep(image)
    assert gate.keep(image[:, :42])


def test_an_image_that_is_not_finite_is_none():
    assert not KeyframeGate().keep(torch.full((3, 42, 56), math.nan))


@pytest.mark.parametrize('threshold', [0.0, -1.0, math.inf, math.nan])
def test_a_threshold_that_cannot_be_meant_is_refused(threshold):
    with pytest.raises(ValueError, match='threshold'):
        KeyframeGate(threshold)
