"""Leaders, what is asked of them, and applying."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import queries as alignment
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.forms import AreaFilter, area_or_404
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.leaders import designation_actions as actions
from brightspots_web.leaders import designation_application_pages as application_pages
from brightspots_web.leaders import designation_criteria_actions as criteria_actions
from brightspots_web.leaders import designation_criteria_queries as criteria_queries
from brightspots_web.leaders import designation_pages as pages
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders.designation_forms import (
    ApplicationForm,
    ApplicationsFilter,
    CriteriaForm,
    LeadersFilter,
    WithoutForm,
)
from brightspots_web.leaders.models import Application
from brightspots_web.leaders.panel_forms import BoundForm, ViewForm
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20
FOLDER = "leaders/designation"
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


# Leaders


def _leaders_filter(request: ActingRequest) -> LeadersFilter:
    return LeadersFilter(request.GET, priorities=list(alignment.all_priorities()))


@require_safe
def leaders(request: ActingRequest) -> HttpResponse:
    """Everybody designated, by name; open to all who hold an appointment."""
    by(request)
    form = _leaders_filter(request)
    found = queries.leaders(request.acting, form.search())
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    empty = (
        _("No leader fits. Clear the filter to see all of them.")
        if form.has_changed()
        else _("Nobody is designated yet. It begins with the evidence, or with an application.")
    )
    context = {
        "form": form,
        "page": page,
        "table": pages.table(page, request.GET.urlencode(), empty),
        "tabs": pages.tabs(request.acting, "leaders:leaders"),
        "as_of": directory.today(),
    }
    return render(request, f"{FOLDER}/leaders.html", context)


@require_safe
def leaders_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    by(request)
    found = queries.leaders(request.acting, _leaders_filter(request).search())
    return respond(
        fmt, title=_("Leaders"), filename="leaders", columns=pages.columns(), rows=pages.rows(found)
    )


@requires(Capability.FIND_LEADERS)
@require_safe
def undesignated(request: ActingRequest) -> HttpResponse:
    """Who leads a partnership without being designated."""
    form = AreaFilter(request.GET, acting=request.acting)
    area = form.area_asked_for
    found = queries.undesignated_leads(request.acting, area)
    if area is None and form.errors:
        found = found.none()
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "table": pages.undesignated_table(page, request.GET.urlencode()),
        "tabs": pages.tabs(request.acting, "leaders:undesignated"),
    }
    return render(request, f"{FOLDER}/undesignated.html", context)


@requires(Capability.FIND_LEADERS)
@require_safe
def undesignated_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.undesignated_leads(request.acting, area_or_404(request))
    return respond(
        fmt,
        title=_("Lead without designation"),
        filename="lead-without-designation",
        columns=pages.undesignated_columns(),
        rows=pages.undesignated_rows(list(found)),
    )


# What is asked


@READ_OR_SEND
def criteria(request: ActingRequest) -> HttpResponse:
    """What is asked of leaders: everybody reads it, the ministry sets it."""
    by(request)
    sets = may(request.acting, Capability.SET_LEADERS)

    def again(form: Form | None, status: int) -> HttpResponse:
        found = criteria_queries.current_criteria()
        if status == 409 and form is not None:
            fresh(form, found.version)
        context = {
            "form": form,
            "found": found,
            "asked": words.asked_for(found),
            "overtaken": status == 409,
            "tabs": pages.tabs(request.acting, "leaders:criteria"),
        }
        return render(request, f"{FOLDER}/criteria.html", context, status=status)

    if request.method != "POST":
        found = criteria_queries.current_criteria()
        return again(CriteriaForm(initial=CriteriaForm.of(found)) if sets else None, 200)
    if not sets:
        raise PermissionDenied
    form = CriteriaForm(request.POST)
    return take(
        request,
        form,
        lambda data: criteria_actions.change_criteria(
            form.wanted(), by=by(request), seen=data["seen"]
        ),
        done=_("Saved. Applications handed in keep what was asked of them."),
        back=lambda _saved: reverse("leaders:criteria"),
        again=again,
    )


# Applying


@requires(Capability.APPLY_TO_LEAD)
@READ_OR_SEND
def apply(request: ActingRequest) -> HttpResponse:
    """Begin an application, or go on with the one there is."""
    acting = by(request)
    if request.method == "POST":
        try:
            begun = actions.begin(by=acting)
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
            return redirect("leaders:apply")
        return redirect("leaders:application_change", pk=begun.pk)
    asked = criteria_queries.current_criteria()
    context = {
        "asked": words.asked_for(asked),
        "criteria": asked,
        "open": queries.open_application(acting.person),
        "held": queries.live_designation(acting.person),
        "past": [each for each in queries.applications_of(acting.person)
                 if each.state not in queries.OPEN],
        "serves": acting.school is not None,
        "tabs": pages.tabs(acting, "leaders:apply"),
    }  # fmt: skip
    return render(request, f"{FOLDER}/apply.html", context)


@requires(Capability.FIND_LEADERS)
@require_safe
def applications(request: ActingRequest) -> HttpResponse:
    """Applications in sight, the open ones first asked for."""
    form = ApplicationsFilter(request.GET, acting=request.acting)
    narrowed = form.narrowed()
    found = queries.applications(request.acting, narrowed or queries.Narrowed())
    if narrowed is None:
        found = found.none()
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "table": pages.applications_table(page, request.GET.urlencode()),
        "tabs": pages.tabs(request.acting, "leaders:applications"),
    }
    return render(request, f"{FOLDER}/applications.html", context)


@requires(Capability.FIND_LEADERS)
@require_safe
def applications_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    narrowed = ApplicationsFilter(request.GET, acting=request.acting).narrowed()
    if narrowed is None:
        raise Http404
    found = queries.applications(request.acting, narrowed)
    return respond(
        fmt,
        title=_("Applications to lead"),
        filename="applications-to-lead",
        columns=pages.applications_columns(),
        rows=pages.applications_rows(found),
    )


def visible(request: ActingRequest, pk: int) -> Application:
    """An application whose page the person may open; 404 for any other."""
    by(request)
    return get_object_or_404(queries.applications_visible_to(request.acting), pk=pk)


def _own(request: ActingRequest, pk: int) -> Application:
    found = visible(request, pk)
    if found.person_id != by(request).person_id:
        raise PermissionDenied
    return found


@require_safe
def application(request: ActingRequest, pk: int) -> HttpResponse:
    return page_of(request, visible(request, pk))


def page_of(
    request: ActingRequest, found: Application, status: int = 200, **sent: Form
) -> HttpResponse:
    """The page of an application, with a form that was sent and has to be shown again."""
    context: dict[str, Any] = application_pages.page(found, request.acting)
    context["bound_form"] = sent.get("bound_form") or BoundForm()
    context["view_form"] = sent.get("view_form") or ViewForm()
    keys = context.get("without_keys", [])
    context["without_form"] = sent.get("without_form") or WithoutForm(
        keys=keys, grade=found.grade, initial={"seen": found.version, "keys": keys}
    )
    return render(request, f"{FOLDER}/application.html", context, status=status)


@requires(Capability.APPLY_TO_LEAD)
@READ_OR_SEND
def application_change(request: ActingRequest, pk: int) -> HttpResponse:
    """Write a draft: what is known is shown and not asked for."""
    found = _own(request, pk)
    if found.state != Application.State.DRAFT:
        messages.error(request, _("It is handed in: its words stand as they are."))
        return redirect(pages.application_url(found))
    asked = criteria_queries.current_criteria()

    def again(form: Form, status: int) -> HttpResponse:
        shown = application_pages.page(found, request.acting)
        context = {"form": form, "overtaken": status == 409, **shown}
        return render(request, f"{FOLDER}/change.html", context, status=status)

    kwargs = _form_kwargs(found, asked)
    if request.method != "POST":
        return again(ApplicationForm(initial=ApplicationForm.of(found), **kwargs), 200)
    form = ApplicationForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda data: actions.change(found, form.written(), by=by(request), seen=data["seen"]),
        done=_("Saved."),
        back=pages.application_url,
        again=again,
        row=found,
    )


def _form_kwargs(found: Application, asked: Any) -> dict[str, Any]:
    known = criteria_queries.known_since(found.person, found.grade)
    years = criteria_queries.whole_years(known, directory.today()) if known else 0
    return {
        "priorities": alignment.live_priorities(),
        "known_since": known,
        "ask_since": bool(asked.years_as_head) and years < asked.years_as_head,
        "governors": asked.governors,
    }


def _pressed(request: ActingRequest, found: Application, act: Any, done: str) -> HttpResponse:
    return press(
        request,
        lambda: act(found, by=by(request), seen=seen(request)),
        done=done,
        back=pages.application_url(found),
    )


@requires(Capability.APPLY_TO_LEAD)
@require_POST
def ask_backing(request: ActingRequest, pk: int) -> HttpResponse:
    done = _("The officers over your school are told. They can read the draft now.")
    return _pressed(request, _own(request, pk), actions.ask_backing, done)


@requires(Capability.APPLY_TO_LEAD)
@require_POST
def hand_in(request: ActingRequest, pk: int) -> HttpResponse:
    done = _("It is handed in. The ministry is told, and calls a panel.")
    return _pressed(request, _own(request, pk), actions.hand_in, done)


@require_POST
def withdraw(request: ActingRequest, pk: int) -> HttpResponse:
    done = _("It is taken back. Nothing follows from it.")
    return _pressed(request, _own(request, pk), actions.withdraw, done)


@requires(Capability.BACK_LEADERS)
@require_POST
def back(request: ActingRequest, pk: int) -> HttpResponse:
    found = visible(request, pk)
    if not queries.may_back(request.acting, found):
        raise PermissionDenied
    return _pressed(request, found, actions.back, _("You back this application. Its writer knows."))


@requires(Capability.SET_LEADERS)
@require_POST
def take_without(request: ActingRequest, pk: int) -> HttpResponse:
    found = visible(request, pk)
    keys = application_pages.without_keys(found)
    return take(
        request,
        WithoutForm(request.POST, keys=keys, grade=found.grade),
        lambda data: actions.take_without(
            found, data["keys"], why=data["why"], by=by(request), seen=data["seen"]
        ),
        done=_("Saved. The applicant and the panel read the reason."),
        back=lambda _saved: pages.application_url(found),
        again=lambda form, status: page_of(request, found, status, without_form=form),
    )
