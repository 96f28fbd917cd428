# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera's images, once, in order, the newest whenever one is asked for; or what is missing."""

import errno
from pathlib import Path
import threading
import time

import cv2
import numpy as np
import pytest

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs import camera, layout_of, open_sequence
from xstreamvggt_ros.inputs.payloads import EncodedImage


class FakeCamera:
    """What cv2.VideoCapture is of a camera: ever brighter images, at a hundred a second."""

    def __init__(self, index, opened=True, images=10**6):
        self.index, self._opened, self._left = index, opened, images
        self.released = False
        self._count = 0

    def isOpened(self):
        return self._opened

    def read(self):
        time.sleep(0.01)
        if self._count >= self._left:
            return False, None
        self._count += 1
        return True, np.full((48, 64, 3), (0, self._count % 256, 255), np.uint8)

    def release(self):
        self.released = True


@pytest.fixture
def cameras(monkeypatch):
    """Put fake cameras in the place of real ones; those that were opened."""
    opened, options = [], {}

    def capture(index):
        opened.append(FakeCamera(index, **options))
        return opened[-1]

    monkeypatch.setattr(cv2, 'VideoCapture', capture)
    opened_with = (opened, options)
    return opened_with


@pytest.mark.parametrize(('path', 'index'), [('camera', 0), ('camera:3', 3), ('/dev/video2', 2)])
def test_a_camera_is_known_by_its_name(cameras, path, index):
    assert layout_of(path) == 'camera'
    sequence = open_sequence(path)
    assert cameras[0][0].index == index
    sequence.frames.close()
    assert cameras[0][0].released


def test_images_come_in_order_and_are_the_same_whenever_they_are_read(cameras):
    sequence = open_sequence('camera', frames=4, rate=1000)
    frames = list(sequence.frames)
    stamps = [frame.stamp_ns for frame in frames]
    assert len(frames) == 4 and sorted(set(stamps)) == stamps
    assert abs(stamps[0] - time.time_ns()) < 60 * 10**9
    again = list(sequence.frames)
    assert [frame.stamp_ns for frame in again] == stamps
    for frame in frames:
        image = frame.image()
        assert image.shape == (48, 64, 3)
        # RGB: red is full.
        assert image[..., 0].mean() > 240 > 50 > image[..., 2].mean()
        payload = frame.payload()
        assert isinstance(payload, EncodedImage) and payload.format == 'jpeg'
        decoded = cv2.imdecode(np.frombuffer(payload.data, np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), image)
    sequence.frames.close()


def test_whoever_takes_long_is_given_the_newest(cameras):
    sequence = open_sequence('camera', rate=1000)
    frames = iter(sequence.frames)
    first = next(frames)
    time.sleep(0.3)
    second = next(frames)
    # Thirty images passed meanwhile; none of them is a queue to be worked off.
    assert second.image()[..., 1].mean() - first.image()[..., 1].mean() > 10
    sequence.frames.end()
    assert list(frames) == []
    sequence.frames.close()


def test_a_camera_is_let_go_of_before_its_images_are(cameras):
    sequence = open_sequence('camera', rate=1000)
    first = next(iter(sequence.frames))
    sequence.frames.release()

    assert cameras[0][0].released
    assert [frame.image().shape for frame in sequence.frames] == [(48, 64, 3)]
    sequence.frames.close()
    with pytest.raises(OSError, match='No such file'):
        first.payload()


def test_a_camera_that_is_unplugged_ends_the_sequence(cameras):
    cameras[1]['images'] = 5
    sequence = open_sequence('camera', rate=1000)
    assert 1 <= len(list(sequence.frames)) <= 5
    sequence.frames.close()


def test_a_full_disk_ends_the_sequence_and_keeps_what_was_taken(cameras, monkeypatch, caplog):
    sequence = open_sequence('camera', rate=1000)
    frames = iter(sequence.frames)
    first = next(frames)

    def full(path, data):
        raise OSError(errno.ENOSPC, 'No space left on device', str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_bytes', full)
        assert list(frames) == []
    assert [frame.stamp_ns for frame in sequence.frames] == [first.stamp_ns]
    assert first.image().shape == (48, 64, 3)
    assert 'No space left on device' in caplog.text
    sequence.frames.close()


def test_a_camera_that_hangs_is_closed_without_it_and_let_go_of_later(cameras, monkeypatch):
    monkeypatch.setattr(camera, 'CLOSE_S', 0.05)
    monkeypatch.setattr(camera, 'NEXT_IMAGE_S', 5.0)
    sequence = open_sequence('camera', rate=1000)
    ((fake,), _) = cameras
    hangs, back = threading.Event(), threading.Event()

    def read():
        hangs.set()
        assert back.wait(20)
        return False, None

    monkeypatch.setattr(fake, 'read', read)
    assert hangs.wait(20)
    sequence.frames.close()
    assert not fake.released

    back.set()
    (grabbing,) = [each for each in threading.enumerate() if each.name == 'camera']
    grabbing.join(20)
    assert fake.released


def test_stamps_go_on_where_the_time_of_day_is_set_back(cameras, monkeypatch):
    sequence = open_sequence('camera', rate=1000, frames=3)
    now = time.time_ns()
    monkeypatch.setattr(time, 'time_ns', lambda: now - 3600 * 10**9)
    stamps = [frame.stamp_ns for frame in sequence.frames]
    sequence.frames.close()
    assert sorted(set(stamps)) == stamps and abs(stamps[-1] - now) < 60 * 10**9


def test_without_a_camera_what_to_do_is_said(cameras):
    cameras[1]['opened'] = False
    with pytest.raises(InputError, match=r'camera 1 cannot be opened: .*/dev/video'):
        open_sequence('camera:1')
    assert cameras[0][0].released
    cameras[1].update(opened=True, images=0)
    with pytest.raises(InputError, match='camera 0 gives no image'):
        open_sequence('camera')


def test_a_machine_without_a_camera_hears_one_sentence(capfd):
    """Through OpenCV itself: no machine has so many cameras."""
    with pytest.raises(InputError, match='camera 87 cannot be opened'):
        open_sequence('camera:87')
    assert capfd.readouterr() == ('', '')


def test_opencv_s_own_capture_is_read_as_a_camera_is(tmp_path, monkeypatch):
    """A film in the camera's place, at its pace: whatever OpenCV opens is read alike."""
    film, images = tmp_path / 'film.avi', 8
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*'MJPG'), 25, (64, 48))
    for index in range(images):
        # Red that grows.
        writer.write(np.full((48, 64, 3), (0, 0, 30 * index), np.uint8))
    writer.release()

    class Film:
        """Holds OpenCV's own, of which no other class may be made."""

        def __init__(self, index):
            self._capture = opened(str(film))
            self.isOpened, self.release = self._capture.isOpened, self._capture.release

        def read(self):
            time.sleep(0.05)
            return self._capture.read()

    opened = cv2.VideoCapture
    monkeypatch.setattr(cv2, 'VideoCapture', Film)
    sequence = open_sequence('camera', rate=1000.0)
    taken = [(frame.stamp_ns, frame.image().astype(int)) for frame in sequence.frames]
    sequence.frames.close()

    assert 2 <= len(taken) <= images
    stamps, colours = zip(*taken, strict=True)
    assert list(stamps) == sorted(set(stamps))
    means = np.array([each.mean(axis=(0, 1)) for each in colours])
    assert (np.diff(means[:, 0]) > 15).all() and means[:, 1:].max() < 20


def test_an_option_that_it_has_not_is_refused(cameras):
    with pytest.raises(InputError, match='camera has no option colour; it has: rate, frames'):
        open_sequence('camera', colour='red')
