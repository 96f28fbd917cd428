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


def write_mcap(path, *records, profile='ros2', finished=True):
    """Write a file of these records."""
    end = _record(0x0F, bytes(4)) + _record(2, bytes(20)) + MAGIC
    body = _record(1, _text(profile) + _text('made')) + b''.join(records)
    path.write_bytes(MAGIC + body + (end if finished else b''))
    return path
