from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.shared import audit, jobs, queries
from brightspots_web.shared.components import Column as Heading
from brightspots_web.shared.components import Link, Table
from brightspots_web.shared.exports import Column, export_links, respond
from brightspots_web.shared.forms import AuditFilter
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
    facts = [
        (_("Asked for by"), found.actor),
        (_("Asked for on"), formats.date_format(found.queued_at, "DATETIME_FORMAT")),
    ]
    context = {
        "job": found,
        "facts": facts,
        "follow": jobs.follow(found),
        "failed_heading": _("This could not be done"),
    }
    response = render(request, "shared/job.html", context)
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
    rows = [
        (
            Link(found.title, reverse("shared:job", args=[found.pk])),
            found.get_status_display(),
            found.actor,
            formats.date_format(found.queued_at, "SHORT_DATETIME_FORMAT"),
        )
        for found in page
    ]
    labels = (_("Work"), _("State"), _("Asked for by"), _("Asked for on"))
    table = Table(_("Jobs, newest first"), [Heading(label) for label in labels], rows)
    return render(request, "shared/jobs.html", {"page": page, "table": table})


@require_safe
def audit_trail(request: HttpRequest) -> HttpResponse:
    _check_may_read(request)
    q = request.GET.get("q", "").strip()
    page = Paginator(queries.audit_entries(q), PAGE).get_page(request.GET.get("page"))
    rows = [
        (
            formats.date_format(entry.at, "SHORT_DATETIME_FORMAT"),
            entry.actor,
            entry.action,
            entry.target,
        )
        for entry in page
    ]
    labels = (_("When"), _("Who"), _("What"), _("To what"))
    table = Table(
        _("Entries, newest first"),
        [Heading(label) for label in labels],
        rows,
        exports=export_links("shared:audit_export"),
        empty=_("No entry fits."),
    )
    context: dict[str, Any] = {"page": page, "table": table, "form": AuditFilter(request.GET)}
    if "check" in request.GET:
        context["broken"] = audit.first_broken_link()
        context["checked"] = True
        context["broken_heading"] = _("The chain is broken here")
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
