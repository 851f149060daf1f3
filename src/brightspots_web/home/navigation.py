"""The few places each role goes to."""

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.shared.permissions import Capability, may


def navigation_for(acting: Appointment | None, path: str) -> list[dict[str, str | bool]]:
    """Links for the appointment: `url`, `label`, `current`."""
    if acting is None:
        return []
    places = [("home:front", _("Home")), ("directory:schools", _("Schools"))]
    items: list[dict[str, str | bool]] = []
    for name, label in places:
        try:
            url = reverse(name)
        except NoReverseMatch:
            continue
        current = path == url if url == "/" else path.startswith(url)
        items.append({"url": url, "label": label, "current": current})
    return items


__all__ = ["Capability", "may", "navigation_for"]
