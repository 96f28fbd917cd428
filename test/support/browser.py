# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that draws on the processor."""

from io import BytesIO
import time

import numpy as np
from PIL import Image
import pytest

from benchmarks.onlooker import CHROMIUM, chromium_driver, DRIVER

DEADLINE = 90.0
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason='no chromium with its driver (Debian: chromium chromium-driver)',
)


class Browser:
    """One page in Chromium; every wait has a deadline."""

    def __init__(self, size=(1100, 760)):
        self.driver = chromium_driver(*size)

    def close(self):
        self.driver.quit()

    def open(self, address):
        self.driver.get(address)

    def text(self):
        """Give all that is written on the page."""
        return self.driver.execute_script('return document.body.innerText')

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, what, deadline=DEADLINE):
        """Wait for a condition; its value."""
        end = time.monotonic() + deadline
        while not (value := condition()):
            assert time.monotonic() < end, f'waited {deadline} s for {what}; page: {self.text()}'
            time.sleep(0.1)
        return value

    def click(self, label):
        """Click the button of that label."""
        from selenium.webdriver.common.by import By

        find = f'//button[normalize-space()="{label}"]'
        button = self.wait(lambda: self.driver.find_elements(By.XPATH, find), f'button {label}')[0]
        self.driver.execute_script('arguments[0].click()', button)

    def scene(self):
        """Give the picture of the scene, (H, W, 3) uint8, without what lies over it."""
        from selenium.webdriver.common.by import By

        canvas = self.driver.find_elements(By.TAG_NAME, 'canvas')[0]
        picture = Image.open(BytesIO(canvas.screenshot_as_png)).convert('RGB')
        return np.asarray(picture)

    def save(self, path):
        self.driver.save_screenshot(str(path))

    def complaints(self):
        """Give what was said in the console that is not for information."""
        return [
            entry['message']
            for entry in self.driver.get_log('browser')
            if entry['level'] in ('SEVERE', 'ERROR')
        ]
