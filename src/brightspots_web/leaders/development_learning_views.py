"""Learning: the list, one offer, taking part, confirming who was there."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, take
from brightspots_web.leaders import development_learning_actions as actions
from brightspots_web.leaders import development_learning_pages as pages
from brightspots_web.leaders import development_learning_queries as queries
from brightspots_web.leaders import development_queries as development
from brightspots_web.leaders.development_learning_forms import (
    AttendanceForm,
    CancelForm,
    LearningFilter,
    OfferForm,
)
from brightspots_web.leaders.development_pages import crumbs
from brightspots_web.leaders.models import Learning
from brightspots_web.shared.exports import respond

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "leaders/learning"


def _filter(request: ActingRequest) -> LearningFilter:
    return LearningFilter(request.GET, competences=development.framework())


@require_safe
def learning_list(request: ActingRequest) -> HttpResponse:
    """What is on offer, for whom, and in what one takes part."""
    acting, form = by(request), _filter(request)
    page = Paginator(queries.search(acting, form.search()), PAGE).get_page(request.GET.get("page"))
    empty = (
        _("Nothing fits. Try other words, or clear the filter.")
        if form.has_changed()
        else _("Nothing is on offer yet. The ministry, officers and leaders offer learning here.")
    )
    context = {
        "form": form,
        "page": page,
        "table": pages.table(page, request.GET.urlencode(), empty),
        "may_offer": bool(queries.kinds_to_offer(acting)),
        "breadcrumb": crumbs(_("Learning")),
    }
    return render(request, f"{FOLDER}/list.html", context)


@require_safe
def learning_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.search(by(request), _filter(request).search())
    return respond(
        fmt, title=_("Learning"), filename="learning",
        columns=pages.columns(), rows=pages.rows(found),
    )  # fmt: skip


def _found(request: ActingRequest, pk: int) -> Learning:
    found = queries.one(by(request), pk)
    if found is None:
        raise Http404
    return found


def _run(request: ActingRequest, pk: int) -> Learning:
    """Learning that the acting person runs; 403 for others who see it."""
    found = _found(request, pk)
    if not queries.may_run(request.acting, found):
        raise PermissionDenied
    return found


@require_safe
def learning_one(request: ActingRequest, pk: int) -> HttpResponse:
    return page_of(request, _found(request, pk))


def page_of(
    request: ActingRequest, found: Learning, status: int = 200, **sent: forms.Form
) -> HttpResponse:
    """The page of an offer, with a form that was sent and has to be shown again."""
    context = pages.page(found, request.acting)
    if context["runs"]:
        context["cancel_form"] = sent.get("cancel_form") or CancelForm(
            initial={"seen": found.version}
        )
        context["attendance_form"] = sent.get("attendance_form") or AttendanceForm(
            taking_part=context["taking_part"], on_a_day=found.on is not None
        )
    return render(request, f"{FOLDER}/one.html", context, status=status)


def _offer_form(
    request: ActingRequest, *data: Any, before: Learning | None = None, **more: Any
) -> OfferForm:
    acting = request.acting
    areas = queries.areas_to_offer_in(acting)
    kinds = queries.kinds_to_offer(acting)
    to_all = queries.may_offer_to_all(acting)
    if before is not None:  # whoever runs it keeps for whom it is, without having chosen that
        kinds = [before.kind]
        to_all = to_all or before.area is None
        if before.area is not None and before.area not in areas:
            areas = [before.area, *areas]
    return OfferForm(
        *data, kinds=kinds, areas=areas, to_all=to_all, competences=development.framework(), **more
    )


@READ_OR_SEND
def offer(request: ActingRequest) -> HttpResponse:
    if not queries.kinds_to_offer(by(request)):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"form": form, "breadcrumb": pages.crumbs(_("Offer learning"))}
        return render(request, f"{FOLDER}/offer.html", context, status=status)

    if request.method != "POST":
        return again(_offer_form(request), 200)
    form = _offer_form(request, request.POST)
    return take(
        request, form, lambda data: actions.offer(form.offer(), by=by(request)),
        done=_("It is on offer."), back=pages.url, again=again,
    )  # fmt: skip


@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    found = _run(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "learning": found,
            "overtaken": status == 409,
            "facts": pages.page(found, request.acting)["facts"] if status == 409 else [],
            "breadcrumb": pages.crumbs_of(found, _("Change")),
        }
        return render(request, f"{FOLDER}/offer.html", context, status=status)

    if request.method != "POST":
        initial: dict[str, Any] = {
            name: getattr(found, name) for name in ("kind", "title", "about", "on", "place")
        }
        initial |= {
            "hours": found.hours,
            "area": str(found.area_id or ""),
            "competences": [each.code for each in found.competences.all()],
            "seen": found.version,
        }
        return again(_offer_form(request, before=found, initial=initial), 200)
    form = _offer_form(request, request.POST, before=found)
    return take(
        request, form,
        lambda data: actions.change(found, form.offer(), by=by(request), seen=data["seen"]),
        done=_("Saved."), back=pages.url, again=again,
        row=found,
    )  # fmt: skip


@require_POST
def cancel(request: ActingRequest, pk: int) -> HttpResponse:
    found = _run(request, pk)
    return take(
        request, CancelForm(request.POST),
        lambda data: actions.cancel(found, by=by(request), why=data["why"], seen=data["seen"]),
        done=_("Cancelled. Those who take part are told."), back=pages.url,
        again=lambda form, status: page_of(
            request, found, status, cancel_form=fresh(form, _version(request, pk))
        ),
    )  # fmt: skip


def _version(request: ActingRequest, pk: int) -> int:
    return _found(request, pk).version


@require_POST
def take_part(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return press(
        request, lambda: actions.take_part(found, by=by(request)),
        done=_("You take part. You are reminded in the week before."), back=pages.url(found),
    )  # fmt: skip


@require_POST
def leave(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return press(
        request, lambda: actions.leave(found, by=by(request)),
        done=_("You no longer take part."), back=pages.url(found),
    )  # fmt: skip


@require_POST
def attendance(request: ActingRequest, pk: int) -> HttpResponse:
    found = _run(request, pk)
    form = AttendanceForm(
        request.POST, taking_part=queries.taking_part(found), on_a_day=found.on is not None
    )
    return take(
        request, form,
        lambda data: actions.confirm(found, form.there(), by=by(request), on=data.get("on")),
        done=_("Confirmed. It stands on their record."), back=lambda _n: pages.url(found),
        again=lambda sent, status: page_of(request, found, status, attendance_form=sent),
    )  # fmt: skip


@require_safe
def participants(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = _run(request, pk)
    return respond(
        fmt, title=found.title, filename=f"participants-{found.pk}",
        columns=pages.participant_columns(), rows=pages.participant_rows(found),
    )  # fmt: skip
