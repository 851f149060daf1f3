"""Coaching, for the two of a pair: everybody else gets 404."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Appointment
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.leaders import coaching_actions as actions
from brightspots_web.leaders import coaching_queries as queries
from brightspots_web.leaders import development_queries
from brightspots_web.leaders.coaching_forms import AskForm, NoteForm
from brightspots_web.leaders.development_forms import FindColleague
from brightspots_web.leaders.models import CoachingNote, CoachingPair
from brightspots_web.shared.components import Link

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "leaders/coaching"
PAGE = 20


def _acting(request: ActingRequest) -> Appointment:
    """Whoever acts in a role in which people coach each other; 403 for others."""
    acting = by(request)
    if not queries.may_coach(acting):
        raise PermissionDenied
    return acting


def crumbs(*further: Link | str) -> list[Link]:
    first = Link(_("My page"), reverse("leaders:me"))
    second = Link(_("Coaching"), reverse("leaders:coaching") if further else "")
    return [first, second, *(each if isinstance(each, Link) else Link(each) for each in further)]


def _url(pair: CoachingPair) -> str:
    return reverse("leaders:coaching_pair", args=[pair.pk])


@never_cache
@require_safe
def coaching(request: ActingRequest) -> HttpResponse:
    """Whom one coaches, who coaches one, and who asks."""
    acting = _acting(request)

    def lines(pairs: list[CoachingPair]) -> list[dict[str, object]]:
        return [
            {
                "pair": pair,
                "other": queries.other_of(pair, acting.person_id),
                "coaches": pair.coach_id == acting.person_id,
                "answer": queries.has_to_answer(acting, pair),
            }
            for pair in pairs
        ]

    context = {
        "asking": lines(queries.asking(acting)),
        "at_work": lines(queries.at_work(acting)),
        "over": lines(queries.over(acting)),
        "breadcrumb": crumbs(),
    }
    return render(request, f"{FOLDER}/coaching.html", context)


@never_cache
@READ_OR_SEND
def ask(request: ActingRequest) -> HttpResponse:
    """Ask somebody to coach one, or offer to coach."""
    acting = _acting(request)
    find = FindColleague(request.GET)
    find.is_valid()
    people = development_queries.people_to_ask(acting, find.cleaned_data.get("q", ""))

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"form": form, "find": find, "breadcrumb": crumbs(_("Ask"))}
        return render(request, f"{FOLDER}/ask.html", context, status=status)

    if request.method != "POST":
        return again(AskForm(people=people), 200)
    form = AskForm(request.POST, people=people)
    return take(
        request, form,
        lambda data: actions.ask(form.chosen(), by=acting, as_coach=form.as_coach()),
        done=_("Asked. It begins when your colleague agrees."),
        back=lambda _pair: reverse("leaders:coaching"), again=again,
    )  # fmt: skip


def _pair(request: ActingRequest, pk: int) -> CoachingPair:
    by(request)
    return get_object_or_404(queries.pairs_visible_to(request.acting), pk=pk)


def _page(
    request: ActingRequest, pair: CoachingPair, form: forms.Form, status: int = 200
) -> HttpResponse:
    acting = by(request)
    notes = queries.notes_visible_to(acting).filter(pair=pair)
    other = queries.other_of(pair, acting.person_id)
    context = {
        "pair": pair,
        "other": other,
        "coaches": pair.coach_id == acting.person_id,
        "answer": queries.has_to_answer(acting, pair),
        "going_on": pair.accepted_at is not None and pair.ends is None,
        "page_obj": Paginator(notes, PAGE).get_page(request.GET.get("page")),
        "mine": acting.person_id,
        "form": form,
        "deleted_on": pair.ends + actions.KEPT if pair.ends is not None else None,
        "breadcrumb": crumbs(str(other)),
    }
    return render(request, f"{FOLDER}/pair.html", context, status=status)


@never_cache
@READ_OR_SEND
def pair(request: ActingRequest, pk: int) -> HttpResponse:
    """The notes of a pair; a note is written here."""
    found = _pair(request, pk)
    if request.method != "POST":
        return _page(request, found, NoteForm())
    form = NoteForm(request.POST)
    return take(
        request, form,
        lambda data: actions.write_note(
            found, data["words"], by=by(request), on=data["on"], next_step=data["next_step"]
        ),
        done=_("Saved, for the two of you."), back=lambda _note: _url(found),
        again=lambda sent, status: _page(request, found, sent, status),
    )  # fmt: skip


@require_POST
def accept(request: ActingRequest, pk: int) -> HttpResponse:
    found = _pair(request, pk)
    return press(
        request, lambda: actions.accept(found, by=by(request)),
        done=_("Agreed. Notes that you write here are for the two of you."), back=_url(found),
    )  # fmt: skip


@require_POST
def end(request: ActingRequest, pk: int) -> HttpResponse:
    """End it, decline it, or take the asking back."""
    found = _pair(request, pk)
    return press(
        request, lambda: actions.end(found, by=by(request)),
        done=_("Ended."), back=reverse("leaders:coaching"),
    )  # fmt: skip


def _own_note(request: ActingRequest, pk: int, note: int) -> CoachingNote:
    found = _pair(request, pk)
    mine = queries.notes_visible_to(request.acting).filter(pair=found)
    return get_object_or_404(mine, pk=note, author=by(request).person_id)


@never_cache
@READ_OR_SEND
def change_note(request: ActingRequest, pk: int, note: int) -> HttpResponse:
    found = _own_note(request, pk, note)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "note": found,
            "overtaken": status == 409,
            "breadcrumb": crumbs(
                Link(str(queries.other_of(found.pair, by(request).person_id)), _url(found.pair)),
                _("Change"),
            ),
        }
        return render(request, f"{FOLDER}/note.html", context, status=status)

    if request.method != "POST":
        initial = {"seen": found.version, "on": found.on, "words": found.words}
        return again(NoteForm(initial=initial | {"next_step": found.next_step}), 200)
    form = NoteForm(request.POST)
    return take(
        request, form,
        lambda data: actions.change_note(
            found, data["words"], by=by(request), on=data["on"],
            next_step=data["next_step"], seen=data["seen"],
        ),
        done=_("Saved, for the two of you."), back=lambda _n: _url(found.pair), again=again,
        row=found,
    )  # fmt: skip


@require_POST
def delete_note(request: ActingRequest, pk: int, note: int) -> HttpResponse:
    found = _own_note(request, pk, note)
    return press(
        request, lambda: actions.delete_note(found, by=by(request)),
        done=_("Deleted for good."), back=_url(found.pair),
    )  # fmt: skip
