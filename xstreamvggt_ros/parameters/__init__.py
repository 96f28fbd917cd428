# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: one table, frozen configuration read from it, and their guard."""

from xstreamvggt_ros.parameters.declared import DeclaredParameters
from xstreamvggt_ros.parameters.groups import (
    InputParameters,
    KeyframeParameters,
    ModelParameters,
    OutputParameters,
    Parameters,
    read_parameters,
    WatchParameters,
)
from xstreamvggt_ros.parameters.spec import ParameterSpec
from xstreamvggt_ros.parameters.table import PARAMETERS

__all__ = [
    'DeclaredParameters',
    'InputParameters',
    'KeyframeParameters',
    'ModelParameters',
    'OutputParameters',
    'PARAMETERS',
    'ParameterSpec',
    'Parameters',
    'WatchParameters',
    'read_parameters',
]
