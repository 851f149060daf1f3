"""The simulator of rollout plans: sums by hand, stocks that balance, what moves which way."""

from __future__ import annotations

import numpy as np
import pytest

from brightspots.core.errors import InputError
from brightspots.pace.rollout_areas import read_areas
from brightspots.pace.rollout_assumptions import DEFAULTS, draw, triangular
from brightspots.pace.rollout_kernels import arrays_of, each_choice, value_of_support, whole_plan
from brightspots.pace.rollout_measures import difference_frame, measure
from brightspots.pace.rollout_parameters import RolloutParameters
from brightspots.pace.rollout_plan import Plan, choices, usual_plans
from brightspots.pace.rollout_simulate import PARTS, Run, World, simulate
from tests.library.rollout_worlds import areas, certain_world, drawn_world, some_areas


def run(w: World, start: list[int], speed: list[int], **more: object) -> Run:
    return simulate(w, np.array(start), np.array(speed), **more)  # type: ignore[arg-type]


def parts(found: Run) -> dict[str, float]:
    return {name: float(found.parts[name].sum()) for name in PARTS if found.parts[name].any()}


def test_support_that_ends_before_schools_are_ready_abandons_them_while_it_is_counted() -> None:
    w = certain_world(areas(readiness=[0.0]), RolloutParameters(100, terms=4, settle=2))
    # ready: 0, .5, .75, .75, ...; responsible: 0, .5, 1: a quarter of 10 schools for 2 terms
    found = run(w, [1], [2])
    assert float(found.abandoned.sum()) == pytest.approx(5.0)
    assert parts(found) == pytest.approx(
        {"support_ended_early": 5.0, "ready_and_responsible": 5 + 7.5 * 4, "support": 15.0,
         "leaders_time": 2 * 10.0 * 6}
    )  # fmt: skip
    assert not found.held_back.any()


def test_schools_that_are_ready_and_wait_are_held_back_each_term() -> None:
    w = certain_world(
        areas(readiness=[0.6]), RolloutParameters(100, terms=6, speeds=(1,), settle=2)
    )
    found = run(w, [4], [1])
    # three terms of waiting; a term under support with 6 ready and none responsible; then 2 of 10
    assert parts(found)["waiting_to_begin"] == pytest.approx(18.0)
    assert parts(found)["held_back_in_steps"] == pytest.approx(6.0)
    assert parts(found)["support_ended_early"] == pytest.approx(4.0)


def test_a_wave_without_leaders_is_support_promised_and_missing() -> None:
    w = certain_world(areas(leaders=[0]), RolloutParameters(100, terms=4, settle=2))
    found = run(w, [1], [2])
    # term 1: none ready, none responsible, no support; term 2: half of the responsibility moves
    assert parts(found) == pytest.approx(
        {"support_missing": 10 + 5, "responsibility_early": 5.0, "support_ended_early": 20.0}
    )


def test_areas_under_support_share_what_there_is_by_what_they_want() -> None:
    w = certain_world(areas(schools=[10, 30]), RolloutParameters(20, terms=3, speeds=(1,)))
    together = run(w, [1, 1], [1, 1])
    assert together.wanted[0, 0] == 40
    assert together.came[0, 0] == 0.5
    assert together.parts["support"].tolist() == [[5.0, 15.0]]
    assert together.parts["support_missing"].tolist() == [[5.0, 15.0]]
    # after: ready .5 x .5 = .25, so three quarters are abandoned while it counts (6 terms)
    assert together.parts["support_ended_early"].tolist() == [pytest.approx([45.0, 135.0])]
    apart = run(w, [1, 2], [1, 1])
    assert apart.came[0, :2] == pytest.approx([1.0, 20 / 30])


def test_leaders_in_training_arrive_in_their_term_and_some_drop_out() -> None:
    here = areas(leaders=[0], in_training=[2], in_training_term=[3])
    w = certain_world(here, RolloutParameters(100, terms=4), training_finished=0.75)
    found = run(w, [1], [4], watch=(2, 3))
    assert [float(found.paths[term][2].sum()) for term in (2, 3)] == [0.0, 1.5]
    assert float(found.leaders["dropped_out"].sum()) == 0.5


def test_training_begins_ahead_of_the_wave_and_no_further_than_leaders_are_needed() -> None:
    parameters = RolloutParameters(100, terms=8, train_ahead=2)
    w = certain_world(areas(leaders=[0]), parameters, training_places=1.0, training_terms=1.0)
    found = run(w, [4], [2], watch=(2, 3, 4, 8))
    # two leaders are needed: they begin in term 2, train in term 3 and are there from term 4
    assert [float(found.paths[t][2].sum()) for t in (2, 3, 4, 8)] == [0.0, 0.0, 2.0, 2.0]
    assert float(found.leaders["begun"].sum()) == 2.0


def test_ready_schools_slip_back_only_where_no_leader_stays() -> None:
    parameters = RolloutParameters(100, terms=2, speeds=(1,), settle=3)
    stays = run(certain_world(areas(readiness=[1.0]), parameters, fade=0.5), [1], [1])
    assert not stays.abandoned.any()
    gone = run(certain_world(areas(readiness=[1.0], leaders=[0]), parameters, fade=0.5), [1], [1])
    # after support: 1, .5, .25 ready
    assert float(gone.abandoned.sum()) == pytest.approx(10 * (0 + 0.5 + 0.75))


@pytest.fixture(scope="module")
def mixed() -> tuple[World, np.ndarray, np.ndarray]:
    here = read_areas(some_areas(25))
    parameters = RolloutParameters(300, terms=10, draws=30)
    offered = choices(here, parameters)
    rng = np.random.default_rng(2)
    at = rng.integers(0, offered.count, len(here))
    return drawn_world(here, parameters), offered.start[at], offered.speed[at]


def test_leaders_are_neither_made_nor_lost(mixed: tuple[World, np.ndarray, np.ndarray]) -> None:
    account = simulate(*mixed).leaders
    came_in = account["at_first"] + account["begun"]
    went = sum(account[name] for name in ("available", "in_training", "left", "dropped_out"))
    np.testing.assert_allclose(came_in, went, rtol=0, atol=1e-9)  # type: ignore[arg-type]
    assert all((stock >= -1e-12).all() for stock in account.values())
    assert account["begun"].any()
    assert account["left"].any()
    assert account["dropped_out"].any()


def test_no_more_support_comes_than_there_is_and_no_school_is_counted_twice(
    mixed: tuple[World, np.ndarray, np.ndarray],
) -> None:
    w, start, speed = mixed
    found = simulate(w, start, speed)
    assert (found.came * found.wanted <= w.capacity[:, None] + 1e-9).all()
    assert (found.came < 1).any()
    both = found.abandoned + found.held_back + found.parts["ready_and_responsible"]
    assert (both <= w.schools * (w.terms + w.settle) + 1e-9).all()


def test_the_compiled_simulator_gives_what_the_plain_one_gives(
    mixed: tuple[World, np.ndarray, np.ndarray],
) -> None:
    w, start, speed = mixed
    plain = simulate(w, start, speed)
    came, wanted = np.empty(plain.came.shape), np.empty(plain.came.shape)
    sums = whole_plan(*arrays_of(w), w.capacity, start, speed, came, wanted)
    np.testing.assert_allclose(came, plain.came, atol=1e-12)
    np.testing.assert_allclose(wanted, plain.wanted, atol=1e-9)
    expected = [each.sum(axis=1).mean() for each in (plain.abandoned, plain.held_back)]
    np.testing.assert_allclose(sums, expected, rtol=1e-12)


def test_the_tables_of_single_choices_are_the_simulator_at_given_support(
    mixed: tuple[World, np.ndarray, np.ndarray],
) -> None:
    w, start, speed = mixed
    rng = np.random.default_rng(4)
    came, prices = rng.random((2, 30, 16))
    plain = simulate(w, start, speed, came=came, prices=prices)
    pairs = sorted(set(zip(start.tolist(), speed.tolist(), strict=True)))
    starts, speeds = np.array(pairs).T.copy()
    allowed = np.ones((25, len(pairs)), dtype=bool)
    tables = [np.zeros(allowed.shape) for _ in range(3)]
    each_choice(*arrays_of(w), starts, speeds, allowed, came, prices, *tables)
    at = [pairs.index(pair) for pair in zip(start.tolist(), speed.tolist(), strict=True)]
    for table, expected in zip(
        tables, (plain.abandoned, plain.held_back, plain.priced), strict=True
    ):
        np.testing.assert_allclose(table[np.arange(25), at], expected.mean(axis=0), rtol=1e-10)


def test_the_value_of_support_is_the_slope_of_the_weighed_sum(
    mixed: tuple[World, np.ndarray, np.ndarray],
) -> None:
    w, start, speed = mixed
    came = np.random.default_rng(4).uniform(0.2, 0.9, (30, 16))
    slope = np.zeros_like(came)
    value_of_support(*arrays_of(w), start, speed, came, 0.7, slope)

    def weighed(step: float, term: int) -> np.ndarray:
        moved = came.copy()
        moved[:, term] += step
        found = simulate(w, start, speed, came=moved)
        return (0.7 * found.abandoned + 0.3 * found.held_back).sum(axis=1)

    for term in (0, 3, 9):
        by_steps = (weighed(1e-6, term) - weighed(-1e-6, term)) / 2e-6
        np.testing.assert_allclose(slope[:, term], by_steps, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("more", ["support_days", "growth", "leaders"])
def test_more_of_what_makes_ready_abandons_fewer_and_holds_back_no_fewer(more: str) -> None:
    frame = some_areas(12)
    start, speed = np.arange(12) % 5 + 1, np.full(12, 3)
    found = []
    for factor in (1.0, 1.5):
        table = frame
        if more == "leaders":
            table = frame.with_columns(leaders=frame["leaders"] * factor)
        # Where support is short, areas with more leaders take up more of it and leave the others
        # less: leaders are compared where there is enough.
        days = {"support_days": 150 * factor, "growth": 150, "leaders": 1e6}[more]
        parameters = RolloutParameters(days, terms=8, draws=20)
        w = drawn_world(read_areas(table), parameters)
        if more == "growth":
            object.__setattr__(w, "growth", np.minimum(w.growth * factor, 1 - w.unaided))
        found.append(simulate(w, start, speed))
    alone, held = ([each.sum(axis=1) for each in pair] for pair in (
        [found[0].abandoned, found[1].abandoned], [found[0].held_back, found[1].held_back]
    ))  # fmt: skip
    assert (alone[1] <= alone[0] + 1e-9).all()
    assert alone[1].sum() < alone[0].sum()
    assert (held[1] >= held[0] - 1e-9).all()


def test_an_area_that_begins_later_waits_longer() -> None:
    w = certain_world(areas(readiness=[0.4]), RolloutParameters(100, terms=8, speeds=(2,)))
    waits = [float(run(w, [s], [2]).parts["waiting_to_begin"].sum()) for s in range(1, 8)]
    assert waits == pytest.approx([4.0 * terms for terms in range(7)])


def test_measures_add_up_and_a_plan_against_itself_changes_nothing() -> None:
    here = read_areas(some_areas(6))
    parameters = RolloutParameters(100, terms=8, draws=40)
    w = drawn_world(here, parameters)
    plans = usual_plans(here, parameters, choices(here, parameters))
    found = measure(w, plans[0])
    for name in ("abandoned", "held_back", "gain", "cost"):
        shares = [v for (m, part), v in found.values.items() if m == name and part != "total"]
        np.testing.assert_allclose(sum(shares), found.values[name, "total"])
    assert (difference_frame(found, found)["mean"] == 0).all()
    other = measure(w, plans[-1])
    difference = difference_frame(found, other)
    row = difference.row(by_predicate=_total("held_back"), named=True)
    paired = other.values["held_back", "total"] - found.values["held_back", "total"]
    assert row["median"] == pytest.approx(np.median(paired))
    assert row["lower"] + row["higher"] == 1


def _total(name: str):  # type: ignore[no-untyped-def]
    import polars as pl

    return (pl.col("measure") == name) & (pl.col("part") == "total")


def test_full_coverage_is_the_first_term_with_enough_schools_ready_and_responsible() -> None:
    here = areas(readiness=[0.9])
    w = certain_world(here, RolloutParameters(100, terms=6, speeds=(2,), covered=0.9))
    plan = Plan("one", "", np.array([2]), np.array([2]))
    found = measure(w, plan)
    assert found.values["full_coverage", "total"].tolist() == [4.0]
    assert plan.handed_over == 4
    never = certain_world(areas(leaders=[0]), RolloutParameters(100, terms=6, speeds=(2,)))
    found = measure(never, plan)
    assert found.values["full_coverage", "total"].tolist() == [13.0]
    assert found.not_covered == 1


def test_how_far_coverage_got_is_the_share_ready_and_responsible_in_the_last_term() -> None:
    here = areas(readiness=[0.9])
    w = certain_world(here, RolloutParameters(100, terms=6, speeds=(2,), covered=0.9))
    plan = Plan("one", "", np.array([2]), np.array([2]))
    run = simulate(w, plan.start, plan.speed)
    [share] = measure(w, plan).values["covered_at_end", "total"].tolist()
    assert share == pytest.approx(100 * run.responsible[0, -1] / w.schools.sum())
    assert 90 <= share <= 100


def test_draws_lie_in_their_ranges_and_follow_the_triangle() -> None:
    drawn = draw(DEFAULTS, 3, 2000, 9)
    for each in DEFAULTS:
        values = drawn.values[each.name]
        assert values.min() >= each.low
        assert values.max() <= each.high
        assert values.mean() == pytest.approx((each.low + each.value + each.high) / 3, rel=0.01)
    assert triangular(DEFAULTS[0], np.array([0.0, 0.5, 1.0])).tolist() == [4, 5, 6]
    again = draw(DEFAULTS[3:], 3, 2000, 9)
    for name, values in again.values.items():
        assert (values == drawn.values[name]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"support_days": -1}, "cannot be below 0"),
        ({"support_days": float("nan")}, "cannot be below 0"),
        ({"terms": 0}, "terms is 0; it has to lie between 1 and 120"),
        ({"speeds": ()}, "no speed is given"),
        ({"speeds": (3, 30)}, "a speed of 30 terms of support does not fit into 15 terms"),
        ({"speeds": (0, 3)}, "a speed of 0 terms"),
        ({"draws": 1}, "draws is 1"),
        ({"time_limit": 0}, "the time limit is 0"),
        ({"covered": 1.5}, "covered is 1.5"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RolloutParameters(**({"support_days": 10} | settings))  # type: ignore[arg-type]
