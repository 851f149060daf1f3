"""The words of notices about development: what there is to do and where, never who said what."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from brightspots_web.notices import kinds
from brightspots_web.shared import words
from brightspots_web.shared.components import Link

OF_LEARNING: Mapping[str, Promise] = {
    "changed": gettext_lazy("“{title}” has another day or place: {on}."),
    "cancelled": gettext_lazy("“{title}” does not take place; its page says why."),
    "soon": gettext_lazy("“{title}”, in which you take part, is on {on}."),
    "confirmed": gettext_lazy("“{title}” stands on your record of learning now."),
}


@kinds.register("leaders.asked_to_rate")
def asked_to_rate(data: Mapping[str, Any]) -> Link:
    return Link(
        _("A colleague asks how you see them as a leader."),
        reverse("leaders:answer", args=[data["leader"]]),
    )


@kinds.register("leaders.rating_answered")
def rating_answered(data: Mapping[str, Any]) -> Link:
    return Link(
        _("A colleague says how they see you as a leader. It stands beside your own view."),
        reverse("leaders:development"),
    )


@kinds.register("leaders.rating_declined")
def rating_declined(data: Mapping[str, Any]) -> Link:
    return Link(
        _("A colleague whom you asked cannot say. Ask somebody who has seen you at work."),
        reverse("leaders:ask_colleagues"),
    )


@kinds.register("leaders.development_shared")
def development_shared(data: Mapping[str, Any]) -> Link:
    return Link(
        _("A leader shares with you how they grow."),
        reverse("leaders:development_of", args=[data["leader"]]),
    )


@kinds.register("leaders.coaching")
def coaching(data: Mapping[str, Any]) -> Link:
    """One sentence for everything: who coaches whom, and about what, is told nowhere else."""
    return Link(_("There is something new in your coaching."), reverse("leaders:coaching"))


def _learning(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        on = data.get("on", "")
        day = words.day(date.fromisoformat(on)) if on else _("at any time")
        text = str(OF_LEARNING[event]).format(title=data["title"], on=day)
        return Link(text, reverse("leaders:learning_one", args=[data["pk"]]))

    return render


for _event in OF_LEARNING:
    kinds.register(f"leaders.learning_{_event}")(_learning(_event))
