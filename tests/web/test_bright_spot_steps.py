"""From candidate to re-tested: what may follow what, who may do it, and that nothing is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from brightspots_web.insight import bright_spot_actions as actions
from brightspots_web.insight import bright_spot_queries as queries
from brightspots_web.insight.bright_spot_actions import StepOvertakenError
from brightspots_web.insight.models import BrightSpot, BrightSpotStep, Estimate
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from tests.web.bright_spot_helpers import BRIGHT, FLAGS, a_run
from tests.web.world import World, build

State = BrightSpot.State


def step(
    world: World, to: str, who: str = "minister", code: str = "N2", **more: Any
) -> BrightSpotStep:
    asked: dict[str, Any] = {"on": timezone.localdate(), "note": "Two lessons seen."} | more
    return actions.take_step(
        world.schools[code], asked.pop("subject", "Reading"), by=world.cast[who], to=to, **asked
    )


def messages(caught: pytest.ExceptionInfo[ValidationError]) -> str:
    return " ".join(caught.value.messages)


class TestNoting:
    def test_every_flagged_pair_is_noted_once_with_the_figure_of_the_day(
        self, world: World
    ) -> None:
        run = a_run(world)
        assert actions.note_candidates(run, by=world.cast["analyst"]) == len(FLAGS)
        assert actions.note_candidates(run, by=world.cast["analyst"]) == 0
        assert BrightSpot.objects.count() == BrightSpotStep.objects.count() == len(FLAGS)
        first = BrightSpotStep.objects.get(bright_spot__school__code="N2")
        assert (first.from_state, first.to_state, first.by) == ("", "candidate", "The analyst")
        assert first.figure["estimate"] == 0.5
        assert first.figure["probability"] == 0.97
        assert first.figure["run"] == str(run.uuid)

    def test_a_later_run_adds_only_whom_nobody_knows_and_changes_nothing(
        self, world: World
    ) -> None:
        actions.note_candidates(a_run(world), by=world.cast["analyst"])
        step(world, State.VISITED)
        later = a_run(world, {("N2", "Reading"): BRIGHT, ("W1", "Reading"): BRIGHT}, minutes=1)
        assert actions.note_candidates(later, by=world.cast["analyst"]) == 1
        assert BrightSpot.objects.get(school__code="N2").state == State.VISITED
        assert BrightSpot.objects.get(school__code="W1").found_by_run == later.uuid
        assert BrightSpot.objects.count() == len(FLAGS) + 1

    def test_a_school_whose_figure_is_withheld_is_not_noted(self, world: World) -> None:
        run = a_run(world, small=("L1",))
        Estimate.objects.filter(school__code="N5").update(complementary=True)
        actions.note_candidates(run, by=world.cast["analyst"])
        noted = BrightSpot.objects.values_list("school__code", flat=True)
        assert set(noted) == {"N2", "E1"}

    def test_it_stands_in_the_audit_trail_and_only_when_something_was_noted(
        self, world: World
    ) -> None:
        run = a_run(world)
        for _again in range(2):
            actions.note_candidates(run, by=world.cast["analyst"])
        entry = AuditEntry.objects.get(action="insight.note_candidates")
        assert entry.detail["candidates"] == len(FLAGS)


class TestTheWay:
    def test_candidate_visited_confirmed_written_up_with_who_and_when(self, world: World) -> None:
        a_run(world)  # nobody has noted anything: the first step does
        days = [timezone.localdate() - timedelta(days=back) for back in (30, 20, 10)]
        for to, on in zip((State.VISITED, State.CONFIRMED, State.WRITTEN_UP), days, strict=True):
            step(world, to, on=on, note=f"note {to}")
        kept = BrightSpot.objects.get()
        assert kept.state == State.WRITTEN_UP
        told = [(s.from_state, s.to_state, s.note) for s in queries.steps_of(kept)]
        assert told == [
            ("", "candidate", ""),
            ("candidate", "visited", "note visited"),
            ("visited", "confirmed", "note confirmed"),
            ("confirmed", "written_up", "note written_up"),
        ]
        taken = queries.steps_of(kept)[1:]
        assert [s.on for s in taken] == days
        assert {s.by for s in taken} == {world.cast["minister"].label}

    @pytest.mark.parametrize(
        ("before", "to"),
        [
            ((), State.CONFIRMED),
            ((), State.WRITTEN_UP),
            ((), State.RE_TESTED),
            ((), State.CANDIDATE),
            ((State.VISITED,), State.WRITTEN_UP),
            ((State.VISITED,), State.CANDIDATE),
            ((State.VISITED, State.CONFIRMED), State.VISITED),
            ((State.SET_ASIDE,), State.VISITED),
            ((), "famous"),
        ],
    )
    def test_a_jump_is_refused_with_what_can_follow(
        self, world: World, before: tuple[str, ...], to: str
    ) -> None:
        a_run(world)
        for each in before:
            step(world, each)
        count = BrightSpotStep.objects.count()
        with pytest.raises(ValidationError) as caught:
            step(world, to)
        assert "What can follow" in messages(caught)
        assert BrightSpotStep.objects.count() == count

    def test_set_aside_with_a_reason_and_back_to_where_it_was(self, world: World) -> None:
        a_run(world)
        step(world, State.VISITED)
        step(world, State.SET_ASIDE, note="The pupils were chosen by an entrance test.")
        kept = BrightSpot.objects.get()
        assert queries.next_states(kept.state, queries.steps_of(kept)) == (State.VISITED,)
        step(world, State.VISITED, note="The test was abolished years ago.")
        kept.refresh_from_db()
        assert kept.state == State.VISITED
        assert [s.to_state for s in queries.steps_of(kept)] == [
            "candidate", "visited", "set_aside", "visited",
        ]  # fmt: skip

    @pytest.mark.parametrize("to", [State.VISITED, State.SET_ASIDE])
    def test_a_step_without_a_word_is_refused(self, world: World, to: str) -> None:
        a_run(world)
        with pytest.raises(ValidationError) as caught:
            step(world, to, note="  \n ")
        assert "note" in caught.value.message_dict

    @pytest.mark.parametrize(
        ("on", "why"),
        [
            (timezone.localdate() + timedelta(days=1), "still to come"),
            (date(202, 5, 1), "Check the year"),
        ],
    )
    def test_a_day_that_cannot_be_is_refused(self, world: World, on: date, why: str) -> None:
        a_run(world)
        with pytest.raises(ValidationError) as caught:
            step(world, State.VISITED, on=on)
        assert why in messages(caught)

    def test_nothing_is_confirmed_before_it_was_visited(self, world: World) -> None:
        a_run(world)
        today = timezone.localdate()
        step(world, State.VISITED, on=today - timedelta(days=2))
        with pytest.raises(ValidationError) as caught:
            step(world, State.CONFIRMED, on=today - timedelta(days=3))
        assert "cannot be earlier" in messages(caught)
        step(world, State.CONFIRMED, on=today - timedelta(days=2))

    def test_a_closed_school_is_not_visited_after_its_end_but_before(self, world: World) -> None:
        a_run(world)
        school = world.schools["N2"]
        school.closed = timezone.localdate() - timedelta(days=10)
        school.save()
        with pytest.raises(ValidationError) as caught:
            step(world, State.VISITED)
        assert "The school closed on" in messages(caught)
        step(world, State.VISITED, on=school.closed - timedelta(days=1))

    def test_who_is_on_no_list_takes_no_step(self, world: World) -> None:
        a_run(world)
        for code, subject in (("N1", "Reading"), ("N2", "Dancing")):
            with pytest.raises(ValidationError) as caught:
                step(world, State.VISITED, code=code, subject=subject)
            assert "does not name this school" in messages(caught)
        assert not BrightSpot.objects.exists()


class TestReTest:
    def written_up(self, world: World) -> None:
        a_run(world)
        for to in (State.VISITED, State.CONFIRMED, State.WRITTEN_UP):
            step(world, to)

    def test_it_keeps_the_newest_figure_beside_the_first(self, world: World) -> None:
        self.written_up(world)
        later = a_run(world, {}, input_hash="second", minutes=5)
        done = step(world, State.RE_TESTED, note="")
        assert done.figure["estimate"] == 0.0
        assert done.figure["run"] == str(later.uuid)
        first = queries.figure_to_test_against(queries.steps_of(done.bright_spot)[:1])
        assert first["estimate"] == 0.5

    def test_the_same_results_are_no_test(self, world: World) -> None:
        self.written_up(world)
        for _again in range(2):  # the same run, then another of the same files
            with pytest.raises(ValidationError) as caught:
                step(world, State.RE_TESTED)
            assert "nothing newer to test with" in messages(caught)
            a_run(world, minutes=5)
        a_run(world, input_hash="second", minutes=9)
        step(world, State.RE_TESTED)
        with pytest.raises(ValidationError):  # nor is the second re-test, of the same again
            step(world, State.RE_TESTED, note="Once more.")

    def test_a_figure_that_is_withheld_is_no_test(self, world: World) -> None:
        self.written_up(world)
        a_run(world, input_hash="second", minutes=5, small=("N2",))
        with pytest.raises(ValidationError) as caught:
            step(world, State.RE_TESTED)
        assert "no figure of this school" in messages(caught)


class TestWho:
    @pytest.mark.parametrize(
        ("who", "code", "states"),
        [
            ("minister", "E1", {"visited", "confirmed"}),
            ("analyst", "E1", {"visited", "confirmed"}),
            ("district_officer", "N2", {"visited", "confirmed"}),
            ("district_officer", "E1", set()),
            ("other_district_officer", "E1", {"visited", "confirmed"}),
            ("system_leader", "N2", {"visited"}),
            ("system_leader", "L1", set()),
            ("other_system_leader", "E1", set()),  # their own school
            ("head", "N2", set()),
            ("teacher", "N2", set()),
        ],
    )
    def test_each_takes_the_steps_that_are_theirs(
        self, world: World, who: str, code: str, states: set[str]
    ) -> None:
        a_run(world)
        school = world.schools[code]
        may = {
            to for to in ("visited", "confirmed") if queries.may_take(world.cast[who], school, to)
        }
        assert may == states
        if not may:
            with pytest.raises(PermissionDenied):
                step(world, State.VISITED, who, code)

    def test_each_step_stands_in_the_audit_trail_without_its_words(self, world: World) -> None:
        a_run(world)
        step(world, State.VISITED, "district_officer", note="Words about a school")
        entry = AuditEntry.objects.get(action="insight.bright_spot_step")
        assert entry.detail["to"] == "visited"
        assert entry.actor == world.cast["district_officer"].label
        assert "Words about" not in str(entry.detail)
        assert audit.first_broken_link() is None


class TestTwoAtOnce:
    def test_the_second_is_told_who_was_quicker_and_nothing_is_saved(self, world: World) -> None:
        a_run(world)
        step(world, State.VISITED, "district_officer", seen=0)
        with pytest.raises(StepOvertakenError) as caught:
            step(world, State.SET_ASIDE, "minister", note="Another", seen=0)
        assert world.cast["district_officer"].label in messages(caught)
        kept = BrightSpot.objects.get()
        assert kept.state == State.VISITED
        last = queries.steps_of(kept)[-1]
        step(world, State.SET_ASIDE, "minister", note="Another", seen=last.pk)

    def test_a_step_sent_twice_is_saved_once(self, world: World) -> None:
        a_run(world)
        first = step(world, State.VISITED, seen=0)
        assert step(world, State.VISITED, seen=0).pk == first.pk
        assert BrightSpotStep.objects.filter(to_state="visited").count() == 1

    def test_a_second_visit_is_a_step_of_its_own(self, world: World) -> None:
        a_run(world)
        first = step(world, State.VISITED, seen=0)
        step(world, State.VISITED, note="A second visit", seen=first.pk)
        assert BrightSpotStep.objects.filter(to_state="visited").count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite in memory has one connection: see PostgreSQL"
)
@pytest.mark.parametrize("noted", [False, True])
def test_two_at_the_same_moment_are_one_step_and_one_who_is_told(noted: bool) -> None:
    world = build()
    run = a_run(world)
    if noted:
        actions.note_candidates(run, by=world.cast["analyst"])
    seen = BrightSpotStep.objects.filter(bright_spot__school__code="N2").values_list("pk").first()
    start = Barrier(2)

    def go(who: str) -> str:
        start.wait()
        try:
            step(world, State.VISITED, who, note=f"From {who}", seen=seen[0] if seen else 0)
        except StepOvertakenError:
            return "told"
        finally:
            connection.close()
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(go, ("minister", "district_officer")))
    assert ends == ["saved", "told"]
    assert BrightSpotStep.objects.filter(to_state="visited").count() == 1
    assert BrightSpot.objects.filter(school__code="N2").count() == 1
