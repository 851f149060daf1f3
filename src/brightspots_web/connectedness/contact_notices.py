"""The words of notices about isolation."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness import contact_actions as actions
from brightspots_web.connectedness import contact_queries as queries
from brightspots_web.connectedness import contact_words as words
from brightspots_web.connectedness.models import IsolationStep
from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

NAMED = 3


@kinds.register_many(actions.STEP_GIVEN)
def steps_given(given: Sequence[Mapping[str, Any]]) -> list[Link | None]:
    """Steps that were put in somebody's hands; no longer said once they are done."""
    steps = queries.open_steps(data["step"] for data in given)
    return [_step_given(steps.get(data["step"])) for data in given]


def _step_given(step: IsolationStep | None) -> Link | None:
    if step is None:
        return None
    text = _("A step for {school} is with you: {what}, by {date}").format(
        school=step.school.name, what=step.what, date=words.day(step.due)
    )
    return Link(text, reverse("connectedness:school_contacts", args=[step.school.code]))


@kinds.register(actions.NEAR_ISOLATION)
def near_isolation(data: Mapping[str, Any]) -> Link | None:
    """Schools of a leader's partnership that are one step from isolation."""
    schools = data["schools"]
    names = ", ".join(schools[:NAMED])
    if len(schools) > NAMED:
        names = _("{names} and {n} more").format(names=names, n=len(schools) - NAMED)
    text = ngettext(
        "{partnership}: a school is one step from isolation: {names}",
        "{partnership}: {n} schools are one step from isolation: {names}",
        len(schools),
    ).format(partnership=data["name"], n=len(schools), names=names)
    return Link(text, reverse("connectedness:partnership", args=[data["partnership"]]))
