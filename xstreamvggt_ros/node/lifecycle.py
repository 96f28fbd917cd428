# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: parameters in, messages out, around a pipeline that knows no ROS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
import traceback

from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.logging import get_logger
import torch

from xstreamvggt_ros.cache import BudgetTooSmall
from xstreamvggt_ros.files.heap import give_back
from xstreamvggt_ros.images.preprocessing import MAX_ASPECT_RATIO
from xstreamvggt_ros.intake.worker import WorkerBusy
from xstreamvggt_ros.memory.device import free_bytes
from xstreamvggt_ros.node.frame_reader import FrameReader
from xstreamvggt_ros.node.library_log import LibraryLog
from xstreamvggt_ros.node.loading import load_before_configure, Loading
from xstreamvggt_ros.node.memory import check_live_memory, check_memory
from xstreamvggt_ros.node.names import check_topics
from xstreamvggt_ros.node.outputs import Outputs
from xstreamvggt_ros.node.reconstructor import build_reconstructor
from xstreamvggt_ros.node.scale import Scale
from xstreamvggt_ros.node.session import Session
from xstreamvggt_ros.node.watch import saving
from xstreamvggt_ros.parameters import DeclaredParameters, Parameters
from xstreamvggt_ros.pipeline import FrameError, ReconstructionPipeline
from xstreamvggt_ros.stream import FrameReconstructor, working_device

# Seconds that a transition or a service waits for the frame in hand.
PATIENCE = 30.0


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
        self._build_reconstructor = build_reconstructor
        self._free_bytes = free_bytes
        self._patience = patience
        self._configuration: Parameters | None = None
        self._loading: Loading | None = None
        self._problem: Exception | None = None
        self._pipeline: ReconstructionPipeline | None = None
        self._reader: FrameReader | None = None
        self._scale: Scale | None = None
        self._outputs: Outputs | None = None
        self._session: Session | None = None
        try:
            self._declared = DeclaredParameters(self, self._on_parameters, arguments, self._judge)
            load_before_configure(self, self._is_unconfigured, self._load)
        except Exception:
            # Nobody else has it.
            super().destroy_node()
            raise
        self._library_log = LibraryLog(self)

    async def bring_up(self) -> None:
        """Configure and activate, as whoever manages the node would; failures are logged."""
        if not await self._load():
            return
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

    def _is_unconfigured(self) -> bool:
        # rclpy has no other way to ask.
        return self._state_machine.current_state[1] == 'unconfigured'

    async def _load(self) -> bool:
        """Make the network ready while the executor goes on; False where that is done already."""
        if self._loading is not None:
            self.get_logger().error('the node is being configured already; wait for that')
            return False
        try:
            self._begin_loading()
        except Exception as error:
            # It is said where the transition fails.
            self._problem = error
        else:
            await self._loading.settle(self)
        return True

    def _begin_loading(self) -> None:
        parameters = self._declared.read()
        self._declared.locked = self._declared.loading = True
        self._configuration = parameters
        check_topics(self, parameters.input)
        said = (*self._declared.warnings(), *parameters.notices(), *parameters.warnings())
        for warning in said:
            self.get_logger().warning(warning)
        check_memory(parameters, self._free_bytes, self.get_logger())
        self._loading = Loading(
            parameters.model,
            partial(self._build_reconstructor, parameters),
            partial(self._made_ready, parameters),
        )

    def _made_ready(
        self, parameters: Parameters, network: FrameReconstructor
    ) -> ReconstructionPipeline:
        """Put the pipeline around the network, which is not slow at its first image then."""
        logger = self.get_logger()
        pipeline = ReconstructionPipeline(
            network,
            parameters.pipeline,
            saving(lambda: self._configuration.watch, logger),
            working_device(parameters.model.device),
        )
        try:
            _warm_up(pipeline, logger)
        except FrameError as error:
            raise ValueError(
                f'checkpoint {parameters.model.named!r}: {error}; take another checkpoint, or '
                f'another model.dtype than {parameters.model.dtype}'
            ) from error
        return pipeline

    def _configure(self) -> None:
        problem, self._problem = self._problem, None
        if problem is not None:
            raise problem
        if self._loading is None:
            self._begin_loading()
        loading = self._loading
        self._pipeline = loading.result()
        self._loading = None
        self._declared.loading = False
        parameters, logger = self._configuration, self.get_logger()
        # Set meanwhile, perhaps.
        self._pipeline.config = parameters.pipeline
        self._reader = FrameReader(
            self._pipeline, lambda: self._configuration, logger.warning, logger.info
        )
        self._scale = Scale(lambda: self._configuration, self._pipeline, logger)
        self._outputs = Outputs(self, lambda: self._configuration.output, parameters.input.names)
        logger.info(f'{parameters.model.preset} is ready after {loading.seconds:.1f} s')

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
            if self._loading is not None:
                self._loading.abandon()
            if self._outputs is not None:
                self._outputs.destroy()
            if self._reader is not None:
                self._reader.close()
            if self._scale is not None:
                self._scale.close()
            self._outputs = self._reader = self._pipeline = self._loading = None
            self._scale = self._configuration = None
            self._declared.locked = self._declared.loading = False
            give_back()
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()

    def _judge(self, new: Parameters) -> None:
        check_live_memory(self._configuration, new, self._free_bytes)

    def _on_parameters(self, new: Parameters) -> None:
        old, self._configuration = self._configuration, new
        if self._pipeline is not None:
            self._pipeline.config = new.pipeline
        for notice in set(new.notices()) - set(old.notices()):
            self.get_logger().warning(notice)
        if self._session is not None:
            self._attempt('follow the parameters', lambda: self._session.apply(old, new))


def _warm_up(pipeline: ReconstructionPipeline, logger: RcutilsLogger) -> None:
    try:
        pipeline.warm_up()
    except BudgetTooSmall as error:
        try:
            # A camera's images may have fewer tokens than the usual 4:3.
            pipeline.warm_up(aspect=MAX_ASPECT_RATIO)
        except BudgetTooSmall:
            # What would do for the narrowest would still not do for the camera's.
            raise error from None
        logger.warning(f'if the images are 4:3, none will be taken: {error}')
