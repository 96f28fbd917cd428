# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calls that set parameters to values of types that there are not, for which rclpy raises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.node import Node
from rclpy.parameter import Parameter


def answer_odd_types(node: Node) -> None:
    """Have the node's services refuse such values, and name them; the others are rclpy's."""
    wrappers = {SetParameters: _set_each, SetParametersAtomically: _set_together}
    for service in node.services:
        if service.srv_type in wrappers:
            service.callback = partial(wrappers[service.srv_type], service.callback)


def _set_each(
    usual: Callable, request: SetParameters.Request, response: SetParameters.Response
) -> SetParameters.Response:
    """Set one after the other, as far as they can be."""
    results = []
    for each in request.parameters:
        refused = _refused([each])
        alone = SetParameters.Request(parameters=[each])
        results += [refused] if refused else usual(alone, SetParameters.Response()).results
    response.results = results
    return response


def _set_together(
    usual: Callable,
    request: SetParametersAtomically.Request,
    response: SetParametersAtomically.Response,
) -> SetParametersAtomically.Response:
    """Set all of them or none."""
    refused = _refused(request.parameters)
    if refused is None:
        return usual(request, response)
    response.result = refused
    return response


def _refused(parameters: Sequence[ParameterMessage]) -> SetParametersResult | None:
    """Say what cannot be read; None where everything can."""
    known = [kind.value for kind in Parameter.Type]
    reasons = [
        f'{each.name} was given a value of type {each.value.type}, which ROS does not have; '
        f'use one from {min(known)} to {max(known)}, as rcl_interfaces/msg/ParameterType has them'
        for each in parameters
        if each.value.type not in known
    ]
    return SetParametersResult(successful=False, reason='; '.join(reasons)) if reasons else None
