"""Decisions: made by the schools that carry them, changed, closed, replaced; what comes between."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.devolution import decision_actions as actions
from brightspots_web.devolution import decision_follow_actions as follow
from brightspots_web.devolution import decision_pages as pages
from brightspots_web.devolution import decision_queries as queries
from brightspots_web.devolution.models import Decision, DecisionAction, DecisionConsent
from brightspots_web.directory.models import Appointment, Membership, Partnership
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import decision_helpers as helpers
from tests.web.decision_helpers import QUESTION, head_of, in_days, made, proposed, speakers, text
from tests.web.world import World

State = Decision.State


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def words(decision: Decision) -> dict[str, bool | None]:
    return {each.school.code: each.agrees for each in queries.words_of(decision)}


def leaves(world: World, code: str) -> None:
    Membership.objects.filter(school=world.schools[code]).update(ends=timezone.localdate())


def ends(appointment: Appointment) -> None:
    Appointment.objects.filter(pk=appointment.pk).update(ends=timezone.localdate())


def silent_but(world: World, *codes: str) -> Decision:
    """Carried by all but these schools, which have said nothing."""
    decision = proposed(world)
    for by in speakers(world):
        if by.school is not None and by.school.code not in {"N2", *codes}:
            actions.say(decision, by=by, agrees=True, seen=None)
    decision.refresh_from_db()
    return decision


# Made by the group


def test_who_proposes_carries_it_and_the_others_are_asked(world: World) -> None:
    decision = proposed(world)
    assert decision.state == State.PROPOSED
    assert words(decision) == {"N1": None, "N2": True, **dict.fromkeys(("N3", "N4", "N5", "N6"))}
    assert told(world, "system_leader") == [
        f"A decision is proposed: “{QUESTION}” Does your school carry it?"
    ]
    assert f"You own a decision: “{QUESTION}”" in told(world, "partner_head")
    assert not told(world, "head")
    assert not told(world, "teacher")
    assert not told(world, "other_head")


def test_it_is_made_when_the_last_school_carries_it(world: World) -> None:
    decision = silent_but(world, "N6")
    assert decision.state == State.PROPOSED
    made_now = actions.say(decision, by=head_of(world, "N6"), agrees=True, seen=decision.version)
    assert made_now.state == State.MADE
    assert made_now.made_why == ""
    assert [each["code"] for each in made_now.asked] == ["N1", "N2", "N3", "N4", "N5", "N6"]
    assert f"“{QUESTION}” is decided." in told(world, "head")


def test_an_objection_keeps_it_open_until_it_is_answered(world: World) -> None:
    decision = silent_but(world, "N6")
    last = head_of(world, "N6")
    objected = actions.say(decision, by=last, agrees=False, words="We have one teacher.", seen=None)
    assert objected.state == State.PROPOSED
    assert f"School N6 does not carry “{QUESTION}” and says why." in told(world, "system_leader")
    # The same school changes its mind: one word a school, the newer counts.
    assert actions.say(decision, by=last, agrees=True, seen=None).state == State.MADE
    assert DecisionConsent.objects.filter(school=world.schools["N6"]).count() == 1


def test_an_objection_needs_a_reason(world: World) -> None:
    with pytest.raises(ValidationError, match="answer a reason"):
        actions.say(proposed(world), by=world.cast["partner_head"], agrees=False, seen=None)


def test_nobody_speaks_for_another_school(world: World) -> None:
    decision = proposed(world)
    for who in ("teacher", "other_head", "minister", "district_officer", "other_system_leader"):
        with pytest.raises(PermissionDenied):
            actions.say(decision, by=world.cast[who], agrees=True, seen=None)


def test_the_leader_closes_with_the_objections_shown(world: World) -> None:
    decision = silent_but(world, "N5", "N6")
    actions.say(decision, by=head_of(world, "N6"), agrees=False, words="No road.", seen=None)
    leader = world.cast["system_leader"]
    with pytest.raises(ValidationError) as refused:
        actions.close(decision, by=leader, seen=None)
    assert "why" in refused.value.message_dict
    with pytest.raises(PermissionDenied):
        actions.close(decision, by=world.cast["head"], seen=None, why="We want it.")
    closed = actions.close(decision, by=leader, seen=None, why="It begins without N6.")
    page = pages.page(closed, world.cast["head"])
    assert "4 of 6 schools carry it, 1 did not, 1 had not said their word" in page["standing"]
    assert closed.made_why == "It begins without N6."
    assert words(closed)["N6"] is False
    assert words(closed)["N5"] is None


def test_no_word_is_taken_once_it_is_made(world: World) -> None:
    decision = made(world)
    with pytest.raises(ValidationError, match="words to it are closed"):
        actions.say(decision, by=world.cast["head"], agrees=False, words="Late.", seen=None)


def test_sent_twice_it_is_one(world: World) -> None:
    assert proposed(world).pk == proposed(world).pk
    assert Decision.objects.count() == 1


def test_the_owner_is_somebody_of_the_partnership(world: World) -> None:
    for who in ("other_head", "minister", "former_head"):
        with pytest.raises(ValidationError, match="in the partnership today"):
            proposed(world, owner=world.person(who))
    assert proposed(world, owner=world.person("teacher")).owner == world.person("teacher")


def test_what_is_missing_is_said_where(world: World) -> None:
    for changes, field in (
        ({"question": "  "}, "question"),
        ({"decision": ""}, "decision"),
        ({"would_change": ""}, "would_change"),
        ({"by_when": in_days(-1)}, "by_when"),
        ({"options": ["x"] * 9}, "options"),
    ):
        with pytest.raises(ValidationError) as refused:
            proposed(world, **changes)
        assert field in refused.value.message_dict


# Changed, and two at once


def test_a_change_asks_again_and_shows_what_changed(world: World) -> None:
    decision = silent_but(world, "N6")
    changed = actions.change(
        decision,
        text(world, decision="Every second Friday."),
        by=world.cast["system_leader"],
        seen=decision.version,
    )
    assert changed.version == decision.version + 1
    assert words(changed)["N1"] is True  # who changes it carries it
    assert words(changed)["N2"] is None
    page = pages.page(changed, world.cast["head"])
    assert page["waits"]
    assert [(label, new) for label, _old, new, _d in page["changed_since"]] == [
        ("What is decided", "Every second Friday.")
    ]
    assert any("was changed. Does your school carry it" in each for each in told(world, "head"))


def test_a_word_to_a_text_that_has_changed_is_not_taken(world: World) -> None:
    decision = proposed(world)
    actions.change(
        decision, text(world, decision="Less."), by=world.cast["head"], seen=decision.version
    )
    with pytest.raises(OvertakenError):
        actions.say(decision, by=world.cast["partner_head"], agrees=True, seen=decision.version)


def test_of_two_who_change_it_the_later_is_told(world: World) -> None:
    decision = proposed(world)
    first, second = world.cast["system_leader"], world.cast["partner_head"]
    actions.change(decision, text(world, question="A?"), by=first, seen=decision.version)
    with pytest.raises(OvertakenError):
        actions.change(decision, text(world, question="B?"), by=second, seen=decision.version)
    decision.refresh_from_db()
    assert decision.question == "A?"


def test_what_is_made_is_not_changed(world: World) -> None:
    decision = made(world)
    with pytest.raises(ValidationError, match="its text stays as it was agreed"):
        actions.change(decision, text(world, question="?"), by=world.cast["head"], seen=None)


# Ended


def test_a_later_decision_takes_its_place_when_it_is_made(world: World) -> None:
    earlier = made(world)
    later = actions.replace(
        earlier, text(world, question="And now?"), by=world.cast["head"], seen=earlier.version
    )
    earlier.refresh_from_db()
    assert earlier.state == State.MADE
    with pytest.raises(ValidationError, match="in its place already"):
        actions.replace(earlier, text(world), by=world.cast["head"], seen=None)
    actions.close(later, by=world.cast["system_leader"], seen=None, why="All were in the room.")
    earlier.refresh_from_db()
    assert earlier.state == State.REPLACED


def test_a_later_decision_that_was_dropped_leaves_the_place_to_another(world: World) -> None:
    earlier, head = made(world), world.cast["head"]
    later = actions.replace(earlier, text(world, question="And now?"), by=head, seen=None)
    actions.drop(later, by=head, seen=None, why="Not yet.")
    again = actions.replace(earlier, text(world, question="And then?"), by=head, seen=None)
    assert again.replaces == earlier


def test_its_writer_its_owner_and_the_leader_drop_it_with_a_reason(world: World) -> None:
    decision = proposed(world)
    with pytest.raises(PermissionDenied):
        actions.drop(decision, by=head_of(world, "N4"), seen=None, why="We do not like it.")
    with pytest.raises(ValidationError):
        actions.drop(decision, by=world.cast["head"], seen=None, why=" ")
    dropped = actions.drop(decision, by=world.cast["partner_head"], seen=None, why="No time.")
    assert dropped.state == State.DROPPED
    assert "Dropped: No time." in pages.page(dropped, world.cast["head"])["standing"]


# What comes between proposing and making


def test_a_school_that_leaves_is_no_longer_asked_and_its_word_stays(world: World) -> None:
    decision = silent_but(world, "N5", "N6")
    actions.say(decision, by=head_of(world, "N6"), agrees=False, words="No road.", seen=None)
    leaves(world, "N6")
    assert "N6" not in words(decision)
    assert DecisionConsent.objects.filter(school=world.schools["N6"], agrees=False).exists()
    # Of the schools that are there all have carried it once N5 does.
    assert actions.say(decision, by=head_of(world, "N5"), agrees=True, seen=None).state == "made"


def test_when_the_last_silent_school_leaves_the_worker_makes_it_once(world: World) -> None:
    decision = silent_but(world, "N6")
    leaves(world, "N6")
    assert follow.settle_proposals() == 1
    assert follow.settle_proposals() == 0
    decision.refresh_from_db()
    assert decision.state == State.MADE
    assert [each["code"] for each in decision.asked] == ["N1", "N2", "N3", "N4", "N5"]


def test_a_school_that_closes_is_not_waited_for_and_its_successor_reads_on(world: World) -> None:
    from brightspots_web.directory import succession_actions

    decision = silent_but(world, "N6")
    Decision.objects.update(at=timezone.now() - timedelta(days=5))
    successor, on = world.schools["W1"], timezone.localdate()
    succession_actions.close_school(
        world.schools["N6"], on=on, successors=[successor], by=world.cast["minister"]
    )
    assert follow.settle_proposals() == 1
    reader = head_of(world, "W1")
    assert list(queries.decisions_visible_to(reader)) == [decision]
    later = proposed(world, question="After N6 closed?")
    assert later not in queries.decisions_visible_to(reader)


def test_who_left_reads_what_was_decided_until_then(world: World) -> None:
    before = proposed(world)
    Decision.objects.update(at=timezone.now() - timedelta(days=5))
    leaves(world, "N3")
    after = proposed(world, question="Without N3?", owner=world.person("teacher"))
    seen = queries.decisions_visible_to(world.cast["partner_head"])
    assert before in seen
    assert after not in seen
    with pytest.raises(PermissionDenied):
        actions.say(before, by=world.cast["partner_head"], agrees=True, seen=None)


def test_what_a_closed_partnership_decided_stays_readable_and_is_written_no_more(
    world: World,
) -> None:
    decision = proposed(world)
    Decision.objects.update(at=timezone.now() - timedelta(days=5))
    Membership.objects.filter(partnership=world.partnerships["Upper"]).update(
        ends=timezone.localdate()
    )
    Partnership.objects.filter(code="P-UPPER").update(closed=timezone.localdate())
    head = world.cast["head"]
    head.refresh_from_db()
    assert decision in queries.decisions_visible_to(head)
    assert pages.page(decision, head)["standing"]
    for act in (
        lambda: actions.say(decision, by=head, agrees=True, seen=None),
        lambda: actions.change(decision, text(world), by=head, seen=None),
        lambda: actions.propose(decision.partnership, text(world), by=head),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_an_owner_who_left_is_missed_and_the_leader_hears_of_it_once(world: World) -> None:
    decision = made(world)
    ends(world.cast["partner_head"])
    page = pages.page(decision, world.cast["head"])
    assert page["needs_owner"]
    assert decision.owner_name == "Partner Head"
    assert follow.tell_of_owners() == 1
    assert follow.tell_of_owners() == 0
    assert any("needs a new owner" in each for each in told(world, "system_leader"))
    with pytest.raises(PermissionDenied):
        actions.hand_over(decision, world.person("head"), by=world.cast["head"])
    given = actions.hand_over(decision, world.person("teacher"), by=world.cast["system_leader"])
    assert not pages.page(given, world.cast["head"])["needs_owner"]
    assert f"You own a decision: “{QUESTION}”" in told(world, "teacher")
    assert follow.tell_of_owners() == 0


def test_who_is_no_longer_appointed_can_say_nothing(world: World) -> None:
    decision = proposed(world)
    acting = world.cast["partner_head"]
    leaves(world, "N3")
    with pytest.raises(PermissionDenied):
        actions.say(decision, by=acting, agrees=True, seen=None)


# What is done


def test_an_action_is_promised_done_and_its_owner_told(world: World) -> None:
    action = helpers.action(world)
    assert any("You have something to do by" in each for each in told(world, "head"))
    with pytest.raises(PermissionDenied):
        finish(action, world.cast["partner_head"])
    with pytest.raises(ValidationError, match="yet to come"):
        finish(action, world.cast["head"], on=in_days(1))
    with pytest.raises(ValidationError):
        finish(action, world.cast["head"], outcome="")
    done = finish(action, world.cast["head"])
    assert done.outcome == "We have it."
    assert "Done: “Find an hour on Fridays”" in told(world, "partner_head")
    with pytest.raises(ValidationError, match="finished already"):
        finish(action, world.cast["head"])


def finish(action: DecisionAction, by: Appointment, **changes: Any) -> DecisionAction:
    given: dict[str, Any] = {"on": in_days(0), "outcome": "We have it.", "seen": None}
    return follow.finish_action(action, by=by, **given | changes)


def test_promised_twice_it_is_one(world: World) -> None:
    decision = made(world)
    assert helpers.action(world, decision).pk == helpers.action(world, decision).pk


def test_the_successor_of_a_head_finishes_what_the_school_promised(world: World) -> None:
    action = helpers.action(world, school=world.schools["N4"], owner=head_of(world, "N4").person)
    ends(head_of(world, "N4"))
    new = Appointment.objects.create(
        person=world.person("nobody"), role="head", school=world.schools["N4"],
        starts=timezone.localdate(),
    )  # fmt: skip
    assert finish(action, new).done_on == in_days(0)


def test_reminders_come_three_days_before_and_on_the_day_each_once(world: World) -> None:
    action = helpers.action(world, due=in_days(10))
    due = lambda: [each for each in told(world, "head") if each.startswith("By ")]  # noqa: E731
    for days, expected in ((6, 0), (7, 1), (7, 0), (9, 0), (10, 1), (10, 0), (11, 0), (30, 0)):
        assert follow.remind_of_actions(in_days(days)) == expected, days
    assert len(due()) == 1  # the newer takes the place of the one not seen
    action.refresh_from_db()
    assert action.reminded == "due"


def test_a_day_the_worker_slept_over_is_caught_up_but_not_much_later(world: World) -> None:
    decision = made(world)
    helpers.action(world, decision, due=in_days(10))
    assert follow.remind_of_actions(in_days(12)) == 1
    helpers.action(world, decision, what="Another", due=in_days(10))
    assert follow.remind_of_actions(in_days(13)) == 0


def test_another_day_is_reminded_of_anew(world: World) -> None:
    action = helpers.action(world, due=in_days(10))
    follow.remind_of_actions(in_days(10))
    moved = follow.change_action(
        action, by=world.cast["head"], owner=world.person("head"), due=in_days(20), seen=None
    )
    assert follow.remind_of_actions(in_days(18)) == 1
    with pytest.raises(OvertakenError):
        follow.change_action(
            action, by=world.cast["head"], owner=world.person("head"), due=in_days(30),
            seen=moved.version - 1,
        )  # fmt: skip


def test_what_is_done_is_not_reminded_of(world: World) -> None:
    finish(helpers.action(world), world.cast["head"])
    assert follow.remind_of_actions(in_days(10)) == 0


def test_the_worker_may_run_as_often_as_is_handy(world: World) -> None:
    silent_but(world, "N6")
    made(world, question="Another?", owner=world.person("head"))
    ends(world.cast["head"])
    assert follow.remind() == 1
    assert follow.remind() == 0


# What the audit trail says


def test_the_audit_trail_says_that_and_never_what(world: World) -> None:
    secret = "Zebra"
    decision = proposed(world, question=f"{secret}?", decision=secret, options=[secret])
    actions.change(decision, text(world, decision=f"{secret} 2"), by=world.cast["head"], seen=None)
    actions.say(decision, by=world.cast["partner_head"], agrees=False, words=secret, seen=None)
    actions.close(decision, by=world.cast["system_leader"], seen=None, why=secret)
    helpers.action(world, Decision.objects.get(), what=secret)
    finish(DecisionAction.objects.get(), world.cast["head"], outcome=secret)
    actions.drop(decision, by=world.cast["system_leader"], seen=None, why=secret)
    entries = AuditEntry.objects.filter(action__startswith="devolution.")
    assert set(entries.values_list("action", flat=True)) == {
        f"devolution.{verb}"
        for verb in (
            "propose_decision", "change_decision", "say_to_decision", "make_decision",
            "add_action", "finish_action", "drop_decision",
        )
    }  # fmt: skip
    for entry in entries:
        assert secret not in f"{entry.target} {entry.detail}"
    assert audit.first_broken_link() is None
