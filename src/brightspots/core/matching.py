"""Find the school of every row in the list of schools, by code or by name and area."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from brightspots.core.checks import Checked, with_problems
from brightspots.core.fields import AREA_SEPARATOR
from brightspots.core.problems import problems_where
from brightspots.core.row_checks import find_repeats, key_columns

_NO_SCHOOL = "There is no such school in the list of schools."
_SEVERAL = "More than one school in the list has this name in this area."


def match_schools(checked: Checked, known: pl.DataFrame) -> Checked:
    """Keep the rows whose school is known, and explain the others.

    Parameters
    ----------
    checked : Checked
        From :func:`brightspots.core.checks.apply`.
    known : polars.DataFrame
        The schools we have: columns `code`, `name`, `area_path` (levels joined by
        ``AREA_SEPARATOR``), all text.

    Returns
    -------
    Checked
        Every row has the school's code: in `school` for results, in `code` for schools that were
        matched by name and area. Rows without a school are refused, or left out with a warning
        where the mapping says ``unmatched="skip"``. A list of schools that is matched by code is
        returned as it is: new schools are welcome there.

    Notes
    -----
    Names and areas are compared without regard to capitals and runs of spaces. Areas are
    compared on the levels that both have.
    """
    mapping = checked.mapping
    if mapping.match == "name and area":
        return _by_name(checked, known)
    if mapping.kind == "schools":
        return checked
    found = checked.rows["school"].is_in(known["code"].unique().implode())
    return _sort_out(checked, checked.rows, ~found, checked.rows["school"], _NO_SCHOOL)


def _sort_out(
    checked: Checked, rows: pl.DataFrame, lost: pl.Series, shown: pl.Series, problem: str
) -> Checked:
    """Take the lost rows out and say so, once for each row of the file."""
    skip = checked.mapping.unmatched == "skip"
    first = rows.select(pl.int_range(pl.len()).over("row") == 0).to_series()
    problems = problems_where(
        lost & first,
        rows=rows["row"],
        column=_column(checked),
        values=shown,
        problem=problem,
        severity="warning" if skip else "error",
        mend="The row is left out." if skip else "Import the school first, or correct the row.",
    )
    return with_problems(replace(checked, rows=rows.filter(~lost)), problems, refused=not skip)


def _column(checked: Checked) -> str:
    columns = checked.mapping.columns
    key = next(each for each in ("school", "code", "school_name", "name") if each in columns)
    return columns[key].columns[0] if columns[key].columns else key


def _same(text: str) -> pl.Expr:
    return pl.col(text).str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ")


def _by_name(checked: Checked, known: pl.DataFrame) -> Checked:
    results = checked.mapping.kind != "schools"
    code, name = ("school", "school_name") if results else ("code", "name")
    rows = checked.rows.drop(code, strict=False)
    found = _candidates(rows.select(pl.col(name).alias("name"), "area_path"), known)
    front = ["row", code]
    rows = rows.with_columns(found["code"].alias(code)).select(*front, pl.exclude(front))
    shown = rows.select(pl.concat_str(name, "area_path", separator=", ")).to_series()
    nowhere = found["n"] == 0
    first = _sort_out(checked, rows, nowhere, shown, _NO_SCHOOL)
    several = found["n"].filter(~nowhere) > 1
    second = _sort_out(first, first.rows, several, shown.filter(~nowhere), _SEVERAL)
    return _refuse_repeats(second)


def _candidates(asked: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return, for each row asked, how many schools fit (`n`) and the code of the first."""
    levels = _same("area_path").str.split(AREA_SEPARATOR).alias("levels")
    rows = asked.select(pl.int_range(pl.len()).alias("at"), _same("name").alias("name"), levels)
    have = known.select("code", _same("name").alias("name"), levels)
    depth = pl.col("levels").list.len()
    pairs = []
    for (deep,), group in rows.group_by(depth):
        for (known_deep,), schools in have.group_by(depth):
            common = min(int(str(deep)), int(str(known_deep)))
            area = pl.col("levels").list.head(common).list.join(AREA_SEPARATOR).alias("area")
            both = group.with_columns(area).join(schools.with_columns(area), on=["name", "area"])
            pairs.append(both.select("at", "code"))
    empty = pl.DataFrame(schema={"at": rows.schema["at"], "code": pl.String})
    fits = (
        pl.concat([empty, *pairs])
        .group_by("at")
        .agg(pl.col("code").min(), pl.col("code").n_unique().alias("n"))
    )
    return (
        rows.select("at")
        .join(fits, on="at", how="left", maintain_order="left")
        .select("code", pl.col("n").fill_null(0))
    )


def _refuse_repeats(checked: Checked) -> Checked:
    """Refuse rows that name one school in two ways and so have become rows for one thing."""
    rows = checked.rows
    key = key_columns(checked.mapping.kind, rows.columns)
    repeats = find_repeats(rows, key, _column(checked))
    if not repeats.problems.height:
        return checked
    once = repeats.problems.unique("row", maintain_order=True)
    left = rows.filter(~rows["row"].is_in(once["row"].implode()))
    return with_problems(replace(checked, rows=left), once, refused=True)
