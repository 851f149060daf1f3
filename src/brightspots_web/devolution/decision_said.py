"""What the data said when a group decided: shown again as it was, and what has become of it.

The view was frozen by `conversation_pages.frozen_view`: figures that were withheld then are not in
it. Where the figures have changed or were withdrawn since, both are shown.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment import queries as alignment
from brightspots_web.devolution import conversation_pages
from brightspots_web.devolution.models import Decision
from brightspots_web.directory.models import Appointment
from brightspots_web.insight import queries as insight
from brightspots_web.insight import run_queries
from brightspots_web.insight.models import Run
from brightspots_web.shared import charts
from brightspots_web.shared.charts import number
from brightspots_web.shared.words import day

Row = dict[str, Any]


def shown(decision: Decision, acting: Appointment | None) -> Row | None:
    """The frozen view, and beside it today's where it differs; None where nothing was kept."""
    kept = decision.data_said
    if not kept or not kept.get("priorities"):
        return None
    current = insight.current_run()
    changed = str(current.uuid if current else None) != str(kept.get("run"))
    return {
        "then": _view(kept, "then"),
        "now": _now(decision, acting) if changed and current is not None else None,
        "changed": _what_changed(kept, current) if changed else "",
        "made_url": _made_url(kept, acting),
    }


def _now(decision: Decision, acting: Appointment | None) -> Row | None:
    codes = [each["code"] for each in decision.data_said["priorities"]]
    priorities = alignment.all_priorities().filter(code__in=codes)
    view = conversation_pages.frozen_view(decision.partnership, priorities, acting)
    return _view(view, "now") if view else None


def _what_changed(kept: Mapping[str, Any], current: Run | None) -> str:
    """Why what stands here is not what is published today."""
    then = run_queries.run_named(kept["run"]) if kept.get("run") else None
    if then is not None and then.withdrawn_at is not None:
        reason = then.withdrawn_reason or _("no reason is on record")
        return _(
            "These figures were withdrawn on {day}: {reason}. Ask whether the decision still holds."
        ).format(day=day(then.withdrawn_at), reason=reason.rstrip("."))
    if current is None or current.published_at is None:
        return _("No figures are published at present. These are those of that day.")
    return _(
        "Newer figures were published on {day}. These are those the group had before it."
    ).format(day=day(current.published_at))


def _made_url(kept: Mapping[str, Any], acting: Appointment | None) -> str:
    if not kept.get("run"):
        return ""
    found = run_queries.runs_visible_to(acting).filter(uuid=kept["run"]).first()
    return reverse("insight:run", args=[found.uuid]) if found else ""


def _view(kept: Mapping[str, Any], key: str) -> Row:
    return {
        "on": day(date.fromisoformat(kept["on"])),
        "published": day(date.fromisoformat(kept["published"])) if kept.get("published") else "",
        "parts": [
            _part(each, f"{key}-{at}", str(kept.get("unit", "")))
            for at, each in enumerate(kept["priorities"], start=1)
        ],
    }


def _part(kept: Mapping[str, Any], key: str, unit: str) -> Row:
    notes = kept.get("notes", [])
    return {
        "title": kept["title"],
        "sense": kept.get("sense", ""),
        "chart": _chart(kept, key, unit),
        "basis": _basis(kept),
        "words": kept.get("words", []),
        "notes": [{**note, "on": _day(str(note.get("on", "")))} for note in notes],
        "more_notes": _more(int(kept.get("notes_in_all", 0)) - len(notes)),
    }


def _day(written: str) -> str:
    """A day of the kept view: in ISO's form, or as it was shown then."""
    try:
        return day(date.fromisoformat(written))
    except ValueError:
        return written


def _more(number_of: int) -> str:
    if number_of < 1:
        return ""
    return ngettext("and {n} more note", "and {n} more notes", number_of).format(
        n=number(number_of, 0)
    )


def _chart(kept: Mapping[str, Any], key: str, unit: str) -> charts.Chart | None:
    cells = kept.get("cells", [])
    if not cells:
        return None
    names = [each["name"] for each in cells]
    return charts.intervals(
        key=key,
        title=_("Strengths and needs of our schools"),
        rows=[
            charts.Estimate(
                each["name"] if names.count(each["name"]) == 1
                else f"{each['name']} ({each['school']})",
                each["value"], each["lower"], each["upper"], each["n"],
            )
            for each in cells
        ],
        unit=_("points") if unit == "points" else unit,
        digits=int(kept.get("digits", 0)),
    )  # fmt: skip


def _basis(kept: Mapping[str, Any]) -> str:
    cells = kept.get("cells", [])
    if not cells:
        return ""
    pupils = sum(each["n"] for each in cells)
    return _("{pupils} pupils of {schools} schools").format(
        pupils=number(pupils, 0), schools=number(len(cells), 0)
    )
