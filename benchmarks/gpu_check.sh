#!/usr/bin/env bash
# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Everything that only a GPU can tell, in one command: benchmarks/gpu_check.sh [--quick] [--device cpu].
# It needs no network, and ROS for its last part alone; a part that fails leaves the others be.
# What it finds is printed, and written to $OUT (out_gpu_check without) as JSON and Markdown.

set -u
cd "$(dirname "$0")/.." || exit 1
python=${PYTHON:-.venv/bin/python}
command -v "$python" > /dev/null || python=python3
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
exec "$python" -m benchmarks.gpu_check --output "${OUT:-out_gpu_check}" "$@"
