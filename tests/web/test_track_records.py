"""What projects brought, what is expected of the next one, and who is told what of it."""

from statistics import fmean
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from brightspots_web.connectedness import records as registry
from brightspots_web.connectedness.models import Deployment, PracticeAdoption
from brightspots_web.directory import queries as directory
from brightspots_web.evidence import record_actions as actions
from brightspots_web.evidence import record_queries as queries
from brightspots_web.evidence.models import ProjectEffect, RecordSet, TrackRecord
from brightspots_web.insight import actions as insight
from brightspots_web.insight import year_figure_queries
from brightspots_web.shared import jobs
from brightspots_web.shared.models import AuditEntry, Job
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import MayNamePupilError
from tests.web import record_helpers as helpers
from tests.web import support_helpers
from tests.web.conftest import SignIn
from tests.web.world import World

THREE, OTHERS = ("N2", "N3", "N4"), ("X01", "X02", "X03")


@pytest.fixture
def schools(world: World) -> World:
    helpers.more_schools(world)
    support_helpers.a_priority()
    return world


def told_by(world: World, who: str, giver: str = "N1") -> queries.Told:
    """What somebody is told of a leader in reading."""
    person = support_helpers.a_head(world, giver).person
    found = queries.page_visible_to(world.cast[who], person.pk)
    assert found is not None
    return next(each for each in found.told if each.topic == "Reading")


# What is reckoned


def test_a_project_is_held_against_schools_with_the_same_past(schools: World) -> None:
    deployment = helpers.project(schools, "N2")
    helpers.a_run(schools, helpers.gains("N2"))
    effect = helpers.effect_of(helpers.reckoned(schools), deployment)
    assert effect.effect is not None
    assert effect.se is not None
    assert abs(effect.effect - helpers.GAIN) < 2 * effect.se
    assert (effect.before, effect.after, effect.n, effect.why) == (2021, 2023, 100, "")
    assert effect.n_comparison == 43  # 30 more and 13 of the world's


def test_schools_that_were_weak_by_chance_and_rose_by_themselves_are_no_effect(
    world: World,
) -> None:
    """Twelve pupils a school: much of who is weakest in a year is chance, and nothing helped."""
    helpers.more_schools(world, 200)
    support_helpers.a_priority()
    run = helpers.a_run(world, pupils=12)
    known = {(each.code, each.year): each.value for each in year_figure_queries.year_figures(run)}
    codes = [code for code in world.schools if code.startswith("X")]
    weakest = sorted(codes, key=lambda code: known[code, 2021])[:40]
    given = [helpers.project(world, code) for code in weakest]
    made = helpers.reckoned(world)
    found = [helpers.effect_of(made, each) for each in given]
    effects = [each.effect for each in found if each.effect is not None]
    errors = [each.se for each in found if each.se is not None]
    assert len(effects) == 40
    chance = fmean(errors) / len(effects) ** 0.5
    rose = fmean(known[code, 2023] - known[code, 2021] for code in weakest)
    assert rose > 3 * chance  # which a plain before and after would call the effect
    assert abs(fmean(effects)) < 2 * chance


def test_every_project_counts_whatever_came_of_it(schools: World) -> None:
    helpers.project(schools, "N2")
    early = helpers.project(schools, "N3", state=Deployment.State.ENDED)
    late = helpers.project(schools, "N4", year=2024)
    helpers.project(schools, "N5", state=Deployment.State.RUNNING)
    helpers.a_run(schools, helpers.gains("N2") | helpers.gains("N3", gain=-0.3))
    made = helpers.reckoned(schools)
    assert helpers.effect_of(made, early).effect is not None
    assert helpers.effect_of(made, late).why == ProjectEffect.Why.NOT_YET
    row = helpers.record_of(made, schools)
    assert (row.n_projects, row.n_measured, row.n_schools) == (3, 2, 2)
    assert row.lower < row.estimate < row.upper


def test_who_offers_and_never_gave_has_the_mean_and_the_widest_interval(schools: World) -> None:
    for code in THREE:
        helpers.project(schools, code)
    for code in OTHERS:
        helpers.project(schools, code, "L2")
    helpers.an_offer(schools, "L1")
    helpers.a_run(schools, helpers.gains(*THREE))
    made = helpers.reckoned(schools)
    new, good, poor = (helpers.record_of(made, schools, code) for code in ("L1", "N1", "L2"))
    assert new.n_projects == 0
    assert new.se > max(good.se, poor.se)
    assert poor.estimate < new.estimate < good.estimate


def test_help_under_way_takes_a_school_out_of_the_comparison(schools: World) -> None:
    deployment = helpers.project(schools, "N2")
    helpers.project(schools, "X01", state=Deployment.State.RUNNING)
    helpers.a_run(schools, helpers.gains("N2"))
    effect = helpers.effect_of(helpers.reckoned(schools), deployment)
    assert effect.n_comparison == 42


def test_with_too_few_schools_to_compare_with_nothing_is_claimed(world: World) -> None:
    for code in ("N2", "N3", "N4", "N5", "N6"):
        deployment = helpers.project(world, code)
    helpers.a_run(world)
    effect = helpers.effect_of(helpers.reckoned(world), deployment)
    assert (effect.effect, effect.why) == (None, ProjectEffect.Why.TOO_FEW)


def test_a_priority_without_an_outcome_leaves_projects_unmeasured(schools: World) -> None:
    priority = support_helpers.a_priority("care", "")
    deployment = helpers.project(schools, "N2", priority=priority)
    helpers.a_run(schools)
    effect = helpers.effect_of(helpers.reckoned(schools), deployment)
    assert effect.why == ProjectEffect.Why.NO_OUTCOME
    person = schools.person("system_leader")
    found = queries.page_visible_to(schools.cast["minister"], person.pk)
    assert found is not None
    told = {each.topic: each for each in found.told}
    assert told["priority:care"].state == queries.NOT_MEASURED
    assert told["Reading"].state == queries.NONE


def test_a_practice_has_a_record_too(schools: World, sign_in: SignIn) -> None:
    practice = helpers.practice(schools)
    for code in THREE:
        helpers.adopted(practice, code)
    helpers.a_run(schools, helpers.gains(*THREE))
    made = helpers.reckoned(schools)
    row = TrackRecord.objects.get(set=made, practice=practice)
    assert (row.n_projects, row.n_measured, row.n_schools) == (3, 3, 3)
    assert row.lower > 0
    page = sign_in("minister").get(reverse("connectedness:practice", args=[practice.code]))
    assert "What it brought where it was taken up" in page.content.decode()
    assert "from 3 projects" in page.content.decode()


def test_a_practice_that_nobody_took_up_says_nothing_of_a_record(
    schools: World, sign_in: SignIn
) -> None:
    practice = helpers.practice(schools)
    page = sign_in("minister").get(reverse("connectedness:practice", args=[practice.code]))
    assert "What it brought" not in page.content.decode()


def test_the_page_of_a_practice_counts_who_took_it_up_without_reading_them_all(
    schools: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = helpers.practice(schools)
    for code in THREE:
        helpers.adopted(practice, code)
    helpers.a_run(schools, helpers.gains(*THREE))
    helpers.reckoned(schools)
    read: list[object] = []
    whole = PracticeAdoption.from_db

    def count(*args: Any) -> PracticeAdoption:
        read.append(args)
        return whole(*args)

    monkeypatch.setattr(PracticeAdoption, "from_db", count)
    states = set()
    for who in ("minister", "head", "other_head", "analyst"):
        acting = schools.cast[who]
        visible = directory.schools_visible_to(acting).filter(code__in=THREE).count()
        told = queries.of_practice(practice.pk, acting)
        assert told is not None
        assert (told.n_projects, told.n_measured, told.n_schools) == (3, 3, 3)
        assert told.state == (queries.SHOWN if visible in (0, 3) else queries.OUTSIDE)
        assert (told.record is not None) == (told.state == queries.SHOWN)
        states.add(told.state)
    assert queries.SHOWN in states
    assert len(read) <= 4, "one of them, for its priority, each time"


# Nothing withheld is in it


def withheld(value: float) -> dict[str, dict[tuple[str, int], float]]:
    return {
        "small": {("N3", 2023): value, ("X05", 2021): value, ("X06", 2023): -value},
        "marked": {("N4", 2023): value, ("X07", 2022): value, ("N2", 2021): 0.0},
    }


def test_figures_that_are_withheld_have_no_say_whatever_they_are(schools: World) -> None:
    """Whoever subtracts whatever from whatever cannot find what was never put in."""
    for code in THREE:
        helpers.project(schools, code)
    helpers.project(schools, "N5", year=2023)

    def everything() -> list[object]:
        made = helpers.reckoned(schools)
        effects = ProjectEffect.objects.filter(set=made).order_by("deployment")
        rows = TrackRecord.objects.filter(set=made).order_by("person", "topic")
        return [
            made.input_hash, made.summary,
            *effects.values_list("effect", "se", "why", "n", "n_comparison"),
            *rows.values_list("estimate", "se", "lower", "upper", "n_measured", "n_schools"),
        ]  # fmt: skip

    helpers.a_run(schools, helpers.gains(*THREE), **withheld(0.1))
    first = everything()
    helpers.a_run(schools, helpers.gains(*THREE), **withheld(4.9))
    assert everything() == first
    hidden = ProjectEffect.objects.filter(school__code="N3").order_by("-pk").first()
    assert hidden is not None
    assert hidden.why == ProjectEffect.Why.NO_AFTER


@pytest.mark.parametrize(("codes", "state"), [
    (("N2",), queries.FEW), (("N2", "N3"), queries.FEW), (THREE, queries.SHOWN),
    (("N2", "N3", "E2"), queries.OUTSIDE), (("N2", "E2", "E3", "W1"), queries.SHOWN),
])  # fmt: skip
def test_a_figure_is_told_where_no_two_schools_can_be_had_by_subtraction(
    schools: World, codes: tuple[str, ...], state: str
) -> None:
    for code in codes:
        helpers.project(schools, code)
    helpers.a_run(schools, helpers.gains(*codes))
    helpers.reckoned(schools)
    told = told_by(schools, "district_officer")
    assert told.state == state
    assert (told.record is not None) == (state == queries.SHOWN)


def test_three_projects_at_one_school_are_one_school(schools: World) -> None:
    for year in (2021, 2022, 2023):
        helpers.project(schools, "N2", year=year)
    helpers.a_run(schools)
    helpers.reckoned(schools)
    assert told_by(schools, "minister").state == queries.FEW


def test_a_leader_sees_each_project_and_nobody_else_does(schools: World, sign_in: SignIn) -> None:
    for code in THREE:
        helpers.project(schools, code)
    helpers.a_run(schools, helpers.gains(*THREE))
    helpers.reckoned(schools)
    address = reverse("evidence:record", args=[schools.person("system_leader").pk])
    own = sign_in("system_leader").get(address).content.decode()
    assert own.count("What it brought") == 3
    assert own.count("schools without help in the same years") == 3
    for who in ("minister", "district_officer"):
        page = sign_in(who).get(address).content.decode()
        assert "School N3" in page
        assert "What it brought" not in page
        assert "schools without help in the same years" not in page


def test_the_own_record_stands_with_one_project_already(schools: World, sign_in: SignIn) -> None:
    helpers.project(schools, "N2")
    helpers.a_run(schools, helpers.gains("N2"))
    helpers.reckoned(schools)
    assert told_by(schools, "system_leader").state == queries.SHOWN
    page = sign_in("system_leader").get(reverse("leaders:me")).content.decode()
    assert "expected, likely between" in page
    assert reverse("evidence:record", args=[schools.person("system_leader").pk]) in page


def test_projects_out_of_sight_are_counted_and_not_named(schools: World, sign_in: SignIn) -> None:
    helpers.project(schools, "N2")
    helpers.project(schools, "E2")
    address = reverse("evidence:record", args=[schools.person("system_leader").pk])
    page = sign_in("district_officer").get(address).content.decode()
    assert "School N2" in page
    assert "School E2" not in page
    assert "And 1 project at schools outside what you see." in page


# The list


def test_the_list_goes_by_name_whatever_the_records(schools: World, sign_in: SignIn) -> None:
    names = {"L1": "Adhiambo", "L2": "Zuberi", "L3": "Mumo"}
    for code, name in names.items():
        person = support_helpers.a_head(schools, code).person
        person.name = name
        person.save()
    for giver, codes in {"L2": ("N2", "N3", "N4"), "L1": ("N5", "N6", "X01")}.items():
        for code in codes:
            helpers.project(schools, code, giver)
    helpers.an_offer(schools, "L3")
    helpers.a_run(schools, helpers.gains("N2", "N3", "N4"))
    helpers.reckoned(schools)
    page = sign_in("minister").get(reverse("evidence:records")).content.decode()
    places = [page.index(name) for name in ("Adhiambo", "Mumo", "Zuberi")]
    assert places == sorted(places)
    assert "No record yet." in page
    rows = sign_in("minister").get(reverse("evidence:records_export", args=["csv"]))
    text = b"".join(rows.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined] # the CSV is streamed
    assert text.index("Adhiambo") < text.index("Mumo") < text.index("Zuberi")


def test_the_list_is_narrowed_by_name_and_says_so_when_nobody_fits(
    schools: World, sign_in: SignIn
) -> None:
    helpers.project(schools, "N2")
    client = sign_in("minister")
    assert "School N1" in client.get(reverse("evidence:records"), {"q": "system"}).content.decode()
    page = client.get(reverse("evidence:records"), {"q": "nobody of this name"})
    assert "Nobody fits." in page.content.decode()


def test_the_list_takes_as_many_reads_for_many_leaders_as_for_one(
    schools: World, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    for giver in ("N1", "L1", "L2", "L3", "E1"):
        helpers.project(schools, "N2", giver)
    helpers.a_run(schools)
    helpers.reckoned(schools)
    client = sign_in("minister")
    with django_assert_max_num_queries(40):  # type: ignore[operator] # a fixture of pytest-django
        assert client.get(reverse("evidence:records")).status_code == 200


def test_the_list_reads_the_support_of_its_own_page_alone(
    schools: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for giver in ("N1", "L1", "L2"):
        helpers.project(schools, "N2", giver)

    def read(*_args: object) -> None:
        raise AssertionError("all support of the system was read")

    monkeypatch.setattr(Deployment, "from_db", read)
    assert len(queries.leaders_in_sight(schools.cast["minister"])) == 3


# Beside a project


def test_a_leader_puts_words_beside_a_project_and_takes_them_back(
    schools: World, sign_in: SignIn
) -> None:
    deployment = helpers.project(schools, "N2")
    address = reverse("evidence:record_words", args=[deployment.pk])
    client = sign_in("system_leader")
    answer = client.post(address, {"words": "The weekly plan stayed.", "seen": "0"})
    assert answer.status_code == 302
    record = reverse("evidence:record", args=[schools.person("system_leader").pk])
    assert "The weekly plan stayed." in sign_in("district_officer").get(record).content.decode()
    assert sign_in("system_leader").post(address, {"words": "", "seen": "1"}).status_code == 302
    assert "The weekly plan stayed." not in client.get(record).content.decode()
    assert AuditEntry.objects.filter(action="evidence.say_beside_project").count() == 2


def test_words_of_another_window_are_not_overwritten_and_nothing_is_lost(
    schools: World, sign_in: SignIn
) -> None:
    deployment = helpers.project(schools, "N2")
    address = reverse("evidence:record_words", args=[deployment.pk])
    client = sign_in("system_leader")
    client.post(address, {"words": "First.", "seen": "0"})
    answer = client.post(address, {"words": "Second, typed before.", "seen": "0"})
    assert answer.status_code == 409
    assert "Second, typed before." in answer.content.decode()
    assert "First." in answer.content.decode()


def test_words_that_may_name_a_pupil_are_asked_about(schools: World) -> None:
    deployment = helpers.project(schools, "N2")
    by = schools.cast["system_leader"]
    project = queries.own_project(by, deployment.pk)
    assert project is not None
    with pytest.raises(MayNamePupilError):
        actions.say(project, "The pupil Achieng reads now.", by=by)
    actions.say(project, "The pupil Achieng reads now.", by=by, names_no_pupil=True)
    with pytest.raises(PermissionDenied):
        actions.say(project, "Not mine.", by=schools.cast["head"])


# Reckoned anew


def test_records_follow_when_an_analysis_is_published_and_when_it_is_taken_back(
    schools: World,
) -> None:
    helpers.project(schools, "N2")
    analyst = schools.cast["analyst"]
    first = helpers.a_run(schools)
    helpers.reckoned(schools)
    second = helpers.a_run(schools, helpers.gains("N2"))
    second.published_at = None
    second.save()
    insight.publish(second, by=analyst)
    assert queries.current_set() is None  # those of the first are not shown beside the second
    job = Job.objects.filter(kind=actions.RECKON).latest("pk")
    assert jobs.run_here(job).status == Job.Status.DONE
    made = queries.current_set()
    assert made is not None
    assert made.run == second
    insight.withdraw(second, by=analyst, reason="Wrong file.")
    back = queries.current_set()
    assert back is not None
    assert back.run == first
    assert Job.objects.filter(kind=actions.RECKON, status=Job.Status.QUEUED).exists()


def test_without_any_project_publishing_asks_for_nothing(schools: World) -> None:
    run = helpers.a_run(schools)
    run.published_at = None
    run.save()
    insight.publish(run, by=schools.cast["analyst"])
    assert not Job.objects.filter(kind=actions.RECKON).exists()


def test_a_job_done_again_after_a_kill_keeps_one_reckoning(schools: World) -> None:
    helpers.project(schools, "N2")
    helpers.a_run(schools)
    made = helpers.reckoned(schools)
    job = Job.objects.get(pk=made.job)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.QUEUED)
    jobs.run_here(job)
    assert RecordSet.objects.count() == 1


def test_without_a_published_analysis_the_job_says_what_to_do(schools: World) -> None:
    helpers.project(schools, "N2")
    job = jobs.run_here(actions.ask(by=schools.cast["minister"]))
    assert job.status == Job.Status.FAILED
    assert "Publish one first" in job.problem


def test_rows_of_old_reckonings_go_and_how_they_were_made_stays(schools: World) -> None:
    helpers.project(schools, "N2")
    helpers.a_run(schools)
    sets = [helpers.reckoned(schools) for _ in range(actions.KEEP + 1)]
    sets[0].refresh_from_db()
    assert sets[0].rows_removed_at is not None
    assert not ProjectEffect.objects.filter(set=sets[0]).exists()
    assert sets[0].input_hash


# How far brokering explores


def test_the_ministry_sets_how_far_brokering_explores(schools: World, sign_in: SignIn) -> None:
    assert registry.outlook([], []).exploration == 0.1
    answer = sign_in("minister").post(
        reverse("evidence:record_exploration"), {"exploration": "25", "seen": "1"}
    )
    assert answer.status_code == 302
    assert registry.outlook([], []).exploration == 0.25
    page = sign_in("minister").get(reverse("evidence:records")).content.decode()
    assert "Of 100 requests for support, 25 at most go by a draw" in page
    with pytest.raises(PermissionDenied):
        actions.set_exploration(5, by=schools.cast["analyst"])
    with pytest.raises(OvertakenError):
        actions.set_exploration(5, by=schools.cast["minister"], seen=1)


@pytest.mark.parametrize("share", ["51", "-1", "many"])
def test_a_share_out_of_range_is_refused_with_its_reason(
    schools: World, sign_in: SignIn, share: str
) -> None:
    answer = sign_in("minister").post(
        reverse("evidence:record_exploration"), {"exploration": share}
    )
    assert answer.status_code == 200
    assert share in answer.content.decode()
    assert queries.settings_now().exploration == 10
