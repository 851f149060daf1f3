"""Support under way, for officers, leaders of partnerships and schools: within what each sees."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.connectedness import support_running_pages as pages
from brightspots_web.connectedness import support_running_queries as queries
from brightspots_web.connectedness.support_forms import RunningFilter
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20


def _narrowed(request: ActingRequest) -> tuple[RunningFilter, queries.Narrowed | None]:
    """The filter, and what it asks for; None where it asks for what is not."""
    if not queries.may_list(request.acting):
        raise PermissionDenied
    known = queries.priorities(request.acting)
    form = RunningFilter(request.GET, acting=request.acting, priorities=known)
    if not may(request.acting, Capability.BROKER):
        del form.fields["area"]  # a school's own, and its partnership's
    if not form.is_valid():
        return form, None
    chosen = form.cleaned_data
    priority = next((each for each in known if str(each.pk) == chosen["priority"]), None)
    return form, queries.Narrowed(chosen.get("area"), priority, chosen["end"])


@require_safe
def running(request: ActingRequest) -> HttpResponse:
    """Support under way in sight, the nearest end first."""
    form, narrowed = _narrowed(request)
    found = queries.under_way(request.acting, narrowed)
    page = Paginator(found if narrowed else found.none(), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "table": pages.running_table(page, request.GET.urlencode()),
        "officer": may(request.acting, Capability.BROKER),
    }
    return render(request, "connectedness/support/running.html", context)


@require_safe
def running_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    _form, narrowed = _narrowed(request)
    if narrowed is None:
        raise Http404
    found = queries.under_way(request.acting, narrowed)
    return respond(
        fmt,
        title=_("Support under way"),
        filename="support-under-way",
        columns=pages.running_columns(),
        rows=pages.running_rows(found.iterator(chunk_size=2000)),
    )
