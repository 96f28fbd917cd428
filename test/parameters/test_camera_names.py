# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What several cameras are called."""

import pytest

from xstreamvggt_ros.parameters import PARAMETERS, read_parameters

DEFAULTS = {name: spec.default for name, spec in PARAMETERS.items()}


def names(topics, given=('',)):
    return read_parameters(
        {**DEFAULTS, 'input.image_topics': list(topics), 'input.camera_names': list(given)}
    ).input.names


@pytest.mark.parametrize(
    ('topics', 'given', 'expected'),
    [
        (['/front/image_raw', '/left/image_raw'], [''], ('front', 'left')),
        (['/robot/front/image', 'rear/image'], [''], ('front', 'rear')),
        (['left', '~/right'], [''], ('left', 'right')),
        (['/a/image', '/b/image'], ['one', 'two'], ('one', 'two')),
        (['/a/image', '/b/image'], ['', 'two'], ('a', 'two')),
        (['/a/image', '/a/other'], ['one', 'two'], ('one', 'two')),
        (['~'], [''], ('camera',)),
    ],
)
def test_a_camera_is_called_as_given_or_by_its_topic_s_last_namespace(topics, given, expected):
    assert names(topics, given) == expected


@pytest.mark.parametrize(
    ('topics', 'given', 'words'),
    [
        (['/a/front/image', '/b/front/image'], [''], "called 'front'.*/b/front/image"),
        (['/a/image', '/b/image'], ['x', 'x'], "called 'x'.*input.camera_names"),
        (['/a/image', '/b/image'], ['x'], 'there are 2 in input.image_topics'),
        (['/a/image'], ['x', 'y'], 'there are 1 in input.image_topics'),
        (['/a/image', '/a/image'], ['x', 'y'], 'a topic of its own'),
        (['', ''], ['x', 'y'], 'a topic of its own'),
        (['/a/image', '/b/image'], ['x', 'y/z'], "'y/z'.*letters"),
        (['/a/image', '/b/image'], ['x', '1st'], 'a letter first'),
    ],
)
def test_cameras_that_cannot_be_told_apart_are_refused(topics, given, words):
    with pytest.raises(ValueError, match=words):
        names(topics, given)
