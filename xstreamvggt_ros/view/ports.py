# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a page can be served."""

from __future__ import annotations

import errno
import socket

from xstreamvggt_ros.files.errors import InputError

# So many taken ones in a row are no accident.
TRIES = 100
LAST = 65535


def free_port(host: str, port: int) -> int:
    """Return `port`, or the next that is free; InputError where the host cannot be listened on."""
    try:
        family, _, _, _, _ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise InputError(f'host {host!r} is no address: {error.strerror or error}') from None
    for candidate in range(port, min(port + TRIES, LAST + 1)):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                # As the server does: one that has just ended keeps nobody out.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, candidate))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise InputError(_wrong(host, candidate, error)) from None
        else:
            return candidate
    raise InputError(f'no port from {port} to {candidate} is free on {host}')


def _wrong(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRNOTAVAIL:
        return f'host {host} is no address of this machine; 0.0.0.0 are all of them'
    if error.errno == errno.EACCES:
        return f'port {port} is not for everybody to listen on: choose one from 1024 to {LAST}'
    return f'nobody can listen on {host}, port {port}: {error.strerror}'
