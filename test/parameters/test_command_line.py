# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the command line sets to a value of another type is found."""

import pytest

from xstreamvggt_ros.parameters import PARAMETERS
from xstreamvggt_ros.parameters.command_line import mistyped


def problems(*words):
    return mistyped(('reconstruction_node', *words), 'reconstruction', PARAMETERS)


@pytest.mark.parametrize(
    ('assignment', 'wanted'),
    [
        ('cache.bits:=four', 'a whole number, like 4'),
        ('cache.bits:=4.5', 'a whole number, like 4'),
        ('output.scale:=large', 'a number, like 1.0'),
        ('keyframe.enabled:=1', 'true or false, like False'),
        ('output.directory:=[out]', "a text, like ''"),
        ('input.image_topics:=/image', "a list, like ['']"),
    ],
)
@pytest.mark.parametrize('flag', ['-p', '--param'])
def test_a_value_of_a_wrong_type_is_named_with_what_it_should_be(assignment, wanted, flag):
    name, _, text = assignment.partition(':=')

    assert problems('--ros-args', flag, assignment) == {
        name: f'{name} is {text!r} on the command line; give it {wanted}'
    }


@pytest.mark.parametrize(
    'assignment',
    [
        'cache.bits:=8',
        'cache.bits:=0x8',
        'output.scale:=2',
        'output.scale:=1e-2',
        'output.scale:=.inf',
        'keyframe.enabled:=Yes',
        'output.directory:=out',
        "input.image_topics:=['/image']",
        'no.such.parameter:=four',
        'no assignment at all',
    ],
)
def test_what_rcl_reads_as_that_type_is_left_to_it(assignment):
    assert problems('--ros-args', '-p', assignment) == {}


def test_only_the_last_value_counts():
    wrong, right = ('-p', 'cache.bits:=four'), ('-p', 'cache.bits:=8')

    assert problems('--ros-args', *wrong, *right) == {}
    assert problems('--ros-args', *right, *wrong).keys() == {'cache.bits'}


@pytest.mark.parametrize(
    ('node', 'ours'),
    [('reconstruction:', True), ('/reconstruction:', True), ('/**:', True), ('camera:', False)],
)
def test_values_for_other_nodes_do_not_count(node, ours):
    assert bool(problems('--ros-args', '-p', f'{node}cache.bits:=four')) == ours


def test_what_is_not_ros_s_does_not_count():
    assert problems('-p', 'cache.bits:=four') == {}
    assert problems('--ros-args', '--', '-p', 'cache.bits:=four') == {}
