# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of frames and topics: mended where they can be, else refused before anything is made."""

from geometry_msgs.msg import PoseStamped
import pytest
from ros_rig import image_message, picture
from sensor_msgs.msg import Image
from tf2_msgs.msg import TFMessage

pytestmark = pytest.mark.ros
POSE = '/reconstruction/pose'


def test_slashes_in_front_of_frames_are_left_out_and_told_once(active):
    rig = active({'output.map_frame': '/map'})
    poses, transforms = rig.collect(PoseStamped, POSE), rig.collect(TFMessage, '/tf')
    frame = '/openni_rgb_optical_frame'
    rig.feed([image_message(picture(), 1.0 + i, frame) for i in range(3)], poses, transforms)

    (transform,) = transforms[-1].transforms
    assert transform.child_frame_id == 'openni_rgb_optical_frame'
    assert transform.header.frame_id == poses[-1].header.frame_id == 'map'
    for words in ("output.map_frame '/map'", f"header.frame_id is '{frame}'"):
        assert sum(words in line for line in rig.log()) == 1


def test_a_frame_that_would_forge_a_line_of_the_log_is_refused_in_quotes(active):
    rig = active()
    rig.publish(image_message(picture(), 1.0, 'camera\n[FATAL] the battery burns'))
    rig.wait(lambda: rig.counts().dropped == {'frame_id': 1})

    rig.wait_for_log(r"'camera\n[FATAL] the battery burns'")


def test_a_frame_that_changes_is_said_once(active):
    rig = active()
    poses = rig.collect(PoseStamped, POSE)
    names = ['left', 'right', 'left', 'right']
    rig.feed([image_message(picture(), 1.0 + i, name) for i, name in enumerate(names)], poses)

    rig.wait_for_log("changes, from 'left' to 'right'")
    assert sum('changes, from' in line for line in rig.log()) == 1


def test_two_publishers_on_one_topic_are_said_once(active):
    rig = active()
    for _ in range(2):
        rig.peer.create_publisher(Image, '/image', 1)

    rig.wait_for_log('/image has 2 publishers (/peer, /peer)')
    assert sum('has 2 publishers' in line for line in rig.log()) == 1


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'input.image_topics': ['//camera/image_raw']}, "did you mean '/camera/image_raw'?"),
        ({'input.image_topics': ['camera//image']}, "did you mean 'camera/image'?"),
        ({'input.image_topics': ['/{robot}/image']}, 'unknown substitution: {robot}'),
        ({'input.image_topics': ['/' + 'a' * 300]}, 'length should not exceed'),
        ({'input.image_topics': ['/' + 'a' * 240]}, 'use at most'),
        ({'input.image_topics': ['image', '/image']}, 'several cameras are called'),
        ({'input.image_topics': ['~/depth/image']}, 'is a topic of this node'),
        ({'input.depth_topic': '/depth//image'}, "input.depth_topic has '/depth//image'"),
        ({'output.map_frame': 'the map'}, "output.map_frame: a frame is called 'the map'"),
        ({'output.camera_frame': 'x\ny'}, 'output.camera_frame'),
    ],
)
def test_names_that_ros_would_refuse_later_are_refused_at_configure(rig_of, parameters, words):
    rig = rig_of(parameters)

    assert not rig.change('configure')
    rig.wait_for_log(words)
    assert not any('Traceback' in line for line in rig.log())


def test_one_topic_under_two_names_is_found_after_remapping(rig_of):
    rig = rig_of(
        {'input.image_topics': ['front', '/left/image'], 'input.camera_names': ['front', 'left']},
        cli_args=['--ros-args', '-r', 'front:=/left/image'],
    )

    assert not rig.change('configure')
    rig.wait_for_log('of which several are /left/image')
