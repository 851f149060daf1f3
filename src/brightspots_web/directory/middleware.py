"""Each request acts under one live appointment, looked up anew: a revoked one is gone at once."""

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from brightspots_web.directory import queries
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.permissions import SECOND_FACTOR_ROLES

ACTING = "acting_appointment"
"""Session key: the appointment a person with several has chosen."""


class ActingRequest(HttpRequest):
    """A request of a signed-in person, as the views see it."""

    acting: Appointment | None
    appointments: list[Appointment]


class ActingMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: ActingRequest) -> HttpResponse:
        request.acting, request.appointments = None, []
        if request.user.is_authenticated:
            request.appointments = list(queries.live_appointments(request.user))
            chosen = request.session.get(ACTING)
            request.acting = next(
                (a for a in request.appointments if a.pk == chosen),
                request.appointments[0] if request.appointments else None,
            )
            if _second_factor_missing(request):
                return redirect("mfa_activate_totp")
        return self.get_response(request)


def _second_factor_missing(request: ActingRequest) -> bool:
    """Whether this person must set up a second factor before anything else."""
    if not settings.SECOND_FACTOR_REQUIRED or request.path.startswith(("/account/", "/static/")):
        return False
    roles = {appointment.role for appointment in request.appointments}
    return bool(roles & SECOND_FACTOR_ROLES) and not is_mfa_enabled(request.user)
