"""All reads of plan-do-study-act cycles: whose they are, who runs them, what was found.

A cycle is its school's; where it is shared, its partnership's; never anybody else's. When the
school leaves the partnership the cycle goes with it, and the others keep what there was until then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Max, Q, QuerySet

from brightspots_web.devolution import decision_queries as decisions
from brightspots_web.devolution.decision_reading_queries import we_left_on
from brightspots_web.devolution.models import Pdsa, PdsaPoint, PdsaTrace
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries, succession_queries
from brightspots_web.directory.models import Appointment, Partnership, Person, School
from brightspots_web.shared.permissions import Capability, may

Act = Pdsa.Act
LONGEST_CHAIN = 30


# Whose cycles


def cycles_visible_to(acting: Appointment | None) -> QuerySet[Pdsa]:
    """Cycles this appointment may open: of its school, and those shared with its partnership."""
    found = Pdsa.objects.select_related("partnership", "school", "priority", "decision", "follows")
    ours = directory.line_of(acting.school_id if acting else None, "school")
    return found.filter(ours | (Q(shared=True) & decisions.of_partnership(acting)))


def cycles_of(partnership: Partnership) -> QuerySet[Pdsa]:
    """The shared cycles of a partnership, for rows that were found by who may see them."""
    return Pdsa.objects.filter(partnership=partnership, shared=True)


def is_ours(acting: Appointment | None, cycle: Pdsa) -> bool:
    """Whether it is tried at the person's own school, or at one whose work that carries on."""
    return cycle.school_id is not None and cycle.school_id in decisions.schools_spoken_for(acting)


def may_run(acting: Appointment | None, cycle: Pdsa) -> bool:
    """Who plans and studies: its school's head; of one for all schools, those who decide there."""
    if not may(acting, Capability.DECIDE_TOGETHER):
        return False
    if cycle.school_id is not None:
        return is_ours(acting, cycle)
    return decisions.belongs(acting, cycle.partnership)


def may_measure(acting: Appointment | None, cycle: Pdsa) -> bool:
    """Who writes values down: whoever writes notes at its school, or at a school of them all."""
    if not may(acting, Capability.WRITE_NOTES):
        return False
    if cycle.school_id is not None:
        return is_ours(acting, cycle)
    live = decisions.partnerships_read_by(acting)
    return any(each.pk == cycle.partnership_id for each in live)


def may_correct(acting: Appointment | None, cycle: Pdsa, point: PdsaPoint) -> bool:
    """Whoever wrote it, and who runs the cycle."""
    if acting is None or cycle.finished_on is not None:
        return False
    wrote = point.author_id == acting.person_id and may_measure(acting, cycle)
    return wrote or may_run(acting, cycle)


def left_on(cycle: Pdsa) -> date | None:
    """The first day on which its school is no longer in the partnership; None while it is."""
    if cycle.school is None:
        return None
    held = record_queries.memberships().filter(
        partnership=cycle.partnership_id, school=cycle.school_id
    )
    last = held.order_by("-starts", "-pk").first()
    ends = [cycle.partnership.closed, cycle.school.closed, last.ends if last else None]
    past = [day for day in ends if day is not None and day <= directory.today()]
    return min(past) if past else None


def left_among(acting: Appointment | None, found: Iterable[Pdsa]) -> dict[int, date]:
    """Cycle's key -> since when its school or the reader's is no longer there; not of own cycles.

    As many statements for a list without such cycles as for an empty one.
    """
    cycles = [each for each in found if each.school_id is not None]
    ours = set(decisions.schools_spoken_for(acting))
    partnerships = {each.partnership_id for each in cycles}
    there = directory.live_memberships().filter(partnership__in=partnerships)
    members = set(there.values_list("partnership", "school"))
    gone = [
        each
        for each in cycles
        if each.school_id not in ours and (each.partnership_id, each.school_id) not in members
    ]
    days = {each.pk: day for each in gone if (day := left_on(each)) is not None}
    reads_until = {key: we_left_on(acting, key) for key in partnerships}
    for each in cycles:
        our_day = reads_until[each.partnership_id]
        if our_day is not None and each.school_id not in ours:
            days[each.pk] = min(our_day, days.get(each.pk, our_day))
    return days


def who_runs(cycle: Pdsa) -> list[Person]:
    """Who is told that it is time: the school's head; of one for all schools, the leaders."""
    if cycle.school is None:
        return list(people.leaders_of(cycle.partnership))
    return list(succession_queries.answering_now(cycle.school))


# One cycle


@dataclass(frozen=True)
class Seen:
    """What somebody sees of a cycle: all of it, or what there was when its school left."""

    cycle: Pdsa
    until: date | None
    points: list[PdsaPoint]
    traces: list[PdsaTrace]

    @property
    def shows_study(self) -> bool:
        done = self.cycle.finished_on
        return done is not None and (self.until is None or done < self.until)


def seen(acting: Appointment | None, cycle: Pdsa) -> Seen:
    """The cycle with its values and traces: what was written after either school left is not."""
    until = None
    if not is_ours(acting, cycle):
        ends = (left_on(cycle), we_left_on(acting, cycle.partnership_id))
        until = min((day for day in ends if day is not None), default=None)
    points = PdsaPoint.objects.filter(cycle=cycle).select_related("author")
    traces = PdsaTrace.objects.filter(cycle=cycle)
    if until is not None:
        points = points.filter(at__date__lt=until)
        traces = traces.filter(at__date__lt=until)
        return Seen(cycle, until, _as_they_were(points, until), list(traces))
    return Seen(cycle, until, list(points), list(traces))


def _as_they_were(points: QuerySet[PdsaPoint], until: date) -> list[PdsaPoint]:
    """Values that were corrected after a day, as they stood on it: day and value, never saved."""
    later = PdsaTrace.objects.filter(
        kind=PdsaTrace.Kind.CORRECTED, at__date__gte=until, point__in=points.values("pk")
    )
    before = {each.point: each for each in later.order_by("-pk")}  # the first correction stays
    found = list(points)
    for each in found:
        trace = before.get(each.pk)
        if trace is not None and trace.on is not None:
            each.on, each.value, each.n, each.note = trace.on, float(trace.was), None, ""
    return sorted(found, key=lambda each: (each.on, each.pk))


def point_of(cycle: Pdsa, key: int) -> PdsaPoint | None:
    return PdsaPoint.objects.filter(cycle=cycle, pk=key).first()


def has_points(cycle: Pdsa) -> bool:
    return PdsaPoint.objects.filter(cycle=cycle).exists()


def chain_of(acting: Appointment | None, cycle: Pdsa) -> list[Pdsa]:
    """The cycles that lead to this one and follow from it, the first first; those one may see."""
    found = [cycle]
    while found[0].follows is not None and len(found) < LONGEST_CHAIN:
        found.insert(0, found[0].follows)
    later: Sequence[Pdsa] = [cycle]
    while later and len(found) < LONGEST_CHAIN:
        later = list(Pdsa.objects.filter(follows__in=[each.pk for each in later]).order_by("pk"))
        found.extend(later)
    if len(found) == 1:
        return found
    mine = cycles_visible_to(acting).filter(pk__in=[each.pk for each in found])
    visible = {each.pk: each for each in mine}
    return [visible[each.pk] for each in found if each.pk in visible]


def followed_by(cycle: Pdsa) -> QuerySet[Pdsa]:
    return Pdsa.objects.filter(follows=cycle)


def of_decision(acting: Appointment | None, decision: int) -> QuerySet[Pdsa]:
    return cycles_visible_to(acting).filter(decision=decision).order_by("pk")


def schools_to_try_at(acting: Appointment | None) -> list[School]:
    """Where this person may plan a cycle: the own school."""
    if acting is None or acting.school is None or not may(acting, Capability.DECIDE_TOGETHER):
        return []
    return [acting.school]


# Lists


@dataclass(frozen=True)
class Search:
    """What the list is narrowed to."""

    words: str = ""
    stage: str = ""
    priority: str = ""
    school: str = ""


def search(acting: Appointment | None, partnership: Partnership, wanted: Search) -> QuerySet[Pdsa]:
    """The cycles of a partnership that fit: those that run first, by the day they are studied."""
    found = cycles_visible_to(acting).filter(partnership=partnership)
    if wanted.words:
        found = found.filter(Q(title__icontains=wanted.words) | Q(test__icontains=wanted.words))
    stages = {
        "running": Q(finished_on=None),
        "to_study": Q(finished_on=None, study_on__lte=directory.today()),
        **{str(act): Q(act=act, finished_on__isnull=False) for act in Act.values},
    }
    found = found.filter(stages.get(wanted.stage, Q()))
    if wanted.priority:
        found = found.filter(priority__code=wanted.priority)
    if wanted.school:
        found = found.filter(school__code=wanted.school)
    return with_counts(found)


def with_counts(found: QuerySet[Pdsa]) -> QuerySet[Pdsa]:
    counted = found.annotate(n_points=Count("points"), last_on=Max("points__on"))
    return counted.order_by(F("finished_on").desc(nulls_first=True), "study_on", "pk")


def run_by(acting: Appointment | None) -> QuerySet[Pdsa]:
    """Cycles of the own school that are not finished."""
    ours = directory.line_of(acting.school_id if acting else None, "school")
    return with_counts(cycles_visible_to(acting).filter(ours, finished_on=None))


def to_study(acting: Appointment | None) -> list[Pdsa]:
    """Cycles this person runs whose day to study has come."""
    if not may(acting, Capability.DECIDE_TOGETHER):
        return []
    due = cycles_visible_to(acting).filter(finished_on=None, study_on__lte=directory.today())
    return [each for each in due.order_by("study_on", "pk") if may_run(acting, each)]


def to_remind_of(on: date) -> list[Pdsa]:
    """Unfinished cycles whose day to study has come, and of which nobody was told."""
    found = Pdsa.objects.filter(finished_on=None, study_on__lte=on, reminded="")
    return list(found.select_related("partnership", "school"))


def same_cycle(partnership: Partnership, school: School | None, title: str, by: str) -> Pdsa | None:
    """The same plan, not finished yet: for a form sent twice."""
    return Pdsa.objects.filter(
        partnership=partnership, school=school, title=title, by=by, finished_on=None
    ).first()
