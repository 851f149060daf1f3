"""What stands in the sample of those who answer to each other: every stage is there to look at."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from brightspots_web.accountability.models import ChallengeVisit, Consultation, PeerReview, Pledge

TODAY = date.today().isoformat()  # noqa: DTZ011 - the machine's own day


@pytest.fixture
def rows(built: Path) -> Iterator[Any]:
    """Asks the sample's own database: what the command made, before anybody walked in it."""
    address = f"{(built / 'brightspots.sqlite3').as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as sample:
        yield lambda asked, *given: sample.execute(asked, given).fetchall()


def test_promises_stand_at_every_stage_and_have_come_to_every_end(rows: Any) -> None:
    found = rows("select distinct state, outcome from accountability_pledge")
    assert {state for state, _end in found} == set(Pledge.State.values)
    assert {end for _state, end in found if end} == set(Pledge.Outcome.values)


def test_a_few_reviews_stand_at_stages_apart_and_not_one_at_every_school(rows: Any) -> None:
    states = [state for [state] in rows("select state from accountability_peerreview")]
    wanted = {PeerReview.State.SCHEDULED, PeerReview.State.WORKSHOP, PeerReview.State.CHECKED}
    assert wanted <= set(states)
    assert 2 <= len(states) <= 8
    overdue = rows(
        "select 1 from accountability_peerreview where state = 'workshop' and check_back_on < ?",
        TODAY,
    )
    assert overdue


def test_one_consultation_has_results_and_an_answer_and_one_answer_is_overdue(rows: Any) -> None:
    asked = rows(
        "select state, answers, answer_due from accountability_consultation"
        " where stakeholder_name <> ''"  # the two questions of a term owe nobody an answer
    )
    answered = [answers for state, answers, _due in asked if state == Consultation.State.ANSWERED]
    assert answered
    assert min(answered) >= 5
    [overdue] = [due for state, _answers, due in asked if state == Consultation.State.CLOSED]
    assert overdue < TODAY
    assert rows("select 1 from accountability_voicetally limit 1")


def test_challenge_visits_and_promises_of_dialogues_are_on_their_way_and_done(rows: Any) -> None:
    visits = {state for [state] in rows("select state from accountability_challengevisit")}
    assert {ChallengeVisit.State.PLANNED, ChallengeVisit.State.AGREED} <= visits
    assert {state for [state] in rows("select state from accountability_commitment")} >= {
        "open", "kept",
    }  # fmt: skip


def test_two_evaluations_are_finished_and_leaders_and_practices_have_records(rows: Any) -> None:
    found = rows(
        "select found from evidence_evaluation evaluation"
        " join evidence_evaluationresult result on result.id = evaluation.published_result_id"
        " where evaluation.state = 'published'"
    )
    effects = sorted(json.loads(finding)["simple"]["att"] for [finding] in found)
    assert len(effects) == 2
    assert effects[0] < 0.08 < effects[1], "one practice does something, the other nothing"
    measured = "select max(n_measured) from evidence_trackrecord where person_id is not null"
    assert rows(measured)[0][0] >= 2
    assert rows("select 1 from evidence_trackrecord where practice_id is not null")


def test_places_were_drawn_stages_agreed_a_power_handed_over_and_a_plan_adopted(rows: Any) -> None:
    assert rows("select 1 from evidence_lottery where state = 'drawn'")
    assert rows("select 1 from pace_stageagreement where state = 'agreed'")
    assert rows("select 1 from pace_powertransfer where state = 'held'")
    assert len(rows("select 1 from pace_planrollout where state = 'adopted'")) == 1
    pulse = rows("select answers from accountability_consultation where stakeholder_name = ''")
    assert len([answers for [answers] in pulse if answers and answers >= 5]) >= 2
