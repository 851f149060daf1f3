"""What was chosen on what: the list, its files, one line."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by
from brightspots_web.evidence import choice_pages as pages
from brightspots_web.evidence import choice_queries as queries
from brightspots_web.evidence import choice_words as words
from brightspots_web.evidence.choice_forms import ChoiceFilter
from brightspots_web.shared.exports import respond

PAGE = 20
FOLDER = "evidence/choice"


def _lists(request: ActingRequest) -> None:
    if not queries.may_list(by(request)):
        raise PermissionDenied


def _filter(request: ActingRequest) -> ChoiceFilter:
    acting = by(request)
    return ChoiceFilter(
        request.GET, priorities=queries.priorities_of(acting), areas=queries.areas_of(acting)
    )


@require_safe
def choices(request: ActingRequest) -> HttpResponse:
    """What began within what this person may read, the newest first."""
    _lists(request)
    form = _filter(request)
    shown = Paginator(queries.search(request.acting, form.search()), PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "form": form,
        "page": shown,
        "table": pages.table(shown, request.GET.urlencode(), filtered=form.has_changed()),
        "rule": words.rule(),
        "breadcrumb": pages.crumbs(),
    }
    return render(request, f"{FOLDER}/choices.html", context)


@require_safe
def choices_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    _lists(request)
    found = queries.search(request.acting, _filter(request).search())
    return respond(
        fmt,
        title=_("What was chosen on what"),
        filename="chosen-on-what",
        columns=pages.columns(),
        rows=pages.rows(found.iterator(chunk_size=2000)),
        note=_(
            "Values in points beyond what is expected of such pupils, as published on the day of "
            "the choice; those of too few pupils were never written down."
        ),
    )


@require_safe
def choice(request: ActingRequest, pk: int) -> HttpResponse:
    """On what one thing was chosen."""
    _lists(request)
    found = get_object_or_404(queries.visible_to(request.acting), pk=pk)
    return render(request, f"{FOLDER}/choice.html", pages.page(found, request.acting))
