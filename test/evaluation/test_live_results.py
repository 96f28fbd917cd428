# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a recording of the node's outputs says of its frames."""

from dataclasses import replace

from bag_messages import (
    CAMERA_INFO,
    camera_info,
    IMAGE,
    image,
    ODOMETRY,
    odometry,
    POSE,
    pose,
    write_bag,
)
import numpy as np
import pytest

from xstreamvggt_ros.evaluation.live_results import recorded_estimates
from xstreamvggt_ros.messages.odometry import UNKNOWN

# live_results takes the unknown variance from the messages that the node builds.
pytestmark = pytest.mark.ros
SECOND = 10**9


def outputs(stamp_ns, moving):
    """Make what the node publishes of a frame; one that is not `moving` has no velocity."""
    told = odometry(stamp_ns, np.eye(4), 'camera')
    if moving:
        told.twist.twist.linear = replace(told.twist.twist.linear, x=0.1)
    told.twist.covariance = np.full(36, 0.01 if moving else UNKNOWN)
    depth = image(stamp_ns, np.ones((2, 3), '<f4'), '32FC1')
    made = {
        'odometry': (ODOMETRY, told),
        'pose': (POSE, pose(stamp_ns, np.eye(4))),
        'depth/image': (IMAGE, depth),
        'depth/camera_info': (CAMERA_INFO, camera_info(stamp_ns, 2, 3, 4.0)),
        'confidence': (IMAGE, depth),
    }
    return [(f'/node/{name}', kind, each) for name, (kind, each) in made.items()]


@pytest.mark.parametrize(
    ('frames', 'worlds'),
    [
        ([(1.0, False), (2.0, True), (3.0, False), (4.0, True)], [1, 1, 2, 2]),
        # A bag begins again.
        ([(5.0, False), (6.0, True), (1.0, False), (2.0, True)], [1, 1, 2, 2]),
        # No time has passed, or a little less than none: there is no velocity.
        ([(1.0, False), (2.0, True), (2.0, False), (3.0, True)], [1, 1, 1, 1]),
        ([(1.0, False), (2.0, True), (1.9, False), (3.0, True)], [1, 1, 1, 1]),
    ],
)
def test_a_world_begins_where_a_frame_has_no_velocity_though_time_went_on(
    tmp_path, frames, worlds
):
    messages = [each for sec, moving in frames for each in outputs(round(sec * SECOND), moving)]
    # A bag's time is that of the arrival, whatever the stamps say.
    arrived = [(topic, kind, at, each) for at, (topic, kind, each) in enumerate(messages)]
    bag = write_bag(tmp_path / 'bag', arrived)

    found = [estimate.world for _, estimate in recorded_estimates(bag, 'node', False)]

    assert found == worlds
