"""Where uploaded files meet the library: read, mapped, checked, matched; results given out."""

import hashlib
import json
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from brightspots.core import mapping as library
from brightspots.core.checks import apply
from brightspots.core.errors import InputError as InputError
from brightspots.core.fields import AREA_SEPARATOR, CODE_SUFFIX
from brightspots.core.links import directed
from brightspots.core.matching import match_schools
from brightspots.core.nonvalues import EMPTY
from brightspots.core.problems import PROBLEM_SCHEMA as PROBLEM_SCHEMA
from brightspots.core.problems import gather, problems_where
from brightspots.core.schemas import schema_of
from brightspots.core.tables import read_table
from brightspots_web.directory import actions as directory
from brightspots_web.directory import queries as register
from brightspots_web.directory.succession_actions import Link
from brightspots_web.imports import queries, store
from brightspots_web.imports.models import Kind

LISTED = 1_000_000
"""Problems kept for the report; all are counted."""

HEAD_BYTES = 1 << 20
"""How much of a text file is looked at to find its columns."""

SHOWN_ROWS = 5
DEEPEST = 12
"""Levels of areas."""


@dataclass(frozen=True)
class CheckedFile:
    """Rows that can be used, what is wrong with the others, and how many there are of each."""

    rows: pl.DataFrame
    problems: pl.DataFrame
    counts: dict[str, int] = field(default_factory=dict)


# Looking at a file, mapping it


def look(path: Path, name: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Columns and first rows of a file, from its start alone where the format allows it."""
    chosen = {
        key: value
        for key, value in (options or {}).items()
        if key in {"encoding", "delimiter", "header_row", "sheet"} and value is not None
    }
    with tempfile.NamedTemporaryFile(suffix=".head") as head:
        whole = not _write_head(path, head)
        head.flush()
        table = read_table(path if whole else head.name, name=name, **chosen)
    return {
        "columns": table.columns,
        "rows": [[cell[:60] for cell in row] for row in table.frame.head(SHOWN_ROWS).iter_rows()],
        "format": table.format,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "header_row": table.header_row,
        "sheet": table.sheet,
    }


def looks_quick(path: Path) -> bool:
    """Whether looking at the file takes no longer than a request may."""
    with path.open("rb") as file:
        return file.read(2) != b"PK" or path.stat().st_size < HEAD_BYTES


def _write_head(path: Path, head: Any) -> bool:
    """Copy the start of a text or Parquet file; False where the whole file has to be read."""
    if path.stat().st_size <= HEAD_BYTES // 4:
        return False
    with path.open("rb") as file:
        start = file.read(HEAD_BYTES)
    if start.startswith(b"PK"):
        return False
    if start.startswith(b"PAR1"):
        try:
            pl.scan_parquet(path).head(SHOWN_ROWS).collect().write_parquet(head)
        except (pl.exceptions.PolarsError, OSError):
            return False
        return True
    if start.startswith(b"\x1f\x8b"):
        try:
            start = zlib.decompressobj(wbits=31).decompress(start, HEAD_BYTES)
        except zlib.error:
            return False
    wide = start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start[:4]
    if wide:
        head.write(start[: len(start) // 4 * 4])
        return True
    end = max(start.rfind(b"\n"), start.rfind(b"\r"))
    head.write(start[: end + 1] if end > 0 else start)
    return True


def suggest(kind: str, columns: Sequence[str], file_name: str) -> dict[str, Any]:
    """A first guess at the mapping, for a person to confirm."""
    guess = library.suggest_mapping(kind, columns, file_name=file_name)  # type: ignore[arg-type] # checked by the library
    return guess.to_dict()


def checked_mapping(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The same mapping, proved to be one.

    Raises InputError with what is wrong otherwise.
    """
    return library.Mapping.from_dict(definition).to_dict()


def missing(definition: Mapping[str, Any]) -> list[str]:
    """Labels of the fields that still have to be mapped."""
    mapping = library.Mapping.from_dict(definition)
    schema = schema_of(mapping.kind)
    found = ((name, schema.field(name)) for name in mapping.missing())
    return [each.label if each else name for name, each in found]


def fields(kind: str) -> list[dict[str, Any]]:
    """The fields a column can be mapped to: key, label, help, named, by_subject, several."""
    return [
        {
            "key": each.name,
            "label": each.label,
            "help": each.help,
            "named": each.named,
            "by_subject": each.by_subject,
            "several": each.type in {"area", "integer", "text"},
        }
        for each in schema_of(kind).fields
    ]


# The dry run


def check(path: Path, name: str, definition: Mapping[str, Any]) -> CheckedFile:
    """Read a file by a mapping and find every row's school; nothing is written.

    Raises InputError where the file as a whole cannot be used.
    """
    mapping = library.Mapping.from_dict({**definition, "shape": "long"})
    used = {column for source in mapping.columns.values() for column in source.columns}
    wanted = sorted(used | set(mapping.keep)) if mapping.kind == "pupil_results" else None
    table = read_table(
        path,
        name=name,
        encoding=mapping.encoding,
        delimiter=mapping.delimiter,
        header_row=mapping.header_row,
        sheet=mapping.sheet,
        columns=wanted,
    )
    checked = apply(table, mapping, max_problems=LISTED)
    del table
    checked = match_schools(checked, _known_schools())
    rows, problems = _fits(checked.rows, checked.problems)
    if mapping.kind == "schools" and mapping.match == "code":
        rows, more = _unknown(rows, mapping)
        problems = gather([problems, more])
    if mapping.kind == "school_links":
        rows, more = _links(rows, mapping)
        problems = gather([problems, more])
    elif mapping.kind != "schools":
        rows = _results(rows, mapping)
    elif mapping.match == "name and area":
        rows = rows.drop("name", "area_path", strict=False)
    severe = problems.filter(pl.col("severity") == "error")
    refused = severe["row"].drop_nulls().n_unique()
    repeated, kept = checked.n_repeated, rows["row"].n_unique()
    counts = {
        "rows": checked.n_rows,
        "usable": rows.height,
        "refused": refused,
        "repeated": repeated,
        "skipped": checked.n_skipped + checked.n_rows - kept - refused - repeated,
        "warnings": problems.height - severe.height,
    }
    return CheckedFile(rows, problems, counts)


def _known_schools() -> pl.DataFrame:
    known = [
        (code, name, AREA_SEPARATOR.join(areas[1:]))
        for code, name, areas in register.school_names()
    ]
    return pl.DataFrame(known, schema=["code", "name", "area_path"], orient="row").cast(pl.String)


def _fits(rows: pl.DataFrame, problems: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Refuse texts that are longer than the register holds."""
    sizes = {**directory.LONGEST, "school": 60, "other": 60, "subject": 200, "pupil": 200}
    found = [problems]
    too_long = pl.Series([False]).new_from_index(0, rows.height)
    for column, size in sizes.items():
        if column in rows.columns:
            over = (rows[column].str.len_chars() > size).fill_null(False)
            found.append(_problem(rows, over, column, f"This is longer than {size} characters."))
            too_long |= over
    if "area_path" in rows.columns:
        levels = rows["area_path"].str.split(AREA_SEPARATOR)
        longest = levels.list.eval(pl.element().str.len_chars()).list.max()
        over = ((longest > sizes["area"]) | (levels.list.len() > DEEPEST)).fill_null(False)
        what = f"An area has at most {sizes['area']} characters and {DEEPEST} levels."
        found.append(_problem(rows, over, "area_path", what))
        too_long |= over
    return rows.filter(~too_long), gather(found)


def _problem(rows: pl.DataFrame, mask: pl.Series, column: str, what: str) -> pl.DataFrame:
    return problems_where(
        mask,
        rows=rows["row"],
        column=column,
        values=rows[column],
        problem=what,
        severity="error",
        mend="Shorten it, or check the delimiter.",
    )


def _unknown(rows: pl.DataFrame, mapping: library.Mapping) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of schools that are not registered and lack what a new school needs."""
    codes = register.school_codes()
    new = ~rows["code"].is_in(list(codes))
    complete = pl.Series([True]).new_from_index(0, rows.height)
    for column in ("name", "area_path"):
        if column in rows.columns:
            complete &= rows[column].is_not_null()
        else:
            complete &= pl.Series([False]).new_from_index(0, rows.height)
    lost = new & ~complete
    skip = mapping.unmatched == "skip"
    source = mapping.columns["code"]
    problems = problems_where(
        lost,
        rows=rows["row"],
        column=source.columns[0] if source.columns else "code",
        values=rows["code"],
        problem="No school with this code is registered, and a new one needs a name and an area.",
        severity="warning" if skip else "error",
        mend="The row is left out." if skip else "Import the list of schools first.",
    )
    return rows.filter(~lost), problems


def _results(rows: pl.DataFrame, mapping: library.Mapping) -> pl.DataFrame:
    """Results as they are stored: see docs/importing.md."""
    rows = rows.drop("school_name", "area_path", strict=False)
    if mapping.kind == "school_results" and any(name.startswith("grade:") for name in rows.columns):
        bands = [[band.label, band.lower, band.upper] for band in mapping.grade_bands]
        rows = rows.with_columns(pl.lit(json.dumps(bands) if bands else None).alias("grade_bands"))
    return store.ordered(rows)


def _links(rows: pl.DataFrame, mapping: library.Mapping) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Links from predecessor to successor; what says neither is left out, as are strangers."""
    known = rows["other"].is_in(list(register.school_codes()))
    skip = mapping.unmatched == "skip"
    strange = problems_where(
        ~known.fill_null(False),
        rows=rows["row"],
        column=_column_of(mapping, "other"),
        values=rows["other"],
        problem="There is no such school in the list of schools.",
        severity="warning" if skip else "error",
        mend="The row is left out." if skip else "Import the school first, or correct the row.",
    )
    rows = rows.filter(known.fill_null(False))
    links, unusable = directed(rows)
    neither = problems_where(
        unusable,
        rows=rows["row"],
        column=_column_of(mapping, "link"),
        values=rows["link"],
        problem="This says neither which school came before nor which came after.",
        severity="warning",
        mend="The row is left out.",
    )
    return links, gather([strange, neither])


def _column_of(mapping: library.Mapping, key: str) -> str:
    columns = mapping.columns[key].columns
    return columns[0] if columns else key


def link_rows(rows: pl.DataFrame) -> list[Link]:
    """What each row says of who took over from whom."""
    return [
        Link(row["predecessor"], row["successor"], row["kind"], row["on"])
        for row in rows.iter_rows(named=True)
    ]


# Schools into the register


def school_rows(rows: pl.DataFrame) -> list[directory.SchoolRow]:
    """What each row says. An empty cell says nothing; a code such as NA takes a value away."""
    return list(_school_rows(rows))


def _school_rows(rows: pl.DataFrame) -> Iterator[directory.SchoolRow]:
    named = [name for name in directory.FIELDS if name in rows.columns]
    context = [
        name
        for name in rows.columns
        if name.startswith("context:") and not name.endswith(CODE_SUFFIX)
    ]
    for row in rows.iter_rows(named=True):
        area = row.get("area_path")
        yield directory.SchoolRow(
            code=row["code"],
            values={name: row[name] for name in named if _speaks(row, name)},
            context={
                name.removeprefix("context:"): row[name] for name in context if _speaks(row, name)
            },
            area_path=tuple(area.split(AREA_SEPARATOR)) if area else None,
        )


def _speaks(row: Mapping[str, Any], name: str) -> bool:
    if row[name] is not None:
        return True
    return row.get(name + CODE_SUFFIX) not in {None, EMPTY}


def unregistered(rows: Path) -> int:
    """Schools in staged results that are no longer registered."""
    schools = pl.scan_parquet(rows).select("school").unique().collect()["school"]
    return int((~schools.is_in(list(register.school_codes()))).sum())


def drawn_outlines() -> dict[int, dict[str, Any]]:
    """Outlines around the schools of every area that no boundary file has given one."""
    from brightspots.core.outlines import area_outlines  # a second to load; only imports need it

    names = register.area_names()
    paths = {key: AREA_SEPARATOR.join(path) for key, path in names.items()}
    places = pl.DataFrame(
        list(register.school_places()),
        schema={"area": pl.Int64, "latitude": pl.Float64, "longitude": pl.Float64},
        orient="row",
    )
    points = places.with_columns(
        pl.col("area").replace_strict(paths, return_dtype=pl.String).alias("area_path")
    )
    try:
        drawn = area_outlines(points.drop("area")).outlines
    except InputError:  # fewer than three places: nothing to draw yet
        return {}
    given = queries.areas_with_given_outline()
    return {key: drawn[path] for key, path in paths.items() if path in drawn and key not in given}


# Results, given out to other apps


@dataclass(frozen=True)
class PupilSource:
    """Where pupils' results lie: read them with DuckDB; they do not fit into memory."""

    paths: list[Path]
    sql: str
    """A SELECT over all live rows, later batches superseding earlier ones."""
    input_hash: str


def school_results() -> pl.DataFrame:
    """All live results by school, one row a school, year and subject."""
    live = queries.live_results(Kind.SCHOOL_RESULTS)
    if not live:
        return pl.DataFrame(schema={"school": pl.String, "year": pl.Int64, "subject": pl.String})
    return store.query(store.combined_sql(live)).sort("school", "year", "subject")


def pupil_results_source() -> PupilSource | None:
    """All live results by pupil; None where there are none."""
    live = queries.live_results(Kind.PUPIL_RESULTS)
    if not live:
        return None
    sql = store.combined_sql(live)
    return PupilSource([batch.path for batch in live], sql, input_hash(live))


def input_hash(live: Sequence[store.LiveBatch]) -> str:
    """SHA-256 over the live batches' data, in their order: names what a figure was made from."""
    digest = hashlib.sha256()
    for batch in live:
        digest.update(batch.data_sha256.encode())
    return digest.hexdigest()
