"""Readiness: what it asks for, what the system knows of it, and since when a place is ready.

What a partnership decided stays with it: of steps kept, people outside read only whether most are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from brightspots_web.connectedness import contact_definition_queries as isolation
from brightspots_web.devolution import note_queries as notes
from brightspots_web.devolution.models import Decision
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Partnership
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace import stage_queries as stages
from brightspots_web.pace.models import GateCheck, GateSettings
from brightspots_web.pace.stage_place_queries import Place
from brightspots_web.shared.permissions import Capability, may

State = GateCheck.State
YEAR = timedelta(days=365)
KEYS = ("leader", "meetings", "data", "kept", "isolation", "stages")


def settings_now() -> GateSettings:
    """What readiness asks for; assumed until the ministry has set it."""
    return GateSettings.objects.order_by("pk").first() or GateSettings()


def may_set(acting: Appointment | None) -> bool:
    return may(acting, Capability.PLAN_PACE)


@dataclass(frozen=True)
class Condition:
    """One thing that readiness asks for, with what is known of it on a day."""

    key: str
    met: bool
    n: int
    of: int
    """How many there are, or how many are asked for."""
    kind: str = places.PARTNERSHIP

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(found: Iterable[Mapping[str, Any]]) -> list[Condition]:
    return [Condition(**each) for each in found]


def conditions(place: Place, on: date | None = None) -> list[Condition]:
    """What the system knows of each condition today."""
    asked, today = settings_now(), on or directory.today()
    row = place.row
    if isinstance(row, Partnership):
        return _of_partnership(row, asked, today)
    return _of_area(row, asked, today)


def missing(found: Iterable[Condition]) -> list[Condition]:
    return [each for each in found if not each.met]


@dataclass(frozen=True)
class _Known:
    """What is known of one partnership."""

    leader: bool
    meetings: int
    schools: int
    contributing: int
    due: int
    done: int

    def enough(self, asked: GateSettings) -> dict[str, bool]:
        return {
            "leader": self.leader,
            "meetings": self.meetings >= asked.meetings,
            "data": _share(self.contributing, self.schools, asked.schools_share),
            "kept": _share(self.done, self.due, asked.kept_share),
        }


def _known(rows: QuerySet[Partnership], today: date) -> dict[int, _Known]:
    """What is known of each partnership; five statements, however many there are."""
    since = today - YEAR
    due = Q(
        decisions__actions__due__gt=since, decisions__actions__due__lte=today
    ) & ~Q(decisions__state=Decision.State.DROPPED)  # fmt: skip
    steps = rows.order_by().annotate(
        due=Count("decisions__actions", filter=due),
        done=Count("decisions__actions", filter=due & Q(decisions__actions__done_on__isnull=False)),
    )
    steps_of = {pk: (n, done) for pk, n, done in steps.values_list("pk", "due", "done")}
    keys = list(steps_of)
    led = set(directory.live_leaders().filter(partnership__in=keys).values_list(
        "partnership", flat=True
    ))  # fmt: skip
    members = _counted(
        directory.live_memberships(today).filter(partnership__in=keys), "partnership", "school"
    )
    met = _counted(
        directory.all_schools().filter(
            contacts__kind="meeting",
            contacts__partnership__in=keys,
            contacts__on__gt=since,
            contacts__on__lte=today,
        ),
        "contacts__partnership",
        "contacts__on",
    )
    noted = _counted(
        notes.all_notes().filter(shared_with__in=keys, on__gt=since, on__lte=today),
        "shared_with",
        "school",
    )
    return {
        pk: _Known(
            pk in led, met.get(pk, 0), members.get(pk, 0), noted.get(pk, 0), *steps_of[pk]
        )
        for pk in keys
    }  # fmt: skip


def _counted(rows: QuerySet[Any], by: str, what: str) -> dict[int, int]:
    """How many different ones there are for each key."""
    found = rows.order_by().values(by).annotate(different=Count(what, distinct=True))
    return {each[by]: each["different"] for each in found}


def _of_partnership(row: Partnership, asked: GateSettings, today: date) -> list[Condition]:
    known = _known(directory.live_partnerships(today).filter(pk=row.pk), today).get(
        row.pk, _Known(False, 0, 0, 0, 0, 0)
    )
    met = known.enough(asked)
    inside = directory.memberships_of(row).values("school")
    alone = (
        directory.open_schools(today)
        .filter(pk__in=inside)
        .filter(isolation.isolated(isolation.rules(today)))
        .count()
    )
    agreed = stages.agreed_lately(Place(row), today)
    return [
        Condition("leader", met["leader"], int(known.leader), 1),
        Condition("meetings", met["meetings"], known.meetings, asked.meetings),
        Condition("data", met["data"], known.contributing, known.schools),
        Condition("kept", met["kept"], known.done, known.due),
        Condition("isolation", alone == 0, alone, known.schools),
        Condition("stages", agreed, int(agreed), 1),
    ]


def _of_area(row: Area, asked: GateSettings, today: date) -> list[Condition]:
    """As of a partnership, counted over the partnerships whose leader's school lies there."""
    inside = _known(partnerships_inside(row, today), today)
    known = [each.enough(asked) for each in inside.values()]
    n = len(known)
    found = []
    for key in KEYS[:4]:
        yes = sum(each[key] for each in known)
        share = 100 if key == "leader" else asked.schools_share
        found.append(Condition(key, _share(yes, n, share), yes, n, places.AREA))
    by = isolation.rules(today)
    schools = directory.open_schools(today).filter(directory.within(row))
    alone = schools.filter(isolation.isolated(by)).count()
    agreed = stages.agreed_lately(Place(row), today)
    return [
        *found,
        Condition("isolation", alone == 0, alone, schools.count(), places.AREA),
        Condition("stages", agreed, int(agreed), 1, places.AREA),
    ]


def partnerships_inside(row: Area, on: date | None = None) -> QuerySet[Partnership]:
    """Partnerships that hold on a day and whose leader's school lies in an area."""
    found = directory.live_partnerships(on)
    return found.filter(lead_school__area__path__startswith=row.path).order_by("name", "code")


def _share(n: int, of: int, percent: int) -> bool:
    return of > 0 and 100 * n >= percent * of


# Checks


def checks_read_by(acting: Appointment | None) -> QuerySet[GateCheck]:
    rows = GateCheck.objects.filter(places.in_sight(acting))
    return rows.select_related("area", "partnership__lead_school__area")


def checks_of(place: Place) -> QuerySet[GateCheck]:
    """The newest first."""
    rows = GateCheck.objects.filter(**place.fields)
    return rows.select_related("area", "partnership__lead_school__area")


def open_check(place: Place) -> GateCheck | None:
    return checks_of(place).filter(state=State.ASKED).first()


def last_answer(place: Place) -> GateCheck | None:
    return checks_of(place).exclude(state=State.ASKED).first()


def ready_since(place: Place) -> date | None:
    """Since when a place is found ready; None where the last answer was "not yet", or none is."""
    return since_when(checks_of(place).exclude(state=State.ASKED).order_by("pk"))


def since_when(answers: Iterable[GateCheck], until: date | None = None) -> date | None:
    """From the answers of one place in their order: the first "ready" after the last "not yet"."""
    since: date | None = None
    for each in answers:
        if until is not None and each.answered_on is not None and each.answered_on > until:
            break
        if each.state == State.NOT_YET:
            since = None
        elif since is None:
            since = each.answered_on
    return since


def asked_of(acting: Appointment | None) -> list[GateCheck]:
    """Questions that wait for this person's answer, the oldest first."""
    if not may(acting, Capability.HAND_OVER):
        return []
    rows = checks_read_by(acting).filter(state=State.ASKED).order_by("pk")
    return [each for each in rows[:50] if places.hands_to(acting, places.of(each))]


def unanswered(before: date) -> Sequence[GateCheck]:
    """Questions older than a day that nobody was reminded of."""
    rows = GateCheck.objects.filter(
        places.open_ones(), state=State.ASKED, reminded_at=None, asked_at__date__lte=before
    )
    return list(rows.select_related("area", "partnership__lead_school__area"))
