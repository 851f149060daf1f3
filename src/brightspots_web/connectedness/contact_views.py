from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.connectedness import contact_actions as actions
from brightspots_web.connectedness import contact_definition_queries as definition
from brightspots_web.connectedness import contact_pages as pages
from brightspots_web.connectedness import contact_queries as queries
from brightspots_web.connectedness import contact_school_pages as school_pages
from brightspots_web.connectedness import contact_words as words
from brightspots_web.connectedness.contact_forms import (
    ContactForm,
    DoneForm,
    MeetingForm,
    RegisterFilter,
    SettingsForm,
    StepForm,
)
from brightspots_web.connectedness.contact_queries import Search
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Area, School
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import export_links, respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20
form_page = require_http_methods(["GET", "HEAD", "POST"])


def _search(form: RegisterFilter) -> Search | None:
    """What the filter asks for; None where it asks for what is not there."""
    if not form.is_valid():
        return None
    chosen = form.cleaned_data
    show = chosen["show"] or "isolated"
    return Search(chosen["area"], show, chosen["reason"], chosen["step"])


@requires(Capability.SEE_AREA)
@require_safe
def isolation(request: ActingRequest) -> HttpResponse:
    """The isolation register: who is isolated, why, since when, and who does what about it."""
    form = RegisterFilter(request.GET, acting=request.acting)
    search = _search(form)
    by = definition.rules()
    context: dict[str, Any] = {
        "form": form,
        "definition": words.definition(by),
        "definition_of_near": words.definition_of_near(by),
        "may_set": may(request.acting, Capability.SET_CONNECTEDNESS),
    }
    if search is None:
        return render(request, "connectedness/contact/isolation.html", context)
    found = queries.register(request.acting, search, by)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    shown = queries.entries_of(page, by)
    counts = definition.counts(request.acting, search.area)
    whole = queries.whole_of(request.acting, search.area)
    area = request.GET.get("area", "")
    query = request.GET.urlencode()
    context |= {
        "search": search,
        "page": page,
        "table": pages.table(page, shown, by, request.acting, query),
        "empty": pages.empty(search.show, bool(search.reason or search.step), counts),
        "figures": pages.figures(counts, by, whole, f"&area={area}" if area else ""),
        "why": pages.why_counts(counts),
        "trend": pages.trend_chart(queries.trend(whole)),
        "trend_exports": export_links("connectedness:counts_export", query=_area_query(request)),
    }
    return render(request, "connectedness/contact/isolation.html", context)


def _area_query(request: ActingRequest) -> str:
    query = request.GET.copy()
    for name in list(query):
        if name != "area":
            del query[name]
    return query.urlencode()


@requires(Capability.SEE_AREA)
@require_safe
def isolation_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    search = _search(RegisterFilter(request.GET, acting=request.acting))
    if search is None:
        raise Http404
    by = definition.rules()
    found = queries.register(request.acting, search, by)
    return respond(
        fmt,
        title=_("Isolation register"),
        filename="isolation",
        columns=pages.columns(),
        rows=pages.rows(queries.all_entries(found, by), by),
        note=_("{date}. {definition}").format(
            date=words.day(by.on), definition=words.definition(by)
        ),
    )


@requires(Capability.SEE_AREA)
@require_safe
def counts_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    """The counts of past days, of the area asked for or of all that the appointment sees."""
    form = RegisterFilter(request.GET, acting=request.acting)
    if not form.is_valid():
        raise Http404
    area: Area | None = queries.whole_of(request.acting, form.cleaned_data["area"])
    return respond(
        fmt,
        title=_("Isolated schools, day by day"),
        filename="isolated-schools",
        columns=pages.count_columns(),
        rows=pages.count_rows(area),
        note=words.definition(definition.rules()),
    )


def _school(request: ActingRequest, code: str, *, to_record: bool = False) -> School:
    schools = (
        queries.schools_to_record(request.acting)
        if to_record
        else queries.schools_with_open_contacts(request.acting)
    )
    return get_object_or_404(schools.select_related("area"), code=code)


@require_safe
def school_contacts(request: ActingRequest, code: str) -> HttpResponse:
    """Who was in touch with a school, how it stands, and who does what about it."""
    school = _school(request, code)
    contacts = Paginator(queries.contacts_of(school), PAGE).get_page(request.GET.get("page"))
    context = school_pages.page(school, request.acting, contacts)
    return render(request, "connectedness/contact/school.html", context)


@require_safe
def contacts_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    school = _school(request, code)
    return respond(
        fmt,
        title=_("Contacts with {school}").format(school=school.name),
        filename=f"contacts-{school.code}",
        columns=school_pages.columns(),
        rows=school_pages.rows(school),
    )


@form_page
def record_contact(request: ActingRequest, code: str) -> HttpResponse:
    """Write down a visit or a call: made for a phone, done in under a minute."""
    school = _school(request, code, to_record=True)
    form = ContactForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_contact(school, by=_acting(request), **form.cleaned_data)
        except ValidationError as problem:
            _add(form, problem)
        else:
            messages.success(request, _("Written down."))
            return redirect("connectedness:school_contacts", school.code)
    return _form(request, form, _("Write down a contact"), school)


@require_POST
def take_back(request: ActingRequest, pk: int) -> HttpResponse:
    """Remove what was written down by mistake."""
    contact = get_object_or_404(queries.contacts_to_take_back(request.acting), pk=pk)
    try:
        actions.take_back_contact(contact, by=_acting(request))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, _("Taken back."))
    return redirect("connectedness:school_contacts", contact.school.code)


@form_page
def record_meeting(request: ActingRequest, code: str) -> HttpResponse:
    """Write down a meeting of a partnership: tick who was there."""
    partnerships = directory.partnerships_visible_to(request.acting)
    found = get_object_or_404(partnerships, code=code)
    schools = queries.members_to_record(request.acting, found)
    if not schools:
        raise Http404
    form = MeetingForm(request.POST if request.method == "POST" else None, schools=schools)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = actions.record_meeting(
                found, form.chosen(), by=_acting(request), on=data["on"], note=data["note"]
            )
        except ValidationError as problem:
            _add(form, problem)
        else:
            messages.success(request, _("Written down for {n} schools.").format(n=len(made)))
            return redirect("connectedness:partnership", found.code)
    back = reverse("connectedness:partnership", args=[found.code])
    return _form(request, form, _("Write down a meeting"), found.name, back)


@form_page
def add_step(request: ActingRequest, code: str) -> HttpResponse:
    """Say who will do what, by when, so that a school is not alone."""
    school = _school(request, code, to_record=True)
    acting = _acting(request)
    form = StepForm(
        request.POST if request.method == "POST" else None,
        owners=queries.owners_for(school, acting),
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        owner = form.owners[data["owner"]]
        try:
            actions.add_step(school, by=acting, owner=owner, what=data["what"], due=data["due"])
        except ValidationError as problem:
            _add(form, problem)
        else:
            messages.success(request, _("Written down. {who} is told.").format(who=owner))
            return redirect("connectedness:school_contacts", school.code)
    return _form(request, form, _("Who will do what"), school)


@form_page
def finish_step(request: ActingRequest, pk: int) -> HttpResponse:
    """Mark a step as done and say what came of it."""
    step = get_object_or_404(queries.steps_open_to(request.acting), pk=pk)
    form = DoneForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.finish_step(step, by=_acting(request), **form.cleaned_data)
        except ValidationError as problem:
            _add(form, problem)
        else:
            messages.success(request, _("Done. What came of it is written down."))
            return redirect("connectedness:school_contacts", step.school.code)
    return _form(request, form, _("What came of it"), step.school, lead=step.what)


@requires(Capability.SET_CONNECTEDNESS)
@form_page
def change_settings(request: ActingRequest) -> HttpResponse:
    """The three numbers the ministry sets about connectedness."""
    found = definition.current_settings()
    form = SettingsForm(
        request.POST if request.method == "POST" else None, initial=SettingsForm.of(found)
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_settings(form.wanted(), by=_acting(request), seen=form.seen_before())
        except ValidationError as problem:
            _add(form, problem)
        else:
            messages.success(request, _("Saved. Isolated schools are counted by this from now."))
            return redirect("connectedness:settings")
    context = {"form": form, "found": found}
    return render(request, "connectedness/contact/settings.html", context)


def _form(
    request: ActingRequest,
    form: Form,
    heading: str,
    about: School | str,
    back: str = "",
    lead: str = "",
) -> HttpResponse:
    """One short form on a page of its own."""
    if isinstance(about, School):
        back = reverse("connectedness:school_contacts", args=[about.code])
    context = {
        "form": form,
        "title": heading,
        "about": str(about),
        "words": lead,
        "cancel_url": back,
        "breadcrumb": [Link(str(about), back), Link(heading)],
    }
    return render(request, "connectedness/contact/form.html", context)


def _add(form: Form, problem: ValidationError) -> None:
    """Show what an action refused beside its field, or above the form."""
    known = hasattr(problem, "error_dict") and set(problem.error_dict) <= set(form.fields)
    if known:
        form.add_error(None, problem)
    else:
        form.add_error(None, ValidationError(problem.messages))


def _acting(request: ActingRequest) -> Any:
    assert request.acting is not None  # the queries have found something for it
    return request.acting
