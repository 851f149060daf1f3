"""Shortlists, acceptance, declining, taking back: by whom, in which order, and without loss."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from brightspots_web.connectedness import records, support_jobs
from brightspots_web.connectedness import support_actions as asking
from brightspots_web.connectedness import support_closing_actions as closing
from brightspots_web.connectedness import support_deployment_actions as under_way
from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness.analysis import brokering
from brightspots_web.connectedness.models import (
    ConnectednessSettings,
    Deployment,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.notices.models import Notice
from brightspots_web.shared import jobs
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import support_helpers as helpers
from tests.web import world as invented
from tests.web.world import World

R, M = SupportRequest.State, SupportMatch.State


@pytest.fixture(autouse=True)
def nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request goes by a draw: which ones would, depends on the keys of rows."""
    still = records.Outlook(exploration=0.0)
    monkeypatch.setattr(records, "outlook", lambda _leaders, _priorities: still)


def words(caught: pytest.ExceptionInfo[ValidationError]) -> str:
    return " ".join(caught.value.messages)


def told(world: World, who: str) -> list[str]:
    person = world.cast[who].person
    return list(Notice.objects.filter(person=person).order_by("pk").values_list("kind", flat=True))


class TestShortlist:
    def test_the_three_that_fit_best_are_suggested_with_reasons_and_nobody_is_told(
        self, world: World
    ) -> None:
        request = helpers.ready(world, "N2")
        offers = {code: helpers.an_offer(world, code) for code in ("N1", "N3", "N5", "N6")}
        helpers.an_offer(world, "E1")  # 100 km away
        found = brokering.shortlist(request)
        # N1 and N3 are equally near on either side of N2, the others farther.
        assert {each.offer for each in found[:2]} == {offers["N1"].pk, offers["N3"].pk}
        assert found[2].offer == offers["N5"].pk
        kinds = {reason["kind"] for reason in found[0].reasons}
        assert "distance" in kinds
        made = matching.keep_shortlist(request, found, by=world.cast["district_officer"])
        assert [match.rank for match in made] == [1, 2, 3]
        assert not any(kind.endswith("support_put") for kind in told(world, "system_leader"))
        assert not queries.matches_visible_to(world.cast["system_leader"]).exists()

    def test_an_offer_without_room_is_not_suggested_and_why_not_says_so(self, world: World) -> None:
        helpers.begun(world, "N3", "N1", days=Decimal(18))
        request = helpers.ready(world, "N2", days=Decimal(4))
        assert brokering.shortlist(request) == []
        offer = SupportOffer.objects.get(school__code="N1")
        answer = brokering.why_not(request, offer)
        assert answer.more_than_best is None
        assert [each["kind"] for each in answer.against] == ["no_places"]
        assert answer.against[0]["values"]["days_left"] == 2.0

    def test_why_not_says_what_a_farther_offer_lacks(self, world: World) -> None:
        request = helpers.ready(world, "N2")
        near, far = helpers.an_offer(world, "N1"), helpers.an_offer(world, "N6")
        assert brokering.why_not(request, near).more_than_best == 0.0
        answer = brokering.why_not(request, far)
        assert answer.more_than_best is not None
        # By hand: N2 to N6 are 4 steps of .02 and .01 degrees, N2 to N1 one: three more of 2.49 km.
        assert answer.more_than_best == pytest.approx(3 * 2.49, abs=0.05)
        assert [each["values"]["part"] for each in answer.against] == ["distance"]

    def test_what_came_to_nothing_is_not_suggested_again(self, world: World) -> None:
        match = helpers.put(world, "N2", "N1")
        matching.decline(match, by=helpers.a_head(world, "N1"), why="Not this term.")
        request = SupportRequest.objects.get()
        assert brokering.shortlist(request, queries.declined_offers(request)) == []
        answer = brokering.why_not(request, match.offer)
        assert [each["kind"] for each in answer.against] == ["conflict"]

    def test_an_officer_puts_an_offer_that_was_not_on_the_list(self, world: World) -> None:
        request = helpers.ready(world, "N2")
        listed, other = helpers.an_offer(world, "N1"), helpers.an_offer(world, "N3")
        helpers.shortlisted(request, [listed], world)
        made = matching.put_offer(
            request, helpers.Suggestion(other.pk), by=world.cast["district_officer"]
        )
        assert (made.offer, made.state, made.rank) == (other, M.SUGGESTED, 2)
        assert made.put_at is not None
        assert "connectedness.support_put" in told(world, "partner_head")

    def test_a_designated_request_is_not_matched_before_the_head_agrees(self, world: World) -> None:
        request = asking.propose_support(
            world.schools["N2"], by=world.cast["district_officer"],
            priority=helpers.a_priority(), what="Reading.",
        )  # fmt: skip
        assert told(world, "head") == ["connectedness.support_proposed"]
        with pytest.raises(ValidationError) as caught:
            helpers.shortlisted(request, [helpers.an_offer(world)], world)
        assert "has not agreed yet" in words(caught)
        assert request not in queries.waiting_for_match(world.cast["minister"])
        for other in ("district_officer", "system_leader", "partner_head"):
            with pytest.raises(PermissionDenied):
                asking.answer_proposal(request, by=world.cast[other], agree=True)
        agreed = asking.answer_proposal(request, by=world.cast["head"], agree=True)
        assert (agreed.state, agreed.agreed_at is None) == (R.READY, False)


class TestAnswers:
    def test_both_accept_in_either_order_and_both_are_told(self, world: World) -> None:
        match = helpers.put(world, "N2", "N1", "N3")
        half = matching.accept(match, by=world.cast["system_leader"])
        assert half.state == M.SUGGESTED
        assert SupportRequest.objects.get().state == R.READY
        whole = matching.accept(match, by=world.cast["head"])
        assert whole.state == M.ACCEPTED
        assert SupportRequest.objects.get().state == R.MATCHED
        assert SupportMatch.objects.get(rank=2).state == M.WITHDRAWN
        assert "connectedness.support_matched" in told(world, "system_leader")
        assert "connectedness.support_matched" in told(world, "district_officer")

    def test_declining_needs_a_reason_and_puts_the_next(self, world: World) -> None:
        match = helpers.put(world, "N2", "N1", "N3", "N5")
        with pytest.raises(ValidationError):
            matching.decline(match, by=world.cast["system_leader"], why="  ")
        following = matching.decline(match, by=world.cast["system_leader"], why="No days.")
        assert following is not None
        assert following.offer.school.code == "N3"
        assert following.put_at is not None
        assert "connectedness.support_put" in told(world, "partner_head")
        # The third has paused: nobody is left, and the officers are told.
        third = SupportOffer.objects.get(school__code="N5")
        asking.set_offer_state(third, "paused", by=helpers.a_head(world, "N5"))
        assert matching.decline(following, by=world.cast["head"], why="Too far.") is None
        assert told(world, "district_officer")[-1] == "connectedness.support_no_more"

    def test_a_paused_offer_is_taken_off_and_the_next_is_put(self, world: World) -> None:
        match = helpers.put(world, "N2", "N1", "N3")
        asking.set_offer_state(match.offer, "paused", by=world.cast["system_leader"])
        assert queries.current_match(match.request) == SupportMatch.objects.get(rank=2)

    def test_a_giver_takes_it_back_and_the_request_keeps_its_place_in_the_queue(
        self, world: World
    ) -> None:
        match = helpers.accepted(world)
        before = SupportRequest.objects.get()
        asking.triage(before, by=world.cast["minister"], urgency="soon")
        matching.withdraw_match(match, by=world.cast["system_leader"], why="Ill.")
        after = SupportRequest.objects.get()
        assert (after.state, after.urgency, after.asked_at) == (R.READY, "soon", before.asked_at)
        assert queries.queue(world.cast["minister"]).first() == after
        assert "connectedness.support_returned" in told(world, "head")
        assert "connectedness.support_returned" in told(world, "district_officer")

    def test_an_old_page_takes_nothing_over(self, world: World) -> None:
        match = helpers.put(world)
        matching.accept(match, by=world.cast["head"], seen=match.version)
        with pytest.raises(OvertakenError):
            matching.decline(match, by=world.cast["system_leader"], why="No.", seen=match.version)
        assert SupportMatch.objects.get().state == M.SUGGESTED

    def test_a_suggestion_that_a_new_list_took_away_is_refused_in_words(self, world: World) -> None:
        request = helpers.ready(world)
        offer = helpers.an_offer(world)
        helpers.shortlisted(request, [offer], world)
        seen = SupportMatch.objects.get()
        helpers.shortlisted(request, [offer], world)
        with pytest.raises(OvertakenError):
            matching.put(seen, by=world.cast["minister"], seen=seen.version)

    def test_pressed_twice_it_is_once(self, world: World) -> None:
        match = helpers.accepted(world)
        again = matching.accept(match, by=world.cast["head"])
        assert again.version == SupportMatch.objects.get().version


class TestWhoLeft:
    """The offer of a leader who left the school is nobody's to promise."""

    @staticmethod
    def leave(world: World) -> None:
        left = helpers.a_head(world, "N5")
        type(left).objects.filter(pk=left.pk).update(ends=helpers.today())
        left.person.email = "left@test.invalid"
        left.person.save()

    def test_it_is_not_suggested(self, world: World) -> None:
        request, offer = helpers.ready(world), helpers.an_offer(world, "N5")
        assert list(queries.open_offers(request.priority, but=request.school)) == [offer]
        self.leave(world)
        assert not queries.open_offers(request.priority, but=request.school).exists()

    def test_a_successor_does_not_accept_in_the_name_of_who_left(self, world: World) -> None:
        match = helpers.put(world, "N2", "N5")
        matching.accept(match, by=helpers.a_head(world, "N2"))
        self.leave(world)
        successor = helpers.a_head(world, "N5")
        assert successor.person_id != match.offer.giver_id
        with pytest.raises(ValidationError) as caught:
            matching.accept(match, by=successor)
        assert "does not answer for School N5" in words(caught)


class TestDays:
    def test_a_leader_at_the_cap_is_refused_with_the_reason(self, world: World) -> None:
        ConnectednessSettings.objects.create(caseload_cap=1)
        helpers.accepted(world, "N2", "N1")
        request = helpers.ready(world, "N3")
        helpers.shortlisted(request, [SupportOffer.objects.get()], world)
        with pytest.raises(ValidationError) as caught:
            matching.put(SupportMatch.objects.get(request=request), by=world.cast["minister"])
        assert "1 is the most that one leader supports" in words(caught)

    def test_a_leader_s_days_are_refused_beyond_the_year_s(self, world: World) -> None:
        ConnectednessSettings.objects.create(leader_days=9)
        helpers.accepted(world, "N2", "N1", days=Decimal(6))
        request = helpers.ready(world, "N3", days=Decimal(4))
        helpers.shortlisted(request, [SupportOffer.objects.get()], world)
        match = SupportMatch.objects.get(request=request)
        with pytest.raises(ValidationError) as caught:
            matching.put(match, by=world.cast["minister"])
        assert "3 days left this year and this takes 4" in words(caught)

    def test_the_ledger_counts_promised_used_and_given_back(self, world: World) -> None:
        leader = world.cast["system_leader"].person_id
        deployment = helpers.begun(world, "N2", "N1", starts=helpers.today())  # 4 days
        helpers.logged(deployment, world.cast["system_leader"], days=Decimal("1.5"))
        priority = helpers.a_priority("number", "Mathematics")
        match = helpers.accepted(world, "N3", "N1", priority=priority)  # 5 days
        found = ledger.ledger_of(leader)
        assert (found.agreed, found.used, found.schools) == (Decimal(9), Decimal("1.5"), 2)
        assert found.left == 40 - 9
        under_way.finish(deployment, by=world.cast["system_leader"], report="Done.")
        found = ledger.ledger_of(leader)
        assert (found.agreed, found.used, found.schools) == (Decimal("6.5"), Decimal("1.5"), 1)
        matching.withdraw_match(match, by=world.cast["system_leader"], why="No.")
        found = ledger.ledger_of(leader)
        assert (found.agreed, found.used, found.schools) == (Decimal("1.5"), Decimal("1.5"), 0)

    def test_rooms_of_many_say_the_same_as_of_one(self, world: World) -> None:
        helpers.begun(world, "N2", "N1", starts=helpers.today())
        helpers.accepted(world, "N4", "N3")
        helpers.an_offer(world, "N5")
        offers = list(SupportOffer.objects.order_by("pk"))
        assert ledger.rooms(offers) == {each.pk: ledger.room_left(each) for each in offers}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite in memory has one connection: see PostgreSQL"
)
def test_two_acceptances_at_once_never_promise_the_same_days() -> None:
    world = invented.build()
    ConnectednessSettings.objects.create(leader_days=8)
    offer = helpers.an_offer(world, "N1", days=Decimal(8))
    matches = []
    for code in ("N2", "N3"):
        request = helpers.ready(world, code, days=Decimal(5))
        helpers.shortlisted(request, [offer], world)
        match = matching.put(SupportMatch.objects.get(request=request), by=world.cast["minister"])
        matches.append(matching.accept(match, by=helpers.a_head(world, code)))
    together = Barrier(2)

    def accept(match: SupportMatch) -> str:
        try:
            together.wait(timeout=20)
            matching.accept(match, by=world.cast["system_leader"])
        except ValidationError as problem:
            return " ".join(problem.messages)
        finally:
            connection.close()
        return "accepted"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(accept, matches), key=len)
    assert answers[0] == "accepted"
    assert "days left this year" in answers[1]
    assert SupportMatch.objects.filter(state=M.ACCEPTED).count() == 1


class TestMatchingAll:
    def test_the_job_suggests_and_officers_confirm(self, world: World) -> None:
        request, other = helpers.ready(world, "N2"), helpers.ready(world, "E2")
        helpers.an_offer(world, "N1")
        job = matching.ask_for_matching(by=world.cast["district_officer"])
        done = jobs.run_here(job)
        assert done.status == done.Status.DONE, done.problem
        assert done.result["suggested"] == 1
        match = SupportMatch.objects.get()
        assert (match.request, match.put_at) == (request, None)
        assert other.matches.count() == 0, "another officer's area"
        again = jobs.run_here(matching.ask_for_matching(by=world.cast["district_officer"]))
        assert again.result["suggested"] == 0
        assert SupportMatch.objects.count() == 1
        assert support_jobs._to_queue(done).url

    def test_places_are_shared_out_once(self, world: World) -> None:
        for code in ("N2", "N3", "N4"):
            helpers.ready(world, code)
        helpers.an_offer(world, "N1", at_once=1)
        helpers.an_offer(world, "N5", at_once=1)
        found = brokering.match(
            list(queries.waiting_for_match(world.cast["minister"])), lambda done, stage: None
        )
        first = [each[0].offer for each in found.values()]
        assert len(first) == len(set(first)) == 2


class TestClosing:
    def close(self, world: World, code: str) -> int:
        school = world.schools[code]
        type(school).objects.filter(pk=school.pk).update(closed=helpers.today())
        return closing.close_for_closed_schools(by=world.cast["minister"])

    def test_a_giver_that_closes_gives_the_request_back(self, world: World) -> None:
        helpers.begun(world, "N2", "N3")
        assert self.close(world, "N3") == 2  # the support and the offer
        assert SupportRequest.objects.get().state == R.READY
        assert Deployment.objects.get().state == Deployment.State.ENDED
        assert SupportOffer.objects.get().state == SupportOffer.State.WITHDRAWN
        assert "connectedness.support_ended" in told(world, "head")
        assert self.close(world, "N3") == 0

    def test_an_asker_that_closes_frees_the_leader(self, world: World) -> None:
        helpers.accepted(world, "N2", "N1")
        self.close(world, "N2")
        request = SupportRequest.objects.get()
        assert (request.state, request.close_reason) == (R.WITHDRAWN, "School N2 closed.")
        assert ledger.ledger_of(world.cast["system_leader"].person_id).agreed == 0
        assert "connectedness.support_returned" in told(world, "system_leader")

    def test_nothing_more_is_agreed_with_a_closed_school(self, world: World) -> None:
        match = helpers.put(world, "N2", "N1")
        school = world.schools["N1"]
        type(school).objects.filter(pk=school.pk).update(closed=helpers.today())
        with pytest.raises(ValidationError) as caught:
            matching.accept(match, by=world.cast["head"])
        assert "School N1 closed" in words(caught)


def test_a_request_from_paper_keeps_its_day_and_never_lies_ahead(world: World) -> None:
    then = timezone.now() - timedelta(days=20)
    assert helpers.a_request(world, "N2", at=then).asked_at == then
    with pytest.raises(ValidationError):
        helpers.a_request(world, "N3", at=timezone.now() + timedelta(hours=1))
