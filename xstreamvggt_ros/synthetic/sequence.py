# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whole sequences: a scene, a trajectory, a camera, and the frames it takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from xstreamvggt_ros.synthetic.camera_effects import Development, draw_camera
from xstreamvggt_ros.synthetic.lighting import add_light
from xstreamvggt_ros.synthetic.outdoor import make_outdoor
from xstreamvggt_ros.synthetic.ray_casting import cast_rays
from xstreamvggt_ros.synthetic.rendering import render_radiance
from xstreamvggt_ros.synthetic.rooms import make_room
from xstreamvggt_ros.synthetic.scene import Scene
from xstreamvggt_ros.synthetic.sequence_config import SequenceConfig
from xstreamvggt_ros.synthetic.textures import texture_library
from xstreamvggt_ros.synthetic.trajectories import plan_trajectory

# Streams of random numbers drawn from one seed.
LAYOUT, MOTION, CAMERA, NOISE = range(4)


@dataclass(frozen=True)
class SyntheticSequence:
    """
    Frames with their truth.

    `images` (F, H, W, 3) uint8, `depth` (F, H, W) float32, metres along z, 0 where there is no
    surface; `camera_from_world` (F, 3, 4) and `intrinsics` (F, 3, 3) float32, OpenCV axes; pixel
    (u, v) looks along ((u - cx) / fx, (v - cy) / fy, 1). The world is z up, metres.
    """

    images: torch.Tensor
    depth: torch.Tensor
    camera_from_world: torch.Tensor
    intrinsics: torch.Tensor


def make_scene(config: SequenceConfig, device: str | torch.device = 'cpu') -> Scene:
    """Build the scene of `config` with its light; `planes` of it are floor, walls, ground."""
    rng = _stream(config, LAYOUT)
    kind = config.scene
    if kind == 'mixed':
        kind = 'room' if rng.random() < 0.6 else 'outdoor'
    make = make_room if kind == 'room' else make_outdoor
    scene = make(texture_library(config.texture_seed, str(device)), rng, config.clutter)
    return add_light(scene, device, config.shadows)


def render_sequence(
    config: SequenceConfig, device: str | torch.device = 'cpu', scene: Scene | None = None
) -> SyntheticSequence:
    """
    Render the sequence that `config` describes.

    With `scene` (from `make_scene`) that one is filmed and the seed chooses motion and camera
    only. Raises NoFreePlace where the clutter leaves no room for a camera.
    """
    scene = make_scene(config, device) if scene is None else scene
    rng = _stream(config, MOTION)
    motion = config.motion
    if motion == 'mixed':
        motion = str(
            rng.choice(['handheld', 'driving', 'drone', 'rotation'], p=[0.4, 0.25, 0.25, 0.1])
        )
    poses = plan_trajectory(scene, motion, config.frames, config.speed, rng)
    poses = torch.tensor(poses, dtype=torch.float32, device=scene.device)
    intrinsics = _intrinsics(config, rng).to(scene.device).expand(config.frames, 3, 3)
    noise = None
    if config.sensor_noise:
        noise = torch.Generator(device=scene.device)
        noise.manual_seed(int(_stream(config, NOISE).integers(2**62)))
    develop = Development(draw_camera(_stream(config, CAMERA)), noise, config.jpeg)
    images, depths = [], []
    chunk = _frames_at_once(config, scene.device)
    for begin in range(0, config.frames, chunk):
        radiance, depth = _film(scene, config, poses, intrinsics, begin, begin + chunk)
        images.append(develop(radiance))
        depths.append(depth)
    return SyntheticSequence(torch.cat(images), torch.cat(depths), poses, intrinsics)


def _stream(config: SequenceConfig, purpose: int) -> np.random.Generator:
    return np.random.default_rng([config.seed, purpose])


def _frames_at_once(config: SequenceConfig, device: torch.device) -> int:
    pixels = 2**15 if device.type == 'cpu' else 2**21
    return max(1, pixels // (config.height * config.width))


def _intrinsics(config: SequenceConfig, rng: np.random.Generator) -> torch.Tensor:
    fov = np.radians(rng.uniform(*config.horizontal_fov))
    focal = config.width / 2 / np.tan(fov / 2)
    shift = rng.uniform(-1, 1, 2) * config.principal_offset
    return torch.tensor(
        [
            [focal, 0, config.width * (0.5 + shift[0])],
            [0, focal, config.height * (0.5 + shift[1])],
            [0, 0, 1],
        ],
        dtype=torch.float32,
    )


def _film(scene, config, poses, intrinsics, begin, end):
    """Render frames `begin` to `end`, averaging samples over the pixel and the shutter time."""
    size = (config.height, config.width)
    samples = max(config.samples_per_pixel, 4 if config.motion_blur else 1)
    intrinsics = intrinsics[begin:end]

    def sample(index):
        moved = poses
        if config.motion_blur:
            # Even about the frame's own time, so that images do not lag behind pose and depth.
            moved = _within_shutter(poses, 0.5 * ((index + 0.5) / samples - 0.5))
        shift = _place_in_pixel(index).to(poses.device)
        return render_radiance(scene, moved[begin:end], intrinsics + shift, *size)

    radiance, depth = sample(0)
    for index in range(1, samples):
        radiance = radiance + sample(index)[0]
    if config.motion_blur:
        hits = cast_rays(scene.primitives, poses[begin:end], intrinsics, *size)
        depth = hits.depth.nan_to_num(posinf=0.0)
    return radiance / samples, depth


def _place_in_pixel(index: int) -> torch.Tensor:
    """Return what the `index`-th of a low-discrepancy set of places adds to the intrinsics."""
    shift = torch.zeros(3, 3)
    if index > 0:
        shift[0, 2] = (index * 0.7548777) % 1 - 0.5
        shift[1, 2] = (index * 0.5698403) % 1 - 0.5
    return shift


def _within_shutter(poses: torch.Tensor, time: float) -> torch.Tensor:
    """Return the poses (F, 3, 4) moved on by `time` frames along the motion about each one."""
    if len(poses) < 2:
        return poses
    rotation, translation = poses[:, :, :3], poses[:, :, 3:]
    position = -(rotation.mT @ translation)
    rate = [torch.gradient(values, dim=0)[0] for values in (rotation, position)]
    turned, _, back = torch.linalg.svd(rotation + time * rate[0])
    rotation = turned @ back
    return torch.cat((rotation, -(rotation @ (position + time * rate[1]))), 2)
