"""The calendar: everybody looks at it, the ministry sets it."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from brightspots_web.alignment import agreement_actions as actions
from brightspots_web.alignment import agreement_pages as pages
from brightspots_web.alignment import agreement_queries as queries
from brightspots_web.alignment.agreement_forms import CalendarForm
from brightspots_web.alignment.models import Agreement
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, take
from brightspots_web.shared.permissions import Capability

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "alignment/agreement"


@require_safe
def calendar(request: ActingRequest) -> HttpResponse:
    """Where we are now, what comes next and when: for everybody with an appointment."""
    if request.acting is None:
        raise PermissionDenied
    return render(request, f"{FOLDER}/calendar.html", pages.page(request.acting))


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def new(request: ActingRequest) -> HttpResponse:
    """Set the calendar of a cycle that has none."""

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"form": form, "breadcrumb": pages.crumbs(_("Another cycle"))}
        return render(request, f"{FOLDER}/form.html", context, status=status)

    if request.method != "POST":
        return again(CalendarForm(), 200)
    form = CalendarForm(request.POST)
    return take(
        request,
        form,
        lambda data: actions.make_agreement(form.calendar(), by=by(request)),
        done=_("The calendar is set, and everybody can see it."),
        back=lambda agreement: reverse("alignment:calendar"),
        again=again,
    )


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    """Change days and weights, as far as nobody was promised otherwise."""
    found = queries.agreement(pk)
    if found is None:
        raise Http404

    def again(form: forms.Form, status: int) -> HttpResponse:
        now: Agreement | None = None
        if status == 409:
            now = queries.agreement(pk)
            assert now is not None  # agreements are never deleted
            fresh(form, now.version)
        context = {
            "form": form,
            "agreement": found,
            "steps": pages.steps(now) if now else None,
            "breadcrumb": pages.crumbs(found.cycle.name),
        }
        return render(request, f"{FOLDER}/form.html", context, status=status)

    if request.method != "POST":
        initial = CalendarForm.initial_of(actions.calendar_of(found)) | {"seen": found.version}
        return again(CalendarForm(initial=initial), 200)
    form = CalendarForm(request.POST)

    def act(data: dict[str, Any]) -> Agreement:
        try:
            return actions.change_agreement(
                found, form.calendar(), by=by(request), seen=data["seen"], sure=data["sure"]
            )
        except actions.EndsPhaseError:
            form.ask_whether_sure()
            raise

    return take(
        request,
        form,
        act,
        done=_("The calendar is changed, and everybody can see it."),
        back=lambda agreement: reverse("alignment:calendar"),
        again=again,
    )
