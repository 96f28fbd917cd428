# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives a node from another process: plays into it, records it, leads it through its states."""
