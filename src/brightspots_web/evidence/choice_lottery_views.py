"""Lotteries: prepared, agreed, closed, drawn, checked."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.evidence import choice_draw_actions as drawing
from brightspots_web.evidence import choice_file as file
from brightspots_web.evidence import choice_lottery_actions as actions
from brightspots_web.evidence import choice_lottery_pages as pages
from brightspots_web.evidence import choice_lottery_queries as queries
from brightspots_web.evidence import choice_words as words
from brightspots_web.evidence.choice_forms import AnswerForm, LotteryFilter, LotteryForm, WhyForm
from brightspots_web.evidence.choice_pages import lottery_url
from brightspots_web.evidence.models import Lottery
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "evidence/choice"


def found_by(request: ActingRequest, pk: int) -> Lottery:
    """A lottery this person may open; 404 for everybody else."""
    by(request)
    return get_object_or_404(queries.visible_to(request.acting), pk=pk)


@require_safe
def lotteries(request: ActingRequest) -> HttpResponse:
    """Lotteries, the newest first: everybody reads of those whose list is closed."""
    acting = by(request)
    form = LotteryFilter(request.GET)
    shown = Paginator(queries.search(acting, form.asked()), PAGE).get_page(
        request.GET.get("page")
    )  # fmt: skip
    context = {
        "form": form,
        "page": shown,
        "table": pages.table(shown, filtered=form.has_changed()),
        "may_prepare": queries.prepares(acting),
        "rule": words.lottery_rule(),
        "breadcrumb": pages.crumbs(),
    }
    return render(request, f"{FOLDER}/lotteries.html", context)


@require_safe
def lottery(request: ActingRequest, pk: int) -> HttpResponse:
    return page_of(request, found_by(request, pk))


def page_of(
    request: ActingRequest, found: Lottery, status: int = 200, **sent: forms.Form
) -> HttpResponse:
    """The page of a lottery, with a form that was sent and has to be shown again."""
    if status == 409:
        found = found_by(request, found.pk)
        for form in sent.values():
            fresh(form, found.version)
    context = pages.page(found, request.acting, **sent) | {"overtaken": status == 409}
    return render(request, f"{FOLDER}/lottery.html", context, status=status)


@requires(Capability.EVALUATE)
@READ_OR_SEND
def new(request: ActingRequest) -> HttpResponse:
    """Prepare a lottery."""
    acting = by(request)

    def again(form: forms.Form, status: int) -> HttpResponse:
        return _edit(request, form, status, None)

    if request.method != "POST":
        return again(pages.form(acting), 200)
    form = pages.form(acting, request.POST)
    return take(
        request,
        form,
        lambda _data: actions.prepare(form.terms(), by=acting),
        done=_("It is put to the ministry."),
        back=lottery_url,
        again=again,
    )


@requires(Capability.EVALUATE)
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    """Change what a lottery is about; the ministry has to agree anew."""
    found, acting = found_by(request, pk), by(request)

    def again(form: forms.Form, status: int) -> HttpResponse:
        return _edit(request, form, status, found)

    if request.method != "POST":
        return again(pages.form(acting, of=found, initial=LotteryForm.of(found)), 200)
    form = pages.form(acting, request.POST, of=found)
    return take(
        request,
        form,
        lambda data: actions.change(found, form.terms(), by=acting, seen=data["seen"]),
        done=_("It is changed, and put to the ministry anew."),
        back=lottery_url,
        again=again,
        row=found,
    )


def _edit(
    request: ActingRequest, form: forms.Form, status: int, found: Lottery | None
) -> HttpResponse:
    crumbs: list[Link | str] = [_("Prepare a lottery")]
    if found is not None:
        crumbs = [Link(found.title, lottery_url(found)), _("Change it")]
    context = {
        "form": form,
        "lottery": found,
        "rule": words.lottery_rule(),
        "none_to_draw_for": not queries.priorities_to_draw_for(),
        "breadcrumb": pages.crumbs(*crumbs),
    }
    return render(request, f"{FOLDER}/edit.html", context, status=status)


@requires(Capability.SET_EVIDENCE)
@require_POST
def answer(request: ActingRequest, pk: int) -> HttpResponse:
    """The ministry agrees, or does not."""
    found, acting = found_by(request, pk), by(request)
    return take(
        request,
        AnswerForm(request.POST, auto_id="answer_%s"),
        lambda data: actions.answer(
            found, agrees=data["agrees"], words=data["words"], by=acting, seen=data["seen"]
        ),
        done=_("Your answer is on record, and whoever prepared it is told."),
        back=lottery_url,
        again=lambda form, status: page_of(request, found, status, answer_form=form),
    )


@requires(Capability.EVALUATE)
@require_POST
def open_list(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = found_by(request, pk), by(request)
    return press(
        request,
        lambda: drawing.open_list(found, by=acting, seen=seen(request)),
        done=_("The list is closed and its fingerprints are published. The schools are told."),
        back=lottery_url(found),
    )


@requires(Capability.EVALUATE)
@require_POST
def draw(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = found_by(request, pk), by(request)
    return press(
        request,
        lambda: drawing.draw(found, by=acting),
        done=_("It is drawn, and every school on the list is told."),
        back=lottery_url(found),
    )


@requires(Capability.EVALUATE)
@require_POST
def begin_again(request: ActingRequest, pk: int) -> HttpResponse:
    """The seed is lost: another lottery takes this one's place."""
    found, acting = found_by(request, pk), by(request)
    return press(
        request,
        lambda: actions.begin_again(found, by=acting, seen=seen(request)),
        done=_("This one is called off. Another with the same terms waits for the ministry."),
        back=reverse("evidence:lotteries"),
    )


@requires(Capability.EVALUATE)
@require_POST
def call_off(request: ActingRequest, pk: int) -> HttpResponse:
    found, acting = found_by(request, pk), by(request)
    return take(
        request,
        WhyForm(request.POST, auto_id="off_%s"),
        lambda data: actions.call_off(found, data["why"], by=acting, seen=data["seen"]),
        done=_("It is called off. Its page stays, with the reason."),
        back=lottery_url,
        again=lambda form, status: page_of(request, found, status, off_form=form),
    )


@READ_OR_SEND
def let_go(request: ActingRequest, pk: int) -> HttpResponse:
    """A school lets its place go; whoever comes next moves up."""
    acting = by(request)
    line = queries.line_seen_by(acting, pk)
    if line is None:
        raise Http404
    if not queries.may_let_go(acting, line):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        to_lottery = Link(line.lottery.title, lottery_url(line.lottery))
        crumbs = pages.crumbs(to_lottery, _("Let a place go"))
        context = {"form": form, "line": line, "breadcrumb": crumbs}
        return render(request, f"{FOLDER}/let_go.html", context, status=status)

    if request.method != "POST":
        return again(WhyForm(), 200)
    return take(
        request,
        WhyForm(request.POST),
        lambda data: drawing.let_go(line, data["why"], by=acting),
        done=_("It is on record. Whoever comes next has the place now, and is told."),
        back=lambda _line: lottery_url(line.lottery),
        again=again,
    )


# Files


def _file(found: Lottery, *, names: bool) -> HttpResponse:
    if found.opened_at is None:
        raise Http404
    text = file.to_json(pages.told(found, names=names))
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    ending = "-with-names" if names else ""
    response["Content-Disposition"] = f'attachment; filename="lottery-{found.pk}{ending}.json"'
    return response


@require_safe
def lottery_file(request: ActingRequest, pk: int) -> HttpResponse:
    """The lottery for everybody: schools by number."""
    return _file(found_by(request, pk), names=False)


@require_safe
def lottery_file_names(request: ActingRequest, pk: int) -> HttpResponse:
    """The lottery with the schools' codes, for those who may read them all."""
    found = found_by(request, pk)
    if not queries.sees_names(request.acting):
        raise PermissionDenied
    return _file(found, names=True)


@require_safe
def lottery_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    """The lines with names that this person may read."""
    found = found_by(request, pk)
    return respond(
        fmt,
        title=found.title,
        filename=f"lottery-{found.pk}",
        columns=pages.columns(),
        rows=pages.rows(found, request.acting),
        note=words.among(found),
    )
