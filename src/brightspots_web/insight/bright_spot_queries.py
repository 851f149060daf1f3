"""Reads about bright spots: who may be one, how far people got, what may happen next.

A bright spot is a pair of a school and an outcome. It stands on the list when the published
analysis flags it, or when people have begun to look at it; the two are joined here, so that pages
work for analyses published before anything was noted down. The order is by name, never by figure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, TypeVar

from django.db.models import (
    CharField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.insight import disclosure, queries
from brightspots_web.insight.models import BrightSpot, BrightSpotStep, Estimate, Run
from brightspots_web.insight.queries import Neighbour, Scale
from brightspots_web.shared.permissions import Capability, Role, may

T = TypeVar("T")
State = BrightSpot.State
AT_ONCE = 500
"""Pairs whose figures are read together for a file."""

NEXT: dict[str, tuple[str, ...]] = {
    State.CANDIDATE: (State.VISITED, State.SET_ASIDE),
    State.VISITED: (State.VISITED, State.CONFIRMED, State.SET_ASIDE),
    State.CONFIRMED: (State.WRITTEN_UP, State.SET_ASIDE),
    State.WRITTEN_UP: (State.RE_TESTED, State.SET_ASIDE),
    State.RE_TESTED: (State.RE_TESTED, State.SET_ASIDE),
    State.SET_ASIDE: (),
}
"""Which step may follow which state; from "set aside" the way back is to the state before."""

NO_FLAG = "none"
"""Filter: what people look at though the newest analysis does not flag it."""


@dataclass(frozen=True)
class Search:
    """What the list is narrowed to."""

    subject: str = ""
    area: Area | None = None
    label: str = ""
    state: str = ""


@dataclass(frozen=True)
class Key:
    """One line of the list, with what a map needs."""

    school: int
    name: str
    code: str
    subject: str
    latitude: float | None
    longitude: float | None
    label: str
    state: str


COLUMNS = ("key", "by_name", "by_code", "outcome", "north", "east", "flag", "stage")
"""Names under which both halves of the list select the fields of `Key`."""


@dataclass(frozen=True)
class Spot:
    """A school at an outcome: what the published figures say, and how far people got."""

    school: School
    subject: str
    run: Run | None
    scale: Scale | None
    now: Estimate | None
    """The newest published figure, where it may be shown across schools."""
    kept: BrightSpot | None
    """What was noted down; None before anybody did anything."""

    @property
    def state(self) -> str:
        return self.kept.state if self.kept else State.CANDIDATE

    @property
    def state_label(self) -> str:
        return str(State(self.state).label)

    @property
    def since(self) -> date | None:
        """The day of the last step."""
        return getattr(self.kept, "since", None)

    @property
    def label(self) -> str:
        return self.now.label if self.now else ""

    @property
    def delta(self) -> float | None:
        """What counts as markedly better, in pupil SD."""
        about = self.run.summary.get("outcomes", {}).get(self.subject, {}) if self.run else {}
        return about.get("delta")


def schools_to_visit(acting: Appointment | None) -> QuerySet[School]:
    """Schools among which this appointment looks for bright spots: all that it sees.

    Heads and teachers have no such list: it is for those who arrange visits. They open the page of
    their own school, see `schools_open_to`.
    """
    if not may(acting, Capability.SEE_BRIGHT_SPOTS):
        return directory.schools_visible_to(None)
    return directory.schools_visible_to(acting)


def schools_open_to(acting: Appointment | None) -> QuerySet[School]:
    """Schools whose bright spots this appointment may open: those it may visit, and its own.

    What visitors wrote about a school is never hidden from it.
    """
    if acting is None or may(acting, Capability.SEE_BRIGHT_SPOTS):
        return schools_to_visit(acting)
    return directory.schools_visible_to(acting).filter(pk=acting.school_id or 0)


def flagged(run: Run | None) -> QuerySet[Estimate]:
    """Pairs that a run flags, as far as their figures may be shown across schools."""
    if run is None:
        return Estimate.objects.none()
    shown = Estimate.objects.filter(disclosure.shown_across(), run=run, year=None)
    return shown.exclude(label="")


def pairs(acting: Appointment | None, search: Search, run: Run | None) -> QuerySet[Any, Any]:
    """All lines of the list that this appointment may see, as tuples in the order of `Key`.

    Two halves: what the analysis flags, with or without a note of people's; and what people noted
    though the analysis does not, or no longer, flag it.
    """
    places = _places(acting)
    if search.area is not None:
        places &= Q(school__area__path__startswith=search.area.path)
    if search.subject:
        places &= Q(subject=search.subject)
    if run is None:
        return _noted(places, search, run)
    if search.label == NO_FLAG:
        return _noted(places, search, run)
    if search.label:
        return _found(places, search, run)
    both: QuerySet[Any, Any] = _found(places, search, run).order_by()
    both = both.union(_noted(places, search, run).order_by(), all=True)
    return both.order_by("by_name", "by_code", "outcome")


def _places(acting: Appointment | None) -> Q:
    """Rows at schools that this appointment may visit.

    Who sees the whole system needs no list of its schools: with one, the database would look at
    every school instead of at those that are flagged.
    """
    if may(acting, Capability.SEE_BRIGHT_SPOTS) and may(acting, Capability.SEE_SYSTEM):
        return Q()
    return Q(school__in=schools_to_visit(acting).order_by().values("pk"))


def _found(places: Q, search: Search, run: Run) -> QuerySet[Any, Any]:
    noted = BrightSpot.objects.filter(school=OuterRef("school"), subject=OuterRef("subject"))
    rows = (
        flagged(run)
        .filter(places)
        .annotate(
            stage=Coalesce(Subquery(noted.values("state")[:1]), Value(str(State.CANDIDATE))),
            flag=F("label"),
        )
    )
    if search.label:
        rows = rows.filter(label=search.label)
    return _as_keys(rows, search)


def _noted(places: Q, search: Search, run: Run | None) -> QuerySet[Any, Any]:
    rows = BrightSpot.objects.filter(places)
    if run is not None:
        now = flagged(run).filter(school=OuterRef("school"), subject=OuterRef("subject"))
        rows = rows.exclude(Exists(now))
    if search.label and search.label != NO_FLAG:
        rows = rows.none()
    rows = rows.annotate(stage=F("state"), flag=Value("", output_field=CharField()))
    return _as_keys(rows, search)


def _as_keys(rows: QuerySet[Any], search: Search) -> QuerySet[Any, Any]:
    if search.state:
        rows = rows.filter(stage=search.state)
    named: QuerySet[Any, Any] = rows.annotate(
        key=F("school_id"),
        by_name=F("school__name"),
        by_code=F("school__code"),
        outcome=F("subject"),
        north=F("school__latitude"),
        east=F("school__longitude"),
    )
    named = named.values_list(*COLUMNS)
    return named.order_by("by_name", "by_code", "outcome")


def keys(found: QuerySet[Any, Any]) -> list[Key]:
    return [Key(*each) for each in found]


def spots(found: Sequence[Key], run: Run | None) -> list[Spot]:
    """The lines with their schools, figures and notes: three reads, however many lines."""
    here = Q(school__in={key.school for key in found}, subject__in={key.subject for key in found})
    known = directory.all_schools().select_related("area")
    schools = known.in_bulk({key.school for key in found})
    figures: dict[tuple[int, str], Estimate] = {}
    if run is not None:
        shown = Estimate.objects.filter(here, disclosure.shown_across(), run=run, year=None)
        figures = {(row.school_id, row.subject): row for row in shown}
    last = BrightSpotStep.objects.filter(bright_spot=OuterRef("pk")).order_by("-pk")
    noted = BrightSpot.objects.filter(here).annotate(since=Subquery(last.values("on")[:1]))
    kept = {(row.school_id, row.subject): row for row in noted}
    scales = queries.scales(run)
    return [
        Spot(
            schools[key.school],
            key.subject,
            run,
            scales.get(key.subject),
            figures.get((key.school, key.subject)),
            kept.get((key.school, key.subject)),
        )
        for key in found
    ]


def all_spots(found: QuerySet[Any, Any], run: Run | None) -> Iterator[Spot]:
    """The whole list for a file, read piece by piece."""
    for some in in_pieces(keys(found), AT_ONCE):
        yield from spots(some, run)


def in_pieces(each: Iterable[T], size: int) -> Iterator[list[T]]:
    """So many at a time, so that nothing holds all of them."""
    left = iter(each)
    while piece := list(islice(left, size)):
        yield piece


def spot(school: School, subject: str, run: Run | None) -> Spot | None:
    """One bright spot; None where neither the analysis nor people know of any."""
    key = Key(school.pk, school.name, school.code, subject, None, None, "", "")
    found = spots([key], run)[0]
    return found if found.kept or found.label else None


def spots_open_at(school: School, acting: Appointment | None, run: Run | None) -> set[str]:
    """Outcomes at which a school is on the list, for links from its page; of those who may open."""
    noted = BrightSpot.objects.filter(school=school).values_list("subject", flat=True)
    now = flagged(run).filter(school=school).values_list("subject", flat=True)
    found = set(noted.union(now)) if run is not None else set(noted)
    if not found or not schools_open_to(acting).filter(pk=school.pk).exists():
        return set()
    return found


def steps_of(kept: BrightSpot | None) -> list[BrightSpotStep]:
    """What happened, in the order in which it was written down."""
    return list(kept.steps.all()) if kept else []


def steps_at(school: School) -> QuerySet[BrightSpotStep]:
    """What happened at a school, outcome by outcome; for its file."""
    found = BrightSpotStep.objects.filter(bright_spot__school=school)
    return found.select_related("bright_spot").order_by("bright_spot__subject", "pk")


def figure_to_test_against(steps: Sequence[BrightSpotStep]) -> dict[str, Any]:
    """The figure by which it was found, or that of the last re-test; empty where none was kept."""
    tests = [
        step.figure for step in steps if not step.from_state or step.to_state == State.RE_TESTED
    ]
    return next((figure for figure in reversed(tests) if figure), {})


def subjects(acting: Appointment | None, run: Run | None) -> list[str]:
    """Outcomes to filter by: those of the analysis, then others that people noted."""
    known = list(queries.scales(run))
    noted = BrightSpot.objects.filter(_places(acting))
    names = noted.order_by("subject").values_list("subject", flat=True).distinct()
    return known + [name for name in names if name not in known]


def next_states(state: str, steps: Sequence[BrightSpotStep]) -> tuple[str, ...]:
    """Which steps may be taken from a state; back to where it was, if it was set aside."""
    if state != State.SET_ASIDE:
        return NEXT[state]
    aside = [step for step in steps if step.to_state == State.SET_ASIDE]
    return (aside[-1].from_state or State.CANDIDATE,) if aside else (State.CANDIDATE,)


def may_take(acting: Appointment | None, school: School, state: str) -> bool:
    """Whether the appointment may record this step at this school, which it sees.

    Ministry, analysts and the district's officer: every step. A system leader records visits to the
    schools of the partnership, but not to the own school: nobody visits themselves.
    """
    if acting is None or not schools_to_visit(acting).filter(pk=school.pk).exists():
        return False
    if may(acting, Capability.DECIDE_BRIGHT_SPOTS):
        return True
    leads = acting.role == Role.SYSTEM_LEADER and acting.school_id != school.pk
    return leads and state == State.VISITED


def strong_near(acting: Appointment | None, run: Run | None) -> dict[str, list[Neighbour]]:
    """For a system leader: schools around the partnership to learn from, by name and no figure."""
    if acting is None or acting.role != Role.SYSTEM_LEADER or acting.partnership is None:
        return {}
    centre = acting.partnership.lead_school or acting.school
    if centre is None or run is None:
        return {}
    near = queries.strong_nearby(centre, queries.subjects(run), limit=5, run=run)
    own = set(schools_to_visit(acting).values_list("pk", flat=True))
    outside = {
        name: [one for one in each if one.school.pk not in own] for name, each in near.items()
    }
    return {name: each for name, each in outside.items() if each}
