"""What the published figures say of a school in the priorities, as an application keeps it.

Only what may be shown across schools: a panel and officers read it, who are not of the school.
"""

from collections.abc import Sequence
from typing import Any

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import succession_queries
from brightspots_web.directory.models import School
from brightspots_web.insight import bright_spot_queries, improving_queries
from brightspots_web.insight import queries as insight
from brightspots_web.insight.bright_spot_queries import Key, Spot
from brightspots_web.insight.improving_queries import Rise
from brightspots_web.insight.models import Estimate, Run


def evidence_of(school: School, priorities: Sequence[Priority] | None = None) -> dict[str, Any]:
    """The newest published figures of a school in the live priorities, in JSON types."""
    run = insight.current_run()
    chosen = list(priorities) if priorities is not None else alignment.live_priorities()
    subjects = [each.subject for each in chosen if each.subject]
    rises = improving_queries.rises([school.pk], subjects, run)
    keys = [Key(school.pk, school.name, school.code, name, None, None, "", "") for name in subjects]
    spots = {each.subject: each for each in bright_spot_queries.spots(keys, run)} if keys else {}
    return {
        "school": school.code,
        "name": school.name,
        "run": str(run.uuid) if run else "",
        "published": run.published_at.date().isoformat() if run and run.published_at else "",
        "years_of_results": improving_queries.years_published(school, run),
        "before": [each.name for each in succession_queries.predecessors_of(school)],
        "rows": [
            {"priority": each.code, "title": each.title}
            | figure(spots.get(each.subject), rises.get((school.pk, each.subject)), run)
            for each in chosen
        ],
    }


def figure(spot: Spot | None, rise: Rise | None, run: Run | None) -> dict[str, Any]:
    """One school at one outcome: figure with interval, pupils, years; how far people got."""
    if spot is None:
        return {"subject": "", "known": False}
    kept = {"state": spot.kept.state if spot.kept else "", "label": spot.label}
    if spot.now is None or spot.scale is None:
        return {"subject": spot.subject, "known": False} | kept
    about = run.summary.get("outcomes", {}).get(spot.subject, {}) if run else {}
    return {
        "subject": spot.subject,
        "known": True,
        **{name: getattr(spot.now, name) for name in ("estimate", "lower", "upper", "n", "years")},
        "probability": spot.now.probability,
        "delta": about.get("delta"),
        "pupil_sd": spot.scale.pupil_sd,
        "digits": spot.scale.digits,
        "rise": [_year(rise.first), _year(rise.last)] if rise else [],
    } | kept


def _year(row: Estimate) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("year", "estimate", "lower", "upper", "n")}
