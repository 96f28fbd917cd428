# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node meets its cameras over DDS, and says by name what keeps their images away."""

from camera_process import camera
from diagnostic_msgs.msg import DiagnosticArray
from lone_node import lone_node
import pytest
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSLivelinessPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
)
from ros_rig import image_message, picture
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String

from xstreamvggt_ros.node.listening import Listener, Wanted
from xstreamvggt_ros.node.silence import IMAGE, Listening, why_silent
from xstreamvggt_ros.rig.link import Link

pytestmark = pytest.mark.ros
BEST_EFFORT = QoSProfile(depth=10, reliability=QoSReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=10)
OVERRIDE = 'qos_overrides./image.subscription'
SOON = {'input.silence_timeout': 0.2}


@pytest.fixture
def stranger():
    """Give a node of another participant: one has no topic of two types."""
    with lone_node('stranger') as node:
        yield node


def reliability(rig):
    (image,) = [s for s in rig.node.subscriptions if s.topic_name == '/image']
    return image.qos_profile.reliability.name


def lost(diagnostics):
    values = {pair.key: pair.value for pair in diagnostics[-1].status[0].values}
    return int(values['lost_in_transport'])


def test_every_large_image_of_a_reliable_camera_arrives(active):
    rig = active({'input.queue': 'newest'})
    with camera('/image', 20, reliable=True):
        rig.wait(lambda: rig.received() == 20, 'all 20 images', 60.0)

    assert rig.counts().lost == 0


def test_images_lost_in_transport_are_counted_and_told_once_with_the_remedy(active):
    rig = active({'input.queue': 'newest', **SOON})
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    with camera('/image', 20, reliable=False):
        # Of the last ones nobody knows until another comes.
        rig.wait(lambda: rig.counts().lost >= 5, 'a loss', 60.0)
        rig.wait(lambda: diagnostics and lost(diagnostics) == rig.counts().lost > 0)

    told = [line for line in rig.log() if 'lost on their way, by what carries' in line]
    assert len(told) == 1
    assert 'FASTDDS_DEFAULT_PROFILES_FILE' in told[0] and 'fastdds.xml' in told[0]
    assert '/image' in told[0]


def test_the_subscription_follows_what_the_publishers_offer(active):
    rig = active({'input.queue': 'newest'})
    assert reliability(rig) == 'RELIABLE'

    camera_driver = rig.peer.create_publisher(Image, '/image', BEST_EFFORT)
    rig.wait(camera_driver.get_subscription_count, 'to be met by a best-effort camera')
    camera_driver.publish(image_message(picture()))
    rig.wait(lambda: rig.received() == 1)
    assert reliability(rig) == 'BEST_EFFORT'

    rig.peer.destroy_publisher(camera_driver)
    rig.peer.create_publisher(Image, '/image', RELIABLE)
    rig.wait(lambda: reliability(rig) == 'RELIABLE', 'a reliable subscription')


def test_what_waits_in_a_subscription_that_is_made_anew_is_taken():
    depth, taken = [5], []
    with Link('camera') as camera, Link('node') as node:
        publisher = camera.node.create_publisher(String, '/kept', RELIABLE)
        listener = Listener(
            node.node, Wanted(String, '/kept', 'words'), taken.append, lambda: depth[0]
        )
        assert camera.spin_until(publisher.get_subscription_count, 20.0)
        # Nobody spins the node: they wait in its reader.
        for word in 'abc':
            publisher.publish(String(data=word))
        assert publisher.wait_for_all_acked(Duration(seconds=20))
        depth[0] = 7
        listener.follow()

        assert [each.data for each in taken] == ['a', 'b', 'c']
        listener.destroy()


def test_where_publishers_differ_it_is_best_effort_for_all(active):
    rig = active()
    for profile in (RELIABLE, BEST_EFFORT):
        rig.peer.create_publisher(Image, '/image', profile)

    rig.wait(lambda: reliability(rig) == 'BEST_EFFORT')


def test_a_raw_topic_given_for_a_compressed_one_is_named_with_the_setting(active, stranger):
    rig = active({**SOON, 'input.image_topics': ['/front/image/compressed']})
    stranger.create_publisher(CompressedImage, '/front/image/compressed', 1)

    rig.wait_for_log('stranger publishes sensor_msgs/msg/CompressedImage there')
    rig.wait_for_log('set input.image_transport compressed, and as its topic /front/image,')


def test_what_is_published_beside_the_topic_is_named(active):
    rig = active({**SOON, 'input.image_topics': ['/front/image']})
    rig.wait_for_log('nobody publishes there')
    rig.peer.create_publisher(Image, '/rear/image', 1)
    rig.wait_for_log('Images are published on /rear/image')
    for number in range(3):
        rig.peer.create_publisher(Image, f'/some/image_{number}', 1)
        rig.peer.create_publisher(CompressedImage, f'/some/image_{number}/compressed', 1)
    rig.wait_for_log('/some/image_1, /some/image_1/compressed and 2 more')
    rig.peer.create_publisher(CompressedImage, '/front/image/compressed', 1)
    rig.wait_for_log('but /front/image/compressed is: set input.image_transport compressed')


def test_topics_of_others_whose_names_ros_does_not_have_are_passed_over(active, monkeypatch):
    """Where a participant that knows no ROS publishes on the DDS topic rt/cam-1."""
    kinds = [IMAGE]
    graph = Node.get_topic_names_and_types

    def beside_others(node):
        return [('/cam-1', kinds), ('/1', kinds), ('/a//b', kinds), *graph(node)]

    monkeypatch.setattr(Node, 'get_topic_names_and_types', beside_others)
    rig = active({**SOON, 'input.image_topics': ['/front/image']})
    rig.peer.create_publisher(Image, '/rear/image', 1)

    rig.wait_for_log('Images are published on /rear/image')


def test_compressed_images_that_only_come_raw_name_the_transport(active):
    rig = active({**SOON, 'input.image_transport': 'compressed'})
    rig.peer.create_publisher(Image, '/image', 1)

    rig.wait_for_log('but /image is published: set input.image_transport raw')


def test_depth_that_is_no_image_is_named(active, stranger):
    rig = active({**SOON, 'output.scale_source': 'depth', 'input.depth_topic': '/depth'})
    stranger.create_publisher(String, '/depth', 1)

    rig.wait_for_log('no depth images on /depth for')
    rig.wait_for_log('publishes std_msgs/msg/String there, not sensor_msgs/msg/Image')


def test_an_override_that_no_publisher_meets_is_named(active):
    rig = active({**SOON, f'{OVERRIDE}.reliability': 'reliable'})
    rig.peer.create_publisher(Image, '/image', BEST_EFFORT)

    rig.wait_for_log(f'set {OVERRIDE}.reliability to best_effort')


def test_a_camera_that_is_paused_is_told_apart(active):
    rig = active(SOON)
    rig.peer.create_publisher(Image, '/image', RELIABLE)

    rig.wait_for_log('(peer) is there and meets the node')


def test_overrides_are_checked_and_locked_while_active_and_say_what_holds(active):
    rig = active()
    name = f'{OVERRIDE}.reliability'
    assert rig.node.get_parameter(name).value == 'best_available'
    assert 'only while the node is not active' in rig.set(name, 'best_effort').reason
    assert rig.set(name, 'best_available').successful

    rig.change('deactivate')
    refused = rig.set(name, 'utmost')
    assert not refused.successful and 'best_effort' in refused.reason
    assert 'use 1 to' in rig.set(f'{OVERRIDE}.depth', -1).reason
    assert rig.set(name, 'best_effort').successful
    rig.change('activate')
    assert reliability(rig) == 'BEST_EFFORT'


def test_the_history_of_a_camera_s_calibration_is_had_as_it_is_offered(active):
    rig = active()
    latched = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
    rig.peer.create_publisher(CameraInfo, '/camera_info', latched)
    rig.wait(
        lambda: any(
            s.topic_name == '/camera_info' and s.qos_profile.durability.name == 'TRANSIENT_LOCAL'
            for s in rig.node.subscriptions
        )
    )


@pytest.mark.parametrize(
    ('asked', 'said'),
    [
        ({'deadline': Duration(seconds=1)}, 'have it offer that'),
        ({'liveliness': QoSLivelinessPolicy.MANUAL_BY_TOPIC}, 'have it offer that'),
        (
            {
                'deadline': Duration(seconds=1),
                'durability': QoSDurabilityPolicy.TRANSIENT_LOCAL,
            },
            f'set {OVERRIDE}.durability to volatile',
        ),
    ],
)
def test_what_no_setting_cures_is_left_to_the_publisher(stranger, asked, said):
    publisher = stranger.create_publisher(Image, '/image', RELIABLE)
    # Neither is refused: what is offered may be more than is asked for.
    profile = QoSProfile(depth=10, reliability=QoSReliabilityPolicy.BEST_EFFORT)
    for name, value in asked.items():
        setattr(profile, name, value)

    why = why_silent(stranger, Listening(Image, '/image', profile))

    assert 'does not meet the one asked for' in why
    assert said in why and 'reliability' not in why
    stranger.destroy_publisher(publisher)
