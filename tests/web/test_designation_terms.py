"""In office: a partnership, a further term, laying it down, kind warnings, lapsing."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection  # noqa: F401 - the condition below names it
from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness import contact_definition_queries as isolation
from brightspots_web.directory import actions as directory_actions
from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory import queries as directory
from brightspots_web.directory import succession_actions
from brightspots_web.directory.models import Appointment, Membership
from brightspots_web.insight.models import Estimate
from brightspots_web.leaders import designation_actions as applying
from brightspots_web.leaders import designation_life_actions as life
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders import designation_term_actions as actions
from brightspots_web.leaders import panel_actions as panel
from brightspots_web.leaders.models import Designation, Grade
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Role
from tests.web import designation_helpers as helpers
from tests.web import support_helpers
from tests.web.conftest import SignIn
from tests.web.designation_helpers import told
from tests.web.test_races import at_once
from tests.web.world import World

State = Designation.State
NOTHING = {"over": 0, "moved": 0, "reminded": 0, "warned": 0, "cleared": 0, "lapsed": 0}


def url(found: Designation, page: str = "designation") -> str:
    return reverse(f"leaders:{page}", args=[found.pk])


def leads(found: Designation) -> Appointment | None:
    return leadership.led_by([found.person_id]).get(found.person_id)


def resign(world: World, found: Designation, in_days: int = 14, why: str = "We move away.") -> None:
    actions.resign(
        found, last_day=helpers.today() + timedelta(days=in_days), why=why,
        by=world.cast["head"], seen=None,
    )  # fmt: skip
    found.refresh_from_db()


# A term


def test_a_term_has_its_days_caseload_grade_and_priorities(world: World) -> None:
    found = helpers.designated(world)
    assert found.starts == helpers.today()
    assert (found.ends.year, found.ends.month) == (found.starts.year + 3, found.starts.month)
    assert (found.days, found.caseload, found.grade) == (40, None, Grade.LEADER)
    assert queries.live_designation(found.person) == found
    assert list(queries.live_designations()) == [found]
    assert queries.live_designation(found.person, found.ends) is None
    with pytest.raises(ValidationError, match="You are designated until"):
        applying.begin(by=world.cast["head"])


def test_everybody_sees_the_term_and_nobody_else_why_or_on_what(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.designated(world)
    resign(world, found, why="My mother is ill.")
    for who, inside in (("teacher", False), ("other_district_officer", False),
                        ("partner_head", False), ("district_officer", True), ("head", True),
                        ("minister", True)):  # fmt: skip
        words = sign_in(who).get(url(found)).content.decode()
        assert ("My mother is ill." in words) is inside, who
        assert ("The application it rests on" in words) is inside, who
        assert "points" not in words, who


# A partnership


def test_a_leader_gets_a_partnership_that_nobody_leads(world: World, sign_in: SignIn) -> None:
    found = helpers.designated(world)
    page = sign_in("district_officer").get(url(found))
    assert "Lower partnership: 58 km from the school" in page.content.decode()
    assert "Upper partnership" not in page.content.decode()  # somebody leads it
    answer = sign_in("district_officer").post(
        url(found, "designation_partnership"), {"partnership": "P-LOWER"}
    )
    assert answer.status_code == 302
    appointment = leads(found)
    assert appointment is not None
    assert appointment.partnership == world.partnerships["Lower"]
    assert appointment.school == world.schools["N2"]
    # Led from outside: its schools are where they were.
    world.partnerships["Lower"].refresh_from_db()
    assert world.partnerships["Lower"].lead_school == world.schools["L1"]
    assert any("a system leader is appointed" in each for each in told(world, "head"))
    # Pressed twice, it is once.
    again = actions.give_partnership(
        found, world.partnerships["Lower"], by=world.cast["district_officer"]
    )
    assert again == appointment


def test_the_partnership_of_the_own_school_is_led_from_it(world: World) -> None:
    helpers.end(world.cast["system_leader"])
    found = helpers.designated(world)
    upper = world.partnerships["Upper"]
    actions.give_partnership(found, upper, by=world.cast["minister"])
    upper.refresh_from_db()
    assert upper.lead_school == world.schools["N2"]
    km = dict(Membership.objects.filter(partnership=upper).values_list("school", "distance_km"))
    assert km[world.schools["N2"].pk] == 0
    assert 2 < (km[world.schools["N3"].pk] or 0) < 3
    assert AuditEntry.objects.filter(action="directory.lead_from").count() == 1


def test_who_may_not_give_a_partnership_and_what_cannot_be_given(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.designated(world)
    lower, upper = world.partnerships["Lower"], world.partnerships["Upper"]
    for who in ("head", "analyst", "system_leader"):
        with pytest.raises(PermissionDenied):
            actions.give_partnership(found, lower, by=world.cast[who])
    with pytest.raises(ValidationError, match="Somebody leads Upper partnership already"):
        actions.give_partnership(found, upper, by=world.cast["minister"])
    with pytest.raises(ValidationError, match="not yours to appoint for"):
        actions.give_partnership(found, lower, by=world.cast["other_district_officer"])
    page = sign_in("other_district_officer").get(url(found))
    assert page.context["partnerships"] is None
    actions.give_partnership(found, lower, by=world.cast["minister"])
    helpers.end(world.cast["system_leader"])
    with pytest.raises(ValidationError, match="leads Lower partnership already"):
        actions.give_partnership(found, upper, by=world.cast["minister"])


def test_a_specialist_or_one_whose_term_is_over_leads_none(world: World) -> None:
    found = helpers.designated(world, grade=Grade.SPECIALIST)
    with pytest.raises(ValidationError, match="Only a leader in office"):
        actions.give_partnership(found, world.partnerships["Lower"], by=world.cast["minister"])


# Laying it down


def test_a_leader_lays_the_office_down_and_nothing_is_lost(world: World, sign_in: SignIn) -> None:
    found = helpers.designated(world)
    lower = world.partnerships["Lower"]
    actions.give_partnership(found, lower, by=world.cast["minister"])
    support = support_helpers.begun(world, "L2", "N2")
    last = helpers.today() + timedelta(days=14)
    sent = {"last_day": last.isoformat(), "why": "We move away.", "seen": found.version}
    assert sign_in("head").post(url(found, "designation_resign"), sent).status_code == 302
    found.refresh_from_db()
    assert (found.state, found.ends) == (State.RESIGNED, last + timedelta(days=1))
    # In office until the last day, and as the partnership's leader as well.
    assert queries.live_designation(found.person) == found
    appointment = leads(found)
    assert appointment is not None
    assert appointment.ends == last + timedelta(days=1)
    # The register prepares for it, and shows the schools as without a leader from the day after.
    by = isolation.rules()
    members = directory.memberships_of(lower)
    schools = directory.open_schools().filter(pk__in=members.values("school"))
    assert schools.filter(isolation.conditions(by)["leader_ends"]).count() == 4
    assert not schools.filter(isolation.conditions(by)["no_leader"]).exists()
    after = isolation.rules(last + timedelta(days=1))
    assert schools.filter(isolation.conditions(after)["no_leader"]).count() == 4
    # Who is told: officers with the reason on the page, heads of the partnership the day alone.
    assert any("lays the office down" in each for each in told(world, "district_officer"))
    assert any("lays the office down" in each for each in told(world, "minister"))
    assert not any("lays the office down" in each for each in told(world, "head"))
    page = sign_in("district_officer").get(url(found))
    assert "We move away." in page.content.decode()
    # Support under way stays, and stands on the officer's page.
    support.refresh_from_db()
    assert support.state == support.State.RUNNING
    assert "School L2" in page.content.decode().split("Support under way", 1)[1]
    assert audit.first_broken_link() is None


def test_the_heads_of_the_partnership_hear_the_day_and_not_the_reason(world: World) -> None:
    helpers.end(world.cast["system_leader"])
    found = helpers.designated(world)
    actions.give_partnership(found, world.partnerships["Upper"], by=world.cast["minister"])
    resign(world, found, why="My mother is ill.")
    heard = told(world, "partner_head")
    assert any("Upper partnership: your leader leaves the office" in each for each in heard)
    assert not any("ill" in each for each in heard)


def test_who_answered_for_a_school_as_its_leader_alone_is_its_head_from_then_on(
    world: World,
) -> None:
    leader = world.cast["system_leader"]
    found = helpers.designated(world, "head")
    Designation.objects.filter(pk=found.pk).update(person=leader.person, school=leader.school)
    found.refresh_from_db()
    actions.resign(found, last_day=helpers.today(), why="Enough.", by=leader, seen=None)
    tomorrow = helpers.today() + timedelta(days=1)
    held = Appointment.objects.filter(directory.live(tomorrow), person=leader.person)
    assert [(each.role, each.school) for each in held] == [(Role.HEAD, world.schools["N1"])]


def test_a_day_that_cannot_be_and_somebody_elses_office(world: World, sign_in: SignIn) -> None:
    found = helpers.designated(world)
    with pytest.raises(ValidationError, match="today or a later day"):
        resign(world, found, in_days=-1)
    with pytest.raises(ValidationError, match="term ends before that day"):
        resign(world, found, in_days=2000)
    with pytest.raises(ValidationError, match="a few words"):
        resign(world, found, why=" ")
    with pytest.raises(PermissionDenied):
        actions.resign(
            found, last_day=helpers.today(), why="x", by=world.cast["minister"], seen=None
        )
    resign(world, found)
    with pytest.raises(ValidationError, match="laid down already"):
        resign(world, found)
    with pytest.raises(OvertakenError):
        actions.resign(found, last_day=helpers.today(), why="x", by=world.cast["head"], seen=1)


def test_that_it_cannot_be_taken_back_is_said_before_and_applying_anew_is_open(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.designated(world)
    page = sign_in("head").get(url(found, "designation_resign")).content.decode()
    assert "This cannot be taken back. Whoever would like to lead again applies anew." in page
    with pytest.raises(ValidationError, match="further term"):
        applying.begin(by=world.cast["head"])
    resign(world, found)
    assert applying.begin(by=world.cast["head"]).renews is None


def test_an_old_page_of_laying_down_is_told_and_keeps_the_words(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.designated(world)
    Designation.objects.filter(pk=found.pk).update(version=9)
    sent = {"last_day": helpers.today().isoformat(), "why": "Long words.", "seen": 1}
    answer = sign_in("head").post(url(found, "designation_resign"), sent)
    assert answer.status_code == 409
    assert "Long words." in answer.content.decode()


# A further term


def ends_in(world: World, days: int) -> Designation:
    """In office, with so many days left of a term that began before."""
    today = helpers.today()
    return helpers.designated(
        world, starts=today - timedelta(days=900), ends=today + timedelta(days=days)
    )


def test_a_leader_is_reminded_once_120_days_before(world: World) -> None:
    found = ends_in(world, 121)
    assert life.look_after() == NOTHING
    Designation.objects.filter(pk=found.pk).update(ends=helpers.today() + timedelta(days=120))
    assert life.look_after() == NOTHING | {"reminded": 1}
    assert life.look_after() == NOTHING
    assert any("You can ask for a further one" in each for each in told(world, "head"))


def test_a_further_term_begins_when_the_first_ends(world: World, sign_in: SignIn) -> None:
    first = ends_in(world, 60)
    answer = sign_in("head").post(url(first, "designation_renew"))
    draft = queries.open_application(first.person)
    assert draft is not None
    assert answer.url == reverse("leaders:application_change", args=[draft.pk])  # type: ignore[attr-defined] # a redirect
    assert draft.renews == first
    draft = applying.change(draft, helpers.written(), by=world.cast["head"], seen=None)
    applying.ask_backing(draft, by=world.cast["head"], seen=None)
    applying.back(draft, by=world.cast["district_officer"], seen=None)
    found = applying.hand_in(draft, by=world.cast["head"], seen=None)
    for who in helpers.PANEL:
        panel.call(found, world.person(who), by=world.cast["minister"], seen=None)
        helpers.say(found, world, who)
    panel.decide(found, panel.Decision(True, "Again."), by=world.cast["minister"], seen=None)
    first.refresh_from_db()
    second = Designation.objects.get(application=found)
    assert second.starts == first.ends
    assert queries.live_designation(first.person) == first
    assert queries.live_designation(first.person, first.ends) == second
    assert life.look_after() == NOTHING
    # Laid down now, the whole office ends, not the further term alone.
    actions.resign(second, last_day=helpers.today(), why="x", by=world.cast["head"], seen=None)
    assert queries.live_designation(first.person, helpers.today() + timedelta(days=1)) is None


def test_a_renewal_is_ones_own_and_of_a_term_that_runs(world: World) -> None:
    found = ends_in(world, 60)
    with pytest.raises(PermissionDenied):
        applying.begin(by=world.cast["partner_head"], renews=found)
    Designation.objects.filter(pk=found.pk).update(ends=helpers.today(), state=State.OVER)
    found.refresh_from_db()
    with pytest.raises(ValidationError, match="Apply anew"):
        applying.begin(by=world.cast["head"], renews=found)


def test_a_term_that_is_over_leaves_the_partnership_led(world: World) -> None:
    found = helpers.designated(world)
    actions.give_partnership(found, world.partnerships["Lower"], by=world.cast["minister"])
    Designation.objects.filter(pk=found.pk).update(
        starts=helpers.days_ago(900), ends=helpers.today()
    )
    assert life.look_after() == NOTHING | {"over": 1}
    assert life.look_after() == NOTHING
    found.refresh_from_db()
    assert found.state == State.OVER
    assert queries.live_designation(found.person) is None
    assert leads(found) is not None  # for whoever appoints to end; it is on their list
    listed = queries.undesignated_leads(world.cast["district_officer"])
    assert found.person in {each.person for each in listed}
    entry = AuditEntry.objects.get(action="leaders.term_over")
    assert entry.actor.startswith("Command line")


# Lapsing


def warned(found: Designation, days: int) -> None:
    at = timezone.now() - timedelta(days=days)
    Designation.objects.filter(pk=found.pk).update(warned_at=at)


def test_who_serves_nowhere_is_warned_kindly_and_lapses_after_60_days(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.designated(world)
    assert life.look_after() == NOTHING
    helpers.end(world.cast["head"])
    assert life.look_after() == NOTHING | {"warned": 1}
    assert life.look_after() == NOTHING
    assert any("There is time to put it right until" in each for each in told(world, "head"))
    page = sign_in("district_officer").get(url(found)).content.decode()
    assert "No appointment at School N2" in page
    assert "can put this right, if it is a slip" in page
    assert "No appointment" not in sign_in("teacher").get(url(found)).content.decode()
    warned(found, 59)
    assert life.look_after() == NOTHING
    warned(found, 60)
    assert life.look_after() == NOTHING | {"lapsed": 1}
    assert life.look_after() == NOTHING
    found.refresh_from_db()
    assert (found.state, found.ends) == (State.LAPSED, helpers.today())
    assert "No appointment at School N2" in found.ended_why
    assert queries.live_designation(found.person) is None
    assert any("lapsed" in each for each in told(world, "minister"))
    assert audit.first_broken_link() is None


def test_what_is_put_right_in_time_is_forgotten(world: World) -> None:
    found = helpers.designated(world)
    helpers.end(world.cast["head"])
    life.look_after()
    Appointment.objects.create(
        person=found.person, role=Role.HEAD, school=found.school, starts=helpers.today()
    )
    assert life.look_after() == NOTHING | {"cleared": 1}
    found.refresh_from_db()
    assert found.warned_at is None
    assert any("holds again" in each for each in told(world, "head"))


def test_a_school_without_results_for_so_many_years(world: World) -> None:
    found = helpers.designated(world)
    rows = Estimate.objects.filter(school=found.school)
    rows.exclude(year=2021).exclude(year=None).delete()
    assert life.look_after() == NOTHING  # one of the newest three years is there
    rows.filter(year=2021).delete()
    assert life.look_after() == NOTHING | {"warned": 1}
    warned(found, 60)
    life.look_after()
    found.refresh_from_db()
    assert found.ended_why == "School N2 has had no published result for 3 years."


def test_while_no_analysis_is_published_nothing_is_held_against_anybody(world: World) -> None:
    found = helpers.designated(world)
    run = Estimate.objects.filter(school=found.school)[0].run
    run.withdrawn_at = timezone.now()
    run.save()
    assert life.look_after() == NOTHING


def test_a_leader_goes_with_the_school_that_carries_on(world: World, sign_in: SignIn) -> None:
    found = helpers.designated(world)
    succession_actions.close_school(
        world.schools["N2"], on=helpers.today(), successors=[world.schools["N4"]],
        by=world.cast["minister"],
    )  # fmt: skip
    Appointment.objects.create(
        person=found.person, role=Role.HEAD, school=world.schools["N4"], starts=helpers.today()
    )
    assert life.look_after() == NOTHING | {"moved": 1}
    assert life.look_after() == NOTHING
    found.refresh_from_db()
    assert found.school == world.schools["N4"]
    assert found.application.school == world.schools["N2"]  # history stays where it was
    page = sign_in("partner_head").get(url(found))
    assert "Applied from" in page.content.decode()


def test_leaders_of_before_are_taken_over_by_the_machine_alone(world: World) -> None:
    leader, reading = world.cast["system_leader"], helpers.priorities(world)[0]

    def take_over(by: Appointment, days: int) -> Designation:
        return life.take_over(
            leader, starts=helpers.days_ago(days), days=30, priorities=[reading],
            reason="Designated before.", by=by,
        )  # fmt: skip

    with pytest.raises(PermissionDenied):
        take_over(world.cast["minister"], 200)
    operator = directory_actions.command_line_operator()
    with pytest.raises(ValidationError, match="does not hold today"):
        take_over(operator, 1200)
    found = take_over(operator, 200)
    assert take_over(operator, 100) == found  # in office already
    assert (found.starts, found.days) == (helpers.days_ago(200), 30)
    assert list(found.priorities.all()) == [reading]
    assert queries.live_designation(leader.person) == found
    assert life.look_after() == NOTHING


def test_only_the_machine_dates_terms_back(world: World) -> None:
    found = helpers.designated(world)
    with pytest.raises(PermissionDenied):
        life.date_back(found, helpers.days_ago(100), by=world.cast["minister"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
)
def test_two_officers_at_once_give_a_partnership_one_leader(world: World) -> None:
    one = helpers.designated(world)
    Designation.objects.create(
        person=world.person("partner_head"), school=world.schools["N3"], grade=Grade.LEADER,
        application=applying.begin(by=world.cast["partner_head"]), days=30, starts=one.starts,
        ends=one.ends,
    )  # fmt: skip
    other = Designation.objects.get(school=world.schools["N3"])
    lower = world.partnerships["Lower"]
    found = at_once(
        lambda: actions.give_partnership(one, lower, by=world.cast["minister"]),
        lambda: actions.give_partnership(other, lower, by=world.cast["district_officer"]),
    )
    assert sum(isinstance(each, ValidationError) for each in found) == 1
    assert directory.live_leaders().filter(partnership=lower).count() == 1
