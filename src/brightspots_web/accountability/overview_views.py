"""The page that leads to promises, reviews, challenge and voice."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from brightspots_web.accountability import overview
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by


@require_safe
def home(request: ActingRequest) -> HttpResponse:
    """The directions in which this person has a part."""
    acting = by(request)
    context = {
        "directions": overview.directions(acting),
        "waiting": overview.waiting(acting),
        "overdue": overview.overdue(acting),
    }
    return render(request, "accountability/overview.html", context)
