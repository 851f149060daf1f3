"""`brightspots twin`: an invented school system with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    out: Annotated[Path, typer.Option(help="Folder for the files; made if needed.")],
    schools: Annotated[int, typer.Option(help="Number of schools.")] = 300,
    years: Annotated[int, typer.Option(help="Number of years, one cohort a year.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 1,
    counties: Annotated[
        int, typer.Option(min=1, help="Number of counties, of 4 and 5 sub-counties in turn.")
    ] = 2,
    cohort: Annotated[float, typer.Option(help="Median number of pupils in a cohort.")] = 38.0,
) -> None:
    """Make an invented school system, as the files a ministry would have.

    Writes into OUT:

    schools.csv: code, name, county, sub_county, latitude, longitude, phase, sector, language,
    roll, poverty (% of pupils on free meals), rurality, opened

    pupils.parquet: school, year, pupil, sex, poverty (0 or 1), prior, reading, mathematics;
    sorted by school

    results_by_school.csv: school, year, subject, mean, candidates, spread (of science)

    leaders.csv: school, role, years_as_head, capacity_days, strength_<subject> (1 to 4)

    boundaries.geojson: counties and sub-counties

    truth/: what was put in (effects of schools, years, areas, heads); never to be imported

    README.txt: says that all of it is invented, and the seed
    """
    from brightspots.pace.twin import TwinParameters, write_twin  # heavy; --help stays quick

    parameters = TwinParameters(
        n_schools=schools,
        n_years=years,
        sub_counties=tuple(4 + at % 2 for at in range(counties)),
        cohort_median=cohort,
        n_remote=min(3, schools // 20),
        n_planted=min(6, schools // 20),
    )
    write_twin(parameters, seed, out)
    typer.echo(f"{schools:,} invented schools over {years} years, seed {seed}: {out}")
