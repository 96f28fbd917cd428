# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files with whatever channels a test wants, without an index."""

import struct

MAGIC = b'\x89MCAP0\r\n'


def _text(text):
    data = text.encode()
    return struct.pack('<I', len(data)) + data


def _record(op, body):
    return struct.pack('<BQ', op, len(body)) + body


def schema(number, name, language, text):
    """Write a Schema record."""
    return _record(3, struct.pack('<H', number) + _text(name) + _text(language) + _text(text))


def channel(number, schema_number, topic, encoding='cdr', qos=''):
    """Write a Channel record."""
    metadata = _text('offered_qos_profiles') + _text(qos) if qos else b''
    body = struct.pack('<HH', number, schema_number) + _text(topic) + _text(encoding)
    return _record(4, body + struct.pack('<I', len(metadata)) + metadata)


def message(number, stamp_ns, data):
    """Write a Message record."""
    return _record(5, struct.pack('<HIQQ', number, 0, stamp_ns, stamp_ns) + data)


def chunk(times, data, compression='', packed=None):
    """Write a Chunk record of records, which are `packed` where that is given."""
    stored = data if packed is None else packed
    body = struct.pack('<QQQI', *times, len(data), 0) + _text(compression)
    return _record(6, body + struct.pack('<Q', len(stored)) + stored)


def write_indexed_mcap(path, channels, messages, times, named=1):
    """
    Write a file of one chunk with an index of it, but no statistics; times: first and last.

    `named`: how often the index has it.
    """
    data = b''.join([*channels, *messages])
    head = MAGIC + _record(1, _text('ros2') + _text('made'))
    whole = chunk(times, data)
    index = struct.pack('<QQQQIQ', *times, len(head), len(whole), 0, 0)
    index = _record(8, index + _text('') + struct.pack('<QQ', len(data), len(data))) * named
    end = _record(0x0F, bytes(4))
    footer = _record(2, struct.pack('<QQI', len(head) + len(whole) + len(end), 0, 0))
    path.write_bytes(head + whole + end + b''.join(channels) + index + footer + MAGIC)
    return path


def write_mcap(path, *records, profile='ros2', finished=True):
    """Write a file of these records."""
    end = _record(0x0F, bytes(4)) + _record(2, bytes(20)) + MAGIC
    body = _record(1, _text(profile) + _text('made')) + b''.join(records)
    path.write_bytes(MAGIC + body + (end if finished else b''))
    return path
