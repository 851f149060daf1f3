"""What the pages of cycles show: the list, one cycle with its run chart, the ramp it is part of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.devolution import decision_queries as decisions
from brightspots_web.devolution import pdsa_queries as queries
from brightspots_web.devolution.decision_reading_queries import as_read, we_left_on
from brightspots_web.devolution.models import Pdsa, PdsaTrace
from brightspots_web.devolution.pdsa_forms import ValueForm
from brightspots_web.devolution.pdsa_queries import Seen
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.shared import charts
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
Act = Pdsa.Act


def url(cycle: Pdsa) -> str:
    return reverse("devolution:cycle", args=[cycle.pk])


def list_url(partnership: Partnership) -> str:
    return reverse("devolution:partnership_cycles", args=[partnership.code])


def crumbs(partnership: Partnership, *further: Link | str) -> list[Link]:
    found = [
        Link(
            partnership.name,
            reverse("devolution:partnership_decisions", args=[partnership.code]),
        ),
        Link(_("Cycles"), list_url(partnership)),
    ]
    return [*found, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of(cycle: Pdsa, step: str = "") -> list[Link]:
    if not step:
        return crumbs(cycle.partnership, cycle.title)
    return crumbs(cycle.partnership, Link(cycle.title, url(cycle)), step)


def badge(cycle: Pdsa, *, shows_study: bool = True) -> Badge:
    """How a cycle stands. Abandoned is a result like any other."""
    if cycle.finished_on is not None and shows_study:
        done = {
            Act.ADOPT: _("adopted"),
            Act.ADAPT: _("adapted"),
            Act.ABANDON: _("abandoned, with what was learned"),
        }
        return Badge(done[Act(cycle.act)], "visit")
    if cycle.starts > directory.today():
        return Badge(_("planned"), "unsure")
    if cycle.study_on <= directory.today():
        return Badge(_("to be studied"), "unsure")
    return Badge(_("running"))


def where(cycle: Pdsa) -> str:
    return cycle.school.name if cycle.school else _("all schools of the partnership")


# One cycle


def page(cycle: Pdsa, acting: Appointment | None, form: ValueForm | None = None) -> Row:
    """Everything the page of a cycle needs; the caller has checked that it may be opened."""
    seen = queries.seen(acting, cycle)
    running = cycle.finished_on is None
    runs, measures = queries.may_run(acting, cycle), queries.may_measure(acting, cycle)
    return {
        "cycle": cycle,
        "breadcrumb": crumbs_of(cycle),
        "badge": badge(cycle, shows_study=seen.shows_study),
        "facts": _facts(cycle),
        "predictions": _predictions(cycle, seen),
        "shows_study": seen.shows_study,
        "left": day(seen.until) if seen.until else "",
        "we_left": we_left_on(acting, cycle.partnership_id) is not None,
        "chart": chart(seen),
        "span": _span(seen),
        "reading": charts.run_reading(_run_points(seen), up_is_better=cycle.up_is_better),
        "rules": charts.rules_in_words(),
        "values": _values(seen, acting),
        "traces": [_trace(each) for each in seen.traces if each.kind != PdsaTrace.Kind.PREDICTION],
        "exports": export_links("devolution:cycle_export", cycle.pk) if seen.points else [],
        "value_form": (form or ValueForm()) if running and measures else None,
        "may_study": running and runs,
        "to_study": cycle.study_on <= directory.today(),
        "may_change": running and runs,
        "may_follow": cycle.act == Act.ADAPT and runs,
        "practice_url": _practice_url(cycle, acting) if seen.shows_study else "",
        "ramp": _ramp(cycle, acting),
        "decision": _decision(cycle, acting),
    }


def _facts(cycle: Pdsa) -> list[tuple[str, Cell]]:
    better = _("more is better") if cycle.up_is_better else _("less is better")
    measure = f"{cycle.measure} ({cycle.unit})" if cycle.unit else cycle.measure
    facts: list[tuple[str, Cell]] = [
        (_("Where"), where(cycle)),
        (_("Measured by"), f"{measure}; {better}"),
        (_("Begins"), day(cycle.starts)),
        (_("Studied on"), day(cycle.finished_on or cycle.study_on)),
        (_("Planned by"), f"{cycle.by} · {day(cycle.at)}"),
        (
            _("Seen by"),
            _("the schools of {partnership}").format(partnership=cycle.partnership.name)
            if cycle.shared
            else _("this school alone"),
        ),
    ]
    if cycle.priority is not None:
        facts.insert(1, (_("Priority"), cycle.priority.title))
    return facts


def _predictions(cycle: Pdsa, seen: Seen) -> list[Row]:
    """What was predicted first, and each later wording with when and after how many values."""
    kept = [each for each in seen.traces if each.kind == PdsaTrace.Kind.PREDICTION]
    if not kept:
        return [{"words": cycle.prediction, "when": ""}]
    found = [{"words": kept[0].was, "when": _("predicted first, {day}").format(day=day(cycle.at))}]
    later = [*(each.was for each in kept[1:]), cycle.prediction]
    for trace, wording in zip(kept, later, strict=True):
        found.append({"words": wording, "when": _changed_after(trace)})
    return found


def _changed_after(trace: PdsaTrace) -> str:
    return ngettext(
        "changed on {day} by {who}, when there was one value",
        "changed on {day} by {who}, when there were {n} values",
        trace.values,
    ).format(day=day(trace.at), who=trace.by, n=number(trace.values, 0))


def chart(seen: Seen) -> charts.Chart | None:
    cycle = seen.cycle
    if not seen.points:
        return None
    marks = [charts.Mark(cycle.starts, _("test begins"))]
    if cycle.finished_on is not None and seen.shows_study:
        marks.append(charts.Mark(cycle.finished_on, _("studied")))
    return charts.run_chart(
        key="run",
        title=cycle.measure,
        points=_run_points(seen),
        marks=marks,
        unit=cycle.unit,
        up_is_better=cycle.up_is_better,
    )


def _run_points(seen: Seen) -> list[charts.RunPoint]:
    return [charts.RunPoint(each.on, each.value, each.n, each.note) for each in seen.points]


def _span(seen: Seen) -> str:
    """How many values there are, and of which days."""
    if not seen.points:
        return ""
    names = {
        "n": number(len(seen.points), 0),
        "first": day(seen.points[0].on),
        "last": day(seen.points[-1].on),
    }
    if len(seen.points) == 1:
        return _("One value, of {first}.").format(**names)
    return _("{n} values, {first} to {last}.").format(**names)


def _values(seen: Seen, acting: Appointment | None) -> list[Row]:
    """The values, the newest first, each with whether this person may correct it."""
    cycle = seen.cycle
    runs = cycle.finished_on is None and queries.may_run(acting, cycle)
    measures = cycle.finished_on is None and queries.may_measure(acting, cycle)
    person = acting.person_id if acting else 0
    return [
        {
            "point": each,
            "on": day(each.on),
            "value": value(each.value),
            "may_correct": runs or (measures and each.author_id == person),
        }
        for each in reversed(seen.points)
    ]


def value(given: float) -> str:
    """A value as people write it, without zeros nobody wrote."""
    digits = next((d for d in range(6) if abs(round(given, d) - given) < 1e-9), 6)
    return number(given, digits)


def _trace(trace: PdsaTrace) -> str:
    names = {
        "on": day(trace.on),
        "was": value(float(trace.was)),
        "who": trace.by,
        "day": day(trace.at),
    }
    if trace.kind == PdsaTrace.Kind.REMOVED:
        return _("{on}: {was} was taken out by {who} on {day}").format(**names)
    return _("{on}: it was {was} before {who} corrected it on {day}").format(**names)


def _practice_url(cycle: Pdsa, acting: Appointment | None) -> str:
    """What is adopted is worth writing up for others."""
    ours = acting is not None and acting.school is not None and queries.may_run(acting, cycle)
    if cycle.act != Act.ADOPT or not ours or not may(acting, Capability.WRITE_PRACTICES):
        return ""
    return reverse("connectedness:practice_write")


def _ramp(cycle: Pdsa, acting: Appointment | None) -> list[Row]:
    """The cycles of a chain as steps, each a little higher; none for one that stands alone."""
    chain = queries.chain_of(acting, cycle)
    if len(chain) < 2:
        return []
    return [
        {
            "cycle": each,
            "url": url(each) if each.pk != cycle.pk else "",
            "badge": badge(each),
            "step": min(at, 5),
            "when": _("{starts} to {ends}").format(
                starts=day(each.starts), ends=day(each.finished_on or each.study_on)
            ),
        }
        for at, each in enumerate(chain, start=1)
    ]


def _decision(cycle: Pdsa, acting: Appointment | None) -> Link | None:
    """The decision it tries out, for who may read that too."""
    if cycle.decision is None:
        return None
    key = cycle.decision.pk
    if not decisions.decisions_visible_to(acting).filter(pk=key).exists():
        return None
    read = as_read(cycle.decision, we_left_on(acting, cycle.partnership_id))
    return Link(read.question, reverse("devolution:decision", args=[key]))


# Lists


def table(
    page: Iterable[Any],
    partnership: Partnership,
    acting: Appointment | None,
    query: str,
    *,
    filtered: bool = False,
) -> Table:
    found = list(page)
    left = queries.left_among(acting, found)
    rows: list[list[Cell]] = [
        [
            Link(each.title, url(each)),
            where(each),
            each.priority.title if each.priority else _("none of them"),
            badge(each, shows_study=_shows_study(each, left)),
            day(each.finished_on if _shows_study(each, left) else each.study_on),
            (each.n_points or "") if each.pk not in left else "",
            "" if each.shared else _("this school alone"),
        ]
        for each in found
    ]
    return Table(
        _("Plan-do-study-act cycles"),
        [
            Column(_("What is tried")),
            Column(_("Where")),
            Column(_("Priority")),
            Column(_("How it stands")),
            Column(_("Studied on")),
            Column(_("Values"), numeric=True),
            Column(_("Seen by")),
        ],
        rows,
        exports=export_links("devolution:partnership_cycles_export", partnership.code, query=query),
        empty=_("No cycle fits. Clear the filter to see all of them.")
        if filtered
        else _(
            "Nothing is being tried yet. A cycle is a small test of a few weeks, with what you "
            "predict written down first."
        ),
    )


def _shows_study(cycle: Pdsa, left: Mapping[int, date]) -> bool:
    """Whether it was finished while its school was still there for this person to see."""
    done = cycle.finished_on
    return done is not None and (cycle.pk not in left or done < left[cycle.pk])


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("title", _("What is tried")),
        ExportColumn("where", _("Where")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("state", _("How it stands")),
        ExportColumn("prediction", _("Prediction")),
        ExportColumn("test", _("Test")),
        ExportColumn("measure", _("Measured by")),
        ExportColumn("unit", _("Unit")),
        ExportColumn("starts", _("Begins"), "date"),
        ExportColumn("study_on", _("To be studied on"), "date"),
        ExportColumn("finished_on", _("Finished"), "date"),
        ExportColumn("found", _("What was found")),
        ExportColumn("next_step", _("Next step")),
    ]


def rows(found: Iterable[Any], acting: Appointment | None) -> Iterator[Row]:
    """What is in the file is what the pages show this person, cycle by cycle."""
    cycles = list(found)
    left = queries.left_among(acting, cycles)
    for each in cycles:
        studied = _shows_study(each, left)
        yield {
            "title": each.title,
            "where": where(each),
            "priority": each.priority.title if each.priority else "",
            "state": badge(each, shows_study=studied).label,
            "prediction": each.prediction,
            "test": each.test,
            "measure": each.measure,
            "unit": each.unit,
            "starts": each.starts,
            "study_on": each.study_on,
            "finished_on": each.finished_on if studied else None,
            "found": each.found if studied else "",
            "next_step": each.next_step if studied else "",
        }


def value_columns(cycle: Pdsa) -> list[ExportColumn]:
    return [
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("value", cycle.measure, "number"),
        ExportColumn("n", _("Out of"), "integer"),
        ExportColumn("note", _("Note")),
    ]


def value_rows(seen: Seen) -> list[Row]:
    return [
        {"on": each.on, "value": each.value, "n": each.n, "note": each.note} for each in seen.points
    ]


def section_of(partnership: Partnership, acting: Appointment | None) -> Sequence[Row]:
    """The cycles of a partnership that run, for its own people; empty for everybody else."""
    if not any(each.pk == partnership.pk for each in decisions.partnerships_read_by(acting)):
        return []
    running = queries.search(acting, partnership, queries.Search(stage="running"))
    return [{"cycle": each, "url": url(each), "badge": badge(each)} for each in running[:5]]


def overtaken_parts(cycle: Pdsa, wrote: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Label, how it reads by now, and what the person wrote, where they differ."""
    labels = {
        "title": _("What you try"),
        "prediction": _("What you predict"),
        "test": _("The test"),
        "measure": _("What you measure"),
        "starts": _("Begins on"),
        "study_on": _("You study it on"),
        "found": _("What you found"),
        "next_step": _("The next step"),
    }
    found = []
    for name, label in labels.items():
        if name not in wrote:
            continue
        now, mine = _shown(getattr(cycle, name)), _shown(wrote[name])
        if now != mine:
            found.append((label, now, mine))
    return found


def _shown(value: Any) -> str:
    return str(day(value)) if isinstance(value, date) else str(value or "")
