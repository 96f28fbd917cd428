# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network made ready beside the executor, which a disk without answer would hold up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import wait
from functools import partial
import time

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode

from xstreamvggt_ros.files.answering import in_thread
from xstreamvggt_ros.node.waiting import kept_within
from xstreamvggt_ros.parameters import ModelParameters
from xstreamvggt_ros.pipeline import ReconstructionPipeline
from xstreamvggt_ros.stream import FrameReconstructor

LOADING_THREAD = 'loading'


class Loading:
    """
    Build a network and warm it up in a thread of its own.

    `build` makes the network of `model`'s weights, and `warm` a pipeline of that.
    """

    def __init__(
        self,
        model: ModelParameters,
        build: Callable[[], FrameReconstructor],
        warm: Callable[[FrameReconstructor], ReconstructionPipeline],
    ) -> None:
        """Begin."""
        self._model = model
        self._began = time.monotonic()
        self._abandoned = False
        self._promise = in_thread(partial(self._make, build, warm), LOADING_THREAD)

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return time.monotonic() - self._began

    async def settle(self, node: LifecycleNode) -> None:
        """Wait until there is a result, or no more time for one; the executor goes on."""
        await kept_within(node, self._promise, self._model.load_timeout)

    def result(self) -> ReconstructionPipeline:
        """
        Wait for the pipeline as long as model.load_timeout leaves, without an executor.

        TimeoutError names the weights that did not come; what making them raises passes through.
        """
        wait([self._promise], max(0.0, self._model.load_timeout - self.seconds))
        if not self._promise.done():
            self.abandon()
            raise TimeoutError(
                f'checkpoint {self._model.named!r} is not ready after '
                f'{self._model.load_timeout:g} s; see '
                'whether the disk or the mount that it is on still answers (findmnt -T names it), '
                'or raise model.load_timeout where it is only slow to come'
            )
        return self._promise.result()

    def abandon(self) -> None:
        """Let whoever waits go; what still comes is dropped."""
        self._abandoned = True
        self._promise.cancel()

    def _make(
        self,
        build: Callable[[], FrameReconstructor],
        warm: Callable[[FrameReconstructor], ReconstructionPipeline],
    ) -> ReconstructionPipeline | None:
        network = build()
        # Another may have the device by now.
        return None if self._abandoned else warm(network)


def load_before_configure(
    node: LifecycleNode, unconfigured: Callable[[], bool], load: Callable[[], Awaitable[bool]]
) -> None:
    """
    Have `configure`, where it comes as a service call, begin when `load` has come to an end.

    Until then the executor goes on and the node is unconfigured. Where `load` says False, the
    transition is refused.
    """
    (service,) = [each for each in node.services if each.srv_type is ChangeState]
    change = service.callback

    async def answer(
        request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        if _is_configure(request.transition) and unconfigured() and not await load():
            response.success = False
            return response
        return change(request, response)

    service.callback = answer
    # One that waits must not hold up the others, as it would in the node's own group.
    service.callback_group = ReentrantCallbackGroup()
    service.callback_group.add_entity(service)


def _is_configure(transition: Transition) -> bool:
    if transition.label:
        return transition.label == 'configure'
    return transition.id == Transition.TRANSITION_CONFIGURE
