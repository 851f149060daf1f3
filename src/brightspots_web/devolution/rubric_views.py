"""Forms for observations: the list, one of them, making, changing and retiring one."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.devolution import note_queries as notes
from brightspots_web.devolution import rubric_actions as actions
from brightspots_web.devolution import rubric_pages as pages
from brightspots_web.devolution import rubric_queries as queries
from brightspots_web.devolution.models import Rubric
from brightspots_web.devolution.note_views import READ_OR_SEND
from brightspots_web.devolution.rubric_forms import RubricForm, as_it_is
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20


def _guard(request: ActingRequest) -> None:
    """Who observes, and who makes forms."""
    if not may(request.acting, Capability.WRITE_NOTES) and not queries.may_make(request.acting):
        raise PermissionDenied


def _found(request: ActingRequest, pk: int) -> Rubric:
    _guard(request)
    return get_object_or_404(queries.rubrics_visible_to(request.acting), pk=pk)


@require_safe
def rubrics(request: ActingRequest) -> HttpResponse:
    _guard(request)
    found = queries.rubrics_visible_to(request.acting)
    all_of_them = request.GET.get("all") == "yes"
    shown = found if all_of_them else found.filter(retired_at=None)
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "table": pages.table(page),
        "may_make": queries.may_make(request.acting),
        "all": all_of_them,
        "breadcrumb": pages.crumbs()[:1] if may(request.acting, Capability.WRITE_NOTES) else [],
    }
    return render(request, "devolution/rubrics.html", context)


@require_safe
def rubric(request: ActingRequest, pk: int) -> HttpResponse:
    context = pages.page(_found(request, pk), request.acting)
    return render(request, "devolution/rubric.html", context)


@require_safe
def observations_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    """What was seen with a form in the own school: what others shared is theirs to give away."""
    found = _found(request, pk)
    if not may(request.acting, Capability.WRITE_NOTES):
        raise PermissionDenied
    own = pages.observations(found, request.acting).filter(school=by(request).school_id or 0)
    return respond(
        fmt,
        title=found.name,
        filename="observations",
        columns=pages.columns(found),
        rows=pages.rows(found, own),
        note=_("Observations of one school, on some days: no measure of all lessons."),
    )


@READ_OR_SEND
def make(request: ActingRequest) -> HttpResponse:
    if not queries.may_make(request.acting):
        raise PermissionDenied
    priorities = notes.priorities_to_choose()
    form = RubricForm(request.POST or None, priorities=priorities)

    def again(sent: forms.Form, status: int) -> HttpResponse:
        context = {"form": sent, "breadcrumb": pages.crumbs(_("Make a form"))}
        return render(request, "devolution/rubric_make.html", context, status=status)

    if request.method != "POST":
        return again(form, 200)
    return take(
        request,
        form,
        lambda data: actions.make(form.form(), by=by(request)),
        done=_("The form can be used now."),
        back=pages.url,
        again=again,
    )


@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    if not queries.may_change(request.acting, found):
        raise PermissionDenied
    priorities = notes.priorities_to_choose()
    if found.priority is not None and found.priority not in priorities:
        priorities.append(found.priority)
    data = request.POST if request.method == "POST" else None
    form = RubricForm(data, priorities=priorities, initial=as_it_is(found))

    def again(sent: forms.Form, status: int) -> HttpResponse:
        newest = found
        if status == 409:
            newest = queries.newest_of(found)
            fresh(sent, newest.version)
        context = {
            "form": sent,
            "rubric": found,
            "newest": newest if newest.pk != found.pk else None,
            "breadcrumb": pages.crumbs(Link(found.name, pages.url(found)), _("Change")),
        }
        return render(request, "devolution/rubric_make.html", context, status=status)

    if request.method != "POST":
        return again(form, 200)
    return take(
        request,
        form,
        lambda sent: actions.change(found, form.form(), by=by(request), seen=sent["seen"]),
        done=_("Changed. What was seen before keeps the questions it answered."),
        back=pages.url,
        again=again,
    )


@require_POST
def retire(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return press(
        request,
        lambda: actions.retire(found, by=by(request)),
        done=_("It is no longer in use. What was seen with it stays."),
        back=pages.url(found),
    )
