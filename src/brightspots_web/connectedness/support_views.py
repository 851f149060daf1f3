"""Pages of support for schools: asking, offering, answering."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import queries as alignment
from brightspots_web.connectedness import support_actions as actions
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness import support_offer_actions as editing
from brightspots_web.connectedness import support_pages as pages
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness.models import SupportMatch, SupportRequest
from brightspots_web.connectedness.support_broker_pages import officer_part
from brightspots_web.connectedness.support_forms import (
    AskForm,
    EditOfferForm,
    OfferForm,
    TermsForm,
    TriageForm,
    WhyForm,
    priority_of,
)
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import School
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


def _own_school(request: ActingRequest) -> School:
    school = queries.own_school(request.acting)
    if school is None:
        raise PermissionDenied
    return school


@require_safe
def support(request: ActingRequest) -> HttpResponse:
    """My school's support: asking and giving side by side. Officers go to their queue."""
    if may(request.acting, Capability.BROKER):
        return redirect("connectedness:support_queue")
    school = _own_school(request)
    context = pages.school_page(school, request.acting)
    return render(request, "connectedness/support/school.html", context)


@requires(Capability.ASK_SUPPORT)
@require_safe
def support_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    school = _own_school(request)
    return respond(
        fmt,
        title=_("Support"),
        filename=f"support-{school.code}",
        columns=pages.export_columns(),
        rows=pages.export_rows(school),
    )


@requires(Capability.ASK_SUPPORT)
@READ_OR_SEND
def ask(request: ActingRequest) -> HttpResponse:
    """Ask for support: four fields, the priority chosen beforehand where one fits."""
    return _new(request, AskForm, giving=False)


@requires(Capability.OFFER_SUPPORT)
@READ_OR_SEND
def offer(request: ActingRequest) -> HttpResponse:
    """Offer support: four fields."""
    return _new(request, OfferForm, giving=True)


def _new(
    request: ActingRequest, kind: type[AskForm] | type[OfferForm], *, giving: bool
) -> HttpResponse:
    school, acting = _own_school(request), by(request)
    live = alignment.live_priorities()
    template = f"connectedness/support/{'offer_new' if giving else 'ask'}.html"

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"form": form, "school": school, "none_live": not live}
        return render(request, template, context, status=status)

    if request.method != "POST":
        fits = queries.fitting_priority(school, acting, giving=giving) if live else None
        initial = {"priority": str(fits.pk)} if fits else {}
        return again(kind(priorities=live, initial=initial), 200)
    form = kind(request.POST, priorities=live)

    def act(data: dict[str, Any]) -> Any:
        wanted = {**data, "priority": priority_of(form, live)}
        if giving:
            return actions.offer(school, by=acting, **wanted)
        return actions.ask(school, by=acting, **wanted)

    page = "support_offer" if giving else "support_request"
    return take(
        request,
        form,
        act,
        done=_("Offered. Officers see it from now on.")
        if giving
        else _("Asked. The officers of your area see it, nobody else outside."),
        back=lambda row: reverse(f"connectedness:{page}", args=[row.pk]),
        again=again,
    )


@require_safe
def one_offer(request: ActingRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(queries.offers_visible_to(request.acting), pk=pk)
    context = pages.offer_page(found, request.acting)
    return render(request, "connectedness/support/offer.html", context)


@READ_OR_SEND
def edit_offer(request: ActingRequest, pk: int) -> HttpResponse:
    """Change one's school's offer; what is agreed already is the least that is offered."""
    found = get_object_or_404(queries.offers_visible_to(request.acting), pk=pk)
    acting, back = by(request), reverse("connectedness:support_offer", args=[pk])
    if not queries.answers_for(acting, found.school_id):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        found.refresh_from_db()
        context = {"form": fresh(form, found.version), "found": found, "back": back}
        return render(request, "connectedness/support/offer_edit.html", context, status=status)

    if request.method != "POST":
        return again(EditOfferForm(initial=pages.offer_values(found)), 200)
    return take(
        request,
        EditOfferForm(request.POST),
        lambda data: editing.edit_offer(found, by=acting, **data),
        done=_("Saved."),
        back=lambda _row: back,
        again=again,
    )


@require_POST
def offer_state(request: ActingRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(queries.offers_visible_to(request.acting), pk=pk)
    acting = by(request)
    if not queries.answers_for(acting, found.school_id):
        raise PermissionDenied
    return press(
        request,
        lambda: actions.set_offer_state(
            found, request.POST.get("to", ""), by=acting, seen=seen(request)
        ),
        done=_("Saved."),
        back=reverse("connectedness:support_offer", args=[pk]),
    )


@require_safe
def one_request(request: ActingRequest, pk: int) -> HttpResponse:
    return request_page(request, _request(request, pk))


def request_page(
    request: ActingRequest,
    found: SupportRequest,
    status: int = 200,
    **sent: forms.Form,
) -> HttpResponse:
    """The page of a request; `sent` holds the form that was sent and not taken."""
    if not queries.requests_visible_to(request.acting).filter(pk=found.pk).exists():
        # A form about a match that is over: it opens nothing to a school that declined.
        messages.error(request, _("This request is no longer open to your school."))
        return redirect("connectedness:support")
    found.refresh_from_db()
    context = pages.request_page(found, request.acting)
    match: SupportMatch | None = context["match"]
    mine = {
        "agree_form": WhyForm(
            auto_id="agree_%s", hint=_("The officers read it."), initial={"seen": found.version}
        ),
        "withdraw_form": WhyForm(auto_id="withdraw_%s", initial={"seen": found.version}),
        "triage_form": TriageForm(
            auto_id="triage_%s",
            initial={
                "urgency": found.urgency,
                "note": found.triage_note,
                "seen": found.version,
            },
        ),
    }
    forms_of_match = {} if match is None else _match_forms(match)
    chosen = {**mine, **forms_of_match, **sent}
    for name, form in chosen.items():
        of_match = name in forms_of_match and match is not None
        fresh(form, match.version if of_match and match else found.version)
    if context["officer"]:
        context |= officer_part(found)
    context |= chosen
    return render(request, "connectedness/support/request.html", context, status=status)


def _match_forms(match: SupportMatch) -> dict[str, forms.Form]:
    known = {"seen": match.version}
    hint = _("Only the officers read it. It helps them to suggest what fits better.")
    return {
        "decline_form": WhyForm(auto_id="decline_%s", hint=hint, initial=known),
        "give_back_form": WhyForm(auto_id="give_back_%s", hint=hint, initial=known),
        "terms_form": TermsForm(
            auto_id="terms_%s", initial={**known, "days": f"{float(match.request.days):g}"}
        ),
    }


def _request(request: ActingRequest, pk: int) -> SupportRequest:
    return get_object_or_404(queries.requests_visible_to(request.acting), pk=pk)


def request_url(pk: int) -> str:
    return reverse("connectedness:support_request", args=[pk])


@require_POST
def answer_proposal(request: ActingRequest, pk: int) -> HttpResponse:
    """The head agrees to proposed support with one press, or says why not."""
    found = _request(request, pk)
    acting = by(request)
    if not queries.answers_for(acting, found.school_id):
        raise PermissionDenied
    if request.POST.get("agree") == "yes":
        return press(
            request,
            lambda: actions.answer_proposal(found, by=acting, agree=True, seen=seen(request)),
            done=_("Agreed. Officers look for a school that fits."),
            back=request_url(pk),
        )
    return take(
        request,
        WhyForm(request.POST, auto_id="agree_%s"),
        lambda data: actions.answer_proposal(found, by=acting, agree=False, **data),
        done=_("Said. Nothing is matched."),
        back=lambda row: request_url(row.pk),
        again=lambda form, status: request_page(request, found, status, agree_form=form),
    )


@require_POST
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    found = _request(request, pk)
    acting = by(request)
    own = queries.answers_for(acting, found.school_id)
    if not own and not queries.brokers_for(acting, found.school):
        raise PermissionDenied
    return take(
        request,
        WhyForm(request.POST, auto_id="withdraw_%s"),
        lambda data: actions.withdraw_request(found, by=acting, **data),
        done=_("Taken back."),
        back=lambda row: request_url(row.pk),
        again=lambda form, status: request_page(request, found, status, withdraw_form=form),
    )


def find_match(request: ActingRequest, pk: int) -> SupportMatch:
    return get_object_or_404(queries.matches_visible_to(request.acting), pk=pk)


def _check_side(acting: Any, match: SupportMatch) -> None:
    if not any(
        queries.answers_for(acting, key) for key in (match.request.school_id, match.offer.school_id)
    ):
        raise PermissionDenied


@require_POST
def accept(request: ActingRequest, pk: int) -> HttpResponse:
    match, acting = find_match(request, pk), by(request)
    _check_side(acting, match)
    return press(
        request,
        lambda: matching.accept(match, by=acting, seen=seen(request)),
        done=_("Accepted."),
        back=request_url(match.request_id),
    )


@require_POST
def decline(request: ActingRequest, pk: int) -> HttpResponse:
    match, acting = find_match(request, pk), by(request)
    _check_side(acting, match)
    return take(
        request,
        WhyForm(request.POST, auto_id="decline_%s"),
        lambda data: matching.decline(match, by=acting, **data),
        done=_("Declined. The officers know why."),
        back=lambda _next: _after(request, match),
        again=lambda form, status: request_page(request, match.request, status, decline_form=form),
    )


@require_POST
def give_back(request: ActingRequest, pk: int) -> HttpResponse:
    """Take back a match: a school after both accepted, an officer at any time before terms."""
    match, acting = find_match(request, pk), by(request)
    if not queries.brokers_for(acting, match.request.school):
        _check_side(acting, match)
    return take(
        request,
        WhyForm(request.POST, auto_id="give_back_%s"),
        lambda data: matching.withdraw_match(match, by=acting, **data),
        done=_("Taken back. The request is in the queue as before."),
        back=lambda _row: _after(request, match),
        again=lambda form, status: request_page(
            request, match.request, status, give_back_form=form
        ),
    )


def _after(request: ActingRequest, match: SupportMatch) -> str:
    """Back to the request, or home where it is no longer open to whoever declined."""
    still = queries.requests_visible_to(request.acting).filter(pk=match.request_id).exists()
    return request_url(match.request_id) if still else reverse("connectedness:support")
