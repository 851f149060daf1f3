"""Readiness and powers: the list, one place, asking, answering, handing over and back."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Appointment
from brightspots_web.directory.view_helpers import by, take
from brightspots_web.pace import power_actions as actions
from brightspots_web.pace import power_gate_actions as gate_actions
from brightspots_web.pace import power_gate_queries as gates
from brightspots_web.pace import power_pages as pages
from brightspots_web.pace import power_queries as queries
from brightspots_web.pace import power_words as words
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import PowerTransfer
from brightspots_web.pace.power_forms import (
    AnswerForm,
    AskForm,
    GateForm,
    OfferForm,
    SettingsForm,
    TakeBackForm,
    WhyForm,
)
from brightspots_web.pace.stage_place_queries import Place
from brightspots_web.pace.stage_views import list_of, of_areas, place_or_404
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
May = Callable[[Appointment | None, Place], bool]


def _show(
    request: ActingRequest, form: forms.Form, status: int, place: Place, heading: str, **more: Any
) -> HttpResponse:
    """A page with one form about a place's powers."""
    context = {
        "form": form,
        "heading": heading,
        "kind": place.name,
        "cancel_url": pages.url(place),
        "breadcrumb": pages.crumbs_of(place, heading),
        "known_heading": _("What is known today"),
        **more,
    }
    return render(request, "pace/stage/form.html", context, status=status)


def _transfer(request: ActingRequest, pk: int, allowed: May) -> tuple[PowerTransfer, Place]:
    by(request)
    found = get_object_or_404(queries.transfers_read_by(request.acting), pk=pk)
    place = places.of(found)
    if not allowed(request.acting, place):
        raise PermissionDenied
    return found, place


@require_safe
def powers(request: ActingRequest) -> HttpResponse:
    """The places in sight, by name: since when ready, what they hold, what waits."""
    acting = by(request)
    form, found = list_of(request)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "areas": of_areas(form),
        "page": page,
        "table": pages.table(page, request.GET.urlencode(), filtered=form.has_changed()),
        "waiting": pages.front_items(acting),
        "long": pages.waiting_long(acting),
        "rule": words.rule(),
        "settings": words.settings(gates.settings_now()),
        "may_set": gates.may_set(acting),
        "breadcrumb": [Link(_("Pace"), reverse("pace:home")), Link(_("Readiness and powers"))],
    }
    return render(request, "pace/power/powers.html", context)


@require_safe
def powers_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    by(request)
    _form, found = list_of(request)
    return respond(
        fmt,
        title=_("Readiness and powers"),
        filename=_("powers"),
        columns=pages.export_columns(),
        rows=places.in_parts(found, pages.rows_of),
        note=words.settings(gates.settings_now()),
    )


@require_safe
def powers_of(request: ActingRequest, kind: str, pk: int) -> HttpResponse:
    """One place: whether it is ready, what it holds, and how that came about."""
    place = place_or_404(request, kind, pk)
    return render(request, "pace/power/place.html", pages.page(place, request.acting))


@READ_OR_SEND
def ask(request: ActingRequest, kind: str, pk: int) -> HttpResponse:
    """Ask whether the place is ready."""
    place = place_or_404(request, kind, pk)
    if not places.answers_for(request.acting, place):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        return _show(
            request, form, status, place, _("Are we ready?"),
            lead=_("What the system knows stands beside your words, and both go along."),
            known=pages.known_now(place, request.acting), submit=_("Ask"),
        )  # fmt: skip

    if request.method != "POST":
        return again(AskForm(), 200)
    return take(
        request,
        AskForm(request.POST),
        lambda data: gate_actions.ask(place, data["words"], by=by(request)),
        done=_("It is asked. You are told as soon as it is answered."),
        back=lambda _made: pages.url(place),
        again=again,
    )


@READ_OR_SEND
def answer_gate(request: ActingRequest, pk: int) -> HttpResponse:
    """Say ready, or not yet and what would help."""
    by(request)
    found = get_object_or_404(gates.checks_read_by(request.acting), pk=pk)
    place = places.of(found)
    if not places.hands_to(request.acting, place):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        return _show(
            request, form, status, place, _("Is it ready?"), lead=found.words,
            known=pages.known_now(place, request.acting), submit=_("Answer"),
        )  # fmt: skip

    if request.method != "POST":
        return again(GateForm(initial={"seen": found.version}), 200)
    return take(
        request,
        GateForm(request.POST),
        lambda data: gate_actions.answer(
            found, ready=data["ready"] == "yes", said=data["answer"], by=by(request),
            seen=data["seen"],
        ),
        done=_("It is answered, and everybody there is told."),
        back=lambda _made: pages.url(place),
        again=again,
        row=found,
    )  # fmt: skip


@READ_OR_SEND
def offer(request: ActingRequest, kind: str, pk: int) -> HttpResponse:
    """Offer a power to the place."""
    place = place_or_404(request, kind, pk)
    if not places.hands_to(request.acting, place):
        raise PermissionDenied
    ready = gates.ready_since(place) is not None

    def again(form: forms.Form, status: int) -> HttpResponse:
        lead = (
            _("It was found ready. One power at a time; it can come back.") if ready
            else _("It has not been found ready yet: say why you hand it over nevertheless.")
        )  # fmt: skip
        return _show(
            request, form, status, place, _("Hand a power over"), lead=lead, submit=_("Offer it")
        )

    choices = queries.to_offer(place)
    if request.method != "POST":
        return again(OfferForm(powers=choices, ready=ready), 200)
    return take(
        request,
        OfferForm(request.POST, powers=choices, ready=ready),
        lambda data: actions.offer(
            place,
            actions.Offer(
                data["power"], data["starts"], data["why"], data.get("why_before", "")
            ),
            by=by(request),
        ),
        done=_("It is offered. It moves once it is accepted there."),
        back=lambda _made: pages.url(place),
        again=again,
    )  # fmt: skip


@READ_OR_SEND
def answer(request: ActingRequest, pk: int) -> HttpResponse:
    """Take a power on, or say not now."""
    found, place = _transfer(request, pk, places.answers_for)

    def again(form: forms.Form, status: int) -> HttpResponse:
        heading = _("Do you take on: {power}?").format(power=words.power(found.power))
        return _show(
            request, form, status, place, heading, lead=words.story(found)[0],
            submit=_("Answer"),
        )  # fmt: skip

    if request.method != "POST":
        return again(AnswerForm(initial={"seen": found.version}), 200)
    return take(
        request,
        AnswerForm(request.POST),
        lambda data: actions.answer(
            found, accepts=data["accepts"] == "yes", words=data["words"], by=by(request),
            seen=data["seen"],
        ),
        done=_("It is answered, and who offered it is told."),
        back=lambda _made: pages.url(place),
        again=again,
        row=found,
    )  # fmt: skip


def _end(
    request: ActingRequest,
    found: PowerTransfer,
    place: Place,
    form: type[WhyForm],
    act: Callable[[dict[str, Any]], PowerTransfer],
    heading: str,
    done: str,
) -> HttpResponse:
    """The one page on which a transfer ends, whichever way."""

    def again(shown: forms.Form, status: int) -> HttpResponse:
        return _show(
            request, shown, status, place, heading, lead=words.power(found.power), submit=heading
        )

    if request.method != "POST":
        return again(form(initial={"seen": found.version}), 200)
    return take(
        request, form(request.POST), act, done=done, back=lambda _made: pages.url(place),
        again=again, row=found,
    )  # fmt: skip


@READ_OR_SEND
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    """Withdraw an offer."""
    found, place = _transfer(request, pk, places.hands_to)
    return _end(
        request, found, place, WhyForm,
        lambda data: actions.withdraw(found, data["why"], by=by(request), seen=data["seen"]),
        _("Withdraw the offer"), _("The offer is withdrawn."),
    )  # fmt: skip


@READ_OR_SEND
def take_back(request: ActingRequest, pk: int) -> HttpResponse:
    """Take a power back, with an offer of support."""
    found, place = _transfer(request, pk, places.hands_to)
    return _end(
        request, found, place, TakeBackForm,
        lambda data: actions.take_back(
            found, data["why"], data["support"], by=by(request), seen=data["seen"]
        ),
        _("Take it back"), _("It is taken back, and everybody there is told why and what helps."),
    )  # fmt: skip


@READ_OR_SEND
def give_back(request: ActingRequest, pk: int) -> HttpResponse:
    """Give a power back."""
    found, place = _transfer(request, pk, places.answers_for)
    return _end(
        request, found, place, WhyForm,
        lambda data: actions.give_back(found, data["why"], by=by(request), seen=data["seen"]),
        _("Give it back"), _("It is given back; it can be taken on again later."),
    )  # fmt: skip


@requires(Capability.PLAN_PACE)
@READ_OR_SEND
def settings(request: ActingRequest) -> HttpResponse:
    """What readiness asks for."""
    now = gates.settings_now()

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form, "heading": _("What readiness asks for"),
            "lead": words.settings(gates.settings_now()),
            "cancel_url": reverse("pace:powers"),
            "breadcrumb": pages.crumbs(_("What readiness asks for")),
        }  # fmt: skip
        return render(request, "pace/stage/form.html", context, status=status)

    if request.method != "POST":
        return again(SettingsForm.of(now), 200)
    form = SettingsForm(request.POST)
    return take(
        request,
        form,
        lambda data: gate_actions.set_settings(form.given(), by=by(request), seen=data["seen"]),
        done=_("It is set, and holds for every question from now on."),
        back=lambda _made: reverse("pace:powers"),
        again=again,
        row=now if now.pk else None,
    )
