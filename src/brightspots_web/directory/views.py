from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.directory import actions, queries
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.forms import AppointForm, SchoolFilter
from brightspots_web.directory.middleware import ACTING, ActingRequest
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared.components import Badge, CastCard, Cell, Link, Table
from brightspots_web.shared.components import Column as Heading
from brightspots_web.shared.exports import Column, export_links, respond
from brightspots_web.shared.permissions import Capability

PAGE = 20


def _search(request: ActingRequest) -> tuple[SchoolFilter, queries.SchoolSearch]:
    form = SchoolFilter(
        request.GET,
        phases=queries.school_choices("phase"),
        sectors=queries.school_choices("sector"),
    )
    form.is_valid()
    chosen = {name: form.cleaned_data.get(name, "") for name in form.fields}
    return form, queries.SchoolSearch(within=request.GET.get("within", ""), **chosen)


@require_safe
def schools(request: ActingRequest) -> HttpResponse:
    form, search = _search(request)
    page = Paginator(queries.search_schools(request.acting, search), PAGE).get_page(
        request.GET.get("page")
    )
    query = request.GET.urlencode()
    table = Table(
        _("Schools, by name"),
        [
            Heading(_("School")),
            Heading(_("Area")),
            Heading(_("Phase")),
            Heading(_("Pupils on roll"), numeric=True),
            Heading(_("Partnership")),
        ],
        [_school_cells(school) for school in page],
        exports=export_links("directory:schools_export", query=query),
        empty=_("No school fits. Clear the search to see all of them."),
    )
    context = {"form": form, "page": page, "table": table, "filter_label": _("Find a school")}
    return render(request, "directory/schools.html", context)


def _school_cells(school: School) -> list[Cell]:
    code = getattr(school, "partnership_code", None)
    partnership: Cell = Badge(_("in no partnership"))
    if code:
        name = getattr(school, "partnership_name", code)
        partnership = Link(name, reverse("connectedness:partnership", args=[code]))
    return [
        Link(school.name, reverse("home:school", args=[school.code])),
        school.area.name,
        school.phase,
        school.roll,
        partnership,
    ]


@require_safe
def schools_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    _form, search = _search(request)
    columns = [
        Column("code", _("Code")),
        Column("name", _("School")),
        Column("area", _("Area")),
        Column("phase", _("Phase")),
        Column("sector", _("Sector")),
        Column("roll", _("Pupils on roll"), "integer"),
        Column("partnership", _("Partnership")),
    ]
    found = queries.search_schools(request.acting, search)
    return respond(
        fmt,
        title=_("Schools"),
        filename="schools",
        columns=columns,
        rows=_school_rows(found.iterator(chunk_size=2000)),
    )


def _school_rows(found: Iterator[School]) -> Iterator[dict[str, Any]]:
    for school in found:
        yield {
            "code": school.code,
            "name": school.name,
            "area": school.area.name,
            "phase": school.phase,
            "sector": school.sector,
            "roll": school.roll,
            "partnership": getattr(school, "partnership_name", None),
        }


@requires(Capability.APPOINT)
def people(request: ActingRequest) -> HttpResponse:
    assert request.acting is not None  # the decorator has seen to it
    form = AppointForm(request.POST or None, acting=request.acting)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            appointment = actions.appoint_by_email(
                data["email"],
                data["name"],
                data["role"],
                by=request.acting,
                starts=data["starts"],
                ends=data["ends"],
                **data.get("at", {}),
            )
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            messages.success(request, _("Appointed: {person}").format(person=appointment.label))
            person = appointment.person
            if not person.has_usable_password() and queries.may_hand_password(
                request.acting, person
            ):
                return _hand_over(request, appointment)
            return redirect("directory:people")
    page = Paginator(queries.appointments_managed_by(request.acting), PAGE).get_page(
        request.GET.get("page")
    )
    return render(
        request, "directory/people.html", {"form": form, "page": page, "submit_label": _("Appoint")}
    )


@requires(Capability.APPOINT)
@require_POST
def password_link(request: ActingRequest, pk: int) -> HttpResponse:
    """A link to set a password, for somebody who has none yet or has lost it."""
    return _hand_over(
        request, get_object_or_404(queries.appointments_managed_by(request.acting), pk=pk)
    )


def _hand_over(request: ActingRequest, appointment: Appointment) -> HttpResponse:
    """Show the link once: it is nowhere kept."""
    assert request.acting is not None  # the decorator has seen to it
    address = actions.password_link(appointment.person, by=request.acting)
    context = {
        "appointment": appointment,
        "link": request.build_absolute_uri(address),
        "until": timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
    }
    response = render(request, "directory/password_link.html", context)
    response["Cache-Control"] = "no-store"
    return response


@requires(Capability.APPOINT)
@require_POST
def end_appointment(request: ActingRequest, pk: int) -> HttpResponse:
    assert request.acting is not None  # the decorator has seen to it
    appointment = get_object_or_404(queries.appointments_managed_by(request.acting), pk=pk)
    actions.end_appointment(appointment, by=request.acting)
    messages.success(request, _("Ended: {person}").format(person=appointment.label))
    return redirect("directory:people")


@require_POST
def act_as(request: ActingRequest, pk: int) -> HttpResponse:
    """Choose which of one's own live appointments to act under."""
    if pk not in {appointment.pk for appointment in request.appointments}:
        raise Http404
    request.session[ACTING] = pk
    return redirect("home:front")


@login_not_required
@require_safe
def cast(request: HttpRequest) -> HttpResponse:
    """The invented people of the sample system, to sign in as with one click."""
    if not queries.is_sample():
        raise Http404
    cards = [
        CastCard(
            role=appointment.get_role_display(),
            name=str(appointment.person),
            url=reverse("directory:sign_in_as", args=[appointment.pk]),
            sees=str(appointment.place or _("the whole system")),
        )
        for appointment in queries.sample_cast()
    ]
    context = {
        "cast": cards,
        "empty_heading": _("There is nobody here"),
        "empty_text": _("One-click sign-in is there in the sample system only."),
    }
    return render(request, "directory/cast.html", context)


@login_not_required
@require_POST
def sign_in_as(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign in as one of the sample's invented people; nowhere else is there such a door."""
    appointment = next((a for a in queries.sample_cast() if a.pk == pk), None)
    if appointment is None:
        raise Http404
    login(request, appointment.person, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[ACTING] = appointment.pk
    return redirect("home:front")
