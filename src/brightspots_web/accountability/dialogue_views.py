"""Dialogues: the list, calling one, who comes, the agenda, the minutes."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.accountability import dialogue_actions as actions
from brightspots_web.accountability import dialogue_pages as pages
from brightspots_web.accountability import dialogue_queries as queries
from brightspots_web.accountability import dialogue_words as words
from brightspots_web.accountability import voice_queries
from brightspots_web.accountability.dialogue_calendar import calendar_file
from brightspots_web.accountability.dialogue_forms import (
    DrawForm,
    MinutesForm,
    PlanForm,
    WaryForm,
    WhyForm,
)
from brightspots_web.accountability.models import Dialogue
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.pupil_names import MayNamePupilError

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "accountability/dialogue"


def _found(request: ActingRequest, pk: int) -> Dialogue:
    by(request)
    return get_object_or_404(queries.visible_to(request.acting), pk=pk)


def _run(request: ActingRequest, pk: int) -> Dialogue:
    """A dialogue this person calls or answers in."""
    found = _found(request, pk)
    if not queries.runs(request.acting, found):
        raise PermissionDenied
    return found


def _wary(form: WaryForm, act: Callable[[], Any]) -> Any:
    """Send words; where they look like a pupil's name, the form asks to look again."""
    try:
        return act()
    except MayNamePupilError:
        form.ask_to_look_again()
        raise


def _page(
    request: ActingRequest, found: Dialogue, status: int = 200, **sent: forms.Form
) -> HttpResponse:
    found.refresh_from_db()
    context = pages.page(found, request.acting, **sent)
    context["refused"] = [
        form for form in sent.values() if not context["runs"] or not context["may_change"]
    ]
    return render(request, f"{FOLDER}/dialogue.html", context, status=status)


@require_safe
def dialogues(request: ActingRequest) -> HttpResponse:
    """Dialogues in sight, the newest first."""
    acting = by(request)
    shown = Paginator(queries.visible_to(acting), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": shown,
        "table": pages.table(shown),
        "waiting": pages.front_items(acting),
        "may_call": may(acting, Capability.CONSULT),
        "rule": words.rule(),
        "breadcrumb": [Link(_("Dialogues"))],
    }
    return render(request, f"{FOLDER}/dialogues.html", context)


@require_safe
def dialogues_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    return respond(
        fmt,
        title=_("Dialogues"),
        filename="dialogues",
        columns=pages.columns(),
        rows=pages.rows_of(queries.visible_to(by(request))),
    )


def _plan_form(
    request: ActingRequest, *given: Any, found: Dialogue | None = None, **more: Any
) -> PlanForm:
    acting = by(request)
    areas = [found.area] if found else voice_queries.areas_to_ask(acting)
    seniors = {each.pk: each for area in areas for each in queries.owners(area)}
    asked = {each.pk: each for area in areas for each in queries.voices_for(acting, area)}
    return PlanForm(
        *given,
        areas=areas,
        seniors=list(seniors.values()),
        consultations=list(asked.values()),
        calling=found is None,
        **more,
    )


@requires(Capability.CONSULT)
@READ_OR_SEND
def new(request: ActingRequest) -> HttpResponse:
    """Call a dialogue; `?consultation=` is what it follows."""

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"form": form, "breadcrumb": pages.crumbs(_("Call a dialogue")), "new": True}
        return render(request, f"{FOLDER}/plan.html", context, status=status)

    if request.method != "POST":
        initial = {"consultation": request.GET.get("consultation", "")}
        return again(_plan_form(request, initial=initial), 200)
    form = _plan_form(request, request.POST)
    return take(
        request,
        form,
        lambda data: actions.call(
            form.picked("area"), form.plan(), data["seats"], by=by(request)
        ),
        done=_("It is called, and whoever was drawn by lot is asked. Put points on the agenda."),
        back=pages.url,
        again=again,
    )  # fmt: skip


@require_safe
def dialogue(request: ActingRequest, pk: int) -> HttpResponse:
    return _page(request, _found(request, pk))


@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    """Move it, or let somebody else answer."""
    found = _run(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form, "dialogue": found,
            "breadcrumb": pages.crumbs_of(found, _("Change it")),
        }  # fmt: skip
        return render(request, f"{FOLDER}/plan.html", context, status=status)

    if request.method != "POST":
        initial = {
            "seen": found.version, "title": found.title, "on": found.on, "place": found.place,
            "begins": found.begins.strftime("%H:%M"), "consultation": found.consultation_id or "",
            "stakeholder": found.stakeholder_id or "",
        }  # fmt: skip
        return again(_plan_form(request, found=found, initial=initial), 200)
    form = _plan_form(request, request.POST, found=found)
    return take(
        request,
        form,
        lambda data: actions.change(found, form.plan(), by=by(request), seen=data["seen"]),
        done=_("It is changed, and whoever comes is told."),
        back=pages.url,
        again=again,
        row=found,
    )


@requires(Capability.SPEAK_UP)
@require_POST
def answer(request: ActingRequest, pk: int) -> HttpResponse:
    """Say whether one comes."""
    found = _found(request, pk)
    comes = request.POST.get("comes") == "yes"
    return press(
        request,
        lambda: actions.answer(found, by=by(request), comes=comes),
        done=_("You come. Thank you.") if comes else _("You cannot come. Thank you for saying so."),
        back=pages.url(found),
    )


@require_POST
def draw(request: ActingRequest, pk: int) -> HttpResponse:
    found = _run(request, pk)
    return take(
        request,
        DrawForm(request.POST, auto_id="draw_%s"),
        lambda data: actions.draw(found, data["seats"], by=by(request)),
        done=_("Whoever was drawn by lot is asked to come."),
        back=lambda _n: f"{pages.url(found)}#guests",
        again=lambda form, status: _page(request, found, status, draw_form=form),
    )


@require_POST
def add_point(request: ActingRequest, pk: int) -> HttpResponse:
    found = _run(request, pk)
    form = pages.point_form(found, request.acting, request.POST)
    return take(
        request,
        form,
        lambda data: _wary(
            form,
            lambda: actions.add_point(
                found,
                data["words"],
                by=by(request),
                names_no_pupil=data["names_no_pupil"],
                **form.origin(),
            ),
        ),
        done=_("It is on the agenda."),
        back=lambda _point: f"{pages.url(found)}#agenda",
        again=lambda form, status: _page(request, found, status, point_form=form),
    )


@require_POST
def drop_point(request: ActingRequest, pk: int) -> HttpResponse:
    by(request)
    point = get_object_or_404(queries.points_visible_to(request.acting), pk=pk)
    return press(
        request,
        lambda: actions.drop_point(point, by=by(request)),
        done=_("It is off the agenda."),
        back=f"{pages.url(point.dialogue)}#agenda",
    )


@READ_OR_SEND
def minutes(request: ActingRequest, pk: int) -> HttpResponse:
    """Write down what was said, and who was there."""
    found = _run(request, pk)
    guests = queries.guests_of(found)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form, "dialogue": found, "points": list(found.items.all()),
            "breadcrumb": pages.crumbs_of(found, _("Minutes")),
        }  # fmt: skip
        return render(request, f"{FOLDER}/minutes.html", context, status=status)

    if request.method != "POST":
        there = [str(each.pk) for each in guests if each.was_there or (
            each.was_there is None and each.state == "comes")]  # fmt: skip
        initial = {"seen": found.version, "minutes": found.minutes, "there": there}
        return again(MinutesForm(initial=initial, guests=guests), 200)
    form = MinutesForm(request.POST, guests=guests)
    return take(
        request,
        form,
        lambda data: _wary(
            form,
            lambda: actions.write_minutes(
                found,
                data["minutes"],
                form.who(),
                by=by(request),
                seen=data["seen"],
                names_no_pupil=data["names_no_pupil"],
            ),
        ),
        done=_("It is written down. Add what was promised."),
        back=pages.url,
        again=again,
        row=found,
    )


@require_POST
def call_off(request: ActingRequest, pk: int) -> HttpResponse:
    found = _run(request, pk)
    return take(
        request,
        WhyForm(request.POST, auto_id="off_%s"),
        lambda data: actions.call_off(found, data["why"], by=by(request), seen=data["seen"]),
        done=_("It is called off, and whoever was asked is told."),
        back=pages.url,
        again=lambda form, status: _page(request, found, status, off_form=form),
        row=found,
    )


@require_safe
def calendar(request: ActingRequest, pk: int) -> HttpResponse:
    """The dialogue for the person's own calendar."""
    found = _found(request, pk)
    file = calendar_file(found, request.build_absolute_uri(pages.url(found)))
    response = HttpResponse(file, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="dialogue-{found.pk}.ics"'
    return response
