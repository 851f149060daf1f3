"""What the page of one application shows, by who looks."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_evidence_queries as evidence
from brightspots_web.leaders import designation_pages as pages
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders import panel_queries
from brightspots_web.leaders.designation_criteria_queries import Check
from brightspots_web.leaders.models import Application, Grade, PanelMember
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Application.State


def page(found: Application, acting: Appointment | None) -> Row:
    """The page; the caller has checked that it may be opened."""
    mine = acting is not None and acting.person_id == found.person_id
    member = panel_queries.member_of(found, acting)
    reads = panel_queries.may_read_all(acting, found)
    context: Row = {
        "application": found,
        "mine": mine,
        "member": member,
        "reads": reads,
        "breadcrumb": pages.crumbs(str(found.person)),
        "state": Badge(str(found.get_state_display())),
    }
    if not reads:
        return context
    listed = checks_of(found)
    draft = found.state == State.DRAFT
    kept = found.evidence if found.submitted_at else evidence.evidence_of(found.school)
    sets = may(acting, Capability.SET_LEADERS) and not mine
    return context | {
        "next": next_step(found, mine=mine, listed=listed),
        "facts": facts(found, acting),
        "checks": [check_line(each, found) for each in listed],
        "checks_on": _checks_on(found),
        "evidence": evidence_table(kept),
        "evidence_on": words.as_of(kept),
        "before": ", ".join(kept.get("before", [])),
        "open": found.state in queries.OPEN,
        "may_change": mine and draft,
        "may_ask": mine and draft and found.backing_asked_at is None,
        "may_back": draft and not found.director_by and queries.may_back(acting, found),
        "since_said": since_said(found),
        "may_take_without": bool(sets and draft and found.backing_asked_at and without_keys(found)),
        "without_keys": without_keys(found) if sets and draft else [],
        "may_call": sets and not draft,
        "ready": draft and all(each.settled for each in listed) and bool(found.statement.strip()),
        "views": views(found, acting),
        "sees_views": panel_queries.may_see_views(acting, found),
        "designation": getattr(found, "designation", None),
    }


def checks_of(found: Application) -> list[Check]:
    """Today's list while it is a draft; afterwards the one that went on record."""
    return criteria.checks(found) if found.state == State.DRAFT else criteria.thawed(found)


def without_keys(found: Application) -> list[str]:
    return [each.key for each in criteria.missing(found) if each.key != "serves"]


def check_line(each: Check, found: Application) -> Row:
    """One line of the list: what is asked, in which state, in words."""
    badge = Badge(_("met"), "visit")
    if not each.met:
        badge = Badge(_("taken without")) if each.exception else Badge(_("missing"), "unsure")
    return {
        "name": words.criterion(each.key, found.grade),
        "badge": badge,
        "words": words.check(each, found),
    }


def _checks_on(found: Application) -> str:
    if found.state == State.DRAFT or found.submitted_at is None:
        return _("As it stands today.")
    return _("As it stood on {day}, when it was handed in.").format(day=day(found.submitted_at))


def next_step(found: Application, *, mine: bool, listed: list[Check]) -> str:
    """Whose turn it is, in a sentence."""
    if found.state == State.DRAFT and mine:
        if found.backing_asked_at is None:
            return _(
                "Only you see this draft, until you ask the district's office for its backing."
            )
        if any(not each.settled for each in listed):
            return _("What is still missing stands below. Then hand it in.")
        return _("All that is asked is there. Hand it in when you are ready.")
    return {
        State.DRAFT: _("A draft: its writer has shown it to you and hands it in."),
        State.SUBMITTED: _("It is handed in. The ministry calls a panel."),
        State.PANEL: _("The panel looks at it. Each member says a view with its reason."),
        State.DESIGNATED: _("It is decided."),
        State.NOT_YET: _("It is decided. Another application can follow."),
        State.WITHDRAWN: _("It was taken back. Nothing follows from it."),
    }[State(found.state)]


def facts(found: Application, acting: Appointment | None) -> list[tuple[str, Cell]]:
    since = criteria.counted_since(found)
    label = _("Serves at a school since") if found.grade == Grade.SPECIALIST else _("Head since")
    return [
        (_("School"), _school(found, acting)),
        (_("Area"), found.school.area.name),
        (_("Would like to"), words.wish(found.grade)),
        (_("In which priorities"), words.titles(list(found.priorities.all()))),
        (label, day(since)),
        (_("Expects to stay until"), day(found.stays_until)),
        (_("Days a year for other schools"), found.days),
    ]


def _school(found: Application, acting: Appointment | None) -> Cell:
    """The school, and who carries it on where it closed since."""
    now = queries.school_now(found.person_id, found.school)
    name = found.school.name
    if now is not None and now.pk != found.school_id:
        return _("{school}, carried on by {after}").format(school=name, after=now.name)
    if found.school.closed is not None and found.school.closed <= directory.today():
        return _("{school}, closed on {day}").format(school=name, day=day(found.school.closed))
    if directory.schools_visible_to(acting).filter(pk=found.school_id).exists():
        return Link(name, reverse("home:school", args=[found.school.code]))
    return name


def since_said(found: Application) -> str:
    """What whoever backs it confirms: a time that the register does not know."""
    known = criteria.known_since(found.person, found.grade)
    if found.head_since is None or (known is not None and known <= found.head_since):
        return ""
    if known is None:
        return _("The register does not know since when. The person says: since {day}.").format(
            day=day(found.head_since)
        )
    return _("The register knows it since {known}. The person says: since {day}.").format(
        known=day(known), day=day(found.head_since)
    )


def evidence_table(kept: Row) -> Table:
    rows: list[list[Cell]] = [
        [row["title"], words.evidence(row), words.people_saw(row) or _("nothing noted")]
        for row in kept.get("rows", [])
    ]
    return Table(
        _("The school in the priorities"),
        [
            Column(_("Priority")),
            Column(_("What the figures say")),
            Column(_("What people saw")),
        ],
        rows,
        empty=_("There is nothing to show here."),
    )


def views(found: Application, acting: Appointment | None) -> list[Row]:
    """The panel, with views for those who may read them; who sits on it is no secret."""
    shown = panel_queries.may_see_views(acting, found)
    return [
        {
            "member": each,
            "name": str(each.person),
            "state": seat(each),
            "view": str(each.get_view_display()) if shown and each.said_at else "",
            "reason": each.reason if shown else "",
            "aside": each.conflict if shown or may(acting, Capability.SET_LEADERS) else "",
        }
        for each in panel_queries.members_of(found)
    ]


def seat(each: PanelMember) -> Badge:
    """How far a member is."""
    if each.conflict:
        return Badge(_("set aside"), "unsure")
    if each.said_at is not None:
        return Badge(_("view said"), "visit")
    if each.no_conflict_at is not None:
        return Badge(_("nothing binds"))
    return Badge(_("asked"))
