"""What is done because of a decision: promising it, changing it, saying that it is done."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from brightspots_web.devolution import decision_follow_actions as actions
from brightspots_web.devolution import decision_pages as pages
from brightspots_web.devolution import decision_queries as queries
from brightspots_web.devolution.decision_forms import (
    ActionChangeForm,
    ActionForm,
    DoneForm,
    initial_of,
)
from brightspots_web.devolution.decision_views import (
    FOLDER,
    READ_OR_SEND,
    found_by,
    page_of,
)
from brightspots_web.devolution.models import DecisionAction
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, take
from brightspots_web.shared.permissions import Capability


@requires(Capability.DECIDE_TOGETHER)
@require_POST
def add(request: ActingRequest, pk: int) -> HttpResponse:
    """Something to be done because of a decision."""
    found = found_by(request, pk)
    if not queries.belongs(request.acting, found.partnership):
        raise PermissionDenied
    form = ActionForm(
        request.POST,
        people=queries.people_of(found.partnership),
        schools=queries.asked(found),
        auto_id="action_%s",
    )
    return take(
        request,
        form,
        lambda data: actions.add_action(
            found, by=by(request), what=data["what"], owner=data["owner"], due=data["due"],
            school=form.chosen_school(),
        ),
        done=_("It is on the list, and whoever does it is told."),
        back=lambda _made: pages.url(found) + "#to-do",
        again=lambda sent, status: page_of(request, found, status, action_form=sent),
    )  # fmt: skip


def _action(request: ActingRequest, pk: int) -> DecisionAction:
    found = queries.action_visible_to(by(request), pk)
    if found is None:
        raise Http404
    return found


@READ_OR_SEND
def done(request: ActingRequest, pk: int) -> HttpResponse:
    """Say that something is done, and what came of it."""
    found = _action(request, pk)
    may = queries.may_finish(request.acting, found)
    if request.method == "POST" and not may:
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        now = _action(request, pk)
        if status == 409:
            fresh(form, now.version)
        member = queries.belongs(request.acting, now.decision.partnership)
        context = {
            "form": form if may and now.done_on is None else None,
            "row": pages.action_row(now, request.acting),
            "task": now,
            "may_change": now.done_on is None and (may or member),
            "breadcrumb": pages.crumbs_of(now.decision, _("What is to be done")),
            "decision_url": pages.url(now.decision),
        }
        return render(request, f"{FOLDER}/done.html", context, status=status)

    if request.method != "POST":
        return again(DoneForm(initial={"seen": found.version}), 200)
    return take(
        request,
        DoneForm(request.POST),
        lambda data: actions.finish_action(
            found, by=by(request), on=data["on"], outcome=data["outcome"], seen=data["seen"]
        ),
        done=_("Written down. Thank you: whoever owns the decision is told."),
        back=lambda made: pages.url(made.decision) + "#to-do",
        again=again,
    )


@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    """Another owner, or another day."""
    found = _action(request, pk)
    member = queries.belongs(request.acting, found.decision.partnership)
    if not (member or queries.may_finish(request.acting, found)):
        raise PermissionDenied
    people = queries.people_of(found.decision.partnership)

    def again(form: forms.Form, status: int) -> HttpResponse:
        now = _action(request, pk)
        if status == 409:
            fresh(form, now.version)
        context = {
            "form": form,
            "task": now,
            "row": pages.action_row(now, request.acting),
            "breadcrumb": pages.crumbs_of(now.decision, _("Another day or person")),
            "decision_url": pages.url(now.decision),
        }
        return render(request, f"{FOLDER}/action_change.html", context, status=status)

    if request.method != "POST":
        return again(ActionChangeForm(people=people, initial=initial_of(found)), 200)
    return take(
        request,
        ActionChangeForm(request.POST, people=people),
        lambda data: actions.change_action(
            found, by=by(request), owner=data["owner"], due=data["due"], seen=data["seen"]
        ),
        done=_("Changed."),
        back=lambda made: pages.url(made.decision) + "#to-do",
        again=again,
    )
