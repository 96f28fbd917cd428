# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One run's settings, and the name by which a finished run is known again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch

from xstreamvggt_ros.cache import BUDGETS, CacheConfig, SETTINGS
from xstreamvggt_ros.evaluation.budgets import budget_fields, budget_word, NONE, SHARE
from xstreamvggt_ros.files.hashing import file_sha256
from xstreamvggt_ros.guard import ON_FAILURE
from xstreamvggt_ros.images.patches import PATCH_SIZE
from xstreamvggt_ros.model import bundled_checkpoint, ModelConfig
from xstreamvggt_ros.stream.loading import choose_device, choose_dtype, RANDOM

# Of what a record holds; another one makes runs anew.
SCHEMA = 3
MODES = ('exact', 'live')
QUEUES = ('every', 'newest')


@dataclass(frozen=True)
class RunConfig:
    """
    Choose network, cache and replay.

    preset to attention, image_size (0: the preset's): the node's `model.*`. cache: as it ships
    unless given. budget_share: a budget in per cent of what an unbounded cache would hold at the
    sequence's end, in the place of the cache's. camera_info: undistort and take the true
    intrinsics where a frame has a camera. point_source, keyframe_threshold (None: every
    frame is remembered), on_failure: as the node's. stride, max_frames (0: all): take every
    stride-th frame, at most so many. mode: 'exact', or 'live' through the node; queue and rate
    (seconds of the sequence a second) are for the latter alone. depth_mib: what depth maps may
    take in a record before compression.
    Raises ValueError naming the field, its value and what it may be.
    """

    preset: str = 'tiny'
    checkpoint: str = ''
    revision: str = ''
    device: str = 'auto'
    dtype: str = 'auto'
    attention: str = 'auto'
    image_size: int = 0
    cache: CacheConfig = field(default_factory=CacheConfig.recommended)
    budget_share: float | None = None
    camera_info: bool = True
    point_source: str = 'depth'
    keyframe_threshold: float | None = None
    on_failure: str = 'warn'
    stride: int = 1
    max_frames: int = 0
    mode: str = 'exact'
    queue: str = 'newest'
    rate: float = 1.0
    depth_mib: float = 256.0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.image_size % PATCH_SIZE or self.image_size < 0:
            raise ValueError(f'image_size is {self.image_size}; use a multiple of {PATCH_SIZE}')
        for name, known in (('mode', MODES), ('queue', QUEUES), ('on_failure', ON_FAILURE)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f'{name} is {getattr(self, name)!r}; use one of: {", ".join(known)}'
                )
        if self.stride < 1 or self.max_frames < 0:
            raise ValueError(
                f'stride is {self.stride} and max_frames {self.max_frames}; use a stride of 1 or '
                'more and max_frames of 0 (all) or more'
            )
        for name in ('rate', 'depth_mib'):
            if not 0 < getattr(self, name) < float('inf'):
                raise ValueError(f'{name} is {getattr(self, name)}; use a number above 0')
        if self.budget_share is not None and self.cache.bounded:
            raise ValueError(f'budget is {self.budget_share:g}% and {self.budget}; give one')
        if self.mode == 'live' and not self.cache.strict_budget:
            raise ValueError(
                'strict_budget is False; the node knows strict budgets only: use exact'
            )

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> RunConfig:
        """Read what `settings` gives; ValueError and TypeError for what it cannot have given."""
        return cls().varied(**settings)

    def varied(self, **settings: Any) -> RunConfig:
        """
        Return the same with other settings, by name: its own fields, the cache's, and 'budget'.

        Raises ValueError as this class and `CacheConfig` have it, TypeError for another name.
        """
        if 'budget' in settings:
            settings |= budget_fields(settings.pop('budget'))
        cache = {name: settings.pop(name) for name in SETTINGS if name in settings}
        return replace(self, cache=replace(self.cache, **cache), **settings)

    def settings(self) -> dict[str, Any]:
        """Give every setting by name, the cache's among them and its budget as a word."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        del own['cache'], own[SHARE]
        cache = {name: getattr(self.cache, name) for name in SETTINGS if name not in BUDGETS}
        return {**own, 'budget': self.budget, **cache}

    @property
    def budget(self) -> str:
        """The budget as a word, see `budgets`."""
        share = {} if self.budget_share is None else {SHARE: self.budget_share}
        return budget_word(share or self.cache.budget)

    @property
    def random_weights(self) -> bool:
        """Whether the network runs without trained weights."""
        return self.checkpoint == RANDOM

    @property
    def network_size(self) -> int:
        """The long side in pixels that images are brought to."""
        return self.image_size or ModelConfig.preset(self.preset).image_size

    @property
    def is_reference(self) -> bool:
        """Whether nothing is forgotten and nothing rounded: what all others are compared with."""
        return self.budget == NONE and self.stored_bits == (16, 16)

    @property
    def stored_bits(self) -> tuple[int, int]:
        """Bits of a stored number of keys and of values."""
        return self.cache.bits, self.cache.stored_value_bits

    def as_reference(self) -> RunConfig:
        """Return what this is compared with: nothing forgotten, nothing rounded."""
        return self.varied(budget=NONE, bits=16, value_bits=None)

    def cache_config(self, frames: int, frame_tokens: int) -> CacheConfig:
        """Resolve a share for a sequence of so many frames, each of so many tokens."""
        if self.budget_share is None:
            return self.cache
        share = self.budget_share / 100 * frames * frame_tokens
        return self.cache.with_budget(budget_tokens=max(1, round(share)))

    def resolved(self) -> RunConfig:
        """Put what they are on this machine in the place of 'auto' device and dtype."""
        device, dtype = self.device, self.dtype
        if device == 'auto':
            device = choose_device(device).type
        if dtype == 'auto':
            kind = torch.device('cuda' if device.startswith('cuda') else 'cpu')
            dtype = str(choose_dtype(dtype, kind)).removeprefix('torch.')
        return replace(self, device=device, dtype=dtype)

    def canonical(self) -> RunConfig:
        """Set what has no effect to its default, so that equal runs are equal."""
        default, cache = RunConfig(), self.cache
        changes: dict[str, object] = {'image_size': self.network_size}
        if self.budget == NONE:
            ineffective = ('policy', 'pool_size', 'strict_budget', 'camera_budget_frames')
            changes |= {name: getattr(default.cache, name) for name in ineffective}
        if cache.bits == 16:
            changes['scheme'] = default.cache.scheme
        if cache.value_bits == cache.bits:
            changes['value_bits'] = None
        if changes.get('policy', cache.policy) != 'random':
            changes['seed'] = default.cache.seed
        if self.mode == 'exact':
            changes |= {'queue': default.queue, 'rate': default.rate}
        return self.varied(**changes)

    def label(self) -> str:
        """Say in short what tells this run from others of the same network and sequence."""
        keys, values = self.stored_bits
        parts = [
            'unbounded' if self.budget == NONE else self.budget,
            f'{keys} bit' if keys == values else f'{keys}/{values} bit',
        ]
        if keys != 16:
            parts.append(self.cache.key_scheme)
        if self.budget != NONE:
            strict = '' if self.cache.strict_budget else ' (not strict)'
            parts.append(f'{self.cache.policy}{strict}')
        parts.append(f'{self.network_size} px')
        if self.keyframe_threshold is not None:
            parts.append(f'keyframes {self.keyframe_threshold:g}')
        if self.mode == 'live':
            parts.append(f'live {self.queue} ×{self.rate:g}')
        return ', '.join(parts)

    def key(self, sequence_fingerprint: str, weights: str) -> str:
        """
        Hash what a run is of: settings (`resolved` ones), input and weights.

        What it gives is decided by the code, too, see `code_version`.
        """
        settings = self.canonical().settings()
        del settings['checkpoint'], settings['revision']
        text = json.dumps([SCHEMA, settings, weights, sequence_fingerprint], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def weights_fingerprint(config: RunConfig) -> str:
    """Say which weights: the SHA-256 of a file, or the repository and revision."""
    if config.random_weights:
        return f'random {config.preset}'
    # As loading does it: what the path is, a home's among them, not what it is written like.
    path = Path(os.path.expanduser(config.checkpoint or bundled_checkpoint(config.preset)))
    if not path.is_file():
        return f'{config.checkpoint}@{config.revision}'
    return file_sha256(path)
