"""The words of notices about peer reviews: a school and days, nothing anybody wrote."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

EVENTS = (
    "asked", "comes", "cannot", "conflict", "stood_down", "left", "scheduled", "moved", "soon",
    "called_off",
)  # fmt: skip
TO_THE_LIST = ("stood_down",)
"""Whoever is told of these does not open the page of the review any longer."""


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    on = data.get("on", "")
    return {
        "asked": _("{school} asks you to come as a peer and review with it. Can you?"),
        "comes": _("A peer you asked comes to your review."),
        "cannot": _("A peer you asked cannot come to your review. Whom do you ask now?"),
        "conflict": _("A conflict of interest stands between a peer and {school}: see its page."),
        "stood_down": _("A conflict of interest was found: you no longer review {school}."),
        "left": _("Somebody in the team of your review heads no school now. Whom do you ask?"),
        "scheduled": _("The visit of the peer review at {school} is on {on}."),
        "moved": _("The visit of the peer review at {school} is on another day: {on}."),
        "soon": _("The visit of the peer review at {school} is soon: {on}."),
        "called_off": _("The peer review at {school} is called off; its page says why."),
    }[event].format(
        school=data.get("school", ""), on=day(date.fromisoformat(on)) if on else ""
    )  # fmt: skip


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        if event in TO_THE_LIST:
            return Link(words(event, data), reverse("accountability:reviews"))
        return Link(words(event, data), reverse("accountability:review", args=[data["review"]]))

    return render


for _event in EVENTS:
    kinds.register(f"accountability.review_{_event}")(_render(_event))
