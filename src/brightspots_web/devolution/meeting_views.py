"""Meetings: the list, one of them, calling, changing, calling off, who is there, minutes."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from brightspots_web.alignment import queries as alignment
from brightspots_web.devolution import meeting_actions as actions
from brightspots_web.devolution import meeting_attendance_actions as attendance
from brightspots_web.devolution import meeting_held_queries as held_queries
from brightspots_web.devolution import meeting_pages as pages
from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution import meeting_words as words
from brightspots_web.devolution.meeting_calendar import calendar_file
from brightspots_web.devolution.meeting_forms import (
    AttendanceForm,
    CancelForm,
    CodeForm,
    HeldFilter,
    MeetingFilter,
    MeetingForm,
    MinutesForm,
    TakerForm,
    as_it_stands,
)
from brightspots_web.devolution.models import Meeting
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Partnership
from brightspots_web.directory.view_helpers import by, take
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "devolution/meeting"


def _found(request: ActingRequest, pk: int) -> Meeting:
    by(request)
    return get_object_or_404(queries.meetings_visible_to(request.acting), pk=pk)


def _led(request: ActingRequest, pk: int) -> Meeting:
    """A meeting that the person may change; 404 where it may not even be seen."""
    found = _found(request, pk)
    if not queries.meetings_led_by(request.acting).filter(pk=found.pk).exists():
        raise PermissionDenied
    return found


def _takes_part(request: ActingRequest) -> None:
    acting = by(request)
    if acting.school_id is None and acting.partnership_id is None:
        raise PermissionDenied


@require_safe
def meetings(request: ActingRequest) -> HttpResponse:
    """All meetings of the person's schools, the latest first."""
    _takes_part(request)
    form = MeetingFilter(request.GET)
    found = queries.search(request.acting, form.state())
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    partnership = queries.our_partnership(request.acting)
    context = {
        "form": form,
        "page": page,
        "table": pages.table(page, request.GET.urlencode(), filtered=form.has_changed()),
        "leads": queries.leads(request.acting),
        "partnership": partnership,
        "card": pages.front_card(request.acting),
        "filter_label": _("Which meetings"),
    }
    return render(request, f"{FOLDER}/meetings.html", context)


@require_safe
def meetings_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    _takes_part(request)
    return respond(
        fmt,
        title=_("Meetings"),
        filename="meetings",
        columns=pages.columns(),
        rows=pages.rows(queries.search(request.acting, MeetingFilter(request.GET).state())),
        note=_("Minutes stay among the schools of the partnership: please do not pass them on."),
    )


@require_safe
def meeting(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return render(request, f"{FOLDER}/meeting.html", pages.page(found, request.acting))


@require_safe
def calendar(request: ActingRequest, pk: int) -> HttpResponse:
    """The meeting for the person's own calendar."""
    found = _found(request, pk)
    file = calendar_file(found, request.build_absolute_uri(pages.url(found)))
    response = HttpResponse(file, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="meeting-{found.pk}.ics"'
    return response


# Calling, changing, calling off


@requires(Capability.LEAD_CONVERSATIONS)
@READ_OR_SEND
def call(request: ActingRequest) -> HttpResponse:
    """Call a meeting of the partnership one leads."""
    acting = by(request)
    partnership: Partnership | None = acting.partnership if queries.leads(acting) else None
    if partnership is None:
        raise Http404
    offered = alignment.live_priorities()

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "partnership": partnership,
            "breadcrumb": pages.crumbs(step=_("Call a meeting")),
            "zone": timezone.get_current_timezone_name(),
        }
        return render(request, f"{FOLDER}/call.html", context, status=status)

    if request.method != "POST":
        initial = {"priorities": [each.code for each in offered], "place": str(acting.school or "")}
        return again(MeetingForm(offered=offered, initial=initial), 200)
    form = MeetingForm(request.POST, offered=offered)
    return take(
        request,
        form,
        lambda _data: actions.call(partnership, form.wanted(), by=acting),
        done=_("The meeting is called. Everybody of your schools hears of it."),
        back=pages.url,
        again=again,
    )


@requires(Capability.LEAD_CONVERSATIONS)
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    found = _led(request, pk)
    offered = alignment.live_priorities()
    offered += [each for each in found.priorities.all() if each not in offered]

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "meeting": found,
            "overtaken": status == 409,
            "when": words.when(found),
            "breadcrumb": pages.crumbs(found, _("Change")),
        }
        return render(request, f"{FOLDER}/change.html", context, status=status)

    if request.method != "POST":
        return again(MeetingForm(offered=offered, initial=as_it_stands(found)), 200)
    form = MeetingForm(request.POST, offered=offered)
    return take(
        request,
        form,
        lambda data: actions.change(found, form.wanted(), by=by(request), seen=data["seen"]),
        done=_("Saved. Everybody invited hears of it."),
        back=pages.url,
        again=again,
        row=found,
    )


@requires(Capability.LEAD_CONVERSATIONS)
@READ_OR_SEND
def cancel(request: ActingRequest, pk: int) -> HttpResponse:
    found = _led(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "meeting": found,
            "when": words.when(found),
            "breadcrumb": pages.crumbs(found, _("Call off")),
        }
        return render(request, f"{FOLDER}/cancel.html", context, status=status)

    if request.method != "POST":
        return again(CancelForm(initial={"seen": found.version}), 200)
    return take(
        request,
        CancelForm(request.POST),
        lambda data: actions.cancel(found, by=by(request), why=data["why"], seen=data["seen"]),
        done=_("The meeting is called off, and everybody invited hears of it."),
        back=pages.url,
        again=again,
        row=found,
    )


# Who is there


@READ_OR_SEND
def here(request: ActingRequest) -> HttpResponse:
    """Say with the code of the room that one is there: a field and a button, for a phone."""
    acting = by(request)
    _takes_part(request)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "open": [words.when(each) for each in queries.open_for_code(acting)],
            "breadcrumb": pages.crumbs(step=_("I am here")),
        }
        return render(request, f"{FOLDER}/here.html", context, status=status)

    if request.method != "POST":
        return again(CodeForm(initial={"code": request.GET.get("code", "")[:20]}), 200)
    limited = False

    def act(data: dict[str, Any]) -> Meeting:
        nonlocal limited
        try:
            return attendance.arrive(data["code"], by=acting).meeting
        except attendance.TooManyTriesError:
            limited = True
            raise

    return take(
        request,
        CodeForm(request.POST),
        act,
        done=_("You are on the list. Welcome."),
        back=pages.url,
        again=lambda form, status: again(form, 429 if limited else status),
    )


@requires(Capability.LEAD_CONVERSATIONS)
@READ_OR_SEND
def present(request: ActingRequest, pk: int) -> HttpResponse:
    """Tick the schools that are there."""
    found = _led(request, pk)
    schools = queries.invited(found)
    there = list(queries.attendances(found))
    said = {row.school_id: str(row.person or "") for row in there if row.by_code}

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "meeting": found,
            "when": words.when(found),
            "said": [school.name for school in schools if school.pk in said],
            "breadcrumb": pages.crumbs(found, _("Who is there")),
        }
        return render(request, f"{FOLDER}/present.html", context, status=status)

    if request.method != "POST":
        codes = [row.school.code for row in there]
        return again(AttendanceForm(schools=schools, initial={"present": codes}), 200)
    form = AttendanceForm(request.POST, schools=schools)
    return take(
        request,
        form,
        lambda _data: attendance.tick(found, form.chosen(), by=by(request)),
        done=_("Written down, for the isolation register too."),
        back=pages.url,
        again=again,
    )


# Minutes


@READ_OR_SEND
def minutes(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    if not queries.may_take_minutes(request.acting, found):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "meeting": found,
            "overtaken": status == 409,
            "when": words.when(found),
            "breadcrumb": pages.crumbs(found, _("Minutes")),
        }
        return render(request, f"{FOLDER}/minutes.html", context, status=status)

    if request.method != "POST":
        initial = {"minutes": found.minutes, "seen": found.version}
        return again(MinutesForm(initial=initial), 200)
    return take(
        request,
        MinutesForm(request.POST),
        lambda data: actions.write_minutes(
            found, data["minutes"], by=by(request), seen=data["seen"]
        ),
        done=_("Saved. The schools of the partnership can read it, nobody else."),
        back=pages.url,
        again=again,
        row=found,
    )


@requires(Capability.LEAD_CONVERSATIONS)
@READ_OR_SEND
def minute_taker(request: ActingRequest, pk: int) -> HttpResponse:
    """Ask somebody to write the minutes."""
    found = _led(request, pk)
    people = queries.people_invited(found)

    def again(form: forms.Form, status: int) -> HttpResponse:
        crumbs = pages.crumbs(found, _("Who writes the minutes"))
        context = {"form": form, "meeting": found, "breadcrumb": crumbs}
        return render(request, f"{FOLDER}/minute_taker.html", context, status=status)

    if request.method != "POST":
        initial = {"person": found.minute_taker_id or "", "seen": found.version}
        return again(TakerForm(people=people, initial=initial), 200)
    form = TakerForm(request.POST, people=people)
    return take(
        request,
        form,
        lambda data: actions.name_minute_taker(
            found, form.chosen(), by=by(request), seen=data["seen"]
        ),
        done=_("Saved."),
        back=pages.url,
        again=again,
        row=found,
    )


# For officers and the ministry: days and numbers


@requires(Capability.SEE_AREA)
@require_safe
def held(request: ActingRequest) -> HttpResponse:
    """That partnerships meet, when, and how many schools come; never what is said there."""
    form = HeldFilter(request.GET, acting=request.acting)
    valid = form.is_valid()
    found = held_queries.partnerships_meeting(
        request.acting, form.area_asked_for, silent=valid and form.cleaned_data["silent"]
    )
    page = Paginator(found if valid else found.none(), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "table": pages.held_table(page, request.GET.urlencode()),
        "filter_label": _("Which partnerships"),
    }
    return render(request, f"{FOLDER}/held.html", context)


@requires(Capability.SEE_AREA)
@require_safe
def held_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    form = HeldFilter(request.GET, acting=request.acting)
    if not form.is_valid():
        raise Http404
    found = held_queries.partnerships_meeting(
        request.acting, form.area_asked_for, silent=form.cleaned_data["silent"]
    )
    return respond(
        fmt,
        title=_("Meetings of partnerships"),
        filename="meetings-held",
        columns=pages.held_columns(),
        rows=pages.held_rows(found),
        note=_("A meeting counts once a school is on record as present."),
    )
