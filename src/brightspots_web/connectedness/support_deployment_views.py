"""Pages of support under way: terms, what was done, report, end, both sides' views."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.connectedness import support_deployment_actions as actions
from brightspots_web.connectedness import support_deployment_pages as pages
from brightspots_web.connectedness import support_ledger_queries as ledger_queries
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness.models import Deployment, DeploymentView
from brightspots_web.connectedness.support_extension_pages import extension_values
from brightspots_web.connectedness.support_forms import (
    EndForm,
    ExtendForm,
    LogForm,
    ReportForm,
    TermsForm,
    ViewForm,
    WhyForm,
)
from brightspots_web.connectedness.support_views import find_match, request_page
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, take
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

GIVING = DeploymentView.Side.GIVING


@require_POST
def terms(request: ActingRequest, pk: int) -> HttpResponse:
    """Both accepted: the aim, the days, from when until when."""
    match, acting = find_match(request, pk), by(request)
    return take(
        request,
        TermsForm(request.POST, auto_id="terms_%s"),
        lambda data: actions.begin(match, by=acting, **data),
        done=_("Agreed. Both schools see it."),
        back=lambda row: deployment_url(row.pk),
        again=lambda form, status: request_page(request, match.request, status, terms_form=form),
    )


def deployment_url(pk: int) -> str:
    return reverse("connectedness:support_deployment", args=[pk])


def find_deployment(request: ActingRequest, pk: int) -> Deployment:
    return get_object_or_404(queries.deployments_visible_to(request.acting), pk=pk)


@require_safe
def deployment(request: ActingRequest, pk: int) -> HttpResponse:
    return deployment_page(request, find_deployment(request, pk))


def deployment_page(
    request: ActingRequest, found: Deployment, status: int = 200, **sent: forms.Form
) -> HttpResponse:
    """The page of a deployment; `sent` holds the form that was sent and not taken."""
    found.refresh_from_db()
    context = pages.deployment_page(found, request.acting)
    known = {"seen": found.version}
    mine: dict[str, forms.Form] = {
        "log_form": LogForm(auto_id="log_%s"),
        "report_form": ReportForm(auto_id="report_%s", initial=known),
        "end_form": _end_form(context["side"], initial=known),
        "view_form": ViewForm(auto_id="view_%s"),
        "extend_form": ExtendForm(auto_id="extend_%s", initial=extension_values(found)),
        "no_extension_form": WhyForm(auto_id="no_extension_%s"),
    }
    for name, form in {**mine, **sent}.items():
        context[name] = fresh(form, found.version)
    return render(request, "connectedness/support/deployment.html", context, status=status)


def _end_form(side: str, data: Any = None, **more: Any) -> EndForm:
    """A giver cannot close another school's request: it is not asked."""
    form = EndForm(data, auto_id="end_%s", **more)
    if side == GIVING:
        del form.fields["still_wanted"]
    return form


def _check_giver(request: ActingRequest, found: Deployment) -> None:
    if queries.side_of(found, request.acting) != GIVING:
        raise PermissionDenied


@require_POST
def log(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = find_deployment(request, pk), by(request)
    _check_giver(request, found)
    return take(
        request,
        LogForm(request.POST, auto_id="log_%s"),
        lambda data: actions.log(found, by=acting, **data),
        done=_("Written down."),
        back=lambda _row: deployment_url(pk),
        again=lambda form, status: deployment_page(request, found, status, log_form=form),
    )


@require_POST
def report(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = find_deployment(request, pk), by(request)
    _check_giver(request, found)
    return take(
        request,
        ReportForm(request.POST, auto_id="report_%s"),
        lambda data: actions.finish(found, by=acting, **data),
        done=_("Reported. Thank you. Now say what it was worth."),
        back=lambda _row: deployment_url(pk),
        again=lambda form, status: deployment_page(request, found, status, report_form=form),
    )


@require_POST
def end(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = find_deployment(request, pk), by(request)
    side = queries.side_of(found, acting)
    if not side and not queries.brokers_for(acting, found.receiving):
        raise PermissionDenied
    return take(
        request,
        _end_form(side, request.POST),
        lambda data: actions.end_early(found, by=acting, **data),
        done=_("Ended. Both schools are told."),
        back=lambda _row: deployment_url(pk),
        again=lambda form, status: deployment_page(request, found, status, end_form=form),
    )


@require_POST
def view(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = find_deployment(request, pk), by(request)
    if not queries.side_of(found, acting):
        raise PermissionDenied
    return take(
        request,
        ViewForm(request.POST, auto_id="view_%s"),
        lambda data: actions.give_view(found, by=acting, **data),
        done=_("Said. Thank you."),
        back=lambda _row: deployment_url(pk),
        again=lambda form, status: deployment_page(request, found, status, view_form=form),
    )


@require_safe
def logs_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    """What was done; the notes only in the file of the two schools."""
    found = find_deployment(request, pk)
    of_the_pair = bool(queries.side_of(found, request.acting))
    return respond(
        fmt,
        title=_("What was done"),
        filename=f"support-{found.receiving.code}-{found.pk}",
        columns=pages.log_columns(of_the_pair),
        rows=pages.log_rows(found, of_the_pair),
    )


def _given(request: ActingRequest) -> Any:
    """Support that whoever acts gives from the school they answer for."""
    acting = by(request)
    school = queries.own_school(acting)
    if school is None:
        raise PermissionDenied
    return queries.deployments_of(school).filter(giving=school, giver=acting.person_id)


@requires(Capability.OFFER_SUPPORT)
@require_safe
def days(request: ActingRequest) -> HttpResponse:
    """A leader's deployments and days: agreed, used, left."""
    found = _given(request)
    mine = ledger_queries.own_ledger(request.acting)
    assert mine is not None  # _given has seen to it
    return render(request, "connectedness/support/days.html", pages.days_page(mine, found))


@requires(Capability.OFFER_SUPPORT)
@require_safe
def days_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    return respond(
        fmt,
        title=_("Support I give"),
        filename="support-days",
        columns=pages.days_columns(),
        rows=pages.days_rows(_given(request)),
    )
