"""The data conversation: on a screen or a phone, on a wall, on paper."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from brightspots_web.devolution import conversation_pages as pages
from brightspots_web.devolution import conversation_queries as queries
from brightspots_web.devolution import meeting_queries, meeting_words, use_actions
from brightspots_web.devolution.models import Meeting
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Partnership
from brightspots_web.directory.view_helpers import by
from brightspots_web.shared import printing

FOLDER = "devolution/conversation"


def _partnership(request: ActingRequest, code: str) -> Partnership:
    by(request)
    return get_object_or_404(queries.open_to(request.acting), code=code)


def _meeting(request: ActingRequest, pk: int) -> Meeting:
    by(request)
    return get_object_or_404(meeting_queries.meetings_visible_to(request.acting), pk=pk)


@require_safe
def conversation(request: ActingRequest, code: str) -> HttpResponse:
    """What a partnership talks about at any time: one live priority, and the way to the others."""
    return _shown(request, _partnership(request, code))


@require_safe
def of_meeting(request: ActingRequest, pk: int) -> HttpResponse:
    """The same with the agenda of a meeting."""
    found = _meeting(request, pk)
    return _shown(request, found.partnership, found)


def _shown(
    request: ActingRequest, partnership: Partnership, meeting: Meeting | None = None
) -> HttpResponse:
    use_actions.count(request.acting, use_actions.LOOKED)
    context = pages.page(
        partnership, request.acting, meeting=meeting, asked=request.GET.get("priority", "")
    )
    if request.GET.get("wall") != "1":
        return render(request, f"{FOLDER}/conversation.html", context)
    if meeting is not None and meeting_queries.meetings_led_by(request.acting).filter(
        pk=meeting.pk
    ):
        holds = meeting_queries.can_be_held(meeting) and meeting_queries.code_holds(meeting)
        context["code"] = meeting_words.spoken(meeting.code) if holds else ""
    return render(request, f"{FOLDER}/wall.html", context)


@require_safe
def conversation_pdf(request: ActingRequest, code: str) -> HttpResponse:
    return _on_paper(request, _partnership(request, code))


@require_safe
def of_meeting_pdf(request: ActingRequest, pk: int) -> HttpResponse:
    found = _meeting(request, pk)
    return _on_paper(request, found.partnership, found)


def _on_paper(
    request: ActingRequest, partnership: Partnership, meeting: Meeting | None = None
) -> HttpResponse:
    """All priorities, each on a sheet of its own."""
    context = pages.page(partnership, request.acting, meeting=meeting, everything=True)
    context["on_paper"] = True
    try:
        html = render_to_string(f"{FOLDER}/conversation.html", context, request=request)
        document = printing.pdf(html)
    except printing.CannotPrintError:
        return render(request, f"{FOLDER}/cannot_print.html", context, status=503)
    response = HttpResponse(document, content_type="application/pdf")
    name = f"conversation-{slugify(partnership.code) or 'partnership'}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response
