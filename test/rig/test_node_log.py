# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Warnings and errors out of the node's log."""

from xstreamvggt_ros.rig.node_log import losses, warnings


def _line(severity, message):
    return f'[{severity}] [1795680539.692959119] [reconstruction]: {message}\n'


def test_warnings_and_errors_are_given_once_and_nothing_else():
    log = (
        _line('INFO', 'tiny is ready')
        + _line('WARN', 'the stream looks wrong: confidence 0.1')
        + 'a line of a library\n'
        + _line('WARN', 'the stream looks wrong: confidence 0.2')
        + _line('ERROR', 'no memory')
    )
    assert warnings(log) == ['the stream looks wrong: confidence 0.1', 'no memory']


def test_of_many_a_few_are_given_and_the_rest_counted():
    log = ''.join(_line('WARN', letter) for letter in 'abcdef')
    assert warnings(log, most=2) == ['a', 'b', 'and 4 more in node.log']
    assert warnings(log, most=6) == list('abcdef')


def test_what_images_lose_is_given_though_the_node_does_not_warn_of_it():
    lost = '25 % of each image is cut off: the network sees its middle'
    log = _line('INFO', 'tiny is ready') + 2 * _line('INFO', lost)
    assert losses(log) == [lost]
    assert losses(_line('INFO', 'tiny is ready')) == []
