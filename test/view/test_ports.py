# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A page is served at the port that was asked for, or the next; else it is said why not."""

import socket

import pytest

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.view import ports
from xstreamvggt_ros.view.command import main
from xstreamvggt_ros.view.ports import free_port

HOST = '127.0.0.1'


@pytest.fixture
def taken():
    """Take two ports in a row; the first of them."""
    for port in range(8500, 8600):
        # A socket that was bound once cannot be bound again.
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind((HOST, port))
                second.bind((HOST, port + 1))
            except OSError:
                continue
            first.listen()
            second.listen()
            yield port
            return
    pytest.fail('no two ports in a row are free')


def test_the_port_that_is_free_or_the_next_one(taken):
    assert free_port(HOST, taken) >= taken + 2
    assert free_port(HOST, taken + 2) == taken + 2


def test_where_none_is_free_it_is_said(taken, monkeypatch):
    monkeypatch.setattr(ports, 'TRIES', 2)
    with pytest.raises(InputError, match=f'no port from {taken} to {taken + 1} is free'):
        free_port(HOST, taken)


@pytest.mark.parametrize(
    ('host', 'wrong'),
    [
        ('192.0.2.1', 'host 192.0.2.1 is no address of this machine'),
        ('not an address', "host 'not an address' is no address"),
    ],
)
def test_a_host_that_is_not_this_machine_is_named(host, wrong):
    with pytest.raises(InputError, match=wrong):
        free_port(host, 8500)


@pytest.mark.parametrize('port', ['-1', '65536', 'web'])
def test_a_port_is_a_port(port, capsys):
    with pytest.raises(SystemExit):
        main(['--port', port])
    assert port in capsys.readouterr().err
