"""`brightspots evaluate`: the impact of support, from a panel of schools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from brightspots.evidence.impact import Impact

HELP = """Evaluate support from a panel of schools: effects, checks, and how far to trust them.

PANEL is a CSV (gzip allowed), Parquet or XLSX file with one row a school and period:

\b
--unit           code of the school
--time           year (2024), school year (2023/24), date or number
--first-treated  first period with support, in every row of the school;
                 empty, 0 or inf for never
--outcome        a number, such as the school's mean
--covariates     optional, with commas: numbers, or words as indicators

\b
Writes to the folder OUT:
att_gt.csv       group, time, att, se, lower, upper: the effect on schools
                 first treated in a period, by period (Callaway, Sant'Anna)
att_gt_details.csv
                 the same with base, numbers of units and clusters, and why
                 there is no interval or no value
event_times.csv  effects by periods since treatment, with bands that hold
                 together
pretrends.csv    effects before treatment
imputation.csv   the same by imputation (Borusyak, Jaravel, Spiess)
lagged_outcome.csv
                 the same adjusted for earlier outcomes
paths.csv        raw means: group, time, n, mean, sd
balance.csv      treated and other schools before treatment
left_out.csv     unit, reason, periods
aggregates.json  simple, dynamic, group, calendar (att, se, lower, upper, df,
                 ...), imputation, bracket, pretrends, effect_size, security,
                 notes, counts, settings and more

Where nobody is untreated there is no estimate, the security is 0, and there are no months. An
effect of one school or cluster alone has no interval. Bad input: exit code 2 and one line with
file, row and column.
"""


def command(
    panel: Annotated[Path, typer.Argument(help="File with one row a school and period.")],
    unit: Annotated[str, typer.Option("--unit", help="Column of the school.")],
    time: Annotated[str, typer.Option("--time", help="Column of the period.")],
    first_treated: Annotated[
        str, typer.Option("--first-treated", help="Column of the first period with support.")
    ],
    outcome: Annotated[str, typer.Option("--outcome", help="Column of the outcome.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")],
    covariates: Annotated[
        str, typer.Option("--covariates", help="Columns to adjust for, with commas.")
    ] = "",
    control: Annotated[
        str,
        typer.Option(
            "--control", help="Compare with schools never treated, or notyet treated as well."
        ),
    ] = "never",
    anticipation: Annotated[
        float,
        typer.Option(
            "--anticipation",
            help="Periods before treatment that may be moved already; 1 where schools were chosen"
            " on their latest result.",
        ),
    ] = 0.0,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Column of the partnership; errors are clustered in it."),
    ] = None,
    weights: Annotated[
        str | None, typer.Option("--weights", help="Column of weights above 0, such as pupils.")
    ] = None,
    eligible: Annotated[
        str | None,
        typer.Option(
            "--eligible",
            help="Column, yes or no: could have been supported. Others are not compared with.",
        ),
    ] = None,
    design: Annotated[
        str,
        typer.Option("--design", help="Who was supported first: lottery, eligible or comparison."),
    ] = "comparison",
    pupil_sd: Annotated[
        float | None,
        typer.Option(
            "--pupil-sd",
            help="SD of pupils in the unit of the outcome (1 if it is in SD); needed for months.",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="With covariates: dr (doubly robust) or reg.")
    ] = "dr",
    base_period: Annotated[
        str,
        typer.Option("--base-period", help="Before treatment: varying (as R did) or universal."),
    ] = "varying",
    level: Annotated[float, typer.Option("--level", help="Coverage of the intervals.")] = 0.95,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bands that hold together.")] = 0,
) -> None:
    from typing import cast

    from brightspots.core.errors import InputError
    from brightspots.evidence.impact import partnership_impact
    from brightspots.evidence.panel import PanelColumns
    from brightspots.evidence.parameters import Control, Design, ImpactParameters
    from brightspots_cli.partnership_files import in_file
    from brightspots_cli.results import names, write_folder

    parameters = ImpactParameters(
        control=cast("Control", control),
        anticipation=anticipation,
        method=cast("Any", method),
        base_period=cast("Any", base_period),
        level=level,
        seed=seed,
        design=cast("Design", design),
        pupil_sd=pupil_sd,
    )
    columns = PanelColumns(
        unit, time, first_treated, outcome, names(covariates), cluster, weights, eligible
    )
    frame, rows = read_panel_file(panel)
    try:
        result = partnership_impact(frame, columns, parameters)
    except InputError as error:
        raise in_file(error, panel.name, rows) from error
    write_folder(out, tables(result), summary(result), name="aggregates.json")
    for line in in_words(result):
        typer.echo(line)
    typer.echo(f"Results: {out}")


command.__doc__ = HELP


def read_panel_file(path: Path) -> tuple[Any, Any]:
    """Read every cell as text, and the row of the file in which each record stands."""
    from brightspots.core.errors import InputError
    from brightspots.core.tables import read_table

    table = read_table(path)
    for problem in table.problems.filter(table.problems["severity"] == "error").iter_rows(
        named=True
    ):
        raise InputError(
            problem["problem"], file=table.name, row=problem["row"], column=problem["column"],
            mend=problem["mend"],
        )  # fmt: skip
    return table.frame, table.row_numbers


def tables(result: Impact) -> dict[str, Any]:
    """Return the tables by the name of their file."""
    import polars as pl

    short = ["group", "time", "att", "se", "lower", "upper"]
    found = {
        "att_gt.csv": result.cells.select(short),
        "att_gt_details.csv": result.cells,
        "pretrends.csv": result.cells.filter(pl.col("event_time") < 0),
        "lagged_outcome.csv": result.lagged,
        "paths.csv": result.paths,
        "balance.csv": result.balance,
        "left_out.csv": result.left_out,
    }
    if result.aggregates:
        found["event_times.csv"] = result.aggregates["dynamic"].parts
    if result.imputation is not None:
        found["imputation.csv"] = result.imputation.events
    return found if result.trusted else {name: _withheld(each) for name, each in found.items()}


ESTIMATES = ("att", "se", "lower", "upper", "band_lower", "band_upper", "df")


def _withheld(found: Any) -> Any:
    """Take the estimates out of a table, or of what goes into the summary; what was seen stays."""
    import polars as pl

    if isinstance(found, pl.DataFrame):
        taken = [name for name in ESTIMATES if name in found.columns]
        return found.with_columns(pl.lit(None, pl.Float64).alias(name) for name in taken)
    if isinstance(found, dict):
        return {key: None if key in ESTIMATES else _withheld(each) for key, each in found.items()}
    return [_withheld(each) for each in found] if isinstance(found, list) else found


def summary(result: Impact) -> dict[str, Any]:
    """Return the content of aggregates.json."""
    from brightspots.evidence.aggregates import Kind

    kinds: tuple[Kind, ...] = ("simple", "dynamic", "group", "calendar")
    nothing = result.simple.as_dict()
    estimates: dict[str, Any] = {
        kind: result.aggregates[kind].as_dict()
        if kind in result.aggregates
        else nothing
        if kind == "simple"
        else {"overall": nothing}
        for kind in kinds
    }
    beside = {
        "imputation": result.imputation,
        "bracket": result.bracket,
        "pretrends": result.pre_trends,
        "effect_size": result.size,
        "security": result.security,
    }
    if not result.trusted:
        estimates = _withheld(estimates)
        beside |= dict.fromkeys(("imputation", "bracket", "pretrends"))
    return {
        **estimates,
        **{name: None if each is None else each.as_dict() for name, each in beside.items()},
        "notes": list(result.notes),
        **result.counts,
        **result.provenance.as_dict(),
    }


def in_words(result: Impact) -> list[str]:
    """Say what was found, how sure it is, and what to know beside it."""
    n = result.counts
    lines = [
        f"{n['treated_units']:,} supported and {n['comparison_units']:,} other schools,"
        f" {len(n['periods'])} periods; {result.left_out.height:,} left out."
    ]
    simple = result.simple
    if simple.att is None:
        lines.append("No estimate.")
    elif simple.lower is None or simple.upper is None:
        lines.append(f"No estimate. There is {simple.why}.")
    else:
        lines.append(
            f"Effect {simple.att:.4f} ({simple.lower:.4f} to {simple.upper:.4f}), in the unit of"
            " the outcome."
        )
    pair = result.bracket
    if result.trusted and pair is not None and pair.lagged.att is not None:
        lines.append(f"Adjusted for earlier outcomes: {pair.lagged.att:.4f}.")
    size = result.size
    if size is not None and size.months is not None:
        lines.append(
            f"Months of progress: {size.months} ({size.months_lower} to {size.months_upper});"
            f" {size.percentile_gain:+.1f} percentile points for a pupil at the middle."
        )
    rating = result.security
    lines.append(f"Security of the evidence: {rating.rating} of 5 ({'; '.join(rating.reasons)}).")
    return [*lines, *result.notes]
