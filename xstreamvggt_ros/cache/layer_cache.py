# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The slots of one attention layer."""

from __future__ import annotations

from collections.abc import Mapping
import math

import torch
from torch import Tensor

from xstreamvggt_ros.cache.budget import SlotPlan
from xstreamvggt_ros.cache.codecs import Codec
from xstreamvggt_ros.cache.layout import FrameLayout
from xstreamvggt_ros.cache.policies import EvictionContext, MEAN_KEY, Policy, VALUE_SIZE
from xstreamvggt_ros.cache.rows import check_finite, check_names, entry, part, Rows, RowSpec
from xstreamvggt_ros.cache.slots import choose_slots, HeldTokens
from xstreamvggt_ros.ops.dispatch import fused

_EMPTY = -1
_SLOT_SPECS = {'frame': RowSpec((), torch.int32, fill=_EMPTY), 'grid': RowSpec((), torch.int32)}
# A cache that grows starts with room for this many frames and grows by half.
_FIRST_FRAMES = 4


class LayerCache:
    """
    Keys and values of the tokens that one layer remembers.

    There is no temporal position in the network, so slots have no order: a new frame's tokens
    overwrite those of the evicted ones in place, nothing is moved and, under a budget, nothing is
    allocated after construction. Slots below `held` are live.
    """

    def __init__(
        self,
        plan: SlotPlan,
        frame: FrameLayout,
        keys: Codec,
        values: Codec,
        policy: Policy,
        state_specs: dict[str, RowSpec],
        device: torch.device,
        layer: int = 0,
        layers: int = 1,
    ) -> None:
        """Allocate the slots of plan for frames of that layout."""
        if not 0 <= layer < layers:
            raise ValueError(f'layer {layer} is none of {layers}; say how many there are')
        self.plan = plan
        self.frame = frame
        self.keys = keys
        self.values = values
        self.policy = policy
        self.layer = layer
        self.layers = layers
        self.held = 0
        self.arrivals = 0
        self.evictions = 0
        slots = self._bound
        if plan.grows:
            slots = min(slots, _FIRST_FRAMES * frame.tokens)
        keys.allocate(slots, device)
        values.allocate(slots, device)
        self.slots = Rows(_SLOT_SPECS, slots, device)
        self.state = Rows(state_specs, slots, device)

    @property
    def capacity(self) -> int:
        """The number of slots that are allocated, live or not."""
        return len(self.slots['frame'])

    @property
    def _bound(self) -> int | float:
        """The most slots that there may be."""
        return math.inf if self.plan.capacity is None else self.plan.capacity

    def read(self, keys_out: Tensor, values_out: Tensor) -> None:
        """Unpack the live slots into keys_out and values_out (T, H, D), T = held."""
        stored = self.keys.stored(), self.values.stored()
        if fused(keys_out) and all(each.packed for each in stored):
            from xstreamvggt_ros.ops.unpack import unpack_both

            unpack_both(stored[0], keys_out, stored[1], values_out)
            return
        self.keys.read(keys_out)
        self.values.read(values_out)

    @property
    def full(self) -> bool:
        """Whether each frame from now on evicts as many as it has, without a wait."""
        return not self.waits and self.held == self.plan.capacity == self.capacity

    @property
    def waits(self) -> bool:
        """Whether a frame has the host wait for the device even where every slot is live."""
        # Whether more are forced than a frame has, the device knows.
        return self.keys.waits or self.values.waits or self.keys.most_forced > self.frame.tokens

    def admit(
        self,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        frame: int,
        clock: Tensor | None = None,
    ) -> None:
        """
        Store a new frame, evicting what the policy values least.

        queries (H, N, D) are the new frame's; keys and values (T + N, H, D) what is held, as
        `read` gives it, and behind it the new frame's. `frame` is its index, higher than any
        before; `clock` the same on the device, where one captured step serves all frames.
        """
        self.arrivals = frame + 1
        held, arriving = self.held, queries.shape[1]
        self._grow(held + arriving)
        newest = frame if clock is None else clock
        context = self._context(queries, keys, values, newest)
        slots = self._make_room(context, arriving)
        if fused(keys) and clock is not None and self._store(slots, context, clock):
            return
        self.keys.write(slots, keys[held:])
        self.values.write(slots, values[held:])
        self.state.write(slots, self.policy.rows(context))
        grid = torch.arange(arriving, device=slots.device)
        self.slots.write(slots, {'frame': torch.zeros_like(grid) + newest, 'grid': grid})

    def _store(self, slots: Tensor, context: EvictionContext, clock: Tensor) -> bool:
        """Store the new frame in slots (N,) by one kernel, False where none can."""
        from xstreamvggt_ros.ops import store

        keys, values = context.keys[context.held :], context.values[context.held :]
        if not (store.fits(keys.shape[-1]) and keys.is_contiguous()):
            return False
        targets = []
        for codec, tokens in ((self.keys, keys), (self.values, values)):
            ready = codec.prepare(tokens)
            if not ready:
                codec.write(slots, tokens)
            targets.append(codec.stored() if ready else None)
        slot, noted = self.slots.tensors, self.state.tensors
        destination = store.Destination(
            *targets, slot['frame'], slot['grid'], noted.get(MEAN_KEY), noted.get(VALUE_SIZE)
        )
        store.store_frame(slots, clock, keys, values, destination)
        return True

    def clear(self) -> None:
        """Hold nothing, in the same memory."""
        self.held = self.arrivals = self.evictions = 0
        for each in (self.keys, self.values, self.slots, self.state):
            each.clear()

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of the tensors and the counters, by name."""
        counters = torch.tensor([self.held, self.arrivals, self.evictions])
        return {name: tensor.clone() for name, tensor in self.tensors().items()} | {
            'counters': counters
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """
        Take over what state_dict returned, from whatever device.

        Raises ValueError where names, shapes, types or numbers cannot be those of this layer.
        """
        self.fit(state)
        held, arrivals, evictions = state['counters'].tolist()
        for prefix, codec in self._codecs.items():
            codec.check(part(state, prefix), held)
        check_finite(state)
        for name, tensor in self.tensors().items():
            tensor.copy_(state[name])
        for codec in self._codecs.values():
            codec.loaded()
        self.held, self.arrivals, self.evictions = held, arrivals, evictions

    def fit(self, state: Mapping[str, Tensor]) -> None:
        """
        Grow to what state_dict returned, as far as it may; on the meta device that costs nothing.

        Raises ValueError where names, shapes, types, slots or counters are not this layer's.
        """
        held, arrivals, evictions = entry(state, 'counters', (3,)).tolist()
        frames = state.get('slot.frame')
        slots = 0 if frames is None else frames.numel()
        if self.plan.grows and self.capacity < slots <= self._bound:
            self._resize(slots)
        for prefix, codec in self._codecs.items():
            codec.make_room(part(state, prefix), arrivals)
        own = self.tensors()
        check_names(state, {*own, 'counters'})
        for name, tensor in own.items():
            entry(state, name, tensor.shape, tensor.dtype)
        self._check_slots(state['slot.frame'], state['slot.grid'], held, arrivals)
        if not 0 <= evictions <= arrivals * self.frame.tokens:
            raise ValueError(f'its {evictions} evictions contradict its {arrivals} frames')

    @property
    def _codecs(self) -> dict[str, Codec]:
        return {'key.': self.keys, 'value.': self.values}

    def _check_slots(self, frames: Tensor, grids: Tensor, held: int, arrivals: int) -> None:
        """Raise ValueError unless just the first slots are live, each with a token of its own."""
        live = frames[: max(held, 0)]
        tokens = live.long() * self.frame.tokens + grids[: len(live)]
        sound = len(live) == held and bool(
            ((live >= 0) & (live < arrivals)).all()
            and (frames[held:] == _EMPTY).all()
            and ((grids >= 0) & (grids < self.frame.tokens)).all()
            and len(tokens.unique()) == held
        )
        if not sound:
            raise ValueError(f'its {held} slots of {arrivals} frames contradict each other')

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor that persists between frames, by name."""
        parts = {
            **{prefix: codec.tensors() for prefix, codec in self._codecs.items()},
            'slot.': self.slots.tensors,
            'state.': self.state.tensors,
        }
        return {
            prefix + name: tensor
            for prefix, tensors in parts.items()
            for name, tensor in tensors.items()
        }

    def _context(
        self, queries: Tensor, keys: Tensor, values: Tensor, newest: int | Tensor
    ) -> EvictionContext:
        held = self.held
        return EvictionContext(
            queries=queries,
            keys=keys,
            values=values,
            state={name: tensor[:held] for name, tensor in self.state.tensors.items()},
            frames=self.slots['frame'][:held],
            grids=self.slots['grid'][:held],
            kept=min(held, self.capacity - queries.shape[1]),
            newest=newest,
            layer=self.layer,
            layers=self.layers,
            frame=self.frame,
        )

    def _make_room(self, context: EvictionContext, arriving: int) -> Tensor:
        """Return the slots (N,) that the new frame goes into, and count them as held."""
        held = HeldTokens(context.frames, context.grids, context.newest, self.plan.protected)
        lacking = context.held - context.kept
        forced = self.keys.forced_evictions(self.held, held)
        if forced is not None and lacking < self.keys.most_forced:
            # Waits for the device, but only until the slots are full.
            lacking = max(lacking, int(forced.sum()))
        scores = self.policy.score(context) if lacking else context.frames
        slots = choose_slots(scores, held, lacking, arriving, forced)
        self.held += arriving - lacking
        self.evictions += lacking
        return slots

    def _grow(self, needed: int) -> None:
        """Allocate what a cache that grows needs for that many tokens, as far as it may."""
        needed = min(needed, self._bound)
        if needed > self.capacity:
            tokens = self.frame.tokens
            ahead = -(-self.capacity * 3 // 2 // tokens) * tokens
            self._resize(min(max(needed, ahead), self._bound))

    def _resize(self, slots: int) -> None:
        for each in (self.keys, self.values, self.slots, self.state):
            each.grow(slots)
