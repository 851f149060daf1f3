"""The studio: a proposal and what people change in it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.connectedness import (
    actions,
    pages,
    proposal_pages,
    studio_actions,
    studio_change_pages,
    studio_effects,
    studio_pages,
    studio_queries,
)
from brightspots_web.connectedness.models import Proposal
from brightspots_web.connectedness.studio_actions import ChangedProposalError
from brightspots_web.connectedness.studio_forms import (
    BoardFilter,
    NoteForm,
    PinForm,
    RerunForm,
    VersionForm,
    WhereForm,
)
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import School
from brightspots_web.shared.exports import export_links, respond
from brightspots_web.shared.permissions import Capability

CARDS = 12
"""Partnerships on a page of the studio."""
MOST_KEPT = 300
"""So many partnerships are offered to be kept as they are."""
forming = requires(Capability.FORM_PARTNERSHIPS)


def proposal_or_404(request: ActingRequest, pk: int) -> Proposal:
    return get_object_or_404(studio_queries.proposals_visible_to(request.acting), pk=pk)


def school_or_404(found: Proposal, request: ActingRequest) -> School:
    code = request.POST.get("school") or request.GET.get("school", "")
    school = studio_queries.school_of(found, code) if "\0" not in code else None
    if school is None:
        raise Http404
    return school


def overtaken(
    request: ActingRequest, found: Proposal, problem: ChangedProposalError
) -> HttpResponse:
    """What changed meanwhile and by whom, where nothing was typed that could be kept."""
    context = {
        **studio_pages.head(found, request.acting),
        "breadcrumb": studio_pages.crumbs(found, _("Changed meanwhile")),
        "meanwhile": studio_pages.history(problem.changes),
    }
    return render(request, "connectedness/studio/overtaken.html", context, status=409)


def again_with(form: forms.Form, found: Proposal, problem: ChangedProposalError) -> dict[str, Any]:
    """Keep what was typed, held against the newest version, and say what changed meanwhile."""
    typed = dict(form.data.items())
    typed["version"] = str(studio_queries.version_of(found))
    form.data = typed
    return {"form": form, "meanwhile": studio_pages.history(problem.changes)}


@forming
@require_safe
def proposal(request: ActingRequest, pk: int) -> HttpResponse:
    """The studio's page of one proposal."""
    found = proposal_or_404(request, pk)
    form = BoardFilter(request.GET)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    rows = studio_queries.board(found, words)
    page = Paginator(rows, CARDS).get_page(request.GET.get("page"))
    context = studio_pages.board(found, page, request.acting)
    context |= {
        "page": page,
        "form": form,
        "version_form": VersionForm(initial={"version": found.version}, auto_id=False),
        "moves": request.GET.get("moved", ""),
    }
    return render(request, "connectedness/studio/board.html", context)


@forming
@require_safe
def proposal_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = proposal_or_404(request, pk)
    return respond(
        fmt,
        title=_("Proposed partnerships"),
        filename=f"proposal-{found.pk}",
        columns=proposal_pages.proposed_columns(),
        rows=proposal_pages.proposed_rows(found),
        note=pages.distance_note(),
    )


@forming
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: ActingRequest, pk: int) -> HttpResponse:
    """Choose where a school goes, see what it does, and do it."""
    found = proposal_or_404(request, pk)
    school = school_or_404(found, request)
    to = request.POST.get("to") or request.GET.get("to", "")

    def act(chosen: dict[str, Any]) -> Any:
        return studio_actions.move(
            found, school, studio_change_pages.target(to), by=_acting(request), **chosen
        )

    def look() -> studio_effects.Effect:
        return studio_effects.of_move(found, school, studio_change_pages.target(to))

    return _change(request, found, school, "connectedness/studio/move.html", act, look, to)


@forming
@require_http_methods(["GET", "HEAD", "POST"])
def leader(request: ActingRequest, pk: int) -> HttpResponse:
    """See what it does if a school leads its partnership, and do it."""
    found = proposal_or_404(request, pk)
    school = school_or_404(found, request)
    label = studio_queries.state(found).of.get(school.pk, "")

    def act(chosen: dict[str, Any]) -> Any:
        return studio_actions.choose_leader(found, label, school, by=_acting(request), **chosen)

    def look() -> studio_effects.Effect:
        return studio_effects.of_leader(found, label, school)

    return _change(request, found, school, "connectedness/studio/leader.html", act, look, "leads")


def _acting(request: ActingRequest) -> Any:
    assert request.acting is not None  # the decorator has seen to it
    return request.acting


def _change(
    request: ActingRequest,
    found: Proposal,
    school: School,
    template: str,
    act: Callable[[dict[str, Any]], Any],
    look: Callable[[], studio_effects.Effect],
    to: str,
) -> HttpResponse:
    """Show what a change does; do it when it is sent; keep it where somebody was quicker."""
    extra: dict[str, Any] = {}
    problem, status = "", 200
    form = NoteForm(
        request.POST if request.method == "POST" else None, initial={"version": found.version}
    )
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data)
        except ChangedProposalError as other:
            extra, status = again_with(form, found, other), 409
            found = proposal_or_404(request, found.pk)
        except ValidationError as refusal:
            problem, status = " ".join(refusal.messages), 422
        else:
            messages.success(request, _("Done. You can undo it."))
            return redirect("connectedness:proposal", pk=found.pk)
    state = studio_queries.state(found)
    where = WhereForm(initial={"school": school.code, "to": to})
    where.offer(studio_change_pages.choices(found, school, state))
    context = {
        **studio_pages.head(found, request.acting),
        "breadcrumb": studio_pages.crumbs(found, school.name),
        "school": school,
        "where_now": studio_change_pages.where_now(school, state),
        "where": where,
        "to": to,
        "form": form,
        "leader_url": studio_change_pages.leader_url(found, school),
        "in_one": school.pk in state.of,
        **extra,
    }
    if to:
        try:
            context |= studio_change_pages.effect(found, look(), school)
        except ValidationError as refusal:
            problem = problem or " ".join(refusal.messages)
    return render(request, template, context | {"problem": problem}, status=status)


@forming
@require_http_methods(["GET", "HEAD", "POST"])
def pins(request: ActingRequest, pk: int) -> HttpResponse:
    """What a new run must keep to."""
    found = proposal_or_404(request, pk)
    extra: dict[str, Any] = {}
    status = 200
    start = {"version": found.version, "school": request.GET.get("school", "")}
    form = PinForm(
        request.POST if request.method == "POST" else None, proposal=found, initial=start
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            studio_actions.add_pin(
                found, chosen["kind"], chosen["school"], chosen["other"],
                by=_acting(request), version=chosen["version"],
            )  # fmt: skip
        except ChangedProposalError as other:
            extra, status = again_with(form, found, other), 409
        except ValidationError as refusal:
            form.add_error(None, " ".join(refusal.messages))
        else:
            messages.success(request, _("Pinned. It counts when you propose again."))
            return redirect("connectedness:pins", pk=pk)
    state = studio_queries.state(found)
    context = {
        **studio_pages.head(found, request.acting),
        "breadcrumb": studio_pages.crumbs(found, _("Pins")),
        "form": form,
        "pins": [
            (pin.pk, studio_effects.pin_words(pin), not studio_effects.pin_broken(pin, state))
            for pin in studio_queries.pins_of(found)
        ],
        "version": studio_queries.version_of(found),
        **extra,
    }
    return render(request, "connectedness/studio/pins.html", context, status=status)


def _button(
    request: ActingRequest, pk: int, act: Callable[..., Any], done: str, back: str = "proposal"
) -> HttpResponse:
    """A change that is one button: nothing is typed."""
    found = proposal_or_404(request, pk)
    form = VersionForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else -1
    try:
        act(found, by=_acting(request), version=version)
    except ChangedProposalError as other:
        return overtaken(request, found, other)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, done)
    return redirect(f"connectedness:{back}", pk=pk)


@forming
@require_POST
def remove_pin(request: ActingRequest, pk: int, pin: int) -> HttpResponse:
    def act(found: Proposal, **terms: Any) -> Any:
        return studio_actions.remove_pin(found, pin, **terms)

    return _button(request, pk, act, _("The pin is gone."), back="pins")


@forming
@require_POST
def undo(request: ActingRequest, pk: int) -> HttpResponse:
    return _button(request, pk, studio_actions.undo, _("Undone. The history keeps both."))


@forming
@require_POST
def take_out_closed(request: ActingRequest, pk: int) -> HttpResponse:
    done = _("The closed schools are out of the proposal.")
    return _button(request, pk, studio_actions.take_out_closed, done)


@forming
@require_POST
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    return _button(request, pk, actions.withdraw, _("Withdrawn; it stays on record."))


@forming
@require_POST
def call_off(request: ActingRequest, pk: int) -> HttpResponse:
    return _button(request, pk, actions.call_off, _("Called off. The old partnerships go on."))


@forming
@require_http_methods(["GET", "HEAD", "POST"])
def rerun(request: ActingRequest, pk: int) -> HttpResponse:
    """Ask for a new proposal around what people decided in this one."""
    found = proposal_or_404(request, pk)
    form = RerunForm(request.POST if request.method == "POST" else None)
    listed = list(studio_queries.board(found)[: MOST_KEPT + 1])
    if len(listed) > MOST_KEPT:
        del form.fields["keep"]  # nobody reads so long a list; pins say it shorter
    else:
        form.offer([(row["partnership"], row["lead_school__name"]) for row in listed])
    if request.method == "POST" and form.is_valid():
        try:
            job = actions.ask_again(found, by=_acting(request), **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, " ".join(refusal.messages))
        else:
            return redirect("shared:job", pk=job.pk)
    context = {
        **studio_pages.head(found, request.acting),
        "breadcrumb": studio_pages.crumbs(found, _("Propose again")),
        "form": form,
        "pins": [studio_effects.pin_words(pin) for pin in studio_queries.pins_of(found)],
    }
    return render(request, "connectedness/studio/rerun.html", context)


@forming
@require_safe
def history(request: ActingRequest, pk: int) -> HttpResponse:
    """All that people did with a proposal, the newest first."""
    found = proposal_or_404(request, pk)
    page = Paginator(studio_queries.changes_of(found), 50).get_page(request.GET.get("page"))
    context = {
        **studio_pages.head(found, request.acting),
        "breadcrumb": studio_pages.crumbs(found, _("History")),
        "page": page,
        "changes": studio_pages.history(page),
        "exports": export_links("connectedness:history_export", found.pk),
    }
    return render(request, "connectedness/studio/history.html", context)


@forming
@require_safe
def history_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = proposal_or_404(request, pk)
    return respond(
        fmt,
        title=_("History of the proposal"),
        filename=f"proposal-{found.pk}-history",
        columns=studio_pages.history_columns(),
        rows=studio_pages.history_rows(studio_queries.changes_of(found)),
    )
