# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A file on a mount that is gone."""

from contextlib import contextmanager
import os
import threading

DEADLINE = 20.0


@contextmanager
def dead_disk(path):
    """Have whoever asks for a file wait, until the event that is given is set or this is left."""
    back, usual = threading.Event(), os.stat

    def hang(asked, *arguments, **options):
        if asked == path or asked == str(path):
            assert back.wait(DEADLINE)
        return usual(asked, *arguments, **options)

    os.stat = hang
    try:
        yield back
    finally:
        os.stat = usual
        back.set()
