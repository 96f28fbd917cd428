# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a user is told of a dropped frame."""

import pytest
from rclpy.logging import get_logger
import torch

from xstreamvggt_ros.cache import BudgetTooSmall
from xstreamvggt_ros.images.errors import ImageError
from xstreamvggt_ros.node.failures import describe_failure, FailureLog
from xstreamvggt_ros.pipeline import FrameError


@pytest.mark.parametrize(
    ('error', 'reason', 'words', 'serious'),
    [
        (ImageError('short_data', 'publish whole images'), 'short_data', 'whole', False),
        (FrameError('not_finite', 'check the checkpoint'), 'not_finite', 'checkpoint', False),
        (BudgetTooSmall('use at least 202'), 'budget_too_small', 'at least 202', True),
        (torch.OutOfMemoryError('CUDA\nx'), 'out_of_memory', 'lower model.image_size', True),
        (KeyError('nobody knows'), 'unexpected', "KeyError: 'nobody knows'", True),
    ],
)
def test_every_failure_has_a_reason_and_says_what_to_do(error, reason, words, serious):
    failure = describe_failure(error)

    assert (failure.reason, failure.serious) == (reason, serious)
    assert words in failure.text


def test_what_nobody_expected_shows_where_it_came_from():
    def culprit():
        raise RuntimeError('broken')

    with pytest.raises(RuntimeError) as caught:
        culprit()

    assert 'in culprit' in describe_failure(caught.value).text


def test_each_reason_is_said_at_once_and_then_only_counted():
    warnings, errors = [], []
    log = FailureLog(warnings.append, errors.append, period=1e6)

    reasons = [
        log.report(error)
        for error in [ImageError('step', 'a'), ImageError('step', 'b'), BudgetTooSmall('c')]
    ]

    assert reasons == ['step', 'step', 'budget_too_small']
    assert warnings == ['image dropped (step): a']
    assert errors == ['image dropped (budget_too_small): c']


def test_after_the_period_it_says_how_many_there_were():
    warnings, now = [], [0.0]
    log = FailureLog(warnings.append, warnings.append, period=5.0, clock=lambda: now[0])
    for now[0] in (0.0, 1.0, 2.0, 4.9, 5.0):
        log.report(ImageError('step', 'a'))

    assert warnings[1] == 'image dropped (step): a (3 more like it since the last such message)'


def test_a_logger_of_ros_takes_warnings_and_errors_in_turn():
    logger = get_logger('failures')
    log = FailureLog(logger.warning, logger.error, period=0.0)

    reasons = [log.report(error) for error in 2 * [ImageError('step', 'a'), BudgetTooSmall('b')]]

    assert reasons == 2 * ['step', 'budget_too_small']
