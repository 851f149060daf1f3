"""Two analyses against each other, for analysts."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.insight import compare_pages, compare_queries, queries, run_pages, run_queries
from brightspots_web.insight.forms import CompareForm
from brightspots_web.insight.models import Run
from brightspots_web.shared.components import Link
from brightspots_web.shared.permissions import Capability

OFFERED = 50


@requires(Capability.ANALYSE)
@require_safe
def compare(request: ActingRequest) -> HttpResponse:
    """Choose two runs; what differs in what went in, and how figures moved."""
    runs = run_queries.runs_visible_to(request.acting).filter(rows_removed_at__isnull=True)[
        :OFFERED
    ]
    by_name = {str(run.uuid): run for run in runs}
    current = queries.current_run()
    choices = [(name, _name(run, current)) for name, run in by_name.items()]
    form = CompareForm(request.GET or None, runs=choices)
    context = {
        "form": form,
        "enough": len(choices) > 1,
        "breadcrumb": [Link(_("Analyses"), reverse("insight:runs")), Link(_("Compare"))],
    }
    if form.is_valid():
        after, before = by_name[form.cleaned_data["a"]], by_name[form.cleaned_data["b"]]
        found = compare_queries.compare(before, after)
        context |= {
            "before": before,
            "after": after,
            "same": before.pk == after.pk,
            "differs": compare_pages.what_differs(before, after),
            "parts": [compare_pages.part(each, place) for place, each in enumerate(found)],
        }
    return render(request, "insight/compare.html", context)


def _name(run: Run, current: Run | None) -> str:
    name = f"{run_pages.name_of(run)} ({run_pages.badge(run, current).label})"
    return f"{name} {run.note}".strip()
