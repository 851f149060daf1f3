"""Who took over from which school, from lists that say it from either side."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from brightspots.core.links import LINK_SCHEMA, directed
from brightspots.core.mapping import suggest_mapping


def listed(*rows: tuple[str, str, str, date | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(at, *row) for at, row in enumerate(rows, start=2)],
        schema={
            "row": pl.Int64, "school": pl.String, "other": pl.String, "link": pl.String,
            "on": pl.Date,
        },
        orient="row",
    )  # fmt: skip


def test_a_link_said_from_both_sides_is_one_link_from_before_to_after() -> None:
    day = date(2021, 8, 31)
    links, unusable = directed(
        listed(("A", "B", "Successor", None), ("B", "A", "Predecessor - merged", day))
    )
    assert links.rows() == [(2, "A", "B", "merged", day)]
    assert unusable.to_list() == [False, False]
    assert dict(links.schema) == LINK_SCHEMA


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Successor", ("A", "B", "successor")),
        ("Predecessor", ("B", "A", "successor")),
        ("Successor - Split School", ("A", "B", "split")),
        ("predecessor - AMALGAMATED", ("B", "A", "merged")),
    ],
)
def test_the_word_says_what_the_other_school_is(word: str, expected: tuple[str, ...]) -> None:
    links, _unusable = directed(listed(("A", "B", word, None)))
    assert links.select("predecessor", "successor", "kind").rows() == [expected]


def test_what_says_neither_or_contradicts_itself_is_left_out() -> None:
    links, unusable = directed(
        listed(
            ("A", "B", "Sixth Form Centre Link", None),
            ("A", "A", "Successor", None),
            ("C", "D", "Predecessor", None),
            ("D", "C", "Predecessor", None),
            ("E", "F", "Successor", None),
        )
    )
    assert unusable.to_list() == [True, True, True, True, False]
    assert links.select("predecessor", "successor").rows() == [("E", "F")]


def test_the_columns_of_englands_list_are_recognised() -> None:
    header = ["URN", "LinkURN", "LinkName", "LinkType", "LinkEstablishedDate"]
    mapping = suggest_mapping("school_links", header)
    assert {key: source.columns for key, source in mapping.columns.items()} == {
        "school": ("URN",),
        "other": ("LinkURN",),
        "link": ("LinkType",),
        "on": ("LinkEstablishedDate",),
    }
    assert mapping.missing() == ()
    assert suggest_mapping("school_links", ["URN"]).missing() == ("other", "link")


@pytest.mark.real_data
def test_englands_links_come_out_once_each_and_nearly_all(real_data: Path) -> None:
    file = real_data / "england" / "gias_links_predecessor_successor_2021.csv.gz"
    rows = pl.read_csv(file, infer_schema_length=0).with_row_index("row").select(
        "row", pl.col("URN").alias("school"), pl.col("LinkURN").alias("other"),
        pl.col("LinkType").alias("link"),
        pl.col("LinkEstablishedDate").str.to_date("%d-%m-%Y", strict=False).alias("on"),
    )  # fmt: skip
    links, unusable = directed(rows)
    assert rows.height == 29_817
    # By hand: 254 rows of kinds without a direction, "Result of Amalgamation" apart.
    plain = rows.filter(pl.col("link").is_in(["Successor", "Predecessor"]))
    assert unusable.sum() < 400
    assert 14_500 < links.height < plain.height
    pairs = set(links.select("predecessor", "successor").iter_rows())
    assert len(pairs) == links.height
    assert not any((after, before) in pairs for before, after in pairs)
    assert links.filter(pl.col("predecessor") == "100012").rows(named=True) == [
        {"row": 0, "predecessor": "100012", "successor": "100021", "kind": "merged",
         "on": date(2021, 8, 31)}
    ]  # fmt: skip
