"""All writes about priorities."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from brightspots_web.alignment import queries
from brightspots_web.alignment.models import FEWEST, MOST, Priority, PriorityProposal
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may


@dataclass(frozen=True)
class Wanted:
    """A priority as the ministry wants it; with the code of a live one it goes on.

    Aim and drivers come with a proposal that is adopted; without one they stay as they are.
    """

    title: str
    why: str = ""
    subject: str = ""
    code: str = ""
    proposal: PriorityProposal | None = None
    how_good: str = ""
    for_whom: str = ""
    by_when: date | None = None
    drivers: str = ""


@transaction.atomic
def set_priorities(
    wanted: Sequence[Wanted], *, by: Appointment, seen: str = ""
) -> list[Priority]:  # fmt: skip
    """Make these the live priorities from today: two or three, never one, never four.

    A live priority that is not among them ends today. Its requests, practices and figures stay.
    Pressed twice, they are set once.

    Parameters
    ----------
    seen
        :func:`queries.mark_of` of the priorities that were on the page; "" to take them as they
        are.

    Raises
    ------
    OvertakenError
        Others are live by now than those that were on the page.
    ValidationError
        Too few or too many, two with the same title, or one that somebody else has just ended.
    """
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    _check(wanted)
    audit.one_at_a_time()
    today = directory.today()
    present = queries.live_priorities()
    if _words(present) == _same(wanted, present):
        return present
    if seen and seen != queries.mark_of(present):
        raise OvertakenError(
            _(
                "Somebody else changed the priorities in the meantime: they stand above as they "
                "are now. What you wrote is still here and was not saved; saving it again sets "
                "yours in their place."
            )
        )
    live = {each.code: each for each in present}
    unknown = [each for each in wanted if each.code and each.code not in live]
    if unknown:
        raise ValidationError(
            _("“{title}” is no longer a live priority: the priorities were changed meanwhile.")
            .format(title=unknown[0].title)
        )  # fmt: skip
    kept = {each.code for each in wanted if each.code}
    for code, priority in live.items():
        if code not in kept:
            priority.ends = today
            priority.save(update_fields=["ends"])
    result = []
    for each in wanted:
        priority = live[each.code] if each.code else Priority(code=_code(each.title), starts=today)
        _write(priority, each, by)
        result.append(priority)
    check_number(len(queries.live_priorities()))  # whatever else was written, this holds
    titles = [each.title for each in result]
    audit.record("alignment.set_priorities", by=by, detail={"priorities": titles})
    return result


def _write(priority: Priority, wanted: Wanted, by: Appointment) -> None:
    priority.title, priority.why, priority.subject = wanted.title, wanted.why, wanted.subject
    if wanted.proposal is not None:
        priority.proposal = wanted.proposal
        priority.how_good, priority.for_whom = wanted.how_good, wanted.for_whom
        priority.by_when, priority.drivers = wanted.by_when, wanted.drivers
    if priority.pk is not None:
        priority.version += 1
    priority.set_by = by.label[:300]
    priority.full_clean()
    priority.save()


def _words(priorities: Iterable[Priority]) -> list[tuple[str, str, str, int]]:
    return sorted(
        (each.title, each.why, each.subject, each.proposal_id or 0) for each in priorities
    )


def _same(wanted: Sequence[Wanted], present: Sequence[Priority]) -> list[tuple[str, str, str, int]]:
    """The words of what is wanted; one set without a proposal keeps the one it has."""
    had = {each.code: each.proposal_id or 0 for each in present}
    by_title = {each.title: each.proposal_id or 0 for each in present}
    return sorted(
        (
            each.title, each.why, each.subject,
            each.proposal.pk if each.proposal else had.get(each.code, by_title.get(each.title, 0)),
        )
        for each in wanted
    )  # fmt: skip


def check_number(number: int) -> None:
    """Refuse another number of priorities than two or three, and say why."""
    if number == 0:
        raise ValidationError(_("Name two or three priorities."))
    if number < FEWEST:
        raise ValidationError(
            _(
                "A single priority leaves too much out. Name two or three: with one, whatever else "
                "pupils need waits for years."
            )
        )
    if number > MOST:
        raise ValidationError(
            _(
                "More than three priorities are none. Name two or three: a fourth takes the time "
                "and the attention that the other three need, in every school at once."
            )
        )


def _check(wanted: Sequence[Wanted]) -> None:
    check_number(len(wanted))
    titles = [each.title.strip().casefold() for each in wanted]
    if not all(titles):
        raise ValidationError(_("A priority needs a title."))
    if len(set(titles)) < len(titles):
        raise ValidationError(_("Two priorities have the same title."))


def _code(title: str) -> str:
    """A short name for addresses and files, not yet taken by any priority that ever was."""
    base = slugify(title)[:50] or "priority"
    taken = set(Priority.objects.filter(code__startswith=base).values_list("code", flat=True))
    code, number = base, 2
    while code in taken:
        code, number = f"{base}-{number}", number + 1
    return code
