"""What pages of rollout plans say and keep: the curve, lessons, and what cannot be in a form."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from brightspots_web.directory.models import Area
from brightspots_web.pace import plan_actions as actions
from brightspots_web.pace import plan_after_actions as after
from brightspots_web.pace import plan_charts as charts
from brightspots_web.pace import plan_observed_queries as observed
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_result_pages as results
from brightspots_web.pace import plan_rollout_actions as rollouts
from brightspots_web.pace import plan_rollout_pages as pages
from brightspots_web.pace import plan_study_pages as studies
from brightspots_web.pace import plan_words as words
from brightspots_web.pace.models import PlanArea, PlanLesson, PlanStudy
from tests.web import plan_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World


def url(name: str, *args: Any) -> str:
    return reverse(f"pace:{name}", args=args)


# The curve


def test_every_plan_of_the_drawing_is_found_in_its_table_with_all_six_measures(
    world: World,
) -> None:
    found = helpers.result(world)
    short = results.short_names(found)
    assert len(set(short.values())) == len(found.outcome["plans"])
    table = results.plans_table(found, found.outcome["curve"][0])
    assert [row[1] for row in table.rows] == [
        short[row["key"]] for row in results.plan_rows(found)
    ]  # fmt: skip
    first = found.outcome["plans"][results.plan_rows(found)[0]["key"]]["measures"]
    cost = words.total(first, "cost")
    assert table.rows[0][4] == words.spread(cost)
    told = dict(results.measure_facts(first, 6))
    assert len(told) == 6
    assert "% of the schools in term 6" in told["Ready and responsible in the end"]
    assert all("of 10 futures" in text or "% of the futures" in text for text in told.values())


def test_numbers_on_the_curve_never_stand_on_one_another() -> None:
    def at(label: str, held: float, alone: float, chosen: bool = False) -> charts.Point:
        return charts.Point(label, label, (held,) * 3, (alone,) * 3, True, chosen)

    crowd = [at(str(n), 100 + n / 10, 100 - n / 10, n == 5) for n in range(1, 10)]
    drawing = str(charts.curve(key="k", title="t", points=[*crowd, at("far", 10, 300)]).svg)
    written = [f">{n}</text>" in drawing for n in range(1, 10)]
    assert written[4]  # the plan looked at is always named
    assert sum(written) <= 2  # one above, one below
    assert ">far</text>" in drawing
    spread = [at(str(n), 100 * n, 1000 - 100 * n) for n in range(1, 10)]
    drawing = str(charts.curve(key="k", title="t", points=spread).svg)
    assert all(f">{n}</text>" in drawing for n in range(1, 10))


def test_what_one_end_of_the_curve_costs_against_the_other_is_said_in_a_sentence(
    world: World,
) -> None:
    found = helpers.result(world)
    on_curve = found.outcome["curve"]
    said = results.ends_in_words(found)
    for name in (on_curve[0], on_curve[-1]):
        row = words.total(found.outcome["plans"][name]["measures"], "held_back")
        assert words.number(row["median"], 0) in said


def test_coverage_that_is_not_reached_is_no_difference_of_nought(world: World) -> None:
    plan = helpers.at_once(world)
    plan = rollouts.move(
        plan, [world.areas["West"]], 4, 1, by=world.cast["minister"], seen=plan.version
    )
    now = words.total(plan.figures["measures"], "full_coverage")
    assert now["not_reached"] > 0
    said = dict(pages.differences(plan))[str(words.MEASURES["full_coverage"][0])]
    assert said.startswith("Not reached within 6 terms in ")


# Studies


def test_who_may_not_see_applications_draws_no_zeros(world: World, sign_in: SignIn) -> None:
    study = helpers.study(world)
    PlanArea.objects.filter(study=study).update(in_training=7)
    actions.draw_again(study, by=world.cast["analyst"], seen=None)
    assert {each.in_training for each in queries.areas_of(study)} == {7}
    page = sign_in("analyst").get(url("plan_study", study.pk)).content.decode()
    assert "You may not see applications" in page
    actions.draw_again(study, by=world.cast["minister"], seen=None)
    assert {each.in_training for each in queries.areas_of(study)} == {0}
    page = sign_in("minister").get(url("plan_study", study.pk)).content.decode()
    assert "You may not see applications" not in page


def many_areas(world: World, study: PlanStudy, n: int) -> None:
    north = world.areas["North"]
    for at in range(n):
        area = Area.objects.create(
            name=f"Ward {at:03d}", parent=north, level=2, path=f"{north.path}{80_000 + at}/"
        )
        PlanArea.objects.create(study=study, area=area, schools=4, leaders=1, readiness=0.2)


def test_many_areas_come_page_by_page_and_are_moved_wave_by_wave(
    world: World, sign_in: SignIn
) -> None:
    study = helpers.study(world)
    many_areas(world, study, 70)
    client = sign_in("minister")
    first = client.get(url("plan_study", study.pk)).content.decode()
    assert "Page 1 of 2" in first
    assert "Ward 069" not in first
    assert "Ward 069" in client.get(url("plan_study", study.pk) + "?page=2").content.decode()
    plan = helpers.picked(world)
    keys = [str(each.area_id) for each in queries.areas_of(study)]
    plan.waves = {key: [1 if at % 2 else 3, 1] for at, key in enumerate(keys)}
    plan.save()
    third = client.get(url("plan_move", plan.pk) + "?term=3").content.decode()
    assert "term 1: 37 areas" in third
    assert third.count('name="areas"') == 37
    # What was ticked stays, though it is not of that wave.
    typed = {"areas": [keys[1]], "start": "99", "seen": plan.version}
    again = client.post(url("plan_move", plan.pk) + "?term=3", typed).content.decode()
    assert again.count('name="areas"') == 38
    assert again.count("checked") == 1


def test_plans_are_not_looked_for_again_where_nothing_changed(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.result(world)
    minister = world.cast["minister"]
    assert studies.study_page(found.study, minister)["found"] == found
    page = sign_in("minister").get(url("plan_study", found.study_id)).content.decode()
    assert "Look for plans" not in page
    actions.change_study(
        found.study, helpers.settings(terms=5), by=minister, seen=found.study.version
    )
    page = sign_in("minister").get(url("plan_study", found.study_id)).content.decode()
    assert "Look for plans" in page


def test_readings_given_as_shares_of_one_are_asked_about(world: World, sign_in: SignIn) -> None:
    study = helpers.unread(world)
    typed = {"readings": "Upper; 0.5\nLower; 0.3\nEast; 1", "seen": study.version}
    page = sign_in("minister").post(url("plan_readings", study.pk), typed).content.decode()
    assert "45, not 0.45" in page
    assert "Upper; 0.5" in page
    assert len(queries.unread(queries.areas_of(study))) == 4


# What cannot be, field by field: it is said, nothing else typed is lost, nothing is saved


STUDY: dict[str, Any] = {
    "name": "All districts", "level": "2", "support_days": "20", "terms": "4", "speeds": "1, 2",
    "first_day": "2026-09-01", "term_months": "4", "settle": "2", "draws": "33",
}  # fmt: skip
AREA: dict[str, Any] = {
    "readiness": "31", "leaders": "12", "in_training": "5", "in_training_term": "2",
    "earliest": "1", "fixed_start": "3", "priority": "77",
}  # fmt: skip
ASSUMPTION: dict[str, Any] = {
    "low": "0.01", "value": "0.02", "high": "0.03", "source": "A count"
}  # fmt: skip


def refused(client: Client, address: str, typed: dict[str, Any], wrong: str, value: str) -> str:
    answer = client.post(address, typed | {wrong: value})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Please check these" in page, (wrong, value)
    assert f'href="#id_{wrong}"' in page, (wrong, value)
    for name, kept in typed.items():
        if name not in (wrong, "seen", "level"):
            assert f'value="{kept}"' in page, (wrong, value, name)
    return page


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("name", ""), ("name", "x" * 121), ("level", "9"), ("level", ""), ("support_days", "many"),
        ("support_days", "-1"), ("support_days", "nan"), ("support_days", "1e12"), ("terms", "0"),
        ("terms", "61"), ("terms", "2.5"), ("speeds", "two"), ("speeds", "5"), ("speeds", ","),
        ("speeds", "0, 1"), ("first_day", "soon"), ("first_day", "9999-12-01"),
        ("first_day", "0026-09-01"), ("term_months", "13"), ("settle", "-1"), ("settle", "31"),
        ("draws", "19"), ("draws", "2001"),
    ],
)  # fmt: skip
def test_a_study_that_cannot_be(world: World, sign_in: SignIn, wrong: str, value: str) -> None:
    client = sign_in("minister")
    refused(client, url("plan_new"), STUDY, wrong, value)
    assert not PlanStudy.objects.exists()


def test_more_speeds_than_a_search_can_weigh_are_refused(world: World) -> None:
    with pytest.raises(ValidationError, match="6 speeds at most"):
        helpers.unread(world, terms=9, speeds=tuple(range(1, 9)))


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("readiness", "101"), ("readiness", "-1"), ("readiness", "half"), ("leaders", ""),
        ("leaders", "-1"), ("leaders", "10001"), ("in_training", "x"), ("in_training_term", "5"),
        ("in_training_term", "0"), ("earliest", "5"), ("earliest", ""), ("fixed_start", "5"),
        ("fixed_start", "0"), ("priority", "0"),
    ],
)  # fmt: skip
def test_an_area_that_cannot_be(world: World, sign_in: SignIn, wrong: str, value: str) -> None:
    study = helpers.unread(world)
    west = world.areas["West"].pk
    refused(sign_in("minister"), url("plan_area", study.pk, west), AREA, wrong, value)
    row = queries.area_of(study, west)
    assert row is not None
    assert (row.readiness, row.priority) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("low", "0.025"), ("low", "-0.1"), ("low", "inf"), ("high", "1.5"), ("high", ""),
        ("value", "0.5"), ("source", "   "), ("source", "x" * 301),
    ],
)  # fmt: skip
def test_an_assumption_that_cannot_be(
    world: World, sign_in: SignIn, wrong: str, value: str
) -> None:
    study = helpers.unread(world)
    client = sign_in("minister")
    answer = client.post(url("plan_assumption", study.pk, "fade"), ASSUMPTION | {wrong: value})
    page = answer.content.decode()
    assert "Please check these" in page
    for name, kept in ASSUMPTION.items():
        assert name == wrong or f'value="{kept}"' in page
    study.refresh_from_db()
    assert study.version == 1


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("plan_adopt", {"on": "soon", "comes_with": "Coaches."}),
        ("plan_adopt", {"on": "", "comes_with": "Coaches."}),
        ("plan_move", {"start": "", "note": "Coaches."}),
        ("plan_move", {"areas": ["999999"], "start": "2", "note": "Coaches."}),
        ("plan_move", {"start": "2", "speed": "17", "note": "Coaches."}),
    ],
)
def test_a_picked_plan_keeps_what_was_typed_wrongly(
    world: World, sign_in: SignIn, name: str, wrong: dict[str, Any]
) -> None:
    plan = helpers.at_once(world)
    page = sign_in("minister").post(url(name, plan.pk), wrong).content.decode()
    assert "Please check these" in page
    assert "Coaches." in page
    plan.refresh_from_db()
    assert plan.version == 1


@pytest.mark.parametrize("began", ["", "soon", "0026-02-01", "2999-01-01"])
def test_a_beginning_that_cannot_be(world: World, sign_in: SignIn, began: str) -> None:
    plan = helpers.adopted(world)
    typed = {"what": "began", "began": began, "note": "So I was told", "seen": 0}
    address = url("plan_start", plan.pk, world.areas["Upper"].pk)
    page = sign_in("district_officer").post(address, typed).content.decode()
    assert "Please check these" in page
    assert "So I was told" in page
    assert not queries.starts_of(plan)


# Lessons


def test_only_what_was_seen_of_is_offered_and_doubtful_lessons_are_not_ticked(
    world: World, sign_in: SignIn
) -> None:
    lesson = helpers.lesson(world)
    offered = {name for name, _words in pages.choices(lesson)}
    assert "leader_leaving" in offered
    assert not offered & {"gain_ready", "loss_abandoned", "leader_days", "training_days"}
    page = sign_in("minister").get(url("plan_lesson", lesson.pk)).content.decode()
    assert page.count("checked") == len(offered)
    PlanLesson.objects.filter(pk=lesson.pk).update(outcome=lesson.outcome | {"power": 0.4})
    page = sign_in("minister").get(url("plan_lesson", lesson.pk)).content.decode()
    assert "Hardly any future agrees" in page
    assert "checked" not in page


def test_what_has_narrowed_the_ranges_of_a_plan_counts_no_second_time(
    world: World, sign_in: SignIn
) -> None:
    lesson = helpers.lesson(world)
    minister = world.cast["minister"]
    first = lesson.rollout
    seen = max(row["term"] for row in lesson.observed)
    study = first.result.study
    after.accept(lesson, ["leader_leaving"], by=minister, seen=study.version)
    assert observed.rows(first)  # the plan before still learns from all of it
    study.refresh_from_db()
    again = actions.keep_result(
        study, first.result.outcome, queries.inputs_of(study), study.version, job=99, by=minister
    )
    plan = rollouts.pick(again, first.base, by=minister)
    plan = rollouts.adopt(plan, helpers.today(), "", by=minister, seen=None)
    with pytest.raises(ValidationError, match="Nothing has happened yet"):
        after.ask_lesson(plan, by=minister)
    later = observed.rows(plan, on=helpers.today() + timedelta(days=130))
    assert {row["term"] for row in later} == {seen + 1}
    page = sign_in("minister").get(url("plan_compare", plan.pk)).content.decode()
    assert f"up to term {seen}" in page


@pytest.mark.parametrize("name", ["plan_accept", "plan_leave"])
def test_who_decides_after_another_is_told(world: World, sign_in: SignIn, name: str) -> None:
    lesson = helpers.lesson(world)
    after.leave(lesson, "One term says little.", by=world.cast["analyst"])
    typed = {"names": ["leader_leaving"], "why": "Mine"}
    answer = sign_in("minister").post(url(name, lesson.pk), typed, follow=True)
    page = answer.content.decode()
    assert "decided already" in page
    assert "One term says little." in page


def test_updated_ranges_are_shown_with_the_digits_that_count() -> None:
    said = [studies.end_text(each) for each in (4.139712, 0.021234, 12.38791, 0.14, 6.0, -0.1868)]
    assert said == ["4.14", "0.0212", "12.4", "0.14", "6", "−0.187"]
