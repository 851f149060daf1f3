"""Text cells into numbers, dates and years: whole columns at a time, nothing guessed unseen.

Every reader returns the values beside a mask of the cells it could not read, and never raises
for a bad cell. Spaces around a cell do not count (non-breaking spaces included).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from brightspots.core.nonvalues import EMPTY

# Thousands in groups of three, by a mark, a space or an apostrophe; or as in India: 12,34,567.
_SPACED = r"|\d{1,3}([ \u00a0\u202f\u2009]\d{3})+|\d{1,3}(['’]\d{3})+)?"
_POINT = r"^[+-]?(\d+|\d{1,3}(,\d{3})+|\d{1,2}(,\d{2})+,\d{3}" + _SPACED
_COMMA = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+" + _SPACED
_EXPONENT = r"([eE][+-]?\d{1,3})?$"
#: A number with a point, or with a comma, as the decimal mark.
POINT_NUMBER = _POINT + r"(\.\d*)?" + _EXPONENT
COMMA_NUMBER = _COMMA + r"(,\d*)?" + _EXPONENT
#: Cells that only one of the two readings allows.
_ONLY_COMMA = r"^[+-]?(\d*,(\d{1,2}|\d{4,})|0,\d+|\d{4,},\d+|\d{1,3}(\.\d{3})+,\d*)$"
_ONLY_POINT = r"^[+-]?(\d*\.(\d{1,2}|\d{4,})|0\.\d+|\d{4,}\.\d+|\d{1,3}(,\d{3})+\.\d*)$"
#: 1,234 is one thousand and more to some, one and a bit to others.
TWO_READINGS = r"^[+-]?[1-9]\d{0,2},\d{3}$"


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers; every array has shape (n,).

    Parameters
    ----------
    value : Series of float
        Null where there is none.
    code : Series of str
        Why there is none ("SUPP", "EMPTY"); null beside a number and beside a bad cell.
    percent : Series of bool
        The cell carries a per-cent sign: 12 % is 12, not 0.12.
    bad : Series of bool
        Neither a number nor a known code.
    unclear : Series of bool
        A bad cell that can be read in two ways, such as 1,234.
    """

    value: pl.Series
    code: pl.Series
    percent: pl.Series
    bad: pl.Series
    unclear: pl.Series


def trimmed(text: pl.Series) -> pl.Series:
    """Take off spaces at both ends."""
    return text.str.strip_chars()


def read_codes(text: pl.Series, codes: Mapping[str, str]) -> pl.Series:
    """Return the code of every cell that is one ("SUPP", "EMPTY"), null elsewhere."""
    clean = trimmed(text).str.to_uppercase()
    known = [code for code in codes if code != EMPTY]
    return pl.select(
        pl.when(clean == "")
        .then(pl.lit(EMPTY))
        .when(clean.is_in(known))
        .then(clean)
        .otherwise(None)
        .cast(pl.String)
    ).to_series()


def find_decimal_mark(columns: Sequence[pl.Series]) -> tuple[Literal[".", ","], bool]:
    """Decide the decimal mark of a file by its numbers; return it and whether a number shows it.

    It is the comma when some cell can only be a decimal comma (12,5 or 1.234,5) and no cell can
    only be a decimal point (12.5).
    """
    commas = any(_shows(text, ",", _ONLY_COMMA) for text in columns)
    points = any(_shows(text, ".", _ONLY_POINT) for text in columns)
    return ("," if commas and not points else "."), commas or points


def _shows(text: pl.Series, mark: str, pattern: str) -> bool:
    some = text.filter(text.str.contains(mark, literal=True))
    return bool(trimmed(_plain(some)).str.contains(pattern).any())


def _plain(text: pl.Series) -> pl.Series:
    """Write the minus sign as a hyphen and leave the per-cent sign out."""
    return text.str.replace_all("\u2212", "-", literal=True).str.replace(r"\s*%\s*$", "")


def read_numbers(
    text: pl.Series, decimal: Literal[".", ","], codes: Mapping[str, str], *, strict: bool = False
) -> Numbers:
    """Read a column of numbers.

    Parameters
    ----------
    text : Series of str
    decimal : {".", ","}
    codes : mapping
        Known codes in capitals, from :func:`brightspots.core.nonvalues.known_codes`.
    strict : bool
        Refuse 1,234, which can be read in two ways (set where commas do not part the columns).

    Notes
    -----
    Most cells are plain numbers and are read at once; only the distinct texts among the others
    (codes, percentages, separators of thousands) go through patterns.
    """
    clean = trimmed(text)
    value = clean.cast(pl.Float64, strict=False)
    hard = value.is_null() | ~value.is_finite().fill_null(False)
    if decimal == ",":
        hard |= clean.str.contains(".", literal=True)
    texts = clean.filter(hard).unique(maintain_order=True)
    table = _read_hard(texts, decimal, codes, strict)
    found = (
        pl.DataFrame({"text": clean.set(~hard, None)})
        .join(table, on="text", how="left", maintain_order="left")
        .drop("text")
    )
    value = value.zip_with(~hard, found["value"])
    return Numbers(
        value.alias("value"),
        found["code"],
        found["percent"].fill_null(False),
        found["bad"].fill_null(False),
        found["unclear"].fill_null(False),
    )


def _read_hard(
    texts: pl.Series, decimal: Literal[".", ","], codes: Mapping[str, str], strict: bool
) -> pl.DataFrame:
    """Read distinct texts by pattern: columns text, value, code, percent, bad, unclear."""
    plain = trimmed(_plain(texts))
    pattern = POINT_NUMBER if decimal == "." else COMMA_NUMBER
    fits = plain.str.contains(pattern) & plain.str.contains(r"\d")
    unclear = (
        plain.str.contains(TWO_READINGS)
        if strict and decimal == "."
        else pl.Series([False] * texts.len(), dtype=pl.Boolean)
    )
    thousands = r"[,'’ \u00a0\u202f\u2009]" if decimal == "." else r"[.'’ \u00a0\u202f\u2009]"
    bare = plain.str.replace_all(thousands, "")
    if decimal == ",":
        bare = bare.str.replace(",", ".", literal=True)
    number = bare.cast(pl.Float64, strict=False)
    good = fits & ~unclear & number.is_finite().fill_null(False)
    code = read_codes(texts, codes)
    nothing = pl.Series([None] * texts.len(), dtype=pl.Float64)
    return pl.DataFrame(
        {
            "text": texts,
            "value": number.zip_with(good & code.is_null(), nothing),
            "code": code,
            "percent": good & code.is_null() & texts.str.contains("%", literal=True),
            "bad": ~good & code.is_null(),
            "unclear": unclear & code.is_null(),
        }
    )


def read_years(text: pl.Series, codes: Mapping[str, str]) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Read years; return value (Int64), code and a mask of bad cells.

    A school year such as 2021/22, 2021-2022 or 2021_22 is known by the year it ends in.
    """
    clean = trimmed(text)
    code = read_codes(text, codes)
    frame = pl.DataFrame({"text": clean}).select(
        pl.col("text").str.extract(r"^(\d{4})(?:\.0+)?$").cast(pl.Int64).alias("one"),
        pl.col("text").str.extract(r"^(\d{4})\s*[/_\-–]\s*\d{2,4}$").cast(pl.Int64).alias("from"),
        pl.col("text").str.extract(r"^\d{4}\s*[/_\-–]\s*(\d{4}|\d{2})$").alias("to"),
    )
    first = frame["from"]
    ends = frame["to"].cast(pl.Int64)
    short = frame["to"].str.len_chars() == 2
    next_year = first + 1
    follows = ((ends == next_year) & ~short) | ((ends == next_year % 100) & short)
    span = next_year.zip_with(
        follows.fill_null(False), pl.Series([None] * text.len(), dtype=pl.Int64)
    )
    value = frame["one"].zip_with(frame["one"].is_not_null(), span)
    return value, code, value.is_null() & code.is_null()


def read_dates(
    text: pl.Series, order: Literal["auto", "dmy", "mdy"], codes: Mapping[str, str]
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Read dates; return value (Date), code and a mask of bad cells.

    ISO dates (2020-04-03, with or without a time), day and month in the order given
    (03/04/2020, 3.4.2020, 03-04-2020) and a year alone, which stands for its first day. "auto" is
    day before month unless some cell has a second part above 12.
    """
    clean = trimmed(text)
    code = read_codes(text, codes)
    parts = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:[ T].*)?$"
    frame = pl.DataFrame({"text": clean}).select(
        pl.col("text").str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[ T].*)?$").alias("iso"),
        pl.col("text").str.extract(r"^(\d{4})(?:\.0+)?$").alias("year"),
        pl.col("text").str.extract(parts, 1).cast(pl.Int64).alias("a"),
        pl.col("text").str.extract(parts, 2).cast(pl.Int64).alias("b"),
        pl.col("text").str.extract(parts, 3).alias("y"),
    )
    if order == "auto":
        order = "mdy" if (frame["b"] > 12).any() else "dmy"
    day, month = ("a", "b") if order == "dmy" else ("b", "a")
    two = pl.concat_str(
        "y",
        pl.col(month).cast(pl.String).str.zfill(2),
        pl.col(day).cast(pl.String).str.zfill(2),
        separator="-",
    )
    value = frame.select(
        pl.coalesce("iso", pl.concat_str("year", pl.lit("-01-01")), two).str.to_date(
            "%Y-%m-%d", strict=False
        )
    ).to_series()
    return value, code, value.is_null() & code.is_null()
