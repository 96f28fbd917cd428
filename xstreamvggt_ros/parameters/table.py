# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: names, defaults, limits, and what each is for."""

from __future__ import annotations

from typing import Any

from xstreamvggt_ros.cache.attention import BACKENDS
from xstreamvggt_ros.geometry import MAP_FROM_WORLD_ROTATION
from xstreamvggt_ros.guard import ON_FAILURE
from xstreamvggt_ros.images.keyframes import DEFAULT_THRESHOLD
from xstreamvggt_ros.images.patches import PATCH_SIZE
from xstreamvggt_ros.images.value_range import VALUE_RANGES
from xstreamvggt_ros.model.model_config import PRESETS
from xstreamvggt_ros.parameters.cache import cache_parameters
from xstreamvggt_ros.parameters.spec import ParameterSpec, Value
from xstreamvggt_ros.pipeline import POINT_SOURCES
from xstreamvggt_ros.scale import SCALE_SOURCES


def _locked(name: str, default: Value, description: str, **limits: Any) -> ParameterSpec:
    return ParameterSpec(name, default, description, live=False, **limits)


_live = ParameterSpec

MODEL_PARAMETERS = (
    _locked('model.preset', 'tiny', 'Shape of the network.', choices=tuple(PRESETS)),
    _locked(
        'model.checkpoint',
        '',
        'Weights: a file, or a Hugging Face repository. Empty: the weights bundled with preset '
        'tiny. "random": weights that mean nothing, for tests.',
    ),
    _locked(
        'model.revision',
        '',
        'Commit of the Hugging Face repository, which needs one; a file has none.',
    ),
    _locked('model.device', 'auto', 'auto, cpu, cuda or cuda:<i>; auto is CUDA where there is.'),
    _locked(
        'model.dtype',
        'auto',
        'Precision of the large weights; auto: bfloat16 on CUDA, else float32. int8 is for CPUs, '
        'of which many run bfloat16 as fast; float8 for CUDA devices from Ada on, and coarser '
        '(docs/performance.md).',
        choices=('auto', 'float32', 'bfloat16', 'int8', 'float8'),
    ),
    _locked(
        'model.image_size',
        0,
        "Long side in pixels that images are brought to; 0: the preset's.",
        minimum=0,
        maximum=2044,
        step=PATCH_SIZE,
    ),
    _locked(
        'model.attention',
        'auto',
        "Attention kernel: torch's own (sdpa) or flash_attn's; on CUDA auto times all that run.",
        choices=BACKENDS,
    ),
    _locked(
        'model.cuda_graph',
        'auto',
        'Run each image as one launch once the slots are full. auto: on CUDA; on: say so where '
        'there is none; off: launch by launch.',
        choices=('auto', 'on', 'off'),
    ),
    _locked(
        'model.memory_check',
        'refuse',
        'What to do where the memory estimated is more than is free. refuse: do not configure. '
        'warn: say so and go on. off: estimate nothing.',
        choices=('refuse', 'warn', 'off'),
    ),
    _locked(
        'model.load_timeout',
        600.0,
        'Seconds that the network may take to be ready, a download of its weights included; the '
        'node then goes back from configuring. It answers meanwhile.',
        minimum=1e-3,
        maximum=86_400.0,
    ),
)

INPUT_PARAMETERS = (
    _locked(
        'input.image_topics',
        [''],
        'The image topic, or those of several cameras; empty: "image".',
    ),
    _locked(
        'input.camera_names',
        [''],
        "Names of several cameras, below which their outputs are; empty: their topics' last "
        'namespaces.',
    ),
    _locked(
        'input.image_transport',
        'raw',
        'raw: sensor_msgs/Image. compressed: CompressedImage on the topic + "/compressed".',
        choices=('raw', 'compressed'),
    ),
    _live(
        'input.queue',
        'newest',
        'newest: a newer image takes the place of one that waits. every: images wait in a queue.',
        choices=('newest', 'every'),
    ),
    _live(
        'input.queue_size',
        64,
        'Images of a camera that may wait with input.queue every; more are dropped.',
        minimum=1,
        maximum=100_000,
    ),
    _live(
        'input.queue_mib',
        1024,
        'MiB that images of all cameras may wait in with input.queue every, and depth images by '
        'themselves; more are dropped.',
        minimum=1,
        maximum=1_000_000,
    ),
    _live(
        'input.max_rate',
        0.0,
        "Images per second of a camera's stamps to reconstruct; 0: all.",
        minimum=0.0,
        maximum=1000.0,
    ),
    _live(
        'input.max_pixels',
        33_554_432,
        'An image of more pixels is dropped before decoding.',
        minimum=1,
        maximum=2**31 - 1,
    ),
    _live(
        'input.reorder_window',
        0.05,
        'Seconds that an image of several cameras waits for older ones of the others; those that '
        'come later are dropped.',
        minimum=0.0,
        maximum=10.0,
    ),
    _live(
        'input.silence_timeout',
        5.0,
        'Seconds without images before saying so; 0: never.',
        minimum=0.0,
        maximum=86_400.0,
    ),
    _live(
        'input.use_camera_info',
        True,
        'Undistort images by their camera_info and use its intrinsics, where one comes.',
    ),
    _live(
        'input.rectified',
        'auto',
        'Whether images are rectified already: they are not undistorted then, and have the '
        'intrinsics P of camera_info. auto: those of topics with a part that is rect or begins '
        'with image_rect.',
        # YAML would take yes and no for booleans.
        choices=('auto', 'always', 'never'),
    ),
    _live(
        'input.value_range',
        'auto',
        'What of their range 16-bit images use. auto: where that is little, as in infrared and '
        'thermal cameras, it is found from the images. full: 16 bits. Or how many bits.',
        choices=VALUE_RANGES,
    ),
    _locked(
        'input.depth_topic',
        '',
        'Depth images registered to the colour images, for output.scale_source depth.',
    ),
    _live(
        'input.snapshot',
        '',
        'File that ~/load resumes a stream from, as ~/save wrote it (stream_*.safetensors).',
    ),
)

OUTPUT_PARAMETERS = (
    _live('output.map_frame', 'map', 'Frame in which the reconstruction is given.'),
    _live(
        'output.odom_frame',
        'odom',
        'Frame of the odometry, for output.tf_mode odom and output.scale_source odometry.',
    ),
    _live(
        'output.base_frame',
        'base_link',
        'Frame of the robot, whose pose in output.odom_frame the odometry broadcasts.',
    ),
    _live(
        'output.camera_frame',
        '',
        'Name of the optical frame; empty: the image header\'s, and "camera_optical_frame" where '
        'that is empty too.',
    ),
    _live(
        'output.world_axes',
        'rep103',
        "rep103: the first view looks along the map's +x with +z up. optical: along +z.",
        choices=tuple(MAP_FROM_WORLD_ROTATION),
    ),
    _live(
        'output.tf_mode',
        'camera',
        'camera: broadcast map to optical frame. odom: map to output.odom_frame (REP 105). '
        'off: nothing.',
        choices=('camera', 'odom', 'off'),
    ),
    _live(
        'output.tf_timeout',
        0.1,
        'Seconds after the arrival of an image to wait for the transforms of its stamp, and until '
        'the scale has settled for its depth.',
        minimum=0.0,
        maximum=10.0,
    ),
    _live(
        'output.tf_tolerance',
        0.2,
        'With output.tf_mode odom: seconds that map to odometry is dated ahead, as AMCL does, so '
        'that it is there for the newest odometry; repeated between images. 0: only with the '
        "images' stamps.",
        minimum=0.0,
        maximum=10.0,
    ),
    _live('output.scale', 1.0, 'Metres per unit of the network.', minimum=1e-6, maximum=1e6),
    _live(
        'output.scale_source',
        'parameter',
        'Where the scale comes from. parameter: output.scale. depth: input.depth_topic. '
        'odometry: how output.base_frame moves in output.odom_frame. '
        'camera_height: the ground, output.camera_height below the camera.',
        choices=SCALE_SOURCES,
    ),
    _live(
        'output.camera_height',
        0.0,
        'Metres that the camera is above the ground, for output.scale_source camera_height.',
        minimum=0.0,
        maximum=1000.0,
    ),
    _live(
        'output.confidence_percentile',
        20.0,
        'Share of the least confident points to leave out, in per cent; 0: none, and the cloud '
        'is organised as the image is.',
        minimum=0.0,
        maximum=100.0,
    ),
    _live(
        'output.point_stride',
        1,
        'Take every n-th pixel of every n-th row into the cloud.',
        minimum=1,
        maximum=1024,
    ),
    _live(
        'output.point_source',
        'depth',
        "depth: from depth and pose. pointmap: the point head's.",
        choices=POINT_SOURCES,
    ),
    _live(
        'output.depth_size',
        'network',
        'Size of ~/depth/image, its camera_info, ~/confidence and ~/image. network: what the '
        "network works at. camera: the incoming image's, undistorted where it is calibrated; "
        'depth and confidence are upsampled along its edges, NaN where the network saw nothing.',
        choices=('network', 'camera'),
    ),
    _live(
        'output.map_voxel_size',
        0.02,
        'Side in metres of the cubes in which the map keeps one point.',
        minimum=1e-4,
        maximum=1e4,
    ),
    _live(
        'output.map_max_points',
        500_000,
        'Points that the map may have, 48 bytes each; those not seen for the longest make room. '
        '0: no map.',
        minimum=0,
        maximum=100_000_000,
    ),
    _live(
        'output.path_length',
        1024,
        'Poses that the path may have, the newest ones.',
        minimum=1,
        maximum=100_000,
    ),
    _live('output.directory', '', 'Folder that ~/save writes into; empty: it saves nothing.'),
)

KEYFRAME_PARAMETERS = (
    _live(
        'keyframe.enabled',
        False,
        'Remember only images that show something new, so that a robot at rest does not crowd out '
        'what it saw before; the others are posed all the same.',
    ),
    _live(
        'keyframe.threshold',
        DEFAULT_THRESHOLD,
        'Change of the most changed tenth of the picture that is new, in standard deviations of '
        'the picture.',
        minimum=1e-3,
        maximum=100.0,
    ),
)

WATCH_PARAMETERS = (
    _live(
        'watch.on_failure',
        'warn',
        'What to do when the stream fails. warn: say so. reset: begin a new one, with a map of '
        'its own. reanchor: begin a new one and chain it to the map.',
        choices=ON_FAILURE,
    ),
    _live(
        'watch.snapshot_path',
        '',
        'File to save the memory of a failed stream to before it is dropped; further ones get _2, '
        '_3, ... up to _20 before the suffix. With on_failure warn only a stream is dropped whose '
        'pose is not finite. Empty: none.',
    ),
)

PARAMETERS = {
    spec.name: spec
    for spec in (
        *MODEL_PARAMETERS,
        *cache_parameters(),
        *INPUT_PARAMETERS,
        *OUTPUT_PARAMETERS,
        *KEYFRAME_PARAMETERS,
        *WATCH_PARAMETERS,
    )
}
