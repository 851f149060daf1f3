"""The words of notices about promises; only people who may open the promise get them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

EVENTS = (
    "vowed", "asked", "accepted", "declined", "left", "stuck", "shown", "withdrawn", "check_in",
    "due",
)  # fmt: skip


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    return {
        "vowed": _("{school} has made a promise. Read what it is, and what help it needs."),
        "asked": _("{school} asks you to stand by its promise as a witness."),
        "accepted": _("{other} stands by your promise."),
        "declined": _("{other} does not stand by your promise, and says why."),
        "left": _("Your witness at {other} has left. Ask another to stand by your promise."),
        "stuck": _("{school} is stuck with its promise and asks for help."),
        "shown": _("Somebody added to your promise what was seen."),
        "withdrawn": _("{school} has withdrawn a promise, and says why."),
        "check_in": _("How does your promise go? Three lines are enough."),
        "due": _("The day of your promise has come: say how it went, and score it yourselves."),
    }[event].format(school=data.get("school", ""), other=data.get("other", ""))


def _render(event: str) -> Callable[[Mapping[str, Any]], Link]:
    def render(data: Mapping[str, Any]) -> Link:
        return Link(words(event, data), reverse("accountability:pledge", args=[data["pledge"]]))

    return render


for _event in EVENTS:
    kinds.register(f"accountability.pledge_{_event}")(_render(_event))
