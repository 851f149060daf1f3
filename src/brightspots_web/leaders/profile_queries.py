"""All reads of a leader's page: what stands open to colleagues, and what is the leader's alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.directory import colleague_queries as colleagues
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import designation_queries as designation
from brightspots_web.leaders import development_learning_queries as learning
from brightspots_web.leaders import development_queries as development
from brightspots_web.leaders.models import Attendance, Designation
from brightspots_web.shared.permissions import Role


@dataclass(frozen=True)
class Leader:
    """Who leads or supports other schools: the facts that everybody may know."""

    person: Person
    designation: Designation | None
    appointments: Sequence[Appointment]
    """The live roles by which the person leads or serves a school."""
    learning: Sequence[Attendance]
    """What was attended, as confirmed by who offered it."""


def leader_visible_to(acting: Appointment | None, pk: int) -> Leader | None:
    """The open facts of a leader; None for somebody who is none, or for a reader without a role."""
    if acting is None:
        return None
    held = [
        each
        for each in colleagues.appointments_of(pk)
        if each.role in {Role.SYSTEM_LEADER, Role.HEAD, Role.TEACHER}
    ]
    found = designation.live_designations().filter(person=pk).first()
    leads = any(each.role == Role.SYSTEM_LEADER for each in held)
    if found is None and not leads:
        return None
    person = found.person if found is not None else held[0].person
    if not person.is_active:
        return None
    return Leader(person, found, held, learning.attended(person))


def may_have_page(acting: Appointment | None) -> bool:
    """Whether somebody has an own page: who leads or may come to lead, and officers."""
    return development.may_learn(acting)


@dataclass(frozen=True)
class Load:
    """Days for other schools in this year, and schools at a time."""

    limit: Decimal
    agreed: Decimal
    used: Decimal
    schools: int
    cap: int
    year: int


def load_of(person: Person) -> Load:
    """What a leader agreed to give, what was used, and the caseload against its cap.

    What the designation says goes before what holds for everybody.
    """
    mine = ledger.ledger_of(person.pk)
    held = designation.live_designation(person)
    limit = Decimal(held.days) if held is not None and held.days else mine.limit
    cap = held.caseload if held is not None and held.caseload else mine.cap
    return Load(limit, mine.agreed, mine.used, mine.schools, cap, directory.today().year)


# Track record


TrackRecord = Callable[[Person, Priority], str | None]
"""From a leader and a priority to what is known of it in words; None where nothing is yet."""

_SOURCES: list[TrackRecord] = []


def register_track_record(source: TrackRecord) -> TrackRecord:
    """Let a higher layer say what the evidence is; there is one such source at most."""
    _SOURCES[:] = [source]
    return source


PageOf = Callable[[Person], str]
"""From a leader to the address of the whole record."""

_PAGES: list[PageOf] = []


def register_track_record_page(page: PageOf) -> PageOf:
    """Let a higher layer say where a leader sees each of their projects."""
    _PAGES[:] = [page]
    return page


def track_record_page(person: Person) -> str:
    return _PAGES[0](person) if _PAGES else ""


def track_record_of(person: Person, priority: Priority) -> str | None:
    """What the evidence says of the schools a leader supported at a priority; None: no record yet.

    Nothing is guessed: until effects are estimated with a comparison there is no record.
    """
    return _SOURCES[0](person, priority) if _SOURCES else None
