"""Where working time went: one's own week and balance, and that of the middle tier."""

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, take
from brightspots_web.leaders import time_actions as actions
from brightspots_web.leaders import time_pages as pages
from brightspots_web.leaders import time_queries as queries
from brightspots_web.leaders.time_forms import WeekForm, WhichWeek
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

FOLDER = "leaders/time"


@requires(Capability.RECORD_TIME)
@require_http_methods(["GET", "HEAD", "POST"])
def time(request: ActingRequest) -> HttpResponse:
    """Write a week down, and see one's own balance."""
    acting = by(request)
    schools = queries.schools_for(acting)
    which = WhichWeek(request.GET, schools=schools)
    week, school = which.asked()
    monday = queries.monday_of(min(week or directory.today(), directory.today()))

    def again(form: forms.Form, status: int) -> HttpResponse:
        shown = {"week": monday, "school": school.code if school else ""}
        context = {
            "form": form,
            "breadcrumb": [Link(_("My page"), reverse("leaders:me")), Link(_("My time"))],
            "which": WhichWeek(initial=shown, schools=schools),
            **pages.week_page(acting, monday, school),
            **pages.own_page(acting),
        }
        return render(request, f"{FOLDER}/time.html", context, status=status)

    if request.method != "POST":
        initial = pages.initial_hours(acting, monday, school)
        return again(WeekForm(initial=initial, schools=schools), 200)
    form = WeekForm(request.POST, schools=schools)
    return take(
        request, form,
        lambda data: actions.write_week(
            monday, form.hours(), by=acting, school=school, note=data["note"]
        ),
        done=_("Saved."), back=lambda _r: pages.week_url(monday, school), again=again,
    )  # fmt: skip


@requires(Capability.RECORD_TIME)
@require_safe
def time_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    """One's own hours, all of them."""
    return respond(
        fmt, title=_("My time"), filename="my-time",
        columns=pages.own_columns(), rows=pages.own_rows(by(request)),
    )  # fmt: skip


@requires(Capability.FIND_LEADERS)
@require_safe
def time_balance(request: ActingRequest) -> HttpResponse:
    """Where the time of the middle tier goes, from five people on."""
    return render(request, f"{FOLDER}/balance.html", pages.tier_page(by(request)))


@requires(Capability.FIND_LEADERS)
@require_safe
def time_balance_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    return respond(
        fmt, title=_("Time of the middle tier"), filename="time-of-the-middle-tier",
        columns=pages.tier_columns(), rows=pages.tier_rows(by(request)),
    )  # fmt: skip
