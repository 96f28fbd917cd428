# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream that fails is mended: what the caller sees stays one world, or is told of another."""

from dataclasses import replace

import numpy as np
from oracles import black, film, inputs, Oracle, square
import pytest
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.guard.reconstructor import GuardedReconstructor, HELD
from xstreamvggt_ros.guard.watch import Watch
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor

BLACK = range(15, 20)


def guarded(sequence, on_failure='reanchor', noise=0.0, seed=0, **options):
    oracle = Oracle(sequence, noise, seed)
    return GuardedReconstructor(oracle, Watch(), on_failure, **options), oracle


def interrupted(sequence, gap=BLACK):
    """Give the input images with the lens covered for a while; the camera moves on."""
    return [black(at) if at in gap else image for at, image in enumerate(inputs(sequence))]


def run(reconstructor, images):
    return [reconstructor.step(image) for image in images]


def guard_run(guard, images):
    """Return frames and reports."""
    frames, reports = [], []
    for image in images:
        frames.append(guard.step(image))
        reports.append(guard.report)
    return frames, reports


def errors(frames, sequence, gap=(), first=0):
    """
    Compare a run with the truth in the unit of its first frame.

    Returns place errors (F,) as shares of the median depth, angles (F,) in radians and depth
    errors (F,) as the median factor less 1; NaN for the frames of `gap`.
    """
    true_depth = sequence.depth[first]
    seen = true_depth > 0
    unit = float((true_depth[seen] / frames[first].depth[seen]).median())
    origin = np.linalg.inv(square(sequence.camera_from_world[first]))
    start = np.linalg.inv(square(frames[first].camera_from_world))
    start[:3, 3] *= unit
    rows = []
    for at, frame in enumerate(frames):
        if at in gap or at < first:
            rows.append((np.nan,) * 3)
            continue
        pose = square(frame.camera_from_world)
        pose[:3, 3] *= unit
        offset = (square(sequence.camera_from_world[at]) @ origin) @ np.linalg.inv(pose @ start)
        depth = sequence.depth[at]
        seen = depth > 0
        middle = float(depth[seen].median())
        angle = np.arccos(np.clip((np.trace(offset[:3, :3]) - 1) / 2, -1, 1))
        scale = float((unit * frame.depth[seen] / depth[seen]).median())
        rows.append((np.linalg.norm(offset[:3, 3]) / middle, angle, abs(scale - 1)))
    return np.array(rows).T


@pytest.mark.parametrize(
    ('scene', 'motion', 'seed'),
    [('room', 'handheld', 1), ('room', 'driving', 2), ('outdoor', 'driving', 0)],
)
def test_black_frames_leave_the_world_as_exact_as_it_was(scene, motion, seed):
    sequence = film(scene, motion, seed, 2.0)
    guard, oracle = guarded(sequence)
    frames, reports = guard_run(guard, interrupted(sequence))
    assert [report.action for report in reports].count('reanchored') == 1
    assert oracle.streams == 2 and None not in oracle.kept
    place, angle, depth = errors(frames, sequence, BLACK)
    assert np.nanmax(place) < 1e-3
    assert np.nanmax(angle) < 1e-3
    assert np.nanmax(depth) < 1e-3


def test_black_frames_leave_a_noisy_world_within_its_error_before():
    ratios = []
    sequence = film('room', 'handheld', 1, 2.0)
    for seed in range(6):
        guard, _ = guarded(sequence, noise=0.01, seed=seed)
        place = errors(run(guard, interrupted(sequence)), sequence, BLACK)[0]
        ratios.append(np.nanmax(place[20:]) / np.nanmax(place[:15]))
    # A greatest error over as many frames may differ by so much from chance alone.
    assert np.median(ratios) < 1.5


def test_the_same_frames_spoil_a_stream_that_remembers_them():
    sequence = film('room', 'handheld', 1)
    oracle = Oracle(sequence)
    frames = run(oracle, interrupted(sequence))
    place, _, depth = errors(frames, sequence, BLACK)
    assert np.nanmax(place[20:]) > 0.2 and np.nanmax(depth[20:]) > 0.2


def test_the_old_stream_goes_on_until_good_frames_are_back():
    sequence = film('room', 'handheld', 1)
    guard, _ = guarded(sequence)
    _, reports = guard_run(guard, interrupted(sequence))
    actions = [report.action for report in reports]
    assert actions[:15] == ['none'] * 15
    assert actions[15:20] == ['not_kept'] * 5
    assert actions[20:23] == ['none', 'reanchored', 'none']
    assert [report.level for report in reports[14:23]] == (
        ['ok'] + ['warn'] * 5 + ['ok', 'warn', 'ok']
    )
    assert reports[21].segment == 1 and reports[21].world == 0
    assert reports[21].alignment.agreed == (0, 1, 2, 3)
    assert 'segment 1' in str(reports[21]) and 'blank' in str(reports[15])


def test_the_new_stream_replays_the_held_frames():
    sequence = film('room', 'handheld', 1)
    guard, oracle = guarded(sequence)
    run(guard, interrupted(sequence))
    kept = oracle.kept
    assert kept[: 17 + HELD] == [*range(15), 20, 21, 13, 14, 20, 21]
    assert kept[17 + HELD :] == list(range(22, len(sequence.images)))


def test_a_short_run_of_bad_images_is_bridged_by_the_stream_that_there_is():
    sequence = film('room', 'handheld', 1)
    guard, oracle = guarded(sequence)
    gap = range(15, 17)
    frames, reports = guard_run(guard, interrupted(sequence, gap))
    assert oracle.streams == 1 and None not in oracle.kept
    assert all(report.verdict.ok for at, report in enumerate(reports) if at not in gap)
    assert np.nanmax(errors(frames, sequence, gap)[0]) < 1e-3


@pytest.mark.parametrize('ailment', ['drift', 'nan'])
@pytest.mark.parametrize('on_failure', ['reset', 'reanchor'])
def test_a_stream_that_breaks_on_good_images_is_left_at_once(on_failure, ailment):
    sequence = film('room', 'handheld', 1)
    oracle = Oracle(sequence)
    ailing = Ailing(oracle, ailment)
    guard = GuardedReconstructor(ailing, Watch(), on_failure)
    images = inputs(sequence)
    frames = run(guard, images[:15])
    ailing.ill = True
    rest, reports = guard_run(guard, images[15:])
    expected = 'reset' if on_failure == 'reset' else 'reanchored'
    assert [report.action for report in reports] == [expected] + ['none'] * (len(rest) - 1)
    assert reports[0].level == 'warn' and all(report.verdict.ok for report in reports)
    first = 15 if on_failure == 'reset' else 0
    assert np.nanmax(errors(frames + rest, sequence, first=first)) < 1e-3
    assert oracle.streams == 2


class Ailing:
    """An oracle whose stream, once ill, answers wrongly until it is left."""

    def __init__(self, oracle, ailment):
        self.oracle, self.ailment, self.ill = oracle, ailment, False

    def step(self, image, keep=True):
        frame = self.oracle.step(image, keep)
        if not self.ill:
            return frame
        wrong = torch.nan if self.ailment == 'nan' else 2 * frame.depth.median()
        return replace(frame, camera_from_world=frame.camera_from_world + wrong)

    def reset(self):
        self.oracle.reset()
        self.ill = False


def test_a_stream_that_never_recovers_is_not_left_with_every_frame():
    sequence = film('room', 'handheld', 1)
    oracle = Oracle(sequence)
    healthy = oracle._frame
    guard = GuardedReconstructor(oracle, Watch(), 'reanchor')
    images = inputs(sequence)
    run(guard, images[:15])
    oracle._frame = lambda *truth: replace(
        healthy(*truth), camera_from_world=torch.full((3, 4), torch.nan)
    )
    run(guard, images[15:27])
    assert oracle.streams <= 1 + 2 * 3


def test_a_change_of_behaviour_does_not_look_back():
    sequence = film('room', 'handheld', 1)
    guard, oracle = guarded(sequence, 'warn')
    images = interrupted(sequence)
    for at, image in enumerate(images[:20]):
        # Remembered, the black ones would spoil the stream itself.
        guard.step(image, keep=at not in BLACK)
    guard.on_failure = 'reset'
    run(guard, images[20:])
    assert oracle.streams == 1


def test_a_camera_that_truly_jumps_is_flagged_once_and_followed():
    whole = film('room', 'handheld', 1)
    at = torch.cat((torch.arange(14), torch.arange(14, 0, -1)))
    poses = whole.camera_from_world[at].clone()
    poses[14:, :, 3] += torch.tensor([2.5, 0.0, 0.0])
    images = whole.images[at].clone()
    images[14:] = images[14:].flip(1)
    sequence = replace(
        whole,
        images=images,
        depth=whole.depth[at],
        camera_from_world=poses,
        intrinsics=whole.intrinsics[at],
    )
    guard, oracle = guarded(sequence)
    frames, reports = guard_run(guard, inputs(sequence))
    assert [index for index, report in enumerate(reports) if not report.verdict.ok] == [14]
    assert oracle.streams == 2
    assert np.nanmax(errors(frames, sequence)[0]) < 1e-3


def test_reset_begins_a_world_with_the_first_good_frame():
    sequence = film('room', 'handheld', 1)
    guard, oracle = guarded(sequence, 'reset')
    frames, reports = guard_run(guard, interrupted(sequence))
    assert [report.world for report in reports] == [0] * 20 + [1] * (len(frames) - 20)
    assert reports[20].action == 'reset' and reports[20].level == 'warn'
    assert torch.equal(frames[20].camera_from_world, torch.eye(4)[:3])
    assert oracle.kept[15] == 20 and oracle.streams == 2
    assert np.nanmax(errors(frames, sequence, first=20)[0]) < 1e-3


def test_warn_changes_nothing_and_says_what_is_wrong():
    sequence = film('room', 'handheld', 1)
    guard, oracle = guarded(sequence, 'warn')
    frames, reports = guard_run(guard, interrupted(sequence))
    plain = Oracle(sequence)
    for at, image in enumerate(interrupted(sequence)):
        frame = plain.step(image)
        if at >= BLACK[0]:
            # What a spoilt stream answers is drawn by chance.
            continue
        assert torch.equal(frame.camera_from_world, frames[at].camera_from_world)
        assert torch.equal(frame.depth, frames[at].depth)
    assert oracle.streams == 1 and oracle.kept == plain.kept
    assert all(reports[at].level != 'ok' for at in BLACK)


def test_too_few_frames_to_chain_close_the_map_as_a_segment():
    sequence = film('room', 'handheld', 1)
    guard, _ = guarded(sequence)
    guard.step(inputs(sequence)[0])
    for index in range(4):
        guard.step(black(index))
    guard.step(inputs(sequence)[1], keep=False)
    assert guard.report.action == 'none'
    frame = guard.step(inputs(sequence)[2], keep=False)
    assert guard.report.action == 'lost' and guard.report.level == 'error'
    assert guard.report.world == 1 and 'closed as segment 1' in str(guard.report)
    assert torch.equal(frame.camera_from_world, torch.eye(4)[:3])


def test_streams_that_do_not_agree_close_the_map_as_a_segment():
    sequence = film('room', 'handheld', 1)
    oracle = Oracle(sequence)
    guard = GuardedReconstructor(Unrepeatable(oracle), Watch(), 'reanchor')
    _, reports = guard_run(guard, interrupted(sequence))
    assert reports[21].action == 'lost' and reports[21].world == 1
    assert reports[-1].world == 1 and reports[-1].verdict.ok


class Unrepeatable:
    """Answers replayed images in a unit that changes from frame to frame."""

    def __init__(self, oracle):
        self.oracle, self.seen = oracle, set()

    def step(self, image, keep=True):
        frame = self.oracle.step(image, keep)
        known = image.numpy().tobytes()
        if known in self.seen:
            frame = replace(frame, depth=frame.depth * float(np.exp(self.oracle.since)))
        self.seen.add(known)
        return frame

    def reset(self):
        self.oracle.reset()


def test_a_failed_stream_is_shown_before_it_is_dropped():
    sequence = film('room', 'handheld', 1)
    shown = []

    def keep_state(reconstructor):
        shown.append((reconstructor.streams, reconstructor.state_dict()['origin'].item()))

    guard, _ = guarded(sequence, abandoned=keep_state)
    run(guard, interrupted(sequence))
    assert shown == [(1, 0)]


def test_confidence_that_stays_away_is_not_waited_for():
    sequence = film('room', 'handheld', 1)
    guard, oracle = guarded(sequence)
    healthy, images = oracle._frame, inputs(sequence)
    run(guard, images[:15])
    oracle._frame = lambda pose, depth, confidence, k: healthy(pose, depth, 1.01, k)
    actions = []
    for image in images[15:19]:
        if guard.report.action == 'reanchored':
            oracle._frame = healthy
        guard.step(image)
        actions.append(guard.report.action)
    assert actions[:3] == ['none', 'none', 'reanchored']


# What an outage of the network meets, by the steps that still work: the first replayed frame, a
# later one, the present frame tried in the chained stream, and that frame once it has passed.
@pytest.mark.parametrize('good', range(1, HELD))
def test_an_outage_of_the_network_while_chaining_leaves_a_world_of_its_own(good):
    guard, oracle, images = about_to_chain()
    step, oracle.step = oracle.step, Failing(oracle.step, good)
    with pytest.raises(RuntimeError, match='out of memory'):
        guard.step(images[21])
    assert guard.place == (1, 0)
    oracle.step = step

    frame = guard.step(images[22])

    assert torch.equal(frame.camera_from_world, torch.eye(4)[:3])
    assert guard.report.world == 1 and guard.report.action == 'lost'
    guard.step(images[23])
    assert guard.report.action == 'none'


def test_an_outage_of_the_network_after_chaining_leaves_the_world_chained():
    guard, oracle, images = about_to_chain()
    step, oracle.step = oracle.step, Failing(oracle.step, HELD + 1)
    with pytest.raises(RuntimeError, match='out of memory'):
        guard.step(images[21], keep=False)
    oracle.step = step

    guard.step(images[22])

    assert guard.report.action == 'reanchored'
    assert (guard.report.world, guard.report.segment) == guard.place == (0, 1)


@pytest.mark.parametrize('on_failure', ['reset', 'reanchor'])
def test_an_outage_of_the_network_in_the_first_frame_of_a_world_is_told_by_the_next(on_failure):
    sequence = film('room', 'handheld', 1)
    guard, oracle = guarded(sequence, on_failure)
    guard.step(inputs(sequence)[0])
    for index in range(4):
        guard.step(black(index))
    if on_failure == 'reanchor':
        guard.step(inputs(sequence)[1], keep=False)
    step, oracle.step = oracle.step, Failing(oracle.step, 1)
    with pytest.raises(RuntimeError, match='out of memory'):
        guard.step(inputs(sequence)[2], keep=False)
    oracle.step = step

    guard.step(inputs(sequence)[3])

    assert guard.report.world == 1
    assert guard.report.action == {'reset': 'reset', 'reanchor': 'lost'}[on_failure]


def about_to_chain():
    """Give a guard, its oracle and the images of which number 21 has a new stream chained."""
    sequence = film('room', 'handheld', 1)
    guard, oracle = guarded(sequence)
    images = interrupted(sequence)
    run(guard, images[:21])
    return guard, oracle, images


class Failing:
    """Steps a while, then raises."""

    def __init__(self, step, good):
        self.step, self.good = step, good

    def __call__(self, image, keep=True):
        if self.good == 0:
            raise RuntimeError('out of memory')
        self.good -= 1
        return self.step(image, keep)


def test_a_saved_stream_goes_on_in_the_same_world():
    sequence = film('room', 'handheld', 1)
    guard, _ = guarded(sequence)
    images = interrupted(sequence)
    run(guard, images[:24])
    other, _ = guarded(sequence, seed=9)
    other.load_state_dict(guard.state_dict())
    expected, found = guard.step(images[24]), other.step(images[24])
    torch.testing.assert_close(found.camera_from_world, expected.camera_from_world)
    torch.testing.assert_close(found.depth, expected.depth)


@pytest.mark.parametrize('lie', [torch.zeros(13), torch.full((13,), float('nan')), torch.ones(4)])
def test_a_saved_stream_whose_similarity_lies_is_refused_and_the_present_one_goes_on(lie):
    sequence = film('room', 'handheld', 1)
    images = inputs(sequence)
    (guard, _), (other, _) = guarded(sequence), guarded(sequence)
    for each in (guard, other):
        run(each, images[:2])
    (key,) = [name for name, values in guard.state_dict().items() if values.shape == (13,)]

    with pytest.raises(ValueError, match='a saved similarity'):
        guard.load_state_dict({**other.state_dict(), key: lie.double()})

    expected, found = other.step(images[2]), guard.step(images[2])
    assert torch.equal(found.camera_from_world, expected.camera_from_world)


def test_the_network_itself_streams_through_the_guard_to_the_bit():
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    cache = CacheConfig(budget_tokens=512, bits=4)
    plain = StreamingReconstructor(model, cache)
    guard = GuardedReconstructor(StreamingReconstructor(model, cache), Watch())
    images = [each[:, :42, :56].contiguous() for each in inputs(film('room', 'handheld', 1))[:6]]
    for image in images[:3]:
        assert torch.equal(guard.step(image).depth, plain.step(image).depth)
    guard.on_failure = 'reset'
    guard.step(black(0, 42, 56))
    assert guard.report.action == 'not_kept'
    # The poses of untrained weights jump, which must not begin a stream here.
    guard.on_failure = 'warn'
    other = GuardedReconstructor(StreamingReconstructor(model, cache), Watch())
    other.load_state_dict(guard.state_dict())
    for image in images[3:]:
        expected = plain.step(image).camera_from_world
        assert torch.equal(guard.step(image).camera_from_world, expected)
        assert torch.equal(other.step(image).camera_from_world, expected)
    assert guard.cache_stats() == plain.cache_stats()


def test_cameras_of_one_stream_are_watched_apart():
    left, right = film('room', 'handheld', 1), film('room', 'handheld', 1)
    poses = right.camera_from_world.clone()
    poses[:, :, :3] = torch.diag(torch.tensor([-1.0, 1.0, -1.0])) @ poses[:, :, :3]
    images = torch.cat((left.images, right.images.flip(2)))
    both = replace(
        left,
        images=images,
        depth=torch.cat((left.depth, right.depth)),
        camera_from_world=torch.cat((left.camera_from_world, poses)),
        intrinsics=torch.cat((left.intrinsics, right.intrinsics)),
    )
    guard, _ = guarded(both)
    frames = len(left.images)
    for at in range(frames):
        for camera in (0, 1):
            guard.step(inputs(both)[at + camera * frames], camera=camera)
            assert guard.report.verdict.ok


def test_a_reset_from_outside_starts_afresh():
    sequence = film('room', 'handheld', 1)
    guard, oracle = guarded(sequence)
    run(guard, interrupted(sequence)[:24])
    guard.reset()
    image = inputs(sequence)[24]
    assert torch.equal(guard.step(image).camera_from_world, torch.eye(4)[:3])
    assert guard.report.segment == 0 and guard.cache_stats().tokens == 1


def test_the_point_head_is_switched_through():
    guard, oracle = guarded(film('room', 'handheld', 1))
    guard.point_head = True
    assert oracle.point_head is True and guard.point_head is True


def test_an_unknown_behaviour_is_refused():
    with pytest.raises(ValueError, match="'retry'; use one of: warn, reset, reanchor"):
        guarded(film('room', 'handheld', 1), 'retry')
