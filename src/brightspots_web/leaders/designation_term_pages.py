"""What the page of one designation shows: everybody its term, officers what it takes to act."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_running_queries
from brightspots_web.connectedness.contact_definition_queries import current_settings
from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.insight import queries as insight
from brightspots_web.leaders import designation_life_actions as life
from brightspots_web.leaders import designation_pages as pages
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders.designation_term_actions import is_in_office
from brightspots_web.leaders.models import Designation, Grade
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Designation.State


def page(found: Designation, acting: Appointment | None) -> Row:
    """The page; everybody with an appointment may open it."""
    mine = acting is not None and acting.person_id == found.person_id
    inside = mine or sees_more(found, acting)
    leads = leadership.led_by([found.person_id]).get(found.person_id)
    in_office = is_in_office(found)
    renewal = queries.renewal_under_way(found)
    follows = queries.followed_by(found)
    return {
        "designation": found,
        "mine": mine,
        "inside": inside,
        "breadcrumb": pages.crumbs(str(found.person)),
        "state": state(found),
        "facts": facts(found, leads, acting),
        "ended_why": found.ended_why if inside else "",
        "warning": life.warning_of(found) if inside else [],
        "lapses_on": day(life.lapses_on(found.warned_at)) if found.warned_at else "",
        "application_url": pages.application_url(found.application) if inside else "",
        "may_resign": mine and found.state == State.LIVE and in_office,
        "may_renew": mine and may_renew(found) and renewal is None and follows is None,
        "renewal_url": pages.application_url(renewal) if renewal is not None and mine else "",
        "follows": follows,
        "partnerships": partnerships_for(found, acting) if leads is None and in_office else None,
        "support": support_table(found, acting),
    }


def sees_more(found: Designation, acting: Appointment | None) -> bool:
    """Officers over the school and the ministry: why it ended, what was warned of."""
    if not may(acting, Capability.FIND_LEADERS):
        return False
    return directory.schools_visible_to(acting).filter(pk=found.school_id).exists()


def state(found: Designation) -> Badge:
    today = directory.today()
    if found.starts > today:
        return Badge(_("from {day}").format(day=day(found.starts)))
    if found.ends > today:
        if found.state == State.RESIGNED:
            return Badge(_("in office until {day}").format(day=day(words.last_day(found))))
        return Badge(_("in office"), "visit")
    return Badge(str(found.get_state_display()))


def may_renew(found: Designation) -> bool:
    return (
        found.state == State.LIVE
        and is_in_office(found)
        and found.ends <= directory.today() + queries.REMIND
    )


def facts(
    found: Designation, leads: Appointment | None, acting: Appointment | None
) -> list[tuple[str, Cell]]:
    cap = current_settings().caseload_cap
    listed: list[tuple[str, Cell]] = [
        (_("School"), found.school.name),
        (_("Area"), found.school.area.name),
        (_("As"), str(found.get_grade_display())),
        (_("Strong in"), words.titles(list(found.priorities.all()))),
        (_("Term"), words.term(found)),
        (_("Days a year for other schools"), found.days),
        (_("Most schools at a time"), min(found.caseload or cap, cap)),
    ]
    before = found.application.school
    if before.pk != found.school_id:
        listed.insert(1, (_("Applied from"), before.name))
    if found.grade == Grade.LEADER:
        listed.append((_("Leads"), _leads(leads, acting)))
    return listed


def _leads(leads: Appointment | None, acting: Appointment | None) -> Cell:
    if leads is None or leads.partnership is None:
        return _("no partnership")
    name, code = leads.partnership.name, leads.partnership.code
    if directory.partnerships_visible_to(acting).filter(code=code).exists():
        return Link(name, reverse("connectedness:partnership", args=[code]))
    return name


def partnerships_for(
    found: Designation, acting: Appointment | None
) -> list[tuple[Partnership, str]] | None:
    """Partnerships nobody leads, nearest first, for whoever appoints; None for anybody else."""
    if not may(acting, Capability.APPOINT) or found.grade != Grade.LEADER:
        return None
    if not sees_more(found, acting):
        return None
    own = directory.partnership_of(found.school)
    listed = []
    for each in leadership.without_leader(acting):
        km = insight.kilometres(found.school, each.lead_school) if each.lead_school else None
        mine = own is not None and own.pk == each.pk
        listed.append(
            (not mine, km if km is not None else float("inf"), each, _label(each, km, mine))
        )
    listed.sort(key=lambda row: (row[0], row[1], row[2].name, row[2].pk))
    return [(each, label) for _own, _km, each, label in listed]


def _label(partnership: Partnership, km: float | None, mine: bool) -> str:
    if mine:
        return _("{partnership}: the school is one of its members").format(partnership=partnership)
    if km is None:
        return str(partnership)
    return _("{partnership}: {km} km from the school").format(
        partnership=partnership, km=number(km, 0)
    )


def support_table(found: Designation, acting: Appointment | None) -> Table | None:
    """Support under way by the leader, for officers: it goes on whatever becomes of the office."""
    if not sees_more(found, acting) and not (acting and acting.person_id == found.person_id):
        return None
    running = support_running_queries.under_way(acting).filter(giver=found.person_id)
    rows: list[list[Cell]] = [
        [
            Link(each.receiving.name, reverse("connectedness:support_deployment", args=[each.pk])),
            each.priority.title,
            day(each.exit_on),
        ]
        for each in running.order_by("exit_on", "pk")
    ]
    return Table(
        _("Support under way by this leader"),
        [Column(_("School")), Column(_("Priority")), Column(_("Ends on"))],
        rows,
    )
