"""Brokering: exact against other solvers, every constraint, and what must not change it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, milp

from brightspots.connectedness import broker_flow
from brightspots.connectedness.broker_record import paule_mandel
from brightspots.connectedness.brokering import BrokerParameters, broker, shortlist
from brightspots.core.errors import InputError

from .broker_checker import check, costs, town

PLAIN = BrokerParameters(exploration=0, fairness=None)
EXCEPTION = 1000.0


def assigned(requests: pl.DataFrame, offers: pl.DataFrame, max_km: float = 25.0) -> float:
    """Least cost by SciPy's assignment: an offer stands there once for each of its places."""
    pair = costs(requests, offers, max_km)
    places = offers["places"].to_list()
    columns = [pair[:, j] for j, n in enumerate(places) for _ in range(n)]
    alone = np.full((len(pair), len(pair)), 1e9)
    np.fill_diagonal(alone, EXCEPTION)
    square = np.column_stack([*columns, alone])
    square[np.isinf(square)] = 1e9
    rows, chosen = linear_sum_assignment(square)
    return float(square[rows, chosen].sum())


@pytest.mark.parametrize("seed", range(12))
def test_the_cost_is_the_least_by_another_solver(seed: int) -> None:
    requests, offers = town(40, 25, seed)
    result = broker(requests, offers, PLAIN)
    check(requests, offers, result)
    # Each cost is rounded to a metre.
    assert result.cost_km == pytest.approx(assigned(requests, offers), abs=0.001 * 40)
    assert result.gap == 0
    assert result.proved_over == "all pairs"
    scores = float(result.matches["score"].sum())
    assert scores + EXCEPTION * result.unmatched.height == pytest.approx(result.cost_km, abs=0.05)


@pytest.mark.parametrize("seed", range(4))
def test_lists_of_neighbours_and_pairs_added_later_give_the_same_cost(seed: int) -> None:
    requests, offers = town(120, 60, seed)
    every = broker(requests, offers, PLAIN)
    lists = BrokerParameters(exploration=0, fairness=None, all_pairs=0, nearest=8)
    few = broker(requests, offers, lists)
    check(requests, offers, few)
    assert few.matches.height == every.matches.height
    assert every.cost_km - 0.2 <= few.cost_km <= every.cost_km * 1.01
    if few.proved_over == "all pairs":
        assert few.cost_km == pytest.approx(every.cost_km, abs=0.001)


@pytest.mark.parametrize("seed", range(4))
def test_chains_of_moves_end_where_the_whole_flow_would(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_flow, "MOST_PRICED", 10_000)  # of unmatched requests only
    requests, offers = town(400, 220, seed, unplaced=0.02, width=1.5)
    lists = BrokerParameters(exploration=0, fairness=None, all_pairs=0, nearest=4)
    solved = []
    whole = broker_flow._solve_flow
    monkeypatch.setattr(
        broker_flow, "_solve_flow", lambda *a: solved.append(len(a[0].i)) or whole(*a)
    )
    result = broker(requests, offers, lists)
    check(requests, offers, result)
    flow = result._flow
    assert solved == [solved[0]]
    assert len(flow.pairs[0]) > solved[0], "no pair was added, so nothing is tested"
    market = result._market
    network, _ = broker_flow._network(market, *flow.pairs[:2], flow.pairs[2] / 1000)
    assert broker_flow._assign(market, network, False).cost == flow.cost


def packed(requests: pl.DataFrame, offers: pl.DataFrame) -> float:
    """Least cost with days and places both, by branch and bound over every pair."""
    pair = costs(requests, offers, 25.0)
    i, j = np.nonzero(np.isfinite(pair))
    days = requests["days"].to_numpy()
    n, m = pair.shape
    rows = np.zeros((n + 2 * m, len(i)))
    rows[i, np.arange(len(i))] = 1
    rows[n + j, np.arange(len(i))] = 1
    rows[n + m + j, np.arange(len(i))] = days[i]
    most = np.concatenate([np.ones(n), offers["places"].to_numpy(), offers["days"].to_numpy()])
    found = milp(
        pair[i, j] - EXCEPTION,
        constraints=LinearConstraint(rows, -np.inf, most),
        integrality=np.ones(len(i), dtype=int),
        bounds=Bounds(0, 1),
    )
    return float(found.fun) + EXCEPTION * n


@pytest.mark.parametrize("seed", range(8))
def test_days_of_different_lengths_are_packed_best_when_few(seed: int) -> None:
    requests, offers = town(14, 10, seed, days=True)
    result = broker(requests, offers, PLAIN)
    check(requests, offers, result)
    assert result.cost_km == pytest.approx(packed(requests, offers), abs=0.02)
    assert result.gap == 0


@pytest.mark.parametrize("seed", range(6))
def test_many_days_are_packed_within_a_true_bound(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brightspots.connectedness.broker_repair.MOST_EXACT", 0)
    requests, offers = town(14, 10, seed, days=True)
    result = broker(requests, offers, PLAIN)
    check(requests, offers, result)
    best = packed(requests, offers)
    assert result.bound_km <= best + 0.02
    assert best - 0.02 <= result.cost_km <= best + EXCEPTION + 100
    assert result.gap == pytest.approx((result.cost_km - result.bound_km) / result.cost_km)


def test_equal_days_are_exact() -> None:
    requests, offers = town(30, 20, 3)
    offers = offers.with_columns(days=pl.col("places") * 5.0 + 4, places=pl.lit(99))
    result = broker(requests.with_columns(days=pl.lit(5)), offers, PLAIN)
    check(requests, offers, result)
    assert result.cost_km == pytest.approx(
        assigned(requests, offers.with_columns(places=(pl.col("days") / 5).floor().cast(int))),
        abs=0.03,
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), m=st.integers(1, 25), days=st.booleans())
def test_constraints_hold_and_rows_may_stand_in_any_order(
    seed: int, n: int, m: int, days: bool
) -> None:
    requests, offers = town(n, m, seed, days=days)
    result = broker(requests, offers, BrokerParameters(exploration=0.3), seed=seed)
    check(requests, offers, result)
    other = broker(
        requests.sample(fraction=1, shuffle=True, seed=seed),
        offers.sample(fraction=1, shuffle=True, seed=seed + 1).select(reversed(offers.columns)),
        BrokerParameters(exploration=0.3),
        seed=seed,
    )
    for name in ("matches", "shortlists", "unmatched", "by_area"):
        assert_frame_equal(getattr(result, name), getattr(other, name))


def test_names_of_schools_change_nothing() -> None:
    requests, offers = town(40, 25, 5)
    rename = pl.format("{}x", pl.col("school").str.reverse())
    result = broker(requests, offers, PLAIN)
    other = broker(requests.with_columns(school=rename), offers.with_columns(school=rename), PLAIN)
    assert_frame_equal(result.matches, other.matches)


@pytest.mark.parametrize("seed", range(6))
def test_no_price_makes_anybody_wish_for_another_place(seed: int) -> None:
    requests, offers = town(60, 25, seed)
    result = broker(requests, offers, PLAIN)
    flow, pair = result._flow, costs(requests, offers, 25.0)
    assert flow.prices is not None
    price = flow.prices / 1000
    assert (price >= 0).all()
    left = offers["places"].to_numpy() - np.bincount(
        flow.offer_of[flow.offer_of >= 0], minlength=len(price)
    )
    assert (price[left > 0] == 0).all()
    open_ = np.where(offers["places"].to_numpy() > 0, pair + price, np.inf).min(axis=1)
    pays = [
        EXCEPTION if j < 0 else pair[i, j] + price[j] for i, j in enumerate(flow.offer_of.tolist())
    ]
    assert (np.array(pays) <= np.minimum(open_, EXCEPTION) + 0.003).all()


def test_shortlists_are_the_best_of_all_permitted_offers() -> None:
    requests, offers = town(30, 20, 8)
    result = broker(requests, offers, PLAIN)
    pair = costs(requests, offers, 25.0)
    for i, row in enumerate(requests.to_dicts()):
        listed = result.shortlists.filter(request=row["request"])
        expected = np.argsort(np.round(pair[i], 3), kind="stable")
        expected = expected[np.isfinite(pair[i][expected])][:3]
        assert listed["offer"].to_list() == [offers["offer"][int(j)] for j in expected]
        assert listed["rank"].to_list() == list(range(1, len(expected) + 1))
        single = shortlist(row | {"weight": None}, offers, PLAIN)
        # Alone, a school that gives does not ask: only then may the lists differ.
        if not set(offers["school"]) & set(requests["school"]):
            assert [s.offer for s in single] == listed["offer"].to_list()
        assert all(s.more_than_best == pytest.approx(s.score - single[0].score) for s in single)


def test_a_single_shortlist_is_the_one_of_the_whole_table() -> None:
    requests, offers = town(30, 20, 8)
    offers = offers.with_columns(school=pl.format("T{}", "school"))
    result = broker(requests, offers, BrokerParameters(exploration=1), seed=4)
    for row in requests.to_dicts():
        listed = result.shortlists.filter(request=row["request"])
        single = shortlist(row, offers, BrokerParameters(exploration=1), seed=4)
        assert [s.offer for s in single] == listed["offer"].to_list()
        assert [s.english for s in single] == listed["reasons"].to_list()


def test_reasons_of_one_pair_and_of_the_table_are_the_same_words() -> None:
    requests, offers = town(40, 25, 2)
    rng = np.random.default_rng(1)
    gain = np.where(rng.random(25) < 0.5, rng.normal(0.1, 0.1, 25), np.nan)
    offers = offers.with_columns(
        gain=pl.Series(gain).fill_nan(None),
        se=pl.lit(0.05), projects=pl.Series(rng.integers(1, 5, 25)),
    )  # fmt: skip
    result = broker(requests, offers)
    for request, offer, words in result.matches.select("request", "offer", "reasons").rows():
        assert "; ".join(r.english for r in result.reasons(request, offer)) == words
    kinds = {r.kind for a, b in result.matches.select("request", "offer").rows()
             for r in result.reasons(a, b)}  # fmt: skip
    assert {"record", "no_record", "distance", "same_language"} <= kinds


def test_fairness_moves_what_is_unmatched_between_areas_and_serves_as_many() -> None:
    # One offer of 4 places between two areas that ask 4 each; by cost alone the near area has all.
    requests = pl.DataFrame({
        "request": [f"R{i}" for i in range(8)], "school": [f"S{i}" for i in range(8)],
        "priority": "maths", "latitude": [0.1] * 4 + [0.2] * 4, "longitude": 30.0,
        "area": ["near"] * 4 + ["far"] * 4,
    })  # fmt: skip
    offers = pl.DataFrame(
        {"offer": "O", "school": "T", "priority": "maths", "latitude": 0.1, "longitude": 30.0,
         "places": 4}
    )  # fmt: skip
    plain = broker(requests, offers, PLAIN)
    assert set(plain.matches["request"]) == {"R0", "R1", "R2", "R3"}
    fair = broker(requests, offers, BrokerParameters(exploration=0, fairness=0.0))
    assert fair.matches.height == 4
    assert fair.by_area["unmatched"].to_list() == [2, 2]
    assert fair.by_area["kept"].all()
    some = broker(requests, offers, BrokerParameters(exploration=0, fairness=0.25))
    assert some.by_area.rows_by_key("area", unique=True)["far"][1] == 3
    alone = offers.with_columns(latitude=pl.lit(-0.05))  # the far area is beyond reach
    cannot = broker(requests, alone, BrokerParameters(exploration=0, fairness=0.1))
    row = cannot.by_area.filter(area="far").row(0, named=True)
    assert not row["kept"]
    assert row["note"] == "cannot be kept: for 4 of its 4 no offer may be matched"


@pytest.mark.parametrize("seed", range(6))
def test_fairness_exceeds_limits_as_little_as_any_answer_that_serves_as_many(seed: int) -> None:
    requests, offers = town(9, 3, seed, unplaced=0)
    offers = offers.with_columns(places=pl.lit(1))
    share = 0.05
    result = broker(requests, offers, BrokerParameters(exploration=0, fairness=share))
    pair = np.isfinite(costs(requests, offers, 25.0))
    areas = [area or "" for area in requests["area"]]

    def excess(served: set[int]) -> float:
        out = [areas[i] for i in range(9) if i not in served]
        rate = len(out) / 9 + share
        limits = {a: int(rate * areas.count(a) + 1e-9) for a in areas if a}
        return sum(max(0, out.count(a) - limit) for a, limit in limits.items())

    best: dict[int, float] = {}
    for choice in itertools.product(range(-1, 9), repeat=3):
        served = [i for i in choice if i >= 0]
        if len(set(served)) < len(served) or any(
            i >= 0 and not pair[i, j] for j, i in enumerate(choice)
        ):
            continue
        best[len(served)] = min(best.get(len(served), 99), excess(set(served)))
    codes = requests["request"].to_list()
    ours = {codes.index(code) for code in result.matches["request"]}
    assert len(ours) == max(best)
    assert excess(ours) == best[len(ours)]


def one(**changes: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    request = {"request": "R", "school": "S", "priority": "Early reading", "latitude": 0.1,
               "longitude": 30.0, "language": "en", "area": "east"}  # fmt: skip
    offer = {"offer": "O", "school": "T", "priority": "early reading", "latitude": 0.1,
             "longitude": 30.05, "language": "en", "area": "east", "places": 1}  # fmt: skip
    for name, value in changes.items():
        side, column = name.split("_", 1)
        (request if side == "r" else offer)[column] = value
    return pl.DataFrame([request], infer_schema_length=None), pl.DataFrame([offer])


@pytest.mark.parametrize(
    ("changes", "parameters", "kind", "words"),
    [
        ({"o_school": "S"}, {}, "all_ruled_out", "a school does not support itself"),
        ({"o_priority": "maths"}, {}, "nobody_offers", "it does not offer Early reading"),
        ({"o_places": 0}, {}, "nobody_has_places", "it has no places left"),
        ({"o_latitude": 1.0}, {}, "none_near", "it is 100 km away, more than 25 km"),
        ({"o_latitude": None, "o_area": "west"}, {}, "all_ruled_out", "a place is not known"),
        ({"r_latitude": 0, "r_longitude": 0, "r_area": ""}, {}, "no_place_known", "a place is not"),
        ({"o_language": "fr"}, {"same_language": True}, "all_ruled_out", "share no language"),
        ({"o_days": 2, "r_days": 4}, {}, "all_ruled_out", "it has 2 days, and 4 are asked for"),
    ],
)
def test_why_a_request_finds_nobody_is_said(
    changes: dict[str, Any], parameters: dict[str, Any], kind: str, words: str
) -> None:
    requests, offers = one(**changes)
    result = broker(requests, offers, BrokerParameters(**parameters))
    assert result.unmatched["kind"].to_list() == [kind]
    assert words in result.why_not("R", "O")[0]


def test_a_school_does_not_give_what_it_asks_for() -> None:
    requests, offers = one()
    both = pl.concat([requests, requests.with_columns(request=pl.lit("R2"), school=pl.lit("T"))])
    assert broker(both, offers).matches.height == 0
    allowed = broker(both, offers, BrokerParameters(askers_may_give=True))
    assert allowed.matches["request"].to_list() == ["R"]


def test_pairs_that_were_ruled_out_stay_out() -> None:
    requests, offers = one()
    for row in ({"request": "R", "offer": "O"}, {"school": "S", "offer_school": "T"}):
        conflicts = pl.DataFrame([row | {"reason": "related"}])
        result = broker(requests, offers, conflicts=conflicts)
        assert result.why_not("R", "O") == ["the pair was ruled out: related"]
        assert shortlist(requests.row(0, named=True), offers, conflicts=conflicts) == ()
    with pytest.raises(InputError, match="there is no offer X"):
        broker(requests, offers, conflicts=pl.DataFrame({"request": "R", "offer": "X"}))


def test_a_ruled_out_pair_of_schools_that_are_not_there_is_said() -> None:
    requests, offers = one()
    there = pl.DataFrame({"school": ["S", "T"], "offer_school": ["T", "S"]})
    assert broker(requests, offers, conflicts=there).notes == ()
    mistyped = pl.DataFrame({"school": ["Z", "S"], "offer_school": ["T", "Q"]})
    result = broker(requests, offers, conflicts=mistyped)
    assert result.matches.height == 1
    assert result.notes == (
        "Pairs ruled out name schools that neither ask nor give here (Q, Z):"
        " these rows rule out nothing.",
    )


def test_without_any_coordinates_all_else_decides() -> None:
    requests, offers = town(50, 30, 1, unplaced=1.0)
    result = broker(requests, offers, PLAIN)
    assert any("Nobody has coordinates" in note for note in result.notes)
    assert result.matches.height > 20
    assert result.matches["distance_km"].null_count() == result.matches.height
    few = broker(requests, offers, BrokerParameters(exploration=0, fairness=None, all_pairs=0))
    assert few.matches.height == result.matches.height


def test_why_not_another_offer_names_what_counts_and_who_has_the_place() -> None:
    requests, offers = one()
    near = requests.with_columns(request=pl.lit("R2"), school=pl.lit("S2"), longitude=pl.lit(30.04))
    second = offers.with_columns(offer=pl.lit("P"), school=pl.lit("U"), longitude=pl.lit(29.95))
    result = broker(pl.concat([requests, near]), pl.concat([offers, second]), PLAIN)
    assert dict(result.matches.select("request", "offer").rows()) == {"R": "P", "R2": "O"}
    assert result.why_not("R", "P") == ["it is the match"]
    said = result.why_not("R", "O")
    assert said[0] == "it fits as well as P"
    assert "its places go to R2" in said
    with pytest.raises(InputError, match="there is no request Z"):
        result.why_not("Z", "O")


@pytest.mark.parametrize(
    ("side", "column", "value", "message"),
    [
        ("requests", "request", None, "code of the request is empty"),
        ("requests", "school", " ", "school code is empty"),
        ("requests", "priority", "", "priority is empty"),
        ("requests", "priority", "a;b", "several priorities"),
        ("requests", "latitude", "95", "degrees from -90 to 90"),
        ("requests", "days", "0", "a number of days above 0"),
        ("requests", "days", "soon", '"soon" is not a number of days'),
        ("requests", "weight", "-1", "a weight above 0"),
        ("offers", "places", "1.5", "a whole number of places"),
        ("offers", "priority", None, "priority is empty"),
        ("offers", "school", None, "neither a school nor a leader"),
        ("offers", "se", "0", "a standard error above 0"),
        ("offers", "gain", "inf", '"inf" is not a number'),
        ("offers", "gain", "0.2", "a gain without its standard error"),
    ],
)
def test_bad_cells_are_named_with_table_row_and_column(
    side: str, column: str, value: str | None, message: str
) -> None:
    tables = dict(zip(("requests", "offers"), town(6, 6, 0), strict=True))
    tables[side] = tables[side].cast(pl.String).with_columns(
        **({} if column in tables[side].columns else {column: pl.lit(None, pl.String)})
    )  # fmt: skip
    tables[side][3, column] = value
    with pytest.raises(InputError, match=message) as caught:
        broker(tables["requests"], tables["offers"])
    assert (caught.value.file, caught.value.row, caught.value.column) == (side, 5, column)


def test_codes_twice_missing_columns_and_empty_tables_are_refused() -> None:
    requests, offers = town(3, 3, 0)
    with pytest.raises(InputError, match="R0000 is already in row 2"):
        broker(pl.concat([requests, requests]), offers)
    with pytest.raises(InputError, match="column priority is missing"):
        broker(requests, offers.drop("priority"))
    with pytest.raises(InputError, match="there are no offers"):
        broker(requests, offers.clear())
    assert shortlist(requests.row(0, named=True), offers.clear()) == ()
    with pytest.raises(InputError, match="exploration is 2"):
        BrokerParameters(exploration=2)


BCG = """4 119 11 128,6 300 29 274,3 228 11 209,62 13536 248 12619,33 5036 47 5761,180 1361 372\
 1079,8 2537 10 619,505 87886 499 87892,29 7470 45 7232,17 1699 65 1600,186 50448 141 27197,\
5 2493 3 2338,27 16886 29 17825"""


def test_paule_and_mandel_on_the_trials_of_bcg_as_published() -> None:
    # The 13 trials of Colditz et al. (1994); tau2 of this estimator as metafor gives it: 0.3181.
    table = np.array([[float(x) for x in row.split()] for row in BCG.split(",")])
    a, b, c, d = table.T
    ratio = np.log((a / (a + b)) / (c / (c + d)))
    se = np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    mu, tau = paule_mandel(ratio, se)
    assert tau**2 == pytest.approx(0.3181, abs=5e-5)
    assert mu == pytest.approx(-0.7150, abs=5e-4)
    assert paule_mandel(np.full(5, 0.2), np.full(5, 0.1)) == (pytest.approx(0.2), 0.0)


def test_records_are_shrunk_towards_the_others_and_none_is_their_mean() -> None:
    requests, offers = one()
    gain = [0.30, 0.10, 0.0, -0.2, 0.15, 0.4, None]
    offers = pl.concat([offers] * 7).with_columns(
        offer=pl.Series([f"O{at}" for at in range(7)]),
        school=pl.Series([f"T{at}" for at in range(7)]),
        gain_early_reading=pl.Series(gain), se_early_reading=pl.lit(0.1),
    )  # fmt: skip
    record = broker(requests, offers, PLAIN)._market.record
    mu, tau = paule_mandel(np.array(gain[:6], dtype=float), np.full(6, 0.1))
    shrunk = mu + tau**2 / (tau**2 + 0.01) * (0.3 - mu)
    assert record.mean[0, 0] == pytest.approx(shrunk)
    assert record.sd[0, 0] == pytest.approx((1 / tau**2 + 100) ** -0.5)
    assert record.mean[6, 0] == pytest.approx(mu)
    kept = broker(requests, offers, BrokerParameters(exploration=0, shrink=False))._market.record
    assert kept.mean[0, 0] == 0.3
    assert broker(requests, offers, PLAIN).matches["offer"].to_list() == ["O5"]


def test_exploration_is_a_bounded_share_drawn_from_the_seed_and_reaches_the_untried() -> None:
    requests, offers = town(200, 60, 4)
    offers = offers.with_columns(
        gain=pl.Series([0.15] * 30 + [None] * 30), se=pl.lit(0.02), places=pl.lit(40)
    )
    parameters = BrokerParameters(exploration=0.2, prior_mean=0.05, prior_sd=0.15)
    result = broker(requests, offers, parameters, seed=1)
    explores = result._market.record.explores
    assert explores.sum() <= 40
    other = broker(requests, offers, parameters, seed=2)._market.record.explores
    assert (explores != other).any()
    untried = set(offers["offer"][30:])
    share = {}
    for flag in (True, False):
        these = requests["request"].filter(pl.Series(explores == flag)).to_list()
        matched = result.matches.filter(pl.col("request").is_in(these))["offer"]
        share[flag] = float(np.mean([offer in untried for offer in matched]))
    assert share[True] > share[False] + 0.1
    for request, offer in result.matches.select("request", "offer").rows():
        told = any(r.kind == "exploring" for r in result.reasons(request, offer))
        assert told == explores[requests["request"].to_list().index(request)]
