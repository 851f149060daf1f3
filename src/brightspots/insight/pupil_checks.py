"""What is wrong with a file of pupils, found before a model is fitted.

Each kind of fault has its own message with file, column, row and what to do. The faults that a
model cannot see are the dangerous ones: a pupil counted twice, 999 for "absent", dates that a
spreadsheet made of scores or years. They would give a wrong number and no error.

Each check is one aggregate query over the rows; only a fault costs a second look, for its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import ibis
import ibis.expr.types as ir

from brightspots.core.engine import MISSING_WORDS, Table
from brightspots.core.errors import InputError
from brightspots.insight.formula import Formula
from brightspots.insight.year_labels import EXCEL_DAYS, check_years, day_of_excel

PUPIL: Final = "pupil"
"""A column of this name is taken for the pupil's code unless another is given."""
MOST_ROWS_UNASKED: Final = 5_000_000
"""Up to here pupils are looked at for duplicates without being asked; beyond, it takes memory."""
MAX_YEARS: Final = 60
_NUMBER_WORDS = (*MISSING_WORDS, "NaN", "nan")
_DATE_TEXT = r"^\s*(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}-[A-Za-z]{3})"


@dataclass(frozen=True)
class PupilChecks:
    """What a file of pupils is held against.

    Parameters
    ----------
    year : str, optional
        Column of the year.
    pupil : str, optional
        Column of the pupil's code; None takes ``pupil`` where there is one (and up to
        ``MOST_ROWS_UNASKED`` rows), ``""`` takes none.
    scale : mapping
        Outcome column -> lowest and highest possible score; the key ``""`` stands for all others.
    """

    year: str | None = None
    pupil: str | None = None
    scale: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def scale_of(self, column: str) -> tuple[float, float] | None:
        """Lowest and highest possible score of an outcome, where they are known."""
        return self.scale.get(column, self.scale.get(""))


@dataclass(frozen=True)
class PupilFile:
    """What was seen.

    Parameters
    ----------
    n_rows : int
    years : mapping
        Outcome -> labels of the years in which it is known, sorted; empty without a year column.
    pupil : str or None
        The column by which duplicates were looked for; None where they were not.
    """

    n_rows: int
    years: Mapping[str, tuple[str, ...]]
    pupil: str | None


def parse_scale(text: str) -> dict[str, tuple[float, float]]:
    """Read ``0:100`` (all outcomes) or ``reading=0:100,mathematics=-3:3``.

    Raises
    ------
    InputError
        It is neither, or a lower end is not below its upper end.
    """
    scale = {}
    for part in text.split(","):
        name, _, ends = part.rpartition("=")
        low, _, high = ends.partition(":")
        try:
            lowest, highest = float(low), float(high)
        except ValueError:
            lowest, highest = 0.0, 0.0
        if not lowest < highest or abs(lowest) == float("inf") or highest == float("inf"):
            raise InputError(
                f'"{part.strip()}" is not a scale.',
                mend='Write the lowest and the highest score, "0:100" or "reading=0:100".',
            )
        scale[name.strip()] = (lowest, highest)
    return scale


def check_pupils(
    table: Table, formulas: Sequence[Formula], checks: PupilChecks | None = None
) -> PupilFile:
    """Look for what no model would notice, or would complain of without naming the place.

    Parameters
    ----------
    table : Table
        From :func:`brightspots.core.engine.open_table`.
    formulas : sequence of Formula
        One an outcome.
    checks : PupilChecks, optional

    Raises
    ------
    InputError
        A column is not there, empty or the same everywhere; scores are off the scale or are dates;
        the year column holds no years; a pupil has two scores in a year.
    """
    checks = checks or PupilChecks()
    columns = list(dict.fromkeys(name for each in formulas for name in each.columns))
    for name in [*columns, *(name for name in (checks.year, checks.pupil) if name)]:
        require_column(table, name)
    outcomes = {each.outcome.name: each.outcome.columns for each in formulas}
    n_rows = _check_cells(table, formulas, columns, checks)
    years: dict[str, tuple[str, ...]] = dict.fromkeys(outcomes, ())
    if checks.year is not None:
        if any(checks.year in used for used in outcomes.values()):
            raise InputError("The year cannot be the outcome.", file=table.name, column=checks.year)
        years = _check_year_column(table, checks.year, outcomes)
    pupil = checks.pupil
    if pupil is None and PUPIL in table.rows.columns and n_rows <= MOST_ROWS_UNASKED:
        pupil = PUPIL
    if pupil:
        year = checks.year or ("year" if "year" in table.rows.columns else None)
        _check_duplicates(table, pupil, year, outcomes)
    return PupilFile(n_rows, years, pupil or None)


def require_column(table: Table, name: str) -> None:
    """Refuse a name the table does not have, with the name that was probably meant."""
    have = list(table.rows.columns)
    if name not in have:
        near = [column for column in have if column.lower().strip() == name.lower().strip()]
        listed = ", ".join(have[:12]) + (", ..." if len(have) > 12 else "")
        raise InputError(
            "There is no such column.",
            file=table.name,
            column=name,
            mend=f'Did you mean "{near[0]}"?' if near else f"The file has: {listed}.",
        )


def _present(column: ir.Value, words: tuple[str, ...] = MISSING_WORDS) -> ir.BooleanValue:
    kind = column.type()
    if kind.is_string():
        return column.notnull() & ~column.strip().isin(words)
    return column.notnull() & ~column.isnan() if kind.is_floating() else column.notnull()


def _number(column: ir.Value) -> ir.NumericValue:
    """Read a finite number, or null."""
    kind = column.type()
    number = column.try_cast("float64") if kind.is_string() else column.cast("float64")
    return ibis.ifelse(number.isnan() | number.isinf(), ibis.null("float64"), number)


def _is_numeric_or_text(column: ir.Value) -> bool:
    kind = column.type()
    return bool(kind.is_numeric() or kind.is_string())


def _check_cells(
    table: Table, formulas: Sequence[Formula], columns: Sequence[str], checks: PupilChecks
) -> int:
    """Empty and constant columns, scores off the scale, scores that are dates: one aggregate."""
    outcomes = list(dict.fromkeys(name for each in formulas for name in each.outcome.columns))
    for name in outcomes:
        if table.rows[name].type().is_temporal():
            raise InputError(
                "The outcome is a date, not a score.",
                file=table.name,
                column=name,
                mend="Format the column as a number before the file is saved.",
            )
    sums: dict[str, ir.Scalar] = {"rows": table.rows.count()}
    for i, name in enumerate(columns):
        column = table.rows[name]
        present = _present(column)
        value = column.strip() if column.type().is_string() else column
        sums[f"n{i}"] = present.sum()
        sums[f"low{i}"] = value.min(where=present).cast("string")
        sums[f"high{i}"] = value.max(where=present).cast("string")
    for i, name in enumerate(outcomes):
        if not _is_numeric_or_text(table.rows[name]):
            continue
        number = _number(table.rows[name])
        like_day = _like_excel_day(number)
        sums[f"days{i}"] = like_day.sum()
        sums[f"numbers{i}"] = number.count()
        sums[f"least{i}"], sums[f"most{i}"] = number.min(), number.max()
        sums[f"others{i}"] = number.abs().max(where=~like_day)
        if table.rows[name].type().is_string():
            sums[f"texts{i}"] = table.rows[name].re_search(_DATE_TEXT).sum()
    found = table.ask(table.rows.aggregate(**sums)).row(0, named=True)
    if found["rows"] == 0:
        raise InputError("There are no rows under the header.", file=table.name)
    for i, name in enumerate(columns):
        _refuse_empty_or_constant(table, formulas, name, found, i)
    for i, name in enumerate(outcomes):
        scale = checks.scale_of(name)
        if f"days{i}" in found:
            if scale is None:
                _refuse_dates(table, name, found, i)
            else:
                _refuse_off_scale(table, name, scale, found, i)
    return int(found["rows"])


def _like_excel_day(number: ir.NumericValue) -> ir.BooleanValue:
    return (number.between(*EXCEL_DAYS) & (number == number.round())).fill_null(False)


def _refuse_empty_or_constant(
    table: Table, formulas: Sequence[Formula], name: str, found: Mapping[str, object], i: int
) -> None:
    as_value = {
        column for each in formulas for variable in each.variables for column in variable.columns
    }
    is_outcome = any(name in each.outcome.columns for each in formulas)
    if not found[f"n{i}"]:
        raise InputError(
            "The column holds no value at all.",
            file=table.name,
            column=name,
            mend="Fill it in." if is_outcome else "Fill it in, or leave it out of the formula.",
        )
    if found[f"low{i}"] != found[f"high{i}"]:
        return
    value = str(found[f"low{i}"])[:60]
    if is_outcome:
        what, mend = f'Every pupil has "{value}" here: there is nothing to compare.', None
    elif name in as_value:
        what = f'Every pupil has "{value}" here, so it explains nothing.'
        mend = "Leave it out of the formula."
    else:
        what = f'All pupils are in one group, "{value}"; comparing needs two at the least.'
        mend = "Is this the column of the schools?"
    raise InputError(what, file=table.name, column=name, mend=mend)


def _refuse_dates(table: Table, name: str, found: Mapping[str, object], i: int) -> None:
    """Refuse scores that a spreadsheet took for dates: all of them, or a few far from the rest."""
    days, numbers, others = found[f"days{i}"], found[f"numbers{i}"], found[f"others{i}"]
    cell = table.rows[name]
    if found.get(f"texts{i}"):
        row, text = first_row(table, cell.re_search(_DATE_TEXT), name)
        what = f'"{text[:30]}" is a date, not a score.'
    elif days and (days == numbers or (isinstance(others, float) and others < EXCEL_DAYS[0] / 10)):
        row, text = first_row(table, _like_excel_day(_number(cell)), name)
        what = f"{text} is the number of a day in Excel ({day_of_excel(float(text))}), not a score."
    else:
        return
    raise InputError(
        what,
        file=table.name,
        row=row,
        column=name,
        mend="A spreadsheet makes dates of cells such as 3-4: format the column as text or number "
        "and enter the scores again. If they are scores after all, give their --scale.",
    )


def _refuse_off_scale(
    table: Table, name: str, scale: tuple[float, float], found: Mapping[str, object], i: int
) -> None:
    low, high = scale
    least, most = found[f"least{i}"], found[f"most{i}"]
    if not isinstance(least, float) or not isinstance(most, float):
        return  # no number at all: the design says which cell is none
    if least >= low and most <= high:
        return
    number = _number(table.rows[name])
    row, text = first_row(table, ((number < low) | (number > high)).fill_null(False), name)
    raise InputError(
        f"{text} is off the scale {low:g} to {high:g} (scores run from {least:g} to {most:g}).",
        file=table.name,
        row=row,
        column=name,
        mend="Correct it, or leave the cell empty where there is no score: "
        "a code such as 999 or -1 would count as one.",
    )


def label(column: ir.Value) -> ir.StringValue:
    """Write a year as text: whole numbers without a point, null where there is none."""
    kind = column.type()
    if kind.is_string():
        return ibis.ifelse(_present(column), column.strip(), ibis.null("string"))
    if kind.is_floating():
        whole = column.cast("int64")
        text = ibis.ifelse(column == whole, whole.cast("string"), column.cast("string"))
        return ibis.ifelse(column.isnan(), ibis.null("string"), text)
    return column.cast("string")


def _check_year_column(
    table: Table, year: str, outcomes: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Look at the distinct years; return those in which each outcome is known."""
    if table.rows[year].type().is_temporal():
        raise InputError(
            "The column holds dates, not years.",
            file=table.name,
            column=year,
            mend="Add a column with the school year, such as 2024, and name that.",
        )
    rows = table.rows.select(
        year=label(table.rows[year]),
        **{f"has{i}": _known(table, used) for i, used in enumerate(outcomes.values())},
    )
    sums = {f"n{i}": rows[f"has{i}"].sum() for i in range(len(outcomes))}
    # The most common first: of a column of dates or codes, a few show what it is.
    grouped = rows.group_by("year").aggregate(rows=rows.count(), **sums)
    found = table.ask(grouped.order_by(ibis.desc("rows"), "year").limit(MAX_YEARS + 2))
    labels = [text for text in found["year"].to_list() if text is not None]
    fault = check_years(labels, MAX_YEARS)
    if fault is not None:
        row = None
        if fault.label is not None:
            row, _ = first_row(table, label(table.rows[year]) == fault.label, year)
        raise InputError(fault.what, file=table.name, row=row, column=year, mend=fault.mend)
    known = found.filter(found["year"].is_not_null()).sort("year")
    return {
        name: tuple(known.filter(known[f"n{i}"] > 0)["year"].to_list())
        for i, name in enumerate(outcomes)
    }


def _known(table: Table, columns: tuple[str, ...]) -> ir.BooleanValue:
    known = _present(table.rows[columns[0]], _NUMBER_WORDS)
    for name in columns[1:]:
        known = known & _present(table.rows[name], _NUMBER_WORDS)
    return known


def _check_duplicates(
    table: Table, pupil: str, year: str | None, outcomes: Mapping[str, tuple[str, ...]]
) -> None:
    """Refuse a pupil with two scores in one outcome and year."""
    code = table.rows[pupil]
    keys = {"pupil": code, **({"year": table.rows[year].cast("string")} if year else {})}
    rows = table.rows.select(
        **keys,
        present=_present(code),
        **{f"has{i}": _known(table, used) for i, used in enumerate(outcomes.values())},
    )
    sums = {f"n{i}": rows[f"has{i}"].sum() for i in range(len(outcomes))}
    grouped = rows.filter(rows.present).group_by(list(keys)).aggregate(**sums)
    twice = grouped[f"n{0}"] > 1
    for i in range(1, len(outcomes)):
        twice = twice | (grouped[f"n{i}"] > 1)
    wrong = grouped.filter(twice)
    found = table.ask(wrong.aggregate(n=wrong.count(), pupil=wrong.pupil.cast("string").min()))
    n = int(found["n"][0])
    if n:
        _refuse_duplicate(table, pupil, year, outcomes, str(found["pupil"][0]), n)


def _refuse_duplicate(
    table: Table,
    pupil: str,
    year: str | None,
    outcomes: Mapping[str, tuple[str, ...]],
    code: str,
    n: int,
) -> None:
    """Name the row in which one of the pupils occurs again."""
    nothing = ibis.literal("")
    rows = table.rows.select(
        place=ibis.row_number(),
        pupil=table.rows[pupil].cast("string"),
        year=table.rows[year].cast("string") if year else nothing,
        **{f"has{i}": _known(table, used) for i, used in enumerate(outcomes.values())},
    )
    mine = table.ask(rows.filter(rows.pupil == code).order_by("place"), threads=1)
    row, when, outcome = None, None, ""
    for i, name in enumerate(outcomes):
        scored = mine.filter(mine[f"has{i}"])
        again = scored.filter(~scored["year"].fill_null("").is_first_distinct())
        if again.height:
            row, when, outcome = int(again["place"][0]) + 2, again["year"][0], name
            break
    others = f" and {n - 1:,} more such cases" if n > 1 else ""
    raise InputError(
        f'Pupil "{code}" has a second value of {outcome}'
        + (f" in {when}" if year else "")
        + others
        + ".",
        file=table.name,
        row=row,
        column=pupil,
        mend="Keep one row a pupil"
        + (" and year" if year else ", or name the column of the year")
        + ". If the rows are different pupils or tests, say --pupil none.",
    )


def first_row(table: Table, wrong: ir.BooleanValue, name: str) -> tuple[int, str]:
    """First row, as a spreadsheet counts, where `wrong` holds, and column `name` there."""
    numbered = table.rows.select(place=ibis.row_number(), cell=label(table.rows[name]), wrong=wrong)
    found = table.ask(
        numbered.filter(numbered.wrong).order_by("place").limit(1).select("place", "cell"),
        threads=1,
    )
    return int(found["place"][0]) + 2, str(found["cell"][0]).removesuffix(".0")
