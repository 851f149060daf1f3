from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.devolution import use_actions
from brightspots_web.directory import queries as directory
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import School
from brightspots_web.home import school_depth, school_family, school_page, why
from brightspots_web.insight import queries as insight
from brightspots_web.insight import school_queries, words
from brightspots_web.insight.models import Run
from brightspots_web.shared import printing
from brightspots_web.shared.exports import Column, respond


def _school(request: ActingRequest, code: str) -> School:
    return get_object_or_404(directory.schools_visible_to(request.acting), code=code)


@require_safe
def school(request: ActingRequest, code: str) -> HttpResponse:
    """Where a school stands beside schools like it, and who can help."""
    found = _school(request, code)
    use_actions.count(request.acting, use_actions.LOOKED)
    return render(request, "home/school.html", school_page.page(found, request.acting))


@require_safe
def school_report(request: ActingRequest, code: str) -> HttpResponse:
    """The same page on paper."""
    found = _school(request, code)
    context = {**school_page.page(found, request.acting), "on_paper": True}
    try:
        document = printing.pdf(render_to_string("home/school.html", context, request=request))
    except printing.CannotPrintError:
        return render(request, "home/school_cannot_print.html", {"school": found}, status=503)
    response = HttpResponse(document, content_type="application/pdf")
    name = f"{slugify(found.name) or 'school'}-{slugify(found.code)}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@require_safe
def why_figure(request: ActingRequest, code: str, subject: str) -> HttpResponse:
    """One figure taken apart."""
    found = _school(request, code)
    run = insight.current_run()
    standings = {each.subject: each for each in insight.standing(found, request.acting, run)}
    if run is None or subject not in standings:
        raise Http404
    return render(request, "home/why.html", why.page(found, standings[subject], run))


@require_safe
def family(request: ActingRequest, code: str) -> HttpResponse:
    """The schools most like this one, by name."""
    found = _school(request, code)
    context = school_family.page(found, request.acting, insight.current_run())
    return render(request, "home/family.html", context)


# The tables to take along: what the pages show, and nothing else


@require_safe
def school_figures(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    found, run = _school(request, code), insight.current_run()
    return _send(
        fmt,
        _("All figures of this school"),
        f"figures-{found.code}",
        school_page.figure_columns(),
        school_page.figure_rows(insight.standing(found, request.acting, run)),
        run,
    )


@require_safe
def groups_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    found, run = _school(request, code), insight.current_run()
    standings = insight.standing(found, request.acting, run)
    return _send(
        fmt,
        _("Groups of pupils"),
        f"groups-{found.code}",
        school_depth.group_columns(),
        school_depth.group_rows(standings, school_queries.depth(found, standings, run)),
        run,
    )


@require_safe
def sensitivity_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    found, run = _school(request, code), insight.current_run()
    standings = insight.standing(found, request.acting, run)
    return _send(
        fmt,
        _("Other ways of reckoning"),
        f"other-ways-{found.code}",
        school_depth.sensitivity_columns(),
        school_depth.sensitivity_rows(standings, school_queries.depth(found, standings, run)),
        run,
    )


@require_safe
def needs_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    found, run = _school(request, code), insight.current_run()
    return _send(
        fmt,
        _("Where help would be well spent"),
        f"needs-{found.code}",
        school_depth.need_columns(),
        school_depth.need_rows(insight.standing(found, request.acting, run), run),
        run,
    )


@require_safe
def why_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    """What moves the expectation, all outcomes."""
    found, run = _school(request, code), insight.current_run()
    standings = insight.standing(found, request.acting, run)
    return _send(
        fmt,
        _("What moves the expectation"),
        f"why-{found.code}",
        why.part_columns(),
        [row for each in standings for row in why.part_rows(each)],
        run,
    )


@require_safe
def family_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    found, run = _school(request, code), insight.current_run()
    table = school_queries.family_table(found, run)
    return _send(
        fmt,
        _("Schools like this one"),
        f"family-{found.code}",
        school_family.columns(table),
        school_family.rows(found, table),
        run,
    )


def _send(
    fmt: str,
    title: str,
    filename: str,
    columns: Sequence[Column],
    rows: list[dict[str, Any]],
    run: Run | None,
) -> HttpResponseBase:
    note = _("Run %(run)s, %(date)s") % {"run": run.uuid, "date": words.as_of(run)} if run else ""
    return respond(fmt, title=title, filename=filename, columns=columns, rows=rows, note=note)
