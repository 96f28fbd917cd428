# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What may be said of one field of a configuration, beside it: what it is for, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

_KEY = 'setting'


@dataclass(frozen=True)
class Setting:
    """
    Describe one field.

    default: the field's; None means that it may be left out. choices, or minimum and maximum,
    limit its values.
    """

    default: Any
    description: str
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
        if self.choices:
            if value not in self.choices:
                known = ', '.join(map(str, self.choices))
                raise ValueError(f'{name} is {value!r}; use one of: {known}')
        elif self.minimum is not None and not self.minimum <= value <= self.maximum:
            raise ValueError(
                f'{name} is {value}; use {self.minimum} or more, up to {self.maximum}'
            )


def setting(default: Any, description: str, **limits: Any) -> Any:
    """Make a field of a dataclass that knows what it is for."""
    return field(default=default, metadata={_KEY: Setting(default, description, **limits)})


def settings_of(kind: type) -> dict[str, Setting]:
    """Give what is said of each field of a dataclass, by name, in their order."""
    return {each.name: each.metadata[_KEY] for each in fields(kind) if _KEY in each.metadata}
