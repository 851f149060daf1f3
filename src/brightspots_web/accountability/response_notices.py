"""The words of notices, and what the worker does again: response."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

OF_CONSULTATIONS = ("withheld", "answered", "overdue")
OF_BOXES = ("released", "box_withheld", "suggested", "box_answered")


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    n = data.get("n", 0)
    return {
        "withheld": _(
            "“{title}”: the moderator withheld more than one in three comments. Please look again."
        ),
        "answered": _("“{title}” is answered: see what was done, and what could not be."),
        "overdue": _("“{title}”: the answer you owe is overdue."),
        "released": ngettext(
            "{n} suggestion of {area} waits for you to read it.",
            "{n} suggestions of {area} wait for you to read them.",
            n,
        ),
        "box_withheld": _(
            "More than one in three suggestions of {area} are withheld. Please look again."
        ),
        "suggested": _("Suggestions of {area} wait for your answer."),
        "box_answered": _("A suggestion of {area} is answered."),
    }[event].format(title=data.get("title", ""), area=data.get("area", ""), n=n)


def _url(event: str, data: Mapping[str, Any]) -> str:
    if event == "withheld":
        return reverse("accountability:moderate", args=[data["consultation"]])
    if event == "overdue":
        return reverse("accountability:answer_for", args=[data["consultation"]])
    if event == "answered":
        return reverse("accountability:consultation", args=[data["consultation"]])
    if event in {"released", "box_withheld"}:
        return reverse("accountability:suggestion_moderation", args=[data["box"]])
    return reverse("accountability:suggestions")


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        return Link(words(event, data), _url(event, data))

    return render


for _event in (*OF_CONSULTATIONS, *OF_BOXES):
    kinds.register(f"accountability.response_{_event}")(_render(_event))
