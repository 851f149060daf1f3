"""Talking about a proposal, answering, and making one of two."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import proposal_merge_actions as merging
from brightspots_web.alignment import proposal_pages as pages
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment import proposal_talk_actions as actions
from brightspots_web.alignment import proposal_talk_pages as talk_pages
from brightspots_web.alignment.kept_words import keeping
from brightspots_web.alignment.models import MergeWish, PriorityProposal, ProposalComment
from brightspots_web.alignment.proposal_forms import (
    AnswerForm,
    CommentForm,
    HeardFilter,
    MergeForm,
    TalkForm,
)
from brightspots_web.alignment.proposal_views import found, page_of
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.shared.exports import respond
from brightspots_web.shared.pupil_names import MayNamePupilError

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "alignment/proposal"


def _asking(form: TalkForm, act: Any) -> Any:
    """Do it, or show the box by which a person says that no pupil is named."""
    try:
        return act()
    except MayNamePupilError:
        form.ask_to_look_again()
        raise


@require_safe
def consultation(request: ActingRequest, pk: int) -> HttpResponse:
    """The digest of what was said to a proposal, and all of it."""
    proposal = _proposed(request, pk)
    form = HeardFilter(request.GET)
    form.is_valid()
    said = queries.comments_on(talk_pages.together(proposal), request.acting)
    narrowed = talk_pages.narrowed(said, form.cleaned_data)
    page = Paginator(narrowed, PAGE).get_page(request.GET.get("page"))
    answers = queries.may_answer(request.acting, proposal)
    context = talk_pages.page(proposal, request.acting) | {
        "form": form,
        "page_obj": page,
        "said": talk_pages.cards(page, proposal, request.acting, answers),
        "empty": _("Nothing fits. Clear the filter.")
        if form.has_changed()
        else _("Nobody has said anything yet."),
    }
    return render(request, f"{FOLDER}/consultation.html", context)


@require_safe
def consultation_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    proposal = _proposed(request, pk)
    said = queries.comments_on(talk_pages.together(proposal), request.acting)
    return respond(
        fmt,
        title=_("What people say"),
        filename=f"consultation-{proposal.pk}",
        columns=talk_pages.export_columns(),
        rows=talk_pages.export_rows(said.iterator(chunk_size=500)),
    )


def _proposed(request: ActingRequest, pk: int) -> PriorityProposal:
    """Drafts have no consultation."""
    proposal = found(request, pk)
    if proposal.state == PriorityProposal.State.DRAFT:
        raise Http404
    return proposal


@keeping("words")
@require_POST
def comment(request: ActingRequest, pk: int) -> HttpResponse:
    """Everybody with an appointment, teachers too."""
    proposal = _proposed(request, pk)
    form = CommentForm(request.POST)
    return take(
        request,
        form,
        lambda data: _asking(form, lambda: actions.comment(proposal, by=by(request), **data)),
        done=_("Saved. Everybody can read it, and whoever proposed it is told."),
        back=lambda said: f"{pages.url(proposal)}#comment-{said.pk}",
        again=lambda sent, status: page_of(request, proposal, status, comment_form=sent),
    )


def _comment(request: ActingRequest, pk: int, comment_pk: int) -> ProposalComment:
    said = queries.comment_visible_to(request.acting, _proposed(request, pk), comment_pk)
    if said is None:
        raise Http404
    return said


@keeping("words")
@READ_OR_SEND
def answer(request: ActingRequest, pk: int, comment: int) -> HttpResponse:
    said = _comment(request, pk, comment)
    proposal = found(request, pk)
    if not queries.may_answer(request.acting, proposal):
        raise PermissionDenied
    amendment = said.kind == ProposalComment.Kind.AMENDMENT

    def again(form: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            said.refresh_from_db()
            sent = {name: form.data[name] for name in form.data}
            form.data = {**sent, "seen": actions.mark_of(said)}
        context = {
            "form": form,
            "said": said,
            "proposal": proposal,
            "overtaken": status == 409,
            "breadcrumb": pages.crumbs_of(proposal, _("Answer")),
        }
        return render(request, f"{FOLDER}/answer.html", context, status=status)

    if request.method != "POST":
        taken = {True: "yes", False: "no", None: ""}[said.taken_up]
        initial = {"words": said.answer, "taken_up": taken, "seen": actions.mark_of(said)}
        return again(AnswerForm(initial=initial, amendment=amendment), 200)
    form = AnswerForm(request.POST, amendment=amendment)
    return take(
        request,
        form,
        lambda data: _asking(form, lambda: actions.answer(said, by=by(request), **data)),
        done=_("Answered. Whoever said it is told."),
        back=lambda done: f"{talk_pages.page_url(proposal)}#comment-{done.pk}",
        again=again,
    )


@require_POST
def hide(request: ActingRequest, pk: int, comment: int) -> HttpResponse:
    """Hide a comment: the ministry with a reason; whoever wrote it takes it back."""
    said = _comment(request, pk, comment)
    return press(
        request,
        lambda: actions.hide_comment(said, by=by(request), why=request.POST.get("why", "")),
        done=_("Hidden. It is kept, and the audit trail says who hid it."),
        back=talk_pages.page_url(said.proposal),
    )


# Merging


@keeping("words")
@READ_OR_SEND
def merge(request: ActingRequest, pk: int) -> HttpResponse:
    """Wish that two proposals become one."""
    proposal = _proposed(request, pk)
    others = [each for each in queries.on_the_table(proposal.agreement) if each.pk != proposal.pk]
    if not queries.may_wish(request.acting, proposal):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "proposal": proposal,
            "others": others,
            "breadcrumb": pages.crumbs_of(proposal, _("Make one of two")),
        }
        return render(request, f"{FOLDER}/merge.html", context, status=status)

    if request.method != "POST":
        asked = request.GET.get("with", "")
        near = queries.similar_to(proposal.title, proposal.agreement, but=proposal, most=1)
        return again(
            MergeForm(others=others, initial={"other": asked or (near[0].pk if near else "")}), 200
        )
    form = MergeForm(request.POST, others=others)

    def act(data: dict[str, Any]) -> MergeWish:
        pair = (proposal, form.chosen())
        if data["carries_on"] == "this":
            pair = (pair[1], pair[0])
        return merging.wish(*pair, by=by(request), words=data["words"])

    return take(
        request,
        form,
        act,
        done=_("It is wished. The two become one when the authors of both agree."),
        back=lambda wished: pages.url(proposal) + "#merge",
        again=again,
    )


@require_POST
def merge_answer(request: ActingRequest, pk: int) -> HttpResponse:
    """Agree to a wish, or decline it."""
    acting = by(request)
    wish = queries.wish(pk)
    if wish is None or queries.proposal_visible_to(acting, wish.proposal_id) is None:
        raise Http404
    agrees = request.POST.get("answer") == "agree"
    try:
        wish = (merging.agree if agrees else merging.decline)(wish, by=acting)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, _OUTCOMES[MergeWish.State(wish.state)])
    merged = wish.state == MergeWish.State.AGREED
    return redirect(pages.url(wish.into if merged else wish.proposal) + "#merge")


_OUTCOMES = {
    MergeWish.State.OPEN: gettext_lazy("You agreed. The two are one when the other side agrees."),
    MergeWish.State.AGREED: gettext_lazy("The two are one now. What was said to both stays."),
    MergeWish.State.DECLINED: gettext_lazy("Declined: both proposals stay as they are."),
}
