"""What to do next where a page has nothing to show yet, for the role that looks."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.insight.models import Run
from brightspots_web.shared.permissions import Capability, may


@dataclass(frozen=True)
class NextStep:
    """An empty state: what is missing, who mends it, and where if it is the person looking."""

    heading: str
    text: str
    url: str = ""
    link: str = ""


def next_step(
    acting: Appointment | None, *, schools: int, partnerships: int, run: Run | None
) -> NextStep | None:
    """The first thing missing: schools, then an analysis, then partnerships. None when all is."""
    if not schools:
        return _no_schools(acting)
    if run is None:
        return _no_analysis(acting)
    return None if partnerships else _no_partnerships(acting)


def _no_schools(acting: Appointment | None) -> NextStep:
    heading = _("No schools yet")
    if may(acting, Capability.IMPORT):
        text = _("Start with the register: a file with one row a school. Results come after it.")
        return NextStep(heading, text, reverse("imports:new"), _("Import the school register"))
    return NextStep(
        heading, _("Once an analyst has imported the register of schools, they appear here.")
    )


def _no_analysis(acting: Appointment | None) -> NextStep:
    heading = _("No analysis yet")
    if may(acting, Capability.ANALYSE):
        text = _("The schools are here. Once results are imported, an analysis makes the figures.")
        return NextStep(heading, text, reverse("insight:start"), _("Start an analysis"))
    return NextStep(
        heading,
        _("The schools are here. Once an analyst has imported results and analysed them, "
          "figures appear here."),
    )  # fmt: skip


def _no_partnerships(acting: Appointment | None) -> NextStep:
    heading = _("No partnerships yet")
    if may(acting, Capability.FORM_PARTNERSHIPS):
        text = _("Ask for a proposal that leaves no school out without cause. You decide on it.")
        url = reverse("connectedness:proposals")
        return NextStep(heading, text, url, _("Propose partnerships"))
    return NextStep(
        heading, _("Once the ministry has adopted partnerships, they appear here with their maps.")
    )
