# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of coordinate frames as tf2 takes them; no ROS."""

MAX_LENGTH = 255


def frame_name(name: str) -> str:
    """
    Give a frame's name without the slashes in front, which tf2 refuses since ROS 2.

    ValueError for one that cannot be meant: with control characters, which would forge lines of
    the log, white space, or of more than 255 characters.
    """
    if len(name) > MAX_LENGTH:
        raise ValueError(
            f'a frame is called {name[:20]!r}… in {len(name)} characters; use at most {MAX_LENGTH}'
        )
    if any(not letter.isprintable() or letter.isspace() for letter in name):
        raise ValueError(
            f'a frame is called {name!r}; use a name without white space and control characters'
        )
    return name.lstrip('/')
