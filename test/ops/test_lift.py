# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch

from xstreamvggt_ros.geometry import (
    decode_pose_encoding,
    FIELD_OF_VIEW_RANGE,
    unproject,
    world_from_camera_points,
)

pytest.importorskip('triton', reason='Triton is not installed')

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


@pytest.mark.parametrize(
    'encoding',
    [
        [0.3, -0.2, 0.5, 0.1, -0.4, 0.2, 0.9, 0.8, 1.1],
        # No rotation at all, and fields of view that no camera has.
        [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 4.0],
    ],
)
def test_the_kernel_lifts_as_the_steps_do(encoding):
    from xstreamvggt_ros.ops.lift import lift

    encoding = torch.tensor(encoding, device=DEVICE)
    depth = 1 + torch.rand(28, 42, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    pose, intrinsics = decode_pose_encoding(encoding, 28, 42)
    expected = world_from_camera_points(unproject(depth, intrinsics), pose)

    actual = lift(encoding, depth, FIELD_OF_VIEW_RANGE)
    *matrices, nothing = lift(encoding, depth, FIELD_OF_VIEW_RANGE, lifts=False)

    # The tangent of nearly a right angle loses digits.
    torch.testing.assert_close(actual[0], pose, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(actual[1], intrinsics, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(actual[2], expected, rtol=1e-3, atol=1e-4)
    assert nothing is None
    assert all(torch.equal(one, other) for one, other in zip(matrices, actual, strict=False))
