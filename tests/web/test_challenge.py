"""Challenge visits: from outside, prepared and agreed by both, a closer look never without help."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.accountability import challenge_actions as actions
from brightspots_web.accountability import challenge_pages as pages
from brightspots_web.accountability import challenge_people_queries as challengers
from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability import challenge_reminder_actions as reminders
from brightspots_web.accountability import challenge_visit_actions as later
from brightspots_web.accountability.models import (
    ChallengeSettings,
    ChallengeStep,
    ChallengeVisit,
    Escalation,
)
from brightspots_web.connectedness.models import SupportRequest
from brightspots_web.directory.models import Appointment, Membership
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Role
from brightspots_web.shared.pupil_names import MayNamePupilError
from tests.web import challenge_helpers as helpers
from tests.web.challenge_helpers import (
    State,
    agreed,
    confirmed,
    fresh,
    held,
    in_days,
    planned,
    step,
    to_agree,
)
from tests.web.conftest import SignIn
from tests.web.support_helpers import a_priority
from tests.web.world import FORMED, World


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def asks(world: World, who: str) -> list[str]:
    return [each["text"] for each in pages.front_items(world.cast[who])]


# Who may go


def test_challengers_come_from_outside_the_area_and_the_partnership(world: World) -> None:
    n2 = world.schools["N2"]
    # The officer over the school, and the leader in its area, are no outsiders.
    found = [each.person for each in challengers.candidates(n2, in_days(5))]
    assert found == [world.person("other_system_leader"), world.person("other_district_officer")]
    # Its partnership leads one elsewhere out as well.
    east = world.partnerships["East"]
    Membership.objects.filter(school=n2).update(partnership=east)
    found = [each.person for each in challengers.candidates(n2, in_days(5))]
    assert found == [world.person("other_district_officer")]
    for who in ("head", "system_leader", "district_officer", "teacher", "other_head"):
        with pytest.raises(ValidationError, match="from outside the area"):
            planned(world, who=who)
    assert not ChallengeVisit.objects.exists()


def test_what_speaks_against_somebody_is_said_and_holds(world: World) -> None:
    leader = world.cast["other_system_leader"]
    ended = {"starts": FORMED, "ends": in_days(-100)}
    once = Appointment.objects.create(
        person=leader.person, role=Role.HEAD, school=world.schools["N2"], **ended
    )
    with pytest.raises(ValidationError, match="has worked at this school"):
        planned(world)
    once.delete()
    # The head of N1 challenged E1 a month ago: the leader of E1 does not go to N1 in return.
    south = world.cast["other_district_officer"]
    back = actions.plan(
        world.schools["E1"],
        actions.Plan("rotation", "In turn.", in_days(0), world.person("system_leader")),
        by=south,
    )
    ChallengeVisit.objects.filter(pk=back.pk).update(state=State.HELD, on=in_days(-30))
    plan = actions.Plan("rotation", "In turn.", in_days(4), leader.person)
    with pytest.raises(ValidationError, match="within the last 12 months"):
        actions.plan(world.schools["N1"], plan, by=world.cast["district_officer"])
    # As many visits in a cycle as the settings allow, and not one more.
    ChallengeSettings.objects.create(visits_a_challenger=1)
    visit = planned(world)
    plan = actions.Plan("rotation", "In turn.", in_days(4), leader.person)
    with pytest.raises(ValidationError, match="as many as the settings allow"):
        actions.plan(world.schools["L1"], plan, by=world.cast["district_officer"])
    actions.call_off(visit, "Exams that week.", by=world.cast["district_officer"], seen=None)
    assert actions.plan(world.schools["L1"], plan, by=world.cast["district_officer"])


# Before the visit


def test_a_visit_is_prepared_by_both_and_told_to_those_it_concerns(world: World) -> None:
    visit = planned(world)
    assert visit.state == State.PLANNED
    assert planned(world).pk == visit.pk, "sent twice, it is planned once"
    with pytest.raises(ValidationError, match="under way already"):
        planned(world, on=in_days(30))
    assert "Somebody from outside visits School N2" in told(world, "head")[0]
    assert "Can you come?" in told(world, "other_system_leader")[0]
    assert not told(world, "teacher")
    assert asks(world, "other_system_leader")[0].startswith("You are asked to visit School N2")
    assert "Write how your school sees itself" in asks(world, "head")[0]
    assert not asks(world, "district_officer")

    visit = actions.confirm(visit, by=world.cast["other_system_leader"], seen=visit.version)
    assert visit.state == State.PLANNED
    assert visit.brief["outcomes"] == []
    assert visit.brief["school"]["partnership"] == "Upper partnership"
    with pytest.raises(OvertakenError):
        actions.write_self_view(visit, "Late.", by=world.cast["head"], seen=visit.version - 1)
    with pytest.raises(MayNamePupilError):
        actions.write_self_view(
            visit, "We worry about the pupil Amina.", by=world.cast["head"], seen=None
        )
    visit = actions.write_self_view(visit, "We read.", by=world.cast["head"], seen=visit.version)
    assert visit.state == State.READY
    assert not asks(world, "head")
    # Somebody else goes: the brief is drawn anew for them, the school's view stays.
    other = world.person("other_district_officer")
    visit = actions.assign(visit, other, by=world.cast["district_officer"], seen=visit.version)
    assert (visit.state, visit.brief, visit.self_view) == (State.PLANNED, {}, "We read.")
    assert not queries.visible_to(world.cast["other_system_leader"]).exists()
    back = actions.step_back(visit, by=world.cast["other_district_officer"], seen=visit.version)
    assert back.challenger is None
    assert "cannot come" in told(world, "district_officer")[0]
    assert "Choose a challenger" in asks(world, "district_officer")[0]


def test_a_school_asks_itself_and_may_take_it_back_until_somebody_is_asked(world: World) -> None:
    head = world.cast["head"]
    visit = actions.ask(by=head, words="Why do few come on market days?", on=in_days(20))
    assert actions.ask(by=head, words="Why do few come on market days?", on=in_days(20)) == visit
    assert "asks for a challenge visit" in told(world, "district_officer")[0]
    with pytest.raises(PermissionDenied):
        actions.ask(by=world.cast["teacher"], words="Please.", on=in_days(20))
    visit = actions.assign(
        visit, world.person("other_system_leader"), by=world.cast["district_officer"], seen=None
    )
    with pytest.raises(PermissionDenied):
        actions.call_off(visit, "We changed our mind.", by=head, seen=None)
    visit = actions.step_back(visit, by=world.cast["other_system_leader"], seen=None)
    assert actions.call_off(visit, "We changed our mind.", by=head, seen=None).called_off_why
    with pytest.raises(ValidationError, match="was called off"):
        actions.move(visit, in_days(3), by=world.cast["district_officer"], seen=None)


def test_only_those_who_take_part_see_a_visit(world: World) -> None:
    visit = held(world)
    see = {
        who for who, by in world.cast.items()
        if queries.visible_to(by).filter(pk=visit.pk).exists()
    }  # fmt: skip
    # `former_head` holds no appointment on this day; nobody can act by it.
    assert see - {"former_head"} == {"minister", "district_officer", "other_system_leader", "head"}


# The visit, and what comes of it


def test_a_record_begins_with_strengths_and_waits_for_the_day(world: World) -> None:
    leader = world.cast["other_system_leader"]
    early = confirmed(world)
    words = {"strengths": "Calm mornings.", "record": "Who reads least?", "seen": None}
    with pytest.raises(ValidationError, match="still to come"):
        later.write_record(early, by=leader, **words)
    visit = ready_again(world, early)
    with pytest.raises(ValidationError, match="Begin with what the school does well"):
        later.write_record(visit, by=leader, **words | {"strengths": " "})
    with pytest.raises(PermissionDenied):
        later.write_record(visit, by=world.cast["district_officer"], **words)
    visit = later.write_record(visit, by=leader, **words)
    assert visit.state == State.HELD
    # The school's words stand beside it; the record stays as it was.
    visit = later.add_words(
        visit, "We see it otherwise.", by=world.cast["head"], seen=visit.version
    )
    assert (visit.record, visit.school_words) == ("Who reads least?", "We see it otherwise.")
    with pytest.raises(PermissionDenied):
        later.add_words(visit, "Ours.", by=world.cast["partner_head"], seen=None)
    with pytest.raises(OvertakenError):
        later.write_record(visit, by=leader, **words | {"seen": visit.version - 1})


def ready_again(world: World, visit: ChallengeVisit) -> ChallengeVisit:
    return actions.move(visit, in_days(0), by=world.cast["district_officer"], seen=None)


def test_both_sides_owe_something_and_a_day_before_it_is_agreed(world: World) -> None:
    visit, head = held(world), world.cast["head"]
    step(world, visit)
    assert step(world, visit).pk == step(world, visit).pk, "sent twice, it is there once"
    for who in ("head", "other_system_leader"):
        given = later.Step("A coach", "system", "The district", in_days(9))
        with pytest.raises(ValidationError, match="promised by whoever plans"):
            later.add_step(visit, given, by=world.cast[who])
    with pytest.raises(ValidationError, match="Both sides owe something"):
        later.agree(visit, in_days(90), by=head, seen=None)
    assert "what the system does" in asks(world, "district_officer")[0]
    step(world, visit, "system")
    assert asks(world, "head")[0].startswith("Agree what both sides do")
    for day, said in ((None, "Choose the day"), (in_days(0), "a day to come")):
        with pytest.raises(ValidationError, match=said):
            later.agree(visit, day, by=head, seen=None)
    with pytest.raises(PermissionDenied):
        later.agree(visit, in_days(90), by=world.cast["district_officer"], seen=None)
    visit = later.agree(visit, in_days(90), by=head, seen=None)
    assert visit.state == State.AGREED
    with pytest.raises(ValidationError, match="agreed already"):
        step(world, visit, what="One more thing")


def test_what_was_agreed_is_looked_at_again(world: World) -> None:
    visit = agreed(world)
    ours, theirs = (
        ChallengeStep.objects.get(side="school"),
        ChallengeStep.objects.get(side="system"),
    )
    done = {"outcome": "Ten pupils read.", "on": in_days(0)}
    with pytest.raises(PermissionDenied):
        later.finish_step(theirs, by=world.cast["head"], **done)
    later.finish_step(ours, by=world.cast["head"], **done)
    assert later.finish_step(ours, by=world.cast["head"], **done).outcome == "Ten pupils read."
    with pytest.raises(ValidationError, match="on record already"):
        later.finish_step(ours, by=world.cast["head"], outcome="Eleven.", on=in_days(0))
    by = world.cast["other_system_leader"]
    with pytest.raises(ValidationError, match="yet to come"):
        later.follow_up(visit, "Done.", in_days(3), by=by, seen=None)
    closed = later.follow_up(visit, "The coach comes.", in_days(0), by=by, seen=None)
    assert closed.state == State.CLOSED
    # What is still open is finished later all the same.
    later.finish_step(theirs, by=world.cast["district_officer"], **done)
    assert queries.coverage(world.cast["district_officer"])[:2] == (1, 10)


def test_no_closer_look_without_support_and_the_school_answers(world: World) -> None:
    visit, officer = agreed(world), world.cast["district_officer"]
    with pytest.raises(ValidationError, match="Closer attention without help"):
        later.escalate(visit, later.Offer("We worry.", "  "), by=officer, seen=None)
    assert not Escalation.objects.exists()
    with pytest.raises(PermissionDenied):
        later.escalate(
            visit, later.Offer("We worry.", "A coach."), by=world.cast["head"], seen=None
        )
    raised = later.escalate(visit, later.Offer("We worry.", "A coach."), by=officer, seen=None)
    same = later.escalate(visit, later.Offer("We worry.", "A coach."), by=officer, seen=None)
    assert same.pk == raised.pk
    with pytest.raises(ValidationError, match="under way already"):
        later.escalate(visit, later.Offer("Again.", "A coach."), by=officer, seen=None)
    assert "offered support" in asks(world, "head")[0]
    with pytest.raises(ValidationError, match="which way"):
        later.answer(raised, by=world.cast["head"], takes=False)
    answered = later.answer(raised, by=world.cast["head"], takes=True)
    assert answered.state == Escalation.State.TAKEN
    later.answer(raised, by=world.cast["head"], takes=False, words="A neighbour helps.")
    ended = later.end_escalation(raised, "It goes well now.", by=officer)
    assert ended.state == Escalation.State.ENDED
    with pytest.raises(ValidationError, match="has ended"):
        later.answer(raised, by=world.cast["head"], takes=True)


def test_support_goes_into_the_queue_once_the_head_agrees(world: World) -> None:
    offer = later.Offer("We worry.", "A specialist for reading.", a_priority())
    later.escalate(agreed(world), offer, by=world.cast["district_officer"], seen=None)
    request = SupportRequest.objects.get()
    assert (request.origin, request.agreed_at) == (SupportRequest.Origin.DESIGNATED, None)


def test_a_conflict_found_later_sets_the_visit_aside_and_somebody_else_goes(world: World) -> None:
    visit = to_agree(world)
    officer = world.cast["district_officer"]
    with pytest.raises(PermissionDenied):
        actions.stand_down(visit, "They are cousins.", by=world.cast["head"], seen=None)
    new = actions.stand_down(
        visit, "They are cousins.", by=officer, seen=visit.version,
        challenger=world.person("other_district_officer"),
    )  # fmt: skip
    old = fresh(visit)
    assert (old.state, old.record) == (State.CALLED_OFF, "What do you do for those who read least?")
    page = pages.page(old, world.cast["head"])
    assert page["set_aside"]
    assert "cousins" in page["standing"]
    assert (new.state, new.self_view, new.record) == (State.PLANNED, "We read every day.", "")
    assert new.challenger == world.person("other_district_officer")
    assert "a conflict of interest was found" in told(world, "head")[0]
    with pytest.raises(ValidationError, match="called off"):
        later.write_record(
            old, by=world.cast["other_system_leader"], strengths="S", record="R", seen=None
        )


# Every day


def test_people_are_reminded_once_and_a_challenger_who_left_is_replaced(world: World) -> None:
    soon = planned(world, on=in_days(6))
    assert reminders.look_after() == 1
    assert reminders.look_after() == 0
    assert "The challenge visit to School N2" in told(world, "head")[0]
    assert reminders.look_after(in_days(10)) == 1
    assert "Write down what you saw" in told(world, "other_system_leader")[0]
    Appointment.objects.filter(pk=world.cast["other_system_leader"].pk).update(
        ends=timezone.localdate()
    )
    assert reminders.look_after(in_days(10)) == 1
    assert fresh(soon).challenger is None
    assert "none any longer" in told(world, "district_officer")[0]


def test_agreements_follow_ups_and_steps_are_reminded_of(world: World) -> None:
    visit = to_agree(world)
    assert reminders.look_after(in_days(13)) == 0
    assert reminders.look_after(in_days(14)) == 1
    assert "still to be agreed" in told(world, "head")[0]
    later.agree(fresh(visit), in_days(90), by=world.cast["head"], seen=None)
    assert reminders.look_after(in_days(14)) == 2  # a step of each side is due within a week
    assert reminders.look_after(in_days(14)) == 0
    assert reminders.look_after(in_days(84)) == 1
    assert reminders.look_after(in_days(91)) == 1
    assert "The day to look again" in told(world, "district_officer")[0]


def test_the_audit_trail_says_that_it_was_done_and_not_what_was_said(world: World) -> None:
    helpers.escalated(world)
    entries = AuditEntry.objects.filter(action__startswith="accountability.")
    assert {each.action.removeprefix("accountability.") for each in entries} >= {
        "plan_challenge", "confirm_challenge", "write_self_view", "write_challenge_record",
        "add_challenge_step", "agree_challenge", "escalate_challenge",
    }  # fmt: skip
    said = " ".join(f"{each.target} {each.detail}" for each in entries)
    for words in ("We read every day", "Quiet reading", "coach", "Nobody teaches reading"):
        assert words not in said
    assert audit.first_broken_link() is None


# Pages


def test_what_is_typed_survives_an_overtaken_page_and_a_late_form(
    world: World, sign_in: SignIn
) -> None:
    visit = held(world)
    head = sign_in("head")
    url = f"/challenge/{visit.pk}/"
    late = {"words": "We see it otherwise.", "seen": visit.version - 1}
    answer = head.post(f"{url}words/", late)
    assert answer.status_code == 409
    assert "We see it otherwise." in answer.content.decode()
    assert head.post(f"{url}words/", late | {"seen": visit.version}).status_code == 302
    named = {"words": "The pupil Amina reads well.", "seen": fresh(visit).version}
    asked = head.post(f"{url}words/", named)
    assert asked.status_code == 200
    assert "looks like the name of a pupil" in asked.content.decode()
    assert 'type="checkbox"' in asked.content.decode()
    assert head.post(f"{url}words/", named | {"names_no_pupil": "on"}).status_code == 302
    # A form from before the agreement is not lost, and says why it came too late.
    step(world, visit)
    step(world, visit, "system")
    later.agree(fresh(visit), in_days(30), by=world.cast["head"], seen=None)
    officer = sign_in("district_officer")
    tardy = {"what": "Bring books", "side": "system", "owner": "Us", "due": in_days(5).isoformat()}
    shown = officer.post(f"{url}steps/", tardy)
    assert shown.status_code == 200
    assert "agreed already" in shown.content.decode()
    assert "Bring books" in shown.content.decode()


def test_settings_are_the_ministrys_and_two_who_set_them_do_not_overwrite_each_other(
    world: World, sign_in: SignIn
) -> None:
    given = {
        "years_between": 3, "by_evidence_share": 25, "follow_up_days": 60, "visits_a_challenger": 4,
    }  # fmt: skip
    minister = sign_in("minister")
    first = minister.post("/challenge/settings/", given | {"seen": 1})
    assert first.status_code == 302
    second = minister.post("/challenge/settings/", given | {"years_between": 9, "seen": 1})
    assert second.status_code == 409
    assert "What holds now" in second.content.decode()
    assert queries.settings_now().years_between == 3
    with pytest.raises(PermissionDenied):
        actions.set_settings(given, by=world.cast["district_officer"], seen=None)


def test_the_list_is_narrowed_and_taken_out_without_what_was_said(
    world: World, sign_in: SignIn
) -> None:
    held(world)
    head, officer = sign_in("head"), sign_in("district_officer")
    assert "School N2" in officer.get("/challenge/?state=held&q=n2").content.decode()
    assert "None fits" in officer.get("/challenge/?state=closed").content.decode()
    assert "0 of 10 schools" not in officer.get("/challenge/").content.decode()
    lines = b"".join(officer.get("/challenge.csv"))  # type: ignore[arg-type] # a stream of bytes
    assert b"School N2,N2,Upper" in lines
    assert b"Quiet reading" not in lines
    assert head.get("/challenge.xlsx").status_code == 200
    assert timedelta(days=7) == queries.SOON
