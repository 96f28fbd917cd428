# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Layers of depth, each with a scale of its own between two streams (after LASER, arXiv 2512.13680).

A network's depth of one scene may differ between streams by more than one factor: what is near
scales otherwise than what is far. LASER cuts depth into layers, finds for each layer of an image
that both streams saw the factor that brings it to the old stream's depth, and carries factors on
to the layers of the images that follow. Here layer n of image t has

    s[t, n] = (o[t, n] f[t, n] + sum_m a[n, m] s[t - 1, m]) / (o[t, n] + sum_m a[n, m]),

f the robust scale of the layer's pixels, o 1 where there is one and else 0, a the intersection
over union with the layers m of the image before where it is at least LEAST_SHARED and else 0. A
layer that is bound to nothing keeps 1.

`depth_curve` is the plainer way: layers are bands of depth, and every pixel that follows has the
factor of its depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.segments.overlaps import Overlap, robust_scale, STRIDE, trust
from xstreamvggt_ros.stream import Frame

# In logarithms of depth: the larger, the larger layers are; smaller ones than so many pixels join
# a neighbour.
COARSENESS = 1.0
LEAST_PIXELS = 200
# A layer's factor needs so many pixels that both streams trust.
LEAST_TRUSTED = 20
LEAST_SHARED = 0.3
BANDS = 8


def surfaces(depth: np.ndarray) -> np.ndarray:
    """
    Cut depth (H, W) into layers (H, W), numbered from 0: Felzenszwalb and Huttenlocher, IJCV 2004.

    Neighbours, nearest in the logarithm of depth first, join while they differ by no more than
    their layers do inside, plus COARSENESS by the smaller one's size.
    """
    log = np.log(np.where(np.isfinite(depth) & (depth > 0), depth, 1e-3))
    pixels = np.arange(log.size).reshape(log.shape)
    first = np.concatenate([pixels[:, :-1].ravel(), pixels[:-1].ravel()])
    second = np.concatenate([pixels[:, 1:].ravel(), pixels[1:].ravel()])
    steps = np.abs(log.ravel()[first] - log.ravel()[second])
    order = np.argsort(steps, kind='stable')
    edges = list(
        zip(first[order].tolist(), second[order].tolist(), steps[order].tolist(), strict=True)
    )
    forest = _Forest(log.size)
    for one, other, step in edges:
        forest.join_alike(one, other, step)
    for one, other, _ in edges:
        forest.join_small(one, other)
    roots = [forest.root(pixel) for pixel in range(log.size)]
    return np.unique(roots, return_inverse=True)[1].reshape(log.shape)


class _Forest:
    """Disjoint sets of pixels, each with its size and the largest step that joined it."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))
        self.size = [1] * count
        self.inside = [0.0] * count

    def root(self, pixel: int) -> int:
        parent = self.parent
        while parent[pixel] != pixel:
            parent[pixel] = pixel = parent[parent[pixel]]
        return pixel

    def join_alike(self, one: int, other: int, step: float) -> None:
        one, other = self.root(one), self.root(other)
        allowed = (self.inside[each] + COARSENESS / self.size[each] for each in (one, other))
        if one != other and step <= min(allowed):
            self._join(one, other, step)

    def join_small(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        if one != other and min(self.size[one], self.size[other]) < LEAST_PIXELS:
            self._join(one, other, max(self.inside[one], self.inside[other]))

    def _join(self, one: int, other: int, inside: float) -> None:
        if self.size[one] < self.size[other]:
            one, other = other, one
        self.parent[other] = one
        self.size[one] += self.size[other]
        self.inside[one] = inside


@dataclass(frozen=True, eq=False)
class Seen:
    """An image's layers (H, W) and, where the old stream saw it too, depths to compare (H, W)."""

    layers: np.ndarray
    new: np.ndarray | None = None
    old: np.ndarray | None = None
    trusted: np.ndarray | None = None


def seen(new: Frame, old: Frame | None) -> Seen:
    """Cut a frame into layers, beside what the old stream said of it."""
    depth = _thinned(new)
    if old is None:
        return Seen(surfaces(depth))
    return Seen(surfaces(depth), depth, _thinned(old), trust(new, old)[::STRIDE, ::STRIDE])


def layer_scales(images: Sequence[Seen]) -> list[np.ndarray]:
    """Give the factors (layers,) of every image by the module's equation."""
    scales: list[np.ndarray] = []
    for number, image in enumerate(images):
        own, weight = _own_scales(image)
        total, bound = weight * own, weight
        if number:
            shared = overlap_of_layers(image.layers, images[number - 1].layers)
            shared = np.where(shared >= LEAST_SHARED, shared, 0)
            total, bound = total + shared @ scales[-1], bound + shared.sum(axis=1)
        scales.append(np.where(bound > 0, total / np.maximum(bound, 1e-12), 1.0))
    return scales


def overlap_of_layers(layers: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Give intersection over union of every layer (n) of one image with those (m) of another."""
    count, others = layers.max() + 1, before.max() + 1
    pairs = layers.ravel() * others + before.ravel()
    shared = np.bincount(pairs, minlength=count * others).reshape(count, others)
    either = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    return shared / either


def depth_curve(new: Sequence[Frame], old: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
    """
    Give logarithms of depth (BANDS,) and factors (BANDS,) there, to interpolate between.

    Bands hold equally many of the pixels that both streams trust. Each factor is averaged, in its
    logarithm, with a quarter of either neighbour's.
    """
    overlap = Overlap.of(new, old)
    source, target = overlap.new_depth, overlap.old_depth
    bands = np.array_split(np.argsort(source), BANDS)
    places = np.array([np.median(np.log(source[band])) for band in bands])
    factors = np.log([robust_scale(source[band], target[band]) for band in bands])
    smooth = np.convolve(np.pad(factors, 1, mode='edge'), (0.25, 0.5, 0.25), 'valid')
    return places, np.exp(smooth)


def _own_scales(image: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Return f and o of an image's layers."""
    count = image.layers.max() + 1
    own, weight = np.ones(count), np.zeros(count)
    if image.old is None:
        return own, weight
    for layer in range(count):
        inside = (image.layers == layer) & image.trusted
        if inside.sum() >= LEAST_TRUSTED:
            own[layer] = robust_scale(image.new[inside], image.old[inside])
            weight[layer] = 1
    return own, weight


def _thinned(frame: Frame) -> np.ndarray:
    return frame.depth[::STRIDE, ::STRIDE].double().numpy()
