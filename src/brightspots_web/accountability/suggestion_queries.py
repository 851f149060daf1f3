"""All reads of suggestions: who sees, moderates and answers them, what somebody may still send."""

from datetime import date

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Suggestion, SuggestionSettings, SuggestionUse
from brightspots_web.accountability.response_queries import (
    AGAIN,
    LATEST,
    PATIENCE,
    READ,
    YEAR,
    Withheld,
    withheld_by,
)
from brightspots_web.accountability.response_rules import Places, may_moderate_box, places_of
from brightspots_web.directory import office_queries as offices
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.shared.permissions import Capability, Role, may

State = Suggestion.State
MOST_A_MONTH = 3
Boxes = QuerySet[SuggestionSettings]


def boxes_in_sight(by: Appointment | None) -> Boxes:
    """The boxes of the areas somebody stands in or over; the ministry sees all."""
    found = SuggestionSettings.objects.select_related("area", "stakeholder", "moderator")
    if by is None:
        return found.none()
    named = Q(stakeholder=by.person_id) | Q(moderator=by.person_id)
    return found.filter(voice.in_sight(by) | named).order_by("area__level", "area__name")


def box_with(by: Appointment | None, pk: int) -> SuggestionSettings | None:
    return boxes_in_sight(by).filter(pk=pk).first()


def boxes_to_fill(by: Appointment | None) -> Boxes:
    """The boxes into which somebody may put a suggestion: of the areas their school lies in."""
    found = boxes_in_sight(by)
    if by is None or by.school is None or not may(by, Capability.SPEAK_UP):
        return found.none()
    return found.filter(area__path__in=directory.paths_to(by.school.area))


def visible_to(by: Appointment | None) -> QuerySet[Suggestion]:
    """Suggestions as everybody of the area reads them, the newest first."""
    shown = Suggestion.objects.filter(state__in=[State.SHOWN, State.ANSWERED])
    return shown.filter(box__in=boxes_in_sight(by)).select_related("box", "box__area")


def month() -> date:
    return directory.today().replace(day=1)


def used(by: Appointment) -> int:
    """How many somebody has put in this month. Only ever asked for oneself."""
    row = SuggestionUse.objects.filter(person=by.person_id, month=month()).first()
    return row.used if row is not None else 0


# Who sets, moderates, answers


def areas_to_set(by: Appointment | None) -> list[Area]:
    return voice.areas_to_ask(by)


def moderates(
    by: Appointment | None, box: SuggestionSettings, places: Places | None = None
) -> bool:
    mine = by is not None and by.person_id == box.moderator_id
    return mine and may_moderate_box(by, box, places)


def looks_again(
    by: Appointment | None, box: SuggestionSettings, places: Places | None = None
) -> bool:
    """Whether somebody else than the moderator reads something: see :func:`read_again`."""
    if by is None or by.person_id == box.moderator_id:
        return False
    return may_moderate_box(by, box, places) and read_again(by, box).exists()


def read_again(by: Appointment, box: SuggestionSettings) -> QuerySet[Suggestion]:
    """What somebody outside the line reads and decides beside the moderator.

    By the same rules as the comments of a consultation; what is answered stays as it was.
    """
    rows = of_box(box)
    seen = Q(pk__in=[])
    if box.look_again is not None:
        seen |= READ & Q(released_on__lte=box.look_again)
    if by.role == Role.ANALYST or rows.filter(challenged=True).exists() or days_much_withheld(box):
        seen |= AGAIN
    if waits_too_long(box):
        seen |= Q(state=State.UNREAD)
    return rows.filter(seen).exclude(state=State.ANSWERED)


def days_much_withheld(box: SuggestionSettings) -> set[date]:
    """The days of which more than one in three of what was released together is withheld.

    Each release for itself: what was fair for years does not cover what is hidden today.
    """
    found = withheld_by(of_box(box), "released_on")
    return {day for (day,), counts in found.items() if counts.many}


def waits_too_long(box: SuggestionSettings) -> bool:
    """Whether suggestions wait for a moderator who left, or who has let them wait two weeks."""
    waiting = of_box(box).filter(state=State.UNREAD)
    late = waiting.filter(released_on__lt=directory.today() - PATIENCE)
    return late.exists() or (waiting.exists() and not _is_moderated(box))


def _is_moderated(box: SuggestionSettings) -> bool:
    person = box.moderator
    held = list(directory.live_appointments(person)) if person is not None else []
    places = places_of(held)
    return any(may_moderate_box(each, box, places) for each in held)


def may_ask_again(by: Appointment | None, box: SuggestionSettings) -> bool:
    """Whether somebody may ask for a second look: who may put something in, once a release."""
    if not boxes_to_fill(by).filter(pk=box.pk).exists():
        return False
    read = of_box(box).filter(READ).exclude(state=State.ANSWERED)
    if box.look_again is not None:
        read = read.filter(released_on__gt=box.look_again)
    return read.exists()


def with_words_waiting() -> list[tuple[SuggestionSettings, date]]:
    """Boxes with suggestions that nobody has read, and the day of the oldest; for the worker."""
    oldest = Min("released__released_on", filter=Q(released__state=State.UNREAD))
    rows = SuggestionSettings.objects.select_related("area", "moderator").order_by("pk")
    return [(each, each.oldest) for each in rows.annotate(oldest=oldest) if each.oldest]


def with_answers_overdue() -> list[tuple[SuggestionSettings, int, date]]:
    """Boxes with answers overdue: how many, and since when the oldest; for the worker."""
    late = Q(released__state=State.SHOWN, released__answer_due__lt=directory.today())
    rows = SuggestionSettings.objects.select_related("area", "stakeholder").order_by("pk")
    counted = rows.annotate(
        late=Count("released", filter=late), since=Min("released__answer_due", filter=late)
    )
    return [(each, each.late, each.since) for each in counted if each.late]


def owed_by(person: int) -> list[tuple[SuggestionSettings, int, date]]:
    """Boxes in which somebody owes answers: how many, and by when the first."""
    owed = Q(released__state=State.SHOWN)
    rows = SuggestionSettings.objects.filter(stakeholder=person).select_related("area")
    counted = rows.annotate(
        owed=Count("released", filter=owed), first=Min("released__answer_due", filter=owed)
    )
    return [(each, each.owed, each.first) for each in counted.filter(owed__gt=0).order_by("first")]


def unread_for(by: Appointment) -> list[SuggestionSettings]:
    """Boxes of a moderator in which suggestions wait to be read."""
    waiting = Suggestion.objects.filter(box=OuterRef("pk"), state=State.UNREAD)
    rows = SuggestionSettings.objects.filter(Exists(waiting), moderator=by.person_id)
    places = places_of([by])
    return [
        each for each in rows.select_related("area").order_by("pk") if moderates(by, each, places)
    ]


def answers(by: Appointment | None, box: SuggestionSettings) -> bool:
    """Whether somebody owes the answers; where they left, whoever may set the box."""
    if by is None or not may(by, Capability.CONSULT):
        return False
    if by.person_id == box.stakeholder_id:
        return True
    gone = box.stakeholder is None or box.stakeholder not in voice.seniors(box.area)
    return gone and box.area in areas_to_set(by)


def moderated_with(by: Appointment | None, pk: int) -> SuggestionSettings | None:
    """A box in which somebody moderates or looks again."""
    box = SuggestionSettings.objects.select_related("area", "moderator").filter(pk=pk).first()
    return box if box is not None and (moderates(by, box) or looks_again(by, box)) else None


def boxes_to_moderate(by: Appointment | None) -> list[SuggestionSettings]:
    """Boxes in which something waits for somebody to read."""
    if by is None or not may(by, Capability.MODERATE_VOICE):
        return []
    unread = Count("released", filter=Q(released__state=State.UNREAD))
    held_back = Count("released", filter=Q(released__state=State.WITHHELD))
    rows = SuggestionSettings.objects.select_related("area", "moderator").order_by("area__name")
    counted = rows.annotate(unread=unread, held_back=held_back)
    places = places_of([by])
    return [
        each for each in counted if moderates(by, each, places) or looks_again(by, each, places)
    ]


def withheld_in_sight(by: Appointment | None) -> list[tuple[SuggestionSettings, Withheld]]:
    """What moderators withheld of boxes, for the ministry and for moderators of others."""
    if by is None or not (may(by, Capability.MODERATE_VOICE) or by.role == Role.MINISTER):
        return []
    some = Suggestion.objects.filter(box=OuterRef("pk"), state=State.WITHHELD)
    found = SuggestionSettings.objects.filter(Exists(some)).select_related("area")
    rows = list(found.order_by("area__level", "area__name")[:LATEST])
    if by.role not in {Role.MINISTER, Role.ANALYST}:
        places = places_of([by])
        rows = [each for each in rows if may_moderate_box(by, each, places)]
    counts = withheld_by(Suggestion.objects.filter(box__in=rows), "box")
    return [(each, counts[each.pk,]) for each in rows]


def flagged() -> list[SuggestionSettings]:
    """Boxes of which much is withheld, in a year, that nobody has looked at again."""
    some = Suggestion.objects.filter(
        box=OuterRef("pk"), state=State.WITHHELD, challenged=False,
        released_on__gte=directory.today() - YEAR,
    )  # fmt: skip
    rows = SuggestionSettings.objects.filter(Exists(some)).select_related("area").order_by("pk")
    return [each for each in rows[:LATEST] if days_much_withheld(each)]


def others_outside(box: SuggestionSettings) -> list[Person]:
    """Who looks again where much is withheld: the ministry's analysts, else whoever may."""
    held = voice.who_moderate()
    places = places_of(held)
    able = [
        each
        for each in held
        if each.person_id != box.moderator_id and may_moderate_box(each, box, places)
    ]
    analysts = [each.person for each in able if each.role == Role.ANALYST]
    return analysts or [each.person for each in able]


def box_of(area: Area) -> SuggestionSettings | None:
    return SuggestionSettings.objects.filter(area=area).first()


def people_of(box: SuggestionSettings) -> QuerySet[Person]:
    """Everybody who may put something into a box: nobody hears of an answer apart."""
    roles = [Role.TEACHER, Role.HEAD, Role.SYSTEM_LEADER]
    held = offices.in_office(
        role__in=roles, person=OuterRef("pk"), school__area__path__startswith=box.area.path
    )
    return offices.people(Exists(held)).order_by("pk")


def of_box(box: SuggestionSettings) -> QuerySet[Suggestion]:
    """All that was released of a box, in the order drawn by lot."""
    return Suggestion.objects.filter(box=box).order_by("-released_on", "pk")


def to_read(by: Appointment | None, box: SuggestionSettings) -> QuerySet[Suggestion]:
    rows = of_box(box)
    if moderates(by, box):
        return rows.exclude(state=State.ANSWERED)
    return read_again(by, box) if by is not None and looks_again(by, box) else rows.none()


def overdue(by: Appointment | None) -> QuerySet[Suggestion]:
    """Suggestions in sight whose answer is overdue, the longest owed first."""
    late = visible_to(by).filter(state=State.SHOWN, answer_due__lt=directory.today())
    return late.order_by("answer_due", "pk")
