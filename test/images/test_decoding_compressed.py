# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG and PNG streams, whole, hostile and damaged."""

import io
import struct
import tracemalloc
from types import SimpleNamespace
import zlib

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
import pytest

from xstreamvggt_ros.images.decoding_compressed import decode_compressed, decode_picture
from xstreamvggt_ros.images.errors import ImageError

HEIGHT, WIDTH = 24, 32
MAX_PIXELS = HEIGHT * WIDTH
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
PICTURE = np.stack([40 + 5 * COLUMNS, 220 - 4 * ROWS, 60 + 2 * ROWS], axis=-1).astype(np.uint8)
SIXTEEN = PICTURE.astype(np.uint16) * 257 + 3


def _message(stream, image_format='rgb8; jpeg compressed bgr8'):
    return SimpleNamespace(format=image_format, data=stream)


def _stream(picture, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def _sixteen_bit_png(picture):
    """Encode RGB or grey uint16; OpenCV wants colours as BGR."""
    return cv2.imencode('.png', picture[..., ::-1] if picture.ndim == 3 else picture)[1].tobytes()


def _refusal(message, max_pixels=MAX_PIXELS):
    with pytest.raises(ImageError) as caught:
        decode_compressed(message, max_pixels)
    return caught.value


def _chunk(name, body):
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))


def _png_header(height, width, depth=8):
    return _chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, 2, 0, 0, 0))


def _inserted(stream, chunk):
    """Put a chunk behind a PNG's header."""
    end_of_header = 8 + len(_png_header(1, 1))
    return stream[:end_of_header] + chunk + stream[end_of_header:]


def _turned(stream, orientation):
    """Write an EXIF orientation into a PNG, which OpenCV cannot."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return _inserted(stream, _chunk(b'eXIf', exif.tobytes().removeprefix(b'Exif\0\0')))


def _huge_png(height, width, depth=8):
    """Write a short PNG whose header claims a huge picture."""
    body = zlib.compress(b'\0' * 1000)
    header = _png_header(height, width, depth)
    return b'\x89PNG\r\n\x1a\n' + header + _chunk(b'IDAT', body) + _chunk(b'IEND', b'')


def test_a_png_comes_back_exactly():
    image = decode_compressed(_message(_stream(PICTURE, 'PNG')), MAX_PIXELS)
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    np.testing.assert_array_equal(image, PICTURE)


def test_a_jpeg_comes_back_in_rgb():
    image = decode_compressed(_message(_stream(PICTURE, 'JPEG', quality=95)), MAX_PIXELS)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - PICTURE).max() <= 6


def test_a_grey_stream_has_three_equal_channels():
    image = decode_compressed(_message(_stream(PICTURE[..., 0], 'PNG')), MAX_PIXELS)
    np.testing.assert_array_equal(image, np.dstack([PICTURE[..., 0]] * 3))


def test_alpha_is_dropped():
    with_alpha = np.dstack([PICTURE, np.full((HEIGHT, WIDTH), 7, np.uint8)])
    image = decode_compressed(_message(_stream(with_alpha, 'PNG')), MAX_PIXELS)
    np.testing.assert_array_equal(image, PICTURE)


def test_sixteen_bit_colours_keep_their_precision():
    image = decode_compressed(_message(_sixteen_bit_png(SIXTEEN)), MAX_PIXELS)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, SIXTEEN / 65535, atol=1e-6)


def test_sixteen_bit_grey_has_three_equal_channels():
    image = decode_compressed(_message(_sixteen_bit_png(SIXTEEN[..., 0])), MAX_PIXELS)
    np.testing.assert_allclose(image, np.dstack([SIXTEEN[..., 0] / 65535] * 3), atol=1e-6)


def test_exif_orientation_is_ignored():
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    image = decode_compressed(_message(_stream(PICTURE, 'JPEG', exif=exif)), MAX_PIXELS)
    assert image.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(
        decode_compressed(_message(_stream(PICTURE, 'PNG', exif=exif)), MAX_PIXELS), PICTURE
    )
    deep = decode_compressed(_message(_turned(_sixteen_bit_png(SIXTEEN), 6)), MAX_PIXELS)
    np.testing.assert_allclose(deep, SIXTEEN / 65535, atol=1e-6)


@pytest.mark.parametrize(
    'stream', [_stream(PICTURE, 'PNG'), _stream(PICTURE, 'JPEG'), _sixteen_bit_png(SIXTEEN)]
)
def test_a_stream_above_the_limit_is_refused(stream):
    error = _refusal(_message(stream), MAX_PIXELS - 1)
    assert error.reason == 'too_large'
    assert f'input.max_pixels = {MAX_PIXELS - 1}' in str(error)


@pytest.mark.filterwarnings('ignore::PIL.Image.DecompressionBombWarning')
@pytest.mark.parametrize('depth', [8, 16])
@pytest.mark.parametrize('side', [1000, 10_000, 60_000])
def test_a_bomb_is_refused_by_its_header(side, depth):
    message = _message(_huge_png(side, side, depth))
    tracemalloc.start()
    try:
        error = _refusal(message)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.reason == 'too_large'
    assert peak < 500_000


@pytest.mark.parametrize('depth', [8, 16])
def test_a_second_header_does_not_get_a_bomb_past_the_limit(depth):
    stream = _huge_png(20_000, 20_000, depth)
    small_again = _inserted(stream, _png_header(8, 8, depth))
    assert _refusal(_message(small_again)).reason in {'malformed', 'too_large'}


@pytest.mark.parametrize('depth', [8, 16])
@pytest.mark.parametrize('kind', [b'IDAT', b'tEXt', b'IEND'])
def test_a_chunk_that_claims_more_than_the_data_is_refused_undecoded(depth, kind, monkeypatch):
    # OpenCV would allocate, and fill, the 4 GiB first.
    monkeypatch.setattr(cv2, 'imdecode', None)
    header = _png_header(8, 8, depth)
    claims = b'\x89PNG\r\n\x1a\n' + header + struct.pack('>I', 0xFFFFFFF0) + kind
    assert len(claims) == 41
    assert _refusal(_message(claims)).reason == 'malformed'


def test_opencv_is_given_nothing_behind_the_end_of_a_png(monkeypatch):
    given = []
    monkeypatch.setattr(cv2, 'imdecode', lambda data, flags: given.append(data.tobytes()))
    stream, end = _sixteen_bit_png(SIXTEEN), _chunk(b'IEND', b'')
    claims = struct.pack('>I', 0xFFFFFFF0) + b'IDAT'
    _refusal(_message(stream + claims))
    _refusal(_message(_inserted(stream, end + claims)))
    assert given == [stream, _inserted(stream, end)[: 8 + len(_png_header(1, 1)) + len(end)]]


@pytest.mark.parametrize('stream', [_stream(PICTURE, 'PNG'), _sixteen_bit_png(SIXTEEN)])
@pytest.mark.parametrize(
    'chunk',
    [
        _chunk(b'acTL', struct.pack('>II', 2, 0)),
        _chunk(b'fcTL', struct.pack('>5I2H2B', 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)),
    ],
    ids=['control', 'frame'],
)
def test_an_animated_png_is_refused_with_a_sentence(stream, chunk, monkeypatch):
    # Damaged ones could end the process in OpenCV.
    monkeypatch.setattr(cv2, 'imdecode', None)
    animated = _inserted(stream, chunk)
    refusal = _refusal(_message(animated, 'png'))
    assert refusal.reason == 'malformed'
    assert "format 'png'" in str(refusal) and 'an animated PNG' in str(refusal)
    with pytest.raises(ImageError, match=r"'\.png'.* an animated PNG"):
        decode_picture(animated, '.png', MAX_PIXELS)


def test_a_png_of_more_chunks_than_a_picture_has_is_refused(monkeypatch):
    monkeypatch.setattr('xstreamvggt_ros.images.compressed_format.MAX_CHUNKS', 5)
    stream = _sixteen_bit_png(SIXTEEN)
    assert decode_compressed(_message(stream), MAX_PIXELS).shape == (HEIGHT, WIDTH, 3)
    many = _inserted(stream, 5 * _chunk(b'tEXt', b'a\0b'))
    assert 'more than 5 chunks' in str(_refusal(_message(many)))


def test_a_mosaic_in_a_jpeg_is_refused():
    error = _refusal(_message(_stream(PICTURE[..., 0], 'JPEG'), 'bayer_rggb8; jpeg compressed '))
    assert error.reason == 'encoding'
    assert 'bayer_rggb8' in str(error)


@pytest.mark.parametrize(
    'stream',
    [
        b'',
        b'not an image',
        b'\x89PNG\r\n\x1a\n',
        _stream(PICTURE, 'BMP'),
        _stream(PICTURE, 'JPEG')[:-40],
        _stream(PICTURE, 'PNG')[:-40],
        _sixteen_bit_png(SIXTEEN)[:-400],
    ],
    ids=['empty', 'text', 'signature', 'bmp', 'cut jpeg', 'cut png', 'cut 16-bit png'],
)
def test_what_is_no_whole_jpeg_or_png_is_refused(stream):
    error = _refusal(_message(stream, 'jpeg'))
    assert error.reason == 'malformed'
    assert "'jpeg'" in str(error)


@pytest.mark.parametrize(
    'stream', [_stream(PICTURE, 'JPEG'), _stream(PICTURE, 'PNG'), _sixteen_bit_png(SIXTEEN)]
)
@settings(deadline=None)
@given(places=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1))
def test_a_damaged_stream_gives_an_image_or_an_image_error(stream, places):
    damaged = bytearray(stream)
    for place, value in places:
        damaged[place % len(damaged)] = value
    try:
        image = decode_compressed(_message(bytes(damaged)), 4 * MAX_PIXELS)
    except ImageError:
        return
    assert image.ndim == 3 and image.shape[2] == 3
    assert image.shape[0] * image.shape[1] <= 4 * MAX_PIXELS


@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_file_comes_out_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = _stream(PICTURE, 'PNG', exif=exif)
    upright = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(stream))))
    np.testing.assert_array_equal(decode_picture(stream, '.png', MAX_PIXELS), upright)
    deep = decode_picture(_turned(_sixteen_bit_png(SIXTEEN), orientation), '.png', MAX_PIXELS)
    np.testing.assert_allclose(deep, (upright.astype(np.uint16) * 257 + 3) / 65535, atol=1e-6)


def test_sixteen_bits_of_any_format_are_scaled_by_their_depth():
    stream = _stream(SIXTEEN[..., 0], 'TIFF')
    expected = np.dstack([SIXTEEN[..., 0] / 65535] * 3)
    image = decode_picture(stream, '.tif', MAX_PIXELS)
    np.testing.assert_allclose(image, expected, atol=1e-6)
    with pytest.raises(ImageError, match='32 bits a pixel'):
        decode_picture(_stream(PICTURE[..., 0].astype(np.float32), 'TIFF'), '.tif', MAX_PIXELS)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
@pytest.mark.parametrize(
    ('told', 'swapped'),
    [
        ('jpeg', False),
        ('rgb8; jpeg compressed bgr8', False),
        ('bgr8; jpeg compressed bgr8', False),
        ('rgb8; jpeg compressed rgb8', True),
        ('bgr8; png compressed rgb8', True),
        ('rgba8; png compressed rgba8', True),
        ('rgb8; jpeg compressed ', False),
        ('mono8; jpeg compressed mono8', False),
    ],
)
def test_the_pixel_format_behind_compressed_decides_red_and_blue(kind, told, swapped):
    stream = _stream(PICTURE, kind, **({'quality': 95} if kind == 'JPEG' else {}))
    decoded = decode_compressed(_message(stream, told), MAX_PIXELS).astype(int)
    expected = PICTURE[..., ::-1] if swapped else PICTURE
    assert np.abs(decoded - expected).mean() < 3


@pytest.mark.parametrize(
    ('told', 'grey', 'refused'),
    [
        ('bayer_rggb8; png compressed', PICTURE[..., 0], True),
        ('bayer_rggb16; png compressed', SIXTEEN[..., 0], True),
        ('bayer_rggb16; png compressed bayer_rggb16', SIXTEEN[..., 0], True),
        ('bayer_rggb8; jpeg compressed bgr8', PICTURE, False),
        ('mono16; png compressed mono16', SIXTEEN[..., 0], False),
    ],
)
def test_a_compressed_mosaic_is_never_taken_for_grey(told, grey, refused):
    stream = _sixteen_bit_png(grey) if grey.dtype == np.uint16 else _stream(grey, 'PNG')
    message = _message(stream, told)
    if not refused:
        assert decode_compressed(message, MAX_PIXELS).shape == (HEIGHT, WIDTH, 3)
    else:
        assert _refusal(message).reason == 'encoding'


@pytest.mark.parametrize(
    ('stream', 'name'),
    [
        (_stream(PICTURE, 'WEBP'), 'WebP'),
        (_stream(PICTURE, 'TIFF'), 'TIFF'),
        (b'\0\0\0\x01\x67\x42', 'video'),
        (b'hello there', "begins with b'hello"),
        (b'', 'empty'),
    ],
)
def test_formats_that_are_not_read_are_named(stream, name):
    refusal = _refusal(_message(stream, 'h264'))
    assert refusal.reason == 'malformed'
    assert name in str(refusal) and "'h264'" in str(refusal)
    assert 'BytesIO' not in str(refusal)


@pytest.mark.parametrize('length', [8, 12, 40])
@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_a_damaged_stream_is_told_of_without_python_s_objects(kind, length):
    refusal = _refusal(_message(_stream(PICTURE, kind)[:length]))
    assert refusal.reason == 'malformed' and '<' not in str(refusal)


def test_a_png_whose_bytes_look_like_scans_is_read():
    # By chance every 65,536 bytes of a large picture do.
    notes = PngInfo()
    notes.add_text('noise', 200 * '\xff\xda')
    stream = _stream(PICTURE, 'PNG', pnginfo=notes)
    assert stream.count(b'\xff\xda') >= 200
    decoded = decode_compressed(_message(stream, 'rgb8; png compressed bgr8'), MAX_PIXELS)
    np.testing.assert_array_equal(decoded, PICTURE)


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded():
    stream = _stream(np.tile(PICTURE, (8, 8, 1)), 'JPEG', progressive=True)
    large = 8 * HEIGHT * 8 * WIDTH
    assert decode_compressed(_message(stream), large).shape == (8 * HEIGHT, 8 * WIDTH, 3)
    begin = stream.rindex(b'\xff\xda')
    scan = stream[begin : stream.rindex(b'\xff\xd9')]
    hostile = stream[:begin] + 3000 * scan + b'\xff\xd9'

    refusal = _refusal(_message(hostile), large)
    assert refusal.reason == 'malformed' and 'scans' in str(refusal)
    assert decode_picture(stream, '.jpg', large).shape == (8 * HEIGHT, 8 * WIDTH, 3)
    with pytest.raises(ImageError, match=r"'\.jpg' has 30\d\d scans"):
        decode_picture(hostile, '.jpg', large)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'BMP', 'TIFF', 'WEBP', 'PPM'])
def test_a_file_may_have_any_of_these_formats(kind):
    image = decode_picture(_stream(PICTURE, kind), '.any', MAX_PIXELS)
    assert np.abs(image.astype(int) - PICTURE).mean() < 3


@pytest.mark.parametrize('kind', ['EPS', 'GIF', 'JPEG2000', 'TGA'])
def test_a_file_of_another_format_is_refused_whatever_it_is_called(kind):
    stream = _stream(PICTURE, kind)
    with pytest.raises(ImageError, match=r"'\.png' does not decode"):
        decode_picture(stream, '.png', MAX_PIXELS)
