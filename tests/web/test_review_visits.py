"""A peer review from the visit to the check-back; conflicts found later, hard moments."""

import re
from dataclasses import replace
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.accountability import review_actions
from brightspots_web.accountability import visit_actions as actions
from brightspots_web.accountability import visit_after_actions as after
from brightspots_web.accountability import visit_history_actions as history
from brightspots_web.accountability import visit_pages as pages
from brightspots_web.accountability import visit_queries as queries
from brightspots_web.accountability import visit_time_actions as job
from brightspots_web.accountability.models import PeerReview, ReviewFinding
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.notices.models import Notice
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import peer_review_helpers as reviews
from tests.web import review_visit_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.review_visit_helpers import LEAD, PEER, fresh, in_days
from tests.web.world import World

State = PeerReview.State
Kind = ReviewFinding.Kind


def told(world: World, who: str) -> list[str]:
    found = Notice.objects.filter(person=world.person(who), kind__contains="accountability.visit")
    return [each.kind.removeprefix("accountability.visit_") for each in found.order_by("pk")]


def waits(world: World, who: str) -> str:
    return " ".join(each["text"] for each in pages.front_items(world.cast[who]))


def test_a_review_goes_from_the_visit_to_the_check_back_and_everybody_is_told(
    world: World,
) -> None:
    head, lead, leader = world.cast["head"], world.cast[LEAD], world.cast["system_leader"]
    review = helpers.seen(world)
    assert "write down what you see" in waits(world, PEER)
    with pytest.raises(ValidationError, match="not been finished"):
        actions.agree(review, in_days(60), by=lead, seen=None)
    first = helpers.finding(world, review)
    assert helpers.finding(world, review).pk == first.pk  # sent twice, written once
    assert fresh(review).state == State.VISITED
    second = helpers.finding(world, review, Kind.WORK_ON, PEER)
    assert "wait for your answer" in waits(world, "head")
    assert not queries.sees_findings(leader, review)
    with pytest.raises(ValidationError, match="has not answered 2 findings"):
        actions.agree(review, in_days(60), by=lead, seen=None)
    actions.answer_finding(first, True, "", by=head)
    with pytest.raises(ValidationError, match="how you see it"):
        actions.answer_finding(second, False, " ", by=head)
    actions.answer_finding(second, False, "Once in three lessons.", by=head)
    assert "Agree on a day" in waits(world, PEER)
    for wrong in (None, in_days(3), in_days(800)):
        with pytest.raises(ValidationError, match=r"day to check back|Choose a day"):
            actions.agree(review, wrong, by=lead, seen=None)
    with pytest.raises(PermissionDenied):
        actions.agree(review, in_days(60), by=head, seen=None)  # the team is there
    agreed = actions.agree(review, in_days(60), by=lead, seen=None)
    assert actions.agree(review, in_days(60), by=lead, seen=None).version == agreed.version
    with pytest.raises(ValidationError, match="agreed already"):
        helpers.finding(world, review, words="Late.")
    assert queries.sees_findings(leader, agreed)
    assert "sit together" in waits(world, "head")
    after.reply(agreed, "We begin with the back rows.", by=head, seen=None)
    with pytest.raises(ValidationError, match="one step at least"):
        after.hold_workshop(agreed, after.Workshop(in_days(0), "We spoke."), by=head, seen=None)
    held = after.hold_workshop(
        agreed,
        after.Workshop(in_days(0), "We chose one thing.", reviews.champion(world)),
        after.Step("Ask by lot", "The deputy", in_days(20)),
        by=head,
        seen=None,
    )
    assert "champion was there" in held.workshop_notes
    again = after.Workshop(in_days(0), held.workshop_notes, queries.champions_for(held)[0])
    after.hold_workshop(held, again, by=head, seen=None)
    assert fresh(held).workshop_notes == held.workshop_notes  # named once
    other = helpers.step(world, held, what="Read aloud")
    assert helpers.step(world, held, what="Read aloud").pk == other.pk
    after.finish_action(other, in_days(0), "All read.", by=head)
    with pytest.raises(ValidationError, match="is written down from"):
        after.check_back(held, in_days(0), "Better.", {}, by=leader, seen=None)

    history.date_review_back(held, 50, by=command_line_operator())
    held = fresh(held)
    assert "is to be checked back" in waits(world, LEAD)
    open_step = held.actions.get(done_on=None)
    with pytest.raises(ValidationError, match="what became of it"):
        after.check_back(held, in_days(0), "Better.", {}, by=lead, seen=None)
    outcomes = {open_step.pk: after.Outcome(False, "Only in two classes yet.")}
    with pytest.raises(PermissionDenied):
        after.check_back(held, in_days(0), "Fine.", outcomes, by=head, seen=None)
    done = after.check_back(held, in_days(0), "Back rows speak.", outcomes, by=lead, seen=None)
    assert after.check_back(
        held, in_days(0), "Back rows speak.", outcomes, by=lead, seen=None
    ).version == done.version  # fmt: skip
    assert done.state == State.CHECKED
    open_step.refresh_from_db()
    assert (open_step.done_on, open_step.outcome) == (None, "Only in two classes yet.")
    assert told(world, "head") == ["findings", "agreed", "checked"]
    assert told(world, PEER) == ["answered", "agreed", "replied", "workshop", "checked"]
    assert told(world, "system_leader") == ["agreed", "workshop", "checked"]
    with pytest.raises(ValidationError, match="checked back and is finished"):
        helpers.step(world, held)
    kept = " ".join(str(each.detail) + each.target for each in AuditEntry.objects.all())
    for private in ("Back rows", "by lot", "hands went up", "Once in three", "We chose"):
        assert private not in kept


def test_evidence_is_kept_once_within_the_visit_and_by_the_team_alone(world: World) -> None:
    review, key = reviews.scheduled(world), uuid4()
    first = actions.keep_evidence(review, key, helpers.saw(), by=world.cast[LEAD])
    again = helpers.saw("Something else, from a second tab.")
    assert actions.keep_evidence(review, key, again, by=world.cast[LEAD]).pk == first.pk
    with pytest.raises(PermissionDenied):  # the key of somebody else's form
        actions.keep_evidence(review, key, again, by=world.cast[PEER])
    for who in ("head", "system_leader", "teacher"):
        with pytest.raises(PermissionDenied):
            helpers.evidence(world, review, who)
    for wrong, words in (
        ({"on": in_days(-1)}, "day of the visit"),
        ({"on": in_days(1)}, "day of the visit"),
        ({"kind": "rumour"}, "Choose one"),
        ({"words": "\0 "}, "few words"),
        ({"words": "x" * 1001}, "under 1000"),
        ({"words": "The pupil Amina Otieno read to us."}, "looks like the name of a pupil"),
    ):
        with pytest.raises(ValidationError, match=words):
            helpers.evidence(world, review, **wrong)
    sure = helpers.saw("The pupil Amina Otieno read to us.")
    actions.keep_evidence(review, uuid4(), sure, by=world.cast[LEAD], names_no_pupil=True)
    with pytest.raises(PermissionDenied):
        actions.take_back_evidence(first, by=world.cast[PEER])
    actions.take_back_evidence(first, by=world.cast[LEAD])
    assert review.evidence.count() == 1
    PeerReview.objects.filter(pk=review.pk).update(visit_on=in_days(5))
    with pytest.raises(ValidationError, match="from that day on"):
        helpers.evidence(world, review)


def test_strengths_come_first_and_stay(world: World) -> None:
    review = helpers.seen(world)
    with pytest.raises(ValidationError, match="Strengths come first"):
        helpers.finding(world, review, Kind.WORK_ON)
    assert not review.findings.exists()
    assert fresh(review).state == State.SCHEDULED
    strength = helpers.finding(world, review)
    helpers.finding(world, review, Kind.WORK_ON)
    for act in (
        lambda: actions.drop_finding(strength, by=world.cast[PEER]),
        lambda: actions.change_finding(
            strength, actions.Found(Kind.WORK_ON, "No."), by=world.cast[PEER]
        ),
    ):
        with pytest.raises(ValidationError, match="only strength"):
            act()
    assert [each.kind for each in queries.findings_of(review)] == [Kind.STRENGTH, Kind.WORK_ON]
    helpers.finding(world, review, words="Calm mornings.")
    actions.drop_finding(strength, by=world.cast[PEER])
    assert review.findings.count() == 2


def test_words_changed_are_answered_anew_and_an_answer_to_old_words_is_overtaken(
    world: World,
) -> None:
    review = helpers.visited(world)
    finding, head = review.findings.get(kind=Kind.WORK_ON), world.cast["head"]
    seen_at = finding.at.isoformat()
    actions.answer_finding(finding, True, "", by=head, seen_at=seen_at)
    given = actions.Found(finding.kind, finding.words, "Five lessons.")
    kept = actions.change_finding(finding, given, by=world.cast[PEER], seen_at=seen_at)
    assert kept.host_agrees is True  # what it rests on was added; its words are the same
    with pytest.raises(OvertakenError):
        actions.change_finding(finding, given, by=world.cast[LEAD], seen_at=seen_at)
    changed = actions.change_finding(
        finding, replace(given, words="Ask them."), by=world.cast[LEAD]
    )
    assert changed.host_agrees is None
    with pytest.raises(OvertakenError):
        actions.answer_finding(finding, True, "", by=head, seen_at=seen_at)
    actions.drop_finding(finding, by=world.cast[LEAD])
    with pytest.raises(ValidationError, match="took this finding out"):
        actions.answer_finding(finding, True, "", by=head)


def test_what_a_peer_wrote_who_stood_down_is_marked_and_nothing_rests_on_it(
    world: World, sign_in: SignIn
) -> None:
    review = helpers.seen(world)
    helpers.evidence(world, review, PEER, words="They praise each other.")
    theirs = helpers.finding(world, review, who=PEER)
    helpers.stand_down(world, review, PEER)
    assert queries.marked(review) == {theirs.pk}
    for act in (
        lambda: helpers.evidence(world, review, PEER),
        lambda: helpers.finding(world, review, who=PEER, words="More."),
    ):
        with pytest.raises(PermissionDenied):
            act()
    # Their strength carries nothing that is written afterwards, nor an agreement.
    with pytest.raises(ValidationError, match="Strengths come first"):
        helpers.finding(world, review, Kind.WORK_ON)
    actions.answer_finding(theirs, True, "", by=world.cast["head"])
    with pytest.raises(ValidationError, match="no strength among the findings"):
        actions.agree(review, in_days(60), by=world.cast[LEAD], seen=None)
    lead = sign_in(LEAD)
    page = lead.get(reverse("accountability:review_findings", args=[review.pk])).content.decode()
    assert "1 piece is set aside" in page
    assert "They praise each other." not in page
    assert "a peer wrote this who stood down" in page
    page = lead.get(reverse("accountability:review_evidence", args=[review.pk])).content.decode()
    assert "They praise each other." in page  # it stays where it was written, and is marked
    assert "Set aside:" in page
    # Another peer takes it over in their own name: it is theirs, the host's answer stands.
    same = actions.Found(Kind.STRENGTH, theirs.words, "Four lessons.")
    actions.change_finding(theirs, same, by=world.cast[LEAD])
    assert not queries.marked(review)
    assert actions.agree(review, in_days(60), by=world.cast[LEAD], seen=None).state == State.AGREED
    # Of a conflict that is found later still, the agreed findings say so.
    helpers.stand_down(world, review, LEAD)
    assert queries.marked(review) == {theirs.pk}
    shown = sign_in("head").get(reverse("accountability:review", args=[review.pk])).content
    assert b"a peer wrote this who stood down" in shown
    # With no peer left the host goes on alone; its leader may look too.
    assert queries.may_check(world.cast["head"], review)
    assert queries.may_check(world.cast["system_leader"], review)


def test_what_peers_saw_goes_into_the_practice_library_once(world: World) -> None:
    head, review = world.cast["head"], helpers.agreed(world)
    with pytest.raises(ValidationError, match="has not named"):
        after.write_up(review, helpers.PRACTICE, by=head, language="en")
    after.praise(review, "Reading aloud.", by=world.cast[LEAD], seen=None)
    with pytest.raises(PermissionDenied):
        after.write_up(review, helpers.PRACTICE, by=world.cast[LEAD], language="en")
    made = after.write_up(review, helpers.PRACTICE, by=head, language="en").practice
    assert made is not None
    assert (made.state, made.school) == ("draft", review.school)
    second = replace(helpers.PRACTICE, title="Again")
    assert after.write_up(review, second, by=head, language="en").practice == made
    with pytest.raises(ValidationError, match="wrote it up already"):
        after.praise(review, "Something else.", by=world.cast[LEAD], seen=None)
    assert told(world, PEER)[-1] == "written_up"


def test_steps_are_taken_out_or_finished_by_the_host_and_one_stays(world: World) -> None:
    head, review = world.cast["head"], helpers.workshop(world)
    only = review.actions.get()
    with pytest.raises(ValidationError, match="one step at least"):
        after.drop_action(only, by=head)
    for wrong, words in (
        ({"due": in_days(-1)}, "from today on"),
        ({"owner": " "}, "Name one person"),
        ({"what": "Help the pupil Amina Otieno."}, "looks like the name of a pupil"),
    ):
        with pytest.raises(ValidationError, match=words):
            helpers.step(world, review, **wrong)
    other = helpers.step(world, review, what="Read aloud")
    after.drop_action(only, by=head)
    with pytest.raises(ValidationError, match="taken out"):
        after.finish_action(only, in_days(0), "Done.", by=head)
    for day in (-1, 1):
        with pytest.raises(ValidationError, match="since the step was agreed"):
            after.finish_action(other, in_days(day), "Done.", by=head)
    after.finish_action(other, in_days(0), "Done.", by=head)
    with pytest.raises(ValidationError, match="It stays"):
        after.drop_action(other, by=head)


def test_the_worker_reminds_once_and_of_an_overdue_check_back_kindly(world: World) -> None:
    review = reviews.scheduled(world)
    assert job.look_after(in_days(2)) == 0
    assert job.look_after(in_days(3)) == 1
    assert job.look_after(in_days(4)) == 0
    assert told(world, PEER) == told(world, "head") == ["unwritten"]
    helpers.finding(world, review)
    assert job.look_after(in_days(13)) == 0
    assert job.look_after(in_days(14)) == 1
    actions.answer_finding(review.findings.get(), True, "", by=world.cast["head"])
    actions.agree(review, in_days(90), by=world.cast[LEAD], seen=None)
    helpers.step(world, review, due=in_days(40))
    assert job.look_after(in_days(32)) == 0
    assert job.look_after(in_days(33)) == 1  # the step is due within a week
    assert job.look_after(in_days(34)) == 0
    assert job.look_after(in_days(76)) == 1
    assert job.look_after(in_days(91)) == 1
    assert job.look_after(in_days(92)) == 0
    assert told(world, PEER)[-2:] == ["check", "overdue"]
    assert told(world, "system_leader") == ["agreed", "overdue"]
    assert told(world, "district_officer") == ["area_overdue"]
    assert told(world, "other_district_officer") == []
    history.date_review_back(fresh(review), 91, by=command_line_operator())
    assert "When can you look?" in waits(world, "system_leader")
    assert "When can you look?" in waits(world, LEAD)
    with pytest.raises(PermissionDenied):
        history.date_review_back(review, 1, by=world.cast["minister"])


def test_the_pages_say_what_is_wrong_and_lose_nothing(world: World, sign_in: SignIn) -> None:
    review = helpers.visited(world)
    lead, head = sign_in(LEAD), sign_in("head")
    page = f"/reviews/{review.pk}/"
    kept = lead.post(
        f"{page}evidence/",
        {"kind": "work", "words": "The pupil Amina Otieno drew.", "strength": "no"},
    ).content.decode()
    assert "looks like the name of a pupil" in kept
    assert 'type="checkbox" name="names_no_pupil"' in kept
    assert "The pupil Amina Otieno drew." in kept
    finding = review.findings.get(kind=Kind.WORK_ON)
    answer = {"agrees": "no", "host_words": "We count five.", "seen_at": finding.at.isoformat()}
    given = actions.Found(Kind.WORK_ON, "Ask them all.")
    actions.change_finding(finding, given, by=world.cast[LEAD])
    stale = head.post(f"{page}findings/{finding.pk}/answer/", answer)
    assert stale.status_code == 409
    shown = stale.content.decode()
    assert "We count five." in shown
    assert "Ask them all." in shown
    now = re.findall(r'name="seen_at" value="([^"]+)"', shown)
    finding.refresh_from_db()
    assert finding.at.isoformat() in now
    sent = answer | {"seen_at": finding.at.isoformat()}
    assert head.post(f"{page}findings/{finding.pk}/answer/", sent).status_code == 302
    strength = review.findings.get(kind=Kind.STRENGTH)
    actions.answer_finding(strength, True, "", by=world.cast["head"])
    without = lead.post(f"{page}agree/", {"seen": review.version}).content.decode()
    assert "Without a day to check back nothing is agreed." in without
    stale = lead.post(f"{page}agree/", {"seen": 1, "check_back_on": in_days(30).isoformat()})
    assert stale.status_code == 409
    day = {"seen": fresh(review).version, "check_back_on": in_days(30).isoformat()}
    assert lead.post(f"{page}agree/", day).status_code == 302
    assert lead.post(f"{page}agree/", day).status_code == 302  # the back button
    for name in ("findings", "evidence"):
        assert lead.get(f"{page}{name}/").status_code == 200
    assert lead.post(f"{page}findings/{finding.pk}/drop/").status_code == 302
    assert review.findings.count() == 2  # refused, in words
    assert head.get(f"{page}findings/999/answer/").status_code == 405
    # Schools beside see that there is a review, and none of its words.
    beside = PeerReview.objects.filter(pk=review.pk)
    assert beside.update(partnership=world.partnerships["Upper"]) == 1
    review.team.filter(person=world.person(PEER)).delete()
    shown = sign_in(PEER).get(page).content.decode()
    assert review.question in shown
    assert "Ask them all." not in shown
    with pytest.raises(PermissionDenied):
        review_actions.call_off(review, "No.", by=world.cast[LEAD], seen=None)
