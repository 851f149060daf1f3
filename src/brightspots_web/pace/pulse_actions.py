"""Setting the pulse: whether it is asked, by which areas it is shown, and its terms."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.directory import office_queries as offices
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Cycle
from brightspots_web.pace.models import PulseSettings, PulseTerm
from brightspots_web.shared import audit
from brightspots_web.shared import settings_actions as settings
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

MOST_TERMS = 4
SHORTEST, LONGEST = timedelta(days=3), timedelta(days=42)
"""So long two questions are open: time to answer, and not a whole term."""
BETWEEN = timedelta(days=28)
"""So long at least from the end of one to the next: the same people answer both."""
ASIDE = timedelta(days=31)
"""So far outside its cycle a term may open."""
Days = tuple[date, date]
"""The first day, and the last on which an answer is taken."""


@transaction.atomic
def set_settings(
    *, on: bool, level: int, by: Appointment, seen: int | None
) -> PulseSettings:  # fmt: skip
    """Switch the pulse on or off, and choose by which areas it is shown.

    What is open runs to its end as it began.
    """
    if not may(by, Capability.SET_ACCOUNTABILITY):
        raise PermissionDenied
    found = settings.held(PulseSettings, seen=seen)
    top = offices.top_area()
    if top is None or not offices.areas_inside(top, level).exists():
        raise ValidationError({"level": _("There are no areas so far down. Choose another.")})
    settings.set_in(found, {"on": on, "level": level}, event="pace.set_pulse", by=by)
    return found


@transaction.atomic
def set_terms(cycle: Cycle, days: Sequence[Days], *, by: Appointment, seen: str) -> list[PulseTerm]:
    """Set when a cycle's terms are asked. Those up to the last that was opened keep their days.

    Parameters
    ----------
    days
        In order; what is not named any more goes, unless it was opened.
    seen
        What was on the page: see `seen_of`.
    """
    if not may(by, Capability.SET_ACCOUNTABILITY):
        raise PermissionDenied
    # Rows first, then the audit trail: in this order the worker takes them as well.
    rows = PulseTerm.objects.select_for_update(no_key=True, of=("self",)).filter(cycle=cycle)
    locked = {each.pk for each in rows.order_by("pk")}
    audit.one_at_a_time()
    held = list(PulseTerm.objects.filter(cycle=cycle).order_by("number"))
    if {each.pk for each in held} != locked or (seen and seen != seen_of(held)):
        raise OvertakenError(
            _(
                "Somebody else set these days in the meantime. Yours are still here and were not "
                "saved: look at what holds now, then save again if yours still make sense."
            )
        )
    opened = held[: stays(held)]
    wanted = [*[(each.opens, each.closes - timedelta(days=1)) for each in opened]]
    wanted += list(days)[len(opened) :]
    _check(cycle, wanted, len(opened))
    for each in held[len(wanted) :]:
        each.delete()
    saved = opened
    for number, (opens, last) in enumerate(wanted[len(opened) :], start=len(opened) + 1):
        term = next((each for each in held if each.number == number), None)
        term = term or PulseTerm(cycle=cycle, number=number)
        term.opens, term.closes, term.why_not = opens, last + timedelta(days=1), ""
        term.version += 1
        term.save()
        saved.append(term)
    audit.record(
        "pace.set_pulse_terms", by=by, target=cycle,
        detail={"terms": [[opens.isoformat(), last.isoformat()] for opens, last in wanted]},
    )  # fmt: skip
    return saved


def stays(terms: Sequence[PulseTerm]) -> int:
    """How many terms of a cycle keep their days: those up to the last that was opened.

    One before it may not have been opened, as nobody was to be asked then: it stays in its place.
    """
    opened = [at for at, each in enumerate(terms, start=1) if each.consultation_id is not None]
    return max(opened, default=0)


def seen_of(terms: Sequence[PulseTerm]) -> str:
    """What tells one state of a cycle's terms from another."""
    return ",".join(f"{each.pk}.{each.version}" for each in terms) or "none"


def _check(cycle: Cycle, wanted: Sequence[Days], opened: int) -> None:
    if len(wanted) > MOST_TERMS:
        raise ValidationError(_("At most {n} terms a cycle.").format(n=MOST_TERMS))
    before: Days | None = None
    for number, (opens, last) in enumerate(wanted, start=1):
        if number > opened:
            _check_days(cycle, number, opens, last)
            if before is not None and opens <= before[1] + BETWEEN:
                raise ValidationError({f"opens{number}": _too_near()})
        before = (opens, last)
    if len(wanted) > opened:
        _check_others(cycle, wanted[opened:], opened)


def _check_days(cycle: Cycle, number: int, opens: date, last: date) -> None:
    if opens < directory.today():
        raise ValidationError({f"opens{number}": _("This day has passed: choose a later one.")})
    if not cycle.starts - ASIDE <= opens < cycle.ends + ASIDE:
        raise ValidationError(
            {
                f"opens{number}": _("This is not in the cycle, which is from {first} to {last}.")
                .format(first=day(cycle.starts), last=day(cycle.ends - timedelta(days=1)))
            }
        )  # fmt: skip
    if not SHORTEST <= last - opens + timedelta(days=1) <= LONGEST:
        raise ValidationError(
            {
                f"last{number}": _("Give people {least} to {most} days to answer.").format(
                    least=SHORTEST.days, most=LONGEST.days
                )
            }
        )


def _check_others(cycle: Cycle, wanted: Sequence[Days], opened: int) -> None:
    """No two pulses at once, nor shortly after each other."""
    others = PulseTerm.objects.exclude(cycle=cycle)
    for number, (opens, last) in enumerate(wanted, start=opened + 1):
        if others.filter(opens__lte=last + BETWEEN, closes__gt=opens - BETWEEN).exists():
            raise ValidationError(
                {
                    f"opens{number}": _(
                        "A term of another cycle is asked then, or less than {n} days away."
                    ).format(n=BETWEEN.days)
                }
            )


def _too_near() -> str:
    return _("Leave {n} days at least after the last day of the term above.").format(n=BETWEEN.days)
