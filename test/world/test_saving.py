# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream on disk."""

from concurrent.futures import ThreadPoolExecutor
import json
import resource

import numpy as np
import pytest
from reports import report
import torch

from xstreamvggt_ros.files.ply import read_ply
from xstreamvggt_ros.files.trajectories import read_tum
from xstreamvggt_ros.pipeline.reconstruction import Reconstruction
from xstreamvggt_ros.stream.snapshots import read_snapshot
from xstreamvggt_ros.world.accumulation import Accumulation
from xstreamvggt_ros.world.clouds import Cloud
from xstreamvggt_ros.world.saving import save_stream


class Remembering:
    def state_dict(self):
        return {'frames': torch.tensor(2)}


def fed(*cameras):
    """Give an accumulation a frame of each camera, a second apart, from the stamp 1 s on."""
    world = Accumulation(voxel_size=0.5, max_points=1000, path_length=10)
    nothing = np.zeros((1, 1), np.float32)
    for stamp, camera in enumerate(cameras, start=1):
        frame = Reconstruction(
            depth=nothing,
            confidence=nothing,
            picture=np.zeros((1, 1, 3), np.uint8),
            intrinsics=np.eye(3),
            predicted_intrinsics=np.eye(3),
            map_from_camera=np.eye(4),
            points=np.zeros((1, 1, 3), np.float32),
            points_confidence=nothing,
            report=report(),
            index=stamp - 1,
            camera_index=camera,
        )
        cloud = Cloud(np.full((1, 3), stamp, np.float32), np.zeros((1, 3), np.uint8), np.ones(1))
        world.add(frame, cloud, stamp * 10**9)
    return world


@pytest.mark.parametrize(('cameras', 'poses'), [((1, 1), 0), ((1, 0, 1), 1)])
def test_the_trajectory_is_the_first_camera_s_whichever_gave_images(tmp_path, cameras, poses):
    files = save_stream(str(tmp_path), fed(*cameras), Remembering(), {'who': 'me'})

    assert sorted(tmp_path.iterdir()) == sorted(files)
    cloud, trajectory, stream, record = files
    assert len(read_ply(cloud).points) == len(cameras)
    assert len(read_tum(trajectory)) == poses
    assert read_snapshot(stream)['frames'].item() == 2
    written = json.loads(record.read_text())
    assert written['who'] == 'me'
    assert (written['frames'], written['trajectory_poses']) == (len(cameras), poses)


def test_saves_at_once_have_a_number_each(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        saves = [
            pool.submit(save_stream, str(tmp_path), fed(0), Remembering(), {'who': who})
            for who in range(8)
        ]
        files = [save.result() for save in saves]

    assert sorted(tmp_path.iterdir()) == sorted(file for each in files for file in each)
    for who, (*_, record) in enumerate(files):
        written = json.loads(record.read_text())
        assert written['who'] == who
        assert written['files'][-1] == record.name


@pytest.mark.parametrize('room', [20, 200])
def test_a_disk_that_is_full_is_left_as_it_was_and_the_folder_named(tmp_path, room):
    (tmp_path / 'mine.txt').write_text('mine')
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    try:
        with pytest.raises(OSError, match=f'nothing was saved in {tmp_path}'):
            save_stream(str(tmp_path), fed(0), Remembering(), {'who': 'x' * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert [file.name for file in tmp_path.iterdir()] == ['mine.txt']


def test_what_a_killed_save_left_behind_is_not_taken_for_one(tmp_path):
    (tmp_path / '.saving_1_000000000').mkdir()
    files = save_stream(str(tmp_path), fed(0), Remembering(), {})
    assert files[-1].name == 'run_1_000000000_2.json'
