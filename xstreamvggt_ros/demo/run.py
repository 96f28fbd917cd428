# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One run: the node as a process, player and recorder in this one, from start to stop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
import sys
import time

from xstreamvggt_ros.files.bags import BagWriter
from xstreamvggt_ros.inputs.frames import FrameSource, InputError
from xstreamvggt_ros.rig.frame_player import Player, PlayerError
from xstreamvggt_ros.rig.lifecycle import Lifecycle, NodeError
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.pacing import Pacer
from xstreamvggt_ros.rig.processes import Child
from xstreamvggt_ros.rig.recorder import Recorder

NODE_NAME = 'reconstruction'
NODE_PROGRAM = 'from xstreamvggt_ros.node import main; raise SystemExit(main())'
PARAMETERS_OF_INTEREST = ('model.preset', 'output.world_axes')
ACTIVATE_TIMEOUT_S = 30.0
# Diagnostics come once a second; the one after this long counts every image that was sent.
DIAGNOSTICS_SETTLE_S = 1.5


@dataclass(frozen=True)
class RunOptions:
    """
    Say how to play.

    `max_frames` 0 is all; `rate_hz` is the most images a second. `lossless` waits for the node,
    with `window` images on their way at most; otherwise the node takes the newest. `patience_s`
    bounds every wait for the network. `overrides` are parameters as name:=value, which go before
    those in the file `parameters`.
    """

    max_frames: int = 0
    rate_hz: float = 30.0
    lossless: bool = True
    window: int = 1
    patience_s: float = 120.0
    parameters: Path | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """
    Hold what happened.

    `published_ns` and `completed_ns` are monotonic times by the image's stamp: of the image being
    sent, and of the last of its outputs being received. `diagnostics` are the node's own figures
    and `parameters` some of what it ran with. `distorted` images were undistorted, which leaves
    pixels that nothing is known of. `problem` says why the images could not all be played; it is
    empty for a good run.
    """

    published_ns: dict[int, int]
    completed_ns: dict[int, int]
    diagnostics: dict[str, str]
    parameters: dict[str, str]
    distorted: bool
    problem: str
    seconds: float


def run(
    source: FrameSource,
    options: RunOptions,
    bag_path: Path,
    node_log: Path,
    progress: Callable[[int, int], None] = lambda sent, answered: None,
) -> Run:
    """
    Play the source into a node and record its outputs in `bag_path`.

    `progress` is told, several times a second, how many images were sent and answered. Raises
    NodeError where the node does not start, refuses a transition or dies; `node_log` has its log.
    """
    with ExitStack() as stack:
        link = stack.enter_context(Link('xstreamvggt_demo'))
        pacer = Pacer()
        bag = stack.enter_context(BagWriter(bag_path))
        # Before the lifecycle's client: that the node answers it implies that the node knows
        # these subscriptions too, so that no first output is lost.
        recorder = Recorder(link, NODE_NAME, bag, pacer)
        player = Player(link, source)
        node = stack.enter_context(Child(_node_command(source, options), node_log))

        def watch() -> None:
            progress(len(player.published_ns), len(recorder.completed_ns))
            if node.exit_code is not None:
                raise NodeError(f'the node ended by itself, with exit code {node.exit_code}')

        link.watch = watch
        lifecycle = Lifecycle(link, NODE_NAME)
        lifecycle.refuse_unknown(_name(each) for each in options.overrides)
        lifecycle.change('configure', options.patience_s)
        lifecycle.change('activate', ACTIVATE_TIMEOUT_S)
        parameters = lifecycle.text_parameters(*PARAMETERS_OF_INTEREST)
        started = time.monotonic()
        problem = _play(player, pacer, options)
        _await_outputs(link, player, recorder, options.patience_s)
        seconds = time.monotonic() - started
        lifecycle.change('deactivate', options.patience_s)
        # The last figures, map and path are sent with the transition and after.
        link.spin_for(DIAGNOSTICS_SETTLE_S)
        recorder.finish()
        link.watch = lambda: None
        return Run(
            player.published_ns,
            recorder.completed_ns,
            recorder.diagnostics,
            parameters,
            player.distorted,
            problem,
            seconds,
        )


def _play(player: Player, pacer: Pacer, options: RunOptions) -> str:
    """Play everything; what is in the way is returned as a sentence, for the rest is worth it."""
    try:
        player.play(
            pacer,
            options.window if options.lossless else 0,
            options.max_frames,
            options.rate_hz,
            options.patience_s,
        )
    except (PlayerError, InputError) as error:
        return str(error)
    return ''


def _await_outputs(link: Link, player: Player, recorder: Recorder, patience_s: float) -> None:
    """Wait until every image is answered, or the node says that it will answer no more."""
    counted_all_at = time.monotonic() + DIAGNOSTICS_SETTLE_S

    def settled() -> bool:
        if player.published_ns.keys() <= recorder.completed_ns.keys():
            return True
        if recorder.diagnostics_at < counted_all_at:
            return False
        return recorder.settled >= int(recorder.diagnostics['frames_in'])

    link.spin_until(settled, patience_s)


def _name(override: str) -> str:
    """Give the parameter's name out of name:=value, or node:name:=value."""
    return override.partition(':=')[0].rpartition(':')[2].strip()


def _node_command(source: FrameSource, options: RunOptions) -> list[str]:
    command = [sys.executable, '-c', NODE_PROGRAM, '--ros-args', '--disable-external-lib-logs']
    if options.parameters:
        command += ['--params-file', str(options.parameters)]
    for parameter in (
        *options.overrides,
        f'input.image_topics:=[{source.topic}]',
        f'input.image_transport:={source.transport}',
        f'input.queue:={"every" if options.lossless else "newest"}',
    ):
        command += ['-p', parameter]
    return command
