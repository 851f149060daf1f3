"""One designation: its term, a partnership, a further term, laying it down."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, take
from brightspots_web.leaders import designation_actions as applying
from brightspots_web.leaders import designation_pages as lists
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders import designation_term_actions as actions
from brightspots_web.leaders import designation_term_pages as pages
from brightspots_web.leaders.designation_forms import PartnershipForm, ResignForm
from brightspots_web.leaders.models import Designation
from brightspots_web.shared.permissions import Capability

FOLDER = "leaders/designation"


def _visible(request: ActingRequest, pk: int) -> Designation:
    by(request)
    return get_object_or_404(queries.designations_visible_to(request.acting), pk=pk)


@require_safe
def designation(request: ActingRequest, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk))


def _page(
    request: ActingRequest, found: Designation, status: int = 200, form: Form | None = None
) -> HttpResponse:
    context = pages.page(found, request.acting)
    offered = context["partnerships"]
    if offered and form is None:
        form = PartnershipForm(partnerships=offered)
    context["form"] = form if offered else None
    return render(request, f"{FOLDER}/designation.html", context, status=status)


@requires(Capability.APPOINT)
@require_POST
def give_partnership(request: ActingRequest, pk: int) -> HttpResponse:
    """Appoint a leader in office to a partnership that nobody leads."""
    found = _visible(request, pk)
    if not pages.sees_more(found, request.acting):
        raise PermissionDenied
    form = PartnershipForm(
        request.POST, partnerships=pages.partnerships_for(found, request.acting) or []
    )
    return take(
        request,
        form,
        lambda data: actions.give_partnership(found, form.chosen(), by=by(request)),
        done=_("Appointed. The leader and the heads of the partnership are told."),
        back=lambda _made: lists.designation_url(found),
        again=lambda sent, status: _page(request, found, status, sent),
    )


@requires(Capability.APPLY_TO_LEAD)
@require_http_methods(["GET", "HEAD", "POST"])
def resign(request: ActingRequest, pk: int) -> HttpResponse:
    """Lay the office down, with a last day and a reason."""
    found = _visible(request, pk)
    if found.person_id != by(request).person_id:
        raise PermissionDenied

    def again(form: Form, status: int) -> HttpResponse:
        context = pages.page(found, request.acting) | {"form": form}
        return render(request, f"{FOLDER}/resign.html", context, status=status)

    if request.method != "POST":
        return again(ResignForm(initial={"seen": found.version}), 200)
    return take(
        request,
        ResignForm(request.POST),
        lambda data: actions.resign(
            found, last_day=data["last_day"], why=data["why"], by=by(request), seen=data["seen"]
        ),
        done=_("It is laid down. Thank you for what you have done. Those concerned are told."),
        back=lists.designation_url,
        again=again,
        row=found,
    )


@requires(Capability.APPLY_TO_LEAD)
@require_POST
def renew(request: ActingRequest, pk: int) -> HttpResponse:
    """Begin the application for a further term."""
    found = _visible(request, pk)
    if found.person_id != by(request).person_id:
        raise PermissionDenied
    try:
        begun = applying.begin(by=by(request), renews=found)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect(lists.designation_url(found))
    return redirect("leaders:application_change", pk=begun.pk)
