# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the cache, made from `CacheConfig`'s fields, and back."""

from __future__ import annotations

from collections.abc import Mapping

from xstreamvggt_ros.cache import BUDGETS, CacheConfig, SETTINGS
from xstreamvggt_ros.cache.setting import Setting
from xstreamvggt_ros.parameters.spec import ParameterSpec, Value

PREFIX = 'cache.'
# Of parameters that stand for a field which may be None, and of budgets.
NOT_GIVEN, UNBOUNDED = 0, -1
NO_BUDGET = 'none'
SHIPPED = CacheConfig.recommended()
# The node keeps to its budget always.
FIELDS = tuple(name for name in SETTINGS if name != 'strict_budget')


def cache_parameters() -> tuple[ParameterSpec, ...]:
    """Describe a parameter for each field, with the defaults of what is recommended."""
    (default,) = SHIPPED.budget
    budget = ParameterSpec(
        f'{PREFIX}budget',
        '',
        f'{NO_BUDGET}: remember every image, in memory that grows. Empty: as one of the next '
        f'three says; {PREFIX}{default} as it ships gives way to another, and holds where none is '
        'given.',
        live=False,
        choices=('', NO_BUDGET),
    )
    return budget, *(_parameter(name, SETTINGS[name]) for name in FIELDS)


def cache_values(config: CacheConfig) -> dict[str, Value]:
    """Give every parameter of the cache the value that stands for a configuration."""
    values = {f'{PREFIX}budget': '' if config.bounded else NO_BUDGET}
    for name in FIELDS:
        value = getattr(config, name)
        values[PREFIX + name] = NOT_GIVEN if value is None else _whole(value)
    return values


def read_cache(values: Mapping[str, Value]) -> CacheConfig:
    """
    Build the configuration from the parameters' values, by full name.

    Raises ValueError naming the parameters, their values and what to use instead.
    """
    given = {name: values[PREFIX + name] for name in FIELDS if name not in BUDGETS}
    for name, value in given.items():
        if SETTINGS[name].optional and value == NOT_GIVEN:
            given[name] = None
    try:
        return CacheConfig(**given, **_budget(values))
    except ValueError as error:
        raise ValueError(f'cache parameters: {error}') from error


def _parameter(name: str, said: Setting) -> ParameterSpec:
    value, text = getattr(SHIPPED, name), said.description
    choices, minimum = said.choices, said.minimum
    if name in BUDGETS:
        minimum, text = UNBOUNDED, f'{text} {NOT_GIVEN}: not given. {UNBOUNDED}: no bound.'
    elif said.optional:
        choices, text = (NOT_GIVEN, *choices), f'{text} {NOT_GIVEN}: they do not.'
    return ParameterSpec(
        PREFIX + name,
        NOT_GIVEN if value is None else value,
        text,
        live=False,
        choices=choices,
        minimum=minimum,
        maximum=said.maximum,
    )


def _budget(values: Mapping[str, Value]) -> dict[str, Value]:
    """Choose the budget: the one that is given beside the shipped one, else that."""
    given = {name: values[PREFIX + name] for name in ('budget', *BUDGETS)}
    given = {name: value for name, value in given.items() if value}
    chosen = {name: value for name, value in given.items() if SHIPPED.budget.get(name) != value}
    if len(chosen) > 1:
        listed = ', '.join(f'{PREFIX}{name} is {value}' for name, value in chosen.items())
        raise ValueError(
            f'{listed}: set at most one budget; where a parameters file gives one already, set '
            f'{PREFIX}{next(iter(chosen))} to {NOT_GIVEN} as well'
        )
    unbounded = NO_BUDGET in chosen.values() or UNBOUNDED in chosen.values()
    return {} if unbounded else chosen or SHIPPED.budget


def _whole(value: Value) -> Value:
    """Write MiB as the parameter takes them, in whole ones; it says so of others."""
    return int(value) if isinstance(value, float) and value == int(value) else value
