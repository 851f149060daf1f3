"""What every page needs: the system's name, who acts, where one can go."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from brightspots_web.directory import queries
from brightspots_web.directory.models import Person
from brightspots_web.home.navigation import navigation_for
from brightspots_web.notices import queries as notices
from brightspots_web.shared.components import Link


def page(request: HttpRequest) -> dict[str, Any]:
    acting = getattr(request, "acting", None)
    user = getattr(request, "user", None)
    appointments = getattr(request, "appointments", [])
    return {
        "system": queries.system(),
        "acting": acting,
        "mail": bool(settings.EMAIL_HOST),
        "appointments": appointments,
        "switches": [
            Link(other.label, reverse("directory:act_as", args=[other.pk]))
            for other in appointments
            if acting is None or other.pk != acting.pk
        ],
        "unseen_notices": notices.unseen_count(user) if isinstance(user, Person) else 0,
        "navigation": navigation_for(acting, request.path),
    }
