# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node's log says that the user should see."""

from __future__ import annotations

from pathlib import Path
import re

# As rcutils writes a line: severity, time, name of the logger, message.
LINE = re.compile(r'\[(?:WARN|ERROR|FATAL)\] \[[\d.]+\] \[[^]]*\]: (.+)')
# What is no warning there, for a camera is mounted as it is, and is one to who looks at a result.
CUT = re.compile(r'\[INFO\] \[[\d.]+\] \[[^]]*\]: (\d+ % of each image is cut off.*)')
MOST = 4


def warnings(text: str, most: int = MOST) -> list[str]:
    """
    Give the messages of warnings and errors once each, and how many more there are than `most`.

    Messages that differ in their numbers only are the same.
    """
    distinct: dict[str, str] = {}
    for message in LINE.findall(text):
        distinct.setdefault(re.sub(r'\d+', '0', message), message)
    messages = list(distinct.values())
    more = len(messages) - most
    return messages[:most] + ([f'and {more} more in node.log'] if more > 0 else [])


def losses(text: str) -> list[str]:
    """Give what the node said that it does not see of images, once each."""
    return list(dict.fromkeys(CUT.findall(text)))


def tail(log: Path, lines: int) -> list[str]:
    """Read the last lines of a log, whatever bytes are in it."""
    return log.read_text(encoding='utf-8', errors='replace').splitlines()[-lines:]
