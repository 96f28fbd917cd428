# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Learning, going on after a stop, and what is shipped in the end."""

from dataclasses import asdict, replace
import json
import math

import numpy as np
import pytest
from safetensors import safe_open
from shapes import SMALLEST
import torch

from xstreamvggt_ros.model import load_checkpoint, ModelConfig, StreamVGGT
from xstreamvggt_ros.model.aggregator import IMAGE_MEAN, IMAGE_STD
from xstreamvggt_ros.model.network import FrameCausal
from xstreamvggt_ros.training.batches import make_batch
from xstreamvggt_ros.training.causal import MaskedCausal
from xstreamvggt_ros.training.config import LossConfig, RECIPES, Stage, TrainingConfig
from xstreamvggt_ros.training.draws import draw
from xstreamvggt_ros.training.evaluation import answer, figures, held_out
from xstreamvggt_ros.training.export import Export
from xstreamvggt_ros.training.initialisation import even_out_patches, initialise, with_positions_of
from xstreamvggt_ros.training.journal import Journal
from xstreamvggt_ros.training.loop import train
from xstreamvggt_ros.training.prerender import prerender
from xstreamvggt_ros.training.schedule import Steps
from xstreamvggt_ros.training.shards import ShardFolder
from xstreamvggt_ros.training.ship import ship
from xstreamvggt_ros.training.sources import ShardSource
from xstreamvggt_ros.training.stepping import StepOutcome
from xstreamvggt_ros.training.trainer import learning_rate, Trainer

CONFIG = TrainingConfig(
    stages=(Stage(1.0, (42, 56), ((2, 3),), (1, 1)),), steps=100, warmup=5, lr=2e-3, ema_every=2
)


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    folder = ShardFolder(tmp_path_factory.mktemp('shards'))
    prerender(folder, 0, 1, most=4, size=(48, 64), frames=4)
    return ShardSource(folder)


def a_trainer(config=CONFIG):
    model = StreamVGGT(SMALLEST)
    initialise(model, seed=3)
    return Trainer(model, config)


def test_overfits_one_sequence(source):
    only = replace(CONFIG, stages=(Stage(1.0, (42, 56), ((1, 3),), (1, 1)),), depth_share=1.0)
    trainer = a_trainer(only)
    batch = _one_batch(source, only)
    order, reports = torch.randperm(3, generator=torch.Generator().manual_seed(0)), []
    for _ in range(60):
        losses = trainer.objective.losses(batch, batch.images, order, trainer.stage)
        total = trainer.objective.total(losses)
        gradients = torch.autograd.grad(total, trainer.optimisers.parameters, allow_unused=True)
        detached = {name: value.detach() for name, value in losses.items()}
        reports.append(trainer.learn(StepOutcome(detached, list(gradients))))
    assert reports[-1]['camera'] < 0.3 * reports[0]['camera']
    assert reports[-1]['depth'] < 0.5 * reports[0]['depth']
    assert reports[-1]['points'] < 0.7 * reports[0]['points']


def test_a_stage_of_guidance_trains_the_first_pairs_alone(source):
    stage = replace(CONFIG.stages[0], pairs=1)
    trainer = a_trainer(replace(CONFIG, stages=(stage,), loss=LossConfig(guided_blocks=(0,))))
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    report = trainer.advance(source)
    changed = {
        name for name, value in trainer.model.state_dict().items() if not value.equal(before[name])
    }
    assert any(name.startswith('aggregator.global_blocks.0') for name in changed)
    assert not any('_blocks.1.' in name or '_head' in name for name in changed)
    assert {'poses', 'patches', 'matching'} < report.keys()
    assert not {'camera', 'depth', 'points'} & report.keys()


def test_no_block_need_be_guided(source):
    trainer = a_trainer(replace(CONFIG, loss=LossConfig(guided_blocks=())))
    report = trainer.advance(source)
    assert {'camera', 'depth', 'points', 'poses', 'patches'} < report.keys()
    assert 'matching' not in report
    assert math.isfinite(report['loss'])


def _one_batch(source, config):
    rng = np.random.default_rng(0)
    stage = config.stages[0]
    count, frames = stage.shapes[0]
    drawn = draw(source.choose(count, rng), source.frames, frames, stage.strides, rng)
    return make_batch(source.gather(drawn), stage.size, drawn.zoom, drawn.mirrored > 0)


def test_resuming_gives_the_parameters_of_an_uninterrupted_run(source, tmp_path):
    whole = a_trainer()
    for _ in range(6):
        whole.advance(source)
    interrupted = a_trainer()
    for _ in range(3):
        interrupted.advance(source)
    interrupted.save(tmp_path / 'last.pt')
    resumed = a_trainer()
    resumed.restore(tmp_path / 'last.pt')
    for _ in range(3):
        resumed.advance(source)
    assert resumed.step == 6
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    for name, tensor in whole.averaged.state_dict().items():
        assert torch.equal(tensor, resumed.averaged.state_dict()[name]), name


def test_run_leaves_weights_figures_and_curves(source, tmp_path):
    config = replace(
        CONFIG, steps=4, held_out=2, held_out_frames=3, rendered=(42, 56), validate_every=2
    )
    train(a_trainer(config), source, tmp_path)
    journal = Journal(tmp_path / 'log.jsonl')
    rows = journal.rows('validation-42x56')
    assert [row['step'] for row in rows] == [2, 4]
    assert {'abs_rel', 'delta', 'rotation', 'fov'} <= set(rows[0])
    assert journal.best('validation-42x56', 'abs_rel') == min(row['abs_rel'] for row in rows)
    best = tmp_path / 'best-42x56.safetensors'
    with safe_open(best, 'pt') as file:
        said = json.loads(file.metadata()['figures'])
    assert said == pytest.approx(figures_of(best, tmp_path, config), rel=1e-5)
    for name in ('curves.png', 'pictures.png'):
        assert (tmp_path / name).stat().st_size > 1000
    resumed = a_trainer(config)
    resumed.restore(tmp_path / 'last.pt')
    assert resumed.step == 4


def test_resumed_run_forgets_the_lines_after_it(tmp_path):
    journal = Journal(tmp_path / 'log.jsonl')
    for step in (1, 2, 3):
        journal.add('training', step, {'loss': 1 / step})
    journal.forget_after(2)
    assert [row['step'] for row in journal.rows('training')] == [1, 2]


def test_resuming_with_another_seed_is_refused(tmp_path):
    a_trainer().save(tmp_path / 'last.pt')
    with pytest.raises(ValueError, match='seed 0, not 1'):
        a_trainer(replace(CONFIG, seed=1)).restore(tmp_path / 'last.pt')


def test_export_loads_and_says_how_it_came_about(tmp_path):
    trainer = a_trainer()
    path = tmp_path / 'best.safetensors'
    Export(trainer.model).write(path, step=7, seed=3)
    loaded = StreamVGGT(SMALLEST)
    load_checkpoint(loaded, path)
    for name, tensor in trainer.model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=1e-3, atol=1e-6)
    with safe_open(path, 'pt') as file:
        metadata = file.metadata()
        assert file.get_tensor('camera_head.embed_pose.weight').dtype == torch.float16
    assert (metadata['step'], metadata['seed']) == ('7', '3')
    assert ModelConfig(**json.loads(metadata['model'])) == SMALLEST
    assert len(metadata['commit']) in (7, 40)


def test_weights_beyond_half_precision_are_not_exported(tmp_path):
    model = StreamVGGT(SMALLEST)
    with torch.no_grad():
        model.camera_head.trunk_norm.weight[0] = 1e6
    with pytest.raises(ValueError, match=r'camera_head\.trunk_norm\.weight'):
        Export(model).write(tmp_path / 'best.safetensors')


@pytest.mark.parametrize('fused', [False, True])
def test_masked_attention_agrees_with_that_of_the_network(fused):
    frames, tokens = 3, 5
    generator = torch.Generator().manual_seed(0)
    qkv = torch.randn(3, 2, 1, frames * tokens, 8, generator=generator)
    ours = MaskedCausal(frames, tokens, torch.device('cpu'), fused)
    theirs = FrameCausal(frames)
    torch.testing.assert_close(ours.attend_global(0, *qkv), theirs.attend_global(0, *qkv))
    qkv = qkv[..., :frames, :]
    torch.testing.assert_close(ours.attend_camera(0, 0, *qkv), theirs.attend_camera(0, 0, *qkv))


def test_untrained_network_says_unit_depth_and_passes_gradients_to_the_field_of_view():
    model = StreamVGGT(SMALLEST)
    initialise(model, seed=0)
    predictions = model(torch.rand(1, 2, 3, 42, 56))
    assert predictions.depth.log().abs().max() < 0.5
    assert (predictions.pose_encodings[0][..., 7:] > 0).all()
    torch.testing.assert_close(
        predictions.pose_encodings[-1][..., 6], torch.ones(1, 2), atol=0.3, rtol=0
    )


def test_patches_start_uncorrelated_and_evened_out(source):
    model = StreamVGGT(SMALLEST)
    initialise(model, seed=0)
    rng = np.random.default_rng(0)
    drawn = draw(source.choose(30, rng), source.frames, 4, (1, 1), rng)
    images = source.gather(drawn).images.flatten(0, 1)
    images = images[:, :42, :56].permute(0, 3, 1, 2).float() / 255
    even_out_patches(model, images)
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGE_MEAN, IMAGE_STD))
    tokens = model.aggregator.patch_embed((images - mean) / std).flatten(0, 1).detach()
    covariance = tokens.T.cov()
    variances = covariance.diagonal()
    assert tokens.mean(0).abs().max() < 0.01
    assert variances.mean().item() == pytest.approx(1.0, rel=0.01)
    assert variances.max() < 30 * variances.median()
    assert (covariance - variances.diag()).abs().max() < 0.01


def test_alike_patches_attend_to_each_other_from_the_start():
    model = StreamVGGT(SMALLEST)
    initialise(model, seed=0)
    block = model.aggregator.global_blocks[0]
    tokens = torch.randn(1, 6, SMALLEST.embed_dim, generator=torch.Generator().manual_seed(0))
    tokens[:, 5] = tokens[:, 0]
    seen = []

    def attend(queries, keys, values):
        seen.append((queries @ keys.mT / queries.shape[-1] ** 0.5).softmax(-1)[0, 0])
        return values

    block(tokens, attend)
    assert seen[0][0, [0, 5]].sum() > 0.8
    torch.testing.assert_close(seen[0][0, 0], seen[0][0, 5])


def test_rate_rises_then_falls():
    config = replace(CONFIG, warmup=10, lr=1.0, final_lr=0.0)
    rates = [learning_rate(config, step, Steps(100)) for step in range(120)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5)
    assert rates[100:] == [0.0] * 20


@pytest.mark.parametrize('name', sorted(RECIPES))
def test_recipes_reach_long_sequences_of_whole_patches(name):
    config = RECIPES[name]
    assert config.stages[-1].until == 1.0
    assert max(frames for _, frames in config.stage(1.0).shapes) >= 24
    assert all(side % 14 == 0 for stage in config.stages for side in stage.size)


def test_folder_keeps_the_newest_shards(tmp_path):
    folder = ShardFolder(tmp_path)
    prerender(folder, 0, 3, most=2, size=(14, 28), frames=1)
    assert [shard.name for shard in folder.shards()] == ['shard-000001.npz', 'shard-000002.npz']
    assert len(list(tmp_path.iterdir())) == 6
    assert len(folder.read(folder.shards()[0])) == 8


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='prerender'):
        ShardSource(ShardFolder(tmp_path))


def test_positions_are_resized_to_another_grid_and_nothing_else_is():
    small, large = (
        StreamVGGT(
            replace(SMALLEST, patch_embed='dinov2_tiny14_reg', embed_dim=128, image_size=size)
        )
        for size in (56, 112)
    )
    initialise(large, seed=1)
    state = with_positions_of(small, large.state_dict())
    small.load_state_dict(state)

    name = 'aggregator.patch_embed.pos_embed'
    kept, resized = (model.state_dict()[name] for model in (large, small))
    assert resized.shape == (1, 1 + 4 * 4, 128)
    assert torch.equal(resized[:, 0], kept[:, 0])
    # Rows differ along the image's height in the first half of the channels alone.
    grid = resized[0, 1:].view(4, 4, 128)
    torch.testing.assert_close(grid[:, :1, :64].expand(-1, 4, -1), grid[:, :, :64])
    torch.testing.assert_close(grid[:1, :, 64:].expand(4, -1, -1), grid[:, :, 64:])
    for key, value in large.state_dict().items():
        assert key == name or state[key].equal(value)
    same = with_positions_of(large, large.state_dict())
    assert same[name].equal(kept)


def test_what_ships_is_the_averaged_network_of_the_run(source, tmp_path):
    config = replace(CONFIG, steps=2, held_out=1, held_out_frames=3, rendered=(48, 64))
    trainer = a_trainer(config)
    train(trainer, source, tmp_path)
    (tmp_path / 'config.json').write_text(json.dumps(asdict(config)))
    target = tmp_path / 'weights' / 'shipped.safetensors'

    found = ship(tmp_path, target, SMALLEST)

    shipped = StreamVGGT(SMALLEST)
    load_checkpoint(shipped, target)
    for name, tensor in trainer.averaged.state_dict().items():
        torch.testing.assert_close(shipped.state_dict()[name], tensor.half().float())
    with safe_open(target, 'pt') as file:
        assert json.loads(file.metadata()['figures']) == found
        assert json.loads(file.metadata()['step']) == 2
    assert found == pytest.approx(figures_of(target, tmp_path, config), rel=1e-5)


def figures_of(file, run, config):
    """Score a file as whoever loads it runs it."""
    model = StreamVGGT(SMALLEST).eval()
    load_checkpoint(model, file)
    scenes = held_out(
        ShardFolder(run / 'held_out'), config.held_out, config.held_out_frames, config.rendered
    )
    return figures(answer(model, scene, config.stages[-1].size) for scene in scenes)
