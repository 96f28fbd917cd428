# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights onto a device in a precision; knows nothing of ROS."""

from __future__ import annotations

import torch

from xstreamvggt_ros.model import (
    bundled_checkpoint,
    load_checkpoint,
    load_random_weights,
    ModelConfig,
    StreamVGGT,
)
from xstreamvggt_ros.model.float8 import FLOAT8, float8_obstacle

DTYPES = {
    'float32': torch.float32,
    'bfloat16': torch.bfloat16,
    'int8': torch.int8,
    'float8': FLOAT8,
}
# What `checkpoint` says where no trained weights are meant.
RANDOM = 'random'


def load_network(
    preset: str, checkpoint: str, revision: str, device: str, dtype: str
) -> StreamVGGT:
    """
    Load the weights onto the device in the precision asked for, in evaluation mode, to stay there.

    The arguments are the node's parameters of those names; an empty checkpoint is the bundled
    one of the preset. Raises ValueError for a device that is
    not there, and what `load_checkpoint` raises.
    """
    chosen = choose_device(device)
    if checkpoint == RANDOM:
        model = StreamVGGT(ModelConfig.preset(preset))
        load_random_weights(model)
    else:
        # Without memory of its own, so that the weights are held once, mapped from the file.
        with torch.device('meta'):
            model = StreamVGGT(ModelConfig.preset(preset))
        source = checkpoint or bundled_checkpoint(preset)
        load_checkpoint(model, source, revision=revision or None)
    model.set_precision(choose_dtype(dtype, chosen))
    return model.to(chosen).eval().pack()


def choose_device(name: str) -> torch.device:
    """Turn `model.device` into a device; ValueError where this machine has none such."""
    if name == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ('cpu', 'cuda'):
        raise ValueError(f'model.device is {name!r}; use auto, cpu, cuda or cuda:<i>')
    found = torch.cuda.device_count() if device.type == 'cuda' else 1
    if (device.index or 0) >= found:
        raise ValueError(
            f'model.device is {name!r}, but torch finds {found} CUDA devices; use auto or cpu, or '
            'install a driver and a torch built for CUDA'
        )
    return device


def working_device(name: str) -> torch.device | None:
    """Say where `model.device` has images prepared and results made; None: by the host's means."""
    device = choose_device(name)
    return None if device.type == 'cpu' else device


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """Turn `model.dtype` into the weights' dtype on that device; ValueError: it cannot run."""
    if name == 'auto':
        return torch.bfloat16 if device.type == 'cuda' else torch.float32
    if name == 'int8' and device.type != 'cpu':
        raise ValueError("model.dtype is 'int8', which is for CPUs; use bfloat16 on CUDA")
    obstacle = float8_obstacle(device) if name == 'float8' else None
    if obstacle:
        other = 'bfloat16' if device.type == 'cuda' else 'bfloat16 or int8'
        raise ValueError(f"model.dtype is 'float8', but {obstacle}; use {other}")
    return DTYPES[name]
