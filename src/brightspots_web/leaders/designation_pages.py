"""What the lists of leaders show, what is asked of them, and the card on people's front pages."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders import development_queries as development
from brightspots_web.leaders import finding_queries, panel_queries
from brightspots_web.leaders.models import Application, Designation
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Cell, Column, Link, NavItem, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Application.State


def tabs(acting: Appointment | None, current: str) -> list[NavItem]:
    """The pages about leading that are open to somebody."""
    places = [("leaders:leaders", _("Leaders")), ("leaders:criteria", _("What is asked"))]
    if may(acting, Capability.FIND_LEADERS):
        places += [
            ("leaders:finding", _("Who could lead")),
            ("leaders:finding_areas", _("Where leaders are few")),
            ("leaders:nominations", _("Nominations")),
            ("leaders:applications", _("Applications")),
            ("leaders:undesignated", _("Leads without designation")),
        ]
    if may(acting, Capability.APPLY_TO_LEAD):
        places += [
            ("leaders:apply", _("Apply")),
            ("leaders:nominate", _("Nominate somebody")),
            ("leaders:asked", _("What I am asked")),
        ]
    places.append(("leaders:development", _("How leaders grow")))
    if development.may_learn(acting):
        places.append(("leaders:me", _("My page")))
    return [NavItem(label, reverse(name), name == current) for name, label in places]


def crumbs(*further: Link | str) -> list[Link]:
    listed = Link(_("Leaders"), reverse("leaders:leaders"))
    return [listed, *(each if isinstance(each, Link) else Link(each) for each in further)]


def application_url(application: Application) -> str:
    return reverse("leaders:application", args=[application.pk])


def designation_url(designation: Designation) -> str:
    return reverse("leaders:designation", args=[designation.pk])


# Leaders


def table(page: Page[Designation], query: str, empty: str) -> Table:
    leads = leadership.led_by([each.person_id for each in page])
    rows: list[list[Cell]] = [
        [
            Link(str(each.person), designation_url(each)),
            each.school.name,
            each.school.area.name,
            str(each.get_grade_display()),
            words.titles(list(each.priorities.all())),
            led(leads.get(each.person_id)) or _("no partnership"),
            words.term(each),
        ]
        for each in page
    ]
    return Table(
        _("Leaders in office, by name"),
        [
            Column(_("Name")),
            Column(_("School")),
            Column(_("Area")),
            Column(_("As")),
            Column(_("Strong in")),
            Column(_("Leads")),
            Column(_("Term")),
        ],
        rows,
        exports=export_links("leaders:leaders_export", query=query),
        empty=empty,
    )


def led(appointment: Appointment | None) -> str:
    """The name of the partnership somebody leads; "" for none."""
    return appointment.partnership.name if appointment and appointment.partnership else ""


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("name", _("Name")),
        ExportColumn("school_code", _("Code of the school")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("grade", _("As")),
        ExportColumn("priorities", _("Strong in")),
        ExportColumn("partnership", _("Leads")),
        ExportColumn("starts", _("Term begins"), "date"),
        ExportColumn("ends", _("Last day of the term"), "date"),
    ]


def rows(found: Iterable[Designation]) -> Iterable[Row]:
    listed = list(found)
    leads = leadership.led_by([each.person_id for each in listed])
    for each in listed:
        yield {
            "name": str(each.person),
            "school_code": each.school.code,
            "school": each.school.name,
            "area": each.school.area.name,
            "grade": str(each.get_grade_display()),
            "priorities": words.titles(list(each.priorities.all())),
            "partnership": led(leads.get(each.person_id)),
            "starts": each.starts,
            "ends": words.last_day(each),
        }


# Who leads without being designated


def undesignated_table(page: Page[Appointment], query: str) -> Table:
    states = queries.states_of([each.person_id for each in page])
    rows_: list[list[Cell]] = [
        [
            str(each.person),
            led(each),
            each.school.name if each.school else _("none"),
            day(each.starts),
            application_said(states.get(each.person_id)),
        ]
        for each in page
    ]
    return Table(
        _("Lead a partnership without being designated"),
        [
            Column(_("Name")),
            Column(_("Leads")),
            Column(_("School")),
            Column(_("Since")),
            Column(_("Application")),
        ],
        rows_,
        exports=export_links("leaders:undesignated_export", query=query),
        empty=_("Everybody who leads a partnership here is designated."),
    )


def application_said(state: str | None) -> str:
    """How far somebody's newest application is, as far as others may know."""
    if state in {None, State.DRAFT, State.WITHDRAWN}:
        return _("none handed in")
    return str(State(state).label)


def undesignated_columns() -> list[ExportColumn]:
    return [
        ExportColumn("name", _("Name")),
        ExportColumn("partnership", _("Leads")),
        ExportColumn("school", _("School")),
        ExportColumn("since", _("Since"), "date"),
        ExportColumn("application", _("Application")),
    ]


def undesignated_rows(found: Sequence[Appointment]) -> Iterable[Row]:
    states = queries.states_of([each.person_id for each in found])
    for each in found:
        yield {
            "name": str(each.person),
            "partnership": led(each),
            "school": each.school.name if each.school else "",
            "since": each.starts,
            "application": application_said(states.get(each.person_id)),
        }


# Applications


def applications_table(page: Page[Application], query: str) -> Table:
    size = criteria.current_criteria().panel_size
    rows_: list[list[Cell]] = [
        [
            Link(str(each.person), application_url(each)),
            each.school.name,
            str(each.get_grade_display()),
            Badge(str(each.get_state_display())),
            waits_for(each, size),
            day(each.submitted_at) or _("not yet"),
        ]
        for each in page
    ]
    return Table(
        _("Applications to lead, by name"),
        [
            Column(_("Name")),
            Column(_("School")),
            Column(_("As")),
            Column(_("State")),
            Column(_("Waits for")),
            Column(_("Handed in")),
        ],
        rows_,
        exports=export_links("leaders:applications_export", query=query),
        empty=_("No application fits. An application is here once its writer asks for backing."),
    )


def waits_for(application: Application, panel_size: int) -> str:
    """Whose turn it is."""
    if application.state == State.DRAFT:
        return _("its writer") if application.director_by else _("the district's backing")
    if application.state == State.SUBMITTED:
        return _("a panel")
    if application.state == State.PANEL:
        views = int(getattr(application, "views", 0))
        if views >= panel_size:
            return _("the decision")
        return _("views of the panel: {n} of {size}").format(n=views, size=panel_size)
    return _("nothing")


def applications_columns() -> list[ExportColumn]:
    return [
        ExportColumn("name", _("Name")),
        ExportColumn("school_code", _("Code of the school")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("grade", _("As")),
        ExportColumn("state", _("State")),
        ExportColumn("waits", _("Waits for")),
        ExportColumn("handed_in", _("Handed in"), "date"),
        ExportColumn("decided", _("Decided"), "date"),
    ]


def applications_rows(found: Iterable[Application]) -> Iterable[Row]:
    size = criteria.current_criteria().panel_size
    for each in found:
        yield {
            "name": str(each.person),
            "school_code": each.school.code,
            "school": each.school.name,
            "area": each.school.area.name,
            "grade": str(each.get_grade_display()),
            "state": str(each.get_state_display()),
            "waits": waits_for(each, size),
            "handed_in": each.submitted_at,
            "decided": each.decided_at,
        }


# Front pages


def front_card(acting: Appointment | None) -> dict[str, str] | None:
    """What waits for somebody about leading, for their front page; None where nothing does.

    Keys: `heading`, `text`, `url` and `link`, as the notice component takes them.
    """
    if acting is None:
        return None
    seats = panel_queries.seats(acting)
    if seats:
        school = seats[0].application.school.name
        return _card(
            _("You are asked to a panel"),
            _("Somebody from {school} applies to lead.").format(school=school),
            application_url(seats[0].application), _("See it and say your view"),
        )  # fmt: skip
    if may(acting, Capability.FIND_LEADERS):
        return _office_card(acting)
    return _own_card(acting) if may(acting, Capability.APPLY_TO_LEAD) else None


def _office_card(acting: Appointment) -> dict[str, str] | None:
    listed = reverse("leaders:applications")
    if may(acting, Capability.SET_LEADERS):
        ready = panel_queries.waiting_for_decision()
        handed_in = queries.counts_by_state(acting).get(State.SUBMITTED, 0)
        if ready or handed_in:
            parts = [_n_decide(ready)] if ready else []
            parts += [_n_panel(handed_in)] if handed_in else []
            return _card(_("Applications to lead"), " ".join(parts), listed, _("See them"))
    backing = queries.waiting_for_backing(acting)
    if backing and not may(acting, Capability.SET_LEADERS):
        said = ngettext(
            "{n} application asks for your backing.", "{n} applications ask for your backing.",
            backing,
        ).format(n=number(backing, 0))  # fmt: skip
        return _card(_("Applications to lead"), said, f"{listed}?waits=backing", _("See them"))
    ending = queries.ending_soon(acting).count()
    if ending:
        said = ngettext(
            "The term of {n} leader ends within 120 days.",
            "The terms of {n} leaders end within 120 days.",
            ending,
        ).format(n=number(ending, 0))
        url = reverse("leaders:leaders") + "?ends=soon"
        return _card(_("Leaders' terms"), said, url, _("See whose"))
    return None


def _n_decide(n: int) -> str:
    return ngettext(
        "{n} application can be decided.", "{n} applications can be decided.", n
    ).format(n=number(n, 0))


def _n_panel(n: int) -> str:
    return ngettext(
        "{n} application waits for a panel.", "{n} applications wait for a panel.", n
    ).format(n=number(n, 0))


def _own_card(acting: Appointment) -> dict[str, str] | None:
    open_one = queries.open_application(acting.person)
    if open_one is not None and open_one.state == State.DRAFT:
        return _card(
            _("Your application to lead"), _("It is a draft: nothing is handed in yet."),
            application_url(open_one), _("Go on with it"),
        )  # fmt: skip
    held = queries.live_designation(acting.person)
    if held is not None and held.state == Designation.State.LIVE:
        if held.warned_at is not None:
            return _card(
                _("Your designation"), _("Something that is asked no longer holds."),
                designation_url(held), _("See what, and by when"),
            )  # fmt: skip
        soon = queries.ending_soon_of(held)
        if soon and open_one is None:
            return _card(
                _("Your term ends soon"),
                _("Your last day is {day}. You can ask for a further term.").format(
                    day=day(words.last_day(held))
                ),
                designation_url(held), _("See it"),
            )  # fmt: skip
    if open_one is None and held is None and finding_queries.open_for(acting.person):
        return _card(
            _("Would you consider leading?"), _("Somebody thinks that you should."),
            reverse("leaders:asked"), _("See who asks, and why"),
        )  # fmt: skip
    return None


def _card(heading: str, text: str, url: str, link: str) -> dict[str, str]:
    return {"heading": heading, "text": text, "url": url, "link": link}
