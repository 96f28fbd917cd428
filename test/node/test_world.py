# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Map, path and odometry over DDS."""

import re

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry, Path
from networks import flat_frame, Scripted
import numpy as np
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from ros_rig import image_message, picture
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import PointCloud2
from small_disk import FULL, make_room, small_disk
from std_srvs.srv import Trigger
import torch

from xstreamvggt_ros.messages import read_points

pytestmark = pytest.mark.ros
POSE, MAP, PATH = '/reconstruction/pose', '/reconstruction/map', '/reconstruction/path'
ODOMETRY = '/reconstruction/odometry'
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
TURN = 0.1


def circling(index, image):
    """Answer with a camera that goes a metre to its right and turns by 0.1 rad to the left."""
    turn = Rotation.from_euler('y', -TURN * index).as_matrix()
    camera_from_world = torch.from_numpy(
        np.column_stack([turn.T, -turn.T @ [float(index), 0, 0]])
    ).float()
    return flat_frame(*image.shape[-2:], camera_from_world=camera_from_world)


def going_right(index, image):
    camera_from_world = torch.eye(4)[:3].clone()
    camera_from_world[0, 3] = -float(index)
    return flat_frame(*image.shape[-2:], camera_from_world=camera_from_world)


def images(*stamps):
    return [image_message(picture(), stamp) for stamp in stamps]


def extent(cloud):
    """Give how far to the right, the map's -y, its points go."""
    return -read_points(cloud).points[:, 1].min()


def test_the_map_grows_and_a_late_listener_gets_it(active):
    rig = active(
        {'output.map_voxel_size': 0.1, 'output.confidence_percentile': 0.0},
        network=Scripted(going_right),
    )
    poses = rig.collect(PoseStamped, POSE)
    rig.feed(images(1.0, 2.0, 3.0), poses)

    maps = rig.collect(PointCloud2, MAP, LATCHED)
    rig.wait(lambda: maps, 'the map, though no image came since')

    assert maps[0].header.frame_id == 'map' and maps[0].header.stamp.sec == 3
    # A wall 2 m wide 2 m away, seen from three places a metre apart.
    assert extent(maps[0]) == pytest.approx(3, abs=0.1)
    points = read_points(maps[0]).points
    np.testing.assert_allclose(points[:, 0], 2, atol=1e-5)
    voxels = {tuple(row) for row in np.floor(points / 0.1 + 1e-4).astype(int)}
    assert len(points) <= 1.1 * len(voxels)

    later = rig.collect(PointCloud2, MAP, LATCHED)
    rig.wait(lambda: later, 'the same map for one who came when it had been sent')
    assert later[0].data == maps[0].data


def test_map_and_path_keep_their_bounds_live(active):
    rig = active(
        {'output.map_max_points': 50, 'output.path_length': 2}, network=Scripted(going_right)
    )
    poses = rig.collect(PoseStamped, POSE)
    maps, paths = rig.collect(PointCloud2, MAP, LATCHED), rig.collect(Path, PATH, LATCHED)
    rig.feed(images(1.0, 2.0, 3.0), poses)
    rig.wait(lambda: paths and paths[-1].header.stamp.sec == 3, 'the path')
    rig.wait(lambda: maps and maps[-1].header.stamp.sec == 3, 'the map')

    assert maps[-1].width == 50
    assert [pose.header.stamp.sec for pose in paths[-1].poses] == [2, 3]
    assert [pose.pose.position.y for pose in paths[-1].poses] == pytest.approx([-1, -2])
    assert {pose.header.frame_id for pose in paths[-1].poses} == {'map'}

    assert rig.set('output.map_max_points', 0).successful
    assert rig.set('output.path_length', 1).successful
    rig.feed(images(4.0), poses)
    rig.wait(lambda: maps[-1].header.stamp.sec == 4 and maps[-1].width == 0, 'no map')
    rig.wait(lambda: len(paths[-1].poses) == 1, 'a shorter path')


def test_a_new_stream_clears_map_and_path(active):
    rig = active(network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    maps, paths = rig.collect(PointCloud2, MAP, LATCHED), rig.collect(Path, PATH, LATCHED)
    rig.feed(images(10.0, 11.0), poses)
    rig.wait(lambda: maps and extent(maps[-1]) > 1.5, 'a map of two views')

    # A bag that begins again, which the second image that says so confirms.
    rig.feed(images(0.5, 1.0), poses)
    rig.wait(lambda: maps[-1].header.stamp.sec == 1, 'a new map')
    assert extent(maps[-1]) < 1.5
    rig.wait(lambda: paths[-1].header.stamp.sec == 1, 'a new path')
    assert len(paths[-1].poses) == 1

    assert rig.call(Trigger, '/reconstruction/reset', Trigger.Request()).success
    rig.wait(lambda: maps[-1].width == 0 and not paths[-1].poses, 'nothing after a reset')


def test_a_new_scale_or_other_axes_reach_what_there_is(active):
    rig = active({'output.map_voxel_size': 0.1}, network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    maps, paths = rig.collect(PointCloud2, MAP, LATCHED), rig.collect(Path, PATH, LATCHED)
    rig.feed(images(1.0, 2.0), poses)
    assert rig.set('output.scale', 3.0).successful
    rig.feed(images(3.0), poses)
    rig.wait(lambda: maps and maps[-1].header.stamp.sec == 3, 'the map')
    rig.wait(lambda: paths and paths[-1].header.stamp.sec == 3, 'the path')

    np.testing.assert_allclose(read_points(maps[-1]).points[:, 0], 6, atol=1e-4)
    assert [pose.pose.position.y for pose in paths[-1].poses] == pytest.approx([0, -3, -6])

    assert rig.set('output.world_axes', 'optical').successful
    rig.feed(images(4.0), poses)
    rig.wait(lambda: maps[-1].header.stamp.sec == 4, 'a map along other axes')
    np.testing.assert_allclose(read_points(maps[-1]).points[:, 2], 6, atol=1e-4)


def test_odometry_is_the_pose_and_its_velocity_in_the_camera(active):
    rig = active(network=Scripted(circling))
    poses, found = rig.collect(PoseStamped, POSE), rig.collect(Odometry, ODOMETRY)
    rig.feed(images(1.0, 1.5, 2.0), poses, found)

    for message, pose in zip(found, poses, strict=True):
        assert message.pose.pose == pose.pose
        assert message.header == pose.header
        assert message.child_frame_id == 'camera'
    assert found[0].twist.twist.linear.x == 0
    twist = found[2].twist.twist
    # A metre in half a second along the world's x, seen by a camera turned by two steps.
    linear = Rotation.from_euler('y', -2 * TURN).inv().apply([2, 0, 0])
    assert [twist.linear.x, twist.linear.y, twist.linear.z] == pytest.approx(linear, abs=1e-5)
    assert [twist.angular.x, twist.angular.y, twist.angular.z] == pytest.approx(
        [0, -TURN / 0.5, 0], abs=1e-5
    )


def test_a_stream_s_first_frame_has_no_velocity_and_scale_no_jump(active):
    rig = active(network=Scripted(going_right))
    found, poses = rig.collect(Odometry, ODOMETRY), rig.collect(PoseStamped, POSE)
    rig.feed(images(10.0, 11.0), found)
    # One that goes back alone begins nothing, and says nothing of motion.
    rig.feed(images(0.5), poses)
    rig.feed(images(1.0), found)
    assert rig.set('output.scale', 2.0).successful
    rig.feed(images(2.0), found)

    velocities = [message.twist.twist.linear.x for message in found]
    assert velocities == pytest.approx([0, 1, 0, 2])
    assert found[2].twist.covariance[0] == 1e6


def test_covariance_follows_the_confidence(active):
    def answer(index, image):
        frame = going_right(index, image)
        frame.depth_confidence.fill_(1.0 if index < 2 else 10.0)
        return frame

    rig = active(network=Scripted(answer))
    found = rig.collect(Odometry, ODOMETRY)
    rig.feed(images(1.0, 1.5, 2.0), found)

    # A tenth of the depth of 2 m at a confidence of 1, a hundredth at 10.
    assert found[1].pose.covariance[0] == pytest.approx(0.2**2)
    assert found[2].pose.covariance[7] == pytest.approx(0.02**2)
    assert found[2].pose.covariance[35] == pytest.approx(0.01**2)
    assert found[1].twist.covariance[14] == pytest.approx(2 * 0.2**2 / 0.5**2)
    off_diagonal = found[1].pose.covariance.reshape(6, 6)[~np.eye(6, dtype=bool)]
    assert not off_diagonal.any()


@pytest.mark.parametrize('topic', [MAP, PATH])
def test_latched_topics_are_reliable_and_keep_one(active, topic):
    rig = active()

    (publisher,) = [p for p in rig.node.publishers if p.topic_name == topic]
    profile = publisher.qos_profile
    assert (profile.reliability.name, profile.durability.name, profile.depth) == (
        'RELIABLE',
        'TRANSIENT_LOCAL',
        1,
    )


def test_a_full_disk_is_what_the_answer_of_save_says_and_the_next_goes_well(active, tmp_path):
    rig = active({'output.directory': str(tmp_path)})
    poses = rig.collect(PoseStamped, POSE)
    rig.feed(images(1.0), poses)
    with small_disk(tmp_path, 4096):
        answer = rig.call(Trigger, '/reconstruction/save', Trigger.Request())
        assert not answer.success
        assert re.search(
            f'not saved: .*({FULL}).*: nothing was saved in {tmp_path}', answer.message
        )
        assert not any(tmp_path.iterdir())

        make_room(tmp_path)
        answer = rig.call(Trigger, '/reconstruction/save', Trigger.Request())
        assert answer.success, answer.message
        assert len(list(tmp_path.iterdir())) == 4
