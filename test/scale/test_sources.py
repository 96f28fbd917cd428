# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many metres the network's unit is, from each of the four sources."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from reports import report
import torch

from xstreamvggt_ros.pipeline import Reconstruction
from xstreamvggt_ros.scale import make_scale_estimator, SCALE_SOURCES
from xstreamvggt_ros.synthetic import make_scene, render, SequenceConfig

HEIGHT, WIDTH = 42, 56
K = np.array([[40.0, 0, 28], [0, 40, 21], [0, 0, 1]])
UNIT = 2.5  # metres


def reconstruction(depth=None, position=(0, 0, 0), confidence=None, intrinsics=K):
    """Make a frame in the network's unit."""
    depth = np.ones((HEIGHT, WIDTH), np.float32) if depth is None else depth
    map_from_camera = np.eye(4)
    map_from_camera[:3, 3] = position
    return Reconstruction(
        depth=depth,
        confidence=np.ones_like(depth) if confidence is None else confidence,
        picture=np.zeros((*depth.shape, 3), np.uint8),
        intrinsics=intrinsics,
        predicted_intrinsics=intrinsics,
        map_from_camera=map_from_camera,
        points=np.zeros((*depth.shape, 3), np.float32),
        points_confidence=np.ones_like(depth),
        report=report(),
        index=0,
    )


def at(position):
    pose = np.eye(4)
    pose[:3, 3] = position
    return pose


def ground_depth(height=1.2, pitch=0.2, wall=8.0, intrinsics=K, shape=(HEIGHT, WIDTH)):
    """See flat ground and a wall from `height` above it, looking down by `pitch` radians."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    x, y = (columns - intrinsics[0, 2]) / intrinsics[0, 0], (rows - intrinsics[1, 2])
    y = y / intrinsics[1, 1]
    down = y * np.cos(pitch) + np.sin(pitch) + 0 * x
    return np.where(down * wall > height, height / np.maximum(down, 1e-9), wall).astype(np.float32)


def test_a_scale_that_is_given_is_settled_from_the_start():
    estimator = make_scale_estimator('parameter', scale=3.0)
    estimator.add(reconstruction())

    state = estimator.state
    assert state.settled and state.scale == 3.0 and state.spread == 0 and not state.reason
    estimator.reset()
    assert estimator.state.settled


@pytest.mark.parametrize('source', SCALE_SOURCES[1:])
def test_without_samples_nothing_is_settled_and_one_is_applied(source):
    estimator = make_scale_estimator(source, camera_height=1.0)
    flat = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    for _ in range(20):
        estimator.add(reconstruction(depth=flat))

    state = estimator.state
    assert state.source == source
    assert not state.settled and state.scale == 1.0 and state.estimate is None
    assert state.samples == 0 and state.reason


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 100), st.floats(0, 0.4), st.integers(0, 99))
def test_depth_settles_on_the_ratio_whatever_the_outliers(unit, outliers, seed):
    rng = np.random.default_rng(seed)
    estimator = make_scale_estimator('depth')
    for _ in range(10):
        depth = rng.uniform(1, 4, (HEIGHT, WIDTH)).astype(np.float32)
        metric = (unit * depth * rng.normal(1, 0.02, depth.shape)).astype(np.float32)
        wrong = rng.random(depth.shape) < outliers
        # As stereo and time of flight have them: flying pixels, holes, infinities.
        metric[wrong] = rng.choice([0, np.nan, np.inf, 0.1 * unit, 50 * unit], wrong.sum())
        estimator.add(reconstruction(depth), metric)

    state = estimator.state
    assert state.settled and state.samples == 10 and not state.reason
    assert state.scale == pytest.approx(unit, rel=0.05)
    assert state.estimate == state.scale and state.spread < 0.05


def test_unsure_depth_has_no_say():
    sky = np.arange(WIDTH) < WIDTH // 2
    depth = np.ones((HEIGHT, WIDTH), np.float32)
    metric = np.where(sky, 9.0, UNIT).astype(np.float32) * depth
    confidence = np.where(sky, 1.0, 5.0).astype(np.float32) * depth
    confidence[0] = np.nan
    estimator = make_scale_estimator('depth')
    for _ in range(10):
        estimator.add(reconstruction(depth, confidence=confidence), metric)

    assert estimator.state.scale == pytest.approx(UNIT)


def test_frames_that_disagree_do_not_settle_and_the_spread_is_told():
    estimator = make_scale_estimator('depth')
    depth = np.ones((HEIGHT, WIDTH), np.float32)
    for index in range(30):
        estimator.add(reconstruction(depth), (1 + index % 5) * depth)

    state = estimator.state
    assert not state.settled and state.scale == 1.0 and state.estimate == 3.0
    assert state.spread > 0.2 and 'more than 20%' in state.reason
    # Only the latest count, so that it can still settle.
    for _ in range(64):
        estimator.add(reconstruction(depth), 3 * depth)
    assert estimator.state.settled and estimator.state.scale == 3.0


def test_once_settled_the_scale_is_locked_until_reset():
    estimator = make_scale_estimator('depth')
    depth = np.ones((HEIGHT, WIDTH), np.float32)
    for metric in [2.0] * 10 + [7.0] * 100:
        estimator.add(reconstruction(depth), metric * depth)
    assert estimator.state.scale == 2.0

    estimator.reset()
    assert not estimator.state.settled and estimator.state.scale == 1.0
    for _ in range(10):
        estimator.add(reconstruction(depth), 7 * depth)
    assert estimator.state.scale == 7.0


def test_why_depth_gives_nothing_is_told():
    estimator = make_scale_estimator('depth')
    estimator.add(reconstruction())
    assert 'no metric depth' in estimator.state.reason
    holes = np.zeros((HEIGHT, WIDTH), np.float32)
    holes[:5, :5] = 1
    estimator.add(reconstruction(), holes)
    assert '25 of 100 pixels' in estimator.state.reason
    with pytest.raises(ValueError, match='align_depth'):
        estimator.add(reconstruction(), np.ones((480, 640), np.float32))


def walk(estimator, metric, unit=UNIT, turn=None, noise=0.0, seed=0):
    """Move odometry along `metric` (N, 3), and the poses likewise in another frame and unit."""
    rng = np.random.default_rng(seed)
    turn = np.eye(3) if turn is None else turn
    for position in metric:
        pose = turn @ position / unit + [7, -3, 1] + rng.normal(0, 1, 3) * noise / unit
        estimator.add(reconstruction(position=pose), odom_from_camera=at(position))


def path(steps, seed=0, step=0.1):
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.normal(0, 0.2, steps))
    moves = step * np.stack([np.cos(heading), np.sin(heading), 0 * heading], axis=1)
    return np.cumsum(moves, axis=0)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 100), st.integers(0, 99))
def test_odometry_settles_on_the_slope_whatever_the_frames(unit, seed):
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    estimator = make_scale_estimator('odometry')
    walk(estimator, path(12, seed), unit, turn, noise=0.01, seed=seed)

    assert estimator.state.settled
    assert estimator.state.scale == pytest.approx(unit, rel=0.1)
    assert 0 <= estimator.state.spread <= 0.2


def test_odometry_that_moved_under_half_a_metre_does_not_settle():
    estimator = make_scale_estimator('odometry')
    walk(estimator, path(6, step=0.09))
    state = estimator.state
    assert not state.settled and state.samples == 6 and state.scale == 1.0
    assert 'moved 0.45 m' in state.reason and '0.5 m' in state.reason
    assert state.estimate == pytest.approx(UNIT, rel=1e-3)


def test_a_robot_that_stands_still_never_settles_however_it_trembles():
    estimator = make_scale_estimator('odometry')
    rng = np.random.default_rng(0)
    walk(estimator, rng.normal(0, 0.005, (500, 3)), noise=0.05)
    assert not estimator.state.settled and 'moved 0.00 m' in estimator.state.reason


def test_a_robot_that_turns_on_the_spot_does_not_settle():
    estimator = make_scale_estimator('odometry')
    angle = np.linspace(0, 40, 300)
    walk(estimator, 0.1 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1))
    assert not estimator.state.settled and 'stayed within 0.25 m' in estimator.state.reason


def test_some_poses_that_jump_do_not_spoil_odometry():
    estimator = make_scale_estimator('odometry')
    positions = path(60)
    for index, position in enumerate(positions):
        pose = position / UNIT if index % 8 != 3 else np.array([50.0, 20, 9])
        estimator.add(reconstruction(position=pose), odom_from_camera=at(position))
    assert estimator.state.settled
    assert estimator.state.scale == pytest.approx(UNIT, rel=0.1)


def test_poses_that_have_nothing_to_do_with_odometry_do_not_settle():
    estimator = make_scale_estimator('odometry')
    walk(estimator, path(100), noise=5.0)
    assert not estimator.state.settled and 'more than 20%' in estimator.state.reason


def test_poses_that_stand_still_do_not_settle():
    estimator = make_scale_estimator('odometry')
    for position in path(20):
        estimator.add(reconstruction(), odom_from_camera=at(position))
    assert not estimator.state.settled and 'stand still' in estimator.state.reason


def test_poses_without_odometry_or_not_finite_are_ignored():
    estimator = make_scale_estimator('odometry')
    estimator.add(reconstruction())
    estimator.add(reconstruction(), odom_from_camera=at([np.nan, 0, 0]))
    assert estimator.state.samples == 0 and 'no odometry' in estimator.state.reason


@pytest.mark.parametrize('pitch', [-0.1, 0.0, 0.3, 0.6])
def test_camera_height_settles_on_the_ground_whatever_stands_on_it(pitch):
    rng = np.random.default_rng(0)
    estimator = make_scale_estimator('camera_height', camera_height=1.2)
    for _ in range(10):
        depth = ground_depth(pitch=pitch) * rng.normal(1, 0.01, (HEIGHT, WIDTH))
        # A box, and pixels that fly.
        depth[30:38, 10:18] = np.minimum(depth[30:38, 10:18], 1.5)
        flying = rng.random(depth.shape) < 0.1
        depth[flying] = rng.uniform(0.1, 20, flying.sum())
        depth[rng.random(depth.shape) < 0.1] = np.nan
        estimator.add(reconstruction((depth / UNIT).astype(np.float32)))

    assert estimator.state.settled, estimator.state.reason
    assert estimator.state.scale == pytest.approx(UNIT, rel=0.03)


def test_a_wall_is_no_ground():
    estimator = make_scale_estimator('camera_height', camera_height=1.2)
    rng = np.random.default_rng(0)
    for _ in range(12):
        depth = 3 * rng.normal(1, 0.005, (HEIGHT, WIDTH))
        estimator.add(reconstruction(depth.astype(np.float32)))
    assert not estimator.state.settled and 'no ground' in estimator.state.reason


@pytest.fixture(scope='module')
def room():
    """Render an empty room from a camera that slides sideways, 1.5 m above the floor."""
    scene = make_scene(SequenceConfig(scene='room', clutter=0.0, shadows=False))
    centres = np.array([[0, 0.06 * index - 0.4, 1.5] for index in range(14)])
    down = np.array([-0.4, 0, -1]) / np.hypot(0.4, 1)
    forward = np.array([1, 0, -0.4]) / np.hypot(0.4, 1)
    rotation = np.stack([np.cross(down, forward), down, forward])
    poses = np.stack([np.column_stack([rotation, -rotation @ centre]) for centre in centres])
    _, depth = render(scene, torch.tensor(poses), torch.tensor(K), HEIGHT, WIDTH)
    return centres, depth.numpy()


@pytest.mark.parametrize('source', SCALE_SOURCES[1:])
def test_a_rendered_room_gives_its_scale_by_every_source(room, source):
    estimator = make_scale_estimator(source, camera_height=1.5)
    for centre, depth in zip(*room, strict=True):
        estimator.add(
            reconstruction(depth / np.float32(UNIT), (centre - room[0][0]) / UNIT),
            depth,
            at(centre),
        )

    assert estimator.state.settled, estimator.state
    assert estimator.state.scale == pytest.approx(UNIT, rel=0.02)


@pytest.mark.parametrize(
    'wrong, message',
    [
        ({'source': 'imu'}, "scale_source is 'imu'; use one of: parameter, depth, odometry"),
        ({'source': 'parameter', 'scale': 0.0}, 'output.scale is 0.0'),
        ({'source': 'parameter', 'scale': np.nan}, 'output.scale is nan'),
        ({'source': 'camera_height'}, 'output.camera_height is 0.0; give the height'),
    ],
)
def test_a_wrong_choice_is_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        make_scale_estimator(**wrong)
