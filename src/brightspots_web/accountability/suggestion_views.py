"""Suggestions: read, put in, moderated, answered, and the box set up."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.accountability import response_pages as pages
from brightspots_web.accountability import suggestion_actions as actions
from brightspots_web.accountability import suggestion_queries as queries
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability import voice_warnings
from brightspots_web.accountability.models import Suggestion, SuggestionSettings
from brightspots_web.accountability.response_forms import (
    BoxForm,
    SuggestionAnswerForm,
    SuggestionForm,
)
from brightspots_web.accountability.response_pages import Sent
from brightspots_web.accountability.response_queries import withheld
from brightspots_web.accountability.response_rules import may_moderate_box, places_of
from brightspots_web.accountability.response_views import FOLDER, READ_OR_SEND, take_judgement
from brightspots_web.accountability.voice_seal import SealError
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import export_links, respond
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability

PAGE = 20


def home() -> str:
    return reverse("accountability:suggestions")


def crumbs(last: str) -> list[Link]:
    return pages.crumbs(Link(_("Suggestions"), home()), Link(last))


@require_safe
def suggestions(request: ActingRequest) -> HttpResponse:
    """What was suggested, and what was done; the boxes, and what somebody may do with each."""
    acting = by(request)
    rows = Paginator(queries.visible_to(acting), PAGE).get_page(request.GET.get("page"))
    areas = queries.areas_to_set(acting)
    boxes = list(queries.boxes_in_sight(acting))
    answering = {box.pk for box in boxes if queries.answers(acting, box)}
    set_up = {box.area_id for box in boxes}
    to_fill = set(queries.boxes_to_fill(acting).values_list("pk", flat=True))
    settable = {area.pk for area in areas}
    context = {
        "page": rows,
        "exports": export_links("accountability:suggestions_export"),
        "rows": [
            {
                "row": each,
                "late": each.state == Suggestion.State.SHOWN
                and each.answer_due < directory.today(),
                "url": reverse("accountability:suggestion_answer", args=[each.pk])
                if each.state == Suggestion.State.SHOWN and each.box_id in answering
                else "",
            }
            for each in rows
        ],
        "boxes": [
            {
                "box": box,
                "fill": box.pk in to_fill,
                "set": box.area_id in settable,
                "withheld": pages.withheld_words(withheld(queries.of_box(box))),
                "ask": queries.may_ask_again(acting, box),
                "asked": box.look_again,
            }
            for box in boxes[:10]
        ],
        "areas": [area for area in areas if area.pk not in set_up],
        "breadcrumb": pages.crumbs(Link(_("Suggestions"))),
    }
    return render(request, f"{FOLDER}/suggestions.html", context)


@require_safe
def suggestions_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    """The same words and days as on the page, in its order: nobody's is told by it."""
    return respond(
        fmt,
        title=_("Suggestions"),
        filename="suggestions",
        columns=pages.suggestion_columns(),
        rows=pages.suggestion_rows(queries.visible_to(by(request))),
    )


@requires(Capability.SPEAK_UP)
@sensitive_post_parameters()
@never_cache
@READ_OR_SEND
def put_in(request: ActingRequest, pk: int) -> HttpResponse:
    """A suggestion; words that tell who wrote them are asked about once. Nothing is kept."""
    box = queries.boxes_to_fill(by(request)).filter(pk=pk).first()
    if box is None:
        raise Http404
    used = queries.used(by(request))
    if request.method != "POST":
        return _put_in_page(request, box, SuggestionForm(initial={"used": used}), used)
    form = SuggestionForm(request.POST)
    if not form.is_valid():
        return _put_in_page(request, box, form, used)
    data = form.cleaned_data
    told = voice_warnings.warnings(data["words"], by(request))
    if told and data["looked"] != "yes":
        form.data = {**_typed(form), "looked": "yes"}
        return _put_in_page(request, box, form, used, warnings=told)
    try:
        actions.put_in(box, data["words"], by=by(request), used=data["used"])
    except OvertakenError as problem:
        form.data = {**_typed(form), "used": str(used)}
        form.add_error(None, problem)
        return _put_in_page(request, box, form, used, status=409)
    except SealError as problem:
        form.add_error(None, problem)
        return _put_in_page(request, box, form, used, status=503)
    except ValidationError as problem:
        form.add_error(None, problem)
        return _put_in_page(request, box, form, used)
    # No message in passing: it would be kept somewhere for a while. The page says it.
    return redirect(reverse("accountability:suggestion_put_in", args=[box.pk]))


def _typed(form: forms.Form) -> dict[str, str]:
    return {name: form.data[name] for name in form.data}


def _put_in_page(
    request: ActingRequest,
    box: SuggestionSettings,
    form: forms.Form,
    used: int,
    *,
    warnings: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "box": box,
        "form": form,
        "used": used,
        "left": queries.MOST_A_MONTH - used,
        "warnings": warnings or [],
        "back": home(),
        "breadcrumb": crumbs(_("A suggestion")),
    }
    response = render(request, f"{FOLDER}/put_in.html", context, status=status)
    response._has_been_logged = True  # type: ignore[attr-defined] # a line in the log is a time
    return response


@requires(Capability.MODERATE_VOICE)
@require_safe
def moderation(request: ActingRequest, pk: int) -> HttpResponse:
    """The suggestions of a box, to show or to withhold."""
    return _moderation_page(request, _moderated(request, pk))


def _moderation_page(
    request: ActingRequest, box: SuggestionSettings, sent: Sent | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "heading": _("Suggestions of {area}").format(area=box.area.name),
        "kind": _("Moderation"),
        "rows": [
            pages.to_judge(
                each, reverse("accountability:suggestion_judge", args=[box.pk, each.pk]), sent
            )
            for each in queries.to_read(request.acting, box)
        ],
        "sent": sent,
        "first": queries.moderates(request.acting, box),
        "withheld": pages.withheld_words(withheld(queries.of_box(box))),
        "breadcrumb": crumbs(_("Moderation")),
    }
    return render(request, f"{FOLDER}/moderate.html", context, status=status)


def _moderated(request: ActingRequest, pk: int) -> SuggestionSettings:
    box = queries.moderated_with(by(request), pk)
    if box is None:
        raise Http404
    return box


@requires(Capability.MODERATE_VOICE)
@require_POST
def judge(request: ActingRequest, pk: int, suggestion: int) -> HttpResponse:
    box = _moderated(request, pk)
    row = get_object_or_404(queries.of_box(box).select_related("box"), pk=suggestion)
    return take_judgement(
        request,
        row.pk,
        show=lambda **given: actions.show(row, by=by(request), **given),
        withhold=lambda **given: actions.withhold(row, by=by(request), **given),
        back=reverse("accountability:suggestion_moderation", args=[pk]),
        again=lambda sent, status: _moderation_page(request, box, sent, status),
    )


@requires(Capability.SPEAK_UP)
@never_cache
@require_POST
def look_again(request: ActingRequest, pk: int) -> HttpResponse:
    """Ask for a second look at the moderation of a box; who asks is on no record."""
    box = queries.boxes_to_fill(by(request)).filter(pk=pk).first()
    if box is None:
        raise Http404
    actions.ask_again(box, by=by(request))
    # No message in passing: it would be kept somewhere for a while. The page says it.
    return redirect(home())


@requires(Capability.CONSULT)
@READ_OR_SEND
def answer(request: ActingRequest, pk: int) -> HttpResponse:
    """What was done of a suggestion, or why it could not be."""
    row = get_object_or_404(queries.visible_to(by(request)), pk=pk)
    if not queries.answers(by(request), row.box):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"row": row, "form": form, "back": home(), "breadcrumb": crumbs(_("Answer"))}
        return render(request, f"{FOLDER}/answer_suggestion.html", context, status=status)

    if request.method != "POST":
        initial = {"did": row.did, "could_not": row.could_not}
        return again(SuggestionAnswerForm(initial=initial), 200)
    return take(
        request,
        SuggestionAnswerForm(request.POST),
        lambda data: actions.answer(row, by=by(request), **data),
        done=_("It is answered. Everybody of the area is told."),
        back=lambda _made: home(),
        again=again,
    )


@requires(Capability.CONSULT)
@READ_OR_SEND
def box(request: ActingRequest, area: int) -> HttpResponse:
    """Set up the box of an area, or change it."""
    chosen = next((each for each in queries.areas_to_set(by(request)) if each.pk == area), None)
    if chosen is None:
        raise Http404
    found = queries.box_of(chosen)
    kwargs = _choices(chosen)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"area": chosen, "form": form, "back": home(), "breadcrumb": crumbs(_("The box"))}
        return render(request, f"{FOLDER}/box.html", context, status=status)

    if request.method != "POST":
        return again(BoxForm(initial=_as_it_stands(found), **kwargs), 200)
    return take(
        request,
        BoxForm(request.POST, **kwargs),
        lambda data: actions.set_box(chosen, by=by(request), **data),
        done=_("The box is set up."),
        back=lambda _made: home(),
        again=again,
        row=found,
    )


def _choices(area: Any) -> dict[str, Any]:
    seniors = voice.seniors(area)
    empty = SuggestionSettings(area=area)
    held = voice.who_moderate()
    places = places_of(held)
    able = [each for each in held if may_moderate_box(each, empty, places)]
    return {
        "seniors": seniors,
        "moderators": {each.person_id: (each.person, each.label) for each in able},
    }


def _as_it_stands(found: SuggestionSettings | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "seen": found.version,
        "stakeholder": str(found.stakeholder_id or ""),
        "moderator": str(found.moderator_id or ""),
        "answer_days": found.answer_days,
    }
