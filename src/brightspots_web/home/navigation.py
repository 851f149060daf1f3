"""The few places each role goes to."""

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import NavItem
from brightspots_web.shared.permissions import Capability, may


def navigation_for(acting: Appointment | None, path: str) -> list[NavItem]:
    """Links for the appointment's role, the present page marked."""
    if acting is None:
        return []
    places = [("home:front", _("Home")), ("directory:schools", _("Schools"))]
    if may(acting, Capability.SEE_AREA):
        places += [
            ("connectedness:partnerships", _("Partnerships")),
            ("connectedness:isolation", _("Isolation register")),
        ]
    if may(acting, Capability.FORM_PARTNERSHIPS):
        places.append(("connectedness:proposals", _("Proposals")))
    if may(acting, Capability.IMPORT):
        places.append(("imports:batches", _("Imports")))
    if may(acting, Capability.ANALYSE):
        places.append(("insight:runs", _("Analyses")))
    if may(acting, Capability.APPOINT):
        places.append(("directory:people", _("People")))
    if may(acting, Capability.SEE_AUDIT):
        places.append(("shared:audit", _("Audit trail")))
    items = []
    for name, label in places:
        url = reverse(name)
        items.append(NavItem(label, url, path == url if url == "/" else path.startswith(url)))
    return items
