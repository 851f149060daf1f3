"""What was published of a school, as the brief of a challenge visit freezes it.

Drawn as everybody who may open the school's page sees it: what only the school itself sees of its
small figures is not in the hands of a visitor. What the school is good at stands first.
"""

from typing import Any

from brightspots_web.alignment import queries as alignment
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import School
from brightspots_web.insight import queries as insight
from brightspots_web.insight import words as plain
from brightspots_web.insight.queries import Standing
from brightspots_web.shared.words import day

ORDER = {"above": 0, "unclear": 1, "below": 2, "few": 3, "none": 4}


def drawn(school: School) -> dict[str, Any]:
    """The brief of today, in JSON types."""
    run = insight.current_run()
    partnership = directory.partnership_of(school)
    titles = {each.subject: each.title for each in alignment.live_priorities()}
    found = insight.standing(school, None, run)
    found.sort(key=lambda each: (each.subject not in titles, ORDER[each.verdict]))
    return {
        "on": directory.today().isoformat(),
        "run": str(run.uuid) if run else "",
        "as_of": plain.as_of(run) if run else "",
        "school": {
            "phase": school.phase,
            "sector": school.sector,
            "roll": school.roll,
            "area": school.area.name,
            "partnership": partnership.name if partnership else "",
        },
        "outcomes": [_outcome(each, titles.get(each.subject, "")) for each in found],
    }


def _outcome(standing: Standing, priority: str) -> dict[str, Any]:
    now, scale = standing.now, standing.scale
    said: dict[str, Any] = {
        "subject": standing.subject,
        "priority": priority,
        "verdict": standing.verdict,
        "headline": plain.headline(standing),
        "sentence": plain.sentence(standing),
        "basis": plain.basis(standing),
        "digits": scale.digits,
    }
    if now is not None:
        said |= {
            "value": scale.points(now.estimate),
            "low": scale.points(now.lower),
            "high": scale.points(now.upper),
            "n": now.n,
            "years": [
                {
                    "year": row.year,
                    "value": scale.points(row.estimate),
                    "low": scale.points(row.lower),
                    "high": scale.points(row.upper),
                    "n": row.n,
                }
                for row in standing.by_year
            ],
        }
    return said


def withdrawn_since(brief: dict[str, Any]) -> bool:
    """Whether the analysis behind a brief was taken back after it was drawn."""
    run = str(brief.get("run") or "")
    return bool(run) and not insight.runs().filter(uuid=run).exists()


def replaced_since(brief: dict[str, Any]) -> str:
    """The day of the analysis that is published now, where it is a later one; else empty."""
    run = insight.current_run()
    if run is None or not brief.get("run") or str(run.uuid) == brief["run"]:
        return ""
    return str(day(run.published_at.date())) if run.published_at else ""
