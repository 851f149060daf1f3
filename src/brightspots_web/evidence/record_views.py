"""The list of track records, one leader's, words beside a project, how far brokering explores."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, take
from brightspots_web.evidence import record_actions as actions
from brightspots_web.evidence import record_pages as pages
from brightspots_web.evidence import record_queries as queries
from brightspots_web.evidence import record_words as words
from brightspots_web.evidence.record_forms import ExplorationForm, RecordFilter, WordsForm
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 20
AT_ONCE = 200
FOLDER = "evidence/record"
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


def _lines(request: ActingRequest, form: RecordFilter) -> list[queries.Listed]:
    if not form.is_valid():
        return []
    return queries.leaders_in_sight(request.acting, form.area_asked_for, form.cleaned_data["q"])


@requires(Capability.FIND_LEADERS)
@never_cache
@require_safe
def records(request: ActingRequest) -> HttpResponse:
    """Leaders within what the person sees, by name, with what is told of each."""
    acting = by(request)
    form = RecordFilter(request.GET, acting=acting)
    page = Paginator(_lines(request, form), PAGE).get_page(request.GET.get("page"))
    lines = queries.with_records(page, acting)
    context = pages.list_part(acting, queries.current_set()) | {
        "form": form,
        "page": page,
        "table": pages.table(page, lines, request.GET.urlencode(), filtered=form.has_changed()),
    }
    return render(request, f"{FOLDER}/records.html", context)


@requires(Capability.FIND_LEADERS)
@never_cache
@require_safe
def records_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    acting = by(request)
    found = _lines(request, RecordFilter(request.GET, acting=acting))

    def rows() -> Any:
        for start in range(0, len(found), AT_ONCE):
            yield from pages.rows(queries.with_records(found[start : start + AT_ONCE], acting))

    return respond(
        fmt,
        title=_("Track records"),
        filename="track-records",
        columns=pages.columns(),
        rows=rows(),
        note=f"{words.as_of(queries.current_set())} {words.unit()}",
    )


@never_cache
@require_safe
def record(request: ActingRequest, pk: int) -> HttpResponse:
    """One leader's record: their own in full, others' as far as it may be told."""
    acting = by(request)
    found = queries.page_visible_to(acting, pk)
    if found is None:
        raise Http404
    return render(request, f"{FOLDER}/record.html", pages.page(found, acting))


@never_cache
@READ_OR_SEND
def say(request: ActingRequest, pk: int) -> HttpResponse:
    """The leader's own words beside one of their projects."""
    acting = by(request)
    project = queries.own_project(acting, pk)
    if project is None:
        raise Http404
    back = f"{reverse('evidence:record', args=[acting.person_id])}#p-{pk}"

    def again(form: forms.Form, status: int) -> HttpResponse:
        now = queries.words_beside(pk)
        if status == 409:
            fresh(form, now.version if now else 0)
        context = {
            "form": form,
            "project": project,
            "when": words.when(project),
            "now": now if status == 409 else None,
            "cancel_url": back,
            "breadcrumb": pages.crumbs(
                acting,
                Link(_("My track record"), reverse("evidence:record", args=[acting.person_id])),
                _("My words"),
            ),
        }
        return render(request, f"{FOLDER}/words.html", context, status=status)

    if request.method != "POST":
        return again(WordsForm.of(queries.words_beside(pk)), 200)
    return take(
        request,
        WordsForm(request.POST),
        lambda data: actions.say(
            project,
            data["words"],
            by=acting,
            seen=data["seen"],
            names_no_pupil=data["names_no_pupil"],
        ),
        done=_("Saved. It stands beside the project."),
        back=lambda _saved: back,
        again=again,
    )


@requires(Capability.SET_EVIDENCE)
@READ_OR_SEND
def exploration(request: ActingRequest) -> HttpResponse:
    """Of how many requests in 100 brokering goes by a draw."""
    acting = by(request)

    def again(form: forms.Form, status: int) -> HttpResponse:
        now = queries.settings_now()
        if status == 409:
            fresh(form, now.version)
        context = {
            "form": form,
            "now": words.exploration(now.exploration),
            "found": now,
            "breadcrumb": pages.crumbs(acting, _("How far brokering explores")),
        }
        return render(request, f"{FOLDER}/exploration.html", context, status=status)

    if request.method != "POST":
        return again(ExplorationForm.of(queries.settings_now()), 200)
    return take(
        request,
        ExplorationForm(request.POST),
        lambda data: actions.set_exploration(data["exploration"], by=acting, seen=data["seen"]),
        done=_("Saved. The next suggestions go by it."),
        back=lambda _saved: request.path,
        again=again,
    )


@requires(Capability.EVALUATE)
@require_POST
def reckon(request: ActingRequest) -> HttpResponse:
    """Ask for all records to be reckoned anew."""
    job = actions.ask(by=by(request))
    return redirect("shared:job", pk=job.pk)
