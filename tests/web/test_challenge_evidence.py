"""What published figures say in challenge visits: suggestions, brief, progress by partnership."""

import pytest

from brightspots_web.accountability import challenge_actions as actions
from brightspots_web.accountability import challenge_list_pages as lists
from brightspots_web.accountability import challenge_pages as pages
from brightspots_web.accountability import challenge_suggestion_queries as suggesting
from brightspots_web.accountability.models import ChallengeSettings, ChallengeVisit
from brightspots_web.insight import actions as analyses
from brightspots_web.insight import progress_queries
from brightspots_web.insight import queries as insight
from brightspots_web.insight.models import Estimate, PartnershipFigure
from tests.web import challenge_helpers as helpers
from tests.web.challenge_helpers import State, in_days
from tests.web.conftest import SignIn
from tests.web.insight_helpers import published
from tests.web.support_helpers import a_priority
from tests.web.world import World

Why = ChallengeVisit.Why


def test_schools_are_suggested_by_evidence_and_by_turns_and_never_ranked(world: World) -> None:
    officer = world.cast["district_officer"]
    # Nothing published: all by turns, each with its reason.
    found = suggesting.suggestions(officer)
    assert len(found) == suggesting.AT_ONCE
    assert {each.why for each in found} == {Why.ROTATION}
    a_priority()
    run = published(world)
    found = suggesting.suggestions(officer)
    by_evidence = [each for each in found if each.why == Why.EVIDENCE]
    assert [each.school.code for each in by_evidence] == ["N2"], "far below the others in reading"
    assert "180 pupils" in by_evidence[0].why_words
    assert "likely between" in by_evidence[0].why_words
    assert [each.school.name for each in found] == sorted(each.school.name for each in found)
    # Small figures are no evidence.
    Estimate.objects.filter(run=run, school=world.schools["N2"]).update(n=7)
    assert not [e for e in suggesting.suggestions(officer) if e.why == Why.EVIDENCE]
    Estimate.objects.filter(run=run, school=world.schools["N2"]).update(n=180)
    ChallengeSettings.objects.create(by_evidence_share=0)
    assert not [e for e in suggesting.suggestions(officer) if e.why == Why.EVIDENCE]
    # By turns: who waits longest is on the list; who prepares a visit is not.
    helpers.planned(world)
    for number, code in enumerate(("N1", "N3", "N4", "N5", "N6", "L1", "L2", "L3", "L4")):
        ChallengeVisit.objects.create(
            school=world.schools[code], why=Why.ROTATION, why_words="In turn.", by="A",
            on=in_days(-2000 + 100 * number), state=State.CLOSED, at="2020-01-01T08:00Z",
            follow_up_on=in_days(-900),
        )  # fmt: skip
    codes = {each.school.code for each in suggesting.suggestions(officer)}
    assert codes == {"N1", "N3", "N4", "N5", "N6", "L1", "L2", "L3"}
    south = suggesting.suggestions(world.cast["other_district_officer"])
    assert {each.school.code for each in south} == {"E1", "E2", "E3", "W1"}


def test_the_brief_is_frozen_and_says_what_became_of_its_figures(world: World) -> None:
    run = published(world)
    visit = helpers.confirmed(world)
    by_subject = {each["subject"]: each for each in visit.brief["outcomes"]}
    assert by_subject["Reading"]["verdict"] == "below"
    assert by_subject["Reading"]["low"] < by_subject["Reading"]["value"]
    assert by_subject["Reading"]["n"] == 180
    assert [each["year"] for each in by_subject["Reading"]["years"]] == [2021, 2022, 2023]
    # Seven pupils sat singing: the school itself sees the figure, its visitor does not.
    assert by_subject["Singing"]["verdict"] == "few"
    assert "value" not in by_subject["Singing"]
    assert pages.page(visit, world.cast["other_system_leader"])["brief"]["changed"] == ""
    before = visit.brief
    Estimate.objects.filter(run=run).update(estimate=0.0)
    visit.refresh_from_db()
    assert visit.brief == before
    analyses.withdraw(run, by=world.cast["analyst"], reason="A file was read twice.")
    said = pages.page(visit, world.cast["head"])["brief"]["changed"]
    assert "taken back after the brief was drawn" in said


def test_progress_is_by_name_with_intervals_and_withheld_where_few(
    world: World, sign_in: SignIn
) -> None:
    officer = sign_in("district_officer")
    assert "No analysis is published yet" in officer.get("/challenge/progress/").content.decode()
    a_priority()
    run = published(world)
    shown = lists.partnerships(world.cast["minister"])
    assert [each.name for each in shown] == sorted(each.name for each in shown)
    found = {each.partnership.code: each for each in progress_queries.movements(shown, "Reading")}
    upper = found["P-UPPER"]
    assert upper.now is not None
    assert upper.now.lower < upper.now.value < upper.now.upper
    assert (upper.now.schools, upper.now.pupils) == (6, 360)
    figure = PartnershipFigure.objects.get(
        run=run, partnership=upper.partnership, subject="Reading", year=2023
    )
    assert upper.now.value == figure.mean
    # 60 pupils of each school scatter by about one standard deviation around its mean.
    assert upper.now.upper - upper.now.value == pytest.approx(1.96 / 360**0.5, rel=0.35)
    assert upper.moved is not None
    assert upper.moved.upper - upper.moved.lower > upper.now.upper - upper.now.lower
    assert upper.verdict == "unclear", "the invented results stand still"
    # Of two schools nothing is shown, nor of a partnership whose figure of the year is withheld.
    east = PartnershipFigure.objects.filter(run=run, partnership__code="P-EAST", year=2023)
    east.update(n_schools=2)
    PartnershipFigure.objects.filter(run=run, partnership__code="P-LOWER").update(suppressed=True)
    found = {each.partnership.code: each for each in progress_queries.movements(shown, "Reading")}
    assert found["P-EAST"].now is None
    assert found["P-LOWER"].now is None
    page = officer.get("/challenge/progress/").content.decode()
    assert "Upper partnership" in page
    assert "East partnership" not in page
    assert "not shown" in page
    lines = b"".join(officer.get("/challenge/progress.csv"))  # type: ignore[arg-type] # a stream
    assert lines.index(b"Lower partnership") < lines.index(b"Upper partnership")
    assert "/challenge/new/?school=N2" in officer.get("/challenge/plan/").content.decode()
    form = officer.get("/challenge/new/?school=N2").content.decode()
    assert "pupils here reach about" in form
    sent = {"why": "evidence", "why_words": "A look at reading.", "on": in_days(5).isoformat()}
    assert officer.post("/challenge/new/?school=N2", sent).status_code == 302
    assert officer.get("/challenge/new/?school=E1").status_code == 404
    assert insight.current_run() == run
    visit = ChallengeVisit.objects.get()
    with pytest.raises(actions.OvertakenError):
        actions.move(visit, in_days(9), by=world.cast["district_officer"], seen=visit.version + 1)
