"""`brightspots partnerships --frontier`: schools moved against cost, price by price."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import typer

from brightspots.connectedness.frontier import FRONTIER, frontier
from brightspots.connectedness.partnerships import StopEarly
from brightspots.connectedness.problem import METHOD, METHOD_VERSION
from brightspots.core.errors import InputError
from brightspots_cli.interruption import asked_to_stop
from brightspots_cli.partnership_files import Files, Inputs, read_inputs
from brightspots_cli.partnerships import stage_in_words
from brightspots_cli.progress import progress_bar
from brightspots_cli.results import names, write_folder

if TYPE_CHECKING:
    from brightspots.connectedness.changes import Changes
    from brightspots.connectedness.partnerships import Parameters

CURVE = "frontier.csv"
MADE_FROM = "frontier.json"


def show_frontier(
    files: Files, parameters: Parameters, prices: str, *, seed: int, out: Path
) -> None:
    """Form at each price, keep each point at once, and show the curve."""
    wanted = _prices(prices)
    inputs = read_inputs(files, parameters)
    for note in inputs.notes:
        typer.echo(note, err=True)
    settings = parameters.as_dict()
    settings["weights"] = {**settings["weights"]} | {"disruption": None}  # each price in turn
    made_from = {
        "method": METHOD, "method_version": METHOD_VERSION, "seed": seed,
        "settings": settings, "input_hashes": files.hashes(),
    }  # fmt: skip
    known = _known(out, made_from)
    if known is not None and (done := known.filter(pl.col("price").is_in(wanted)).height):
        typer.echo(f"{done} of {len(wanted)} prices were done before and are kept.", err=True)

    def keep(rows: pl.DataFrame) -> None:
        write_folder(out, {CURVE: rows}, made_from, name=MADE_FROM)

    if inputs.changes is None:
        raise InputError("there are no present partnerships.", mend="Say --existing FILE.")
    found = _formed(inputs, inputs.changes, wanted, parameters, seed, known, keep)
    keep(found)
    unit = "km" if inputs.travel is None else inputs.travel.limit_unit
    for price, moved, cost, gap in found.select("price", "moved", "cost", "gap").iter_rows():
        proved = "" if gap is None else f", within {100 * gap:.2f} %"
        move = "school moves" if moved == 1 else "schools move"
        typer.echo(f"price {price:g}: {moved:,} {move}, cost {cost:,.1f} {unit}{proved}")
    left = len(wanted) - found.height
    more = f" {left} prices are left: the same command goes on." if left else ""
    typer.echo(f"{found.height} of {len(wanted)} prices; written to {out / CURVE}.{more}")


def _formed(
    inputs: Inputs, changes: Changes, wanted: list[float], parameters: Parameters, seed: int,
    known: pl.DataFrame | None, keep: Any,
) -> pl.DataFrame:  # fmt: skip
    words = "Stopping: the prices that are done are kept. Press Ctrl-C again to give up."
    with asked_to_stop(words) as stop, progress_bar() as show:

        def progress(share: float, stage: str) -> None:
            show(share, stage_in_words(stage))
            if stop():
                raise StopEarly

        try:
            return frontier(
                inputs.schools, changes, wanted, parameters, seed=seed, progress=progress,
                known=known, keep=keep, **inputs.others,
            )  # fmt: skip
        except InputError as error:
            raise inputs.placed(error) from error


def _prices(text: str) -> list[float]:
    try:
        prices = sorted({float(price) for price in names(text)})
        if not prices or not all(math.isfinite(price) and price >= 0 for price in prices):
            raise ValueError
        return prices
    except ValueError:
        raise InputError(
            f'"{text}" is not a list of prices.',
            mend="Give numbers from 0 up, such as 0,0.5,1,2,5,10.",
        ) from None


def _known(out: Path, made_from: dict[str, Any]) -> pl.DataFrame | None:
    """Points of an earlier run of the same files, settings and seed."""
    try:
        if json.loads((out / MADE_FROM).read_text(encoding="utf-8")) != made_from:
            return None
        return pl.read_csv(out / CURVE, schema=FRONTIER)
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return None
