# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The watch: quiet over good sequences, loud over bad frames."""

from dataclasses import replace

import numpy as np
from oracles import black, film, Oracle
import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from xstreamvggt_ros.guard.watch import Watch, WatchConfig

SCENES = ('room', 'outdoor')
MOTIONS = ('handheld', 'driving', 'drone', 'rotation')


def answers(sequence, noise=0.0):
    """Give every image of a sequence with the oracle's frame for it."""
    oracle = Oracle(sequence, noise)
    return [(image, oracle.step(image)) for image in oracle.images]


def kinds(verdict):
    return {reason.kind for reason in verdict.reasons}


def watched(pairs):
    watch = Watch()
    return [watch.examine(*pair) for pair in pairs]


def prepared(count=20, seed=1):
    """Give a watch that has seen `count` frames, and the pairs that follow."""
    pairs = answers(film('room', 'handheld', seed))
    watch = Watch()
    for pair in pairs[:count]:
        assert watch.examine(*pair).ok
    return watch, pairs[count:]


def moved(frame, by):
    pose = frame.camera_from_world.clone()
    pose[:, 3] += torch.tensor(by) * frame.depth.median()
    return replace(frame, camera_from_world=pose)


@pytest.mark.parametrize(('seed', 'speed'), [(0, 1.0), (1, 2.0)])
@pytest.mark.parametrize('motion', MOTIONS)
@pytest.mark.parametrize('scene', SCENES)
def test_good_sequences_raise_nothing(scene, motion, seed, speed):
    for noise in (0.0, 0.01):
        verdicts = watched(answers(film(scene, motion, seed, speed), noise))
        alarms = [(at, str(v)) for at, v in enumerate(verdicts) if not v.ok]
        assert not alarms, f'noise {noise}'


def test_a_real_sequence_raises_nothing(shared_data):
    image = pytest.importorskip('PIL.Image')
    folder = shared_data / '7scenes'
    focal = torch.tensor([[205.0, 0, 112], [0, 205.0, 84], [0, 0, 1]])
    for stride in (4, 20):
        watch = Watch()
        for at in range(0, 400, stride):
            name = str(folder / f'frame-{at:06d}')
            colour = np.array(image.open(f'{name}.color.jpg').resize((224, 168)))
            depth = np.array(image.open(f'{name}.depth.png'), dtype=np.float32)[::4, ::4] / 1000
            pose = np.linalg.inv(np.loadtxt(f'{name}.pose.txt'))[:3]
            template = answers(film('room', 'handheld', 1))[0][1]
            frame = replace(
                template,
                depth=torch.from_numpy(np.where(depth > 60, 0, depth)),
                depth_confidence=torch.full(depth.shape, 3.0),
                camera_from_world=torch.tensor(pose, dtype=torch.float32),
                intrinsics=focal,
            )
            pixels = torch.from_numpy(colour).permute(2, 0, 1).float() / 255
            assert watch.examine(pixels, frame).ok, f'frame {at}'


def test_black_frames_are_blank_and_the_next_good_one_is_not_an_alarm():
    watch, rest = prepared()
    for index in range(5):
        image = black(index)
        assert kinds(watch.examine(image, rest[index][1])) >= {'blank'}
    assert watch.examine(*rest[5]).ok


def test_an_image_that_is_not_finite_is_blank():
    watch, rest = prepared()
    assert kinds(watch.examine(torch.full((3, 84, 112), torch.nan), rest[0][1])) == {'blank'}


@pytest.mark.parametrize('scene', SCENES)
def test_a_blurred_image_is_told_from_a_sharp_one(scene):
    pairs = answers(film(scene, 'handheld', 0))
    watch = Watch()
    for pair in pairs[:20]:
        watch.examine(*pair)
    image, frame = pairs[20]
    blurred = interpolate(avg_pool2d(image[None], 7), image.shape[1:], mode='bilinear')[0]
    assert kinds(watch.examine(blurred, frame)) == {'blurred'}
    assert watch.examine(*pairs[21]).ok


def test_a_plainer_view_is_not_taken_for_a_blurred_one():
    watch, rest = prepared()
    image, frame = rest[0]
    plain = image.mean() + 0.3 * (image - image.mean())
    assert watch.examine(plain, frame).ok


def test_lasting_blur_becomes_the_usual_thing():
    pairs = answers(film('room', 'handheld', 0))
    watch, verdicts = Watch(WatchConfig(window=10)), []
    for image, frame in pairs[:10]:
        watch.examine(image, frame)
    for image, frame in pairs[10:]:
        soft = interpolate(avg_pool2d(image[None], 7), image.shape[1:], mode='bilinear')[0]
        verdicts.append(watch.examine(soft, frame).ok)
    assert not any(verdicts[:4]) and all(verdicts[10:])


@pytest.mark.parametrize('by', [(1.0, 0.0, 0.0), (0.0, 0.0, -0.6)])
def test_a_teleport_is_one_alarm(by):
    watch, rest = prepared()
    verdicts = [watch.examine(image, moved(frame, by)) for image, frame in rest]
    assert kinds(verdicts[0]) == {'translation_jump'} and verdicts[0].jumped
    assert all(verdict.ok for verdict in verdicts[1:])


def test_one_stray_frame_is_one_alarm():
    watch, rest = prepared()
    assert not watch.examine(rest[0][0], moved(rest[0][1], (2.0, 0.0, 0.0))).ok
    assert all(watch.examine(*pair).ok for pair in rest[1:])


def test_a_flip_of_the_camera_is_a_rotation_jump():
    watch, rest = prepared()
    image, frame = rest[0]
    turned = torch.diag(torch.tensor([-1.0, 1.0, -1.0])) @ frame.camera_from_world
    verdict = watch.examine(image, replace(frame, camera_from_world=turned))
    assert kinds(verdict) == {'rotation_jump'}


@pytest.mark.parametrize('factor', [0.55, 1.8])
def test_a_new_scale_of_depth_is_an_alarm(factor):
    watch, rest = prepared()
    image, frame = rest[0]
    assert kinds(watch.examine(image, replace(frame, depth=factor * frame.depth))) == {
        'scale_jump'
    }


def test_confidence_that_collapses_is_an_alarm():
    watch, rest = prepared()
    image, frame = rest[0]
    gone = torch.full_like(frame.depth_confidence, 1.05)
    verdict = watch.examine(image, replace(frame, depth_confidence=gone))
    assert kinds(verdict) == {'confidence'} and not verdict.jumped
    lower = replace(frame, depth_confidence=torch.full_like(gone, 1.6))
    assert watch.examine(image, lower).ok


@pytest.mark.parametrize('field', ['camera_from_world', 'intrinsics', 'depth'])
def test_outputs_that_are_not_finite_are_an_alarm_and_no_neighbour(field):
    watch, rest = prepared()
    image, frame = rest[0]
    ruined = replace(frame, **{field: torch.full_like(getattr(frame, field), torch.nan)})
    assert kinds(watch.examine(image, ruined)) == {'not_finite'}
    assert all(watch.examine(*pair).ok for pair in rest[1:])


def test_units_do_not_matter():
    sequence = film('room', 'handheld', 1)
    teleported = 25
    seen = []
    for seed in range(4):
        oracle, watch, verdicts = Oracle(sequence, seed=seed), Watch(), []
        for at, image in enumerate(oracle.images):
            frame = oracle.step(image)
            by = (0.8 if at >= teleported else 0.0, 0.0, 0.0)
            verdicts.append(watch.examine(image, moved(frame, by)).ok)
        seen.append(verdicts)
    assert all(verdicts == seen[0] for verdicts in seen)
    assert seen[0].index(False) == teleported


def test_looking_and_judging_change_nothing():
    watch, rest = prepared()
    image, frame = rest[0]
    for _ in range(50):
        assert not watch.judge(watch.look(black(0)), moved(frame, (3.0, 0.0, 0.0))).ok
    assert all(watch.examine(*pair).ok for pair in rest)


def test_a_forgotten_world_is_not_compared_with():
    watch, rest = prepared()
    watch.forget_world()
    assert watch.examine(rest[0][0], moved(rest[0][1], (5.0, 0.0, 0.0))).ok


def test_a_fast_camera_becomes_the_usual_thing():
    (image, frame), *_ = answers(film('room', 'driving', 1))
    watch = Watch()
    oks = [watch.examine(image, moved(frame, (0.7 * at, 0.0, 0.0))).ok for at in range(20)]
    assert not oks[1] and all(oks[7:])


def test_a_camera_that_stands_still_may_start_to_move():
    sequence = film('room', 'driving', 1)
    (image, frame), *_ = answers(sequence)
    watch = Watch()
    for _ in range(100):
        assert watch.examine(image, frame).ok
    for step in (0.02, 0.1, 0.25, 0.5):
        assert watch.examine(image, moved(frame, (step, 0.0, 0.0))).ok


@pytest.mark.parametrize(
    ('field', 'value'),
    [('step_depth', 0.0), ('blur_share', float('nan')), ('window', 3), ('scale_ratio', 0.9)],
)
def test_thresholds_that_cannot_be_meant_are_refused(field, value):
    with pytest.raises(ValueError, match=field):
        WatchConfig(**{field: value})


def test_a_reason_names_figure_and_limit():
    watch, rest = prepared()
    verdict = watch.examine(black(0), rest[0][1])
    assert 'blank' in str(verdict) and '0.01' in str(verdict)
