# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The similarity between two streams that saw the same images.

A stream's world is its first camera and its unit of length its own. Frames of the same images in
two streams give the transform; that the cameras' rotations are known in both makes even one frame
enough, so outliers are found by trying each frame's transform on the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import math

import numpy as np
from scipy.spatial.transform import Rotation
import torch
from torch import Tensor

from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.stream import Frame

# Depth ratios are taken over a few thousand pixels.
SAMPLES = 4096
# Frames agree on a transform within this angle, this share of the scale, and this share of the
# median depth for the camera's place.
AGREED_ANGLE = math.radians(5)
AGREED_SCALE = 0.15
AGREED_PLACE = 0.1
# A baseline shorter than this share of the median depth says nothing of the scale.
LEAST_BASELINE = 0.05


class IntoWorld:
    """
    Frames as seen in the world that a similarity maps into.

    `depth` and lengths of `points` and `camera_from_world` are in its unit, and the pose stays
    rigid. `pose_encoding` stays as the network gave it, in the stream's own world and unit. On a
    device the host waits for nothing but the first frame: what the similarity is made of is then
    there.
    """

    def __init__(self, similarity: Similarity) -> None:
        """Take the map from the streams' world."""
        self.similarity = similarity
        self._parts: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}

    def __call__(self, frame: Frame) -> Frame:
        """Return the frame in the world."""
        scale = self.similarity.scale
        rotation, translation = self._on(frame.points.device, frame.points.dtype)
        turn, shift = self._on(frame.camera_from_world.device, torch.float64)
        pose = frame.camera_from_world.double()
        turned = pose[:, :3] @ turn.T
        moved = scale * pose[:, 3] - turned @ shift
        return replace(
            frame,
            depth=scale * frame.depth,
            points=scale * (frame.points @ rotation.T) + translation,
            camera_from_world=torch.column_stack((turned, moved)).to(frame.camera_from_world),
        )

    def _on(self, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return rotation (3, 3) and translation (3,) as a device's tensors."""
        key = device, dtype
        if key not in self._parts:
            values = self.similarity.rotation, self.similarity.translation
            self._parts[key] = tuple(
                torch.as_tensor(each, dtype=dtype, device=device) for each in values
            )
        return self._parts[key]


@dataclass(frozen=True, eq=False)
class Alignment:
    """
    A similarity, the frames it was found from, and how far they differ from it.

    agreed: indices of the frames that agree. scale_spread: the largest factor by which one of
    them differs in scale, less 1. place_error: the largest distance of a camera's centre from its
    place, as a share of the median depth. angle_error: the largest angle, radians.
    """

    similarity: Similarity
    agreed: tuple[int, ...]
    scale_spread: float
    place_error: float
    angle_error: float


@dataclass(frozen=True, eq=False)
class _Pair:
    """One image in both streams: rotations and centres, depth ratio, median depth in the old."""

    turn: np.ndarray
    old_centre: np.ndarray
    new_centre: np.ndarray
    scale: float
    depth: float


def align(new: Sequence[Frame], old: Sequence[Frame]) -> Alignment | None:
    """
    Find the similarity from the world of `new` to that of `old`, frames of the same images.

    Every frame gives a transform: rotation and centre from its poses, scale from the median ratio
    of its depths. The largest group of frames that agree decides, among equals that of the oldest
    frame: scale is the median over their depth ratios and the ratios of long enough baselines,
    rotation their mean, translation the median that it leaves. None where fewer than two agree.
    """
    pairs = [_pair(*frames) for frames in zip(new, old, strict=True)]
    usable = [index for index, pair in enumerate(pairs) if pair is not None]
    groups = [_agreeing(_fit([pairs[index]]), pairs, usable) for index in usable]
    agreed = max(groups, key=len, default=[])
    if len(agreed) < 2:
        return None
    chosen = [pairs[index] for index in agreed]
    similarity = _fit(chosen)
    errors = np.array([_errors(similarity, pair) for pair in chosen])
    angle, scale, place = errors.max(axis=0)
    return Alignment(similarity, tuple(agreed), math.expm1(scale), place, angle)


def _pair(new: Frame, old: Frame) -> _Pair | None:
    """Return the figures of one image in both streams, None where they are not finite."""
    poses = [frame.camera_from_world.double().cpu().numpy() for frame in (new, old)]
    stride = max(1, new.depth.numel() // SAMPLES)
    new_depth, old_depth, new_trust, old_trust = (
        values.flatten()[::stride].double().cpu().numpy()
        for values in (new.depth, old.depth, new.depth_confidence, old.depth_confidence)
    )
    with np.errstate(divide='ignore', invalid='ignore'):
        ratios = old_depth / new_depth
    # The better half by either stream's word.
    valid = np.isfinite(ratios) & (ratios > 0) & (old_depth > 0)
    if not (all(np.isfinite(pose).all() for pose in poses) and valid.any()):
        return None
    trust = np.where(valid, np.minimum(new_trust, old_trust), -np.inf)
    kept = valid & (trust >= np.median(trust[valid]))
    new_centre, old_centre = (-pose[:, :3].T @ pose[:, 3] for pose in poses)
    return _Pair(
        turn=poses[1][:, :3].T @ poses[0][:, :3],
        old_centre=old_centre,
        new_centre=new_centre,
        scale=float(np.median(ratios[kept])),
        depth=float(np.median(old_depth[kept])),
    )


def _fit(pairs: list[_Pair]) -> Similarity:
    scales = [pair.scale for pair in pairs]
    for first, second in zip(pairs, pairs[1:], strict=False):
        old = np.linalg.norm(second.old_centre - first.old_centre)
        new = np.linalg.norm(second.new_centre - first.new_centre)
        if min(old, new * first.scale) > LEAST_BASELINE * first.depth:
            scales.append(old / new)
    scale = math.exp(np.median(np.log(scales)))
    rotation = Rotation.from_matrix(np.stack([pair.turn for pair in pairs])).mean().as_matrix()
    left = [pair.old_centre - scale * rotation @ pair.new_centre for pair in pairs]
    return Similarity(scale, rotation, np.median(left, axis=0))


def _agreeing(similarity: Similarity, pairs: list[_Pair | None], usable: list[int]) -> list[int]:
    limits = np.array((AGREED_ANGLE, math.log1p(AGREED_SCALE), AGREED_PLACE))
    return [index for index in usable if (_errors(similarity, pairs[index]) <= limits).all()]


def _errors(similarity: Similarity, pair: _Pair) -> np.ndarray:
    """Return (3,): angle, log of the scale's factor, and place as a share of the depth."""
    cosine = (np.trace(similarity.rotation.T @ pair.turn) - 1) / 2
    place = similarity.scale * similarity.rotation @ pair.new_centre + similarity.translation
    return np.array(
        (
            math.acos(np.clip(cosine, -1, 1)),
            abs(math.log(similarity.scale / pair.scale)),
            np.linalg.norm(place - pair.old_centre) / pair.depth,
        )
    )
