"""Asking people to lead: by the evidence, by a colleague, by oneself; and saying "not now"."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.leaders import designation_queries as designations
from brightspots_web.leaders import finding_queries as queries
from brightspots_web.leaders.designation_actions import required
from brightspots_web.leaders.models import Nomination
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Kind = Nomination.Kind
LONGEST = 2000
LONGEST_WHY = 500
ASKED = "leaders.nominated"
NOT_NOW = "leaders.not_now"


@transaction.atomic
def invite(
    person: Person, school: School, priority: Priority | None, *, by: Appointment, words: str = ""
) -> Nomination:
    """Ask somebody whose school stands out: would you consider leading? Pressed twice, once.

    Raises
    ------
    ValidationError
        The person does not serve there, leads already, or said "not now" a short while ago.
    """
    if not queries.school_in_sight(by).filter(pk=school.pk).exists():
        raise PermissionDenied
    words = words.replace("\0", "").strip()
    if len(words) > LONGEST:
        raise ValidationError({"words": _("Keep it under {n} characters.").format(n=LONGEST)})
    return _nominate(person, school, Kind.EVIDENCE, words, priority=priority, by=by)


@transaction.atomic
def nominate(person: Person, *, words: str, by: Appointment) -> Nomination:
    """A colleague of the same partnership says that somebody should lead, and why."""
    found = next((each for each in queries.colleagues(by) if each.person_id == person.pk), None)
    if found is None or found.school is None:
        raise PermissionDenied
    words = required(words, "words", LONGEST)
    return _nominate(person, found.school, Kind.PEER, words, by=by)


@transaction.atomic
def put_forward(*, words: str, by: Appointment) -> Nomination:
    """Somebody would like to lead, and says so before applying."""
    if not may(by, Capability.APPLY_TO_LEAD) or by.school is None:
        raise PermissionDenied
    words = required(words, "words", LONGEST)
    return _nominate(by.person, by.school, Kind.SELF, words, by=by)


@transaction.atomic
def not_now(*, why: str, by: Appointment) -> int:
    """Somebody who was asked says no for now: nobody asks again for half a year."""
    why = why.replace("\0", "").strip()
    if len(why) > LONGEST_WHY:
        raise ValidationError({"why": _("Keep it under {n} characters.").format(n=LONGEST_WHY)})
    waiting = Nomination.objects.select_for_update(of=("self",), no_key=True).select_related(
        "school__area"
    )
    found = list(waiting.filter(person=by.person_id, declined_at=None))
    if not found:
        return 0
    for each in found:
        each.declined_at, each.declined_why = timezone.now(), why
        each.save()
        audit.record("leaders.not_now", by=by)
        asked = [each.by_person] if each.by_person and each.kind == Kind.EVIDENCE else []
        _tell([*asked, *designations.officers_over(each.school)], NOT_NOW, each, by=by)
    return len(found)


def _nominate(
    person: Person,
    school: School,
    kind: str,
    words: str,
    *,
    by: Appointment,
    priority: Priority | None = None,
) -> Nomination:
    hold_school(school)
    same = Nomination.objects.filter(
        person=person, appointment=str(by.pk), priority=priority, declined_at=None
    ).first()
    if same is not None:
        return same
    _check_may_be_asked(person, school, kind)
    found = Nomination.objects.create(
        person=person,
        school=school,
        kind=kind,
        priority=priority,
        words=words,
        by=by.label[:300],
        by_person=by.person,
        appointment=str(by.pk),
        at=timezone.now(),
    )
    audit.record("leaders.nominate", by=by)  # whom, is read by those whom it concerns
    others = designations.officers_over(school) if kind != Kind.EVIDENCE else []
    _tell([person, *others], ASKED, found, by=by)
    return found


def _check_may_be_asked(person: Person, school: School, kind: str) -> None:
    if school.pk not in leadership.schools_served([person.pk]).get(person.pk, set()):
        raise ValidationError(
            _("{person} holds no appointment at {school} today.").format(
                person=person, school=school
            )
        )
    held = designations.live_designation(person)
    if held is not None:
        raise ValidationError(_("{person} is designated already.").format(person=person))
    said = queries.declined_lately(person) if kind != Kind.SELF else None
    if said is not None and said.declined_at is not None:
        again = said.declined_at.date() + queries.ASK_AGAIN
        raise ValidationError(
            _("{person} said “not now”. Please ask again after {day}.").format(
                person=person, day=day(again)
            )
        )


def _tell(people: Iterable[Person], kind: str, found: Nomination, *, by: Appointment) -> None:
    data = {"nomination": found.pk, "school": found.school.name, "kind": found.kind}
    for person in people:
        if person.pk != by.person_id:
            mine = data | {"yours": person.pk == found.person_id}
            notices.notify([person], kind, mine, key=f"{kind}:{found.person_id}")
