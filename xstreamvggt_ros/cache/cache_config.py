# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stream may remember, and how: the user's choices."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xstreamvggt_ros.cache.policies import POLICIES
from xstreamvggt_ros.cache.setting import setting, settings_of

BITS = (2, 4, 8, 16)
SCHEMES = ('auto', 'channel_static', 'kcvt')
CAMERA_CACHES = ('shared', 'per_iteration')
DEFAULT_SCHEME = 'channel_static'
# At most one of them is given.
BUDGETS = ('budget_tokens', 'budget_frames', 'budget_mib')


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

    What is said of a field here is all that is said of it: the node's parameters and evaluation's
    options are made from it, their defaults from `recommended`.

    Raises ValueError naming the field, its value and what it may be.
    """

    budget_tokens: int | None = setting(
        None, 'Tokens to remember per layer.', int, minimum=1, maximum=10_000_000
    )
    budget_frames: int | None = setting(
        None, 'Frames to remember, whatever their size.', int, minimum=1, maximum=100_000
    )
    budget_mib: float | None = setting(
        None, 'MiB that the memory may take.', float, minimum=1, maximum=1_000_000
    )
    bits: int = setting(16, 'Bits per remembered number; 16: not quantised.', choices=BITS)
    value_bits: int | None = setting(
        None, 'Bits per number of the values, where they differ.', int, choices=BITS
    )
    scheme: str = setting('auto', 'How keys are quantised.', choices=SCHEMES)
    policy: str = setting(
        'query_key', 'Which tokens are kept when the budget is full.', choices=tuple(POLICIES)
    )
    pool_size: int = setting(
        16, 'Patch queries pooled into one when tokens are scored.', minimum=1, maximum=4096
    )
    strict_budget: bool = setting(
        True,
        'Keep to the budget; not: prune as published, where two whole frames may exceed it.',
    )
    camera_budget_frames: int = setting(
        64, 'Frames that the camera head remembers.', minimum=2, maximum=100_000
    )
    camera_cache: str = setting(
        'shared',
        "The camera head's memory: one for all refinement iterations, or one each.",
        choices=CAMERA_CACHES,
    )
    seed: int = setting(0, 'Seed of the policies that draw.', minimum=0, maximum=2**31 - 1)

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name, said in SETTINGS.items():
            if name != 'budget_mib':
                said.check(name, getattr(self, name))
        self._check_budget()

    @classmethod
    def recommended(cls) -> CacheConfig:
        """
        Return the settings that the package ships with.

        Policy, bits and budget are what the tables of trained weights in docs/fidelity.md favour:
        12 frames are the quarter of 48 images at which no figure's median loses 3 %; at half of
        them single figures may lose 10 %, and twice as many gain 2 % for twice the attention. The
        camera head's memory is as in training.
        """
        return cls(
            budget_frames=12, bits=4, policy='attention_coverage', camera_cache='per_iteration'
        )

    @classmethod
    def published(cls) -> CacheConfig:
        """Return the method as XStreamVGGT describes it (arXiv 2601.01204)."""
        return cls(budget_tokens=2048, bits=4, scheme='kcvt', strict_budget=False)

    def with_budget(self, **budget: float | None) -> CacheConfig:
        """Return the same with this budget in the place of its own; none: without bound."""
        return replace(self, **{**dict.fromkeys(BUDGETS), **budget})

    @property
    def bounded(self) -> bool:
        """Whether any budget is set."""
        return bool(self.budget)

    @property
    def budget(self) -> dict[str, float]:
        """The budget that is set, by its field's name; empty for none."""
        values = {name: getattr(self, name) for name in BUDGETS}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def key_scheme(self) -> str:
        """The scheme of the keys, 'auto' resolved."""
        return DEFAULT_SCHEME if self.scheme == 'auto' else self.scheme

    @property
    def stored_value_bits(self) -> int:
        """Bits of a stored number of the values."""
        return self.bits if self.value_bits is None else self.value_bits

    def _check_budget(self) -> None:
        given = self.budget
        if len(given) > 1:
            listed = ', '.join(f'{name}={value}' for name, value in given.items())
            raise ValueError(f'{listed}: set at most one budget')
        if self.budget_mib is not None:
            said = SETTINGS['budget_mib']
            said.check_kind('budget_mib', self.budget_mib)
            # A part of one is much for a small network.
            if not 0 < self.budget_mib <= said.maximum:
                raise ValueError(
                    f'budget_mib is {self.budget_mib}; use more than 0, up to {said.maximum}'
                )
        if not self.strict_budget and self.budget_mib is not None:
            raise ValueError(
                'budget_mib bounds bytes, which strict_budget=False cannot; use budget_tokens'
            )


# What is said of each field, by name.
SETTINGS = settings_of(CacheConfig)
