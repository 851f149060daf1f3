from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.shared import audit, jobs, queries
from brightspots_web.shared.exports import Column, respond
from brightspots_web.shared.models import AuditHead
from brightspots_web.shared.permissions import Actor, Capability, may

PAGE = 50


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Answer whether the application and its database are there; says nothing else."""
    AuditHead.objects.filter(pk=1).exists()
    return HttpResponse("ok", content_type="text/plain")


def _acting(request: HttpRequest) -> Actor | None:
    return getattr(request, "acting", None)


@never_cache
@require_safe
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a job is. Reloads itself while it is at work, without JavaScript."""
    found = get_object_or_404(queries.jobs_visible_to(_acting(request)), pk=pk)
    response = render(request, "shared/job.html", {"job": found})
    if not found.is_over:
        response["Refresh"] = "2"
    return response


@require_POST
def stop_job(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(queries.jobs_visible_to(_acting(request)), pk=pk)
    jobs.stop(found)
    return redirect("shared:job", pk=pk)


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(queries.jobs_visible_to(_acting(request)), PAGE).get_page(
        request.GET.get("page")
    )
    return render(request, "shared/jobs.html", {"page": page})


@require_safe
def audit_trail(request: HttpRequest) -> HttpResponse:
    _check_may_read(request)
    q = request.GET.get("q", "").strip()
    page = Paginator(queries.audit_entries(q), PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "q": q}
    if "check" in request.GET:
        context["broken"] = audit.first_broken_link()
        context["checked"] = True
    return render(request, "shared/audit.html", context)


@require_safe
def audit_export(request: HttpRequest, fmt: str) -> HttpResponseBase:
    _check_may_read(request)
    columns = [
        Column("at", _("When")),
        Column("actor", _("Who")),
        Column("action", _("What")),
        Column("target", _("To what")),
        Column("entry_hash", _("Link of the chain")),
    ]
    names = ("at", "actor", "action", "target", "entry_hash")
    rows = (
        {**row, "at": row["at"].isoformat(timespec="seconds")}
        for row in queries.audit_entries().values(*names).iterator(chunk_size=2000)
    )
    return respond(fmt, title=_("Audit trail"), filename="audit", columns=columns, rows=rows)


def _check_may_read(request: HttpRequest) -> None:
    if not may(_acting(request), Capability.SEE_AUDIT):
        raise PermissionDenied
