"""The list of proposals, one of them, writing, proposing and withdrawing it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import agreement_words
from brightspots_web.alignment import proposal_actions as actions
from brightspots_web.alignment import proposal_pages as pages
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment import proposal_talk_pages as talk_pages
from brightspots_web.alignment.kept_words import keeping
from brightspots_web.alignment.models import Agreement, PriorityProposal
from brightspots_web.alignment.proposal_forms import (
    CommentForm,
    ProposalFilter,
    ProposalForm,
    ReasonForm,
)
from brightspots_web.directory import indicator_queries
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.insight import queries as insight
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "alignment/proposal"


def found(request: ActingRequest, pk: int) -> PriorityProposal:
    """The proposal, if it may be opened; 404 for others, 403 for people without an appointment."""
    by(request)
    proposal = queries.proposal_visible_to(request.acting, pk)
    if proposal is None:
        raise Http404
    return proposal


def _mine(request: ActingRequest, pk: int) -> PriorityProposal:
    """As :func:`found`, for whoever answers for it today."""
    proposal = found(request, pk)
    if not queries.may_answer(request.acting, proposal):
        raise PermissionDenied
    return proposal


def _present(open_ones: Sequence[Agreement]) -> Agreement | None:
    """The cycle that is being agreed on now; else the one at work, or the next."""
    finding = {"propose", "consult", "ballot", "adopt"}
    being_agreed = [each for each in open_ones if calendar.phase_of(each) in finding]
    return next(iter([*being_agreed, *open_ones]), None)


def _filter(request: ActingRequest, present: Agreement | None) -> ProposalFilter:
    return ProposalFilter(
        request.GET,
        agreements=list(calendar.agreements()),
        present=present,
        subjects=queries.subjects_proposed(),
        own=may(request.acting, Capability.PROPOSE_PRIORITIES),
    )


@require_safe
def proposals(request: ActingRequest) -> HttpResponse:
    """What is proposed, by title; one's own drafts among it."""
    acting = by(request)
    open_ones = calendar.open_agreements()
    present = _present(open_ones)
    form = _filter(request, present)
    page = Paginator(queries.search(acting, form.search()), PAGE).get_page(request.GET.get("page"))
    taking = any(calendar.phase_of(each) == "propose" for each in open_ones)
    empty = (
        _("No proposal fits. Clear the filter, or choose another cycle.")
        if form.has_changed()
        else _("Nothing is proposed yet. The calendar says from when on something can be.")
    )
    context = {
        "form": form,
        "page": page,
        "table": pages.table(page, request.GET.urlencode(), empty),
        "present": present,
        "where_we_are": agreement_words.where_we_are(present) if present else "",
        "drafts": queries.drafts_of(acting),
        "may_propose": taking and bool(queries.voices_of(acting)),
        "breadcrumb": pages.crumbs(),
    }
    return render(request, f"{FOLDER}/proposals.html", context)


@require_safe
def proposals_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    acting = by(request)
    return respond(
        fmt,
        title=_("Proposals"),
        filename="proposals",
        columns=pages.export_columns(),
        rows=pages.export_rows(
            queries.search(acting, _filter(request, _present(calendar.open_agreements())).search())
        ),
    )


@require_safe
def proposal(request: ActingRequest, pk: int) -> HttpResponse:
    return page_of(request, found(request, pk))


def page_of(
    request: ActingRequest, shown: PriorityProposal, status: int = 200, **sent: forms.Form
) -> HttpResponse:
    """The page of a proposal, with a form that was sent and has to be shown again."""
    context = pages.page(shown, request.acting)
    if shown.state != PriorityProposal.State.DRAFT:
        context |= talk_pages.section(shown, request.acting)
    context["comment_form"] = sent.get("comment_form") or CommentForm()
    context["withdraw_form"] = sent.get("withdraw_form") or ReasonForm(
        initial={"seen": shown.version}
    )
    context["badges"] = pages.badges(shown)
    return render(request, f"{FOLDER}/proposal.html", context, status=status)


def _offered(request: ActingRequest) -> dict[str, Any]:
    return {
        "subjects": sorted(insight.subjects(), key=str.casefold),
        "indicators": list(indicator_queries.indicators_visible_to(request.acting)),
    }


@keeping("title", "why", "drivers")
@requires(Capability.PROPOSE_PRIORITIES)
@READ_OR_SEND
def write(request: ActingRequest) -> HttpResponse:
    """Write a proposal as a draft, with the need as published beside it."""
    voices = queries.voices_of(request.acting)
    if not voices:
        raise PermissionDenied
    open_ones = calendar.open_agreements()
    taking = [each for each in open_ones if calendar.phase_of(each) in {"before", "propose"}]
    cannot = "" if taking else _cannot(_present(open_ones))

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "needs": pages.needs_beside_the_form(),
            "cannot": cannot,
            "breadcrumb": pages.crumbs(_("Propose a priority")),
        }
        return render(request, f"{FOLDER}/write.html", context, status=status)

    kwargs: dict[str, Any] = {**_offered(request), "voices": voices, "agreements": taking}
    if request.method != "POST":
        return again(ProposalForm(**kwargs), 200)
    form = ProposalForm(request.POST, **kwargs)
    if cannot:
        form.is_valid()
        form.add_error(None, cannot)
    return take(
        request,
        form,
        lambda data: actions.write_draft(form.chosen_agreement(), form.chosen_voice(), form.text(),
                                         by=by(request)),
        done=_("The draft is saved. Only you see it until you propose it."),
        back=pages.url,
        again=again,
    )  # fmt: skip


def _cannot(present: Agreement | None) -> str:
    """Why nothing can be written down as a proposal now."""
    if present is None:
        return _(
            "No calendar is set yet: the ministry says from when on something can be proposed."
        )
    return agreement_words.not_in_this_phase(present, "propose")


@keeping("title", "why", "drivers")
@requires(Capability.PROPOSE_PRIORITIES)
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    shown = _mine(request, pk)
    kwargs = _offered(request)
    if shown.subject and shown.subject not in kwargs["subjects"]:
        kwargs["subjects"].append(shown.subject)
    run = insight.current_run()
    kept = shown.evidence.get("run", "")
    kwargs["newer"] = bool(kept) and run is not None and str(run.uuid) != kept

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "proposal": shown,
            "overtaken": status == 409,
            "needs": pages.needs_beside_the_form(),
            "breadcrumb": pages.crumbs_of(shown, _("Change")),
        }
        return render(request, f"{FOLDER}/change.html", context, status=status)

    if request.method != "POST":
        initial = {
            "seen": shown.version, "title": shown.title, "why": shown.why,
            "subject": shown.subject, "drivers": shown.drivers,
            "indicators": [each.code for each in shown.indicators.all()],
        }  # fmt: skip
        return again(ProposalForm(initial=initial, **kwargs), 200)
    form = ProposalForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda data: actions.change(shown, form.text(), by=by(request), seen=data["seen"],
                                    renew=data.get("renew", False)),
        done=_("Saved."),
        back=pages.url,
        again=again,
        row=shown,
    )  # fmt: skip


@requires(Capability.PROPOSE_PRIORITIES)
@require_POST
def propose(request: ActingRequest, pk: int) -> HttpResponse:
    shown = _mine(request, pk)
    return press(
        request,
        lambda: actions.propose(shown, by=by(request), seen=seen(request)),
        done=_("It is proposed: everybody can read it, with the need as it is published today."),
        back=pages.url(shown),
    )


@requires(Capability.PROPOSE_PRIORITIES)
@require_POST
def discard(request: ActingRequest, pk: int) -> HttpResponse:
    shown = _mine(request, pk)
    try:
        actions.discard(shown, by=by(request), seen=seen(request))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect(pages.url(shown))
    messages.success(request, _("The draft is thrown away."))
    return redirect(reverse("alignment:proposals"))


@keeping("why")
@requires(Capability.PROPOSE_PRIORITIES)
@require_POST
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    shown = _mine(request, pk)
    return take(
        request,
        ReasonForm(request.POST),
        lambda data: actions.withdraw(shown, by=by(request), why=data["why"], seen=data["seen"]),
        done=_("It is withdrawn. Its page stays, with the reason."),
        back=pages.url,
        again=lambda form, status: page_of(
            request, shown, status, withdraw_form=fresh(form, shown.version)
        ),
    )
