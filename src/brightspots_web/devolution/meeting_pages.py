"""What the pages of meetings show: the list, one meeting, the card on the front page."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.paginator import Page
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.devolution import (
    conversation_queries,
    note_words,
    preparation_pages,
    preparation_queries,
)
from brightspots_web.devolution import decision_reading_queries as reading
from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution import meeting_words as words
from brightspots_web.devolution.models import Meeting
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]


def url(meeting: Meeting) -> str:
    return reverse("devolution:meeting", args=[meeting.pk])


def crumbs(meeting: Meeting | None = None, step: str = "") -> list[Link]:
    found = [Link(_("Meetings"), reverse("devolution:meetings"))]
    if meeting is not None:
        found.append(Link(words.moment(meeting.starts_at), url(meeting) if step else ""))
    return [*found, Link(step)] if step else found


# The list


def table(page: Page[Meeting], query: str, *, filtered: bool) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(words.moment(each.starts_at), url(each)),
            each.partnership.name,
            each.place,
            Badge(words.state(each)),
            _schools_there(each) or "",
            _("written") if each.minutes else "",
        ]
        for each in page
    ]
    return Table(
        _("Meetings, the latest first"),
        [
            Column(_("When")),
            Column(_("Partnership")),
            Column(_("Where")),
            Column(_("How it stands")),
            Column(_("Schools there"), numeric=True),
            Column(_("Minutes")),
        ],
        rows,
        exports=export_links("devolution:meetings_export", query=query),
        empty=_("No meeting fits. Clear the filter to see all of them.")
        if filtered
        else _("No meeting is called yet. The leader of the partnership calls the first."),
    )


def _schools_there(meeting: Meeting) -> int | None:
    """Of rows whose attendance was read with them."""
    there = {row.school_id for row in meeting.attendances.all()}
    return len(there) or None


def there_words(meeting: Meeting) -> str:
    """How many schools were there, of a meeting whose attendance was read with it; "" if none."""
    n = _schools_there(meeting)
    return ngettext("{n} school there", "{n} schools there", n).format(n=n) if n else ""


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("hour", _("Hour")),
        ExportColumn("minutes_long", _("Minutes long"), "integer"),
        ExportColumn("partnership", _("Partnership")),
        ExportColumn("place", _("Where")),
        ExportColumn("purpose", _("Purpose")),
        ExportColumn("agenda", _("Priorities")),
        ExportColumn("state", _("How it stands")),
        ExportColumn("schools", _("Schools there"), "integer"),
        ExportColumn("minutes", _("Minutes")),
    ]


def rows(found: Iterable[Meeting]) -> Iterator[Row]:
    for each in found:
        yield {
            "on": queries.day_of(each),
            "hour": words.hour(each.starts_at),
            "minutes_long": each.minutes_long,
            "partnership": each.partnership.name,
            "place": each.place,
            "purpose": each.purpose,
            "agenda": "; ".join(one.title for one in each.priorities.all()),
            "state": words.state(each),
            "schools": _schools_there(each),
            "minutes": each.minutes,
        }


# One meeting


def page(meeting: Meeting, acting: Appointment | None) -> Row:
    """The page of a meeting; the caller has checked that it may be opened."""
    leads = queries.meetings_led_by(acting).filter(pk=meeting.pk).exists()
    there = list(queries.attendances(meeting))
    invited = queries.invited(meeting)
    opened, stands = queries.has_opened(meeting), queries.can_be_held(meeting)
    seat = queries.seat_of(acting, meeting)
    present = {row.school_id for row in there}
    person = acting.person_id if acting else 0
    prepared = _prepared(meeting) if leads and stands and not opened else {}
    return {
        "meeting": meeting,
        "breadcrumb": crumbs(meeting),
        "when": words.when(meeting),
        "days": words.in_days(meeting),
        "state": words.state(meeting),
        "stands": stands,
        "begun": queries.has_begun(meeting),
        "opened": opened,
        "leads": leads,
        "taken_place": bool(there),
        "prepare_url": preparation_pages.url(meeting)
        if preparation_queries.may_prepare(acting, meeting)
        else "",
        "decisions": [
            Link(each.question, reverse("devolution:decision", args=[each.pk]))
            for each in reading.decided_at(acting, meeting)
        ],
        "facts": _facts(meeting, len(invited)),
        "agenda": conversation_queries.agenda(meeting),
        "schools": [
            {
                "school": school,
                "there": school.pk in present,
                "prepared": prepared.get(school.pk, ""),
                "people": [str(r.person) for r in there if r.school_id == school.pk and r.person],
            }
            for school in invited
        ],
        "counted": _counted(len(present & {s.pk for s in invited}), len(invited))
        if opened and stands
        else "",
        "code": words.spoken(meeting.code)
        if leads and stands and queries.code_holds(meeting)
        else "",
        "may_arrive": seat is not None and stands and queries.code_holds(meeting),
        "arrived": any(row.person_id == person and row.by_code for row in there),
        "may_write": opened and stands and queries.may_take_minutes(acting, meeting),
        "gone": [row for row in there if row.school_id not in {s.pk for s in invited}],
    }


def _facts(meeting: Meeting, schools: int) -> list[tuple[str, Cell]]:
    taker = meeting.minute_taker
    return [
        (_("Where"), meeting.place or _("to be said")),
        (_("Invited"), ngettext("{n} school", "{n} schools", schools).format(n=schools)),
        (_("Writes the minutes"), str(taker) if taker else _("the leader")),
    ]


def _prepared(meeting: Meeting) -> dict[int, str]:
    """School's key -> how many of its people have looked, and what it shared; no names."""
    return {
        each.school.pk: ", ".join(
            said
            for n, said in (
                (each.looked, preparation_pages.looked(each.looked)),
                (each.shared, note_words.notes(each.shared)),
            )
            if n
        )
        for each in preparation_queries.who_prepared(meeting)
    }


def _counted(present: int, invited: int) -> str:
    return ngettext(
        "{n} of {of} school was there.", "{n} of {of} schools were there.", invited
    ).format(n=present, of=invited)


# The front page


def front_card(acting: Appointment | None) -> Row | None:
    """The next meeting of the person's partnership, or a kind word where there was none for long.

    Heading, text, url and link for a notice; `code_url` while the code of the room holds.
    """
    partnership = queries.our_partnership(acting)
    if partnership is None:
        return None
    meeting = queries.next_meeting(partnership)
    if meeting is None:
        return _silent(partnership, acting)
    place = f", {meeting.place}" if meeting.place else ""
    open_now = queries.code_holds(meeting) and queries.seat_of(acting, meeting) is not None
    return {
        "heading": _("Our next data conversation: {days}").format(days=words.in_days(meeting)),
        "text": f"{words.when(meeting)}{place}.",
        "url": url(meeting),
        "link": _("Look at it and prepare"),
        "code_url": reverse("devolution:meeting_here") if open_now else "",
    }


def _silent(partnership: Partnership, acting: Appointment | None) -> Row | None:
    if not queries.leads(acting):
        return None
    since = queries.silent_since(partnership)
    if since is None:
        return None
    weeks = (directory.today() - since).days // 7
    met = queries.last_met(partnership) is not None
    return {
        "heading": _("Time to meet again?") if met else _("Time for a first meeting?"),
        "text": words.silence(str(words.day(since)), weeks)
        if met
        else _("The partnership began on {day}, and no meeting is on record yet.").format(
            day=words.day(since)
        ),
        "url": reverse("devolution:meeting_call"),
        "link": _("Call a meeting"),
        "code_url": "",
    }


# What officers and the ministry see


def held_table(page: Page[Partnership], query: str) -> Table:
    rows: list[list[Cell]] = [
        [
            each.name,
            each.lead_school.area.name if each.lead_school else None,
            *(_held_cells(each)),
        ]
        for each in page
    ]
    return Table(
        _("Partnerships, by area and name"),
        [
            Column(_("Partnership")),
            Column(_("Area")),
            Column(_("Meetings in a year"), numeric=True),
            Column(_("Last met")),
            Column(_("Schools there"), numeric=True),
            Column(_("Next meeting")),
        ],
        rows,
        exports=export_links("devolution:meetings_held_export", query=query),
        empty=_("No partnership fits."),
    )


def _held_cells(each: Partnership) -> list[Cell]:
    found = _held(each)
    schools = found["last_schools"]
    of = found["schools"]
    return [
        found["met"],
        words.day(found["last"]) or _("not yet"),
        _("{n} of {of}").format(n=schools, of=of) if schools else "",
        words.day(found["next"]) or _("none called"),
    ]


def _held(each: Partnership) -> Row:
    names = ("met", "last_at", "last_schools", "next_at", "n_schools")
    met, last, schools, coming, of = (getattr(each, name) for name in names)
    return {"met": met, "last": last, "last_schools": schools, "next": coming, "schools": of}


def held_columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("partnership", _("Partnership")),
        ExportColumn("area", _("Area")),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("met", _("Meetings in a year"), "integer"),
        ExportColumn("last", _("Last met"), "date"),
        ExportColumn("last_schools", _("Schools there"), "integer"),
        ExportColumn("next", _("Next meeting"), "date"),
    ]


def held_rows(found: QuerySet[Partnership]) -> Iterator[Row]:
    for each in found.iterator(chunk_size=2000):
        yield _held(each) | {
            "code": each.code,
            "partnership": each.name,
            "area": each.lead_school.area.name if each.lead_school else "",
        }
