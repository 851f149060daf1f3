"""What the page of one evaluation shows, and the card that leads to all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import evaluation_charts as drawn
from brightspots_web.evidence import evaluation_queries as queries
from brightspots_web.evidence import evaluation_words as words
from brightspots_web.evidence.evaluation_models import Evaluation, EvaluationResult
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]
State = Evaluation.State


def url(evaluation: Evaluation) -> str:
    return reverse("evidence:evaluation", args=[evaluation.pk])


def crumbs(*further: Link | str) -> list[Link]:
    listed = [
        Link(_("Evidence"), reverse("evidence:home")),
        Link(_("What works and what does not"), reverse("evidence:works")),
    ]
    return [*listed, *(each if isinstance(each, Link) else Link(each) for each in further)]


def home_card(acting: Appointment | None) -> Mapping[str, Any] | None:
    """The card of this part on the overview; None where the person reads nothing of it."""
    if acting is None:
        return None
    counts = queries.counted()
    total, published = sum(counts.values()), counts.get(State.PUBLISHED, 0)
    text = ngettext("%(n)s evaluation", "%(n)s evaluations", total) % {"n": number(total, 0)}
    return {
        "heading": _("What works and what does not"),
        "text": _("{all}; {n} published. Those without an effect are listed as well.").format(
            all=text, n=number(published, 0)
        ),
        "url": reverse("evidence:works"),
        "link": _("See every evaluation"),
    }


def front_items(acting: Appointment | None) -> Sequence[Mapping[str, str]]:
    """What of this part waits for the person."""
    if not queries.may_publish(acting):
        return []
    return [
        {
            "text": _("An evaluation was run and waits to be published: {title}.").format(
                title=each.title
            ),
            "url": url(each),
            "link": _("Look at it"),
        }
        for each in queries.waiting_for_publication()
    ]


# One evaluation


def page(found: Evaluation, acting: Appointment | None, *, newest: bool = False) -> Row:
    """Everything the page needs; the caller has checked that it may be opened."""
    result = queries.shown_result(acting, found, newest=newest)
    finding = result.found if result is not None else None
    evaluates = queries.may_evaluate(acting)
    open_ = found.state in {State.PLANNED, State.RUN}
    results = queries.results_of(found)
    return {
        "evaluation": found,
        "breadcrumb": crumbs(found.title),
        "badge": words.badge(found),
        "what": words.what(found),
        "finding": finding,
        "design": _design(found, finding),
        "power": words.power(found.power),
        "cost": words.cost(found),
        "history": _history(found, results),
        "runs": _runs(results) if evaluates else None,
        "newer": _newer(found, result, results) if evaluates else "",
        "may_change": evaluates and open_,
        "may_run": evaluates and found.state != State.WITHDRAWN,
        "may_publish": queries.may_publish(acting) and _publishable(found, results),
        "may_withdraw": _may_withdraw(found, acting),
        **(_found(found, result, finding) if result is not None and finding is not None else {}),
    }


def _newer(
    found: Evaluation, shown: EvaluationResult | None, results: Sequence[EvaluationResult]
) -> str:
    """Where a run that is newer than the one shown can be looked at; "" where there is none."""
    if shown is None or not results or shown.pk == results[0].pk:
        return ""
    return f"{url(found)}?run=newest"


def _publishable(found: Evaluation, results: Sequence[EvaluationResult]) -> bool:
    if not results or found.state == State.WITHDRAWN:
        return False
    return found.state == State.RUN or found.published_result_id != results[0].pk


def _may_withdraw(found: Evaluation, acting: Appointment | None) -> bool:
    if found.state == State.WITHDRAWN:
        return False
    publishes = queries.may_publish(acting)
    return publishes or (found.published_at is None and queries.may_evaluate(acting))


def _design(found: Evaluation, finding: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    rows = [
        (_("Who counts, and since when"), words.rule(found)),
        (_("Compared with"), words.comparison(found, finding)),
        (_("Before it began"), words.anticipation(found)),
        (_("Where the comparison comes from"), str(found.get_design_display())),
        (_("Adjusted for"), words.adjusted((finding or {}).get("adjusted", found.covariates))),
        (_("Outcome"), found.subject),
    ]
    if found.cluster:
        rows.append((
            _("One piece of evidence"),
            _("The schools of a partnership count together, since they learn from each other."),
        ))  # fmt: skip
    if found.control == Evaluation.Control.NONE:
        del rows[2:5]  # of a comparison, where there is none
    if finding is not None and found.lottery is not None:
        rows.append((_("Who did as it was drawn"), words.as_drawn(finding)))
    if finding is not None:
        rows.append((_("Kind of schools that began"), words.contexts(finding.get("context", []))))
    return rows


def _found(found: Evaluation, result: EvaluationResult, finding: Mapping[str, Any]) -> Row:
    made = "#history"
    return {
        "result": result,
        "sentence": words.sentence(finding, found.subject),
        "figures": _figures(finding, result, made),
        "security": words.security(finding),
        "reasons": words.reasons(finding),
        "trends": words.trends(finding),
        "bracket": words.bracket(finding),
        "beside": _beside(finding),
        "balance": _balance(finding),
        "left_out": _left_out(found, finding),
        "charts": drawn.charts_of(finding),
        "hidden": _hidden(finding),
        "record": _record(result),
        "made_url": made,
        "record_url": reverse("evidence:evaluation_record", args=[found.pk]),
        "exports": export_links("evidence:evaluation_export", found.pk),
    }


def _figures(finding: Mapping[str, Any], result: EvaluationResult, made: str) -> list[KeyFigure]:
    """Effect, percentile gain and months, each with both ends; nothing where there is no effect."""
    if not words.has_effect(finding):
        return []
    simple, n = finding["simple"], finding["counts"]["treated_units"]
    about = {
        "n": n, "n_of": _("schools that began"), "as_of": words.on_day(result.made_at),
        "made_url": made,
    }  # fmt: skip
    figures = [
        KeyFigure(
            _("Effect"),
            words.sd(simple["att"]),
            _("SD of pupils"),
            _("{low} and {high}").format(
                low=words.sd(simple["lower"]), high=words.sd(simple["upper"])
            ),
            **about,
        )
    ]
    gain, months = words.percentile(finding), words.months(finding)
    if gain is not None:
        figures.append(KeyFigure(
            _("Percentile gain"), gain[0], _("places"), gain[1],
            sentence=_("How many of a hundred pupils one at the middle would move past."), **about,
        ))  # fmt: skip
    if months is not None:
        figures.append(KeyFigure(_("Months of progress"), months[0], "", months[1], **about))
    return figures


def _beside(finding: Mapping[str, Any]) -> Table | None:
    """The same question answered in other ways."""
    if not words.has_effect(finding):
        return None
    found = finding.get("bracket") or {}
    rows: list[tuple[str, Mapping[str, Any] | None, str]] = [
        (_("Change beside the change of others"), finding["simple"],
         _("Right if both would have moved alike.")),
        (_("By imputation"), finding.get("imputation"),
         _("Right under the same condition; uses all years before.")),
        (_("Adjusted for earlier results"), found.get("lagged_outcome"),
         _("Right if schools with the same past would have the same future.")),
    ]  # fmt: skip
    cells: list[list[Cell]] = [
        [name, words.sd(each["att"]), _ends(each), when]
        for name, each, when in rows
        if each and each.get("att") is not None
    ]
    return Table(
        _("The same question in three ways"),
        [
            Column(_("Way")),
            Column(_("Effect, SD of pupils"), numeric=True),
            Column(_("Likely between")),
            Column(_("When it is right")),
        ],
        cells,
    )


def _ends(each: Mapping[str, Any]) -> str:
    if each.get("lower") is None or each.get("upper") is None:
        return _("not known")
    return _("{low} and {high}").format(low=words.sd(each["lower"]), high=words.sd(each["upper"]))


def _balance(finding: Mapping[str, Any]) -> Table | None:
    rows: list[list[Cell]] = [
        [
            _("results")
            if each["measure"] == "outcome"
            else words.adjusted([each["measure"].removeprefix("about: ")]),
            words.sd(each["treated"]),
            words.sd(each["comparison"]),
            words.sd(each["standardised"]),
        ]
        for each in finding.get("balance", [])
    ]
    if not rows:
        return None
    return Table(
        _("How alike the schools were before"),
        [
            Column(_("What")),
            Column(_("Schools that began"), numeric=True),
            Column(_("The others"), numeric=True),
            Column(_("Apart, in SD of schools"), numeric=True),
        ],
        rows,
    )


def _left_out(found: Evaluation, finding: Mapping[str, Any]) -> Table:
    rows: list[list[Cell]] = [[why, n] for why, n in words.left_out(finding)]
    return Table(
        _("Who was left out"),
        [Column(_("Why")), Column(_("Schools"), numeric=True)],
        rows,
        empty=_("Nobody: every school with figures is in it."),
    )


def _hidden(finding: Mapping[str, Any]) -> str:
    if not finding.get("hidden_groups"):
        return ""
    return _(
        "In some year fewer than three schools began. So that these cannot be told, all that began "
        "are drawn together. They count in the effect."
    )


def _record(result: EvaluationResult) -> list[tuple[str, Cell]]:
    """Provenance: run, method, seed, hash."""
    return [
        (_("Run on"), words.on_day(result.made_at)),
        (_("Asked for by"), result.made_by),
        (
            _("On the figures of"),
            Link(str(result.run), reverse("insight:run", args=[result.run])),
        ),
        (_("Method and version"), f"{result.method} {result.method_version}"),
        (_("Seed"), str(result.seed)),
        (_("Hash of what went in"), result.input_hash),
    ]


def _history(found: Evaluation, results: Sequence[EvaluationResult]) -> list[str]:
    said = [
        _("Planned on {day} by {who}.").format(
            day=words.on_day(found.planned_at), who=found.planned_by
        )
    ]
    if results:
        said.append(
            ngettext(
                "It was run once. Every run is counted.",
                "It was run %(n)s times. Every run is counted.",
                len(results),
            )
            % {"n": number(len(results), 0)}
        )
    if found.changed_after:
        said.append(
            ngettext(
                "The plan was changed once after a result had been seen: read it with more doubt.",
                "The plan was changed %(n)s times after a result had been seen: read it with more "
                "doubt.",
                found.changed_after,
            )
            % {"n": number(found.changed_after, 0)}
        )
    if found.published_at is not None:
        said.append(
            _("Published on {day} by {who}.").format(
                day=words.on_day(found.published_at), who=found.published_by
            )
        )
    return said


def _runs(results: Sequence[EvaluationResult]) -> Table:
    rows: list[list[Cell]] = [
        [words.on_day(each.made_at), each.made_by, words.effect(each.found) or _("no estimate")]
        for each in results
    ]
    return Table(
        _("Every run of it"),
        [Column(_("Day")), Column(_("Asked for by")), Column(_("Effect"))],
        rows,
        empty=_("It was not run yet."),
    )
