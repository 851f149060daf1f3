"""What was chosen on what: the list, one line, and what waits for somebody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import Appointment, School
from brightspots_web.evidence import choice_known_queries as known
from brightspots_web.evidence import choice_lottery_queries as lotteries
from brightspots_web.evidence import choice_queries as queries
from brightspots_web.evidence import choice_words as words
from brightspots_web.evidence.models import Choice, Lottery
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]


def home_card(acting: Appointment | None) -> Mapping[str, Any] | None:
    """The card of this part on the overview; None where the person reads nothing of it."""
    if acting is None:
        return None
    if not queries.may_list(acting):
        return {
            "heading": _("Places drawn by lot"),
            "text": _("Where there are fewer places than schools, nobody picks."),
            "url": reverse("evidence:lotteries"),
            "link": _("Open the lotteries"),
        }
    lines = sum(queries.counts(acting).values())
    said = ngettext("{n} written down so far.", "{n} written down so far.", lines)
    return {
        "heading": _("What was chosen on what, and lotteries"),
        "text": _("What was known when help began, frozen that day.") + " " + said.format(n=lines),
        "url": reverse("evidence:choices"),
        "link": _("Open the list"),
    }


def front_items(acting: Appointment | None) -> Sequence[Mapping[str, str]]:
    """What of this part waits for the person."""
    said = {
        Lottery.State.PREPARED: _("“{title}”: do you agree that places are drawn?"),
        Lottery.State.AGREED: _("“{title}”: its list is to be closed."),
        Lottery.State.OPEN: _("“{title}”: the day of the draw has come."),
    }
    return [
        {
            "text": said[Lottery.State(each.state)].format(title=each.title),
            "url": lottery_url(each),
            "link": _("Open the lottery"),
        }
        for each in lotteries.waiting_for(acting)
    ]


def lottery_url(lottery: Lottery) -> str:
    return reverse("evidence:lottery", args=[lottery.pk])


def url(choice: Choice) -> str:
    return reverse("evidence:choice", args=[choice.pk])


def crumbs(*further: str) -> list[Link]:
    first = Link(_("What was chosen on what"), reverse("evidence:choices") if further else "")
    home = Link(_("Evidence"), reverse("evidence:home"))
    return [home, first, *(Link(each) for each in further)]


def table(choices: Iterable[Choice], query: str, *, filtered: bool) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.school.name, url(each)),
            each.get_kind_display(),
            each.what,
            day(each.begins),
            each.get_way_display(),
            words.score(each),
            words.band(each),
        ]
        for each in choices
    ]
    return Table(
        _("What was chosen on what"),
        [
            Column(_("School")),
            Column(_("What began")),
            Column(_("What for")),
            Column(_("Began")),
            Column(_("How it was chosen")),
            Column(_("Known that day")),
            Column(_("Band")),
        ],
        rows,
        exports=export_links("evidence:choices_export", query=query),
        empty=_("None fits. Take a filter away.")
        if filtered
        else _("Nothing is written down yet: no help began in what you see, or it is too new."),
    )


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("kind", _("What began")),
        ExportColumn("what", _("What for")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("giving", _("By which school")),
        ExportColumn("begins", _("Began"), "date"),
        ExportColumn("chosen_on", _("Chosen on"), "date"),
        ExportColumn("way", _("How it was chosen")),
        ExportColumn("by", _("Agreed by")),
        ExportColumn("reasons", _("Reasons")),
        ExportColumn("score_of", _("What the score is")),
        ExportColumn("subject", _("Outcome")),
        ExportColumn("score", _("Score"), "number"),
        ExportColumn("lower", _("Likely from"), "number"),
        ExportColumn("upper", _("Likely to"), "number"),
        ExportColumn("n", _("Pupils"), "integer"),
        ExportColumn("without", _("Why there is no score")),
        ExportColumn("run", _("Analysis")),
        ExportColumn("run_on", _("Published on"), "date"),
        ExportColumn("band", _("Band")),
        ExportColumn("band_lower", _("Band from"), "number"),
        ExportColumn("band_upper", _("Band to below"), "number"),
        ExportColumn("lottery", _("Lottery")),
        ExportColumn("chance", _("Chance of a place"), "number"),
        ExportColumn("drawn", _("Drawn")),
    ]


def rows(choices: Iterable[Choice]) -> Iterator[Row]:
    plain = (
        "what", "begins", "chosen_on", "by", "subject", "score", "lower", "upper", "n", "run_on",
        "band_lower", "band_upper", "chance",
    )  # fmt: skip
    for each in choices:
        entry = each.entry
        yield {name: getattr(each, name) for name in plain} | {
            "code": each.school.code,
            "school": each.school.name,
            "area": each.school.area.name,
            "kind": each.get_kind_display(),
            "priority": each.priority.title if each.priority else "",
            "giving": each.giving.name if each.giving else "",
            "way": each.get_way_display(),
            "reasons": "; ".join(words.reasons(each)),
            "score_of": each.get_score_of_display(),
            "without": each.get_without_display() if each.without else "",
            "run": str(each.run or ""),
            "band": each.get_band_display(),
            "lottery": entry.lottery.title if entry else "",
            "drawn": "" if entry is None else (_("yes") if entry.drawn else _("no")),
        }


def page(choice: Choice, acting: Appointment | None) -> Row:
    """Everything the page of one line needs."""
    seen = queries.seen_schools(acting, choice)
    facts: list[tuple[str, Cell]] = [
        (_("School"), _school(choice.school, seen)),
        (_("What began"), choice.get_kind_display()),
        (_("What for"), choice.what),
    ]
    if choice.giving is not None:
        facts.append((_("By which school"), _school(choice.giving, seen)))
    facts += [
        (_("Began"), day(choice.begins)),
        (_("Chosen on"), day(choice.chosen_on)),
        (_("How it was chosen"), choice.get_way_display()),
        (_("Agreed by"), choice.by or _("not on record")),
    ]
    withdrawn = choice.run is not None and not known.still_published(choice.run)
    return {
        "choice": choice,
        "facts": facts,
        "figure": _known(choice, withdrawn),
        "reasons": words.reasons(choice),
        "withdrawn": withdrawn,
        "lottery": _lottery(choice),
        "rule": words.rule(),
        "breadcrumb": crumbs(choice.school.name),
    }


def _school(school: School, seen: set[int]) -> Cell:
    if school.pk not in seen:
        return school.name
    return Link(school.name, reverse("home:school", args=[school.code]))


def _known(choice: Choice, withdrawn: bool) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [(_("Known that day"), words.score(choice))]
    if choice.run_on is not None:
        facts.append((_("Published on"), day(choice.run_on)))
        run, url = str(choice.run), reverse("insight:run", args=[choice.run])
        facts.append((_("Analysis"), run if withdrawn else Link(run, url)))
    if late := words.late(choice):
        facts.append((_("With care"), late))
    facts.append((_("Band"), words.band(choice)))
    facts.append((_("Written down"), day(choice.noticed_at)))
    return facts


def _lottery(choice: Choice) -> Link | None:
    if choice.entry is None:
        return None
    lottery = choice.entry.lottery
    chance = number(100 * (choice.chance or 0.0), 0)
    label = _("{title}: a chance of {n} in 100").format(title=lottery.title, n=chance)
    return Link(label, lottery_url(lottery))
