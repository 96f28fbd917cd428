# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs written for other viewers, read back."""

from filmed import Filmed
import numpy as np
import pytest
from recorded import oracle_record

from xstreamvggt_ros.evaluation.export.mcap import TOPICS, write_mcap
from xstreamvggt_ros.files.bags import open_bag


@pytest.fixture(scope='module')
def record(tmp_path_factory):
    return oracle_record(tmp_path_factory.mktemp('runs') / 'a', sequence=Filmed(damaged=(2,)))


def test_a_bag_has_every_frame_where_the_truth_is(record, tmp_path):
    path = tmp_path / 'run.mcap'
    write_mcap(record, path)

    messages = {topic: [] for topic in TOPICS}
    with open_bag(path) as bag:
        for connection, stamp, data in bag.messages(bag.connections):
            message = bag.deserialize(data, connection.msgtype)
            messages[connection.topic].append((stamp, message))
    counts = {topic: len(each) for topic, each in messages.items()}
    assert counts == {topic: 1 if topic.endswith('/path') else 5 for topic in TOPICS}
    frames, depth = record.frames(), record.depth()
    kept = [0, 1, 3, 4, 5]
    assert [stamp for stamp, _ in messages['/tf']] == frames.stamps_ns[kept].tolist()
    for index, (_, pose), (_, image), (_, info) in zip(
        kept,
        messages['/estimate/pose'],
        messages['/estimate/depth/image'],
        messages['/estimate/depth/camera_info'],
        strict=True,
    ):
        place = pose.pose.position
        np.testing.assert_allclose(
            [place.x, place.y, place.z], frames.true_poses[index, :3, 3], atol=1e-4
        )
        shown = image.data.view('<f4').reshape(image.height, image.width)
        known = np.isfinite(depth.truths[index])
        np.testing.assert_allclose(shown[known], depth.truths[index][known], rtol=1e-3)
        np.testing.assert_allclose(info.k.reshape(3, 3), frames.intrinsics[index], rtol=1e-6)
    cloud = messages['/estimate/points'][0][1]
    points = cloud.data.reshape(-1, 16)[:, :12].copy().view('<f4')
    truths = record.points().truths[record.points().frames == 0]
    # ICP was fitted to a part of the points.
    np.testing.assert_allclose(points, truths, atol=0.03)


def test_a_rerun_recording_has_every_frame(record, tmp_path):
    rerun = pytest.importorskip('rerun', reason='the extra `rerun` is not installed')
    from xstreamvggt_ros.evaluation.export.rerun import write_rerun

    path = tmp_path / 'run.rrd'
    write_rerun(record, path)

    assert path.read_bytes()[:3] == b'RRF'
    assert path.stat().st_size > 50_000
    assert rerun.__version__
