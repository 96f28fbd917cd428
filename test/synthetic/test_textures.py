# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from xstreamvggt_ros.synthetic.textures import LEVELS, SIZE, texture_library, VARIANTS


@pytest.fixture(scope='module')
def library():
    return texture_library(0)


def sample(library, name, uv, footprint):
    index = torch.full((len(uv),), library.indices(name)[0])
    return library.sample(index, *uv.T, torch.full((len(uv),), footprint)).T


def test_holds_every_pattern_within_range(library):
    assert set(library.names) == {pattern.__name__ for pattern in VARIANTS}
    assert torch.isfinite(library.texels).all()
    assert library.texels.min() >= 0 and library.texels[:, 3].max() <= 1


@pytest.mark.parametrize('footprint', [1 / SIZE, 5 / SIZE])
def test_repeats_without_a_seam(library, footprint):
    uv = torch.rand(500, 2, generator=torch.Generator().manual_seed(0))
    uv[:100, 0] = 0.0001
    for name in ('bricks', 'planks', 'concrete'):
        here = sample(library, name, uv, footprint)
        assert torch.allclose(
            here, sample(library, name, uv + torch.tensor([2.0, -3.0]), footprint), atol=0.05
        )


def test_seen_from_afar_only_the_mean_is_left(library):
    uv = torch.rand(4000, 2, generator=torch.Generator().manual_seed(0))
    near, far = (sample(library, 'bricks', uv, each / SIZE) for each in (1.0, 2.0 ** (LEVELS - 1)))
    assert torch.allclose(near.mean(0), far.mean(0), atol=0.03)
    assert far.std(0).max() < 0.4 * near.std(0).max()


def test_detail_at_several_scales(library):
    """Walls and grounds have contrast in every octave, as a camera coming closer expects."""
    uv = torch.rand(4000, 2, generator=torch.Generator().manual_seed(0))
    for name in ('concrete', 'asphalt', 'grass', 'plaster'):
        levels = [sample(library, name, uv, 2.0**level / SIZE)[:, 1] for level in range(5)]
        octaves = [(a - b).std() for a, b in zip(levels, levels[1:], strict=False)]
        assert min(octaves) > 0.002


def test_unknown_name_is_refused(library):
    with pytest.raises(ValueError, match="no texture 'lava'"):
        library.indices('lava')
