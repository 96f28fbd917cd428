# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""YAML of a few lines that would become gigabytes."""

import pytest

from xstreamvggt_ros.files.bag_metadata import read_metadata
from xstreamvggt_ros.files.offered_qos import offered_qos, OfferedQos
from xstreamvggt_ros.files.yaml_text import load_yaml

LEVELS = 'abcdefghi'


def bomb(first='[x, x, x, x, x, x, x, x, x]', each='[{}]'):
    """Write levels of nine aliases of the level before; as text the last is gigabytes."""
    lines = [f'a: &a {first}']
    for before, name in zip(LEVELS, LEVELS[1:], strict=False):
        lines.append(f'{name}: &{name} {each.format(", ".join([f"*{before}"] * 9))}')
    return '\n'.join(lines) + '\n'


@pytest.mark.parametrize(
    'text',
    [
        bomb(),
        bomb() + '? x\n: *i\n? x\n: *i\n',
        bomb('{x: 1}', '{{<<: [{}]}}'),
        f'a: &a {"x" * 5000}\nb: [{"*a, " * 500}]\n',
    ],
    ids=['values', 'the same key twice', 'merged', 'long words'],
)
def test_aliases_that_blow_a_text_up_are_refused_before_it_is_read(text):
    assert len(text) < 10_000
    with pytest.raises(ValueError, match='its aliases make more than'):
        load_yaml(text)


def test_nesting_without_end_is_refused():
    with pytest.raises(ValueError, match='more than 100 deep'):
        load_yaml('[' * 5000 + ']' * 5000)


def test_a_few_aliases_are_read():
    text = 'a: &a {depth: 7}\nb: [*a, *a]\nc: &c [*c]\n'
    assert load_yaml(text)['b'] == [{'depth': 7}] * 2


def metadata(folder, more):
    """Write a metadata.yaml of those lines under its root."""
    (folder / 'metadata.yaml').write_text('rosbag2_bagfile_information:\n  ' + more)
    return read_metadata(folder)


def test_a_folder_whose_metadata_blows_up_is_one_whose_metadata_cannot_be_read(tmp_path):
    (tmp_path / 'metadata.yaml').write_text(
        bomb() + 'rosbag2_bagfile_information:\n  relative_file_paths: [*i]\n'
    )
    found = read_metadata(tmp_path)
    assert found.files == () and 'its aliases make more than' in found.problem


def test_names_that_are_no_text_name_nothing(tmp_path):
    found = metadata(
        tmp_path,
        'relative_file_paths: [a_0.mcap, [x, y], {a: b}, 7, null]\n'
        '  topics_with_message_count:\n'
        '  - {topic_metadata: {name: [/image], offered_qos_profiles: x}}\n'
        '  - {topic_metadata: {name: /other, offered_qos_profiles: y}}\n',
    )
    assert found.files == ('a_0.mcap',)
    assert found.qos == {'/other': 'y'}


def test_a_count_that_is_too_long_to_be_written_counts_as_not_said(tmp_path):
    assert metadata(tmp_path, f'message_count: 0x{"f" * 5000}\n').messages == 0


def test_a_profile_of_anything_but_words_and_numbers_counts_as_not_said():
    text = '- {reliability: [best_effort], durability: {x: y}, history: 2.0, depth: 3}'
    assert offered_qos(text) == [OfferedQos(depth=3)]
    assert offered_qos('- {reliability: Best_Effort, history: 2}') == [
        OfferedQos(best_effort=True, keep_all=True)
    ]
    assert offered_qos(bomb() + '? [reliability]\n: *i\n') == []
    assert offered_qos([{'reliability': [['x']]}]) == [OfferedQos()]
