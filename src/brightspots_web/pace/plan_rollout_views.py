"""What a search found; a plan that was picked: moved, adopted, taken back, printed."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, seen, take
from brightspots_web.pace import plan_pages
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_result_pages as results
from brightspots_web.pace import plan_rollout_actions as actions
from brightspots_web.pace import plan_rollout_pages as pages
from brightspots_web.pace import plan_words as words
from brightspots_web.pace.plan_forms import AdoptForm, MoveForm, PickForm, WhyForm
from brightspots_web.pace.plan_models import PlanResult, PlanRollout
from brightspots_web.pace.plan_views import FOLDER, READ_OR_SEND, on_paper, planning
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability


def _result(request: ActingRequest, pk: int) -> PlanResult:
    found = queries.results_visible_to(by(request)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@planning
@require_safe
def result(request: ActingRequest, pk: int) -> HttpResponse:
    """The curve, one plan of it, and which assumptions matter."""
    context = results.result_page(_result(request, pk), request.GET.get("plan", ""))
    return render(request, f"{FOLDER}/result.html", context)


@planning
@require_safe
def points_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = _result(request, pk)
    return respond(
        fmt, title=_("Rollout plans"), filename=_("rollout plans"),
        columns=results.plan_columns(), rows=results.plan_rows(found), note=_note(found),
    )  # fmt: skip


@planning
@require_safe
def sensitivity_export(request: ActingRequest, pk: int, plan: str, fmt: str) -> HttpResponseBase:
    found = _result(request, pk)
    if plan not in found.outcome["plans"]:
        raise Http404
    return respond(
        fmt, title=_("Which assumptions matter"), filename=f"{_('sensitivity')} {plan}",
        columns=results.sensitivity_columns(), rows=results.sensitivity_rows(found, plan),
        note=_note(found),
    )  # fmt: skip


def _note(found: PlanResult) -> str:
    return _("{searched} Seed {seed}, {draws} futures; low and high hold 8 in 10 of them.").format(
        searched=results.searched(found), seed=found.inputs["settings"]["seed"],
        draws=found.inputs["settings"]["draws"],
    )  # fmt: skip


@planning
@require_POST
def pick(request: ActingRequest, pk: int) -> HttpResponse:
    """Take a point of the curve to work on."""
    found = _result(request, pk)
    form = PickForm(request.POST)
    try:
        plan = form.cleaned_data["plan"] if form.is_valid() else ""
        made = actions.pick(found, plan, by=by(request))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect("pace:plan_result", pk=found.pk)
    messages.success(request, _("Picked. Look at its waves; nothing is adopted yet."))
    return redirect("pace:plan_rollout", pk=made.pk)


# A picked plan


def rollout_or_404(request: ActingRequest, pk: int) -> PlanRollout:
    found = queries.rollouts_visible_to(by(request)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def url(found: PlanRollout) -> str:
    return reverse("pace:plan_rollout", args=[found.pk])


@planning
@require_safe
def rollout(request: ActingRequest, pk: int) -> HttpResponse:
    """The timetable, what it comes to, and its history."""
    found = rollout_or_404(request, pk)
    context = pages.rollout_page(found, by(request), request.GET.get("page"))
    return render(request, f"{FOLDER}/rollout.html", context)


@never_cache
@planning
@require_safe
def rollout_pdf(request: ActingRequest, pk: int) -> HttpResponse:
    """The same on paper, every area on it."""
    found = rollout_or_404(request, pk)
    context = pages.rollout_page(found, by(request), on_paper=True)
    return on_paper(request, f"{FOLDER}/rollout.html", context, f"plan {found.pk}")


@planning
@require_safe
def waves_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = rollout_or_404(request, pk)
    return respond(
        fmt, title=_("Waves"), filename=f"{_('waves')} {found.pk}", columns=pages.wave_columns(),
        rows=pages.wave_rows(found), note=plan_pages.note(found),
    )  # fmt: skip


def edit(
    request: ActingRequest, found: PlanRollout, form: forms.Form, act: Any, *,
    heading: str, done: str, lead: str = "", submit: str = "", narrow: Sequence[Link] = (),
) -> HttpResponse:  # fmt: skip
    """A form that changes something of a picked plan."""
    to = url(found)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form, "heading": heading, "lead": lead, "cancel_url": to, "submit": submit,
            "narrow": narrow, "overtaken": status == 409, "promises_not": words.promises_not(),
            "breadcrumb": pages.crumbs(found, heading),
        }  # fmt: skip
        return render(request, f"{FOLDER}/form.html", context, status=status)

    if request.method != "POST":
        return again(form, 200)
    return take(
        request, form, act, done=done, back=lambda _result: to, again=again, row=found
    )  # fmt: skip


@planning
@READ_OR_SEND
def move(request: ActingRequest, pk: int) -> HttpResponse:
    """Let areas begin in another term."""
    found = rollout_or_404(request, pk)
    areas = {each.pk: each for each in queries.areas_in(found)}
    term = request.GET.get("term", "")
    form = MoveForm(
        request.POST or None, areas=pages.movable(found, term, request.POST.getlist("areas")),
        speeds=found.result.inputs["settings"]["speeds"],
        initial={"seen": found.version},
    )  # fmt: skip
    last = found.result.inputs["settings"]["terms"]
    return edit(
        request, found, form,
        lambda data: actions.move(
            found, [areas[key] for key in data["areas"]], data["start"], data["speed"],
            note=data["note"], by=by(request), seen=data["seen"],
        ),
        heading=_("Move waves by hand"), submit=_("Move"), narrow=pages.by_wave(found, term),
        done=_("Moved. Below stands what it changes; you can undo it."),
        lead=_("Support has to end by term {n}. What the change comes to is worked out on the same "
               "futures, so that the difference is the plan's and not luck's.").format(n=last),
    )  # fmt: skip


@planning
@require_POST
def undo(request: ActingRequest, pk: int) -> HttpResponse:
    found = rollout_or_404(request, pk)
    return press(
        request,
        lambda: actions.undo(found, by=by(request), seen=seen(request)),
        done=_("The last change is undone; the history keeps it."), back=url(found),
    )  # fmt: skip


@requires(Capability.ADOPT_PACE)
@READ_OR_SEND
def adopt(request: ActingRequest, pk: int) -> HttpResponse:
    """Adopt the plan from a day on."""
    found = rollout_or_404(request, pk)
    if found.state != PlanRollout.State.DRAFT:
        messages.error(request, _("This plan is adopted already."))
        return redirect(url(found))
    form = AdoptForm(
        request.POST or None,
        initial={"on": directory.today(), "comes_with": found.comes_with, "seen": found.version},
    )
    return edit(
        request, found, form,
        lambda data: actions.adopt(
            found, data["on"], data["comes_with"], by=by(request), seen=data["seen"]
        ),
        heading=_("Adopt this plan"), submit=_("Adopt"),
        done=_("Adopted. Every area can read now when it begins."),
        lead=_("From then on every district and school can read when it begins. You can take it "
               "back; every version is kept."),
    )  # fmt: skip


@requires(Capability.ADOPT_PACE)
@READ_OR_SEND
def take_back(request: ActingRequest, pk: int) -> HttpResponse:
    """Take an adoption back."""
    found = rollout_or_404(request, pk)
    if found.state != PlanRollout.State.ADOPTED:
        messages.error(request, _("This plan is not adopted."))
        return redirect(url(found))
    form = WhyForm(request.POST or None, initial={"seen": found.version})
    return edit(
        request, found, form,
        lambda data: actions.take_back(found, data["why"], by=by(request), seen=data["seen"]),
        heading=_("Take the adoption back"), submit=_("Take it back"),
        done=_("Taken back. It is a plan being worked on again."),
        lead=_("The plan adopted before holds again, where there was one."),
    )  # fmt: skip


@planning
@require_POST
def copy(request: ActingRequest, pk: int) -> HttpResponse:
    """Begin a draft with these waves."""
    found = rollout_or_404(request, pk)
    made = actions.copy(found, by=by(request))
    messages.success(request, _("This is a copy; the other plan stays as it is."))
    return redirect(url(made))
