"""What the pages of scoring show: the own score, the peers' beside it, what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from brightspots_web.accountability import ceremony_queries as queries
from brightspots_web.accountability import ceremony_words as said
from brightspots_web.accountability import pledge_pages as pages
from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability import pledge_value_queries as values
from brightspots_web.accountability import pledge_words as words
from brightspots_web.accountability.ceremony_forms import (
    CannotForm,
    OutcomeForm,
    PeersForm,
    ScoreForm,
    WeighForm,
)
from brightspots_web.accountability.pledge_models import Pledge, PledgeScore, PledgeSettings
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import Cell
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Pledge.State
Peer = PledgeScore.State
TYPED = ("reason", "words", "why")


def page(pledge: Pledge, acting: Appointment | None, **sent: Any) -> Row:
    """The scores of a promise, with the forms of whoever looks; `sent` are shown again."""
    scores, rule = queries.scores_of(pledge), pledges.settings()
    now, own = _now(pledge, acting), pledges.is_own(acting, pledge)
    blind = queries.is_blind(acting, pledge, scores)
    offered = _offered(pledge, acting, scores, rule, sent, own=own)
    return {
        **_common(pledge, acting, rule, now, _("Scores")),
        "own_score": _own(pledge, now, rule, sees=pledges.sees_values(acting, pledge)),
        "peers": _peers(pledge, acting, scores, rule, now),
        "own": own,
        "blind": said.blind() if blind else "",
        "said": "" if blind else said.said(pledge, scores, rule),
        "how_many": said.how_many(pledge, scores, rule),
        "outcome": said.outcome(pledge),
        "carried_to": _carried(pledge, acting),
        "waits": _waits(pledge, scores, rule, own=own),
        "early": _early(pledge) if "score_form" in offered and pledge.self_score is None else "",
        "verify_url": said.verify_url(pledge) if said.may_verify(pledge, acting) else "",
        "open_forms": sorted(sent),
        "refused": [_refused(form) for name, form in sent.items() if name not in offered],
        **offered,
    }


def verify_page(
    pledge: Pledge, acting: Appointment, mine: PledgeScore, **sent: Any
) -> Row:  # fmt: skip
    """What a peer reads before they score: the same as the school, and nobody else's score."""
    rule, now = pledges.settings(), _now(pledge, acting)
    offered: Row = {}
    if queries.is_open(pledge) and mine.state == Peer.ASKED:
        offered["score_form"] = sent.get("score_form") or ScoreForm(highest=rule.highest_score)
        offered["cannot_form"] = sent.get("cannot_form") or CannotForm(auto_id="cannot_%s")
    return {
        **_common(pledge, acting, rule, now, _("Verify it")),
        "own_score": _own(pledge, now, rule, sees=pledges.sees_values(acting, pledge)),
        "closed": _closed(pledge, mine),
        "scores_url": said.url(pledge),
        "open_forms": sorted(sent),
        "refused": [_refused(form) for name, form in sent.items() if name not in offered],
        **offered,
    }


def _common(
    pledge: Pledge, acting: Appointment | None, rule: PledgeSettings, now: values.Known, step: str
) -> Row:
    """What everybody reads who scores: what was promised, what was seen and said since."""
    sees = pledges.sees_values(acting, pledge)
    evidence = list(pledge.evidence.defer("file").select_related("note"))
    return {
        "pledge": pledge,
        "breadcrumb": pages.crumbs_of(pledge, step),
        "half": words.half(pledge),
        "badge": words.badge(pledge),
        "scale": said.scale(rule),
        "weight": said.weight(rule),
        "facts": _facts(pledge, now, sees=sees),
        "check_ins": [pages.check_in_row(each) for each in pledge.check_ins.all()],
        "evidence": [pages.evidence_row(each, acting, pledge, sees=sees) for each in evidence],
        "pledge_url": pages.url(pledge),
        "withdrawn": words.standing(pledge, []) if pledge.state == State.WITHDRAWN else "",
    }


def _now(pledge: Pledge, acting: Appointment | None) -> values.Known:
    """The value that is published today, for whoever may know it."""
    if not pledges.sees_values(acting, pledge):
        return {}
    school = pledge.other_school or pledge.set.school
    return values.published(school, pledge.priority, pledge.indicator)


def _facts(pledge: Pledge, now: values.Known, *, sees: bool) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [(_("Measure"), pledge.indicator.name)]
    if sees:
        facts.append((_("From (the baseline)"), words.value(pledge.baseline)))
    facts.append((_("To (the target)"), words.target(pledge)))
    if sees:
        facts.append((_("Published now"), words.value(now)))
    facts.append((_("By when"), words.due(pledge, directory.today())))
    return facts


def _peers(
    pledge: Pledge, acting: Appointment | None, scores: Sequence[PledgeScore],
    rule: PledgeSettings, now: values.Known,
) -> list[Row]:  # fmt: skip
    sees = pledges.sees_values(acting, pledge)
    blind = queries.is_blind(acting, pledge, scores)
    return [_peer(each, pledge, now, rule, sees=sees, blind=blind) for each in scores]


def _own(pledge: Pledge, now: values.Known, rule: PledgeSettings, *, sees: bool) -> Row | None:
    if pledge.self_score is None:
        return None
    return {
        "points": said.points(pledge.self_score, rule),
        "reason": pledge.self_reason,
        "known": said.known(pledge.self_known, now) if sees else [],
        "by": pledge.self_by,
        "on": day(pledge.self_at),
    }


def _peer(
    each: PledgeScore, pledge: Pledge, now: values.Known, rule: PledgeSettings, *,
    sees: bool, blind: bool,
) -> Row:  # fmt: skip
    """One peer: asked, scored, unable or set aside; without what is kept from who looks."""
    shown = each.score is not None and not blind
    why = each.why and not (blind and each.state == Peer.ASIDE)
    return {
        "name": each.name,
        "school": each.school.name,
        "badge": said.badge(each, open_still=queries.is_open(pledge)),
        "points": said.points(each.score, rule) if shown and each.score is not None else "",
        "reason": each.reason if shown else "",
        "known": said.known(each.known, now) if shown and sees else [],
        "on": day(each.scored_at) if each.scored_at else "",
        "asked": day(each.asked_at),
        "aside": each.state == Peer.ASIDE,
        "why": each.why if why else "",
        "why_by": each.why_by if why else "",
        "why_on": day(each.why_at) if why and each.why_at else "",
        "why_label": _why_label(each),
    }


def _why_label(each: PledgeScore) -> str:
    if each.state == Peer.CANNOT:
        return _("Cannot verify it:")
    if each.state == Peer.ASIDE:
        return _("Set aside, it does not count:")
    return _("Was set aside, and counts again:")


def _waits(
    pledge: Pledge, scores: Sequence[PledgeScore], rule: PledgeSettings, *, own: bool
) -> list[str]:
    """What whoever promises ought to know: of peers who left, said nothing, or cannot be found."""
    if not own or not queries.is_open(pledge):
        return []
    found = []
    left = [each.name for each in scores if each.state == Peer.LEFT]
    if left:
        found.append(
            _("A peer has left before scoring: {who}. Ask another.").format(who="; ".join(left))
        )
    silent = [each.name for each in scores if queries.is_silent(each)]
    if silent:
        found.append(
            _("No word for three weeks: {who}. They may still score; you may ask another.").format(
                who="; ".join(silent)
            )
        )
    if queries.places_free(pledge, rule) and not queries.may_verify(pledge):
        found.append(
            _(
                "No head of another school around is left to ask. Once the cycle is over you may "
                "say what became of it without more peers."
            )
        )
    if any(each.score is not None for each in scores):
        found.append(
            _(
                "If you think that a conflict of interest stands behind a score, tell the leader "
                "of your partnership or a witness: you do not set aside scores of your own promise."
            )
        )
    return found


def _early(pledge: Pledge) -> str:
    if pledge.due <= directory.today():
        return ""
    return _(
        "Its day is {day}. You may score it now; then it takes no more check-ins and witnesses."
    ).format(day=day(pledge.due))


def _closed(pledge: Pledge, mine: PledgeScore) -> str:
    """Why a peer who was asked finds no form."""
    if pledge.state == State.WITHDRAWN:
        return _("It is withdrawn: it is scored and verified no more. Its page says why.")
    if mine.score is not None:
        return _("You have scored it. What you said stands beside the others.")
    if mine.state == Peer.CANNOT:
        return _("You said that you cannot verify it: {why}").format(why=mine.why)
    if pledge.outcome:
        return _("Its school has said what became of it: it is closed for scores. Thank you.")
    return ""


def _offered(
    pledge: Pledge,
    acting: Appointment | None,
    scores: Sequence[PledgeScore],
    rule: PledgeSettings,
    sent: Mapping[str, Any],
    *,
    own: bool,
) -> Row:
    """The forms of whoever looks, with what was typed where one is shown again."""
    found: Row = {}
    seen = {"seen": pledge.version}
    if own and pledge.state in {*pledges.RUNS, *queries.SCORED}:
        scored = any(each.score is not None for each in scores)
        if not scored and not pledge.outcome:
            given = {**seen, "score": pledge.self_score, "reason": pledge.self_reason}
            found["score_form"] = sent.get("score_form") or ScoreForm(
                initial=given, highest=rule.highest_score
            )
    if own and queries.is_open(pledge):
        places = queries.places_free(pledge, rule)
        people = queries.may_verify(pledge) if places else []
        if people:
            found["peers_form"] = sent.get("peers_form") or PeersForm(
                people=people, places=places, auto_id="peers_%s"
            )
    if own and queries.may_end(pledge) and _carried(pledge, acting) is None:
        given = {**seen, "outcome": pledge.outcome, "words": pledge.outcome_words}
        found["outcome_form"] = sent.get("outcome_form") or outcome_form(pledge, initial=given)
    weigh = queries.to_weigh(acting, pledge, scores)
    if weigh and not queries.is_blind(acting, pledge, scores):
        found["weigh_form"] = sent.get("weigh_form") or WeighForm(
            scores=weigh, initial=seen, auto_id="weigh_%s"
        )
    return found


def outcome_form(pledge: Pledge, *args: Any, **kwargs: Any) -> OutcomeForm:
    later = queries.next_cycle(pledge.set.cycle)
    name = later.name if later else ""
    return OutcomeForm(*args, next_cycle=name, auto_id="outcome_%s", **kwargs)


def _carried(pledge: Pledge, acting: Appointment | None) -> Row | None:
    """The promise in the next cycle by which it goes on, with its link for who may read it."""
    if pledge.outcome != Pledge.Outcome.CARRIED:
        return None
    later = queries.carried_to(pledge)
    if later is None:
        return None
    readable = pledges.pledge_with(acting, later.pk) is not None
    return {
        "cycle": later.set.cycle.name,
        "url": pages.url(later) if readable else "",
        "draft": later.state == State.DRAFT,
    }


def _refused(form: forms.Form) -> Row:
    """What was sent too late for its form to stand on the page: why not, and what was typed."""
    problems = [str(each) for errors in form.errors.values() for each in errors]
    typed = [form.data.get(name, "") for name in TYPED]
    return {"problems": problems, "typed": [each for each in typed if each]}


# What other pages show of scores


def front_items(acting: Appointment | None) -> list[Row]:
    """What waits for this person: promises to verify, own ones to take further."""
    found: list[Row] = [
        {
            "text": _("{school} asks you to verify, as a peer, how it kept a promise.").format(
                school=each.pledge.set.school.name
            ),
            "url": said.verify_url(each.pledge),
            "link": _("Read it and score"),
        }
        for each in queries.waiting_for(acting)
    ]
    for each in queries.to_finish(acting):
        if queries.may_end(each):
            text = _("Say what became of your promise: “{promise}”").format(promise=each.promise)
            link = _("Say it")
        else:
            text = _("Peers have not verified your promise: “{promise}”").format(
                promise=each.promise
            )
            link = _("Ask peers")
        found.append({"text": text, "url": said.url(each), "link": link})
    return found[:4]
