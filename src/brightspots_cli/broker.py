"""`brightspots broker`: which offer of support each request goes to, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl

    from brightspots.connectedness.brokering import Brokering

HELP = """Suggest which offer of support each request goes to, and why; list those that find none.

REQUESTS is a CSV (gzip allowed), Parquet or XLSX file with one row a request:

\b
request    code of the request; read as text, as are all codes
school     code of the school that asks
priority   what for, such as: early reading
days       optional: days of support; 5 if empty
latitude   optional degrees; 0, 0 and empty stand for an unknown place
longitude  optional degrees
language   optional text; several with ";", "all" fits every language
phase      optional text; as language
family     optional: its family, or the schools like it with ";"
area       optional: name or code of its area
weight     optional number above 0: how much more it counts if it finds
           no offer; 1 if empty

OFFERS has one row an offer:

\b
offer      code of the offer
school     code of the school that gives; or a column leader
priority   what for; several with ";", "all" for every one
places     optional: requests it takes at once; empty for no limit
           (the column may be called capacity)
days       optional: days it has in all; empty for no limit
latitude, longitude, language, phase, family, area
           optional, as above
strength_early_reading (or strength, for every priority)
           optional number: the higher, the stronger; any scale, or 1 and 0
gain_early_reading, se_early_reading, projects_early_reading
           optional track record: mean gain of past projects and its
           standard error (SD of pupils), and how many there were

\b
Writes to the folder OUT:
matches.csv     request, offer, score, distance_km, reasons
shortlists.csv  request, rank, offer, score, more_than_best, distance_km,
                reasons
unmatched.csv   request, kind, reason
summary.json    n_requests, n_matched, n_unmatched, by_area, cost_km,
                bound_km, gap, notes, seconds, settings and more

As many requests as can be are matched, then at the least cost; score is in km, and the lower
it is the better the offer suits. A school never supports itself. The same files, settings and
seed give the same matches, in whatever order the rows stand. Bad input: exit code 2 and one
line with file, row and column.
"""


def command(
    requests: Annotated[Path, typer.Argument(help="File with one row a request.")],
    offers: Annotated[Path, typer.Argument(help="File with one row an offer.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")],
    max_km: Annotated[
        float, typer.Option("--max-km", help="Longest way between the two schools, km.")
    ] = 25.0,
    seed: Annotated[int, typer.Option("--seed", help="Seed of what is drawn to explore.")] = 0,
    exploration: Annotated[
        float,
        typer.Option(
            "--exploration",
            help="Share of requests, 0 to 1, in which offers with little record get their chance.",
        ),
    ] = 0.1,
    fairness: Annotated[
        float,
        typer.Option(
            "--fairness",
            help="How far an area's share of unmatched requests may pass the system's; 1 for no"
            " such rule.",
        ),
    ] = 0.1,
    same_language: Annotated[
        bool, typer.Option("--same-language", help="Forbid pairs that share no language.")
    ] = False,
    same_phase: Annotated[
        bool, typer.Option("--same-phase", help="Forbid pairs that share no phase.")
    ] = False,
    askers_may_give: Annotated[
        bool,
        typer.Option(
            "--askers-may-give", help="A school may give support in what it asks support for."
        ),
    ] = False,
    shortlist: Annotated[
        int, typer.Option("--shortlist", help="Offers on the shortlist of each request.")
    ] = 3,
    conflicts: Annotated[
        Path | None,
        typer.Option(
            "--conflicts",
            help="File with pairs ruled out: request or school; offer or offer_school; reason.",
        ),
    ] = None,
) -> None:
    from brightspots.connectedness.brokering import BrokerParameters, broker
    from brightspots.core.errors import InputError
    from brightspots_cli.partnership_files import in_file, read_schools_file
    from brightspots_cli.progress import progress_bar
    from brightspots_cli.results import write_folder

    parameters = BrokerParameters(
        max_km=max_km,
        exploration=exploration,
        fairness=fairness,
        same_language=same_language,
        same_phase=same_phase,
        askers_may_give=askers_may_give,
        shortlist=shortlist,
    )
    files = {"requests": requests, "offers": offers}
    if conflicts is not None:
        files["conflicts"] = conflicts
    frames: dict[str, pl.DataFrame] = {}
    rows: dict[str, pl.Series] = {}
    for name, path in files.items():
        frames[name], rows[name] = read_schools_file(path)
    try:
        with progress_bar() as progress:
            result = broker(
                frames["requests"], frames["offers"], parameters, seed,
                conflicts=frames.get("conflicts"), progress=progress,
            )  # fmt: skip
    except InputError as error:
        if error.file not in files:
            raise
        raise in_file(error, files[error.file].name, rows[error.file]) from error
    tables = {
        "matches.csv": result.matches,
        "shortlists.csv": result.shortlists,
        "unmatched.csv": result.unmatched,
    }
    write_folder(out, tables, summary(result))
    typer.echo(
        f"{result.matches.height:,} of {result.n_requests:,} requests matched;"
        f" {result.unmatched.height:,} without an offer; written to {out}."
    )
    for note in result.notes[:5]:
        typer.echo(note)


command.__doc__ = HELP


def summary(result: Brokering) -> dict[str, Any]:
    """Return the content of summary.json."""
    stages = dict(result.seconds)
    kinds = result.unmatched["kind"].value_counts().sort("kind")
    return {
        "n_requests": result.n_requests,
        "n_offers": result.n_offers,
        "n_matched": result.matches.height,
        "n_unmatched": result.unmatched.height,
        "unmatched_by_kind": dict(kinds.iter_rows()),
        "by_area": result.by_area.to_dicts(),
        "cost_km": result.cost_km,
        "bound_km": result.bound_km,
        "gap": result.gap,
        "proved_over": result.proved_over,
        "notes": list(result.notes),
        "seconds": round(stages.pop("total"), 3),
        "seconds_by_stage": {stage: round(value, 3) for stage, value in stages.items()},
        **result.provenance.as_dict(),
    }
