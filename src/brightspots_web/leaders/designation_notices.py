"""The words of notices about designation: schools are named in them, people are not."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.leaders import finding_actions as finding
from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

Data = Mapping[str, Any]


def _application(event: str) -> Callable[[Data], Link | None]:
    def render(data: Data) -> Link | None:
        words = {
            "backing_asked": _("{school}: somebody who would like to lead asks for your backing."),
            "backed": _("The district's office backs your application to lead."),
            "taken_without": _(
                "The ministry takes your application without some of what is asked, and says why."
            ),
            "handed_in": _("{school}: an application to lead is handed in."),
            "withdrawn": _("{school}: an application to lead was taken back."),
            "panel_called": _(
                "You are asked to a panel on an application from {school}. Say first whether "
                "something binds you to it."
            ),
            "panel_said": _("{school}: the panel has said its views; you can decide."),
            "panel_set_aside": _("{school}: somebody on the panel is set aside."),
            "reopened": _("{school}: the panel has to decide anew."),
            "decided": _("{school}: there is a decision on the application to lead."),
        }[event]
        url = reverse("leaders:application", args=[data["application"]])
        return Link(words.format(school=data.get("school", "")), url)

    return render


APPLICATION_EVENTS = (
    "backing_asked", "backed", "taken_without", "handed_in", "withdrawn", "panel_called",
    "panel_said", "panel_set_aside", "reopened", "decided",
)  # fmt: skip
for _event in APPLICATION_EVENTS:
    kinds.register(f"leaders.application_{_event}")(_application(_event))


def _designation(event: str) -> Callable[[Data], Link | None]:
    def render(data: Data) -> Link | None:
        words = {
            "partnership_led": _("{name}: a system leader is appointed, of {school}."),
            "resigned": _("{school}: a leader lays the office down. The last day is {day}."),
            "leaves": _("{name}: your leader leaves the office. The last day is {day}."),
            "renew": _("Your term as a leader ends on {day}. You can ask for a further one."),
            "over": _("{school}: the term of a leader is over."),
            "warned": _(
                "{school}: something that is asked of a leader no longer holds. There is time to "
                "put it right until {day}."
            ),
            "cleared": _("{school}: all that is asked of a leader holds again."),
            "lapsed": _("{school}: a designation lapsed, as what was asked no longer holds."),
        }[event]
        on = date.fromisoformat(data["day"]) if "day" in data else None
        said = words.format(
            school=data.get("school", ""), name=data.get("name", ""), day=day(on) or ""
        )
        return Link(said, reverse("leaders:designation", args=[data["designation"]]))

    return render


DESIGNATION_EVENTS = (
    "partnership_led", "resigned", "leaves", "renew", "over", "warned", "cleared", "lapsed",
)  # fmt: skip
for _event in DESIGNATION_EVENTS:
    kinds.register(f"leaders.designation_{_event}")(_designation(_event))


@kinds.register(finding.ASKED)
def nominated(data: Data) -> Link | None:
    if data.get("yours"):
        return Link(_("Would you consider leading? You are asked."), reverse("leaders:asked"))
    words = _("{school}: somebody is put forward to lead.").format(school=data["school"])
    return Link(words, reverse("leaders:nominations"))


@kinds.register(finding.NOT_NOW)
def not_now(data: Data) -> Link | None:
    words = _("{school}: somebody who was asked to lead says “not now”.")
    return Link(words.format(school=data["school"]), reverse("leaders:nominations"))
