"""The directory of indicators: what is measured and what for, open to everybody."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment import living_words as words
from brightspots_web.alignment.living_forms import IndicatorFilter, IndicatorForm
from brightspots_web.alignment.living_views import FOLDER, sent_with
from brightspots_web.directory import indicator_actions as actions
from brightspots_web.directory import indicator_queries as indicators
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Indicator
from brightspots_web.directory.view_helpers import by, take
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links, respond
from brightspots_web.shared.permissions import Capability, may

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
PAGE = 30


def _asked(request: ActingRequest) -> tuple[IndicatorFilter, Any]:
    form = IndicatorFilter(request.GET)
    form.is_valid()
    asked = form.cleaned_data
    found = indicators.search(request.acting, asked.get("q", ""), asked.get("purpose", ""))
    return form, found


@require_safe
def listed(request: ActingRequest) -> HttpResponse:
    by(request)
    form, found = _asked(request)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    sets = may(request.acting, Capability.SET_PRIORITIES)
    context = {
        "form": form,
        "page": page,
        "table": _table(page, request.GET.urlencode(), sets=sets, asked=form.has_changed()),
        "purposes": [words.purpose(each) for each in Indicator.Purpose],
        "sets": sets,
        "breadcrumb": _crumbs(),
    }
    return render(request, f"{FOLDER}/indicators.html", context)


def _crumbs(*further: str) -> list[Link]:
    above = Link(_("Priorities"), reverse("alignment:priorities"))
    here = Link(_("Indicators"), reverse("alignment:indicators") if further else "")
    return [above, here, *(Link(each) for each in further)]


def _table(page: Page[Indicator], query: str, *, sets: bool, asked: bool) -> Table:
    measured = queries.measured_by(each.pk for each in page)
    columns = [
        Column(_("Indicator")),
        Column(_("What for")),
        Column(_("Unit")),
        Column(_("Measures")),
    ]
    rows: list[list[Cell]] = []
    for each in page:
        priorities = format_html_join(
            ", ",
            '<a href="{}">{}</a>',
            (
                (reverse("alignment:priority", args=[one.code]), one.title)
                for one in measured.get(each.pk, ())
            ),
        )
        row: list[Cell] = [
            each.name,
            Badge(words.purpose_short(each.purpose)),
            each.unit,
            priorities,
        ]
        if sets:
            row.append(Link(_("Change"), reverse("alignment:indicator", args=[each.code])))
        rows.append(row)
    return Table(
        _("Indicators"),
        [*columns, Column(_("Change"))] if sets else columns,
        rows,
        exports=export_links("alignment:indicators_export", query=query),
        empty=_("No indicator fits. Clear the search to see all of them.")
        if asked
        else _("No indicator is named yet. The ministry adds those the priorities need."),
    )


@require_safe
def export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    by(request)
    _form, found = _asked(request)
    return respond(
        fmt,
        title=_("Indicators"),
        filename="indicators",
        columns=[
            ExportColumn("code", _("Code")),
            ExportColumn("name", _("Indicator")),
            ExportColumn("purpose", _("What for")),
            ExportColumn("unit", _("Unit")),
            ExportColumn("measures", _("Measures")),
        ],
        rows=_rows(list(found)),
    )


def _rows(found: list[Indicator]) -> Iterable[dict[str, str]]:
    measured = queries.measured_by(each.pk for each in found)
    for each in found:
        yield {
            "code": each.code,
            "name": each.name,
            "purpose": words.purpose_short(each.purpose),
            "unit": each.unit,
            "measures": ", ".join(one.title for one in measured.get(each.pk, ())),
        }


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def add(request: ActingRequest) -> HttpResponse:
    form = IndicatorForm(sent_with(request))

    def again(sent: forms.Form, status: int) -> HttpResponse:
        context = {"form": sent, "breadcrumb": _crumbs(_("One more"))}
        return render(request, f"{FOLDER}/indicator.html", context, status=status)

    if request.method != "POST":
        return again(form, 200)
    return take(
        request,
        form,
        lambda data: actions.add(form.measure(), by=by(request), code=data["code"]),
        done=_("Added."),
        back=lambda _added: reverse("alignment:indicators"),
        again=again,
    )


@requires(Capability.SET_PRIORITIES)
@READ_OR_SEND
def change(request: ActingRequest, code: str) -> HttpResponse:
    found = get_object_or_404(indicators.indicators_visible_to(request.acting), code=code)
    initial = {"name": found.name, "unit": found.unit, "purpose": found.purpose}
    form = IndicatorForm(
        sent_with(request), new=False, initial=initial | {"seen": indicators.mark_of(found)}
    )

    def again(sent: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            found.refresh_from_db()
            sent.data = {**dict(sent.data.items()), "seen": indicators.mark_of(found)}
        context = {
            "form": sent,
            "indicator": found,
            "overtaken": status == 409,
            "in_use": indicators.in_use(found),
            "breadcrumb": _crumbs(found.name),
        }
        return render(request, f"{FOLDER}/indicator.html", context, status=status)

    if request.method != "POST":
        return again(form, 200)
    return take(
        request,
        form,
        lambda data: actions.change(found, form.measure(), by=by(request), seen=data["seen"]),
        done=_("Saved."),
        back=lambda _changed: reverse("alignment:indicators"),
        again=again,
    )
