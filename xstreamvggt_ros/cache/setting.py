# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What may be said of one field of a configuration, beside it: what it is for, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any

_KEY = 'setting'
# What is taken for a number of a kind, and how it is asked for.
_NUMBERS = {int: (Integral, 'a whole number'), float: (Real, 'a number')}


@dataclass(frozen=True)
class Setting:
    """
    Describe one field.

    default: the field's; None means that it may be left out. kind: the type of its values, which
    choices, or minimum and maximum, limit.
    """

    default: Any
    description: str
    kind: type
    choices: tuple[Any, ...] = ()
    minimum: int | None = None
    maximum: int | None = None

    @property
    def optional(self) -> bool:
        """Whether None stands for not given."""
        return self.default is None

    def check(self, name: str, value: Any) -> None:
        """Raise ValueError naming the field, its value and what it may be."""
        if value is None and self.optional:
            return
        self.check_kind(name, value)
        if self.choices:
            if value not in self.choices:
                known = ', '.join(map(str, self.choices))
                raise ValueError(f'{name} is {value!r}; use one of: {known}')
        elif self.minimum is not None and not self.minimum <= value <= self.maximum:
            raise ValueError(
                f'{name} is {value}; use {self.minimum} or more, up to {self.maximum}'
            )

    def check_kind(self, name: str, value: Any) -> None:
        """Raise ValueError naming the field and its value unless it is of the type."""
        accepted, words = _NUMBERS.get(self.kind, (self.kind, f'a {self.kind.__name__}'))
        # To Python True is a number, and 1.
        if not isinstance(value, accepted) or isinstance(value, bool) != (self.kind is bool):
            raise ValueError(f'{name} is {value!r}; use {words}')


def setting(default: Any, description: str, kind: type | None = None, **limits: Any) -> Any:
    """Make a field of a dataclass that knows what it is for; `kind` where there is no default."""
    said = Setting(default, description, kind or type(default), **limits)
    return field(default=default, metadata={_KEY: said})


def settings_of(kind: type) -> dict[str, Setting]:
    """Give what is said of each field of a dataclass, by name, in their order."""
    return {each.name: each.metadata[_KEY] for each in fields(kind) if _KEY in each.metadata}
