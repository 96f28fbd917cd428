# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluation by replay: sequences with truth in, reproducible figures out."""
