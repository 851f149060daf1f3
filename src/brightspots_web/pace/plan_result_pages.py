"""What a search found: the curve, the plan looked at, which assumptions matter."""

from collections.abc import Mapping
from string import ascii_lowercase
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.pace import plan_charts as charts
from brightspots_web.pace import plan_study_pages as studies
from brightspots_web.pace import plan_words as words
from brightspots_web.pace.plan_models import PlanResult
from brightspots_web.shared.charts import Chart, number
from brightspots_web.shared.components import Badge, Column, Link, Table
from brightspots_web.shared.exports import Column as FileColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

SHOWN = ("abandoned", "held_back", "cost", "full_coverage", "covered_at_end", "gain")
SWINGS = ("abandoned", "held_back")


def chosen_of(result: PlanResult, asked: str) -> str:
    """The plan looked at: the one asked for, or the one with the fewest of both."""
    plans: Mapping[str, Any] = result.outcome["plans"]
    even: str = result.outcome["even_handed"]
    return asked if asked in plans else even


def result_page(result: PlanResult, asked: str) -> dict[str, Any]:
    """The curve, a plan of it, and what matters."""
    chosen = chosen_of(result, asked)
    plan = result.outcome["plans"][chosen]
    return {
        "result": result,
        "study": result.study,
        "on": day(result.at),
        "older": result.study_version != result.study.version,
        "chosen": chosen,
        "chosen_name": words.plan_name(chosen),
        "chart": curve(result, chosen),
        "ends": ends_in_words(result),
        "plans": plans_table(result, chosen),
        "measures": measure_facts(plan["measures"], followed(result)),
        "parts": parts(plan["measures"]),
        "tornados": tornados(result, chosen),
        "few_waves": waves_in_words(plan["waves"]),
        "searched": searched(result),
        "seed": result.inputs["settings"]["seed"],
        "draws": number(result.inputs["settings"]["draws"], 0),
        "sensitivity_exports": export_links("pace:plan_sensitivity_export", result.pk, chosen),
        "promises_not": words.promises_not(),
        "breadcrumb": studies.crumbs(result.study, _("Plans found on {day}").format(
            day=day(result.at))),
    }  # fmt: skip


def followed(result: PlanResult) -> int:
    """Terms that are followed."""
    settings = result.inputs["settings"]
    return int(settings["terms"]) + int(settings["settle"])


def _ends(rows: Any, name: str) -> tuple[float, float, float]:
    row = words.total(rows, name)
    return row["low80"], row["median"], row["high80"]


def curve(result: PlanResult, chosen: str) -> Chart:
    """Every plan as a point."""
    on_curve = result.outcome["curve"]
    points = [
        charts.Point(
            words.plan_name(name),
            short_names(result)[name],
            _ends(plan["measures"], "held_back"),
            _ends(plan["measures"], "abandoned"),
            name in on_curve,
            name == chosen,
        )
        for name, plan in result.outcome["plans"].items()
    ]
    return charts.curve(key="curve", title=_("All plans at a glance"), points=points)


def short_names(result: PlanResult) -> dict[str, str]:
    """Plans as the drawing calls them: numbers along the curve, letters for those beside it."""
    on_curve = result.outcome["curve"]
    beside = [name for name in result.outcome["plans"] if name not in on_curve]
    numbers = {name: str(at) for at, name in enumerate(on_curve, start=1)}
    return numbers | dict(zip(beside, ascii_lowercase, strict=False))


def ends_in_words(result: PlanResult) -> str:
    """What one end of the curve costs against the other."""
    plans, names = result.outcome["plans"], result.outcome["curve"]
    (held, alone), (held_last, alone_last) = (
        (_ends(plans[name]["measures"], "held_back")[1], _ends(plans[name]["measures"],
         "abandoned")[1])
        for name in (names[0], names[-1])
    )  # fmt: skip
    if len(names) == 1:
        return _("One plan has the least of both: {plan}.").format(plan=words.plan_name(names[0]))
    return _(
        "From 1 to {n} on the curve, held back falls from about {held} to {held_last} "
        "school-terms, and left alone rises from about {alone} to {alone_last}."
    ).format(
        n=len(names), held=number(held, 0), held_last=number(held_last, 0),
        alone=number(alone, 0), alone_last=number(alone_last, 0),
    )  # fmt: skip


def plans_table(result: PlanResult, chosen: str) -> Table:
    """Every plan with its two figures; each leads to itself."""
    rows = []
    for row in plan_rows(result):
        name: Any = Link(row["plan"], f"?plan={row['key']}")
        if row["key"] == chosen:
            name = Badge(_("{plan}: looked at").format(plan=row["plan"]), "bright")
        rows.append(
            (name, row["short"], row["held"], row["alone"], row["cost"], row["full_coverage"])
        )
    columns = [
        Column(_("Plan")), Column(_("In the drawing")),
        Column(_("Held back, school-terms")), Column(_("Left alone, school-terms")),
        Column(_("Cost, working days")), Column(_("9 in 10 schools ready and responsible")),
    ]  # fmt: skip
    return Table(
        _("All plans, the middle of all futures with the range of 8 in 10"), columns, rows,
        exports=export_links("pace:plan_points_export", result.pk),
    )  # fmt: skip


def plan_rows(result: PlanResult) -> list[dict[str, Any]]:
    """The curve first, then the usual plans beside it."""
    on_curve = result.outcome["curve"]
    plans, short, terms = result.outcome["plans"], short_names(result), followed(result)
    names = [*on_curve, *(name for name in plans if name not in on_curve)]
    rows = []
    for name in names:
        measures = plans[name]["measures"]
        held, alone, cost = (
            words.total(measures, each) for each in ("held_back", "abandoned", "cost")
        )
        rows.append({
            "key": name,
            "plan": words.plan_name(name),
            "place": on_curve.index(name) + 1 if name in on_curve else None,
            "held": words.spread(held),
            "alone": words.spread(alone),
            "short": short.get(name, ""),
            "cost": words.spread(cost),
            "full_coverage": words.covered(words.total(measures, "full_coverage"), terms),
            "waves": len({wave[0] for wave in plans[name]["waves"].values()}),
            **{f"{m}_{end}": words.total(measures, m)[end]
               for m in SHOWN for end in ("median", "low80", "high80")},
        })  # fmt: skip
    return rows


def plan_columns() -> list[FileColumn]:
    ends = (("median", _("middle")), ("low80", _("low")), ("high80", _("high")))
    return [
        FileColumn("plan", _("Plan")),
        FileColumn("place", _("Place on the curve"), "integer"),
        FileColumn("waves", _("Terms in which areas begin"), "integer"),
        *(
            FileColumn(f"{name}_{end}", f"{words.MEASURES[name][0]}, {label}", "number")
            for name in SHOWN
            for end, label in ends
        ),
    ]


def measure_facts(rows: Any, terms: int) -> list[tuple[str, str]]:
    """Each measure in a sentence."""
    return [
        (str(words.MEASURES[name][0]), words.measured(words.total(rows, name), terms))
        for name in SHOWN
    ]


def parts(rows: Any) -> list[str]:
    """Of what the two figures consist."""
    found = []
    for row in rows:
        if row["measure"] in SWINGS and row["part"] in words.PARTS and row["median"] >= 0.5:
            found.append(
                _("{what}: {n} school-terms").format(
                    what=words.PARTS[row["part"]], n=words.spread(row)
                )
            )
    return found


def tornados(result: PlanResult, plan: str) -> list[Chart]:
    """Which assumptions matter, for each of the two figures."""
    rows = result.outcome["sensitivity"].get(plan, [])
    titles = {
        "abandoned": _("What left alone depends on"),
        "held_back": _("What held back depends on"),
    }
    return [
        charts.tornado(
            key=f"tornado-{name}",
            title=titles[name],
            unit=_("school-terms"),
            swings=[
                charts.Swing(
                    words.assumption(row["assumption"]),
                    studies.end_text(row["low"]), studies.end_text(row["high"]),
                    row["at_low"], row["at_value"], row["at_high"],
                )
                for row in rows
                if row["measure"] == name
            ],
        )
        for name in SWINGS
    ]  # fmt: skip


def sensitivity_columns() -> list[FileColumn]:
    return [
        FileColumn("measure", _("Figure")),
        FileColumn("assumption", _("Assumption")),
        FileColumn("low", _("Low end"), "number"),
        FileColumn("high", _("High end"), "number"),
        FileColumn("at_low", _("Figure at the low end"), "number"),
        FileColumn("at_value", _("Figure at the value"), "number"),
        FileColumn("at_high", _("Figure at the high end"), "number"),
        FileColumn("rank", _("Rank correlation"), "number"),
        FileColumn("rank_lower", _("its 95 % interval from"), "number"),
        FileColumn("rank_upper", _("to"), "number"),
    ]


def sensitivity_rows(result: PlanResult, plan: str) -> list[dict[str, Any]]:
    return [
        {
            **row, "measure": str(words.MEASURES[row["measure"]][0]),
            "assumption": words.assumption(row["assumption"]),
        }
        for row in result.outcome["sensitivity"].get(plan, [])
    ]  # fmt: skip


def waves_in_words(waves: Mapping[str, Any]) -> str:
    """How many areas begin in how many terms."""
    terms = {wave[0] for wave in waves.values()}
    return _("{areas} begin in {terms} different terms, the first in term {first}, the last in "
             "term {last}.").format(
        areas=words.areas(len(waves)), terms=len(terms), first=min(terms), last=max(terms)
    )  # fmt: skip


def searched(result: PlanResult) -> str:
    """How far the plans found may be from the best there are."""
    search = result.outcome["search"]
    looked = number(search["looked_at"], 0)
    if search["stopped_early"]:
        return _("The search was stopped early: these are the best of {n} plans looked at so far. "
                 "The same study goes on from here.").format(n=looked)  # fmt: skip
    if search["complete"]:
        return _("Every plan there is was looked at: {n}.").format(n=looked)
    gaps = [row["gap"] for row in search["weighed"] if row.get("gap") is not None]
    words_ = _("{n} plans were looked at.").format(n=looked)
    if gaps:
        words_ += " " + _("No plan at all can do better than these by more than {low} to {high} %, "
                          "depending on what one holds worse.").format(
            low=number(100 * min(gaps), 0), high=number(100 * max(gaps), 0)
        )  # fmt: skip
    return words_


def study_url(result: PlanResult) -> str:
    return reverse("pace:plan_study", args=[result.study_id])
