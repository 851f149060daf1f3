"""All reads of how leaders grow: the framework, ratings side by side, who may see them.

What a leader and the colleagues whom the leader asked say stays with the leader, and with those
the leader shares it with; a colleague sees what the colleague said. Officers and the ministry see
none of it: what they see of the group is in `development_group_queries.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from brightspots_web.directory import colleague_queries as colleagues
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import designation_queries as designation
from brightspots_web.leaders.models import (
    Application,
    Competence,
    CompetenceRating,
    DevelopmentShare,
)
from brightspots_web.shared.permissions import Capability, Role, may

FAR_APART = 2
"""So many levels between two views are worth a talk."""


# Who may do what


def may_learn(acting: Appointment | None) -> bool:
    """Whoever leads or may come to lead, and officers: they take part in learning and coaching."""
    return may(acting, Capability.APPLY_TO_LEAD) or may(acting, Capability.RECORD_TIME)


def may_grow(acting: Appointment | None) -> bool:
    """Whether somebody rates the own competences: a leader, a designated person, an applicant."""
    if acting is None or not may(acting, Capability.APPLY_TO_LEAD):
        return False
    if acting.role == Role.SYSTEM_LEADER:
        return True
    if designation.live_designation(acting.person) is not None:
        return True
    applied = Application.objects.filter(person=acting.person_id)
    return applied.exclude(state=Application.State.WITHDRAWN).exists()


def may_set_framework(acting: Appointment | None) -> bool:
    return may(acting, Capability.SET_LEADERS)


# The framework


def framework() -> list[Competence]:
    """The competences in force, in their order; none before the ministry has begun."""
    return list(Competence.objects.filter(retired_at=None))


def taken_out() -> list[Competence]:
    return list(Competence.objects.exclude(retired_at=None).order_by("name", "pk"))


def all_competences() -> QuerySet[Competence]:
    """Those taken out too."""
    return Competence.objects.all()


# Ratings


def ratings_visible_to(acting: Appointment | None) -> QuerySet[CompetenceRating]:
    """Ratings of those who are the acting person or who share with that person; said ones alone."""
    if acting is None:
        return CompetenceRating.objects.none()
    shared = shares_visible_to(acting).order_by().values("leader")
    said = CompetenceRating.objects.exclude(level=None).select_related("competence", "rater")
    return said.filter(leader=acting.person_id) | said.filter(leader__in=shared)


@dataclass(frozen=True)
class Standing:
    """One competence of a leader as the leader and the colleagues see it: never averaged."""

    competence: Competence
    own: CompetenceRating | None = None
    others: Sequence[CompetenceRating] = ()
    """The newest of each colleague."""
    earlier: Sequence[CompetenceRating] = ()
    waiting: Sequence[CompetenceRating] = ()
    """Colleagues who were asked and have not answered."""

    @property
    def levels(self) -> list[int]:
        said = [*([self.own] if self.own else []), *self.others]
        return [each.level for each in said if each.level is not None]

    @property
    def apart(self) -> int:
        """How many levels lie between the highest and the lowest view."""
        return max(self.levels) - min(self.levels) if self.levels else 0

    @property
    def lowest(self) -> int | None:
        return min(self.levels, default=None)


@dataclass
class _Gathered:
    own: list[CompetenceRating] = field(default_factory=list)
    others: dict[int, list[CompetenceRating]] = field(default_factory=dict)


def standings(person: Person, acting: Appointment | None) -> list[Standing]:
    """A person's competences in the framework's order; those taken out follow if any was rated.

    Whoever may not see them gets the framework with nothing said.
    """
    gathered: dict[int, _Gathered] = {}
    # The newest first, so that the first of each rater counts.
    for row in ratings_visible_to(acting).filter(leader=person).order_by("-at", "-pk"):
        mine = gathered.setdefault(row.competence_id, _Gathered())
        if row.rater_id == person.pk:
            mine.own.append(row)
        else:
            # Somebody whose account is gone is nobody's later self: each stands alone.
            mine.others.setdefault(row.rater_id or -row.pk, []).append(row)
    waiting: dict[int, list[CompetenceRating]] = {}
    if acting is not None and acting.person_id == person.pk:
        for row in asked_by(person):
            waiting.setdefault(row.competence_id, []).append(row)
    rated = Competence.objects.filter(pk__in=gathered).exclude(retired_at=None)
    return [
        _standing(each, gathered.get(each.pk, _Gathered()), waiting.get(each.pk, []))
        for each in [*framework(), *rated]
    ]


def _standing(
    competence: Competence, said: _Gathered, waiting: Sequence[CompetenceRating]
) -> Standing:
    newest = sorted((rows[0] for rows in said.others.values()), key=lambda row: str(row.rater))
    earlier = [*said.own[1:], *(row for rows in said.others.values() for row in rows[1:])]
    return Standing(
        competence, said.own[0] if said.own else None, newest, earlier, waiting
    )  # fmt: skip


def newest_own(person: Person, competence: Competence) -> CompetenceRating | None:
    rows = CompetenceRating.objects.filter(leader=person, rater=person, competence=competence)
    return rows.exclude(level=None).order_by("-at", "-pk").first()


# Asking colleagues


def asked_by(person: Person) -> list[CompetenceRating]:
    """What a leader asked colleagues that they have not answered, by name."""
    rows = CompetenceRating.objects.filter(leader=person, level=None, competence__retired_at=None)
    return list(rows.select_related("competence", "rater").order_by("rater__name", "rater", "pk"))


def to_answer(acting: Appointment | None, leader: int | None = None) -> list[CompetenceRating]:
    """What colleagues ask the acting person, by the colleague; of one colleague where named."""
    if acting is None:
        return []
    rows = CompetenceRating.objects.filter(
        rater=acting.person_id, level=None, competence__retired_at=None
    ).exclude(leader=acting.person_id)
    if leader is not None:
        rows = rows.filter(leader=leader)
    return list(
        rows.select_related("leader", "competence").order_by(
            "leader__name", "leader", "competence__place", "pk"
        )
    )


def said_of_others(acting: Appointment | None) -> QuerySet[CompetenceRating]:
    """What the acting person said of colleagues: the own words, and nobody else's."""
    if acting is None:
        return CompetenceRating.objects.none()
    rows = CompetenceRating.objects.filter(rater=acting.person_id).exclude(level=None)
    rows = rows.exclude(leader=acting.person_id).select_related("leader", "competence")
    return rows.order_by("-at", "-pk")


def people_to_ask(acting: Appointment, words: str = "") -> dict[int, Appointment]:
    """Person's key -> an appointment of each colleague who can be asked, those nearby by name.

    With words also leaders elsewhere whose name has them.
    """
    found: dict[int, Appointment] = {}
    listed: Iterable[Appointment] = [
        *colleagues.near(acting), *colleagues.leaders_named(acting, words)
    ]  # fmt: skip
    for each in listed:
        found.setdefault(each.person_id, each)
    return found


# Sharing


def shared_with(person: Person) -> list[DevelopmentShare]:
    """With whom a leader shares it, by name."""
    rows = DevelopmentShare.objects.filter(leader=person).select_related("person")
    return list(rows.order_by("person__name", "pk"))


def shares_visible_to(acting: Appointment | None) -> QuerySet[DevelopmentShare]:
    """Leaders who share it with the acting person, who is in no office of the ministry.

    A colleague who has gone to the ministry since sees nothing from there.
    """
    if acting is None or may(acting, Capability.SEE_SYSTEM):
        return DevelopmentShare.objects.none()
    found = DevelopmentShare.objects.filter(person=acting.person_id)
    return found.select_related("leader").order_by("leader__name", "pk")
