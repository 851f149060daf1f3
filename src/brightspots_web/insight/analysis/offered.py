"""What an analysis can be asked for: outcomes and circumstances in what is imported now."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb
import polars as pl
from django.conf import settings

from brightspots_web.directory import queries as directory
from brightspots_web.imports import analysis as imports
from brightspots_web.imports import queries as imported
from brightspots_web.insight.analysis.inputs import CODE
from brightspots_web.insight.circumstances import PREFIX, REGISTER

LOOKED_AT = 5000
"""Schools whose context is looked at for names."""


@dataclass(frozen=True)
class Offered:
    """Outcomes and circumstances to choose from."""

    subjects: list[str] = field(default_factory=list)
    context: list[str] = field(default_factory=list)
    """Without "context:", register's fields first."""
    years: list[int] = field(default_factory=list)
    pupil_codes: bool = False
    """Whether pupils can be followed from one year to the next."""


def offered() -> Offered:
    """Look at what is imported; the look at the files is kept until another file is live."""
    live = [
        *imported.live_results("school_results"),
        *imported.live_results("pupil_results"),
    ]
    if not live:
        return Offered()
    digest = hashlib.sha256("".join(f"{b.order}{b.data_sha256}" for b in live).encode()).hexdigest()
    kept = Path(settings.DATA_FOLDER) / "analysis" / f"offered-{digest[:16]}.json"
    try:
        found = Offered(**json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        found = _look()
        kept.parent.mkdir(parents=True, exist_ok=True)
        for old in kept.parent.glob("offered-*.json"):
            old.unlink(missing_ok=True)
        kept.write_text(json.dumps(asdict(found)), encoding="utf-8")
    context = list(dict.fromkeys([*REGISTER, *_register_context(), *found.context]))
    return Offered(found.subjects, context, found.years, found.pupil_codes)


def _look() -> Offered:
    by_school = imports.school_results()
    subjects = set(by_school["subject"].drop_nulls().unique().to_list())
    years = set(by_school["year"].drop_nulls().cast(pl.Int64).unique().to_list())
    names = {*by_school.columns}
    source = imports.pupil_results_source()
    coded = False
    if source is not None:
        with duckdb.connect() as connection:
            names |= set(connection.sql(source.sql).columns)
            rows = connection.execute(
                f"SELECT DISTINCT subject, year FROM ({source.sql}) WHERE score IS NOT NULL"  # noqa: S608 - our own query
            ).fetchall()
        subjects |= {str(subject) for subject, _year in rows}
        years |= {int(year) for _subject, year in rows}
        coded = "pupil" in names and len({year for _subject, year in rows}) > 1
    context = sorted(
        name.removeprefix(PREFIX)
        for name in names
        if name.startswith(PREFIX) and not name.endswith(CODE)
    )
    return Offered(sorted(subjects), context, sorted(years), coded)


def _register_context() -> list[str]:
    rows = directory.all_schools().order_by("code").values_list("context", flat=True)[:LOOKED_AT]
    return sorted({name for each in rows for name in (each or {})})
