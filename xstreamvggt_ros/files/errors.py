# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a file."""


class InputError(ValueError):
    """An input cannot be read; the message names it and says what to do."""
