# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where patches are seen again, and what guidance asks of the network."""

import math

import pytest
from shapes import SMALLEST
import torch

from xstreamvggt_ros.training.guidance import (
    find_matches,
    Matches,
    matching_loss,
    ReadOuts,
    Watched,
)
from xstreamvggt_ros.training.truth import Batch, ground_truth

SIZE = (42, 56)
ROWS, COLUMNS = 3, 4
FOCAL = 50.0


def wall(shifts, distance=2.0):
    """Cameras that look at a wall at `distance`, each moved to the right by a shift in metres."""
    frames = len(shifts)
    poses = torch.eye(4)[:3].repeat(1, frames, 1, 1)
    poses[0, :, 0, 3] = -torch.tensor(shifts)
    intrinsics = torch.tensor(
        [[FOCAL, 0, SIZE[1] / 2 - 0.5], [0, FOCAL, SIZE[0] / 2 - 0.5], [0, 0, 1]]
    ).repeat(1, frames, 1, 1)
    depth = torch.full((1, frames, *SIZE), distance)
    return Batch(torch.rand(1, frames, 3, *SIZE), depth, poses, intrinsics)


def test_a_step_to_the_side_moves_every_patch_by_focal_length_over_distance():
    step = 14 * 2.0 / FOCAL
    matches = find_matches(wall([0.0, step]))

    assert matches.grid == (ROWS, COLUMNS)
    for patch in range(ROWS * COLUMNS):
        row, column = divmod(patch, COLUMNS)
        # What the second camera sees in its column was one column farther right in the first.
        assert matches.position[0, 1, patch, 0].tolist() == pytest.approx(
            [column + 1, row], abs=1e-4
        )
        assert bool(matches.visible[0, 1, patch, 0]) == (column + 1 < COLUMNS)
        assert matches.position[0, 1, patch, 1].tolist() == pytest.approx([column, row], abs=1e-4)


def test_matches_far_from_the_origin_are_exact_under_autocast():
    batch = wall([30.0, 30.01])
    exact = find_matches(batch)
    with torch.autocast('cpu', torch.bfloat16):
        matches = find_matches(batch)
    torch.testing.assert_close(matches.position, exact.position)
    assert torch.equal(matches.visible, exact.visible)


def test_what_stands_before_a_wall_hides_it():
    batch = wall([0.0, 0.0])
    batch.depth[0, 0, :, 28:] = 1.0
    visible = find_matches(batch).visible[0, 1, :, 0].view(ROWS, COLUMNS)
    assert visible.tolist() == [[True, True, False, False]] * ROWS


def test_the_sky_is_matched_with_nothing():
    batch = wall([0.0, 0.0])
    batch.depth[0, 1] = 0.0
    assert not find_matches(batch).visible[0, 1].any()


def matches_to(column, row, frames=2):
    position = torch.tensor([column, row]).expand(1, frames, ROWS * COLUMNS, frames, 2)
    visible = torch.ones(1, frames, ROWS * COLUMNS, frames, dtype=torch.bool)
    return Matches(position, visible, (ROWS, COLUMNS))


def queries_and_keys(scores):
    """Give tokens whose score of every query with the key of patch p of frame 0 is scores[p]."""
    special, patches = SMALLEST.special_tokens, ROWS * COLUMNS
    queries = torch.zeros(1, 2 * (special + patches), 64)
    keys = torch.zeros_like(queries)
    queries[..., 0] = math.sqrt(64)
    keys[0, special : special + patches, 0] = scores
    return queries, keys


def test_without_any_preference_the_loss_is_the_logarithm_of_the_patches():
    loss = matching_loss(*queries_and_keys(torch.zeros(12)), matches_to(1.5, 1.0), SMALLEST)
    assert loss.item() == pytest.approx(math.log(12), rel=1e-5)


def test_attention_between_the_two_patches_round_the_place_costs_their_entropy():
    scores = torch.zeros(12)
    # Half-way between the columns 1 and 2 of row 1.
    scores[[5, 6]] = 30.0
    loss = matching_loss(*queries_and_keys(scores), matches_to(1.5, 1.0), SMALLEST)
    assert loss.item() == pytest.approx(math.log(2), rel=1e-4)
    beside = matching_loss(*queries_and_keys(scores), matches_to(1.5, 2.0), SMALLEST)
    assert beside > 20


def test_later_frames_and_hidden_patches_ask_for_nothing():
    matches = matches_to(0.0, 0.0)
    hidden = Matches(matches.position, torch.zeros_like(matches.visible), matches.grid)
    queries, keys = queries_and_keys(torch.randn(12))
    assert matching_loss(queries, keys, hidden, SMALLEST) == 0
    only_later = torch.zeros_like(matches.visible)
    only_later[:, 0, :, 1] = True
    later = Matches(matches.position, only_later, matches.grid)
    assert matching_loss(queries, keys, later, SMALLEST) == 0


def test_a_watched_memory_notes_the_guided_blocks_alone():
    class Echo:
        attend_camera = None

        def attend_global(self, layer, queries, keys, values):
            return values

    watched = Watched(Echo(), (1,))
    parts = torch.randn(3, 1, 2, 5, 64)
    assert torch.equal(watched.attend_global(0, *parts), parts[2])
    assert not watched.noted
    watched.attend_global(1, *parts)
    assert torch.equal(watched.noted[0][0], parts[0][:, 0])
    assert torch.equal(watched.noted[0][1], parts[1][:, 0])


def test_read_outs_learn_what_the_tokens_hold():
    batch = wall([0.0, 0.2, 0.5])
    truth, matches = ground_truth(batch), find_matches(batch)
    read_outs = ReadOuts(SMALLEST)
    tokens = SMALLEST.special_tokens + ROWS * COLUMNS
    features = {pair: torch.randn(1, 3, tokens, 128) for pair in range(2)}
    optimiser = torch.optim.Adam(read_outs.parameters(), lr=0.03)
    losses = []
    for _ in range(60):
        poses, patches = read_outs.loss(features, truth, matches, delta=0.02)
        optimiser.zero_grad()
        (poses + patches).backward()
        optimiser.step()
        losses.append((poses.item(), patches.item()))
    assert losses[-1][0] < 0.1 * losses[0][0]
    assert losses[-1][1] < 0.1 * losses[0][1]
