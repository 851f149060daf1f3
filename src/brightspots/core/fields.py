"""The mapped columns of a table as typed columns, with a problem for every cell refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from brightspots.core import cells
from brightspots.core.errors import InputError
from brightspots.core.mapping import Mapping, Source
from brightspots.core.nonvalues import known_codes
from brightspots.core.problems import one_problem, problems_where
from brightspots.core.schemas import FieldKey

#: Between the levels of an area path, the largest area first.
AREA_SEPARATOR = " > "
#: Ending of the column that says why a figure is missing.
CODE_SUFFIX = "__code"

# A context column is read as numbers when no more than this share of its cells is neither a
# number nor a code; the cells in that share are then reported, not turned into text unseen.
_STRAY_SHARE = 0.05
_EXCEL_NUMBER = r"^\d(?:[.,]\d+)?[eE]\+?\d+$"


@dataclass
class Reading:
    """What has been read so far: typed columns, problems, and how they were decided."""

    mapping: Mapping
    frame: pl.DataFrame
    rows: pl.Series
    delimiter: str | None
    codes: dict[str, str]
    decimal: Literal[".", ","] = "."
    strict: bool = False
    columns: dict[str, pl.Series] = field(default_factory=dict)
    problems: list[pl.DataFrame] = field(default_factory=list)
    context_types: dict[str, str] = field(default_factory=dict)

    def texts(self, source: Source) -> list[tuple[str, pl.Series]]:
        """Return name and text of each column of a source; a constant is repeated."""
        if source.constant is not None:
            return [(source.constant, pl.Series([source.constant]).new_from_index(0, len(self)))]
        return [(name, self.frame[name]) for name in source.columns]

    def __len__(self) -> int:
        return self.rows.len()

    def report(
        self,
        mask: pl.Series,
        column: str,
        values: pl.Series | None,
        problem: str,
        mend: str,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Note a problem wherever `mask` is true."""
        self.problems.append(
            problems_where(
                mask,
                rows=self.rows,
                column=column,
                values=values,
                problem=problem,
                mend=mend,
                severity=severity,
            )
        )

    def warn(self, column: str, problem: str, mend: str) -> None:
        """Note a warning about a whole column."""
        self.problems.append(one_problem(problem, severity="warning", mend=mend, column=column))


def read_fields(
    mapping: Mapping, frame: pl.DataFrame, rows: pl.Series, delimiter: str | None
) -> Reading:
    """Read every mapped field of a table.

    Parameters
    ----------
    mapping : Mapping
    frame : polars.DataFrame
        Text cells; every mapped column is there.
    rows : Series of int
        Row numbers.
    delimiter : str or None
        Of the file; says how likely a comma is to be a decimal mark.
    """
    reading = Reading(mapping, frame, rows, delimiter, known_codes(mapping.non_values))
    _decide_decimal(reading)
    for key in mapping.field_keys():
        source = mapping.columns[key.key]
        if source.constant is not None:
            _refuse_bad_constant(reading, key, source)
        _READERS[key.field.type](reading, key, source)
    return reading


def _decide_decimal(reading: Reading) -> None:
    mapping = reading.mapping
    if mapping.decimal != "auto":
        reading.decimal = mapping.decimal
        return
    names = dict.fromkeys(
        name
        for key in mapping.field_keys()
        if key.field.type in ("number", "integer", "context")
        for name in mapping.columns[key.key].columns
    )
    mark, shown = cells.find_decimal_mark([reading.frame[name] for name in names])
    reading.decimal = mark
    # Where commas part the columns, a comma inside a number parts thousands.
    reading.strict = not shown and reading.delimiter != ","


def _refuse_bad_constant(reading: Reading, key: FieldKey, source: Source) -> None:
    """Refuse a mapping whose constant cannot be read, instead of refusing every row."""
    text = pl.Series([source.constant], dtype=pl.String)
    bad = False
    if key.field.type in ("number", "integer"):
        bad = cells.read_numbers(text, reading.decimal, reading.codes).value.is_null().any()
    elif key.field.type == "year":
        value = cells.read_years(text, reading.codes)[0]
        bad = not value.is_between(1900, 2100).fill_null(False).all()
    elif key.field.type == "date":
        bad = cells.read_dates(text, "dmy", reading.codes)[0].is_null().any()
    elif key.field.type in ("code", "text"):
        bad = not (source.constant or "").strip()
    if bad:
        raise InputError(
            f'The constant "{source.constant}" cannot be the {key.field.label.lower()}.',
            mend=f"{key.field.help} Change the mapping.",
        )


def _read_code(reading: Reading, key: FieldKey, source: Source) -> None:
    (name, text), *more = reading.texts(source)
    if more:
        _refuse_several(key)
    clean = cells.trimmed(text)
    reading.report(
        clean == "",
        name,
        None,
        f"There is no {key.field.label.lower()}.",
        "Fill it in or leave the row out.",
    )
    damaged = clean.str.contains(_EXCEL_NUMBER)
    reading.report(
        damaged,
        name,
        text,
        "A spreadsheet has turned this code into a number and rounded it.",
        "Export it again with the column formatted as text.",
    )
    if clean.len() and bool(clean.str.contains(r"^\d+\.0$").all()):
        reading.warn(
            name,
            "Every code ends in .0: a program has turned codes into decimals.",
            "Export it again with the column as text, or the codes will not match other files.",
        )
    _warn_lost_zeros(reading, name, clean)
    reading.columns[key.key] = clean.set(clean == "", None)


def _warn_lost_zeros(reading: Reading, name: str, clean: pl.Series) -> None:
    """Codes of digits, nearly all of one length and the rest shorter, have lost zeros."""
    if clean.len() < 10 or not bool(clean.str.contains(r"^\d+$").all()):
        return
    lengths = clean.str.len_chars()
    share = int((lengths == lengths.max()).sum()) / lengths.len()
    if 0.8 <= share < 1.0 and not bool(clean.str.starts_with("0").any()):
        reading.warn(
            name,
            "Some codes are shorter than the others: leading zeros may be lost.",
            "Compare with the register; export with the column formatted as text.",
        )


def _refuse_several(key: FieldKey) -> None:
    raise InputError(
        f"{key.field.label} comes from one column; several cannot be put together.",
        mend="Choose one column.",
    )


def _read_text(reading: Reading, key: FieldKey, source: Source) -> None:
    parts = [cells.trimmed(text) for _, text in reading.texts(source)]
    text = _joined(parts, " ")
    if key.field.name == "subject":  # part of what names a row
        reading.report(
            text.is_null(),
            (source.columns or ("subject",))[0],
            None,
            "There is no subject.",
            "Fill it in or leave the row out.",
        )
    reading.columns[key.key] = text


def _read_area(reading: Reading, key: FieldKey, source: Source) -> None:
    parts = [cells.trimmed(text) for _, text in reading.texts(source)]
    reading.columns[key.key] = _joined(parts, AREA_SEPARATOR)


def _joined(parts: list[pl.Series], separator: str) -> pl.Series:
    """Join the parts that are not empty; null where all are."""
    frame = pl.DataFrame({str(at): part.set(part == "", None) for at, part in enumerate(parts)})
    if frame.width == 1:
        return frame.to_series()
    joined = frame.select(
        pl.concat_str(pl.all(), separator=separator, ignore_nulls=True)
    ).to_series()
    return joined.set(joined == "", None)


def _read_number(reading: Reading, key: FieldKey, source: Source) -> None:
    values: list[pl.Series] = []
    codes: list[pl.Series] = []
    for name, text in reading.texts(source):
        numbers = cells.read_numbers(text, reading.decimal, reading.codes, strict=reading.strict)
        _report_cells(reading, name, text, numbers)
        _check_range(reading, key, name, text, numbers.value)
        values.append(numbers.value)
        codes.append(numbers.code)
    total = values[0]
    for value in values[1:]:
        total = total + value
    if key.field.type == "integer":
        total = total.cast(pl.Int64, strict=False)
    reading.columns[key.key] = total
    why = pl.DataFrame({str(at): code for at, code in enumerate(codes)})
    reading.columns[key.key + CODE_SUFFIX] = why.select(pl.coalesce(pl.all())).to_series()


def _report_cells(reading: Reading, name: str, text: pl.Series, numbers: cells.Numbers) -> None:
    reading.report(
        numbers.bad & ~numbers.unclear,
        name,
        text,
        "This is not a number and not a known code.",
        "Correct it, or add it to the mapping as a code for a missing figure.",
    )
    reading.report(
        numbers.unclear,
        name,
        text,
        "This can be read in two ways: with thousands or with decimals.",
        "Say in the mapping which decimal mark the file uses.",
    )
    if numbers.percent.any():
        plain = numbers.value.is_not_null() & ~numbers.percent & (numbers.value != 0)
        reading.report(
            numbers.percent & ~numbers.value.is_between(0, 100),
            name,
            text,
            "The percentage is not between 0 and 100.",
            "Check it; it is kept as it is.",
            "warning",
        )
        if plain.any():
            reading.warn(
                name,
                "Some cells carry a per-cent sign and some do not.",
                "12 % is read as 12; check that the others are percentages too.",
            )


def _check_range(
    reading: Reading, key: FieldKey, name: str, text: pl.Series, value: pl.Series
) -> None:
    field_ = key.field
    if field_.type == "integer":
        reading.report(
            (value != value.round()), name, text, "This has to be a whole number.", "Correct it."
        )
    swapped = (
        "Check it."
        if field_.name != "latitude"
        else ("Check it; latitude and longitude may be exchanged.")
    )
    for bound, outside, word in (
        (field_.low, None if field_.low is None else value < field_.low, "below"),
        (field_.high, None if field_.high is None else value > field_.high, "above"),
    ):
        if outside is not None:
            reading.report(outside, name, text, f"{field_.label} is {word} {bound:g}.", swapped)


def _read_year(reading: Reading, key: FieldKey, source: Source) -> None:
    (name, text), *more = reading.texts(source)
    if more:
        _refuse_several(key)
    value, code, bad = cells.read_years(text, reading.codes)
    reading.report(bad, name, text, "This is not a year.", "Write 2022 or 2021/22.")
    reading.report(
        code.is_not_null(), name, text, "There is no year.", "Fill it in or leave the row out."
    )
    _check_range(reading, key, name, text, value)
    reading.columns[key.key] = value


def _read_date(reading: Reading, key: FieldKey, source: Source) -> None:
    (name, text), *more = reading.texts(source)
    if more:
        _refuse_several(key)
    value, code, bad = cells.read_dates(text, reading.mapping.date_order, reading.codes)
    reading.report(bad, name, text, "This is not a date.", "Write it as 2022-09-30.")
    reading.columns[key.key] = value
    reading.columns[key.key + CODE_SUFFIX] = code


def _read_context(reading: Reading, key: FieldKey, source: Source) -> None:
    chosen = reading.mapping.types.get(key.key)
    if chosen is None:
        chosen = "number"
        for _, text in reading.texts(source):
            numbers = cells.read_numbers(text, reading.decimal, reading.codes)
            n_bad, n_good = int(numbers.bad.sum()), int(numbers.value.is_not_null().sum())
            if n_bad > _STRAY_SHARE * (n_bad + n_good):
                chosen = "text"
    reading.context_types[key.key] = chosen
    (_read_number if chosen == "number" else _read_text)(reading, key, source)


_READERS = {
    "code": _read_code,
    "text": _read_text,
    "area": _read_area,
    "number": _read_number,
    "integer": _read_number,
    "year": _read_year,
    "date": _read_date,
    "context": _read_context,
}
