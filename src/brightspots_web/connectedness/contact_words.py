"""Isolation in words: why, since when, what to do next. No word blames a school."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness.contact_definition_queries import (
    NEAR_REASONS,
    REASONS,
    WINDOW,
    Rules,
)
from brightspots_web.connectedness.contact_queries import Entry, Reason
from brightspots_web.connectedness.models import Contact, IsolationStep
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import Link
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day as day


def reason_choices() -> list[tuple[str, str]]:
    return [(name, label(name)) for name in (*REASONS, *NEAR_REASONS)]


def label(reason: str) -> str:
    return {
        "no_partnership": _("in no partnership"),
        "no_leader": _("partnership without a leader"),
        "no_contact": _("nobody in touch"),
        "small": _("partnership can lose no school"),
        "leader_ends": _("leader's appointment ends soon"),
        "contact_due": _("contact is due"),
        "support_ends": _("the only support ends soon"),
    }[reason]


def sentence(reason: Reason, by: Rules) -> str:
    """One reason with its dates: "Partnership without a leader, since 3 March 2026"."""
    since = day(reason.since) if reason.since else ""
    if reason.name == "no_partnership":
        words = (
            _("In no partnership since {date}").format(date=since)
            if since
            else _("In no partnership yet")
        )
        # What the last proposal said stands in the words of its day.
        return f"{words} ({reason.why})" if reason.why else words
    if reason.name == "no_contact" and not since:
        return _("Nobody has written down a contact yet")
    return {
        "no_leader": _("Partnership without a leader since {date}"),
        "no_contact": _("Nobody in touch for {days} days or more, since {date}"),
        "small": _("The partnership has {smallest} schools or fewer: it can lose none"),
        "leader_ends": _("The leader's appointment ends on {date}, and nobody follows yet"),
        "contact_due": _("Without contact by {date}, {days} days will have passed"),
        "support_ends": _("The only support ends on {date}, and nobody else was in touch lately"),
    }[reason.name].format(date=since, days=by.contact_days, smallest=by.smallest)


def next_step(entry: Entry, acting: Appointment | None) -> Link | None:
    """What helps against the first reason, with the address where the person can do it."""
    if not entry.reasons:
        return None
    name = entry.reasons[0].name
    contact = reverse("connectedness:record_contact", args=[entry.school.code])
    if name == "no_partnership":
        words = _("Find it a partnership")
        proposals = reverse("connectedness:proposals")
        return Link(words, proposals if may(acting, Capability.FORM_PARTNERSHIPS) else "")
    if name in {"no_leader", "leader_ends"}:
        words = _("Appoint a leader") if name == "no_leader" else _("Settle who follows")
        people = reverse("directory:people")
        return Link(words, people if may(acting, Capability.APPOINT) else "")
    if name == "small" and entry.partnership is not None:
        url = reverse("connectedness:partnership", args=[entry.partnership.code])
        return Link(_("Look for a school to join"), url)
    words = _("Plan what comes after the support") if name == "support_ends" else _(
        "Call or visit, and write it down"
    )  # fmt: skip
    return Link(words, contact if may(acting, Capability.RECORD_CONTACT) else "")


def last_contact(entry: Entry) -> str:
    if entry.last_contact is None:
        return _("none written down yet")
    kind = Contact.Kind(entry.last_kind).label
    return _("{date} ({kind})").format(date=day(entry.last_contact), kind=kind)


def step(one: IsolationStep) -> str:
    """Who does what by when; a step past its day is a question, not a reproach."""
    words = _("{who}: {what}, by {date}").format(
        who=one.owner_name, what=one.what, date=day(one.due)
    )
    return f"{words}. {overdue()}" if one.due < directory.today() else words


def overdue() -> str:
    return _("The day has passed: is it done, or does it need another day?")


def definition(by: Rules) -> str:
    """The definition, for the page and the front pages."""
    return ngettext(
        "A school is isolated when it is in no partnership, when its partnership has no system "
        "leader with a live appointment, or when nobody was in touch with it for {days} day: no "
        "meeting of its partnership, no visit, no call, no day of support.",
        "A school is isolated when it is in no partnership, when its partnership has no system "
        "leader with a live appointment, or when nobody was in touch with it for {days} days: no "
        "meeting of its partnership, no visit, no call, no day of support.",
        by.contact_days,
    ).format(days=by.contact_days)


def definition_of_near(by: Rules) -> str:
    return _(
        "The day on which a school joins a partnership counts as day nought. A school is one step "
        "from isolation when one event would make it so: its partnership has {smallest} schools "
        "or fewer and can lose none; its leader's appointment ends within {window} days and "
        "nobody follows; four fifths of the {days} days have passed since somebody was in touch; "
        "or the only support it has ends within {window} days and nobody else was in touch. "
        "Closed schools are not counted. The target is none."
    ).format(smallest=by.smallest, window=WINDOW, days=by.contact_days)


def short_definition(by: Rules) -> str:
    """For a figure on a front page."""
    return _(
        "In no partnership, in one without a leader, or nobody in touch for {days} days."
    ).format(days=by.contact_days)


def kind(value: str) -> str:
    return str(Contact.Kind(value).label) if value else ""
