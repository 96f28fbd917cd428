# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is read from the node's parameters, as frozen configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from rclpy.exceptions import InvalidTopicNameException
from rclpy.validate_topic_name import validate_topic_name

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.geometry.frame_names import frame_name
from xstreamvggt_ros.model import bundled_checkpoint, ModelConfig
from xstreamvggt_ros.parameters.cache import read_cache
from xstreamvggt_ros.parameters.camera_names import camera_names, check_cameras
from xstreamvggt_ros.parameters.spec import Value
from xstreamvggt_ros.parameters.table import PARAMETERS
from xstreamvggt_ros.pipeline import CloudChoice, PipelineConfig

FRAMES = ('map_frame', 'odom_frame', 'base_frame', 'camera_frame')
# Images per second: one in a quarter of an hour. The period of smaller ones is no number any more.
LEAST_RATE = 1e-3


@dataclass(frozen=True)
class ModelParameters:
    """Which network to load, and where it runs."""

    preset: str
    checkpoint: str
    revision: str
    device: str
    dtype: str
    image_size: int
    attention: str
    cuda_graph: str
    memory_check: str
    load_timeout: float

    def __post_init__(self) -> None:
        """Refuse a network without weights."""
        if not self.checkpoint:
            try:
                bundled_checkpoint(self.preset)
            except ValueError as error:
                raise ValueError(f'model.checkpoint is empty, but {error}') from error

    @property
    def named(self) -> str:
        """What the weights are called in a sentence."""
        return self.checkpoint or f'the bundled one of {self.preset}'

    @property
    def config(self) -> ModelConfig:
        """The network's shape."""
        return ModelConfig.preset(self.preset)


@dataclass(frozen=True)
class InputParameters:
    """Where images come from and which are taken."""

    image_topics: tuple[str, ...]
    camera_names: tuple[str, ...]
    image_transport: str
    queue: str
    queue_size: int
    queue_mib: int
    max_rate: float
    max_pixels: int
    reorder_window: float
    silence_timeout: float
    use_camera_info: bool
    rectified: str
    value_range: str
    depth_topic: str
    snapshot: str

    def __post_init__(self) -> None:
        """Refuse topics that ROS 2 does not allow, and cameras that cannot be told apart."""
        object.__setattr__(self, 'image_topics', tuple(self.image_topics))
        object.__setattr__(self, 'camera_names', tuple(self.camera_names))
        if not self.image_topics:
            raise ValueError('input.image_topics is []; give at least one name')
        if 0 < self.max_rate < LEAST_RATE:
            raise ValueError(
                f'input.max_rate is {self.max_rate:g}; use 0 for all, or {LEAST_RATE:g} and more'
            )
        for topic in self.topics:
            try:
                validate_topic_name(topic)
            except InvalidTopicNameException as error:
                raise ValueError(
                    f'input.image_topics is {list(self.image_topics)}; give a topic name such as '
                    f'/camera/image_raw ({error})'
                ) from error
        check_cameras(self.topics, self.camera_names)

    @property
    def topics(self) -> tuple[str, ...]:
        """The image topics' names, before remapping."""
        return tuple(topic or 'image' for topic in self.image_topics)

    @property
    def names(self) -> tuple[str, ...]:
        """The cameras' names."""
        return camera_names(self.topics, self.camera_names)

    def images_of(self, camera: int) -> str:
        """Say whose images they are, where there are several cameras."""
        return f"{self.names[camera]}'s images" if len(self.names) > 1 else 'the images'


@dataclass(frozen=True)
class OutputParameters:
    """What is published, in which frames."""

    map_frame: str
    odom_frame: str
    base_frame: str
    camera_frame: str
    world_axes: str
    tf_mode: str
    tf_timeout: float
    tf_tolerance: float
    scale: float
    scale_source: str
    camera_height: float
    confidence_percentile: float
    point_stride: int
    point_source: str
    depth_size: str
    map_voxel_size: float
    map_max_points: int
    path_length: int
    directory: str
    # The frames whose names had slashes in front, which tf2 refuses.
    slashed: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        """Take the slashes off frames' names; refuse frames that make no tree."""
        slashed = []
        for name in FRAMES:
            given = getattr(self, name)
            try:
                clean = frame_name(given)
            except ValueError as error:
                raise ValueError(f'output.{name}: {error}') from error
            object.__setattr__(self, name, clean)
            slashed += [f'output.{name} {given!r}'] if clean != given else []
        object.__setattr__(self, 'slashed', tuple(slashed))
        if not self.map_frame or self.map_frame == self.camera_frame:
            raise ValueError(
                f'output.map_frame is {self.map_frame!r}; give a name that is neither empty nor '
                'output.camera_frame'
            )
        if self.uses_odometry:
            self._refuse_frames_without_odometry()

    @property
    def uses_odometry(self) -> bool:
        """Whether transforms of the robot's odometry are looked up."""
        return self.tf_mode == 'odom' or self.scale_source == 'odometry'

    def _refuse_frames_without_odometry(self) -> None:
        frames = {
            'map': self.map_frame,
            'odom': self.odom_frame,
            'base': self.base_frame,
        }
        if '' in frames.values() or len(set(frames.values())) < len(frames):
            named = ', '.join(f'output.{name}_frame {frame!r}' for name, frame in frames.items())
            raise ValueError(
                f'{named}: give three different names for output.tf_mode odom and '
                'output.scale_source odometry'
            )


@dataclass(frozen=True)
class KeyframeParameters:
    """Which frames are remembered."""

    enabled: bool
    threshold: float


@dataclass(frozen=True)
class WatchParameters:
    """What is done about a stream that has gone wrong."""

    on_failure: str
    snapshot_path: str


@dataclass(frozen=True)
class Parameters:
    """All of the node's configuration, validated."""

    model: ModelParameters
    cache: CacheConfig
    input: InputParameters
    output: OutputParameters
    keyframe: KeyframeParameters
    watch: WatchParameters

    def __post_init__(self) -> None:
        """Refuse one frame for several cameras, and a scale that has nothing to go by."""
        source = self.output.scale_source
        if len(self.input.names) > 1 and self.output.camera_frame:
            raise ValueError(
                f'output.camera_frame is {self.output.camera_frame!r}, but the cameras '
                f'{", ".join(self.input.names)} need a frame each; leave it empty, so that '
                "their images' header.frame_id count"
            )
        if source == 'depth' and not self.input.depth_topic:
            raise ValueError(
                "output.scale_source is 'depth' but input.depth_topic is empty; give the topic of "
                'depth images registered to the colour images'
            )
        if source == 'camera_height' and not self.output.camera_height:
            raise ValueError(
                "output.scale_source is 'camera_height' but output.camera_height is 0; give the "
                'height of the camera above the ground in metres'
            )

    @property
    def pipeline(self) -> PipelineConfig:
        """What of it the pipeline needs."""
        return PipelineConfig(
            image_size=self.model.image_size or self.model.config.image_size,
            world_axes=self.output.world_axes,
            # Estimates are of frames in the network's unit.
            scale=self.output.scale if self.output.scale_source == 'parameter' else 1.0,
            point_source=self.output.point_source,
            keyframe_threshold=self.keyframe.threshold if self.keyframe.enabled else None,
            on_failure=self.watch.on_failure,
            cloud=CloudChoice(self.output.confidence_percentile, self.output.point_stride),
        )

    @property
    def random_weights(self) -> bool:
        """Whether the network runs without trained weights."""
        return self.model.checkpoint == 'random'

    def notices(self) -> list[str]:
        """Say what was taken otherwise than it was given; once is enough."""
        found = []
        if self.output.slashed:
            given = ', '.join(self.output.slashed)
            found.append(f'{given}: the slash in front, which tf2 refuses, is left out')
        if self.watch.snapshot_path and self.watch.on_failure == 'warn':
            found.append(
                'watch.snapshot_path is set, but with watch.on_failure warn a stream is dropped, '
                'and saved before, only where its pose is not finite: set reset or reanchor'
            )
        return found

    def warnings(self) -> list[str]:
        """Say what is allowed but probably not meant."""
        found = []
        if self.random_weights:
            found.append(
                'RANDOM WEIGHTS: no trained weights are loaded, so depth and poses MEAN NOTHING; '
                'set model.checkpoint'
            )
        if not self.cache.bounded:
            found.append(
                'the cache has no budget and grows with every image; set one of '
                'cache.budget_tokens, cache.budget_frames, cache.budget_mib'
            )
        if self.output.uses_odometry and self.output.tf_mode == 'camera':
            found.append(
                "output.tf_mode is 'camera', which takes the optical frame away from the robot "
                'that it is mounted on; set odom or off where output.scale_source is odometry'
            )
        return found


def read_parameters(values: Mapping[str, Value]) -> Parameters:
    """
    Build the configuration from every parameter's value, by full name.

    Raises ValueError naming the parameter, its value and what to use instead.
    """
    for name, spec in PARAMETERS.items():
        spec.check(values[name])
    return Parameters(
        model=_group(ModelParameters, 'model', values),
        cache=read_cache(values),
        input=_group(InputParameters, 'input', values),
        output=_group(OutputParameters, 'output', values),
        keyframe=_group(KeyframeParameters, 'keyframe', values),
        watch=_group(WatchParameters, 'watch', values),
    )


def _group(kind: type, prefix: str, values: Mapping[str, Value]) -> Any:
    return kind(
        **{each.name: values[f'{prefix}.{each.name}'] for each in fields(kind) if each.init}
    )
