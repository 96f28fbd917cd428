# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stream may remember, and how: the user's choices."""

from __future__ import annotations

from dataclasses import dataclass
import math

from xstreamvggt_ros.cache.policies import POLICIES

BITS = (2, 4, 8, 16)
SCHEMES = ('auto', 'channel_static', 'kcvt')
CAMERA_CACHES = ('shared', 'per_iteration')
DEFAULT_SCHEME = 'channel_static'


@dataclass(frozen=True)
class CacheConfig:
    """
    Choose the budget, the storage and the eviction policy of a stream's cache.

    budget_tokens: tokens per global block. budget_frames: the same in whole frames.
    budget_mib: MiB that everything the cache holds may take. At most one of the three; with none
    the cache grows with every frame, as StreamVGGT's does.
    bits, value_bits: bits of a stored number of the keys, and of the values where they differ;
    16 means not quantised, in the model's own precision.
    scheme: how keys are quantised, see xstreamvggt_ros.cache.codecs. policy: which tokens are
    kept, see xstreamvggt_ros.cache.policies. pool_size: patches per probe query of a policy.
    strict_budget: False is the published pruning, which may exceed the budget (always two whole
    frames) and prunes the camera head's lists by the same rule.
    camera_budget_frames: frames that the camera head remembers under a strict budget.
    camera_cache: one list for all of the camera head's iterations ('shared', as published) or
    one for each ('per_iteration', as in training). seed: of the policy 'random'.

    Raises ValueError naming the field, its value and what it may be.
    """

    budget_tokens: int | None = None
    budget_frames: int | None = None
    budget_mib: float | None = None
    bits: int = 16
    value_bits: int | None = None
    scheme: str = 'auto'
    policy: str = 'query_key'
    pool_size: int = 16
    strict_budget: bool = True
    camera_budget_frames: int = 64
    camera_cache: str = 'shared'
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        self._check_budget()
        _check_choice('bits', self.bits, BITS)
        if self.value_bits is not None:
            _check_choice('value_bits', self.value_bits, BITS)
        _check_choice('scheme', self.scheme, SCHEMES)
        _check_choice('policy', self.policy, tuple(POLICIES))
        _check_choice('camera_cache', self.camera_cache, CAMERA_CACHES)
        if self.pool_size < 1:
            raise ValueError(f'pool_size is {self.pool_size}; use 1 or more')
        if not 0 <= self.seed < 2**31:
            raise ValueError(f'seed is {self.seed}; use 0 to {2**31 - 1}')
        if self.camera_budget_frames < 2:
            raise ValueError(
                f'camera_budget_frames is {self.camera_budget_frames}; use 2 or more (the first '
                'frame and the newest)'
            )

    @classmethod
    def recommended(cls) -> CacheConfig:
        """
        Return the settings that the package ships with.

        Policy and bits are what the tables of trained weights in docs/fidelity.md favour, the
        camera head's memory is as in training, the budget the paper's.
        """
        return cls(
            budget_tokens=2048,
            bits=4,
            policy='attention_value',
            camera_cache='per_iteration',
        )

    @property
    def bounded(self) -> bool:
        """Whether any budget is set."""
        return any(value is not None for value in self._budgets().values())

    @property
    def key_scheme(self) -> str:
        """The scheme of the keys, 'auto' resolved."""
        return DEFAULT_SCHEME if self.scheme == 'auto' else self.scheme

    @property
    def stored_value_bits(self) -> int:
        """Bits of a stored number of the values."""
        return self.bits if self.value_bits is None else self.value_bits

    def _budgets(self) -> dict[str, float | None]:
        return {
            'budget_tokens': self.budget_tokens,
            'budget_frames': self.budget_frames,
            'budget_mib': self.budget_mib,
        }

    def _check_budget(self) -> None:
        given = {name: value for name, value in self._budgets().items() if value is not None}
        if len(given) > 1:
            listed = ', '.join(f'{name}={value}' for name, value in given.items())
            raise ValueError(f'{listed}: set at most one budget')
        for name, value in given.items():
            if not 0 < value < math.inf:
                raise ValueError(f'{name} is {value}; use more than 0, or None for no budget')
            if name != 'budget_mib' and value != int(value):
                raise ValueError(f'{name} is {value}; use a whole number')
        if not self.strict_budget and self.budget_mib is not None:
            raise ValueError(
                'budget_mib bounds bytes, which strict_budget=False cannot; use budget_tokens'
            )


def _check_choice(name: str, value: object, choices: tuple) -> None:
    if value not in choices:
        raise ValueError(f'{name} is {value!r}; use one of: {", ".join(map(str, choices))}')
