"""The words of notices about scores of promises; only people who may read the promise get them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

EVENTS = ("asked", "verified", "cannot", "left", "aside", "again", "outcome")


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    return {
        "asked": _("{school} asks you to verify, as a peer, how it kept a promise."),
        "verified": _("A peer of {other} has scored your promise, and says why."),
        "cannot": _("The peer of {other} cannot verify your promise, and says why. Ask another."),
        "left": _("The peer of {other} has left before scoring your promise. Ask another."),
        "aside": _("The score of {other} on the promise of {school} was set aside: see why."),
        "again": _("The score of {other} on the promise of {school} counts again: see why."),
        "outcome": _("{school} says what became of its promise."),
    }[event].format(school=data.get("school", ""), other=data.get("other", ""))


def _render(event: str) -> Callable[[Mapping[str, Any]], Link]:
    page = "accountability:verify" if event == "asked" else "accountability:score"

    def render(data: Mapping[str, Any]) -> Link:
        return Link(words(event, data), reverse(page, args=[data["pledge"]]))

    return render


for _event in EVENTS:
    kinds.register(f"accountability.ceremony_{_event}")(_render(_event))
