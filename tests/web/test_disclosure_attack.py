"""An attacker gathers every number that a reader can get, and solves for what is withheld.

The world has small cells of every kind: a single small year, two of them, nothing but small years,
an area in which one school is small, a group of pupils whose rest is small. What each reader sees
is read from exports, as a reader would; then linear programmes give the least and the most that
each withheld count and mean can be.
"""

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from scipy.optimize import linprog

from brightspots_web.directory.models import School
from brightspots_web.insight import disclosure, queries
from brightspots_web.insight.models import (
    AreaFigure,
    Estimate,
    PartnershipFigure,
    Run,
    Sensitivity,
    SubgroupFigure,
)
from tests.web import insight_helpers
from tests.web.conftest import SignIn
from tests.web.insight_helpers import CODES, YEARS
from tests.web.world import World

SIZES: dict[str, tuple[int, ...]] = {
    "N2": (60, 4, 60),  # below both thresholds
    "N4": (7, 60, 60),
    "N5": (60, 8, 9),  # together 17: a reader told that both are small would know much
    "L1": (3, 4, 5),  # nothing but small years, twelve pupils in all
    "L3": (9, 0, 9),  # eighteen in all, every year small
    "E2": (60, 6, 60),  # leaves its district two schools in that year
    "W1": (8, 60, 0),  # the only school of its district
}
"""Candidates by year where they are not sixty."""
ODD = 37.91
"""The mean of small cells: a number that no page may show."""
HIGHEST_SCORE = 200.0
Cell = tuple[str, int]


def results(years: tuple[int, ...] = YEARS) -> str:
    rows = ["school,year,subject,mean,candidates,spread"]
    for place, code in enumerate(CODES):
        for year, size in zip(years, SIZES.get(code, (60,) * len(years)), strict=True):
            wobble = ((place * 7 + year * 3) % 5 - 2) * 0.4
            # Small years differ, or the mean of a school of small years alone would be theirs.
            mean = ODD + 9 * (year - years[0]) if code in {"L1", "L3"} else ODD
            if size >= 10:
                mean = 100 + 3 * (place % 4) + wobble
            if size:
                rows.append(f"{code},{year},Reading,{mean:.2f},{size},10")
    return "\n".join(rows) + "\n"


def truth() -> dict[Cell, int]:
    return {
        (code, year): size
        for code in CODES
        for year, size in zip(YEARS, SIZES.get(code, (60, 60, 60)), strict=True)
        if size
    }


@pytest.fixture
def run(world: World, settings: Any, tmp_path: Path) -> Run:
    settings.DATA_FOLDER = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "uploads"
    with patch.object(insight_helpers, "results", results):
        return insight_helpers.published(world)


@dataclass
class Known:
    """What a reader of exports knows. Year 0 stands for all years."""

    cells: dict[Cell, tuple[int, float]] = field(default_factory=dict)
    """School and year -> pupils and mean score."""
    areas: dict[tuple[str, int], tuple[int, float]] = field(default_factory=dict)
    """Path of an area and year -> pupils and mean score."""

    def shown(self, code: str, year: int) -> bool:
        return (code, year) in self.cells


def table(client: Client, name: str, *args: Any) -> list[dict[str, str]]:
    response = client.get(reverse(name, args=[*args, "csv"]))
    assert response.status_code == 200, (name, args)
    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined] # the CSV is streamed
    return list(csv.DictReader(io.StringIO(content.partition("\r\n\r\n")[0])))


def gather(client: Client, world: World, who: str, run: Run) -> Known:
    """Everything about pupils and means in the exports that this reader may take."""
    known = Known()
    for school in queries.directory.schools_visible_to(world.cast[who]):
        for row in table(client, "home:school_figures", school.code):
            year = 0 if row["Year"] == "all years" else int(row["Year"])
            known.cells[school.code, year] = (int(row["Pupils"]), float(row["Mean score"]))
    for partnership in queries.directory.partnerships_visible_to(world.cast[who]):
        for row in table(client, "connectedness:strengths_export", partnership.code):
            code = row["School"].removeprefix("School ")
            if row["Pupils"]:
                # The grid shows no more than the schools' own pages do across schools.
                assert Estimate.objects.filter(
                    disclosure.shown_across(), run=run, school__code=code, year=None
                ).exists()
    if world.cast[who].role in {"minister", "analyst", "district_officer"}:
        # Whatever page or export shows an area's figure reads these rows.
        areas = queries.directory.areas_visible_to(world.cast[who])
        for figure in AreaFigure.objects.filter(run=run, area__in=areas).select_related("area"):
            assert figure.suppressed == (figure.n_pupils is None) == (figure.mean is None)
            if figure.n_pupils is not None and figure.observed is not None:
                key = figure.area.path, figure.year or 0
                known.areas[key] = (figure.n_pupils, figure.observed)
    return known


@dataclass
class Attack:
    """Linear programmes over the withheld cells of one reader."""

    known: Known
    paths: dict[str, str]
    names: list[tuple[str, int]] = field(init=False)
    lines: list[np.ndarray[Any, Any]] = field(default_factory=list)
    sides: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        hidden = [cell for cell in truth() if not self.known.shown(*cell)]
        totals = [(code, 0) for code in dict.fromkeys(code for code, _year in truth())]
        hidden += [cell for cell in totals if not self.known.shown(*cell)]
        self.names = [cell for cell in hidden if cell[0] in self.paths]

    def equations(self, value: Any) -> None:
        """`value(pupils, mean)` is what adds up: pupils, or pupils times mean."""
        self.lines, self.sides = [], []
        for code in self.paths:
            years = [year for school, year in truth() if school == code]
            self._add({(code, 0): 1.0} | {(code, year): -1.0 for year in years}, 0.0, value)
        for (path, year), figure in self.known.areas.items():
            inside = [code for code, place in self.paths.items() if place.startswith(path)]
            cells = [(c, year) for c in inside if not year or (c, year) in truth()]
            shown = sum(value(*self.known.cells[cell]) for cell in cells if self.known.shown(*cell))
            # A rest of nothing, or less, says that what is withheld is not in the total.
            if value(*figure) - shown > 1e-6 * value(*figure):
                self._add(dict.fromkeys(cells, 1.0), value(*figure), value)

    def _add(self, terms: dict[tuple[str, int], float], side: float, value: Any) -> None:
        line = np.zeros(len(self.names))
        for cell, sign in terms.items():
            if self.known.shown(*cell):
                side -= sign * value(*self.known.cells[cell])
            elif cell in self.names:
                line[self.names.index(cell)] += sign
        if line.any():
            self.lines.append(line)
            self.sides.append(side)

    def ranges(self, bounds: list[tuple[float, float | None]]) -> dict[Cell, tuple[float, float]]:
        found = {}
        for place, cell in enumerate(self.names):
            ends = []
            for sign in (1.0, -1.0):
                target = np.zeros(len(self.names))
                target[place] = sign
                answer = linprog(
                    target, A_eq=self.lines, b_eq=self.sides, bounds=bounds, method="highs"
                )
                assert answer.status in {0, 3}, answer.message  # solved, or without limit
                ends.append(sign * answer.fun if answer.status == 0 else sign * -np.inf)
            found[cell] = (ends[0], ends[1])
        return found

    def counts(self) -> dict[Cell, tuple[float, float]]:
        """Each withheld year has at least one pupil: that there is a result is known."""
        self.equations(lambda pupils, _mean: float(pupils))
        return self.ranges([(1.0, None)] * len(self.names))

    def means(self) -> dict[Cell, tuple[float, float]]:
        """Even told all withheld counts, what a mean can be; scores lie from 0 to 200."""
        self.equations(lambda pupils, mean: pupils * mean)
        sizes = [
            truth()[cell] if cell[1] else sum(n for (c, _y), n in truth().items() if c == cell[0])
            for cell in self.names
        ]
        ranges = self.ranges([(0.0, HIGHEST_SCORE * size) for size in sizes])
        return {
            cell: (ranges[cell][0] / size, ranges[cell][1] / size)
            for cell, size in zip(self.names, sizes, strict=True)
        }


def attack(known: Known, world: World, who: str) -> Attack:
    visible = queries.directory.schools_visible_to(world.cast[who])
    return Attack(known, {school.code: school.area.path for school in visible})


READERS = ["minister", "analyst", "district_officer", "system_leader", "partner_head", "head"]


def test_no_reader_can_work_out_a_withheld_count_or_mean(
    world: World, sign_in: SignIn, run: Run
) -> None:
    for who in READERS:  # one analysis serves all: making it takes longest
        known = gather(sign_in(who), world, who, run)
        assert assert_safe(attack(known, world, who), world.cast[who].school)


def assert_safe(attacker: Attack, own: School | None) -> int:
    """How many small cells this reader fails to find."""
    counts, means = attacker.counts(), attacker.means()
    small = 0
    for cell, size in truth().items():
        inside = own is not None and own.code == cell[0]
        least = disclosure.Sight(inside).least
        if cell[0] not in attacker.paths or size >= least:
            continue
        small += 1
        assert cell not in attacker.known.cells
        low, high = counts[cell]
        assert low <= 1, (cell, low, high)
        assert high >= least - 1, (cell, low, high)
        low, high = means[cell]
        assert high - low > 5 * 10, (cell, low, high)  # five times the spread among pupils
    return small


def test_primary_suppression_alone_would_give_small_years_away(
    world: World, sign_in: SignIn, run: Run
) -> None:
    """The attack is worth something: without the second cells it finds the first."""
    Estimate.objects.update(complementary=False, complementary_inside=False)
    known = gather(sign_in("minister"), world, "minister", run)
    attacker = attack(known, world, "minister")
    assert attacker.counts()["N2", 2022] == pytest.approx((4, 4))
    low, high = attacker.means()["N2", 2022]
    assert low == pytest.approx(ODD, abs=0.1)
    assert high == pytest.approx(ODD, abs=0.1)


def test_an_area_that_counted_withheld_schools_would_give_them_away(
    world: World, sign_in: SignIn, run: Run
) -> None:
    east = AreaFigure.objects.get(run=run, area=world.areas["East"], year=2022)
    assert east.suppressed  # of its three schools one is small in that year, and two are too few
    AreaFigure.objects.filter(pk=east.pk).update(
        suppressed=False, n_pupils=126, mean=0.0, observed=100.0
    )
    known = gather(sign_in("minister"), world, "minister", run)
    attacker = attack(known, world, "minister")
    assert attacker.counts()["E2", 2022] == pytest.approx((6, 6))


def test_areas_and_the_system_are_totals_of_what_is_shown(
    world: World, sign_in: SignIn, run: Run
) -> None:
    known = gather(sign_in("minister"), world, "minister", run)
    schools = {s.code: s.area.path for s in School.objects.select_related("area")}
    assert known.areas
    for (path, year), (pupils, observed) in known.areas.items():
        inside = [
            known.cells[code, year]
            for code, place in schools.items()
            if place.startswith(path) and known.shown(code, year)
        ]
        assert pupils == sum(n for n, _mean in inside), (path, year)
        assert observed == pytest.approx(sum(n * mean for n, mean in inside) / pupils)
    together = {
        partnership.pk: {row.school.code for row in queries.directory.memberships_of(partnership)}
        for partnership in world.partnerships.values()
    }
    figures = PartnershipFigure.objects.filter(run=run)
    assert figures
    for figure in figures:
        members = [
            known.cells[code, figure.year or 0][0]
            for code in together[figure.partnership_id]
            if known.shown(code, figure.year or 0)
        ]
        assert figure.suppressed == (len(members) < disclosure.FEWEST_SCHOOLS)
        assert figure.n_pupils == (None if figure.suppressed else sum(members))
    newest = sum(n for (_code, year), (n, _mean) in known.cells.items() if year == max(YEARS))
    assert queries.coverage(run=run)["pupils"] == newest
    assert run.summary["outcomes"]["Reading"]["pupils"] == newest


def test_enough_is_still_shown(world: World, sign_in: SignIn, run: Run) -> None:
    """Withholding everything would be safe too: what stands alone stays."""
    known = gather(sign_in("minister"), world, "minister", run)
    assert known.shown("N2", 0)
    assert known.shown("N2", 2023)
    assert not known.shown("N2", 2021)
    for code in ("N1", "N3", "N6", "L2", "L4", "E1", "E3"):
        assert all(known.shown(code, year) for year in (0, *YEARS))


@pytest.mark.parametrize("who", ["minister", "partner_head"])
def test_no_page_and_no_export_that_a_reader_can_reach_says_a_withheld_number(
    world: World, sign_in: SignIn, run: Run, who: str
) -> None:
    client = sign_in(who)
    seen, waiting, said = set(), ["/"], 0
    while waiting:
        address = waiting.pop()
        if address.partition("?")[0] in seen or len(seen) > 80:
            continue
        seen.add(address.partition("?")[0])
        response = client.get(address, follow=True)
        if response.status_code != 200 or not response["Content-Type"].startswith("text/"):
            continue  # the sheets hold what the CSV does
        parts = response.streaming_content if response.streaming else [response.content]  # type: ignore[attr-defined] # a CSV is streamed
        body = b"".join(parts).decode()
        waiting += re.findall(r'href="(/(?!static|account|schools\.)[^"#]*)"', body)
        text = " ".join(re.sub(r"<[^>]*>", " ", body).split())
        means = re.findall(r'data-label="Mean score"[^>]*>([^<]*)', body)
        means += re.findall(r"reached ([0-9.]+[0-9]) on average", text)
        assert f"{ODD:.1f}" not in means, address
        assert str(ODD) not in text, address
        assert not re.search(r"\b[1-9] (pupils|candidates)\b", text), address
        said += "Pupils" in text
    assert len(seen) > 20
    assert said > 5


class TestWhatFollowsFromWithheldFigures:
    def test_a_way_of_reckoning_that_sets_a_withheld_year_apart_is_withheld(
        self, world: World, sign_in: SignIn, run: Run
    ) -> None:
        Sensitivity.objects.all().delete()
        for code in ("N2", "N3"):
            for variant in Sensitivity.Variant.values:
                Sensitivity.objects.create(
                    run=run, school=world.schools[code], subject="Reading", variant=variant, n=60,
                    estimate=0.1, se_comparative=0.1, lower=-0.1, upper=0.3,
                )  # fmt: skip
        client = sign_in("minister")
        ways = {
            code: {
                row["Way of reckoning"] for row in table(client, "home:school_sensitivity", code)
            }
            for code in ("N2", "N3")
        }
        apart = {str(Sensitivity.Variant.LATEST_YEAR.label), "without the latest year"}
        assert apart <= ways["N3"]
        assert not apart & ways["N2"]
        assert len(ways["N2"]) == len(Sensitivity.Variant.values) - 2 + 1

    def test_groups_whose_rest_is_small_are_withheld(
        self, world: World, run: Run, sign_in: SignIn
    ) -> None:
        """Of the 180 pupils of N3."""
        client = sign_in("minister")
        for sizes, shown in [
            ((90, 90), True),
            ((90, 70), True),  # 20 left over: a group of 10 and another, or 1 and 19
            ((90, 80), False),  # 10 left over: one group of 10, or 1 to 9 and the rest
            ((90, 86), False),
        ]:
            SubgroupFigure.objects.all().delete()
            for place, size in enumerate(sizes):
                SubgroupFigure.objects.create(
                    run=run, school=world.schools["N3"], subject="Reading", dimension="sex",
                    group=str(place), n=size, observed=100.0, estimate=0.1, se_comparative=0.1,
                    lower=-0.1, upper=0.3,
                )  # fmt: skip
            rows = table(client, "home:school_groups", "N3")
            assert [int(row["Pupils"]) for row in rows] == (list(sizes) if shown else [])

    def test_pupils_touched_tell_no_withheld_newest_year(
        self, world: World, sign_in: SignIn, run: Run
    ) -> None:
        """N5's newest year has nine pupils; what help would reach is told of an average year."""
        figure = Estimate.objects.get(run=run, school__code="N5", year=None)
        assert figure.pupils_touched is not None
        assert figure.need_probability is not None
        assert figure.pupils_touched == pytest.approx(figure.need_probability * 77 / 3)

    def test_a_family_of_few_shown_schools_has_no_strip(self) -> None:
        assert disclosure.values_of_several([2.0, 1.0]) == []
        assert disclosure.values_of_several([2.0, 3.0, 1.0]) == [1.0, 2.0, 3.0]
