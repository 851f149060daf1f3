from dataclasses import replace
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.connectedness import actions, pages, proposal_pages, queries
from brightspots_web.connectedness.forms import ProposalForm
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.forms import AreaFilter, area_or_404
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.shared.components import Table
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20


@require_safe
def partnership(request: ActingRequest, code: str) -> HttpResponse:
    """Members, leader, map, strengths and needs, and how much the schools differ."""
    found = get_object_or_404(directory.partnerships_visible_to(request.acting), code=code)
    return render(request, "connectedness/partnership.html", pages.partnership(found, request))


@require_safe
def partnership_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    found = get_object_or_404(directory.partnerships_visible_to(request.acting), code=code)
    return respond(
        fmt,
        title=found.name,
        filename=f"partnership-{found.code}",
        columns=pages.member_columns(),
        rows=pages.member_rows(found),
        note=pages.distance_note(),
    )


@require_safe
def strengths_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    found = get_object_or_404(directory.partnerships_visible_to(request.acting), code=code)
    columns, rows, note = pages.strengths(found)
    return respond(
        fmt,
        title=_("Strengths and needs"),
        filename=f"strengths-{found.code}",
        columns=columns,
        rows=rows,
        note=note,
    )


@requires(Capability.SEE_AREA)
@require_safe
def partnerships(request: ActingRequest) -> HttpResponse:
    form = AreaFilter(request.GET, acting=request.acting)
    rows = queries.partnership_list(request.acting, form.area_asked_for)
    page = _page(request, rows if form.is_valid() else rows.none())
    table = _or_why(pages.partnership_table(page, request.GET.urlencode()), form)
    forms = may(request.acting, Capability.FORM_PARTNERSHIPS)
    context = {"page": page, "table": table, "form": form, "forms": forms}
    return render(request, "connectedness/partnerships.html", context)


@requires(Capability.SEE_AREA)
@require_safe
def partnerships_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.partnership_list(request.acting, area_or_404(request))
    return respond(
        fmt,
        title=_("Partnerships"),
        filename="partnerships",
        columns=pages.partnership_columns(),
        rows=pages.partnership_rows(found.iterator(chunk_size=2000)),
        note=pages.distance_note(),
    )


@requires(Capability.FORM_PARTNERSHIPS)
def proposals(request: ActingRequest) -> HttpResponse:
    """Ask the optimiser for a proposal, and see the ones there are."""
    assert request.acting is not None  # the decorator has seen to it
    form = ProposalForm(request.POST or None, acting=request.acting)
    if request.method == "POST" and form.is_valid():
        chosen = dict(form.cleaned_data)
        job = actions.ask_for_proposal(
            {name: chosen[name] for name in ("minimum", "maximum", "max_km")},
            by=request.acting,
            area=chosen["area"],
            close_to="present" if chosen["stay_close"] else "",
            name=chosen["name"],
        )
        return redirect("shared:job", pk=job.pk)
    page = _page(request, queries.proposals_visible_to(request.acting))
    context = {
        "form": form,
        "page": page,
        "table": proposal_pages.proposal_table(page),
        "submit_label": _("Propose partnerships"),
    }
    return render(request, "connectedness/proposals.html", context)


@requires(Capability.FORM_PARTNERSHIPS)
@require_safe
def proposals_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    return respond(
        fmt,
        title=_("Proposals for partnerships"),
        filename="proposals-for-partnerships",
        columns=proposal_pages.proposal_columns(),
        rows=proposal_pages.proposal_rows(queries.proposals_visible_to(request.acting)),
    )


def _or_why(table: Table, form: AreaFilter) -> Table:
    """Say why nothing is shown where the area cannot be found."""
    return (
        table if form.is_valid() else replace(table, empty=_("Choose an area first."), exports=[])
    )


def _page(request: ActingRequest, rows: QuerySet[Any]) -> Page[Any]:
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))
