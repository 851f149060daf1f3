"""A leader's own page, the open page of a leader, and the certificate on paper."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by
from brightspots_web.leaders import profile_pages as pages
from brightspots_web.leaders import profile_queries as queries
from brightspots_web.shared import printing

FOLDER = "leaders/profile"


@never_cache
@require_safe
def me(request: ActingRequest) -> HttpResponse:
    """The acting person's own page."""
    acting = by(request)
    if not queries.may_have_page(acting):
        raise PermissionDenied
    return render(request, f"{FOLDER}/me.html", pages.own_page(acting))


@require_safe
def profile(request: ActingRequest, pk: int) -> HttpResponse:
    """What everybody with an appointment may know of a leader."""
    acting = by(request)
    leader = queries.leader_visible_to(acting, pk)
    if leader is None:
        raise Http404
    return render(request, f"{FOLDER}/leader.html", pages.open_page(leader, acting))


def _certificate(request: ActingRequest) -> dict[str, Any]:
    acting = by(request)
    leader = queries.leader_visible_to(acting, acting.person_id)
    if leader is None:
        raise Http404
    address = request.build_absolute_uri(reverse("leaders:profile", args=[acting.person_id]))
    return pages.certificate(leader, address)


@never_cache
@require_safe
def certificate(request: ActingRequest) -> HttpResponse:
    """Designation and learning, as one can show them."""
    return render(request, f"{FOLDER}/certificate.html", _certificate(request))


@never_cache
@require_safe
def certificate_pdf(request: ActingRequest) -> HttpResponse:
    """The same page on paper."""
    context = _certificate(request) | {"on_paper": True}
    html = render_to_string(f"{FOLDER}/certificate.html", context, request=request)
    try:
        document = printing.pdf(html)
    except printing.CannotPrintError:
        return render(request, f"{FOLDER}/cannot_print.html", {}, status=503)
    response = HttpResponse(document, content_type="application/pdf")
    response["Content-Disposition"] = 'inline; filename="certificate.pdf"'
    return response
