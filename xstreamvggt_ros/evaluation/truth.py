# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The truth of a frame, brought to the pixels that the network sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.inputs import FrameTruth, SequenceFrame
from xstreamvggt_ros.pipeline.reconstruction import nearest


@dataclass(frozen=True, eq=False)
class AlignedTruth:
    """
    What is known of a frame, at the network's size (H, W), each None where it is not.

    depth: (H, W) float32 metres, NaN where unknown. intrinsics: (3, 3) float64 of it.
    world_from_camera: (4, 4) float64 rigid, in the data set's world.
    """

    depth: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    world_from_camera: np.ndarray | None = None


class TruthAligner:
    """
    Undistort, resize and crop depth as the pipeline does images, without mixing depths.

    image_size: as of `PipelineConfig`. With camera_info the images' own camera undistorts them.
    """

    def __init__(self, image_size: int, camera_info: bool) -> None:
        """Begin without tables; they are made for the first frame and kept while its like come."""
        self._image_size = image_size
        self._camera_info = camera_info
        self._key: tuple[CameraModel | None, tuple[int, int]] | None = None
        self._plan: Preprocessing | None = None
        self._undistortion = None

    def align(
        self, truth: FrameTruth, camera: CameraModel | None, image_shape: tuple[int, int]
    ) -> AlignedTruth:
        """Bring the truth of an image of that height and width to the network's pixels."""
        self._prepare(camera, image_shape)
        return AlignedTruth(
            self._depth(truth.depth, image_shape),
            self._intrinsics(truth, camera, image_shape),
            truth.world_from_camera,
        )

    def of_frame(
        self, frame: SequenceFrame, image_shape: tuple[int, int]
    ) -> tuple[AlignedTruth, str]:
        """Give the truth of a frame whose image is of that height and width, or why none."""
        try:
            return self.align(frame.truth(), frame.camera, image_shape), ''
        except ValueError as error:
            return AlignedTruth(), f'truth: {error}'

    def picture(self, image: np.ndarray, camera: CameraModel | None) -> np.ndarray:
        """
        Give (H, W, 3) uint8, what the network sees of an image (H, W, 3) uint8.

        Like the node, it does without a camera that cannot have taken it.
        """
        try:
            self._prepare(camera, image.shape[:2])
        except ValueError:
            self._prepare(None, image.shape[:2])
        if self._undistortion is not None:
            image, _ = self._undistortion.apply(image)
        return Preprocessing.picture(self._plan.apply(image)).numpy()

    def _prepare(self, camera: CameraModel | None, image_shape: tuple[int, int]) -> None:
        if self._key == (camera, image_shape):
            return
        self._plan = Preprocessing.plan(*image_shape, self._image_size)
        self._undistortion = None
        if self._camera_info and camera is not None and camera.distorts:
            # Here, because OpenCV is needed only where cameras distort.
            from xstreamvggt_ros.images.undistortion import Undistortion

            self._undistortion = Undistortion.of(camera, *image_shape)
        self._key = camera, image_shape

    def _depth(self, depth: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray | None:
        if depth is None:
            return None
        depth = np.ascontiguousarray(depth, dtype=np.float32)
        if depth.shape != shape:
            # The same view at another resolution.
            depth = _resampled(depth, shape)
        if self._undistortion is not None:
            depth = self._undistortion.apply_nearest(depth)
        return nearest(depth, self._plan)

    def _intrinsics(
        self, truth: FrameTruth, camera: CameraModel | None, shape: tuple[int, int]
    ) -> np.ndarray | None:
        if camera is not None:
            return self._plan.intrinsics(camera.intrinsics)
        if truth.intrinsics is None:
            return None
        size = shape if truth.depth is None else truth.depth.shape
        return self._plan.intrinsics(_rescaled(truth.intrinsics, size, shape))


def _resampled(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    rows, columns = (
        ((np.arange(wanted) + 0.5) * given / wanted).astype(int)
        for wanted, given in zip(shape, values.shape, strict=True)
    )
    return np.ascontiguousarray(values[np.ix_(rows, columns)])


def _rescaled(intrinsics: np.ndarray, old: tuple[int, int], new: tuple[int, int]) -> np.ndarray:
    """Take intrinsics of an image of one (height, width) to the same view at another."""
    y, x = new[0] / old[0], new[1] / old[1]
    # Pixel edges, not centres, are what a resize scales: hence the half pixels.
    change = np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5], [0, 0, 1]])
    return change @ np.asarray(intrinsics, dtype=np.float64)
