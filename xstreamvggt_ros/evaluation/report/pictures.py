# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The worst frames of a run as pictures: image, true depth, predicted depth, error."""

from __future__ import annotations

import base64
from dataclasses import dataclass
import io

import numpy as np
from PIL import Image

from xstreamvggt_ros.evaluation.arrays import DepthArrays
from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.evaluation.scoring import worst_frames

LONG_SIDE = 240
JPEG_QUALITY = 80
SHADES = (2.0, 98.0)
# Errors from this share of the true depth on look alike.
MOST_ERROR = 0.5
UNKNOWN = 128
BAR_STEPS = 128


@dataclass(frozen=True)
class FramePictures:
    """
    One frame: its number, name and error; data URIs of pictures, '' where there is none.

    near, far: depths at the ends of the colours, metres of the truth (or of the run, without).
    """

    index: int
    name: str
    error: float | None
    image: str
    true_depth: str
    depth: str
    depth_error: str
    near: float
    far: float


def worst_pictures(run: Record, count: int) -> list[FramePictures]:
    """Draw the worst frames of a run, the worst first."""
    frames, depth = run.frames(), run.depth()
    curves = run.info['curves']
    return [
        _pictures(run, depth, str(frames.names[index]), index)
        for index in worst_frames(curves)[:count]
    ]


def colour_bar(kind: str) -> str:
    """Draw the colours of depth or error, from low to high, as a data URI."""
    ramp = np.tile(np.linspace(0, 1, BAR_STEPS), (8, 1))
    return _uri(_coloured(ramp, kind), (BAR_STEPS, 8))


def _pictures(run: Record, depth: DepthArrays, name: str, index: int) -> FramePictures:
    curves = run.info['curves']
    scales = curves.get('depth_scale') or []
    scale = scales[index] if index < len(scales) and scales[index] is not None else 1.0
    estimate, truth = scale * depth.estimates[index], depth.truths[index]
    known = truth[np.isfinite(truth)]
    shown = known if len(known) else estimate[np.isfinite(estimate)]
    near, far = np.percentile(shown, SHADES) if len(shown) else (0.0, 1.0)
    far = max(far, near + 1e-3)
    height, width = estimate.shape
    factor = LONG_SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    error = np.abs(estimate - truth) / truth
    path = run.picture(index)
    return FramePictures(
        index,
        name,
        curves['abs_rel'][index],
        _photo(path, size) if path else '',
        _uri(_coloured((truth - near) / (far - near), 'depth'), size) if len(known) else '',
        _uri(_coloured((estimate - near) / (far - near), 'depth'), size),
        _uri(_coloured(error / MOST_ERROR, 'error'), size) if len(known) else '',
        float(near),
        float(far),
    )


def _coloured(shares: np.ndarray, kind: str) -> np.ndarray:
    """Colour shares (H, W) from 0 to 1 to (H, W, 3) uint8 RGB; what is not finite is grey."""
    # Here, because OpenCV is needed for reports alone where cameras do not distort.
    import cv2

    known = np.isfinite(shares)
    steps = (255 * np.clip(np.where(known, shares, 0), 0, 1)).astype(np.uint8)
    table = cv2.COLORMAP_TURBO if kind == 'depth' else cv2.COLORMAP_INFERNO
    picture = cv2.applyColorMap(steps, table)[..., ::-1].copy()
    picture[~known] = UNKNOWN
    return picture


def _photo(path, size: tuple[int, int]) -> str:
    with Image.open(path) as image:
        return _uri(np.asarray(image.convert('RGB')), size, Image.Resampling.LANCZOS)


def _uri(
    picture: np.ndarray,
    size: tuple[int, int],
    filtered: Image.Resampling = Image.Resampling.NEAREST,
) -> str:
    file = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture)).resize(size, filtered)
    image.save(file, 'JPEG', quality=JPEG_QUALITY)
    return f'data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}'
