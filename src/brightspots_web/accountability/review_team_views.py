"""Peer reviews: who is asked to come, answers, stands down; improvement champions."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from brightspots_web.accountability import review_actions as actions
from brightspots_web.accountability import review_champion_actions as championing
from brightspots_web.accountability import review_pages as pages
from brightspots_web.accountability import review_people_queries as peers
from brightspots_web.accountability import review_queries as queries
from brightspots_web.accountability import review_team_actions as team
from brightspots_web.accountability.models import Reviewer
from brightspots_web.accountability.review_forms import (
    AnswerForm,
    ChampionForm,
    ConflictForm,
    FindForm,
    PeerForm,
)
from brightspots_web.accountability.review_views import (
    FOLDER,
    PAGE,
    PEERS,
    READ_OR_SEND,
    found_by,
    hosted_by,
    page_of,
)
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.shared.components import Link


@requires(PEERS)
@READ_OR_SEND
def ask(request: ActingRequest, pk: int) -> HttpResponse:
    """Ask somebody to come; `?q=` looks for a name or school anywhere."""
    found = hosted_by(request, pk)
    find = FindForm(request.GET)
    wanted = find.cleaned_data["q"] if find.is_valid() else ""
    listed = peers.candidates(found, wanted)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "find": find,
            "review": found,
            "able": any(each.may_come for each in listed),
            "unable": [each for each in listed if not each.may_come],
            "team": queries.team_of(found),
            "missing": actions.missing_in_team(found),
            "breadcrumb": pages.crumbs_of(found, _("Ask a peer")),
        }
        return render(request, f"{FOLDER}/team.html", context, status=status)

    if request.method != "POST":
        return again(PeerForm(candidates=listed), 200)
    # Who was asked a moment ago is no longer listed; asking twice is asking once.
    seat = next(
        (each for each in queries.team_of(found) if _is_asked(each, request.POST.get("person"))),
        None,
    )
    if seat is not None:
        return press(
            request, lambda: None, done=_("{who} is asked.").format(who=seat.name),
            back=pages.url(found),
        )  # fmt: skip
    return take(
        request,
        PeerForm(request.POST, candidates=listed),
        lambda data: team.invite(found, data["person"], by=by(request), leads=data["leads"]),
        done=_("The peer is asked, and reads your question and your own view."),
        back=lambda _seat: f"{pages.url(found)}#team",
        again=again,
    )


def _is_asked(seat: Reviewer, person: str | None) -> bool:
    return str(seat.person_id) == person and seat.state in queries.SEATED


@requires(PEERS)
@require_POST
def stand_down(request: ActingRequest, pk: int) -> HttpResponse:
    """A conflict of interest was found; said by host or leader, or by the peer."""
    found = found_by(request, pk)
    acting = by(request)
    chooses = queries.is_host(acting, found) or queries.is_leader(acting, found)
    seat = queries.seat_of(acting, found)
    if not chooses and seat is None:
        raise PermissionDenied
    seats = queries.team_of(found)
    offered = pages.seats_to_stand_down(seats, seat, chooses=chooses)
    leaves = [False]

    def act(data: dict[str, Any]) -> Reviewer:
        chosen = next(each for each in seats if str(each.pk) == data["seat"])
        leaves[0] = seat is not None and chosen.pk == seat.pk
        return team.stand_down(chosen, data["why"], by=acting)

    return take(
        request,
        ConflictForm(request.POST, seats=offered, auto_id="conflict_%s"),
        act,
        done=_("Thank you. It is marked, and the school is told."),
        back=lambda _seat: reverse("accountability:reviews") if leaves[0] else pages.url(found),
        again=lambda form, status: page_of(request, found, status, conflict_form=form),
    )


# A seat in the team


def _seat(request: ActingRequest, pk: int) -> Reviewer:
    found = queries.seat_with(request.acting, pk)
    if found is None:
        raise Http404
    return found


@requires(PEERS)
@require_POST
def answer(request: ActingRequest, pk: int) -> HttpResponse:
    """Come, or not, or say that there is a conflict."""
    seat = _seat(request, pk)
    acting = by(request)
    if seat.person_id != acting.person_id:
        raise PermissionDenied

    def act(data: dict[str, Any]) -> Reviewer:
        if data["answer"] == "yes":
            return team.accept(seat, by=acting)
        if data["answer"] == "no":
            return team.decline(seat, by=acting)
        return team.stand_down(seat, data["why"], by=acting)

    def back(answered: Reviewer) -> str:
        if answered.state == Reviewer.State.ACCEPTED:
            return pages.url(answered.review)
        return reverse("accountability:reviews")

    return take(
        request,
        AnswerForm(request.POST),
        act,
        done=_("Thank you. The school is told."),
        back=back,
        again=lambda form, status: page_of(request, seat.review, status, answer_form=form),
    )


def _host_of(request: ActingRequest, pk: int) -> Reviewer:
    seat = _seat(request, pk)
    if not queries.is_host(request.acting, seat.review):
        raise PermissionDenied
    return seat


@requires(PEERS)
@require_POST
def lead(request: ActingRequest, pk: int) -> HttpResponse:
    seat = _host_of(request, pk)
    return press(
        request,
        lambda: team.make_lead(seat, by=by(request)),
        done=_("{who} leads the team.").format(who=seat.name),
        back=f"{pages.url(seat.review)}#team",
    )


@requires(PEERS)
@require_POST
def take_back(request: ActingRequest, pk: int) -> HttpResponse:
    seat = _host_of(request, pk)
    return press(
        request,
        lambda: team.take_back(seat, by=by(request)),
        done=_("{who} is asked no longer.").format(who=seat.name),
        back=f"{pages.url(seat.review)}#team",
    )


# Champions


@READ_OR_SEND
def champions(request: ActingRequest) -> HttpResponse:
    """Who helps schools turn findings into change; heads and leaders name them."""
    acting = by(request)
    if not (queries.takes_part(acting) or queries.overlooks(acting)):
        raise PermissionDenied
    people = queries.who_may_be_champion(acting)

    def again(form: forms.Form, status: int) -> HttpResponse:
        page = Paginator(queries.champions_visible_to(acting), PAGE)
        shown = page.get_page(request.GET.get("page"))
        mine = set(queries.names_at(acting).values_list("pk", flat=True))
        context = {
            "form": form if people else None,
            "page": shown,
            "rows": [(each, each.school_id in mine) for each in shown],
            "opened": form.is_bound,
            "breadcrumb": [
                *(pages.crumbs() if queries.takes_part(acting) else []),
                Link(_("Improvement champions")),
            ],
        }
        return render(request, f"{FOLDER}/champions.html", context, status=status)

    if request.method != "POST":
        return again(ChampionForm(people=people), 200)
    if not queries.takes_part(acting):
        raise PermissionDenied
    return take(
        request,
        ChampionForm(request.POST, people=people),
        lambda data: championing.name_champion(data["who"], data["good_at"], by=acting),
        done=_("Named. Schools of the partnership see it when they plan a workshop."),
        back=lambda _made: request.path,
        again=again,
    )


@requires(PEERS)
@require_POST
def end_champion(request: ActingRequest, pk: int) -> HttpResponse:
    champion = queries.champion_with(request.acting, pk)
    if champion is None:
        raise Http404
    return press(
        request,
        lambda: championing.end_champion(champion, by=by(request)),
        done=_("It has ended. Thank them for it."),
        back=reverse("accountability:champions"),
    )
