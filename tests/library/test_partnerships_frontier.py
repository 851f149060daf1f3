"""Schools moved against cost: each price once, comparable, and continued after an interruption."""

from __future__ import annotations

import random

import polars as pl
import pytest

from brightspots.connectedness.frontier import frontier
from brightspots.connectedness.partnerships import Parameters, StopEarly, form_partnerships
from brightspots.core.errors import InputError

SETTINGS = Parameters(minimum=3, maximum=6, steps_per_school=200, bound_steps=60)


def world(n: int = 60) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Schools of today, and partnerships formed when a third of them stood elsewhere."""
    rng = random.Random(3)  # noqa: S311 - test data
    schools = pl.DataFrame(
        {
            "school": [f"S{i:02d}" for i in range(n)],
            "latitude": [rng.uniform(0, 0.3) for _ in range(n)],
            "longitude": [rng.uniform(30, 30.3) for _ in range(n)],
        }
    )
    past = schools.with_columns(
        latitude=pl.when(pl.int_range(n) % 3 == 0).then(pl.lit(0.15)).otherwise("latitude")
    )
    return schools, form_partnerships(past, SETTINGS).members


def test_dearer_moves_mean_fewer_of_them_and_the_cost_is_without_their_price() -> None:
    schools, existing = world()
    found = frontier(schools, existing, (10, 0, 2), SETTINGS)
    assert found["price"].to_list() == [0, 2, 10]
    moved, cost = found["moved"].to_list(), found["cost"].to_list()
    assert moved[0] > moved[1] > moved[2]
    assert cost[0] < cost[1] < cost[2]
    assert found["served"].to_list() == [60] * 3
    assert (found["gap"] >= 0).all()
    assert found["share_moved"].to_list() == [count / 60 for count in moved]


def test_a_run_that_was_interrupted_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    schools, existing = world()
    whole = frontier(schools, existing, (0, 1, 5), SETTINGS)
    kept: list[pl.DataFrame] = []

    def stop_in_the_second(share: float, _stage: str) -> None:
        if 0.4 < share < 0.6:
            raise StopEarly

    first = frontier(
        schools, existing, (0, 1, 5), SETTINGS, progress=stop_in_the_second, keep=kept.append
    )
    assert first["price"].to_list() == [0]
    assert kept[-1].equals(first)
    prices = []

    def counted(*arguments: object, **named: object) -> object:
        prices.append(arguments[1].weights.disruption)  # type: ignore[attr-defined]
        return form_partnerships(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("brightspots.connectedness.frontier.form_partnerships", counted)
    rest = frontier(schools, existing, (0, 1, 5), SETTINGS, known=first)
    assert prices == [1, 5]
    assert rest.equals(whole)


@pytest.mark.parametrize("prices", [(), (-1,), (1, float("nan"))])
def test_prices_that_are_none_are_refused(prices: tuple[float, ...]) -> None:
    schools, existing = world(12)
    with pytest.raises(InputError, match="numbers from 0 up"):
        frontier(schools, existing, prices, SETTINGS)
