# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exact replay: every frame through the pipeline, in order, without ROS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import time

import torch

from xstreamvggt_ros.evaluation.process_memory import (
    forget_earlier_runs,
    peak_allocated_bytes,
    take_peak_resident_bytes,
)
from xstreamvggt_ros.evaluation.results import Cost, Estimate, FrameResult, pose
from xstreamvggt_ros.evaluation.run_config import RunConfig
from xstreamvggt_ros.evaluation.truth import AlignedTruth, TruthAligner
from xstreamvggt_ros.geometry import quaternion_from_rotation
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.inputs import DamagedFrame, ImageSequence, SequenceFrame
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.pipeline import (
    FrameError,
    PipelineConfig,
    Reconstruction,
    ReconstructionPipeline,
)
from xstreamvggt_ros.stream import (
    FrameReconstructor,
    load_network,
    StreamingReconstructor,
    working_device,
)
from xstreamvggt_ros.stream.loading import choose_device

# The estimates of both replays are in the first camera's axes.
WORLD_AXES = 'optical'


def chosen_frames(sequence: ImageSequence, config: RunConfig) -> Sequence[SequenceFrame]:
    """Take every stride-th frame, up to max_frames; ValueError where none is left."""
    # In one step, so that of a video no more is decoded.
    end = config.max_frames * config.stride if config.max_frames else None
    frames = sequence.frames[: end : config.stride]
    if not frames:
        raise ValueError(f'{sequence.name} has no frames')
    return frames


def frame_tokens(config: RunConfig, image_shape: tuple[int, int]) -> int:
    """Count the tokens that an image of that height and width becomes in a layer."""
    size = Preprocessing.plan(*image_shape, config.network_size).size
    return ModelConfig.preset(config.preset).tokens_per_frame(*size)


def first_shape(frames: Sequence[SequenceFrame]) -> tuple[int, int]:
    """Give height and width of the first image that can be read; ValueError where none can."""
    for frame in frames:
        try:
            return frame.image().shape[:2]
        except DamagedFrame:
            continue
    raise ValueError('no image of the sequence can be read')


def build_pipeline(
    config: RunConfig, network: FrameReconstructor | None, frames: Sequence[SequenceFrame]
) -> ReconstructionPipeline:
    """Build what the node runs, for these frames; a `network` takes the place of its own."""
    if network is None:
        tokens = frame_tokens(config, first_shape(frames))
        model = load_network(
            config.preset, config.checkpoint, config.revision, config.device, config.dtype
        )
        cache = config.cache_config(len(frames), tokens)
        network = StreamingReconstructor(
            model, cache, attention=config.attention, images_checked=True
        )
    return ReconstructionPipeline(
        network,
        PipelineConfig(
            config.network_size,
            WORLD_AXES,
            point_source=config.point_source,
            keyframe_threshold=config.keyframe_threshold,
            on_failure=config.on_failure,
        ),
        device=working_device(config.device),
    )


def replay(
    sequence: ImageSequence, config: RunConfig, network: FrameReconstructor | None = None
) -> Iterator[FrameResult]:
    """
    Run the frames of the sequence through the pipeline, each in full before the next.

    A frame that cannot be read, or of which nothing comes, is a result with that status; the
    stream goes on. Where the device's memory is exhausted, that frame and all later ones failed.
    Raises ValueError where no frame or no network can be had, BudgetTooSmall among them.
    """
    frames = chosen_frames(sequence, config)
    device = choose_device(config.device)
    forget_earlier_runs(device)
    pipeline = build_pipeline(config, network, frames)
    aspect = first_shape(frames)
    pipeline.warm_up(aspect[1] / aspect[0])
    aligner = TruthAligner(config.network_size, config.camera_info)
    exhausted = ''
    for index, frame in enumerate(frames):
        if not exhausted:
            if sequence.independent_frames and index:
                pipeline.reset()
            try:
                yield _frame(index, frame, config, pipeline, aligner, device)
                continue
            except torch.OutOfMemoryError as error:
                # What was reconstructed so far counts; that it ended here is a result too.
                exhausted = f'out_of_memory: at frame {index}: {error}'.partition('\n')[0]
        # Where the camera went on to is known: that it was not followed there is a loss.
        truth = AlignedTruth(world_from_camera=frame.pose())
        yield FrameResult(index, frame, truth, 'failed', reason=exhausted)


def _frame(
    index: int,
    frame: SequenceFrame,
    config: RunConfig,
    pipeline: ReconstructionPipeline,
    aligner: TruthAligner,
    device: torch.device,
) -> FrameResult:
    try:
        image = frame.image()
    except DamagedFrame as error:
        return FrameResult(index, frame, AlignedTruth(), 'failed', reason=f'damaged: {error}')
    camera = frame.camera if config.camera_info else None
    estimate, reason = None, ''
    # What came of the frame before, and of this one's file, is not this one's.
    take_peak_resident_bytes()
    began, cpu_began = time.perf_counter(), time.process_time()
    try:
        reconstruction = pipeline.process(image, camera)
        estimate = estimate_of(reconstruction, config.point_source == 'pointmap')
    except FrameError as error:
        reason = f'{error.reason}: {error}'
    latency, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    truth, unknown = aligner.of_frame(frame, image.shape[:2])
    return FrameResult(
        index,
        frame,
        truth,
        'failed' if estimate is None else 'done',
        estimate,
        _cost(pipeline, latency, cpu, device),
        reason or unknown,
    )


def estimate_of(reconstruction: Reconstruction, own_points: bool = False) -> Estimate:
    """Take from a reconstruction what is scored."""
    report, transform = reconstruction.report, reconstruction.map_from_camera
    return Estimate(
        reconstruction.depth,
        reconstruction.confidence,
        reconstruction.intrinsics,
        pose(transform[:3, 3], quaternion_from_rotation(transform[:3, :3])),
        reconstruction.picture,
        reconstruction.points if own_points else None,
        reconstruction.world,
        '' if report.level == 'ok' else str(report),
    )


def _cost(
    pipeline: ReconstructionPipeline, latency_s: float, cpu_s: float, device: torch.device
) -> Cost:
    stats = pipeline.cache_stats()
    return Cost(
        latency_s,
        # A host that waits for its device has less, whoever else there is.
        float('nan') if device.type == 'cuda' else cpu_s,
        float(stats.tokens),
        float(stats.evictions),
        float(stats.bytes),
        take_peak_resident_bytes(),
        peak_allocated_bytes(device),
    )
