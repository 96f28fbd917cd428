# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a camera driver would publish of a frame, field by field, without ROS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.images.camera_model import CameraModel, RegionOfInterest


@dataclass(frozen=True)
class RawImage:
    """Hold the fields of a sensor_msgs/Image."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: bytes

    @classmethod
    def of_array(cls, image: np.ndarray) -> RawImage:
        """Take RGB (H, W, 3): uint8 as rgb8, float32 in [0, 1] as rgb16, which is how it came."""
        encoding = 'rgb8'
        if image.dtype != np.uint8:
            image, encoding = np.round(image * 65535).astype('<u2'), 'rgb16'
        height, width = image.shape[:2]
        step = width * image.shape[2] * image.itemsize
        return cls(height, width, encoding, 0, step, image.tobytes())


@dataclass(frozen=True)
class EncodedImage:
    """Hold the fields of a sensor_msgs/CompressedImage."""

    format: str
    data: bytes


@dataclass(frozen=True)
class Calibration:
    """Hold the fields of a sensor_msgs/CameraInfo; `roi` without its do_rectify."""

    height: int
    width: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    binning_x: int = 0
    binning_y: int = 0
    roi: RegionOfInterest = RegionOfInterest()

    @classmethod
    def of_message(cls, message) -> Calibration:
        """Take what has those fields."""
        roi = message.roi
        return cls(
            message.height,
            message.width,
            message.distortion_model,
            *(tuple(np.asarray(getattr(message, name)).tolist()) for name in 'dkrp'),
            message.binning_x,
            message.binning_y,
            RegionOfInterest(roi.x_offset, roi.y_offset, roi.width, roi.height),
        )

    @classmethod
    def of_camera(cls, camera: CameraModel) -> Calibration:
        """Describe a camera as its driver would; P is K beside zeros."""
        projection = np.concatenate([np.reshape(camera.K, (3, 3)), np.zeros((3, 1))], axis=1)
        return cls(
            camera.height,
            camera.width,
            '' if camera.distortion == 'none' else camera.distortion,
            camera.D,
            camera.K,
            tuple(np.eye(3).ravel().tolist()),
            tuple(projection.ravel().tolist()),
            camera.binning_x,
            camera.binning_y,
            camera.roi,
        )
