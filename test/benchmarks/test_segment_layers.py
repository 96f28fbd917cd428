# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Robust fits to what two streams saw, and layers of depth against their equation."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.spatial.transform import Rotation

from benchmarks.segments.layers import (
    layer_scales,
    LEAST_SHARED,
    LEAST_TRUSTED,
    overlap_of_layers,
    Seen,
    surfaces,
)
from benchmarks.segments.overlaps import fit_overlap, LIMIT, Overlap, robust_scale
from xstreamvggt_ros.geometry.umeyama import move


def huber_of(scale, source, target):
    """Give the loss itself."""
    limit = LIMIT * np.median(target)
    error = np.abs(scale * source - target)
    return np.where(error <= limit, error**2 / 2, limit * (error - limit / 2)).sum()


def best_scale(source, target):
    return minimize_scalar(huber_of, bracket=(0.5, 2.0), args=(source, target), tol=1e-10).x


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
