# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From radiance to what a cheap camera delivers: 8-bit images."""

from __future__ import annotations

from dataclasses import dataclass
import io

import numpy as np
import torch

LUMINANCE = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True)
class CameraFaults:
    """
    One camera's faults, drawn once per sequence.

    `brightness` the mean that auto-exposure aims at (linear), `response` how fast it follows,
    `vignetting` the loss in the corners, `balance` (r, g, b) gains, `blur` the lens's deviation in
    pixels, `shot` and `read` noise, `contrast` and `saturation`, `quality` of JPEG.
    """

    brightness: float
    response: float
    vignetting: float
    balance: tuple[float, float, float]
    blur: float
    shot: float
    read: float
    contrast: float
    saturation: float
    quality: int


NEUTRAL = CameraFaults(
    brightness=0.2,
    response=0.1,
    vignetting=0.0,
    balance=(1.0, 1.0, 1.0),
    blur=0.4,
    shot=0.0,
    read=0.0,
    contrast=0.0,
    saturation=1.0,
    quality=95,
)


def draw_camera(rng: np.random.Generator) -> CameraFaults:
    """Draw the faults of one camera."""
    return CameraFaults(
        brightness=float(rng.uniform(0.15, 0.29)),
        response=float(rng.uniform(0.03, 0.3)),
        vignetting=float(rng.uniform(0.0, 0.35)),
        balance=tuple(float(value) for value in np.exp(rng.normal(0, (0.05, 0.0, 0.06)))),
        blur=float(rng.uniform(0.35, 0.6)),
        shot=float(rng.uniform(0.0001, 0.0016)),
        read=float(rng.uniform(0.0005, 0.004)),
        contrast=float(rng.uniform(0.0, 0.5)),
        saturation=float(rng.uniform(0.75, 1.05)),
        quality=int(rng.integers(45, 93)),
    )


class Development:
    """Turns successive radiance frames into images; exposure follows the scene."""

    def __init__(self, camera: CameraFaults, noise: torch.Generator | None, jpeg: bool):
        self.camera, self.noise, self.jpeg = camera, noise, jpeg
        self._level = None

    def __call__(self, radiance: torch.Tensor) -> torch.Tensor:
        """Return images (F, H, W, 3) uint8 of linear radiance (3, F, H, W)."""
        camera = self.camera
        weights = torch.tensor(LUMINANCE, device=radiance.device)
        # Lamps and sky are clipped so that they do not darken all the rest.
        levels = weights @ radiance.clamp_max(1.5).mean((2, 3))
        gain = torch.tensor([self._gain(level) for level in levels.tolist()])
        gain = torch.tensor(camera.balance)[:, None] * gain
        value = _blur(radiance, camera.blur) * gain[..., None, None].to(radiance.device)
        value *= self._falloff(value)
        if self.noise is not None:
            deviation = (camera.shot * value.clamp_min(0)).add_(camera.read**2).sqrt_()
            value.addcmul_(deviation, self._grain(value))
        grey = (value * weights[:, None, None, None]).sum(0)
        value = torch.lerp(grey, value, camera.saturation).clamp_(0, 1).pow_(1 / 2.2)
        curve = value * value * (3 - 2 * value)
        value = torch.lerp(value, curve, camera.contrast)
        images = value.mul_(255).add_(0.5).to(torch.uint8).permute(1, 2, 3, 0).contiguous()
        return _through_jpeg(images, camera.quality) if self.jpeg else images

    def _grain(self, value):
        return torch.randn(value.shape, generator=self.noise, device=value.device)

    def _gain(self, level: float) -> float:
        level = max(level, 1e-3)
        if self._level is None:
            self._level = level
        self._level += self.camera.response * (level - self._level)
        return self.camera.brightness / self._level

    def _falloff(self, value):
        height, width = value.shape[2:]
        y = torch.linspace(-1, 1, height, device=value.device)[:, None]
        x = torch.linspace(-1, 1, width, device=value.device)
        return 1 - self.camera.vignetting * (x * x + y * y) / 2


def _blur(value, deviation):
    """Blur (..., H, W) over three pixels each way, as a lens does; the border keeps its own."""
    side = float(np.exp(-0.5 / deviation**2))
    centre, side = 1 / (1 + 2 * side), side / (1 + 2 * side)
    value = value.clone()
    across = value[..., :-2] + value[..., 2:]
    value[..., 1:-1].mul_(centre).add_(across, alpha=side)
    down = value[..., :-2, :] + value[..., 2:, :]
    value[..., 1:-1, :].mul_(centre).add_(down, alpha=side)
    return value


def _through_jpeg(images, quality):
    from PIL import Image

    decoded = []
    for image in images.cpu().numpy():
        file = io.BytesIO()
        Image.fromarray(image).save(file, 'JPEG', quality=quality)
        decoded.append(np.asarray(Image.open(file)))
    return torch.from_numpy(np.stack(decoded)).to(images.device)
