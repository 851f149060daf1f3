"""What a panel may look like, and what is said of one that cannot be used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.evidence.impact import partnership_impact
from brightspots.evidence.panel import PanelColumns, read_panel
from brightspots.evidence.parameters import ImpactParameters
from tests.library.evidence_panels import COLUMNS, both, put_together, staggered


def text(seed: int = 1, n: int = 24, T: int = 5) -> pl.DataFrame:
    """A panel with every cell as text, as read from a file."""
    return staggered(seed, n=n, T=T).select(pl.all().cast(pl.String))


def changed(row: int, **cells: str | None) -> pl.DataFrame:
    """The panel with other cells in a row, counted with the header as 1."""
    frame = text().with_row_index("at", offset=2)
    return frame.with_columns(
        pl.when(pl.col("at") == row).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in cells.items()
    ).drop("at")


BAD: list[tuple[str, pl.DataFrame, PanelColumns, int | None, str | None, str]] = [
    ("an unknown column", text(), replace(COLUMNS, outcome="scor"), None, "scor",
     'Did you mean "score"'),
    ("another unknown column", text(), replace(COLUMNS, cluster="zzz"), None, "zzz",
     "The file has: school, year"),
    ("a column twice", text(), replace(COLUMNS, covariates=("score",)), None, "score",
     "named for two things"),
    ("the outcome as cluster", text(), replace(COLUMNS, cluster="score"), None, "score",
     "named for two things"),
    ("an empty school", changed(4, school=" "), COLUMNS, 4, "school", "unit is empty"),
    ("an empty year", changed(4, year=None), COLUMNS, 4, "year", "time is empty"),
    ("a year that is a word", changed(4, year="soon"), COLUMNS, 4, "year",
     '"soon" is not a period'),
    ("a unit-period twice", changed(4, year="2"), COLUMNS, 4, "year", "2 times: rows 3, 4"),
    ("a score that is a word", changed(5, score="good"), COLUMNS, 5, "score",
     '"good" is not a number'),
    ("another first year in one row", changed(4, first="2"), COLUMNS, 4, "first",
     "has two values: rows 3 and 4"),
    ("a first year between periods", text().filter(pl.col("year") != "4"), COLUMNS, None, "first",
     "lies between 3 and 5"),
    ("a first year that is a word", changed(4, first="spring"), COLUMNS, 4, "first",
     '"spring" is not a period like those of the time'),
    ("one period", text().filter(pl.col("year") == "2"), COLUMNS, None, "year", "only one period"),
    ("a constant outcome", text().with_columns(score=pl.lit("5")), COLUMNS, None, "score",
     "the same in every row"),
    ("an empty outcome", text().with_columns(score=pl.lit("")), COLUMNS, None, None,
     "No unit is left to compare: 24 units: no value in some periods"),
    ("nobody treated", text().with_columns(first=pl.lit("")), COLUMNS, None, "first",
     "No unit is first treated within the panel"),
    ("all treated before", text().with_columns(first=pl.lit("1")), COLUMNS, None, None,
     "24 units: treated in the first period or before"),
    ("nobody whole", text().filter(pl.col("year") != pl.when(pl.col("school") < "s0012")
     .then(pl.lit("1")).otherwise(pl.lit("5"))), COLUMNS, None, None, "no row in some periods"),
    ("no rows", text().clear(), COLUMNS, None, None, "no rows"),
    ("a school code for the time", text(n=100).with_columns(year=pl.col("school") + "-"
     + pl.col("year")), COLUMNS, None, "year", "500 different values"),
    ("a weight of 0", changed(6, pupils="0"), replace(COLUMNS, weights="pupils"), 6, "pupils",
     "empty, 0 or below"),
    ("two partnerships", changed(6, partnership="p999"), replace(COLUMNS, cluster="partnership"), 6,
     "partnership", "has two values: rows 5 and 6"),
    ("a covariate of words and numbers", changed(6, x="much"), replace(COLUMNS, covariates=("x",)),
     6, "x", '"much" is not a number'),
    ("a covariate of many words", text(n=40).with_columns(x=pl.col("school")),
     replace(COLUMNS, covariates=("x",)), None, "x", "40 different words"),
    ("eligible that is neither", changed(6, x="perhaps"), replace(COLUMNS, eligible="x"), 2, "x",
     "is not yes or no"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "columns", "row", "column", "message"), [case[1:] for case in BAD],
    ids=[case[0] for case in BAD],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(
    frame: pl.DataFrame, columns: PanelColumns, row: int | None, column: str | None, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        partnership_impact(frame, columns)
    assert message in str(caught.value)
    if column is not None:
        assert caught.value.column == column
    if row is not None:
        assert caught.value.row == row


@pytest.mark.parametrize("never", ["", "0", "0.0", "inf", "Inf", "NA", "never", None])
def test_never_can_be_written_in_many_ways(never: str | None) -> None:
    frame = text()
    other = frame.with_columns(
        first=pl.when(pl.col("first") == "0").then(pl.lit(never)).otherwise(pl.col("first"))
    )
    expected = both(frame)[1].cells
    assert both(other)[1].cells.equals(expected)


@pytest.mark.parametrize(
    ("write", "label"),
    [
        (lambda y: f"{2018 + y}.0", "2021"),
        (lambda y: f"{2017 + y}/{(18 + y) % 100:02d}", "2020/21"),
        (lambda y: f"{2018 + y}-03-31", "2021-03-31"),
        (lambda y: f"31.03.{2018 + y}", "31.03.2021"),
        (lambda y: f"2021-{2 * y:02d}", "2021-06"),
    ],
)
def test_time_may_be_a_year_a_school_year_a_date_or_a_month(write: Any, label: str) -> None:
    frame = text()
    names = {str(y): write(y) for y in range(1, 6)}
    other = frame.with_columns(
        year=pl.col("year").replace_strict(names), first=pl.col("first").replace(names)
    )
    panel, found = both(other)
    expected = both(frame)[1].cells
    assert found.cells["att"].to_list() == expected["att"].to_list()
    assert found.cells["event_time"].to_list() == expected["event_time"].to_list()
    assert panel.periods.labels[2] == label


def test_what_is_left_out_is_listed_with_its_reason() -> None:
    frame = text(n=30)
    frame = frame.filter(~((pl.col("school") == "s0003") & (pl.col("year") == "2")))
    frame = frame.with_columns(
        score=pl.when((pl.col("school") == "s0004") & pl.col("year").is_in(["3", "5"]))
        .then(pl.lit("SUPP")).otherwise(pl.col("score")),
        first=pl.when(pl.col("school") == "s0005").then(pl.lit("1"))
        .when(pl.col("school") == "s0006").then(pl.lit("0.0"))
        .when(pl.col("school") == "s0007").then(pl.lit("9")).otherwise(pl.col("first")),
    )  # fmt: skip
    panel = read_panel(frame, COLUMNS)
    assert panel.left_out.rows() == [
        ("s0003", "no row in some periods", "2"),
        ("s0004", "no value in some periods", "3, 5"),
        ("s0005", "treated in the first period or before", ""),
    ]
    assert panel.n == 27
    assert panel.n_listed == 30
    assert any("first treated after the last period" in note for note in panel.notes)
    assert any("1 units: no row in some periods" in note for note in panel.notes)


def test_uneven_periods_are_said_and_event_time_counts_years() -> None:
    frame = staggered(2).filter(pl.col("year") != 2)
    panel, found = both(frame)
    assert any("not evenly spaced" in note for note in panel.notes)
    cell = found.cells.filter((pl.col("group") == "5") & (pl.col("time") == "1"))
    assert cell.height == 0
    earliest = found.cells.filter(pl.col("group") == "3")
    assert earliest["base"].unique().to_list() == ["1"]
    assert earliest["event_time"].to_list() == [0.0, 1.0, 2.0, 3.0]


def test_one_treated_school_or_partnership_has_no_interval_and_no_error() -> None:
    frame = staggered(3, n=60, per_cluster=5)
    some = frame.filter(pl.col("first") > 0)["partnership"][0]
    one = frame.with_columns(
        first=pl.when(pl.col("partnership") == some).then(pl.lit(4)).otherwise(pl.lit(0))
    )
    found = partnership_impact(one, replace(COLUMNS, cluster="partnership"),
                               ImpactParameters(pupil_sd=1))  # fmt: skip
    assert (found.simple.se, found.simple.lower, found.simple.upper) == (None, None, None)
    assert "one treated cluster alone" in found.simple.why
    assert found.cells["se"].null_count() == found.cells.height
    assert found.size is None
    assert found.security.rating == 0
    assert any("one treated cluster alone" in note for note in found.notes)


def test_one_cluster_to_compare_with_has_no_interval() -> None:
    frame = staggered(3, n=60).with_columns(
        first=pl.when(pl.col("school") == "s0000").then(pl.lit(0)).otherwise(pl.lit(4))
    )
    simple = put_together(*both(frame)).overall
    assert simple.lower is None
    assert "one cluster alone to compare with" in simple.why


def test_without_never_treated_schools_the_way_out_is_named_and_works() -> None:
    frame = staggered(5, never=0.0)
    with pytest.raises(InputError, match="--control notyet"):
        partnership_impact(frame, COLUMNS)
    found = partnership_impact(frame, COLUMNS, ImpactParameters(control="notyet"))
    assert found.simple.lower is not None
    last = found.cells.filter((pl.col("time") == "6") | (pl.col("time") == "5"))
    assert last["att"].null_count() > 0
    assert last.filter(pl.col("att").is_null())["why"].unique().to_list() == [
        "nobody is left to compare with"
    ]


def test_covariates_that_part_the_treated_from_the_rest_give_no_value() -> None:
    frame = staggered(6).with_columns(
        x=pl.when(pl.col("first") == 4).then(pl.col("x") + 50).otherwise(pl.col("x"))
    )
    _, found = both(frame, replace(COLUMNS, covariates=("x",)))
    apart = found.cells.filter(pl.col("group") == "4")
    assert apart["att"].null_count() == apart.height
    assert apart["why"].str.contains("no units like them").all()
    assert found.cells.filter(pl.col("group") == "3")["att"].null_count() == 0


def test_covariates_that_say_the_same_give_no_value_and_say_why() -> None:
    frame = staggered(6).with_columns(z=2 * pl.col("x"))
    found = partnership_impact(frame, replace(COLUMNS, covariates=("x", "z")))
    assert found.simple.att is None
    assert any("cannot be told apart" in note for note in found.notes)


def test_a_covariate_of_words_is_one_of_indicators() -> None:
    frame = staggered(7).with_columns(
        kind=pl.when(pl.col("x") > 0.5).then(pl.lit("urban")).otherwise(pl.lit("rural"))
    )
    numbers = frame.with_columns(kind=(pl.col("kind") == "urban").cast(pl.Int64))
    columns = replace(COLUMNS, covariates=("kind",))
    panel, words = both(frame, columns)
    assert panel.covariate_names == ("kind: urban",)
    assert words.cells.equals(both(numbers, columns)[1].cells)


def test_a_school_may_be_its_own_cluster_and_a_covariate_the_weight() -> None:
    frame = text()
    columns = replace(COLUMNS, covariates=("pupils",), weights="pupils", cluster="school")
    copied = frame.with_columns(size="pupils", own="c" + pl.col("school"))
    apart = replace(COLUMNS, covariates=("size",), weights="pupils", cluster="own")
    assert both(frame, columns)[1].cells.equals(both(copied, apart)[1].cells)


def test_decimal_commas_are_read() -> None:
    frame = text().with_columns(score=pl.col("score").str.replace(".", ",", literal=True))
    assert both(frame)[1].cells.equals(both(text())[1].cells)


def test_schools_without_a_partnership_count_alone() -> None:
    frame = staggered(8, n=60, per_cluster=3).with_columns(
        partnership=pl.when(pl.col("first") > 0).then(pl.col("partnership")).otherwise(pl.lit(""))
    )
    panel = read_panel(frame, replace(COLUMNS, cluster="partnership"))
    alone = frame.filter(pl.col("first") == 0)["school"].n_unique()
    assert panel.n_clusters == alone + frame.filter(pl.col("first") > 0)["partnership"].n_unique()
    assert any(f"{alone} units have no cluster" in note for note in panel.notes)


@pytest.mark.parametrize(
    "settings",
    [{"control": "all"}, {"method": "ols"}, {"anticipation": -1}, {"level": 1.0}, {"seed": -1},
     {"design": "rct"}, {"pupil_sd": 0.0}, {"draws": 5}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        ImpactParameters(**settings)
