# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Each policy against a direct, slow transcription of its equation."""

from contextlib import nullcontext
from dataclasses import replace
import math

import numpy as np
import pytest
import torch

from xstreamvggt_ros.cache import AttentionShape, FrameLayout
from xstreamvggt_ros.cache.policies import EvictionContext, POLICIES
from xstreamvggt_ros.cache.policies.attention import attention_mass, pool_over_grid
from xstreamvggt_ros.memory.trace import LiveBytes
from xstreamvggt_ros.ops.dispatch import fused_everywhere

FRAME = FrameLayout(special_tokens=5, rows=4, columns=5)
N, HEADS, DIM = FRAME.tokens, 3, 8
POOL_SIZE = 6


def context(seed: int, held_frames: int = 4) -> EvictionContext:
    """Make a layer that holds a random two thirds of some frames, in no order, and a new one."""
    generator = torch.Generator().manual_seed(seed)
    tokens = [(frame, grid) for frame in range(held_frames) for grid in range(N)]
    chosen = torch.randperm(len(tokens), generator=generator)[: 2 * len(tokens) // 3]
    frames, grids = torch.tensor([tokens[index] for index in chosen.tolist()]).int().unbind(1)
    held = len(chosen)
    queries = torch.randn(HEADS, N, DIM, generator=generator)
    keys, values = torch.randn(2, held + N, HEADS, DIM, generator=generator)
    return EvictionContext(
        queries=queries,
        keys=keys + 0.5,
        values=values,
        state={
            'mean_key': (keys + 0.5)[:held].mean(dim=1),
            'value_size': values[:held].abs().sum(dim=-1),
        },
        frames=frames,
        grids=grids,
        kept=held - 15,
        newest=held_frames,
        layer=2,
        layers=4,
        frame=FRAME,
    )


def probes(case: EvictionContext) -> list[np.ndarray]:
    """Pool queries one by one: five special ones, then groups of POOL_SIZE patches."""
    queries = case.queries.numpy().astype(float)
    pooled = [queries[:, index] for index in range(5)]
    for start in range(5, N, POOL_SIZE):
        pooled.append(queries[:, start : min(start + POOL_SIZE, N)].mean(axis=1))
    return pooled


def mass_of(query: np.ndarray, case: EvictionContext) -> np.ndarray:
    """Return softmax masses (H, T) that one query (H, D) puts on the held tokens."""
    keys = case.keys.numpy().astype(float)
    masses = np.empty((HEADS, case.held))
    for head in range(HEADS):
        weights = [math.exp(query[head] @ key[head] / math.sqrt(DIM)) for key in keys]
        masses[head] = np.array(weights[: case.held]) / sum(weights)
    return masses


def ranks(scores: np.ndarray) -> np.ndarray:
    """Average over heads the number of tokens that each token beats, of scores (T, H)."""
    return np.mean(
        [[sum(other < own for other in column) for own in column] for column in scores.T], axis=0
    )


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def query_key(case):
    keys = case.keys.numpy()
    return [
        np.mean([query.mean(axis=0) @ keys[token].mean(axis=0) for query in probes(case)])
        for token in range(case.held)
    ]


def attention_value(case):
    mass = np.mean([mass_of(query, case) for query in probes(case)], axis=0)
    size = np.abs(case.values.numpy()).sum(axis=-1)
    return [np.mean(mass[:, token] * size[token]) for token in range(case.held)]


def snapkv_before_ranking(case):
    queries = case.queries.numpy().astype(float)
    mass = np.mean([mass_of(queries[:, index], case) for index in range(N)], axis=0).T
    places = [
        (int(frame), *divmod(int(grid) - 5, 5)) if grid >= 5 else None
        for frame, grid in zip(case.frames, case.grids, strict=True)
    ]
    pooled = []
    for token, place in enumerate(places):
        near = [
            other
            for other, there in enumerate(places)
            if place
            and there
            and there[0] == place[0]
            and abs(there[1] - place[1]) <= 1
            and abs(there[2] - place[2]) <= 1
        ]
        pooled.append(mass[near or [token]].mean(axis=0))
    return np.array(pooled)


def key_diversity(case):
    keys = case.keys.numpy().astype(float)
    mean = keys.mean(axis=0)
    return ranks(
        np.array(
            [
                [-cosine(keys[token, head], mean[head]) for head in range(HEADS)]
                for token in range(case.held)
            ]
        )
    )


def tar_van(case):
    keys, values = case.keys.numpy().astype(float), case.values.numpy().astype(float)
    grids = case.grids.tolist()
    novelty = ranks(
        np.array(
            [
                [
                    -cosine(keys[token, head], keys[case.held + grids[token], head])
                    for head in range(HEADS)
                ]
                for token in range(case.held)
            ]
        )
    )
    novelty[np.array(grids) < 5] = np.inf
    frames = case.frames.tolist()
    by_novelty = sorted(
        range(case.held), key=lambda token: (-novelty[token], -frames[token], grids[token])
    )
    first = set(by_novelty[: round(case.kept / 2)])
    norm = ranks(np.linalg.norm(values[: case.held], axis=-1))
    return [norm[token] + case.held * (token in first) for token in range(case.held)]


def frame_diversity(case):
    keys, frames = case.keys.numpy().astype(float).reshape(-1, HEADS * DIM), case.frames.numpy()
    means = {frame: keys[: case.held][frames == frame].mean(axis=0) for frame in set(frames)}
    chosen = [means[min(means)], keys[case.held :].mean(axis=0)]
    left, worth = dict(means), {}
    while left:
        farthest = max(
            left, key=lambda frame: min(np.linalg.norm(left[frame] - other) for other in chosen)
        )
        worth[farthest] = len(left)
        chosen.append(left.pop(farthest))
    return [worth[frame] for frame in frames]


def places(scores, case):
    frames, grids = case.frames.tolist(), case.grids.tolist()
    order = sorted(
        range(case.held), key=lambda token: (-scores[token], -frames[token], grids[token])
    )
    return [order.index(token) for token in range(case.held)]


def attention_in_frames(case):
    """Score by how many tokens of its own frame are attended to more."""
    attended, frames = places(attention_value(case), case), case.frames.tolist()
    return [
        -sum(
            other < own and theirs == frame for other, theirs in zip(attended, frames, strict=True)
        )
        for own, frame in zip(attended, frames, strict=True)
    ]


def attention_coverage(case):
    attended = places(attention_in_frames(case), case)
    covering = places(frame_diversity(case), case)
    return [-min(one / 0.3, other / 0.7) for one, other in zip(attended, covering, strict=True)]


def sink_recent(case):
    return case.frames.tolist()


TRANSCRIPTIONS = {
    function.__name__: function
    for function in (
        query_key,
        attention_coverage,
        attention_value,
        key_diversity,
        tar_van,
        frame_diversity,
        sink_recent,
    )
}


def test_every_policy_but_two_is_transcribed_here():
    assert set(TRANSCRIPTIONS) == set(POLICIES) - {'random', 'snapkv'}


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('name', sorted(TRANSCRIPTIONS))
def test_scores_are_those_of_the_equation(name, seed):
    case = context(seed)
    actual = POLICIES[name](POOL_SIZE).score(case).numpy()
    np.testing.assert_allclose(actual, TRANSCRIPTIONS[name](case), rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize('kept', [10, 20, 40])
def test_in_the_third_quarter_three_tenths_are_kept_by_attention_the_rest_by_coverage(kept):
    case = context(0)
    score = POLICIES['attention_coverage'](POOL_SIZE).score(case).numpy()

    def best(scores, count):
        return {token for token, place in enumerate(places(scores, case)) if place < count}

    # Tokens that both lists name leave room for more of either.
    assert best(attention_in_frames(case), kept * 3 // 10) <= best(score, kept)
    assert best(frame_diversity(case), kept * 7 // 10) <= best(score, kept)


def test_every_frame_keeps_some_of_what_is_attended_to():
    case = context(0, held_frames=6)
    # The newest frame attends to one frame alone.
    keys = case.keys.clone()
    keys[: case.held][case.frames == 2] += 9 * case.queries.mean(dim=1)
    case = replace(case, keys=keys)

    def frames_of(name, kept):
        order = places(POLICIES[name](POOL_SIZE).score(case).numpy(), case)
        return {int(case.frames[token]) for token in range(case.held) if order[token] < kept}

    assert frames_of('attention_value', 8) == {2}
    # Three tenths of 20 are six: the best token of each frame.
    assert frames_of('attention_coverage', 20) == set(range(6))


RULES = {'f': frame_diversity, 'a': attention_value, 'm': attention_coverage}


@pytest.mark.parametrize(
    'rules', ['f', 'fm', 'fam', 'fama', 'ffamma', ''.join(6 * rule for rule in 'fama')]
)
def test_each_quarter_of_the_blocks_keeps_by_a_rule_of_its_own(rules):
    for layer, rule in enumerate(rules):
        case = replace(context(0), layer=layer, layers=len(rules))
        actual = POLICIES['attention_coverage'](POOL_SIZE).score(case).numpy()
        np.testing.assert_allclose(actual, RULES[rule](case), rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize('seed', range(3))
def test_frame_diversity_in_bf16_is_not_misled_by_what_all_keys_share(seed):
    case = context(seed, held_frames=6)
    keys = 20 + 0.3 * case.keys
    owners = case.frames.tolist()
    for frame in range(6):
        # Some frames lie apart by a little of what all of them share.
        keys[: case.held][torch.tensor(owners) == frame] += 0.01 * frame * (-1) ** frame
    narrow = replace(case, keys=keys.bfloat16())
    wide = replace(narrow, keys=narrow.keys.float())

    actual = POLICIES['frame_diversity']().score(narrow).tolist()

    assert actual == frame_diversity(wide)


@pytest.mark.parametrize('seed', range(3))
def test_snapkv_ranks_masses_that_are_pooled_over_the_grid(seed):
    case = context(seed)
    mass = pool_over_grid(attention_mass(case.queries, case.keys, case.held), case)
    np.testing.assert_allclose(mass, snapkv_before_ranking(case), rtol=2e-4, atol=1e-7)
    # Ranked from the policy's own masses: equal ones may differ in their last bit.
    np.testing.assert_allclose(POLICIES['snapkv']().score(case), ranks(mass.numpy()), rtol=1e-5)


@pytest.mark.parametrize('name', sorted(POLICIES))
def test_what_is_noted_fits_what_was_asked_for(name):
    policy, case = POLICIES[name](POOL_SIZE), context(0)
    specs, rows = policy.row_specs(HEADS, DIM, torch.float16), policy.rows(case)
    assert specs.keys() == rows.keys()
    assert all(rows[row].shape == (N, *spec.shape) for row, spec in specs.items())


def test_query_key_notes_the_mean_keys_of_the_new_frame():
    case = context(0)
    noted = POLICIES['query_key'](POOL_SIZE).rows(case)['mean_key']
    torch.testing.assert_close(noted, case.keys[case.held :].mean(dim=1))


def test_the_lot_follows_from_seed_layer_new_frame_and_token_alone():
    case, policy = context(0), POLICIES['random'](seed=1)
    score = policy.score(case)
    shuffled = torch.randperm(case.held)
    moved = replace(case, frames=case.frames[shuffled], grids=case.grids[shuffled])
    assert torch.equal(policy.score(moved), score[shuffled])
    for other in (
        POLICIES['random'](seed=2).score(case),
        policy.score(replace(case, layer=1)),
        policy.score(replace(case, newest=9)),
    ):
        correlation = torch.corrcoef(torch.stack([score, other]))[0, 1]
        assert correlation.abs() < 0.4


def test_the_lot_is_even():
    scores = torch.cat([POLICIES['random'](seed=seed).score(context(0)) for seed in range(60)])
    counts = torch.histc(scores / 2**24, bins=8, min=0, max=1)
    assert counts.min() > 0.8 * counts.mean()
    assert counts.max() < 1.2 * counts.mean()


@pytest.mark.parametrize('frames', [6, 70])
@pytest.mark.parametrize('together', [False, True])
@pytest.mark.parametrize(
    ('name', 'layer'),
    [*((name, 2) for name in sorted(POLICIES)), *(('attention_coverage', n) for n in (0, 1, 3))],
)
def test_what_scoring_takes_is_bounded_beforehand(name, layer, together, frames):
    """A head at a time, and all of them at once as CUDA does."""
    frame, shape = FrameLayout(5, 6, 10), AttentionShape(1, 4, 16)
    held, total, heads, dim = frames * frame.tokens, (frames + 1) * frame.tokens, 4, 16
    with torch.device('meta'):
        case = EvictionContext(
            queries=torch.empty(heads, frame.tokens, dim),
            keys=torch.empty(total, heads, dim),
            values=torch.empty(total, heads, dim),
            state={'value_size': torch.empty(held, heads), 'mean_key': torch.empty(held, dim)},
            frames=torch.empty(held, dtype=torch.int32),
            grids=torch.empty(held, dtype=torch.int32),
            kept=held - frame.tokens,
            newest=torch.empty((), dtype=torch.int64),
            layer=layer,
            layers=4,
            frame=frame,
        )
    policy = POLICIES[name](1)
    parts = [
        each for each in (*vars(case).values(), *case.state.values()) if torch.is_tensor(each)
    ]
    with torch.no_grad(), fused_everywhere() if together else nullcontext():
        with LiveBytes(parts) as live:
            policy.score(case)

    # Beside that a few numbers for each token, and what the estimate adds: the values' sizes.
    beside = total * (100 + heads * dim * 4)
    assert live.peak <= policy.scoring_bytes(total, frame, shape, together) + beside
