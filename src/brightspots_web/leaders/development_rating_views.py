"""Rating oneself, asking colleagues, answering them, sharing."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, take
from brightspots_web.leaders import development_pages as pages
from brightspots_web.leaders import development_queries as queries
from brightspots_web.leaders import development_rating_actions as actions
from brightspots_web.leaders.development_forms import (
    AnswerForm,
    AskForm,
    FindColleague,
    RateForm,
    ShareForm,
)
from brightspots_web.leaders.development_views import FOLDER, grows
from brightspots_web.shared.exports import respond

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


def _back(_result: object = None) -> str:
    return reverse("leaders:development")


@READ_OR_SEND
def rate(request: ActingRequest, code: str) -> HttpResponse:
    """Say how far one is in a competence, and what shows it."""
    grows(request)
    acting = by(request)
    found = get_object_or_404(queries.all_competences().filter(retired_at=None), code=code)

    def again(form: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            found.refresh_from_db()
            sent, form = form, RateForm(fresh(form, found.version).data, competence=found)
            form.full_clean()
            for error in sent.non_field_errors():
                form.add_error(None, error)
        context = {"form": form, "competence": found, "breadcrumb": pages.crumbs(found.name)}
        return render(request, f"{FOLDER}/rate.html", context, status=status)

    if request.method != "POST":
        before = queries.newest_own(acting.person, found)
        initial = {"level": before.level, "evidence": before.evidence} if before else {}
        return again(RateForm(initial=initial | {"seen": found.version}, competence=found), 200)
    form = RateForm(request.POST, competence=found)
    return take(
        request, form, lambda data: actions.rate_self(found, form.said(), by=acting),
        done=_("Saved. Only you see it, and those you share it with."),
        back=lambda _r: f"{_back()}#c-{found.code}", again=again,
    )  # fmt: skip


@READ_OR_SEND
def ask(request: ActingRequest) -> HttpResponse:
    """Ask colleagues how they see one."""
    grows(request)
    acting = by(request)
    find = FindColleague(request.GET)
    find.is_valid()
    words = find.cleaned_data.get("q", "")
    people, competences = queries.people_to_ask(acting, words), queries.framework()

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"form": form, "find": find, "breadcrumb": pages.crumbs(_("Ask colleagues"))}
        return render(request, f"{FOLDER}/ask.html", context, status=status)

    if request.method != "POST":
        wanted = [each.code for each in competences]
        return again(
            AskForm(people=people, competences=competences, initial={"competences": wanted}), 200
        )
    form = AskForm(request.POST, people=people, competences=competences)
    if form.is_valid():
        try:
            told = actions.ask(form.chosen_people(), form.chosen_competences(), by=acting)
        except ValidationError as problem:
            form.add_error(None, problem) if not hasattr(problem, "error_dict") else (
                form.add_error(None, " ".join(problem.messages))
            )
        else:
            messages.success(request, pages.asked_words(told))
            return redirect(_back())
    return again(form, 200)


@require_POST
def take_back(request: ActingRequest, pk: int) -> HttpResponse:
    return press(
        request, lambda: actions.take_back(pk, by=by(request)),
        done=_("Taken back."), back=_back(),
    )  # fmt: skip


@READ_OR_SEND
def answer(request: ActingRequest, pk: int) -> HttpResponse:
    """Say how one sees a colleague who asked."""
    acting = by(request)
    asked = queries.to_answer(acting, pk)
    if not asked:
        raise Http404

    def again(form: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            sent, form = form, AnswerForm(form.data, asked=queries.to_answer(acting, pk))
            form.read_anew()
            form.full_clean()
            for error in sent.non_field_errors():
                form.add_error(None, error)
        context = {
            "form": form,
            "leader": asked[0].leader,
            "breadcrumb": pages.crumbs(_("A colleague asks you")),
        }
        return render(request, f"{FOLDER}/answer.html", context, status=status)

    if request.method != "POST":
        return again(AnswerForm(asked=asked), 200)
    form = AnswerForm(request.POST, asked=asked)
    return take(
        request, form, lambda data: actions.answer(pk, form.said(), by=acting),
        done=_("Thank you. Your colleague reads it beside the own view; nobody else does."),
        back=_back, again=again,
    )  # fmt: skip


@require_POST
def decline(request: ActingRequest, pk: int) -> HttpResponse:
    acting = by(request)
    if not queries.to_answer(acting, pk):
        raise Http404
    return press(
        request, lambda: actions.decline(pk, by=acting),
        done=_("Your colleague hears that you cannot say."), back=_back(),
    )  # fmt: skip


@READ_OR_SEND
def share(request: ActingRequest) -> HttpResponse:
    """With whom one shares how one grows."""
    grows(request)
    acting = by(request)
    find = FindColleague(request.GET)
    find.is_valid()
    people = queries.people_to_ask(acting, find.cleaned_data.get("q", ""))

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "find": find,
            "shared_with": queries.shared_with(acting.person),
            "breadcrumb": pages.crumbs(_("Share")),
        }
        return render(request, f"{FOLDER}/share.html", context, status=status)

    if request.method != "POST":
        return again(ShareForm(people=people), 200)
    form = ShareForm(request.POST, people=people)
    return take(
        request, form, lambda data: actions.share(form.chosen(), by=acting),
        done=_("Shared. You can take it back at any time."),
        back=lambda _r: reverse("leaders:share"), again=again,
    )  # fmt: skip


@require_POST
def stop_sharing(request: ActingRequest, pk: int) -> HttpResponse:
    return press(
        request, lambda: actions.stop_sharing(pk, by=by(request)),
        done=_("No longer shared."), back=_back(),
    )  # fmt: skip


@require_safe
def development_of(request: ActingRequest, pk: int) -> HttpResponse:
    """How a leader grows, for somebody with whom the leader shares it."""
    acting = by(request)
    shared = get_object_or_404(queries.shares_visible_to(acting), leader=pk)
    context = {
        "person": shared.leader,
        "sides": pages.sides(shared.leader, acting),
        "breadcrumb": pages.crumbs(str(shared.leader)),
    }
    return render(request, f"{FOLDER}/of.html", context)


@require_safe
def export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    """Everything said of oneself."""
    grows(request)
    return respond(
        fmt, title=_("My competences"), filename="my-competences",
        columns=pages.rating_columns(), rows=pages.rating_rows(by(request)),
    )  # fmt: skip
