"""Plan and what happened: beginnings written down, comparisons, what they taught."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, take
from brightspots_web.pace import plan_after_actions as actions
from brightspots_web.pace import plan_pages
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_rollout_pages as pages
from brightspots_web.pace import plan_words as words
from brightspots_web.pace.plan_forms import AcceptForm, StartForm, WhyForm
from brightspots_web.pace.plan_models import PlanLesson, PlanRollout
from brightspots_web.pace.plan_rollout_views import rollout_or_404
from brightspots_web.pace.plan_views import FOLDER, READ_OR_SEND, planning
from brightspots_web.shared.exports import respond


@planning
@READ_OR_SEND
def compare(request: ActingRequest, pk: int) -> HttpResponse:
    """Plan and what happened; sent, a comparison is asked for."""
    found = rollout_or_404(request, pk)
    if request.method == "POST":
        try:
            job = actions.ask_lesson(found, by=by(request))
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
            return redirect("pace:plan_compare", pk=found.pk)
        return redirect("shared:job", pk=job.pk)
    context = pages.compare_page(found, by(request), request.GET.get("page"))
    return render(request, f"{FOLDER}/compare.html", context)


@planning
@require_safe
def compare_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = rollout_or_404(request, pk)
    return respond(
        fmt, title=_("When areas began"), filename=f"{_('beginnings')} {found.pk}",
        columns=pages.compare_columns(), rows=pages.compare_rows(found),
        note=plan_pages.note(found),
    )  # fmt: skip


@READ_OR_SEND
def start(request: ActingRequest, pk: int, area: int) -> HttpResponse:
    """When an area really began: written down by whoever plans, or looks after the area."""
    acting = by(request)
    rollout = queries.rollout_by_key(pk)
    if rollout is None or rollout.state != PlanRollout.State.ADOPTED:
        raise Http404
    places = {each.pk: each for each in queries.areas_read_by(acting, rollout)}
    if area not in places:
        raise Http404
    place = places[area]
    if not queries.may_write_start(acting, place):
        raise PermissionDenied
    back = reverse("pace:plan_adopted")
    if queries.may_plan(acting):
        back = reverse("pace:plan_compare", args=[rollout.pk])

    def again(form: forms.Form, status: int) -> HttpResponse:
        row = queries.starts_of(rollout).get(place.pk)
        if status == 409 and row is not None:
            fresh(form, row.version)
        start, speed = rollout.waves[str(place.pk)]
        context = {
            "form": form, "heading": place.name, "cancel_url": back, "overtaken": status == 409,
            "lead": _("Planned: {when}.").format(
                when=plan_pages.when(rollout.result.study, start, speed)
            ),
            "stands": plan_pages.started(row), "promises_not": words.promises_not(),
            "breadcrumb": plan_pages.crumbs((_("Rollout plan"), back), here=place.name),
        }  # fmt: skip
        return render(request, f"{FOLDER}/form.html", context, status=status)

    row = queries.starts_of(rollout).get(place.pk)
    initial: dict[str, Any] = {"seen": row.version if row else 0}
    if row is not None:
        initial |= {
            "what": "began" if row.began else "not_yet", "began": row.began, "note": row.note,
        }  # fmt: skip
    if request.method != "POST":
        return again(StartForm(initial=initial), 200)
    return take(
        request, StartForm(request.POST),
        lambda data: actions.record_start(
            rollout, place, data["began"], data["note"], by=acting, seen=data["seen"]
        ),
        done=_("Written down."), back=lambda _row: back, again=again,
    )  # fmt: skip


def _lesson(request: ActingRequest, pk: int) -> PlanLesson:
    found = queries.lessons_visible_to(by(request)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _show(
    request: ActingRequest, found: PlanLesson, status: int = 200, **sent: forms.Form
) -> HttpResponse:
    version = found.rollout.result.study.version
    choices = pages.choices(found)
    # Where hardly any future agrees with what was seen, a range is taken over only on purpose.
    ticked = [name for name, _words in choices] if found.outcome["power"] == 1 else []
    context = pages.lesson_page(found, by(request)) | {
        "accept_form": sent.get("accept")
        or AcceptForm(names=choices, initial={"seen": version, "names": ticked}),
        "leave_form": sent.get("leave") or WhyForm(auto_id="leave_%s"),
        "something": bool(choices),
        "overtaken": status == 409,
    }
    return render(request, f"{FOLDER}/lesson.html", context, status=status)


def _decided(request: ActingRequest, found: PlanLesson) -> HttpResponse:
    """Somebody else was quicker: the page shows the decision, and this says so."""
    messages.error(request, _("This is decided already; its page says by whom."))
    return redirect("pace:plan_lesson", pk=found.pk)


@planning
@require_safe
def lesson(request: ActingRequest, pk: int) -> HttpResponse:
    """Old and new ranges side by side."""
    return _show(request, _lesson(request, pk))


@planning
@require_POST
def accept(request: ActingRequest, pk: int) -> HttpResponse:
    """Take new ranges over into the study."""
    found = _lesson(request, pk)
    if found.state != PlanLesson.State.PROPOSED:
        return _decided(request, found)
    study = found.rollout.result.study
    return take(
        request, AcceptForm(request.POST, names=pages.choices(found)),
        lambda data: actions.accept(
            found, data["names"], data["why"], by=by(request), seen=data["seen"]
        ),
        done=_("Taken over into the study. Look for plans again with the new ranges."),
        back=lambda _lesson: reverse("pace:plan_lesson", args=[found.pk]),
        again=lambda form, status: _show(request, _lesson(request, pk), status, accept=form),
        row=study,
    )  # fmt: skip


@planning
@require_POST
def leave(request: ActingRequest, pk: int) -> HttpResponse:
    """Leave the ranges as they are."""
    found = _lesson(request, pk)
    if found.state != PlanLesson.State.PROPOSED:
        return _decided(request, found)
    return take(
        request, WhyForm(request.POST, auto_id="leave_%s"),
        lambda data: actions.leave(found, data["why"], by=by(request)),
        done=_("Left as it was; the comparison is kept."),
        back=lambda _lesson: reverse("pace:plan_lesson", args=[found.pk]),
        again=lambda form, status: _show(request, _lesson(request, pk), status, leave=form),
    )  # fmt: skip
