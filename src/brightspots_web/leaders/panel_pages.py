"""The panel's page for the ministry: who sits on it, who can be called, the decision."""

from typing import Any

from django.utils.translation import gettext as _

from brightspots_web.connectedness.contact_definition_queries import current_settings
from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import designation_application_pages as application_pages
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_pages as pages
from brightspots_web.leaders import panel_queries as queries
from brightspots_web.leaders import panel_words as words
from brightspots_web.leaders.models import Application
from brightspots_web.shared.components import Link

Row = dict[str, Any]
State = Application.State


def page(found: Application, acting: Appointment | None, wanted: str) -> Row:
    """Who sits on it and who may be called, by what binds them; whether it can be decided."""
    member = queries.member_of(found, acting)
    sits = application_pages.views(found, acting)
    decided = found.state in {State.DESIGNATED, State.NOT_YET}
    return {
        "application": found,
        "breadcrumb": pages.crumbs(
            Link(str(found.person), pages.application_url(found)), _("Panel")
        ),
        "members": sits,
        "member": member,
        "size": criteria.current_criteria().panel_size,
        "lacking": queries.lacking(found),
        "calls": found.state in {State.SUBMITTED, State.PANEL},
        "decided": decided,
        "candidates": [
            {
                "person": each.person,
                "roles": "; ".join(each.roles),
                "binds": words.bindings(each.binds),
            }
            for each in queries.candidates(found, wanted)
        ]
        if not decided
        else [],
        "wanted": wanted,
        "may_decide": found.state == State.PANEL and not queries.lacking(found),
    }


def cap() -> int:
    """Most schools at a time that may be agreed with a leader."""
    return current_settings().caseload_cap
