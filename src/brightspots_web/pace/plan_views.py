"""The adopted plan as it is read; studies: areas, readings, assumptions, the search."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, seen, take
from brightspots_web.pace import plan_actions as actions
from brightspots_web.pace import plan_pages as pages
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_study_pages as studies
from brightspots_web.pace import plan_words as words
from brightspots_web.pace.plan_forms import (
    AreaForm,
    AssumptionForm,
    ReadingsForm,
    StudyForm,
    as_area,
    as_study,
)
from brightspots_web.pace.plan_models import PlanRollout, PlanStudy
from brightspots_web.shared import printing
from brightspots_web.shared.exports import export_links, respond
from brightspots_web.shared.permissions import Capability

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "pace/plan"
planning = requires(Capability.PLAN_PACE)


# The adopted plan


def _adopted() -> PlanRollout | None:
    return queries.in_force() or queries.to_come()


@require_safe
def adopted(request: ActingRequest) -> HttpResponse:
    """When do we begin, and what comes with it: for the areas of whoever asks."""
    rollout = _adopted()
    context = pages.adopted_page(by(request), rollout, request.GET.get("page"))
    if rollout is not None:
        context["exports"] = export_links("pace:plan_adopted_export")
    return render(request, f"{FOLDER}/adopted.html", context)


@require_safe
def adopted_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    acting, rollout = by(request), _adopted()
    if rollout is None:
        raise Http404
    return respond(
        fmt, title=_("Rollout plan"), filename=_("rollout plan"), columns=pages.adopted_columns(),
        rows=pages.adopted_rows(acting, rollout), note=pages.note(rollout),
    )  # fmt: skip


@never_cache
@require_safe
def adopted_pdf(request: ActingRequest) -> HttpResponse:
    """The same on paper."""
    acting, rollout = by(request), _adopted()
    if rollout is None:
        raise Http404
    context = pages.adopted_page(acting, rollout, on_paper=True)
    return on_paper(request, f"{FOLDER}/adopted.html", context, _("rollout plan"))


def on_paper(
    request: ActingRequest, template: str, context: dict[str, Any], name: str
) -> HttpResponse:  # fmt: skip
    """A page as PDF; where this machine cannot lay one out, a page that says so."""
    try:
        document = printing.pdf(render_to_string(template, context, request=request))
    except printing.CannotPrintError:
        return render(request, f"{FOLDER}/cannot_print.html", {}, status=503)
    response = HttpResponse(document, content_type="application/pdf")
    safe = "-".join(name.split()) or "plan"
    response["Content-Disposition"] = f'inline; filename="{safe}.pdf"'
    return response


# Studies


@planning
@require_safe
def plans(request: ActingRequest) -> HttpResponse:
    """Studies, picked plans, and the one that holds."""
    return render(request, f"{FOLDER}/plans.html", studies.list_page(by(request)))


def study_or_404(request: ActingRequest, pk: int) -> PlanStudy:
    found = queries.studies_visible_to(by(request)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def study_url(study: PlanStudy) -> str:
    return reverse("pace:plan_study", args=[study.pk])


@planning
@READ_OR_SEND
def new(request: ActingRequest) -> HttpResponse:
    """Begin a study."""
    levels = queries.levels()
    initial = {"first_day": directory.today().replace(day=1)}
    if levels:
        initial["level"] = levels[-1][0]  # type: ignore[assignment] # the initial of another field
    form = StudyForm(request.POST or None, levels=levels, initial=initial)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form, "heading": _("Plan a rollout"), "submit": _("Begin"),
            "levels": levels, "cancel_url": reverse("pace:plans"),
            "lead": _("Which areas, how much support, how many terms. Readings and assumptions "
                      "come next; nothing is decided here."),
            "promises_not": words.promises_not(),
            "breadcrumb": pages.crumbs(pages.to_plans(), here=_("Plan a rollout")),
        }  # fmt: skip
        return render(request, f"{FOLDER}/form.html", context, status=status)

    if request.method != "POST":
        return again(StudyForm(levels=levels, initial=initial), 200)
    return take(
        request, form,
        lambda data: actions.make_study(form.settings(), int(data["level"]), by=by(request)),
        done=_("The areas are drawn. Say next how ready each is."), back=study_url, again=again,
    )  # fmt: skip


@planning
@require_safe
def study(request: ActingRequest, pk: int) -> HttpResponse:
    found = study_or_404(request, pk)
    context = studies.study_page(found, by(request), request.GET.get("page"))
    return render(request, f"{FOLDER}/study.html", context)


def _edit(
    request: ActingRequest, found: PlanStudy, form: forms.Form, act: Any, *,
    heading: str, done: str, lead: str = "", back: str = "",
) -> HttpResponse:  # fmt: skip
    """A form that changes something of a study."""
    url = back or study_url(found)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form, "heading": heading, "lead": lead, "cancel_url": url,
            "overtaken": status == 409, "promises_not": words.promises_not(),
            "breadcrumb": studies.crumbs(found, heading),
        }  # fmt: skip
        return render(request, f"{FOLDER}/form.html", context, status=status)

    if request.method != "POST":
        return again(form, 200)
    return take(
        request, form, act, done=done, back=lambda _result: url, again=again, row=found
    )  # fmt: skip


@planning
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    """Support, terms, speeds, days."""
    found = study_or_404(request, pk)
    form = StudyForm(request.POST or None, initial=as_study(found))
    return _edit(
        request, found, form,
        lambda data: actions.change_study(
            found, form.settings(), by=by(request), seen=data["seen"]
        ),
        heading=_("Support, terms, speeds"), done=_("Changed. Look for plans again."),
    )  # fmt: skip


@planning
@READ_OR_SEND
def area(request: ActingRequest, pk: int, area: int) -> HttpResponse:
    """What is known of an area."""
    found = study_or_404(request, pk)
    row = queries.area_of(found, area)
    if row is None:
        raise Http404
    form = AreaForm(request.POST or None, initial=as_area(row, found))
    return _edit(
        request, found, form,
        lambda data: actions.set_area(
            found, row, form.facts(), by=by(request), seen=data["seen"]
        ),
        heading=row.area.name, done=_("Written down."),
        lead=ngettext("{n} open school.", "{n} open schools.", row.schools).format(n=row.schools),
    )  # fmt: skip


@planning
@READ_OR_SEND
def readings(request: ActingRequest, pk: int) -> HttpResponse:
    """Readiness of many areas at once."""
    found = study_or_404(request, pk)
    rows = queries.areas_of(found)
    lines = "\n".join(
        f"{each.area.name}; {'' if each.readiness is None else round(100 * each.readiness, 1):g}"
        for each in rows
        if each.readiness is not None
    )
    form = ReadingsForm(
        request.POST or None, areas=rows, initial={"readings": lines, "seen": found.version}
    )
    return _edit(
        request, found, form,
        lambda data: actions.set_readings(
            found, data["readings"], by=by(request), seen=data["seen"]
        ),
        heading=_("Readings of readiness"), done=_("The readings are written down."),
        lead=_("A reading that is too kind makes every plan look safer than it is. Ask those who "
               "see the schools."),
    )  # fmt: skip


@planning
@require_POST
def draw(request: ActingRequest, pk: int) -> HttpResponse:
    """Schools and leaders anew from the registers."""
    found = study_or_404(request, pk)
    return press(
        request,
        lambda: actions.draw_again(found, by=by(request), seen=seen(request)),
        done=_("Schools and leaders are those of today. Readings stay as they were."),
        back=study_url(found),
    )


@planning
@require_POST
def stages(request: ActingRequest, pk: int) -> HttpResponse:
    """Readiness from the stages agreed."""
    found = study_or_404(request, pk)
    return press(
        request,
        lambda: actions.read_stages(found, by=by(request), seen=seen(request)),
        done=_("Readings are taken from the stages agreed, where there are any."),
        back=study_url(found),
    )


@planning
@require_safe
def areas_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = study_or_404(request, pk)
    return respond(
        fmt, title=_("Areas"), filename=f"{_('areas')} {found.name}",
        columns=studies.area_columns(), rows=studies.area_rows(found),
        note=_("Schools and leaders from the registers; readiness as people read it."),
    )  # fmt: skip


@planning
@require_safe
def assumptions(request: ActingRequest, pk: int) -> HttpResponse:
    """Everything that is assumed."""
    found = study_or_404(request, pk)
    return render(request, f"{FOLDER}/assumptions.html", studies.assumptions_page(found))


@planning
@require_safe
def assumptions_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = study_or_404(request, pk)
    return respond(
        fmt, title=_("Assumptions"), filename=f"{_('assumptions')} {found.name}",
        columns=studies.assumption_columns(), rows=studies.assumption_rows(found),
        note=_("Where it says assumed, nobody has measured it."),
    )  # fmt: skip


@planning
@READ_OR_SEND
def assumption(request: ActingRequest, pk: int, name: str) -> HttpResponse:
    """Another range for an assumption."""
    found = study_or_404(request, pk)
    row = next((each for each in found.assumptions if each["name"] == name), None)
    if row is None:
        raise Http404
    form = AssumptionForm(request.POST or None, initial={**row, "seen": found.version})
    return _edit(
        request, found, form,
        lambda data: actions.set_assumption(
            found, name, data["low"], data["value"], data["high"], data["source"],
            by=by(request), seen=data["seen"],
        ),
        heading=words.assumption(name), done=_("Changed. Look for plans again."),
        lead=_("In: {unit}.").format(unit=words.unit_of(name)),
        back=reverse("pace:plan_assumptions", args=[found.pk]),
    )  # fmt: skip


@planning
@require_POST
def search(request: ActingRequest, pk: int) -> HttpResponse:
    """Look for plans; its page shows how far it is, and stops it."""
    found = study_or_404(request, pk)
    try:
        job = actions.ask_search(found, by=by(request))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect(study_url(found))
    return redirect("shared:job", pk=job.pk)
