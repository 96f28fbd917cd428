# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's side of its parameters: declare, guard, read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from xstreamvggt_ros.parameters.command_line import mistyped
from xstreamvggt_ros.parameters.groups import Parameters, read_parameters
from xstreamvggt_ros.parameters.odd_types import answer_odd_types
from xstreamvggt_ros.parameters.quality import (
    overrides,
    PREFIX,
    PUBLISHER,
    read_policy,
    SUBSCRIPTION,
)
from xstreamvggt_ros.parameters.spec import ParameterSpec, Value
from xstreamvggt_ros.parameters.table import PARAMETERS

OFF, ON = 'off', 'on'


class DeclaredParameters:
    """
    Declare every parameter of the table on a node and guard its changes.

    While `locked`, those that are not live refuse any value but their own, and `changed` is told
    the new configuration after a live one was; `judge` may refuse it before, by a ValueError.
    While `listening`, overrides of the subscriptions' quality of service refuse as well. A
    start-up value of a wrong type or out of range does not end the process as rclpy would have
    it: it is kept as a problem that `read` reports until the
    parameter is set anew. So are values of a wrong type among the command line's `arguments`,
    which a parameters file would hide. A whole number will do for any other.
    """

    def __init__(
        self,
        node: Node,
        changed: Callable[[Parameters], None],
        arguments: Sequence[str] = (),
        judge: Callable[[Parameters], None] = lambda parameters: None,
    ) -> None:
        """Declare on `node`, unlocked."""
        self.locked = self.loading = False
        self.listening = False
        self._node = node
        self._changed = changed
        self._judge = judge
        self._problems = mistyped(arguments, node.get_name(), PARAMETERS)
        # rclpy has no other way to see what was given but never declared.
        self._overrides: dict[str, Parameter] = getattr(node, '_parameter_overrides', {})
        for spec in PARAMETERS.values():
            self._declare(spec)
        answer_odd_types(node)
        node.add_pre_set_parameters_callback(self._before_set)
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._after_set)

    def read(self) -> Parameters:
        """Build the configuration; ValueError names the parameter, its value and the fix."""
        if self._problems:
            raise ValueError('; '.join(self._problems.values()))
        return read_parameters(self._values())

    def warnings(self) -> list[str]:
        """Name the values that were given to parameters that do not exist."""
        unknown = [
            name
            for name in self._overrides
            # Those of the quality of service are declared with their topic.
            if not (self._node.has_parameter(name) or name.startswith(PREFIX))
        ]
        return [_unknown(name) for name in unknown]

    def qos_warnings(self) -> list[str]:
        """Name the overrides of a quality of service that no topic has declared, once all have."""
        declared = [PREFIX + name for name in self._node.get_parameters_by_prefix(PREFIX[:-1])]
        unread = self._overrides.keys() - declared
        return [_unread(name, declared) for name in sorted(unread) if name.startswith(PREFIX)]

    def _declare(self, spec: ParameterSpec) -> None:
        descriptor, value, converted = _descriptor(spec), spec.default, False
        override = self._overrides.get(spec.name)
        if override is not None:
            meant = _meant(spec.name, override.value)
            converted = meant is not override.value
            value = meant if converted else value
        try:
            self._node.declare_parameter(spec.name, value, descriptor, ignore_override=converted)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            self._problems.setdefault(
                spec.name,
                f'{spec.name} was started with a value that it cannot have: {error}; '
                f'set it like {spec.default!r}',
            )
            self._node.declare_parameter(spec.name, spec.default, descriptor, ignore_override=True)

    def _values(self) -> dict[str, Value]:
        return {name: self._value(spec) for name, spec in PARAMETERS.items()}

    def _value(self, spec: ParameterSpec) -> Value:
        try:
            return self._node.get_parameter(spec.name).value
        except ParameterUninitializedException:
            # An empty list on the command line or in YAML has no type, and so no value.
            raise ValueError(f'{spec.name} has no value; set it like {spec.default!r}') from None

    def _before_set(self, parameters: list[Parameter]) -> list[Parameter]:
        """Take values as they are meant; names that rclpy would refuse without naming them."""
        unknown = [each.name for each in parameters if not self._node.has_parameter(each.name)]
        if unknown:
            raise ParameterNotDeclaredException(unknown)
        return _as_meant(parameters)

    def _check(self, parameters: list[Parameter]) -> SetParametersResult:
        """Judge a change before it is made; rclpy has already judged types and ranges."""
        ours = {p.name: p.value for p in parameters if p.name in PARAMETERS}
        try:
            for each in parameters:
                self._refuse_locked(each)
                # One that is only declared is refused by whoever reads it, and can then be mended.
                if overrides(each.name) and self._node.has_parameter(each.name):
                    read_policy(each.name, each.value)
            for name, value in ours.items():
                PARAMETERS[name].check(value)
            if self.locked:
                new = read_parameters({**self._values(), **ours})
                if ours:
                    self._judge(new)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _refuse_locked(self, new: Parameter) -> None:
        """Refuse a change that would not be followed; the same value once more is none."""
        spec, name = PARAMETERS.get(new.name), new.name
        # One that has no value yet differs from any.
        old = self._node.get_parameter_or(name)
        # Nor is a declaration.
        if not self._node.has_parameter(name) or old.value == new.value:
            return
        fixed = overrides(name) == PUBLISHER if spec is None else not spec.live
        if self.locked and fixed and self.loading:
            # ROS has no state between unconfigured and inactive that could tell.
            raise ValueError(
                f'{name} cannot be set while the weights are being loaded; wait for configure to '
                'come to its end, then clean the node up and set it'
            )
        if self.locked and fixed:
            raise ValueError(
                f'{name} may be set only while the node is unconfigured; '
                'deactivate it and clean it up first'
            )
        if self.listening and overrides(name) == SUBSCRIPTION:
            raise ValueError(f'{name} may be set only while the node is not active; deactivate it')

    def _after_set(self, parameters: list[Parameter]) -> None:
        names = {parameter.name for parameter in parameters}
        for name in names:
            self._problems.pop(name, None)
        if self.locked and names & PARAMETERS.keys():
            self._changed(read_parameters(self._values()))


def _unknown(name: str) -> str:
    near = get_close_matches(name, PARAMETERS, n=1)
    hint = f'did you mean {near[0]}?' if near else 'docs/reference.md lists those there are'
    return f'there is no parameter {name}, and its value is ignored: {hint}'


def _unread(name: str, declared: Sequence[str]) -> str:
    near = get_close_matches(name, declared, n=1)
    hint = (
        f'did you mean {near[0]}?'
        if near
        else 'give the full name of a topic of this node and one of its policies'
    )
    return f'nothing reads {name}, and its value is ignored: {hint}'


def _as_meant(parameters: list[Parameter]) -> list[Parameter]:
    """Replace the values that YAML gives another type than was meant."""
    meant = [(each, _meant(each.name, each.value)) for each in parameters]
    return [
        each if value is each.value else Parameter(each.name, value=value) for each, value in meant
    ]


def _meant(name: str, value: object) -> object:
    """Take a whole number for any number, and words without quotes that YAML reads otherwise."""
    spec = PARAMETERS.get(name)
    if spec is None:
        return value
    if isinstance(spec.default, float) and type(value) is int:
        return float(value)
    if type(value) is int and str(value) in spec.choices:
        return str(value)
    word = {False: OFF, True: ON}[value] if isinstance(value, bool) else None
    return word if word in spec.choices else value


def _descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    """Describe without read_only, which rclpy enforces in every state, unconfigured too."""
    descriptor = ParameterDescriptor(description=spec.description)
    constraints = [] if spec.live else ['may be set only while the node is unconfigured']
    if spec.choices:
        constraints.append(f'one of: {", ".join(str(choice) for choice in spec.choices)}')
    descriptor.additional_constraints = '; '.join(constraints)
    if spec.minimum is not None and isinstance(spec.default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=spec.minimum, to_value=spec.maximum)
        ]
    elif spec.minimum is not None:
        descriptor.integer_range = [
            IntegerRange(from_value=spec.minimum, to_value=spec.maximum, step=spec.step)
        ]
    return descriptor
