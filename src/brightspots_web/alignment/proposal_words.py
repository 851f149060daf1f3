"""What is said about proposals: whose they are, who answers now, the need behind them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment.models import PriorityProposal, Tier
from brightspots_web.alignment.proposal_evidence import is_withheld
from brightspots_web.directory import queries as directory
from brightspots_web.shared import charts
from brightspots_web.shared.words import day


def place(proposal: PriorityProposal) -> str:
    """The school, partnership, district or ministry that proposed it."""
    return str(queries.place_of(proposal) or _("the ministry"))


def whose(proposal: PriorityProposal) -> str:
    """Tier and place in a few words."""
    return {
        Tier.SCHOOL: _("a school: {place}"),
        Tier.PARTNERSHIP: _("a partnership: {place}"),
        Tier.DISTRICT: _("a district: {place}"),
        Tier.MINISTRY: _("the ministry"),
    }[Tier(proposal.tier)].format(place=queries.place_of(proposal))


def place_gone(proposal: PriorityProposal) -> str:
    """That the school or partnership that proposed it is no more; "" as long as it is."""
    gone = proposal.school or proposal.partnership
    if gone is None or gone.closed is None or gone.closed > directory.today():
        return ""
    return _("{place} closed on {day}. What it proposed stays.").format(
        place=gone, day=day(gone.closed)
    )


def who_answers(proposal: PriorityProposal) -> str:
    """Who answers for it today, and why them."""
    found = queries.answering_for(proposal)
    if not found.appointments:
        return _("nobody at present: the ministry has to appoint somebody")
    return {
        "place": _("{names}"),
        "successor": _("{names}, who carries its work on"),
        "partnership": _("{names}, as leader of its partnership"),
        "district": _("{names}, as officer for its area"),
        "ministry": _("{names}, as nobody nearer does"),
    }[found.step].format(names=found.names)


def evidence_sentences(evidence: Mapping[str, Any], subject: str = "") -> list[str]:
    """The need in plain words, with how sure it is; what is withheld says so."""
    if not evidence and subject:
        return [
            _(
                "When this was proposed, no figures were published for {subject}. What people saw "
                "stands under “Why”."
            ).format(subject=subject)
        ]
    if not evidence:
        return [
            _(
                "No published figures speak of this. What people see counts too: it stands under "
                "“Why”."
            )
        ]
    if is_withheld(evidence):
        return [
            _(
                "There are figures for {subject}, but of so few schools or pupils that they would "
                "say more about single ones than about the need. They are not shown."
            ).format(subject=evidence["subject"])
        ]
    schools, low, high = evidence["in_need"]
    said = [
        ngettext(
            "In {subject}, about {n} of {of} school may need help; likely between {low} and "
            "{high}.",
            "In {subject}, about {n} of {of} schools may need help; likely between {low} and "
            "{high}.",
            evidence["schools"],
        ).format(
            subject=evidence["subject"], n=_number(schools), of=_number(evidence["schools"]),
            low=_number(low), high=_number(high),
        )
    ]  # fmt: skip
    if "touched" in evidence:
        touched, low, high = evidence["touched"]
        said.append(
            _("About {n} pupils a year learn there; likely between {low} and {high}.").format(
                n=_number(touched), low=_number(low), high=_number(high)
            )
        )
    return said


def how_sure(evidence: Mapping[str, Any]) -> str:
    """What the intervals hold and what not."""
    if not evidence or is_withheld(evidence):
        return ""
    return _(
        "“May need help” means: pupils there likely achieve less than pupils like them do "
        "elsewhere. Each school's own chance is counted, not schools past a line. The intervals "
        "say how far chance goes; what the tests do not measure they cannot say. Areas have no "
        "interval: read them as rough. Those with too few schools are not shown. Figures of {n} "
        "pupils, published on {day}."
    ).format(n=_number(evidence["pupils"]), day=published_on(evidence))


def published_on(evidence: Mapping[str, Any]) -> str:
    return day(date.fromisoformat(evidence["as_of"])) if evidence.get("as_of") else ""


def _number(value: float) -> str:
    return charts.number(value, 0)
