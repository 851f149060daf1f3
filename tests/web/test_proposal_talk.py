"""The consultation and merging: who says what and when, who answers, who makes one of two."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.alignment import ballot_actions
from brightspots_web.alignment import proposal_actions as actions
from brightspots_web.alignment import proposal_merge_actions as merging
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment import proposal_talk_actions as talk
from brightspots_web.alignment.models import (
    Agreement,
    Ballot,
    MergeWish,
    PriorityProposal,
    ProposalComment,
)
from brightspots_web.directory.models import Appointment
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import MayNamePupilError
from tests.web.conftest import SignIn
from tests.web.practice_helpers import head_of
from tests.web.proposal_helpers import an_agreement, move_to, one, proposed, today
from tests.web.world import World

State = PriorityProposal.State


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def url(page: str, proposal: PriorityProposal, *more: object) -> str:
    return reverse(f"alignment:{page}", args=[proposal.pk, *more])


@pytest.fixture
def agreement(world: World) -> Agreement:
    return an_agreement(world)


@pytest.fixture
def reading(world: World, agreement: Agreement) -> PriorityProposal:
    """Of School N2."""
    return proposed(agreement, world.cast["head"])


@pytest.fixture
def all_read(world: World, agreement: Agreement, reading: PriorityProposal) -> PriorityProposal:
    """Of Upper partnership."""
    return proposed(agreement, world.cast["system_leader"], title="All children can read")


# Saying something


def test_a_teacher_speaks_with_the_schools_voice_and_the_proposer_is_told_once(
    world: World, agreement: Agreement, reading: PriorityProposal
) -> None:
    move_to(world, agreement, "consult")
    said = talk.comment(one(reading.pk), by=world.cast["teacher"], words=" In the first year too? ")
    assert (said.tier, said.words) == ("school", "In the first year too?")
    assert talk.comment(one(reading.pk), by=world.cast["teacher"], words=said.words) == said
    talk.comment(one(reading.pk), by=world.cast["district_officer"], words="Yes.", kind="amendment")
    assert told(world, "head") == [f"“{reading.title}”: 2 comments wait for an answer"]
    tiers = {each.tier: (each.comments, each.amendments) for each in queries.heard(reading)}
    assert tiers == {"school": (1, 0), "partnership": (0, 0), "district": (0, 1),
                     "ministry": (0, 0)}  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "words"), [("propose", "begins on"), ("ballot", "ended on"), ("work", "ended on")]
)
def test_outside_the_consultation_the_days_are_said_and_the_words_stay(
    world: World, sign_in: SignIn, agreement: Agreement, reading: PriorityProposal, phase: str,
    words: str,
) -> None:  # fmt: skip
    move_to(world, agreement, phase)
    client = sign_in("teacher")
    page = client.get(url("proposal", reading)).content.decode()
    assert words in page
    assert "Say it" not in page
    sent = {"kind": "comment", "words": "I was late."}
    answer = client.post(url("comment", reading), sent)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert "I was late." in answer.content.decode()
    assert not ProposalComment.objects.exists()


def test_what_looks_like_a_pupils_name_is_asked_about(
    world: World, sign_in: SignIn, agreement: Agreement, reading: PriorityProposal
) -> None:
    move_to(world, agreement, "consult")
    with pytest.raises(MayNamePupilError):
        talk.comment(one(reading.pk), by=world.cast["teacher"], words="We saw it with Amina Were.")
    client = sign_in("teacher")
    sent = {"kind": "comment", "words": "We saw it with Amina Were."}
    page = client.post(url("comment", reading), sent).content.decode()
    assert "looks like the name of a pupil" in page
    assert 'type="checkbox" name="names_no_pupil"' in page
    answer = client.post(url("comment", reading), sent | {"names_no_pupil": "on"})
    assert answer.status_code == 302
    assert ProposalComment.objects.count() == 1


def test_hidden_words_are_gone_for_all_but_the_ministry_and_from_files(
    world: World, sign_in: SignIn, agreement: Agreement, reading: PriorityProposal
) -> None:
    move_to(world, agreement, "consult")
    said = talk.comment(one(reading.pk), by=world.cast["teacher"], words="Ask for amina.")
    with pytest.raises(PermissionDenied):
        talk.hide_comment(said, by=world.cast["head"], why="w")
    with pytest.raises(ValidationError, match="few words"):
        talk.hide_comment(said, by=world.cast["minister"], why="")
    talk.hide_comment(said, by=world.cast["minister"], why="It names a pupil.")
    for who in ("teacher", "head", "district_officer", "analyst"):
        for page in ("proposal", "consultation"):
            assert "amina" not in sign_in(who).get(url(page, reading)).content.decode(), who
    assert "amina" in sign_in("minister").get(url("consultation", reading)).content.decode()
    export = sign_in("minister").get(url("consultation_export", reading, "csv"))
    assert b"amina" not in b"".join(export)
    assert told(world, "head") == []
    with pytest.raises(ValidationError, match="as it stands"):
        talk.answer(said, by=world.cast["head"], words="w", seen=None)


def test_words_never_reach_the_audit_trail(
    world: World, agreement: Agreement, reading: PriorityProposal
) -> None:
    move_to(world, agreement, "consult")
    said = talk.comment(one(reading.pk), by=world.cast["teacher"], words="A private thought.")
    talk.answer(said, by=world.cast["head"], words="An open answer.", seen=None)
    actions.withdraw(reading, by=world.cast["head"], why="A plain reason.", seen=None)
    trail = " ".join(str(each.detail) for each in AuditEntry.objects.all())
    for words in ("private", "open answer", "plain reason", "learns little"):
        assert words not in trail
    assert audit.first_broken_link() is None


# Answering


def test_the_proposer_answers_an_amendment_with_yes_or_no_and_words(
    world: World, agreement: Agreement, reading: PriorityProposal
) -> None:
    move_to(world, agreement, "consult")
    said = talk.comment(
        one(reading.pk), by=world.cast["teacher"], words="By nine, not ten.", kind="amendment"
    )
    with pytest.raises(PermissionDenied):
        talk.answer(said, by=world.cast["teacher"], words="w", taken_up=True, seen=None)
    with pytest.raises(ValidationError, match="take the amendment up"):
        talk.answer(said, by=world.cast["head"], words="Well.", seen=None)
    done = talk.answer(said, by=world.cast["head"], words="Well put.", taken_up=True, seen="")
    assert (done.taken_up, done.answer) == (True, "Well put.")
    assert told(world, "teacher") == [f"What you wanted changed in “{reading.title}” is taken up."]
    assert queries.unanswered_counts([reading.pk]) == {}
    assert sum(each.taken_up for each in queries.heard(reading)) == 1


def test_two_who_answer_at_once_the_second_sees_the_first(
    world: World, sign_in: SignIn, agreement: Agreement, reading: PriorityProposal
) -> None:
    move_to(world, agreement, "consult")
    said = talk.comment(one(reading.pk), by=world.cast["teacher"], words="How?")
    client, where = sign_in("head"), url("answer", reading, said.pk)
    assert client.get(where).context["form"].initial["seen"] == ""
    talk.answer(said, by=world.cast["head"], words="First.", seen="")
    with pytest.raises(OvertakenError):
        talk.answer(said, by=world.cast["head"], words="Second.", seen="")
    page = client.post(where, {"words": "Second.", "seen": ""})
    assert page.status_code == 409
    assert "First." in page.content.decode()
    assert "Second.</textarea>" in page.content.decode()
    again = {"words": "Second.", "seen": page.context["form"]["seen"].value()}
    assert client.post(where, again).status_code == 302
    said.refresh_from_db()
    assert said.answer == "Second."


# Making one of two


def test_when_both_authors_agree_one_carries_on_and_the_other_leads_to_it(
    world: World, sign_in: SignIn, agreement: Agreement, reading: PriorityProposal,
    all_read: PriorityProposal,
) -> None:  # fmt: skip
    move_to(world, agreement, "consult")
    talk.comment(one(reading.pk), by=world.cast["teacher"], words="To the first.")
    talk.comment(one(all_read.pk), by=world.cast["teacher"], words="To the second.")
    wish = merging.wish(reading, all_read, by=world.cast["system_leader"], words="Together?")
    assert (wish.consented_at, bool(wish.into_consented_at)) == (None, True)
    assert any("become one. What do you say?" in each for each in told(world, "head"))
    page = sign_in("head").get(url("proposal", reading)).content.decode()
    assert "Together?" in page
    assert "Waits for: School N2." in page
    for who in ("partner_head", "teacher", "minister"):
        with pytest.raises(PermissionDenied):
            merging.agree(wish, by=world.cast[who])
    done = merging.agree(wish, by=world.cast["head"])
    assert done.state == MergeWish.State.AGREED
    gone = one(reading.pk)
    assert (gone.state, gone.merged_into) == (State.MERGED, all_read)
    assert queries.on_the_table(agreement) == [all_read]
    assert any("is part of" in each for each in told(world, "system_leader"))
    assert not any("What do you say?" in each for each in told(world, "head"))

    stays = sign_in("partner_head").get(url("proposal", all_read)).content.decode()
    for words in ("To the first.", "To the second.", "Became part of it", "Head, Head teacher"):
        assert words in stays, words
    led = sign_in("partner_head").get(url("proposal", gone)).content.decode()
    assert "It is part of another proposal now" in led
    assert url("proposal", all_read) in led
    assert "To the first." in led
    with pytest.raises(ValidationError, match="stays as it is"):
        actions.change(gone, actions.Text("t", "w"), by=world.cast["head"], seen=None)


def test_the_ministry_wishes_but_does_not_agree_for_anybody(
    world: World, reading: PriorityProposal, all_read: PriorityProposal
) -> None:
    wish = merging.wish(reading, all_read, by=world.cast["minister"])
    assert (wish.consented_at, wish.into_consented_at) == (None, None)
    assert merging.agree(wish, by=world.cast["head"]).state == MergeWish.State.OPEN
    assert merging.agree(wish, by=world.cast["system_leader"]).state == MergeWish.State.AGREED


def test_others_wish_nothing(
    world: World, reading: PriorityProposal, all_read: PriorityProposal
) -> None:
    for who in ("partner_head", "teacher", "district_officer", "analyst"):
        with pytest.raises(PermissionDenied):
            merging.wish(reading, all_read, by=world.cast[who])


def test_declining_is_fine_and_it_can_be_wished_again(
    world: World, reading: PriorityProposal, all_read: PriorityProposal
) -> None:
    wish = merging.wish(reading, all_read, by=world.cast["system_leader"])
    assert merging.wish(reading, all_read, by=world.cast["system_leader"]) == wish
    with pytest.raises(ValidationError, match="other way round"):
        merging.wish(all_read, reading, by=world.cast["head"])
    merging.decline(wish, by=world.cast["head"])
    assert any("stay two proposals" in each for each in told(world, "system_leader"))
    with pytest.raises(ValidationError, match="declined by now"):
        merging.agree(wish, by=world.cast["head"])
    again = merging.wish(all_read, reading, by=world.cast["head"])
    assert merging.decline(again, by=world.cast["head"]).state == MergeWish.State.DECLINED


def test_whoever_answers_now_agrees_when_the_author_has_gone(
    world: World, reading: PriorityProposal, all_read: PriorityProposal
) -> None:
    wish = merging.wish(reading, all_read, by=world.cast["system_leader"])
    Appointment.objects.filter(pk=world.cast["head"].pk).update(ends=today())
    with pytest.raises(PermissionDenied):
        merging.agree(wish, by=world.cast["head"])
    successor = head_of(world, "N2")
    assert merging.agree(wish, by=successor).state == MergeWish.State.AGREED


def test_a_withdrawn_proposal_takes_its_wishes_with_it(
    world: World, reading: PriorityProposal, all_read: PriorityProposal
) -> None:
    wish = merging.wish(reading, all_read, by=world.cast["system_leader"])
    actions.withdraw(reading, by=world.cast["head"], why="We think again.", seen=None)
    wish.refresh_from_db()
    assert wish.state == MergeWish.State.DECLINED
    with pytest.raises(ValidationError, match="only proposals on the table"):
        merging.wish(reading, all_read, by=world.cast["system_leader"])


def test_after_the_consultation_nothing_is_merged(
    world: World, agreement: Agreement, reading: PriorityProposal, all_read: PriorityProposal
) -> None:
    wish = merging.wish(reading, all_read, by=world.cast["system_leader"])
    move_to(world, agreement, "ballot")
    with pytest.raises(ValidationError, match="until the consultation ends"):
        merging.agree(wish, by=world.cast["head"])
    assert one(reading.pk).state == State.OPEN


def test_withdrawn_during_the_ballot_it_is_struck_from_the_paper(
    world: World, agreement: Agreement, reading: PriorityProposal
) -> None:
    for title in ("One thing", "Another", "Third matter"):
        proposed(agreement, world.cast["head"], title=title)
    later = move_to(world, agreement, "ballot")
    ballot_actions.open_ballot(
        later, seats=2, closes_on=later.adopt_from, by=world.cast["minister"]
    )
    actions.withdraw(reading, by=world.cast["head"], why="We think again.", seen=None)
    choices = {each["key"]: each["withdrawn"] for each in Ballot.objects.get().choices}
    assert [key for key, gone in choices.items() if gone] == [reading.pk]


# Pages


def test_an_appointment_that_ended_while_writing_leaves_the_words_to_copy(
    world: World, sign_in: SignIn, agreement: Agreement, reading: PriorityProposal
) -> None:
    client = sign_in("head")
    Appointment.objects.filter(pk=world.cast["head"].pk).update(ends=today())
    for where in (reverse("alignment:proposal_write"), url("proposal_change", reading)):
        page = client.post(where, {"title": "T", "why": "An hour's <b>work</b>."})
        assert page.status_code == 403
        assert "An hour&#x27;s &lt;b&gt;work&lt;/b&gt;." in page.content.decode()
    assert client.get(reverse("alignment:proposal_write")).status_code == 403
    assert PriorityProposal.objects.count() == 1


def test_a_place_one_no_longer_acts_for_is_refused_and_the_words_stay(
    world: World, sign_in: SignIn, agreement: Agreement
) -> None:
    client = sign_in("head")
    voice = f"school:{world.schools['N2'].pk}"
    Appointment.objects.filter(pk=world.cast["head"].pk).update(school=world.schools["N5"])
    sent = {"agreement": agreement.pk, "voice": voice, "title": "T", "why": "Kept."}
    page = client.post(reverse("alignment:proposal_write"), sent)
    assert page.status_code == 200
    assert "You do not act for this place any more" in page.content.decode()
    assert "Kept.</textarea>" in page.content.decode()
    assert not PriorityProposal.objects.exists()


def test_two_who_change_one_proposal_get_409_with_their_words(
    world: World, sign_in: SignIn, reading: PriorityProposal
) -> None:
    client, where = sign_in("head"), url("proposal_change", reading)
    seen = client.get(where).context["form"].initial["seen"]
    actions.change(reading, actions.Text("Other", "First."), by=world.cast["head"], seen=seen)
    page = client.post(where, {"title": "Mine", "why": "Second.", "seen": seen})
    assert page.status_code == 409
    assert "Second.</textarea>" in page.content.decode()
    assert "First." in page.content.decode()


def test_a_draft_like_another_says_so_on_its_page(
    world: World, sign_in: SignIn, agreement: Agreement, reading: PriorityProposal
) -> None:
    client = sign_in("partner_head")
    sent = {
        "agreement": agreement.pk, "voice": f"school:{world.schools['N3'].pk}",
        "title": "Children read by ten", "why": "Because.",
    }  # fmt: skip
    page = client.post(reverse("alignment:proposal_write"), sent, follow=True).content.decode()
    assert "Somebody proposed something like this" in page
    assert url("proposal", reading) in page


def test_a_closed_school_stands_on_the_page_with_who_answers_now(
    world: World, sign_in: SignIn, reading: PriorityProposal
) -> None:
    from brightspots_web.directory.succession_actions import close_school

    close_school(
        world.schools["N2"], on=today(), successors=[world.schools["N3"]],
        by=world.cast["minister"],
    )  # fmt: skip
    page = sign_in("district_officer").get(url("proposal", reading)).content.decode()
    assert "School N2 closed on" in page
    assert "Partner Head, Head teacher, School N3, who carries its work on" in page


def test_the_list_is_narrowed_and_exported_as_it_is_seen(
    world: World, sign_in: SignIn, agreement: Agreement, reading: PriorityProposal,
    all_read: PriorityProposal,
) -> None:  # fmt: skip
    actions.withdraw(reading, by=world.cast["head"], why="w", seen=None)
    client, where = sign_in("teacher"), reverse("alignment:proposals")

    def titles(query: str) -> list[str]:
        return [each.title for each in client.get(f"{where}{query}").context["page"]]

    assert titles("") == [all_read.title, reading.title]
    assert titles("?state=open") == [all_read.title]
    assert titles("?tier=school") == [reading.title]
    assert titles("?q=children+read") == [all_read.title]
    assert titles("?agreement=99999") == [all_read.title, reading.title]  # no such cycle
    assert b"No proposal fits" in client.get(f"{where}?tier=ministry").content
    export = client.get(reverse("alignment:proposals_export", args=["csv"]) + "?state=open")
    lines = b"".join(export).decode()
    assert all_read.title in lines
    assert reading.title not in lines


def test_the_list_costs_the_same_for_two_and_for_twelve(
    world: World, sign_in: SignIn, agreement: Agreement, all_read: PriorityProposal,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    client, where = sign_in("head"), reverse("alignment:proposals")
    for number in range(10):
        proposed(agreement, world.cast["partner_head"], title=f"Matter {number}")
    client.get(where)
    with django_assert_max_num_queries(18):
        assert len(client.get(where).context["page"]) == 12


def test_a_consultation_costs_the_same_for_one_voice_and_for_many(
    world: World, sign_in: SignIn, agreement: Agreement, reading: PriorityProposal,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    move_to(world, agreement, "consult")
    for number in range(15):
        talk.comment(one(reading.pk), by=world.cast["teacher"], words=f"Number {number}")
    client = sign_in("head")
    for page in ("proposal", "consultation"):
        client.get(url(page, reading))
        with django_assert_max_num_queries(32):
            client.get(url(page, reading))
