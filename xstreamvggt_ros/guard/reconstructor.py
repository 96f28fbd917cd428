# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Go on after a stream has failed: begin anew, or chain a new stream to the world of the old."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from xstreamvggt_ros.cache import CacheStats
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.guard.alignment import align, Alignment, IntoWorld
from xstreamvggt_ros.guard.report import GuardReport
from xstreamvggt_ros.guard.verdict import ImageFigures, Look, Verdict
from xstreamvggt_ros.guard.watch import Watch
from xstreamvggt_ros.stream import Frame, FrameReconstructor

ON_FAILURE = ('warn', 'reset', 'reanchor')
# Frames that passed the watch and are kept to be replayed.
HELD = 4
# So many bad images in a row, or frames without confidence, are a failure; fewer are left out of
# the cache and bridged by the stream that there is.
PATIENCE = 3
# So many good frames after bad ones before a new stream is chained.
RECOVERED = 2
STATE_KEY = 'guard.similarity'


@dataclass(frozen=True, eq=False)
class _Held:
    """A frame that passed the watch: the network's input and what came of it, in the world."""

    image: Tensor
    frame: Frame


@dataclass(frozen=True, eq=False)
class Begun:
    """
    A frame that the network works on, and has not been judged.

    keep: whether it was to be remembered. kept: whether it was. frame: in the world.
    """

    image: Tensor
    keep: bool
    kept: bool
    watch: Watch
    look: Look
    frame: Frame


class GuardedReconstructor:
    """
    Stand between a pipeline and its network, itself a FrameReconstructor, and mend the stream.

    Images that the watch calls blank or blurred are attended with keep=False. What else is done
    is `on_failure`: 'warn', nothing; 'reset', a new stream with a world of its own; 'reanchor', a
    new stream that replays the last held frames and is mapped into the old one's world by the
    Sim(3) of those frames in both. Frames returned are in that world: depth, points and
    camera_from_world; pose_encoding stays the network's. A jump, and confidence that stays away,
    are answered at once; a run of bad images once good ones are back. An answered failure is
    followed by at least HELD frames without another.

    `report` tells what became of the last frame. With several cameras in the one stream, `step`
    is told which, and each is watched apart. `abandoned` is called with the reconstructor before
    a failed stream is dropped, so that its state can be saved; it must not raise.
    """

    def __init__(
        self,
        reconstructor: FrameReconstructor,
        watch: Watch,
        on_failure: str = 'warn',
        abandoned: Callable[[FrameReconstructor], None] | None = None,
    ) -> None:
        """Take the network, of which this becomes the only user; ValueError: on_failure."""
        if on_failure not in ON_FAILURE:
            raise ValueError(f'on_failure is {on_failure!r}; use one of: {", ".join(ON_FAILURE)}')
        self.reconstructor = reconstructor
        self.on_failure = on_failure
        self.report: GuardReport | None = None
        self._config = watch.config
        self._watches = {0: watch}
        self._abandoned = abandoned
        self._held: deque[_Held] = deque(maxlen=HELD)
        self._world = self._segment = 0
        # What was done about a failure in a frame that then raised: the next one tells of it.
        self._untold: tuple[str, Alignment | None] | None = None
        self._begin()

    @property
    def place(self) -> tuple[int, int]:
        """The world and the segment of the stream that there is, as reports number them."""
        return self._world, self._segment

    @property
    def point_head(self) -> bool:
        """Whether the network computes points of its own."""
        return self.reconstructor.point_head

    @point_head.setter
    def point_head(self, wanted: bool) -> None:
        self.reconstructor.point_head = wanted

    def step(self, image: Tensor, keep: bool = True, camera: int = 0) -> Frame:
        """
        Reconstruct the next image of a camera, in the world of the first good frame.

        Images are held, not copied: give each in memory of its own. Frames with keep=False are
        watched but never held.
        """
        return self.finish(self.begin(image, keep, camera))

    def begin(
        self,
        image: Tensor,
        keep: bool = True,
        camera: int = 0,
        figures: ImageFigures | None = None,
    ) -> Begun:
        """
        Have the network begin with an image; a device then works while the host does other things.

        `figures` are the image's where they are known already. `finish` has to follow before
        anything else is asked.
        """
        watch = self._watches.setdefault(camera, Watch(self._config))
        look = watch.look(image) if figures is None else watch.weigh(figures)
        kept = keep and self._remembers(look)
        frame = self._in_world(self.reconstructor.step(image, kept))
        return Begun(image, keep, kept, watch, look, frame)

    def finish(self, begun: Begun) -> Frame:
        """Judge what `begin` began and mend the stream; as `step` returns."""
        image, keep, kept, watch = begun.image, begun.keep, begun.kept, begun.watch
        frame, verdict = begun.frame, watch.judge(begun.look, begun.frame)
        if keep and verdict.ok:
            self._held.append(_Held(image, frame))
        action = 'none' if kept or not keep else 'not_kept'
        alignment = None
        self._calm += 1
        if self._must_act(verdict):
            frame, verdict, action, alignment = self._act(image, keep, watch, verdict)
        elif self._untold is not None and action == 'none':
            action, alignment = self._untold
        if action not in ('none', 'not_kept'):
            self._untold = None
        watch.remember(verdict)
        self.report = GuardReport(verdict, action, self._world, self._segment, alignment)
        return frame

    def give_up(self) -> None:
        """Drop a stream that the caller cannot use, shown before as a failed one; as `reset`."""
        if self._abandoned is not None:
            self._abandoned(self.reconstructor)
        self.reset()

    def reset(self) -> None:
        """Begin a new stream, and forget what the watch knows."""
        self.reconstructor.reset()
        for watch in self._watches.values():
            watch.reset()
        self._begin()

    def cache_stats(self) -> CacheStats:
        """Say what the stream holds."""
        return self.reconstructor.cache_stats()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the stream's state with the map from its world to the caller's."""
        similarity = self._into_world.similarity if self._into_world else Similarity()
        return {**self.reconstructor.state_dict(), STATE_KEY: similarity.state()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """
        Resume a stream saved with or without a guard; held frames are not part of it.

        Raises ValueError as the reconstructor does; the present stream then goes on.
        """
        saved = state.get(STATE_KEY)
        into_world = None if saved is None else IntoWorld(Similarity.from_state(saved))
        self.reconstructor.load_state_dict(
            {name: value for name, value in state.items() if name != STATE_KEY}
        )
        for watch in self._watches.values():
            watch.reset()
        self._begin()
        self._into_world = into_world

    def _begin(self) -> None:
        """Forget whatever belongs to the stream before."""
        # None is the identity, and leaves the network's numbers as they are to the bit.
        self._into_world: IntoWorld | None = None
        self._held.clear()
        self._untold = None
        self._calm = HELD
        self._settle()
        self._segment = 0

    def _settle(self) -> None:
        self._bad = self._good = 0
        self._failing = False

    def _remembers(self, look: Look) -> bool:
        """Whether an image that looks so is remembered: to warn is to change nothing."""
        return look.ok or self.on_failure == 'warn'

    def _try(self, image: Tensor, keep: bool, watch: Watch, look: Look) -> tuple[Frame, Verdict]:
        frame = self._in_world(self.reconstructor.step(image, keep))
        return frame, watch.judge(look, frame)

    def _in_world(self, frame: Frame) -> Frame:
        return self._into_world(frame) if self._into_world else frame

    def _must_act(self, verdict: Verdict) -> bool:
        """Count good and bad frames; whether the stream is to be given up with this one."""
        if self.on_failure == 'warn':
            # It may be changed while running, and what was before is then none of its business.
            self._settle()
            return False
        if verdict.ok:
            self._good += 1
            self._bad = 0
            enough = 1 if self.on_failure == 'reset' else RECOVERED
            return self._failing and self._good >= enough
        self._good = 0
        self._bad += 1
        self._failing = self._failing or self._bad >= PATIENCE
        # Waiting for good frames helps where the images are bad, not where the stream is.
        lost = verdict.jumped or self._bad >= PATIENCE
        return lost and verdict.look.ok and self._calm >= HELD

    def _act(
        self, image: Tensor, keep: bool, watch: Watch, verdict: Verdict
    ) -> tuple[Frame, Verdict, str, Alignment | None]:
        """Give the stream up; the present frame, judged in the one that follows it."""
        if self._abandoned is not None:
            self._abandoned(self.reconstructor)
        self._settle()
        held = keep and verdict.ok
        alignment = self._chain() if self.on_failure == 'reanchor' else None
        self._calm = 0
        if alignment is None:
            action = 'lost' if self.on_failure == 'reanchor' else 'reset'
            self._begin_world(action)
            frame, verdict = self._try(image, keep and verdict.look.ok, watch, verdict.look)
            if keep and verdict.ok:
                self._held.append(_Held(image, frame))
            return frame, verdict, action, None
        if held:
            frame = self._held[-1].frame
            return frame, watch.judge(verdict.look, frame), 'reanchored', alignment
        # Not remembered before it has passed.
        frame, verdict = self._try(image, False, watch, verdict.look)
        if keep and verdict.ok:
            frame, verdict = self._try(image, True, watch, verdict.look)
            self._held.append(_Held(image, frame))
        return frame, verdict, 'reanchored', alignment

    def _chain(self) -> Alignment | None:
        """Begin a stream with the held frames and map it into the world, None where it cannot."""
        held = list(self._held)
        if len(held) < 2:
            return None
        try:
            self.reconstructor.reset()
            replayed = [self.reconstructor.step(each.image, True) for each in held]
        except Exception:
            # Half a stream would be taken for the old one.
            self._begin_world('lost')
            raise
        alignment = align(replayed, [each.frame for each in held])
        if alignment is None:
            return None
        self._into_world = IntoWorld(alignment.similarity)
        self._held.clear()
        for each, frame in zip(held, replayed, strict=True):
            self._held.append(_Held(each.image, self._in_world(frame)))
        self._segment += 1
        self._untold = 'reanchored', alignment
        return alignment

    def _begin_world(self, action: str) -> None:
        """Begin a stream whose first frame is a world; `action` is what reports call that."""
        for each in self._watches.values():
            each.forget_world()
        self._begin()
        self._calm = 0
        self._world += 1
        self._untold = action, None
        self.reconstructor.reset()
