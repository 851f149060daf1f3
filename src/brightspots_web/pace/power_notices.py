"""The words of notices about readiness and powers: a place and a power, nothing anybody wrote."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.pace import power_words
from brightspots_web.shared.components import Link

EVENTS = (
    "asked", "ask_waits", "ready", "not_yet", "offered", "offer_waits", "accepted", "declined",
    "withdrawn", "taken_back", "given_back", "waits",
)  # fmt: skip


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    return {
        "asked": _("{name} asks whether it is ready to carry powers of its own."),
        "ask_waits": _("{name} is still waiting to hear whether it is ready."),
        "ready": _("{name} is found ready to carry powers of its own."),
        "not_yet": _("{name} is not found ready yet; its page says what would help."),
        "offered": _("A power is offered to {name}: {power}. Do you take it on?"),
        "offer_waits": _("A power offered to {name} still waits for an answer: {power}."),
        "accepted": _("{name} has taken on a power: {power}."),
        "declined": _("{name} does not take on a power now: {power}. Its page says why."),
        "withdrawn": _("The offer of a power to {name} was withdrawn: {power}."),
        "taken_back": _("A power of {name} comes back, with an offer of support: {power}."),
        "given_back": _("{name} gives a power back: {power}. Its page says why."),
        "waits": _("{name} has been ready for long, and nothing has moved since."),
    }[event].format(
        name=data.get("name", ""),
        power=power_words.power(data["power"]) if data.get("power") else "",
    )


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        url = reverse("pace:powers_of", args=[data["kind"], data["place"]])
        return Link(words(event, data), url)

    return render


for _event in EVENTS:
    kinds.register(f"pace.power_{_event}")(_render(_event))
