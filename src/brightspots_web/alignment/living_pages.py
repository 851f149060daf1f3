"""What the page of a priority shows: aim, measures, drivers, where need is, how it came about."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from brightspots_web.alignment import adoption_queries, ballot_queries, driver_outline
from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment import living_words as words
from brightspots_web.alignment.living_front import front_card as front_card
from brightspots_web.alignment.models import (
    Agreement,
    LocalSense,
    Priority,
    PriorityIndicator,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Indicator, Partnership
from brightspots_web.insight import area_need_queries as needs
from brightspots_web.insight import queries as insight
from brightspots_web.insight import words as insight_words
from brightspots_web.insight.models import Run
from brightspots_web.shared import charts
from brightspots_web.shared.charts import Driver
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]
SENSES_SHOWN = 5
MOST_AREAS = 5


def url(priority: Priority) -> str:
    return reverse("alignment:priority", args=[priority.code])


def crumbs(priority: Priority, *further: str) -> list[Link]:
    listed = Link(_("Priorities"), reverse("alignment:priorities"))
    if not further:
        return [listed, Link(priority.title)]
    return [listed, Link(priority.title, url(priority)), *(Link(each) for each in further)]


def page(priority: Priority, acting: Appointment | None) -> Row:
    """Everything the page of a priority needs."""
    run = insight.current_run()
    measures = queries.measures_of(priority)
    may_change = queries.may_change(acting, priority)
    drawn = drivers(priority)
    return {
        "priority": priority,
        "breadcrumb": crumbs(priority),
        "ended": "" if queries.is_live(priority) else day(priority.ends),
        "may_change": may_change,
        "aim": aim_facts(priority),
        "has_aim": bool(words.aim(priority)),
        "measures": measures_table(priority, measures, may_change=may_change),
        "drivers": drawn,
        "drivers_list": charts.driver_list(tree(priority)),
        "practices_url": f"{reverse('connectedness:practices')}?"
        + urlencode({"priority": priority.code}),
        "history": history(priority),
        **_need(priority, acting, run),
        **_senses(priority, acting),
    }


# The aim, and how it came about


def aim_facts(priority: Priority) -> list[tuple[str, Cell]]:
    unsaid = Badge(_("not said yet"), "unsure")
    return [
        (_("How good"), priority.how_good or unsaid),
        (_("For whom"), priority.for_whom or unsaid),
        (_("By when"), day(priority.by_when) or unsaid),
        (_("Figures that speak of it"), priority.subject or _("none yet")),
    ]


def history(priority: Priority) -> list[tuple[str, Cell]]:
    """From which proposal and which ballot it came, and who set it."""
    found: list[tuple[str, Cell]] = [(_("Live since"), day(priority.starts))]
    if priority.ends:
        found.append((_("Until"), day(priority.ends)))
    proposal = priority.proposal
    if proposal is None:
        found.append((_("Came about"), _("set by the ministry, without a proposal")))
    else:
        where = reverse("alignment:proposal", args=[proposal.pk])
        found.append((_("Proposal"), Link(proposal.title, where)))
        found.append((_("Proposed by"), f"{proposal.by}, {day(proposal.at)}"))
        found += _chosen(proposal.agreement)
    if priority.set_by:
        found.append((_("Put in force by"), priority.set_by))
    return found


def _chosen(agreement: Agreement) -> list[tuple[str, Cell]]:
    """The ballot by which the proposal was chosen, and why where the ministry chose otherwise."""
    found: list[tuple[str, Cell]] = [(_("Agreed for"), str(agreement.cycle))]
    ballot = ballot_queries.ballot_of(agreement)
    if ballot is not None and ballot.closed_at is not None:
        counted = _("counted on {day}").format(day=day(ballot.closed_at))
        found.append((_("Ballot"), Link(counted, reverse("alignment:ballot", args=[ballot.pk]))))
    adoption = adoption_queries.adoption_of(agreement)
    if adoption is not None and adoption.why:
        found.append((_("Why others than the ballot chose"), adoption.why))
    return found


# Measures


def measures_table(
    priority: Priority, measures: Sequence[PriorityIndicator], *, may_change: bool
) -> Table:
    columns = [
        Column(_("Indicator")),
        Column(_("What for")),
        Column(_("Baseline"), numeric=True),
        Column(_("Likely")),
        Column(_("Based on")),
        Column(_("As of")),
        Column(_("Source")),
    ]
    rows: list[list[Cell]] = []
    for each in measures:
        known = each.baseline is not None
        row: list[Cell] = [
            each.indicator.name,
            Badge(words.purpose_short(each.indicator.purpose)),
            words.value(each.baseline, each.indicator.unit),
            words.interval(each) if known else "",
            f"{charts.number(each.n, 0)} {each.n_of}" if known and each.n else "",
            day(each.as_of) if known else "",
            _source(each) if known else "",
        ]
        if may_change:
            where = reverse("alignment:measure", args=[priority.code, each.pk])
            row.append(Link(_("Change"), where))
        rows.append(row)
    if may_change:
        columns.append(Column(_("Change")))
    return Table(
        _("How we measure it"),
        columns,
        rows,
        exports=export_links("alignment:measures_export", priority.code),
        empty=_("No indicator is named yet. Without one nobody can see whether it gets better."),
    )


def _source(measure: PriorityIndicator) -> Cell:
    """A published figure leads to how it was made, as long as its analysis is the newest."""
    run = insight.current_run() if measure.figure else None
    if run is not None and str(run.uuid) in measure.source:
        return Link(_("Published analysis"), reverse("insight:run", args=[run.uuid]))
    return measure.source


def measure_columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("indicator", _("Indicator")),
        ExportColumn("purpose", _("What for")),
        ExportColumn("unit", _("Unit")),
        ExportColumn("baseline", _("Baseline"), "number"),
        ExportColumn("lower", _("Likely from"), "number"),
        ExportColumn("upper", _("Likely to"), "number"),
        ExportColumn("n", _("How many stand behind it"), "integer"),
        ExportColumn("n_of", _("Of what")),
        ExportColumn("as_of", _("As of"), "date"),
        ExportColumn("source", _("Source")),
    ]


def measure_rows(measures: Sequence[PriorityIndicator]) -> list[Row]:
    same = ("baseline", "lower", "upper", "n", "n_of", "as_of", "source")
    return [
        {
            "code": each.indicator.code,
            "indicator": each.indicator.name,
            "purpose": words.purpose_short(each.indicator.purpose),
            "unit": each.indicator.unit,
            **{name: getattr(each, name) for name in same},
        }
        for each in measures
    ]


# What drives it


def tree(priority: Priority) -> tuple[Driver, ...]:
    """The drivers as they are kept; none where they were written by other means and wrongly."""
    try:
        return driver_outline.parse(priority.drivers)
    except ValidationError:
        return ()


def drivers(priority: Priority) -> charts.Chart | None:
    """The driver diagram; None until somebody has written it."""
    found = tree(priority)
    if not found:
        return None
    return charts.driver_diagram(
        key="drivers",
        title=_("What drives it"),
        aim=priority.title,
        aim_words=words.aim(priority),
        drivers=found,
    )


# Where need is


def _need(priority: Priority, acting: Appointment | None, run: Run | None) -> Row:
    subject = priority.subject
    if not subject:
        return {"need": "", "no_subject": True}
    found = needs.needs_within(None, [subject], run).get(subject)
    return {
        "need": words.need(found),
        "as_of": insight_words.as_of(run) if run and found else "",
        "made_url": reverse("insight:run", args=[run.uuid]) if run and found else "",
        "areas": _areas(acting, subject, run),
        "differences_url": reverse("insight:variability") + "?" + urlencode({"subject": subject})
        if found
        else "",
    }


def _areas(acting: Appointment | None, subject: str, run: Run | None) -> Table:
    """Where help would reach most pupils among the areas this person may open, by name."""
    found = insight.needs_attention(acting, subject=subject, limit=MOST_AREAS, run=run)
    rows: list[list[Cell]] = [
        [
            Link(each.area.name, reverse("home:area", args=[each.area_id])),
            each.n_schools,
            round(each.pupils_touched or 0),
        ]
        for each in sorted(found, key=lambda each: (each.area.name, each.area_id))
        if round(each.pupils_touched or 0)
    ]
    return Table(
        _("Where help would reach most pupils"),
        [
            Column(_("Area")),
            Column(_("Schools"), numeric=True),
            Column(_("Pupils who would gain, a year"), numeric=True),
        ],
        rows,
    )


# Local senses


def _senses(priority: Priority, acting: Appointment | None) -> Row:
    readable = queries.search_senses(acting, priority)
    shown = list(readable[: SENSES_SHOWN + 1])
    own = _own_partnerships(acting)
    by_partnership = {each.partnership_id: each for each in shown}
    return {
        "said": words.said(queries.said([priority]).get(priority.pk)),
        "here": [_here(priority, each, by_partnership.get(each.pk), acting) for each in own],
        "senses": [] if own else [sense_row(each) for each in shown[:SENSES_SHOWN]],
        "senses_url": reverse("alignment:senses", args=[priority.code])
        if not own and len(shown) > SENSES_SHOWN
        else "",
        "reads_shared": acting is not None and acting.role in queries.READ_SHARED,
    }


def _own_partnerships(acting: Appointment | None) -> list[Partnership]:
    """The partnership one belongs to; none for those who only look at partnerships."""
    if acting is None or acting.role not in queries.MEMBERS:
        return []
    return list(directory.partnerships_visible_to(acting))


def _here(
    priority: Priority, partnership: Partnership, sense: LocalSense | None,
    acting: Appointment | None,
) -> Row:  # fmt: skip
    return {
        "partnership": partnership,
        "sense": sense_row(sense) if sense else None,
        "url": reverse("alignment:sense", args=[priority.code, partnership.code]),
        "may_write": queries.is_live(priority) and queries.may_write_sense(acting, partnership),
    }


def sense_row(sense: LocalSense) -> Row:
    return {
        "partnership": sense.partnership.name,
        "words": sense.words,
        "by": sense.by,
        "on": day(sense.at),
        "shared": sense.shared,
        "url": reverse("alignment:sense", args=[sense.priority.code, sense.partnership.code]),
    }


# One measure


def measure_url(measure: PriorityIndicator) -> str:
    return reverse("alignment:measure", args=[measure.priority.code, measure.pk])


def measure_page(measure: PriorityIndicator) -> Row:
    """How a measure stands now, for the page on which its baseline is written."""
    known = measure.baseline is not None
    now: list[tuple[str, Cell]] = [
        (_("Baseline"), words.value(measure.baseline, measure.indicator.unit)),
    ]
    if known:
        now += [
            (_("Likely"), words.interval(measure)),
            (_("Based on"), f"{charts.number(measure.n, 0)} {measure.n_of}" if measure.n else None),
            (_("As of"), day(measure.as_of)),
            (_("Source"), measure.source),
        ]
    improves = measure.indicator.purpose == Indicator.Purpose.IMPROVEMENT
    return {
        "measure": measure,
        "priority": measure.priority,
        "breadcrumb": crumbs(measure.priority, measure.indicator.name),
        "purpose": words.purpose(measure.indicator.purpose),
        "improves": improves,
        "now": now,
    }
