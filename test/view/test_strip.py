# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The strip says what /diagnostics says."""

import pytest

from xstreamvggt_ros.view.contents import Said
from xstreamvggt_ros.view.strip import figures, strip

VALUES = {
    'fps': '9.7',
    'latency_p50_ms': '84.1',
    'latency_p95_ms': '99.0',
    'cache_tokens': '2048',
    'cache_unbounded_tokens': '40000',
    'cache_bytes': str(3 << 20),
    'cache_unbounded_bytes': str(70 << 20),
    'frames_in': '12',
    'frames_processed': '9',
    'frames_dropped': '3',
    'dropped_disabled': '2',
    'dropped_too_late': '1',
    'dropped_queue_full': '0',
    'scale': '1.25',
    'scale_source': 'depth',
    'scale_settled': 'false',
    'stream': '4',
}


def test_figures_are_those_of_the_node():
    assert figures(Said(0, '', VALUES)) == {
        'frames/s': '9.7',
        'latency p50, p95': '84.1, 99.0 ms',
        'cache tokens': '2048 of 40000 unbounded',
        'cache MiB': '3.0 of 70.0 unbounded',
        'frames': '9 of 12',
        'dropped': '3 (2 disabled, 1 too late)',
        'scale': '1.25 (up to scale, depth)',
        'stream': '4',
    }


def test_what_the_node_does_not_say_is_left_out():
    assert figures(Said(0, '', {})) == {}
    assert figures(Said(0, '', {'fps': '', 'latency_p50_ms': '', 'latency_p95_ms': ''})) == {}


@pytest.mark.parametrize(
    ('level', 'word'), [(0, 'ok'), (1, 'warning'), (2, 'error'), (3, 'stale'), (77, 'stale')]
)
def test_level_and_sentence_are_shown_and_nothing_in_them_is_html(level, word):
    shown = strip(Said(level, '<script>alert(1)</script>', {'fps': '<i>'}), 'a node')
    assert f'<b>{word}</b>' in shown
    assert '<script>' not in shown and '<i>' not in shown
    assert '&lt;script&gt;' in shown


def test_who_is_waited_for_is_named():
    assert 'waiting for /camera/reconstruction' in strip(None, '/camera/reconstruction')


@pytest.mark.parametrize('text', ['', 'much', 'nan', '9' * 400, '9' * 5000, '-1e5'])
def test_figures_that_are_no_numbers_are_left_out(text):
    assert 'cache MiB' not in figures(Said(0, '', {**VALUES, 'cache_bytes': text}))
