"""What the page of one run shows about its life: what was asked, its state, what can be done."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from brightspots_web.insight.models import Run
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Cell, Link


def state(run: Run, current: Run | None) -> str:
    """`draft`, `shown`, `older` (published before the one shown), or `withdrawn`."""
    if run.withdrawn_at is not None:
        return "withdrawn"
    if run.published_at is None:
        return "draft"
    return "shown" if current is not None and current.pk == run.pk else "older"


def badge(run: Run, current: Run | None) -> Badge:
    words = {
        "draft": _("draft"),
        "shown": _("shown on all pages"),
        "older": _("published before"),
        "withdrawn": _("withdrawn"),
    }
    found = state(run, current)
    return Badge(words[found], "bright" if found == "shown" else "plain")


@dataclass(frozen=True)
class Standing:
    """Where a run stands, in words, and what an analyst may do with it."""

    state: str
    badge: Badge
    sentences: tuple[str, ...]
    may_publish: bool = False
    may_withdraw: bool = False
    may_discard: bool = False
    instead_of: str = ""
    """The run published now, as this page saw it."""
    comes_back: str = ""
    """What pages would show were this one withdrawn."""


def standing(run: Run, current: Run | None, before: Run | None, *, analyst: bool) -> Standing:
    found = state(run, current)
    kept = run.rows_removed_at is None
    publishable = analyst and kept and found != "shown" and run.finished_at is not None
    return Standing(
        state=found,
        badge=badge(run, current),
        sentences=tuple(_sentences(run, found)),
        may_publish=publishable,
        may_withdraw=analyst and found in {"shown", "older"},
        may_discard=analyst and found == "draft",
        instead_of=str(current.uuid) if current else "",
        comes_back=_comes_back(before) if found == "shown" else "",
    )


def _sentences(run: Run, found: str) -> list[str]:
    made = _("Published on {date} by {person}.").format(
        date=_when(run.published_at), person=run.published_by or run.asked_by or "?"
    )
    if found == "draft":
        return [_("This is a draft: only analysts see it, and pages do not show its figures.")]
    if found == "withdrawn":
        return [
            made,
            _("Withdrawn on {date} by {person}: {reason}").format(
                date=_when(run.withdrawn_at), person=run.withdrawn_by, reason=run.withdrawn_reason
            ),
        ]
    if found == "shown":
        return [made, _("All pages show its figures.")]
    return [made, _("Pages show a newer analysis.")]


def _comes_back(before: Run | None) -> str:
    if before is None:
        return _("No other published analysis is kept: pages will show no figures.")
    return _("Pages will show the analysis published on {date} again.").format(
        date=_when(before.published_at)
    )


def _when(moment: Any) -> str:
    return formats.date_format(moment, "DATETIME_FORMAT") if moment else ""


def asked(run: Run) -> list[tuple[str, Cell]]:
    """What the run was asked for, in words."""
    settings = run.settings
    earlier = {
        "same": _("the same subject the year before"),
        "all": _("every subject the year before"),
    }
    formula, context, delta = (settings.get(key) for key in ("formula", "context", "delta"))
    default = _("none") if context == [] else _("the default")
    named = ", ".join(name.removeprefix("context:") for name in context or [])
    drifts = settings.get("drift") == "ar1"
    rows: list[tuple[str, Cell]] = [
        (_("Outcomes"), ", ".join(settings.get("subjects") or []) or _("all")),
        (_("Circumstances"), formula or named or default),
        (
            _("Earlier results of the pupil"),
            earlier.get(settings.get("earlier") or "", _("not used")),
        ),
        (
            _("A school's years"),
            _("neighbouring years more alike") if drifts else _("what lasts, and each year's luck"),
        ),
        (
            _("Markedly better"),
            _("{delta} pupil SD").format(delta=number(delta, 2)) if delta else _("the default"),
        ),
        (_("Asked for by"), run.asked_by),
    ]
    if run.note:
        rows.append((_("To remember"), run.note))
    return rows


def name_of(run: Run) -> str:
    """How a run is called in a list: when it was made, and of what."""
    outcomes = ", ".join(run.summary.get("outcomes", {}))
    made = _when(run.finished_at or run.published_at)
    return f"{made}: {outcomes}" if outcomes else made


def downloads(run: Run) -> list[Link]:
    """Files of the run for analysts."""
    record = Link(_("Settings and sources (JSON)"), reverse("insight:record", args=[run.uuid]))
    if run.rows_removed_at is not None:
        return [record]
    effects, tables = "insight:effects_export", "insight:tables"
    parquet = reverse("insight:effects_parquet", args=[run.uuid])
    return [
        Link(_("Effects of schools (Parquet)"), parquet),
        Link(_("Effects of schools (CSV)"), reverse(effects, args=[run.uuid, "csv"])),
        Link(_("Effects of schools (XLSX)"), reverse(effects, args=[run.uuid, "xlsx"])),
        Link(_("All tables (Parquet, ZIP)"), reverse(tables, args=[run.uuid])),
        record,
    ]
