# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Follow a camera through a bag: python examples/bag_to_trajectory.py <bag> <trajectory.tum>."""

import sys

import numpy as np

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.files.trajectories import Trajectory, write_tum
from xstreamvggt_ros.geometry import quaternion_from_rotation
from xstreamvggt_ros.inputs import open_sequence
from xstreamvggt_ros.ops.threads import configure_threads
from xstreamvggt_ros.pipeline import PipelineConfig, ReconstructionPipeline
from xstreamvggt_ros.stream import load_network, StreamingReconstructor


def main(bag: str, target: str) -> None:
    """Run every image with its calibration, and write where the camera was (TUM, map frame)."""
    configure_threads()
    model = load_network('tiny', '', '', 'auto', 'auto')
    network = StreamingReconstructor(model, CacheConfig.recommended(), point_head=False)
    pipeline = ReconstructionPipeline(network, PipelineConfig(model.config.image_size))
    frames = list(open_sequence(bag).frames)
    poses = np.array(
        [pipeline.process(frame.image(), frame.camera).map_from_camera for frame in frames]
    )
    trajectory = Trajectory(
        np.array([frame.stamp_ns for frame in frames]),
        poses[:, :3, 3],
        np.array([quaternion_from_rotation(pose[:3, :3]) for pose in poses]),
    )
    write_tum(target, trajectory)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
