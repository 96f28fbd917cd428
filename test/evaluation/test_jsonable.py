# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JSON that any reader takes."""

import json
import os

import pytest

from xstreamvggt_ros.evaluation.jsonable import dumps, printable


@pytest.mark.parametrize(
    ('text', 'written'),
    [
        ('ein Wort: déjà 🙂', 'ein Wort: déjà 🙂'),
        (os.fsdecode(b'd\xe9j\xe0'), r'd\xe9j\xe0'),
        ('a\ud800b', r'a\ud800b'),
        ('\udfff', r'\udfff'),
        ('\udce9\ud83d', r'\xe9\ud83d'),
        # Bytes that are text once they stand together.
        ('\udcc3\udca9', 'é'),
    ],
)
def test_what_is_no_text_is_written_by_its_number(text, written):
    assert printable(text) == written
    assert json.loads(dumps({text: [text]}).encode()) == {written: [written]}
