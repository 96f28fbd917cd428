# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Tables, seats and beds, drawn with a pen whose x runs along the wall, y into the room.

Each piece stands on the floor with its back at y = 0, centred at x = 0, and fills `width` by
`depth` metres. It returns how high it and what lies on it reach.
"""

from __future__ import annotations

from xstreamvggt_ros.synthetic.building import Pen
from xstreamvggt_ros.synthetic.materials import Palette
from xstreamvggt_ros.synthetic.small_things import monitor, small_things


def legs(pen: Pen, material, width, depth, height, thick, inset=0.04, round_legs=False):
    """Draw four legs under a top."""
    for x in (-width / 2 + inset + thick / 2, width / 2 - inset - thick / 2):
        for y in (inset + thick / 2, depth - inset - thick / 2):
            if round_legs:
                pen.cylinder(material, (x, y, 0), thick / 2, height)
            else:
                pen.box(
                    material,
                    (x - thick / 2, y - thick / 2, 0),
                    (x + thick / 2, y + thick / 2, height),
                )


def table(pen: Pen, palette: Palette, width, depth, height=0.0) -> float:
    """Draw a table with things on it, of a usual height where `height` is 0."""
    rng = palette.rng
    height = height or rng.uniform(0.68, 0.78)
    wood = palette.wood(turn=True)
    pen.box(wood, (-width / 2, 0, height - 0.035), (width / 2, depth, height))
    legs(
        pen,
        wood if rng.random() < 0.6 else palette.metal(),
        width,
        depth,
        height - 0.035,
        rng.uniform(0.035, 0.07),
        round_legs=rng.random() < 0.4,
    )
    if rng.random() < 0.4:
        pen.box(
            wood,
            (-width / 2 + 0.06, 0.06, height - 0.12),
            (width / 2 - 0.06, depth - 0.06, height - 0.035),
        )
    small_things(pen.moved(0, 0, height), palette, width, depth, rng.integers(2, 7))
    return height + 0.45


def desk(pen: Pen, palette: Palette, width, depth) -> float:
    """Draw a desk with screen, drawers and papers."""
    rng = palette.rng
    height = rng.uniform(0.70, 0.76)
    wood = palette.wood(turn=True)
    pen.box(wood, (-width / 2, 0, height - 0.03), (width / 2, depth, height))
    legs(pen, palette.metal(), width, depth, height - 0.03, 0.05)
    if rng.random() < 0.6:
        side = rng.choice([-1, 1]) * (width / 2 - 0.26)
        pen.box(
            palette.fitted('drawers', 0.15),
            (side - 0.2, 0.08, 0.06),
            (side + 0.2, depth - 0.06, height - 0.06),
        )
    for x in [0.0] if width < 1.3 else [-0.32, 0.3]:
        monitor(pen.moved(x, depth * 0.3, height, rng.normal(0, 0.15)), palette)
    small_things(pen.moved(0, 0, height), palette, width, depth, rng.integers(2, 6))
    return height + 0.6


def chair(pen: Pen, palette: Palette, width=0.45, depth=0.45) -> float:
    """Draw a chair whose back is at y = 0."""
    rng = palette.rng
    frame, seat = palette.wood(), palette.fabric() if rng.random() < 0.6 else palette.wood()
    height, back = rng.uniform(0.42, 0.48), rng.uniform(0.78, 0.98)
    pen.box(seat, (-width / 2, 0, height - 0.05), (width / 2, depth, height))
    legs(pen, frame, width, depth, height - 0.05, 0.035, inset=0.01)
    pen.box(frame, (-width / 2, 0, height), (-width / 2 + 0.035, 0.035, back))
    pen.box(frame, (width / 2 - 0.035, 0, height), (width / 2, 0.035, back))
    pen.tilted_box(
        seat,
        (0, 0.015, (height + back) / 2 + 0.08),
        (width, 0.03, back - height - 0.16),
        roll=rng.uniform(0, 0.12),
    )
    return back


def office_chair(pen: Pen, palette: Palette, width=0.55, depth=0.55):
    """Draw a swivel chair."""
    cloth, metal = palette.fabric(), palette.metal()
    y = depth / 2
    for yaw in (0.0, 1.2566, 2.5133, 3.7699, 5.0265):
        pen.moved(0, y, 0, yaw).box(metal, (0, -0.02, 0.05), (0.29, 0.02, 0.09))
    pen.cylinder(metal, (0, y, 0.05), 0.03, 0.38)
    pen.box(cloth, (-width / 2 + 0.03, 0.04, 0.43), (width / 2 - 0.03, depth, 0.51))
    pen.tilted_box(cloth, (0, 0.05, 0.80), (width - 0.1, 0.06, 0.5), roll=0.1)


def sofa(pen: Pen, palette: Palette, width, depth) -> float:
    """Draw a sofa with cushions."""
    rng = palette.rng
    cloth = palette.fabric()
    seat, back, arm = rng.uniform(0.38, 0.45), rng.uniform(0.75, 0.9), rng.uniform(0.12, 0.2)
    pen.box(cloth, (-width / 2, 0, 0.08), (width / 2, depth, seat - 0.12))
    pen.box(cloth, (-width / 2, 0, 0.08), (width / 2, 0.2, back))
    for side in (-1, 1):
        x = side * (width / 2 - arm / 2)
        pen.box(cloth, (x - arm / 2, 0, 0.08), (x + arm / 2, depth, seat + 0.18))
    count = max(1, round((width - 2 * arm) / 0.7))
    each = (width - 2 * arm) / count
    for index in range(count):
        x = -width / 2 + arm + (index + 0.5) * each
        pen.box(
            cloth, (x - each / 2 + 0.01, 0.18, seat - 0.13), (x + each / 2 - 0.01, depth, seat)
        )
        if rng.random() < 0.7:
            pillow = palette.fabric()
            pen.tilted_box(
                pillow,
                (x + rng.normal(0, 0.08), 0.30, seat + 0.2),
                (0.42, 0.13, 0.4),
                yaw=rng.normal(0, 0.15),
                roll=0.3,
            )
    return back


def bed(pen: Pen, palette: Palette, width, depth) -> float:
    """Draw a bed whose head is at the wall."""
    rng = palette.rng
    wood, sheet, blanket = palette.wood(), palette.fabric(), palette.fabric()
    head = rng.uniform(0.8, 1.1)
    pen.box(wood, (-width / 2, 0, 0.0), (width / 2, 0.05, head))
    pen.box(wood, (-width / 2, 0.05, 0.08), (width / 2, depth, 0.3))
    pen.box(sheet, (-width / 2 + 0.03, 0.05, 0.3), (width / 2 - 0.03, depth - 0.03, 0.48))
    pen.box(blanket, (-width / 2 - 0.01, 0.7, 0.25), (width / 2 + 0.01, depth + 0.01, 0.53))
    for x in [0.0] if width < 1.2 else [-width / 4, width / 4]:
        pen.ellipsoid(sheet, (x, 0.32, 0.53), (0.33, 0.22, 0.11))
    return head
