"""The need as it was published, in the form in which a proposal keeps it for good."""

from collections.abc import Mapping
from typing import Any

from brightspots_web.insight.need_queries import Counted, Need, need_of_system


def evidence_of(subject: str) -> dict[str, Any]:
    """What the newest published analysis says of the need in an outcome; {} where none does.

    In JSON types: run, day, outcome, schools and pupils with figures; `in_need` and `touched` as
    [value, lower, upper], absent where withheld; the areas where most of the pupils are.
    """
    need = need_of_system(subject) if subject else None
    return as_data(need) if need else {}


def as_data(need: Need) -> dict[str, Any]:
    published = need.run.published_at
    data: dict[str, Any] = {
        "run": str(need.run.uuid),
        "as_of": published.date().isoformat() if published else "",
        "subject": need.subject,
        "schools": need.schools,
        "pupils": need.pupils,
        "areas": [
            {
                "name": each.area.name,
                "in": each.area.parent.name if each.area.parent else "",
                "schools": each.n_schools,
                "touched": round(each.pupils_touched or 0),
            }
            for each in need.areas
            if round(each.pupils_touched or 0)
        ],
    }
    if need.in_need is not None:
        data["in_need"] = _rounded(need.in_need)
    if need.touched is not None:
        data["touched"] = _rounded(need.touched)
    return data


def is_withheld(evidence: Mapping[str, Any]) -> bool:
    """Whether there are figures, but of too few schools or pupils to be shown."""
    return bool(evidence) and "in_need" not in evidence


def _rounded(counted: Counted) -> list[int]:
    return [round(counted.value), round(counted.lower), round(counted.upper)]
