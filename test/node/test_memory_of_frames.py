# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that has seen many frames holds no more than one that has seen few."""

import gc
from pathlib import Path
import tracemalloc

from geometry_msgs.msg import PoseStamped
import pytest
from ros_rig import DEADLINE, image_message, picture
from sensor_msgs.msg import PointCloud2

import xstreamvggt_ros

pytestmark = pytest.mark.ros
WARM, FRAMES = 40, 120
# What counts latencies fills up, and a log line may be waiting; an object of its own for each pose
# would be 330 bytes more.
BYTES_A_FRAME = 250


def test_nothing_of_a_frame_stays_in_memory(active):
    rig = active({'output.map_max_points': 500})
    answered = []
    for kind, topic in ((PoseStamped, 'pose'), (PointCloud2, 'points'), (PointCloud2, 'map')):
        name = f'/reconstruction/{topic}'
        heard = answered.append if topic == 'pose' else None
        rig.peer.create_subscription(
            kind, name, lambda cdr, heard=heard: heard and heard(None), 10, raw=True
        )
        rig.collected.append(name)
    pixels = picture()

    def play(first, count):
        for index in range(first, first + count):
            rig.publish(image_message(pixels, 1.0 + 0.1 * index))
            rig.wait(lambda: answered, 'a pose')
            answered.clear()
        # Once the worker has done this, nothing of the last frame is in its hands.
        rig.node._session._worker.post(lambda: None).result(DEADLINE)

    play(0, WARM)
    tracemalloc.start()
    try:
        play(WARM, FRAMES)
        before = held()
        play(WARM + FRAMES, FRAMES)
        after = held()
    finally:
        tracemalloc.stop()

    grown = sum(each.size for each in after) - sum(each.size for each in before)
    assert grown < BYTES_A_FRAME * FRAMES, '\n'.join(map(str, after[:5]))


def held():
    """Give what the package's lines have allocated and not given back, the most first."""
    gc.collect()
    # Elsewhere the interpreter fills caches of attributes, which are bounded.
    own = tracemalloc.Filter(True, f'{Path(xstreamvggt_ros.__file__).parent}/*')
    return tracemalloc.take_snapshot().filter_traces([own]).statistics('lineno')
