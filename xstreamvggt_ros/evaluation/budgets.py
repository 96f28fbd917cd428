# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run may remember, written as one word: 'none', '2048', '8f', '64MiB' or '25%'."""

from __future__ import annotations

from dataclasses import dataclass
import re

FORMS = "'none', tokens a layer ('2048'), frames ('8f'), '64MiB', or a share ('25%')"
FIELDS = {'': 'budget_tokens', 'f': 'budget_frames', 'MiB': 'budget_mib'}
PATTERN = re.compile(r'(\d+(?:\.\d+)?)(|f|MiB|%)')


@dataclass(frozen=True)
class Budget:
    """An amount in one of the units '', 'f', 'MiB' and '%'; None is no bound."""

    amount: float | None = None
    unit: str = ''

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read a budget; ValueError says what it may be."""
        if text == 'none':
            return cls()
        match = PATTERN.fullmatch(text)
        if not match or not float(match[1]) > 0:
            raise ValueError(f'budget is {text!r}; use {FORMS}')
        amount, unit = float(match[1]), match[2]
        if unit in ('', 'f') and amount != int(amount):
            raise ValueError(f'budget is {text!r}; use a whole number')
        return cls(amount, unit)

    @property
    def bounded(self) -> bool:
        """Whether there is a bound."""
        return self.amount is not None

    def fields(self, frames: int, frame_tokens: int) -> dict[str, float]:
        """
        Give the field of `CacheConfig` that this budget sets.

        A share is of what a cache without bound holds in a layer after all the sequence's
        `frames`, each of `frame_tokens`.
        """
        if self.amount is None:
            return {}
        if self.unit == '%':
            return {'budget_tokens': max(1, round(self.amount / 100 * frames * frame_tokens))}
        whole = self.unit != 'MiB'
        return {FIELDS[self.unit]: int(self.amount) if whole else self.amount}
