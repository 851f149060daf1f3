"""A later end of support: proposing it, agreeing, declining, taking it back."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from brightspots_web.connectedness import support_extension_actions as actions
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness.models import DeploymentExtension
from brightspots_web.connectedness.support_deployment_views import (
    deployment_page,
    deployment_url,
    find_deployment,
)
from brightspots_web.connectedness.support_forms import ExtendForm, WhyForm
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take


@require_POST
def propose(request: ActingRequest, pk: int) -> HttpResponse:
    """One of the two schools proposes a later end."""
    found, acting = find_deployment(request, pk), by(request)
    if not queries.side_of(found, acting):
        raise PermissionDenied
    return take(
        request,
        ExtendForm(request.POST, auto_id="extend_%s"),
        lambda data: actions.propose_extension(found, by=acting, **data),
        done=_("Proposed. It holds once the other school agrees."),
        back=lambda _row: deployment_url(pk),
        again=lambda form, status: deployment_page(request, found, status, extend_form=form),
    )


def _find(request: ActingRequest, pk: int, *, of_the_other: bool) -> DeploymentExtension:
    """A proposal in sight; 403 where its answer, or taking it back, is the other school's."""
    found = get_object_or_404(queries.extensions_visible_to(request.acting), pk=pk)
    side = queries.side_of(found.deployment, by(request))
    if not side or (side != found.side) != of_the_other:
        raise PermissionDenied
    return found


@require_POST
def agree(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = _find(request, pk, of_the_other=True), by(request)
    return press(
        request,
        lambda: actions.agree_extension(found, by=acting),
        done=_("Agreed. The later end holds from now on."),
        back=deployment_url(found.deployment_id),
    )


@require_POST
def decline(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = _find(request, pk, of_the_other=True), by(request)

    def again(form: Any, status: int) -> HttpResponse:
        return deployment_page(request, found.deployment, status, no_extension_form=form)

    return take(
        request,
        WhyForm(request.POST, auto_id="no_extension_%s"),
        lambda data: actions.decline_extension(found, by=acting, why=data["why"]),
        done=_("Said. Support ends on the day agreed before."),
        back=lambda _row: deployment_url(found.deployment_id),
        again=again,
    )


@require_POST
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = _find(request, pk, of_the_other=False), by(request)
    return press(
        request,
        lambda: actions.withdraw_extension(found, by=acting),
        done=_("Taken back."),
        back=deployment_url(found.deployment_id),
    )
