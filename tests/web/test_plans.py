"""Studies of a rollout: areas drawn, readings, assumptions, the search with its stop and resume."""

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.pace import plan_actions as actions
from brightspots_web.pace import plan_calendar as calendar
from brightspots_web.pace import plan_pages as pages
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_result_pages as results
from brightspots_web.pace import plan_words as words
from brightspots_web.pace.models import PlanArea, PlanResult, PlanStudy
from brightspots_web.shared import jobs
from brightspots_web.shared.models import AuditEntry, Job
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import plan_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World


def url(name: str, *args: Any) -> str:
    return reverse(f"pace:{name}", args=args)


# Areas and what is said of them


def test_a_study_draws_the_areas_of_a_level_with_their_open_schools(world: World) -> None:
    study = helpers.unread(world)
    schools = {each.area.name: each.schools for each in queries.areas_of(study)}
    assert schools == {"Upper": 6, "Lower": 4, "East": 3, "West": 1}
    counties = actions.make_study(helpers.settings(), 1, by=world.cast["minister"])
    schools = {each.area.name: each.schools for each in queries.areas_of(counties)}
    assert schools == {"North": 10, "South": 4}


def test_a_closed_school_is_not_counted_and_drawing_again_says_so(world: World) -> None:
    study = helpers.study(world)
    school = world.schools["L4"]
    school.closed = helpers.today()
    school.save()
    actions.draw_again(study, by=world.cast["minister"], seen=None)
    lower = queries.area_of(study, world.areas["Lower"].pk)
    assert lower is not None
    assert (lower.schools, lower.readiness) == (3, 0.3)  # the reading stays


def test_an_area_that_lost_all_schools_goes_when_drawn_again(world: World) -> None:
    study = helpers.study(world)
    school = world.schools["W1"]
    school.closed = helpers.today()
    school.save()
    actions.draw_again(study, by=world.cast["minister"], seen=None)
    assert queries.area_of(study, world.areas["West"].pk) is None


def test_every_assumption_starts_with_a_range_and_a_source(world: World) -> None:
    study = helpers.unread(world)
    assert {row["name"] for row in study.assumptions} == set(words.ASSUMPTIONS)
    assert all(row["low"] <= row["value"] <= row["high"] for row in study.assumptions)
    assert all(row["source"] for row in study.assumptions)


def test_only_planners_begin_a_study(world: World) -> None:
    for who in ("district_officer", "head", "teacher", "system_leader"):
        with pytest.raises(PermissionDenied):
            actions.make_study(helpers.settings(), 2, by=world.cast[who])
    assert not PlanStudy.objects.exists()


def test_readings_are_pasted_by_name_and_every_wrong_line_is_named(
    world: World, sign_in: SignIn
) -> None:
    study = helpers.unread(world)
    client = sign_in("minister")
    wrong = {"readings": "upper; 50\nNowhere; 3\nEast, 120\nWest\nUpper\t40", "seen": study.version}
    page = client.post(url("plan_readings", study.pk), wrong).content.decode()
    for part in ("Line 2", "Nowhere", "Line 3", "0 to 100", "Line 4", "Line 5", "line above"):
        assert part in page
    assert "upper; 50" in page  # nothing typed is lost
    assert len(queries.unread(queries.areas_of(study))) == 4
    right = {"readings": "upper; 50\nEast, 20 %\nWest\t0", "seen": study.version}
    assert client.post(url("plan_readings", study.pk), right).status_code == 302
    found = {each.area.name: each.readiness for each in queries.areas_of(study)}
    assert found == {"Upper": 0.5, "Lower": None, "East": 0.2, "West": 0.0}


def test_who_is_overtaken_keeps_what_was_typed(world: World, sign_in: SignIn) -> None:
    study = helpers.study(world)
    actions.set_assumption(
        study, "fade", 0, 0.01, 0.02, "A count in Upper", by=world.cast["analyst"],
        seen=study.version,
    )  # fmt: skip
    with pytest.raises(OvertakenError):
        actions.set_assumption(
            study, "fade", 0, 0.03, 0.04, "assumed", by=world.cast["minister"], seen=study.version
        )
    typed = {"low": "0", "value": "0.03", "high": "0.04", "source": "mine", "seen": study.version}
    answer = sign_in("minister").post(url("plan_assumption", study.pk, "fade"), typed)
    assert answer.status_code == 409
    assert 'value="mine"' in answer.content.decode()
    study.refresh_from_db()
    row = next(each for each in study.assumptions if each["name"] == "fade")
    assert (row["high"], row["source"]) == (0.02, "A count in Upper")


@pytest.mark.parametrize(
    ("low", "value", "high", "source", "field"),
    [
        (0.5, 0.4, 0.6, "assumed", "value"),
        (0.1, 0.4, 1.2, "assumed", "high"),
        (-0.1, 0.4, 0.6, "assumed", "low"),
        (0.1, 0.4, 0.6, "  ", "source"),
    ],
)
def test_a_range_that_cannot_be_is_refused_where_it_is_wrong(
    world: World, low: float, value: float, high: float, source: str, field: str
) -> None:
    study = helpers.unread(world)
    with pytest.raises(ValidationError) as problem:
        actions.set_assumption(
            study, "fade", low, value, high, source, by=world.cast["minister"], seen=None
        )
    assert list(problem.value.message_dict) == [field]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"speeds": (5,)}, "speeds"),
        ({"speeds": ()}, "speeds"),
        ({"terms": 0}, "terms"),
        ({"name": "  "}, "name"),
        ({"draws": 5}, "draws"),
        ({"support_days": float("nan")}, "support_days"),
        ({"term_months": 13}, "term_months"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    world: World, changed: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as problem:
        helpers.unread(world, **changed)
    assert list(problem.value.message_dict) == [field]


def test_a_term_outside_the_plan_is_refused_for_an_area(world: World, sign_in: SignIn) -> None:
    study = helpers.unread(world)
    typed = {"readiness": "30", "leaders": "1", "in_training": "0", "earliest": "9", "seen": ""}
    page = sign_in("analyst").post(url("plan_area", study.pk, world.areas["West"].pk), typed)
    assert "1 to 4" in page.content.decode()


def test_the_lowest_stage_agreed_last_in_each_strand_is_the_reading(world: World) -> None:
    study = helpers.unread(world)
    minister = world.cast["minister"]
    with pytest.raises(ValidationError, match="agreed stage"):
        actions.read_stages(study, by=minister, seen=None)
    helpers.agreed_stages(world, "Upper", {"devolution": 1, "leaders": 2}, days=-400)
    helpers.agreed_stages(world, "Upper", {"devolution": 3}, days=-30)
    assert actions.read_stages(study, by=minister, seen=None) == 1
    upper = queries.area_of(study, world.areas["Upper"].pk)
    assert upper is not None
    assert (upper.readiness, upper.reading) == (0.375, PlanArea.Reading.STAGES)


# Terms and days


def test_terms_are_counted_in_months_from_the_first_day(world: World) -> None:
    study = helpers.unread(world, first_day=date(2026, 8, 31), term_months=3)
    assert [calendar.first_day(study, term) for term in (1, 2, 3)] == [
        date(2026, 8, 31), date(2026, 11, 30), date(2027, 2, 28),
    ]  # fmt: skip
    for term in (1, 2, 3, 7):
        first = calendar.first_day(study, term)
        assert calendar.term_of(study, first) == term
        assert calendar.term_of(study, date.fromordinal(first.toordinal() - 1)) == term - 1


# The search


def search(study: PlanStudy, world: World) -> Job:
    return actions.ask_search(study, by=world.cast["minister"])


def test_a_search_without_all_readings_says_which_are_missing(world: World) -> None:
    study = helpers.unread(world)
    with pytest.raises(ValidationError, match="4 areas have no reading"):
        search(study, world)


def test_a_search_ends_with_a_curve_and_is_not_done_twice(world: World, sign_in: SignIn) -> None:
    study = helpers.study(world)
    job = search(study, world)
    assert search(study, world).pk == job.pk  # pressed twice at once
    finished = helpers.done(job)
    found = PlanResult.objects.get(pk=finished.result["result"])
    assert not found.stopped_early
    assert set(found.outcome["plans"]) >= {"all-at-once-1", "all-at-once-2"}
    alone = [
        words.total(found.outcome["plans"][name]["measures"], "abandoned")["mean"]
        for name in found.outcome["curve"]
    ]
    assert alone == sorted(alone)
    with pytest.raises(ValidationError, match="Nothing has changed"):
        search(study, world)
    assert AuditEntry.objects.filter(action="pace.keep_plans").count() == 1
    page = sign_in("minister").get(url("plan_result", found.pk)).content.decode()
    assert "Too fast against too slow" in page
    assert "is no forecast" in page


def test_a_change_makes_another_search_and_leaves_what_was_found(world: World) -> None:
    study = helpers.study(world)
    first = helpers.done(search(study, world))
    actions.change_study(
        study, helpers.settings(support_days=5.0), by=world.cast["minister"], seen=None
    )
    second = helpers.done(search(study, world))
    one, other = (PlanResult.objects.get(pk=job.result["result"]) for job in (first, second))
    assert one.inputs["settings"]["support_days"] == 20.0
    assert other.inputs["settings"]["support_days"] == 5.0


def test_a_search_that_is_stopped_keeps_its_best_and_goes_on_from_there(world: World) -> None:
    study = helpers.study(world)
    job = search(study, world)

    def ask_to_stop(_share: float, _stage: str) -> None:
        jobs.stop(Job.objects.get(pk=job.pk))

    jobs.run_here(job, echo=ask_to_stop)
    job.refresh_from_db()
    assert job.status == Job.Status.DONE
    assert job.result["stopped_early"]
    stopped = PlanResult.objects.get(pk=job.result["result"])
    assert stopped.stopped_early
    assert stopped.outcome["curve"]
    assert "stopped early" in results.searched(stopped)
    again = search(study, world)  # not refused: it was not searched to its end
    finished = helpers.done(again)
    whole = PlanResult.objects.get(pk=finished.result["result"])
    assert not whole.stopped_early
    best = {
        name: min(
            sum(words.total(plan["measures"], m)["mean"] for m in ("abandoned", "held_back"))
            for plan in (each.outcome["plans"][n] for n in each.outcome["curve"])
        )
        for name, each in (("stopped", stopped), ("whole", whole))
    }
    assert best["whole"] <= best["stopped"] + 1e-9


def test_a_job_done_again_after_a_kill_keeps_one_result(world: World) -> None:
    study = helpers.study(world)
    job = search(study, world)
    helpers.done(job)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.QUEUED)
    helpers.done(Job.objects.get(pk=job.pk))
    assert PlanResult.objects.count() == 1


def test_a_fixed_area_begins_then_in_every_plan_that_was_searched(world: World) -> None:
    study = helpers.study(world)
    row = queries.area_of(study, world.areas["East"].pk)
    assert row is not None
    facts = actions.AreaFacts(1, 0, None, 0.2, None, 1, 3)
    actions.set_area(study, row, facts, by=world.cast["minister"], seen=None)
    found = PlanResult.objects.get(pk=helpers.done(search(study, world)).result["result"])
    begins = {found.outcome["plans"][n]["waves"][str(row.area_id)][0]
              for n in found.outcome["curve"]}  # fmt: skip
    assert begins == {3}


# What pages say


def test_the_curve_has_a_text_alternative_and_every_plan_in_its_table(world: World) -> None:
    found = helpers.result(world)
    chart = results.curve(found, found.outcome["curve"][0])
    for name in found.outcome["curve"]:
        assert words.plan_name(name) in chart.description
    assert len(chart.rows) == len(found.outcome["plans"])


def test_the_tornado_names_the_assumption_that_matters_most(world: World) -> None:
    found = helpers.result(world)
    name = found.outcome["even_handed"]
    rows = [r for r in found.outcome["sensitivity"][name] if r["measure"] == "abandoned"]
    assert [r["swing"] for r in rows] == sorted((r["swing"] for r in rows), reverse=True)
    chart = results.tornados(found, name)[0]
    assert words.assumption(rows[0]["assumption"]) in chart.description


def test_a_difference_says_how_sure_it_is() -> None:
    row = {"measure": "abandoned", "median": -4.0, "low80": -6.0, "high80": -1.0,
           "lower": 0.97, "higher": 0.0}  # fmt: skip
    assert "97 %" in words.difference(row)
    unsure = row | {"median": 0.6, "low80": -3.0, "high80": 4.0, "lower": 0.4, "higher": 0.6}
    assert "cannot be told" in words.difference(unsure)
    same = row | {"median": 0.0, "low80": 0.0, "high80": 0.0, "lower": 0.0, "higher": 0.0}
    assert words.difference(same) == "No difference that could be told."


def test_what_is_hardly_ever_reached_is_said_so() -> None:
    row = {"measure": "full_coverage", "median": 7.0, "low80": 6.0, "high80": 7.0,
           "not_reached": 0.9}  # fmt: skip
    assert words.measured(row, 6).startswith("In 90 %")


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_every_table_is_exported(world: World, sign_in: SignIn, fmt: str) -> None:
    found = helpers.result(world)
    client = sign_in("minister")
    even = found.outcome["even_handed"]
    for address in (
        url("plan_points_export", found.pk, fmt),
        url("plan_sensitivity_export", found.pk, even, fmt),
        url("plan_areas_export", found.study_id, fmt),
        url("plan_assumptions_export", found.study_id, fmt),
    ):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert b"".join(answer) if fmt == "csv" else answer.content


def test_the_card_leads_planners_to_plans_and_others_to_the_adopted_one(world: World) -> None:
    card = pages.home_card(world.cast["minister"])
    assert card is not None
    assert card["url"] == url("plans")
    card = pages.home_card(world.cast["district_officer"])
    assert card is not None
    assert card["url"] == url("plan_adopted")
