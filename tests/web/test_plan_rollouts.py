"""A picked plan: moved by hand, adopted, taken back, read, compared with what happened."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.pace import plan_actions as studies
from brightspots_web.pace import plan_after_actions as after
from brightspots_web.pace import plan_observed_queries as observed
from brightspots_web.pace import plan_pages
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_rollout_actions as actions
from brightspots_web.pace import plan_rollout_pages as pages
from brightspots_web.pace import plan_sources as sources
from brightspots_web.pace.analysis import plan as library
from brightspots_web.pace.models import PlanChange, PlanLesson, PlanRollout, PlanStart
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import plan_helpers as helpers
from tests.web import pulse_helpers as pulses
from tests.web.conftest import SignIn
from tests.web.world import World

State = PlanRollout.State


def url(name: str, *args: object) -> str:
    return reverse(f"pace:{name}", args=args)


# By hand


def test_a_plan_picked_twice_is_one_until_it_is_changed(world: World) -> None:
    plan = helpers.at_once(world)
    minister = world.cast["minister"]
    assert actions.pick(plan.result, plan.base, by=minister).pk == plan.pk
    actions.move(plan, [world.areas["West"]], 4, 1, by=minister, seen=plan.version)
    assert actions.pick(plan.result, plan.base, by=minister).pk != plan.pk


def test_moving_a_wave_says_what_it_changes_with_paired_ranges(world: World) -> None:
    plan = helpers.at_once(world)
    plan = actions.move(
        plan, [world.areas["Upper"]], 4, None, by=world.cast["minister"], seen=plan.version
    )
    assert plan.waves[str(world.areas["Upper"].pk)] == [4, 1]
    rows = {(r["measure"], r["part"]): r for r in plan.figures["difference"]}
    held = rows["held_back", "total"]
    # Half of its six schools are ready on the first day and now wait: more held back, surely.
    assert held["low80"] > 0
    assert held["higher"] == 1.0
    labels = dict(pages.differences(plan))
    assert "More in 100 %" in labels["Held back though ready"]
    # The same as a plan measured by itself: the difference is that of the two.
    picked = plan.result.outcome["plans"]["all-at-once-1"]["waves"]
    before = library.compare(plan.result.inputs, picked, picked)["measures"]
    mean = {
        name: next(r["mean"] for r in found if (r["measure"], r["part"]) == ("held_back", "total"))
        for name, found in (("before", before), ("after", plan.figures["measures"]))
    }
    assert held["mean"] == pytest.approx(mean["after"] - mean["before"], abs=1e-4)


def test_a_wave_whose_support_cannot_end_in_time_is_refused_by_the_areas_name(
    world: World,
) -> None:
    plan = helpers.picked(world)
    with pytest.raises(ValidationError, match="West cannot begin in term 4"):
        actions.move(
            plan, [world.areas["West"]], 4, 2, by=world.cast["minister"], seen=plan.version
        )
    plan.refresh_from_db()
    assert plan.version == 1


def test_undoing_brings_back_what_was_and_keeps_both_in_the_history(world: World) -> None:
    plan = helpers.moved(world)
    was = plan.result.outcome["plans"][plan.base]["waves"]
    assert plan.waves != was
    plan = actions.undo(plan, by=world.cast["analyst"], seen=plan.version)
    assert plan.waves == was
    assert pages.differences(plan) == []
    kinds = [each.kind for each in plan.changes.all()]
    assert kinds == [PlanChange.Kind.UNDONE, PlanChange.Kind.MOVED, PlanChange.Kind.PICKED]
    with pytest.raises(ValidationError, match="No change by hand"):
        actions.undo(plan, by=world.cast["minister"], seen=None)


def test_two_people_who_move_at_once_do_not_overwrite_each_other(
    world: World, sign_in: SignIn
) -> None:
    plan = helpers.at_once(world)
    seen = plan.version
    actions.move(plan, [world.areas["West"]], 4, 1, by=world.cast["analyst"], seen=seen)
    with pytest.raises(OvertakenError, match="Analyst"):
        actions.move(plan, [world.areas["East"]], 4, 1, by=world.cast["minister"], seen=seen)
    typed = {
        "areas": [world.areas["East"].pk],
        "start": 4,
        "speed": 1,
        "note": "Mine",
        "seen": seen,
    }
    answer = sign_in("minister").post(url("plan_move", plan.pk), typed)
    assert answer.status_code == 409
    assert 'value="Mine"' in answer.content.decode()
    # Sent once more, with the version now seen, it is done.
    typed["seen"] = seen + 1
    assert sign_in("minister").post(url("plan_move", plan.pk), typed).status_code == 302


# Adopted


def test_an_adopted_plan_is_not_changed_but_copied(world: World) -> None:
    plan = helpers.adopted(world)
    minister = world.cast["minister"]
    with pytest.raises(ValidationError, match="stays as it is"):
        actions.move(plan, [world.areas["West"]], 4, 1, by=minister, seen=None)
    copied = actions.copy(plan, by=minister)
    assert (copied.state, copied.waves) == (State.DRAFT, plan.waves)


def test_an_analyst_prepares_a_plan_and_the_ministry_adopts_it(
    world: World, sign_in: SignIn
) -> None:
    plan, analyst = helpers.picked(world), world.cast["analyst"]
    address = url("plan_rollout", plan.pk)
    adopt = url("plan_adopt", plan.pk)
    assert adopt not in sign_in("analyst").get(address).content.decode()
    assert adopt in sign_in("minister").get(address).content.decode()
    with pytest.raises(PermissionDenied):
        actions.adopt(plan, helpers.today(), "", by=analyst, seen=plan.version)
    plan = actions.adopt(plan, helpers.today(), "", by=world.cast["minister"], seen=plan.version)
    with pytest.raises(PermissionDenied):
        actions.take_back(plan, "Too early.", by=analyst, seen=plan.version)


def test_adopting_another_keeps_the_first_until_that_day_and_taking_back_restores_it(
    world: World,
) -> None:
    minister = world.cast["minister"]
    first = helpers.adopted(world)
    second = actions.copy(first, by=minister)
    later = helpers.today() + timedelta(days=30)
    second = actions.adopt(second, later, "", by=minister, seen=None)
    found = queries.in_force()
    assert found is not None
    assert found.pk == first.pk
    found = queries.in_force(later)
    assert found is not None
    assert found.pk == second.pk
    with pytest.raises(ValidationError, match="after this one"):
        actions.take_back(first, "Why not.", by=minister, seen=None)
    actions.take_back(second, "The budget was cut. (Invented.)", by=minister, seen=None)
    found = queries.in_force(later)
    assert found is not None
    assert found.pk == first.pk
    assert found.holds_until is None
    done = [e.action for e in AuditEntry.objects.filter(action__startswith="pace.").order_by("pk")]
    assert done[-3:] == ["pace.copy_plan", "pace.adopt_plan", "pace.take_plan_back"]


def test_a_plan_cannot_hold_before_the_one_adopted_last(world: World) -> None:
    first = helpers.adopted(world)
    second = actions.copy(first, by=world.cast["minister"])
    yesterday = helpers.today() - timedelta(days=1)
    with pytest.raises(ValidationError) as problem:
        actions.adopt(second, yesterday, "", by=world.cast["minister"], seen=None)
    assert list(problem.value.message_dict) == ["on"]


def test_taking_back_needs_a_reason(world: World) -> None:
    plan = helpers.adopted(world)
    with pytest.raises(ValidationError) as problem:
        actions.take_back(plan, "  ", by=world.cast["minister"], seen=None)
    assert list(problem.value.message_dict) == ["why"]


def test_each_reads_the_adopted_plan_for_the_own_areas(world: World, sign_in: SignIn) -> None:
    helpers.adopted(world)
    reads = {
        "minister": {"Upper", "Lower", "East", "West"},
        "district_officer": {"Upper", "Lower"},
        "other_district_officer": {"East", "West"},
        "head": {"Upper"},
        "teacher": {"Upper"},
        "other_system_leader": {"East"},
    }
    for who, names in reads.items():
        page = sign_in(who).get(url("plan_adopted")).content.decode()
        found = {name for name in reads["minister"] if f"<h2>{name}</h2>" in page}
        assert found == names, who
        assert "A coach comes every second week" in page
        assert "does not promise" in page


def test_an_officer_inside_a_bigger_area_reads_that_one(world: World) -> None:
    study = studies.make_study(helpers.settings(), 1, by=world.cast["minister"])
    assert {each.area.name for each in queries.areas_of(study)} == {"North", "South"}
    plan = helpers.adopted(world)
    plan.waves = {str(world.areas["North"].pk): [1, 1], str(world.areas["South"].pk): [2, 1]}
    names = [area.name for area in queries.areas_read_by(world.cast["head"], plan)]
    assert names == ["North"]


def test_before_any_plan_is_adopted_the_page_says_so(world: World, sign_in: SignIn) -> None:
    helpers.picked(world)
    page = sign_in("district_officer").get(url("plan_adopted")).content.decode()
    assert "No plan is adopted yet" in page


def test_a_plan_is_printed_with_every_area(world: World, sign_in: SignIn) -> None:
    plan = helpers.moved(world)
    answer = sign_in("minister").get(url("plan_pdf", plan.pk))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_the_timetable_says_in_words_what_it_draws(world: World) -> None:
    plan = helpers.moved(world)
    context = pages.rollout_page(plan, world.cast["minister"])
    described = context["timetables"][0].description
    assert all(name in described for name in ("Upper", "Lower", "East", "West"))
    moved = [wave for wave in context["page_obj"] if wave.was is not None]
    assert [wave.label for wave in moved] == ["West"]


# What happened


def test_the_officer_of_an_area_writes_down_when_it_began_and_others_do_not(
    world: World,
) -> None:
    plan = helpers.adopted(world)
    upper, east = world.areas["Upper"], world.areas["East"]
    officer = world.cast["district_officer"]
    row = after.record_start(plan, upper, helpers.today(), by=officer, seen=0)
    assert plan_pages.started(row).startswith("began on")
    for who, area in (("district_officer", east), ("head", upper), ("teacher", upper)):
        with pytest.raises(PermissionDenied):
            after.record_start(plan, area, None, by=world.cast[who], seen=0)
    with pytest.raises(OvertakenError):
        after.record_start(plan, upper, None, by=officer, seen=0)
    assert PlanStart.objects.count() == 1


def test_a_beginning_still_to_come_is_refused(world: World) -> None:
    plan = helpers.adopted(world)
    tomorrow = helpers.today() + timedelta(days=1)
    with pytest.raises(ValidationError) as problem:
        after.record_start(plan, world.areas["Upper"], tomorrow, by=world.cast["minister"], seen=0)
    assert list(problem.value.message_dict) == ["began"]


def test_in_the_first_term_there_is_nothing_to_compare(world: World) -> None:
    plan = helpers.adopted(world)
    with pytest.raises(ValidationError, match="Nothing has happened yet"):
        after.ask_lesson(plan, by=world.cast["minister"])


def test_what_is_observed_is_the_register_term_by_term(world: World) -> None:
    plan = helpers.adopted(world, first_day=helpers.months_ago(13))
    minister = world.cast["minister"]
    after.record_start(plan, world.areas["West"], None, by=minister, seen=0)
    began = helpers.months_ago(8)
    after.record_start(plan, world.areas["East"], began, by=minister, seen=0)
    rows = observed.rows(plan)
    assert {row["term"] for row in rows} == {2, 3, 4}
    assert {row["leaders"] for row in rows} == {0}  # nobody is designated in this world
    by_area = {row["area"]: row["started"] for row in rows}
    assert by_area[str(world.areas["West"].pk)] == "no"
    assert by_area[str(world.areas["East"].pk)] == "2"
    assert by_area[str(world.areas["Upper"].pk)] == ""


def test_the_pulse_of_an_area_counts_in_the_days_in_which_it_closed(world: World) -> None:
    term = pulses.opened(world, teachers=60)
    pulses.answered(term, pulses.all_say("1", "3"))
    pulses.closed(term)
    term.refresh_from_db()
    north, upper = world.areas["North"], world.areas["Upper"]
    day = timedelta(days=1)
    felt = sources.pulse([north, upper], term.closes - day, term.closes)
    assert set(felt) == {north.pk}  # the pulse is shown by county, not by district
    assert (felt[north.pk].abandoned, felt[north.pk].held_back) == (1.0, 0.0)
    assert felt[north.pk].answers >= 20
    assert not sources.pulse([north], term.closes, term.closes + day)


def test_shares_of_the_pulse_are_held_against_what_was_foretold(world: World) -> None:
    plan = helpers.adopted(world)
    rows = [
        {"area": key, "term": 1, "abandoned": 0.9, "held_back": 0.0, "answers": 40}
        for key in plan.waves
    ]
    learned = library.learn(plan.result.inputs, plan.waves, rows)
    assert {row["measure"] for row in learned["compared"]} == {"abandoned", "held_back"}


def test_fewer_leaders_than_foretold_move_the_ranges_and_a_person_accepts_them(
    world: World, sign_in: SignIn
) -> None:
    lesson = helpers.lesson(world)
    study = lesson.rollout.result.study
    minister = world.cast["minister"]
    before = {row["name"]: row for row in study.assumptions}
    leaving = next(r for r in lesson.outcome["changes"] if r["name"] == "leader_leaving")
    assert leaving["value_after"] > leaving["value_before"]  # four leaders became none
    page = sign_in("minister").get(url("plan_lesson", lesson.pk)).content.decode()
    assert "Ranges before and after" in page
    study.refresh_from_db()
    assert study.assumptions == list(before.values())  # nothing moves by itself
    after.accept(lesson, ["leader_leaving"], by=minister, seen=study.version)
    study.refresh_from_db()
    now = {row["name"]: row for row in study.assumptions}
    assert now["leader_leaving"]["value"] == pytest.approx(leaving["value_after"], abs=1e-6)
    assert now["leader_leaving"]["source"].startswith("updated by what was seen")
    assert now["fade"] == before["fade"]
    with pytest.raises(ValidationError, match="decided already"):
        after.leave(lesson, "Too late.", by=minister)


def test_a_lesson_waits_on_the_front_page_of_planners_until_it_is_decided(world: World) -> None:
    lesson = helpers.lesson(world)
    assert plan_pages.front_items(world.cast["analyst"])
    assert not plan_pages.front_items(world.cast["district_officer"])
    after.leave(lesson, "One term says little. (Invented.)", by=world.cast["minister"])
    assert not plan_pages.front_items(world.cast["analyst"])


def test_accepting_what_another_has_changed_is_overtaken(world: World, sign_in: SignIn) -> None:
    lesson = helpers.lesson(world)
    study = lesson.rollout.result.study
    seen = study.version
    studies.set_assumption(
        study, "leader_leaving", 0, 0.01, 0.02, "a count", by=world.cast["analyst"], seen=seen
    )
    answer = sign_in("minister").post(
        url("plan_accept", lesson.pk), {"names": ["leader_leaving"], "seen": seen}
    )
    assert answer.status_code == 409
    lesson.refresh_from_db()
    assert lesson.state == PlanLesson.State.PROPOSED


def test_from_the_first_study_to_the_adopted_plan_in_the_browsers_steps(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("minister")
    typed = {
        "name": "All districts (invented)", "level": "2", "support_days": "20", "terms": "4",
        "speeds": "1, 2", "first_day": helpers.today().isoformat(), "term_months": "4",
        "settle": "2", "draws": "20",
    }  # fmt: skip
    made = client.post(url("plan_new"), typed)
    study = queries.studies_visible_to(world.cast["minister"]).get()
    assert made["Location"] == url("plan_study", study.pk)
    lines = "Upper; 50\nLower; 30\nEast; 20\nWest; 10"
    client.post(url("plan_readings", study.pk), {"readings": lines, "seen": study.version})
    asked = client.post(url("plan_search", study.pk))
    assert "/jobs/" in asked["Location"]
    job = queries.at_work(world.cast["minister"], queries.SEARCH, study=study.pk)
    assert job is not None
    found = helpers.done(job).result["result"]
    result = url("plan_result", found)
    assert client.get(result).status_code == 200
    picked = client.post(url("plan_pick", found), {"plan": "all-at-once-1"})
    plan = PlanRollout.objects.get()
    assert picked["Location"] == url("plan_rollout", plan.pk)
    move = {"areas": [world.areas["West"].pk], "start": "3", "speed": "", "seen": plan.version}
    assert client.post(url("plan_move", plan.pk), move).status_code == 302
    page = client.get(url("plan_rollout", plan.pk)).content.decode()
    assert "What your changes come to" in page
    adopt = {"on": helpers.today().isoformat(), "comes_with": "Coaches.", "seen": plan.version + 1}
    assert client.post(url("plan_adopt", plan.pk), adopt).status_code == 302
    page = sign_in("head").get(url("plan_adopted")).content.decode()
    assert "Begins in term 1" in page
