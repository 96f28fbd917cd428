# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Work whose rows are kept, which other processes can import."""


def rows_of(seed, chosen):
    """Give a row of each setting chosen, by numbers alone."""
    return [{'seed': seed, 'setting': f'by {each}', 'value': seed * each} for each in chosen]
