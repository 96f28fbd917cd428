# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is true of a scene, and how far answers are from it."""

import math
from types import SimpleNamespace

import torch

from benchmarks.scenes import OF_PATHS, score


def test_a_camera_that_only_turns_has_no_path():
    depth = torch.full((3, 8, 8), 2.0)
    poses = torch.eye(3, 4).repeat(3, 1, 1)
    points = torch.rand(3, 8, 8, 3)
    answers = [SimpleNamespace(depth=depth[0], camera_from_world=poses[0], points=points[0])] * 3

    still = score(answers, depth, poses, points)
    poses[:, 0, 3] = torch.tensor([0.0, 0.2, 0.4])
    moving = score(answers, depth, poses, points)

    assert [math.isnan(still[metric]) for metric in ('AbsRel', *OF_PATHS)] == [False, True, True]
    assert all(math.isfinite(moving[metric]) for metric in OF_PATHS)
