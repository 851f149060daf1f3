"""All reads of suggestions: who sees, moderates and answers them, what somebody may still send."""

from datetime import date

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Suggestion, SuggestionSettings, SuggestionUse
from brightspots_web.accountability.response_queries import withheld
from brightspots_web.accountability.response_rules import may_moderate_box
from brightspots_web.directory import office_queries as offices
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.shared.permissions import Capability, Role, may

State = Suggestion.State
MOST_A_MONTH = 3
LOOKED_AGAIN = " (again)"
"""Ends the name of a second moderator, where the first had withheld."""
_SECOND = Q(moderated_by__endswith=LOOKED_AGAIN)
AGAIN = Q(state=State.WITHHELD) | _SECOND
"""What a second moderator reads."""
Boxes = QuerySet[SuggestionSettings]


def boxes_in_sight(by: Appointment | None) -> Boxes:
    """The boxes of the areas somebody stands in or over; the ministry sees all."""
    found = SuggestionSettings.objects.select_related("area", "stakeholder", "moderator")
    if by is None:
        return found.none()
    found = found.order_by("area__level", "area__name")
    if by.role in {Role.MINISTER, Role.ANALYST}:
        return found
    return found.filter(_in_sight(by) | Q(stakeholder=by.person_id) | Q(moderator=by.person_id))


def _in_sight(by: Appointment) -> Q:
    area = _place(by)
    if area is None:
        return Q(pk__in=[])
    seen = Q(area__path__in=directory.paths_to(area))
    if by.role == Role.DISTRICT_OFFICER:
        seen |= Q(area__path__startswith=area.path)
    return seen


def _place(by: Appointment) -> Area | None:
    if by.area is not None:
        return by.area
    return by.school.area if by.school is not None else None


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


def moderates(by: Appointment | None, box: SuggestionSettings) -> bool:
    return by is not None and by.person_id == box.moderator_id and may_moderate_box(by, box)


def looks_again(by: Appointment | None, box: SuggestionSettings) -> bool:
    """The ministry's analyst may always; where much is withheld, whoever is outside the line."""
    if by is None or by.person_id == box.moderator_id or not may_moderate_box(by, box):
        return False
    rows = of_box(box)
    if not rows.filter(AGAIN).exists():
        return False
    return by.role == Role.ANALYST or withheld(rows).many or rows.filter(_SECOND).exists()


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
    found = SuggestionSettings.objects.select_related("area", "stakeholder", "moderator")
    box = found.filter(pk=pk).first()
    return box if box is not None and (moderates(by, box) or looks_again(by, box)) else None


def boxes_to_moderate(by: Appointment | None) -> list[SuggestionSettings]:
    """Boxes in which something waits for somebody to read."""
    if by is None or not may(by, Capability.MODERATE_VOICE):
        return []
    unread = Count("released", filter=Q(released__state=State.UNREAD))
    held_back = Count("released", filter=Q(released__state=State.WITHHELD))
    rows = SuggestionSettings.objects.select_related("area").order_by("area__name")
    counted = rows.annotate(unread=unread, held_back=held_back)
    return [each for each in counted if moderates(by, each) or looks_again(by, each)]


def others_outside(box: SuggestionSettings) -> list[Person]:
    """Who looks again where much is withheld: the ministry's analysts, else whoever may."""
    able = [
        each
        for each in voice.who_moderate()
        if each.person_id != box.moderator_id and may_moderate_box(each, box)
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
    return rows.filter(AGAIN) if looks_again(by, box) else rows.none()


def overdue(by: Appointment | None) -> QuerySet[Suggestion]:
    """Suggestions in sight whose answer is overdue, the longest owed first."""
    late = visible_to(by).filter(state=State.SHOWN, answer_due__lt=directory.today())
    return late.order_by("answer_due", "pk")
