# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a picture before the network sees it, and what is measured on it."""

from xstreamvggt_ros.images.camera_model import (
    CameraModel,
    has_projection,
    is_rectified,
    RegionOfInterest,
)
from xstreamvggt_ros.images.errors import (
    ImageError,
)
from xstreamvggt_ros.images.figures import (
    luminance,
    texture,
)
from xstreamvggt_ros.images.keyframes import (
    DEFAULT_THRESHOLD,
    KeyframeGate,
)
from xstreamvggt_ros.images.patches import (
    patch_grid,
    PATCH_SIZE,
)
from xstreamvggt_ros.images.preprocessing import (
    MAX_ASPECT_RATIO,
    Preprocessing,
)
from xstreamvggt_ros.images.value_range import (
    VALUE_RANGES,
    ValueRange,
)

__all__ = [
    'CameraModel',
    'DEFAULT_THRESHOLD',
    'has_projection',
    'ImageError',
    'is_rectified',
    'KeyframeGate',
    'luminance',
    'MAX_ASPECT_RATIO',
    'patch_grid',
    'PATCH_SIZE',
    'Preprocessing',
    'RegionOfInterest',
    'texture',
    'VALUE_RANGES',
    'ValueRange',
]
