# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a bag hold images, depth and the truth."""

from __future__ import annotations

from pathlib import Path

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.images.decoding_compressed_depth import is_compressed_depth
from xstreamvggt_ros.images.decoding_depth import DEPTH_ENCODINGS

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
COMPRESSED_SUFFIX = '/compressed'
DEPTH_SUFFIX = '/compressedDepth'


def sibling(topic: str, name: str) -> str:
    """Name the topic beside a topic."""
    return f'{topic.rpartition("/")[0]}/{name}'


def untransported(topic: str) -> str:
    """Name the topic without what a transport adds to it."""
    return topic.removesuffix(COMPRESSED_SUFFIX).removesuffix(DEPTH_SUFFIX)


def image_topics(reader) -> dict[str, tuple[str, bool]]:
    """Give every topic with images: its type and whether it holds depth maps."""
    topics = {}
    for name, info in sorted(reader.topics.items()):
        if info.msgtype in (IMAGE, COMPRESSED) and info.msgcount:
            topics[name] = info.msgtype, _is_depth(reader, info)
    return topics


def _is_depth(reader, info) -> bool:
    """Look at the first message that is whole."""
    for connection, _, cdr in reader.messages(info.connections):
        try:
            message = reader.deserialize(cdr, connection.msgtype)
            if info.msgtype == IMAGE:
                return message.encoding in DEPTH_ENCODINGS
            return is_compressed_depth(message.format)
        except Exception:  # noqa: BLE001,S112 damaged bytes raise nearly anything
            continue
    return False


def choose_topic(path: Path, topic: str, kinds: dict[str, tuple[str, bool]], reader) -> str:
    """Choose the recorded topic with the images, or say which there are."""
    if topic:
        for name in (topic, topic + COMPRESSED_SUFFIX):
            if name in kinds:
                return name
        known = ', '.join(kinds) or 'none with images'
        raise InputError(f'{path} has no images on {topic!r}; its image topics: {known}')
    cameras = [name for name, (_, is_depth) in kinds.items() if not is_depth]
    # The same camera recorded raw and compressed is one camera; raw is exact.
    cameras = [
        name
        for name in cameras
        if not name.endswith(COMPRESSED_SUFFIX)
        or name.removesuffix(COMPRESSED_SUFFIX) not in cameras
    ]
    if len(cameras) == 1:
        return cameras[0]
    if cameras:
        raise InputError(
            f'{path} has several image topics; choose one with --option topic=NAME: '
            f'{", ".join(cameras)}'
        )
    if not reader.message_count:
        raise InputError('; '.join([f'{path} holds no messages', *reader.problems]))
    listed = ', '.join(f'{name} [{info.msgtype}]' for name, info in sorted(reader.topics.items()))
    raise InputError(
        f'{path} has no sensor_msgs Image or CompressedImage with colour; its topics: '
        f'{listed or "none"}. Record the camera too, or choose a depth topic with '
        '--option topic=NAME'
    )


def choose_depth_topic(
    path: Path, topic: str, kinds: dict[str, tuple[str, bool]], images: str
) -> str:
    """Choose the topic with depth maps beside the images, '' where there is none."""
    known = [name for name, (_, is_depth) in kinds.items() if is_depth and name != images]
    if topic and topic not in known:
        listed = ', '.join(known) or 'none'
        raise InputError(f'{path} has no depth maps on {topic!r}; it has: {listed}')
    # The same maps recorded raw and compressed are one; raw is exact.
    raw = [name for name in known if kinds[name][0] == IMAGE]
    known = [name for name in known if name in raw or untransported(name) not in raw]
    if len(known) > 1 and not topic:
        raise InputError(
            f'{path} has several depth topics; choose one with --option depth_topic=NAME: '
            f'{", ".join(known)}'
        )
    return topic or (known[0] if known else '')
