"""Files of a run: its tables as they were computed, and the record of how it came about.

The tables are written once, when the run is made, beside its inputs: a download is a file sent, and
takes no longer for a nation than for a district.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from brightspots_web.insight.models import Run
from brightspots_web.shared.exports import Column

DIAGNOSTICS = "diagnostics.json"


def diagnostics(run: Run) -> dict[str, Any]:
    """Outcome -> what an analyst looks at; empty where an older run has none."""
    path = folder(run).parent / DIAGNOSTICS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def folder(run: Run) -> Path:
    return Path(settings.DATA_FOLDER) / "analysis" / str(run.uuid) / "tables"


def table_file(run: Run, name: str) -> Path | None:
    """The file of one table, made from the database where an older run has none; None if gone."""
    if run.rows_removed_at is not None:
        return None
    path = folder(run) / f"{name}.parquet"
    if not path.exists():
        from brightspots_web.insight import analysis  # heavy: only where the file is missing

        analysis.write_stored_tables(run)
    return path if path.exists() else None


def zipped(run: Run) -> Path | None:
    """All tables in one ZIP; Parquet is compressed already, so they are only put together."""
    if table_file(run, "estimate") is None:
        return None
    path = folder(run) / "tables.zip"
    if not path.exists():
        from brightspots_web.insight import analysis

        analysis.zip_tables(run)
    return path


def effect_columns() -> list[Column]:
    return [
        Column("code", _("School code")),
        Column("name", _("School")),
        Column("subject", _("Outcome")),
        Column("year", _("Year (empty: what lasts)")),
        Column("n", _("Pupils"), "integer"),
        Column("years", _("Years"), "integer"),
        Column("observed", _("Observed mean, points"), "number"),
        Column("expected", _("Expected mean, points"), "number"),
        Column("estimate", _("Estimate, pupil SD"), "number"),
        Column("se_comparative", _("Comparative SE"), "number"),
        Column("se_diagnostic", _("Diagnostic SE"), "number"),
        Column("cond_sd", _("Conditional SD"), "number"),
        Column("lower", _("Lower limit (95 %)"), "number"),
        Column("upper", _("Upper limit (95 %)"), "number"),
        Column("reliability", _("Reliability"), "number"),
        Column("label", _("Label")),
        Column("probability", _("Probability above delta"), "number"),
        Column("need_probability", _("Probability below minus delta"), "number"),
        Column("withheld", _("Withheld from others")),
    ]


def record(run: Run) -> dict[str, Any]:
    """What is needed to compute the run again, and what people decided about it."""
    return {
        "run": str(run.uuid),
        "method": run.method,
        "method_version": run.method_version,
        "seed": run.seed,
        "input_hash": run.input_hash,
        "settings": run.settings,
        "sources": run.sources,
        "summary": run.summary,
        "asked_by": run.asked_by,
        "note": run.note,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "published_at": run.published_at,
        "published_by": run.published_by,
        "withdrawn_at": run.withdrawn_at,
        "withdrawn_by": run.withdrawn_by,
        "withdrawn_reason": run.withdrawn_reason,
        "compute_again": f"brightspots analyse --run {run.uuid} --verify",
    }
