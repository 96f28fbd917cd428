# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figures on /diagnostics."""

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus

from xstreamvggt_ros.messages.diagnostics import diagnostic_array, StreamFigures


def _status(**figures):
    message = diagnostic_array(StreamFigures(**figures), 'recon', Time(sec=7, nanosec=9))
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (7, 9)
    (status,) = message.status
    return status, {pair.key: pair.value for pair in status.values}


def test_every_drop_reason_is_a_key_and_the_total_their_sum():
    status, values = _status(frames_in=9, frames_dropped={'queue_full': 3, 'bad_encoding': 1})
    assert status.name == 'recon: reconstruction'
    assert values['frames_in'] == '9'
    assert values['frames_dropped'] == '4'
    assert values['dropped_queue_full'] == '3'
    assert values['dropped_bad_encoding'] == '1'


def test_frames_that_waited_when_the_node_was_stopped_are_not_in_the_total():
    _, values = _status(frames_in=9, frames_dropped={'queue_full': 3, 'stopped': 5})
    assert values['frames_dropped'] == '3'
    assert values['dropped_stopped'] == '5'


def test_budget_is_a_number_or_unbounded():
    assert _status(cache_budget_tokens=2048)[1]['cache_budget_tokens'] == '2048'
    assert _status()[1]['cache_budget_tokens'] == 'unbounded'


def test_level_follows_warnings_and_errors():
    assert _status(frames_processed=3)[0].level == DiagnosticStatus.OK
    warned, _ = _status(warnings=('weights are random',))
    assert warned.level == DiagnosticStatus.WARN
    assert warned.message == 'weights are random'
    failed, values = _status(warnings=('up to scale',), last_error='out of memory', failing=True)
    assert failed.level == DiagnosticStatus.ERROR
    assert failed.message == 'out of memory; up to scale'
    assert values['last_error'] == 'out of memory'


def test_latency_is_empty_until_a_frame_was_processed():
    assert _status()[1]['latency_p50_ms'] == ''
    assert _status(latency_p50_ms=12.345)[1]['latency_p50_ms'] == '12.3'


def test_an_error_of_some_frames_is_a_warning_and_nothing_is_known_of_what_is_not_active():
    some, _ = _status(warnings=('1 of 2 dropped',), last_error='step: too short')
    assert some.level == DiagnosticStatus.WARN
    assert 'too short' in some.message and '1 of 2' in some.message

    assert _status(active=False, warnings=('up to scale',))[0].level == DiagnosticStatus.STALE
