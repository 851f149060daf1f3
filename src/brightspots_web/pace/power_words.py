"""Readiness and powers in kind, plain words: what is there, what is missing, what moves next."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory import queries as directory
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import GateCheck, GateSettings, PowerTransfer
from brightspots_web.pace.power_gate_queries import Condition
from brightspots_web.pace.power_models import Power
from brightspots_web.pace.power_queries import Standing
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

State = PowerTransfer.State


def rule() -> str:
    """What readiness and powers are; it stands where they are shown."""
    return _(
        "Powers move one by one, when a group is ready to carry them, and with support if one has "
        "to come back. Ready is no reward and not yet is no blame: both say what would help next."
    )


def power(value: str) -> str:
    return str(Power(value).label)


def condition(found: Condition, *, inside: bool) -> str:
    """What is known of a condition.

    `inside`: for the group's own people, who may read how many of its steps are done.
    """
    n, of = number(found.n, 0), number(found.of, 0)
    if found.kind == places.AREA:
        return _of_area(found.key).format(n=n, of=of)
    if found.key == "leader":
        return _("It has a leader.") if found.met else _("Nobody leads it at present.")
    if found.key == "meetings":
        said = ngettext(
            "It met {n} time in the last twelve months; {of} are asked for.",
            "It met {n} times in the last twelve months; {of} are asked for.",
            found.n,
        )
        return said.format(n=n, of=of)
    if found.key == "data":
        return _("{n} of {of} schools shared what they saw in the last twelve months.").format(
            n=n, of=of
        )
    if found.key == "kept":
        return _kept(found, n, of, inside=inside)
    if found.key == "isolation":
        if found.met:
            return _("None of its schools is isolated.")
        return ngettext(
            "{n} of its schools is isolated.", "{n} of its schools are isolated.", found.n
        ).format(n=n)
    if found.met:
        return _("It has agreed on its stages in the last twelve months.")
    return _("It has not agreed on all its stages in the last twelve months.")


def _kept(found: Condition, n: str, of: str, *, inside: bool) -> str:
    if not found.of:
        return _("No step that it decided has fallen due yet, so nothing can be said of it.")
    if inside:
        return _("{n} of {of} steps that it decided and that fell due are done.").format(n=n, of=of)
    if found.met:
        return _("Most of what it decided and that fell due is done.")
    return _("Much of what it decided and that fell due is still open.")


def _of_area(key: str) -> str:
    return {
        "leader": _("{n} of {of} partnerships have a leader; all are asked for."),
        "meetings": _("{n} of {of} partnerships met as often as is asked for."),
        "data": _("In {n} of {of} partnerships enough schools shared what they saw."),
        "kept": _("In {n} of {of} partnerships most of what was decided is done."),
        "isolation": _("{n} of {of} schools are isolated; none should be."),
        "stages": _("{n} of {of}: the area agreed on its stages in the last twelve months."),
    }[key]


def next_step(found: Condition) -> str:
    """What would help, of a condition that is still missing."""
    return {
        "leader": _("Find somebody who leads, and give them time for it."),
        "meetings": _("Meet again; an hour with a purpose counts."),
        "data": _("Let each school share one thing it saw, however small."),
        "kept": _("Look together at the steps that are open: finish them, or drop them openly."),
        "isolation": _("Bring the schools that are alone back in touch."),
        "stages": _("Rate and agree on the stages, the differences included."),
    }[found.key]


def checked(found: Sequence[Condition], *, inside: bool) -> list[Mapping[str, str]]:
    """Every condition as a page shows it."""
    return [
        {
            "text": condition(each, inside=inside),
            "state": "met" if each.met else "open",
            "label": _("there") if each.met else _("still missing"),
            "next": "" if each.met else next_step(each),
        }
        for each in found
    ]


def check_badge(found: GateCheck | None) -> Badge:
    if found is None:
        return Badge(_("not asked yet"), "plain")
    if found.state == GateCheck.State.READY:
        return Badge(_("ready"), "bright")
    if found.state == GateCheck.State.NOT_YET:
        return Badge(_("not yet"), "plain")
    return Badge(_("asked, to be answered"), "visit")


def badge(found: PowerTransfer) -> Badge:
    today = directory.today()
    if found.state == State.OFFERED:
        return Badge(_("offered, to be accepted"), "visit")
    if found.state == State.HELD:
        if found.starts > today:
            return Badge(_("accepted, not begun"), "visit")
        return Badge(_("held"), "bright")
    return Badge(str(found.get_state_display()), "plain")


def standing(found: Standing) -> str:
    """Since when a place is ready, and what it holds, in one or two sentences."""
    if found.ready_since is None:
        said = _("Not found ready yet.")
    else:
        said = _("Ready since {day}.").format(day=day(found.ready_since))
    holds = ngettext(
        "It holds {n} of {all} powers.", "It holds {n} of {all} powers.", found.held
    ).format(n=number(found.held, 0), all=number(len(Power), 0))
    return f"{said} {holds}"


def waits(found: Standing, on: date | None = None) -> str:
    """That a place has waited long; "" where it has not."""
    if not found.long or found.waiting_since is None:
        return ""
    days = ((on or directory.today()) - found.waiting_since).days
    return _(
        "It has been ready, and nothing has moved for {n} days. People who wait long feel held "
        "back: hand something over, or say what it waits for."
    ).format(n=number(days, 0))


def before(found: PowerTransfer) -> str:
    """The mark of a power handed over before the place was found ready; "" for others."""
    if not found.before_gate:
        return ""
    if found.answered_at is None:
        return _("Offered before it was found ready: {why}").format(why=found.why_before)
    return _("Handed over before it was found ready: {why}").format(why=found.why_before)


def story(found: PowerTransfer) -> list[str]:
    """What happened to a transfer, in the order it happened."""
    said = [
        _("Offered by {who} on {day}, to begin on {starts}: {why}").format(
            who=found.offered_by, day=day(found.offered_at), starts=day(found.starts), why=found.why
        )
    ]
    if found.answered_at is not None:
        accepted = found.state not in {State.DECLINED, State.WITHDRAWN}
        text = _("Accepted by {who} on {day}.") if accepted else _("Not now, said {who} on {day}.")
        said.append(text.format(who=found.answered_by, day=day(found.answered_at)))
        if found.answer:
            said.append(_("“{words}”").format(words=found.answer))
    if found.ended_on is not None:
        text = {
            State.TAKEN_BACK: _("Taken back by {who} on {day}: {why}"),
            State.GIVEN_BACK: _("Given back by {who} on {day}: {why}"),
        }.get(State(found.state), _("Offer withdrawn by {who} on {day}: {why}"))
        said.append(
            text.format(who=found.ended_by, day=day(found.ended_on), why=found.ended_why)
        )  # fmt: skip
    if found.support:
        said.append(_("Support offered with it: {words}").format(words=found.support))
    return said


def settings(found: GateSettings) -> str:
    """What readiness asks for, and whether these figures are assumed."""
    said = _(
        "Asked for: {meetings} meetings in twelve months; {share} of 100 schools (or partnerships) "
        "that share what they see; {kept} of 100 due steps done; no isolated school; stages "
        "agreed. Waiting longer than {wait} days after being ready is marked."
    ).format(
        meetings=number(found.meetings, 0),
        share=number(found.schools_share, 0),
        kept=number(found.kept_share, 0),
        wait=number(found.wait_days, 0),
    )
    if found.pk:
        return said
    assumed = _("These figures are assumed until the ministry sets them.")
    return f"{said} {assumed}"
