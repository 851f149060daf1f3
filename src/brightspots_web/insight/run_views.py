"""What analysts do with a run: publish it, take it back, throw a draft away, download it."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import (
    Http404,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.insight import actions, diagnostic_pages, downloads, pages, run_queries
from brightspots_web.insight.forms import WithdrawForm
from brightspots_web.insight.models import Run
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PARQUET = "application/vnd.apache.parquet"


def _run(request: ActingRequest, uuid: UUID) -> Run:
    return get_object_or_404(run_queries.runs_visible_to(request.acting), uuid=uuid)


@requires(Capability.ANALYSE)
@require_POST
def publish(request: ActingRequest, uuid: UUID) -> HttpResponse:
    """Show this run on every page, unless another was published since the person looked."""
    found = _run(request, uuid)
    assert request.acting is not None
    try:
        actions.publish(found, by=request.acting, instead_of=request.POST.get("instead_of"))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, _("Published: all pages show these figures now."))
    return redirect("insight:run", uuid=uuid)


@requires(Capability.ANALYSE)
@require_POST
def withdraw(request: ActingRequest, uuid: UUID) -> HttpResponse:
    """Take a published run back, with a reason."""
    found = _run(request, uuid)
    assert request.acting is not None
    form = WithdrawForm(request.POST)
    try:
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        back = actions.withdraw(found, by=request.acting, reason=reason)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(
            request,
            _("Withdrawn: pages show the analysis before it.")
            if back
            else _("Withdrawn: pages show no figures until an analysis is published."),
        )
    return redirect("insight:run", uuid=uuid)


@requires(Capability.ANALYSE)
@require_POST
def discard(request: ActingRequest, uuid: UUID) -> HttpResponse:
    """Throw a draft away."""
    found = _run(request, uuid)
    assert request.acting is not None
    try:
        actions.discard_draft(found, by=request.acting)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect("insight:run", uuid=uuid)
    messages.success(request, _("The draft is gone. Nothing else was changed."))
    return redirect("insight:runs")


@requires(Capability.ANALYSE)
@require_safe
def diagnostics(request: ActingRequest, uuid: UUID) -> HttpResponse:
    """What to look at before publishing."""
    found = _run(request, uuid)
    context = {
        "run": found,
        "parts": diagnostic_pages.parts(found, downloads.diagnostics(found)),
        "problems": found.summary.get("problems", {}),
        "breadcrumb": [
            Link(_("Analyses"), reverse("insight:runs")),
            Link(pages.made(found), reverse("insight:run", args=[found.uuid])),
            Link(_("Diagnostics")),
        ],
    }
    return render(request, "insight/diagnostics.html", context)


@requires(Capability.ANALYSE)
@require_safe
def effects_export(request: ActingRequest, uuid: UUID, fmt: str) -> HttpResponseBase:
    """Every school's figures, small ones too: for analysts alone."""
    found = _run(request, uuid)
    return respond(
        fmt,
        title=_("Effects of schools"),
        filename=f"effects-{found.uuid}",
        columns=downloads.effect_columns(),
        rows=run_queries.effects(found),
        note=_("For analysts: figures of few pupils are not withheld here. Do not pass it on."),
    )


@requires(Capability.ANALYSE)
@require_safe
def effects_parquet(request: ActingRequest, uuid: UUID) -> HttpResponseBase:
    return _file(downloads.table_file(_run(request, uuid), "estimate"), "effects", uuid, PARQUET)


@requires(Capability.ANALYSE)
@require_safe
def tables(request: ActingRequest, uuid: UUID) -> HttpResponseBase:
    """All tables of the run as Parquet in one ZIP."""
    return _file(downloads.zipped(_run(request, uuid)), "tables", uuid, "application/zip")


def _file(path: Path | None, name: str, uuid: UUID, content_type: str) -> StreamingHttpResponse:
    if path is None:
        raise Http404(_("The figures of this analysis are no longer kept."))
    answer = StreamingHttpResponse(_blocks(path), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}-{uuid}{path.suffix}"'
    answer["Content-Length"] = path.stat().st_size
    return answer


def _blocks(path: Path) -> Iterator[bytes]:
    """The file is opened when it is sent, and closed whatever becomes of the connection."""
    with path.open("rb") as source:
        while block := source.read(1 << 18):
            yield block


@requires(Capability.ANALYSE)
@require_safe
def record(request: ActingRequest, uuid: UUID) -> HttpResponse:
    """Settings, sources and how it came about: what is needed to compute it again; no pupils."""
    found = _run(request, uuid)
    answer = JsonResponse(
        downloads.record(found), json_dumps_params={"indent": 1, "ensure_ascii": False}
    )
    answer["Content-Disposition"] = f'attachment; filename="analysis-{found.uuid}.json"'
    return answer
