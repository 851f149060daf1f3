"""The words of notices about decisions and cycles; only people of the partnership get them."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

EVENTS = (
    "asked", "changed", "objected", "made", "dropped", "owner", "owner_missed", "action",
    "action_due", "action_done",
)  # fmt: skip


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    due = data.get("due", "")
    return {
        "asked": _("A decision is proposed: “{question}” Does your school carry it?"),
        "changed": _("“{question}” was changed. Does your school carry it as it reads now?"),
        "objected": _("{school} does not carry “{question}” and says why."),
        "made": _("“{question}” is decided."),
        "dropped": _("“{question}” was dropped; its page says why."),
        "owner": _("You own a decision: “{question}”"),
        "owner_missed": _("“{question}” needs a new owner: the one it had has left."),
        "action": _("You have something to do by {due}: “{what}”"),
        "action_due": _("By {due}: “{what}” Tell the others when it is done."),
        "action_done": _("Done: “{what}”"),
    }[event].format(
        question=data.get("question", ""),
        school=data.get("school", ""),
        what=data.get("what", ""),
        due=day(date.fromisoformat(due)) if due else "",
    )


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        url = reverse("devolution:decision", args=[data["decision"]])
        if event in {"action", "action_due"}:
            url = reverse("devolution:action_done", args=[data["action"]])
        return Link(words(event, data), url)

    return render


for _event in EVENTS:
    kinds.register(f"devolution.decision_{_event}")(_render(_event))


@kinds.register("devolution.cycle_to_study")
def _to_study(data: Mapping[str, Any]) -> Link:
    said = _("Time to study a cycle: “{title}” What did you find beside what you predicted?")
    return Link(
        said.format(title=data["title"]), reverse("devolution:cycle_study", args=[data["cycle"]])
    )
