# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Any input of a user as a sequence of frames: rosbag, folder of images or video."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
import logging
import math
import os
from pathlib import Path
import re

import numpy as np

from xstreamvggt_ros.files.bags import find_bag
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.inputs.frames import (
    Calibration,
    depth_in_metres,
    Frame,
    FrameSource,
    InputError,
    RawImage,
    Sample,
)

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
# Files that can hold more than eight bits a channel, as depth maps do.
DEEP_SUFFIXES = ('.png', '.tif', '.tiff')
DEPTH_WORDS = {'depth', 'disparity', 'disp'}
INTRINSICS_FILE = 'camera-intrinsics.txt'
TOPIC = '/camera/image_raw'
FRAME_ID = 'camera_optical_frame'
# Images without stamps are dated from here on, 2026-01-01 and odd nanoseconds, so that a stamp
# which passes through a float somewhere does not come out as it went in.
FIRST_STAMP_NS = 1_767_225_600_123_456_789

logger = logging.getLogger(__name__)


def open_source(path: str | os.PathLike, topic: str = '', rate_hz: float = 30.0) -> FrameSource:
    """
    Open a rosbag2 (folder, .mcap, .db3), a folder of images or a video.

    `topic` chooses among several image topics of a bag. `rate_hz` spaces the stamps of a folder,
    whose images have none; a video has its own rate. Raises InputError naming what is wrong.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f'{path} does not exist; give a rosbag, a folder of images or a video')
    bag = find_bag(path)
    if bag:
        from xstreamvggt_ros.inputs.bag_source import BagSource

        return BagSource(bag, topic)
    if topic:
        raise InputError(f'a topic ({topic!r}) was given, but {path} is no rosbag')
    if path.is_dir():
        return ImageFolder(path, rate_hz)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise InputError(f'{path} is a single image; give the folder that holds the sequence')
    return Video(path)


def stamp_at(index: int, rate_hz: float) -> int:
    """Date the frame at `index` of a sequence without stamps, in nanoseconds."""
    return FIRST_STAMP_NS + round(index * NANOSECONDS / rate_hz)


class ImageFolder(FrameSource):
    """
    Read a folder's images in natural order (frame2 before frame10).

    In a folder in the 7-Scenes format, these are the `*.color.*`, with depth (millimetres) and
    camera-to-world poses beside them as truth; camera-intrinsics.txt (3x3) is their calibration.
    Depth maps are never taken for images: names with the word depth and 16-bit grey files.
    """

    def __init__(self, path: Path, rate_hz: float):
        """List the folder; raises InputError where it has no images."""
        self.title = path.name
        self.topic = TOPIC
        self._rate_hz = rate_hz
        self._files = image_files(path)
        self._intrinsics = None
        if (path / INTRINSICS_FILE).exists():
            self._intrinsics = np.loadtxt(path / INTRINSICS_FILE).reshape(3, 3)
        self.length = len(self._files)

    def frames(self) -> Iterator[Frame]:
        """Decode one file after another to rgb8; a damaged one is logged and passed over."""
        for index, file in enumerate(self._files):
            try:
                image = load_rgb(file)
            except (OSError, SyntaxError, ValueError) as error:
                logger.warning('skipped %s, a damaged image: %s', file, error)
                continue
            calibration = None
            if self._intrinsics is not None:
                calibration = Calibration.pinhole(self._intrinsics, *image.shape[:2])
            yield Frame(
                stamp_at(index, self._rate_hz),
                FRAME_ID,
                RawImage.from_array(image, 'rgb8'),
                calibration,
            )

    def samples(self, stamps_ns: Collection[int]) -> Iterator[Sample]:
        """Decode the files of these stamps and what lies beside them."""
        stamps = set(stamps_ns)
        for index, file in enumerate(self._files):
            stamp = stamp_at(index, self._rate_hz)
            if stamp in stamps:
                yield _with_truth(Sample(stamp, load_rgb(file)), file, self._intrinsics)

    def true_poses(self, stamps_ns: Collection[int]) -> dict[int, np.ndarray]:
        """Read the pose files of the 7-Scenes format."""
        wanted = set(stamps_ns)
        poses = {}
        for index, file in enumerate(self._files):
            stamp = stamp_at(index, self._rate_hz)
            pose_file = _beside(file, '.pose.txt')
            if stamp in wanted and pose_file.exists():
                poses[stamp] = np.loadtxt(pose_file).reshape(4, 4)
        return poses


def image_files(folder: Path) -> list[Path]:
    """List a folder's images in natural order; raises InputError where there are none."""
    files = [file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES]
    images = [file for file in files if file.stem.endswith('.color')]
    images = images or [file for file in files if not _is_depth_map(file)]
    if not images:
        found = f'{len(files)} depth maps and no images' if files else 'no images'
        raise InputError(
            f'{folder} has {found} ({", ".join(IMAGE_SUFFIXES)}) and is no rosbag '
            f'(no metadata.yaml, .mcap or .db3); give the folder that holds the files themselves'
        )
    return sorted(images, key=natural_key)


def natural_key(path: Path) -> list[tuple[int, str]]:
    """Order names as people do: runs of digits by their value."""
    runs = re.split(r'(\d+)', path.name)
    return [(int(run), '') if run.isdecimal() else (-1, run) for run in runs]


def _is_depth_map(file: Path) -> bool:
    if DEPTH_WORDS & set(re.split(r'[^a-z]+', file.stem.lower())):
        return True
    if file.suffix.lower() not in DEEP_SUFFIXES:
        return False
    from PIL import Image

    try:
        with Image.open(file) as image:  # the header alone is read
            return image.mode.startswith(('I', 'F'))
    except (OSError, SyntaxError):
        return False  # damaged: reading it says so, by name


def load_rgb(file: Path) -> np.ndarray:
    """Decode an image file to (H, W, 3) uint8 RGB, upright."""
    from PIL import Image, ImageOps

    with Image.open(file) as image:
        return np.array(ImageOps.exif_transpose(image).convert('RGB'))


def _beside(file: Path, suffix: str) -> Path:
    """Name the file of the 7-Scenes format that goes with an image."""
    return file.with_name(file.stem.removesuffix('.color') + suffix)


def _with_truth(sample: Sample, file: Path, intrinsics: np.ndarray | None) -> Sample:
    """Add depth and pose of the 7-Scenes format where their files are."""
    from PIL import Image

    depth_file, pose_file = _beside(file, '.depth.png'), _beside(file, '.pose.txt')
    if depth_file.exists():
        with Image.open(depth_file) as image:
            depth = depth_in_metres(np.array(image), 1e-3)
        sample = replace(sample, depth=depth, intrinsics=intrinsics)
    if pose_file.exists():
        sample = replace(sample, world_from_camera=np.loadtxt(pose_file).reshape(4, 4))
    return sample


class Video(FrameSource):
    """Read a video through OpenCV; stamps follow from the file's frame rate."""

    def __init__(self, path: Path):
        """Decode the first frame, so that a missing codec is found at once."""
        import cv2

        self._path = path
        self.title = path.name
        self.topic = TOPIC
        with _capture(path) as capture:
            rate_hz = capture.get(cv2.CAP_PROP_FPS)
            count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            decoded, _ = capture.read()
        if not decoded:
            raise InputError(f'{path}: not one frame of it can be decoded; {_convert(path)}')
        self._rate_hz = rate_hz if math.isfinite(rate_hz) and rate_hz > 0 else 30.0
        # Containers without an index give nothing, zero or a negative number.
        self.length = round(count) if math.isfinite(count) and count > 0 else None

    def frames(self) -> Iterator[Frame]:
        """Decode one frame after another to bgr8, OpenCV's own order."""
        count = 0
        with _capture(self._path) as capture:
            while (image := capture.read()[1]) is not None:
                stamp = stamp_at(count, self._rate_hz)
                yield Frame(stamp, FRAME_ID, RawImage.from_array(image, 'bgr8'))
                count += 1
        if self.length and count < self.length:
            logger.warning(
                '%s: %d of %d frames could be decoded; it may be cut short or damaged',
                self._path,
                count,
                self.length,
            )

    def samples(self, stamps_ns: Collection[int]) -> Iterator[Sample]:
        """Decode the frames of these stamps; those between are passed over undecoded."""
        wanted = set(stamps_ns)
        index = 0
        with _capture(self._path) as capture:
            while wanted and capture.grab():
                stamp = stamp_at(index, self._rate_hz)
                if stamp in wanted:
                    wanted.discard(stamp)
                    _, image = capture.retrieve()
                    yield Sample(stamp, np.ascontiguousarray(image[..., ::-1]))
                index += 1

    def true_poses(self, stamps_ns: Collection[int]) -> dict[int, np.ndarray]:
        """Give none: a video does not know where it was taken from."""
        return {}


@contextmanager
def _capture(path: Path):
    """Open a video; raises InputError where it is none."""
    import cv2

    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise InputError(
                f'{path} is no rosbag, and no video that OpenCV can open; {_convert(path)}'
            )
        yield capture
    finally:
        capture.release()


def _convert(path: Path) -> str:
    command = f'ffmpeg -i {path} -c:v libx264 -pix_fmt yuv420p converted.mp4'
    return f'if it is a video, its codec may be missing here: convert it with {command}'
