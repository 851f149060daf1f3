"""The panel: what binds is found and declared, views stay hidden, the decision is read."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.urls import reverse

from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import designation_actions as applying
from brightspots_web.leaders import designation_queries as designations
from brightspots_web.leaders import panel_actions as actions
from brightspots_web.leaders import panel_queries as queries
from brightspots_web.leaders.models import (
    Application,
    CoachingPair,
    Designation,
    Nomination,
    PanelMember,
)
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Role
from tests.web import designation_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.designation_helpers import NOT_YET, PANEL, YES, told
from tests.web.test_races import at_once
from tests.web.world import FORMED, World

State = Application.State
A_YES = actions.Decision(True, "The books show it.")


def url(page: str, found: Application, *more: object) -> str:
    return reverse(f"leaders:{page}", args=[found.pk, *more])


def binds(found: Application, world: World, who: str) -> list[str]:
    return queries.bindings(found, world.person(who))


# What binds is found by the system


def test_each_thing_that_binds_is_named(world: World) -> None:
    found = helpers.handed_in(world)
    assert binds(found, world, "head") == ["own"]
    assert binds(found, world, "teacher") == ["school", "partnership"]
    assert binds(found, world, "partner_head") == ["partnership"]
    assert binds(found, world, "system_leader") == ["partnership"]
    assert binds(found, world, "district_officer") == ["line", "backed"]
    for who in (*PANEL, "minister", "other_district_officer"):
        assert binds(found, world, who) == [], who


def test_coaching_nominating_and_applying_oneself_bind(world: World) -> None:
    found = helpers.handed_in(world)
    head, leader = world.person("head"), world.person("other_system_leader")
    pair = CoachingPair.objects.create(
        coach=leader, coached=head, asked_by="x", starts=helpers.days_ago(300)
    )
    assert binds(found, world, "other_system_leader") == []  # nobody agreed to it yet
    pair.accepted_at = found.submitted_at
    pair.save()
    assert binds(found, world, "other_system_leader") == ["coach"]
    pair.ends = helpers.days_ago(100)
    pair.save()
    assert binds(found, world, "other_system_leader") == ["coach"]
    pair.ends = helpers.days_ago(400)
    pair.save()
    assert binds(found, world, "other_system_leader") == []
    for kind, keys in ((Nomination.Kind.EVIDENCE, []), (Nomination.Kind.PEER, ["nominated"])):
        Nomination.objects.create(
            person=head, school=found.school, kind=kind, by="x", appointment=kind,
            by_person=world.person("analyst"), at=found.submitted_at,
        )  # fmt: skip
        assert binds(found, world, "analyst") == keys
    helpers.a_draft(world, "other_head")
    assert binds(found, world, "other_head") == ["applies"]


def test_an_officer_further_up_is_in_the_line_as_well(world: World) -> None:
    found = helpers.handed_in(world)
    for area, keys in (("Testland", ["line"]), ("Upper", ["line"]), ("Lower", [])):
        person = Person.objects.create_user(f"{area}@test.invalid", None, name=area)
        Appointment.objects.create(
            person=person, role=Role.DISTRICT_OFFICER, area=world.areas[area], starts=FORMED
        )
        assert queries.bindings(found, person) == keys, area


def test_calling_somebody_bound_is_refused_and_says_why(world: World, sign_in: SignIn) -> None:
    found = helpers.handed_in(world)
    for who in ("head", "teacher", "partner_head", "system_leader", "district_officer"):
        with pytest.raises(ValidationError, match="cannot sit on this panel"):
            actions.call(found, world.person(who), by=world.cast["minister"], seen=None)
    client = sign_in("minister")
    answer = client.post(
        url("panel_call", found, world.person("partner_head").pk), follow=True
    ).content.decode()
    assert "they work in the same partnership" in answer
    found.refresh_from_db()
    assert found.state == State.SUBMITTED
    # Looked for, they are shown with what binds them and cannot be called.
    page = client.get(url("panel", found), {"q": "Partner Head"}).content.decode()
    assert "Cannot sit on this panel:" in page
    assert url("panel_call", found, world.person("partner_head").pk) not in page


def test_people_without_an_appointment_are_not_called(world: World, sign_in: SignIn) -> None:
    found = helpers.handed_in(world)
    for who in ("nobody", "former_head"):
        with pytest.raises(ValidationError, match="no appointment"):
            actions.call(found, world.person(who), by=world.cast["minister"], seen=None)
    with pytest.raises(PermissionDenied):
        actions.call(found, world.person("analyst"), by=world.cast["analyst"], seen=None)
    page = sign_in("minister").get(url("panel", found))
    offered = {each["person"].name for each in page.context["candidates"]}
    assert "Minister" in offered
    assert "Head" not in offered


def test_called_twice_sits_once_and_hears_of_it(world: World) -> None:
    found = helpers.handed_in(world)
    minister, analyst = world.cast["minister"], world.person("analyst")
    one = actions.call(found, analyst, by=minister, seen=None)
    assert actions.call(found, analyst, by=minister, seen=None) == one
    found.refresh_from_db()
    assert found.state == State.PANEL
    assert any("Say first whether something binds you" in each for each in told(world, "analyst"))
    actions.take_off(one, by=minister)
    assert queries.members_of(found) == []


# Declared


def test_a_member_reads_the_application_once_nothing_binds(world: World, sign_in: SignIn) -> None:
    found = helpers.called(world)
    statement = helpers.written().statement
    client = sign_in("analyst")
    page = client.get(url("application", found)).content.decode()
    assert "Does anything bind you" in page
    assert statement not in page
    assert "more than expected" not in page
    client.post(url("panel_free", found))
    page = client.get(url("application", found)).content.decode()
    assert statement in page
    assert "more than expected" in page


def test_a_member_whom_something_binds_says_so_and_reads_nothing(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.called(world)
    client = sign_in("analyst")
    answer = client.post(url("panel_bound", found), {"why": ""})
    assert "Does anything bind you" in answer.content.decode()
    client.post(url("panel_bound", found), {"why": "My cousin."})
    page = client.get(url("application", found)).content.decode()
    assert "You are set aside" in page
    assert helpers.written().statement not in page
    sits = helpers.seat(found, world, "analyst")
    with pytest.raises(ValidationError):
        actions.say(sits, YES, reason="x", by=world.cast["analyst"])
    assert queries.lacking(found) == 3


def test_a_member_who_says_nothing_binds_is_set_aside_where_the_system_knows_better(
    world: World,
) -> None:
    found = helpers.called(world)
    Appointment.objects.create(
        person=world.person("analyst"), role=Role.TEACHER, school=world.schools["N3"],
        starts=FORMED,
    )  # fmt: skip
    sits = actions.declare_free(helpers.seat(found, world, "analyst"), by=world.cast["analyst"])
    assert sits.conflict == "they work in the same partnership"
    assert sits.no_conflict_at is None


def test_a_seat_belongs_to_its_person(world: World) -> None:
    found = helpers.called(world)
    sits = helpers.seat(found, world, "analyst")
    for who in ("other_head", "minister", "head"):
        with pytest.raises(PermissionDenied):
            actions.declare_free(sits, by=world.cast[who])
        with pytest.raises(PermissionDenied):
            actions.say(sits, YES, reason="x", by=world.cast[who])


# Views


def test_views_are_hidden_until_ones_own_is_said(world: World, sign_in: SignIn) -> None:
    found = helpers.called(world)
    helpers.say(found, world, "other_head")
    secret = "other_head saw it."
    analyst = sign_in("analyst")
    analyst.post(url("panel_free", found))
    assert secret not in analyst.get(url("application", found)).content.decode()
    analyst.post(url("panel_view", found), {"view": "not_yet", "reason": "One more year."})
    assert secret in analyst.get(url("application", found)).content.decode()
    for who in ("head", "district_officer", "other_system_leader"):
        assert secret not in sign_in(who).get(url("application", found)).content.decode(), who
    assert secret in sign_in("minister").get(url("panel", found)).content.decode()


def test_the_ministry_on_the_panel_reads_no_view_before_its_own(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.called(world, members=("analyst", "other_head", "minister"))
    helpers.say(found, world, "other_head")
    for page in ("panel", "application"):
        words = sign_in("minister").get(url(page, found)).content.decode()
        assert "other_head saw it." not in words
    helpers.say(found, world, "minister")
    assert "other_head saw it." in sign_in("minister").get(url("panel", found)).content.decode()


def test_a_view_is_said_once_with_a_reason_after_declaring(world: World) -> None:
    found = helpers.called(world)
    sits, by = helpers.seat(found, world, "analyst"), world.cast["analyst"]
    with pytest.raises(ValidationError, match="Say first whether something binds you"):
        actions.say(sits, YES, reason="x", by=by)
    actions.declare_free(sits, by=by)
    with pytest.raises(ValidationError, match="a few words"):
        actions.say(sits, YES, reason=" ", by=by)
    actions.say(sits, YES, reason="x", by=by)
    assert actions.say(sits, YES, reason="x", by=by).view == YES  # pressed twice
    with pytest.raises(ValidationError, match="it stands"):
        actions.say(sits, NOT_YET, reason="y", by=by)


def test_two_members_with_pages_open_at_once_both_are_heard(world: World, sign_in: SignIn) -> None:
    found = helpers.called(world)
    clients = {who: sign_in(who) for who in ("analyst", "other_head")}
    for client in clients.values():
        client.post(url("panel_free", found))
        client.get(url("application", found))
    for who, client in clients.items():
        sent = {"view": "yes", "reason": f"{who} says so."}
        assert client.post(url("panel_view", found), sent).status_code == 302
    assert len(queries.counted(found)) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
)
def test_two_members_in_the_same_instant_are_both_counted(world: World) -> None:
    found = helpers.called(world)
    seats = [helpers.seat(found, world, who) for who in PANEL]
    for who, sits in zip(PANEL, seats, strict=True):
        actions.declare_free(sits, by=world.cast[who])
    problems: list[Exception] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [
        threading.Thread(
            target=run, args=(lambda s=s, w=w: actions.say(s, YES, reason="x", by=world.cast[w]),)
        )
        for w, s in zip(PANEL, seats, strict=True)
    ]
    with transaction.atomic():
        audit.one_at_a_time()
        for thread in threads:
            thread.start()
        time.sleep(0.7)
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(queries.counted(found)) == 3
    assert sum("you can decide" in each for each in told(world, "minister")) == 1


# Set aside


def test_a_conflict_found_afterwards_keeps_the_view_and_counts_it_no_more(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.said(world)
    sits = helpers.seat(found, world, "analyst")
    client = sign_in("minister")
    client.post(url("panel_set_aside", found, sits.pk), {"why": "They share a house."})
    sits.refresh_from_db()
    assert (sits.view, sits.reason) == (YES, "analyst saw it.")
    assert queries.lacking(found) == 1
    page = client.get(url("panel", found))
    words = page.content.decode()
    assert "set aside" in words
    assert "They share a house." in words
    assert "analyst saw it." in words  # kept, and said to count no more
    assert not page.context["may_decide"]
    with pytest.raises(ValidationError, match="waits for the views of 1 more"):
        actions.decide(found, A_YES, by=world.cast["minister"], seen=None)
    # Another is called, and the decision can be made.
    actions.call(
        found, world.person("other_district_officer"), by=world.cast["minister"], seen=None
    )
    helpers.say(found, world, "other_district_officer")
    decided = actions.decide(found, A_YES, by=world.cast["minister"], seen=None)
    assert decided.state == State.DESIGNATED
    # The member set aside reads the application no more.
    words = sign_in("analyst").get(url("application", found)).content.decode()
    assert helpers.written().statement not in words


def test_deciding_looks_again_and_keeps_what_it_found_though_it_refuses(world: World) -> None:
    found = helpers.said(world)
    Appointment.objects.create(
        person=world.person("other_head"), role=Role.TEACHER, school=world.schools["N2"],
        starts=FORMED,
    )  # fmt: skip
    with pytest.raises(ValidationError, match="waits for the views of 1 more"):
        actions.decide(found, A_YES, by=world.cast["minister"], seen=None)
    sits = helpers.seat(found, world, "other_head")
    assert "they serve at the same school" in sits.conflict
    assert sits.set_aside_at is not None
    found.refresh_from_db()
    assert found.state == State.PANEL
    assert audit.first_broken_link() is None


def test_after_the_decision_enough_views_left_carry_it(world: World) -> None:
    found = helpers.called(world)
    extra = world.person("other_district_officer")
    actions.call(found, extra, by=world.cast["minister"], seen=None)
    for who in (*PANEL, "other_district_officer"):
        helpers.say(found, world, who)
    actions.decide(found, A_YES, by=world.cast["minister"], seen=None)
    actions.set_aside(
        helpers.seat(found, world, "analyst"), why="A cousin.", by=world.cast["minister"]
    )
    found.refresh_from_db()
    assert found.state == State.DESIGNATED
    assert found.reopened_at is None


def test_after_the_decision_too_few_left_reopen_it_and_the_office_goes_on(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.decided(world)
    held = Designation.objects.get(application=found)
    minister = world.cast["minister"]
    actions.set_aside(helpers.seat(found, world, "analyst"), why="A cousin.", by=minister)
    found.refresh_from_db()
    assert found.state == State.PANEL
    assert found.reopened_at is not None
    assert designations.live_designation(found.person) == held
    assert any("decide anew" in each for each in told(world, "head"))
    page = sign_in("head").get(url("application", found)).content.decode()
    assert "The panel decides anew" in page
    actions.call(found, world.person("other_district_officer"), by=minister, seen=None)
    helpers.say(found, world, "other_district_officer")
    actions.decide(found, A_YES, by=minister, seen=None)
    assert Designation.objects.get() == held
    held.refresh_from_db()
    assert held.state == Designation.State.LIVE
    # Decided the other way the office ends with time to hand over.
    actions.set_aside(helpers.seat(found, world, "other_head"), why="A friend.", by=minister)
    found.refresh_from_db()
    other = Person.objects.create_user("more@test.invalid", "a long password", name="More")
    by = Appointment.objects.create(person=other, role=Role.ANALYST, starts=FORMED)
    sits = actions.call(found, other, by=minister, seen=None)
    actions.declare_free(sits, by=by)
    actions.say(sits, NOT_YET, reason="x", by=by)
    no = actions.Decision(False, "Good work; the deputy is new.", "Apply when the deputy is in.")
    actions.decide(found, no, by=minister, seen=None)
    held.refresh_from_db()
    assert held.state == Designation.State.LAPSED
    assert held.ends == helpers.today() + designations.LEFT_TO_MEND


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
)
def test_a_decision_reopened_in_the_instant_another_is_begun_leaves_one_open(world: World) -> None:
    found = helpers.decided(world, yes=False)
    sits = helpers.seat(found, world, "analyst")
    at_once(
        lambda: actions.set_aside(sits, why="A cousin.", by=world.cast["minister"]),
        lambda: applying.begin(by=world.cast["head"]),
    )
    assert Application.objects.filter(person=found.person, state__in=designations.OPEN).count() == 1
    assert designations.open_application(found.person) is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
)
def test_who_serves_at_two_schools_and_begins_at_both_at_once_begins_once(world: World) -> None:
    helpers.ground(world)
    here = world.cast["head"]
    there = Appointment.objects.create(
        person=here.person, role=Role.HEAD, school=world.schools["L2"], starts=FORMED
    )
    one, other = at_once(lambda: applying.begin(by=here), lambda: applying.begin(by=there))
    assert one == other


# The decision


def test_the_decision_needs_the_size_in_views_a_reason_and_for_no_what_would_help(
    world: World,
) -> None:
    found = helpers.called(world)
    minister = world.cast["minister"]
    helpers.say(found, world, "analyst")
    helpers.say(found, world, "other_head", NOT_YET)
    with pytest.raises(ValidationError, match="views of 1 more"):
        actions.decide(found, A_YES, by=minister, seen=None)
    helpers.say(found, world, "other_system_leader")
    with pytest.raises(ValidationError) as refused:
        actions.decide(found, actions.Decision(True, " "), by=minister, seen=None)
    assert "reason" in refused.value.message_dict
    with pytest.raises(ValidationError) as refused:
        actions.decide(found, actions.Decision(False, "Good work."), by=minister, seen=None)
    assert "next_steps" in refused.value.message_dict
    for who in ("analyst", "district_officer", "head"):
        with pytest.raises(PermissionDenied):
            actions.decide(found, A_YES, by=world.cast[who], seen=None)
    actions.decide(found, A_YES, by=minister, seen=None)
    entry = AuditEntry.objects.get(action="leaders.decide")
    assert entry.detail == {"result": "designated", "ready_now": 2, "not_yet": 1}


def test_whoever_is_bound_in_the_ministry_does_not_decide(world: World) -> None:
    found = helpers.asked(world)
    found = applying.back(found, by=world.cast["minister"], seen=None)
    found = applying.hand_in(found, by=world.cast["head"], seen=None)
    for who in PANEL:
        actions.call(found, world.person(who), by=world.cast["minister"], seen=None)
        helpers.say(found, world, who)
    with pytest.raises(ValidationError, match="they backed this application"):
        actions.decide(found, A_YES, by=world.cast["minister"], seen=None)


def test_the_applicant_who_sits_in_the_ministry_too_opens_no_panel(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.said(world)
    Appointment.objects.filter(pk=world.cast["head"].pk).update(ends=helpers.today())
    mine = Appointment.objects.create(
        person=found.person, role=Role.MINISTER, starts=helpers.today()
    )
    client = sign_in("head")
    assert client.get(url("panel", found)).status_code == 403
    assert client.post(url("panel_decide", found), {}).status_code == 403
    with pytest.raises(ValidationError, match="it is their own application"):
        actions.decide(found, A_YES, by=mine, seen=None)


def test_a_decision_on_an_old_page_is_told_and_its_words_are_kept(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.said(world)
    actions.call(
        found, world.person("other_district_officer"), by=world.cast["minister"], seen=None
    )
    client = sign_in("minister")
    seen = client.get(url("panel", found)).context["form"].initial["seen"]
    helpers.say(found, world, "other_district_officer", NOT_YET)  # a view the page did not show
    sent = {"result": "designated", "reason": "All agree.", "seen": seen}
    answer = client.post(url("panel_decide", found), sent)
    assert answer.status_code == 409
    words = answer.content.decode()
    assert "All agree." in words
    assert "other_district_officer saw it." in words
    assert client.post(url("panel_decide", found), answer.context["form"].data).status_code == 302
    with pytest.raises(OvertakenError):
        actions.decide(found, A_YES, by=world.cast["minister"], seen=seen)


def test_the_applicant_reads_the_decision_its_reason_and_what_would_make_it_a_yes(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.decided(world, yes=False)
    page = sign_in("head").get(url("application", found)).content.decode()
    assert "The books show it." in page
    assert "What would make it a yes" in page
    assert "Another year of results." in page
    assert "analyst saw it." not in page
    assert any("there is a decision" in each for each in told(world, "head"))
    assert not Designation.objects.exists()
    assert applying.begin(by=world.cast["head"]) != found  # another can follow


def test_somebody_who_serves_nowhere_any_longer_is_not_designated(world: World) -> None:
    found = helpers.said(world)
    helpers.end(world.cast["head"])
    with pytest.raises(ValidationError, match="serves neither at School N2"):
        actions.decide(found, A_YES, by=world.cast["minister"], seen=None)
    found.refresh_from_db()
    assert found.state == State.PANEL
    assert not Designation.objects.exists()


def test_a_caseload_above_the_systems_cap_is_refused(world: World, sign_in: SignIn) -> None:
    found = helpers.said(world)
    sent = {"result": "designated", "reason": "Yes.", "caseload": 7, "seen": found.version}
    answer = sign_in("minister").post(url("panel_decide", found), sent)
    assert answer.status_code == 200
    assert "caseload" in answer.context["form"].errors
    sign_in("minister").post(url("panel_decide", found), sent | {"caseload": 3})
    assert Designation.objects.get().caseload == 3


def test_a_panel_of_a_draft_or_of_what_is_decided_is_not_called(world: World) -> None:
    minister, analyst = world.cast["minister"], world.person("analyst")
    draft = helpers.backed(world)
    with pytest.raises(ValidationError, match="handed in"):
        actions.call(draft, analyst, by=minister, seen=None)
    assert not PanelMember.objects.exists()


def test_withdrawn_under_way_nobody_is_asked_any_longer(world: World, sign_in: SignIn) -> None:
    found = helpers.called(world)
    helpers.say(found, world, "other_head")
    applying.withdraw(found, by=world.cast["head"], seen=None)
    assert any("was taken back" in each for each in told(world, "other_head"))
    sits = helpers.seat(found, world, "analyst")
    actions.declare_free(sits, by=world.cast["analyst"])
    with pytest.raises(ValidationError):
        actions.say(sits, YES, reason="x", by=world.cast["analyst"])
    assert queries.seats(world.cast["analyst"]) == []
