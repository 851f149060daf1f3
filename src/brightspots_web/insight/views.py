from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.insight import actions, pages, queries, run_pages, run_queries
from brightspots_web.insight.forms import StartForm, WithdrawForm
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 25


def appointed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answer 403 to people without an appointment. How figures are made is open to all others."""

    @wraps(view)
    def guarded(request: ActingRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.acting is None:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@appointed
@require_safe
def runs(request: ActingRequest) -> HttpResponse:
    """Every published analysis; for analysts the drafts as well."""
    found = run_queries.runs_visible_to(request.acting)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    analyst = queries.may_analyse(request.acting)
    context = {
        "page_obj": page,
        "table": pages.runs_table(list(page), queries.current_run()),
        "may_start": analyst,
        "may_compare": analyst and page.paginator.count > 1,
    }
    return render(request, "insight/runs.html", context)


@appointed
@require_safe
def runs_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    return respond(
        fmt,
        title=_("Analyses"),
        filename="analyses",
        columns=pages.run_columns(),
        rows=pages.run_rows(
            list(run_queries.runs_visible_to(request.acting)), queries.current_run()
        ),
    )


@appointed
@require_safe
def run(request: ActingRequest, uuid: UUID) -> HttpResponse:
    """How these figures were made."""
    found = get_object_or_404(run_queries.runs_visible_to(request.acting), uuid=uuid)
    current = queries.current_run()
    analyst = queries.may_analyse(request.acting)
    before = run_queries.published_before(found) if analyst else None
    newer = current and current.pk != found.pk and found.published_at is not None
    context = {
        "run": found,
        "analyst": analyst,
        "standing": run_pages.standing(found, current, before, analyst=analyst),
        "withdraw_form": WithdrawForm(),
        "newest": current if newer else None,
        "current": current,
        "breadcrumb": [Link(_("Analyses"), reverse("insight:runs")), Link(pages.made(found))],
        "asked": run_pages.asked(found) if analyst else [],
        "downloads": run_pages.downloads(found) if analyst else [],
        "facts": pages.facts(found),
        "paragraphs": pages.method_words(found),
        "outcomes": pages.outcomes_table(found),
        "circumstances": pages.circumstances(found),
        "sources": pages.sources_table(found),
        "limitations": pages.limitations(),
        "problems": found.summary.get("problems", {}),
        "command": pages.command(found),
    }
    return render(request, "insight/run.html", context)


@appointed
@require_safe
def outcomes_export(request: ActingRequest, uuid: UUID, fmt: str) -> HttpResponseBase:
    found = get_object_or_404(run_queries.runs_visible_to(request.acting), uuid=uuid)
    return respond(
        fmt,
        title=_("Outcomes"),
        filename=f"outcomes-{found.uuid}",
        columns=pages.outcome_columns(),
        rows=pages.outcome_rows(found),
    )


@appointed
@require_safe
def sources_export(request: ActingRequest, uuid: UUID, fmt: str) -> HttpResponseBase:
    found = get_object_or_404(run_queries.runs_visible_to(request.acting), uuid=uuid)
    return respond(
        fmt,
        title=_("Source files"),
        filename=f"sources-{found.uuid}",
        columns=pages.source_columns(),
        rows=pages.source_rows(found),
    )


@requires(Capability.ANALYSE)
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: ActingRequest) -> HttpResponse:
    """Choose what to take into account and start; the job's page shows how far it is."""
    from brightspots_web.insight import analysis  # heavy: the other pages do not need it

    offered = analysis.offered()
    posted = request.POST if request.method == "POST" else None
    form = StartForm(
        posted,
        subjects=offered.subjects,
        context=offered.context,
        pupil_codes=offered.pupil_codes,
        initial={"drift": "none", "earlier": ""},
    )
    if form.is_valid() and request.acting is not None:
        chosen = form.cleaned_data
        job = actions.start(
            by=request.acting,
            subjects=chosen.get("subjects") or None,
            context=chosen.get("context") or None,
            delta=chosen["delta"],
            formula=chosen["formula"],
            earlier=chosen.get("earlier") or "",
            drift=chosen["drift"] or "none",
            note=chosen["note"],
            publish_when_done=chosen["publish"],
        )
        return redirect("shared:job", pk=job.pk)
    return render(request, "insight/start.html", {"form": form, "offered": offered})
