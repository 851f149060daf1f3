"""What is said about decisions: how they stand, the rule, what an action still waits for."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.devolution.decision_queries import Word
from brightspots_web.devolution.models import Decision, DecisionAction
from brightspots_web.directory import queries as directory
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

State = Decision.State
PARTS = ("question", "decision", "options", "would_change", "owner", "by_when")


def badge(decision: Decision) -> Badge:
    label = str(decision.get_state_display())
    if decision.state == State.PROPOSED:
        return Badge(label, "unsure")
    return Badge(label, "visit" if decision.state == State.MADE else "plain")


def rule() -> str:
    """By what rule a decision is made; it stands on every page of one."""
    return _(
        "It is made when every school that is in the partnership on that day has said its word and "
        "none objects. To carry it does not mean to find it best: it means to see no reason "
        "against it. The leader may make it against an objection, with a reason; objections and "
        "silence then stay on this page. A change of the text asks every school again."
    )


def standing(decision: Decision, words: Sequence[Word]) -> str:
    """How far it is, in one sentence."""
    if decision.state == State.DROPPED:
        return _("Dropped: {why}").format(why=decision.dropped_why)
    carried = sum(each.agrees is True for each in words)
    against = sum(each.agrees is False for each in words)
    silent = len(words) - carried - against
    if decision.made_at is None:
        return _so_far(carried, against, silent, len(words))
    if not against and not silent:
        return ngettext(
            "Made on {day}: the one school carries it.",
            "Made on {day}: all {n} schools carry it.",
            len(words),
        ).format(day=day(decision.made_at), n=number(len(words), 0))
    return _(
        "Made on {day} by {who}: {carried} of {n} schools carry it, {against} did not, {silent} "
        "had not said their word."
    ).format(
        day=day(decision.made_at),
        who=decision.made_by,
        carried=number(carried, 0),
        n=number(len(words), 0),
        against=number(against, 0),
        silent=number(silent, 0),
    )


def _so_far(carried: int, against: int, silent: int, asked: int) -> str:
    said = _("{carried} of {n} schools carry it so far.").format(
        carried=number(carried, 0), n=number(asked, 0)
    )
    if against:
        said += " " + ngettext(
            "One does not, and says why.", "{n} do not, and say why.", against
        ).format(n=number(against, 0))
    if silent:
        said += " " + ngettext(
            "One has not said its word yet.", "{n} have not said their word yet.", silent
        ).format(n=number(silent, 0))
    return said


def word(each: Word) -> str:
    """What a school says, or why nothing is said."""
    if each.consent is None:
        return _("no word yet") if each.answered else _("nobody answers for it at present")
    return _("carries it") if each.consent.agrees else _("does not carry it")


def in_list(decision: Any) -> str:
    """`3 carry it, 1 does not`, of a row whose words were counted with it."""
    carried = ngettext("{n} carries it", "{n} carry it", decision.n_carry).format(
        n=number(decision.n_carry, 0)
    )
    if not decision.n_object:
        return carried
    against = ngettext("{n} does not", "{n} do not", decision.n_object).format(
        n=number(decision.n_object, 0)
    )
    return f"{carried}, {against}"


def due(action: DecisionAction, *, mine: bool = False, on: date | None = None) -> str:
    """When something is due; to its owner, overdue is said kindly."""
    today = on or directory.today()
    if action.done_on is not None:
        return _("done on {day}").format(day=day(action.done_on))
    days = (action.due - today).days
    if days > 0:
        return _("by {day}").format(day=day(action.due))
    if days == 0:
        return _("today")
    if mine:
        return _(
            "{day} has passed. If it is done, tell the others; if it needs longer, choose a new "
            "day or ask for help."
        ).format(day=day(action.due))
    return _("was to be done by {day}").format(day=day(action.due))


def labels() -> dict[str, str]:
    """The parts of a decision's text, as its form names them."""
    return {
        "question": _("The question"),
        "decision": _("What is decided"),
        "options": _("What was considered"),
        "would_change": _("What would make us change our mind"),
        "owner": _("Who owns it"),
        "by_when": _("By when"),
    }


def side_by_side(
    one: Mapping[str, Any], other: Mapping[str, Any], *, everything: bool = False
) -> list[tuple[str, str, str, bool]]:
    """Label, how it reads in one text, how in the other, and whether they differ."""
    found = []
    for name, label in labels().items():
        before, after = plain(name, one.get(name)), plain(name, other.get(name))
        if everything or before != after:
            found.append((label, before, after, before != after))
    return found


def plain(name: str, value: Any) -> str:
    """A part of a text as it is read."""
    if name == "options":
        return "\n".join(value or [])
    if name == "by_when" and value:
        return str(day(date.fromisoformat(str(value))))
    return str(value or "")
