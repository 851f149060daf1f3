"""More schools than leaders have room for: by how much, and where.

Counted before the run from who may lead, how many, and whom they reach; and after it from the
schools that were left out. A leader's room is its capacity, or the schools it reaches with its own
where those are fewer. Schools of different connected parts of the map never share a partnership, so
what is missing in one part cannot come from another: that many schools at least must be left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from brightspots.connectedness.partnerships import Partnerships
from brightspots.connectedness.problem import Parameters, Problem, make_problem
from brightspots.connectedness.reach import ArcStore, study_reach
from brightspots.connectedness.travel import Travel

__all__ = ["Capacity", "left_out_by_area", "room_of_leaders"]

SHOWN = 10
"""So many parts and areas are named in a message."""
AREAS = {
    "area": pl.String, "schools": pl.Int64, "leaders": pl.Int64, "room": pl.Int64,
    "short": pl.Int64,
}  # fmt: skip
PARTS = {
    "part": pl.Int64, "around": pl.String, "areas": pl.String, "schools": pl.Int64,
    "leaders": pl.Int64, "room": pl.Int64, "short": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Capacity:
    """Schools against the room that leaders have.

    Attributes
    ----------
    schools : int
        Schools that some leader could take.
    leaders : int
        Leaders who reach enough schools.
    room : int
        Schools they have room for, their own included.
    short : int
        Schools that must be left out for want of room, at least: the sum over the parts.
    parts : DataFrame
        part, around (the first code in it), areas (the first three), schools, leaders, room, short;
        one row for each connected part of the map, those with the most missing first.
    areas : DataFrame
        area, schools, leaders, room, short; empty without a column area. Leaders may serve schools
        across the border of an area, so `short` here only says where room is scarce.
    """

    schools: int
    leaders: int
    room: int
    short: int
    parts: pl.DataFrame
    areas: pl.DataFrame

    def messages(self) -> tuple[str, ...]:
        """Sentences on what is missing and where; none where there is room for all."""
        if not self.short:
            return ()
        found = [
            f"Leaders have room for too few: {self.schools:,} schools can be reached,"
            f" {self.leaders:,} leaders have room for {self.room:,}, and {self.short:,} schools at"
            " least must be left out."
        ]
        scarce = self.parts.filter(pl.col("short") > 0)
        for row in scarce.head(SHOWN).iter_rows(named=True):
            areas = f" ({row['areas']})" if row["areas"] else ""
            found.append(
                f"Around school {row['around']}{areas}: {row['schools']:,} schools, room for"
                f" {row['room']:,}, {row['short']:,} too many."
            )
        if scarce.height > SHOWN:
            found.append(f"And {scarce.height - SHOWN:,} more parts of the map.")
        short = self.areas.filter(pl.col("short") > 0).sort(
            "short", "area", descending=[True, False]
        )
        if short.height:
            shown = "; ".join(
                f"{row['area']} {row['short']:,} of {row['schools']:,}"
                for row in short.head(SHOWN).iter_rows(named=True)
            )
            more = f"; and {short.height - SHOWN:,} more" if short.height > SHOWN else ""
            found.append(f"Areas with more schools than room of their own leaders: {shown}{more}.")
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures in JSON types, with the parts and areas that are short."""
        return {
            "schools": self.schools,
            "leaders": self.leaders,
            "room": self.room,
            "short": self.short,
            "short_by_part": self.parts.filter(pl.col("short") > 0).to_dicts(),
            "short_by_area": self.areas.filter(pl.col("short") > 0).to_dicts(),
        }


def room_of_leaders(
    schools: pl.DataFrame, parameters: Parameters, travel: Travel | None = None
) -> Capacity:
    """Count the schools against the room of the leaders who reach them.

    Parameters
    ----------
    schools : DataFrame
        As for :func:`brightspots.connectedness.partnerships.form_partnerships`; the column area is
        used where it is there.
    parameters : Parameters
    travel : Travel, optional

    Raises
    ------
    InputError
        For anything in `schools` that cannot be used.
    """
    problem = make_problem(schools, parameters, travel=travel)
    arcs = ArcStore(problem)
    reach = study_reach(problem, arcs)
    room = np.zeros(problem.n, dtype=np.int64)
    for part in arcs:
        room[part.leaders] = np.minimum(
            problem.tables.capacity[part.leaders], np.diff(part.first) + 1
        )
    room[(room < problem.tables.minimum) | ~reach.served] = 0
    area = _areas(problem, schools)
    frame = pl.DataFrame(
        {
            "school": problem.codes.tolist(),
            "area": area,
            "part": reach.component,
            "leader": (room > 0).astype(np.int64),
            "room": room,
            "served": reach.served,
        }
    )
    parts = _parts(frame.filter("served"))
    by_area = _by_area(frame) if "area" in schools.columns else pl.DataFrame(schema=AREAS)
    return Capacity(
        schools=int(reach.served.sum()),
        leaders=int((room > 0).sum()),
        room=int(room.sum()),
        short=int(parts["short"].sum()),
        parts=parts,
        areas=by_area,
    )


def _areas(problem: Problem, schools: pl.DataFrame) -> list[str]:
    if "area" not in schools.columns:
        return [""] * problem.n
    columns = schools.select(pl.col("school", "area").cast(pl.String).str.strip_chars())
    known = dict(columns.iter_rows())
    return [known.get(code) or "" for code in problem.codes.tolist()]


def _counts() -> list[pl.Expr]:
    """Return schools, leaders, room, and how many are missing."""
    return [
        pl.len().cast(pl.Int64).alias("schools"),
        pl.col("leader").sum().alias("leaders"),
        pl.col("room").sum(),
        (pl.len().cast(pl.Int64) - pl.col("room").sum()).clip(lower_bound=0).alias("short"),
    ]


def _parts(frame: pl.DataFrame) -> pl.DataFrame:
    named = pl.col("area").filter(pl.col("area") != "").unique().sort().head(3)
    parts = frame.group_by("part").agg(
        pl.col("school").min().alias("around"), named.str.join(", ").alias("areas"), *_counts()
    )
    return (
        parts.sort(["short", "around"], descending=[True, False])
        .with_columns(part=pl.int_range(1, pl.len() + 1))
        .select(pl.col(name).cast(kind) for name, kind in PARTS.items())
    )


def _by_area(frame: pl.DataFrame) -> pl.DataFrame:
    areas = frame.filter(pl.col("area") != "").group_by("area").agg(_counts()).sort("area")
    return areas.select(pl.col(name).cast(kind) for name, kind in AREAS.items())


def left_out_by_area(result: Partnerships, schools: pl.DataFrame) -> pl.DataFrame:
    """Count the schools left out by area, after a run.

    Returns
    -------
    DataFrame
        area, schools, left_out; those with schools left out only, the most first. Schools without
        an area count as ``""``; without a column area there is one row.
    """
    codes = pl.col("school").cast(pl.String).str.strip_chars()
    area = pl.col("area").cast(pl.String).str.strip_chars().fill_null("")
    frame = schools.select(codes, area if "area" in schools.columns else pl.lit("").alias("area"))
    out = pl.col("school").is_in(result.isolated["school"].implode())
    return (
        frame.group_by("area")
        .agg(pl.len().cast(pl.Int64).alias("schools"), out.sum().cast(pl.Int64).alias("left_out"))
        .filter(pl.col("left_out") > 0)
        .sort(["left_out", "area"], descending=[True, False])
    )
