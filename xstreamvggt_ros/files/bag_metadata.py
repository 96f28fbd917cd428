# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What metadata.yaml says of a bag, as far as it can be believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from xstreamvggt_ros.files.yaml_text import load_yaml

NAME = 'metadata.yaml'
ROOT = 'rosbag2_bagfile_information'
# No count has more digits than sixty-four bits; Python does not even write some that are read.
MOST_MESSAGES = 2**63


@dataclass(frozen=True)
class BagMetadata:
    """
    Names of the files, how many messages are promised (0: not said), offered profiles by topic.

    `problem` says why there is nothing more.
    """

    files: tuple[str, ...] = ()
    messages: int = 0
    qos: dict[str, object] = field(default_factory=dict)
    problem: str = ''


def read_metadata(folder: Path) -> BagMetadata | None:
    """Read a folder's metadata.yaml; None where it has none, or one of something else."""
    file = folder / NAME
    if not file.is_file():
        return None
    try:
        whole = load_yaml(file.read_text(encoding='utf-8', errors='replace'))
    except Exception as error:  # noqa: BLE001 parsers of damaged text raise what they please
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return BagMetadata(problem=f'{file} cannot be read: {reason}')
    if not isinstance(whole, dict) or not isinstance(whole.get(ROOT), dict):
        return None
    return _of(whole[ROOT])


def _of(said: dict) -> BagMetadata:
    paths = said.get('relative_file_paths')
    # Old recorders wrote paths, which are looked for by their name.
    named = [each for each in paths if isinstance(each, str)] if _listed(paths) else []
    files = tuple(PurePosixPath(each).name for each in named)
    count = said.get('message_count')
    promises = isinstance(count, int) and 0 < count < MOST_MESSAGES
    qos = {}
    topics = said.get('topics_with_message_count')
    for each in topics if _listed(topics) else ():
        about = each.get('topic_metadata') if isinstance(each, dict) else None
        if not (isinstance(about, dict) and isinstance(about.get('name'), str)):
            continue
        if about.get('offered_qos_profiles'):
            qos[about['name']] = about['offered_qos_profiles']
    return BagMetadata(files, count if promises else 0, qos)


def _listed(value: object) -> bool:
    return isinstance(value, list)
