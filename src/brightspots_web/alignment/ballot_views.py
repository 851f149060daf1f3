"""Pages of ballots: the list, one of them, opening it, more time, counting it, its files."""

import csv
import io

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import ballot_actions as actions
from brightspots_web.alignment import ballot_file
from brightspots_web.alignment import ballot_pages as pages
from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment import ballot_result_pages as results
from brightspots_web.alignment.ballot_forms import MoreTimeForm, OpenForm
from brightspots_web.alignment.models import Ballot
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, take
from brightspots_web.shared.exports import harmless, respond
from brightspots_web.shared.permissions import Capability

FOLDER = "alignment/ballot"
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
PAGE = 40


def found(request: ActingRequest, pk: int) -> Ballot:
    """The ballot, for everybody with an appointment."""
    by(request)
    return get_object_or_404(queries.ballots_visible_to(request.acting), pk=pk)


@require_safe
def ballots(request: ActingRequest) -> HttpResponse:
    """Every ballot there was; the ministry opens the next from here."""
    by(request)
    page = Paginator(queries.ballots_visible_to(request.acting), PAGE)
    shown = page.get_page(request.GET.get("page"))
    context = {
        "table": pages.ballots_table(list(shown)),
        "page_obj": shown if shown.has_other_pages() else None,
        "opening": pages.opening(request.acting),
        "breadcrumb": pages.crumbs_of_list(),
    }
    return render(request, f"{FOLDER}/ballots.html", context)


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def open_ballot(request: ActingRequest, pk: int) -> HttpResponse:
    """Show the paper as the lot draws it, then open the ballot."""
    agreement = calendar.agreement(pk)
    if agreement is None:
        raise Http404

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = pages.to_open(agreement) | {"form": form}
        if form.is_bound:
            form = fresh(form, context["seed"])
        return render(request, f"{FOLDER}/open.html", context, status=status)

    if request.method != "POST":
        initial = {
            "closes_on": agreement.adopt_from,
            "seen": queries.seed_for(agreement, queries.on_the_table(agreement)),
        }
        return again(OpenForm(initial=initial), 200)
    return take(
        request,
        OpenForm(request.POST),
        lambda data: actions.open_ballot(
            agreement,
            seats=data["seats"],
            closes_on=data["closes_on"],
            by=by(request),
            seen=data["seen"],
        ),
        done=_("The ballot is open. Everybody who has a vote is told."),
        back=pages.url,
        again=again,
    )


@require_safe
def ballot(request: ActingRequest, pk: int) -> HttpResponse:
    """One ballot: while it is open the turnout, then the count."""
    shown = found(request, pk)
    within = _within(request)
    areas = queries.turnout_by_area(shown, within)
    page = Paginator(areas, PAGE).get_page(request.GET.get("page"))
    context = pages.page(shown, request.acting, within) | {
        "areas": pages.areas_table(shown, list(page), request.GET.urlencode()),
        "page_obj": page if page.has_other_pages() else None,
    }
    return render(request, f"{FOLDER}/ballot.html", context)


def _within(request: ActingRequest) -> str:
    """The path of the area asked for; "" for the whole system, and for anything else."""
    path = request.GET.get("area", "")
    return path if path.replace("/", "").isdecimal() and path.endswith("/") else ""


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def more_time(request: ActingRequest, pk: int) -> HttpResponse:
    shown = found(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "ballot": shown,
            "breadcrumb": pages.crumbs_of(shown, _("More time")),
        }
        return render(request, f"{FOLDER}/time.html", context, status=status)

    if request.method != "POST":
        return again(
            MoreTimeForm(initial={"closes_on": shown.closes_on, "seen": shown.version}), 200
        )
    return take(
        request,
        MoreTimeForm(request.POST),
        lambda data: actions.give_more_time(
            shown, data["closes_on"], by=by(request), seen=data["seen"]
        ),
        done=_("Saved. The new day stands on the ballot's page."),
        back=pages.url,
        again=again,
        row=shown,
    )


@requires(Capability.SET_PRIORITIES)
@require_POST
def close(request: ActingRequest, pk: int) -> HttpResponse:
    shown = found(request, pk)
    return press(
        request,
        lambda: actions.close_ballot(shown, by=by(request)),
        done=_("The votes are counted. Everybody can see how."),
        back=pages.url(shown),
    )


# Files


@require_safe
def turnout_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    shown = found(request, pk)
    return respond(
        fmt,
        title=_("Turnout by area"),
        filename=f"turnout-{shown.agreement.cycle.name}",
        columns=pages.turnout_columns(),
        rows=pages.turnout_rows(queries.turnout_by_area(shown, _within(request))),
    )


@require_safe
def rounds_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    shown = found(request, pk)
    counted = queries.counted(shown)
    if counted is None:
        raise Http404
    return respond(
        fmt,
        title=_("Votes at the end of each round"),
        filename=f"count-{shown.agreement.cycle.name}",
        columns=results.rounds_columns(counted),
        rows=results.rounds_rows(shown, counted),
        note=shown.method,
    )


@require_safe
def papers(request: ActingRequest, pk: int, fmt: str) -> HttpResponse:
    """Rules and papers without a name, to count again with `brightspots count-ballot`."""
    shown = found(request, pk)
    if shown.closed_at is None or fmt not in {"json", "csv"}:
        raise Http404
    given = (pages.title(shown), queries.rules(shown), queries.papers(shown), shown.result)
    if fmt == "json":
        response = HttpResponse(ballot_file.to_json(*given), content_type="application/json")
    else:
        text = io.StringIO()
        text.write("\ufeff")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerows([harmless(cell) for cell in row] for row in ballot_file.csv_rows(*given))
        response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"ballot-{slugify(shown.agreement.cycle.name) or shown.pk}.{fmt}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
