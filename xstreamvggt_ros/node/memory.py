# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The memory that the parameters ask for, compared with what there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rclpy.impl.rcutils_logger import RcutilsLogger
import torch

from xstreamvggt_ros.cache import BudgetTooSmall
from xstreamvggt_ros.images.preprocessing import MAX_ASPECT_RATIO
from xstreamvggt_ros.memory.estimate import MIB, named, Settings
from xstreamvggt_ros.memory.preflight import and_map, check_fit, check_map, NotEnoughMemory
from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.stream.loading import choose_device, choose_dtype

SQUARE = 1.0


def check_memory(
    parameters: Parameters, free_bytes: Callable[[torch.device], int], logger: RcutilsLogger
) -> None:
    """
    Say what network, stream and map will take; NotEnoughMemory where there is less.

    model.memory_check may have that said only, or nothing reckoned. The images' shape is not known
    yet: 4:3 is reckoned with. Square ones, the largest that the network is given, are a warning
    where they would not fit. Those that wait in a queue are not counted: they may have any size.
    """
    if parameters.model.memory_check == 'off':
        return
    try:
        _check(parameters, free_bytes, logger)
    except NotEnoughMemory as error:
        if parameters.model.memory_check == 'refuse':
            raise NotEnoughMemory(
                f'{error}; to try all the same, set model.memory_check warn'
            ) from error
        logger.warning(f'{error}; it is tried all the same, since model.memory_check is warn')


def check_live_memory(
    old: Parameters, new: Parameters, free_bytes: Callable[[torch.device], int]
) -> None:
    """Raise NotEnoughMemory where a larger map or queue, set while running, does not fit."""
    if new.model.memory_check != 'refuse':
        return
    points = new.output.map_max_points - old.output.map_max_points
    waiting = MIB * (new.input.queue_mib - old.input.queue_mib)
    if points <= 0 and waiting <= 0:
        return
    free = free_bytes(torch.device('cpu'))
    check_map(max(0, points), free)
    if waiting > free:
        raise NotEnoughMemory(
            f'the host has {named(free)} of memory free, but input.queue_mib would let '
            f'{named(waiting)} more wait; set it to at most {old.input.queue_mib + free // MIB}'
        )


def _check(
    parameters: Parameters, free_bytes: Callable[[torch.device], int], logger: RcutilsLogger
) -> None:
    device = choose_device(parameters.model.device)
    settings = _settings(parameters, device)
    free, points = free_bytes(device), parameters.output.map_max_points
    if device.type != 'cpu':
        check_map(points, free_bytes(torch.device('cpu')))
        points = 0
    try:
        needed = check_fit(settings, free, str(device), points)
    except BudgetTooSmall as error:
        # Images that are less tall may fit the budget; the warm-up says more.
        wide = replace(settings, aspect=MAX_ASPECT_RATIO)
        try:
            needed = check_fit(wide, free, str(device), points)
        except BudgetTooSmall:
            # What would do for those would still not do for the usual ones.
            raise error from None
    logger.info(f'memory estimated: {needed}{and_map(points)}; {device} has {named(free)} free')
    try:
        check_fit(replace(settings, aspect=SQUARE), free, str(device), points)
    except BudgetTooSmall:
        return
    except NotEnoughMemory as error:
        logger.warning(f'images as tall as wide would not fit: {error}')


def _settings(parameters: Parameters, device: torch.device) -> Settings:
    choice = parameters.model
    return Settings(
        model=choice.config,
        cache=parameters.cache,
        image_size=parameters.pipeline.image_size,
        dtype=choose_dtype(choice.dtype, device),
        # It may be asked for at any time.
        point_head=True,
        in_memory=parameters.random_weights and device.type == 'cpu',
        on_cpu=device.type == 'cpu',
    )
