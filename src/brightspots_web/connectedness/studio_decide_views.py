"""Comparing proposals, asking the schools, adopting; and the school's own page."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from brightspots_web.connectedness import (
    actions,
    studio_compare_pages,
    studio_consult_actions,
    studio_consult_pages,
    studio_consult_queries,
    studio_pages,
    studio_queries,
)
from brightspots_web.connectedness.models import Proposal
from brightspots_web.connectedness.studio_actions import ChangedProposalError
from brightspots_web.connectedness.studio_compare_pages import PRESENT, Side
from brightspots_web.connectedness.studio_forms import (
    AdoptForm,
    CompareForm,
    ConsultForm,
    ReplyForm,
)
from brightspots_web.connectedness.studio_views import again_with, forming, proposal_or_404
from brightspots_web.directory import queries as directory
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.shared.exports import respond
from brightspots_web.shared.overtaken import OvertakenError


@forming
@require_safe
def compare(request: ActingRequest, pk: int) -> HttpResponse:
    """Two proposals, or a proposal and the partnerships of today."""
    found = proposal_or_404(request, pk)
    other, form = _other(request, found)
    context = {
        **studio_pages.head(found, request.acting),
        "breadcrumb": studio_pages.crumbs(found, _("Compare")),
        "form": form,
        **studio_compare_pages.page(found, other),
    }
    return render(request, "connectedness/studio/compare.html", context)


@forming
@require_safe
def differences_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = proposal_or_404(request, pk)
    other, _form = _other(request, found)
    return respond(
        fmt,
        title=_("Schools with other partners"),
        filename=f"proposal-{found.pk}-differences",
        columns=studio_compare_pages.difference_columns(found, other),
        rows=studio_compare_pages.difference_rows(found, other),
    )


def _other(request: ActingRequest, found: Proposal) -> tuple[Side, CompareForm]:
    choices = studio_compare_pages.choices(found, request.acting)
    data = {"other": request.GET.get("other") or PRESENT}
    form = CompareForm(data)
    form.offer(choices)
    if not form.is_valid():
        raise Http404
    other = studio_compare_pages.side(form.cleaned_data["other"], found, request.acting)
    if other is None:
        raise Http404
    return other, form


@forming
@require_http_methods(["GET", "HEAD", "POST"])
def consult(request: ActingRequest, pk: int) -> HttpResponse:
    """Ask the schools what they think, until a day."""
    found = proposal_or_404(request, pk)
    extra: dict[str, Any] = {}
    status = 200
    start = {"version": found.version, "until": found.consult_until}
    form = ConsultForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            studio_consult_actions.consult(
                found, chosen["until"], by=_acting(request), version=chosen["version"]
            )
        except ChangedProposalError as other:
            extra, status = again_with(form, found, other), 409
        except ValidationError as refusal:
            form.add_error(None, " ".join(refusal.messages))
        else:
            messages.success(request, _("The schools are asked, and their heads are told."))
            return redirect("connectedness:replies", pk=pk)
    context = {
        **studio_pages.head(found, request.acting),
        "breadcrumb": studio_pages.crumbs(found, _("Ask the schools")),
        "form": form,
        "silent": studio_consult_queries.without_head(found),
        **extra,
    }
    return render(request, "connectedness/studio/consult.html", context, status=status)


def _acting(request: ActingRequest) -> Any:
    assert request.acting is not None  # the decorator has seen to it
    return request.acting


@forming
@require_safe
def replies(request: ActingRequest, pk: int) -> HttpResponse:
    """What the schools say."""
    found = proposal_or_404(request, pk)
    show = request.GET.get("show", "")
    context = {
        **studio_pages.head(found, request.acting),
        "breadcrumb": studio_pages.crumbs(found, _("What the schools say")),
        **studio_consult_pages.replies(
            found, show if show in studio_consult_pages.SHOW else "", request.GET.get("page")
        ),
    }
    return render(request, "connectedness/studio/replies.html", context)


@forming
@require_safe
def replies_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = proposal_or_404(request, pk)
    return respond(
        fmt,
        title=_("What the schools say"),
        filename=f"proposal-{found.pk}-replies",
        columns=studio_consult_pages.reply_columns(),
        rows=studio_consult_pages.reply_rows(found),
    )


@forming
@require_http_methods(["GET", "HEAD", "POST"])
def adopt(request: ActingRequest, pk: int) -> HttpResponse:
    """Make the proposal real from a day on."""
    found = proposal_or_404(request, pk)
    extra: dict[str, Any] = {}
    status = 200
    start = {"version": found.version, "on": directory.today()}
    form = AdoptForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            actions.adopt(found, by=_acting(request), on=chosen["on"], version=chosen["version"])
        except ChangedProposalError as other:
            extra, status = again_with(form, found, other), 409
        except ValidationError as refusal:
            form.add_error(None, " ".join(refusal.messages))
        else:
            messages.success(request, _("Adopted. The heads of the schools are told."))
            return redirect("connectedness:proposal", pk=pk)
    answers = studio_consult_queries.answers(found) if found.consult_until else []
    context = {
        **studio_pages.head(found, request.acting),
        "breadcrumb": studio_pages.crumbs(found, _("Adopt")),
        "form": form,
        "asked": found.consult_until is not None,
        "tally": studio_consult_queries.tally(answers),
        "stale": studio_queries.stale(found),
        "across": studio_queries.across_border(found),
        "exceptions": len(studio_queries.state(found).exceptions),
        **extra,
    }
    return render(request, "connectedness/studio/adopt.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def consultation(request: ActingRequest, pk: int) -> HttpResponse:
    """What is proposed for one's own school, and its answer."""
    found = get_object_or_404(studio_consult_queries.consultations_open_to(request.acting), pk=pk)
    acting = _acting(request)
    form = ReplyForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            studio_consult_actions.reply(
                found,
                by=acting,
                answer=chosen["answer"],
                reason=chosen["reason"],
                about=[code for code in chosen["about"].split(",") if code],
                seen=chosen["seen"],
            )
        except OvertakenError as problem:
            form.add_error(None, " ".join(problem.messages))
            status = 409
        except ValidationError as problem:
            form.add_error(None, " ".join(problem.messages))
        else:
            messages.success(request, _("Thank you. Your answer is with those who asked."))
            return redirect("connectedness:consultation", pk=pk)
    context = studio_consult_pages.consultation(found, acting.school)
    fresh = {"about": context["about"], "seen": context["seen"]}
    if request.method == "POST":
        # What is above was read just now: the next attempt is held against this.
        form.data = request.POST.copy()
        form.data.update(fresh)
    else:
        reply = context["reply"]
        form.initial = fresh | (
            {"answer": reply.answer, "reason": reply.reason} if reply is not None else {}
        )
    return render(
        request, "connectedness/studio/consultation.html", context | {"form": form}, status=status
    )
