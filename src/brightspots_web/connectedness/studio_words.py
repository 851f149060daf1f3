"""What happened to a proposal, and what it costs, in plain words."""

from typing import Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from brightspots_web.connectedness.models import Proposal, ProposalChange
from brightspots_web.shared import charts
from brightspots_web.shared.words import day as day


def title(proposal: Proposal) -> str:
    """What a proposal is called."""
    return proposal.name or _("Proposal {number}").format(number=proposal.pk)


def scope(proposal: Proposal) -> str:
    """Which schools it is for."""
    if proposal.area is None:
        return _("for the whole system")
    return _("for {area}").format(area=proposal.area.name)


def state(proposal: Proposal) -> str:
    """Where a proposal stands, as a sentence."""
    S = Proposal.Status
    if proposal.status == S.CONSULTING and proposal.consult_until:
        return _("The schools are asked what they think, until {day}.").format(
            day=day(proposal.consult_until)
        )
    if proposal.status == S.ADOPTED:
        if proposal.adopt_on is None:
            return _("Adopted.")
        return _("Adopted: the partnerships hold from {day} on.").format(day=day(proposal.adopt_on))
    if proposal.status == S.WITHDRAWN:
        return _("Withdrawn. It stays on record.")
    return _("This is a proposal, not a decision. Change it with the people it concerns.")


def _day(text: str) -> str:
    parsed = parse_date(text or "")
    return day(parsed) if parsed else ""


def change(made: ProposalChange) -> str:
    """One change as a sentence."""
    detail = made.detail
    if made.kind == "undo":
        return _("Undone: {what}").format(what=_sentence(detail["kind"], detail.get("what", {})))
    return _sentence(made.kind, detail)


def _sentence(kind: str, detail: dict[str, Any]) -> str:
    if kind == "move":
        return _moved(detail)
    known = {
        "leader": (_("Leader changed from {from_} to {to}."), {"from_": "from", "to": "to"}),
        "pin": (_("Pinned: {pin}."), {"pin": "pin"}),
        "unpin": (_("Pin let go: {pin}."), {"pin": "pin"}),
        "rename": (_("Called “{to}”."), {"to": "to"}),
    }
    if kind in known:
        words, names = known[kind]
        return words.format(**{name: detail.get(key, "") for name, key in names.items()})
    if kind == "tidy":
        closed = "; ".join(detail.get("schools", []))
        return _("Closed schools taken out: {schools}.").format(schools=closed)
    if kind == "consult":
        words = _("Schools asked, until {day}.")
        if detail.get("again"):
            words = _("Time for the schools changed: until {day}.")
        return words.format(day=_day(detail.get("until", "")))
    if kind == "adopt":
        return _("Adopted, to begin on {day}.").format(day=_day(detail.get("on", "")))
    if kind == "call_off":
        return _("Adoption for {day} called off.").format(day=_day(detail.get("was", "")))
    return _("Withdrawn.")


def _moved(detail: dict[str, Any]) -> str:
    school, source, target = detail.get("school", ""), detail.get("from", ""), detail.get("to", "")
    if not target:
        return _("{school} taken out of the partnership led by {source}.").format(
            school=school, source=source
        )
    if target == school:
        return _("{school} starts a partnership of its own.").format(school=school)
    if not source:
        return _("{school} taken into the partnership led by {target}.").format(
            school=school, target=target
        )
    return _("{school} moved from the partnership led by {source} to that led by {target}.").format(
        school=school, source=source, target=target
    )


def part(name: str) -> tuple[str, str]:
    """A part of what a proposal costs: its name, and what it counts."""
    known = {
        "travel_km": (
            _("Ways to the leaders' schools"),
            _("All ways from the schools to their leader's, added up."),
        ),
        "balance": (
            _("Sizes away from the target"),
            _("Partnerships that are smaller or larger than wished, the difference squared."),
        ),
        "complement": (
            _("Partnerships with no strong school"),
            _("Partnerships in which no school is strong in a priority: nobody to learn from."),
        ),
        "all_weak": (
            _("Partnerships with no strength at all"),
            _("Partnerships in which no school is strong in any priority."),
        ),
        "need": (
            _("Need in such partnerships"),
            _("How much help the schools of these partnerships are likely to need."),
        ),
        "leader_strength": (
            _("Leaders' schools that are less strong"),
            _("Leaders whose own schools and earlier support have less to show."),
        ),
        "partnerships": (
            _("Number of partnerships"),
            _("Each partnership needs a leader's time."),
        ),
        "disruption": (
            _("Schools that change partnership"),
            _("Schools that leave people they know."),
        ),
        "total": (_("Total"), _("All of it together: the less, the better.")),
    }
    return known.get(name, (name.replace("_", " "), ""))


WEIGHT_OF = {
    "balance": "balance",
    "complement": "complement",
    "all_weak": "all_weak",
    "need": "need",
    "leader_strength": "leader_strength",
    "partnerships": "partnership",
    "disruption": "disruption",
}
"""Part of the cost -> the weight that prices it."""


def gap(proposal: Proposal) -> str:
    """How close to the best possible, as a sentence."""
    if proposal.gap is None or proposal.lower_bound is None:
        return _(
            "How close this is to the best possible is not known: what people decided counts more "
            "than the rules that the bound was made for."
        )
    return _(
        "No way of grouping these schools costs less than {bound} km, so this is within {gap}% of "
        "the best possible."
    ).format(bound=charts.number(proposal.lower_bound, 1), gap=charts.number(100 * proposal.gap, 1))
