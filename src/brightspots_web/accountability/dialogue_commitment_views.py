"""What was promised: the list, giving a promise, how it stands, how it ended."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.accountability import dialogue_commitment_actions as actions
from brightspots_web.accountability import dialogue_pages as pages
from brightspots_web.accountability import dialogue_queries as queries
from brightspots_web.accountability import voice_queries
from brightspots_web.accountability.dialogue_forms import (
    EndForm,
    OwnerForm,
    PromiseFilter,
    PromiseForm,
    ReportForm,
)
from brightspots_web.accountability.dialogue_views import FOLDER, PAGE, READ_OR_SEND
from brightspots_web.accountability.models import Commitment, Consultation, Dialogue
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability


@require_safe
def commitments(request: ActingRequest) -> HttpResponse:
    """What was promised in sight of this person, open ones first."""
    acting = by(request)
    form = PromiseFilter(request.GET)
    page = Paginator(queries.search(acting, form.search()), PAGE)
    shown = page.get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": shown,
        "table": pages.promises_table(
            shown, request.GET.urlencode(), filtered=form.has_changed()
        ),
        "breadcrumb": [Link(_("What was promised"))],
    }  # fmt: skip
    return render(request, f"{FOLDER}/commitments.html", context)


@require_safe
def commitments_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.search(by(request), PromiseFilter(request.GET).search())
    return respond(
        fmt,
        title=_("What was promised"),
        filename="what-was-promised",
        columns=pages.promises_columns(),
        rows=pages.promises_rows(found),
    )


def _given(request: ActingRequest) -> Dialogue | Consultation:
    """Where it is promised, from the address; 404 where that is nothing this person may see."""
    if (key := _key(request, "dialogue")) is not None:
        return get_object_or_404(queries.visible_to(request.acting), pk=key)
    if (key := _key(request, "consultation")) is not None:
        return get_object_or_404(voice_queries.visible_to(request.acting), pk=key)
    raise Http404


def _key(request: ActingRequest, name: str) -> int | None:
    key = request.GET.get(name, "")
    return int(key) if key.isascii() and key.isdecimal() and len(key) < 10 else None


@requires(Capability.CONSULT)
@READ_OR_SEND
def commit(request: ActingRequest) -> HttpResponse:
    """Promise something in a dialogue (`?dialogue=`) or an answer (`?consultation=`)."""
    given = _given(request)
    if not queries.may_commit(request.acting, given):
        raise PermissionDenied
    back = pages.url(given) if isinstance(given, Dialogue) else pages.consultation_url(given)
    seniors = queries.owners(given.area)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "given": given,
            "back_url": back,
            "breadcrumb": [Link(given.title, back), Link(_("Promise something"))],
        }
        return render(request, f"{FOLDER}/commit.html", context, status=status)

    if request.method != "POST":
        return again(PromiseForm(seniors=seniors), 200)
    form = PromiseForm(request.POST, seniors=seniors)
    return take(
        request,
        form,
        lambda _data: actions.commit(given, form.promise(), by=by(request)),
        done=_("It is promised, and stays in sight until it is kept."),
        back=pages.commitment_url,
        again=again,
    )


def _found(request: ActingRequest, pk: int) -> Commitment:
    by(request)
    return get_object_or_404(queries.commitments_visible_to(request.acting), pk=pk)


def _mine(request: ActingRequest, pk: int) -> Commitment:
    found = _found(request, pk)
    if not queries.answers_for(request.acting, found):
        raise PermissionDenied
    return found


def _page(
    request: ActingRequest, found: Commitment, status: int = 200, **sent: forms.Form
) -> HttpResponse:
    found.refresh_from_db()
    context = pages.commitment_page(found, request.acting, **sent)
    return render(request, f"{FOLDER}/commitment.html", context, status=status)


@require_safe
def commitment(request: ActingRequest, pk: int) -> HttpResponse:
    return _page(request, _found(request, pk))


@require_POST
def report(request: ActingRequest, pk: int) -> HttpResponse:
    found = _mine(request, pk)
    return take(
        request,
        ReportForm(request.POST, auto_id="report_%s"),
        lambda data: actions.report(
            found, data["words"], by=by(request), seen=data["seen"], moved_to=data["moved_to"]
        ),
        done=_("It is written down."),
        back=pages.commitment_url,
        again=lambda form, status: _page(request, found, status, report_form=form),
        row=found,
    )


@require_POST
def end(request: ActingRequest, pk: int) -> HttpResponse:
    found = _mine(request, pk)
    return take(
        request,
        EndForm(request.POST, auto_id="end_%s"),
        lambda data: actions.end(
            found, data["outcome"], by=by(request), seen=data["seen"], kept=data["kept"] == "yes"
        ),
        done=_("How it ended is written down, and whoever was there is told."),
        back=pages.commitment_url,
        again=lambda form, status: _page(request, found, status, end_form=form),
        row=found,
    )


@require_POST
def hand_over(request: ActingRequest, pk: int) -> HttpResponse:
    found = _mine(request, pk)
    seniors = queries.owners(queries.area_of(found))
    form = OwnerForm(request.POST, seniors=seniors, auto_id="owner_%s")
    return take(
        request,
        form,
        lambda data: actions.hand_over(
            found, form.picked("owner"), by=by(request), seen=data["seen"]
        ),
        done=_("It has a new owner, who is told."),
        back=pages.commitment_url,
        again=lambda form, status: _page(request, found, status, owner_form=form),
        row=found,
    )
