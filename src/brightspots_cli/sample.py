"""`brightspots sample`: a small invented school system to look around in."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brightspots.core.errors import InputError
from brightspots_cli import platform, sample_life

if TYPE_CHECKING:
    from brightspots_web.directory.models import Appointment, Partnership

CAST_DOMAIN = "sample.invalid"
LEADERS_DOMAIN = "leaders.sample.invalid"


def command(
    home: Annotated[Path, typer.Option(help="Folder of the sample system.")] = Path("var/sample"),
    schools: Annotated[int, typer.Option(min=60, help="Number of invented schools.")] = 300,
    years: Annotated[int, typer.Option(min=1, max=10, help="Years of results.")] = 4,
    seed: Annotated[int, typer.Option(help="Another seed invents another system.")] = 1,
    serve: Annotated[bool, typer.Option("--serve", help="Then serve it.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    processes: Annotated[int, typer.Option(help="Web server processes.")] = 2,
) -> None:
    """Invent a school system, run the main job on it, and serve it.

    The first time it is invented by the library's twin, written as the files a ministry would
    have, imported, analysed, and put into partnerships: the same doors as real data. Everything
    in it is invented, and every page says so. Sign in with one click as any of its people.
    """
    if os.environ.get("DATABASE_URL"):
        raise InputError(
            "the sample keeps to its own embedded database, but DATABASE_URL is set.",
            mend="Unset DATABASE_URL for this command.",
        )
    _clear_unfinished(home)
    ready = home / "sample-is-ready"
    if not ready.exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "sample-is-being-made").touch()
        platform.start(
            home, settings="sample", system_name=_write_files(home, schools, years, seed)
        )
        _fill(home / "files", seed)
        (home / "sample-is-being-made").rename(ready)
    else:
        platform.start(home, settings="sample")
    if serve:
        from brightspots_cli.serve import serve as serve_it

        print(f"Look around as the people of the sample: http://{host}:{port}/sample/sign-in/")
        serve_it(host, port, processes=processes)


def _clear_unfinished(home: Path) -> None:
    """Remove a sample whose making was cut off; leave anything else alone."""
    if (home / "sample-is-being-made").exists():
        shutil.rmtree(home)
    elif home.exists() and any(home.iterdir()) and not (home / "sample-is-ready").exists():
        raise InputError(
            f"the folder {home} holds something that is not a sample system.",
            mend="Name another folder with --home.",
        )


def _write_files(home: Path, schools: int, years: int, seed: int) -> str:
    """Invent the system, write its files, and return its name."""
    from brightspots.pace.twin import TwinParameters, simulate
    from brightspots_cli.sample_life.practice_truth import with_practices

    print(f"Inventing {schools} schools over {years} years (seed {seed}) …")
    twin = with_practices(simulate(TwinParameters(n_schools=schools, n_years=years), seed=seed))
    twin.write(home / "files")
    nation = twin.areas.filter(twin.areas["level"] == 0)["name"][0]
    return f"{nation} (invented)"


def _fill(files: Path, seed: int) -> None:
    """Take the files through the doors a ministry would use."""
    from brightspots_cli.import_ import FileKind
    from brightspots_cli.import_ import command as import_file
    from brightspots_web.directory import actions

    import_file(
        files / "schools.csv",
        FileKind.schools,
        set_=[
            *("code=code", "name=name", "area_path=county", "area_path=sub_county"),
            *("latitude=latitude", "longitude=longitude", "phase=phase", "sector=sector"),
            *("language=language", "roll=roll", "context:poverty=poverty"),
            "context:rurality=rurality",
        ],
        save_mapping="Sample schools",
    )
    for level in (1, 2):
        import_file(
            _boundaries_of(files / "boundaries.geojson", level),
            FileKind.boundaries,
            property_="name",
            level=level,
        )
    import_file(
        files / "results_by_school.csv",
        FileKind.results,
        set_=[
            *("school=school", "year=year", "subject=subject", "mean=mean"),
            *("candidates=candidates", "spread=spread"),
        ],
        save_mapping="Sample results by school",
    )
    import_file(
        files / "pupils.parquet",
        FileKind.pupils,
        set_=[
            *("school=school", "year=year", "pupil=pupil", "score@reading=reading"),
            *("score@mathematics=mathematics", "context:prior=prior", "context:sex=sex"),
            "context:poverty=poverty",
        ],
        save_mapping="Sample pupils",
    )
    _main_job()
    actions.name_system(_system_name(), is_sample=True)
    _appoint_cast()
    _visit_bright_spots()
    print("Letting its people work together for a few months …")
    sample_life.fill(seed, _cast())


def _cast() -> dict[str, Appointment]:
    from brightspots_web.directory import queries

    return {each.person.email.partition("@")[0]: each for each in queries.sample_cast()}


def _boundaries_of(file: Path, level: int) -> Path:
    """Write the areas of one level to a file of their own, as ministries have them."""
    whole = json.loads(file.read_text())
    features = [each for each in whole["features"] if each["properties"]["level"] == level]
    part = file.with_name(f"boundaries-level-{level}.geojson")
    part.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return part


def _system_name() -> str:
    from brightspots_web.directory import queries

    system = queries.system()
    return system.name if system else "School system"


def _main_job() -> None:
    from brightspots_cli.analyse import command as analyse
    from brightspots_cli.propose import propose

    analyse(note="A first look, before there were partnerships.")
    settings = {"minimum": 4, "maximum": 8, "max_km": 25.0}
    propose(settings, seed=0, adopt=True, home=None)
    # Partnerships are formed by what schools are strong in, and have figures of their own once
    # they are there.
    analyse(note="With the partnerships as they are now.")


def _appoint_cast() -> None:
    """Appoint the invented people: one for each role, and a leader for nearly every partnership."""
    from brightspots_web.connectedness import queries as connectedness
    from brightspots_web.directory import actions

    by = actions.command_line_operator()
    partnerships = list(connectedness.partnerships_in(by).order_by("pk"))
    shown = partnerships[len(partnerships) // 2]
    for partnership in partnerships[:-1]:
        if partnership != shown:
            _appoint_leader(partnership, by)
    members = [m.school for m in connectedness.members_of(shown)]
    district = members[0].area.parent or members[0].area
    _appoint("minister", "The minister", "minister", by)
    _appoint("analyst", "The ministry's analyst", "analyst", by)
    officer = f"The officer for {district.name}"
    _appoint("officer", officer, "district_officer", by, area=district)
    leader = f"The head of {members[0].name}"
    _appoint("leader", leader, "system_leader", by, partnership=shown, school=members[0])
    _appoint("head", f"The head of {members[-1].name}", "head", by, school=members[-1])
    _appoint("teacher", f"A teacher at {members[-1].name}", "teacher", by, school=members[-1])


def _appoint_leader(partnership: Partnership, by: Appointment) -> None:
    from brightspots_web.directory import actions

    school = partnership.lead_school
    if school is None:
        return
    name = f"The head of {school.name}"
    person = actions.register_person(f"{school.code}@{LEADERS_DOMAIN}".lower(), name)
    actions.appoint(person, "system_leader", by=by, partnership=partnership, school=school)


def _appoint(who: str, name: str, role: str, by: Appointment, **place: Any) -> None:
    from brightspots_web.directory import actions

    person = actions.register_person(f"{who}@{CAST_DOMAIN}", name)
    actions.appoint(person, role, by=by, **place)


STORIES: list[list[tuple[str, int, str]]] = [
    [("visited", 21, "Teachers plan the week together on Thursdays; both lessons we "
                     "sat in began with yesterday's mistakes.")],
    [("visited", 60, "Every pupil explains one answer a day to an older pupil. The head "
                     "sits in two lessons a week and writes down one question each time."),
     ("confirmed", 40, "The exercise books show it too, and the entry list is complete.")],
    [("visited", 120, "Whoever is stuck is found in the second week and taught in fours."),
     ("confirmed", 100, "Two visitors, three years of figures, and the same in all classes."),
     ("written_up", 30, "“Fours by turns”: who, when, with which books; three pages.")],
    [("set_aside", 14, "The school chooses its pupils by a test at entry, which the register does "
                       "not hold. What it does well may be worth a look all the same.")],
]  # fmt: skip
"""State, days ago, and what was noted, for a few of the schools that the analysis names."""


def _visit_bright_spots() -> None:
    """Let people of the cast visit a few bright spots, so that pages show the whole way."""
    from datetime import timedelta

    from brightspots_web.directory import queries as directory
    from brightspots_web.insight import bright_spot_actions, bright_spot_queries
    from brightspots_web.insight.queries import current_run

    minister = next(each for each in directory.sample_cast() if each.role == "minister")
    run = current_run()
    search = bright_spot_queries.Search(label="bright_spot")
    found = bright_spot_queries.pairs(minister, search, run)
    one_each = {key.school: key for key in reversed(bright_spot_queries.keys(found))}
    chosen = sorted(one_each.values(), key=lambda key: (key.name, key.code))
    for spot, story in zip(bright_spot_queries.spots(chosen, run), STORIES, strict=False):
        for state, days_ago, note in story:
            bright_spot_actions.take_step(
                spot.school,
                spot.subject,
                by=minister,
                to=state,
                on=directory.today() - timedelta(days=days_ago),
                note=f"(Invented.) {note}",
            )
