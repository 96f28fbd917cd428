# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where fp32 is asked for torch rounds nothing to TF32, and keeps what a process has set."""

import subprocess
import sys
import threading

import pytest
import torch

from xstreamvggt_ros.ops import precision
from xstreamvggt_ros.ops.precision import exact_float32, exact_products

# What a process may have set, in torch's older words and its newer ones.
SETTINGS = [
    'pass',
    "torch.set_float32_matmul_precision('high')",
    "torch.set_float32_matmul_precision('medium')",
    'torch.backends.cudnn.allow_tf32 = False',
    'torch.backends.cuda.matmul.allow_tf32 = True',
    "torch.backends.fp32_precision = 'tf32'",
    "torch.backends.cudnn.conv.fp32_precision = 'ieee'",
    "torch.backends.mkldnn.matmul.fp32_precision = 'bf16'",
]
# Each in a process of its own: some of torch's settings cannot be taken back.
PROGRAM = """
import os
import sys
import torch
from xstreamvggt_ros.ops.precision import exact_float32

backends = torch.backends

def settings():
    found = {}
    for name, read in {
        'cudnn': lambda: backends.cudnn.allow_tf32,
        'matmul': lambda: backends.cuda.matmul.allow_tf32,
        'precision': torch.get_float32_matmul_precision,
        **{
            each: lambda each=each: eval(f'backends.{each}.fp32_precision')
            for each in ('cudnn.conv', 'cudnn.rnn', 'cuda.matmul', 'mkldnn.conv', 'mkldnn.matmul')
        },
    }.items():
        try:
            found[name] = read()
        except (AttributeError, RuntimeError) as error:
            found[name] = type(error).__name__
    return found

def check(setting):
    try:
        exec(setting)
    except AttributeError:
        return  # Newer words than this torch knows.
    before = settings()
    with exact_float32():
        within = settings()
        with exact_float32():
            pass
        assert settings() == within
    # The older words are refused where a process has used the newer ones.
    exact = (False, 'highest', 'ieee', 'AttributeError', 'RuntimeError')
    assert all(value in exact for value in within.values()), (setting, within)
    assert settings() == before, (setting, before, settings())

for setting in sys.stdin.read().splitlines():
    child = os.fork()
    if not child:
        check(setting)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, setting
"""


def test_every_setting_is_exact_within_and_as_it_was_afterwards():
    settings = '\n'.join(SETTINGS)
    subprocess.run(
        [sys.executable, '-c', PROGRAM], input=settings, text=True, check=True, timeout=120
    )


def test_settings_come_back_where_the_work_within_fails():
    before = torch.backends.cudnn.allow_tf32

    with pytest.raises(KeyError), exact_float32():
        raise KeyError

    assert torch.backends.cudnn.allow_tf32 == before


def test_two_threads_do_not_set_each_other_s_back():
    before, inside, done = torch.backends.cudnn.allow_tf32, threading.Event(), []

    def other():
        inside.wait()
        with exact_float32():
            done.append(torch.backends.cudnn.allow_tf32)

    thread = threading.Thread(target=other)
    thread.start()
    with exact_float32():
        inside.set()
        thread.join(0.05)
        assert not done
    thread.join()

    assert done == [False]
    assert torch.backends.cudnn.allow_tf32 == before


def test_weights_in_fewer_bits_leave_the_process_s_settings_alone():
    before = torch.backends.cudnn.allow_tf32

    with exact_products(torch.bfloat16):
        assert torch.backends.cudnn.allow_tf32 == before
    with exact_products(torch.float32):
        assert not torch.backends.cudnn.allow_tf32


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
def test_a_convolution_on_cuda_is_fp32_s():
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 64, 32, 32, generator=generator).cuda()
    kernel = torch.randn(64, 64, 3, 3, generator=generator).cuda()
    expected = torch.nn.functional.conv2d(image.double(), kernel.double())

    with exact_float32():
        actual = torch.nn.functional.conv2d(image, kernel)

    assert float((actual - expected).norm() / expected.norm()) < 1e-6


def test_a_switch_that_torch_does_not_take_back_keeps_no_other_from_it(monkeypatch, caplog):
    set_to = {'first': 'own', 'second': 'own'}

    def switch(name):
        def write(value):
            if name == 'first' and value == 'own':
                raise RuntimeError('mixed words')
            set_to[name] = value

        return precision._Switch(lambda: set_to[name], write, 'exact')

    monkeypatch.setattr(precision, '_switches', lambda: [switch('first'), switch('second')])
    with pytest.raises(ZeroDivisionError):
        with exact_float32():
            assert set_to == {'first': 'exact', 'second': 'exact'}
            raise ZeroDivisionError

    assert set_to['second'] == 'own'
    assert "precision 'own' back: mixed words" in caplog.text
