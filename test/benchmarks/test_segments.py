# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joining streams: robust fits, layers of depth against their equation, and one scene."""

from dataclasses import replace
import math

import numpy as np
from oracles import film, inputs, Oracle
import pytest
from scipy.optimize import minimize_scalar
from scipy.spatial.transform import Rotation
import torch

from benchmarks.scenes import METRICS
from benchmarks.segments.__main__ import main, NAMES, report, SHIPPED, UNCUT
from benchmarks.segments.cut_streams import cover, run_stream
from benchmarks.segments.joins import by_band, by_surface, join, refitted, scaled, shipped
from benchmarks.segments.layers import (
    layer_scales,
    LEAST_SHARED,
    LEAST_TRUSTED,
    overlap_of_layers,
    Seen,
    surfaces,
)
from benchmarks.segments.overlaps import fit_overlap, LIMIT, Overlap, robust_scale, trust
from xstreamvggt_ros.geometry import unproject, world_from_camera_points
from xstreamvggt_ros.geometry.umeyama import move


def huber_of(scale, source, target):
    """Give the loss itself."""
    limit = LIMIT * np.median(target)
    error = np.abs(scale * source - target)
    return np.where(error <= limit, error**2 / 2, limit * (error - limit / 2)).sum()


def best_scale(source, target):
    return minimize_scalar(huber_of, bracket=(0.5, 2.0), args=(source, target), tol=1e-10).x


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


def test_a_scale_minimises_hubers_loss_whatever_the_outliers():
    rng = np.random.default_rng(0)
    source = rng.uniform(1, 5, 400)
    target = 1.3 * source * (1 + 0.02 * rng.normal(size=400))
    target[:60] *= 4
    found = robust_scale(source, target)

    assert found == pytest.approx(best_scale(source, target), rel=1e-4)
    assert found == pytest.approx(1.3, rel=0.02)


def test_all_depth_gives_the_similarity_although_a_fifth_of_it_is_wrong():
    rng = np.random.default_rng(1)
    points = rng.normal((0, 0, 4), 1, (500, 3))
    turn, shift = Rotation.from_euler('xyz', (10, -25, 40), degrees=True).as_matrix(), (1, -2, 0.5)
    depth, old = points[:, 2], 1.7 * points @ turn.T + shift
    wrong = rng.random(500) < 0.2
    overlap = Overlap(
        depth, 1.7 * depth * np.where(wrong, 3, 1), points, old + np.where(wrong, 9, 0)[:, None]
    )
    found = fit_overlap(overlap)

    np.testing.assert_allclose(move(points, found)[~wrong], old[~wrong], atol=0.2)
    assert found.scale == pytest.approx(1.7, rel=0.02)


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


def test_layers_end_where_depth_jumps_and_not_where_it_slopes():
    depth = np.fromfunction(lambda v, u: 4 + 0.01 * v + 0.01 * u, (40, 60))
    depth[5:25, 8:30] = 2.0
    depth[10:35, 40:56] = 1.0
    layers = surfaces(depth)

    assert layers.max() == 2
    for inside in (depth == 2.0, depth == 1.0, depth > 3):
        assert len(np.unique(layers[inside])) == 1


def test_a_layer_too_small_joins_a_neighbour():
    depth = np.full((40, 60), 4.0)
    depth[:20] = 2.0
    depth[30:33, 30:33] = 1.0

    assert surfaces(depth).max() == 1


def transcribed(images):
    """Work the equation of the layers out pixel by pixel and layer by layer."""
    scales = []
    for t, image in enumerate(images):
        here = []
        for n in range(image.layers.max() + 1):
            mask = image.layers == n
            above = below = 0.0
            if image.old is not None and (mask & image.trusted).sum() >= LEAST_TRUSTED:
                own = mask & image.trusted
                above, below = best_scale(image.new[own], image.old[own]), 1.0
            before = images[t - 1].layers if t else None
            for m in range(before.max() + 1) if t else ():
                other = before == m
                shared = (mask & other).sum() / (mask | other).sum()
                if shared >= LEAST_SHARED:
                    above, below = above + shared * scales[t - 1][m], below + shared
            here.append(above / below if below else 1.0)
        scales.append(here)
    return scales


def made_images():
    """Give layers that move by a pixel an image; two images are known to the old stream too."""
    rng = np.random.default_rng(2)
    factors, images = (1.25, 0.8, 1.1), []
    for t in range(5):
        layers = np.zeros((30, 40), dtype=int)
        layers[4:16, 2 + t : 14 + t] = 1
        layers[18:28, 20 : 34 - t] = 2
        if t > 2:
            # Something new comes into view.
            layers[:10, 30:] = 3
        new = np.choose(layers, (5.0, 2.0, 3.0, 1.0)) * rng.uniform(0.9, 1.1, layers.shape)
        old = new * np.choose(layers, (*factors, 1.0)) * (1 + 0.01 * rng.normal(size=layers.shape))
        trusted = rng.random(layers.shape) < 0.7
        images.append(Seen(layers, new, old, trusted) if t < 2 else Seen(layers))
    return factors, images


def test_layers_scales_are_those_of_the_equation_worked_out_layer_by_layer():
    _, images = made_images()
    for found, expected in zip(layer_scales(images), transcribed(images), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_every_layer_keeps_its_scale_and_what_is_new_in_view_keeps_one():
    factors, images = made_images()
    found = layer_scales(images)

    for scales in found:
        np.testing.assert_allclose(scales[:3], factors, rtol=0.01)
    assert found[3][3] == 1.0


def test_a_layer_is_bound_by_what_of_both_is_common():
    before = np.array([[0, 0, 1, 1]])
    layers = np.array([[0, 1, 1, 1]])

    np.testing.assert_allclose(overlap_of_layers(layers, before), [[1 / 2, 0], [1 / 4, 2 / 3]])


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
    assert '+20.0 [+20.0, +20.0]' in printed


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
