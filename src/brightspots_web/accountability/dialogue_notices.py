"""The words of notices about dialogues and promises."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

DIALOGUES = ("called", "asked", "moved", "soon", "unwritten", "minutes", "called_off")
PROMISES = ("owner", "due", "overdue", "no_owner", "due_moved", "kept", "not_kept")


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    on = data.get("on") or data.get("due")
    return {
        "called": _("You answer in a dialogue on {on}: “{title}”"),
        "asked": _("You are drawn by lot for a dialogue on {on}: “{title}” Can you come?"),
        "moved": _("Something has changed about the dialogue “{title}”. It is on {on}."),
        "soon": _("The dialogue “{title}” is on {on}."),
        "unwritten": _("The dialogue “{title}” was on {on}. Write down what was said."),
        "minutes": _("The minutes of the dialogue “{title}” are there."),
        "called_off": _("The dialogue “{title}” is called off; its page says why."),
        "owner": _("You own a promise, due {on}: “{what}”"),
        "due": _("You promised by {on}: “{what}” Say how it stands."),
        "overdue": _("{on} has passed: “{what}” Say how it stands, or that it needs longer."),
        "no_owner": _("A promise needs a new owner: “{what}”"),
        "due_moved": _("A promise needs longer, until {on}: “{what}”"),
        "kept": _("A promise was kept: “{what}”"),
        "not_kept": _("A promise was not kept, and its page says why: “{what}”"),
    }[event].format(
        title=data.get("title", ""),
        what=data.get("what", ""),
        on=day(date.fromisoformat(on)) if on else "",
    )


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        name = "dialogue" if event in DIALOGUES else "commitment"
        return Link(words(event, data), reverse(f"accountability:{name}", args=[data[name]]))

    return render


for _event in (*DIALOGUES, *PROMISES):
    kinds.register(f"accountability.dialogue_{_event}")(_render(_event))
