"""Moderating own words, and answering a consultation."""

from collections.abc import Callable

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.accountability import response_actions as actions
from brightspots_web.accountability import response_pages as pages
from brightspots_web.accountability import response_queries as queries
from brightspots_web.accountability import suggestion_queries as boxes
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Consultation
from brightspots_web.accountability.response_forms import JudgeForm, PointForm, SendForm
from brightspots_web.accountability.response_pages import Sent
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.permissions import Capability

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "accountability/response"


@requires(Capability.MODERATE_VOICE)
@require_safe
def moderation(request: ActingRequest) -> HttpResponse:
    """Everything that waits for somebody to read it, and what others withheld."""
    context = {
        "consultations": queries.to_moderate(by(request)),
        "boxes": boxes.boxes_to_moderate(by(request)),
        "withheld": pages.withheld_rows(by(request)),
        "breadcrumb": pages.crumbs(Link(_("Moderation"))),
    }
    return render(request, f"{FOLDER}/moderation.html", context)


def _moderated(request: ActingRequest, pk: int) -> Consultation:
    found = queries.moderated_with(by(request), pk)
    if found is None:
        raise Http404
    return found


@requires(Capability.MODERATE_VOICE)
@require_safe
def moderate(request: ActingRequest, pk: int) -> HttpResponse:
    """The comments of a consultation, to show or to withhold."""
    return _moderate_page(request, _moderated(request, pk))


def _moderate_page(
    request: ActingRequest, found: Consultation, sent: Sent | None = None, status: int = 200
) -> HttpResponse:
    first = queries.moderates(request.acting, found)
    rows = queries.to_read(request.acting, found)
    context = {
        "heading": found.title,
        "kind": found.area.name,
        "rows": [
            pages.to_judge(
                each,
                reverse("accountability:judge", args=[found.pk, each.pk]),
                sent,
                about=each.question.words,
                # Promised to the moderator's eyes alone.
                area=each.area.name if first and each.area is not None else "",
            )
            for each in rows
        ],
        "sent": sent,
        "first": first,
        "withheld": pages.withheld_words(queries.withheld(voice.comments_of(found))),
        "breadcrumb": pages.crumbs(
            Link(_("Moderation"), reverse("accountability:moderation")), Link(found.title)
        ),
    }
    return render(request, f"{FOLDER}/moderate.html", context, status=status)


@requires(Capability.MODERATE_VOICE)
@require_POST
def judge(request: ActingRequest, pk: int, comment: int) -> HttpResponse:
    """Show a comment, or withhold it with a reason."""
    found = _moderated(request, pk)
    rows = voice.comments_of(found).select_related("question__consultation")
    row = get_object_or_404(rows, pk=comment)
    return take_judgement(
        request,
        row.pk,
        show=lambda **given: actions.show(row, by=by(request), **given),
        withhold=lambda **given: actions.withhold(row, by=by(request), **given),
        back=reverse("accountability:moderate", args=[pk]),
        again=lambda sent, status: _moderate_page(request, found, sent, status),
    )


def take_judgement(
    request: ActingRequest,
    key: int,
    *,
    show: Callable[..., object],
    withhold: Callable[..., object],
    back: str,
    again: Callable[[Sent, int], HttpResponse],
) -> HttpResponse:
    """Do what the one of the two buttons asks for; what was typed comes back with what is wrong."""
    form = JudgeForm(request.POST, auto_id=f"%s-{key}")

    def act(data: dict[str, str]) -> object:
        if form.shows:
            return show(seen=data["seen"])
        return withhold(reason=data["reason"], words=data["reason_words"], seen=data["seen"])

    done = _("It is withheld. The reason is counted publicly, the words are not shown.")
    return take(
        request,
        form,
        act,
        done=_("It is shown.") if form.shows else done,
        back=lambda _row: f"{back}#c{key}",
        again=lambda form, status: again(Sent(key, form), status),
    )


@requires(Capability.SPEAK_UP)
@never_cache
@require_POST
def look_again(request: ActingRequest, pk: int) -> HttpResponse:
    """Ask for a second look at the moderation; who asks is on no record."""
    found = voice.consultation_with(by(request), pk)
    if found is None:
        raise Http404
    actions.ask_again(found, by=by(request))
    # No message in passing: it would be kept somewhere for a while. The page says it.
    return redirect(f"{pages.url(found)}#own-words")


# The answer


def _answered(request: ActingRequest, pk: int) -> Consultation:
    found = voice.consultation_with(by(request), pk)
    if found is None:
        raise Http404
    if not queries.may_answer(request.acting, found):
        raise PermissionDenied
    return found


@READ_OR_SEND
def answer_for(request: ActingRequest, pk: int) -> HttpResponse:
    """What was said and done, point by point; a form for the next point, and one to send."""
    found = _answered(request, pk)
    back = pages.answer_url(found)
    if request.method != "POST":
        return _answer_page(request, found)
    form = PointForm(request.POST)
    return take(
        request,
        form,
        lambda data: actions.add_point(found, by=by(request), **data),
        done=_("It is written down."),
        back=lambda _made: back,
        again=lambda form, status: _answer_page(request, found, point=form, status=status),
        row=found,
    )


@require_POST
def answer_send(request: ActingRequest, pk: int) -> HttpResponse:
    """Send the answer to everybody who was asked."""
    found = _answered(request, pk)
    form = SendForm(request.POST)
    return take(
        request,
        form,
        lambda data: actions.send(found, by=by(request), **data),
        done=_("The answer is sent. Everybody who was asked is told."),
        back=pages.url,
        again=lambda form, status: _answer_page(request, found, send=form, status=status),
        row=found,
    )


@require_POST
def point_remove(request: ActingRequest, pk: int, point: int) -> HttpResponse:
    found = _answered(request, pk)
    row = get_object_or_404(queries.points(found), pk=point)
    return press(
        request, lambda: actions.remove_point(row, by=by(request)),
        done=_("It is taken out."), back=pages.answer_url(found),
    )  # fmt: skip


def _answer_page(
    request: ActingRequest,
    found: Consultation,
    point: forms.Form | None = None,
    send: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    seen = {"seen": found.version}
    context = {
        "consultation": found,
        "points": list(queries.points(found)),
        "sent": found.state == Consultation.State.ANSWERED,
        "comments": queries.shown(found),
        "point_form": point or PointForm(initial=seen),
        "send_form": send or SendForm(initial=seen, auto_id="send_%s"),
        "send_url": reverse("accountability:answer_send", args=[found.pk]),
        "promises": pages.promises_of(request.acting, found),
        "commit_url": pages.commit_url(request.acting, found),
        "back": pages.url(found),
        "breadcrumb": pages.crumbs_of(found, _("The answer")),
    }
    return render(request, f"{FOLDER}/answer.html", context, status=status)
