"""What an analyst chooses: formula, earlier results, drift; and bad input on the way to a run."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from brightspots.insight.cross_products import cross_products
from brightspots.insight.value_added import value_added
from brightspots_web.insight import downloads, queries
from brightspots_web.insight.analysis import diagnostics
from brightspots_web.insight.models import Estimate, Run, Sensitivity, SubgroupFigure
from brightspots_web.shared.models import Job
from tests.web.import_helpers import bring_in, take_back
from tests.web.insight_helpers import (
    CODES,
    PUPILS_MAPPING,
    RESULTS_MAPPING,
    analyse,
    drafted,
    published,
    pupils,
    results,
)
from tests.web.world import World


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_FOLDER = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return tmp_path


MAPPING: dict[str, Any] = {
    **PUPILS_MAPPING,
    "columns": {
        **{name: name for name in ("school", "year", "subject", "pupil", "score")},
        "context:sex": "sex",
    },
}

TWICE_MAPPING = {
    **PUPILS_MAPPING,
    "columns": {**PUPILS_MAPPING["columns"], "context:twice": "twice"},
}
LIMITS_HEAD = "school,year,subject,mean,candidates,lower,upper"
LIMITS_MAPPING = {**RESULTS_MAPPING, "columns": {name: name for name in LIMITS_HEAD.split(",")}}


def followed(years: tuple[int, ...] = (2021, 2022, 2023), *, shared: bool = False) -> str:
    """The same pupils year after year, in Maths and Reading: next year's score is 0.8 of this.

    With `shared`, every school counts its pupils from 1.
    """
    random = np.random.default_rng(11)
    rows = ["school,year,subject,pupil,score,sex"]
    for code in CODES:
        for number in range(24):
            pupil = str(number) if shared else f"{code}-{number}"
            sex = "girl" if number % 2 else "boy"
            now = {"Maths": random.normal(50, 10), "Reading": random.normal(50, 10)}
            for year in years:
                for subject in ("Maths", "Reading"):
                    lift = 4.0 if code == "N1" else 0.0
                    score = 10 + 0.8 * now[subject] + lift + random.normal(0, 3)
                    rows.append(f"{code},{year},{subject},{pupil},{score:.3f},{sex}")
                    now[subject] = score
    return "\n".join(rows) + "\n"


def coefficients(run: Run, subject: str) -> dict[str, float]:
    model = run.summary["outcomes"][subject]["model"]
    return {row["term"]: row["estimate"] for row in model["coefficients"]}


class TestFormula:
    def test_the_terms_are_those_that_were_written_and_years_are_added(self, world: World) -> None:
        bring_in(pupils(), PUPILS_MAPPING, world.cast["analyst"])
        run = drafted(world.cast["analyst"], formula="prior + I(prior**2)")
        found = coefficients(run, "Writing")
        assert list(found) == ["(Intercept)", "prior", "factor(year)2023", "I(prior**2)"] or set(
            found
        ) == {"(Intercept)", "prior", "I(prior**2)", "factor(year)2023"}
        assert found["prior"] == pytest.approx(2.0, abs=0.4)
        assert abs(found["I(prior**2)"]) < 0.4
        assert run.summary["outcomes"]["Writing"]["context"]["columns"] == ["context:prior"]

    def test_of_school_figures_it_takes_arithmetic_and_refuses_products_of_kinds(
        self, world: World
    ) -> None:
        analyst = world.cast["analyst"]
        bring_in(results(), RESULTS_MAPPING, analyst)
        run = drafted(analyst, formula="I(roll/100)")
        terms = [row["term"] for row in run.summary["outcomes"]["Reading"]["model"]["coefficients"]]
        assert any("I(roll/100)" in term for term in terms)
        refused = analyse(analyst, formula="roll:phase")
        assert refused.status == Job.Status.FAILED
        assert "multiplies kinds" in refused.problem

    def test_an_unknown_name_is_named_with_those_there_are(self, world: World) -> None:
        analyst = world.cast["analyst"]
        bring_in(pupils(), PUPILS_MAPPING, analyst)
        job = analyse(analyst, formula="prior + povrty")
        assert job.status == Job.Status.FAILED
        assert 'There is no circumstance called "povrty"' in job.problem
        assert "poverty" in job.problem


class TestEarlierResults:
    def test_a_pupils_score_of_the_year_before_is_found_by_the_code(self, world: World) -> None:
        bring_in(followed(), MAPPING, world.cast["analyst"])
        run = drafted(world.cast["analyst"], earlier="same", context=["sex"])
        about = run.summary["outcomes"]["Maths"]
        assert about["years"] == [2022, 2023]
        assert about["model"]["dropped"] == {"2021": 24 * len(CODES)}
        assert coefficients(run, "Maths")["prior"] == pytest.approx(0.8, abs=0.06)
        best = Estimate.objects.get(run=run, school__code="N1", subject="Maths", year=None)
        assert best.lower > 0

    def test_every_subject_means_a_column_for_each(self, world: World) -> None:
        bring_in(followed(), MAPPING, world.cast["analyst"])
        run = drafted(
            world.cast["analyst"],
            earlier="all",
            subjects=["Maths"],
            formula="prior + `prior Reading`",
        )
        found = coefficients(run, "Maths")
        assert found["prior"] == pytest.approx(0.8, abs=0.06)
        assert abs(found["prior Reading"]) < 0.1

    def test_the_order_of_rows_changes_nothing(self, world: World, settings: Any) -> None:
        analyst = world.cast["analyst"]
        head, *rows = followed().strip().split("\n")
        batch = bring_in("\n".join([head, *rows]) + "\n", MAPPING, analyst)
        first = drafted(analyst, earlier="same")
        take_back(batch, analyst)
        shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
        bring_in("\n".join([head, *shuffled]) + "\n", MAPPING, analyst)
        second = drafted(analyst, earlier="same")
        for code in ("N1", "E3"):
            one, other = (
                Estimate.objects.get(run=run, school__code=code, subject="Maths", year=None)
                for run in (first, second)
            )
            assert (one.estimate, one.lower) == (other.estimate, other.lower)

    def test_codes_that_count_from_one_in_every_school_are_refused(self, world: World) -> None:
        bring_in(followed(shared=True), MAPPING, world.cast["analyst"])
        job = analyse(world.cast["analyst"], earlier="same")
        assert job.status == Job.Status.FAILED
        assert "found in several schools in one year" in job.problem
        assert "pupil" in job.problem

    @pytest.mark.parametrize(
        ("years", "words"), [((2021,), "no two years"), ((2021, 2023), "no two years")]
    )
    def test_without_a_year_before_it_says_what_to_import(
        self, world: World, years: tuple[int, ...], words: str
    ) -> None:
        bring_in(followed(years), MAPPING, world.cast["analyst"])
        job = analyse(world.cast["analyst"], earlier="same")
        assert job.status == Job.Status.FAILED
        assert words in job.problem

    def test_a_file_that_has_a_prior_of_its_own_is_not_mixed_with_it(self, world: World) -> None:
        bring_in(pupils(), PUPILS_MAPPING, world.cast["analyst"])
        job = analyse(world.cast["analyst"], earlier="same")
        assert job.status == Job.Status.FAILED
        assert 'has a circumstance called "prior" already' in job.problem


class TestOtherWaysAndGroups:
    def test_groups_and_other_ways_are_written_for_pupils(self, world: World) -> None:
        bring_in(followed(), MAPPING, world.cast["analyst"])
        run = drafted(world.cast["analyst"], earlier="same", context=["sex"])
        groups = SubgroupFigure.objects.filter(run=run, subject="Maths", school__code="N1")
        by_sex = {g.group: g.n for g in groups if g.dimension == "sex"}
        assert by_sex == {"boy": 24, "girl": 24}
        assert {g.dimension for g in groups} == {"sex", "prior"}
        variants = set(
            Sensitivity.objects.filter(run=run, subject="Maths").values_list("variant", flat=True)
        )
        assert {"prior_only", "heavy_tails", "latest_year", "without_latest"} & variants
        assert "latest_year" in variants

    def test_pupils_without_an_earlier_result_count_in_a_way_of_their_own(
        self, world: World
    ) -> None:
        random = np.random.default_rng(3)
        head, *rows = pupils().strip().split("\n")
        holes = [row.rsplit(",", 1)[0] + "," if random.random() < 0.2 else row for row in rows]
        bring_in("\n".join([head, *holes]) + "\n", PUPILS_MAPPING, world.cast["analyst"])
        run = drafted(world.cast["analyst"], context=["prior"])
        main = Estimate.objects.get(run=run, school__code="N1", subject="Writing", year=None)
        other = Sensitivity.objects.get(run=run, school__code="N1", variant="missing_prior")
        assert other.n == 60 > main.n
        assert other.estimate == pytest.approx(main.estimate, abs=0.2)
        (row,) = (
            each
            for each in run.summary["outcomes"]["Writing"]["sensitivity"]["ways"]
            if each["variant"] == "missing_prior"
        )
        assert row["schools"] == len(CODES)
        assert row["correlation"] > 0.9

    def test_drift_is_taken_with_three_years_and_said_of_two(self, world: World) -> None:
        bring_in(followed(), MAPPING, world.cast["analyst"])
        run = drafted(world.cast["analyst"], drift="ar1", context=[])
        model = run.summary["outcomes"]["Maths"]["model"]
        assert model["autocorrelation"] is not None
        assert 0 <= model["drift"]["p_value"] <= 1
        two = drafted(world.cast["analyst"], drift="ar1", earlier="same", context=[])
        (note,) = two.summary["outcomes"]["Maths"]["model"]["notes"]
        assert "needs three years" in note


class TestBadInput:
    """The message names the place and the remedy, and what was published before stays."""

    HEAD = "school,year,subject,pupil,score,sex\n"

    @staticmethod
    def rows(score: Any, schools: tuple[str, ...] = CODES, each: int = 5) -> str:
        return TestBadInput.HEAD + "".join(
            f"{code},{year},Maths,{code}{i},{score(code, i)},{'girl' if i % 2 else 'boy'}\n"
            for code in schools
            for year in (2022, 2023)
            for i in range(each)
        )

    @pytest.mark.parametrize(
        ("made", "words"),
        [
            (lambda: TestBadInput.rows(lambda code, i: 7), "the same for every pupil"),
            (lambda: TestBadInput.rows(lambda code, i: 7 + i, ("N1",)), "one group"),
            (
                lambda: TestBadInput.rows(lambda code, i: ord(code[0]) + int(code[1]), each=1),
                "pupil",
            ),
        ],
        ids=["constant", "one school", "one pupil a school"],
    )
    def test_scores_that_cannot_be_analysed(self, world: World, made: Any, words: str) -> None:
        analyst = world.cast["analyst"]
        before = published(world)
        bring_in(made(), MAPPING, analyst)
        job = analyse(analyst, subjects=["Maths"], context=[])
        assert job.status == Job.Status.FAILED, job.result
        assert "Maths" in job.problem
        assert words in job.problem
        assert "Traceback" not in job.problem
        assert "Error" not in job.problem
        assert queries.current_run() == before

    def test_two_circumstances_that_say_the_same_are_named(self, world: World) -> None:
        analyst = world.cast["analyst"]
        head, *rows = pupils().strip().split("\n")
        rows = [f"{row},{float(row.rsplit(',', 1)[1]) * 2 + 1:.6f}" for row in rows]
        bring_in("\n".join([f"{head},twice", *rows]) + "\n", TWICE_MAPPING, analyst)
        job = analyse(analyst, context=["prior", "twice"])
        assert job.status == Job.Status.FAILED
        assert "already say the same" in job.problem
        assert "twice" in job.problem

    def test_a_circumstance_that_is_never_known_is_said_with_the_remedy(self, world: World) -> None:
        analyst = world.cast["analyst"]
        empty = "".join(
            row if place == 0 else row.rsplit(",", 1)[0] + ",\n"
            for place, row in enumerate(pupils().splitlines(keepends=True))
        )
        bring_in(empty, PUPILS_MAPPING, analyst)
        job = analyse(analyst, formula="prior")
        assert job.status == Job.Status.FAILED
        assert "No pupil of Writing has a value in all of: prior" in job.problem

    def test_official_limits_of_another_figure_are_refused(self, world: World) -> None:
        analyst = world.cast["analyst"]
        rows = [f"{code},2023,Reading,{i}.0,40,{i + 2}.0,{i + 4}.0" for i, code in enumerate(CODES)]
        bring_in("\n".join([LIMITS_HEAD, *rows]) + "\n", LIMITS_MAPPING, analyst)
        job = analyse(analyst)
        assert job.status == Job.Status.FAILED
        assert "do not lie evenly about the mean" in job.problem

    def test_by_default_a_circumstance_that_another_says_already_is_left_out(
        self, world: World
    ) -> None:
        analyst = world.cast["analyst"]
        text = pupils().split("\n")
        rows = [f"{row},{row.rsplit(',', 1)[1]}" for row in text[1:] if row]
        bring_in("\n".join([f"{text[0]},twice", *rows]) + "\n", TWICE_MAPPING, analyst)
        run = drafted(analyst)
        context = run.summary["outcomes"]["Writing"]["context"]
        assert "context:prior" in context["columns"]
        assert "prior" in context["left_out"]["context:twice"]
        assert "say the same" in context["left_out"]["context:twice"]

    def test_official_limits_say_how_sure_a_mean_is(self, world: World) -> None:
        analyst = world.cast["analyst"]
        rows = [
            f"{code},{year},Reading,{i - 6}.0,40,{i - 6 - wide:.1f},{i - 6 + wide:.1f}"
            for i, code in enumerate(CODES)
            for year in (2022, 2023)
            for wide in [0.5 if code == "N1" else 2.0]
        ]
        bring_in("\n".join([LIMITS_HEAD, *rows]) + "\n", LIMITS_MAPPING, analyst)
        run = drafted(analyst, context=[])
        assert run.summary["outcomes"]["Reading"]["model"]["official_limits"] is True
        sure, unsure = (
            Estimate.objects.get(run=run, school__code=code, year=2023) for code in ("N1", "N2")
        )
        assert sure.cond_sd < unsure.cond_sd


class TestDiagnostics:
    def test_influence_is_what_leaving_the_school_out_changes(self) -> None:
        random = np.random.default_rng(4)
        frame = pl.DataFrame(
            {"school": [f"s{i % 12}" for i in range(240)], "x": random.normal(size=240)}
        ).with_columns(
            score=10 * pl.col("x")
            + pl.Series(random.normal(0, 5, 240))
            + (pl.col("school") == "s3") * 30
        )
        cp = cross_products(frame, "score ~ x + (1 | school)")
        fitted = value_added(cp)
        tau2, sigma2 = fitted.variance_components["variance"].to_list()
        found = diagnostics.influence(cp, sigma2, tau2, 0.0)
        top = found["largest"][0]
        assert top["school"] == "s3"

        def coefficients(rows: pl.DataFrame) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
            M, g = np.zeros((2, 2)), np.zeros(2)
            for _name, part in rows.group_by("school"):
                X = np.column_stack([np.ones(part.height), part["x"].to_numpy()])
                V = sigma2 * np.eye(part.height) + tau2
                M += X.T @ np.linalg.solve(V, X)
                g += X.T @ np.linalg.solve(V, part["score"].to_numpy())
            return np.linalg.solve(M, g), M

        whole, M = coefficients(frame)
        without, _ = coefficients(frame.filter(pl.col("school") != "s3"))
        d = without - whole
        assert top["cook"] == pytest.approx(d @ M @ d / 2, rel=1e-8)
        assert top["in_errors"] == pytest.approx(d[1] / np.sqrt(np.linalg.inv(M)[1, 1]), rel=1e-8)

    def test_they_are_kept_beside_the_run_and_name_what_stands_in_the_way(
        self, world: World
    ) -> None:
        bring_in(pupils(), PUPILS_MAPPING, world.cast["analyst"])
        run = drafted(world.cast["analyst"], context=["prior"])
        seen = downloads.diagnostics(run)["Writing"]
        assert len(seen["qq"]) == len(CODES)
        assert [each["component"] for each in seen["components"]] == [
            "school",
            "school_year",
            "pupil",
        ]
        limits = seen["components"][0]
        assert limits["lower"] < limits["sd"] < limits["upper"]
