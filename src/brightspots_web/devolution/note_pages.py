"""What the pages of notes show: the list with its themes, one note, the card on the front page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.devolution import note_queries as queries
from brightspots_web.devolution import note_words as words
from brightspots_web.devolution import preparation_queries as preparation
from brightspots_web.devolution import rubric_queries as rubrics
from brightspots_web.devolution.models import DataNote, Meeting
from brightspots_web.devolution.note_small_data import Quote, photo, quote
from brightspots_web.devolution.note_small_data import SmallData as SmallData
from brightspots_web.devolution.note_small_data import small_data_of as small_data_of
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Link
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]
MOST_MONTHS = 24


def crumbs(*further: Link | str) -> list[Link]:
    listed = Link(_("Small data"), reverse("devolution:notes"))
    return [listed, *(each if isinstance(each, Link) else Link(each) for each in further)]


def url(note: DataNote) -> str:
    return reverse("devolution:note", args=[note.pk])


# The list


@dataclass(frozen=True)
class Entry:
    """A note in the list."""

    quote: Quote
    badges: list[Badge]
    tags: list[Link]
    about: str
    observed: list[tuple[str, str]]


def entries(page: Page[DataNote], acting: Appointment | None, query: QueryDict) -> list[Entry]:
    return [
        Entry(
            quote(each),
            badges(each, acting),
            tag_links(each.tags, query),
            about(each),
            observed(each),
        )
        for each in page
    ]


def badges(note: DataNote, acting: Appointment | None) -> list[Badge]:
    """Who sees it, and whether somebody waits."""
    if note.shared_with is not None:
        return [Badge(_("shared with {who}").format(who=note.shared_with.name), "visit")]
    if note.suggested_at is not None:
        return [Badge(_("only our school"), "plain"), Badge(_("waits for the head"), "unsure")]
    if acting is not None and note.school_id != acting.school_id:
        return [Badge(_("from before, only ours"), "plain")]
    return [Badge(_("only our school"), "plain")]


def about(note: DataNote) -> str:
    """The priority and indicator, and the form, in one line."""
    parts = [str(each) for each in (note.priority, note.indicator, note.rubric) if each]
    return " · ".join(parts)


def tag_links(tags: Iterable[str], query: QueryDict) -> list[Link]:
    return [Link(f"#{word}", _with_tag(query, word)) for word in tags]


def themes(notes: QuerySet[DataNote], query: QueryDict, chosen: str) -> Row:
    """What the notes found are about: how many in each month, and the tags with their counts."""
    tags = queries.tags_among(notes)
    return {
        "months": months_chart(queries.months_of(notes)),
        "tags": [
            (Link(f"#{word}", _with_tag(query, word)), count)
            for word, count in tags
            if word != chosen
        ],
        "chosen_tag": chosen,
        "all_tags_url": _with_tag(query, ""),
    }


def _with_tag(query: QueryDict, word: str) -> str:
    asked = query.copy()
    asked.pop("page", None)
    asked.pop("tag", None)
    if word:
        asked["tag"] = word
    return f"{reverse('devolution:notes')}?{asked.urlencode()}"


def months_chart(found: list[tuple[date, int]]) -> charts.Chart | None:
    """Notes of each month, those without any included; None before there are two months."""
    if not found:
        return None
    counts = dict(found)
    months = _months(min(counts), max(max(counts), directory.today().replace(day=1)))
    if len(months) < 2:
        return None
    return charts.counts(
        key="notes-months",
        title=_("Notes by month"),
        periods=[
            charts.Period(date_format(each, "M Y"), counts.get(each, 0))
            for each in months[-MOST_MONTHS:]
        ],
        column=_("Month"),
        of=_("Notes"),
    )


def _months(first: date, last: date) -> list[date]:
    found = [first.replace(day=1)]
    while found[-1] < last.replace(day=1):
        year, month = found[-1].year, found[-1].month
        found.append(date(year + month // 12, month % 12 + 1, 1))
    return found


def found_sentence(n: int) -> str:
    return ngettext("{n} note.", "{n} notes.", n).format(n=charts.number(n, 0))


def list_exports(acting: Appointment | None, query: str) -> list[Link]:
    """Files of the own school's notes; none for who has no school."""
    if acting is None or acting.school is None:
        return []
    return export_links("devolution:notes_export", query=query)


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("kind", _("Kind")),
        ExportColumn("words", _("Words")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("indicator", _("Indicator")),
        ExportColumn("tags", _("Tags")),
        ExportColumn("form", _("Form")),
        ExportColumn("observed", _("Observed")),
        ExportColumn("photo", _("On the photograph")),
        ExportColumn("shared", _("Shared with")),
        ExportColumn("shared_at", _("Shared on"), "date"),
    ]


def rows(notes: Iterable[DataNote]) -> Iterator[Row]:
    for each in notes:
        yield {
            "on": each.on,
            "kind": str(each.get_kind_display()),
            "words": each.words,
            "priority": each.priority.title if each.priority else "",
            "indicator": each.indicator.name if each.indicator else "",
            "tags": ", ".join(each.tags),
            "form": each.rubric.name if each.rubric else "",
            "observed": "; ".join(f"{name}: {value}" for name, value in observed(each)),
            "photo": getattr(each, "photo_says", "") or "",
            "shared": each.shared_with.name if each.shared_with else "",
            "shared_at": each.shared_at,
        }


def observed(note: DataNote) -> list[tuple[str, str]]:
    """Each question of the note's form with its answer."""
    if note.rubric is None:
        return []
    return [
        (item["question"], words.answer(item["kind"], note.observed.get(item["code"])))
        for item in note.rubric.items
    ]


# One note


def page(note: DataNote, acting: Appointment | None) -> Row:
    """Everything the page of a note needs; the caller has found that it may be opened."""
    ours = acting is not None and acting.school_id == note.school_id
    partnership = queries.partnership_now(note.school) if ours else None
    return {
        "note": note,
        "breadcrumb": crumbs(day(note.on)),
        "badges": badges(note, acting),
        "facts": _facts(note, ours=ours),
        "photo": photo(note),
        "observed": observed(note),
        "tags": tag_links(note.tags, QueryDict()),
        "ours": ours,
        "partnership": partnership,
        "may_change": queries.may_change(acting, note),
        "may_share": queries.may_share(acting, note),
        "may_delete": queries.may_delete(acting, note),
        "may_suggest": queries.may_change(acting, note) and not queries.may_share(acting, note),
        "elsewhere": note.shared_with is not None
        and (partnership is None or note.shared_with.pk != partnership.pk),
    }


def _facts(note: DataNote, *, ours: bool) -> list[tuple[str, Cell]]:
    """What is known beside the words; who wrote it stays in the school."""
    facts: list[tuple[str, Cell]] = [(_("School"), note.school.name)]
    facts.append((_("Kind"), str(note.get_kind_display())))
    if note.priority:
        facts.append((_("About"), note.priority.title))
    if note.indicator:
        facts.append((_("Says something of"), note.indicator.name))
    if note.rubric:
        facts.append((_("Form"), note.rubric.name))
    if ours:
        facts.append((_("Written by"), note.by))
    if note.shared_with and note.shared_at:
        facts.append((_("Shared"), day(note.shared_at)))
    return facts


# The front page


@dataclass(frozen=True)
class FrontCard:
    """Small data on the front page of a school: what waits, and where to write."""

    write_url: str
    list_url: str
    this_month: str
    waiting: str
    meeting: Meeting | None
    prepare_url: str


def front_card(acting: Appointment | None) -> FrontCard | None:
    """For who writes notes; None for everybody else."""
    if not queries.may_write(acting) or acting is None or acting.school is None:
        return None
    today = directory.today()
    written = queries.written_since(acting.school, today.replace(day=1))
    waiting = queries.waiting_to_be_shared(acting)
    meeting = preparation.coming_meeting(acting)
    looked = meeting is not None and preparation.own(meeting, acting.person) is not None
    return FrontCard(
        write_url=reverse("devolution:note_write"),
        list_url=reverse("devolution:notes"),
        this_month=ngettext(
            "{n} note of our school this month.", "{n} notes of our school this month.", written
        ).format(n=charts.number(written, 0))
        if written
        else _("No note of our school this month yet."),
        waiting=ngettext(
            "{n} note waits for you to share it.", "{n} notes wait for you to share them.", waiting
        ).format(n=charts.number(waiting, 0))
        if waiting
        else "",
        meeting=meeting if not looked else None,
        prepare_url=reverse("devolution:preparation", args=[meeting.pk])
        if meeting is not None
        else "",
    )


def forms_to_choose(acting: Appointment | None) -> list[Link]:
    """The forms for structured observations, as links to write with one."""
    write = reverse("devolution:note_write")
    return [
        Link(each.name, f"{write}?rubric={each.pk}") for each in rubrics.rubrics_in_use(acting)
    ]  # fmt: skip
