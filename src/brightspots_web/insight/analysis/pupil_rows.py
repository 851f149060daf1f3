"""One outcome's pupils of all years in one file, ready for the scan; rows stay on the disk.

Earlier results of the same pupil are found by the pupil's code: the score of the year before, in
the same subject (`prior`) or in every subject (`prior Reading` and so on). Years whose year before
is not there drop out, as do pupils who were not there: the page says how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from brightspots.core.errors import InputError
from brightspots.insight.formula import Formula
from brightspots_web.insight import circumstances
from brightspots_web.insight.analysis import formulas
from brightspots_web.insight.analysis.formulas import KEPT, SCHOOL, SCORE, YEAR
from brightspots_web.insight.analysis.inputs import CODE, Inputs, own_sql, quoted, text
from brightspots_web.insight.analysis.outcome import Settings
from brightspots_web.insight.circumstances import OTHER, PREFIX, RARE

KNOWN_FOR = 0.8
"""Share of pupils for whom a circumstance must be known: pupils without it are left out."""
LOOKED_AT = 200_000
"""Pupils on whom it is looked at what a circumstance is worth, taken evenly from all."""
SHARED_CODES = 0.2
"""Where more codes than this are found in several schools in one year, they are no pupils'."""
PRIOR = "prior"
MOST_WITH_HOLES = 1_000_000
"""Pupils up to which those without earlier results are tried in a model of their own, unasked."""
GROUP = "group:"
"""Beginning of columns by which groups of pupils are told apart."""
GROUPS = (2, 12)
FEW_CODES = 5


@dataclass(frozen=True)
class Pupils:
    """Where the pupils are and what they are compared by."""

    path: Path
    """school, year, score and the columns of the model; only pupils of whom all is known."""
    fixed: str
    """The fixed part of the model, years left out."""
    names: dict[str, str]
    """Variable of the fixed part -> circumstance."""
    columns: dict[str, str]
    """Column of the file that the model reads -> circumstance."""
    how: dict[str, str]
    left_out: dict[str, str]
    prior: tuple[str, ...]
    """Circumstances that are earlier results of the pupils."""
    years: tuple[int, ...]
    rows: int
    dropped: dict[int, int] = field(default_factory=dict)
    """Year -> pupils of whom something is not known."""
    whole: Path | None = None
    """The same with pupils of whom earlier results alone are not known; None where there are none,
    or where they are too many to try unasked."""
    dimensions: tuple[str, ...] = ()
    """Columns by which groups of pupils can be told apart."""
    formula: Formula | None = None


def prepare(
    subject: str,
    inputs: Inputs,
    settings: Settings,
    folder: Path,
    said: Mapping[str, str] | None = None,
) -> Pupils:
    """Write the pupils of one subject; see the module.

    `said` names circumstances to leave out, and why.

    Raises
    ------
    InputError
        A circumstance that was asked for is not there, codes are no pupils', or nobody is left.
    """
    raw = folder / "raw.parquet"
    prior = _write_raw(subject, inputs, settings, raw)
    rows = pl.scan_parquet(raw)
    schools = inputs.schools
    own = [name for name in rows.collect_schema().names() if name.startswith(PREFIX)]
    register = [name for name in circumstances.candidates(schools) if name not in own]
    height = int(rows.select(pl.len()).collect().item())
    if height == 0:
        raise InputError(f"{subject} has no pupil with a score.")
    looked_at = rows.select(own).gather_every(max(height // LOOKED_AT, 1)).collect()
    if settings.formula:
        made = _by_formula(settings.formula, own, register)
    else:
        made = _by_choice(looked_at, schools.select(SCHOOL, *register), settings, prior, said or {})
    groups = _dimensions(looked_at, prior)
    wanted = rows.join(
        made.of_schools.lazy() if made.of_schools is not None else _of(schools, made),
        on=SCHOOL,
        how="left",
        maintain_order="left",
    )
    columns = [expression.alias(name) for name, expression in made.columns.items()]
    extra = [_group(c, looked_at).alias(f"{GROUP}{_bare(c)}") for c in groups]
    prepared = wanted.select(
        SCHOOL, pl.col(YEAR).cast(pl.Int64), pl.col(SCORE).cast(pl.Float64), *columns, *extra
    )
    needed = [pl.col(name).is_not_null() for name in made.columns]
    known = pl.all_horizontal(needed) if needed else pl.lit(True)
    path = folder / "pupils.parquet"
    prepared.filter(known).sink_parquet(path)
    counts = _counts(prepared, known)
    kept = {int(year): int(n) for year, n, _lost in counts if n}
    if not kept:
        raise InputError(
            f"No pupil of {subject} has a value in all of: "
            f"{', '.join(_bare(name) for name in made.names.values()) or 'the columns used'}.",
            mend="Take fewer circumstances, or complete the file.",
        )
    earlier = [name for name, of in made.circumstances.items() if of in prior or is_prior(of)]
    return Pupils(
        path=path,
        whole=_whole(prepared, made, earlier, kept, folder),
        fixed=made.fixed,
        names=made.names,
        columns=made.circumstances,
        how=made.how,
        left_out=made.left_out,
        prior=tuple(
            name for name in made.circumstances.values() if name in prior or is_prior(name)
        ),
        years=tuple(sorted(kept)),
        rows=sum(kept.values()),
        dropped={int(year): int(lost) for year, _n, lost in counts if lost},
        dimensions=tuple(f"{GROUP}{_bare(c)}" for c in groups),
        formula=made.formula,
    )


def _whole(
    prepared: pl.LazyFrame,
    made: _Made,
    earlier: Sequence[str],
    years: Mapping[int, int],
    folder: Path,
) -> Path | None:
    """Write the pupils whose earlier results may be missing, in the years that are analysed."""
    if not earlier or sum(years.values()) > MOST_WITH_HOLES:
        return None
    others = [pl.col(name).is_not_null() for name in made.columns if name not in earlier]
    rows = prepared.filter(pl.col(YEAR).is_in(list(years)), *others)
    holes = pl.any_horizontal([pl.col(name).is_null() for name in earlier]).any()
    if not rows.select(holes).collect().item():
        return None
    path = folder / "whole.parquet"
    rows.select(SCHOOL, YEAR, SCORE, *made.columns).sink_parquet(path)
    return path


def _counts(prepared: pl.LazyFrame, known: pl.Expr) -> list[tuple[int, int, int]]:
    counted = prepared.group_by(YEAR).agg(known.sum().alias("n"), (~known).sum().alias("lost"))
    return list(counted.sort(YEAR).collect().iter_rows())


def _bare(name: str) -> str:
    return name.removeprefix(PREFIX)


def is_prior(name: str) -> bool:
    """An earlier result by its name: `prior`, `prior attainment`, `prior_mean`."""
    bare = _bare(name).lower()
    return bare == PRIOR or bare.startswith((f"{PRIOR} ", f"{PRIOR}_"))


# From the imports


def _write_raw(subject: str, inputs: Inputs, settings: Settings, to: Path) -> tuple[str, ...]:
    """Write school, year, score and every context column; gives the names of earlier results.

    Rows are in an order that their content gives, so that sums come out the same to the last digit.
    """
    sql = own_sql(inputs)
    with duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = {text(str(to.parent / 'spill'))}")
        columns = connection.sql(sql).columns
        context = sorted(n for n in columns if n.startswith(PREFIX) and not n.endswith(CODE))
        earlier = _earlier(subject, inputs, settings, columns)
        for name in earlier:
            if name in context:
                raise InputError(
                    f'The file has a circumstance called "{_bare(name)}" already.',
                    column=_bare(name),
                    mend="Use it, or do not ask for earlier results of the same pupil.",
                )
        if earlier:
            _check_codes(connection, sql, subject)
        selected = ", ".join(f"p.{quoted(n)}" for n in (SCHOOL, YEAR, SCORE, *context))
        joins, found = "", ""
        for place, (name, other) in enumerate(earlier.items()):
            found += f", e{place}.score AS {quoted(name)}"
            joins += (
                f" LEFT JOIN earlier e{place} ON e{place}.pupil = p.pupil"
                f" AND e{place}.year = p.year AND e{place}.subject = {text(other)}"
            )
        before = (
            "earlier AS (SELECT pupil, year + 1 AS year, subject, avg(score) AS score "
            "FROM live WHERE pupil IS NOT NULL GROUP BY ALL), "
        )
        # Names and texts are quoted, and the query is our own.
        connection.execute(
            f"COPY (WITH live AS (SELECT * FROM ({sql}) WHERE score IS NOT NULL), "  # noqa: S608 - see above
            f"{before if earlier else ''}p AS (SELECT * FROM live WHERE subject = {text(subject)}) "
            f"SELECT {selected}{found} FROM p{joins} ORDER BY ALL) "
            f"TO {text(str(to))} (FORMAT parquet)"
        )
    return tuple(earlier)


def _earlier(
    subject: str, inputs: Inputs, settings: Settings, columns: Sequence[str]
) -> dict[str, str]:
    """Column of an earlier result -> its subject."""
    if not settings.earlier:
        return {}
    if "pupil" not in columns:
        raise InputError(
            "Earlier results of the same pupil are asked for, and the file has no pupils' codes.",
            column="pupil",
            mend="Map the pupil's code when importing, or do not ask for earlier results.",
        )
    years = inputs.pupils[subject]
    if not any(year - 1 in inputs.pupils[subject] for year in years):
        raise InputError(
            f"Earlier results of the same pupil are asked for, and {subject} has no two years "
            "one after the other.",
            mend="Import the year before as well, or do not ask for earlier results.",
        )
    found = {f"{PREFIX}{PRIOR}": subject}
    if settings.earlier == "all":
        for other, others in inputs.pupils.items():
            if other != subject and any(year - 1 in others for year in years):
                found[f"{PREFIX}{PRIOR} {other}"] = other
    return found


def _check_codes(connection: duckdb.DuckDBPyConnection, sql: str, subject: str) -> None:
    """Codes that count from 1 in every school would give a pupil somebody else's past."""
    row = connection.execute(
        f"SELECT count(*), count(*) FILTER (WHERE n > 1) FROM ("  # noqa: S608 - as above
        f"SELECT count(DISTINCT school) AS n FROM ({sql}) WHERE subject = {text(subject)} "
        f"AND pupil IS NOT NULL AND score IS NOT NULL GROUP BY pupil, year)"
    ).fetchone()
    total, shared = row if row else (0, 0)
    if total and shared > SHARED_CODES * total:
        raise InputError(
            f"{shared / total:.0%} of the pupils' codes are found in several schools in one year: "
            "they are not unique in the system, so nobody can be followed by them.",
            column="pupil",
            mend="Import codes that are unique, for instance school and number together.",
        )


# What is taken into account


@dataclass(frozen=True)
class _Made:
    fixed: str
    columns: dict[str, pl.Expr]
    """Name in the file -> how it is made of the joined rows."""
    circumstances: dict[str, str]
    """Name in the file -> circumstance."""
    names: dict[str, str]
    how: dict[str, str]
    left_out: dict[str, str]
    of_schools: pl.DataFrame | None = None
    formula: Formula | None = None


def _plain(name: str) -> str:
    """The name in formulas; a circumstance called like a key keeps its prefix."""
    bare = _bare(name)
    return name if bare in KEPT or bare == YEAR else bare


def _by_formula(fixed: str, own: Sequence[str], register: Sequence[str]) -> _Made:
    parsed = formulas.parsed(fixed)
    known = {_plain(name): name for name in [*register, *own]}
    used = [name for name in formulas.columns_of(parsed) if name != YEAR]
    for name in used:
        if name not in known:
            raise formulas.unknown(name, [*known, YEAR])
    variables = {v.name: v.columns for term in parsed.terms for v in term}
    names = {
        variable: known[next(c for c in columns if c != YEAR)]
        for variable, columns in variables.items()
        if any(c != YEAR for c in columns)
    }
    return _Made(
        fixed=fixed.strip(),
        columns={name: pl.col(known[name]) for name in used},
        circumstances={name: known[name] for name in used},
        names=names,
        how={known[name]: "formula" for name in used},
        left_out={},
        formula=parsed,
    )


def _by_choice(
    looked_at: pl.DataFrame,
    schools: pl.DataFrame,
    settings: Settings,
    prior: Sequence[str],
    said: Mapping[str, str],
) -> _Made:
    """By ticking: what a circumstance is worth is looked at on schools for the register's."""
    wanted = settings.context
    of_schools = circumstances.choose(schools, wanted)
    others = looked_at.drop(prior)
    of_pupils = circumstances.choose(others, wanted, coverage=KNOWN_FOR)
    if wanted is not None:
        _check_wanted(wanted, [*others.columns, *schools.columns])
    how = {**dict.fromkeys(prior, "number"), **of_pupils.how, **of_schools.how}
    how = {name: way for name, way in how.items() if name not in said}
    columns: dict[str, pl.Expr] = {}
    for name, way in how.items():
        ready = name in of_schools.how
        columns[_plain(name)] = pl.col(name) if ready else _as_used(name, way, looked_at)
    return _Made(
        fixed=formulas.terms([formulas.quoted(name) for name in columns]),
        columns=columns,
        circumstances={_plain(name): name for name in how},
        names={_plain(name): name for name in how},
        how=how,
        left_out={**of_pupils.left_out, **of_schools.left_out, **said},
        of_schools=of_schools.frame.select(SCHOOL, *of_schools.columns),
    )


def _check_wanted(wanted: Sequence[str], there: Sequence[str]) -> None:
    known = {_bare(name) for name in there} - {SCHOOL}
    for name in wanted:
        if _bare(name) not in known:
            raise formulas.unknown(_bare(name), known)


def _as_used(name: str, way: str, looked_at: pl.DataFrame) -> pl.Expr:
    column = pl.col(name)
    if way == "kinds":
        words = column.cast(pl.String).str.strip_chars().replace("", None)
        counts = looked_at[name].cast(pl.String).drop_nulls().value_counts()
        often = counts.filter(pl.col("count") >= RARE)[name].to_list()
        return pl.when(words.is_in(often)).then(words).when(words.is_not_null()).then(pl.lit(OTHER))
    number = column.cast(pl.Float64)
    number = pl.when(number.is_finite()).then(number)
    return (number + 1).log() if way == "logarithm" else number


def _of(schools: pl.DataFrame, made: _Made) -> pl.LazyFrame:
    used = [name for name in dict.fromkeys(made.how) if name in schools.columns]
    return schools.select(SCHOOL, *used).lazy()


def _dimensions(looked_at: pl.DataFrame, prior: Sequence[str]) -> list[str]:
    """Kinds that tell pupils of one school apart: 2 to 12, known for most."""
    found = []
    for name in looked_at.columns:
        column = looked_at[name]
        if name in prior or column.len() == 0:
            continue
        known = column.drop_nulls()
        if column.dtype.is_float() and not _are_codes(known):
            continue
        if len(known) >= KNOWN_FOR * column.len() and GROUPS[0] <= known.n_unique() <= GROUPS[1]:
            found.append(name)
    return found


def _are_codes(known: pl.Series) -> bool:
    """A few whole numbers, such as 0 and 1 for no and yes."""
    return known.n_unique() <= FEW_CODES and bool((known == known.round()).all())


def _group(name: str, looked_at: pl.DataFrame) -> pl.Expr:
    column = pl.col(name)
    whole = column.cast(pl.Int64) if looked_at.schema[name].is_float() else column
    return whole.cast(pl.String).str.strip_chars().replace("", None)
