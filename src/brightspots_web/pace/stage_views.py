"""Stages: the list, one place, opening, rating, agreeing, and the ministry's texts."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.pace import power_pages, stage_pages
from brightspots_web.pace import stage_actions as actions
from brightspots_web.pace import stage_agree_actions as agree
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace import stage_queries as queries
from brightspots_web.pace import stage_words as words
from brightspots_web.pace.models import StageRound
from brightspots_web.pace.stage_forms import (
    DayForm,
    PlaceFilter,
    PutForm,
    RateForm,
    SayForm,
    TextForm,
    WhyForm,
)
from brightspots_web.pace.stage_models import Strand
from brightspots_web.pace.stage_place_queries import Place, Seat
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


def place_or_404(request: ActingRequest, kind: str, pk: int) -> Place:
    """A place somebody reads; 404 for everybody else."""
    found = places.find(by(request), kind, pk)
    if found is None:
        raise Http404
    return found


def _round(request: ActingRequest, pk: int) -> tuple[StageRound, Place]:
    by(request)
    found = get_object_or_404(queries.rounds_read_by(request.acting), pk=pk)
    return found, places.of(found)


def _seated(request: ActingRequest, pk: int) -> tuple[StageRound, Place, Seat]:
    """A round in which somebody has a seat; 403 for who only reads it."""
    found, place = _round(request, pk)
    seat = places.seat_of(request.acting, place)
    if seat is None:
        raise PermissionDenied
    return found, place, seat


def _answering(request: ActingRequest, pk: int) -> tuple[StageRound, Place]:
    found, place = _round(request, pk)
    if not places.answers_for(request.acting, place):
        raise PermissionDenied
    return found, place


def show(
    request: ActingRequest, form: forms.Form, status: int, place: Place, heading: str, **more: Any
) -> HttpResponse:
    """A page with one form about a place."""
    context = {
        "form": form,
        "heading": heading,
        "kind": place.name,
        "cancel_url": stage_pages.url(place),
        "breadcrumb": stage_pages.crumbs_of(place, heading),
        **more,
    }
    return render(request, "pace/stage/form.html", context, status=status)


def list_of(request: ActingRequest) -> tuple[PlaceFilter, Any]:
    """The places in sight that fit the search, by name (areas by their place in the tree)."""
    form = PlaceFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    rows: Any = places.partnerships_read_by(request.acting).order_by("name", "code")
    if of_areas(form):
        rows = places.areas_read_by(request.acting).order_by("path")
    if asked.get("q"):
        rows = rows.filter(name__icontains=asked["q"])
    return form, rows


def of_areas(form: PlaceFilter) -> bool:
    """Whether areas are listed, and not partnerships."""
    return form.is_valid() and form.cleaned_data["kind"] == places.AREA


@require_safe
def stages(request: ActingRequest) -> HttpResponse:
    """The places in sight, by name: how each stands in this cycle."""
    acting = by(request)
    form, found = list_of(request)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "areas": of_areas(form),
        "page": page,
        "table": stage_pages.table(page, request.GET.urlencode(), filtered=form.has_changed()),
        "waiting": stage_pages.front_items(acting),
        "rule": words.rule(),
        "breadcrumb": [*stage_pages.crumbs()[:1], Link(_("Stages"))],
    }
    return render(request, "pace/stage/stages.html", context)


@require_safe
def stages_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    by(request)
    _form, found = list_of(request)
    return respond(
        fmt,
        title=_("Stages"),
        filename=_("stages"),
        columns=stage_pages.export_columns(),
        rows=places.in_parts(found, stage_pages.place_rows),
        note=words.rule(),
    )


@require_safe
def stage(request: ActingRequest, kind: str, pk: int) -> HttpResponse:
    """One place: this cycle's round, and how its stages moved."""
    place = place_or_404(request, kind, pk)
    context = stage_pages.page(place, request.acting)
    context["powers"] = power_pages.summary(place)
    return render(request, "pace/stage/stage.html", context)


@READ_OR_SEND
def open_round(request: ActingRequest, kind: str, pk: int) -> HttpResponse:
    """Open this cycle's round."""
    place = place_or_404(request, kind, pk)
    if not places.answers_for(request.acting, place):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        return show(
            request, form, status, place, _("Open a round"), lead=words.rule(),
            submit=_("Open it and ask everybody"),
        )  # fmt: skip

    if request.method != "POST":
        return again(DayForm(), 200)
    return take(
        request,
        DayForm(request.POST),
        lambda data: actions.open_round(place, data["closes_on"], by=by(request)),
        done=_("The round is open, and everybody with a seat is asked."),
        back=lambda _made: stage_pages.url(place),
        again=again,
    )


@READ_OR_SEND
def rate(request: ActingRequest, pk: int) -> HttpResponse:
    """Rate alone, what one has rated before already filled in."""
    found, place, seat = _seated(request, pk)
    if not queries.may_rate(found, seat) and request.method != "POST":
        return redirect(stage_pages.url(place))

    def again(form: forms.Form, status: int) -> HttpResponse:
        return show(
            request, form, status, place, _("Where do you see it?"),
            lead=_(
                "Rate by yourself. Nobody is told what you rated. Once the ratings are closed, and "
                "if at least three have rated, they are counted and your words are shown to the "
                "group without your name."
            ),
            submit=_("Give our rating"),
        )  # fmt: skip

    if request.method != "POST":
        return again(RateForm(round=found, initial=stage_pages.rate_initial(found, seat)), 200)
    form = RateForm(request.POST, round=found)
    return take(
        request,
        form,
        lambda _data: actions.rate(found, form.ratings(), by=by(request)),
        done=_("Thank you. Your rating is kept; nobody is told that it is yours."),
        back=lambda _made: stage_pages.url(place),
        again=again,
    )


@READ_OR_SEND
def move_day(request: ActingRequest, pk: int) -> HttpResponse:
    """Another last day to rate."""
    found, place = _answering(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        return show(request, form, status, place, _("Another last day"))

    if request.method != "POST":
        initial = {"closes_on": found.closes_on.isoformat(), "seen": found.version}
        return again(DayForm(initial=initial), 200)
    return take(
        request,
        DayForm(request.POST),
        lambda data: actions.move_day(
            found, data["closes_on"], by=by(request), seen=data["seen"]
        ),
        done=_("The day is moved."),
        back=lambda _made: stage_pages.url(place),
        again=again,
        row=found,
    )  # fmt: skip


@require_POST
def close(request: ActingRequest, pk: int) -> HttpResponse:
    """Close the ratings."""
    found, place = _answering(request, pk)
    return press(
        request,
        lambda: actions.close(found, by=by(request)),
        done=_("The ratings are closed. Now the group agrees."),
        back=stage_pages.url(place),
    )


@READ_OR_SEND
def put(request: ActingRequest, pk: int) -> HttpResponse:
    """Put stages to the group."""
    found, place, _seat = _seated(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        return show(
            request, form, status, place, _("Put stages to the group"),
            lead=_("After you have talked: which stage do you carry together? One may stay open."),
            submit=_("Put them to the group"),
        )  # fmt: skip

    hints = stage_pages.put_hints(found, request.acting)
    if request.method != "POST":
        return again(PutForm(strands=hints, initial=stage_pages.put_initial(found)), 200)
    form = PutForm(request.POST, strands=hints)
    return take(
        request,
        form,
        lambda data: agree.put(found, form.put(), by=by(request), seen=data["seen"]),
        done=_("The stages are put to the group; everybody is asked for their word."),
        back=lambda _made: stage_pages.url(place),
        again=again,
        row=found,
    )


@READ_OR_SEND
def say(request: ActingRequest, pk: int) -> HttpResponse:
    """Say one's word to the stages that are put to the group."""
    found, place, seat = _seated(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        heading = _("What does {seat} say?").format(seat=seat.name)
        return show(request, form, status, place, heading, submit=_("Give our word"))

    open_ones = stage_pages.open_ones(found)
    if request.method != "POST":
        if not open_ones:
            return redirect(stage_pages.url(place))
        initial = stage_pages.say_initial(found, seat)
        return again(SayForm(open_ones=open_ones, initial=initial), 200)
    form = SayForm(request.POST, open_ones=open_ones)
    return take(
        request,
        form,
        lambda data: agree.say(found, form.said(), by=by(request), seen=data["seen"]),
        done=_("Your word is kept. You may change it until the stage is agreed."),
        back=lambda _made: stage_pages.url(place),
        again=again,
        row=found,
    )


@READ_OR_SEND
def settle(request: ActingRequest, pk: int) -> HttpResponse:
    """Close what is open, with what others see differently beside it."""
    found, place = _answering(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        return show(
            request, form, status, place, _("Close what is still open"),
            lead=_("Who sees it differently stays on the page, with their words."),
            submit=_("Close it"),
        )  # fmt: skip

    if request.method != "POST":
        return again(WhyForm(initial={"seen": found.version}), 200)
    return take(
        request,
        WhyForm(request.POST),
        lambda data: agree.settle(found, data["why"], by=by(request), seen=data["seen"]),
        done=_("It is closed; what others see differently stays shown."),
        back=lambda _made: stage_pages.url(place),
        again=again,
        row=found,
    )


@require_safe
def texts(request: ActingRequest) -> HttpResponse:
    """What the stages look like, strand by strand."""
    acting = by(request)
    context = {
        "strands": stage_pages.all_texts(),
        "may_edit": queries.may_edit_texts(acting),
        "breadcrumb": stage_pages.crumbs(_("What the stages look like")),
    }
    return render(request, "pace/stage/texts.html", context)


@requires(Capability.PLAN_PACE)
@READ_OR_SEND
def text(request: ActingRequest, strand: str) -> HttpResponse:
    """Put a strand's stages in the ministry's own words."""
    if strand not in Strand.values:
        raise Http404
    form = TextForm(request.POST, strand=strand) if request.method == "POST" else None
    status = 200
    if form is not None and form.is_valid():
        try:
            actions.set_texts(strand, form.given(), by=by(request), seen=form.versions())
        except OvertakenError as problem:
            form.add_error(None, problem)
            form.read_anew()
            status = 409
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            return redirect("pace:stage_texts")
    name = words.strand(strand)
    context = {
        "form": form or TextForm(strand=strand),
        "heading": _("What the stages look like: {strand}").format(strand=name),
        "lead": _("Plain words that a head teacher would use. Open rounds keep their words."),
        "cancel_url": reverse("pace:stage_texts"),
        "breadcrumb": stage_pages.crumbs(_("What the stages look like"), name),
    }
    return render(request, "pace/stage/form.html", context, status=status)
