# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics are shown, and how to find them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import UInt32

from xstreamvggt_ros.view import reading


@dataclass(frozen=True)
class ViewTopic:
    """
    A topic whose newest message is shown.

    latched: the last message waits for those who come later. heavy: asked for only while somebody
    looks. camera: each of several cameras has it.
    """

    kind: str
    name: str
    type: type
    read: Callable
    latched: bool = False
    heavy: bool = False
    camera: bool = False


TOPICS = (
    ViewTopic('stream', 'stream', UInt32, lambda message: int(message.data), latched=True),
    ViewTopic('pose', 'pose', PoseStamped, lambda message: reading.pose_of(message.pose)),
    ViewTopic('lens', 'depth/camera_info', CameraInfo, reading.lens_of, camera=True),
    ViewTopic('points', 'points', PointCloud2, reading.points_of, heavy=True, camera=True),
    ViewTopic('image', 'image', Image, reading.picture_of, heavy=True, camera=True),
    ViewTopic('depth', 'depth/image', Image, reading.map_of, heavy=True, camera=True),
    ViewTopic('confidence', 'confidence', Image, reading.map_of, heavy=True, camera=True),
    ViewTopic('map', 'map', PointCloud2, reading.points_of, latched=True, heavy=True),
    ViewTopic('path', 'path', Path, reading.path_of, latched=True, heavy=True),
)


def value_of(topic: ViewTopic, message, several: bool):
    """Read a message; `several`: its camera is one of several. ValueError if it says nonsense."""
    value = topic.read(message)
    if several and topic.kind == 'lens':
        return replace(value, frame=message.header.frame_id)
    return value


def root_of(node: str, namespace: str) -> str:
    """Return a node's full name; without a slash at its start it is in the namespace."""
    below = '' if node.startswith('/') else namespace.strip('/')
    return '/'.join(['', *filter(None, (below, node.strip('/')))])


def roots_of(topics: Collection[str], namespace: str = '/') -> list[str]:
    """
    Return the full names of the nodes, among topics' names, that publish what ours does.

    Those of a namespace come first.
    """
    ends = [name.removesuffix('/stream') for name in topics if name.endswith('/stream')]
    found = [root for root in ends if {f'{root}/frame', f'{root}/path'} <= set(topics)]
    own = f'{namespace.rstrip("/")}/'
    return sorted(found, key=lambda root: (root[: root.rindex('/') + 1] != own, root))


def camera_of(topics: Collection[str], root: str, camera: str = '') -> str:
    """
    Return below what a camera's topics are: the node's own name, or with the camera's.

    Empty where none is there yet.
    """
    if camera:
        return f'{root}/{camera}'
    if f'{root}/points' in topics:
        return root
    cameras = sorted(
        name.removesuffix('/points')
        for name in topics
        if name.startswith(f'{root}/') and name.endswith('/points')
    )
    return cameras[0] if cameras else ''
