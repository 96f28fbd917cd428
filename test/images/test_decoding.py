# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every image encoding from one known picture, and every message that is refused."""

import subprocess
import sys
import tracemalloc
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from xstreamvggt_ros.images.decoding import decode_image, ENCODINGS
from xstreamvggt_ros.images.errors import ImageError

HEIGHT, WIDTH = 24, 32
MAX_PIXELS = 4096
REASONS = {
    'encoding',
    'empty',
    'too_large',
    'odd_size',
    'step',
    'short_data',
    'not_finite',
    'range',
}


def _picture():
    """Make a smooth RGB picture whose channels differ, so that swapped ones show."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    planes = [40 + 5 * columns, 220 - 4 * rows, 60 + 2 * rows + columns]
    return np.stack(planes, axis=-1).astype(np.uint8)


PICTURE = _picture()
GREY = PICTURE[..., 1]
SIXTEEN = PICTURE.astype(np.uint16) * 257 + 3
FLOATS = (PICTURE / 255).astype(np.float32)


def _yuv():
    """Give Y, U, V of the picture: BT.601 in limited range, for each pixel."""
    red, green, blue = np.moveaxis(PICTURE / 255, -1, 0)
    y = 16 + 65.481 * red + 128.553 * green + 24.966 * blue
    u = 128 - 37.797 * red - 74.203 * green + 112 * blue
    v = 128 + 112 * red - 93.786 * green - 18.214 * blue
    return [np.round(plane).astype(np.uint8) for plane in (y, u, v)]


def _packed_422(luma_first):
    y, u, v = _yuv()
    rows = np.empty((HEIGHT, 2 * WIDTH), np.uint8)
    rows[:, (0 if luma_first else 1) :: 2] = y
    rows[:, (1 if luma_first else 0) :: 4] = u[:, ::2]
    rows[:, (3 if luma_first else 2) :: 4] = v[:, ::2]
    return rows


def _planar_420(u_first):
    y, u, v = _yuv()
    chroma = np.empty((HEIGHT // 2, WIDTH), np.uint8)
    chroma[:, (0 if u_first else 1) :: 2] = u[::2, ::2]
    chroma[:, (1 if u_first else 0) :: 2] = v[::2, ::2]
    return np.vstack([y, chroma])


def _mosaic(pattern):
    """Keep of each pixel the colour that the pattern (rggb, …) has there."""
    rows = np.empty((HEIGHT, WIDTH), np.uint8)
    for index, colour in enumerate(pattern):
        place = (slice(index // 2, None, 2), slice(index % 2, None, 2))
        rows[place] = PICTURE[..., 'rgb'.index(colour)][place]
    return rows


def _with_alpha(picture):
    return np.dstack([picture, np.full(picture.shape[:2], 7, np.uint8)])


# Encoding: rows as published, the picture to get back, and the loss in steps of 1/255.
CASES = {
    'rgb8': (PICTURE, PICTURE, 0),
    'bgr8': (PICTURE[..., ::-1], PICTURE, 0),
    '8UC3': (PICTURE[..., ::-1], PICTURE, 0),
    'rgba8': (_with_alpha(PICTURE), PICTURE, 0),
    'bgra8': (_with_alpha(PICTURE[..., ::-1]), PICTURE, 0),
    'mono8': (GREY, np.dstack([GREY] * 3), 0),
    '8UC1': (GREY, np.dstack([GREY] * 3), 0),
    'bayer_rggb8': (_mosaic('rggb'), PICTURE, 3),
    'bayer_bggr8': (_mosaic('bggr'), PICTURE, 3),
    'bayer_gbrg8': (_mosaic('gbrg'), PICTURE, 3),
    'bayer_grbg8': (_mosaic('grbg'), PICTURE, 3),
    'yuv422': (_packed_422(luma_first=False), PICTURE, 6),
    'uyvy': (_packed_422(luma_first=False), PICTURE, 6),
    'yuv422_yuy2': (_packed_422(luma_first=True), PICTURE, 6),
    'yuyv': (_packed_422(luma_first=True), PICTURE, 6),
    'nv12': (_planar_420(u_first=True), PICTURE, 8),
    'nv21': (_planar_420(u_first=False), PICTURE, 8),
    'mono16': (SIXTEEN[..., 1], np.dstack([SIXTEEN[..., 1]] * 3) / 65535, 1e-4),
    'rgb16': (SIXTEEN, SIXTEEN / 65535, 1e-4),
    'bgr16': (SIXTEEN[..., ::-1], SIXTEEN / 65535, 1e-4),
    '32FC1': (FLOATS[..., 1], np.dstack([FLOATS[..., 1]] * 3), 0),
    '32FC3': (FLOATS, FLOATS, 0),
}


def _message(encoding, rows, padding=0, big_endian=False, height=HEIGHT, width=WIDTH):
    """Publish an array's rows, each followed by `padding` bytes of rubbish."""
    if big_endian:
        rows = rows.astype(rows.dtype.newbyteorder('>'))
    plain = np.ascontiguousarray(rows).reshape(len(rows), -1).view(np.uint8)
    padded = np.hstack([plain, np.full((len(rows), padding), 0xAB, np.uint8)])
    return SimpleNamespace(
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(big_endian),
        step=padded.shape[1],
        data=bytearray(padded.tobytes()),
    )


def _refusal(message, max_pixels=MAX_PIXELS):
    """Decode what must be refused and give the error."""
    with pytest.raises(ImageError) as caught:
        decode_image(message, max_pixels)
    return caught.value


def test_every_encoding_that_is_read_has_a_case():
    assert set(CASES) == set(ENCODINGS)


@pytest.mark.parametrize('padding', [0, 5], ids=['tight', 'padded'])
@pytest.mark.parametrize('big_endian', [False, True], ids=['little', 'big'])
@pytest.mark.parametrize('encoding', CASES)
def test_an_encoding_gives_the_picture_back(encoding, big_endian, padding):
    rows, expected, loss = CASES[encoding]
    image = decode_image(_message(encoding, rows, padding, big_endian), HEIGHT * WIDTH)
    assert image.shape == (HEIGHT, WIDTH, 3)
    if rows.dtype == np.uint8:
        assert image.dtype == np.uint8
        difference = np.abs(image.astype(int) - expected)
    else:
        assert image.dtype == np.float32
        difference = np.abs(image - expected) * 255
    if encoding.startswith('bayer'):  # the border has no neighbours to interpolate from
        difference = difference[2:-2, 2:-2]
    assert difference.max() <= loss


def test_data_longer_than_the_picture_is_read_to_its_end():
    message = _message('rgb8', PICTURE)
    message.data.extend([1] * 100)
    np.testing.assert_array_equal(decode_image(message, MAX_PIXELS), PICTURE)


def test_a_single_pixel_is_an_image():
    image = decode_image(_message('mono8', np.full((1, 1), 9, np.uint8), height=1, width=1), 1)
    np.testing.assert_array_equal(image, np.full((1, 1, 3), 9))


@pytest.mark.parametrize('encoding', ['', '16UC1', 'RGB8', '8UC2', 'nv24', 'h264'])
def test_an_unknown_encoding_is_refused_with_those_that_are_read(encoding):
    error = _refusal(_message(encoding, PICTURE))
    assert error.reason == 'encoding'
    assert repr(encoding) in str(error) and 'nv12' in str(error)


@pytest.mark.parametrize('encoding', CASES)
@pytest.mark.parametrize('size', [(0, WIDTH), (HEIGHT, 0), (65, 64), (2**32 - 1, 2**32 - 1)])
def test_a_size_out_of_bounds_is_refused_before_anything_is_allocated(encoding, size):
    message = _message(encoding, CASES[encoding][0], height=size[0], width=size[1])
    tracemalloc.start()
    try:
        error = _refusal(message)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.reason == ('too_large' if all(size) else 'empty')
    assert f'{size[1]}x{size[0]}' in str(error)
    assert peak < 50_000


def test_the_limit_itself_is_allowed_and_named_where_exceeded():
    message = _message('rgb8', PICTURE)
    assert decode_image(message, HEIGHT * WIDTH).shape == PICTURE.shape
    error = _refusal(message, HEIGHT * WIDTH - 1)
    assert 'input.max_pixels = 767' in str(error)


@pytest.mark.parametrize(
    'encoding, size',
    [
        ('yuv422', (HEIGHT, WIDTH - 1)),
        ('yuyv', (HEIGHT, WIDTH - 1)),
        ('nv12', (HEIGHT, WIDTH - 1)),
        ('nv12', (HEIGHT - 1, WIDTH)),
    ],
)
def test_shared_colours_need_an_even_size(encoding, size):
    error = _refusal(_message(encoding, CASES[encoding][0], height=size[0], width=size[1]))
    assert error.reason == 'odd_size'
    assert 'even' in str(error)


@pytest.mark.parametrize('encoding', CASES)
def test_a_step_shorter_than_a_row_is_refused(encoding):
    message = _message(encoding, CASES[encoding][0])
    message.step -= 1
    error = _refusal(message)
    assert error.reason == 'step'
    assert f'step {message.step}' in str(error)


@pytest.mark.parametrize('encoding', CASES)
def test_data_that_ends_early_is_refused(encoding):
    message = _message(encoding, CASES[encoding][0])
    message.data.pop()
    error = _refusal(message)
    assert error.reason == 'short_data'
    assert f'{len(message.data)} bytes' in str(error)


def test_nv12_without_its_chroma_plane_is_refused():
    assert _refusal(_message('nv12', _planar_420(True)[:HEIGHT])).reason == 'short_data'


@pytest.mark.parametrize('encoding', ['32FC1', '32FC3'])
@pytest.mark.parametrize(
    'value, reason',
    [
        (np.nan, 'not_finite'),
        (np.inf, 'not_finite'),
        (-np.inf, 'not_finite'),
        (-0.01, 'range'),
        (1.01, 'range'),
        (255, 'range'),
    ],
)
def test_floats_that_are_no_colour_are_refused(encoding, value, reason):
    rows = CASES[encoding][0].copy()
    rows.flat[-1] = value
    assert _refusal(_message(encoding, rows)).reason == reason


SMALL = st.integers(0, 40)
UINT32 = SMALL | st.integers(0, 2**32 - 1)


@settings(deadline=None)
@given(
    st.sampled_from(ENCODINGS) | st.text(max_size=8),
    UINT32,
    UINT32,
    UINT32,
    st.integers(0, 255),
    st.binary(max_size=3000),
)
def test_any_message_gives_an_image_or_an_image_error(encoding, height, width, step, big, data):
    message = SimpleNamespace(
        height=height,
        width=width,
        encoding=encoding,
        step=step,
        is_bigendian=big,
        data=data,
    )
    try:
        image = decode_image(message, MAX_PIXELS)
    except ImageError as error:
        assert error.reason in REASONS
    else:
        assert image.shape == (height, width, 3)
        assert image.dtype in (np.uint8, np.float32)


@settings(deadline=None)
@given(st.sampled_from(ENCODINGS), st.integers(1, 12), st.integers(1, 12), st.data())
def test_any_data_of_a_good_header_gives_an_image_in_range(encoding, height, width, data):
    rows = CASES[encoding][0]
    step = width * (np.ascontiguousarray(rows).reshape(len(rows), -1).nbytes // len(rows) // WIDTH)
    count = step * (height * 3 // 2 if encoding.startswith('nv') else height)
    raw = data.draw(st.binary(min_size=count, max_size=count))
    message = SimpleNamespace(
        height=height, width=width, encoding=encoding, step=step, data=raw, is_bigendian=0
    )
    try:
        image = decode_image(message, MAX_PIXELS)
    except ImageError as error:
        assert error.reason in {'odd_size', 'not_finite', 'range'}
    else:
        assert image.shape == (height, width, 3)
        assert image.dtype == np.uint8 or (0 <= image.min() and image.max() <= 1)


CV_BRIDGE = """
import numpy, sys
from cv_bridge import CvBridge
from sensor_msgs.msg import Image
for encoding, size in [each.split(':') for each in sys.argv[1:]]:
    data = numpy.random.default_rng(0).integers(0, 256, 80 * int(size), dtype=numpy.uint8)
    message = Image(height=8, width=10, encoding=encoding, step=10 * int(size), data=bytes(data))
    target = 'rgb16' if '16' in encoding else 'rgb8'
    sys.stdout.buffer.write(CvBridge().imgmsg_to_cv2(message, target).tobytes())
"""
# Bytes of a pixel in what cv_bridge can convert too.
BRIDGED = {
    **dict.fromkeys(['rgb8', 'bgr8'], 3),
    **dict.fromkeys(['rgba8', 'bgra8'], 4),
    **dict.fromkeys(
        ['mono8', *(f'bayer_{name}8' for name in ('rggb', 'bggr', 'gbrg', 'grbg'))], 1
    ),
    'mono16': 2,
    **dict.fromkeys(['rgb16', 'bgr16'], 6),
}


def test_cv_bridge_converts_alike():
    # In a process of its own: built for another numpy, it ends it with a segmentation fault.
    arguments = [f'{encoding}:{size}' for encoding, size in BRIDGED.items()]
    bridged = subprocess.run(
        [sys.executable, '-c', CV_BRIDGE, *arguments], capture_output=True, check=False
    )
    if bridged.returncode:
        pytest.skip('cv_bridge is not installed, or does not work here')
    pictures = bridged.stdout
    for encoding, size in BRIDGED.items():
        data = np.random.default_rng(0).integers(0, 256, 80 * size, dtype=np.uint8).tobytes()
        fields = {'height': 8, 'width': 10, 'encoding': encoding, 'step': 10 * size}
        image = decode_image(SimpleNamespace(**fields, is_bigendian=0, data=data), 80)
        stored = np.uint16 if '16' in encoding else np.uint8
        theirs = np.frombuffer(pictures, stored, image.size).reshape(image.shape)
        pictures = pictures[theirs.nbytes :]
        ours = np.round(image * 65535) if stored is np.uint16 else image
        np.testing.assert_array_equal(ours, theirs, err_msg=encoding)
    assert not pictures
