"""How a practice travelled: who took it up from whom, and what a school gave and took."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from brightspots_web.connectedness.models import Practice, PracticeAdoption
from brightspots_web.connectedness.practice_queries import PUBLIC
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared import queries as shared
from brightspots_web.shared.permissions import Capability, may

SPREAD = "connectedness.practice_spread"
"""The job that reckons how far practices spread."""
MOST_DRAWN = 60
"""So many schools are drawn and listed on the page; the file has all."""


@dataclass(frozen=True)
class Step:
    """A school on the way of a practice, and how far it stands from the source."""

    adoption: PracticeAdoption
    generation: int
    """1 for a school that learned from the source itself."""
    passed_on: int
    """How many schools learned from this one."""


def adoptions_of(practice: Practice) -> list[PracticeAdoption]:
    found = PracticeAdoption.objects.filter(practice=practice)
    return list(found.select_related("school__area", "source__school").order_by("on", "pk"))


def lineage(adoptions: Sequence[PracticeAdoption]) -> list[Step]:
    """Every school once, each below the one it learned from, in the order of the days."""
    below: dict[int | None, list[PracticeAdoption]] = defaultdict(list)
    for each in adoptions:
        below[each.source_id].append(each)
    return list(_walk(below))


def _walk(below: dict[int | None, list[PracticeAdoption]]) -> Iterator[Step]:
    """Without recursion: a chain may be as long as there are schools."""
    waiting = [(each, 1) for each in reversed(below[None])]
    while waiting:
        adoption, generation = waiting.pop()
        inner = below.get(adoption.pk, [])
        yield Step(adoption, generation, len(inner))
        waiting.extend((each, generation + 1) for each in reversed(inner))


def may_adopt(acting: Appointment | None, practice: Practice) -> bool:
    """Whether the appointment may take the practice up for its own school."""
    return (
        acting is not None
        and may(acting, Capability.ADOPT_PRACTICES)
        and acting.school_id is not None
        and acting.school_id != practice.school_id
        and practice.state == Practice.State.PUBLISHED
    )


def own_adoption(acting: Appointment | None, practice: Practice) -> PracticeAdoption | None:
    """The adoption of the acting person's own school."""
    if acting is None or acting.school_id is None:
        return None
    found = PracticeAdoption.objects.filter(practice=practice, school=acting.school_id)
    return found.select_related("school", "source__school").first()


def answers_for(acting: Appointment | None, adoption: PracticeAdoption) -> bool:
    return may(acting, Capability.ADOPT_PRACTICES) and (
        acting is not None and acting.school_id == adoption.school_id
    )


def sources_for(practice: Practice, school: School | None) -> QuerySet[PracticeAdoption]:
    """Adoptions that a school can have learned from: those of other schools."""
    found = PracticeAdoption.objects.filter(practice=practice).select_related("school")
    return found.exclude(school=school).order_by("school__name", "pk") if school else found.none()


@dataclass(frozen=True)
class Given:
    """A practice of a school and how many schools took it up."""

    practice: Practice
    schools: int


def given_by(school: School) -> list[Given]:
    """The published practices of a school."""
    rows = Practice.objects.filter(school=school, state__in=PUBLIC, translation_of=None)
    counted = rows.annotate(schools=Count("adoptions")).order_by("-published_at", "-pk")
    return [Given(each, each.schools) for each in counted[:20]]


def taken_by(school: School) -> list[PracticeAdoption]:
    """What a school took up from others and did not stop."""
    rows = PracticeAdoption.objects.filter(
        Q(school=school), practice__state__in=PUBLIC, stopped_on=None
    )
    return list(rows.select_related("practice__school", "source__school").order_by("-on")[:20])


def adoptions_to_reckon() -> QuerySet[PracticeAdoption]:
    """Every adoption of a published practice, for what is reckoned over all of them."""
    found = PracticeAdoption.objects.filter(practice__state__in=PUBLIC).order_by("pk")
    return found.select_related("practice__school", "school", "source__school")


def newest_spread() -> Mapping[str, Any]:
    """How far practices spread, as last reckoned (see `analysis/spread.py`); empty before that."""
    return shared.newest_result(SPREAD)
