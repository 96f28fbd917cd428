# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What stamps that are no time, or no news, do to what comes out."""

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry, Path
from networks import flat_frame, Scripted
import pytest
from ros_rig import image_message, picture
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.msg import TFMessage
import torch

pytestmark = pytest.mark.ros


def moving(index, image):
    camera_from_world = torch.eye(4)[:3].clone()
    camera_from_world[0, 3] = -float(index)
    return flat_frame(*image.shape[-2:], camera_from_world=camera_from_world)


def seconds(message):
    return round(message.header.stamp.sec + 1e-9 * message.header.stamp.nanosec, 3)


class Outputs:
    """Everything that has one time only, and the poses, which are of every image."""

    def __init__(self, active):
        self.rig = active(network=Scripted(moving))
        collect = self.rig.collect
        self.poses = collect(PoseStamped, '/reconstruction/pose')
        self.odometry = collect(Odometry, '/reconstruction/odometry')
        self.paths = collect(Path, '/reconstruction/path')
        self.transforms = collect(TFMessage, '/tf')
        self.diagnostics = collect(DiagnosticArray, '/diagnostics')

    def feed(self, *stamps):
        self.rig.feed([image_message(picture(), stamp) for stamp in stamps], self.poses)

    def values(self):
        return {pair.key: pair.value for pair in self.diagnostics[-1].status[0].values}

    def check(self, stamps, remarks, streams=1):
        """One stream, with TF, odometry and path at just these stamps, and so many remarks."""
        rig = self.rig

        def told():
            values = self.values() if self.diagnostics else {}
            return all(values.get(word) == str(count) for word, count in remarks.items())

        rig.wait(told, remarks)
        rig.wait(lambda: self.paths and len(self.paths[-1].poses) == len(stamps), 'the path')
        assert [seconds(pose) for pose in self.paths[-1].poses] == stamps
        assert [seconds(message.transforms[0]) for message in self.transforms] == stamps
        assert [seconds(message) for message in self.odometry] == stamps
        assert self.values()['streams'] == str(streams)


def test_a_zero_stamp_is_never_time(active):
    outputs = Outputs(active)
    outputs.feed(5.0, 5.1, 0.0, 5.2)

    outputs.check([5.0, 5.1, 5.2], {'zero_stamp': 1})
    assert [seconds(pose) for pose in outputs.poses] == [5.0, 5.1, 0.0, 5.2]


def test_one_stamp_that_leaps_ahead_starts_nothing(active):
    outputs = Outputs(active)
    outputs.feed(5.0, 5.1, 10.2, 5.3, 5.4)

    outputs.check([5.0, 5.1, 5.3, 5.4], {'odd_stamp': 1})


@pytest.mark.parametrize('pause', ['disabled', 'inactive'])
def test_the_first_image_after_a_pause_of_the_node_s_own_is_time(active, pause):
    outputs = Outputs(active)
    rig = outputs.rig
    outputs.feed(5.0, 5.1, 5.2)
    if pause == 'disabled':
        enable(rig, False)
        before = rig.received()
        # The camera goes on meanwhile.
        for index in range(3):
            rig.publish(image_message(picture(), 5.3 + index))
            rig.wait(lambda least=before + index: rig.received() > least, 'an image')
        enable(rig, True)
        outputs.feed(7.4, 7.5)
    else:
        assert rig.change('deactivate', 'activate')
        outputs.feed(7.4, 7.5)

    outputs.check([5.0, 5.1, 5.2, 7.4, 7.5], {})
    assert rig.counts().remarks == {}


def enable(rig, wanted):
    response = rig.call(SetBool, '/reconstruction/enable', SetBool.Request(data=wanted))
    assert response.success


def test_one_stamp_that_falls_back_starts_nothing(active):
    outputs = Outputs(active)
    outputs.feed(5.0, 5.1, 0.2, 5.3, 5.4)

    outputs.check([5.0, 5.1, 5.3, 5.4], {'odd_stamp': 1})


def test_repeated_stamps_are_posed_and_sent_once(active):
    outputs = Outputs(active)
    outputs.feed(5.0, 5.1, 5.1, 5.1, 5.1, 5.2)

    outputs.check([5.0, 5.1, 5.2], {'duplicate_stamp': 3})
    assert len(outputs.poses) == 6


def test_what_comes_late_keeps_the_path_ascending(active):
    outputs = Outputs(active)
    outputs.feed(5.0, 5.2, 5.1, 5.3)

    outputs.check([5.0, 5.2, 5.3], {'backward_stamp': 1})


def test_a_bag_that_begins_again_while_nobody_listens_is_a_new_stream(active):
    outputs = Outputs(active)
    outputs.feed(50.0, 50.1)
    outputs.rig.change('deactivate', 'activate')
    outputs.feed(1.0, 1.1, 1.2)

    outputs.rig.wait_for_log("stream 2 begins: the images' stamps went back by 49.1 s")


def test_after_a_gap_there_is_no_velocity(active):
    outputs = Outputs(active)
    outputs.feed(5.0, 5.1, 5.2, 65.0, 65.1, 65.2)

    rig = outputs.rig
    rig.wait(lambda: len(outputs.odometry) == 5)
    speeds = {seconds(each): each.twist.twist.linear.x for each in outputs.odometry}
    variances = {seconds(each): each.twist.covariance[0] for each in outputs.odometry}
    # The first after the gap could be an outlier, and the second is a gap later than the last.
    assert list(speeds) == [5.0, 5.1, 5.2, 65.1, 65.2]
    assert speeds[65.1] == 0 and variances[65.1] == 1e6
    assert speeds[65.2] == pytest.approx(10.0) and variances[65.2] < 1e6


def test_the_first_pose_of_another_stream_has_the_covariance_of_nothing_known(active):
    outputs = Outputs(active)
    outputs.feed(5.0, 5.1)
    outputs.rig.call(Trigger, '/reconstruction/reset', Trigger.Request())
    outputs.feed(5.2, 5.3)

    outputs.rig.wait(lambda: len(outputs.odometry) == 4)
    known = [each.pose.covariance[0] < 1 for each in outputs.odometry]
    assert known == [False, True, False, True]
    assert outputs.odometry[2].pose.covariance[0] == 1e6
