"""Scoring a promise, verifying it as a peer, what became of it, and the rules for it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from brightspots_web.accountability import ceremony_actions as actions
from brightspots_web.accountability import ceremony_outcome_actions as outcomes
from brightspots_web.accountability import ceremony_queries as queries
from brightspots_web.accountability import ceremony_score_pages as pages
from brightspots_web.accountability import ceremony_words as said
from brightspots_web.accountability import pledge_pages
from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability.ceremony_forms import (
    CannotForm,
    PeersForm,
    ScoreForm,
    SettingsForm,
    WeighForm,
)
from brightspots_web.accountability.pledge_models import Pledge, PledgeScore
from brightspots_web.accountability.pledge_views import found_by, own
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, take
from brightspots_web.shared.permissions import Capability

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "accountability/ceremony"


@READ_OR_SEND
def score(request: ActingRequest, pk: int) -> HttpResponse:
    """The scores side by side, for whoever reads the promise; its school scores it here."""
    if request.method != "POST":
        found = found_by(request, pk)
        if found.state == Pledge.State.DRAFT:
            messages.info(request, _("It is a draft: promise it first, then it can be scored."))
            return redirect(pledge_pages.url(found))
        return score_page(request, found)
    found = own(request, pk)
    form = ScoreForm(request.POST, highest=pledges.settings().highest_score)
    return take(
        request,
        form,
        lambda data: actions.score(
            found, data["score"], data["reason"], by=by(request), seen=data["seen"],
            names_no_pupil=data["names_no_pupil"],
        ),
        done=_("Your score stands. Now ask peers from other schools to verify it."),
        back=said.url,
        again=lambda form, status: score_page(request, found, status, score_form=form),
    )  # fmt: skip


def score_page(
    request: ActingRequest, found: Pledge, status: int = 200, **sent: Any
) -> HttpResponse:
    """The page of scores, with a form that was sent and has to be shown again."""
    if sent:
        found = found_by(request, found.pk)
    if status == 409:
        for form in sent.values():
            fresh(form, found.version)
    context = pages.page(found, request.acting, **sent) | {"overtaken": status == 409}
    return render(request, f"{FOLDER}/score.html", context, status=status)


@requires(Capability.PLEDGE)
@require_POST
def ask(request: ActingRequest, pk: int) -> HttpResponse:
    """Ask peers of other schools."""
    found = own(request, pk)
    places = max(queries.places_free(found, pledges.settings()), 1)
    form = PeersForm(
        request.POST, people=queries.may_verify(found), places=places, auto_id="peers_%s"
    )
    return take(
        request,
        form,
        lambda _data: actions.ask(found, form.chosen(), by=by(request)),
        done=_("They are asked, and told."),
        back=lambda _rows: said.url(found) + "#peers",
        again=lambda form, status: score_page(request, found, status, peers_form=form),
    )


@requires(Capability.PLEDGE)
@require_POST
def outcome(request: ActingRequest, pk: int) -> HttpResponse:
    """What became of it, said by its school."""
    found = own(request, pk)
    return take(
        request,
        pages.outcome_form(found, request.POST),
        lambda data: outcomes.say_outcome(
            found, data["outcome"], data["words"], by=by(request), seen=data["seen"],
            names_no_pupil=data["names_no_pupil"],
        ),
        done=_("It is said, and those who stood by the promise are told."),
        back=lambda _pledge: said.url(found) + "#outcome",
        again=lambda form, status: score_page(request, found, status, outcome_form=form),
    )  # fmt: skip


@requires(Capability.PLEDGE)
@require_POST
def weigh(request: ActingRequest, pk: int) -> HttpResponse:
    """Set a score aside for a conflict of interest, or let it count again."""
    found = found_by(request, pk)
    acting = by(request)
    scores = queries.to_weigh(acting, found, queries.scores_of(found))
    if not scores:
        raise PermissionDenied
    form = WeighForm(request.POST, scores=scores, auto_id="weigh_%s")

    def act(data: dict[str, Any]) -> PledgeScore:
        chosen = form.chosen()
        counts = chosen.state == PledgeScore.State.ASIDE
        return actions.weigh(chosen, data["why"], by=acting, counts=counts, seen=data["seen"])

    return take(
        request,
        form,
        act,
        done=_("Written down, with your reason. The school and the peer are told."),
        back=lambda _row: said.url(found) + "#peers",
        again=lambda form, status: score_page(request, found, status, weigh_form=form),
    )


# As a peer


def _mine(request: ActingRequest, found: Pledge) -> PledgeScore:
    """The row by which one was asked; 403 for who only reads the promise."""
    mine = queries.asked_to_verify(request.acting, found)
    if mine is None:
        raise PermissionDenied
    return mine


@requires(Capability.PLEDGE)
@READ_OR_SEND
def verify(request: ActingRequest, pk: int) -> HttpResponse:
    """Score the promise of another school, before seeing what the other peers say."""
    found = found_by(request, pk)
    _mine(request, found)
    if request.method != "POST":
        return verify_page(request, found)
    form = ScoreForm(request.POST, highest=pledges.settings().highest_score)
    return take(
        request,
        form,
        lambda data: actions.verify(
            found, data["score"], data["reason"], by=by(request),
            names_no_pupil=data["names_no_pupil"],
        ),
        done=_("Your score stands beside the school’s own, and the school is told. Thank you."),
        back=lambda _row: said.url(found),
        again=lambda form, status: verify_page(request, found, status, score_form=form),
    )  # fmt: skip


def verify_page(
    request: ActingRequest, found: Pledge, status: int = 200, **sent: Any
) -> HttpResponse:
    if sent:
        found = found_by(request, found.pk)
    context = pages.verify_page(found, by(request), _mine(request, found), **sent)
    return render(request, f"{FOLDER}/verify.html", context, status=status)


@requires(Capability.PLEDGE)
@require_POST
def cannot(request: ActingRequest, pk: int) -> HttpResponse:
    """A peer says that they cannot, and why."""
    found = found_by(request, pk)
    _mine(request, found)
    return take(
        request,
        CannotForm(request.POST, auto_id="cannot_%s"),
        lambda data: actions.cannot(found, data["why"], by=by(request)),
        done=_("The school is told why, and asks another."),
        back=lambda _row: said.url(found),
        again=lambda form, status: verify_page(request, found, status, cannot_form=form),
    )


# The rules


@requires(Capability.SET_ACCOUNTABILITY)
@READ_OR_SEND
def settings(request: ActingRequest) -> HttpResponse:
    """How promises are scored, for the whole system."""
    fixed = queries.scale_is_fixed()

    def again(form: forms.Form, status: int) -> HttpResponse:
        now = pledges.settings()
        if status == 409:
            fresh(form, now.version)
        context = {
            "form": form,
            "now": now if status == 409 else None,
            "breadcrumb": pledge_pages.crumbs(_("How promises are scored")),
        }
        return render(request, f"{FOLDER}/settings.html", context, status=status)

    if request.method != "POST":
        return again(SettingsForm.of(pledges.settings(), fixed=fixed), 200)
    form = SettingsForm(request.POST, fixed=fixed)
    return take(
        request,
        form,
        lambda data: actions.set_rules(form.given(), by=by(request), seen=data["seen"]),
        done=_("Saved. It holds for all promises that are scored from now on."),
        back=lambda _saved: request.path,
        again=again,
    )
