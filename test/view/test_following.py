# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node is followed through its topics, over DDS; large ones only while somebody looks."""

import threading
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Point, TransformStamped
import numpy as np
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from ros_rig import image_message, picture, Rig
from std_msgs.msg import UInt32
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from xstreamvggt_ros.view.command import main
from xstreamvggt_ros.view.contents import PageContents
from xstreamvggt_ros.view.following import Following
from xstreamvggt_ros.view.strip import figures

pytestmark = pytest.mark.ros
RELIABLE, BEST_EFFORT = QoSReliabilityPolicy.RELIABLE, QoSReliabilityPolicy.BEST_EFFORT
HEAVY = {'points', 'map', 'image', 'depth/image', 'confidence', 'path'}


@pytest.fixture
def rig():
    rig = Rig()
    yield rig
    rig.network.released.set()
    rig.close()


def heavy_topics(rig):
    """Name the large outputs that anybody listens to."""
    return {
        name
        for name in HEAVY
        if any(
            each.topic_name == f'/reconstruction/{name}' and each.get_subscription_count()
            for each in rig.node.publishers
        )
    }


def test_what_the_node_gives_is_in_the_contents_and_its_figures_are_those_of_diagnostics(rig):
    contents = PageContents()
    assert rig.change('configure', 'activate')
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    with Following(contents) as following:
        rig.wait(lambda: following.whom == '/reconstruction', 'the node to be found')
        rig.wait(lambda: heavy_topics(rig) == HEAVY, 'subscriptions')
        for index in range(3):
            rig.publish(image_message(picture(index), stamp=1.0 + index))

            def arrived(index=index):
                following.update()
                return contents.count('points') > index and contents.count('said')

            rig.wait(arrived, 'the cloud of an image')
        wanted = {
            'points',
            'image',
            'depth',
            'confidence',
            'lens',
            'pose',
            'map',
            'path',
            'stream',
            'said',
        }

        def complete():
            following.update()
            return {name for name in wanted if contents.count(name)} == wanted

        rig.wait(complete, 'every output')
        assert contents.get('depth').shape == (42, 56)
        assert contents.get('points').points.shape[1] == 3
        assert contents.get('stream') == 1
        assert np.isfinite(contents.get('pose').position).all()
        assert 'map' in contents.get('transforms')

        def agreed():
            following.update()
            said = contents.get('said')
            mine = {pair.key: pair.value for pair in diagnostics[-1].status[0].values}
            return said.values == mine and said.values['frames_processed'] == '3' and figures(said)

        shown = rig.wait(agreed, 'the newest figures')
        assert shown['frames'] == '3 of 3'


def test_buttons_reach_the_node(rig):
    assert rig.change('configure', 'activate')
    with Following(PageContents(), node='reconstruction') as following:
        rig.wait(lambda: following.services.found, 'clients of the services')
        assert 'images' in following.enable(False).lower()
        rig.publish(image_message(picture()))
        rig.wait(lambda: rig.counts().dropped.get('disabled'), 'a dropped image')
        following.enable(True)
        assert following.trigger('reset')
        assert rig.network.resets


def test_without_a_browser_large_topics_are_left_alone(rig):
    assert rig.change('configure', 'activate')
    looking = []
    following = Following(PageContents(), node='/reconstruction/')
    following.watched = lambda: bool(looking)
    with following:
        rig.wait(lambda: '/reconstruction/pose' in following._subscribed, 'the small ones')
        assert heavy_topics(rig) == set()
        looking.append(True)
        rig.wait(lambda: heavy_topics(rig) == HEAVY, 'the large ones')
        looking.clear()
        rig.wait(lambda: heavy_topics(rig) == set(), 'the large ones to be left')


def test_the_path_is_asked_for_once_and_goes_on_by_poses(rig):
    assert rig.change('configure', 'activate')
    contents = PageContents()
    with Following(contents) as following:
        rig.wait(lambda: heavy_topics(rig) == HEAVY, 'subscriptions')

        def feed_until(condition, what):
            begun = rig.received()
            rig.publish(image_message(picture(), stamp=1.0 + begun))

            def reached():
                following.update()
                return rig.network.steps > begun and condition()

            rig.wait(reached, what)

        feed_until(lambda: heavy_topics(rig) == HEAVY - {'path'}, 'the path to be left alone')
        feed_until(lambda: contents.count('path'), 'a path')
        feed_until(lambda: len(contents.get('path')) == 3, 'the pose of another frame')
        assert heavy_topics(rig) == HEAVY - {'path'}


def test_the_program_keeps_what_nobody_looks_at_if_it_is_told_to(rig):
    assert rig.change('configure', 'activate')
    ended = threading.Event()
    arguments = ['--always', '--nice', '0', '--port', '8700']
    program = threading.Thread(target=main, args=(arguments, ended))
    program.start()
    try:
        rig.wait(lambda: heavy_topics(rig) == HEAVY, 'subscriptions')
    finally:
        ended.set()
        program.join()


def test_whoever_reads_late_is_given_the_newest_alone(rig):
    assert rig.change('configure', 'activate')
    contents = PageContents()
    with Following(contents) as following:
        rig.wait(lambda: heavy_topics(rig) == HEAVY, 'subscriptions')
        clouds = []
        for index in range(6):
            rig.publish(image_message(picture(index), stamp=1.0 + index))
            clouds.append(index)
        rig.wait(lambda: rig.network.steps == 6, 'all frames')
        end = time.monotonic() + 10
        while not contents.count('points') and time.monotonic() < end:
            following.update()
        assert contents.count('points') <= 2


@pytest.mark.parametrize(
    ('node', 'namespace', 'whom'),
    [
        ('reconstruction', '/', '/reconstruction'),
        ('reconstruction', '/fleet/robot', '/fleet/robot/reconstruction'),
        ('arm/mapper/', '/fleet', '/fleet/arm/mapper'),
        ('/robot/reconstruction/', '/fleet', '/robot/reconstruction'),
    ],
)
def test_a_node_is_looked_for_in_the_namespace_of_the_view(node, namespace, whom):
    arguments = ['--ros-args', '-r', f'__ns:={namespace}']
    with Following(PageContents(), node=node, arguments=arguments) as following:
        assert following.whom == whom


def test_without_a_node_a_button_says_so():
    with Following(PageContents(), node='') as following:
        assert 'there is no node yet' in following.trigger('save')
        assert 'a node that publishes' in following.whom


@pytest.mark.parametrize('kind', [Marker, MarkerArray])
@pytest.mark.parametrize(
    'durability', [QoSDurabilityPolicy.VOLATILE, QoSDurabilityPolicy.TRANSIENT_LOCAL]
)
def test_loop_closures_are_taken_as_they_are_published(rig, kind, durability):
    latched = durability == QoSDurabilityPolicy.TRANSIENT_LOCAL
    marker = Marker(type=Marker.LINE_LIST, points=[Point(), Point(x=3.0)])
    marker.header.frame_id = 'map'
    message = marker if kind is Marker else MarkerArray(markers=[marker])
    publisher = rig.peer.create_publisher(
        kind, '/slam/constraints', QoSProfile(depth=1, durability=durability)
    )
    if latched:
        publisher.publish(message)
    contents = PageContents()
    with Following(contents, loop_closures='slam/constraints') as following:
        rig.wait(publisher.get_subscription_count, 'a subscription')
        if not latched:
            publisher.publish(message)

        def shown():
            following.update()
            lines = contents.get('closures')
            return lines is not None and len(lines.points)

        rig.wait(shown, 'the line')
        assert contents.get('closures').points.tolist() == [[[0, 0, 0], [3, 0, 0]]]
        count = contents.count('closures')
        following.update()
        assert contents.count('closures') == count


def test_loop_closures_are_followed_to_another_who_publishes_them(rig):
    contents = PageContents()
    with Following(contents, loop_closures='slam/constraints') as following:
        for x, reliability in ((1.0, RELIABLE), (2.0, BEST_EFFORT)):
            publisher = rig.peer.create_publisher(
                Marker, '/slam/constraints', QoSProfile(depth=1, reliability=reliability)
            )
            marker = Marker(type=Marker.LINE_LIST, points=[Point(), Point(x=x)])
            marker.header.frame_id = 'map'

            def shown(publisher=publisher, marker=marker, x=x):
                publisher.publish(marker)
                following.update()
                lines = contents.get('closures')
                return lines is not None and lines.points[:, 1, 0].tolist() == [x]

            rig.wait(shown, 'the line')
            rig.peer.destroy_publisher(publisher)


def test_what_moves_often_leaves_what_stands(rig):
    contents = PageContents()
    latched = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
    moving = rig.peer.create_publisher(TFMessage, '/tf', 10)
    standing = rig.peer.create_publisher(TFMessage, '/tf_static', latched)
    standing.publish(TFMessage(transforms=[_transform('base', 'camera')]))
    with Following(contents) as following:
        rig.wait(lambda: following._fixed, 'what stands')

        def more():
            moving.publish(TFMessage(transforms=[_transform('map', 'base')]))
            return len(following._moved) == following._moved.maxlen

        # More of what moves than is kept, before anybody looks.
        rig.wait(more, 'what moves')
        following.update()
        assert contents.get('transforms').keys() == {'map', 'base', 'camera'}


def _transform(parent, child):
    moved = TransformStamped(child_frame_id=child)
    moved.header.frame_id = parent
    return moved


def test_a_node_that_says_nothing_any_more_is_stale(rig, monkeypatch):
    monkeypatch.setattr('xstreamvggt_ros.view.following.SILENT_S', 0.5)
    speaks = rig.peer.create_publisher(DiagnosticArray, '/diagnostics', 1)
    status = DiagnosticStatus(name='r: reconstruction', message='all is well')
    contents = PageContents()
    with Following(contents, node='/r') as following:

        def level():
            following.update()
            said = contents.get('said')
            return said and said.level

        def heard():
            speaks.publish(DiagnosticArray(status=[status]))
            return level() == 0

        rig.wait(heard, 'a status')
        rig.wait(lambda: level() == 3, 'silence')
        assert contents.get('said').message == (
            'silent for more than 0.5 s; it last said: all is well'
        )
        rig.wait(heard, 'another status')


def test_a_topic_of_another_type_is_named(rig, caplog):
    rig.peer.create_publisher(UInt32, '/slam/constraints', 1)
    with Following(PageContents(), loop_closures='/slam/constraints'):
        rig.wait(lambda: 'it is of std_msgs/msg/UInt32, not' in caplog.text, 'the sentence')


def test_a_service_that_does_not_answer_leaves_nothing_behind(rig):
    assert rig.change('configure', 'activate')
    # A stream begins anew between frames, of which this one does not end.
    rig.network.hold = True
    rig.publish(image_message(picture()))
    rig.wait(rig.network.in_hand.is_set, 'a frame')
    with Following(PageContents(), node='reconstruction') as following:
        rig.wait(lambda: following.services.found, 'clients of the services')
        following.services.patience_s = 0.3
        assert following.trigger('reset') == 'reset was not answered within 0.3 s'
        assert not following.services._clients['reset']._pending_requests
