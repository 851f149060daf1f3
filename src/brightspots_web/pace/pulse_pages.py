"""Pulse: what its pages show."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.accountability import voice_queries as voice
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.pace import pulse_queries as queries
from brightspots_web.pace import pulse_signs, pulse_words
from brightspots_web.pace.models import PulseTerm
from brightspots_web.pace.pulse_queries import QUESTIONS, Shares
from brightspots_web.shared import charts
from brightspots_web.shared.charts import Chart, Estimate, Series, number
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may

Row = dict[str, Any]
SHOWN = 8
"""So many terms fit on the axis of a phone."""
ROLES = ("role:teacher", "role:head")


def crumbs(*further: Link) -> list[Link]:
    first = Link(_("Pace"), reverse("pace:home"))
    if not further:
        return [first, Link(_("Two questions a term"))]
    return [first, Link(_("Two questions a term"), reverse("pace:pulse")), *further]


# The page of the whole system


def page(acting: Appointment) -> Row:
    """What is asked now, what was answered last, and how it went over the terms."""
    areas = queries.areas_seen(acting)
    keys = [queries.key_of(None), *ROLES, *(queries.key_of(each) for each in areas)]
    found = queries.histories(keys)
    last = queries.last_counted()
    opened = queries.open_term()
    whole = found[queries.key_of(None)]
    return {
        "standing": pulse_words.standing(queries.settings_now(), opened, queries.next_term()),
        "waits": queries.waits_for(acting) is not None,
        "answered": has_answered(acting, opened),
        "not_kept": pulse_words.not_kept(last) if last is not None else "",
        "chart": trend("pulse-all", _("The whole system, term by term"), whole) if whole else None,
        "said": sentences(queries.latest(whole, last)),
        "roles": roles_table(found, last),
        "areas": areas_table(areas, found, last),
        "how_read": pulse_words.how_read(),
        "hidden": pulse_words.hidden(),
        "promises": pulse_words.promises(),
        "limit": pulse_words.limit(),
        "signs": pulse_signs.of_pulse(acting, None),
        "may_set": may(acting, Capability.SET_ACCOUNTABILITY),
        "trouble": trouble(acting),
        "breadcrumb": crumbs(),
    }


def has_answered(acting: Appointment, opened: PulseTerm | None) -> bool:
    if opened is None or opened.consultation is None:
        return False
    mine = voice.eligible_row(acting, opened.consultation)
    return mine is not None and mine.answered


def trouble(acting: Appointment) -> list[str]:
    """For the ministry: terms that did not open, and those whose key is missing."""
    if not may(acting, Capability.SET_ACCOUNTABILITY):
        return []
    late = [each for each in queries.due_to_open() if each.why_not]
    said = [
        _("{term} could not be opened: {why}").format(term=pulse_words.term(each), why=each.why_not)
        for each in late
    ]
    over = [each for each in queries.open_terms() if queries.is_over(each)]
    said += [
        _("{term} is over and is counted within the hour.").format(term=pulse_words.term(each))
        for each in over
    ]
    return said


def sentences(found: Shares | None) -> list[str]:
    """The latest figures in words, with their ranges."""
    if found is None:
        return []
    said = [
        _("{what}: {share}.").format(
            what=pulse_words.measure(each), share=pulse_words.share(found.of(each))
        )
        for each in QUESTIONS
    ]
    return [*said, pulse_words.turnout(found)]


def trend(key: str, title: str, rows: Sequence[Shares]) -> Chart:
    """Both shares over the terms, calm: two lines, each value with its range."""
    # Every term stands on the axis, so that one that may not be shown leaves a gap.
    terms = queries.counted_terms()[-SHOWN:]
    of = {each.term.pk: each for each in rows}
    series = [
        Series(
            pulse_words.measure(question),
            tuple(_point(term, of.get(term.pk), question) for term in terms),
        )
        for question in QUESTIONS
    ]
    drawn = charts.trend(
        key=key, title=title, series=series, unit=_("per cent of those who answered"), digits=0,
        signed=False, baseline=None,
    )  # fmt: skip
    return replace(drawn, **_numbers(terms, of))


def _point(term: PulseTerm, found: Shares | None, question: str) -> Estimate:
    label = pulse_words.short(term)
    share = found.of(question) if found is not None else None
    bounds = share.interval() if share is not None else None
    if share is None or share.value is None or bounds is None:
        return Estimate(label, None)
    low, high = bounds
    return Estimate(label, 100 * share.value, 100 * low, 100 * high, share.n)


def _numbers(terms: Sequence[PulseTerm], of: Mapping[int, Shares]) -> dict[str, Any]:
    columns = (
        _("Term"), _("Answers until"), *(pulse_words.measure(each) for each in QUESTIONS),
        _("Answered"), _("Asked"),
    )  # fmt: skip
    rows = []
    for term in terms:
        found = of.get(term.pk)
        said = [pulse_words.share(found.of(each)) if found else "–" for each in QUESTIONS]
        answered = number(found.answered, 0) if found else _("not shown")
        asked = number(found.asked, 0) if found and found.asked is not None else "–"
        rows.append(
            (pulse_words.term(term), pulse_words.last_day(term), *said, answered, asked)
        )  # fmt: skip
    return {"columns": columns, "rows": tuple(rows)}


def roles_table(found: Mapping[str, Sequence[Shares]], last: PulseTerm | None) -> Table:
    rows = [
        [pulse_words.role(key), *_cells(queries.latest(found[key], last))]
        for key in ROLES
        if last is not None and queries.latest(found[key], last) is not None
    ]
    return Table(_("Teachers and heads"), [Column(_("Who")), *_columns()], rows)


def areas_table(
    areas: Sequence[Area], found: Mapping[str, Sequence[Shares]], last: PulseTerm | None
) -> Table:
    """Areas by name: nothing here is sorted by what was answered."""
    rows: list[list[Cell]] = [
        [
            Link(each.name, reverse("pace:pulse_area", args=[each.pk])),
            *_cells(queries.latest(found[queries.key_of(each)], last)),
        ]
        for each in areas
        if last is not None
    ]
    return Table(
        _("Area by area"),
        [Column(_("Area")), *_columns()],
        rows,
        exports=export_links("pace:pulse_export") if rows else [],
        empty=_("Nothing was counted yet."),
    )


def _columns() -> list[Column]:
    return [*(Column(pulse_words.measure(each)) for each in QUESTIONS), Column(_("Answered"))]


def _cells(found: Shares | None) -> list[Cell]:
    if found is None:
        return [_("not shown"), _("not shown"), ""]
    return [
        *(pulse_words.share(found.of(each)) for each in QUESTIONS), pulse_words.turnout(found)
    ]  # fmt: skip


# One area


def area_page(acting: Appointment, area: Area) -> Row:
    rows = queries.history(queries.key_of(area))
    last = queries.last_counted()
    now = queries.latest(rows, last)
    return {
        "area": area,
        "said": sentences(now),
        "missing": _(
            "Of the last term nothing is shown for this area alone: too few answered, or too few "
            "make the difference to other figures."
        )
        if last is not None and now is None
        else "",
        "chart": trend(f"pulse-{area.pk}", _("Term by term"), rows) if rows else None,
        "signs": pulse_signs.of_pulse(acting, area),
        "how_read": pulse_words.how_read(),
        "hidden": pulse_words.hidden(),
        "breadcrumb": crumbs(Link(area.name)),
    }


# The file


def export_columns() -> list[ExportColumn]:
    return [
        ExportColumn("term", _("Term")),
        ExportColumn("until", _("Answers until"), "date"),
        ExportColumn("who", _("Who")),
        ExportColumn("question", _("Question")),
        ExportColumn("answer", _("Answer")),
        ExportColumn("n", _("Answers"), "integer"),
        ExportColumn("answered", _("Answered"), "integer"),
        ExportColumn("asked", _("Asked"), "integer"),
    ]


def export_rows(acting: Appointment) -> Iterator[Row]:
    """All counts that the person may read: the same as on the pages, and no more.

    Where fewer than five answered a question, its counts are empty.
    """
    names = {queries.key_of(None): _("The whole system")}
    names |= {key: pulse_words.role(key) for key in ROLES}
    names |= {queries.key_of(each): each.name for each in queries.areas_seen(acting)}
    for key, rows in queries.histories(list(names)).items():
        for each in rows:
            for question in QUESTIONS:
                for answer, n in zip(
                    pulse_words.steps(question), each.of(question).counts, strict=True
                ):
                    yield {
                        "term": pulse_words.term(each.term),
                        "until": each.term.closes - timedelta(days=1),
                        "who": names[key],
                        "question": pulse_words.question(question),
                        "answer": answer,
                        "n": n if each.of(question).shown else None,
                        "answered": each.answered,
                        "asked": each.asked,
                    }


# What others show of it


def home_card(acting: Appointment | None) -> Mapping[str, Any] | None:
    """The card of this part on the overview; None where the person reads nothing of it."""
    if acting is None:
        return None
    standing = pulse_words.standing(
        queries.settings_now(), queries.open_term(), queries.next_term()
    )  # fmt: skip
    last = queries.last_counted()
    said = sentences(queries.shares(None, last)) if last is not None else []
    return {
        "heading": _("Two questions a term"),
        "text": " ".join([*said, standing]),
        "url": reverse("pace:pulse"),
        "link": _("See what was answered"),
    }


def area_card(acting: Appointment | None, area: Area) -> Mapping[str, Any] | None:
    """The same of one area, for its page; None where its figures are not read apart."""
    last = queries.last_counted()
    if last is None or queries.area_seen(acting, area.pk) is None:
        return None
    said = sentences(queries.shares(area, last))
    return {
        "heading": _("Two questions a term"),
        "text": " ".join(said) or _("Of the last term nothing can be shown for it alone."),
        "url": reverse("pace:pulse_area", args=[area.pk]),
    }


def front_items(acting: Appointment | None) -> Sequence[Mapping[str, str]]:
    """What of this part waits for the person."""
    term = queries.waits_for(acting)
    if term is None:
        return []
    return [
        {
            "text": _("Two questions on how this term goes, until the end of {day}.").format(
                day=pulse_words.last_day(term)
            ),
            "url": reverse("pace:pulse_answer"),
            "link": _("Answer in 20 seconds"),
        }
    ]
