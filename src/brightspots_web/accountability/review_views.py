"""Peer reviews: the lists, the own view, one review, its days."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.accountability import review_actions as actions
from brightspots_web.accountability import review_list_pages as lists
from brightspots_web.accountability import review_pages as pages
from brightspots_web.accountability import review_queries as queries
from brightspots_web.accountability import review_words as words
from brightspots_web.accountability.models import PeerReview
from brightspots_web.accountability.review_forms import (
    ReviewFilter,
    SelfReviewForm,
    VisitForm,
    WhyForm,
)
from brightspots_web.alignment import queries as alignment
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability
from brightspots_web.shared.pupil_names import MayNamePupilError

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "accountability/review"
PEERS = Capability.REVIEW_PEERS


def found_by(request: ActingRequest, pk: int) -> PeerReview:
    """A review this person may open; 404 for everybody else."""
    return get_object_or_404(queries.visible_to(request.acting), pk=pk)


def hosted_by(request: ActingRequest, pk: int) -> PeerReview:
    """A review of one's own school; 403 for whoever only sees it."""
    found = found_by(request, pk)
    if not queries.is_host(request.acting, found):
        raise PermissionDenied
    return found


# Lists


@requires(PEERS)
@require_safe
def reviews(request: ActingRequest) -> HttpResponse:
    """The reviews of one's school, those one is asked for, and those of the partnership."""
    acting = by(request)
    form = ReviewFilter(request.GET)
    page = Paginator(queries.search(acting, form.search()), PAGE)
    shown = page.get_page(request.GET.get("page"))
    own = queries.under_way(acting.school) if acting.school else None
    context = {
        "form": form,
        "page": shown,
        "table": lists.table(shown, request.GET.urlencode(), filtered=form.has_changed()),
        "waiting": pages.front_items(acting),
        "own": own,
        "may_begin": acting.school is not None and own is None,
        "rule": words.rule(),
        "no_claim": words.no_claim(),
        "breadcrumb": [Link(_("Peer reviews"))],
    }
    return render(request, f"{FOLDER}/reviews.html", context)


@requires(PEERS)
@require_safe
def reviews_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.search(request.acting, ReviewFilter(request.GET).search())
    return respond(
        fmt,
        title=_("Peer reviews"),
        filename="peer-reviews",
        columns=lists.columns(),
        rows=lists.rows(found),
        note=words.no_claim(),
    )


@requires(Capability.SEE_AREA)
@require_safe
def coverage(request: ActingRequest) -> HttpResponse:
    """How many schools of each area had a review; no school by name, but to its officer."""
    acting = by(request)
    covered = queries.coverage(acting)
    context = {
        "table": lists.coverage_table(covered),
        "sentence": lists.coverage_sentence(covered),
        "overdue": lists.overdue_rows(queries.overdue(acting)[:PAGE]),
        "rule": words.rule(),
        "no_claim": words.no_claim(),
        "breadcrumb": [Link(_("Peer reviews by area"))],
    }
    return render(request, f"{FOLDER}/coverage.html", context)


@requires(Capability.SEE_AREA)
@require_safe
def coverage_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    return respond(
        fmt,
        title=_("Peer reviews by area"),
        filename="peer-reviews-by-area",
        columns=lists.coverage_columns(),
        rows=lists.coverage_rows(queries.coverage(request.acting)),
        note=words.no_claim(),
    )


# The host's own view


def _wary(form: SelfReviewForm, act: Callable[[], Any]) -> Any:
    try:
        return act()
    except MayNamePupilError:
        form.ask_to_look_again()
        raise


@requires(PEERS)
@READ_OR_SEND
def new(request: ActingRequest) -> HttpResponse:
    """Begin a review of one's own school."""
    acting = by(request)
    if acting.school is None:
        raise PermissionDenied
    priorities = alignment.live_priorities()

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "school": acting.school,
            "running": queries.under_way(acting.school) if acting.school else None,
            "rule": words.rule(),
            "breadcrumb": pages.crumbs(_("Begin a review")),
        }
        return render(request, f"{FOLDER}/new.html", context, status=status)

    if request.method != "POST":
        return again(SelfReviewForm(priorities=priorities), 200)
    form = SelfReviewForm(request.POST, priorities=priorities)
    return take(
        request,
        form,
        lambda data: _wary(
            form,
            lambda: actions.begin(
                form.given(), by=acting, names_no_pupil=data["names_no_pupil"]
            ),
        ),
        done=_("It is begun. Only your school and your partnership’s leader read it so far."),
        back=pages.url,
        again=again,
    )  # fmt: skip


@requires(PEERS)
@READ_OR_SEND
def self_review(request: ActingRequest, pk: int) -> HttpResponse:
    """Change the question and the own view, until the visit."""
    found = hosted_by(request, pk)
    priorities = alignment.live_priorities()
    if found.priority is not None and found.priority not in priorities:
        priorities.append(found.priority)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "review": found,
            "overtaken": status == 409,
            "breadcrumb": pages.crumbs_of(found, _("Our own view")),
        }
        return render(request, f"{FOLDER}/self_review.html", context, status=status)

    if request.method != "POST":
        initial = {
            "seen": found.version,
            "question": found.question,
            "priority": str(found.priority_id or ""),
            "strengths": found.strengths_seen,
            "to_improve": found.to_improve_seen,
            "evidence": found.evidence_seen,
        }
        return again(SelfReviewForm(initial=initial, priorities=priorities), 200)
    form = SelfReviewForm(request.POST, priorities=priorities)
    return take(
        request,
        form,
        lambda data: _wary(
            form,
            lambda: actions.write_self_review(
                found, form.given(), by=by(request), seen=data["seen"],
                names_no_pupil=data["names_no_pupil"],
            ),
        ),
        done=_("It is kept. You may change it until the visit."),
        back=pages.url,
        again=again,
        row=found,
    )  # fmt: skip


# One review


@requires(PEERS)
@require_safe
def review(request: ActingRequest, pk: int) -> HttpResponse:
    return page_of(request, found_by(request, pk))


def page_of(
    request: ActingRequest, found: PeerReview, status: int = 200, **sent: Any
) -> HttpResponse:
    """The page of a review, with a form that was sent and has to be shown again."""
    if status == 409:
        found = found_by(request, found.pk)
        for form in sent.values():
            fresh(form, found.version)
    context = pages.review_page(request.acting, found, _parts(request, found), **sent)
    return render(request, f"{FOLDER}/review.html", context, status=status)


def _parts(request: ActingRequest, found: PeerReview) -> list[dict[str, Any]]:
    """What follows from the visit on, for those who read the words of a review."""
    follows = _what_follows()
    if follows is None or not queries.sees_inside(request.acting, found):
        return []
    return list(follows(by(request), found))


@cache
def _what_follows() -> Callable[..., Any] | None:
    name = "brightspots_web.accountability.visit_pages"
    return import_module(name).parts if find_spec(name) else None


@requires(PEERS)
@require_POST
def seek(request: ActingRequest, pk: int) -> HttpResponse:
    """The own view is there: look for peers."""
    found = hosted_by(request, pk)
    return press(
        request,
        lambda: actions.seek_team(found, by=by(request), seen=seen(request)),
        done=_("Now ask peers to come. Your partnership sees that you have a review."),
        back=pages.url(found),
    )


@requires(PEERS)
@READ_OR_SEND
def schedule(request: ActingRequest, pk: int) -> HttpResponse:
    """Set the days of the visit, or move it."""
    found = hosted_by(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "review": found,
            "missing": actions.missing_in_team(found),
            "coming": queries.coming(found),
            "overtaken": status == 409,
            "breadcrumb": pages.crumbs_of(found, _("The days of the visit")),
        }
        return render(request, f"{FOLDER}/schedule.html", context, status=status)

    if request.method != "POST":
        initial = {
            "seen": found.version,
            "on": found.visit_on,
            "until": found.visit_until,
            "plan": found.plan,
        }
        return again(VisitForm(initial=initial), 200)
    form = VisitForm(request.POST)
    return take(
        request,
        form,
        lambda data: actions.schedule(found, form.given(), by=by(request), seen=data["seen"]),
        done=_("The visit has its days, and the team is told."),
        back=pages.url,
        again=again,
        row=found,
    )


@requires(PEERS)
@require_POST
def call_off(request: ActingRequest, pk: int) -> HttpResponse:
    found = hosted_by(request, pk)
    return take(
        request,
        WhyForm(request.POST, auto_id="off_%s"),
        lambda data: actions.call_off(found, data["why"], by=by(request), seen=data["seen"]),
        done=_("It is called off. Its page stays, with the reason."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, call_off_form=form),
    )
