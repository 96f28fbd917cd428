# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which depth image an image claims."""

from types import SimpleNamespace

import pytest
from ros_rig import image_message, picture

from xstreamvggt_ros.intake.arrivals import Arrival
from xstreamvggt_ros.intake.stamps import StampJudge
from xstreamvggt_ros.messages import ns_from_time
from xstreamvggt_ros.node.stages import FrameStages


@pytest.mark.parametrize('odd', [0.0, 60.0, 1.0])
def test_depth_is_claimed_by_the_image_s_own_stamp_and_no_other(odd):
    claimed, judge = [], StampJudge()
    depth = SimpleNamespace(claim=claimed.append)
    reader = SimpleNamespace(begin=lambda prepared: prepared)
    pipeline = SimpleNamespace(cut=0.0)
    stages = FrameStages(reader, pipeline, None, depth, None, None, None)
    stamps = (8.0, 8.1, odd, 8.2)
    for stamp in stamps:
        message = image_message(picture(), stamp)
        timing = judge.judge(ns_from_time(message.header.stamp))
        stages.begin(SimpleNamespace(arrival=Arrival(message, 0.0, 0, timing.time_ns, timing)))

    assert [round(stamp * 1e-9, 3) for stamp in claimed] == list(stamps)
