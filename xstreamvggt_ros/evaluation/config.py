# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One run's settings, and the name by which a finished run is known again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
import hashlib
import json
from pathlib import Path

import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.evaluation.budgets import Budget
from xstreamvggt_ros.evaluation.hashing import file_sha256
from xstreamvggt_ros.guard import ON_FAILURE
from xstreamvggt_ros.model import bundled_checkpoint, ModelConfig
from xstreamvggt_ros.model.config import PATCH_SIZE
from xstreamvggt_ros.stream.loading import choose_device, choose_dtype, RANDOM

# Of what a record holds; another one makes runs anew.
SCHEMA = 1
MODES = ('exact', 'live')
QUEUES = ('every', 'newest')


@dataclass(frozen=True)
class RunConfig:
    """
    Choose network, cache and replay.

    preset to attention, image_size (0: the preset's): the node's `model.*`. budget: a word, see
    `budgets`. bits to camera_cache: the fields of `CacheConfig`. camera_info: undistort and take
    the true intrinsics where a frame has a camera. point_source, keyframe_threshold (None: every
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
    budget: str = 'none'
    bits: int = 16
    value_bits: int | None = None
    scheme: str = 'auto'
    policy: str = 'query_key'
    pool_size: int = 16
    strict_budget: bool = True
    camera_budget_frames: int = 64
    camera_cache: str = 'shared'
    seed: int = 0
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
        if self.mode == 'live' and not self.strict_budget:
            raise ValueError(
                'strict_budget is False; the node knows strict budgets only: use exact'
            )
        self.cache_config(frames=1000, frame_tokens=1000)

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
        return not Budget.parse(self.budget).bounded and self.stored_bits == (16, 16)

    @property
    def stored_bits(self) -> tuple[int, int]:
        """Bits of a stored number of keys and of values."""
        return self.bits, self.value_bits or self.bits

    def cache_config(self, frames: int, frame_tokens: int) -> CacheConfig:
        """Resolve the budget for a sequence; ValueError naming what is wrong."""
        names = {field.name for field in fields(CacheConfig)} & set(asdict(self))
        given = {name: getattr(self, name) for name in names}
        return CacheConfig(**given, **Budget.parse(self.budget).fields(frames, frame_tokens))

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
        default = RunConfig()
        changes: dict[str, object] = {'image_size': self.network_size}
        if not Budget.parse(self.budget).bounded:
            for name in ('policy', 'pool_size', 'strict_budget', 'camera_budget_frames'):
                changes[name] = getattr(default, name)
        if self.bits == 16:
            changes['scheme'] = default.scheme
        if self.value_bits == self.bits:
            changes['value_bits'] = None
        if changes.get('policy', self.policy) != 'random':
            changes['seed'] = default.seed
        if self.mode == 'exact':
            changes |= {'queue': default.queue, 'rate': default.rate}
        return replace(self, **changes)

    def label(self) -> str:
        """Say in short what tells this run from others of the same network and sequence."""
        keys, values = self.stored_bits
        parts = [
            'unbounded' if self.budget == 'none' else self.budget,
            f'{keys} bit' if keys == values else f'{keys}/{values} bit',
        ]
        if keys != 16:
            parts.append(self.cache_config(1000, 1000).key_scheme)
        if self.budget != 'none':
            parts.append(self.policy if self.strict_budget else f'{self.policy} (not strict)')
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
        settings = asdict(self.canonical())
        del settings['checkpoint'], settings['revision']
        text = json.dumps([SCHEMA, settings, weights, sequence_fingerprint], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def weights_fingerprint(config: RunConfig) -> str:
    """Say which weights: the SHA-256 of a file, or the repository and revision."""
    if config.random_weights:
        return f'random {config.preset}'
    path = Path(config.checkpoint or bundled_checkpoint(config.preset))
    if not path.is_file():
        return f'{config.checkpoint}@{config.revision}'
    return file_sha256(path)
