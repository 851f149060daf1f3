from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.directory import queries as directory
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import School
from brightspots_web.home import report, school_page
from brightspots_web.insight import queries as insight
from brightspots_web.insight import words
from brightspots_web.shared.exports import respond


def _school(request: ActingRequest, code: str) -> School:
    return get_object_or_404(directory.schools_visible_to(request.acting), code=code)


@require_safe
def school(request: ActingRequest, code: str) -> HttpResponse:
    """Where a school stands beside schools like it, and who can help."""
    found = _school(request, code)
    return render(request, "home/school.html", school_page.page(found, request.acting))


@require_safe
def school_report(request: ActingRequest, code: str) -> HttpResponse:
    """The same page on paper."""
    found = _school(request, code)
    context = {**school_page.page(found, request.acting), "on_paper": True}
    try:
        document = report.pdf(render_to_string("home/school.html", context, request=request))
    except report.CannotPrintError:
        return render(request, "home/school_cannot_print.html", {"school": found}, status=503)
    response = HttpResponse(document, content_type="application/pdf")
    name = f"{slugify(found.name) or 'school'}-{slugify(found.code)}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@require_safe
def school_figures(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    """The figures the page shows, and no others."""
    found = _school(request, code)
    run = insight.current_run()
    return respond(
        fmt,
        title=_("All figures of this school"),
        filename=f"figures-{found.code}",
        columns=school_page.figure_columns(),
        rows=school_page.figure_rows(insight.standing(found, request.acting, run)),
        note=_("Run %(run)s, %(date)s") % {"run": run.uuid, "date": words.as_of(run)}
        if run
        else "",
    )
