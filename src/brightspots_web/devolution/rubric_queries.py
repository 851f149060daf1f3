"""All reads of forms for observations, and the counts of what was observed with them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.devolution.models import DataNote, Rubric
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.permissions import Capability, may

KINDS = ("yes_no", "scale", "count")
MOST_ITEMS = 8
MOST_COUNTED = 999
LEVELS = range(2, 11)
GRACE = timedelta(days=1)
"""So long a form that was changed still takes what was being written on it."""


def rubrics_visible_to(acting: Appointment | None) -> QuerySet[Rubric]:
    """The system's forms, and those of the own partnership; for the ministry the system's."""
    rubrics = Rubric.objects.select_related("priority", "partnership", "replaces")
    if may(acting, Capability.SET_PRIORITIES):
        return rubrics.filter(partnership=None)
    if not may(acting, Capability.WRITE_NOTES):
        return rubrics.none()
    ours = directory.partnerships_visible_to(acting).values("pk")
    return rubrics.filter(Q(partnership=None) | Q(partnership__in=ours))


def rubrics_in_use(acting: Appointment | None) -> QuerySet[Rubric]:
    return rubrics_visible_to(acting).filter(retired_at=None)


def may_make(acting: Appointment | None) -> bool:
    """The ministry for the system, a leader for the partnership led."""
    if may(acting, Capability.SET_PRIORITIES):
        return True
    return (
        may(acting, Capability.LEAD_CONVERSATIONS)
        and acting is not None
        and acting.partnership is not None
        and directory.live_partnerships().filter(pk=acting.partnership.pk).exists()
    )


def may_change(acting: Appointment | None, rubric: Rubric) -> bool:
    if not may_make(acting) or acting is None:
        return False
    return rubric.partnership_id == acting.partnership_id


def may_observe_with(acting: Appointment, rubric: Rubric, note: DataNote | None = None) -> bool:
    """A form in use; one changed a moment ago, too; and for a note the one it was made with."""
    if note is not None and note.rubric_id == rubric.pk:
        return True
    if not rubrics_visible_to(acting).filter(pk=rubric.pk).exists():
        return False
    return rubric.retired_at is None or rubric.retired_at > timezone.now() - GRACE


def problems_of(rubric: Rubric, observed: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the answers, by the field of each item; every item may be left out."""
    problems = {}
    for item in rubric.items:
        value = observed.get(item["code"])
        if value is None or fits(item, value):
            continue
        most = item["most"] if item["kind"] == "scale" else MOST_COUNTED
        least = 1 if item["kind"] == "scale" else 0
        problems[field_of(item)] = _("Give a whole number from {least} to {most}.").format(
            least=least, most=most
        )
    known = {item["code"] for item in rubric.items}
    if not any(observed.get(code) is not None for code in known):
        problems.setdefault("words", _("Answer at least one of the questions."))
    return problems


def fits(item: Mapping[str, Any], value: Any) -> bool:
    if item["kind"] == "yes_no":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return 1 <= value <= item["most"] if item["kind"] == "scale" else 0 <= value <= MOST_COUNTED


def field_of(item: Mapping[str, Any]) -> str:
    return f"item_{item['code']}"


def observations_with(rubric: Rubric, notes: QuerySet[DataNote]) -> QuerySet[DataNote]:
    """Those of the notes that were made with this form."""
    return notes.filter(rubric=rubric)


def follower_of(rubric: Rubric) -> Rubric | None:
    """The form that took a changed one's place."""
    return Rubric.objects.filter(replaces=rubric).first()


def newest_of(rubric: Rubric) -> Rubric:
    """What a form has become by now; the form itself where it was not changed."""
    newest = rubric
    while (follower := follower_of(newest)) is not None:
        newest = follower
    return newest


@dataclass(frozen=True)
class Item:
    """What was observed of one question: how often each answer, of how many."""

    question: str
    kind: str
    n: int
    answers: tuple[tuple[Any, int], ...]
    """Answer and how often: all levels of a scale, no and yes, or the counts that came up."""

    @property
    def total(self) -> int:
        """What was counted, all together."""
        return sum(answer * times for answer, times in self.answers)


def counted(rubric: Rubric, notes: Iterable[DataNote]) -> list[Item]:
    """Each question of a form with what these notes answered, in the form's order."""
    answers = [note.observed for note in notes]
    found = []
    for item in rubric.items:
        values = [each[item["code"]] for each in answers if each.get(item["code"]) is not None]
        times = Counter(values)
        listed: list[tuple[Any, int]]
        if item["kind"] == "yes_no":
            listed = [(False, times[False]), (True, times[True])]
        elif item["kind"] == "scale":
            listed = [(level, times[level]) for level in range(1, item["most"] + 1)]
        else:
            listed = sorted(times.items())
        found.append(Item(item["question"], item["kind"], len(values), tuple(listed)))
    return found
