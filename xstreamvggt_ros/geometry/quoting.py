# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text of others, as errors and the log show it; no ROS."""

# Longer text is cut, and its length told: a message may hold any amount of it.
LONGEST = 300
_SHOWN = 20


def quoted(text: str) -> str:
    """Put text between quotes, without control characters; of a long one the beginning."""
    if len(text) <= LONGEST:
        return repr(text)
    return f'{text[:_SHOWN]!r}… in {len(text)} characters'
