# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A rosbag2, MCAP or sqlite3, compressed or not, read without ROS.

Images are raw or compressed, dated by their headers. Depth maps (32FC1 metres, 16UC1
millimetres), poses and transforms are those nearest in time, within a tolerance (0.02 s), never
interpolated. The calibration is the first camera_info beside the images.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from xstreamvggt_ros.files.bags import find_bag
from xstreamvggt_ros.geometry.stamped_poses import nearest_stamps
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.images.camera_model import CameraModel, is_rectified
from xstreamvggt_ros.inputs.bag_source import (
    CAMERA_INFO,
    choose_topic,
    COMPRESSED,
    COMPRESSED_SUFFIX,
    IMAGE,
    image_topics,
    sibling,
)
from xstreamvggt_ros.inputs.datasets.bag_decoding import read_depth, read_image
from xstreamvggt_ros.inputs.datasets.bag_index import BagFile, Place
from xstreamvggt_ros.inputs.datasets.bag_transforms import BagTransforms
from xstreamvggt_ros.inputs.datasets.bag_truth import (
    is_file_source,
    PoseTrack,
    source_topic,
    TF,
    TF_STATIC,
    TruthOptions,
)
from xstreamvggt_ros.inputs.datasets.folder import FileSequence
from xstreamvggt_ros.inputs.datasets.problems import Problems
from xstreamvggt_ros.inputs.datasets.sequence import FrameTruth, SequenceFrame
from xstreamvggt_ros.inputs.frames import InputError

LAYOUT = 'rosbag'
TOLERANCE_S = 0.02
TOPIC_OPTION = '--option topic=NAME'


def open_rosbag(
    path: Path,
    topic: str = '',
    depth_topic: str = '',
    truth: str = '',
    world_frame: str = '',
    body_frame: str = '',
    tolerance_s: float = TOLERANCE_S,
) -> FileSequence:
    """
    Open a bag: a folder, .mcap or .db3.

    topic: of the images, needed where there are several. depth_topic: '' takes the only one.
    truth, world_frame, body_frame: as TruthOptions has them.
    """
    found = find_bag(path)
    if found is None:
        raise InputError(f'{path} is no rosbag2: a folder with metadata.yaml, an .mcap or a .db3')
    if not 0 <= tolerance_s <= 10:
        raise InputError(f'tolerance_s is {tolerance_s}; give 0 to 10 seconds')
    options = TruthOptions(truth, world_frame, body_frame)
    loader = _Loader(found, topic, depth_topic, options, round(tolerance_s * NANOSECONDS))
    root = found if found.is_dir() else found.parent
    files = [each for each in found.rglob('*') if each.is_file()] if found.is_dir() else [found]
    if is_file_source(truth):
        files.append(Path(truth))
    # A bag holds as many sequences as image topics.
    name = found.stem + topic
    return FileSequence(name, LAYOUT, loader.frames(), root, tuple(files), loader.problems)


class _Loader:
    """One pass over a bag: what is where, and all that is small."""

    def __init__(
        self, path: Path, topic: str, depth_topic: str, options: TruthOptions, tolerance_ns: int
    ) -> None:
        self.problems = Problems()
        self._bag = BagFile(path)
        reader = self._bag.reader
        kinds = image_topics(reader)
        self._image_topic = choose_topic(path, topic, kinds, reader, TOPIC_OPTION)
        self._depth_topic = _depth_topic(path, depth_topic, kinds, self._image_topic)
        self._info_topic = sibling(
            self._image_topic.removesuffix(COMPRESSED_SUFFIX), 'camera_info'
        )
        self._depth_info_topic = sibling(self._depth_topic, 'camera_info')
        self._truth_topic = source_topic(options, reader)
        self._tolerance_ns = tolerance_ns
        self._transforms = BagTransforms(self.problems)
        self._poses = PoseTrack(options, self._transforms, tolerance_ns, self.problems)
        self._images: dict[int, Place] = {}
        self._depths: dict[int, Place] = {}
        self._cameras: dict[str, CameraModel | None] = {}
        self._camera_frame = ''
        self._index()

    def frames(self) -> tuple[SequenceFrame, ...]:
        """Make the frames, in order of their stamps."""
        stamps = sorted(self._images)
        if not stamps:
            raise InputError(f'{self._bag.path} has no whole image on {self._image_topic}')
        depth_stamps = sorted(self._depths)
        nearest = nearest_stamps(depth_stamps, stamps, self._tolerance_ns)
        camera = self._cameras.get(self._info_topic)
        # Depth without a calibration of its own is registered to the images.
        depth_camera = self._cameras.get(self._depth_info_topic) or camera
        intrinsics = None if depth_camera is None else depth_camera.intrinsics
        frames, lost = [], {'depth': [], 'pose': []}
        for stamp, index in zip(stamps, nearest.tolist(), strict=True):
            depth = self._depths[depth_stamps[index]] if index >= 0 else None
            pose = self._poses.at(stamp)
            for what, value in (('depth', depth), ('pose', pose)):
                lost[what] += [str(stamp)] if value is None else []
            image = partial(read_image, self._bag, self._images[stamp], self.problems)
            truth = partial(self._truth, depth, pose, intrinsics)
            frames.append(SequenceFrame(stamp, str(stamp), camera, image, truth))
        for what, names in lost.items():
            # A bag without any truth lacks nothing that it ought to have.
            if len(names) < len(stamps):
                self.problems.add_missing(
                    f'{self._bag.path}: no {what} near in time', names, len(stamps)
                )
        return tuple(frames)

    def _truth(self, depth: Place | None, pose, intrinsics) -> FrameTruth:
        values = None if depth is None else read_depth(self._bag, depth, self.problems)
        return FrameTruth(values, pose, intrinsics)

    def _index(self) -> None:
        topics = {self._image_topic, self._depth_topic, self._info_topic, self._depth_info_topic}
        topics |= {self._truth_topic, TF, TF_STATIC}
        for kind, place, cdr in self._bag.walk(topics - {''}, self.problems):
            if kind in (IMAGE, COMPRESSED):
                places = self._images if place.topic == self._image_topic else self._depths
                if places.setdefault(place.stamp_ns, place) is not place:
                    self.problems.add(f'{place.topic} has {place.stamp_ns} ns twice; one is kept')
            if kind not in (IMAGE, COMPRESSED) or not self._camera_frame:
                self._take(kind, place, cdr)
        self._poses.finish(self._camera_frame)

    def _take(self, kind: str, place: Place, cdr: bytes) -> None:
        """Look into a message; of images only one, for its frame."""
        try:
            message = self._bag.reader.deserialize(cdr, kind)
        except Exception as error:  # noqa: BLE001 damaged bytes raise nearly anything
            self.problems.add(f'{place.topic}: a message at {place.log_ns} ns is damaged: {error}')
            return
        if place.topic == self._image_topic:
            self._camera_frame = message.header.frame_id
        elif kind == CAMERA_INFO:
            self._cameras.setdefault(place.topic, self._camera(place.topic, message))
        elif place.topic in (TF, TF_STATIC):
            self._transforms.take(message, place.topic == TF_STATIC)
        elif place.topic == self._truth_topic:
            self._poses.take(kind, place.stamp_ns, message)

    def _camera(self, topic: str, message) -> CameraModel | None:
        images = self._image_topic if topic == self._info_topic else self._depth_topic
        try:
            return CameraModel.of_message(message, is_rectified(images))
        except ValueError as error:
            self.problems.add(f'{topic} is left out: {error}')
            return None


def _depth_topic(path: Path, topic: str, kinds: dict[str, tuple[str, bool]], images: str) -> str:
    known = [
        name
        for name, (kind, is_depth) in kinds.items()
        if is_depth and kind == IMAGE and name != images
    ]
    if topic and topic not in known:
        listed = ', '.join(known) or 'none'
        raise InputError(f'{path} has no raw depth maps on {topic!r}; it has: {listed}')
    if len(known) > 1 and not topic:
        raise InputError(
            f'{path} has several depth topics; choose one with --option depth_topic=NAME: '
            f'{", ".join(known)}'
        )
    return topic or (known[0] if known else '')
