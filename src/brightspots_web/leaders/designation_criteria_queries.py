"""What is asked of a leader, and which of it is met: the one list that page and actions ask."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Person
from brightspots_web.insight import improving_queries
from brightspots_web.leaders import designation_queries
from brightspots_web.leaders.models import Application, Criteria, Designation, Grade

KEYS = ("serves", "years_as_head", "years_to_stay", "years_of_results", "governors", "director")
"""In the order of the list."""


@dataclass(frozen=True)
class Check:
    """One criterion: what is asked, what there is, whether it is met or taken without."""

    key: str
    asked: Any
    known: Any
    met: bool
    exception: str = ""
    """Why the ministry takes the application without it."""

    @property
    def settled(self) -> bool:
        return self.met or bool(self.exception)


def current_criteria() -> Criteria:
    """What the ministry asks; the defaults where it set nothing yet."""
    return Criteria.objects.first() or Criteria()


def anniversary(on: date, years: int) -> date:
    """The same day so many years on; of 29 February the 28th where there is no 29th."""
    try:
        return on.replace(year=on.year + years)
    except ValueError:
        return on.replace(year=on.year + years, day=28)


def whole_years(since: date, until: date) -> int:
    """Full years between two days: 0 until the first anniversary."""
    years = until.year - since.year
    return years - 1 if anniversary(since, years) > until else years


def known_since(person: Person, grade: str) -> date | None:
    """Since when the register knows a person as head; of a specialist, as serving at a school."""
    if grade == Grade.SPECIALIST:
        return leadership.serves_since(person)
    return leadership.head_since(person)


def counted_since(application: Application) -> date | None:
    """The earlier of what the register knows and what the person says."""
    known = known_since(application.person, application.grade)
    days = [day for day in (known, application.head_since) if day is not None]
    return min(days) if days else None


def checks(application: Application, criteria: Criteria | None = None) -> list[Check]:
    """The list of criteria that are asked, with what is there today."""
    asked = criteria or current_criteria()
    today = directory.today()
    now = designation_queries.school_now(application.person_id, application.school)
    since = counted_since(application)
    years = whole_years(since, today) if since else 0
    stays = application.stays_until
    results = improving_queries.years_published(application.school)
    found: list[tuple[str, Any, Any, bool]] = [("serves", True, now and now.name, now is not None)]
    if asked.years_as_head:
        found.append(("years_as_head", asked.years_as_head, years, years >= asked.years_as_head))
    if asked.years_to_stay:
        until = anniversary(today, asked.years_to_stay)
        found.append(("years_to_stay", asked.years_to_stay, stays, bool(stays and stays >= until)))
    if asked.years_of_results:
        n = len(results)
        found.append(("years_of_results", asked.years_of_results, n, n >= asked.years_of_results))
    if asked.governors:
        backed = bool(application.governors_by.strip() and application.governors_on)
        found.append(("governors", True, application.governors_by, backed))
    if asked.director:
        by = application.director_by
        found.append(("director", True, by, bool(by)))
    return [
        Check(key, wanted, known, met, _why(application, key)) for key, wanted, known, met in found
    ]


def _why(application: Application, key: str) -> str:
    return str(application.exceptions.get(key, {}).get("why", ""))


def missing(application: Application) -> list[Check]:
    """What keeps an application from being handed in."""
    return [each for each in checks(application) if not each.settled]


def frozen(application: Application) -> dict[str, Any]:
    """The criteria of the day and which were met, in JSON types, as they go on record."""
    asked = current_criteria()
    return {
        "on": directory.today().isoformat(),
        "version": asked.version,
        "checks": [
            {
                "key": each.key,
                "asked": each.asked,
                "known": each.known.isoformat() if isinstance(each.known, date) else each.known,
                "met": each.met,
                "exception": each.exception,
            }
            for each in checks(application, asked)
        ],
    }


def thawed(application: Application) -> list[Check]:
    """The list as it went on record when the application was handed in."""
    found = []
    for each in application.criteria.get("checks", []):
        known = each["known"]
        if each["key"] == "years_to_stay" and known:
            known = date.fromisoformat(known)
        found.append(Check(each["key"], each["asked"], known, each["met"], each["exception"]))
    return found


# Of those in office


def lapsing(designations: list[Designation]) -> dict[int, list[str]]:
    """Designation's key -> the criteria that no longer hold of somebody in office.

    `serves`: the person serves neither at the school nor at who carries it on. `results`: the
    newest published analysis has no figure of the school in any of the years that are asked for.
    Nothing is held against anybody while no analysis is published.
    """
    now = designation_queries.schools_now((each.person_id, each.school) for each in designations)
    wanted = current_criteria().years_of_results
    schools = {each.pk: now[each.person_id, each.school_id] or each.school for each in designations}
    seen = improving_queries.seen_lately([each.pk for each in schools.values()], wanted)
    found: dict[int, list[str]] = {}
    for each in designations:
        problems = [] if now[each.person_id, each.school_id] else ["serves"]
        if wanted and seen is not None and schools[each.pk].pk not in seen:
            problems.append("results")
        if problems:
            found[each.pk] = problems
    return found
