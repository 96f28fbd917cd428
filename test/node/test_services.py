# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Enable, save and load, over DDS."""

import json
import threading

from dead_disk import dead_disk
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.srv import ChangeState
from nav_msgs.msg import Path
from networks import flat_frame, Scripted
import numpy as np
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from ros_rig import DEADLINE, image_message, picture
from sensor_msgs.msg import Image, PointCloud2
from std_srvs.srv import SetBool, Trigger
import torch

from xstreamvggt_ros.files.ply import read_ply
from xstreamvggt_ros.files.trajectories import read_tum
from xstreamvggt_ros.node.reconstructor import build_reconstructor
from xstreamvggt_ros.parameters import PARAMETERS

pytestmark = pytest.mark.ros
POSE, DEPTH = '/reconstruction/pose', '/reconstruction/depth/image'
FRAME = '/reconstruction/frame'
MAP, PATH = '/reconstruction/map', '/reconstruction/path'
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


def going_right(index, image):
    camera_from_world = torch.eye(4)[:3].clone()
    camera_from_world[0, 3] = -0.1 * index
    return flat_frame(*image.shape[-2:], camera_from_world=camera_from_world)


def images(*stamps):
    return [image_message(picture(int(stamp)), stamp) for stamp in stamps]


def trigger(rig, name):
    return rig.call(Trigger, f'/reconstruction/{name}', Trigger.Request())


def enable(rig, wanted):
    return rig.call(SetBool, '/reconstruction/enable', SetBool.Request(data=wanted))


def real(active, tmp_path, **parameters):
    return active(
        {'output.directory': str(tmp_path / 'saved'), **parameters},
        build_reconstructor=build_reconstructor,
    )


def depth_of(message):
    return np.frombuffer(message.data, '<f4')


def test_while_off_images_are_dropped_and_counted_and_the_stream_stays(active):
    rig = active(network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    rig.feed(images(1.0, 2.0), poses)

    response = enable(rig, False)
    assert response.success and 'dropped' in response.message
    rig.publish(*images(3.0, 4.0))
    rig.wait(lambda: rig.received() == 4, 'four images')
    response = enable(rig, True)
    assert response.success and 'taken' in response.message
    rig.feed(images(5.0), poses)
    rig.change('deactivate')

    assert [pose.header.stamp.sec for pose in poses] == [1, 2, 5]
    assert poses[-1].pose.position.y == pytest.approx(-0.2)
    rig.wait_for_log('5 images received, 3 processed, 2 dropped (disabled 2)')


def busy(active, **options):
    """Make a rig whose network is busy with an image."""
    rig = active(network=Scripted(going_right), **options)
    rig.network.hold = True
    rig.publish(*images(1.0))
    rig.wait(rig.network.in_hand.is_set, 'the image in hand')
    return rig


def ask(rig, name):
    return rig.ask(Trigger, f'/reconstruction/{name}', Trigger.Request())


def test_while_a_service_waits_for_the_network_the_node_goes_on(active):
    rig = busy(active)
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    asked = [ask(rig, 'reset'), ask(rig, 'reset')]

    rig.publish(*images(2.0, 3.0))
    rig.wait(lambda: rig.received() == 3, 'the images')
    assert enable(rig, False).success
    assert rig.set('output.point_stride', 2).successful
    seen = len(diagnostics)
    rig.wait(lambda: len(diagnostics) > seen, 'diagnostics')
    assert not any(future.done() for future in asked)

    rig.network.released.set()
    rig.wait(lambda: all(future.done() for future in asked), 'the answers')
    assert all(future.result().success for future in asked)


def test_a_service_that_waits_too_long_says_so_and_the_node_lives_on(active):
    rig = busy(active, patience=2.0)
    poses = rig.collect(PoseStamped, POSE)
    told = rig.collect(DiagnosticArray, FRAME)

    response = trigger(rig, 'reset')
    assert not response.success
    assert 'still busy with a frame after 2 s' in response.message

    rig.network.released.set()
    rig.wait(lambda: poses, 'the image that was in hand')
    rig.feed(images(2.0), poses)
    # The last that is said of an image: its pose may be out before the rest of it.
    rig.wait(lambda: len(told) == 2, 'the end of both images')
    assert trigger(rig, 'reset').success


def test_a_service_that_has_begun_and_takes_too_long_does_not_blame_a_frame(active, tmp_path):
    file = tmp_path / 'stream.safetensors'
    file.touch()
    rig = active({'input.snapshot': str(file)}, patience=0.2)
    with dead_disk(file):
        response = trigger(rig, 'load')

    assert not response.success
    assert 'has begun and is not done after 0.2 s' in response.message


@pytest.mark.parametrize('calls', [1, 2, 3])
def test_services_that_wait_are_answered_when_the_node_is_deactivated(active, calls):
    rig = busy(active)
    futures = [ask(rig, 'reset') for _ in range(calls)]
    # Answered after them, so that the node has them.
    assert enable(rig, True).success
    request = ChangeState.Request()
    request.transition.label = 'deactivate'
    change = rig.ask(ChangeState, '/reconstruction/change_state', request)
    rig.wait(lambda: not rig.peer.count_subscribers('/image'), 'the deactivation to begin')
    rig.network.released.set()
    rig.wait(lambda: all(each.done() for each in (change, *futures)), 'all answers')

    assert change.result().success
    # The image in hand may have been let go a moment too early to see them cancelled.
    for answer in (future.result() for future in futures):
        assert answer.success or 'deactivated' in answer.message
    assert rig.change('activate')
    assert trigger(rig, 'reset').success


def test_save_writes_map_trajectory_memory_and_record(active, tmp_path):
    rig = real(active, tmp_path)
    poses = rig.collect(PoseStamped, POSE)
    maps = rig.collect(PointCloud2, MAP, LATCHED)
    rig.feed(images(7.25, 8.0, 9.5), poses)
    rig.wait(lambda: maps and maps[-1].header.stamp.sec == 9, 'the map')

    response = trigger(rig, 'save')

    assert response.success, response.message
    folder = tmp_path / 'saved'
    names = {
        f'{kind}_7_250000000.{suffix}'
        for kind, suffix in (
            ('map', 'ply'),
            ('trajectory', 'tum'),
            ('stream', 'safetensors'),
            ('run', 'json'),
        )
    }
    assert {path.name for path in tmp_path.rglob('*') if path.is_file()} == names
    assert all(str(folder / name) in response.message for name in names)
    cloud = read_ply(folder / 'map_7_250000000.ply')
    assert len(cloud) == maps[-1].width
    trajectory = read_tum(folder / 'trajectory_7_250000000.tum')
    assert trajectory.stamps_ns.tolist() == [7_250_000_000, 8_000_000_000, 9_500_000_000]
    positions = [[getattr(pose.pose.position, axis) for axis in 'xyz'] for pose in poses]
    np.testing.assert_allclose(trajectory.positions, positions, rtol=1e-12)
    orientations = [[getattr(pose.pose.orientation, axis) for axis in 'xyzw'] for pose in poses]
    np.testing.assert_allclose(trajectory.quaternions, orientations, rtol=1e-12)


def test_the_record_tells_parameters_versions_and_figures(active, tmp_path):
    rig = real(active, tmp_path, **{'cache.bits': 8})
    rig.feed(images(1.0, 2.0), rig.collect(PoseStamped, POSE))
    assert trigger(rig, 'save').success

    record = json.loads((tmp_path / 'saved' / 'run_1_000000000.json').read_text())

    told = {f'{group}.{name}' for group, values in record['parameters'].items() for name in values}
    assert PARAMETERS.keys() <= told | {'cache.budget'}
    assert record['parameters']['cache']['bits'] == 8
    assert record['versions']['torch'] == torch.__version__
    assert record['frames'] == record['figures']['frames_processed'] == 2
    assert record['figures']['cache_bytes'] > 0
    assert record['map_points'] > 0


def test_saving_again_replaces_nothing(active, tmp_path):
    rig = real(active, tmp_path, **{'output.map_max_points': 0})
    poses = rig.collect(PoseStamped, POSE)
    saved, folder = [], tmp_path / 'saved'
    # The last is a bag that begins again, which its second image makes certain.
    for stamps in ((10.0,), (11.0,), (12.0,), (0.5, 1.0)):
        rig.feed(images(*stamps), poses)
        response = trigger(rig, 'save')
        saved.append({path.name for path in folder.iterdir()} - set().union(*saved))
        assert all(str(folder / name) in response.message for name in saved[-1])

    assert saved == [
        {f'trajectory_{start}.tum', f'stream_{start}.safetensors', f'run_{start}.json'}
        for start in ('10_000000000', '10_000000000_2', '10_000000000_3', '1_000000000')
    ]
    assert len(read_tum(folder / 'trajectory_10_000000000.tum')) == 1
    assert len(read_tum(folder / 'trajectory_10_000000000_3.tum')) == 3
    record = json.loads((folder / 'run_10_000000000_2.json').read_text())
    assert set(record['files']) == saved[1]


def test_the_files_of_one_save_share_a_counter(active, tmp_path):
    rig = real(active, tmp_path)
    (tmp_path / 'saved').mkdir()
    kept = tmp_path / 'saved' / 'trajectory_1_000000000.tum'
    kept.write_text('of another run')
    rig.feed(images(1.0), rig.collect(PoseStamped, POSE))

    assert trigger(rig, 'save').success

    assert kept.read_text() == 'of another run'
    assert {path.stem for path in (tmp_path / 'saved').iterdir()} == {
        'trajectory_1_000000000',
        *(f'{kind}_1_000000000_2' for kind in ('map', 'trajectory', 'stream', 'run')),
    }


@pytest.mark.parametrize(
    ('parameters', 'stamps', 'words'),
    [
        ({}, (1.0,), 'output.directory is empty'),
        ({'output.directory': 'saved'}, (), 'no frame to save yet'),
        ({'output.directory': '/dev/null/saved'}, (1.0,), '/dev/null'),
    ],
)
def test_a_save_that_cannot_be_says_why(active, tmp_path, monkeypatch, parameters, stamps, words):
    monkeypatch.chdir(tmp_path)
    rig = active(parameters)
    rig.feed(images(*stamps), rig.collect(PoseStamped, POSE))

    response = trigger(rig, 'save')

    assert not response.success
    assert response.message.startswith('not saved') and words in response.message
    assert not list(tmp_path.iterdir())


def test_load_goes_on_with_the_stream_that_was_saved(active, tmp_path):
    rig = real(active, tmp_path)
    depths = rig.collect(Image, DEPTH)
    paths = rig.collect(Path, PATH, LATCHED)
    rig.feed(images(1.0, 2.0), depths)
    assert trigger(rig, 'save').success
    rig.feed(images(3.0), depths)
    assert trigger(rig, 'reset').success
    rig.feed(images(3.0), depths)

    snapshot = tmp_path / 'saved' / 'stream_1_000000000.safetensors'
    assert rig.set('input.snapshot', str(snapshot)).successful
    response = trigger(rig, 'load')
    assert response.success, response.message
    assert str(snapshot) in response.message and '56x42' in response.message
    rig.feed(images(3.0), depths)

    _, _, went_on, alone, resumed = map(depth_of, depths)
    np.testing.assert_array_equal(resumed, went_on)
    assert np.abs(alone - went_on).max() > 1e-3
    # An empty one comes with the load.
    rig.wait(lambda: paths and len(paths[-1].poses) == 1, 'the path')


def begin_anew(rig, **parameters):
    """Release everything and start again with other parameters."""
    assert rig.change('deactivate', 'cleanup')
    for name, value in parameters.items():
        assert rig.set(name.replace('__', '.'), value).successful
    assert rig.change('configure', 'activate')


def test_load_into_a_node_that_has_seen_nothing(active, tmp_path):
    rig = real(active, tmp_path)
    depths = rig.collect(Image, DEPTH)
    rig.feed(images(1.0), depths)
    assert trigger(rig, 'save').success
    rig.feed(images(2.0), depths)

    snapshot = tmp_path / 'saved' / 'stream_1_000000000.safetensors'
    begin_anew(rig, input__snapshot=str(snapshot))
    assert trigger(rig, 'load').success
    rig.feed(images(2.0), depths)

    np.testing.assert_array_equal(depth_of(depths[2]), depth_of(depths[1]))


def test_images_of_another_size_do_not_go_on_with_a_loaded_stream(active, tmp_path):
    rig = real(active, tmp_path)
    depths = rig.collect(Image, DEPTH)
    rig.feed(images(1.0), depths)
    assert trigger(rig, 'save').success
    snapshot = tmp_path / 'saved' / 'stream_1_000000000.safetensors'
    assert rig.set('input.snapshot', str(snapshot)).successful
    # The camera sends them as before the load.
    rig.feed([image_message(picture(2, height=28), 2.0)], depths)
    assert trigger(rig, 'load').success

    rig.feed([image_message(picture(2, height=28), 3.0)], depths)

    assert depths[-1].height == 28
    np.testing.assert_array_equal(depth_of(depths[-1]), depth_of(depths[-2]))
    rig.wait_for_log('the images are 56x28 for the network, and the stream that ~/load resumed')
    assert not any('begins: ~/load resumed it' in line for line in rig.log())


@pytest.mark.parametrize(
    ('contents', 'words'),
    [
        (None, 'input.snapshot is empty'),
        (b'', 'no snapshot'),
        (b'no tensors in here, though it is long enough', 'no snapshot'),
    ],
)
def test_a_load_that_cannot_be_says_why_and_the_stream_goes_on(active, tmp_path, contents, words):
    rig = active(network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    rig.feed(images(1.0), poses)
    if contents is not None:
        (tmp_path / 'snapshot').write_bytes(contents)
        assert rig.set('input.snapshot', str(tmp_path / 'snapshot')).successful

    response = trigger(rig, 'load')
    rig.feed(images(2.0), poses)

    assert not response.success
    assert response.message.startswith('not loaded') and words in response.message
    assert poses[-1].pose.position.y == pytest.approx(-0.1)


def test_a_snapshot_of_another_configuration_is_refused(active, tmp_path):
    rig = real(active, tmp_path)
    rig.feed(images(1.0), rig.collect(PoseStamped, POSE))
    assert trigger(rig, 'save').success

    snapshot = tmp_path / 'saved' / 'stream_1_000000000.safetensors'
    begin_anew(rig, input__snapshot=str(snapshot), cache__bits=8)
    response = trigger(rig, 'load')

    assert not response.success and 'another model' in response.message


def test_calls_sent_together_with_deactivate_are_answered(active):
    rig = active()
    entered, go_on = threading.Event(), threading.Event()

    def hold():
        entered.set()
        go_on.wait(DEADLINE)

    names = ('reset', 'save', 'load')
    clients = [rig.peer.create_client(Trigger, f'/reconstruction/{name}') for name in names]
    enable = rig.peer.create_client(SetBool, '/reconstruction/enable')
    change = rig.peer.create_client(ChangeState, '/reconstruction/change_state')
    rig.wait(lambda: all(each.service_is_ready() for each in (*clients, enable, change)))
    # All of them wait while the executor does something else.
    rig.node.executor.create_task(hold)
    assert entered.wait(DEADLINE)
    request = ChangeState.Request()
    request.transition.label = 'deactivate'
    asked = [change.call_async(request)]
    asked += [client.call_async(Trigger.Request()) for client in clients for _ in range(3)]
    asked.append(enable.call_async(SetBool.Request(data=True)))
    go_on.set()

    rig.wait(lambda: all(each.done() for each in asked), 'an answer for everybody')
    assert asked[0].result().success
