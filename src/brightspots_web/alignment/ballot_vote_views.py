"""Voting: a paper, a look at what one is about to cast, and then it is final."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from brightspots_web.alignment import ballot_pages as pages
from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment import ballot_result_pages as results
from brightspots_web.alignment import ballot_vote_actions as voting
from brightspots_web.alignment import ballot_words as words
from brightspots_web.alignment.ballot_forms import PaperForm, ranked, sent_ranking
from brightspots_web.alignment.ballot_queries import Held
from brightspots_web.alignment.ballot_views import FOLDER, READ_OR_SEND, found
from brightspots_web.alignment.models import Ballot
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability


@requires(Capability.VOTE)
@sensitive_post_parameters()
@never_cache
@READ_OR_SEND
def vote(request: ActingRequest, pk: int, tier: str) -> HttpResponse:
    """Rank, look at it once more, cast it. Nothing is kept between these steps but on the page."""
    ballot = found(request, pk)
    if ballot.weights.get(tier, 0) < 1:
        raise Http404
    held = next((each for each in queries.votes_held(request.acting, ballot) if each.tier == tier),
                None)  # fmt: skip
    if held is None:
        raise PermissionDenied
    step = request.POST.get("step", "") if request.method == "POST" else ""
    ranking = sent_ranking(ballot, request.POST)
    if not queries.is_open(ballot):
        return _refused(request, ballot, held, ranking, words.closed(ballot))
    if held.voted:
        return _refused(request, ballot, held, ranking, words.voted(tier))
    if step not in {"check", "cast"}:
        form = PaperForm(ballot=ballot)
        form.initial = request.POST.dict()  # what was typed, where somebody goes back to change it
        return _paper(request, ballot, held, form)
    form = PaperForm(request.POST, ballot=ballot)
    try:
        voting.check_standing(ballot, ranking)
        if not form.is_valid():
            return _paper(request, ballot, held, form)
        if step == "check":
            return _confirm(request, ballot, held, form)
        voting.cast(ballot, tier, ranking, by=by(request))
    except OvertakenError as problem:
        return _moved_up(request, found(request, pk), held, ranking, problem)
    except voting.NotTakenError as problem:
        return _refused(request, ballot, held, ranking, " ".join(problem.messages))
    messages.success(
        request, _("Your vote is in the urn. It is final, and no page shows what it was.")
    )
    return redirect(pages.url(ballot))


def _paper(
    request: ActingRequest, ballot: Ballot, held: Held, form: PaperForm, status: int = 200
) -> HttpResponse:
    context = _about(ballot, held) | {"form": form, "step": _("Vote")}
    return render(request, f"{FOLDER}/paper.html", context, status=status)


def _moved_up(
    request: ActingRequest, ballot: Ballot, held: Held, ranking: Sequence[int],
    problem: OvertakenError,
) -> HttpResponse:  # fmt: skip
    """The paper again, without what was withdrawn meanwhile; the choices after it moved up."""
    standing = queries.rules(ballot).standing
    form = PaperForm(ranked([key for key in ranking if key in standing]), ballot=ballot)
    form.add_error(None, problem)
    return _paper(request, ballot, held, form, 409)


def _confirm(request: ActingRequest, ballot: Ballot, held: Held, form: PaperForm) -> HttpResponse:
    context = _about(ballot, held) | {
        "ranked": _ranked(ballot, sent_ranking(ballot, request.POST)),
        "sent": list(form.hidden()),
        "step": _("Look once more"),
    }
    return render(request, f"{FOLDER}/confirm.html", context)


def _refused(
    request: ActingRequest, ballot: Ballot, held: Held, ranking: Sequence[int], why: str
) -> HttpResponse:
    """Why no vote is taken, and what one had ranked: nothing that was typed is lost."""
    context = _about(ballot, held) | {"why": why, "ranked": _ranked(ballot, ranking)}
    status = 409 if request.method == "POST" else 200
    return render(request, f"{FOLDER}/refused.html", context, status=status)


def _about(ballot: Ballot, held: Held) -> dict[str, Any]:
    return {
        "ballot": ballot,
        "held": held,
        "heading": pages.title(ballot),
        "kind": held.name,
        "until": words.last_day(ballot),
        "few": words.few_of_a_tier(held.tier, queries.voters_in(ballot, held.tier)),
        "back": pages.url(ballot),
        "breadcrumb": pages.crumbs_of(ballot, _("Vote")),
    }


def _ranked(ballot: Ballot, ranking: Sequence[int]) -> list[tuple[str, str]]:
    titles = results.titles_of(ballot)
    return [(words.place(place), titles[key]) for place, key in enumerate(ranking, start=1)]
