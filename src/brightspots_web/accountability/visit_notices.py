"""The words of notices from the visit of a peer review on: a school and a day, no words of it."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

EVENTS = (
    "findings", "answered", "agreed", "replied", "excellence", "written_up", "workshop", "checked",
    "unwritten", "to_agree", "check", "overdue", "area_overdue", "step_due",
)  # fmt: skip
PLACES = {
    "findings": "review_findings", "answered": "review_findings", "to_agree": "review_findings",
    "unwritten": "review_findings", "step_due": "review_actions",
}  # fmt: skip
"""Where a notice leads; to the page of the review where nothing is said here."""


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    on = data.get("on", "")
    return {
        "findings": _("The team of your peer review wrote findings. How do you see them?"),
        "answered": _("{school} answered all your findings. Agree on a day to check back."),
        "agreed": _("The findings at {school} are agreed. Host and team check back on {on}."),
        "replied": _("{school} replied to the findings of its peer review."),
        "excellence": _("Your peers saw something others could learn from. Will you write it up?"),
        "written_up": _("{school} wrote up what you saw for the practice library."),
        "workshop": _("{school} held its improvement workshop and says what it does now."),
        "checked": _("The peer review at {school} was checked back and is finished."),
        "unwritten": _("The visit at {school} is over; its findings are still to be written."),
        "to_agree": _("The findings at {school} are still to be agreed, with a day to check back."),
        "check": _("The peer review at {school} is to be checked back on {on}."),
        "overdue": _("The day to check back at {school} was {on}. When can you go and look?"),
        "area_overdue": _(
            "A peer review at {school} was to be checked back on {on}. Does anything stand in the "
            "way?"
        ),
        "step_due": _("A step after your peer review is due. How did it go?"),
    }[event].format(
        school=data.get("school", ""), on=day(date.fromisoformat(on)) if on else ""
    )  # fmt: skip


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        if event == "area_overdue":
            return Link(words(event, data), reverse("accountability:review_coverage"))
        place = PLACES.get(event, "review")
        return Link(words(event, data), reverse(f"accountability:{place}", args=[data["review"]]))

    return render


for _event in EVENTS:
    kinds.register(f"accountability.visit_{_event}")(_render(_event))
