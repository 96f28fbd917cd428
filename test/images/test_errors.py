# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What errors say of a message fits in a log, however much the message says."""

from array import array
from types import SimpleNamespace

import pytest

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.decoding import decode_image
from xstreamvggt_ros.images.decoding_compressed import decode_compressed
from xstreamvggt_ros.images.decoding_compressed_depth import decode_compressed_depth
from xstreamvggt_ros.images.decoding_depth import decode_depth

LONG = 10_000_000 * 'x'
K = (50.0, 0.0, 28.0, 0.0, 50.0, 21.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    'read',
    [
        lambda: decode_image(SimpleNamespace(encoding=LONG), 100),
        lambda: decode_depth(SimpleNamespace(encoding=LONG), 100),
        lambda: decode_compressed(SimpleNamespace(format=LONG, data=b'none'), 100),
        lambda: decode_compressed_depth(SimpleNamespace(format=LONG, data=b''), 100),
        lambda: decode_compressed_depth(
            SimpleNamespace(format=f'16UC1; compressedDepth {LONG}', data=b''), 100
        ),
        lambda: CameraModel(56, 42, K, (), LONG),
    ],
)
def test_text_of_a_message_is_shortened(read):
    with pytest.raises(ValueError, match='in 100000.* characters') as caught:
        read()
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize('distortion', ['plumb_bob', 'none', 'nonsense'])
@pytest.mark.parametrize('value', [0.0, 1.0])
def test_a_million_coefficients_are_counted_and_not_read(distortion, value):
    many = Counted(array('d', [value]) * 1_000_000)
    info = SimpleNamespace(
        width=56,
        height=42,
        k=K,
        p=(0.0,) * 12,
        d=many,
        distortion_model=distortion,
        binning_x=0,
        binning_y=0,
        roi=SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0),
    )
    with pytest.raises(ValueError, match='camera_info.d has 1000000 numbers') as caught:
        CameraModel.of_message(info, False)
    assert len(str(caught.value)) < 2000
    assert many.read == 0


class Counted:
    """Numbers that know how often they were read."""

    def __init__(self, numbers):
        self.numbers, self.read = numbers, 0

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, index):
        self.read += 1
        return self.numbers[index]
