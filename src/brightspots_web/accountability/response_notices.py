"""The words of notices, and what the worker does again: response."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

TO_READ = ("withheld", "again", "unread")
TO_READ_OF_BOXES = ("released", "box_withheld", "box_again", "box_unread")
OF_CONSULTATIONS = (*TO_READ, "nobody", "answered", "overdue")
OF_BOXES = (*TO_READ_OF_BOXES, "box_nobody", "suggested", "box_overdue", "box_answered")


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    n = data.get("n", 0)
    return {
        "withheld": _(
            "“{title}”: the moderator withheld more than one in three comments. Please look again."
        ),
        "again": _("“{title}”: somebody who reads it asked for a second look. Please look again."),
        "unread": _("“{title}”: the moderator has not read all own words. Please read them."),
        "nobody": _(
            "“{title}”: nobody outside the line is there to look at the moderation again. Appoint "
            "somebody who may."
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
        "box_again": _(
            "Somebody asked for a second look at the suggestions of {area}. Please look again."
        ),
        "box_unread": _("The moderator has not read all suggestions of {area}. Please read them."),
        "box_nobody": _(
            "Nobody outside the line is there to look at the suggestions of {area} again. Appoint "
            "somebody who may."
        ),
        "box_overdue": ngettext(
            "{n} suggestion of {area} waits for your answer too long.",
            "{n} suggestions of {area} wait for your answer too long.",
            n,
        ),
        "suggested": _("Suggestions of {area} wait for your answer."),
        "box_answered": _("A suggestion of {area} is answered."),
    }[event].format(title=data.get("title", ""), area=data.get("area", ""), n=n)


def _url(event: str, data: Mapping[str, Any]) -> str:
    if event in TO_READ:
        return reverse("accountability:moderate", args=[data["consultation"]])
    if event == "overdue":
        return reverse("accountability:answer_for", args=[data["consultation"]])
    if event in {"answered", "nobody"}:
        return reverse("accountability:consultation", args=[data["consultation"]])
    if event in TO_READ_OF_BOXES:
        return reverse("accountability:suggestion_moderation", args=[data["box"]])
    return reverse("accountability:suggestions")


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        return Link(words(event, data), _url(event, data))

    return render


for _event in (*OF_CONSULTATIONS, *OF_BOXES):
    kinds.register(f"accountability.response_{_event}")(_render(_event))
