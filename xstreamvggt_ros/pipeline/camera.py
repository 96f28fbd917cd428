# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the images of one camera reach the network; no ROS."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.keyframes import KeyframeGate
from xstreamvggt_ros.images.on_device import DeviceUndistortion, resized
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.pipeline.reconstruction import nearest, View
from xstreamvggt_ros.pipeline.transfer import Transfer
from xstreamvggt_ros.stream import check_numbers


class Camera:
    """
    Bring images of one size from one camera to the network.

    `plan` is how; `view` is the calibrated camera as the network sees it, None without one.
    """

    def __init__(self, plan: Preprocessing) -> None:
        """Begin without a calibration."""
        self.plan = plan
        self.view: View | None = None
        self._gate: KeyframeGate | None = None
        self._undistortion: DeviceUndistortion | None = None

    def look_through(self, model: CameraModel | None) -> None:
        """Make what undistorting needs, once; ValueError for images that are not the model's."""
        if model is None:
            self.view = None
            return
        if self.view is not None and self.view.camera == model:
            return
        # Here, because OpenCV is needed only where cameras are calibrated.
        from xstreamvggt_ros.images.undistortion import Undistortion

        self._undistortion = None
        undistortion = Undistortion.of(model, *self.plan.source_size)
        self.view = View(
            model,
            undistortion,
            self.plan.intrinsics(undistortion.K),
            torch.from_numpy(nearest(undistortion.missing, self.plan)),
        )

    def looks_through(self, model: CameraModel | None) -> bool:
        """Whether it would change nothing to look through that model."""
        return (None if self.view is None else self.view.camera) == model

    def pixels(self, image: np.ndarray, transfer: Transfer | None) -> Tensor:
        """
        Undistort, resize and crop an RGB image (H, W, 3) to the network's (3, H', W').

        With a `transfer` that is done on its device, else by OpenCV and Pillow. What is given
        there is finite and in [0, 1]: ValueError for numbers of which nothing such comes.
        """
        if transfer is not None:
            return self._pixels_on(image, transfer)
        if self.view is not None:
            image, _ = self.view.undistortion.apply(image)
        return self.plan.apply(image)

    def _pixels_on(self, image: np.ndarray, transfer: Transfer) -> Tensor:
        self.plan.check_image(image)
        if image.dtype == np.float32:
            # While the host has them: to look on the device is to wait for it.
            check_numbers(float(image.min()), float(image.max()))
        uploaded = transfer.upload(image)
        if self.view is not None:
            if self._undistortion is None:
                self._undistortion = DeviceUndistortion(self.view.undistortion, transfer.device)
            uploaded = self._undistortion.apply(uploaded)
        return resized(uploaded, self.plan)

    def align(self, depth: np.ndarray) -> np.ndarray:
        """Take from a depth image (H, W) what the network's pixels show; ValueError: its size."""
        if depth.shape != self.plan.source_size:
            raise ValueError(
                f'a depth image is {depth.shape} (height, width) but the colour image is '
                f'{self.plan.source_size}; publish depth registered to the colour image'
            )
        if self.view is not None:
            depth = self.view.undistortion.apply_nearest(depth)
        return nearest(depth, self.plan)

    def is_keyframe(self, pixels: Tensor, threshold: float | None) -> bool:
        """Whether a picture differs from this camera's last keyframe; None: all do."""
        if threshold is None:
            self._gate = None
            return True
        if self._gate is None or self._gate.threshold != threshold:
            self._gate = KeyframeGate(threshold)
        return self._gate.keep(pixels)

    def take_keyframe_back(self) -> None:
        """Have the last picture, which was a keyframe, be none after all."""
        if self._gate is not None:
            self._gate.take_back()

    def forget_keyframe(self) -> None:
        """Have the next picture be a keyframe."""
        self._gate = None
