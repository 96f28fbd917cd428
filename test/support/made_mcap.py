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


def write_indexed_mcap(path, channels, messages, times):
    """Write a file of one chunk with an index of it, but no statistics; times: first and last."""
    data = b''.join([*channels, *messages])
    body = struct.pack('<QQQII', *times, len(data), 0, 0) + struct.pack('<Q', len(data)) + data
    head = MAGIC + _record(1, _text('ros2') + _text('made'))
    chunk = _record(6, body)
    index = struct.pack('<QQQQIQ', *times, len(head), len(chunk), 0, 0)
    index = _record(8, index + _text('') + struct.pack('<QQ', len(data), len(data)))
    end = _record(0x0F, bytes(4))
    footer = _record(2, struct.pack('<QQI', len(head) + len(chunk) + len(end), 0, 0))
    path.write_bytes(head + chunk + end + b''.join(channels) + index + footer + MAGIC)
    return path


def write_mcap(path, *records, profile='ros2', finished=True):
    """Write a file of these records."""
    end = _record(0x0F, bytes(4)) + _record(2, bytes(20)) + MAGIC
    body = _record(1, _text(profile) + _text('made')) + b''.join(records)
    path.write_bytes(MAGIC + body + (end if finished else b''))
    return path
