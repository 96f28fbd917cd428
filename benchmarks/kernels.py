# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Compile the kernels of a frame for every GPU, without one: python -m benchmarks.kernels.

What a frame launches is taken from a run on tensors without memory, as benchmarks.launches does;
each kernel is compiled for the compute capabilities asked for, and printed with the registers of a
thread, the bytes that spill from them, and the bytes of memory that a block's threads share.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
import re
import subprocess
import tempfile

import torch
from torch import Tensor
import triton
from triton.backends.compiler import GPUTarget
from triton.backends.nvidia.compiler import get_ptxas
from triton.compiler import ASTSource

from benchmarks.launches import frame_launches
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.ops.dispatch import Launch

# Ampere's server, desktop and Orin; Ada; Hopper.
CAPABILITIES = (80, 86, 87, 89, 90)
POLICIES = ('attention_value', 'query_key', 'frame_diversity', 'attention_coverage')
_POINTERS = {
    torch.float32: '*fp32',
    torch.bfloat16: '*bf16',
    torch.float16: '*fp16',
    torch.uint8: '*u8',
    torch.int32: '*i32',
    torch.int64: '*i64',
    torch.bool: '*i1',
}
_COMPILER_OPTIONS = ('num_warps', 'num_stages')


@dataclass(frozen=True)
class Compiled:
    """What a kernel takes on a device: registers a thread, spilled and shared bytes."""

    kernel: str
    capability: int
    registers: int
    spilled: int
    shared: int
    constants: str


def launches_of(
    preset: str, size: tuple[int, int], policies: tuple[str, ...], bits: int
) -> Iterator[Launch]:
    """Give each launch of a steady frame (H, W) that differs in more than numbers."""
    seen = set()
    config = CacheConfig.recommended().with_budget(budget_tokens=2048)
    for policy in policies:
        asked = replace(config, bits=bits, policy=policy)
        for launch in frame_launches(ModelConfig.preset(preset), asked, size):
            key = launch.name, str(_signature(launch)), str(_constants(launch))
            if key not in seen:
                seen.add(key)
                yield launch


def compiled(launch: Launch, capability: int) -> Compiled:
    """Compile a kernel as that launch has it."""
    options = {name: launch.options[name] for name in _COMPILER_OPTIONS if name in launch.options}
    source = ASTSource(
        fn=launch.kernel,
        signature=_signature(launch),
        constexprs=_constants(launch),
        attrs=_divisible(launch),
    )
    made = triton.compile(source, target=GPUTarget('cuda', capability, 32), options=options)
    registers, spilled = _registers(made.asm['ptx'], capability)
    constants = ', '.join(f'{name} {value}' for name, value in _constants(launch).items())
    return Compiled(launch.name, capability, registers, spilled, made.metadata.shared, constants)


def _signature(launch: Launch) -> dict[str, str]:
    names = iter(launch.kernel.arg_names)
    types = {name: _type(value) for name, value in zip(names, launch.arguments, strict=False)}
    return types | dict.fromkeys(_constants(launch), 'constexpr')


def _constants(launch: Launch) -> dict[str, object]:
    return {k: v for k, v in launch.options.items() if k not in _COMPILER_OPTIONS}


def _type(value: object) -> str:
    if isinstance(value, Tensor):
        return _POINTERS[value.dtype]
    return 'fp32' if isinstance(value, float) else 'i32'


def _divisible(launch: Launch) -> dict[tuple[int], list]:
    """Say what Triton finds out of arguments: which are multiples of 16."""
    return {
        (index,): [['tt.divisibility', 16]]
        for index, value in enumerate(launch.arguments)
        if isinstance(value, Tensor) or isinstance(value, int) and value % 16 == 0
    }


def _registers(ptx: str, capability: int) -> tuple[int, int]:
    """Ask the assembler what a thread takes: registers, and bytes spilled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'kernel.ptx'
        path.write_text(ptx)
        suffix = 'a' if capability >= 90 else ''
        command = [
            get_ptxas(capability).path,
            '-v',
            f'--gpu-name=sm_{capability}{suffix}',
            str(path),
            '-o',
            str(path.with_suffix('.cubin')),
        ]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    registers = int(re.search(r'Used (\d+) registers', told).group(1))
    spilled = sum(int(each) for each in re.findall(r'(\d+) bytes spill', told))
    return registers, spilled


def main() -> None:
    """Compile and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--preset', default='streamvggt')
    parser.add_argument('--size', type=int, nargs=2, default=(518, 392), metavar=('W', 'H'))
    parser.add_argument('--policies', nargs='+', default=POLICIES)
    parser.add_argument('--bits', type=int, default=4)
    parser.add_argument('--capabilities', type=int, nargs='+', default=CAPABILITIES)
    parser.add_argument('--once', action='store_true', help='each kernel with its first constants')
    options = parser.parse_args()
    print('| kernel | sm | registers | spilled, bytes | shared, bytes | constants |')
    print('|---|---|---|---|---|---|')
    seen = set()
    asked = options.preset, tuple(options.size[::-1]), tuple(options.policies), options.bits
    for launch in launches_of(*asked):
        if options.once and launch.name in seen:
            continue
        seen.add(launch.name)
        for capability in options.capabilities:
            made = compiled(launch, capability)
            print(
                f'| {made.kernel} | {made.capability} | {made.registers} | {made.spilled} | '
                f'{made.shared} | {made.constants} |',
                flush=True,
            )


if __name__ == '__main__':
    main()
