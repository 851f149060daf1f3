"""Small invented systems for the tests of rollout plans, whose sums a person can check by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from brightspots.pace.rollout_areas import Areas, read_areas
from brightspots.pace.rollout_assumptions import DEFAULTS, Assumption, Draws, draw
from brightspots.pace.rollout_parameters import RolloutParameters
from brightspots.pace.rollout_simulate import World, world

PLAIN = {
    "schools_per_leader": 5.0, "leader_leaving": 0.0, "training_terms": 2.0,
    "training_finished": 1.0, "training_places": 0.0, "support_days_per_school": 1.0,
    "support_arrives": 1.0, "growth_supported": 0.5, "growth_unaided": 0.0, "fade": 0.0,
    "readiness_bias": 0.0, "readiness_error": 0.0, "growth_spread": 0.0, "gain_ready": 0.01,
    "loss_abandoned": 0.02, "leader_days": 10.0, "training_days": 4.0,
}  # fmt: skip
"""No leader leaves, areas do not differ, half of the unready schools become ready in a term."""


def certain(**values: float) -> tuple[Assumption, ...]:
    """Assumptions without a range."""
    known = PLAIN | values
    return tuple(
        replace(each, low=known[each.name], value=known[each.name], high=known[each.name])
        for each in DEFAULTS
    )


def areas(**columns: Any) -> Areas:
    """One row an area; ten schools, ten leaders and none ready where nothing is said."""
    count = max(len(each) for each in columns.values())
    plain = {"area": [f"A{i}" for i in range(count)], "schools": [10] * count,
             "leaders": [10] * count, "readiness": [0.0] * count}  # fmt: skip
    return read_areas(pl.DataFrame(plain | columns))


def certain_world(here: Areas, parameters: RolloutParameters, **values: float) -> World:
    """A world of one draw."""
    none = np.zeros((1, len(here)))
    drawn = {each.name: np.array([each.value]) for each in certain(**values)}
    return world(here, parameters, Draws(drawn, none, none))


def some_areas(count: int, seed: int = 5) -> pl.DataFrame:
    """Areas of every kind."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "area": [f"D{i:03d}" for i in range(count)],
            "schools": rng.integers(10, 90, count),
            "leaders": rng.integers(0, 12, count),
            "in_training": rng.integers(0, 6, count),
            "in_training_term": [None if i % 3 == 0 else 1 + i % 4 for i in range(count)],
            "readiness": rng.uniform(0.05, 0.8, count).round(2),
            "region": [f"R{i % 3}" for i in range(count)],
        }
    )


def drawn_world(here: Areas, parameters: RolloutParameters, seed: int = 1) -> World:
    """A world with all draws."""
    return world(here, parameters, draw(DEFAULTS, len(here), parameters.draws, seed))
