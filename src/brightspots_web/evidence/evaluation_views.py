"""Evaluations: every one of them, one, planning, running, publishing, withdrawing."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.evidence import evaluation_actions as actions
from brightspots_web.evidence import evaluation_list_pages as lists
from brightspots_web.evidence import evaluation_pages as pages
from brightspots_web.evidence import evaluation_power as planning
from brightspots_web.evidence import evaluation_queries as queries
from brightspots_web.evidence.evaluation_forms import (
    PlanForm,
    PowerForm,
    ReasonForm,
    WorksFilter,
    as_it_stands,
)
from brightspots_web.evidence.evaluation_models import Evaluation
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "evidence/evaluation"


def _filter(request: ActingRequest) -> WorksFilter:
    every = list(queries.listed_to(by(request)))
    return WorksFilter(request.GET, evaluations=every)


@require_safe
def works(request: ActingRequest) -> HttpResponse:
    """Every evaluation there is, also those that found nothing."""
    acting = by(request)
    form = _filter(request)
    found = queries.search(acting, form.search())
    empty = _("No evaluation fits. Clear the filter to see all.") if form.has_changed() else ""
    context = {
        "form": form,
        "table": lists.table(acting, found, request.GET.urlencode(), empty),
        "may_plan": queries.may_evaluate(acting),
        "breadcrumb": [pages.crumbs()[0], Link(_("What works and what does not"))],
    }
    return render(request, f"{FOLDER}/works.html", context)


@require_safe
def works_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.search(by(request), _filter(request).search())
    return respond(
        fmt,
        title=_("What works and what does not"),
        filename="evaluations",
        columns=lists.columns(),
        rows=lists.rows(found),
        note=lists.note(),
    )


def _found(request: ActingRequest, pk: int) -> Evaluation:
    return get_object_or_404(queries.visible_to(by(request)), pk=pk)


@require_safe
def evaluation(request: ActingRequest, pk: int) -> HttpResponse:
    return _page(request, _found(request, pk))


def _page(
    request: ActingRequest, found: Evaluation, form: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    if status == 409:
        found = _found(request, found.pk)
    newest = request.GET.get("run") == "newest"
    context = pages.page(found, request.acting, newest=newest) | {
        "seen": found.version,
        "withdraw_form": form or ReasonForm(initial={"seen": found.version}),
        "overtaken": status == 409,
    }
    return render(request, f"{FOLDER}/evaluation.html", context, status=status)


@require_safe
def evaluation_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    """Effects and raw paths of the shown result, as on the page."""
    found = _found(request, pk)
    result = queries.shown_result(request.acting, found)
    if result is None:
        raise Http404
    return respond(
        fmt,
        title=found.title,
        filename=f"evaluation-{found.pk}",
        columns=lists.finding_columns(),
        rows=lists.finding_rows(result.found),
        note=lists.note(),
    )


@require_safe
def record(request: ActingRequest, pk: int) -> HttpResponse:
    """The frozen result with all that it was made from, as JSON: what is needed to check it."""
    found = _found(request, pk)
    result = queries.shown_result(request.acting, found)
    if result is None:
        raise Http404
    content = {
        "evaluation": found.title, "question": found.question, "plan": result.plan,
        "made_at": result.made_at.isoformat(), "run": str(result.run),
        "run_input_hash": result.run_input_hash, "method": result.method,
        "method_version": result.method_version, "seed": result.seed,
        "input_hash": result.input_hash, "settings": result.settings, "found": result.found,
    }  # fmt: skip
    answer = JsonResponse(content, json_dumps_params={"indent": 1, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="evaluation-{found.pk}.json"'
    return answer


# Planning


@requires(Capability.EVALUATE)
@require_safe
def power(request: ActingRequest) -> HttpResponse:
    """What could we detect with so many schools?"""
    form = PowerForm(request.GET or None, initial=planning.known())
    context = {
        "form": form,
        **planning.page(form),
        "breadcrumb": pages.crumbs(_("What could we detect?")),
    }
    return render(request, f"{FOLDER}/power.html", context)


@requires(Capability.EVALUATE)
@READ_OR_SEND
def new(request: ActingRequest) -> HttpResponse:
    form = PlanForm(request.POST if request.method == "POST" else None)

    def again(sent: forms.Form, status: int) -> HttpResponse:
        context = {"form": sent, "breadcrumb": pages.crumbs(_("Plan an evaluation"))}
        return render(request, f"{FOLDER}/plan.html", context, status=status)

    if request.method != "POST":
        return again(form, 200)

    def act(_data: dict[str, Any]) -> Evaluation:
        asked = form.plan()
        return actions.plan(asked, by=by(request), power=planning.of_plan(asked))

    return take(
        request,
        form,
        act,
        done=_("Planned. Everybody sees that it is planned; run it when you are ready."),
        back=pages.url,
        again=again,
    )


@requires(Capability.EVALUATE)
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    sent_with = request.POST if request.method == "POST" else None
    form = PlanForm(sent_with, initial=as_it_stands(found))

    def again(sent: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": sent,
            "evaluation": found,
            "was_run": bool(queries.results_of(found)),
            "overtaken": status == 409,
            "breadcrumb": pages.crumbs(Link(found.title, pages.url(found)), _("Change the plan")),
        }
        return render(request, f"{FOLDER}/plan.html", context, status=status)

    if request.method != "POST":
        return again(form, 200)

    def act(data: dict[str, Any]) -> Evaluation:
        asked = form.plan()
        return actions.change(
            found, asked, by=by(request), seen=data["seen"], power=planning.of_plan(asked)
        )

    return take(
        request, form, act, done=_("Saved."), back=pages.url, again=again, row=found
    )  # fmt: skip


# Running, publishing, withdrawing


@requires(Capability.EVALUATE)
@require_POST
def run(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    try:
        job = actions.start(found, by=by(request), seen=seen(request))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect(pages.url(found))
    return redirect("shared:job", pk=job.pk)


@requires(Capability.SET_EVIDENCE)
@require_POST
def publish(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return press(
        request,
        lambda: actions.publish(found, by=by(request), seen=seen(request)),
        done=_("Published: everybody can read it, and the practice's page lists it."),
        back=pages.url(found),
    )


@require_POST
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    """Evaluators withdraw what was never published; a publisher whatever was."""
    acting = by(request)
    found = _found(request, pk)
    form = ReasonForm(request.POST)

    def again(sent: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            fresh(sent, _found(request, pk).version)
        return _page(request, found, sent, status)

    return take(
        request,
        form,
        lambda data: actions.withdraw(found, by=acting, reason=data["reason"], seen=data["seen"]),
        done=_("Withdrawn. It stays on the list with your reason."),
        back=pages.url,
        again=again,
    )
