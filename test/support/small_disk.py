# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full after so many bytes."""

from contextlib import contextmanager
import resource
import subprocess

FULL = 'No space left on device|File too large'


@contextmanager
def small_disk(folder, room):
    """
    Let `folder` hold `room` bytes, a multiple of 4096, until this is left.

    Where this process may mount it is a file system of its own; else no file may be larger.
    """
    mounting = ['mount', '-t', 'tmpfs', '-o', f'size={room}', 'tmpfs', str(folder)]
    try:
        mounted = subprocess.run(mounting, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    if not mounted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        if mounted:
            subprocess.run(['umount', str(folder)], check=True)


def make_room(folder):
    """Let the folder of a small disk hold a megabyte more, whichever kind it is."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    larger = ['mount', '-o', 'remount,size=4m', str(folder)]
    subprocess.run(larger, check=False, capture_output=True)
