"""Contacts and steps of one school, and of a partnership: what their pages show."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.connectedness import contact_definition_queries as definition
from brightspots_web.connectedness import contact_queries as queries
from brightspots_web.connectedness import contact_words as words
from brightspots_web.connectedness.models import Contact, IsolationStep
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership, School
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may

Row = dict[str, Any]


def page(school: School, acting: Appointment | None, contacts: Page[Contact]) -> Row:
    """The page of a school's contacts; the caller has checked that they may be read."""
    entry = queries.entry_of(school)
    by = definition.rules()
    steps = queries.steps_of(school)
    records = queries.schools_to_record(acting).filter(pk=school.pk).exists()
    return {
        "school": school,
        "breadcrumb": _crumbs(school),
        "entry": entry,
        "reasons": [words.sentence(reason, by) for reason in entry.reasons],
        "state": _state(entry),
        "next_step": words.next_step(entry, acting),
        "last": words.last_contact(entry),
        "definition": words.definition(by),
        "records": records,
        "open_steps": [_step(step) for step in steps if step.done_on is None],
        "done_steps": _done_table([step for step in steps if step.done_on is not None]),
        "lines": [_line(contact, acting, records) for contact in contacts],
        "exports": export_links("connectedness:contacts_export", school.code),
        "page": contacts,
    }


def _crumbs(school: School) -> list[Link]:
    crumbs = [Link(area.name) for area in directory.ancestors(school.area)]
    url = reverse("home:school", args=[school.code])
    return [*crumbs, Link(school.name, url), Link(_("Contacts"))]


def _state(entry: queries.Entry) -> str:
    if entry.isolated:
        return _("This school is on the isolation register")
    if entry.near:
        return _("This school is one step from isolation")
    return _("This school is in a led partnership and in touch")


def _step(step: IsolationStep) -> Row:
    late = step.due < directory.today()
    return {
        "what": step.what,
        "who": step.owner_name,
        "due": words.day(step.due),
        "overdue": words.overdue() if late else "",
        "url": reverse("connectedness:finish_step", args=[step.pk]),
    }


def _done_table(steps: list[IsolationStep]) -> Table:
    rows: list[list[Cell]] = [
        [step.what, step.owner_name, words.day(step.done_on or step.due), step.outcome]
        for step in steps
    ]
    return Table(
        _("Steps taken"),
        [
            Column(_("What was done")),
            Column(_("By whom")),
            Column(_("Done on")),
            Column(_("What came of it")),
        ],
        rows,
    )


def note(contact: Contact) -> str:
    """A contact's words; those of support stay with the two schools that are at it."""
    return "" if contact.kind == Contact.Kind.SUPPORT else contact.note


def _line(contact: Contact, acting: Appointment | None, records: bool) -> Row:
    mine = acting is not None and contact.by == acting.label[:300]
    return {
        "day": words.day(contact.on),
        "kind": words.kind(contact.kind),
        "note": note(contact),
        "by": contact.by,
        "take_back": reverse("connectedness:take_back_contact", args=[contact.pk])
        if records and mine and contact.kind != Contact.Kind.SUPPORT
        else "",
    }


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("kind", _("What it was")),
        ExportColumn("note", _("A word on it")),
        ExportColumn("by", _("Written down by")),
    ]


def rows(school: School) -> Iterator[Row]:
    for each in queries.contacts_of(school):
        yield {"on": each.on, "kind": words.kind(each.kind), "note": note(each), "by": each.by}


def on_school_page(school: School, acting: Appointment | None) -> Row | None:
    """What the school's own page tells of contacts; None where they are not for the reader."""
    if not queries.schools_with_open_contacts(acting).filter(pk=school.pk).exists():
        return None
    last = list(queries.contacts_of(school)[:3])
    steps = [words.step(step) for step in queries.steps_of(school) if step.done_on is None]
    records = queries.schools_to_record(acting).filter(pk=school.pk).exists()
    return {
        "contacts": [
            {"day": words.day(each.on), "kind": words.kind(each.kind), "note": note(each)}
            for each in last
        ],
        "steps": steps,
        "url": reverse("connectedness:school_contacts", args=[school.code]),
        "record_url": reverse("connectedness:record_contact", args=[school.code])
        if records
        else "",
    }


def on_partnership_page(partnership: Partnership, acting: Appointment | None) -> Row | None:
    """Meetings, and how each school stands, for those who look after them."""
    if not (may(acting, Capability.RECORD_CONTACT) or may(acting, Capability.SEE_SYSTEM)):
        return None
    by = definition.rules()
    inside = directory.live_memberships().filter(partnership=partnership)
    seen = queries.schools_with_open_contacts(acting).filter(pk__in=inside.values("school"))
    found = queries.entries(seen.order_by("name", "code"), by)
    can = bool(queries.members_to_record(acting, partnership))
    return {
        "table": _members_table(found, acting),
        "meetings": _meetings_table(partnership),
        "record_url": reverse("connectedness:record_meeting", args=[partnership.code])
        if can
        else "",
    }


def _members_table(found: list[queries.Entry], acting: Appointment | None) -> Table:
    by = definition.rules()
    rows: list[list[Cell]] = []
    for each in found:
        shown = [words.sentence(reason, by) for reason in each.reasons]
        rows.append(
            [
                Link(
                    each.school.name,
                    reverse("connectedness:school_contacts", args=[each.school.code]),
                ),
                words.last_contact(each),
                "; ".join(shown) if shown else Badge(_("in touch")),
                "; ".join(words.step(step) for step in each.steps) or "",
            ]
        )
    return Table(
        _("Who was in touch with our schools"),
        [
            Column(_("School")),
            Column(_("Last contact")),
            Column(_("What to know")),
            Column(_("Who does what about it")),
        ],
        rows,
    )


def _meetings_table(partnership: Partnership) -> Table:
    rows: list[list[Cell]] = [
        [words.day(each.on), each.schools, each.note, each.by]
        for each in queries.meetings_of(partnership)
    ]
    return Table(
        _("Our last meetings"),
        [
            Column(_("Day")),
            Column(_("Schools there"), numeric=True),
            Column(_("A word on it")),
            Column(_("Written down by")),
        ],
        rows,
    )
