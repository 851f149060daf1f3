"""All reads of learning: what is on offer for whom, who takes part, what was attended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum

from brightspots_web.directory import colleague_queries as colleagues
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.leaders import designation_queries as designation
from brightspots_web.leaders.models import Attendance, Competence, Learning
from brightspots_web.shared.permissions import Capability, Role, may

Kind = Learning.Kind
COMING, PAST, MINE = "coming", "past", "mine"


# Who may do what


def home_paths(acting: Appointment | None) -> list[str]:
    """Paths of the areas an appointment belongs to, from the root down; none for the ministry."""
    if acting is None:
        return []
    school = colleagues.school_of(acting)
    area = acting.area or (school.area if school is not None else None)
    return directory.paths_to(area) if area is not None else []


def kinds_to_offer(acting: Appointment | None) -> list[str]:
    """Officers and the ministry offer both kinds; a leader may offer a community of practice."""
    if acting is None:
        return []
    if may(acting, Capability.SET_LEADERS) or may(acting, Capability.FIND_LEADERS):
        return [Kind.MODULE, Kind.COMMUNITY]
    if not may(acting, Capability.APPLY_TO_LEAD):
        return []
    leads = acting.role == Role.SYSTEM_LEADER
    if leads or designation.live_designation(acting.person) is not None:
        return [Kind.COMMUNITY]
    return []


def areas_to_offer_in(acting: Appointment | None) -> list[Area]:
    """For whom somebody may offer learning: an officer's area; a leader's district and above."""
    if acting is None or not kinds_to_offer(acting):
        return []
    if may(acting, Capability.SET_LEADERS):
        return directory.inner_areas(acting, None)
    if acting.area is not None:
        return [acting.area]
    school = colleagues.school_of(acting)
    return list(reversed(directory.ancestors(school.area))) if school is not None else []


def may_offer_to_all(acting: Appointment | None) -> bool:
    return may(acting, Capability.SET_LEADERS)


def may_run(acting: Appointment | None, learning: Learning) -> bool:
    """Whether somebody changes, cancels and confirms it: who offers it, and the offices above.

    An officer also runs what an earlier officer of the area offered; the ministry runs all.
    """
    if acting is None:
        return False
    if learning.offerer_id == acting.person_id and kinds_to_offer(acting):
        return True
    if may(acting, Capability.SET_LEADERS):
        return True
    above = acting.area is not None and may(acting, Capability.FIND_LEADERS)
    return (
        above
        and learning.area is not None
        and acting.area is not None
        and learning.area.path.startswith(acting.area.path)
    )


# What is on offer


def visible_to(acting: Appointment | None) -> QuerySet[Learning]:
    """Learning for everybody, for one's areas, within an officer's area; and what one offers."""
    found = Learning.objects.select_related("area", "offerer")
    if acting is None:
        return found.none()
    if may(acting, Capability.SEE_SYSTEM):
        return found
    seen = Q(area=None) | Q(area__path__in=home_paths(acting)) | Q(offerer=acting.person_id)
    if acting.area is not None:
        seen |= Q(area__path__startswith=acting.area.path)
    taking = Attendance.objects.filter(learning=OuterRef("pk"), person=acting.person_id)
    return found.filter(seen | Exists(taking))


@dataclass(frozen=True)
class Search:
    """What the list is narrowed to."""

    q: str = ""
    kind: str = ""
    competence: str = ""
    when: str = COMING


def search(acting: Appointment | None, asked: Search) -> QuerySet[Learning]:
    """What fits, the nearest day first for what is to come, else the newest."""
    found = visible_to(acting)
    today = directory.today()
    if asked.q:
        words = asked.q.strip()
        found = found.filter(
            Q(title__icontains=words) | Q(about__icontains=words) | Q(place__icontains=words)
        )
    if asked.kind:
        found = found.filter(kind=asked.kind)
    if asked.competence:
        found = found.filter(competences__code=asked.competence)
    if asked.when == MINE and acting is not None:
        mine = Attendance.objects.filter(learning=OuterRef("pk"), person=acting.person_id)
        found = found.filter(Exists(mine))
    elif asked.when == PAST:
        found = found.filter(Q(on__lt=today) | ~Q(cancelled_why=""))
    elif asked.when == COMING:
        found = found.filter(_to_come(today))
    found = _with_counts(found, acting)
    if asked.when == COMING:
        return found.order_by(F("on").asc(nulls_last=True), "pk")
    return found.order_by(F("on").desc(nulls_last=True), "-pk")


def _to_come(today: date) -> Q:
    return (Q(on=None) | Q(on__gte=today)) & Q(cancelled_why="")


def _with_counts(found: QuerySet[Learning], acting: Appointment | None) -> QuerySet[Any]:
    """Each with its competences, how many take part, and whether the acting person does."""
    mine = Attendance.objects.filter(
        learning=OuterRef("pk"), person=acting.person_id if acting is not None else 0
    )
    competences = Prefetch("competences", queryset=Competence.objects.order_by("place", "pk"))
    return found.annotate(
        taking=Count("attendances", distinct=True), takes_part=Exists(mine)
    ).prefetch_related(competences)


def one(acting: Appointment | None, pk: int) -> Learning | None:
    return _with_counts(visible_to(acting), acting).filter(pk=pk).first()


def on_offer_for(
    acting: Appointment | None, competences: Iterable[int]
) -> dict[int, list[Learning]]:
    """Competence -> learning to come for it that the acting person does not take part in yet."""
    if acting is None:
        return {}
    keys = set(competences)
    mine = Attendance.objects.filter(learning=OuterRef("pk"), person=acting.person_id)
    found = visible_to(acting).filter(_to_come(directory.today()), competences__in=keys)
    found = found.exclude(Exists(mine)).distinct().order_by(F("on").asc(nulls_last=True), "pk")
    by_competence: dict[int, list[Learning]] = {}
    for each in found.prefetch_related("competences")[:60]:
        for competence in each.competences.all():
            if competence.pk in keys:
                by_competence.setdefault(competence.pk, []).append(each)
    return by_competence


# Who takes part


def taking_part(learning: Learning) -> list[Attendance]:
    """Everybody who takes part, by name; for those who run it."""
    rows = Attendance.objects.filter(learning=learning).select_related("person")
    return list(rows.order_by("person__name", "pk"))


def own_attendance(acting: Appointment | None, learning: Learning) -> Attendance | None:
    if acting is None:
        return None
    return Attendance.objects.filter(learning=learning, person=acting.person_id).first()


def attended(person: Person) -> list[Attendance]:
    """Learning a person was at, as confirmed by who offered it; the newest first."""
    rows = Attendance.objects.filter(person=person).exclude(attended_on=None)
    return list(rows.select_related("learning").order_by("-attended_on", "-pk"))


def enrolled(person: Person) -> list[Attendance]:
    """Learning to come in which a person takes part, the nearest first."""
    rows = Attendance.objects.filter(person=person, attended_on=None)
    today = directory.today()
    rows = rows.filter(Q(learning__on=None) | Q(learning__on__gte=today))
    rows = rows.filter(learning__cancelled_why="").select_related("learning")
    return list(rows.order_by(F("learning__on").asc(nulls_last=True), "pk"))


def hours_of(person: Person) -> Decimal:
    """Hours of confirmed learning of a person."""
    rows = Attendance.objects.filter(person=person).exclude(attended_on=None)
    return rows.aggregate(hours=Sum("learning__hours"))["hours"] or Decimal(0)


def to_remind(on: date, until: date) -> list[Learning]:
    """Learning of the coming week whose people have not been reminded."""
    rows = Learning.objects.filter(
        on__gte=on, on__lte=until, cancelled_why="", reminded_at=None
    )  # fmt: skip
    return list(rows.order_by("on", "pk"))


def is_over(learning: Learning) -> bool:
    """Whether nobody can enrol any more."""
    past = learning.on is not None and learning.on < directory.today()
    return past or bool(learning.cancelled_why)


def can_be_confirmed(learning: Learning) -> bool:
    """Whether its day has come, or it is taken at any time."""
    if learning.cancelled_why:
        return False
    return learning.on is None or learning.on <= directory.today()
