# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finished runs for other viewers; each module needs a library of its own."""
