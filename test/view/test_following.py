# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node is followed through its topics, over DDS; large ones only while somebody looks."""

import time

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import pytest
from ros_rig import image_message, picture, Rig

from xstreamvggt_ros.view.contents import PageContents
from xstreamvggt_ros.view.following import Following
from xstreamvggt_ros.view.strip import figures

pytestmark = pytest.mark.ros
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
        rig.wait(lambda: following._clients, 'clients of the services')
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


def test_without_a_node_a_button_says_so():
    with Following(PageContents(), node='') as following:
        assert 'there is no node yet' in following.trigger('save')
        assert 'a node that publishes' in following.whom
