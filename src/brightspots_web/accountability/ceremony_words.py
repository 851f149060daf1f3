"""What is said about scores: side by side, never averaged, and what became of a promise."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import ceremony_queries as queries
from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability import pledge_value_queries as values
from brightspots_web.accountability import pledge_words as words
from brightspots_web.accountability.pledge_models import Pledge, PledgeScore, PledgeSettings
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

Row = dict[str, Any]
Known = Mapping[str, Any]
Peer = PledgeScore.State


def url(pledge: Pledge) -> str:
    return reverse("accountability:score", args=[pledge.pk])


def verify_url(pledge: Pledge) -> str:
    return reverse("accountability:verify", args=[pledge.pk])


def may_verify(pledge: Pledge, acting: Appointment | None) -> bool:
    """Whether somebody was asked as a peer and can still score."""
    if not queries.is_open(pledge):
        return False
    mine = queries.asked_to_verify(acting, pledge)
    return mine is not None and mine.state == Peer.ASKED


def scale(rule: PledgeSettings) -> str:
    """What a score means: a judgement, said with its reason."""
    return _(
        "A score is a judgement with a reason: 0 says that nothing came of it, {highest} that it "
        "was kept as promised. Scores stand side by side. They are never added up or averaged."
    ).format(highest=number(rule.highest_score, 0))


def weight(rule: PledgeSettings) -> str:
    """What the ministry says of the two halves."""
    return _(
        "In this system a promise for the own school weighs {own} of 100, one for another school "
        "{other}."
    ).format(own=number(rule.own_weight, 0), other=number(100 - rule.own_weight, 0))


def points(score: int, rule: PledgeSettings) -> str:
    """`7 of 10`."""
    return _("{score} of {highest}").format(
        score=number(score, 0), highest=number(rule.highest_score, 0)
    )


def said(pledge: Pledge, scores: Sequence[PledgeScore], rule: PledgeSettings) -> str:
    """How the school's own score and those of its peers stand beside each other, in words."""
    if pledge.self_score is None:
        return ""
    counting = queries.counting(scores)
    own = points(pledge.self_score, rule)
    if not counting:
        return _("The school says {own}. No peer’s score stands beside it yet.").format(own=own)
    given = sorted({each.score for each in counting if each.score is not None})
    if given == [pledge.self_score]:
        return ngettext(
            "The school and its peer both say {own}.",
            "The school and its {n} peers all say {own}.",
            len(counting),
        ).format(own=own, n=number(len(counting), 0))
    peers = _and([points(each, rule) for each in given])
    if len(counting) == 1:
        found = _("The school says {own}, its peer {peers}: they do not see it alike.")
    elif len(given) == 1:
        found = _("The school says {own}, its peers all say {peers}: they do not see it alike.")
    else:
        found = _("The school says {own}, its peers {peers}: they do not see it alike.")
    talk = _("Read the reasons: where they differ there is something to talk about.")
    return f"{found.format(own=own, peers=peers)} {talk}"


def _and(texts: Sequence[str]) -> str:
    if len(texts) < 2:
        return "".join(texts)
    return _("{first} and {last}").format(first=", ".join(texts[:-1]), last=texts[-1])


def how_many(pledge: Pledge, scores: Sequence[PledgeScore], rule: PledgeSettings) -> str:
    """How many peers have scored, of how many; "" where nobody needs to know any longer."""
    if pledge.state not in queries.SCORED:
        return ""
    counting = len(queries.counting(scores))
    found = ngettext(
        "{n} peer from another school has scored it. The rule asks for {wanted}.",
        "{n} peers from other schools have scored it. The rule asks for {wanted}.",
        counting,
    ).format(n=number(counting, 0), wanted=number(rule.verifiers, 0))
    if counting >= rule.verifiers:
        return found
    if pledge.outcome:
        return found + " " + _("The school said what became of it without the others.")
    return found


def badge(score: PledgeScore, *, open_still: bool) -> Badge | None:
    """How it stands with a peer who was asked; None for one whose score stands there."""
    if score.state == Peer.SCORED:
        return None
    if score.state == Peer.ASKED and not open_still:
        return Badge(_("has not scored"), "plain")
    if queries.is_silent(score):
        return Badge(_("asked, no word yet"), "unsure")
    label = str(score.get_state_display())
    return Badge(label, "unsure" if score.state == Peer.ASKED else "plain")


def known(known_then: Known, now: Known) -> list[str]:
    """The value as it was known at a score, and beside it what was corrected since."""
    if not known_then:
        return [_("No published value was known then.")]
    found = [_("Known then: {value}").format(value=words.value(known_then))]
    after = values.corrected(known_then, now)
    if after:
        found.append(
            _("Corrected since: {value}. The score was given before.").format(
                value=words.value(after)
            )
        )
    elif not now and values.taken_back(known_then):
        found.append(
            _("The analysis it was drawn from was taken back since, and none is in its place yet.")
        )
    return found


def outcome(pledge: Pledge) -> str:
    """What its school says became of it; "" before it says so."""
    if not pledge.outcome:
        return ""
    return _("{school} says: {outcome}.").format(
        school=pledge.set.school.name, outcome=pledge.get_outcome_display()
    )


def blind() -> str:
    """Why a peer sees no other peer's score yet."""
    return _(
        "You are one of the peers. What the others said is shown once you have given your own "
        "score: two see more when neither looks at the other."
    )


def short(pledge: Pledge, acting: Appointment | None) -> Row | None:
    """The scores on the page of a promise: a few lines and where to read more; None without."""
    if pledge.self_score is None:
        return None
    scores, rule = queries.scores_of(pledge), pledges.settings()
    is_blind = queries.is_blind(acting, pledge, scores)
    own = _("{school} itself: {points}, on {day}").format(
        school=pledge.set.school.name,
        points=points(pledge.self_score, rule),
        day=day(pledge.self_at),
    )
    lines = [
        _("A peer, {name}: {points}, on {day}").format(
            name=each.name, points=points(each.score or 0, rule), day=day(each.scored_at)
        )
        for each in queries.open_scores(acting, pledge, scores)
    ]
    return {
        "lines": [own, *lines],
        "said": blind() if is_blind else said(pledge, scores, rule),
        "outcome": outcome(pledge),
        "url": url(pledge),
    }
