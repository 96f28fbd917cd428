# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's topics and services: what it creates, and what docs/reference.md says of them."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry, Path
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import UInt32
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.images.decoding import ENCODINGS

NEWEST_DEPTH = 5
OUTPUT_DEPTH = 5
# As tf2_ros has it: every listener keeps this many.
TF_DEPTH = 100


@dataclass(frozen=True)
class Output:
    """
    A topic that is published, reliably.

    name: below the node's own name, or with a slash in front where it is everybody's. latched:
    the last message waits for those who come later.
    """

    name: str
    kind: type
    meaning: str
    depth: int = OUTPUT_DEPTH
    latched: bool = False

    def topic(self, root: str = '~') -> str:
        """Give the topic's name below `root`, or the one that it has everywhere."""
        return self.name if self.name.startswith('/') else f'{root}/{self.name}'


@dataclass(frozen=True)
class Input:
    """
    A topic that is subscribed to.

    name: before remapping, or of the parameter that has it. queued: its depth follows input.queue.
    Its reliability is what its publishers offer, or, with a `depth` of its own, reliable, and
    `latched` where latecomers are sent what was said before.
    """

    name: str
    kinds: tuple[type, ...]
    meaning: str
    queued: bool = False
    depth: int = 0
    latched: bool = False


@dataclass(frozen=True)
class Service:
    """A service, by its name below the node's own."""

    name: str
    kind: type
    meaning: str

    @property
    def topic(self) -> str:
        """The service's name as it is created."""
        return f'~/{self.name}'


IMAGE = Input(
    'image',
    (Image, CompressedImage),
    'or `input.image_topics`; CompressedImage on the topic + `/compressed`, with '
    '`input.image_transport: compressed`. Read are '
    f'{", ".join(ENCODINGS)} (floats in [0, 1], 16 bits by `input.value_range`); of compressed '
    'ones JPEG and PNG, no mosaics, red and blue as the pixel format behind "compressed" says',
    queued=True,
)
CAMERA_INFO_INPUT = Input(
    'camera_info',
    (CameraInfo,),
    "beside the image's topic unless remapped, which holds for one camera; optional: its "
    'intrinsics replace the predicted ones, and images are undistorted unless they are rectified '
    '(`input.rectified`)',
)
DEPTH_INPUT = Input(
    'input.depth_topic',
    (Image, CompressedImage),
    'depth registered to the images, with `output.scale_source: depth`; CompressedImage where the '
    'topic ends in `/compressedDepth` (PNG or RVL) or `/compressed`',
)
MOVING_TRANSFORMS = Input(
    '/tf',
    (TFMessage,),
    'odometry to base, with `output.tf_mode: odom`, or `output.scale_source: odometry` until the '
    'scale has settled',
    depth=TF_DEPTH,
)
STATIC_TRANSFORMS = Input(
    '/tf_static', (TFMessage,), 'base to optical frame, likewise', depth=TF_DEPTH, latched=True
)
INPUTS = (IMAGE, CAMERA_INFO_INPUT, DEPTH_INPUT, MOVING_TRANSFORMS, STATIC_TRANSFORMS)

POINTS = Output(
    'points', PointCloud2, "x, y, z, rgb, confidence: this image's points in the map frame"
)
DEPTH = Output(
    'depth/image',
    Image,
    '32FC1, metres along z at the size of `output.depth_size`, NaN where there is none',
)
PICTURE = Output(
    'image',
    Image,
    'rgb8, the picture that depth, confidence and their camera_info belong to, undistorted',
)
CAMERA_INFO = Output('depth/camera_info', CameraInfo, "the depth image's intrinsics")
CONFIDENCE = Output('confidence', Image, '32FC1, of the depth, no unit')
POSE = Output('pose', PoseStamped, 'the optical frame in the map')
ODOMETRY = Output(
    'odometry',
    Odometry,
    'the same with the velocity in the optical frame, of `output.base_frame` with '
    '`output.tf_mode: odom`, once the scale is known; covariance from confidence, not calibrated, '
    "and 1e6 in pose and twist of a stream's first, where RTAB-Map begins a new map",
)
STREAM = Output(
    'stream',
    UInt32,
    'number of the stream, from 1 on, when one begins and before its first outputs: poses, clouds '
    'and map of different streams have nothing to do with each other',
    depth=1,
    latched=True,
)
FRAME = Output(
    'frame',
    DiagnosticArray,
    "after an image's other outputs, with its stamp: `stream`, `segment`, `index` in its stream, "
    '`kept` in memory, `camera`, and what the watch says',
)
MAP = Output(
    'map',
    PointCloud2,
    'accumulated, one point per voxel, bounded by `output.map_max_points`; once a second',
    depth=1,
    latched=True,
)
PATH = Output(
    'path',
    Path,
    'the newest `output.path_length` poses; once a second',
    depth=1,
    latched=True,
)
TRANSFORMS = Output(
    '/tf',
    TFMessage,
    'map to optical frame or to odometry, by `output.tf_mode`',
    depth=TF_DEPTH,
)
DIAGNOSTICS = Output(
    '/diagnostics',
    DiagnosticArray,
    'once a second while active, and once on leaving: the figures below',
)
OUTPUTS = (
    POINTS,
    PICTURE,
    DEPTH,
    CAMERA_INFO,
    CONFIDENCE,
    POSE,
    ODOMETRY,
    STREAM,
    FRAME,
    MAP,
    PATH,
    TRANSFORMS,
    DIAGNOSTICS,
)

RESET = Service(
    'reset',
    Trigger,
    'Begin a new stream, as do an image of another size and a stamp that goes back by more than a '
    'second, with the next.',
)
SAVE = Service(
    'save',
    Trigger,
    'Write map (PLY), trajectory (TUM), a snapshot of the stream and a run record (JSON) into '
    '`output.directory`, and name them. Files of an earlier save stay: the new ones get a number.',
)
LOAD = Service('load', Trigger, 'Go on with the snapshot that `input.snapshot` names.')
ENABLE = Service('enable', SetBool, 'Drop images (false), or take them again (true).')
SERVICES = (RESET, SAVE, LOAD, ENABLE)
