"""Preparing for a meeting: looking, a question to bring, and the leader's gentle reminder."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from brightspots_web.devolution import preparation_actions as actions
from brightspots_web.devolution import preparation_pages as pages
from brightspots_web.devolution import preparation_queries as queries
from brightspots_web.devolution import use_actions
from brightspots_web.devolution.models import Meeting
from brightspots_web.devolution.note_views import READ_OR_SEND
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.shared.permissions import Capability
from brightspots_web.shared.pupil_names import MayNamePupilError


def _found(request: ActingRequest, pk: int) -> Meeting:
    by(request)
    meeting = queries.meeting_visible_to(request.acting, pk)
    if meeting is None:
        raise Http404
    return meeting


@READ_OR_SEND
def prepare(request: ActingRequest, pk: int) -> HttpResponse:
    """What to look at before a meeting; pressing says that one has."""
    meeting = _found(request, pk)
    acting = by(request)
    if request.method != "POST":
        use_actions.count(acting, use_actions.LOOKED)
        return render(request, "devolution/preparation.html", pages.page(meeting, acting))
    if not queries.may_prepare(acting, meeting):
        raise PermissionDenied
    form = pages.PreparationForm(request.POST)

    def act(data: dict[str, Any]) -> Any:
        try:
            return actions.prepare(meeting, by=acting, **data)
        except MayNamePupilError:
            form.warn()
            raise

    def again(sent: forms.Form, status: int) -> HttpResponse:
        context = pages.page(meeting, acting, form)
        return render(request, "devolution/preparation.html", context, status=status)

    return take(
        request,
        form,
        act,
        done=_("Thank you. The meeting can begin with what everybody has seen."),
        back=lambda _done: pages.url(meeting),
        again=again,
    )


@requires(Capability.LEAD_CONVERSATIONS)
@require_POST
def remind(request: ActingRequest, pk: int) -> HttpResponse:
    """One gentle reminder a day to those who have not looked yet."""
    meeting = _found(request, pk)
    return press(
        request,
        lambda: actions.remind(meeting, by=by(request)),
        done=_("Those who have not looked yet find a kind word under Notices."),
        back=pages.url(meeting),
    )
