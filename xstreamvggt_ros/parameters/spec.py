# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is declared of one parameter."""

from __future__ import annotations

from dataclasses import dataclass

Value = bool | int | float | str | list[str]


@dataclass(frozen=True)
class ParameterSpec:
    """
    Describe one parameter.

    Its type is the default's. `choices` or the bounds limit it, `step` counts from `minimum`;
    one that is not `live` may be set only while the node is unconfigured.
    """

    name: str
    default: Value
    description: str
    live: bool = True
    choices: tuple[str | int, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    step: int = 0

    def check(self, value: Value) -> None:
        """Raise ValueError, naming the value and what would do, unless `value` is allowed."""
        if self.choices and value not in self.choices:
            known = ', '.join(str(choice) for choice in self.choices)
            raise ValueError(f'{self.name} is {value!r}; use one of: {known}')
        if self.minimum is None:
            return
        # A comparison with NaN is false, so NaN is refused here too.
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f'{self.name} is {value}; use {self.minimum:g} to {self.maximum:g}')
        if self.step and (value - self.minimum) % self.step:
            raise ValueError(f'{self.name} is {value}; use a multiple of {self.step}')
