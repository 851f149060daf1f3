"""The library, one practice, writing it, publishing it, talking about it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import queries as alignment
from brightspots_web.connectedness import practice_actions as actions
from brightspots_web.connectedness import practice_pages as pages
from brightspots_web.connectedness import practice_queries as queries
from brightspots_web.connectedness import practice_spread_pages as spread
from brightspots_web.connectedness import practice_talk_actions as talk
from brightspots_web.connectedness.models import Practice
from brightspots_web.connectedness.practice_forms import (
    CommentForm,
    LibraryFilter,
    PracticeForm,
    TranslationForm,
    WhyForm,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import School
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.insight.bright_spot_queries import Spot
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "connectedness/practice"


def _filter(request: ActingRequest) -> LibraryFilter:
    return LibraryFilter(
        request.GET,
        priorities=list(alignment.all_priorities()),
        phases=directory.school_choices("phase"),
        languages=queries.school_languages(),
        circumstances=queries.circumstances(),
        family=bool(queries.schools_like_mine(request.acting)),
        drafts=may(request.acting, Capability.WRITE_PRACTICES),
    )


@require_safe
def practices(request: ActingRequest) -> HttpResponse:
    """The library: what schools wrote up, found by words, priority and circumstances."""
    by(request)
    form = _filter(request)
    found = queries.search(request.acting, form.search())
    page = Paginator(found.practices, PAGE).get_page(request.GET.get("page"))
    empty = (
        _("No practice fits. Try fewer or other words, or clear the filter.")
        if form.has_changed()
        else _("No practice is published yet. It begins with a confirmed bright spot.")
    )
    context = {
        "form": form,
        "page": page,
        "table": pages.table(page, request.GET.urlencode(), empty),
        "some_words": found.some_words,
        "figures": spread.library_figures(),
        "may_write": queries.schools_to_write_for(request.acting).exists(),
        "own": request.acting.school if request.acting else None,
    }
    return render(request, f"{FOLDER}/practices.html", context)


@require_safe
def practices_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    by(request)
    found = queries.search(request.acting, _filter(request).search())
    return respond(
        fmt,
        title=_("Practices"),
        filename="practices",
        columns=pages.library_columns(),
        rows=pages.library_rows(found.practices),
    )


def _found(request: ActingRequest, code: str) -> Practice:
    by(request)
    return get_object_or_404(queries.visible_to(request.acting), code=code)


def _writable(request: ActingRequest, code: str) -> Practice:
    found = _found(request, code)
    if not queries.may_write_for(request.acting, found.school):
        raise PermissionDenied
    return found


@require_safe
def practice(request: ActingRequest, code: str) -> HttpResponse:
    return page_of(request, _found(request, code))


def page_of(
    request: ActingRequest, found: Practice, status: int = 200, **sent: forms.Form
) -> HttpResponse:
    """The page of a practice, with a form that was sent and has to be shown again."""
    context = pages.page(found, request.acting, request.GET.get("language", ""))
    shown: Practice = context["practice"]
    context["comment_form"] = sent.get("comment_form") or CommentForm()
    context["retire_form"] = sent.get("retire_form") or WhyForm(
        initial={"seen": context["original"].version}
    )
    context["spread"] = spread.practice_figures(context["original"])
    context["seen"] = shown.version
    return render(request, f"{FOLDER}/practice.html", context, status=status)


@requires(Capability.WRITE_PRACTICES)
@READ_OR_SEND
def write(request: ActingRequest) -> HttpResponse:
    """Write up a practice: of a bright spot, of a school that is named, or of one's own."""
    school, spot = _what_to_write_of(request)
    live = alignment.live_priorities()

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "school": school,
            "spot": spot,
            "breadcrumb": pages.crumbs(_("Write up a practice")),
        }
        return render(request, f"{FOLDER}/write.html", context, status=status)

    if request.method != "POST":
        initial = pages.prefilled(school, spot) | {"language": (get_language() or "en")[:2]}
        fits = next((each for each in live if spot and each.subject == spot.subject), None)
        return again(
            PracticeForm(priorities=live, initial=initial | {"priority": fits and fits.code}), 200
        )
    form = PracticeForm(request.POST, priorities=live)
    return take(
        request,
        form,
        lambda data: actions.write(
            school, form.text(), by=by(request), language=data["language"],
            priority=form.chosen_priority(), spot=spot,
        ),
        done=_("The draft is saved. Those who may publish it are told."),
        back=pages.url,
        again=again,
    )  # fmt: skip


def _what_to_write_of(request: ActingRequest) -> tuple[School, Spot | None]:
    code, subject = request.GET.get("school", ""), request.GET.get("outcome", "")
    if subject:
        spot = queries.spot_to_write_up(request.acting, code, subject)
        if spot is None:
            raise Http404
        return spot.school, spot
    own = by(request).school
    if not code and own is None:
        raise Http404
    wanted = queries.schools_to_write_for(request.acting).select_related("area")
    return get_object_or_404(wanted, code=code or (own.code if own else "")), None


@requires(Capability.WRITE_PRACTICES)
@READ_OR_SEND
def change(request: ActingRequest, code: str) -> HttpResponse:
    found = _writable(request, code)
    offered = list(alignment.live_priorities())
    if found.priority and found.priority not in offered:
        offered.append(found.priority)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "practice": found,
            "overtaken": status == 409,
            "breadcrumb": pages.crumbs_of(found, _("Change")),
        }
        return render(request, f"{FOLDER}/change.html", context, status=status)

    kwargs: dict[str, Any] = {"priorities": offered, "language": False}
    if request.method != "POST":
        values = {name: getattr(found, name) for name in actions.LONGEST}
        priority = found.priority.code if found.priority else ""
        initial = values | {"seen": found.version, "priority": priority}
        return again(PracticeForm(initial=initial, **kwargs), 200)
    form = PracticeForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda data: actions.change(
            found, form.text(), by=by(request), seen=data["seen"],
            priority=form.chosen_priority(),
        ),
        done=_("Saved."),
        back=pages.url,
        again=again,
        row=found,
    )  # fmt: skip


@requires(Capability.WRITE_PRACTICES)
@READ_OR_SEND
def translate(request: ActingRequest, code: str) -> HttpResponse:
    original = queries.original_of(_writable(request, code))

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "practice": original,
            "breadcrumb": pages.crumbs_of(original, _("Another language")),
        }
        return render(request, f"{FOLDER}/translate.html", context, status=status)

    if request.method != "POST":
        values = {name: getattr(original, name) for name in actions.LONGEST}
        return again(TranslationForm(initial=values), 200)
    form = TranslationForm(request.POST)
    return take(
        request,
        form,
        lambda data: actions.translate(
            original, form.text(), by=by(request), language=data["language"]
        ),
        done=_("The draft is saved. Those who may publish it are told."),
        back=pages.url,
        again=again,
    )


@requires(Capability.WRITE_PRACTICES)
@require_POST
def publish(request: ActingRequest, code: str) -> HttpResponse:
    found = _found(request, code)
    if not queries.may_publish(request.acting, found):
        raise PermissionDenied
    try:
        about_spot = actions.publish(found, by=by(request), seen=seen(request))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, f"{_('Published.')} {about_spot}".strip())
    return redirect(pages.url(found))


@requires(Capability.WRITE_PRACTICES)
@require_POST
def retire(request: ActingRequest, code: str) -> HttpResponse:
    found = queries.original_of(_found(request, code))
    if not queries.may_retire(request.acting, found):
        raise PermissionDenied
    return take(
        request,
        WhyForm(request.POST),
        lambda data: actions.retire(found, by=by(request), why=data["why"], seen=data["seen"]),
        done=_("It is no longer recommended. Its page stays, with the reason."),
        back=pages.url,
        again=lambda form, status: page_of(
            request, found, status, retire_form=fresh(form, found.version)
        ),
    )


@require_POST
def follow(request: ActingRequest, code: str) -> HttpResponse:
    found = queries.original_of(_found(request, code))
    stopping = request.POST.get("follow") == "no"
    act = talk.unfollow if stopping else talk.follow
    return press(
        request,
        lambda: act(found, by=by(request)),
        done=_("You no longer hear of it.")
        if stopping
        else _("You hear of it under Notices, and in your message."),
        back=pages.url(found),
    )


@require_POST
def comment(request: ActingRequest, code: str) -> HttpResponse:
    found = queries.original_of(_found(request, code))
    if found.state != Practice.State.PUBLISHED:
        raise PermissionDenied

    def act(data: dict[str, Any]) -> Any:
        try:
            return talk.comment(found, by=by(request), **data)
        except talk.MayNamePupilError:
            warned = form.fields["names_no_pupil"]
            warned.widget = forms.CheckboxInput()
            raise

    form = CommentForm(request.POST)
    return take(
        request,
        form,
        act,
        done=_("Saved. Everybody can read it."),
        back=lambda _said: pages.url(found) + "#comments",
        again=lambda sent, status: page_of(request, found, status, comment_form=sent),
    )


@require_POST
def hide(request: ActingRequest, code: str, pk: int) -> HttpResponse:
    """Hide a comment: officers with a reason; whoever wrote it takes it back."""
    found = queries.original_of(_found(request, code))
    said = queries.comment_visible_to(request.acting, found, pk)
    if said is None:
        raise Http404
    return press(
        request,
        lambda: talk.hide_comment(said, by=by(request), why=request.POST.get("why", "")),
        done=_("Hidden. It is kept, and the audit trail says who hid it and why."),
        back=pages.url(found) + "#comments",
    )
