# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A video through OpenCV; stamps are the container's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
import math
from pathlib import Path
import struct
from threading import Lock

import cv2
import numpy as np

from xstreamvggt_ros.files.errors import InputError, why
from xstreamvggt_ros.inputs.folder import FileSequence
from xstreamvggt_ros.inputs.images import is_image
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.sequence import DamagedFrame, FIRST_STAMP_NS, SequenceFrame

LAYOUT = 'video'
# Where the container says nothing usable.
RATE_HZ = 30.0
NS_PER_MS = 1_000_000
RECENT = 3
# An MP4 has five; what has many more has none of this kind, or its index at the begin.
MOST_BOXES = 1000
# So much of a file tells what it is; these bytes are text, in whatever language.
TEXT_BYTES = 4096
# Uncompressed video, whose picture may be of any bytes, behind a line of text.
Y4M = b'YUV4MPEG2 '
TEXT = bytes([*b'\t\n\r\f\x1b', *range(0x20, 0x7F), *range(0x80, 0x100)])


def is_layout(path: Path) -> bool:
    """Tell whether a path may be a video: any file that nothing else takes."""
    return path.is_file()


def open_video(path: Path) -> FileSequence:
    """Open a video; its first frame is decoded, so that a missing codec is found at once."""
    if is_image(path):
        raise InputError(f'{path} is a single image; give the folder that holds the sequence')
    if _is_text(path):
        said = why(path, 'it is text; give the folder, the bag or the video that it belongs to')
        raise InputError(f'{path} is no video: {said}')
    problems = Problems()
    frames = VideoFrames(path, problems)
    return FileSequence(
        path.name, LAYOUT, frames, path.parent, (path,), problems, length=frames.expected
    )


class VideoFrames(Sequence):
    """
    Frames as they are met in decoding; to count them is to decode the whole video.

    They are read in any order, but backwards means from the start again.
    """

    def __init__(self, path: Path, problems: Problems) -> None:
        """Find the first frame; InputError where there is none."""
        self._path, self._problems = path, problems
        self._frames: list[SequenceFrame] = []
        self._ended = False
        self._lock = Lock()
        # Whoever reads one image while the next is met must not send the decoder back.
        self._recent: dict[int, np.ndarray] = {}
        self._capture = _opened(path)
        # Index of the frame that was grabbed last.
        self._at: float = -1
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._rate_hz = rate if math.isfinite(rate) and rate > 0 else RATE_HZ
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        # Containers without an index give nothing, zero or a negative number.
        self.expected = round(count) if math.isfinite(count) and count > 0 else None
        if not self._find(0) or not self._recent:
            raise InputError(f'{path}: not one frame of it can be decoded; {_convert(path)}')

    def __iter__(self) -> Iterator[SequenceFrame]:
        """Give one frame after another, decoding on where they are new."""
        index = 0
        while self._find(index):
            yield self._frames[index]
            index += 1

    def __len__(self) -> int:
        """Count the frames, which decodes what has not been yet."""
        self._find(math.inf)
        return len(self._frames)

    def __getitem__(self, which: int | slice):
        """Give a frame or several; decodes up to them."""
        if isinstance(which, slice):
            ends = which.start or 0, which.stop, which.step or 1
            known = None not in ends and min(ends) >= 0
            self._find(which.stop - 1 if known else math.inf)
            return self._frames[which]
        self._find(which if which >= 0 else math.inf)
        return self._frames[which]

    def _find(self, index: float) -> bool:
        """Meet the frames up to an index; tell whether it is there."""
        with self._lock:
            while not self._ended and len(self._frames) <= index:
                self._meet()
            return index < len(self._frames)

    def _meet(self) -> None:
        index = len(self._frames)
        self._seek(index - 1)
        if not self._grab():
            self._ended = True
            if self.expected and index < self.expected:
                self._problems.add(
                    f'{self._path}: {index} of {self.expected} frames could be decoded; it may be '
                    'cut short or damaged'
                )
            return
        self._keep(index)
        self._frames.append(
            SequenceFrame(self._stamp(index), f'{index:06d}', None, partial(self._image, index))
        )

    def _stamp(self, index: int) -> int:
        """Date the frame that was grabbed: by the container, or else the mean rate."""
        milliseconds = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        if not index:
            self._start_ms = milliseconds
            return FIRST_STAMP_NS
        before = self._frames[-1].stamp_ns
        stamp = FIRST_STAMP_NS + round((milliseconds - self._start_ms) * NS_PER_MS)
        if stamp > before:
            return stamp
        self._problems.add(
            f'{self._path} does not date every frame; its mean, {self._rate_hz:g} Hz, is taken'
        )
        return before + round(1000 * NS_PER_MS / self._rate_hz)

    def _image(self, index: int) -> np.ndarray:
        with self._lock:
            if index not in self._recent:
                self._seek(index)
                self._keep(index)
            image = self._recent.get(index)
        if image is None:
            text = f'{self._path}: frame {index} is left out, it cannot be decoded'
            self._problems.add(text)
            raise DamagedFrame(text)
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def _keep(self, index: int) -> None:
        """Decode the frame that was grabbed; the few last ones are kept."""
        image = self._retrieve()
        if image is not None:
            self._recent[index] = image
        while len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]

    def _retrieve(self) -> np.ndarray | None:
        decoded, image = self._capture.retrieve()
        return image if decoded else None

    def _seek(self, index: int) -> None:
        """Have the frame at an index be the one that was grabbed last."""
        if self._at > index:
            self._capture.release()
            self._capture = _opened(self._path)
            self._at = -1
        while self._at < index and self._grab():
            pass

    def _grab(self) -> bool:
        grabbed = self._capture.grab()
        # Behind its end a video gives nothing any more, not even its last frame.
        self._at = self._at + 1 if grabbed else math.inf
        return grabbed


def _is_text(path: Path) -> bool:
    """
    Tell whether a file is text, which FFmpeg would open: as a terminal, or a list of addresses.

    Containers hold bytes that text does not.
    """
    with path.open('rb') as file:
        begin = file.read(TEXT_BYTES)
    return bool(begin) and not begin.startswith(Y4M) and not begin.translate(None, TEXT)


def _lacks_index(path: Path) -> bool:
    """Tell whether a file is an MP4 or MOV without its index, by its first boxes."""
    kinds = set()
    with path.open('rb') as file:
        at, end = 0, path.stat().st_size
        for _ in range(MOST_BOXES):
            if at + 8 > end or b'moov' in kinds:
                break
            file.seek(at)
            size, kind = struct.unpack('>I4s', file.read(8))
            kinds.add(kind)
            # 1 says that the size follows, 0 that the box is the last.
            size = struct.unpack('>Q', file.read(8).ljust(8, b'\0'))[0] if size == 1 else size
            if size < 8:
                break
            at += size
        else:
            # It may come yet.
            return False
    return b'ftyp' in kinds and b'moov' not in kinds


def _opened(path: Path) -> cv2.VideoCapture:
    """Open a video; InputError where it is none."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise InputError(
            f'{path} is no rosbag, and no video that OpenCV can open; {_convert(path)}'
        )
    return capture


def _convert(path: Path) -> str:
    if reason := why(path, ''):
        return reason
    if _lacks_index(path):
        return (
            'it begins as an MP4 and has no moov box: its recording was not finished, so nothing '
            'says where its frames are; record again, or try `untrunc` with a whole video of the '
            'same camera'
        )
    command = f'ffmpeg -i {path} -c:v libx264 -pix_fmt yuv420p converted.mp4'
    return f'if it is a video, its codec may be missing here: convert it with {command}'
