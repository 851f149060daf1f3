"""Adopting two or three proposals: first which, then the aim of each. A fourth is refused here."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.alignment import actions as priorities
from brightspots_web.alignment import adoption_actions as actions
from brightspots_web.alignment import adoption_queries as queries
from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import ballot_pages as pages
from brightspots_web.alignment import ballot_queries as ballots
from brightspots_web.alignment import queries as live
from brightspots_web.alignment.adoption_forms import ReasonForm, Section, sections
from brightspots_web.alignment.ballot_views import READ_OR_SEND
from brightspots_web.alignment.models import Agreement, PriorityProposal
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by
from brightspots_web.shared.components import Link
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability

FOLDER = "alignment/adoption"


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def adopt(request: ActingRequest, pk: int) -> HttpResponse:
    """Tick, be told whether it can be, say the aims, adopt."""
    agreement = calendar.agreement(pk)
    if agreement is None:
        raise Http404
    table = ballots.on_the_table(agreement)
    keys = [int(key) for key in _sent(request).getlist("p") if key.isdecimal() and len(key) < 19]
    order = {key: place for place, key in enumerate(ballots.chosen(ballots.ballot_of(agreement)))}
    table.sort(key=lambda each: order.get(each.pk, len(order)))  # the chosen first
    picked = [each for each in table if each.pk in keys]
    problem = queries.cannot_adopt(agreement) or _wrong(request, keys, picked)
    if problem or not picked or "back" in request.GET:
        status = 409 if problem and len(picked) < len(set(keys)) else 200
        return _choose(request, agreement, table, keys, problem, status)
    if request.method != "POST":
        return _aims(request, agreement, sections(picked), ReasonForm(
            initial={"mark": queries.mark_of(agreement)}
        ))  # fmt: skip
    return _adopt(request, agreement, picked)


def _sent(request: ActingRequest) -> Any:
    return request.POST if request.method == "POST" else request.GET


def _wrong(
    request: ActingRequest, keys: Sequence[int], picked: Sequence[PriorityProposal]
) -> str:  # fmt: skip
    """Why what was ticked cannot be adopted; "" where it can, and before anything was ticked."""
    if not keys and "go" not in _sent(request):
        return ""
    if len(picked) < len(set(keys)):
        return _(
            "One of those you ticked is no longer on the table: it was withdrawn, or became part "
            "of another. Choose anew."
        )
    try:
        priorities.check_number(len(picked))
    except ValidationError as problem:
        return " ".join(problem.messages)
    return ""


def _choose(
    request: ActingRequest,
    agreement: Agreement,
    table: Sequence[PriorityProposal],
    keys: Sequence[int],
    problem: str,
    status: int,
) -> HttpResponse:
    ballot = ballots.ballot_of(agreement)
    chosen = ballots.chosen(ballot)
    ticked = set(keys) if keys or "go" in _sent(request) else set(chosen)
    order = {key: place for place, key in enumerate(chosen)}
    context = {
        **_about(agreement),
        "problem": problem,
        "closed": bool(queries.cannot_adopt(agreement)),
        "ballot_url": pages.url(ballot) if ballot else "",
        "offered": [
            {
                "proposal": each,
                "ticked": each.pk in ticked,
                "place": order[each.pk] + 1 if each.pk in order else 0,
                "url": reverse("alignment:proposal", args=[each.pk]),
            }
            for each in table
        ],
    }
    return render(request, f"{FOLDER}/choose.html", context, status=status)


def _aims(
    request: ActingRequest, agreement: Agreement, shown: Sequence[Section], reason: ReasonForm,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    picked = {each.proposal.pk for each in shown}
    chosen = ballots.chosen(ballots.ballot_of(agreement))
    titles = {each.proposal.title.casefold() for each in shown}
    context = {
        **_about(agreement),
        "sections": shown,
        "reason": reason,
        "otherwise": picked != set(chosen),
        "had_ballot": bool(chosen),
        "wrong": reason.errors or any(form.errors for each in shown for form in each.forms),
        "ending": [
            each.title for each in live.live_priorities() if each.title.casefold() not in titles
        ],
    }
    return render(request, f"{FOLDER}/aims.html", context, status=status)


def _about(agreement: Agreement) -> dict[str, Any]:
    return {
        "agreement": agreement,
        "kind": agreement.cycle.name,
        "breadcrumb": [
            Link(_("Priorities"), reverse("alignment:priorities")),
            Link(_("Adopt")),
        ],
    }


def _adopt(
    request: ActingRequest, agreement: Agreement, picked: Sequence[PriorityProposal]
) -> HttpResponse:
    shown, reason, status = sections(picked, request.POST), ReasonForm(request.POST), 200
    valid = [each.is_valid() for each in shown]
    if reason.is_valid() and all(valid):
        try:
            actions.adopt(
                agreement,
                [each.taken() for each in shown],
                by=by(request),
                why=reason.cleaned_data["why"],
                seen=reason.cleaned_data["mark"],
            )
        except OvertakenError as problem:
            reason.add_error(None, problem)
            reason.data = {**request.POST.dict(), "mark": queries.mark_of(agreement)}
            status = 409
        except actions.AimsError as problem:
            for each in shown:
                if each.proposal.pk in problem.about:
                    each.say(problem.about[each.proposal.pk])
        except ValidationError as problem:
            reason.add_error(None, problem)
        else:
            messages.success(request, _("Adopted: these are the priorities from today."))
            return redirect("alignment:priorities")
    return _aims(request, agreement, shown, reason, status)
