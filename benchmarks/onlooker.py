# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Look at a page until told to end: python -m benchmarks.onlooker ADDRESS [--client].

With Chromium and its driver where they are installed (Debian: chromium chromium-driver), headless,
drawing on the processor and, once open, behind all others; else, or with --client, with a client
that takes all that the page sends and draws nothing.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
import os
import shutil
import signal
import threading
import time

import msgspec
import viser
from websockets.sync.client import connect
import zstandard

from benchmarks.processes import family
from xstreamvggt_ros.view.priority import give_way

CHROMIUM, DRIVER = shutil.which('chromium'), shutil.which('chromedriver')
LOOKING = 'looking with '
START_S, LOOK_S = 600.0, 0.2
# A person's browser is neither the node's business nor that of who measures it.
NICE = 19
ARGUMENTS = (
    '--headless=new',
    '--no-sandbox',
    '--disable-dev-shm-usage',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
)


CAMERA = {
    'type': 'ViewerCameraMessage',
    'wxyz': (1.0, 0.0, 0.0, 0.0),
    'position': (0.0, 0.0, 0.0),
    'fov': 1.0,
    'near': 0.01,
    'far': 1000.0,
    'image_height': 760,
    'image_width': 1100,
    'look_at': (1.0, 0.0, 0.0),
    'up_direction': (0.0, 0.0, 1.0),
}


def chromium_driver(width: int = 1100, height: int = 760):
    """Start a headless Chromium, driven by selenium; its console can be read."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (*ARGUMENTS, f'--window-size={width},{height}'):
        options.add_argument(argument)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    return webdriver.Chrome(options=options, service=Service(DRIVER))


def look_with_chromium(address: str, ended: threading.Event) -> None:
    """Have the page open in Chromium, which stands back once it is."""
    driver = chromium_driver()
    try:
        driver.get(address)
        end = time.monotonic() + START_S
        while not driver.execute_script('return document.getElementById("strip") !== null'):
            if time.monotonic() > end or ended.wait(LOOK_S):
                raise TimeoutError(f'{address} showed no page within {START_S:.0f} s')
        _stand_back()
        _say(f'Chromium {driver.capabilities["browserVersion"]}')
        ended.wait()
    finally:
        driver.quit()


class PageClient:
    """What viser's page is to its server, but draws nothing; use in a with statement."""

    def __init__(self, address: str, answers: bool = True) -> None:
        """Connect; `answers` says whether it lets the server know that it has drawn."""
        self._socket = connect(
            address.replace('http', 'ws', 1),
            subprotocols=[f'viser-v{viser.__version__}'],
            max_size=None,
            compression=None,
        )
        self._answers = answers
        # Without a camera a page counts for nobody.
        self._socket.send(msgspec.msgpack.encode(CAMERA))

    def take(self, patience_s: float) -> int:
        """Take a message and return how long it is, 0 where none comes."""
        try:
            raw = self._socket.recv(patience_s)
        except TimeoutError:
            return 0
        if self._answers:
            self._answer(raw)
        return len(raw)

    def _answer(self, raw: bytes) -> None:
        # Sizes of the messages, plain and compressed, and then these; arrays are behind.
        size = int.from_bytes(raw[8:16], 'little')
        messages = msgspec.msgpack.decode(zstandard.decompress(raw[16 : 16 + size]))['messages']
        for message in messages:
            if message['type'] == 'LocalStorageGetItemRequestMessage':
                answer = {
                    'type': 'LocalStorageGetItemResponseMessage',
                    'value': None,
                    'error': None,
                    'request_uuid': message['request_uuid'],
                }
                self._socket.send(msgspec.msgpack.encode(answer))

    def __enter__(self) -> PageClient:
        return self

    def __exit__(self, *_) -> None:
        self._socket.close()


def look_with_client(address: str, ended: threading.Event) -> None:
    """Take what comes, and say in the end how much it was."""
    with PageClient(address) as client:
        taken = client.take(START_S)
        _say('a client that draws nothing')
        while not ended.is_set():
            taken += client.take(LOOK_S)
    print(f'{taken} bytes were sent')


def main() -> None:
    """Look until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('address')
    parser.add_argument('--client', action='store_true')
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    drawn = CHROMIUM and DRIVER and not options.client
    look = look_with_chromium if drawn else look_with_client
    look(options.address, ended)


def _stand_back() -> None:
    """Have every thread of this process and of those that it started run behind all others."""
    for pid in family(os.getpid()):
        with suppress(OSError):
            # A thread, or a process, that has ended meanwhile.
            for thread in os.listdir(f'/proc/{pid}/task'):
                os.setpriority(os.PRIO_PROCESS, int(thread), NICE)
    give_way(NICE)


def _say(what: str) -> None:
    print(f'{LOOKING}{what}', flush=True)


if __name__ == '__main__':
    main()
