"""One live priority: its page, its aim, its driver diagram, its measures."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import living_actions as actions
from brightspots_web.alignment import living_pages as pages
from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment.living_forms import (
    AimForm,
    BaselineForm,
    DriversForm,
    FigureForm,
    MeasureForm,
)
from brightspots_web.alignment.models import Priority, PriorityIndicator
from brightspots_web.directory import indicator_queries as indicators
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.shared import charts
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "alignment/living"


def found(request: ActingRequest, code: str) -> Priority:
    by(request)
    return get_object_or_404(queries.priorities_visible_to(request.acting), code=code)


def sent_with(request: ActingRequest) -> Any:
    """What a form was sent with, nothing at all among it; None where it is only looked at."""
    return request.POST if request.method == "POST" else None


def _changeable(request: ActingRequest, code: str) -> Priority:
    priority = found(request, code)
    if not queries.may_change(request.acting, priority):
        raise PermissionDenied
    return priority


@require_safe
def priority(request: ActingRequest, code: str) -> HttpResponse:
    """What the system gets better at, how it is measured, what drives it, where need is."""
    chosen = found(request, code)
    return render(request, f"{FOLDER}/priority.html", pages.page(chosen, request.acting))


@require_safe
def measures_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    chosen = found(request, code)
    return respond(
        fmt,
        title=chosen.title,
        filename=f"measures-{chosen.code}",
        columns=pages.measure_columns(),
        rows=pages.measure_rows(queries.measures_of(chosen)),
    )


Act = Callable[[Priority, forms.Form, Mapping[str, Any]], Any]


def _edit(
    request: ActingRequest,
    chosen: Priority,
    form: forms.Form,
    act: Act,
    template: str,
    **context: Any,
) -> HttpResponse:
    """Show a form of a priority, or take it; what was overtaken comes back with 409."""

    def again(sent: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            chosen.refresh_from_db()
            fresh(sent, chosen.version)
        shown = {"form": sent, "priority": chosen, "overtaken": status == 409, **context}
        if status == 409:
            shown["aim"] = pages.aim_facts(chosen)
            shown["list_now"] = charts.driver_list(pages.tree(chosen))
        return render(request, f"{FOLDER}/{template}", shown, status=status)

    if request.method != "POST":
        return again(form, 200)
    return take(
        request,
        form,
        lambda data: act(chosen, form, data),
        done=_("Saved."),
        back=lambda _changed: pages.url(chosen),
        again=again,
    )


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def aim(request: ActingRequest, code: str) -> HttpResponse:
    chosen = _changeable(request, code)
    initial = {
        "seen": chosen.version,
        "how_good": chosen.how_good,
        "for_whom": chosen.for_whom,
        "by_when": chosen.by_when,
    }
    form = AimForm(sent_with(request), initial=initial)
    return _edit(
        request,
        chosen,
        form,
        lambda priority, _form, data: actions.set_aim(
            priority, form.aim(), by=by(request), seen=data["seen"]
        ),
        "aim.html",
        breadcrumb=pages.crumbs(chosen, _("Aim")),
    )


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def drivers(request: ActingRequest, code: str) -> HttpResponse:
    chosen = _changeable(request, code)
    form = DriversForm(
        sent_with(request), initial={"seen": chosen.version, "drivers": chosen.drivers}
    )
    return _edit(
        request,
        chosen,
        form,
        lambda priority, _form, data: actions.set_drivers(
            priority, data["drivers"], by=by(request), seen=data["seen"]
        ),
        "drivers.html",
        breadcrumb=pages.crumbs(chosen, _("What drives it")),
    )


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def measure_add(request: ActingRequest, code: str) -> HttpResponse:
    """Choose one more indicator; its baseline comes next."""
    chosen = _changeable(request, code)
    taken = {each.indicator_id for each in queries.measures_of(chosen)}
    offered = [
        each
        for each in indicators.indicators_visible_to(request.acting)
        if each.pk not in taken or request.method == "POST"  # pressed twice, it is there already
    ]
    form = MeasureForm(sent_with(request), offered=offered)

    def again(sent: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": sent,
            "priority": chosen,
            "offered": bool(offered),
            "breadcrumb": pages.crumbs(chosen, _("One more indicator")),
        }
        return render(request, f"{FOLDER}/measure_add.html", context, status=status)

    if request.method != "POST":
        return again(form, 200)
    return take(
        request,
        form,
        lambda _data: actions.measure_by(chosen, form.chosen(), by=by(request)),
        done=_("Added. Say where it stands now."),
        back=_measure_url,
        again=again,
    )


def _measure_url(measure: PriorityIndicator) -> str:
    return pages.measure_url(measure)


def _measure(request: ActingRequest, code: str, pk: int) -> PriorityIndicator:
    chosen = _changeable(request, code)
    measure = queries.measure_of(chosen, pk)
    if measure is None:
        raise Http404
    return measure


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def measure(request: ActingRequest, code: str, pk: int) -> HttpResponse:
    """The baseline of a measure, by hand; beside it what is published."""
    chosen = _measure(request, code, pk)
    form = BaselineForm(sent_with(request), initial=_by_hand(chosen))
    if request.method != "POST":
        return _measure_page(request, chosen, form, 200)
    return take(
        request,
        form,
        lambda data: actions.set_baseline(
            chosen, form.value(), by=by(request), seen=data["seen"]
        ),
        done=_("Saved. The old value is kept in the audit trail."),
        back=lambda _saved: pages.url(chosen.priority),
        again=lambda sent, status: _measure_page(request, chosen, sent, status),
    )  # fmt: skip


def _by_hand(measure: PriorityIndicator) -> dict[str, Any]:
    """The baseline that people wrote, to go on from; a published one is nobody's handwriting."""
    names = () if measure.figure else actions.Baseline.__dataclass_fields__
    return {name: getattr(measure, name) for name in names} | {"seen": measure.version}


@requires(Capability.SET_PRIORITIES)
@require_POST
def measure_refresh(request: ActingRequest, code: str, pk: int) -> HttpResponse:
    """Take the baseline from the newest published analysis."""
    chosen = _measure(request, code, pk)
    form = FigureForm(request.POST, offered=queries.published_figures(chosen.priority.subject))
    return take(
        request,
        form,
        lambda data: actions.take_published(
            chosen, data["figure"], by=by(request), seen=data["seen"]
        ),
        done=_("Taken from the published analysis. The old value is kept in the audit trail."),
        back=lambda _saved: pages.url(chosen.priority),
        again=lambda sent, status: _measure_page(request, chosen, None, status, figures=sent),
    )


@requires(Capability.SET_PRIORITIES)
@require_POST
def measure_remove(request: ActingRequest, code: str, pk: int) -> HttpResponse:
    chosen = _measure(request, code, pk)
    return press(
        request,
        lambda: actions.stop_measuring(chosen, by=by(request), seen=seen(request)),
        done=_("The priority is no longer measured by it. Its baseline is in the audit trail."),
        back=pages.url(chosen.priority),
    )


def _measure_page(
    request: ActingRequest,
    chosen: PriorityIndicator,
    form: forms.Form | None,
    status: int,
    figures: forms.Form | None = None,
) -> HttpResponse:
    if status == 409:
        chosen = queries.measure_of(chosen.priority, chosen.pk) or chosen
        for each in (form, figures):
            if each is not None:
                fresh(each, chosen.version)
    if form is None:
        form = BaselineForm(initial=_by_hand(chosen))
    context = pages.measure_page(chosen) | {"form": form, "overtaken": status == 409}
    offered = queries.published_figures(chosen.priority.subject)
    if offered:
        initial = {"seen": chosen.version, "figure": chosen.figure}
        context["figures"] = figures or FigureForm(initial=initial, offered=offered)
    return render(request, f"{FOLDER}/measure.html", context, status=status)
