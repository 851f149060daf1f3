"""The page that leads to all parts of evidence."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by
from brightspots_web.evidence import overview


@require_safe
def home(request: ActingRequest) -> HttpResponse:
    """The parts that this person reads, and what waits for them."""
    acting = by(request)
    context = {"parts": overview.parts(acting), "waiting": overview.waiting(acting)}
    return render(request, "evidence/overview.html", context)
