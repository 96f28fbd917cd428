# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera of this machine through OpenCV: `camera`, `camera:<index>` or /dev/video<index>."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
import hashlib
import logging
from pathlib import Path
import re
from tempfile import TemporaryDirectory
import threading
import time

import cv2
import numpy as np

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs.payloads import EncodedImage
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.sequence import SequenceFrame, TOPIC

LAYOUT = 'camera'
_NAME = re.compile(rf'(?:{LAYOUT}(?::(\d+))?|/dev/video(\d+))')
# A camera that warms up gives nothing for a while.
FIRST_IMAGE_S, NEXT_IMAGE_S, CLOSE_S = 10.0, 5.0, 2.0
QUALITY = 92

logger = logging.getLogger(__name__)


def is_camera(path: str | Path) -> bool:
    """Tell whether that names a camera."""
    return _NAME.fullmatch(str(path)) is not None


def open_camera(path: str | Path, rate: float = 30.0, frames: int = 10_000) -> CameraSequence:
    """
    Open a camera, at most `rate` images a second and `frames` in all; InputError without one.

    Images are kept, as JPEG, in a temporary folder until the sequence is closed.
    """
    match = _NAME.fullmatch(str(path))
    index = int(next((digits for digits in match.groups() if digits), 0))
    with _opencv_silent():
        capture = cv2.VideoCapture(index)
    grabber = _Grabber(capture, index)
    return CameraSequence(f'camera {index}', CameraFrames(grabber, rate, frames))


class CameraFrames:
    """
    Images as the camera gives them, the newest whenever one is asked for.

    They are taken once: whoever iterates again is given the same ones.
    """

    def __init__(self, grabber: _Grabber, rate: float, most: int) -> None:
        """Take images from a grabber."""
        self._grabber, self._rate, self._most = grabber, rate, most
        self._folder = TemporaryDirectory(prefix='camera_')
        self._frames: list[SequenceFrame] = []
        self._lock = threading.Lock()
        self._ended = False
        self._next = 0.0

    def __iter__(self) -> Iterator[SequenceFrame]:
        """Give what was taken, then take more until `end`."""
        index = 0
        while self._find(index):
            yield self._frames[index]
            index += 1

    def __len__(self) -> int:
        """Count those that were taken."""
        return len(self._frames)

    def end(self) -> None:
        """Take no more."""
        self._ended = True

    def release(self) -> None:
        """Take no more, and let go of the camera; the images stay."""
        self.end()
        self._grabber.close()

    def close(self) -> None:
        """Let go of the camera, and of the images."""
        self.release()
        self._folder.cleanup()

    def _find(self, index: int) -> bool:
        with self._lock:
            if index < len(self._frames):
                return True
            if self._ended or index >= self._most:
                return False
            time.sleep(max(0.0, self._next - time.monotonic()))
            taken = self._grabber.newest()
            self._next = time.monotonic() + 1 / self._rate
            if taken is None or self._ended:
                self.end()
                return False
            try:
                self._frames.append(self._kept(index, *taken))
            except OSError as error:
                logger.warning('the camera is read no further, its images do not fit: %s', error)
                self.end()
                return False
            return True

    def _kept(self, index: int, stamp_ns: int, image: np.ndarray) -> SequenceFrame:
        path = Path(self._folder.name) / f'{index:06d}.jpg'
        _, encoded = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        # Not by OpenCV, which says nothing of a full disk.
        path.write_bytes(encoded.tobytes())
        return SequenceFrame(
            stamp_ns,
            path.stem,
            None,
            partial(_read, path),
            read_payload=lambda: EncodedImage('jpeg', path.read_bytes()),
        )


@dataclass(frozen=True, eq=False)
class CameraSequence:
    """What a camera sees, until `frames.end`; `length` is not known."""

    name: str
    frames: CameraFrames
    found: Problems = field(default_factory=Problems)
    dataset: str = LAYOUT
    independent_frames: bool = False
    topic: str = TOPIC
    transport: str = 'compressed'
    length: int | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """Return none: what the camera gives is all there is."""
        return self.found.lines()

    def fingerprint(self) -> str:
        """Hash the images taken so far."""
        digest = hashlib.sha256()
        for frame in self.frames._frames:
            digest.update(frame.payload().data)
        return digest.hexdigest()


class _Grabber:
    """Has the camera's newest image at hand: drivers queue up old ones where nobody reads."""

    def __init__(self, capture: cv2.VideoCapture, index: int) -> None:
        if not capture.isOpened():
            capture.release()
            raise InputError(_no_camera(index))
        self._capture, self._index = capture, index
        self._new = threading.Condition()
        self._taken: tuple[int, np.ndarray] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name='camera', daemon=True)
        self._thread.start()
        with self._new:
            self._new.wait_for(lambda: self._taken or self._closed, FIRST_IMAGE_S)
        if self._taken is None:
            self.close()
            raise InputError(
                f'camera {index} gives no image; is another program using it? Its cover, too'
            )

    def newest(self) -> tuple[int, np.ndarray] | None:
        """Wait for an image that was not given yet: stamp and BGR; None where none comes."""
        with self._new:
            self._new.wait_for(lambda: self._taken or self._closed, NEXT_IMAGE_S)
            taken, self._taken = self._taken, None
        return taken

    def close(self) -> None:
        """Let go of the camera; one that hangs is let go of when it gives its next image."""
        with self._new:
            self._closed = True
            self._new.notify_all()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        # The time of day may be set back, and images in a sequence are not older than the first.
        began = time.time_ns() - time.monotonic_ns()
        while not self._closed:
            read, image = self._capture.read()
            with self._new:
                if read:
                    self._taken = began + time.monotonic_ns(), image
                else:
                    self._closed = True
                self._new.notify_all()
        # Not by another thread, which would take it away from under a read.
        self._capture.release()


@contextmanager
def _opencv_silent() -> Iterator[None]:
    """Keep OpenCV from saying, backend by backend, what is said here once."""
    log = cv2.utils.logging
    before = log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(before)


def _read(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def _no_camera(index: int) -> str:
    there = sorted(str(path) for path in Path('/dev').glob('video*'))
    known = f'there are {", ".join(there)}' if there else 'this machine has no /dev/video*'
    return (
        f'camera {index} cannot be opened: {known}. Connect one, or name another (camera:1); if '
        'it is there, another program may be using it, or you may not (group video)'
    )
