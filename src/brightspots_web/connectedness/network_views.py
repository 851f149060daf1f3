from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.alignment import queries as alignment
from brightspots_web.connectedness import network_pages as pages
from brightspots_web.connectedness import network_queries as queries
from brightspots_web.connectedness.network_forms import NetworkFilter
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.shared.exports import export_links, respond

PAGE = 20


def _filter(request: ActingRequest) -> NetworkFilter:
    """The filter, for everybody with an appointment: giving and asking are equally visible."""
    if request.acting is None:
        raise PermissionDenied
    return NetworkFilter(
        request.GET,
        acting=request.acting,
        priorities=list(alignment.all_priorities()),
        spans=queries.spans(),
    )


@require_safe
def network(request: ActingRequest) -> HttpResponse:
    """Who helps whom, as far as the appointment may see one of the two schools."""
    form = _filter(request)
    found = queries.help_between(request.acting, form.search()) if form.is_valid() else []
    page = Paginator(pages.schools_in(found), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "found": found,
        "page": page,
        "summary": pages.summary(found),
        "sides": pages.sides(page, found, request.acting),
        "exports": export_links("connectedness:network_export", query=request.GET.urlencode())
        if form.is_valid()
        else [],
    }
    if found:
        context |= pages.drawings(found, request.acting, form.search().area)
    return render(request, "connectedness/network/network.html", context)


@require_safe
def network_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    form = _filter(request)
    if not form.is_valid():
        raise Http404
    return respond(
        fmt,
        title=_("Who helps whom"),
        filename="who-helps-whom",
        columns=pages.columns(),
        rows=pages.rows(queries.help_between(request.acting, form.search())),
    )
