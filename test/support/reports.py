# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a guard says of a frame."""

from xstreamvggt_ros.guard import GuardReport
from xstreamvggt_ros.guard.verdict import Look, Reason, Verdict


def report(level='ok'):
    """Make a report of that level: 'ok', 'warn' or 'error'."""
    reasons = () if level == 'ok' else (Reason('blank', 0.0, 0.01),)
    verdict = Verdict(Look(1, 1, 1, ()), reasons)
    return GuardReport(verdict, 'lost' if level == 'error' else 'none', int(level == 'error'), 0)
