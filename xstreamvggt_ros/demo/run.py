# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One run: the node as a process, player and recorder in this one, from start to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
import time

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs import ImageSequence, SequenceFrame
from xstreamvggt_ros.rig.camera_messages import shots
from xstreamvggt_ros.rig.camera_player import CameraPlayer
from xstreamvggt_ros.rig.driven_node import node_command, RecordedNode
from xstreamvggt_ros.rig.player import AtMost, PlayerError

PARAMETERS_OF_INTEREST = ('model.preset', 'output.world_axes')


@dataclass(frozen=True)
class RunOptions:
    """
    Say how to play.

    Every `stride`-th image is played; `max_frames` 0 is all of them. `rate_hz` is the most images
    a second. `lossless` waits for the node, with `window` images on their way at most; otherwise
    the node takes the newest. `patience_s` bounds every wait for the network. `overrides` are
    parameters as name:=value, which go before those in the file `parameters`.
    """

    max_frames: int = 0
    stride: int = 1
    rate_hz: float = 30.0
    lossless: bool = True
    window: int = 1
    patience_s: float = 120.0
    parameters: Path | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoRun:
    """
    Hold what happened.

    `published_ns` and `completed_ns` are monotonic times by the image's stamp: of the image being
    sent, and of the last of its outputs being received. `diagnostics` are the node's own figures
    and `parameters` some of what it ran with. `distorted` images were undistorted, which leaves
    pixels that nothing is known of. `problem` says why the images could not all be played; it is
    empty for a good run. Every `stride`-th image of the input was played.
    """

    published_ns: dict[int, int]
    completed_ns: dict[int, int]
    diagnostics: dict[str, str]
    parameters: dict[str, str]
    distorted: bool
    problem: str
    seconds: float
    stride: int = 1


def run(
    source: ImageSequence,
    options: RunOptions,
    bag_path: Path,
    node_log: Path,
    progress: Callable[[int, int], None] = lambda sent, answered: None,
) -> DemoRun:
    """
    Play the source into a node and record its outputs in `bag_path`.

    `progress` is told, several times a second, how many images were sent and answered. Raises
    NodeError where the node does not start, refuses a transition or dies; `node_log` has its log.
    """
    with RecordedNode('xstreamvggt_demo', bag_path, options.patience_s) as rig:
        player = CameraPlayer(rig.link, source.topic, source.transport)
        node = rig.start(_node_command(source, options), node_log)
        node.watch = lambda: progress(len(player.sent_ns), len(rig.recorder.completed_ns))
        node.bring_up(options.patience_s, map(_name, options.overrides))
        parameters = node.text_parameters(*PARAMETERS_OF_INTEREST)
        started = time.monotonic()
        problem = _play(player, source, rig, options)
        rig.finish(player.sent_ns)
        return DemoRun(
            player.sent_ns,
            rig.recorder.completed_ns,
            rig.recorder.diagnostics,
            parameters,
            player.distorted,
            problem,
            time.monotonic() - started,
            options.stride,
        )


def _play(
    player: CameraPlayer, source: ImageSequence, rig: RecordedNode, options: RunOptions
) -> str:
    """Play everything; what is in the way is returned as a sentence, for the rest is worth it."""
    try:
        player.play(
            shots(chosen(source, options.stride, options.max_frames)),
            AtMost(rig.link, options.rate_hz),
            rig.pacer,
            options.window if options.lossless else 0,
            options.patience_s,
        )
    except (PlayerError, InputError) as error:
        return str(error)
    return ''


def chosen(source: ImageSequence, stride: int, most: int = 0) -> Iterator[SequenceFrame]:
    """Choose every `stride`-th frame of an input, at most so many (0: all)."""
    return islice(islice(source.frames, 0, None, stride), most or None)


def _name(override: str) -> str:
    """Give the parameter's name out of name:=value, or node:name:=value."""
    return override.partition(':=')[0].rpartition(':')[2].strip()


def _node_command(source: ImageSequence, options: RunOptions) -> list[str]:
    return node_command(
        options.parameters,
        (
            *options.overrides,
            f'input.image_topics:=[{source.topic}]',
            f'input.image_transport:={source.transport}',
            f'input.queue:={"every" if options.lossless else "newest"}',
        ),
    )
