# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live replay through the node over DDS, against exact replay of the same frames."""

from dataclasses import replace

from filmed import Filmed
import numpy as np
import pytest
import torch

from xstreamvggt_ros.evaluation.live import live_replay
from xstreamvggt_ros.evaluation.replay import replay
from xstreamvggt_ros.evaluation.run_config import RunConfig
from xstreamvggt_ros.rig.lifecycle import NodeError

pytestmark = pytest.mark.ros
CONFIG = RunConfig(checkpoint='random', image_size=112, device='cpu').varied(
    budget='3f', policy='frame_diversity', pool_size=4, camera_cache='shared'
)
NUMBERS = ('depth', 'confidence', 'intrinsics', 'world_from_camera', 'picture', 'points')


@pytest.fixture
def one_thread(monkeypatch):
    """Have this process and the node's add in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    yield
    torch.set_num_threads(before)


def test_the_same_frames_give_the_same_numbers_as_exact_replay(one_thread):
    sequence = Filmed(count=6, distortion=(-0.1, 0.02, 0.0, 0.0, 0.0), damaged=(3,))
    config = replace(CONFIG, point_source='pointmap')

    exact = list(replay(sequence, config))
    live = list(live_replay(sequence, replace(config, mode='live', queue='every')))

    assert [each.status for each in live] == [each.status for each in exact]
    assert [each.status for each in exact] == ['failed' if i == 3 else 'done' for i in range(6)]
    for there, here in zip(live, exact, strict=True):
        if here.estimate is None:
            continue
        for name in NUMBERS:
            np.testing.assert_array_equal(
                getattr(there.estimate, name), getattr(here.estimate, name), err_msg=name
            )
        np.testing.assert_array_equal(there.truth.depth, here.truth.depth)
        assert there.cost.latency_s > 0
        assert there.cost.resident_bytes > 10e6
        # Allocated whole with the first frame.
        assert there.cost.cache_bytes == here.cost.cache_bytes


def test_a_world_begins_where_it_does_in_exact_replay():
    sequence = Filmed(count=10)
    # With the lens covered for a while the stream is given up.
    for index in (3, 4, 5):
        sequence.frames[index] = replace(
            sequence.frames[index], read_image=lambda: np.zeros((84, 112, 3), np.uint8)
        )
    config = replace(CONFIG, on_failure='reset')

    exact = [each.estimate.world for each in replay(sequence, config)]
    live = [
        each.estimate.world
        for each in live_replay(sequence, replace(config, mode='live', queue='every'))
    ]

    assert np.diff(exact).max() == 1
    np.testing.assert_array_equal(np.diff(live), np.diff(exact))


def test_what_comes_too_fast_is_dropped_and_said_so():
    sequence = Filmed(count=30)
    config = replace(CONFIG, mode='live', image_size=224, rate=60.0)

    results = list(live_replay(sequence, config))

    statuses = [each.status for each in results]
    assert set(statuses) == {'done', 'dropped'}
    assert statuses[-1] == 'done'
    dropped = next(each for each in results if each.status == 'dropped')
    assert dropped.truth.depth is not None
    assert np.isnan(dropped.cost.latency_s)


def test_a_node_that_does_not_start_is_an_error_with_its_log():
    with pytest.raises(NodeError, match='nowhere.pth'):
        list(live_replay(Filmed(), replace(CONFIG, mode='live', checkpoint='/nowhere.pth')))
