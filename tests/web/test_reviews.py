"""A peer review from the own view to the days of the visit; conflicts, fairness, hard moments."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.accountability import review_actions as actions
from brightspots_web.accountability import review_pages as pages
from brightspots_web.accountability import review_people_queries as peers
from brightspots_web.accountability import review_queries as queries
from brightspots_web.accountability import review_team_actions as team
from brightspots_web.accountability.models import PeerReview, Reviewer
from brightspots_web.directory.models import Appointment
from brightspots_web.notices.models import Notice
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import peer_review_helpers as helpers
from tests.web import support_helpers
from tests.web.conftest import SignIn
from tests.web.world import World

State = PeerReview.State
Seat = Reviewer.State


def told(world: World, who: str) -> list[str]:
    found = Notice.objects.filter(person=world.person(who), kind__contains="accountability.review")
    return [each.kind.removeprefix("accountability.review_") for each in found.order_by("pk")]


def why_not(review: PeerReview, world: World, who: str) -> str:
    found = peers.candidate(world.person(who), review)
    assert found is not None
    return found.why_not


def test_a_review_goes_from_the_own_view_to_a_date_and_everybody_is_told(world: World) -> None:
    head, review = world.cast["head"], helpers.begun(world, to_improve="")
    assert helpers.begun(world, to_improve="").pk == review.pk  # sent twice, begun once
    with pytest.raises(ValidationError, match="under way"):
        helpers.begun(world, question="Another?")
    with pytest.raises(ValidationError, match="get better at"):
        actions.seek_team(review, by=head, seen=None)
    actions.write_self_review(review, helpers.text(), by=head, seen=review.version)
    with pytest.raises(OvertakenError):
        actions.write_self_review(review, helpers.text(question="?"), by=head, seen=review.version)
    with pytest.raises(ValidationError, match="looks like the name of a pupil"):
        actions.write_self_review(
            review, helpers.text(evidence="The pupil Amina Otieno read."), by=head, seen=None
        )
    review = actions.seek_team(review, by=head, seen=None)
    assert actions.seek_team(review, by=head, seen=None).state == State.TEAM
    seat = helpers.asked(world, "other_head", leads=True)
    assert helpers.asked(world, "other_head", leads=True).pk == seat.pk
    with pytest.raises(ValidationError, match="leads the team already"):
        helpers.asked(world, "partner_head", leads=True)
    visit = actions.Visit(helpers.in_days(20))
    with pytest.raises(ValidationError, match="two at least"):
        actions.schedule(review, visit, by=head, seen=None)
    team.accept(seat, by=world.cast["other_head"])
    team.accept(seat, by=world.cast["other_head"])
    team.accept(helpers.asked(world, "partner_head"), by=world.cast["partner_head"])
    for wrong, words in (
        (actions.Visit(helpers.in_days(-1)), "past"),
        (actions.Visit(helpers.in_days(9), helpers.in_days(8)), "four days"),
        (actions.Visit(helpers.in_days(9), helpers.in_days(14)), "four days"),
    ):
        with pytest.raises(ValidationError, match=words):
            actions.schedule(review, wrong, by=head, seen=None)
    review = actions.schedule(review, visit, by=head, seen=None)
    assert actions.schedule(review, visit, by=head, seen=None).version == review.version
    actions.schedule(review, actions.Visit(helpers.in_days(21)), by=head, seen=None)
    assert told(world, "other_head") == ["asked", "scheduled", "moved"]
    assert told(world, "head") == ["comes", "comes"]
    actions.call_off(review, "The road is closed.", by=head, seen=None)
    assert told(world, "partner_head")[-1] == "called_off"
    with pytest.raises(ValidationError, match="called off"):
        helpers.asked(world, "other_system_leader")
    kept = " ".join(str(each.detail) + each.target for each in AuditEntry.objects.all())
    assert "reading" not in kept
    assert "road" not in kept
    assert "School N2" in kept


def test_who_should_not_come_is_said_with_the_reason(world: World) -> None:
    review = helpers.seeking(world)
    assert peers.candidate(world.person("head"), review) is None  # the host
    assert peers.candidate(world.person("teacher"), review) is None
    assert why_not(review, world, "other_head") == ""
    labels = [each.label for each in peers.candidates(review)]
    assert any("our partnership" in each for each in labels)
    assert any("another partnership" in each for each in labels)
    assert [each.person for each in peers.candidates(review, "school e2")] == [
        world.person("other_head")
    ]
    today = helpers.in_days(0)
    Appointment.objects.create(
        person=world.person("other_head"),
        role="teacher",
        school=world.schools["N2"],
        starts=today - timedelta(days=900),
        ends=today - timedelta(days=400),
    )
    assert "has worked at this school" in why_not(review, world, "other_head")
    support_helpers.begun(world, "N2", giver="N1")
    assert "helps the other" in why_not(review, world, "system_leader")
    with pytest.raises(ValidationError, match="helps the other"):
        helpers.asked(world, "system_leader")


def test_two_schools_do_not_review_each_other_within_a_year_either_way(world: World) -> None:
    review = helpers.scheduled(world)  # N2, by N3 and E2
    theirs = helpers.begun(world, "partner_head", question="Ours?")
    actions.seek_team(theirs, by=world.cast["partner_head"], seen=None)
    assert "is reviewed by this school" in why_not(theirs, world, "head")
    PeerReview.objects.filter(pk=review.pk).update(state=State.VISITED)
    later = PeerReview.objects.create(
        school=world.schools["N2"], state=State.TEAM, by="x", at=review.at
    )
    assert "reviews this school, or has" in why_not(later, world, "other_head")
    past = helpers.in_days(-400)
    PeerReview.objects.filter(pk=review.pk).update(visit_on=past, visit_until=None)
    assert why_not(later, world, "other_head") == ""
    assert why_not(theirs, world, "head") == ""


def test_nobody_is_asked_for_more_than_three_reviews_in_a_cycle(world: World) -> None:
    review = helpers.seeking(world)
    for code in ("N4", "N5", "N6"):
        other = PeerReview.objects.create(
            school=world.schools[code], state=State.TEAM, by="x", at=review.at
        )
        Reviewer.objects.create(
            review=other, person=world.person("other_head"), name="x",
            school=world.schools["E2"], asked_at=review.at, asked_by="x",
        )  # fmt: skip
    assert "3 reviews this cycle" in why_not(review, world, "other_head")
    with pytest.raises(ValidationError, match="3 reviews"):
        helpers.asked(world, "other_head")
    assert peers.candidates(review)[0].person == world.person("other_system_leader")
    assert [each["text"] for each in pages.front_items(world.cast["other_head"])] == [
        "School N4 asks you to come as a peer.", "School N5 asks you to come as a peer.",
    ]  # fmt: skip


def test_a_team_of_the_own_partnership_alone_gets_no_date(world: World) -> None:
    review = helpers.seeking(world)
    for who in ("system_leader", "partner_head"):
        seat = helpers.asked(world, who, leads=who == "system_leader")
        team.accept(seat, by=world.cast[who])
    with pytest.raises(ValidationError, match="your own partnership"):
        actions.schedule(
            review, actions.Visit(helpers.in_days(9)), by=world.cast["head"], seen=None
        )


def test_an_invitation_is_declined_asked_again_or_taken_back(world: World) -> None:
    seat = helpers.asked(world)
    team.decline(seat, by=world.cast["other_head"])
    assert not queries.visible_to(world.cast["other_head"]).exists()
    again = helpers.asked(world)
    assert (again.pk, again.state) == (seat.pk, Seat.ASKED)
    team.take_back(again, by=world.cast["head"])
    with pytest.raises(ValidationError, match="taken back"):
        team.accept(again, by=world.cast["other_head"])
    with pytest.raises(PermissionDenied):
        team.accept(helpers.asked(world), by=world.cast["partner_head"])
    seat = helpers.asked(world, "partner_head")
    team.stand_down(seat, "My brother teaches there.", by=world.cast["partner_head"])
    with pytest.raises(ValidationError, match="stood down"):
        helpers.asked(world, "partner_head")


def test_a_conflict_found_afterwards_is_marked_and_the_peer_is_out(world: World) -> None:
    review = helpers.scheduled(world)
    PeerReview.objects.filter(pk=review.pk).update(state=State.VISITED)
    seat = helpers.seat(review, world, "other_head")
    with pytest.raises(PermissionDenied):
        team.stand_down(seat, "Cousins.", by=world.cast["partner_head"])
    found = team.stand_down(seat, "They are cousins.", by=world.cast["system_leader"])
    assert (found.state, found.conflict) == (Seat.STOOD_DOWN, "They are cousins.")
    assert found.conflict_found_at is not None
    assert found.conflict_found_by.startswith("System Leader")
    assert not queries.is_team(world.cast["other_head"], review)
    assert not queries.visible_to(world.cast["other_head"]).exists()
    assert told(world, "other_head")[-1] == "stood_down"
    assert "conflict" in told(world, "head")
    # Before the visit it is a conflict declared in time: nothing was written that is to be marked.
    early = helpers.begun(world, "partner_head")
    assert early.state == State.SELF_REVIEW


def test_a_peer_who_leaves_is_let_go_and_visits_are_reminded_of_once(world: World) -> None:
    review = helpers.scheduled(world, on=helpers.in_days(5))
    assert team.look_after() == 1
    assert team.look_after() == 0
    assert told(world, "partner_head")[-1] == "soon"
    assert told(world, "head")[-1] == "soon"
    Appointment.objects.filter(pk=world.cast["partner_head"].pk).update(ends=helpers.in_days(0))
    assert team.look_after() == 1
    assert helpers.seat(review, world, "partner_head").state == Seat.DECLINED
    assert told(world, "head")[-1] == "left"
    assert actions.missing_in_team(review) == ["1 peer comes so far; a team has two at least."]


def test_each_sees_what_is_theirs_and_no_page_claims_an_effect(
    world: World, sign_in: SignIn
) -> None:
    review = helpers.scheduled(world)
    strength = "Every class reads aloud"
    seen = {}
    for who in ("head", "system_leader", "partner_head", "other_head"):
        page = sign_in(who).get(pages.url(review)).content.decode()
        assert "no page here claims that it does" in page
        seen[who] = strength in page
    assert all(seen.values())
    beside = Appointment.objects.create(
        person=world.person("nobody"), role="head", school=world.schools["N4"],
        starts=helpers.in_days(-9),
    )  # fmt: skip
    page = sign_in("nobody").get(pages.url(review)).content.decode()
    assert helpers.QUESTION in page
    assert strength not in page
    assert not queries.sees_inside(beside, review)
    assert queries.sees_inside(world.cast["partner_head"], review)
    csv = b"".join(sign_in("head").get("/reviews.csv").streaming_content).decode()  # type: ignore[attr-defined] # a streamed answer
    assert helpers.QUESTION in csv
    assert strength not in csv


def test_coverage_counts_by_area_and_points_at_no_school(world: World, sign_in: SignIn) -> None:
    review = helpers.scheduled(world)
    PeerReview.objects.filter(pk=review.pk).update(
        state=State.AGREED, check_back_on=helpers.in_days(-3)
    )
    north, south = queries.coverage(world.cast["minister"])
    assert (north.schools, north.had, north.running, north.overdue) == (10, 1, 1, 1)
    assert (south.schools, south.had, south.overdue) == (4, 0, 0)
    # West has one school: it is not shown alone.
    assert [each.area.name for each in queries.coverage(world.cast["other_district_officer"])
            if each.area] == ["East"]  # fmt: skip
    assert "School N2" not in sign_in("minister").get("/reviews/coverage/").content.decode()
    assert "School N2" in sign_in("district_officer").get("/reviews/coverage/").content.decode()
    assert not queries.overdue(world.cast["minister"]).exists()
    assert not queries.overdue(world.cast["other_district_officer"]).exists()
    card = pages.home_card(world.cast["minister"])
    assert card is not None
    assert card["url"] == reverse("accountability:review_coverage")
    assert pages.home_card(world.cast["teacher"]) is None


def test_forms_come_back_with_what_was_typed(world: World, sign_in: SignIn) -> None:
    head = sign_in("head")
    bad: dict[str, Any] = {"question": "Who reads?", "evidence": "The pupil Amina Otieno read."}
    page = head.post("/reviews/new/", bad).content.decode()
    assert "Who reads?" in page
    assert "I looked again: no pupil is named" in page
    done = head.post("/reviews/new/", bad | {"names_no_pupil": "on"})
    review = PeerReview.objects.get()
    assert done["Location"] == pages.url(review)
    answer = head.post(f"{pages.url(review)}self-review/", {"question": "New", "seen": "77"})
    assert answer.status_code == 409
    assert "New" in answer.content.decode()
    answer = head.post(f"{pages.url(review)}self-review/", {"question": "x" * 301, "seen": "1"})
    assert answer.status_code == 200
    PeerReview.objects.all().delete()
    review = helpers.with_team(world)
    where = f"{pages.url(review)}team/"
    sent = {"person": world.person("other_system_leader").pk}
    assert head.post(where, sent).status_code == 302
    assert head.post(where, sent).status_code == 302  # two tabs, one invitation
    assert review.team.count() == 3
    assert head.post(where, {"person": "99999999999999999999999"}).status_code == 200
    assert head.post(f"{pages.url(review)}call-off/", {"why": ""}).status_code == 200
    for who in ("partner_head", "partner_head"):  # pressed twice
        seat = helpers.seat(review, world, who)
        sent_no = sign_in(who).post(
            reverse("accountability:review_answer", args=[seat.pk]), {"answer": "no"}
        )
        assert sent_no["Location"] == "/reviews/"
    seat = helpers.seat(review, world, "other_system_leader")
    page = sign_in("other_system_leader").post(
        reverse("accountability:review_answer", args=[seat.pk]), {"answer": "conflict"}
    )
    assert "Say it in a few words." in page.content.decode()


def test_champions_are_named_once_and_end(world: World, sign_in: SignIn) -> None:
    champion = helpers.champion(world)
    assert helpers.champion(world).pk == champion.pk
    page = sign_in("partner_head").get("/reviews/champions/").content.decode()
    assert "Leads a talk in which everybody speaks." in page
    assert "Leads a talk" not in sign_in("other_head").get("/reviews/champions/").content.decode()
    where = reverse("accountability:champion_end", args=[champion.pk])
    assert sign_in("partner_head").post(where).status_code == 403
    assert sign_in("system_leader").post(where).status_code == 302
    assert sign_in("system_leader").post(where).status_code == 404  # ended, and gone from sight
    champion.refresh_from_db()
    assert champion.until == helpers.in_days(0)
    partnership = world.partnerships["Upper"]
    assert not queries.champions_of(partnership).exists()
