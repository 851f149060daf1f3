"""Promises: the list, a set, one of them, writing, vowing, witnesses, taking back."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.accountability import pledge_actions as actions
from brightspots_web.accountability import pledge_list_pages as lists
from brightspots_web.accountability import pledge_pages as pages
from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_witness_actions as witnesses
from brightspots_web.accountability import pledge_words as words
from brightspots_web.accountability.pledge_forms import (
    AnswerForm,
    AudienceForm,
    PledgeFilter,
    PledgeForm,
    WhyForm,
    WitnessForm,
    as_it_stands,
)
from brightspots_web.accountability.pledge_models import Pledge
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.shared.exports import export_links, respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "accountability/pledge"


# Lists


def _filter(request: ActingRequest) -> PledgeFilter:
    return PledgeFilter(request.GET, cycles=queries.cycles_seen(by(request)))


@require_safe
def pledges(request: ActingRequest) -> HttpResponse:
    """The promises one may read, by school; drafts of one's own among them."""
    acting = by(request)
    form = _filter(request)
    page = Paginator(queries.search(acting, form.search()), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page_obj": page,
        "sets": lists.set_rows(acting, list(page)),
        "filtered": form.has_changed(),
        "asked": queries.asked_of(acting),
        "may_write": queries.may_write(acting),
        "may_set": may(acting, Capability.SET_ACCOUNTABILITY),
        "exports": export_links("accountability:pledges_export", query=request.GET.urlencode()),
    }
    return render(request, f"{FOLDER}/pledges.html", context)


@require_safe
def pledges_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    acting = by(request)
    found = list(queries.search(acting, _filter(request).search()))
    return respond(
        fmt,
        title=_("Promises"),
        filename=_("promises"),
        columns=lists.columns(),
        rows=lists.with_values(acting, lists.rows(acting, found)),
        note=words.points(),
    )


@require_safe
def pledge_set(request: ActingRequest, pk: int) -> HttpResponse:
    """What one school promises in a cycle."""
    found = queries.set_with(by(request), pk)
    if found is None:
        raise Http404
    context = lists.set_page(request.acting, found)
    return render(request, f"{FOLDER}/set.html", context)


# One promise


def found_by(request: ActingRequest, pk: int) -> Pledge:
    found = queries.pledge_with(by(request), pk)
    if found is None:
        raise Http404
    return found


def own(request: ActingRequest, pk: int) -> Pledge:
    """A promise of one's own school; 403 for who only reads it."""
    found = found_by(request, pk)
    if not queries.is_own(request.acting, found):
        raise PermissionDenied
    return found


@require_safe
def pledge(request: ActingRequest, pk: int) -> HttpResponse:
    return page_of(request, found_by(request, pk))


def page_of(request: ActingRequest, found: Pledge, status: int = 200, **sent: Any) -> HttpResponse:
    """The page of a promise, with a form that was sent and has to be shown again."""
    if status == 409:
        found = found_by(request, found.pk)
        for form in sent.values():
            fresh(form, found.version)
    context = pages.page(found, request.acting, **sent) | {"overtaken": status == 409}
    return render(request, f"{FOLDER}/pledge.html", context, status=status)


@requires(Capability.PLEDGE)
@READ_OR_SEND
def new(request: ActingRequest, half: str) -> HttpResponse:
    """Write a promise for the own school or, as the second half, for another one."""
    acting = by(request)
    if half not in Pledge.Half.values:
        raise Http404
    if not queries.may_write(acting) or acting.school is None:
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "half": half,
            "cycles": kwargs["cycles"],
            "measures": kwargs["measures"],
            "schools": kwargs["schools"],
            "school": acting.school,
            "points": words.points(),
            "breadcrumb": pages.crumbs(_("Write a promise")),
        }
        return render(request, f"{FOLDER}/write.html", context, status=status)

    kwargs: dict[str, Any] = {
        "half": half,
        "cycles": queries.cycles_to_promise_in(),
        "measures": queries.measures_to_choose(),
        "schools": queries.schools_to_count(acting.school) if half == Pledge.Half.OTHER else [],
    }
    if request.method != "POST" or not kwargs["cycles"]:
        return again(PledgeForm(initial={"cycle": request.GET.get("cycle", "")}, **kwargs), 200)
    form = PledgeForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda _data: actions.write(form.words(), form.chosen_cycle(), by=acting),
        done=_("It is a draft. Read it once more, then promise it."),
        back=pages.url,
        again=again,
    )


@requires(Capability.PLEDGE)
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    """Change a draft; where two do so, the later sees how it stands beside what they wrote."""
    found = own(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        now = found_by(request, pk)
        if status == 409:
            fresh(form, now.version)
        context = {
            "form": form,
            "pledge": now,
            "half": now.half,
            "overtaken": status == 409,
            "cycles": kwargs["cycles"],
            "measures": kwargs["measures"],
            "schools": kwargs["schools"],
            "school": now.set.school,
            "target": words.from_to(now, sees=queries.sees_values(request.acting, now)),
            "points": words.points(),
            "breadcrumb": pages.crumbs_of(now, _("Change")),
        }
        return render(request, f"{FOLDER}/write.html", context, status=status)

    measures = queries.measures_to_choose()
    schools = queries.schools_to_count(found.set.school) if found.other_school_id else []
    kwargs: dict[str, Any] = {
        "half": found.half, "cycles": [found.set.cycle], "measures": measures, "schools": schools,
    }  # fmt: skip
    if request.method != "POST":
        if found.state != Pledge.State.DRAFT:
            messages.error(request, _("It is promised: its words stay as they were said."))
            return redirect(pages.url(found))
        return again(PledgeForm(initial=as_it_stands(found, measures), **kwargs), 200)
    form = PledgeForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda data: actions.change(found, form.words(), by=by(request), seen=data["seen"]),
        done=_("Changed. It is still a draft."),
        back=pages.url,
        again=again,
    )


@requires(Capability.PLEDGE)
@require_POST
def discard(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    if not queries.is_own(request.acting, found):
        raise PermissionDenied
    back = pages.url(found) if found.state != Pledge.State.DRAFT else pages.crumbs()[0].url
    return press(
        request,
        lambda: actions.discard(found, by=by(request), seen=seen(request)),
        done=_("The draft is thrown away."),
        back=back,
    )


@requires(Capability.PLEDGE)
@require_POST
def vow(request: ActingRequest, pk: int) -> HttpResponse:
    found = own(request, pk)
    return press(
        request,
        lambda: actions.vow(found, by=by(request), seen=seen(request)),
        done=_("It is promised, and your partnership is told. Now ask witnesses to stand by it."),
        back=pages.url(found),
    )


@requires(Capability.PLEDGE)
@require_POST
def audience(request: ActingRequest, pk: int) -> HttpResponse:
    found = own(request, pk)
    return take(
        request,
        AudienceForm(request.POST, auto_id="audience_%s"),
        lambda data: actions.tell_wider(
            found, data["audience"], by=by(request), seen=data["seen"]
        ),
        done=_("Changed who reads it."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, audience_form=form),
    )  # fmt: skip


@requires(Capability.PLEDGE)
@require_POST
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    found = own(request, pk)
    return take(
        request,
        WhyForm(request.POST, auto_id="why_%s"),
        lambda data: actions.withdraw(found, data["why"], by=by(request), seen=data["seen"]),
        done=_("It is withdrawn. Its page stays, with the reason."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, why_form=form),
    )


# Witnesses


@requires(Capability.PLEDGE)
@require_POST
def ask(request: ActingRequest, pk: int) -> HttpResponse:
    found = own(request, pk)
    form = WitnessForm(request.POST, people=queries.may_witness(found))
    return take(
        request,
        form,
        lambda _data: witnesses.ask(found, form.chosen(), by=by(request)),
        done=_("They are asked, and told."),
        back=lambda _rows: pages.url(found),
        again=lambda form, status: page_of(request, found, status, witness_form=form),
    )


@requires(Capability.PLEDGE)
@require_POST
def answer(request: ActingRequest, pk: int) -> HttpResponse:
    """The word of a witness; 403 for who reads the promise and was not asked."""
    found = found_by(request, pk)
    if queries.witness_asked(request.acting, found) is None:
        raise PermissionDenied
    return take(
        request,
        AnswerForm(request.POST),
        lambda data: witnesses.answer(
            found, by=by(request), accepts=data["accepts"] == "yes", words=data["words"]
        ),
        done=_("Your word is written down, and the school is told."),
        back=lambda _row: pages.url(found),
        again=lambda form, status: page_of(request, found, status, answer_form=form),
    )
