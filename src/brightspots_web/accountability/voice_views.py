"""Consultations: the list, one of them, writing, opening, withdrawing, counting."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.accountability import response_pages
from brightspots_web.accountability import voice_actions as actions
from brightspots_web.accountability import voice_pages as pages
from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability import voice_time_actions as timing
from brightspots_web.accountability import voice_words as words
from brightspots_web.accountability.models import Consultation
from brightspots_web.accountability.voice_forms import (
    ConsultationFilter,
    ConsultationForm,
    WithdrawForm,
    as_it_stands,
    questions_of,
)
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.forms import SeenForm
from brightspots_web.shared.permissions import Capability, may

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "accountability/voice"
State = Consultation.State


def found_by(request: ActingRequest, pk: int) -> Consultation:
    """A consultation somebody may open; 404 for everybody else."""
    found = queries.consultation_with(by(request), pk)
    if found is None:
        raise Http404
    return found


def _managed(request: ActingRequest, pk: int) -> Consultation:
    """One of the own side; 403 for who only reads it."""
    found = found_by(request, pk)
    if not queries.manages(request.acting, found):
        raise PermissionDenied
    return found


@require_safe
def voice(request: ActingRequest) -> HttpResponse:
    """What is asked, what was answered, and what waits for the person."""
    acting = by(request)
    form = ConsultationFilter(request.GET)
    found = queries.search(acting, form.search())
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "table": pages.table(page, request.GET.urlencode(), filtered=form.has_changed()),
        "waiting": pages.front_items(acting),
        "may_ask": may(acting, Capability.CONSULT),
        "may_moderate": may(acting, Capability.MODERATE_VOICE),
        "withheld": response_pages.withheld_rows(acting),
        "breadcrumb": [Link(_("Voice"))],
    }
    return render(request, f"{FOLDER}/voice.html", context)


@require_safe
def voice_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.search(by(request), ConsultationFilter(request.GET).search())
    return respond(
        fmt,
        title=_("Consultations"),
        filename="consultations",
        columns=pages.list_columns(),
        rows=pages.list_rows(queries.with_answers(found)),
    )


@require_safe
def consultation(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    context = pages.page(found, request.acting)
    return render(request, f"{FOLDER}/consultation.html", context)


# Writing


@requires(Capability.CONSULT)
@READ_OR_SEND
def new(request: ActingRequest) -> HttpResponse:
    """Write a consultation down; `?after=` begins the next round of one that is counted."""
    before = _before(request)

    def again(form: forms.Form, status: int) -> HttpResponse:
        heading = _("The next round") if before else _("Ask teachers and heads")
        context = {
            "form": form,
            "before": before,
            "heading": heading,
            "back": pages.url(before) if before else pages.crumbs()[0].url,
            "breadcrumb": pages.crumbs(Link(heading)),
        }
        return render(request, f"{FOLDER}/write.html", context, status=status)

    kwargs = _choices(request)
    if request.method != "POST":
        return again(ConsultationForm(initial=_initial(request, before), **kwargs), 200)
    form = ConsultationForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda _data: actions.write(form.draft(), by=by(request), follows=before),
        done=_("It is written down. Nobody is asked yet: look at it, then open it."),
        back=pages.url,
        again=again,
    )


def _before(request: ActingRequest) -> Consultation | None:
    key = request.GET.get("after", "")
    if not key.isdecimal() or len(key) > 15:
        return None
    return _managed(request, int(key))


def _initial(request: ActingRequest, before: Consultation | None) -> dict[str, Any]:
    if before is not None:
        kept = as_it_stands(before) | questions_of(before)
        return {name: kept[name] for name in kept if name not in {"seen", "closes", "answer_due"}}
    areas = queries.areas_to_ask(by(request))
    return {"area": str(areas[0].pk)} if areas else {}


def _choices(request: ActingRequest, found: Consultation | None = None) -> dict[str, Any]:
    acting = by(request)
    areas = queries.areas_to_ask(acting)
    if found is not None and found.area not in areas:
        areas = [*areas, found.area]
    moderators = {
        each.person_id: (each.person, each.label)
        for each in queries.who_moderate()
        if each.person_id != acting.person_id
    }
    return {"areas": areas, "seniors": _seniors(areas), "moderators": moderators}


def _seniors(areas: list[Any]) -> list[Any]:
    found = {each.pk: each for area in areas for each in queries.seniors(area)}
    return sorted(found.values(), key=str)


@requires(Capability.CONSULT)
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    """Change what is still being written."""
    found = _managed(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        heading = _("Change the consultation")
        context = {
            "form": form,
            "heading": heading,
            "back": pages.url(found),
            "breadcrumb": pages.crumbs_of(found, heading),
        }
        return render(request, f"{FOLDER}/write.html", context, status=status)

    if found.state != State.DRAFT:
        messages.error(
            request, _("It was opened: what people answer to stays as they read it.")
        )  # fmt: skip
        return redirect(pages.url(found))
    kwargs = _choices(request, found)
    if request.method != "POST":
        return again(ConsultationForm(initial=as_it_stands(found), **kwargs), 200)
    form = ConsultationForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda data: actions.change(found, form.draft(), by=by(request), seen=data["seen"]),
        done=_("Changed. Nobody is asked yet."),
        back=pages.url,
        again=again,
        row=found,
    )


@requires(Capability.CONSULT)
@require_POST
def discard(request: ActingRequest, pk: int) -> HttpResponse:
    found = _managed(request, pk)
    return press(
        request,
        lambda: actions.discard(found, by=by(request)),
        done=_("The draft is thrown away."),
        back=pages.crumbs()[0].url if found.state == State.DRAFT else pages.url(found),
    )


# Opening, withdrawing, counting


@requires(Capability.CONSULT)
@READ_OR_SEND
def open_up(request: ActingRequest, pk: int) -> HttpResponse:
    """Look once more at what is fixed from now on, then open it."""
    found = _managed(request, pk)
    if found.state != State.DRAFT:
        return redirect(pages.url(found))

    def again(form: forms.Form, status: int) -> HttpResponse:
        n = queries.would_be_asked(found)
        context = {
            "form": form,
            "consultation": found,
            "n": n,
            "too_few": words.too_few_asked(n) if n < FEWEST else "",
            "facts": pages.facts(found),
            "promise": words.promise(found),
            "questions": pages.questions(found),
            "back": pages.url(found),
            "breadcrumb": pages.crumbs_of(found, _("Open it")),
        }
        return render(request, f"{FOLDER}/open.html", context, status=status)

    if request.method != "POST":
        return again(SeenForm(initial={"seen": found.version}), 200)
    form = SeenForm(request.POST)
    return take(
        request,
        form,
        lambda data: actions.open_up(found, by=by(request), seen=data["seen"]),
        done=_("It is open, and everybody who is asked is told."),
        back=pages.url,
        again=again,
        row=found,
    )


@requires(Capability.CONSULT)
@READ_OR_SEND
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    found = _managed(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "consultation": found,
            "back": pages.url(found),
            "breadcrumb": pages.crumbs_of(found, _("Withdraw it")),
        }
        return render(request, f"{FOLDER}/withdraw.html", context, status=status)

    if request.method != "POST":
        return again(WithdrawForm(initial={"seen": found.version}), 200)
    return take(
        request,
        WithdrawForm(request.POST),
        lambda data: actions.withdraw(found, by=by(request), seen=data["seen"], why=data["why"]),
        done=_("It is withdrawn: all answers and their key are destroyed."),
        back=pages.url,
        again=again,
        row=found,
    )


@requires(Capability.CONSULT)
@require_POST
def close(request: ActingRequest, pk: int) -> HttpResponse:
    """Count what is over, where the worker has not come yet."""
    found = _managed(request, pk)
    return press(
        request,
        lambda: timing.close(found, by=by(request)),
        done=_("The answers were opened together and counted; seals and key are destroyed."),
        back=pages.url(found),
    )


@require_safe
def results_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = found_by(request, pk)
    if found.closed_at is None:
        raise Http404
    return respond(
        fmt,
        title=_("Answers"),
        filename=f"consultation-{found.pk}",
        columns=pages.export_columns(),
        rows=pages.export_rows(found),
        note=f"{found.title}. {words.turnout(found)} {words.not_a_sample()}",
    )
