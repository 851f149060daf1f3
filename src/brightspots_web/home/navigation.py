"""The few places each role goes to."""

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import NavItem
from brightspots_web.shared.permissions import Capability, Role, may


def front_url(acting: Appointment | None) -> str:
    """The appointment's own front page; "" where it has none."""
    if acting is None:
        return ""
    if may(acting, Capability.SEE_SYSTEM):
        return reverse("home:ministry")
    if acting.role == Role.DISTRICT_OFFICER and acting.area is not None:
        return reverse("home:area", args=[acting.area.pk])
    if acting.role == Role.SYSTEM_LEADER and acting.partnership is not None:
        return reverse("connectedness:partnership", args=[acting.partnership.code])
    if acting.school is not None:
        return reverse("home:school", args=[acting.school.code])
    return ""


def _support(acting: Appointment) -> str | None:
    """Where support begins for a role: its own, the queue, or the figures."""
    if may(acting, Capability.ASK_SUPPORT) or may(acting, Capability.OFFER_SUPPORT):
        return "connectedness:support"
    if may(acting, Capability.BROKER):
        return "connectedness:support_queue"
    return "connectedness:support_figures" if may(acting, Capability.SEE_AREA) else None


def navigation_for(acting: Appointment | None, path: str) -> list[NavItem]:
    """Links for the appointment's role, the present page marked."""
    if acting is None:
        return []
    places = [("home:front", _("Home")), ("directory:schools", _("Schools"))]
    places.append(("alignment:priorities", _("Priorities")))
    if may(acting, Capability.SEE_BRIGHT_SPOTS):
        places.append(("insight:bright_spots", _("Bright spots")))
    places.append(("leaders:leaders", _("Leaders")))
    if may(acting, Capability.WRITE_NOTES):
        places += [
            ("devolution:meetings", _("Meetings")),
            ("devolution:notes", _("Small data")),
            ("devolution:decisions", _("Decisions")),
        ]
    places += [
        ("accountability:home", _("Accountability")),
        ("evidence:home", _("Evidence")),
        ("pace:home", _("Pace")),
        ("connectedness:practices", _("Practices")),
    ]
    if (support := _support(acting)) is not None:
        places.append((support, _("Support")))
    if not may(acting, Capability.SEE_AREA):
        places.append(("connectedness:network", _("Network")))
    else:  # whose menu is the longest: the network is one of the links of their front page
        places += [
            ("connectedness:partnerships", _("Partnerships")),
            ("connectedness:isolation", _("Isolation")),
        ]
    if may(acting, Capability.IMPORT):
        places.append(("imports:batches", _("Imports")))
    if may(acting, Capability.ANALYSE):
        places.append(("insight:runs", _("Analyses")))
    if may(acting, Capability.APPOINT):
        places.append(("directory:people", _("People")))
    if may(acting, Capability.SEE_AUDIT):
        places.append(("shared:audit", _("Audit trail")))
    front = front_url(acting)
    items = []
    for name, label in places:
        url = reverse(name)
        current = path in {url, front} if name == "home:front" else path.startswith(url)
        items.append(NavItem(label, url, current and not (name != "home:front" and path == front)))
    return items
