"""How a promise goes: check-ins, what shows it, files, values drawn from published results."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.accountability import pledge_check_in_actions as actions
from brightspots_web.accountability import pledge_pages as pages
from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_words as words
from brightspots_web.accountability.pledge_forms import CheckInForm, EvidenceForm
from brightspots_web.accountability.pledge_models import PledgeEvidence
from brightspots_web.accountability.pledge_views import FOLDER, found_by, own, page_of
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.shared.permissions import Capability

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


@requires(Capability.PLEDGE)
@require_POST
def check_in(request: ActingRequest, pk: int) -> HttpResponse:
    found = own(request, pk)
    return take(
        request,
        CheckInForm(request.POST, auto_id="check_%s"),
        lambda data: actions.check_in(found, by=by(request), **data),
        done=_("Written down."),
        back=lambda _row: pages.url(found) + "#goes",
        again=lambda form, status: page_of(request, found, status, check_in_form=form),
    )


@requires(Capability.PLEDGE)
@READ_OR_SEND
def show(request: ActingRequest, pk: int) -> HttpResponse:
    """Add something that shows how a promise goes."""
    found = found_by(request, pk)
    if not queries.may_show(request.acting, found):
        raise PermissionDenied
    promises = queries.is_own(request.acting, found)
    notes = queries.notes_to_show(request.acting) if promises else []

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "pledge": found,
            "half": words.half(found),
            "target": words.from_to(found, sees=queries.sees_values(request.acting, found)),
            "breadcrumb": pages.crumbs_of(found, _("Add evidence")),
        }
        return render(request, f"{FOLDER}/evidence.html", context, status=status)

    if request.method != "POST":
        return again(EvidenceForm(notes=notes, initial={"kind": PledgeEvidence.Kind.WORDS}), 200)
    form = EvidenceForm(request.POST, request.FILES, notes=notes)
    return take(
        request,
        form,
        lambda _data: actions.show(found, form.shown(), by=by(request)),
        done=_("It is there for everybody who reads the promise."),
        back=lambda _row: pages.url(found) + "#shows",
        again=again,
    )


@requires(Capability.PLEDGE)
@require_POST
def draw_value(request: ActingRequest, pk: int) -> HttpResponse:
    found = own(request, pk)
    return press(
        request,
        lambda: actions.draw_value(found, by=by(request)),
        done=_("The published value is kept as it is known today."),
        back=pages.url(found) + "#shows",
    )


def _evidence(request: ActingRequest, pk: int) -> PledgeEvidence:
    """A piece of evidence of a promise that one may read; 404 for everybody else."""
    row = queries.evidence_with(by(request), pk)
    if row is None:
        raise Http404
    return row


@require_safe
def file(request: ActingRequest, pk: int) -> HttpResponse:
    found = _evidence(request, pk)
    if not found.file_kind or found.file is None:
        raise Http404
    response = HttpResponse(bytes(found.file), content_type=found.file_kind)
    inline = found.file_kind == actions.JPEG
    ending = "jpg" if inline else "pdf"
    shown = "inline" if inline else "attachment"
    response["Content-Disposition"] = f'{shown}; filename="promise-evidence-{pk}.{ending}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache"
    return response


@requires(Capability.PLEDGE)
@require_POST
def remove(request: ActingRequest, pk: int) -> HttpResponse:
    found = _evidence(request, pk)
    if not queries.may_remove(request.acting, found):
        raise PermissionDenied
    return press(
        request,
        lambda: actions.remove(found, by=by(request)),
        done=_("It is taken away."),
        back=pages.url(found.pledge) + "#shows",
    )
