# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Triton's interpreter with the roundings of a device: its own casts to bf16 cut digits off."""

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def rounded_casts(monkeypatch):
    """Round fp32 to the nearest bf16 within a test, as CUDA does; import it where kernels run."""
    interpreter = pytest.importorskip('triton.runtime.interpreter')
    plain = interpreter._convert_float

    def convert(numbers, given, wanted, rounding):
        if (str(given), str(wanted)) != ('fp32', 'bf16'):
            return plain(numbers, given, wanted, rounding)
        wide = torch.from_numpy(np.array(numbers, dtype=np.float32))
        return wide.bfloat16().view(torch.int16).numpy().view(np.uint16)

    monkeypatch.setattr(interpreter, '_convert_float', convert)
