"""Evaluations: a known truth through the whole way, bad input, who may do what, what is hidden."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.connectedness import begun_queries as begun
from brightspots_web.connectedness import support_actions
from brightspots_web.connectedness import support_deployment_actions as under_way
from brightspots_web.evidence import evaluation_actions as actions
from brightspots_web.evidence import evaluation_list_pages as lists
from brightspots_web.evidence import evaluation_pages as pages
from brightspots_web.evidence import evaluation_power as planning
from brightspots_web.evidence import evaluation_queries as queries
from brightspots_web.evidence import evaluation_words as words
from brightspots_web.evidence.analysis import evaluation as analysis
from brightspots_web.evidence.evaluation_treated_queries import first_year
from brightspots_web.evidence.models import Evaluation, EvaluationResult
from brightspots_web.insight import year_figure_queries
from brightspots_web.shared import jobs
from brightspots_web.shared.models import AuditEntry, Job
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import evaluation_helpers as helpers
from tests.web import support_helpers
from tests.web.conftest import SignIn
from tests.web.world import World

State = Evaluation.State
WORKS = "/evidence/works/"


def page_of(sign_in: SignIn, who: str, evaluation: Evaluation) -> str:
    answer = sign_in(who).get(pages.url(evaluation))
    assert answer.status_code == 200
    return answer.content.decode()


# A known truth through the whole way


def test_a_practice_that_works_is_found_published_and_read_by_everybody(
    world: World, sign_in: SignIn
) -> None:
    truth = 0.25
    practice = helpers.a_panel(world, truth)
    evaluation = helpers.planned(world, practice)
    result = helpers.found(evaluation, world)
    simple = result.found["simple"]
    assert simple["lower"] < truth < simple["upper"]
    assert simple["upper"] - simple["lower"] < 0.15
    assert result.found["counts"]["treated_units"] == 24
    assert sign_in("head").get(pages.url(evaluation)).status_code == 404

    sign_in("minister").post(reverse("evidence:evaluation_publish", args=[evaluation.pk]))
    evaluation.refresh_from_db()
    assert evaluation.state == State.PUBLISHED
    shown = page_of(sign_in, "head", evaluation)
    assert words.sd(simple["att"]) in shown
    assert "Months of progress" in shown
    assert "Percentile gain" in shown
    assert "What would change our mind" in shown
    assert "Who was left out" in shown
    assert "By imputation" in shown
    assert "Adjusted for earlier results" in shown
    assert shown.count("<svg") >= 2


def test_both_ends_of_the_interval_are_told_in_months_and_places(
    world: World, sign_in: SignIn
) -> None:
    evaluation = helpers.published(world)
    assert evaluation.published_result is not None
    finding = evaluation.published_result.found
    months, places = words.months(finding), words.percentile(finding)
    assert months is not None
    assert places is not None
    size = finding["size"]
    assert months[1] == f"+{size['months_lower']} and +{size['months_upper']}"
    shown = page_of(sign_in, "teacher", evaluation)
    assert f"likely between {months[1]}" in shown
    assert f"likely between {places[1]}" in shown


def test_a_practice_that_does_nothing_is_listed_as_such_beside_the_other(
    world: World, sign_in: SignIn
) -> None:
    evaluation = helpers.published(world, 0.0)
    assert evaluation.published_result is not None
    simple = evaluation.published_result.found["simple"]
    assert simple["lower"] < 0 < simple["upper"]
    listed = sign_in("head").get(WORKS).content.decode()
    assert evaluation.title in listed
    assert "no effect could be told from none" in listed
    assert "no difference could be told from none" in page_of(sign_in, "head", evaluation)


def test_the_result_is_frozen_with_where_it_comes_from(world: World) -> None:
    evaluation = helpers.planned(world, helpers.a_panel(world))
    first, again = helpers.found(evaluation, world), helpers.found(evaluation, world)
    assert first.pk != again.pk
    assert first.found == again.found
    assert first.input_hash == again.input_hash
    assert (first.method, first.method_version) == ("evidence", "1")
    assert first.run_input_hash == "panel"
    assert first.settings["anticipation"] == 1
    assert first.plan == actions.plan_of(evaluation)


def test_a_job_done_again_after_a_kill_keeps_one_result(world: World) -> None:
    evaluation = helpers.planned(world, helpers.a_panel(world))
    job = helpers.run_it(evaluation, world)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.QUEUED)
    job.refresh_from_db()
    jobs.run_here(job)
    assert EvaluationResult.objects.count() == 1


def test_the_page_of_the_practice_shows_what_was_found_of_it(world: World, sign_in: SignIn) -> None:
    evaluation = helpers.published(world)
    assert evaluation.practice is not None
    url = reverse("connectedness:practice", args=[evaluation.practice.code])
    shown = sign_in("head").get(url).content.decode()
    assert "What it did at other schools" in shown
    assert pages.url(evaluation) in shown
    actions.withdraw(evaluation, by=world.cast["minister"], reason="Wrong figures.", seen=None)
    shown = sign_in("head").get(url).content.decode()
    assert "withdrawn: Wrong figures." in shown
    assert "results were higher with it" not in shown


# Without a comparison


def test_before_and_after_alone_has_no_effect_no_months_and_no_security(
    world: World, sign_in: SignIn
) -> None:
    evaluation = helpers.published(world, control="none")
    assert evaluation.published_result is not None
    finding = evaluation.published_result.found
    assert finding["security"]["rating"] == 0
    assert finding["simple"] is None
    shown = page_of(sign_in, "head", evaluation)
    assert "0 of 5" in shown
    assert "There was nobody to compare with" in shown
    assert "Months of progress" not in shown
    assert "What the schools reached, year by year" in shown


# Bad input


@pytest.mark.parametrize(
    ("panel", "plan", "says"),
    [
        ({"years": (2022,)}, {}, "At least two are needed"),
        ({"began": {2022: 1}}, {}, "Only one school with figures began"),
        ({"began": {2022: 2}}, {}, "Only 2 schools with figures began"),
        ({"spread": 0.0}, {}, "Every school has the same figure in every year"),
        ({}, {"subject": "Knitting"}, "has figures of 0 years at this outcome"),
        ({"others": 0, "began": {2022: 6, 2023: 6}}, {"control": "never"}, "nobody who never did"),
        ({"others": 2, "began": {2022: 9}}, {}, "Fewer than three schools are left to compare"),
        ({"began": {2019: 9}}, {}, "Only 0 schools with figures began"),
        ({"began": {2020: 9}}, {"anticipation": 3}, "with a year before"),
    ],
    ids=[
        "one year",
        "single",
        "two",
        "constant",
        "no panel",
        "all",
        "few others",
        "always",
        "late",
    ],
)
def test_what_cannot_be_evaluated_says_why_and_keeps_no_result(
    world: World, sign_in: SignIn, panel: dict[str, Any], plan: dict[str, Any], says: str
) -> None:
    evaluation = helpers.planned(world, helpers.a_panel(world, **panel), **plan)
    job = helpers.run_it(evaluation, world)
    assert job.status == Job.Status.FAILED
    assert says in job.problem
    assert not EvaluationResult.objects.exists()
    evaluation.refresh_from_db()
    assert evaluation.state == State.PLANNED
    assert says in page_of(sign_in, "analyst", evaluation)


def test_without_a_published_analysis_it_is_not_even_asked_for(
    world: World, sign_in: SignIn
) -> None:
    evaluation = helpers.planned(world)
    with pytest.raises(ValidationError, match="No analysis is published"):
        actions.start(evaluation, by=world.cast["analyst"], seen=None)
    url = reverse("evidence:evaluation_run", args=[evaluation.pk])
    shown = sign_in("analyst").post(url, follow=True).content.decode()
    assert "No analysis is published" in shown
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"question": ""}, "question"),
        ({"change_our_mind": " "}, "change_our_mind"),
        ({"practice": None}, "practice"),
        ({"kind": "support"}, "priority"),
        ({"subject": ""}, "subject"),
        ({"design": "eligible"}, "design"),
        ({"design": "lottery"}, "lottery"),
        ({"anticipation": 9}, "anticipation"),
        ({"covariates": tuple("abcdef")}, "covariates"),
        ({"cost_amount": Decimal(-1)}, "cost_amount"),
        ({"cost_amount": Decimal(5)}, "cost_currency"),
        ({"cost_amount": Decimal(5), "cost_currency": "KES"}, "cost_per"),
        ({"cost_amount": Decimal(5), "cost_currency": "KES", "cost_per": "school"},
         "cost_includes"),
    ],
)  # fmt: skip
def test_a_plan_that_does_not_go_together_is_refused_at_its_field(
    world: World, changes: dict[str, Any], field: str
) -> None:
    practice = helpers.practices.a_practice(world)
    with pytest.raises(ValidationError) as refused:
        actions.plan(replace(helpers.a_plan(practice), **changes), by=world.cast["analyst"])
    assert field in refused.value.message_dict
    assert not Evaluation.objects.exists()


def test_support_called_off_before_its_first_day_is_no_support(world: World) -> None:
    begins = support_helpers.today() + timedelta(days=20)
    kept = support_helpers.begun(world, "N2", "N1", starts=begins)
    off = support_helpers.begun(world, "N3", "N4", starts=begins)
    assert set(begun.supported_since(off.priority)) == {kept.receiving_id, off.receiving_id}
    under_way.end_early(off, by=support_helpers.a_head(world, "N3"), why="(Invented.) WHY.")
    assert begun.supported_since(off.priority) == {kept.receiving_id: begins}
    assert begun.giving_at(off.priority) == {kept.giving_id}


def test_a_school_that_was_proposed_for_support_asked_for_it_once_it_agrees(world: World) -> None:
    priority = support_helpers.a_priority()
    asked = support_actions.propose_support(
        world.schools["N2"], by=world.cast["district_officer"], priority=priority,
        what="(Invented.) Reading.", days=Decimal(4), urgency="term",
    )  # fmt: skip
    assert begun.asked_for(priority) == set()
    support_actions.answer_proposal(asked, by=support_helpers.a_head(world, "N2"), agree=True)
    assert begun.asked_for(priority) == {asked.school_id}


# What rests on too few


def test_a_group_of_two_schools_can_be_had_from_nothing_that_is_kept(world: World) -> None:
    practice = helpers.a_panel(world, began={2021: 2, 2022: 9, 2023: 9})
    finding = helpers.found(helpers.planned(world, practice), world).found
    groups = {row["group"] for row in finding["paths"]}
    assert groups == {"began", "never"}
    assert {row["n"] for row in finding["paths"] if row["group"] == "began"} == {20}
    assert finding["cells"] == []
    assert all(row["treated_units"] >= 3 for row in finding["events"])


def test_the_effect_of_two_schools_is_not_what_years_since_and_another_group_leave(
    world: World,
) -> None:
    practice = helpers.a_panel(world, began={2021: 2, 2022: 9, 2023: 5})
    finding = helpers.found(helpers.planned(world, practice), world).found
    two_years_on = [row for row in finding["events"] if row["event_time"] == 2]
    assert [row["treated_units"] for row in two_years_on] == [11], "the two and nine others alone"
    assert not [row for row in finding["cells"] if row["group"] == "2022"]


def test_hidden_groups_are_never_alone_and_together_three_schools_or_more() -> None:
    assert analysis.hidden_groups({"2021": 5, "2022": 4, "never": 9}) == set()
    assert analysis.hidden_groups({"2021": 2, "2022": 4, "2023": 9, "never": 9}) == {"2021", "2022"}
    assert analysis.hidden_groups({"2021": 2, "2022": 1, "2023": 9}) == {"2021", "2022"}


def test_few_schools_left_out_are_not_counted_out(world: World, sign_in: SignIn) -> None:
    from brightspots_web.insight.models import Estimate

    practice = helpers.a_panel(world)
    Estimate.objects.filter(school__code="S063", year=2019).update(n=4)
    evaluation = helpers.planned(world, practice)
    result = helpers.found(evaluation, world)
    assert result.found["counts"]["left_out"] == {"no row in some periods": None}
    assert words.left_out(result.found) == [("no figure in some year", "fewer than 3")]
    assert "fewer than 3" in page_of(sign_in, "analyst", evaluation)


def test_figures_of_few_pupils_do_not_go_in(world: World) -> None:
    from brightspots_web.insight.models import Estimate

    practice = helpers.a_panel(world)
    Estimate.objects.filter(school__code__in=["S060", "S061", "S062"]).update(n=7)
    finding = helpers.found(helpers.planned(world, practice), world).found
    assert finding["counts"]["units"] == 61
    assert finding["left"]["withheld"] == 3


def test_the_school_the_practice_comes_from_is_not_compared_with(world: World) -> None:
    from brightspots_web.insight.models import Estimate

    practice = helpers.a_panel(world)
    Estimate.objects.filter(school__code="S063").update(school=practice.school)
    finding = helpers.found(helpers.planned(world, practice), world).found
    assert finding["counts"]["units"] == 63
    assert finding["left"] == {"gave": None}


# From when a school counts


@pytest.mark.parametrize(
    ("began", "first"),
    [
        (date(2022, 2, 1), 2022),
        (date(2022, 9, 1), 2022),
        (date(2022, 9, 2), 2023),
        (date(2022, 12, 24), 2023),
    ],
)
def test_a_school_counts_from_the_first_results_long_enough_after_it_began(
    began: date, first: int
) -> None:
    assert first_year(began, 11, 90) == first


# Changing, publishing, withdrawing


def test_a_change_after_a_result_was_seen_is_counted_and_shown(
    world: World, sign_in: SignIn
) -> None:
    practice = helpers.a_panel(world)
    evaluation = helpers.planned(world, practice)
    analyst, minister = world.cast["analyst"], world.cast["minister"]
    actions.change(evaluation, helpers.a_plan(practice, anticipation=2), by=analyst, seen=None)
    evaluation.refresh_from_db()
    assert evaluation.changed_after == 0
    helpers.found(evaluation, world)
    actions.change(evaluation, helpers.a_plan(practice, anticipation=0), by=analyst, seen=None)
    evaluation.refresh_from_db()
    assert evaluation.changed_after == 1
    with pytest.raises(ValidationError, match="Run it again, then publish"):
        actions.publish(evaluation, by=minister, seen=None)
    helpers.found(evaluation, world)
    actions.publish(evaluation, by=minister, seen=None)
    shown = page_of(sign_in, "head", evaluation)
    assert "changed once after a result had been seen" in shown
    assert "It was run 2 times" in shown
    with pytest.raises(ValidationError, match="What was published is not changed"):
        actions.change(evaluation, helpers.a_plan(practice), by=analyst, seen=None)


def test_only_the_ministry_publishes_and_takes_back_what_was_published(world: World) -> None:
    evaluation = helpers.planned(world)
    helpers.a_made_up_result(evaluation)
    with pytest.raises(PermissionDenied):
        actions.publish(evaluation, by=world.cast["analyst"], seen=None)
    with pytest.raises(PermissionDenied):
        actions.plan(
            helpers.a_plan(helpers.practices.a_practice(world)), by=world.cast["district_officer"]
        )
    evaluation = actions.publish(evaluation, by=world.cast["minister"], seen=None)
    with pytest.raises(PermissionDenied):
        actions.withdraw(evaluation, by=world.cast["analyst"], reason="No.", seen=None)


def test_who_evaluates_withdraws_nothing_that_is_published_meanwhile(world: World) -> None:
    seen_as_planned = helpers.planned(world)
    helpers.a_made_up_result(Evaluation.objects.get(pk=seen_as_planned.pk))
    actions.publish(seen_as_planned, by=world.cast["minister"], seen=None)
    with pytest.raises(PermissionDenied):
        actions.withdraw(seen_as_planned, by=world.cast["analyst"], reason="Late.", seen=None)
    assert Evaluation.objects.get().state == Evaluation.State.PUBLISHED


def test_what_is_withdrawn_stays_listed_with_its_reason_and_no_figure(
    world: World, sign_in: SignIn
) -> None:
    evaluation = helpers.published(world)
    minister = world.cast["minister"]
    with pytest.raises(ValidationError, match="Say why"):
        actions.withdraw(evaluation, by=minister, reason=" ", seen=None)
    actions.withdraw(evaluation, by=minister, reason="A file was read twice.", seen=None)
    listed = sign_in("head").get(WORKS).content.decode()
    assert "withdrawn: A file was read twice." in listed
    row = lists.rows([queries.listed_to(world.cast["head"]).get()])[0]
    assert "effect" not in row
    assert "This evaluation was withdrawn" in page_of(sign_in, "head", evaluation)
    trail = AuditEntry.objects.filter(action="evidence.withdraw_evaluation").get()
    assert trail.detail["reason"] == "A file was read twice."


def test_a_plan_is_listed_from_its_first_day_and_opened_by_those_who_evaluate(
    world: World, sign_in: SignIn
) -> None:
    evaluation = helpers.planned(world)
    client = sign_in("head")
    listed = client.get(WORKS).content.decode()
    assert evaluation.title in listed
    assert "not run yet" in listed
    assert pages.url(evaluation) not in listed
    assert client.get(pages.url(evaluation)).status_code == 404
    assert "not run yet" in client.get("/evidence/works.csv").getvalue().decode()


def test_whoever_is_overtaken_is_told_and_loses_nothing(world: World, sign_in: SignIn) -> None:
    practice = helpers.a_panel(world)
    evaluation = helpers.planned(world, practice)
    old = evaluation.version
    helpers.found(evaluation, world)
    with pytest.raises(OvertakenError):
        actions.publish(evaluation, by=world.cast["minister"], seen=old)
    url = reverse("evidence:evaluation_withdraw", args=[evaluation.pk])
    answer = sign_in("analyst").post(url, {"reason": "We asked the wrong question.", "seen": old})
    assert answer.status_code == 409
    assert "We asked the wrong question." in answer.content.decode()
    evaluation.refresh_from_db()
    assert evaluation.state == State.RUN


def test_a_plan_is_written_and_changed_on_its_pages(world: World, sign_in: SignIn) -> None:
    practice = helpers.a_panel(world)
    client = sign_in("analyst")
    typed = {
        "title": "Fours", "question": "Did it help?", "kind": "practice", "priority": "",
        "practice": practice.code, "subject": "Reading", "control": "notyet",
        "design": "comparison", "lottery": "", "design_words": "As it came.",
        "anticipation": "1", "results_month": "11", "least_days": "90", "cluster": "on",
        "covariates": ["poverty"], "cost_amount": "1200.50", "cost_currency": "kes",
        "cost_per": "school", "cost_includes": "Books.", "change_our_mind": "A null.",
    }  # fmt: skip
    answer = client.post(reverse("evidence:evaluation_new"), typed)
    evaluation = Evaluation.objects.get()
    assert answer.headers["Location"] == pages.url(evaluation)
    assert evaluation.covariates == ["poverty"]
    assert words.cost(evaluation) == "KES 1,200.50 for each school and year"
    assert evaluation.power["detectable"] > 0
    assert "would be found four times out of five" in page_of(sign_in, "analyst", evaluation)
    url = reverse("evidence:evaluation_change", args=[evaluation.pk])
    typed |= {"title": "Fours by turns", "seen": str(evaluation.version)}
    assert client.post(url, typed).status_code == 302
    overtaken = client.post(url, typed | {"title": "Another"})
    assert overtaken.status_code == 409
    assert "Another" in overtaken.content.decode()
    evaluation.refresh_from_db()
    assert evaluation.title == "Fours by turns"


# The list, and power before the fact


def test_the_list_is_narrowed_and_its_files_say_how_sure(world: World, sign_in: SignIn) -> None:
    evaluation = helpers.published(world)
    assert evaluation.practice is not None
    client = sign_in("head")
    query = {"practice": evaluation.practice.code, "state": "published"}
    assert evaluation.title in client.get(WORKS, query).content.decode()
    context = queries.context_of(queries.listed_to(world.cast["head"]).get())
    assert "phase=primary" in context
    assert evaluation.title in client.get(WORKS, {"context": context[0]}).content.decode()
    none = client.get(WORKS, {"state": "planned"}).content.decode()
    assert "No evaluation fits" in none
    csv = client.get("/evidence/works.csv").getvalue().decode()
    assert "Likely from" in csv
    assert "Nothing here is a ranking" in csv
    own = client.get(reverse("evidence:evaluation_export", args=[evaluation.pk, "csv"]))
    assert "raw mean" in own.getvalue().decode()


def test_a_list_of_many_takes_few_questions_to_the_database(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    practice = helpers.practices.a_practice(world)
    for at in range(12):
        helpers.planned(world, practice, title=f"Evaluation {at}")
    client = sign_in("head")
    client.get(WORKS)
    with django_assert_max_num_queries(14):
        client.get(WORKS)


def test_forty_schools_find_large_effects_alone_and_more_schools_find_smaller(
    world: World, sign_in: SignIn
) -> None:
    url = reverse("evidence:power")
    asked = {"schools": 40, "share": 50, "pupils": 30, "icc": 15, "pre_years": 0, "post_years": 1}
    shown = sign_in("analyst").get(url, asked).content.decode()
    assert "an effect of 0.38 SD of pupils" in shown  # docs/methods/evidence.md
    few = sign_in("analyst").get(url, asked | {"schools": 4, "share": 10}).content.decode()
    assert "are too few for a comparison" in few
    bad = sign_in("analyst").get(url, asked | {"schools": "many"}).content.decode()
    assert "Enter a whole number" in bad


def test_a_plan_knows_what_the_schools_on_record_could_detect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = helpers.a_panel(world)

    def read(*_args: object) -> None:
        raise AssertionError("a page reads all figures of all schools")

    monkeypatch.setattr(year_figure_queries, "year_figures", read)
    power = planning.of_plan(helpers.a_plan(practice))
    assert power["schools"] == 64
    assert power["share"] == pytest.approx(24 / 64)
    assert power["pre_years"] == 2
    assert planning.of_plan(helpers.a_plan(practice, control="none")) == {}


def test_the_front_page_of_the_ministry_says_what_waits(world: World, sign_in: SignIn) -> None:
    evaluation = helpers.planned(world)
    helpers.a_made_up_result(evaluation)
    assert pages.url(evaluation) in sign_in("minister").get("/evidence/").content.decode()
    assert pages.url(evaluation) not in sign_in("analyst").get("/evidence/").content.decode()


def test_publishing_holds_the_bright_spot_against_newer_figures(world: World) -> None:
    from brightspots_web.insight import bright_spot_actions
    from brightspots_web.insight.models import BrightSpot
    from tests.web.bright_spot_helpers import a_run

    helpers.practices.a_confirmed_spot(world)
    bright_spot_actions.take_step(
        world.schools["N2"], "Reading", by=world.cast["minister"], to="written_up",
        on=helpers.practices.days_ago(5), note="Three pages.",
    )  # fmt: skip
    spot = BrightSpot.objects.get(school=world.schools["N2"], subject="Reading")
    practice = helpers.practices.a_practice(world)
    practice.bright_spot = spot
    practice.save()
    evaluation = helpers.planned(world, practice)
    helpers.a_made_up_result(evaluation)
    minister = world.cast["minister"]
    actions.publish(evaluation, by=minister, seen=None)
    trail = AuditEntry.objects.filter(action="evidence.publish_evaluation").latest("pk")
    assert trail.detail["re_tested"] is False, "there is nothing newer to hold it against"

    a_run(world, input_hash="second", minutes=5)
    evaluation.refresh_from_db()
    helpers.a_made_up_result(evaluation, job=901)
    actions.publish(evaluation, by=minister, seen=None)
    spot.refresh_from_db()
    assert spot.state == BrightSpot.State.RE_TESTED
    assert evaluation.title in spot.steps.latest("pk").note


def test_a_run_asked_for_before_the_plan_was_changed_gives_nothing(world: World) -> None:
    practice = helpers.a_panel(world)
    evaluation = helpers.planned(world, practice)
    analyst = world.cast["analyst"]
    first, second = (actions.start(evaluation, by=analyst, seen=None) for _time in range(2))
    assert jobs.run_here(first).status == Job.Status.DONE
    actions.change(evaluation, helpers.a_plan(practice, anticipation=0), by=analyst, seen=None)
    late = jobs.run_here(second)
    assert late.status == Job.Status.FAILED
    assert "The plan was changed" in late.problem
    assert EvaluationResult.objects.count() == 1
