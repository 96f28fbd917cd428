# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an image message sent to its cloud received, through the node in a process of its own."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
import tempfile
import time

import numpy as np
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.messages import picture_image
from xstreamvggt_ros.pipeline import PipelineConfig, ReconstructionPipeline
from xstreamvggt_ros.rig.delivery import await_subscriber
from xstreamvggt_ros.rig.domain import free_domain, isolated
from xstreamvggt_ros.rig.driven_node import DrivenNode, node_command, NODE_NAME, parameters_file
from xstreamvggt_ros.rig.lifecycle import NodeError
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.stream.loading import load_network, working_device

TOPIC = '/camera/image_raw'
PATIENCE_S = 300.0
DISCOVERY_S = 30.0


@dataclass(frozen=True)
class EndToEnd:
    """
    Seconds from image to cloud of every frame, one image at a time.

    rate: frames a second through the node; pipeline_rate: through the pipeline object alone.
    """

    preset: str
    dtype: str
    size: tuple[int, int]
    latencies: tuple[float, ...]
    rate: float
    pipeline_rate: float

    def __str__(self) -> str:
        """Tell it as a row of a table."""
        low, middle, high = 1e3 * np.percentile(self.latencies, (25, 50, 75))
        height, width = self.size
        return (
            f'| {self.preset} | {self.dtype} | {width}x{height} | {len(self.latencies)} | '
            f'{middle:.1f} ({low:.1f} to {high:.1f}) | {self.rate:.1f} | '
            f'{self.pipeline_rate:.1f} | {self.rate / self.pipeline_rate:.0%} |'
        )


HEADER = (
    '| preset | dtype | image | frames | ms from image to cloud | frames a second | '
    'pipeline alone | node by pipeline |\n|---|---|---|---|---|---|---|---|'
)


def end_to_end(
    preset: str,
    dtype: str,
    size: tuple[int, int],
    frames: int,
    device: str,
    cuda_graph: bool = False,
) -> EndToEnd:
    """Run the same images through the pipeline object in this process, then through the node."""
    model = load_network(preset, 'random', '', device, dtype)
    network = StreamingReconstructor(
        model,
        CacheConfig.recommended(),
        point_head=False,
        cuda_graph=cuda_graph,
        images_checked=True,
    )
    pipeline = ReconstructionPipeline(
        network, PipelineConfig(max(size)), device=working_device(device)
    )
    seconds = _pipeline_seconds(pipeline, _picture(*size), frames)
    del model, network, pipeline
    steady = _steady(_node_seconds(preset, dtype, size, frames, device, cuda_graph))
    pipeline_rate = 1 / float(np.mean(_steady(seconds)))
    return EndToEnd(preset, dtype, size, tuple(steady), 1 / float(np.mean(steady)), pipeline_rate)


def _steady(seconds: list[float]) -> list[float]:
    """Leave out the first fifth, which fills caches and buffers."""
    return seconds[len(seconds) // 5 :]


def _pipeline_seconds(
    pipeline: ReconstructionPipeline, image: np.ndarray, frames: int
) -> list[float]:
    """Time frames from image to host memory."""
    seconds = []
    for _ in range(frames):
        began = time.perf_counter()
        pipeline.process(image)
        seconds.append(time.perf_counter() - began)
    return seconds


def _node_seconds(
    preset: str,
    dtype: str,
    size: tuple[int, int],
    frames: int,
    device: str,
    cuda_graph: bool,
    window: int = 1,
) -> list[float]:
    """
    Send images one after the other, `window` of them without an answer at a time.

    With one, returns the seconds of each from image to cloud; with more, those between clouds.
    """
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix='xstreamvggt_speed_'))
        )
        stack.enter_context(isolated(free_domain()))
        link = stack.enter_context(Link('xstreamvggt_speed'))
        log = folder / 'node.log'
        arrived: dict[int, float] = {}

        def on_cloud(cloud: PointCloud2) -> None:
            arrived[cloud.header.stamp.sec] = time.perf_counter()

        profile = QoSProfile(depth=10)
        link.node.create_subscription(PointCloud2, f'/{NODE_NAME}/points', on_cloud, profile)
        images = link.node.create_publisher(Image, TOPIC, profile)
        command = _command(folder, preset, dtype, size, device, cuda_graph)
        node = stack.enter_context(DrivenNode(link, command, log))
        node.bring_up(PATIENCE_S)
        if not await_subscriber(link, [images], DISCOVERY_S):
            raise NodeError(f'/{NODE_NAME} did not subscribe to {TOPIC}')
        message = picture_image(_picture(*size), Header(frame_id='camera_optical_frame'))
        sent: dict[int, float] = {}
        for stamp in range(1, frames + window):
            if stamp <= frames:
                message.header.stamp.sec = stamp
                sent[stamp] = time.perf_counter()
                images.publish(message)
            due = stamp - window + 1
            if due < 1:
                continue
            if not link.spin_until(lambda due=due: due in arrived, PATIENCE_S, 0.002):
                raise NodeError(f'no cloud of image {due} came within {PATIENCE_S:g} s')
    if window == 1:
        return [arrived[stamp] - began for stamp, began in sent.items()]
    return [float(each) for each in np.diff([arrived[stamp] for stamp in sent])]


def node_rate(
    preset: str,
    dtype: str,
    size: tuple[int, int],
    frames: int,
    device: str,
    cuda_graph: bool = True,
    window: int = 3,
) -> float:
    """Give the node's frames a second where the next images wait already."""
    seconds = _node_seconds(preset, dtype, size, frames, device, cuda_graph, window)
    return 1 / float(np.mean(_steady(seconds)))


def _picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _command(
    folder: Path,
    preset: str,
    dtype: str,
    size: tuple[int, int],
    device: str,
    cuda_graph: bool,
) -> list[str]:
    values = {
        'model.preset': preset,
        'model.checkpoint': 'random',
        'model.device': device,
        'model.dtype': dtype,
        'model.cuda_graph': 'on' if cuda_graph else 'off',
        'model.image_size': max(size),
        'input.image_topics': [TOPIC],
        'input.queue': 'every',
    }
    return node_command(parameters_file(folder / 'parameters.yaml', values))
