"""What every page needs: the system's name, who acts, where one can go."""

from typing import Any

from django.http import HttpRequest

from brightspots_web.directory import queries
from brightspots_web.home.navigation import navigation_for


def page(request: HttpRequest) -> dict[str, Any]:
    acting = getattr(request, "acting", None)
    return {
        "system": queries.system(),
        "acting": acting,
        "appointments": getattr(request, "appointments", []),
        "navigation": navigation_for(acting, request.path),
    }
