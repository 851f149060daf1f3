"""Scores of promises: by the school, by its peers beside it, what became of it, and the rules."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection  # noqa: F401 - the condition of a test asks it
from django.urls import reverse
from django.utils import timezone

from brightspots_web.accountability import ceremony_actions as actions
from brightspots_web.accountability import ceremony_outcome_actions as outcomes
from brightspots_web.accountability import ceremony_queries as queries
from brightspots_web.accountability import ceremony_score_pages as pages
from brightspots_web.accountability import ceremony_time_actions as time_actions
from brightspots_web.accountability import ceremony_words as words
from brightspots_web.accountability import pledge_actions, pledge_pages
from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability.pledge_models import (
    Pledge,
    PledgeScore,
    PledgeSettings,
    PledgeWitness,
)
from brightspots_web.directory.models import Appointment, Cycle
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import MayNamePupilError
from tests.web import ceremony_helpers as helpers
from tests.web import pledge_helpers
from tests.web.bright_spot_helpers import a_run
from tests.web.conftest import SignIn
from tests.web.pledge_helpers import fresh, in_days, today
from tests.web.test_pledges_values import correct
from tests.web.test_races import at_once
from tests.web.world import World

State = Pledge.State
Peer = PledgeScore.State


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def shown(world: World, pledge: Pledge, who: str) -> str:
    """All that the page of scores says to somebody."""
    return str(pages.page(fresh(pledge), world.cast[who]))


# The own score


def test_a_school_scores_itself_with_a_reason_on_the_scale(world: World) -> None:
    pledge, head = pledge_helpers.witnessed(world), world.cast["head"]
    for points, reason, field in ((8, " ", "reason"), (11, "So.", "score"), (-1, "So.", "score")):
        with pytest.raises(ValidationError) as refused:
            actions.score(pledge, points, reason, by=head, seen=None)
        assert field in refused.value.message_dict
    with pytest.raises(MayNamePupilError):
        actions.score(pledge, 8, "The pupil Amina reads.", by=head, seen=None)
    for who in ("partner_head", "teacher", "minister"):
        with pytest.raises(PermissionDenied):
            actions.score(pledge, 8, "So.", by=world.cast[who], seen=None)
    assert fresh(pledge).self_score is None
    scored = actions.score(pledge, 0, "Nothing came of it.", by=head, seen=pledge.version)
    assert (scored.state, scored.self_score) == (State.SCORED, 0)
    # Sent twice it is one score; another one, from a page opened before, is overtaken.
    again = actions.score(pledge, 0, "Nothing came of it. ", by=head, seen=pledge.version)
    assert again.version == scored.version
    with pytest.raises(OvertakenError):
        actions.score(pledge, 3, "Something.", by=head, seen=pledge.version)
    mended = actions.score(pledge, 3, "Something.", by=head, seen=scored.version)
    assert mended.self_score == 3
    draft = pledge_helpers.drafted(world, "other")
    with pytest.raises(ValidationError, match="a draft"):
        helpers.score(world, draft)


def test_the_own_score_stays_once_a_peer_has_read_it_and_scored(world: World) -> None:
    pledge = helpers.asked(world)
    helpers.score(world, pledge, 9)
    helpers.verify(world, pledge)
    with pytest.raises(ValidationError, match="stays as the peer read it"):
        helpers.score(world, pledge, 10)
    assert "score_form" not in pages.page(fresh(pledge), world.cast["head"])


def test_the_value_known_then_stays_and_its_correction_stands_beside_it(world: World) -> None:
    run = a_run(world)
    pledge = helpers.asked(world)
    row = helpers.verify(world, pledge)
    assert (pledge.self_known["value"], row.known["run"]) == (5.0, str(run.uuid))
    correct(world, run)
    page = pages.page(fresh(pledge), world.cast["partner_head"])
    peer = next(each for each in page["peers"] if each["school"] == "School N3")
    for lines in (page["own_score"]["known"], peer["known"]):
        assert lines[0].startswith("Known then: +5.0 points")
        assert lines[1].startswith("Corrected since: +2.0 points")
    assert "+2.0 points" in str(page["facts"])
    helpers.verify(world, pledge, "system_leader")
    assert helpers.peer(pledge, "N1").known["value"] == 2.0  # known when that one scored


def test_values_of_another_school_are_told_to_those_who_may_open_its_page(world: World) -> None:
    a_run(world)
    pledge = helpers.verified(world, "other", audience="system")
    assert "Known then" in shown(world, pledge, "head")
    hidden = shown(world, pledge, "other_head")
    assert "Known then" not in hidden
    assert "Published now" not in hidden
    assert "5 of 10" in hidden  # the scores are read by whoever reads the promise


# Peers


def test_peers_come_from_other_schools_and_two_are_asked(world: World) -> None:
    pledge, head = helpers.self_scored(world), world.cast["head"]
    assert {each.person_id for each in queries.may_verify(pledge)} == {
        world.person(who).pk for who in helpers.PEERS
    }
    for who in ("head", "teacher", "minister", "other_head"):
        with pytest.raises(ValidationError):
            actions.ask(pledge, [world.person(who)], by=head)
    both = [world.person(who) for who in helpers.PEERS]
    with pytest.raises(PermissionDenied):
        actions.ask(pledge, both, by=world.cast["system_leader"])
    assert len(actions.ask(pledge, both, by=head)) == 2
    assert actions.ask(pledge, both, by=head) == []  # asked twice, asked once
    assert PledgeScore.objects.count() == 2
    assert told(world, "partner_head")[0] == (
        "School N2 asks you to verify, as a peer, how it kept a promise."
    )
    another_head(world, "N4")
    with pytest.raises(ValidationError, match="Enough peers are asked"):
        actions.ask(pledge, [world.person("nobody")], by=head)
    unscored = pledge_helpers.vowed(world, "other")
    with pytest.raises(ValidationError, match="its own score comes first"):
        actions.ask(unscored, both, by=head)


def another_head(world: World, code: str, who: str = "nobody") -> Appointment:
    return Appointment.objects.create(
        person=world.person(who), role="head", school=world.schools[code], starts=today()
    )


def test_nobody_who_works_at_the_school_verifies_it(world: World) -> None:
    pledge = helpers.asked(world, who=("partner_head",))
    Appointment.objects.create(
        person=world.person("system_leader"), role="teacher", school=world.schools["N2"],
        starts=today(),
    )  # fmt: skip
    assert queries.may_verify(pledge) == []
    another_head(world, "N2", "partner_head")  # after they were asked
    with pytest.raises(ValidationError, match="You work at the school that promises"):
        helpers.verify(world, pledge)
    assert "left to ask" in str(pages.page(fresh(pledge), world.cast["head"])["waits"])


def test_where_one_peer_is_asked_it_is_not_the_school_that_is_counted(world: World) -> None:
    helpers.set_rules(world, verifiers=1)
    pledge = helpers.self_scored(world, "other")  # it counts the pupils of N3
    assert {each.school.code for each in queries.may_verify(pledge) if each.school} == {"N1"}
    helpers.set_rules(world, verifiers=2)
    assert {each.school.code for each in queries.may_verify(pledge) if each.school} == {"N1", "N3"}


def test_a_peer_is_blind_to_the_other_until_both_have_scored(world: World) -> None:
    pledge = helpers.asked(world)
    helpers.verify(world, pledge, "partner_head", 2, "Zebras were seen.")
    for page in (
        shown(world, pledge, "system_leader"),
        str(pledge_pages.page(fresh(pledge), world.cast["system_leader"])["scores"]),
        str(
            pages.verify_page(
                fresh(pledge), world.cast["system_leader"], helpers.peer(pledge, "N1")
            )
        ),
    ):
        assert "2 of 10" not in page
        assert "Zebras" not in page
    # In another office the same person is as blind; everybody else reads it.
    other = another_head(world, "N4", "system_leader")
    assert "Zebras" not in str(pages.page(fresh(pledge), other))
    for who in ("head", "partner_head", "teacher"):
        assert "Zebras" in shown(world, pledge, who)
    helpers.verify(world, pledge, "system_leader", 7)
    assert "Zebras" in shown(world, pledge, "system_leader")
    assert fresh(pledge).state == State.VERIFIED


def test_scores_stand_side_by_side_with_names_and_are_never_averaged(world: World) -> None:
    pledge = helpers.asked(world)
    page = pages.page(pledge, world.cast["head"])
    assert "No peer’s score stands beside it yet" in page["said"]
    helpers.verify(world, pledge, "partner_head", 8)
    said = pages.page(fresh(pledge), world.cast["head"])["said"]
    assert said == "The school and its peer both say 8 of 10."
    helpers.verify(world, pledge, "system_leader", 3, "We saw three lessons.")
    page = pages.page(fresh(pledge), world.cast["teacher"])
    assert page["said"].startswith(
        "The school says 8 of 10, its peers 3 of 10 and 8 of 10: they do not see it alike."
    )
    assert [(each["school"], each["points"]) for each in page["peers"]] == [
        ("School N1", "3 of 10"),
        ("School N3", "8 of 10"),
    ]
    assert all(each["name"] and each["reason"] and each["on"] for each in page["peers"])
    assert "A peer of School N1 has scored your promise, and says why." in told(world, "head")


def test_what_a_peer_says_is_said_once_and_on_the_scale(world: World) -> None:
    pledge, partner = helpers.asked(world), world.cast["partner_head"]
    for points, reason, field in ((5, "", "reason"), (11, "So.", "score")):
        with pytest.raises(ValidationError) as refused:
            actions.verify(pledge, points, reason, by=partner)
        assert field in refused.value.message_dict
    for who in ("head", "teacher", "other_head"):
        with pytest.raises(PermissionDenied):
            helpers.verify(world, pledge, who)
    first = helpers.verify(world, pledge)
    assert helpers.verify(world, pledge) == first
    with pytest.raises(ValidationError, match="what you said stays"):
        helpers.verify(world, pledge, points=6)
    with pytest.raises(ValidationError, match="what you said stays"):
        actions.cannot(pledge, "I am ill.", by=partner)
    assert not any("asks you to verify" in each for each in unseen(world, "partner_head"))


def unseen(world: World, who: str) -> list[str]:
    waiting = notices.notices_of(world.person(who)).filter(seen_at=None)
    return [each.text for each in notices.lines(waiting)]


def test_a_withdrawn_promise_takes_no_score_and_says_so(world: World, sign_in: SignIn) -> None:
    pledge = helpers.asked(world)
    pledge_actions.withdraw(pledge, "We are rebuilt.", by=world.cast["head"], seen=None)
    assert "School N2 has withdrawn a promise, and says why." in told(world, "system_leader")
    assert not any("asks you to verify" in each for each in unseen(world, "partner_head"))
    with pytest.raises(ValidationError, match="It is withdrawn: it is scored and verified no more"):
        helpers.verify(world, pledge)
    address = reverse("accountability:verify", args=[pledge.pk])
    client = sign_in("partner_head")
    assert "scored and verified no more" in client.get(address).content.decode()
    late = client.post(address, {"score": "5", "reason": "Typed too late."})
    assert late.status_code == 200
    assert "scored and verified no more" in late.content.decode()
    assert "Typed too late." in late.content.decode()
    with pytest.raises(ValidationError, match="withdrawn"):
        helpers.score(world, pledge, 9)
    assert pages.front_items(world.cast["partner_head"]) == []


def test_a_peer_who_cannot_says_why_and_another_is_asked(world: World) -> None:
    pledge, partner = helpers.asked(world), world.cast["partner_head"]
    with pytest.raises(ValidationError):
        actions.cannot(pledge, " ", by=partner)
    actions.cannot(pledge, "Our schools share a teacher.", by=partner)
    actions.cannot(pledge, "Again.", by=partner)
    assert "Our schools share a teacher." in shown(world, pledge, "head")
    assert any("cannot verify your promise" in each for each in told(world, "head"))
    with pytest.raises(ValidationError, match="You said that you cannot"):
        helpers.verify(world, pledge)
    new = another_head(world, "N4")
    assert [each.pk for each in queries.may_verify(pledge)] == [new.pk]
    actions.ask(pledge, [new.person], by=world.cast["head"])
    assert pages.front_items(new)[0]["url"] == words.verify_url(pledge)


def test_a_peer_who_left_is_marked_once_and_replaced(world: World) -> None:
    pledge = helpers.asked(world)
    assert time_actions.look_after() == 0
    Appointment.objects.filter(pk=world.cast["partner_head"].pk).update(ends=today())
    assert time_actions.look_after() == 1
    assert time_actions.look_after() == 0
    assert any("has left before scoring" in each for each in told(world, "head"))
    assert "A peer has left before scoring" in str(
        pages.page(fresh(pledge), world.cast["head"])["waits"]
    )
    with pytest.raises(PermissionDenied):
        helpers.verify(world, pledge)
    new = another_head(world, "N3")
    actions.ask(pledge, [new.person], by=world.cast["head"])
    row = helpers.peer(pledge)
    assert (row.person, row.state) == (new.person, Peer.ASKED)
    actions.verify(pledge, 6, "Seen.", by=new)
    # Whoever leaves after scoring has scored: the score stays.
    Appointment.objects.filter(pk=new.pk).update(ends=today())
    assert time_actions.look_after() == 0
    assert helpers.peer(pledge).state == Peer.SCORED


def test_after_three_weeks_without_a_word_another_may_be_asked(world: World) -> None:
    pledge, head = helpers.asked(world), world.cast["head"]
    new = another_head(world, "N4")
    assert queries.places_free(pledge, pledges.settings()) == 0
    assert pages.front_items(head) == []
    long_ago = timezone.now() - queries.PATIENCE - timedelta(hours=1)
    PledgeScore.objects.filter(school__code="N3").update(asked_at=long_ago)
    assert queries.places_free(pledge, pledges.settings()) == 1
    assert "No word for three weeks: Partner Head" in shown(world, pledge, "head")
    assert [each["link"] for each in pages.front_items(head)] == ["Ask peers"]
    actions.ask(pledge, [new.person], by=head)
    assert pages.front_items(head) == []
    helpers.verify(world, pledge)  # whoever was slow may still score
    actions.verify(pledge, 6, "Seen.", by=new)
    assert fresh(pledge).state == State.VERIFIED


# A conflict of interest


def test_a_score_is_set_aside_stands_struck_through_and_counts_again(
    world: World, sign_in: SignIn
) -> None:
    pledge, why = helpers.asked(world), "Their head is the brother of ours."
    row = helpers.verify(world, pledge, points=10)
    other = helpers.verify(world, pledge, "system_leader", 4)
    assert fresh(pledge).state == State.VERIFIED
    # Not by the school, for whom it may be unwelcome, nor by the peer beside it or a reader.
    for who in ("head", "system_leader", "teacher", "minister", "other_head"):
        with pytest.raises(PermissionDenied):
            actions.weigh(row, why, by=world.cast[who], counts=False)
    with pytest.raises(ValidationError):
        actions.weigh(row, " ", by=world.cast["partner_head"], counts=False)
    actions.weigh(row, why, by=world.cast["partner_head"], counts=False)  # declared by the peer
    assert fresh(pledge).state == State.SCORED
    page = pages.page(fresh(pledge), world.cast["teacher"])
    assert page["said"].startswith("The school says 8 of 10, its peer 4 of 10")
    assert why in str(page["peers"])
    html = sign_in("teacher").get(words.url(pledge)).content.decode()
    assert "<s>10 of 10</s>" in html
    assert "Set aside, it does not count:" in html
    assert "The score of School N3 on the promise of School N2 was set aside: see why." in told(
        world, "head"
    )
    # The place is free, and a witness who stands by it may set aside or let count again.
    assert queries.places_free(pledge, pledges.settings()) == 1
    witness = a_witness(world, pledge)
    actions.weigh(row, "They are no relatives.", by=witness, counts=True)
    assert fresh(pledge).state == State.VERIFIED
    assert "Was set aside, and counts again:" in shown(world, pledge, "head")
    actions.weigh(other, why, by=witness, counts=False)
    with pytest.raises(PermissionDenied):  # set aside by somebody else: not the peer's to undo
        actions.weigh(other, "No.", by=world.cast["system_leader"], counts=True)


def a_witness(world: World, pledge: Pledge) -> Appointment:
    new = another_head(world, "N4")
    PledgeWitness.objects.create(
        pledge=pledge, person=new.person, name=new.label, school=world.schools["N4"],
        state=PledgeWitness.State.ACCEPTED, asked_at=timezone.now(), answered_at=timezone.now(),
    )  # fmt: skip
    return new


def test_the_leader_sets_aside_on_the_page_and_sees_what_was_typed(
    world: World, sign_in: SignIn
) -> None:
    pledge = helpers.asked(world, who=("partner_head",))
    row = helpers.verify(world, pledge)
    client, address = sign_in("system_leader"), reverse("accountability:score_weigh",
                                                        args=[pledge.pk])  # fmt: skip
    sent = {"score": row.pk, "why": "They share a budget.", "seen": fresh(pledge).version - 1}
    answer = client.post(address, sent)
    assert answer.status_code == 409
    assert "They share a budget." in answer.content.decode()
    assert helpers.peer(pledge).state == Peer.SCORED
    assert client.post(address, sent | {"seen": fresh(pledge).version}).status_code == 302
    assert helpers.peer(pledge).state == Peer.ASIDE


# What became of it


def test_what_became_of_it_is_said_once_peers_have_verified_it(world: World) -> None:
    pledge, head = helpers.asked(world), world.cast["head"]
    with pytest.raises(ValidationError, match="Peers have not verified it yet"):
        helpers.say(world, pledge)
    helpers.verify(world, pledge)
    helpers.verify(world, pledge, "system_leader")
    assert [each["link"] for each in pages.front_items(head)] == ["Say it"]
    for outcome, text, field in (("partly", " ", "words"), ("great", "Yes.", "outcome")):
        with pytest.raises(ValidationError) as refused:
            outcomes.say_outcome(pledge, outcome, text, by=head, seen=None)
        assert field in refused.value.message_dict
    with pytest.raises(PermissionDenied):
        outcomes.say_outcome(pledge, "kept", "Yes.", by=world.cast["partner_head"], seen=None)
    said = helpers.say(world, pledge)
    assert helpers.say(world, pledge).version == said.version  # sent twice
    with pytest.raises(OvertakenError):
        outcomes.say_outcome(pledge, "kept", "Yes.", by=head, seen=said.version - 1)
    page = pages.page(fresh(pledge), world.cast["teacher"])
    assert page["outcome"] == "School N2 says: partly kept."
    assert "School N2 says what became of its promise." in told(world, "partner_head")
    assert pages.front_items(head) == []
    with pytest.raises(ValidationError, match="nobody is asked any more"):
        actions.ask(pledge, [another_head(world, "N4").person], by=head)


def test_once_the_cycle_is_over_it_is_said_without_the_peers_and_closed(world: World) -> None:
    pledge = helpers.asked(world)
    Cycle.objects.update(ends=today())
    said = helpers.say(world, pledge, "not_kept")
    assert said.state == State.SCORED
    assert "0 peers from other schools have scored it" in shown(world, pledge, "teacher")
    assert "without the others" in shown(world, pledge, "teacher")
    with pytest.raises(ValidationError, match="closed for scores"):
        helpers.verify(world, pledge)
    assert pages.front_items(world.cast["partner_head"]) == []


def test_carried_over_it_is_a_draft_of_the_next_cycle_once(world: World) -> None:
    a_run(world)
    pledge, head = helpers.verified(world, "other"), world.cast["head"]
    with pytest.raises(ValidationError, match="There is no next cycle") as refused:
        helpers.say(world, pledge, "carried")
    assert "outcome" in refused.value.message_dict
    assert fresh(pledge).outcome == ""
    cycle = helpers.next_cycle(world)
    helpers.say(world, pledge, "carried")
    helpers.say(world, pledge, "carried")
    draft = Pledge.objects.get(carried_from=pledge)
    assert (draft.state, draft.set.cycle, draft.promise) == (State.DRAFT, cycle, pledge.promise)
    assert (draft.half, draft.other_school, draft.target) == ("other", world.schools["N3"], 2.0)
    assert draft.baseline["value"] == 0.0
    with pytest.raises(ValidationError, match="carried over already"):
        helpers.say(world, pledge, "kept")
    assert pages.page(fresh(pledge), head)["carried_to"]["url"] == pledge_pages.url(draft)
    hidden = pages.page(fresh(pledge), world.cast["partner_head"])["carried_to"]
    assert (hidden["cycle"], hidden["url"]) == ("Next year", "")  # a draft is its writers'
    # Thrown away, it may be carried over again; or said to have ended otherwise.
    pledge_actions.discard(draft, by=head, seen=None)
    helpers.say(world, pledge, "partly")
    helpers.say(world, pledge, "carried", "We try again.")
    assert Pledge.objects.filter(carried_from=pledge).count() == 1


def test_what_the_school_has_written_for_the_next_cycle_is_taken_as_it_is(world: World) -> None:
    pledge, cycle = helpers.verified(world), helpers.next_cycle(world)
    anew = pledge_actions.write(
        pledge_helpers.words(world, promise="Twice as many read."), cycle, by=world.cast["head"]
    )
    helpers.say(world, pledge, "carried")
    assert Pledge.objects.get(carried_from=pledge) == anew
    assert Pledge.objects.get(carried_from=pledge).promise == "Twice as many read."


def test_what_cannot_be_promised_any_longer_is_not_carried_over(world: World) -> None:
    pledge = helpers.verified(world, "other")
    helpers.next_cycle(world)
    closed = world.schools["N3"]
    closed.closed = today()
    closed.save()
    with pytest.raises(ValidationError, match="cannot be carried over as it is") as refused:
        helpers.say(world, pledge, "carried")
    assert "Choose an open school" in refused.value.message_dict["outcome"][0]
    assert fresh(pledge).outcome == ""


# The rules


def test_the_ministry_sets_the_rules_and_the_scale_stays_once_something_is_scored(
    world: World,
) -> None:
    for who in ("analyst", "district_officer", "head"):
        with pytest.raises(PermissionDenied):
            actions.set_rules({}, by=world.cast[who], seen=None)
    found = helpers.set_rules(world, highest_score=5, check_in_days=30)
    assert (PledgeSettings.objects.get(), pledges.settings().highest_score) == (found, 5)
    assert helpers.set_rules(world, highest_score=5, check_in_days=30).version == found.version
    for name, value in (
        ("highest_score", 1), ("verifiers", 0), ("verifiers", 5), ("own_weight", 101),
        ("check_in_days", 0),
    ):  # fmt: skip
        with pytest.raises(ValidationError) as refused:
            helpers.set_rules(world, **{"highest_score": 5, "check_in_days": 30, name: value})
        assert name in refused.value.message_dict
    pledge = pledge_helpers.witnessed(world)
    with pytest.raises(ValidationError, match="from 0 to 5"):
        helpers.score(world, pledge, 6)
    helpers.score(world, pledge, 5)
    with pytest.raises(ValidationError, match="it stays") as refused:
        helpers.set_rules(world, highest_score=10)
    assert "highest_score" in refused.value.message_dict
    assert helpers.set_rules(world, highest_score=5, own_weight=70).own_weight == 70


def test_where_fewer_peers_are_asked_what_they_scored_is_verified(world: World) -> None:
    pledge = helpers.asked(world)
    helpers.verify(world, pledge)
    helpers.set_rules(world, verifiers=1)
    assert fresh(pledge).state == State.VERIFIED
    helpers.set_rules(world, verifiers=3)  # what is verified stays so
    assert fresh(pledge).state == State.VERIFIED


def test_rules_on_the_page_are_overtaken_with_what_was_typed(world: World, sign_in: SignIn) -> None:
    client, address = sign_in("minister"), reverse("accountability:pledge_settings")
    form = {"highest_score": 10, "own_weight": 61, "verifiers": 2, "check_in_days": 42, "seen": 1}
    assert client.post(address, form).status_code == 302
    answer = client.post(address, form | {"own_weight": 62})
    assert answer.status_code == 409
    assert "61 of 100" in answer.content.decode()
    assert 'value="62"' in answer.content.decode()
    broken = client.post(address, form | {"verifiers": "many", "seen": 2})
    assert broken.status_code == 200
    assert pledges.settings().own_weight == 61
    assert "How promises are scored" in client.get("/pledges/").content.decode()


# Pages


def test_a_promise_goes_from_its_score_to_its_end_on_the_pages(
    world: World, sign_in: SignIn
) -> None:
    a_run(world)
    pledge = pledge_helpers.witnessed(world, due=in_days(3))
    head, partner, leader = sign_in("head"), sign_in("partner_head"), sign_in("system_leader")
    address = words.url(pledge)
    page = head.get(address).content.decode()
    assert "Its day is" in page
    assert "It is not scored yet" in partner.get(address).content.decode()
    for sent, said in (
        ({"score": "12", "reason": "Typed once."}, "Give a whole number from 0 to 10."),
        ({"score": "seven", "reason": "Typed once."}, "Give a whole number from 0 to 10."),
        ({"score": "8", "reason": ""}, "This field is required."),
        ({"score": "8", "reason": "The pupil Amina reads."}, "I have looked again"),
    ):
        answer = head.post(address, sent).content.decode()
        assert said in answer
        assert sent["reason"] in answer
    assert head.post(address, {"score": "8", "reason": "Eight of ten."}).status_code == 302
    page = head.get(pledge_pages.url(pledge)).content.decode()
    assert "School N2 itself: 8 of 10" in page
    peers = {"first": world.person("partner_head").pk, "second": world.person("system_leader").pk}
    assert head.post(reverse("accountability:score_peers", args=[pledge.pk]), peers).url
    assert words.verify_url(pledge) in partner.get(pledge_pages.url(pledge)).content.decode()
    assert words.verify_url(pledge) in partner.get("/accountability/").content.decode()
    assert (
        "What the school says of itself" in partner.get(words.verify_url(pledge)).content.decode()
    )
    for client, points in ((partner, "5"), (leader, "8")):
        sent = {"score": points, "reason": f"Seen by {points}."}
        assert client.post(words.verify_url(pledge), sent).status_code == 302
    page = sign_in("teacher").get(address).content.decode()
    for said in ("they do not see it alike", "Seen by 5.", "Seen by 8.", "Known then: +5.0"):
        assert said in page
    end = reverse("accountability:score_outcome", args=[pledge.pk])
    answer = head.post(end, {"outcome": "carried", "words": "We go on.", "seen": "0"})
    assert answer.status_code == 409
    seen = fresh(pledge).version
    answer = head.post(end, {"outcome": "carried", "words": "We go on.", "seen": seen})
    assert "There is no next cycle" in answer.content.decode()
    assert "We go on." in answer.content.decode()
    helpers.next_cycle(world)
    assert head.post(end, {"outcome": "carried", "words": "We go on.", "seen": seen}).url
    assert "It goes on in Next year." in partner.get(address).content.decode()
    assert "School N2 says: carried over." in partner.get(pledge_pages.url(pledge)).content.decode()
    draft = pledge_helpers.drafted(world, "other")
    assert head.get(words.url(draft)).url == pledge_pages.url(draft)


def test_front_items_ask_little_of_the_database(
    world: World, django_assert_max_num_queries: object
) -> None:
    helpers.verified(world)
    for who, most in (("head", 4), ("partner_head", 4), ("teacher", 0), ("minister", 0)):
        with django_assert_max_num_queries(most):  # type: ignore[operator] # of the plugin
            pages.front_items(world.cast[who])


# The trail, and two at once


def test_the_audit_trail_says_that_and_never_what(world: World) -> None:
    secret = "Zebra"
    pledge = pledge_helpers.witnessed(world)
    helpers.next_cycle(world)
    helpers.score(world, pledge, 9, secret)
    head, partner = world.cast["head"], world.cast["partner_head"]
    actions.ask(pledge, [world.person(who) for who in helpers.PEERS], by=head)
    row = helpers.verify(world, pledge, "system_leader", 7, secret)
    actions.cannot(pledge, secret, by=partner)
    new = another_head(world, "N4")
    actions.ask(pledge, [new.person], by=head)
    Appointment.objects.filter(pk=new.pk).update(ends=today())
    time_actions.look_after()
    for counts in (False, True):
        actions.weigh(row, secret, by=world.cast["system_leader"], counts=counts)
    helpers.set_rules(world, verifiers=1)
    helpers.say(world, pledge, "carried", secret)
    wanted = (
        "score_pledge", "ask_peer", "verify_pledge", "cannot_verify", "peer_left",
        "set_score_aside", "count_score_again", "set_pledges", "say_outcome", "carry_over",
    )  # fmt: skip
    entries = AuditEntry.objects.filter(action__startswith="accountability.")
    assert {f"accountability.{verb}" for verb in wanted} <= set(
        entries.values_list("action", flat=True)
    )
    for entry in entries:
        assert secret not in f"{entry.target} {entry.detail}"
        assert entry.detail.keys() <= {
            "peer", "half", "witness", "accepts", "highest_score", "own_weight", "verifiers",
            "check_in_days",
        }  # fmt: skip
    assert audit.first_broken_link() is None


def test_two_who_verify_one_after_the_other_make_it_verified_once(world: World) -> None:
    pledge = helpers.asked(world)
    stale = Pledge.objects.get(pk=pledge.pk)
    helpers.verify(world, pledge)
    helpers.verify(world, stale, "system_leader")  # from a page opened before the first scored
    assert fresh(pledge).state == State.VERIFIED
    assert queries.enough(pledge, pledges.settings())


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
)
def test_at_once_two_verify_and_fewer_are_asked_for(world: World) -> None:
    pledge = helpers.asked(world)
    at_once(
        lambda: helpers.verify(world, pledge),
        lambda: helpers.verify(world, pledge, "system_leader"),
        lambda: helpers.set_rules(world, verifiers=1),
    )
    assert fresh(pledge).state == State.VERIFIED
    assert PledgeScore.objects.filter(state=Peer.SCORED).count() == 2
