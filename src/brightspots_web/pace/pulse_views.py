"""The pulse: what was answered, answering, and its settings."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.accountability import voice_answer_actions as answering
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Consultation, Eligible
from brightspots_web.accountability.voice_seal import SealError
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Cycle
from brightspots_web.directory.view_helpers import by, fresh, press, take
from brightspots_web.pace import pulse_actions as actions
from brightspots_web.pace import pulse_pages as pages
from brightspots_web.pace import pulse_queries as queries
from brightspots_web.pace import pulse_time_actions as timing
from brightspots_web.pace import pulse_words as words
from brightspots_web.pace.models import PulseTerm
from brightspots_web.pace.pulse_forms import PulseForm, SettingsForm, TermsForm
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

FOLDER = "pace/pulse"
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def pulse(request: ActingRequest) -> HttpResponse:
    return render(request, f"{FOLDER}/pulse.html", pages.page(by(request)))


@require_safe
def area(request: ActingRequest, pk: int) -> HttpResponse:
    acting = by(request)
    found = queries.area_seen(acting, pk)
    if found is None:
        raise Http404
    return render(request, f"{FOLDER}/area.html", pages.area_page(acting, found))


@require_safe
def export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    acting = by(request)
    return respond(
        fmt,
        title=_("Two questions a term"),
        filename="pulse",
        columns=pages.export_columns(),
        rows=pages.export_rows(acting),
        note=f"{words.how_read()} {words.hidden()} {words.left_empty()}",
    )


# Answering. No message in passing, no line in a log: either would be a time.


@requires(Capability.SPEAK_UP)
@sensitive_post_parameters()
@never_cache
@READ_OR_SEND
def answer(request: ActingRequest) -> HttpResponse:
    """The two questions of the term that is open, on one page."""
    term = queries.open_term()
    if term is None or term.consultation is None:
        return _refused(request, _("The two questions are not open at the moment."))
    found = term.consultation
    mine = voice.eligible_row(request.acting, found)
    questions = list(found.questions.all())
    form = PulseForm(request.POST if request.method == "POST" else None, questions=questions)
    if mine is None:
        return _refused(
            request,
            _("You are not among those who are asked: who may answer was listed on the first day."),
        )
    if mine.answered:
        return _refused(request, _answered())
    try:
        return _answer(request, term, found, form, mine)
    except answering.NotTakenError as problem:
        return _refused(request, " ".join(problem.messages))
    except SealError as problem:
        return _refused(request, " ".join(problem.messages), status=503)


def _answer(
    request: ActingRequest, term: PulseTerm, found: Consultation, form: PulseForm, mine: Eligible
) -> HttpResponse:
    token = answering.token_of(mine, found)
    if request.method == "POST" and form.is_valid():
        try:
            answering.answer(found, form.given(), form.cleaned_data["token"], by=by(request))
        except (answering.NotTakenError, SealError):
            raise
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            return redirect("pace:pulse")
    if form.is_bound:
        form.data = {name: form.data[name] for name in form.data} | {"token": token}
    else:
        form.initial = {"token": token}
    context = {
        "form": form,
        "until": words.last_day(term),
        "promises": words.promises(),
        "limit": words.limit(),
        "breadcrumb": pages.crumbs(Link(_("Answer"))),
    }
    return render(request, f"{FOLDER}/answer.html", context)


def _answered() -> str:
    return _(
        "You have answered this term already, here or on another device. One answer counts: the "
        "first."
    )


def _refused(request: ActingRequest, why: str, status: int = 409) -> HttpResponse:
    code = 200 if request.method != "POST" and status == 409 else status
    context = {"why": why, "breadcrumb": pages.crumbs(Link(_("Answer")))}
    response = render(request, f"{FOLDER}/refused.html", context, status=code)
    response._has_been_logged = True  # type: ignore[attr-defined] # a line in the log is a time
    return response


# Settings


@requires(Capability.SET_ACCOUNTABILITY)
@READ_OR_SEND
def set_settings(request: ActingRequest) -> HttpResponse:
    """On or off, by which areas, and the way to the days of each cycle."""
    levels = _levels()

    def again(form: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            fresh(form, queries.settings_now().version)
        context = {
            "form": form,
            "cycles": [
                (each.name, reverse("pace:pulse_terms", args=[each.pk]), _days_of(each))
                for each in queries.cycles()
            ],
            "open": [(each.pk, words.term(each)) for each in queries.open_terms()],
            "breadcrumb": pages.crumbs(Link(_("Settings"))),
        }
        return render(request, f"{FOLDER}/settings.html", context, status=status)

    if request.method != "POST":
        now = queries.settings_now()
        initial = {"on": now.on, "level": str(now.level), "seen": now.version}
        return again(SettingsForm(initial=initial, levels=levels), 200)
    form = SettingsForm(request.POST, levels=levels)
    return take(
        request,
        form,
        lambda data: actions.set_settings(
            on=data["on"], level=data["level"], by=by(request), seen=data["seen"]
        ),
        done=_("Saved. It holds for terms that are opened from now on."),
        back=lambda _saved: request.path,
        again=again,
    )


def _levels() -> list[tuple[int, str]]:
    return [
        (
            steps,
            _("{n} areas, among them {example}").format(n=number(n, 0), example=example)
            if n > 1
            else example,
        )
        for steps, n, example in queries.levels()
    ]


def _days_of(cycle: Cycle) -> str:
    terms = queries.terms_of(cycle)
    if not terms:
        return _("no day set yet")
    return "; ".join(
        _("term {n} until {day}").format(n=number(each.number, 0), day=words.last_day(each))
        for each in terms
    )


@requires(Capability.SET_ACCOUNTABILITY)
@READ_OR_SEND
def set_terms(request: ActingRequest, pk: int) -> HttpResponse:
    """When the two questions are asked in the terms of a cycle."""
    cycle = next((each for each in queries.cycles() if each.pk == pk), None)
    if cycle is None:
        raise Http404
    terms = queries.terms_of(cycle)

    def again(form: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            now = actions.seen_of(queries.terms_of(cycle))
            form.data = {name: form.data[name] for name in form.data} | {"seen": now}
        context = {
            "form": form,
            "cycle": cycle,
            "now": _days_of(cycle) if status == 409 else "",
            "breadcrumb": pages.crumbs(
                Link(_("Settings"), reverse("pace:pulse_settings")), Link(cycle.name)
            ),
        }
        return render(request, f"{FOLDER}/terms.html", context, status=status)

    if request.method != "POST":
        return again(TermsForm(initial={"seen": actions.seen_of(terms)}, terms=terms), 200)
    form = TermsForm(request.POST, terms=terms)
    return take(
        request,
        form,
        lambda data: actions.set_terms(cycle, form.days(), by=by(request), seen=data["seen"]),
        done=_("Saved. Everybody is told on the first day of each term."),
        back=lambda _saved: reverse("pace:pulse_settings"),
        again=again,
    )


@requires(Capability.SET_ACCOUNTABILITY)
@require_POST
def stop(request: ActingRequest, pk: int) -> HttpResponse:
    """Stop a term that is open; its answers go unread."""
    found = next((each for each in queries.open_terms() if each.pk == pk), None)
    if found is None:
        raise Http404
    return press(
        request,
        lambda: timing.stop(found, by=by(request)),
        done=_("It is stopped: all answers and their key are destroyed unread."),
        back=reverse("pace:pulse_settings"),
    )
