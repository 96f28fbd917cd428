# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: parameters in, messages out, around a pipeline that knows no ROS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import logging
import os
import signal
import sys
import threading
import time
import traceback

import rclpy
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.logging import get_logger
import torch

from xstreamvggt_ros.cache import BudgetTooSmall
from xstreamvggt_ros.images.preprocessing import MAX_ASPECT_RATIO
from xstreamvggt_ros.intake.worker import WORKER_THREAD, WorkerBusy
from xstreamvggt_ros.memory.device import free_bytes
from xstreamvggt_ros.memory.heap import give_back
from xstreamvggt_ros.node.command_line import refuse
from xstreamvggt_ros.node.frame_reader import FrameReader
from xstreamvggt_ros.node.library_log import LibraryLog
from xstreamvggt_ros.node.memory import check_live_memory, check_memory
from xstreamvggt_ros.node.names import check_topics
from xstreamvggt_ros.node.outputs import Outputs
from xstreamvggt_ros.node.reconstructor import build_reconstructor
from xstreamvggt_ros.node.scale import Scale
from xstreamvggt_ros.node.session import Session
from xstreamvggt_ros.node.watch import saving
from xstreamvggt_ros.parameters import DeclaredParameters, Parameters
from xstreamvggt_ros.pipeline import ReconstructionPipeline
from xstreamvggt_ros.stream import FrameReconstructor, working_device
from xstreamvggt_ros.transport.shared_memory import roomy_shared_memory

# Seconds that a transition or a service waits for the frame in hand.
PATIENCE = 30.0
# The same for the end of the process: launch kills what takes five seconds longer.
EXIT_PATIENCE = 2.0


class ReconstructionNode(LifecycleNode):
    """
    Turn camera images into clouds, depth and poses, as a managed node.

    `build_reconstructor` makes the network from the parameters, and is the seam through which a
    test puts another in its place; `free_bytes` says what a device has left for it. `patience`
    bounds in seconds how long a transition or a service waits for the frame in hand. `arguments`
    are those of the command line, to say which cannot be meant. Further keywords go to
    LifecycleNode.
    """

    def __init__(
        self,
        name: str = 'reconstruction',
        *,
        build_reconstructor: Callable[[Parameters], FrameReconstructor] = build_reconstructor,
        free_bytes: Callable[[torch.device], int] = free_bytes,
        patience: float = PATIENCE,
        arguments: Sequence[str] = (),
        **options,
    ) -> None:
        """Declare the parameters, nothing else."""
        super().__init__(name, **options)
        self._library_log = LibraryLog(self)
        self._build_reconstructor = build_reconstructor
        self._free_bytes = free_bytes
        self._patience = patience
        self._declared = DeclaredParameters(self, self._on_parameters, arguments, self._judge)
        self._configuration: Parameters | None = None
        self._pipeline: ReconstructionPipeline | None = None
        self._reader: FrameReader | None = None
        self._scale: Scale | None = None
        self._outputs: Outputs | None = None
        self._session: Session | None = None

    def bring_up(self) -> None:
        """Configure and activate, as whoever manages the node would; failures are logged."""
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() is not TransitionCallbackReturn.SUCCESS:
                self.get_logger().error(
                    'autostart has failed; mend what is said above, then configure and activate '
                    'the node, or start it anew'
                )
                return

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and warm up the network; what is wrong is logged with the fix."""
        if not self._attempt('configure', self._configure):
            self._release(0.0)
            return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to take images."""
        # Without this the lifecycle publishers drop everything, silently.
        result = super().on_activate(state)
        if not self._attempt('activate', self._begin_session):
            super().on_deactivate(state)
            return TransitionCallbackReturn.FAILURE
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Cease to take images; weights and stream stay."""
        if not self._attempt('deactivate', lambda: self._end_session(self._patience)):
            return TransitionCallbackReturn.ERROR
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give everything back."""
        if not self._attempt('clean up', lambda: self._release(self._patience)):
            return TransitionCallbackReturn.ERROR
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give everything back, from whatever state."""
        self._attempt('shut down', lambda: self._release(self._patience))
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give everything back, so that the node can be configured again."""
        self._attempt('recover', lambda: self._release(self._patience))
        return super().on_error(state)

    def get_logger(self) -> RcutilsLogger:
        """Give the node's logger, or after a signal one that does not try to reach /rosout."""
        return super().get_logger() if self.context.ok() else get_logger(f'{self.get_name()}.end')

    def destroy_node(self, patience: float | None = None) -> None:
        """Give everything back, whatever the state, waiting `patience` seconds for a frame."""
        patience = self._patience if patience is None else patience
        self._attempt('end', lambda: self._release(patience))
        self._library_log.close()
        super().destroy_node()

    def _attempt(self, what: str, action: Callable[[], object]) -> bool:
        """Do a transition's work; rclpy would swallow its exception without a word."""
        try:
            action()
        except (ValueError, OSError, WorkerBusy) as error:
            # Their messages are written for the user.
            self.get_logger().error(f'cannot {what}: {error}')
            self.get_logger().debug(traceback.format_exc())
            return False
        except Exception:
            self.get_logger().error(f'cannot {what}:\n{traceback.format_exc()}')
            return False
        return True

    def _configure(self) -> None:
        began = time.monotonic()
        parameters = self._declared.read()
        self._declared.locked = True
        self._configuration = parameters
        check_topics(self, parameters.input)
        said = (*self._declared.warnings(), *parameters.notices(), *parameters.warnings())
        for warning in said:
            self.get_logger().warning(warning)
        check_memory(parameters, self._free_bytes, self.get_logger())
        self._pipeline = ReconstructionPipeline(
            self._build_reconstructor(parameters),
            parameters.pipeline,
            saving(lambda: self._configuration.watch, self.get_logger()),
            working_device(parameters.model.device),
        )
        try:
            self._pipeline.warm_up()
        except BudgetTooSmall as error:
            self._warm_up_narrow(error)
        logger = self.get_logger()
        self._reader = FrameReader(
            self._pipeline, lambda: self._configuration, logger.warning, logger.info
        )
        self._scale = Scale(lambda: self._configuration, self._pipeline, self.get_logger())
        self._outputs = Outputs(self, lambda: self._configuration.output, parameters.input.names)
        self.get_logger().info(
            f'{parameters.model.preset} is ready after {time.monotonic() - began:.1f} s'
        )

    def _warm_up_narrow(self, error: BudgetTooSmall) -> None:
        """Try the image of fewest tokens: a camera's may have fewer than the usual 4:3."""
        try:
            self._pipeline.warm_up(aspect=MAX_ASPECT_RATIO)
        except BudgetTooSmall:
            # What would do for that one would still not do for the camera's.
            raise error from None
        self.get_logger().warning(f'if the images are 4:3, none will be taken: {error}')

    def _begin_session(self) -> None:
        self._session = Session(
            self,
            lambda: self._configuration,
            self._pipeline,
            self._reader,
            self._scale,
            self._outputs,
            self._patience,
        )
        self._declared.listening = True
        for warning in self._declared.qos_warnings():
            self.get_logger().warning(warning)

    def _end_session(self, patience: float) -> None:
        session, self._session = self._session, None
        self._declared.listening = False
        if session is not None:
            session.stop(patience)
            give_back()

    def _release(self, patience: float) -> None:
        """Let go of everything, even where the worker does not come to an end."""
        try:
            self._end_session(patience)
        finally:
            if self._outputs is not None:
                self._outputs.destroy()
            if self._reader is not None:
                self._reader.close()
            self._outputs = self._reader = self._pipeline = None
            self._scale = self._configuration = None
            self._declared.locked = False
            give_back()
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()

    def _judge(self, new: Parameters) -> None:
        check_live_memory(self._configuration, new, self._free_bytes)

    def _on_parameters(self, new: Parameters) -> None:
        old, self._configuration = self._configuration, new
        self._pipeline.config = new.pipeline
        for notice in set(new.notices()) - set(old.notices()):
            self.get_logger().warning(notice)
        if self._session is not None:
            self._attempt('follow the parameters', lambda: self._session.apply(old, new))


def main(args: Sequence[str], autostart: bool) -> None:
    """Run the node until it is told to end; SIGINT and SIGTERM are the way to."""
    # What one frame gives is more than Fast DDS's shared memory holds by default.
    with roomy_shared_memory():
        _run(args, autostart)
    if any(thread.name == WORKER_THREAD for thread in threading.enumerate()):
        # It is deep inside the network, where the end of the interpreter would abort it.
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _run(args: Sequence[str], autostart: bool) -> None:
    try:
        rclpy.init(args=args)
    except RuntimeError as error:
        refuse(error)
    node = None
    try:
        try:
            node = ReconstructionNode(arguments=args)
        except InvalidParameterTypeException as error:
            # Those of rclpy's own parameters, such as use_sim_time; the others are told of later.
            refuse(ValueError(f'{error}; give it a value of that type'))
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        if autostart:
            executor.create_task(node.bring_up)
        else:
            node.get_logger().info('unconfigured; waiting for configure')
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        # A signal ends the context at any moment, also between rclpy's question whether it lives
        # and its use: whatever call comes next fails then, each in its own words.
        if rclpy.ok():
            raise
    finally:
        # One signal is enough; a second would cut the end short.
        _ignore_signals()
        if node is not None:
            node.destroy_node(EXIT_PATIENCE)
        rclpy.try_shutdown()
        # rclpy has put back the handlers from before.
        _ignore_signals()


def _ignore_signals() -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
