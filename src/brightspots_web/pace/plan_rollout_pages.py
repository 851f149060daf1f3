"""A picked plan as its pages show it: timetable, what changes, history; what happened, lessons."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.pace import plan_charts as charts
from brightspots_web.pace import plan_observed_queries as observed
from brightspots_web.pace import plan_pages as pages
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_result_pages as results
from brightspots_web.pace import plan_study_pages as studies
from brightspots_web.pace import plan_words as words
from brightspots_web.pace.plan_models import PlanChange, PlanLesson, PlanRollout
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Column, Link, Table
from brightspots_web.shared.exports import Column as FileColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

PAGE = 40
"""Areas of the timetable on a page; on paper all stand."""
MANY = 24
"""Areas to choose from up to which all stand in one list."""
ON_PAPER = 14
"""Areas in one drawing on paper, where a drawing cannot go on overleaf."""


def name_of(rollout: PlanRollout) -> str:
    return words.plan_name(rollout.base)


def crumbs(rollout: PlanRollout, here: str = "") -> list[Link]:
    study = rollout.result.study
    steps = [pages.to_plans(), (study.name, reverse("pace:plan_study", args=[study.pk]))]
    if here:
        steps.append((name_of(rollout), reverse("pace:plan_rollout", args=[rollout.pk])))
    return pages.crumbs(*steps, here=here or name_of(rollout))


def movable(rollout: PlanRollout, term: str, chosen: Sequence[str]) -> list[tuple[int, str]]:
    """Areas to move, the earliest first: those that begin in a term, where one is asked for.

    Areas that were chosen already stay in the list.
    """
    found = []
    for area in queries.areas_in(rollout):
        start, speed = rollout.waves[str(area.pk)]
        if not term or str(start) == term or str(area.pk) in chosen:
            label = _("{area}: term {n}, {support}").format(
                area=area.name, n=start, support=words.support(speed)
            )
            found.append((start, area.name, area.pk, label))
    return [(key, label) for _start, _name, key, label in sorted(found)]


def by_wave(rollout: PlanRollout, term: str) -> list[Link]:
    """Where there are many areas: only those of one wave, or all."""
    if len(rollout.waves) <= MANY:
        return []
    counted = Counter(wave[0] for wave in rollout.waves.values())
    links = [
        Link(
            _("term {n}: {areas}").format(n=at, areas=words.areas(counted[at])),
            "" if str(at) == term else f"?term={at}",
        )
        for at in sorted(counted)
    ]
    return [Link(_("all areas"), "?" if term else ""), *links]


def picked_waves(rollout: PlanRollout) -> Mapping[str, Any]:
    waves: Mapping[str, Any] = rollout.result.outcome["plans"][rollout.base]["waves"]
    return waves


def rollout_page(
    rollout: PlanRollout, acting: Appointment, page: str | None = None, *, on_paper: bool = False
) -> dict[str, Any]:
    """The timetable, what it comes to, what people changed, and what may be done."""
    study = rollout.result.study
    waves = pages.waves(study, queries.areas_in(rollout), rollout.waves, picked_waves(rollout))
    shown = Paginator(waves, len(waves) or 1 if on_paper else PAGE).get_page(page)
    size = ON_PAPER if on_paper else PAGE
    parts = [list(shown)[at : at + size] for at in range(0, len(shown), size)]
    draft, adopts = rollout.state == PlanRollout.State.DRAFT, queries.may_adopt(acting)
    return {
        "rollout": rollout,
        "study": study,
        "name": name_of(rollout),
        "state": studies.state(rollout),
        "draft": draft,
        "may_adopt": draft and adopts,
        "may_take_back": not draft and adopts and rollout.replaced_by_id is None,
        "timetables": [
            charts.timetable(
                key=f"timetable-{at}", title=_("Timetable"), waves=part, terms=study.terms
            )
            for at, part in enumerate(parts)
        ],
        "page_obj": shown,
        "begins": words.term(study, 1),
        "months": study.term_months,
        "waves_words": results.waves_in_words(rollout.waves),
        "exports": export_links("pace:plan_waves_export", rollout.pk),
        "measures": results.measure_facts(
            rollout.figures["measures"], results.followed(rollout.result)
        ),
        "differences": differences(rollout),
        "undoable": rollout.changes.filter(kind=PlanChange.Kind.MOVED, undone=False).exists(),
        "history": [history_line(each) for each in rollout.changes.all()],
        "tornados": results.tornados(rollout.result, rollout.base)[:1],
        "on": day(rollout.result.at),
        "on_paper": on_paper,
        "promises_not": words.promises_not(),
        "breadcrumb": crumbs(rollout),
    }


def differences(rollout: PlanRollout) -> list[tuple[str, str]]:
    """What the changes by hand come to against the picked plan; empty where there are none."""
    rows = rollout.figures.get("difference") or []
    if not rows or dict(rollout.waves) == dict(picked_waves(rollout)):
        return []
    told = {name: words.difference(words.total(rows, name)) for name in results.SHOWN}
    before = rollout.result.outcome["plans"][rollout.base]["measures"]
    was, now = (
        words.total(each, "full_coverage") for each in (before, rollout.figures["measures"])
    )
    if was["not_reached"] or now["not_reached"]:
        # A future in which it is not reached has no term, and the difference of two hides that.
        told["full_coverage"] = words.coverage_difference(
            was, now, results.followed(rollout.result)
        )
    return [(str(words.MEASURES[name][0]), each) for name, each in told.items()]


def history_line(change: PlanChange) -> dict[str, Any]:
    """One step in the life of a plan."""
    text = str(change.get_kind_display())
    if change.kind == PlanChange.Kind.MOVED:
        moved = change.detail["after"]
        text = _("{areas} moved: {what}").format(
            areas=words.areas(len(moved)), what=_moves(change.detail)
        )
    elif change.kind == PlanChange.Kind.UNDONE:
        text = _("change of version {n} undone").format(n=change.detail["of"])
    elif change.detail.get("copy_of"):
        text = _("copied from another plan")
    return {
        "version": change.version, "text": text, "note": change.note, "by": change.by,
        "on": day(change.at), "undone": change.undone,
    }  # fmt: skip


def _moves(detail: Mapping[str, Any]) -> str:
    steps = sorted({(tuple(detail["before"][key]), tuple(wave))
                    for key, wave in detail["after"].items()})  # fmt: skip
    return "; ".join(
        _("from term {a} ({x}) to term {b} ({y})").format(
            a=before[0], x=words.support(before[1]), b=after[0], y=words.support(after[1])
        )
        for before, after in steps[:3]
    ) + ("; …" if len(steps) > 3 else "")


def wave_columns() -> list[FileColumn]:
    return [
        FileColumn("area", _("Area")),
        FileColumn("start", _("Begins in term"), "integer"),
        FileColumn("speed", _("Terms of support"), "integer"),
        FileColumn("picked_start", _("Term in the picked plan"), "integer"),
        FileColumn("picked_speed", _("Support in the picked plan"), "integer"),
        FileColumn("abandoned", _("Left alone, school-terms (mean)"), "number"),
        FileColumn("held_back", _("Held back, school-terms (mean)"), "number"),
        FileColumn("support_days", _("Days of support (mean)"), "number"),
    ]


def wave_rows(rollout: PlanRollout) -> list[dict[str, Any]]:
    """Every area with its wave and what is expected there."""
    picked, by_area = picked_waves(rollout), rollout.figures["by_area"]
    rows = []
    for area in queries.areas_in(rollout):
        key = str(area.pk)
        (start, speed), was = rollout.waves[key], picked[key]
        rows.append({
            "area": area.name, "start": start, "speed": speed, "picked_start": was[0],
            "picked_speed": was[1], **{name: by_area[name].get(key) for name in by_area},
        })  # fmt: skip
    return sorted(rows, key=lambda row: (row["start"], row["area"]))


# What happened


def beginnings(rollout: PlanRollout) -> list[tuple[Any, ...]]:
    """Planned and real beginnings of every area, the earliest planned first."""
    study, starts = rollout.result.study, queries.starts_of(rollout)
    begun = observed.terms_begun(study)
    rows = []
    for area in queries.areas_in(rollout):
        start, _speed = rollout.waves[str(area.pk)]
        real = starts.get(area.pk)
        rows.append((
            start, area.name,
            (
                Link(area.name, reverse("pace:plan_start", args=[rollout.pk, area.pk])),
                words.term(study, start),
                pages.started(real) or _("nobody has written it down"),
                _apart(start, observed.began_in(study, real), begun),
            ),
        ))  # fmt: skip
    return [row[2] for row in sorted(rows, key=lambda row: row[:2])]


def compare_page(
    rollout: PlanRollout, acting: Appointment, page: str | None = None
) -> dict[str, Any]:
    """Planned and real beginnings side by side, and the comparisons made so far."""
    study = rollout.result.study
    shown = Paginator(beginnings(rollout), PAGE).get_page(page)
    columns = [Column(_("Area")), Column(_("Planned")), Column(_("Really")), Column(_("Apart"))]
    lessons = list(queries.lessons_visible_to(acting).filter(rollout=rollout))
    return {
        "rollout": rollout,
        "study": study,
        "name": name_of(rollout),
        "table": Table(_("When areas began"), columns, list(shown),
                       exports=export_links("pace:plan_compare_export", rollout.pk)),
        "page_obj": shown,
        "begun": observed.terms_begun(study),
        "used": queries.used_up_to(rollout.result),
        "job": queries.at_work(acting, queries.LEARN, rollout=rollout.pk),
        "lessons": [
            {"url": reverse("pace:plan_lesson", args=[each.pk]), "on": day(each.at),
             "state": each.get_state_display()}
            for each in lessons
        ],
        "adopted": rollout.state == PlanRollout.State.ADOPTED,
        "promises_not": words.promises_not(),
        "breadcrumb": crumbs(rollout, _("Plan and what happened")),
    }  # fmt: skip


def _apart(planned: int, real: str, begun: int) -> str:
    if real == "no":
        return _("not begun") if planned <= begun else _("as planned so far")
    if not real:
        return _("counts as planned") if planned <= begun else _("still to come")
    apart = int(real) - planned
    if apart == 0:
        return _("as planned")
    if apart > 0:
        return _("{n} terms later").format(n=apart)
    return _("{n} terms earlier").format(n=-apart)


def compare_columns() -> list[FileColumn]:
    return [
        FileColumn("area", _("Area")),
        FileColumn("planned", _("Planned"), "text"),
        FileColumn("really", _("Really"), "text"),
        FileColumn("apart", _("Apart"), "text"),
    ]


def compare_rows(rollout: PlanRollout) -> list[dict[str, Any]]:
    return [
        {"area": row[0].label, "planned": row[1], "really": row[2], "apart": row[3]}
        for row in beginnings(rollout)
    ]


# What it taught


def lesson_page(lesson: PlanLesson, acting: Appointment) -> dict[str, Any]:
    """Old and new ranges side by side, and what was foretold beside what was seen."""
    rollout, outcome = lesson.rollout, lesson.outcome
    study = rollout.result.study
    return {
        "lesson": lesson,
        "study": study,
        "rollout": rollout,
        "on": day(lesson.at),
        "decided": day(lesson.decided_at),
        "open": lesson.state == PlanLesson.State.PROPOSED,
        "notes": notes(outcome),
        "ranges": ranges_table(lesson),
        "unmoved": unmoved(lesson),
        "seen": seen_table(lesson),
        "accepted": [words.assumption(name) for name in lesson.accepted],
        "promises_not": words.promises_not(),
        "breadcrumb": crumbs(rollout, _("What it taught")),
    }


def choices(lesson: PlanLesson) -> list[tuple[str, str]]:
    """The assumptions whose range has moved, with old and new."""
    return [
        (row["name"], _("{what}: {old} → {new}").format(
            what=words.assumption(row["name"]), old=studies.range_text(_side(row, "before")),
            new=studies.range_text(_side(row, "after"))))
        for row in lesson.outcome["changes"]
        if _moved(row)
    ]  # fmt: skip


def unmoved(lesson: PlanLesson) -> str:
    """How many ranges stay as they are."""
    rows = lesson.outcome["changes"]
    n = sum(1 for row in rows if not _moved(row))
    return _("What was seen says too little of {n} of the {all} assumptions to move them: they "
             "stay as they are.").format(n=n, all=len(rows))  # fmt: skip


def _side(row: Mapping[str, Any], which: str) -> dict[str, float]:
    return {end: row[f"{end}_{which}"] for end in ("low", "value", "high")}


def _moved(row: Mapping[str, Any]) -> bool:
    """The planner moves none by chance."""
    return _side(row, "before") != _side(row, "after")


def ranges_table(lesson: PlanLesson) -> Table:
    """What the plan assumed, what the study says now, what would follow from what happened."""
    now = {row["name"]: row for row in lesson.rollout.result.study.assumptions}
    rows = [
        (
            words.assumption(row["name"]),
            studies.range_text(_side(row, "before")),
            studies.range_text(now[row["name"]]),
            studies.range_text(_side(row, "after")),
            _("{n} % narrower").format(n=number(100 * row["narrowed"], 0))
            if row["narrowed"] >= 0.01
            else _("no narrower"),
        )
        for row in lesson.outcome["changes"]
        if _moved(row)
    ]
    columns = [
        Column(_("Assumption")), Column(_("The plan assumed: low · value · high")),
        Column(_("The study says now")), Column(_("With what happened")), Column(_("Spread")),
    ]  # fmt: skip
    return Table(
        _("Ranges before and after"), columns, rows,
        empty=_("What happened so far moves no range by more than chance would."),
    )  # fmt: skip


def seen_table(lesson: PlanLesson) -> Table:
    """Term by term: foretold, and what was seen."""
    labels = {
        "leaders": _("Leaders available"),
        "abandoned": _("Share who feel left alone"),
        "held_back": _("Share who feel held back"),
    }

    def told(value: float | None, name: str) -> str:
        if name == "leaders":
            return number(value, 1)
        return _("{n} %").format(n=number(None if value is None else 100 * value, 0))

    rows = [
        (
            labels[row["measure"]], row["term"],
            told(row["observed"], row["measure"]),
            _("{middle} ({low} to {high})").format(
                middle=told(row["median_before"], row["measure"]),
                low=told(row["low95_before"], row["measure"]),
                high=told(row["high95_before"], row["measure"]),
            ),
            _("within the range") if row["expected"] else _("outside the range"),
        )
        for row in lesson.outcome["compared"]
    ]  # fmt: skip
    columns = [
        Column(_("What")), Column(_("Term"), numeric=True), Column(_("Seen")),
        Column(_("Foretold, 95 in 100 futures")), Column(_("Beside each other")),
    ]  # fmt: skip
    return Table(_("What was foretold and what was seen"), columns, rows)


def notes(outcome: Mapping[str, Any]) -> list[str]:
    """How much the system's own data say, honestly."""
    found = [
        _("{n} of {all} futures agree with what was seen, in effect.").format(
            n=number(outcome["effective"], 0), all=number(outcome["draws"], 0)
        )
    ]
    if outcome["power"] < 1:
        found.append(
            _("Hardly any future agrees with what was seen. It was therefore taken for less than "
              "it is: what is assumed, or the model, is wrong somewhere. Look before you accept.")
        )  # fmt: skip
    outside = [row for row in outcome["compared"] if not row["expected"]]
    if outside:
        found.append(
            _("{n} of {all} figures seen lie outside what was foretold.").format(
                n=len(outside), all=len(outcome["compared"])
            )
        )
    return found
