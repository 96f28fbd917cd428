# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A finished run as a recording for the Rerun viewer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from xstreamvggt_ros.evaluation.export.shown_frames import shown_frames, ShownFrame
from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.files.replacing import replacing

APPLICATION = 'xstreamvggt_evaluation'
TIMELINE = 'frame'


def write_rerun(record: Record, path: Path) -> None:
    """Write the .rrd; a file of that name is replaced. ImportError without rerun-sdk."""
    import rerun

    with replacing(path) as temporary:
        with rerun.RecordingStream(APPLICATION) as stream:
            stream.save(temporary)
            name = f'{record.sequence}: {record.info["label"]}'
            stream.log('run', rerun.TextDocument(name), static=True)
            stream.log('world', rerun.ViewCoordinates.RDF, static=True)
            for frame in shown_frames(record):
                _log(stream, frame)
            stream.flush()


def _log(stream, frame: ShownFrame) -> None:
    import rerun

    stream.set_time(TIMELINE, sequence=frame.index)
    height, width = frame.depth.shape
    for name, pose in (('estimate', frame.pose), ('truth', frame.true_pose)):
        if pose is None:
            continue
        entity = f'world/{name}'
        stream.log(entity, rerun.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3]))
        pinhole = rerun.Pinhole(
            image_from_camera=frame.intrinsics,
            resolution=[width, height],
            camera_xyz=rerun.ViewCoordinates.RDF,
        )
        stream.log(f'{entity}/camera', pinhole)
    stream.log('world/estimate/camera/depth', _depth(frame.depth))
    if np.isfinite(frame.true_depth).any():
        stream.log('world/truth/camera/depth', _depth(frame.true_depth))
    if frame.picture:
        image = rerun.EncodedImage(contents=frame.picture, media_type='image/jpeg')
        stream.log('image', image)
    if len(frame.points):
        points = rerun.Points3D(frame.points, colors=frame.colours)
        stream.log(f'world/points/{frame.index:06d}', points)
    for name, value in (('latency_ms', frame.latency_ms), ('abs_rel', frame.abs_rel)):
        if np.isfinite(value):
            stream.log(f'figures/{name}', rerun.Scalars(float(value)))


def _depth(depth: np.ndarray):
    import rerun

    # 0 is unknown to the viewer.
    return rerun.DepthImage(np.nan_to_num(depth, nan=0.0), meter=1.0)
