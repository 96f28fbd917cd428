# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keyframes and the watch over the stream, over DDS."""

from types import SimpleNamespace

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from networks import flat_frame, Scripted
import numpy as np
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from reports import report
from ros_rig import image_message, IMAGE_SIZE, picture
import torch

from xstreamvggt_ros.node.reconstructor import build_reconstructor
from xstreamvggt_ros.node.watch import LEVELS, MOST_SAVED, saving, WatchLog
from xstreamvggt_ros.stream.snapshots import read_snapshot

pytestmark = pytest.mark.ros
POSE, PATH = '/reconstruction/pose', '/reconstruction/path'
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


def stepping(jumps=()):
    """Answer with a camera that goes 1 cm to its right; `jumps`, by index, are more metres."""
    jumps = dict(jumps)

    def answer(index, image):
        camera_from_world = torch.eye(4)[:3].clone()
        camera_from_world[0, 3] = -0.01 * index - jumps.pop(index, 0.0)
        return flat_frame(*image.shape[-2:], camera_from_world=camera_from_world)

    return Scripted(answer)


def send(rig, poses, pictures, first=1):
    rig.feed([image_message(each, first + at) for at, each in enumerate(pictures)], poses)


def y_of(poses):
    return [pose.pose.position.y for pose in poses]


def statuses(messages):
    return [
        (message.status[0], {pair.key: pair.value for pair in message.status[0].values})
        for message in messages
    ]


def test_frames_that_show_nothing_new_are_posed_but_not_remembered(active):
    rig = active({'keyframe.enabled': True}, network=stepping())
    poses = rig.collect(PoseStamped, POSE)
    send(rig, poses, [picture(0)] * 3 + [picture(1)] * 3)
    assert rig.network.index == 2

    assert rig.set('keyframe.enabled', False).successful
    send(rig, poses, [picture(1)] * 2, first=7)
    assert rig.network.index == 4
    assert len(poses) == 8


def test_the_first_frame_of_a_stream_is_remembered(active):
    rig = active({'keyframe.enabled': True}, network=stepping())
    poses = rig.collect(PoseStamped, POSE)
    send(rig, poses, [picture(0)] * 2, first=10)
    send(rig, poses, [picture(0)] * 2, first=1)  # a bag that begins again

    assert rig.network.index == 1
    assert rig.network.steps == 2


def test_a_threshold_decides(active):
    rig = active({'keyframe.enabled': True, 'keyframe.threshold': 50.0}, network=stepping())
    poses = rig.collect(PoseStamped, POSE)
    send(rig, poses, [picture(seed) for seed in range(4)])
    assert rig.network.index == 1

    assert rig.set('keyframe.threshold', 0.25).successful
    send(rig, poses, [picture(seed) for seed in range(4, 7)], first=5)
    assert rig.network.index == 4


def test_a_jump_is_a_warning_and_no_more_by_default(active):
    rig = active(network=stepping({3: 5.0}))
    poses = rig.collect(PoseStamped, POSE)
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    send(rig, poses, [picture()] * 5)

    def warned():
        return [
            values
            for status, values in statuses(diagnostics)
            if status.level == DiagnosticStatus.WARN
            and 'translation_jump' in status.message
            and 'translation_jump' in values['watch']
        ]

    rig.wait(warned, 'a warning on /diagnostics')
    rig.wait_for_log('the stream looks wrong: translation_jump')
    rig.wait(lambda: statuses(diagnostics)[-1][1]['watch'] == 'ok', 'the stream to be well again')
    assert y_of(poses) == pytest.approx([0, -0.01, -0.02, -5.03, -0.04])
    assert statuses(diagnostics)[-1][1]['watch_world'] == '0'


def test_a_blank_image_is_remembered_where_the_watch_may_only_warn(active):
    rig = active(network=stepping())
    poses = rig.collect(PoseStamped, POSE)
    black = np.zeros((42, IMAGE_SIZE, 3), np.uint8)
    send(rig, poses, [black, picture(), black, picture()])

    assert rig.network.index == 4
    rig.wait_for_log('blank')


def test_a_blank_image_is_not_remembered_where_the_watch_may_act(active):
    rig = active({'watch.on_failure': 'reset'}, network=stepping())
    poses = rig.collect(PoseStamped, POSE)
    black = np.zeros((42, IMAGE_SIZE, 3), np.uint8)
    send(rig, poses, [picture(), picture(), black, black, picture()])

    assert rig.network.index == 3
    rig.wait_for_log('blank')


def test_reset_closes_the_map_and_begins_a_new_one(active):
    rig = active({'watch.on_failure': 'reset'}, network=stepping({3: 5.0}))
    poses = rig.collect(PoseStamped, POSE)
    paths = rig.collect(Path, PATH, LATCHED)
    send(rig, poses, [picture()] * 5)
    rig.wait(lambda: paths and paths[-1].header.stamp.sec == 5, 'the path')

    # The fourth is the first of a new stream.
    assert y_of(poses) == pytest.approx([0, -0.01, -0.02, 0, -0.01])
    assert [pose.header.stamp.sec for pose in paths[-1].poses] == [4, 5]
    rig.wait_for_log('a new one begins, world 1')


def test_reanchor_goes_on_in_the_same_map_and_saves_the_failed_stream(active, tmp_path):
    failed = tmp_path / 'failed.safetensors'
    rig = active(
        {'watch.on_failure': 'warn', 'watch.snapshot_path': str(failed)},
        network=stepping({5: 5.0}),
    )
    rig.network.state_dict = lambda: {'frames': torch.tensor([rig.network.index])}
    poses = rig.collect(PoseStamped, POSE)
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    paths = rig.collect(Path, PATH, LATCHED)
    assert rig.set('watch.on_failure', 'reanchor').successful
    send(rig, poses, [picture()] * 7)
    rig.wait(lambda: paths and len(paths[-1].poses) == 7, 'the whole path')

    # The network starts at 0 again, but its held frames tell where that is in the map.
    assert y_of(poses) == pytest.approx([0, -0.01, -0.02, -0.03, -0.04, -0.05, -0.06], abs=1e-3)
    rig.wait_for_log('segment 1 chained')
    rig.wait(
        lambda: any(values['watch_segment'] == '1' for _, values in statuses(diagnostics)),
        'the segment on /diagnostics',
    )
    assert read_snapshot(failed)['frames'].item() == 6
    rig.wait_for_log(f'saved to {failed}')


def test_a_stream_that_cannot_be_chained_is_an_error_and_a_new_map(active):
    rig = active({'watch.on_failure': 'reanchor'}, network=stepping({1: 5.0}))
    poses = rig.collect(PoseStamped, POSE)
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    paths = rig.collect(Path, PATH, LATCHED)
    send(rig, poses, [picture()] * 3)
    rig.wait(
        lambda: any(
            status.level == DiagnosticStatus.ERROR and 'map closed' in values['last_error']
            for status, values in statuses(diagnostics)
        ),
        'an error on /diagnostics',
    )
    rig.wait(lambda: paths and paths[-1].header.stamp.sec == 3, 'the path')

    assert [pose.header.stamp.sec for pose in paths[-1].poses] == [2, 3]
    rig.wait_for_log('map closed as segment 1')


def test_a_failed_stream_that_cannot_be_saved_is_no_reason_to_stop(active, tmp_path):
    (tmp_path / 'file').touch()
    rig = active(
        {
            'watch.on_failure': 'reset',
            'watch.snapshot_path': str(tmp_path / 'file' / 'failed.safetensors'),
        },
        build_reconstructor=build_reconstructor,
    )
    poses = rig.collect(PoseStamped, POSE)
    black = np.zeros((42, IMAGE_SIZE, 3), np.uint8)
    send(rig, poses, [picture()] + [black] * 3 + [picture()] * 2)

    rig.wait_for_log('the failed stream could not be saved')
    assert len(poses) == 6


def test_failed_streams_are_numbered_and_no_file_is_written_over(tmp_path):
    lines = Lines()
    path = tmp_path / 'failed.v1.safetensors'
    path.write_text('something else')
    network = SimpleNamespace(state_dict=lambda: {'one': torch.ones(1)})
    save = saving(lambda: SimpleNamespace(snapshot_path=str(path)), lines)

    for _ in range(MOST_SAVED + 1):
        save(network)

    assert path.read_text() == 'something else'
    assert len(list(tmp_path.iterdir())) == MOST_SAVED
    assert read_snapshot(tmp_path / f'failed.v1_{MOST_SAVED}.safetensors')['one'] == 1
    assert 'failed.v1_2.safetensors' in lines.lines[0]
    assert f'there are {MOST_SAVED} of it already' in lines.lines[-1]


class Lines:
    """A logger that keeps what it is told."""

    def __init__(self):
        self.lines = []
        self.warning = self.error = self.lines.append


@pytest.mark.parametrize('levels', [('error', 'ok'), ('ok', 'error', 'warn'), ('warn', 'ok')])
def test_the_worst_since_it_was_asked_for_is_told_and_then_the_newest(levels):
    log = WatchLog(Lines())
    assert log.take() is None
    for level in levels:
        log.note(report(level))

    assert log.take().level == max(levels, key=LEVELS.index)
    log.note(report('ok'))
    assert log.take().level == 'ok'


def test_warnings_of_every_frame_are_logged_once():
    logger = Lines()
    log = WatchLog(logger)
    for level in ('warn', 'warn', 'error', 'warn', 'ok'):
        log.note(report(level))

    assert len(logger.lines) == 2
    assert 'map closed' in logger.lines[1]
