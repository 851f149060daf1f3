from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.connectedness import actions, pages, proposal_pages, queries
from brightspots_web.connectedness.forms import ProposalForm
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.forms import AreaFilter
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Area
from brightspots_web.shared.components import Table
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

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
    rows = queries.partnership_list(request.acting, _area(form))
    page = _page(request, rows if form.is_valid() else rows.none())
    table = _or_why(pages.partnership_table(page, request.GET.urlencode()), form)
    return render(
        request, "connectedness/partnerships.html", {"page": page, "table": table, "form": form}
    )


@requires(Capability.SEE_AREA)
@require_safe
def partnerships_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.partnership_list(request.acting, _area_or_404(request))
    return respond(
        fmt,
        title=_("Partnerships"),
        filename="partnerships",
        columns=pages.partnership_columns(),
        rows=pages.partnership_rows(found.iterator(chunk_size=2000)),
        note=pages.distance_note(),
    )


@requires(Capability.SEE_AREA)
@require_safe
def isolation(request: ActingRequest) -> HttpResponse:
    """The isolation register: every school in no partnership, and why. The target is zero."""
    form = AreaFilter(request.GET, acting=request.acting)
    rows = queries.isolated_schools(request.acting, _area(form))
    page = _page(request, rows if form.is_valid() else rows.none())
    context = {
        "page": page,
        "form": form,
        "table": _or_why(pages.isolation_table(page, request.GET.urlencode()), form),
        "count": queries.connectedness(request.acting, _area(form)) if form.is_valid() else None,
    }
    return render(request, "connectedness/isolation.html", context)


@requires(Capability.SEE_AREA)
@require_safe
def isolation_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.isolated_schools(request.acting, _area_or_404(request))
    return respond(
        fmt,
        title=_("Isolation register"),
        filename="isolation",
        columns=pages.isolation_columns(),
        rows=pages.isolation_rows(found.iterator(chunk_size=2000)),
    )


@requires(Capability.FORM_PARTNERSHIPS)
def proposals(request: ActingRequest) -> HttpResponse:
    """Ask the optimiser for a proposal, and see the ones there are."""
    assert request.acting is not None  # the decorator has seen to it
    form = ProposalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        job = actions.ask_for_proposal(form.cleaned_data, by=request.acting)
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
def proposal(request: ActingRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(queries.proposals_visible_to(request.acting), pk=pk)
    page = _page(request, queries.proposed_partnerships(found))
    return render(
        request,
        "connectedness/proposal.html",
        proposal_pages.proposal(found, page) | {"page": page},
    )


@requires(Capability.FORM_PARTNERSHIPS)
@require_safe
def proposal_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = get_object_or_404(queries.proposals_visible_to(request.acting), pk=pk)
    return respond(
        fmt,
        title=_("Proposed partnerships"),
        filename=f"proposal-{found.pk}",
        columns=proposal_pages.proposed_columns(),
        rows=proposal_pages.proposed_rows(found),
        note=pages.distance_note(),
    )


@requires(Capability.FORM_PARTNERSHIPS)
@require_POST
def adopt(request: ActingRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, actions.adopt, _("Adopted: these are the partnerships now."))


@requires(Capability.FORM_PARTNERSHIPS)
@require_POST
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, actions.withdraw, _("Set aside; it stays on record."))


def _decide(request: ActingRequest, pk: int, action: Any, words: str) -> HttpResponse:
    found = get_object_or_404(queries.proposals_visible_to(request.acting), pk=pk)
    try:
        action(found, by=request.acting)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, words)
    return redirect("connectedness:proposal", pk=pk)


def _area(form: AreaFilter) -> Area | None:
    """The area asked for, if any; an invalid form has none, and its page shows no rows."""
    return form.cleaned_data["area"] if form.is_valid() else None


def _or_why(table: Table, form: AreaFilter) -> Table:
    """Say why nothing is shown where the area cannot be found."""
    return (
        table if form.is_valid() else replace(table, empty=_("Choose an area first."), exports=[])
    )


def _area_or_404(request: ActingRequest) -> Area | None:
    form = AreaFilter(request.GET, acting=request.acting)
    if not form.is_valid():
        raise Http404
    return _area(form)


def _page(request: ActingRequest, rows: QuerySet[Any]) -> Page[Any]:
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))
