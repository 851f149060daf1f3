"""Support and practices as projects whose effect can be reckoned; whole lists for jobs alone.

What was taken up is there with what was given up early: a record that leaves out what came to
nothing would praise whoever stops in time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness.models import Deployment, PracticeAdoption, SupportOffer
from brightspots_web.connectedness.practice_queries import PUBLIC
from brightspots_web.directory.models import Person, School

State = Deployment.State


@dataclass(frozen=True)
class Project:
    """Support that is over, whatever came of it; or, with `practice`, a practice taken up."""

    key: int
    priority: Priority | None
    school: School
    """That received the support, or took the practice up."""
    source: School
    starts: date
    ends: date | None
    """None for a practice that is still in use, and for support under way."""
    leader: Person | None = None
    leader_name: str = ""
    early: bool = False
    """Ended before the agreed day, or given up."""
    practice: int | None = None
    practice_title: str = ""


def support_over() -> list[Project]:
    """Every support that began and is over, in the order begun."""
    over = Deployment.objects.filter(
        Q(state__in=(State.FINISHED, State.ENDED)), ended_on__gte=F("starts")
    )
    return [_of(each) for each in _with_names(over)]


def support_under_way() -> list[Project]:
    """Support that runs: its schools are no clean comparison."""
    return [_of(each) for each in _with_names(Deployment.objects.filter(state=State.RUNNING))]


def support_by(people: Collection[int]) -> list[Project]:
    """What these people gave and is over, for their records."""
    over = Deployment.objects.filter(
        giver__in=people, state__in=(State.FINISHED, State.ENDED), ended_on__gte=F("starts")
    )
    return [_of(each) for each in _with_names(over)]


def given_by(key: int, person: int) -> Project | None:
    """One support that is over, if this person gave it."""
    return next((each for each in support_by([person]) if each.key == key), None)


def anything_over() -> bool:
    """Whether there is anything that could have an effect yet."""
    return (
        Deployment.objects.filter(state__in=(State.FINISHED, State.ENDED)).exists()
        or PracticeAdoption.objects.filter(practice__state__in=PUBLIC).exists()
    )


def givers() -> set[int]:
    """Keys of everybody who gave support or offers it."""
    offers = SupportOffer.objects.filter(state=SupportOffer.State.OPEN)
    keys = [
        *Deployment.objects.order_by().values_list("giver", flat=True).distinct(),
        *offers.order_by().values_list("giver", flat=True).distinct(),
    ]
    return {key for key in keys if key is not None}


def adoptions() -> list[Project]:
    """Every practice taken up from another school; those given up again among them."""
    return [
        Project(
            key=each.pk,
            priority=each.practice.priority,
            school=each.school,
            source=each.practice.school,
            starts=each.on,
            ends=each.stopped_on,
            early=each.stopped_on is not None,
            practice=each.practice_id,
            practice_title=each.practice.title,
        )
        for each in _adoptions()
        .select_related("practice__priority", "practice__school", "school__area")
        .order_by("on", "pk")
    ]


def who_gave_from(schools: QuerySet[School], only: int | None = None) -> dict[int, int]:
    """Person's key -> key of a school in sight from which the person gave or offers support.

    Keys alone: over a whole system there are many more than a page shows.
    """
    keys = schools.order_by().values("pk")
    given = Deployment.objects.filter(giving__in=keys, giver__isnull=False)
    offers = SupportOffer.objects.filter(
        school__in=keys, state=SupportOffer.State.OPEN, giver__isnull=False
    )
    if only is not None:
        offers, given = offers.filter(giver=only), given.filter(giver=only)
    found = dict(given.order_by("pk").values_list("giver", "giving"))
    return found | dict(offers.order_by("pk").values_list("giver", "school"))


def adoptions_counted(practice: int) -> tuple[int, Priority | None]:
    """How many schools took a practice up from another, and the priority it serves."""
    found = _adoptions().filter(practice=practice)
    first = found.select_related("practice__priority").order_by("pk").first()
    return found.count(), first.practice.priority if first is not None else None


def _adoptions() -> QuerySet[PracticeAdoption]:
    found = PracticeAdoption.objects.filter(practice__state__in=PUBLIC)
    return found.exclude(school=F("practice__school"))


def _with_names(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    return rows.select_related("priority", "receiving__area", "giving__area", "giver").order_by(
        "starts", "pk"
    )


def _of(each: Deployment) -> Project:
    return Project(
        key=each.pk,
        priority=each.priority,
        school=each.receiving,
        source=each.giving,
        starts=each.starts,
        ends=each.ended_on,
        leader=each.giver,
        leader_name=each.giver_name,
        early=each.state == State.ENDED,
    )
