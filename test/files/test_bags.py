# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags whose files are whole, and what is said of them is not; and the other way round."""

import contextlib
import shutil
import sqlite3
import struct
import tracemalloc

from bag_messages import IMAGE, image, write_bag
from made_mcap import channel, chunk, MAGIC, message, schema, write_indexed_mcap, write_mcap
import numpy as np
import pytest

from xstreamvggt_ros.files import waiting
from xstreamvggt_ros.files.bags import find_bag, open_bag, typestore
from xstreamvggt_ros.files.compression import zstd
from xstreamvggt_ros.files.errors import InputError

START = 1_700_000_000_000_000_000
PIXELS = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
TEXT = 'std_msgs/msg/String'


def _images(first, count):
    return [
        ('/image', IMAGE, START + index, image(START + index, PIXELS, 'rgb8'))
        for index in range(first, first + count)
    ]


def _cdr(stamp_ns):
    return typestore().serialize_cdr(image(stamp_ns, PIXELS, 'rgb8'), IMAGE)


def _stamps(path):
    with open_bag(path) as bag:
        return [log_ns - START for _, log_ns, _ in bag.messages(bag.connections)], bag.problems


@pytest.fixture(params=['mcap', 'sqlite3'])
def split(tmp_path, request):
    """Write a bag of two files, named as rosbag2 names them, with metadata of the second."""
    suffix = {'mcap': '.mcap', 'sqlite3': '.db3'}[request.param]
    whole = tmp_path / 'split'
    whole.mkdir()
    for number, first in enumerate((0, 4)):
        part = write_bag(tmp_path / f'part{number}', _images(first, 4), request.param)
        shutil.copy(next(part.glob(f'*{suffix}')), whole / f'split_{number}{suffix}')
    metadata = (tmp_path / 'part1' / 'metadata.yaml').read_text()
    (whole / 'metadata.yaml').write_text(metadata.replace(f'part1{suffix}', f'split_1{suffix}'))
    return whole


def test_times_and_counts_are_the_files_own(split):
    metadata = (split / 'metadata.yaml').read_text()
    name = next(split.glob('split_1.*')).name
    both = metadata.replace(f'- {name}', f'- {name.replace("1", "0", 1)}\n  - {name}', 1)
    (split / 'metadata.yaml').write_text(both)
    stamps, problems = _stamps(split)
    assert stamps == list(range(8))
    assert problems == ()


def test_parts_that_metadata_does_not_name_are_read_and_named(split):
    stamps, (problem,) = _stamps(split)
    assert stamps == list(range(8))
    assert 'split_0' in problem and 'does not name it' in problem


def test_a_split_bag_without_metadata_plays_whole(split):
    (split / 'metadata.yaml').unlink()
    assert find_bag(split) == split
    assert _stamps(split) == (list(range(8)), ())


def test_a_part_that_is_missing_is_said(split):
    name = next(split.glob('split_1.*')).name
    text = (split / 'metadata.yaml').read_text().replace('message_count: 4', 'message_count: 11')
    (split / 'metadata.yaml').write_text(
        text.replace(f'- {name}', f'- {name}\n  - lost_7.mcap', 1)
    )
    stamps, problems = _stamps(split)
    assert stamps == list(range(8))
    assert any('lost_7.mcap is named in metadata.yaml' in each for each in problems)
    assert any('promises 11 messages, the files hold 8' in each for each in problems)


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        ('storage_identifier: ', "storage_identifier: ''\n  was: "),
        ('offered_qos_profiles:', 'offered_qos_profiles: [edited, {depth: many}]\n      was:'),
        ('duration:', 'duration: long\n  was:'),
        ('version: 9', 'version: 99'),
        ('topics_with_message_count:', 'topics_with_message_count: 3\n  was:'),
    ],
)
def test_what_metadata_says_wrongly_costs_nothing(tmp_path, before, after):
    bag = write_bag(tmp_path / 'bag', _images(0, 3))
    text = (bag / 'metadata.yaml').read_text()
    assert before in text
    (bag / 'metadata.yaml').write_text(text.replace(before, after, 1))
    assert _stamps(bag) == ([0, 1, 2], ())


def test_metadata_that_cannot_be_read_is_said(tmp_path):
    bag = write_bag(tmp_path / 'bag', _images(0, 3))
    (bag / 'metadata.yaml').write_text('{{{ no: [yaml')
    stamps, (problem,) = _stamps(bag)
    assert stamps == [0, 1, 2]
    assert 'metadata.yaml cannot be read' in problem


@pytest.mark.parametrize(
    'text', ['a: 1', '', '- list', '{{{ no: [yaml', 'width: 640\nheight: 480']
)
def test_a_folder_with_some_other_metadata_is_no_bag(tmp_path, text):
    (tmp_path / 'metadata.yaml').write_text(text)
    (tmp_path / '0.png').write_bytes(b'')
    assert find_bag(tmp_path) is None


def test_foreign_channels_are_left_out_by_name(tmp_path):
    event = 'uint8 info\n---\nbool answer'
    (definition, _) = typestore().generate_msgdef(IMAGE, ros_version=2)
    path = write_mcap(
        tmp_path / 'mixed.mcap',
        schema(1, IMAGE, 'ros2msg', definition),
        schema(2, 'my/srv/Ask_Event', 'ros2msg', event),
        schema(3, 'foxglove.Log', 'protobuf', 'binary'),
        schema(4, 'log', 'jsonschema', '{}'),
        channel(1, 1, '/image'),
        channel(2, 2, '/ask/_service_event'),
        channel(3, 3, '/log', 'protobuf'),
        channel(4, 4, '/json', 'json'),
        channel(5, 0, '/nothing'),
        *(message(number, START + number, b'{}') for number in (2, 3, 4, 5)),
        message(1, START, _cdr(START)),
    )
    with open_bag(path) as bag:
        assert sorted(bag.topics) == ['/ask/_service_event', '/image']
        ((_, _, cdr),) = bag.messages(bag.topics['/image'].connections)
        assert bag.deserialize(cdr, IMAGE).width == 3
        told = '\n'.join(bag.problems)
    for name in ('/ask/_service_event', '/log', '/json', '/nothing'):
        assert name in told


def test_a_profile_that_is_not_said_is_no_reason_to_refuse(tmp_path):
    records = schema(1, IMAGE, 'ros2msg', ''), channel(1, 1, '/image'), message(1, START, b'')
    assert _stamps(write_mcap(tmp_path / 'plain.mcap', *records, profile='')) == ([0], ())


def test_an_unfinished_mcap_is_read_as_far_as_it_goes(tmp_path):
    records = schema(1, IMAGE, 'ros2msg', ''), channel(1, 1, '/image'), message(1, START, b'')
    path = write_mcap(tmp_path / 'killed.mcap', *records, b'\x05\x10', finished=False)
    stamps, problems = _stamps(path)
    assert stamps == [0]
    assert any('was not finished' in each for each in problems)


def test_an_index_that_counts_nothing_is_no_reason_to_find_nothing(tmp_path):
    channels = [schema(1, IMAGE, 'ros2msg', ''), channel(1, 1, '/image')]
    messages = [message(1, START + index, b'') for index in range(3)]
    path = write_indexed_mcap(tmp_path / 'a.mcap', channels, messages, (START, START + 2))
    assert _stamps(path) == ([0, 1, 2], ())
    with open_bag(path) as bag:
        assert bag.topics['/image'].msgcount == bag.message_count == 3
        assert (bag.start_time, bag.end_time) == (START, START + 3)


def test_a_write_ahead_log_is_read_and_the_input_left_alone(tmp_path):
    bag = write_bag(tmp_path / 'bag', _images(0, 3), 'sqlite3')
    file = next(bag.glob('*.db3'))
    recorder = sqlite3.connect(file)
    recorder.execute('PRAGMA journal_mode=WAL')
    recorder.execute('PRAGMA wal_autocheckpoint=0')
    for index in (3, 4):
        recorder.execute(
            'INSERT INTO messages (topic_id, timestamp, data) VALUES (1, ?, ?)',
            (START + index, _cdr(START + index)),
        )
        recorder.commit()
    killed = tmp_path / 'killed'
    killed.mkdir()
    for each in (file, file.with_name(f'{file.name}-wal')):
        shutil.copy(each, killed)
    recorder.close()
    before = {each.name: each.read_bytes() for each in killed.iterdir()}
    assert _stamps(killed / file.name)[0] == [0, 1, 2, 3, 4]
    assert {each.name: each.read_bytes() for each in killed.iterdir()} == before


@pytest.mark.parametrize(
    ('name', 'content', 'words'),
    [
        ('a.mcap', b'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', 'git lfs pull'),
        ('a.db3', b'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', 'git lfs pull'),
        ('a.mcap', b'', 'is empty'),
        ('a.mcap', b'not at all an mcap file', 'does not begin as an MCAP file'),
        ('a.db3', b'SQLite format 3\0 but no more', 'cannot be read as a bag'),
        ('a.mcap.zstd', b'not compressed', 'cannot be read as a bag'),
        ('a.bag', b'#ROSBAG V2.0', 'rosbags-convert'),
    ],
)
def test_what_is_no_bag_is_said_for_what_it_is(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        with open_bag(find_bag(tmp_path / name)):
            pass


def test_a_chunk_that_claims_too_much_is_left_out(tmp_path):

    body = (
        struct.pack('<QQQI', START, START, 2**62, 0) + struct.pack('<I4sQ', 4, b'zstd', 3) + b'abc'
    )
    path = write_mcap(
        tmp_path / 'bomb.mcap',
        schema(1, IMAGE, 'ros2msg', ''),
        channel(1, 1, '/image'),
        message(1, START, b''),
        struct.pack('<BQ', 6, len(body)) + body,
    )
    stamps, (problem,) = _stamps(path)
    assert stamps == [0]
    assert 'is left out' in problem


def test_a_chunk_that_its_index_names_a_thousand_times_is_read_once(tmp_path):
    channels = [schema(1, IMAGE, 'ros2msg', ''), channel(1, 1, '/image')]
    messages = [message(1, START + index, b'') for index in range(3)]
    times = START, START + 2
    path = write_indexed_mcap(tmp_path / 'a.mcap', channels, messages, times, named=1000)
    assert _stamps(path) == ([0, 1, 2], ())
    with open_bag(path) as bag:
        assert bag.message_count == 3


def test_more_chunks_at_one_time_than_can_be_held_are_given_out_of_order_and_named(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(waiting, 'MOST_WAITING', 5)
    records = [schema(1, IMAGE, 'ros2msg', ''), channel(1, 1, '/image')]
    for first in range(4):
        of_one = b''.join(message(1, START + first + 4 * turn, b'') for turn in range(3))
        records.append(chunk((START, START + 11), of_one))
    stamps, (problem,) = _stamps(write_mcap(tmp_path / 'a.mcap', *records))
    assert sorted(stamps) == list(range(12)) and stamps != list(range(12))
    assert 'too many of its chunks overlap' in problem and 'mcap sort' in problem


def test_a_message_of_a_chunk_is_not_copied_over_and_over(tmp_path):
    size = 2**24
    channels = schema(1, IMAGE, 'ros2msg', ''), channel(1, 1, '/image')
    data = message(1, START, bytes(size))
    black = chunk((START, START), data, 'zstd', zstd.compress(data))
    path = write_mcap(tmp_path / 'black.mcap', *channels, black)
    assert path.stat().st_size < size / 1000

    tracemalloc.start()
    stamps, problems = _stamps(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (stamps, problems) == ([0], ())
    # Of what a chunk becomes, and its message by itself.
    assert most < 2.5 * size


@pytest.mark.parametrize('damaged', [struct.pack('<BQ', 5, 3) + b'abc', b'\x04' + bytes(8)])
def test_a_damaged_record_in_a_chunk_costs_no_more_than_its_chunk(tmp_path, damaged):
    channels = [schema(1, IMAGE, 'ros2msg', ''), channel(1, 1, '/image')]
    data = b''.join([*channels, message(1, START, b''), damaged])
    body = struct.pack('<QQQIIQ', START, START, len(data), 0, 0, len(data)) + data
    later = message(1, START + 1, b'')
    chunk = struct.pack('<BQ', 6, len(body)) + body
    stamps, problems = _stamps(write_mcap(tmp_path / 'a.mcap', *channels, chunk, later))
    assert stamps[-1] == 1
    assert any('is left out, it is damaged' in each for each in problems)


def test_an_index_beyond_all_files_is_walked_around(tmp_path):
    records = schema(1, IMAGE, 'ros2msg', ''), channel(1, 1, '/image'), message(1, START, b'')
    path = write_mcap(tmp_path / 'a.mcap', *records)
    whole = path.read_bytes()
    at = len(whole) - len(MAGIC) - 20
    path.write_bytes(whole[:at] + struct.pack('<Q', 2**64 - 1) + whole[at + 8 :])
    stamps, (problem,) = _stamps(path)
    assert stamps == [0]
    assert 'its index is damaged' in problem


def test_a_time_that_is_text_costs_its_message_alone(tmp_path):
    bag = write_bag(tmp_path / 'bag', _images(0, 3), 'sqlite3')
    file = next(bag.glob('*.db3'))
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE messages SET timestamp = 'never' WHERE id = 2")
    assert _stamps(file)[0] == [0, 2]
    with open_bag(file) as opened:
        assert (opened.start_time, opened.end_time) == (START, START + 3)


@pytest.mark.parametrize('column', ['name', 'type', 'serialization_format'])
@pytest.mark.parametrize('value', [None, b'/image'])
def test_a_topic_whose_name_or_type_is_no_text_is_left_out_by_its_number(tmp_path, column, value):
    messages = [*_images(0, 3), ('/other', IMAGE, START, image(START, PIXELS, 'rgb8'))]
    bag = write_bag(tmp_path / 'bag', messages, 'sqlite3')
    file = next(bag.glob('*.db3'))
    _without_constraints(file)
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute(f"UPDATE topics SET {column} = ? WHERE name = '/other'", (value,))
    with open_bag(file) as opened:
        assert list(opened.topics) == ['/image']
        (problem,) = opened.problems
    assert 'topic 2 is left out' in problem


def test_profiles_and_definitions_that_are_no_text_count_as_not_said(tmp_path):
    bag = write_bag(tmp_path / 'bag', _images(0, 3), 'sqlite3')
    file = next(bag.glob('*.db3'))
    _without_constraints(file)
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute('UPDATE topics SET offered_qos_profiles = NULL')
        database.execute("UPDATE message_definitions SET encoded_message_definition = x'00ff'")
    with open_bag(file) as opened:
        ((_, _, cdr), *_) = opened.messages(opened.connections)
        assert opened.deserialize(cdr, IMAGE).width == 3
        assert opened.connections[0].offered_qos == []
        assert opened.problems == ()


def _without_constraints(file):
    """Make the tables such as other programs make, which take whatever there is."""
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        for table in ('topics', 'message_definitions'):
            database.execute(f'CREATE TABLE plain AS SELECT * FROM {table}')
            database.execute(f'DROP TABLE {table}')
            database.execute(f'ALTER TABLE plain RENAME TO {table}')


def test_several_types_on_a_topic_are_named(tmp_path):
    path = write_mcap(
        tmp_path / 'two.mcap',
        schema(1, IMAGE, 'ros2msg', ''),
        schema(2, TEXT, 'ros2msg', ''),
        channel(1, 1, '/both'),
        channel(2, 2, '/both'),
    )
    with open_bag(path) as bag:
        assert bag.topics['/both'].msgtype == f'{IMAGE} and {TEXT}'
        assert (bag.start_time, bag.end_time, bag.message_count) == (0, 0, 0)
