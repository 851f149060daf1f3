"""Pages of support for officers and the ministry: the queue, suggestions, why not another."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.alignment import queries as alignment
from brightspots_web.connectedness import support_actions as actions
from brightspots_web.connectedness import support_broker_pages as pages
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness.models import SupportOffer, SupportRequest
from brightspots_web.connectedness.support_forms import (
    ProposeForm,
    QueueFilter,
    TriageForm,
    priority_of,
)
from brightspots_web.connectedness.support_queries import Search
from brightspots_web.connectedness.support_views import READ_OR_SEND, request_page, request_url
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, seen, take
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 20


def _search(request: ActingRequest) -> tuple[QueueFilter, Search | None]:
    """The filter and what it asks for; None where it asks for what is not there."""
    priorities = list(alignment.all_priorities())
    form = QueueFilter(request.GET, acting=request.acting, priorities=priorities)
    if not form.is_valid():
        return form, None
    chosen = form.cleaned_data
    priority = next((each for each in priorities if str(each.pk) == chosen["priority"]), None)
    return form, Search(chosen["area"], priority, chosen["state"])


@requires(Capability.BROKER)
@require_safe
def queue(request: ActingRequest) -> HttpResponse:
    """Requests of the area in the order in which they are wanted."""
    form, search = _search(request)
    found = queries.queue(request.acting, search)
    page = Paginator(found if search else found.none(), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "table": pages.queue_table(page, request.GET.urlencode()),
        "waiting": queries.waiting_for_match(request.acting).count(),
    }
    return render(request, "connectedness/support/queue.html", context)


@requires(Capability.BROKER)
@require_safe
def queue_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    _form, search = _search(request)
    if search is None:
        raise Http404
    return respond(
        fmt,
        title=_("Requests for support"),
        filename="support-queue",
        columns=pages.queue_columns(),
        rows=pages.queue_rows(queries.queue(request.acting, search).iterator(chunk_size=2000)),
    )


@requires(Capability.BROKER)
@READ_OR_SEND
def propose(request: ActingRequest) -> HttpResponse:
    """Propose support to a school of the area. Its head agrees before anything is matched."""
    acting, live = by(request), alignment.live_priorities()
    schools = queries.schools_to_propose_for(acting)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"form": form, "none_live": not live}
        return render(request, "connectedness/support/propose.html", context, status=status)

    if request.method != "POST":
        initial = {"school": request.GET.get("school", "")[:60]}
        return again(ProposeForm(schools=schools, priorities=live, initial=initial), 200)
    form = ProposeForm(request.POST, schools=schools, priorities=live)

    def act(data: dict[str, Any]) -> SupportRequest:
        rest = {name: data[name] for name in ("what", "days", "urgency")}
        return actions.propose_support(
            data["school"], by=acting, priority=priority_of(form, live), **rest
        )

    return take(
        request,
        form,
        act,
        done=_("Proposed. The school’s head decides whether it is taken up."),
        back=lambda row: request_url(row.pk),
        again=again,
    )


@requires(Capability.BROKER)
@require_POST
def match_all(request: ActingRequest) -> HttpResponse:
    """Suggest offers for all requests in sight that are ready, as a job."""
    job = matching.ask_for_matching(by=by(request))
    return redirect("shared:job", pk=job.pk)


def _to_broker(request: ActingRequest, pk: int) -> SupportRequest:
    """A request that whoever acts looks after; 404 for any other, even where it may be read."""
    schools = queries.brokered_schools(request.acting)
    visible = queries.requests_visible_to(request.acting).filter(school__in=schools)
    return get_object_or_404(visible, pk=pk)


@requires(Capability.BROKER)
@require_POST
def triage(request: ActingRequest, pk: int) -> HttpResponse:
    found = _to_broker(request, pk)
    return take(
        request,
        TriageForm(request.POST, auto_id="triage_%s"),
        lambda data: actions.triage(found, by=by(request), **data),
        done=_("Saved."),
        back=lambda row: request_url(row.pk),
        again=lambda form, status: request_page(request, found, status, triage_form=form),
    )


@requires(Capability.BROKER)
@require_POST
def shortlist(request: ActingRequest, pk: int) -> HttpResponse:
    """Suggest three offers, with reasons. Only officers see them until one is put."""
    from brightspots_web.connectedness.analysis import brokering  # other pages spare the library

    found = _to_broker(request, pk)

    def act() -> None:
        suggested = brokering.shortlist(found, queries.declined_offers(found))
        matching.keep_shortlist(found, suggested, by=by(request), seen=seen(request))

    return press(request, act, done=_("Suggested."), back=request_url(pk))


@requires(Capability.BROKER)
@require_POST
def put(request: ActingRequest, pk: int) -> HttpResponse:
    """Put a suggestion to both schools."""
    matches = queries.matches_visible_to(request.acting)
    match = get_object_or_404(
        matches.filter(request__school__in=queries.brokered_schools(request.acting)), pk=pk
    )
    return press(
        request,
        lambda: matching.put(match, by=by(request), seen=seen(request)),
        done=_("Put to both schools. They see it and may answer."),
        back=request_url(match.request_id),
    )


def _offers(request: ActingRequest, found: SupportRequest) -> Any:
    """Offers in sight at the request's priority that were not withdrawn, by the school's name."""
    visible = queries.offers_visible_to(request.acting).filter(priority=found.priority)
    standing = visible.exclude(state=SupportOffer.State.WITHDRAWN)
    return standing.exclude(school=found.school).order_by("school__name", "school__code", "pk")


@requires(Capability.BROKER)
@require_safe
def others(request: ActingRequest, pk: int) -> HttpResponse:
    """Every offer in sight at the priority of a request, each with the question: why not this?"""
    found = _to_broker(request, pk)
    page = Paginator(_offers(request, found), PAGE).get_page(request.GET.get("page"))
    context = {"found": found, "page": page, "table": pages.others_table(found, page)}
    return render(request, "connectedness/support/others.html", context)


@requires(Capability.BROKER)
@READ_OR_SEND
def why_not(request: ActingRequest, pk: int, offer: int) -> HttpResponse:
    """One offer held against a request; sent, it is put to both schools."""
    from brightspots_web.connectedness.analysis import brokering  # other pages spare the library

    found = _to_broker(request, pk)
    chosen = get_object_or_404(_offers(request, found), pk=offer)
    answer = brokering.why_not(found, chosen)
    if request.method == "POST":
        return press(
            request,
            lambda: matching.put_offer(found, answer, by=by(request), seen=seen(request)),
            done=_("Put to both schools. They see it and may answer."),
            back=request_url(pk),
        )
    context = pages.why_not_page(found, chosen, answer)
    stands = chosen.state == SupportOffer.State.OPEN
    context["may_put"] = stands and pages.officer_part(found)["may_suggest"]
    context["back"] = reverse("connectedness:support_others", args=[pk])
    return render(request, "connectedness/support/why_not.html", context)
