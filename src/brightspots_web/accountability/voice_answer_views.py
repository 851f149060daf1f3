"""Answering a consultation: nothing is kept between the steps but on the page itself."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from brightspots_web.accountability import voice_answer_actions as answering
from brightspots_web.accountability import voice_pages as pages
from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability import voice_warnings
from brightspots_web.accountability import voice_words as words
from brightspots_web.accountability.models import Consultation, Eligible
from brightspots_web.accountability.voice_forms import AnswerForm
from brightspots_web.accountability.voice_seal import SealError
from brightspots_web.accountability.voice_views import FOLDER, READ_OR_SEND, found_by
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by
from brightspots_web.shared.permissions import Capability


@requires(Capability.SPEAK_UP)
@sensitive_post_parameters()
@never_cache
@READ_OR_SEND
def answer(request: ActingRequest, pk: int) -> HttpResponse:
    """The questions on one page; own words that tell who wrote them are asked about once."""
    found = found_by(request, pk)
    mine = queries.eligible_row(request.acting, found)
    questions = list(found.questions.all())
    form = AnswerForm(request.POST if request.method == "POST" else None, questions=questions)
    why = _not_now(found, mine)
    if why:
        return _refused(request, found, form, why)
    assert mine is not None
    try:
        token = answering.token_of(mine, found)
    except SealError as problem:
        return _refused(request, found, form, " ".join(problem.messages), status=503)
    if request.method != "POST":
        return _asked(request, found, form, token)
    if not form.is_valid():
        return _asked(request, found, form, token)
    told = voice_warnings.warnings_of_all(form.texts(), by(request))
    if told and form.cleaned_data["looked"] != "yes":
        return _asked(request, found, form, token, warnings=told)
    try:
        answering.answer(found, form.given(), form.cleaned_data["token"], by=by(request))
    except answering.NotTakenError as problem:
        return _refused(request, found, form, " ".join(problem.messages))
    except SealError as problem:
        return _refused(request, found, form, " ".join(problem.messages), status=503)
    except ValidationError as problem:
        form.add_error(None, problem)
        return _asked(request, found, form, token)
    # No message in passing: it would be kept somewhere for a while. The page says it.
    return redirect(pages.url(found))


def _not_now(found: Consultation, mine: Eligible | None) -> str:
    """Why no answer is taken; 403 for who was not asked while it is open."""
    if not queries.is_open(found):
        return words.closed(found)
    if mine is None:
        raise PermissionDenied
    return words.answered_already() if mine.answered else ""


def _asked(
    request: ActingRequest,
    found: Consultation,
    form: AnswerForm,
    token: str,
    warnings: list[str] | None = None,
) -> HttpResponse:
    if form.is_bound:
        looked = {"looked": "yes"} if warnings else {}
        form.data = {name: form.data[name] for name in form.data} | {"token": token} | looked
    else:
        form.initial = {"token": token}
    context = _about(found) | {"form": form, "warnings": warnings or [], "limit": words.limit()}
    return render(request, f"{FOLDER}/answer.html", context)


def _refused(
    request: ActingRequest, found: Consultation, form: AnswerForm, why: str, status: int = 409
) -> HttpResponse:
    """Why no answer is taken, with what was typed: nothing is lost on the page, none is kept."""
    typed = []
    if form.is_bound:
        for each in form.questions:
            said = form.data.get(f"q{each.pk}", "")
            if said:
                typed.append((each.words, said))
    context = _about(found) | {"why": why, "typed": typed}
    code = 200 if request.method != "POST" and status == 409 else status
    response = render(request, f"{FOLDER}/refused.html", context, status=code)
    response._has_been_logged = True  # type: ignore[attr-defined] # a line in the log is a time
    return response


def _about(found: Consultation) -> dict[str, Any]:
    return {
        "consultation": found,
        "until": words.last_day(found),
        "promise": words.promise(found),
        "mode": words.mode(found),
        "back": pages.url(found),
        "breadcrumb": pages.crumbs_of(found, _("Answer")),
    }
