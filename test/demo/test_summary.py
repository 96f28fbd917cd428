# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table at the end."""

from collections import Counter
from dataclasses import replace
import io

import numpy as np
import pytest
from rich.console import Console

from xstreamvggt_ros.demo.accuracy import Accuracy
from xstreamvggt_ros.demo.results import Check, Results
from xstreamvggt_ros.demo.run import DemoRun, RunOptions
from xstreamvggt_ros.demo.summary import judge, size, summary_table
from xstreamvggt_ros.files.ply import PlyCloud
from xstreamvggt_ros.files.trajectories import Trajectory

FIGURES = {
    'frames_in': '4',
    'frames_processed': '3',
    'frames_dropped': '1',
    'dropped_bad_size': '1',
    'dropped_queue_full': '0',
    'latency_p50_ms': '55.4',
    'latency_p95_ms': '99.6',
    'cache_layers': '8',
    'cache_tokens': '4096',
    'cache_budget_tokens': '2048',
    'cache_bytes': str(2 * 2**20),
    'cache_unbounded_tokens': '32000',
    'cache_unbounded_bytes': str(8 * 2**20),
    'cache_evictions': '1234',
    'weights': 'random',
    'device': 'cpu',
    'dtype': 'float32',
}
MS = 1_000_000
RUN = DemoRun(
    published_ns={10: 0, 20: 100 * MS, 30: 200 * MS},
    completed_ns={10: 40 * MS, 20: 160 * MS, 30: 320 * MS},
    diagnostics=FIGURES,
    parameters={},
    distorted=False,
    problem='',
    seconds=1.5,
)


def _results(**check):
    poses = np.zeros((3, 7))
    return Results(
        Check(outputs=15, pixels=100, **check),
        Trajectory(np.array([10, 20, 30]), poses[:, :3], poses[:, 3:]),
        PlyCloud(np.empty((0, 3)), np.empty((0, 3))),
        {},
    )


def _text(run=RUN, options=None, results=None, files=(), warned=(), accuracy=None):
    options, results = options or RunOptions(), results or _results()
    problems = judge(run, results, options)
    console = Console(file=io.StringIO(), width=100)
    console.print(summary_table(run, results, options, problems, files, warned, accuracy))
    return console.file.getvalue()


def _words(text):
    return ' '.join(text.replace('│', ' ').split())


def test_it_says_frames_latency_cache_and_checks(tmp_path):
    (tmp_path / 'cloud.ply').write_bytes(bytes(2048))
    text = _text(files=[tmp_path / 'cloud.ply'])
    for expected in (
        '3 (every image waits for its turn)',
        '1 (bad_size 1)',
        'median 60 ms, 95 % within 114 ms',
        'median 55 ms, 95 % within 100 ms',
        'tokens a layer',
        '512 in the cache, budget 2,048; evicted 154; an unbounded cache would hold 4,000',
        '2.0 MiB in 8 layers; unbounded and unquantised 8.0 MiB, 4.0 times as much',
        'random weights, float32 on cpu',
        'none lost; 15 outputs',
        '2.0 KiB',
    ):
        assert expected in _words(text)
    assert 'queue_full' not in text


def test_what_the_node_warned_of_is_a_row():
    text = _text(warned=['the stream looks [wrong]'])
    assert 'warned' in text and 'the stream looks [wrong]' in text
    assert 'warned' not in _text()


def test_several_streams_are_said_with_the_reason():
    begins = 'stream 2 begins: the images are 42x56 now'
    text = _text(results=replace(_results(), streams=2), warned=[begins])
    assert begins in text and 'longest, 3 of 3 images' in text
    assert 'warned' not in text
    assert 'streams' not in _text()


def test_errors_against_the_truth_are_rows():
    accuracy = Accuracy(np.eye(4), np.zeros((3, 3)), None, 0.0321, 5.0, 0.25, 6)
    text = _text(accuracy=accuracy)
    assert '3.2 % of the path of 5.0 m' in text and '25.0 %' in text
    assert 'of the 6 images of the contact sheet' in _words(text)
    unknown = _text(accuracy=Accuracy(np.eye(4), np.zeros((3, 3))))
    assert 'ATE' not in unknown and 'AbsRel' not in unknown


def test_where_nothing_came_the_node_s_reason_is_first_and_no_cache_is_described():
    figures = {**FIGURES, 'frames_processed': '0', 'last_error': 'the budget is too small'}
    run = replace(RUN, completed_ns={}, diagnostics=figures)
    nothing = replace(_results(), check=Check(missing=Counter(pose=3, points=3)))
    nothing = replace(nothing, trajectory=Trajectory(np.empty(0), *np.empty((2, 0, 4))))
    assert judge(run, nothing, RunOptions()) == [
        'the last error of the node: the budget is too small',
        'the node published not one pose',
    ]
    assert 'tokens a layer' not in _text(run, results=nothing)


def test_a_cache_that_is_not_full_yet_is_not_compared():
    figures = {**FIGURES, 'cache_evictions': '0', 'cache_unbounded_bytes': '2048'}
    text = _text(replace(RUN, diagnostics=figures))
    assert (
        'budget 2,048, not full yet: nothing was forgotten' in text and 'times as much' not in text
    )
    unbounded = _text(replace(RUN, diagnostics={**figures, 'cache_budget_tokens': 'unbounded'}))
    assert 'not full yet' not in unbounded


def test_a_node_without_diagnostics_is_said_and_no_figure_made_up():
    text = _text(replace(RUN, diagnostics={}))
    assert 'nothing on /diagnostics' in text
    assert 'processed' not in text


def test_a_run_that_may_lose_images_does_not_claim_otherwise():
    text = _text(options=RunOptions(lossless=False))
    assert 'none lost' not in text
    assert 'in flight' not in text


@pytest.mark.parametrize(
    'run, check, problem',
    [
        (replace(RUN, problem='nobody listens'), {}, 'nobody listens'),
        (replace(RUN, published_ns={}, completed_ns={}), {}, 'the input gave not one image'),
        (RUN, {'holes': 7}, '7 of 100 pixels are NaN'),
    ],
)
def test_what_is_wrong_takes_the_place_of_the_checks(run, check, problem):
    results = _results(**check)
    assert judge(run, results, RunOptions()) == [problem]
    text = _text(run, results=results)
    assert problem in text and 'WRONG' in text and 'checked' not in text


def test_pixels_that_were_undistorted_from_nothing_are_counted():
    text = _text(replace(RUN, distorted=True), results=_results(holes=7))
    assert '7 of 100 pixels' in text and 'WRONG' not in text


@pytest.mark.parametrize(
    'count, text', [(0, '0 bytes'), (1023, '1023 bytes'), (1536, '1.5 KiB'), (2**40, '1024.0 GiB')]
)
def test_sizes_are_printed_for_people(count, text):
    assert size(count) == text
