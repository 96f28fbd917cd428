# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an image message."""


class ImageError(ValueError):
    """
    An image message that cannot be used; the text names the value and the fix.

    `reason` is the word to count it by: `encoding` (not one that is read), `empty` (a side of 0),
    `too_large` (more pixels than allowed), `bad_size` (depth of another size than its colour
    image), `odd_size` (a side that must be even), `step` (rows
    shorter than their pixels), `short_data`, `not_finite`, `range` (floats outside [0, 1]) or
    `malformed` (a compressed stream that does not decode) or `decode_time` (one that takes too
    long).
    """

    def __init__(self, reason: str, message: str) -> None:
        """Keep the machine-readable reason beside the message."""
        super().__init__(message)
        self.reason = reason


def check_size(height: int, width: int, max_pixels: int) -> None:
    """Refuse a header's size before anything is allocated for it."""
    if height < 1 or width < 1:
        raise ImageError('empty', f'an image is {width}x{height} pixels; publish at least 1x1')
    if height * width > max_pixels:
        raise ImageError(
            'too_large',
            f'an image is {width}x{height} = {height * width} pixels, more than '
            f'input.max_pixels = {max_pixels}; publish smaller images or raise the limit',
        )


def check_depth_size(
    height: int, width: int, max_pixels: int, expected: tuple[int, int] | None
) -> None:
    """Refuse a depth image's size, and one that is not its colour image's (height, width)."""
    check_size(height, width, max_pixels)
    if expected not in (None, (height, width)):
        raise ImageError(
            'bad_size',
            f'a depth image is {width}x{height} pixels but the colour image is '
            f'{expected[1]}x{expected[0]}; publish depth registered to the colour image',
        )
