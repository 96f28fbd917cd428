# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the user's budget to slots: plain integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

from xstreamvggt_ros.cache.cache_config import CacheConfig
from xstreamvggt_ros.cache.layout import FrameLayout

MIB = 2**20


class BudgetTooSmall(ValueError):
    """A budget that cannot hold what is always kept; the message names the least that would do."""


@dataclass(frozen=True)
class SlotPlan:
    """
    How many tokens a layer holds between steps, and which are always among them.

    budget: what the user allowed, None for no bound. capacity: the most slots, None for no end.
    protected: tokens of the first frame, from the first on, that are never evicted. (The newest
    frame never is either, until the next one comes.) grows: slots are allocated as they are
    needed, not all at once.
    """

    budget: int | None
    capacity: int | None
    protected: int
    grows: bool = False


def plan_slots(
    config: CacheConfig, frame: FrameLayout, cache_bytes: Callable[[int], int]
) -> SlotPlan:
    """
    Resolve the budget of config for frames of that layout.

    `cache_bytes` says how many bytes the whole cache takes with a given number of slots in each
    layer; it must not decrease. A strict budget of B tokens keeps the first frame whole if two
    frames fit in it, else its special tokens only. The published pruning keeps two whole frames
    whatever the budget says.

    Raises BudgetTooSmall where not even the newest frame and the first one's special tokens fit.
    """
    if not config.bounded:
        return SlotPlan(None, None, frame.tokens, grows=True)
    if not config.strict_budget:
        budget = _tokens(config, frame)
        return SlotPlan(budget, max(budget, 2 * frame.tokens), frame.tokens)
    least = frame.tokens + frame.special_tokens
    if config.budget_mib is not None:
        budget = _tokens_within(config.budget_mib, least, cache_bytes)
    else:
        budget = _tokens(config, frame)
        _refuse_below(least, budget, config, frame)
    protected = frame.tokens if 2 * frame.tokens <= budget else frame.special_tokens
    return SlotPlan(budget, budget, protected)


def _tokens(config: CacheConfig, frame: FrameLayout) -> int:
    if config.budget_frames is not None:
        return config.budget_frames * frame.tokens
    return config.budget_tokens


def _refuse_below(least: int, budget: int, config: CacheConfig, frame: FrameLayout) -> None:
    if budget >= least:
        return
    given = (
        f'budget_frames {config.budget_frames}'
        if config.budget_frames is not None
        else f'budget_tokens {config.budget_tokens}'
    )
    raise BudgetTooSmall(
        f'{given} is too small: a frame of this size has {frame.tokens} tokens, and beside the '
        f"newest frame the first one's {frame.special_tokens} special tokens are always kept; "
        f'use at least budget_tokens {least}, budget_frames 2, or smaller images'
    )


def _tokens_within(mib: float, least: int, cache_bytes: Callable[[int], int]) -> int:
    """Return the most slots whose cache takes at most mib MiB."""
    allowed = int(mib * MIB)
    if cache_bytes(least) > allowed:
        raise BudgetTooSmall(
            f'budget_mib {mib:g} is too small: frames of this size need at least {least} tokens a '
            f'layer, which take {_named_mib(cache_bytes(least))} MiB; use that, fewer bits, a '
            'smaller camera_budget_frames, or smaller images'
        )
    low, high = least, 2 * least
    while cache_bytes(high) <= allowed:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cache_bytes(middle) <= allowed else (low, middle)
    return low


def _named_mib(size: int) -> str:
    """Write bytes as MiB, rounded up so that what is named will do."""
    return f'{math.ceil(size / MIB * 1000) / 1000:.3f}'
