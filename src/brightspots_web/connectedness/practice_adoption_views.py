"""Taking a practice up for one's own school, changing it, stopping; the schools as a file."""

from functools import partial

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.connectedness import practice_adoption_actions as actions
from brightspots_web.connectedness import practice_journey_pages as journey
from brightspots_web.connectedness import practice_lineage_queries as lineage
from brightspots_web.connectedness import practice_pages as pages
from brightspots_web.connectedness import practice_queries as queries
from brightspots_web.connectedness.models import Practice, PracticeAdoption
from brightspots_web.connectedness.practice_forms import AdaptForm, AdoptForm, StopForm
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

FOLDER = "connectedness/practice"


def _original(request: ActingRequest, code: str) -> Practice:
    by(request)
    return queries.original_of(get_object_or_404(queries.visible_to(request.acting), code=code))


@requires(Capability.ADOPT_PRACTICES)
@require_http_methods(["GET", "HEAD", "POST"])
def adopt(request: ActingRequest, code: str) -> HttpResponse:
    """Take it up: from whom, since when, with which change."""
    found = _original(request, code)
    acting = by(request)
    if lineage.own_adoption(acting, found) is not None and request.method != "POST":
        return redirect("connectedness:practice_ours", code=found.code)
    if not lineage.may_adopt(acting, found):
        raise PermissionDenied
    offered = partial(
        AdoptForm,
        source_school=found.school.name,
        adoptions=list(lineage.sources_for(found, acting.school)),
    )

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "practice": found,
            "school": acting.school,
            "breadcrumb": pages.crumbs_of(found, _("Take it up")),
        }
        return render(request, f"{FOLDER}/adopt.html", context, status=status)

    if request.method != "POST":
        return again(offered(), 200)
    form = offered(request.POST)
    return take(
        request,
        form,
        lambda data: actions.adopt(
            found, by=acting, on=data["on"], source=form.chosen(), adapted=data["adapted"]
        ),
        done=_("Your school stands in its lineage now. The school it comes from is told."),
        back=lambda _row: pages.url(found),
        again=again,
    )


def _ours(request: ActingRequest, code: str) -> tuple[Practice, PracticeAdoption]:
    found = _original(request, code)
    adoption = lineage.own_adoption(request.acting, found)
    if adoption is None:
        raise Http404
    return found, adoption


@requires(Capability.ADOPT_PRACTICES)
@require_safe
def ours(request: ActingRequest, code: str) -> HttpResponse:
    found, adoption = _ours(request, code)
    return _page(request, found, adoption)


def _page(
    request: ActingRequest,
    found: Practice,
    adoption: PracticeAdoption,
    status: int = 200,
    **sent: forms.Form,
) -> HttpResponse:
    version = {"seen": adoption.version}
    context = {
        "practice": found,
        "adoption": adoption,
        "told": journey.told(lineage.Step(adoption, 1, 0)),
        "source": adoption.source.school if adoption.source else found.school,
        "adapt_form": sent.get("adapt_form")
        or AdaptForm(initial=version | {"adapted": adoption.adapted}),
        "stop_form": sent.get("stop_form") or StopForm(initial=version, auto_id="stop_%s"),
        "breadcrumb": pages.crumbs_of(found, _("At our school")),
    }
    return render(request, f"{FOLDER}/ours.html", context, status=status)


def _again(request: ActingRequest, code: str, name: str, form: forms.Form, status: int
           ) -> HttpResponse:  # fmt: skip
    """The page as it is by now, with what was typed."""
    found, adoption = _ours(request, code)
    return _page(request, found, adoption, status, **{name: fresh(form, adoption.version)})


@requires(Capability.ADOPT_PRACTICES)
@require_POST
def adapt(request: ActingRequest, code: str) -> HttpResponse:
    found, adoption = _ours(request, code)
    return take(
        request,
        AdaptForm(request.POST),
        lambda data: actions.adapt(
            adoption, by=by(request), adapted=data["adapted"], seen=data["seen"]
        ),
        done=_("Saved. Those who follow the practice are told."),
        back=lambda _row: pages.url(found),
        again=lambda form, status: _again(request, code, "adapt_form", form, status),
    )


@requires(Capability.ADOPT_PRACTICES)
@require_POST
def stop(request: ActingRequest, code: str) -> HttpResponse:
    found, adoption = _ours(request, code)
    return take(
        request,
        StopForm(request.POST, auto_id="stop_%s"),
        lambda data: actions.stop(
            adoption, by=by(request), on=data["on"], why=data["why"], seen=data["seen"]
        ),
        done=_("Saved. That it did not fit helps others to choose."),
        back=lambda _row: pages.url(found),
        again=lambda form, status: _again(request, code, "stop_form", form, status),
    )


@requires(Capability.ADOPT_PRACTICES)
@require_POST
def resume(request: ActingRequest, code: str) -> HttpResponse:
    found, adoption = _ours(request, code)
    return press(
        request,
        lambda: actions.resume(adoption, by=by(request), seen=seen(request)),
        done=_("Your school uses it again."),
        back=pages.url(found),
    )


@require_safe
def schools_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    """Every school of the lineage."""
    found = _original(request, code)
    return respond(
        fmt,
        title=found.title,
        filename=f"practice-{found.code}",
        columns=journey.school_columns(),
        rows=journey.school_rows(found),
    )
