"""What `brightspots partnerships` reads and writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from brightspots.connectedness.changes import Changes, apply_changes, open_schools, read_existing
from brightspots.connectedness.leaders import read_leaders, with_leaders
from brightspots.connectedness.pins import Pins, check_pins, read_pins
from brightspots.connectedness.travel_files import read_travel
from brightspots.core.errors import InputError
from brightspots.core.provenance import hash_file
from brightspots.core.tables import read_table

if TYPE_CHECKING:
    from brightspots.connectedness.capacity_checks import Capacity
    from brightspots.connectedness.difference import Difference
    from brightspots.connectedness.partnerships import Parameters, Partnerships
    from brightspots.connectedness.travel import Travel


@dataclass(frozen=True)
class Files:
    """The files a person named."""

    schools: Path
    existing: Path | None = None
    pins: Path | None = None
    leaders: Path | None = None
    travel: Path | None = None
    barriers: Path | None = None

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file that was named, by what it is."""
        named = {name: path for name, path in vars(self).items() if path is not None}
        return {name: hash_file(path) for name, path in named.items()}


@dataclass(frozen=True)
class Inputs:
    """What stands in the files, checked against each other.

    `listed` holds all rows of the schools' file, `schools` those that are open; `rows` the row of
    the file in which each of `schools` stands.
    """

    listed: pl.DataFrame
    schools: pl.DataFrame
    rows: pl.Series
    name: str
    changes: Changes | None = None
    pins: Pins = field(default_factory=Pins)
    travel: Travel | None = None
    notes: tuple[str, ...] = ()

    @property
    def others(self) -> dict[str, Any]:
        """Arguments of the forming beside schools and parameters, as far as there are any."""
        given: dict[str, Any] = {}
        if self.pins:
            given["pins"] = self.pins
        if self.travel is not None:
            given["travel"] = self.travel
        return given

    def placed(self, error: InputError) -> InputError:
        """Give an error about the schools its file and the row of that file."""
        return error if error.file is not None else in_file(error, self.name, self.rows)


def read_inputs(files: Files, parameters: Parameters) -> Inputs:
    """Read all files and check them against each other, before anything is computed.

    Raises
    ------
    InputError
        With file, row and column.
    """
    frame, rows = read_schools_file(files.schools)
    if "school" not in frame.columns:
        columns = ", ".join(frame.columns) or "none"
        raise InputError(
            "the column school is missing.", file=files.schools.name, column="school",
            mend=f"Columns found: {columns}.",
        )  # fmt: skip
    whole = Inputs(frame, frame, rows, files.schools.name)
    try:
        table = None if files.existing is None else read_existing(files.existing)
        changes = None if table is None else apply_changes(frame, table)
        opened, kept = (
            (changes.schools, changes.kept) if changes is not None else open_schools(frame)
        )
        if files.leaders is not None:
            opened = with_leaders(opened, read_leaders(files.leaders), parameters.minimum)
    except InputError as error:
        raise whole.placed(error) from error
    found = replace(whole, schools=opened, rows=rows.filter(kept))
    try:
        read = None
        if files.travel is not None or files.barriers is not None:
            read = read_travel(opened, files.travel, files.barriers)
        travel = None if read is None else read.travel
        pins = Pins() if files.pins is None else read_pins(files.pins)
        if files.pins is not None:
            gone = set(frame["school"].str.strip_chars()) - set(opened["school"].str.strip_chars())
            gone |= set() if changes is None else {*changes.closed, *changes.merged}
            check_pins(pins, opened, parameters, travel, gone, name=files.pins.name)
    except InputError as error:
        raise found.placed(error) from error
    return replace(
        found,
        changes=None if changes is None else replace(changes, schools=opened),
        pins=pins,
        travel=travel,
        notes=(*_leading_several(changes), *(() if read is None else read.notes)),
    )


def _leading_several(changes: Changes | None) -> list[str]:
    """Say which schools lead several of the present partnerships: afterwards none does."""
    if changes is None:
        return []
    led = changes.before.select("leader_school", "partnership").drop_nulls().unique()
    by_leader = led.sort("partnership").group_by("leader_school").agg("partnership")
    several = by_leader.filter(pl.col("partnership").list.len() > 1).sort("leader_school")
    return [
        f"The school {leader} leads {len(names)} of the present partnerships"
        f" ({', '.join(names)}); a school leads one at most, so the others get another leader or"
        " end."
        for leader, names in several.iter_rows()
    ]


def in_file(error: InputError, name: str, rows: pl.Series) -> InputError:
    """Give an error about a table the name of its file and the row of that file.

    The library counts the rows of the table; titles and blank rows of the file count too.
    """
    row = None if error.row is None else int(rows[error.row - 2])
    return InputError(error.what, file=name, row=row, column=error.column, mend=error.mend)


def read_schools_file(path: Path) -> tuple[pl.DataFrame, pl.Series]:
    """Read every cell as text; also the row of the file in which each school stands.

    Raises
    ------
    InputError
        If the file cannot be read, or a row has too many or too few values.
    """
    table = read_table(path)
    errors = table.problems.filter(table.problems["severity"] == "error")
    for problem in errors.head(1).iter_rows(named=True):
        raise InputError(
            problem["problem"],
            file=table.name,
            row=problem["row"],
            column=problem["column"],
            mend=problem["mend"],
        )
    names = {column: column.strip().lower() for column in table.columns}
    frame = table.frame
    if len(set(names.values())) == len(names):
        frame = frame.rename(names)
    return frame, table.row_numbers


def members_to_write(result: Partnerships, *, serve_all: bool) -> pl.DataFrame:
    """Return the rows of partnerships.csv; the column exception only where it was asked for."""
    members = result.members.with_columns(pl.col("distance_km").round(6))
    return members if serve_all else members.drop("exception", strict=False)


def summary(
    result: Partnerships,
    *,
    found: Difference | None = None,
    room: Capacity | None = None,
    left_out: pl.DataFrame | None = None,
    notes: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the content of summary.json."""
    parts = dict(result.objective)
    stages = dict(result.seconds)
    more: dict[str, Any] = {}
    if found is not None:
        more["difference"] = found.as_dict()
    if room is not None:
        more["capacity"] = room.as_dict()
    if left_out is not None:
        more["isolated_by_area"] = left_out.to_dicts()
    if result.broken_pins.height:
        more["broken_pins"] = result.broken_pins.to_dicts()
    if notes:
        more["notes"] = list(notes)
    return {
        "n_schools": result.n_schools,
        "n_served": result.members.height,
        "n_partnerships": result.n_partnerships,
        "n_isolated": result.isolated.height,
        "isolated": result.isolated.to_dicts(),
        "objective": parts.pop("total"),
        "objective_parts": parts,
        "lower_bound": result.lower_bound,
        "gap": result.gap,
        "n_schools_proved_optimal": result.n_proved,
        "stopped_early": result.stopped_early,
        "seconds": round(stages.pop("total"), 3),
        "seconds_by_stage": {stage: round(value, 3) for stage, value in stages.items()},
        **more,
        **result.provenance.as_dict(),
    }
