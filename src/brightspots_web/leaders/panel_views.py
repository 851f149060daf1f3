"""The panel: the ministry calls and decides; members declare and say their view."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, take
from brightspots_web.leaders import designation_pages as lists
from brightspots_web.leaders import panel_actions as actions
from brightspots_web.leaders import panel_pages as pages
from brightspots_web.leaders import panel_queries as queries
from brightspots_web.leaders.designation_views import page_of, visible
from brightspots_web.leaders.models import Application, PanelMember
from brightspots_web.leaders.panel_forms import AsideForm, BoundForm, CallForm, DecideForm, ViewForm
from brightspots_web.shared.permissions import Capability


def _handed_in(request: ActingRequest, pk: int) -> Application:
    found = visible(request, pk)
    if found.submitted_at is None:
        raise Http404
    if found.person_id == by(request).person_id:
        raise PermissionDenied
    return found


def _page(
    request: ActingRequest, found: Application, status: int = 200, **sent: Form
) -> HttpResponse:
    search = CallForm(request.GET)
    wanted = search.cleaned_data["q"] if search.is_valid() else ""
    context: dict[str, Any] = pages.page(found, request.acting, wanted)
    context["search"] = search
    context["aside_form"] = sent.get("aside_form") or AsideForm()
    context["form"] = sent.get("form") or DecideForm(
        cap=pages.cap(), initial={"seen": found.version}
    )
    return render(request, "leaders/designation/panel.html", context, status=status)


@requires(Capability.SET_LEADERS)
@require_safe
def panel(request: ActingRequest, pk: int) -> HttpResponse:
    """Who sits on the panel, whom one can call, and the decision."""
    return _page(request, _handed_in(request, pk))


def _back(found: Application) -> str:
    return reverse("leaders:panel", args=[found.pk])


@requires(Capability.SET_LEADERS)
@require_POST
def call(request: ActingRequest, pk: int, person: int) -> HttpResponse:
    found = _handed_in(request, pk)
    chosen = get_object_or_404(directory.people_with_appointments(), pk=person)
    return press(
        request,
        lambda: actions.call(found, chosen, by=by(request), seen=None),
        done=_("Called. They say first whether something binds them."),
        back=_back(found),
    )


def _member(found: Application, key: int) -> PanelMember:
    for each in queries.members_of(found):
        if each.pk == key:
            return each
    raise Http404


@requires(Capability.SET_LEADERS)
@require_POST
def take_off(request: ActingRequest, pk: int, member: int) -> HttpResponse:
    found = _handed_in(request, pk)
    sits = _member(found, member)
    return press(
        request,
        lambda: actions.take_off(sits, by=by(request)),
        done=_("They no longer sit on the panel."),
        back=_back(found),
    )


@requires(Capability.SET_LEADERS)
@require_POST
def set_aside(request: ActingRequest, pk: int, member: int) -> HttpResponse:
    found = _handed_in(request, pk)
    sits = _member(found, member)
    return take(
        request,
        AsideForm(request.POST),
        lambda data: actions.set_aside(sits, why=data["why"], by=by(request)),
        done=_("Set aside. Their view is kept, and counts no longer."),
        back=lambda _done: _back(found),
        again=lambda form, status: _page(request, found, status, aside_form=form),
    )


@requires(Capability.SET_LEADERS)
@require_POST
def decide(request: ActingRequest, pk: int) -> HttpResponse:
    found = _handed_in(request, pk)
    form = DecideForm(request.POST, cap=pages.cap())

    def again(sent: Form, status: int) -> HttpResponse:
        found.refresh_from_db()
        return _page(request, found, status, form=fresh(sent, found.version))

    return take(
        request,
        form,
        lambda data: actions.decide(found, form.decision(), by=by(request), seen=data["seen"]),
        done=_("Decided. The applicant reads the reason."),
        back=lists.application_url,
        again=again,
    )


# Members


def _seat(request: ActingRequest, pk: int) -> tuple[Application, PanelMember]:
    found = visible(request, pk)
    sits = queries.member_of(found, request.acting)
    if sits is None:
        raise PermissionDenied
    return found, sits


@require_POST
def free(request: ActingRequest, pk: int) -> HttpResponse:
    """A member declares that nothing binds them."""
    found, sits = _seat(request, pk)
    return press(
        request,
        lambda: actions.declare_free(sits, by=by(request)),
        done=_("Thank you."),
        back=lists.application_url(found),
    )


@require_POST
def bound(request: ActingRequest, pk: int) -> HttpResponse:
    """A member says what binds them."""
    found, sits = _seat(request, pk)
    return take(
        request,
        BoundForm(request.POST),
        lambda data: actions.declare_bound(sits, why=data["why"], by=by(request)),
        done=_("Thank you for saying so. You do not decide on this application."),
        back=lambda _done: lists.application_url(found),
        again=lambda form, status: page_of(request, found, status, bound_form=form),
    )


@require_POST
def view(request: ActingRequest, pk: int) -> HttpResponse:
    """A member says a view with its reason."""
    found, sits = _seat(request, pk)
    return take(
        request,
        ViewForm(request.POST),
        lambda data: actions.say(sits, data["view"], reason=data["reason"], by=by(request)),
        done=_("Thank you. Your view is kept, and you can read the others' now."),
        back=lambda _done: lists.application_url(found),
        again=lambda form, status: page_of(request, found, status, view_form=form),
    )
