# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream on disk."""

from concurrent.futures import ThreadPoolExecutor
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from reports import report
from small_disk import FULL, make_room, small_disk
import torch

from xstreamvggt_ros.files.ply import read_ply
from xstreamvggt_ros.files.trajectories import read_tum
from xstreamvggt_ros.pipeline.reconstruction import Reconstruction
from xstreamvggt_ros.stream.snapshots import read_snapshot
from xstreamvggt_ros.world.accumulation import Accumulation
from xstreamvggt_ros.world.clouds import Cloud
from xstreamvggt_ros.world.saving import save_stream

# Where to write to the disk costs nothing.
MEMORY = Path('/dev/shm')


class Remembering:
    def __init__(self, numbers=1):
        self._numbers = numbers

    def state_dict(self):
        return {'frames': torch.tensor(2), 'numbers': torch.zeros(self._numbers)}


def fed(*cameras):
    """Give an accumulation a frame of each camera, a second apart, from the stamp 1 s on."""
    world = Accumulation(voxel_size=0.5, max_points=10_000, path_length=10)
    for stamp, camera in enumerate(cameras, start=1):
        cloud = Cloud(np.full((1, 3), stamp, np.float32), np.zeros((1, 3), np.uint8), np.ones(1))
        world.add(frame(stamp - 1, camera), cloud, stamp * 10**9)
    return world


def frame(index, camera=0):
    nothing = np.zeros((1, 1), np.float32)
    return Reconstruction(
        depth=nothing,
        confidence=nothing,
        picture=np.zeros((1, 1, 3), np.uint8),
        intrinsics=np.eye(3),
        predicted_intrinsics=np.eye(3),
        map_from_camera=np.eye(4),
        points=np.zeros((1, 1, 3), np.float32),
        points_confidence=nothing,
        report=report(),
        index=index,
        camera_index=camera,
    )


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


def test_a_folder_that_another_save_takes_for_a_dead_one_s_costs_nothing(tmp_path, monkeypatch):
    save_stream(str(tmp_path), fed(0), Remembering(), {})
    exists = os.path.lexists

    def swept(path):
        # As another does, once, that finds a folder which nobody has locked yet.
        taken = exists(path)
        for left in tmp_path.glob('.saving_*') if taken else ():
            left.rmdir()
        return taken

    monkeypatch.setattr(os.path, 'lexists', swept)
    *_, record = save_stream(str(tmp_path), fed(0), Remembering(), {})
    assert record.stem.endswith('_2')


@pytest.mark.parametrize('large', ['map', 'trajectory', 'stream', 'record'])
def test_a_full_disk_is_named_left_as_it_was_and_saved_to_once_there_is_room(tmp_path, large):
    world = fed(*[0] * (1500 if large == 'trajectory' else 1))
    if large == 'map':
        points = np.arange(15_000, dtype=np.float32).reshape(-1, 3)
        world.add(frame(1), Cloud(points, np.zeros((5000, 3), np.uint8), np.ones(5000)), 2 * 10**9)
    stream = Remembering(30_000 if large == 'stream' else 1)
    record = {'who': 'x' * (70_000 if large == 'record' else 1)}
    with small_disk(tmp_path, 61_440):
        (tmp_path / 'mine.txt').write_text('mine')
        with pytest.raises(OSError, match=f'({FULL}).*: nothing was saved in {tmp_path}'):
            save_stream(str(tmp_path), world, stream, record)
        assert [file.name for file in tmp_path.iterdir()] == ['mine.txt']

        make_room(tmp_path)
        *_, written = save_stream(str(tmp_path), world, stream, record)
        assert written.name == 'run_1_000000000.json'


# Is killed before every change that a save makes to the disk, one after the other.
KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from test_saving import fed, Remembering
from xstreamvggt_ros.world import saving
saving.versions = dict  # takes long, and writes nothing
world = fed(0)
def change(event, arguments):
    if event == 'open':
        return arguments[2] & (os.O_WRONLY | os.O_RDWR)
    return event in ('os.mkdir', 'os.rename', 'os.remove', 'os.rmdir', 'os.utime')
for step in range(1, 200):
    folder = os.path.join(sys.argv[1], str(step))
    child = os.fork()
    if not child:
        left = step
        def count(event, arguments):
            global left
            if arguments and str(arguments[0]).startswith(folder) and change(event, arguments):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        saving.save_stream(folder, world, Remembering(), {})
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
"""


@pytest.fixture(scope='module')
def killed():
    """Give the folders of saves that were killed, each at another step."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        run = subprocess.run(
            [sys.executable, '-c', KILLED, folder, str(Path(__file__).parent)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))},
        )
        assert run.returncode == 0, run.stderr
        folders = sorted(Path(folder).iterdir(), key=lambda each: int(each.name))
        # The last one was not killed.
        yield folders[:-1]


def test_a_save_that_is_killed_anywhere_is_whole_or_gone_after_the_next(killed):
    ends = set()
    for folder in killed:
        before = {each.name for each in folder.iterdir() if not each.name.startswith('.')}
        record = folder / 'run_1_000000000.json'
        # Whoever reads the record finds all that it names.
        assert not record.exists() or before.issuperset(json.loads(record.read_text())['files'])

        save_stream(str(folder), fed(0), Remembering(), {})

        runs = [json.loads(each.read_text())['files'] for each in sorted(folder.glob('run_*'))]
        ends.add(len(runs))
        names = sorted(name for files in runs for name in files)
        assert names == sorted(each.name for each in folder.iterdir()), folder
        assert record.exists()
        for each in folder.iterdir():
            assert each.suffix != '.safetensors' or read_snapshot(each)
            assert each.suffix != '.ply' or len(read_ply(each).points) == 1
    # Some were too early, and some only lacked their names.
    assert len(killed) > 20 and ends == {1, 2}


def test_a_killed_save_is_told_in_the_log(tmp_path, caplog):
    (tmp_path / '.saving_1_000000000').mkdir()
    (tmp_path / '.saving_1_000000000' / 'map_1_000000000.ply').write_text('half')
    files = save_stream(str(tmp_path), fed(0), Remembering(), {})
    assert files[-1].name == 'run_1_000000000.json'
    assert f'a save into {tmp_path} was killed' in caplog.text
