# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams that are cut and joined in every way, exact ones and one scene of the command's."""

from dataclasses import replace
import math

import numpy as np
from oracles import film, inputs, Oracle
import pytest
import torch

from benchmarks.scenes import METRICS
from benchmarks.segments.__main__ import main, report
from benchmarks.segments.cut_streams import cover, run_stream
from benchmarks.segments.joins import by_band, by_surface, join, refitted, scaled, shipped
from benchmarks.segments.overlaps import trust
from benchmarks.segments.trial import NAMES, SHIPPED, UNCUT
from xstreamvggt_ros.geometry import unproject, world_from_camera_points


@pytest.fixture(scope='module')
def cut():
    """Run an exact network over a room whose camera is covered twice."""
    sequence = film('room', 'handheld', 3)
    images, kept = cover(torch.stack(inputs(sequence)), cuts=2, length=4)
    return sequence, kept, run_stream(Oracle(sequence), images, kept)


def frames_of(run, segment):
    """Give what a chained stream and the one before said of the images of both."""
    new, old = run.segments[segment], run.segments[segment - 1]
    return tuple([each.frames[number] for number in new.overlap] for each in (new, old))


def test_the_better_half_by_either_stream_is_trusted(cut):
    _, _, run = cut
    new, old = (frames[0] for frames in frames_of(run, 1))
    height, width = new.depth.shape
    unsure = torch.linspace(1, 2, height * width).reshape(height, width)
    broken = replace(new, depth=new.depth.clone(), depth_confidence=unsure)
    broken.depth[-1, -1] = math.nan
    trusted = trust(broken, old)

    assert trusted.mean() == pytest.approx(0.5, abs=0.01)
    assert not trusted[: height // 2 - 1].any()
    assert not trusted[-1, -1]


def test_the_camera_is_covered_where_it_is_said_to_be():
    images, kept = cover(torch.ones(30, 3, 4, 4), cuts=2, length=4)

    assert [number for number in range(30) if number not in kept] == [8, 9, 10, 11, 18, 19, 20, 21]
    assert all(bool(image.any()) == (number in kept) for number, image in enumerate(images))


def test_a_cut_begins_a_stream_with_images_from_before_and_after_it(cut):
    _, kept, run = cut
    first, second, third = run.segments

    assert not run.lost
    for segment, (begin, end) in ((second, (9, 13)), (third, (19, 23))):
        assert len(segment.overlap) == 4
        assert min(segment.overlap) < begin
        assert max(segment.overlap) >= end
    assert sorted(first.shown + second.shown + third.shown) == kept
    assert all(set(segment.frames) <= set(kept) for segment in run.segments)


def test_the_shipped_join_is_what_the_guard_itself_gave(cut):
    _, kept, run = cut
    given = join(run.segments, shipped, None)

    for number in kept:
        assert torch.equal(given[number].points, run.given[number].points)
        assert torch.equal(given[number].camera_from_world, run.given[number].camera_from_world)


@pytest.mark.parametrize('fit', [shipped, refitted])
@pytest.mark.parametrize('correct', [None, by_band, by_surface])
def test_where_one_scale_is_right_every_join_is(cut, fit, correct):
    _, kept, run = cut
    given = join(run.segments, fit, correct)

    for number in kept:
        torch.testing.assert_close(
            given[number].depth, run.given[number].depth, rtol=2e-3, atol=1e-3
        )


@pytest.mark.parametrize('correct', [by_band, by_surface])
def test_depth_that_scales_by_layer_is_brought_back_by_layers_alone(cut, correct):
    sequence, kept, run = cut
    first, *chained = run.segments
    # To every stream after the first what is far is farther still.
    stretched = [
        replace(
            segment,
            frames={
                number: scaled(frame, np.where(sequence.depth[number] > 2.5, 1.2, 1.0))
                for number, frame in segment.frames.items()
            },
        )
        for segment in chained
    ]

    def error(correct):
        given = join([first, *stretched], shipped, correct)
        ratios = [given[number].depth / run.given[number].depth for number in kept]
        return float(torch.stack(ratios).log().abs().mean())

    assert error(None) > 0.03
    assert error(correct) < 0.4 * error(None)


def test_a_scaled_frame_keeps_its_points_on_their_rays(cut):
    frame = cut[2].segments[0].frames[5]
    moved = scaled(frame, np.linspace(0.5, 2, frame.depth.numel()).reshape(frame.depth.shape))
    lifted = world_from_camera_points(
        unproject(moved.depth, moved.intrinsics), moved.camera_from_world
    )

    torch.testing.assert_close(moved.points, lifted, rtol=1e-4, atol=1e-4)
    assert not torch.equal(moved.depth, frame.depth)


def test_a_scene_whose_world_was_lost_is_counted_and_compared_in_nothing():
    def row(seed, setting, value, lost=False):
        figures = dict.fromkeys(METRICS, value)
        return {'seed': seed, 'setting': setting, 'joins': 2, 'lost': lost, 'moved': 1, **figures}

    rows = [row(1, SHIPPED, 0.5), row(1, UNCUT, 0.6)]
    rows += [row(2, SHIPPED, math.nan, True), row(2, UNCUT, 9.0, True)]
    printed = report(rows)

    assert '2 to 2, median 2; scenes left out because one could not be: 1' in printed
    assert '1 scenes (1 of them with a path)' in printed
    assert '| +20.0 [n = 1] |' in printed


def test_the_command_joins_a_scene_in_every_way(tmp_path, capsys):
    runs = tmp_path / 'runs.jsonl'
    threads = torch.get_num_threads()
    command = ['--scenes', '1', '--frames', '14', '--size', '84', '112', '--cuts', '1']
    command += ['--covered', '3', '--runs', str(runs)]
    assert main(command) == 0
    made = runs.read_text()
    assert main(command) == 0
    torch.set_num_threads(threads)
    printed = capsys.readouterr().out

    assert 'streams chained a scene: 1 to 1' in printed
    assert '| join | depth moved % |' in printed
    assert runs.read_text() == made
    assert made.count('\n') == len(NAMES)
    for name in set(NAMES) - {SHIPPED}:
        assert printed.count(f'| {name} |') == 2
    assert all(f' {metric} ' in printed for metric in METRICS)
