# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Hostile messages, parameters, checkpoints and snapshots, drawn from a seed.

``python test/support/fuzz.py --seed 0 --scale 100`` (``make fuzz``) runs all four for minutes and
prints how many were tried and what became of them; it exits with 1 where anything got through.
"""

from __future__ import annotations

import argparse
from array import array
from collections import Counter
from dataclasses import dataclass, field
import io
import logging
from pathlib import Path
import random
import struct
import sys
import tempfile

import numpy as np
from PIL import Image as PillowImage
from rcl_interfaces.msg import Parameter, ParameterValue
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
from shapes import SMALLEST
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.images.decoding import ENCODINGS
from xstreamvggt_ros.model import CheckpointError, load_checkpoint, load_random_weights, StreamVGGT
from xstreamvggt_ros.parameters import PARAMETERS
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.stream.snapshots import read_snapshot, save_snapshot

INFO = '/reconstruction/depth/camera_info'
SIDES = (0, 1, 2, 14, 42, 56, 57, 4000, 2**31 - 1, 2**32 - 1)
NUMBERS = (0.0, -1.0, 1e-320, 1.0, 1e9, 1e308, float('inf'), float('nan'))
WORDS = ('', '/', '//x', 'map', 'a b', 'x\n[FATAL] y', '\x1b[31m', '{robot}', 'ä', 'x' * 300, '~')
# What no camera has, and would flood the log.
LONG_WORD, MANY = 'ä\n' * 500_000, 1_000_000
LONGEST_LINE = 5000
LOG = logging.getLogger('fuzz')


@dataclass
class Figures:
    """What became of what was tried, and what should not have."""

    what: str
    tried: int = 0
    became: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        became = ', '.join(f'{word} {count}' for word, count in sorted(self.became.items()))
        wrong = '; '.join(self.wrong[:3]) or 'nothing'
        return f'{self.what}: {self.tried} tried ({became}); got through: {wrong}'


def hostile_image(draw: random.Random) -> Image:
    """Draw an image whose header and data need not fit together."""
    height, width = draw.choice(SIDES), draw.choice(SIDES)
    message = Image(
        height=height, width=width, encoding=draw.choice((*ENCODINGS, *WORDS, LONG_WORD, '64FC4'))
    )
    message.step = draw.choice((0, 1, width % 10_000, 3 * width % 2**32, 2**32 - 1))
    message.is_bigendian = draw.choice((0, 1, 255))
    message.data = draw.randbytes(draw.choice((0, 1, 100, 7056, 20_000)))
    _hostile_header(draw, message.header)
    return message


def hostile_compressed(draw: random.Random) -> CompressedImage:
    """Draw a JPEG or PNG, of 8 or 16 bits, with bytes changed, cut or repeated."""
    buffer = io.BytesIO()
    pixels = np.frombuffer(draw.randbytes(42 * 56 * 3), np.uint8).reshape(42, 56, 3)
    kind = draw.choice(('JPEG', 'PNG'))
    if kind == 'PNG' and draw.random() < 0.5:
        pixels = pixels[..., :2].copy().view(np.uint16)[..., 0]
    PillowImage.fromarray(pixels).save(buffer, kind)
    told = draw.choice(
        ('jpeg', 'rgb8; png compressed rgb8', 'bayer_rggb8; jpeg compressed', *WORDS, LONG_WORD)
    )
    message = CompressedImage(format=told, data=damaged(draw, buffer.getvalue()))
    _hostile_header(draw, message.header)
    return message


def hostile_calibration(draw: random.Random) -> CameraInfo:
    """Draw a calibration of numbers that no camera has."""
    info = CameraInfo(height=draw.choice(SIDES), width=draw.choice(SIDES))
    info.distortion_model = draw.choice(('plumb_bob', 'equidistant', *WORDS, LONG_WORD))
    info.k = [draw.choice(NUMBERS) for _ in range(9)]
    info.p = [draw.choice(NUMBERS) for _ in range(12)]
    info.d = [draw.choice(NUMBERS) for _ in range(draw.randrange(15))]
    if draw.random() < 0.1:
        info.d = array('d', [1.0]) * MANY
    info.binning_x = draw.choice((0, 1, 2, 2**32 - 1))
    if draw.random() < 0.5:
        sides = ('x_offset', 'y_offset', 'width', 'height')
        info.roi = RegionOfInterest(**{side: draw.choice(SIDES) for side in sides})
    return info


def damaged(draw: random.Random, data: bytes) -> bytes:
    """Change a few bytes, cut, or repeat a piece."""
    changed = bytearray(data)
    for _ in range(draw.choice((0, 1, 3, 30))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    kind = draw.randrange(4)
    if kind == 0:
        return bytes(changed[: draw.randrange(len(changed))])
    if kind == 1:
        begin = draw.randrange(len(changed))
        return bytes(changed[:begin] + changed[begin : begin + 500] * 3 + changed[begin:])
    return bytes(changed)


def fuzz_messages(rig, draw: random.Random, rounds: int, compressed: bool = False) -> Figures:
    """Send hostile images and calibrations among valid ones, each of which has to be answered."""
    from ros_rig import image_message, picture

    figures = Figures('compressed messages' if compressed else 'messages')
    draw_image = hostile_compressed if compressed else hostile_image
    topic = '/image/compressed' if compressed else '/image'
    infos = rig.collect(CameraInfo, INFO)
    for turn in range(rounds):
        hostile = [draw_image(draw) for _ in range(draw.randrange(1, 4))]
        rig.publish(*hostile, topic=topic)
        rig.publish(hostile_calibration(draw), topic='/camera_info')
        figures.tried += len(hostile) + 1
        valid = image_message(picture(turn), 1.0e6 + turn / 10, f'valid_{turn}')
        if compressed:
            valid = _compressed(valid, picture(turn))
        rig.publish(valid, topic=topic)
        rig.wait(
            lambda turn=turn: any(each.header.frame_id == f'valid_{turn}' for each in infos),
            f'an answer to the valid image after {hostile}'[:2000],
        )
        del infos[:]
    rig.wait(
        lambda: (
            rig.counts().received == rig.counts().processed + sum(rig.counts().dropped.values())
        ),
        'every image to be counted',
    )
    counts = rig.counts()
    figures.became.update({'answered': counts.processed, **counts.dropped})
    if 'unexpected' in counts.dropped:
        figures.wrong.append(f'{counts.dropped["unexpected"]} unexpected errors')
    figures.wrong += [line for line in rig.log() if 'Traceback' in line or '\n[FATAL]' in line]
    long = max(len(line) for line in rig.log())
    if long > LONGEST_LINE:
        figures.wrong.append(f'a line of the log has {long} characters')
    return figures


def fuzz_parameters(rig, draw: random.Random, rounds: int) -> Figures:
    """Set parameters to whatever there is; each is answered, and the node lives on."""
    figures = Figures('parameters')
    for _ in range(rounds):
        spec = PARAMETERS[draw.choice(list(PARAMETERS))]
        value = draw.choice(
            (
                ParameterValue(type=draw.randrange(256)),
                ParameterValue(type=draw.randrange(10)),
                *NUMBERS,
                *WORDS,
                *spec.choices,
                *[each for each in (spec.minimum, spec.maximum) if each is not None],
                draw.randrange(-(2**40), 2**40),
                True,
                [draw.choice(WORDS)],
                spec.default,
            )
        )
        if isinstance(value, ParameterValue):
            result = rig.set_raw(Parameter(name=spec.name, value=value))
        else:
            result = rig.set(spec.name, value)
        figures.tried += 1
        figures.became['set' if result.successful else 'refused'] += 1
        if not result.successful and not result.reason:
            figures.wrong.append(f'{spec.name} = {value!r} refused without a reason')
    if rig.state() != 'active':
        figures.wrong.append(f'the node is {rig.state()}')
    figures.wrong += [line for line in rig.log() if 'Traceback' in line]
    return figures


def fuzz_checkpoints(draw: random.Random, rounds: int) -> Figures:
    """Damage checkpoints: they load, or are refused by a CheckpointError."""
    figures, model = Figures('checkpoints'), StreamVGGT(SMALLEST)
    load_random_weights(model)
    with tempfile.TemporaryDirectory() as folder:
        from safetensors.torch import save_file

        whole = Path(folder) / 'whole.safetensors', Path(folder) / 'whole.pth'
        save_file(model.state_dict(), whole[0])
        torch.save(model.state_dict(), whole[1])
        contents = {file.suffix: file.read_bytes() for file in whole}
        for _ in range(rounds):
            suffix = draw.choice(list(contents))
            file = Path(folder) / f'damaged{suffix}'
            file.write_bytes(_head_damaged(draw, contents[suffix]))
            figures.tried += 1
            try:
                load_checkpoint(StreamVGGT(SMALLEST), file)
                figures.became['loaded'] += 1
            except CheckpointError:
                figures.became['refused'] += 1
            except Exception as error:  # noqa: BLE001 that is what is looked for
                figures.wrong.append(f'{suffix}: {error!r}')
    return figures


def fuzz_snapshots(draw: random.Random, rounds: int) -> Figures:
    """Damage snapshots: they are refused by a ValueError, or the stream goes on."""
    figures, model = Figures('snapshots'), StreamVGGT(SMALLEST)
    load_random_weights(model)
    config = CacheConfig(budget_tokens=200, bits=4)
    stream = StreamingReconstructor(model, config)
    image = torch.rand(3, 28, 42, generator=torch.Generator().manual_seed(0))
    stream.step(image)
    with tempfile.TemporaryDirectory() as folder:
        from safetensors.torch import save_file

        whole = save_snapshot(Path(folder) / 'whole.safetensors', stream).read_bytes()
        file = Path(folder) / 'damaged.safetensors'
        state = stream.state_dict()
        for _ in range(rounds):
            if draw.randrange(2):
                file.write_bytes(_head_damaged(draw, whole))
            else:
                save_file(_lying(draw, state), file)
            figures.tried += 1
            try:
                stream.load_state_dict(read_snapshot(file))
            except ValueError:
                figures.became['refused'] += 1
                continue
            except Exception as error:  # noqa: BLE001 that is what is looked for
                figures.wrong.append(repr(error))
                continue
            figures.became['loaded'] += 1
            try:
                size = stream.state_dict()['image_size'].tolist()
                stream.step(torch.zeros(3, *size) if any(size) else image)
                stream.load_state_dict(stream.state_dict())
            except Exception as error:  # noqa: BLE001 that is what is looked for
                figures.wrong.append(f'loaded, but then {error!r}')
    return figures


def _lying(draw: random.Random, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Give one or two tensors of a saved stream other numbers of their own type."""
    lies = {}
    for name in draw.sample(sorted(state), draw.choice((1, 2))):
        values = state[name].clone().flatten()
        whole = (0, 1, -1, 5, 14, 28, 14000, 2**7 - 1, 2**31 - 1, 2**31, 2**40, 2**62)
        # As its type rounds or wraps it.
        drawn = torch.tensor(draw.choice(NUMBERS if values.is_floating_point() else whole))
        first, count = draw.randrange(len(values)), draw.choice((1, len(values)))
        values[first : first + count] = drawn.to(values.dtype)
        lies[name] = values.reshape(state[name].shape)
    return {**state, **lies}


def _hostile_header(draw: random.Random, header) -> None:
    header.frame_id = draw.choice(('valid', *WORDS))
    header.stamp.sec = draw.choice((0, -(2**31), 1, 10**6, 2**31 - 1))
    header.stamp.nanosec = draw.choice((0, 1, 10**9 - 1, 2**32 - 1))


def _compressed(valid: Image, pixels: np.ndarray) -> CompressedImage:
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, 'PNG')
    return CompressedImage(header=valid.header, format='png', data=buffer.getvalue())


def _head_damaged(draw: random.Random, data: bytes) -> bytes:
    """Damage a file, its head more often than its long tail of numbers."""
    head = draw.choice((8, 200, 4000, len(data)))
    changed = damaged(draw, data[:head]) + data[head:]
    if draw.randrange(4) == 0 and len(changed) > 8:
        # A length that lies.
        changed = struct.pack('<Q', draw.choice((0, 1, 2**20, 2**62))) + changed[8:]
    return changed


def main(arguments: list[str]) -> int:
    """Run all of it; 1 where anything got through."""
    from ros_rig import Rig

    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--scale', type=int, default=100, help='1 takes a few seconds')
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    draw, scale = random.Random(options.seed), options.scale
    runs = [fuzz_checkpoints(draw, 20 * scale), fuzz_snapshots(draw, 20 * scale)]
    for compressed in (False, True):
        rig = Rig({'input.image_transport': 'compressed' if compressed else 'raw'})
        try:
            assert rig.change('configure', 'activate'), rig.log()
            runs.append(fuzz_messages(rig, draw, 20 * scale, compressed))
            if not compressed:
                runs.append(fuzz_parameters(rig, draw, 50 * scale))
        finally:
            rig.close()
    for figures in runs:
        LOG.info('%s', figures)
    return int(any(figures.wrong for figures in runs))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
