"""Decisions: the list, one of them, proposing, saying one's word, changing, ending."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import (
    conversation_pages,
    conversation_queries,
    meeting_queries,
)
from brightspots_web.devolution import decision_actions as actions
from brightspots_web.devolution import decision_list_pages as lists
from brightspots_web.devolution import decision_pages as pages
from brightspots_web.devolution import decision_queries as queries
from brightspots_web.devolution import decision_reading_queries as reading
from brightspots_web.devolution import decision_words as words
from brightspots_web.devolution.decision_forms import (
    CloseForm,
    DecisionFilter,
    DecisionForm,
    OwnerForm,
    WhyForm,
    WordForm,
    as_it_stands,
)
from brightspots_web.devolution.models import Decision, Meeting
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Partnership
from brightspots_web.directory.view_helpers import by, fresh, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "devolution/decision"


# Lists


@require_safe
def decisions(request: ActingRequest) -> HttpResponse:
    """To the decisions of one's partnership; for who sees an area, to the counts."""
    acting = by(request)
    own = next(iter(queries.partnerships_read_by(acting)), None)
    if own is not None:
        return redirect("devolution:partnership_decisions", own.code)
    if may(acting, Capability.SEE_AREA):
        return redirect("devolution:decision_figures")
    return redirect("devolution:my_decisions")


def read_by(request: ActingRequest, code: str) -> Partnership:
    """A partnership whose people read its decisions; 404 for everybody else."""
    found = queries.partnership_read_by(by(request), code)
    if found is None:
        raise Http404
    return found


def _filter(request: ActingRequest) -> DecisionFilter:
    return DecisionFilter(request.GET, priorities=list(alignment.all_priorities()))


@require_safe
def partnership_decisions(request: ActingRequest, code: str) -> HttpResponse:
    """What a partnership decided, what waits for a word, and what it tries out."""
    partnership = read_by(request, code)
    form = _filter(request)
    found = reading.search_as_read(request.acting, partnership, form.search())
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    until = reading.we_left_on(request.acting, partnership.pk)
    context = {
        "partnership": partnership,
        "breadcrumb": [*pages.crumbs(partnership)[:-1], Link(_("Decisions"))],
        "form": form,
        "page": page,
        "table": lists.table(
            reading.all_as_read(page, until),
            partnership,
            request.GET.urlencode(),
            queries.people_of(partnership) if until is None else None,
            filtered=form.has_changed(),
        ),
        "waiting": queries.waiting_for(request.acting),
        "may_decide": queries.belongs(request.acting, partnership),
        "rule": words.rule(),
    }
    return render(request, f"{FOLDER}/decisions.html", context)


@require_safe
def partnership_decisions_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    partnership = read_by(request, code)
    found = reading.search_as_read(request.acting, partnership, _filter(request).search())
    until = reading.we_left_on(request.acting, partnership.pk)
    return respond(
        fmt,
        title=_("Decisions"),
        filename=f"decisions-{partnership.code}",
        columns=lists.columns(),
        rows=lists.rows(reading.all_as_read(found, until)),
        note=_("For the schools of {partnership} only.").format(partnership=partnership.name),
    )


@require_safe
def mine(request: ActingRequest) -> HttpResponse:
    """What a person owns: decisions, things to do, cycles."""
    acting = by(request)
    if acting.school_id is None and acting.partnership_id is None:
        raise PermissionDenied
    found = queries.actions_owned_by(acting)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    return render(request, f"{FOLDER}/mine.html", lists.mine(acting, page))


# One decision


def found_by(request: ActingRequest, pk: int) -> Decision:
    return get_object_or_404(queries.decisions_visible_to(by(request)), pk=pk)


@require_safe
def decision(request: ActingRequest, pk: int) -> HttpResponse:
    return page_of(request, found_by(request, pk))


def page_of(
    request: ActingRequest, found: Decision, status: int = 200, **sent: Any
) -> HttpResponse:
    """The page of a decision, with a form that was sent and has to be shown again."""
    if status == 409:
        found = found_by(request, found.pk)
        for form in sent.values():
            fresh(form, found.version)
    context = pages.page(found, request.acting, **sent) | {"overtaken": status == 409}
    return render(request, f"{FOLDER}/decision.html", context, status=status)


@requires(Capability.DECIDE_TOGETHER)
@READ_OR_SEND
def decide(request: ActingRequest) -> HttpResponse:
    """Write a decision down, from a data conversation (`?meeting=&priority=`) or by itself."""
    partnership = queries.own_partnership(request.acting)
    if partnership is None:
        raise PermissionDenied
    meeting = _meeting(request, partnership)
    offered = _priorities(meeting)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "partnership": partnership,
            "meeting": meeting,
            "rule": words.rule(),
            "breadcrumb": pages.crumbs(partnership, _("Write down a decision")),
        }
        return render(request, f"{FOLDER}/decide.html", context, status=status)

    kwargs: dict[str, Any] = {"people": queries.people_of(partnership), "priorities": offered}
    if request.method != "POST":
        initial = {"priority": request.GET.get("priority", ""), "owner": str(by(request).person_id)}
        return again(DecisionForm(initial=initial, **kwargs), 200)
    form = DecisionForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda _data: actions.propose(
            partnership, form.text(), by=by(request),
            basis=_basis(request, partnership, meeting, form.chosen_priority()),
        ),
        done=_("It is written down, and the schools of the partnership are asked."),
        back=pages.url,
        again=again,
    )  # fmt: skip


def _meeting(request: ActingRequest, partnership: Partnership) -> Meeting | None:
    key = request.GET.get("meeting", "")
    if not key.isdecimal() or len(key) > 15:
        return None
    visible = meeting_queries.meetings_visible_to(request.acting)
    return visible.filter(pk=int(key), partnership=partnership).first()


def _priorities(meeting: Meeting | None) -> list[Priority]:
    """What the meeting is about, and whatever else is live."""
    found = [*conversation_queries.agenda(meeting), *alignment.live_priorities()]
    return list({each.pk: each for each in found}.values())


def _basis(
    request: ActingRequest,
    partnership: Partnership,
    meeting: Meeting | None,
    priority: Priority | None,
) -> actions.Basis:
    """What the group has in front of it now, frozen with the decision."""
    about: Sequence[Priority] = (
        [priority] if priority else conversation_queries.agenda(meeting) if meeting else []
    )
    said = conversation_pages.frozen_view(partnership, about, request.acting) if about else {}
    return actions.Basis(meeting, priority, said)


def _of_members(request: ActingRequest, pk: int) -> Decision:
    """A decision of the own partnership; 403 for who only reads it."""
    found = found_by(request, pk)
    if not queries.belongs(request.acting, found.partnership):
        raise PermissionDenied
    return found


@requires(Capability.DECIDE_TOGETHER)
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    """Change what is proposed. Where two do so, the later sees both texts side by side."""
    found = _of_members(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        now = found_by(request, pk)
        both = []
        if status == 409:
            fresh(form, now.version)
            both = words.side_by_side(actions.said(now), _wrote(form), everything=True)
        context = {
            "form": form,
            "decision": now,
            "both": both,
            "breadcrumb": pages.crumbs_of(now, _("Change")),
        }
        return render(request, f"{FOLDER}/change.html", context, status=status)

    kwargs: dict[str, Any] = {
        "people": queries.people_of(found.partnership),
        "asks_priority": False,
    }
    if request.method != "POST":
        if found.state != Decision.State.PROPOSED:
            messages.error(request, _("It is no longer proposed: its text stays as it is."))
            return redirect(pages.url(found))
        return again(DecisionForm(initial=as_it_stands(found), **kwargs), 200)
    form = DecisionForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda data: actions.change(found, form.text(), by=by(request), seen=data["seen"]),
        done=_("Changed. Every school is asked again and sees what is new."),
        back=pages.url,
        again=again,
    )


def _wrote(form: forms.Form) -> dict[str, Any]:
    data = form.cleaned_data
    return {
        "question": data["question"],
        "decision": data["decision"],
        "options": [line for line in data["options"].splitlines() if line.strip()],
        "would_change": data["would_change"],
        "owner": str(data["owner"]),
        "by_when": data["by_when"].isoformat(),
    }


@requires(Capability.DECIDE_TOGETHER)
@READ_OR_SEND
def replace(request: ActingRequest, pk: int) -> HttpResponse:
    """Propose a later decision in the place of one that was made."""
    found = _of_members(request, pk)
    offered = _priorities(None)

    def again(form: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            fresh(form, found_by(request, pk).version)
        context = {
            "form": form,
            "earlier": found,
            "partnership": found.partnership,
            "rule": words.rule(),
            "breadcrumb": pages.crumbs_of(found, _("A later decision")),
        }
        return render(request, f"{FOLDER}/decide.html", context, status=status)

    kwargs: dict[str, Any] = {
        "people": queries.people_of(found.partnership),
        "priorities": offered,
    }
    if request.method != "POST":
        initial = as_it_stands(found) | {
            "by_when": "",
            "priority": found.priority.code if found.priority else "",
        }
        return again(DecisionForm(initial=initial, **kwargs), 200)
    form = DecisionForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda data: actions.replace(
            found, form.text(), by=by(request), seen=data["seen"],
            basis=_basis(request, found.partnership, None, form.chosen_priority()),
        ),
        done=_("It is proposed. The earlier decision stands until this one is made."),
        back=pages.url,
        again=again,
    )  # fmt: skip


@requires(Capability.DECIDE_TOGETHER)
@require_POST
def say(request: ActingRequest, pk: int) -> HttpResponse:
    """The word of one's school."""
    found = _of_members(request, pk)
    if queries.school_to_speak_for(request.acting, found) is None:
        raise PermissionDenied
    return take(
        request,
        WordForm(request.POST),
        lambda data: actions.say(
            found, by=by(request), agrees=data["agrees"] == "yes", words=data["words"],
            seen=data["seen"],
        ),
        done=_("Your school's word is written down."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, word_form=form),
    )  # fmt: skip


@requires(Capability.DECIDE_TOGETHER)
@require_POST
def close(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    if not queries.leads(request.acting, found.partnership):
        raise PermissionDenied
    return take(
        request,
        CloseForm(request.POST),
        lambda data: actions.close(found, by=by(request), why=data["why"], seen=data["seen"]),
        done=_("It is made. What was said stays on its page."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, close_form=form),
    )


@requires(Capability.DECIDE_TOGETHER)
@require_POST
def drop(request: ActingRequest, pk: int) -> HttpResponse:
    found = _of_members(request, pk)
    return take(
        request,
        WhyForm(request.POST, auto_id="drop_%s"),
        lambda data: actions.drop(found, by=by(request), why=data["why"], seen=data["seen"]),
        done=_("It is dropped. Its page stays, with the reason."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, drop_form=form),
    )


@requires(Capability.DECIDE_TOGETHER)
@require_POST
def hand_over(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    if not queries.may_hand_over(request.acting, found):
        raise PermissionDenied
    people = queries.people_of(found.partnership)
    return take(
        request,
        OwnerForm(request.POST, people=people, auto_id="owner_%s"),
        lambda data: actions.hand_over(found, data["owner"], by=by(request)),
        done=_("It has a new owner, who is told."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, owner_form=form),
    )
