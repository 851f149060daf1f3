"""The ceremonies somebody may read, one of them on the screen, on paper and in files."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.accountability import ceremony_page_actions as actions
from brightspots_web.accountability import ceremony_page_queries as queries
from brightspots_web.accountability import ceremony_pages as pages
from brightspots_web.accountability.ceremony_page_forms import LearnedForm
from brightspots_web.accountability.ceremony_pages import Read
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, take
from brightspots_web.shared import printing
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 40
FOLDER = "accountability/ceremony"


@require_safe
def ceremonies(request: ActingRequest) -> HttpResponse:
    """Partnerships and cycles of which somebody may read something."""
    acting = by(request)
    page = Paginator(queries.ceremonies(acting), PAGE).get_page(request.GET.get("page"))
    listed = [queries.as_ceremony(row) for row in page]
    context = pages.list_page(acting, listed) | {"page_obj": page}
    return render(request, f"{FOLDER}/ceremonies.html", context)


def _read(request: ActingRequest, code: str, cycle: int) -> Read:
    acting = by(request)
    found = queries.ceremony_with(acting, code, cycle)
    if found is None:
        raise Http404
    return pages.read(acting, *found)


@require_safe
def ceremony(request: ActingRequest, code: str, cycle: int) -> HttpResponse:
    """What a partnership promised in a cycle, and what came of it."""
    return render(request, f"{FOLDER}/ceremony.html", pages.page(_read(request, code, cycle)))


@require_safe
def ceremony_pdf(request: ActingRequest, code: str, cycle: int) -> HttpResponse:
    """The same page on paper, to be read aloud."""
    context = pages.page(_read(request, code, cycle)) | {"on_paper": True}
    html = render_to_string(f"{FOLDER}/ceremony.html", context, request=request)
    try:
        document = printing.pdf(html)
    except printing.CannotPrintError:
        return render(request, f"{FOLDER}/ceremony_print.html", context, status=503)
    response = HttpResponse(document, content_type="application/pdf")
    name = f"ceremony-{slugify(code) or 'partnership'}-{cycle}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@require_safe
def ceremony_export(request: ActingRequest, code: str, cycle: int, fmt: str) -> HttpResponseBase:
    found = _read(request, code, cycle)
    return respond(
        fmt,
        title=_("Ceremony"),
        filename=f"{_('ceremony')} {found.partnership.code} {found.cycle.name}",
        columns=pages.columns(),
        rows=pages.rows(found),
        note=pages.note(),
    )


@requires(Capability.PLEDGE)
@require_POST
def learned(request: ActingRequest, code: str, cycle: int) -> HttpResponse:
    """What a school learned; 403 for who reads the ceremony and promised nothing in it."""
    found = _read(request, code, cycle)
    own = queries.own_set(request.acting, found.partnership, found.cycle)
    if own is None:
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        assert isinstance(form, LearnedForm)
        now = _read(request, code, cycle)
        current = queries.own_set(request.acting, now.partnership, now.cycle)
        if status == 409 and current is not None:
            fresh(form, current.version)
        context = pages.page(now, form) | {"overtaken": status == 409}
        return render(request, f"{FOLDER}/ceremony.html", context, status=status)

    return take(
        request,
        LearnedForm(request.POST),
        lambda data: actions.tell_learned(
            own,
            data["learned"],
            by=by(request),
            seen=data["seen"],
            names_no_pupil=data["names_no_pupil"],
        ),
        done=_("Told. Everybody reads it who reads one of your promises."),
        back=lambda _row: pages.url(code, cycle) + "#learned",
        again=again,
    )
