"""The words of what happens around support: a school's name and where to look, nobody's words."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

Words = tuple[str, Any]

EVENTS: Mapping[str, Words] = {
    "asked": ("support_request", _("{asks} asks for support.")),
    "proposed": ("support_request", _("Support is proposed to {asks}: agree, or say why not.")),
    "agreed": ("support_request", _("{asks} agrees to the support proposed.")),
    "not_agreed": ("support_request", _("{asks} does not agree to the support proposed.")),
    "withdrawn": ("support_request", _("The request of {asks} is taken back.")),
    "offered": ("support_offer", _("{gives} offers support.")),
    "offer_changed": ("support_offer", _("{gives} changed its offer of support.")),
    "match_changed": (
        "support_request",
        _("{gives} changed the offer that lies with {asks}: have a look."),
    ),
    "put": ("support_request", _("{gives} and {asks} may fit: have a look and answer.")),
    "accepted": ("support_request", _("{gives} and {asks}: the other school accepts.")),
    "matched": (
        "support_request",
        _("{gives} supports {asks}: both accept. Agree on the aim and the days."),
    ),
    "declined": ("support_request", _("{asks}: this match does not come about. See what is next.")),
    "no_more": (
        "support_request",
        _("{asks} waits: nobody is left on the shortlist. Suggest others."),
    ),
    "returned": (
        "support_request",
        _("{asks}: a match was taken back. The request is in the queue as before."),
    ),
    "begun": ("support_deployment", _("{gives} and {asks}: the aim and the days are agreed.")),
    "extension_proposed": (
        "support_deployment",
        _("{gives} and {asks}: a later end is proposed. Agree, or say why not."),
    ),
    "extended": ("support_deployment", _("{gives} and {asks}: both agree on a later end.")),
    "not_extended": (
        "support_deployment",
        _("{gives} and {asks}: the later end does not come about. See why."),
    ),
    "logged": ("support_deployment", _("{gives} wrote down work with {asks}.")),
    "finished": (
        "support_deployment",
        _("{gives} and {asks}: support is done and reported. Say what it was worth."),
    ),
    "ended": ("support_deployment", _("{gives} and {asks}: support ended early.")),
    "view": (
        "support_deployment",
        _("{gives} and {asks}: the other school said what the support was worth."),
    ),
}
"""Event -> the page it leads to, and its words."""


def _render(page: str, words: Any) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        names = {"asks": data.get("asks", ""), "gives": data.get("gives", "")}
        text = str(words).format(**names)
        return Link(text, reverse(f"connectedness:{page}", args=[data["pk"]]))

    return render


for _event, (_page, _words) in EVENTS.items():
    kinds.register(f"connectedness.support_{_event}")(_render(_page, _words))
