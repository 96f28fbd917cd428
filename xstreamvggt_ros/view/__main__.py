# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""So that `python -m xstreamvggt_ros.view` is the program too."""

import sys

from xstreamvggt_ros.view.command import main

sys.exit(main())
