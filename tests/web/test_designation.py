"""Applying to lead: what is known is not asked, what is missing is named, backing, handing in."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from brightspots_web.alignment.actions import Wanted as WantedPriority
from brightspots_web.alignment.actions import set_priorities
from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory import succession_actions
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.insight.models import Estimate
from brightspots_web.leaders import designation_actions as actions
from brightspots_web.leaders import designation_criteria_actions as criteria_actions
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_pages as pages
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders.models import Application, Criteria, Grade
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Role
from tests.web import designation_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.designation_helpers import told
from tests.web.world import FORMED, World

State = Application.State
NUMBERS = {
    "years_as_head": 2, "years_to_stay": 0, "years_of_results": 3, "term_years": 4,
    "panel_size": 2, "days": 30, "few_per_schools": 5,
}  # fmt: skip


def url(found: Application, page: str = "application") -> str:
    return reverse(f"leaders:{page}", args=[found.pk])


def met(found: Application) -> dict[str, bool]:
    return {each.key: each.met for each in criteria.checks(found)}


# What is asked


def test_everybody_reads_what_is_asked_and_the_ministry_alone_sets_it(
    world: World, sign_in: SignIn
) -> None:
    page = sign_in("teacher").get(reverse("leaders:criteria"))
    assert "You have been a head for at least 3 years." in page.content.decode()
    assert page.context["form"] is None
    assert sign_in("district_officer").post(reverse("leaders:criteria"), NUMBERS).status_code == 403
    sent = NUMBERS | {"governors": "on", "seen": 1}
    assert sign_in("minister").post(reverse("leaders:criteria"), sent).status_code == 302
    found = Criteria.objects.get()
    assert (found.years_as_head, found.governors, found.director, found.version) == (2, True, 0, 2)
    words = sign_in("teacher").get(reverse("leaders:criteria")).content.decode()
    assert "You expect to stay" not in words  # 0: it is not asked
    assert "The district" not in words.split("To be designated")[1].split("A term lasts")[0]
    assert "A term lasts 4 years" in words


def test_two_windows_on_the_criteria_the_second_is_told_and_loses_nothing(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("minister")
    first = NUMBERS | {"seen": 1}
    assert client.post(reverse("leaders:criteria"), first).status_code == 302
    answer = client.post(reverse("leaders:criteria"), first | {"days": 77})
    assert answer.status_code == 409
    assert 'value="77"' in answer.content.decode()
    assert Criteria.objects.get().days == 30
    again = answer.context["form"].data
    assert client.post(reverse("leaders:criteria"), again).status_code == 302
    assert Criteria.objects.get().days == 77


def test_a_number_out_of_its_range_is_refused_with_the_range(world: World) -> None:
    wanted = criteria_actions.Wanted(
        **(NUMBERS | {"governors": True, "director": True, "panel_size": 0})
    )
    with pytest.raises(ValidationError, match="between 1 and 9"):
        criteria_actions.change_criteria(wanted, by=world.cast["minister"], seen=None)


# Beginning and writing


def test_beginning_twice_is_one_draft_with_what_is_known(world: World) -> None:
    helpers.ground(world)
    one = actions.begin(by=world.cast["head"])
    two = actions.begin(by=world.cast["head"])
    assert one == two
    assert one.state == State.DRAFT
    assert one.days == 40  # what the ministry set
    assert [each.title for each in one.priorities.all()] == ["Every child reads"]  # a bright spot
    assert one.grade == Grade.LEADER
    assert actions.begin(by=world.cast["teacher"]).grade == Grade.SPECIALIST
    for who in ("minister", "analyst", "district_officer"):
        with pytest.raises(PermissionDenied):
            actions.begin(by=world.cast[who])


def test_the_register_knows_since_when_somebody_has_been_head(world: World) -> None:
    head = world.person("head")
    assert leadership.head_since(head) == FORMED
    Appointment.objects.create(
        person=head, role=Role.HEAD, school=world.schools["N5"], starts=date(2012, 1, 1),
        ends=date(2015, 6, 1),
    )  # fmt: skip
    assert leadership.head_since(head) == FORMED  # years in between at no school
    Appointment.objects.create(
        person=head, role=Role.SYSTEM_LEADER, school=world.schools["N4"],
        partnership=world.partnerships["Lower"], starts=date(2015, 8, 1), ends=FORMED,
    )  # fmt: skip
    assert leadership.head_since(head) == date(2012, 1, 1)  # two months of summer are no break
    assert leadership.head_since(world.person("former_head")) is None
    assert leadership.head_since(world.person("teacher")) is None
    assert leadership.serves_since(world.person("teacher")) == FORMED


def test_since_when_is_asked_only_where_the_register_does_not_know_enough(
    world: World, sign_in: SignIn
) -> None:
    draft = helpers.a_draft(world)
    change = url(draft, "application_change")
    assert "head_since" in sign_in("head").get(change).context["form"].fields
    Appointment.objects.filter(pk=world.cast["head"].pk).update(starts=date(2010, 1, 1))
    page = sign_in("head").get(change)
    assert "head_since" not in page.context["form"].fields
    assert "years as a head; 3 years are asked" in page.content.decode()


def test_the_list_says_in_plain_words_what_is_met_and_what_is_missing(
    world: World, sign_in: SignIn
) -> None:
    helpers.ground(world)
    draft = actions.begin(by=world.cast["head"])
    assert met(draft) == {
        "serves": True, "years_as_head": False, "years_to_stay": False,
        "years_of_results": True, "governors": False, "director": False,
    }  # fmt: skip
    words = sign_in("head").get(url(draft)).content.decode()
    for said in (
        "2 years as a head; 3 years are asked.",
        "Say until when you expect to stay; 2 years from today are asked.",
        "The newest analysis has results of 3 years; 3 years are asked.",
        "Say who of the governors backs you",
        "Ask for it here",
    ):
        assert said in words, said


def test_three_full_years_are_three_years_and_a_day_less_is_not(world: World) -> None:
    today = helpers.today()
    draft = helpers.a_draft(world, head_since=criteria.anniversary(today, -3))
    assert met(draft)["years_as_head"]
    later = criteria.anniversary(today, -3) + timedelta(days=1)
    draft = actions.change(
        draft, helpers.written(head_since=later), by=world.cast["head"], seen=None
    )
    assert not met(draft)["years_as_head"]
    assert criteria.whole_years(date(2024, 2, 29), date(2025, 2, 28)) == 1
    assert criteria.whole_years(date(2024, 3, 1), date(2025, 2, 28)) == 0


def test_a_specialist_names_a_priority_and_has_served(world: World) -> None:
    helpers.ground(world)
    by = world.cast["teacher"]
    draft = actions.begin(by=by)
    with pytest.raises(ValidationError, match="at least one priority"):
        actions.change(draft, helpers.written(grade=Grade.SPECIALIST), by=by, seen=None)
    reading = helpers.priorities(world)[0]
    written = helpers.written(grade=Grade.SPECIALIST, priorities=[reading])
    draft = actions.change(draft, written, by=by, seen=None)
    assert met(draft)["years_as_head"]  # since 2015, as the person says


def test_what_cannot_be_is_said_field_by_field(world: World) -> None:
    draft = helpers.a_draft(world)
    with pytest.raises(ValidationError) as refused:
        actions.change(
            draft,
            helpers.written(
                days=0, head_since=helpers.today() + timedelta(days=2), statement="x" * 4001,
                governors_by="x" * 201, stays_until=date(2200, 1, 1), grade="king",
            ),
            by=world.cast["head"], seen=None,
        )  # fmt: skip
    assert set(refused.value.message_dict) == {
        "days", "head_since", "statement", "governors_by", "stays_until", "grade",
    }  # fmt: skip


def test_a_priority_that_ended_meanwhile_is_refused(world: World) -> None:
    draft = helpers.a_draft(world)
    reading = helpers.priorities(world)[0]
    set_priorities([WantedPriority("Singing"), WantedPriority("Walking")],
                   by=world.cast["minister"])  # fmt: skip
    with pytest.raises(ValidationError, match="no longer a live priority"):
        actions.change(
            draft, helpers.written(priorities=[reading]), by=world.cast["head"], seen=None
        )


def test_two_windows_on_one_draft_the_second_is_told_and_loses_nothing(
    world: World, sign_in: SignIn
) -> None:
    draft = helpers.a_draft(world)
    client = sign_in("head")
    sent = {"grade": "leader", "days": 30, "statement": "First.", "seen": draft.version}
    assert client.post(url(draft, "application_change"), sent).status_code == 302
    answer = client.post(url(draft, "application_change"), sent | {"statement": "Second."})
    assert answer.status_code == 409
    assert "Second." in answer.content.decode()
    assert "First." in answer.content.decode()  # how it reads by now
    draft.refresh_from_db()
    assert draft.statement == "First."


# Backing


def test_nobody_sees_a_draft_before_its_writer_shows_it(world: World, sign_in: SignIn) -> None:
    draft = helpers.a_draft(world)
    for who in ("minister", "district_officer"):
        assert sign_in(who).get(url(draft)).status_code == 404, who
        assert not queries.applications(world.cast[who], queries.Narrowed()).exists()
    with pytest.raises(PermissionDenied):
        actions.back(draft, by=world.cast["district_officer"], seen=None)
    actions.ask_backing(draft, by=world.cast["head"], seen=None)
    assert any("asks for your backing" in each for each in told(world, "district_officer"))
    assert told(world, "other_district_officer") == []
    page = sign_in("district_officer").get(url(draft)).content.decode()
    assert "Your backing is asked for" in page
    # What the register does not know is put before whoever confirms it.
    assert "The person says: since 1 September 2015." in page


def test_backing_is_by_whom_and_when_and_settles_what_was_asked(world: World) -> None:
    found = helpers.backed(world)
    assert found.director_by.startswith("District Officer")
    assert found.director_on == helpers.today()
    assert found.director == world.person("district_officer")
    assert "The district's office backs your application to lead." in told(world, "head")
    unseen = world.person("district_officer").notices.filter(seen_at=None)
    assert not unseen.filter(kind="leaders.application_backing_asked").exists()
    assert actions.back(found, by=world.cast["minister"], seen=None).director_by.startswith("Dist")


def test_an_officer_elsewhere_and_the_applicant_do_not_back(world: World) -> None:
    found = helpers.asked(world)
    for who in ("other_district_officer", "head", "system_leader", "analyst"):
        with pytest.raises(PermissionDenied):
            actions.back(found, by=world.cast[who], seen=None)


def test_what_was_backed_and_is_changed_is_asked_anew(world: World) -> None:
    found = helpers.backed(world)
    same = helpers.written(statement="Other words.")
    found = actions.change(found, same, by=world.cast["head"], seen=None)
    assert found.director_by  # words may be mended
    found = actions.change(found, helpers.written(days=60), by=world.cast["head"], seen=None)
    assert not found.director_by
    assert found.director is None
    assert any("asks for your backing" in each for each in told(world, "district_officer"))


# Handing in


def test_handing_in_is_refused_with_every_reason(world: World, sign_in: SignIn) -> None:
    draft = helpers.asked(world, head_since=None, governors_by="", statement="")
    with pytest.raises(ValidationError) as refused:
        actions.hand_in(draft, by=world.cast["head"], seen=None)
    said = " ".join(refused.value.messages)
    for reason in ("2 years as a head", "governors", "has not answered yet", "a few words on why"):
        assert reason in said, reason
    answer = sign_in("head").post(url(draft, "application_hand_in"), follow=True)
    assert "2 years as a head; 3 years are asked." in answer.content.decode()
    draft.refresh_from_db()
    assert draft.state == State.DRAFT


def test_what_was_handed_in_keeps_figures_and_criteria_of_that_day(world: World) -> None:
    found = helpers.handed_in(world)
    row = found.evidence["rows"][0]
    assert (row["subject"], row["n"], row["years"], row["label"]) == (
        "Reading", 180, 3, "bright_spot",
    )  # fmt: skip
    assert row["lower"] < row["estimate"] < row["upper"]
    assert found.evidence["rows"][1] == {
        "priority": "a-sense-of-number", "title": "A sense of number", "subject": "",
        "known": False,
    }  # fmt: skip
    assert all(each["met"] for each in found.criteria["checks"])
    Estimate.objects.update(estimate=-9.0, lower=-9.5, upper=-8.5)
    criteria_actions.change_criteria(
        criteria_actions.Wanted(
            **(NUMBERS | {"governors": True, "director": True, "years_as_head": 20})
        ),
        by=world.cast["minister"], seen=None,
    )  # fmt: skip
    found.refresh_from_db()
    assert found.evidence["rows"][0]["estimate"] == row["estimate"]
    assert all(each.met for each in criteria.thawed(found))
    for who in ("minister", "district_officer"):
        assert any("is handed in" in each for each in told(world, who)), who


def test_figures_that_may_not_be_shown_across_schools_are_not_kept(
    world: World, sign_in: SignIn
) -> None:
    helpers.priorities(world)
    helpers.a_run(world, small=("N2",))
    found = helpers.handed_in(world)
    assert found.evidence["rows"][0]["known"] is False
    assert "estimate" not in found.evidence["rows"][0]
    for who in ("minister", "head"):
        page = sign_in(who).get(url(found)).content.decode()
        assert "There is no figure that can be shown" in page, who
        assert "more than expected" not in page


def test_the_page_says_how_sure_by_how_many_of_which_day(world: World, sign_in: SignIn) -> None:
    page = sign_in("district_officer").get(url(helpers.handed_in(world))).content.decode()
    assert "about 5.0 points more than expected; likely between 3.0 and 7.0 points more" in page
    assert "180 pupils, 3 years." in page
    assert "97% likely to be ahead by" in page
    assert "Figures published on" in page


def test_the_ministry_takes_it_without_something_and_says_why(
    world: World, sign_in: SignIn
) -> None:
    draft = helpers.backed(world, head_since=None)
    minister = world.cast["minister"]
    with pytest.raises(ValidationError):
        actions.take_without(draft, ["serves"], why="x", by=minister, seen=None)
    with pytest.raises(ValidationError, match="a few words"):
        actions.take_without(draft, ["years_as_head"], why=" ", by=minister, seen=None)
    with pytest.raises(PermissionDenied):
        actions.take_without(
            draft, ["years_as_head"], why="x", by=world.cast["district_officer"], seen=None
        )
    sent = {"keys": ["years_as_head"], "why": "Led a school abroad for six years."}
    answer = sign_in("minister").post(url(draft, "application_take_without"), sent)
    assert answer.status_code == 302
    found = actions.hand_in(draft, by=world.cast["head"], seen=None)
    assert found.state == State.SUBMITTED
    page = sign_in("minister").get(url(found)).content.decode()
    assert "Led a school abroad for six years." in page
    assert "taken without" in page
    assert AuditEntry.objects.filter(action="leaders.take_without").count() == 1


def test_handed_in_words_stand_and_it_can_be_taken_back(world: World) -> None:
    found = helpers.handed_in(world)
    with pytest.raises(ValidationError, match="stand as they are"):
        actions.change(found, helpers.written(), by=world.cast["head"], seen=None)
    assert actions.hand_in(found, by=world.cast["head"], seen=None) == found  # pressed twice
    with pytest.raises(PermissionDenied):
        actions.withdraw(found, by=world.cast["minister"], seen=None)
    found = actions.withdraw(found, by=world.cast["head"], seen=None)
    assert found.state == State.WITHDRAWN
    assert any("was taken back" in each for each in told(world, "minister"))
    assert actions.begin(by=world.cast["head"]) != found
    assert audit.first_broken_link() is None


def test_an_old_page_does_not_hand_in_what_was_changed_since(world: World) -> None:
    draft = helpers.backed(world)
    seen = draft.version
    actions.change(draft, helpers.written(statement="New."), by=world.cast["head"], seen=None)
    with pytest.raises(OvertakenError):
        actions.hand_in(draft, by=world.cast["head"], seen=seen)


# Hard moments


def test_an_appointment_that_ends_while_the_form_is_open(world: World, sign_in: SignIn) -> None:
    draft = helpers.backed(world)
    client = sign_in("head")
    page = client.get(url(draft, "application_change"))
    helpers.end(world.cast["head"])
    sent = {**page.context["form"].initial, "statement": "Too late."}
    sent = {name: value for name, value in sent.items() if value is not None}
    assert client.post(url(draft, "application_change"), sent).status_code == 403
    assert client.post(url(draft, "application_hand_in")).status_code == 403
    draft.refresh_from_db()
    assert (draft.state, draft.statement) == (State.DRAFT, helpers.written().statement)
    # Appointed elsewhere, the person goes on with the draft, which goes with them.
    new = Appointment.objects.create(
        person=draft.person, role=Role.HEAD, school=world.schools["N5"], starts=helpers.today()
    )
    draft = actions.change(draft, helpers.written(), by=new, seen=None)
    assert draft.school == world.schools["N5"]


def test_a_school_that_merges_in_mid_application_leaves_it_with_its_history(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.handed_in(world)
    evidence = found.evidence
    succession_actions.close_school(
        world.schools["N2"], on=helpers.today(), successors=[world.schools["E3"]],
        by=world.cast["minister"],
    )  # fmt: skip
    # The appointment at N2 ended with it; at E3 the person is appointed anew.
    now = Appointment.objects.create(
        person=found.person, role=Role.HEAD, school=world.schools["E3"], starts=helpers.today()
    )
    found.refresh_from_db()
    assert found.school == world.schools["N2"]
    assert found.evidence == evidence
    assert queries.school_now(found.person_id, found.school) == world.schools["E3"]
    # Officers over both schools see it, and the page says what happened.
    for who in ("district_officer", "other_district_officer"):
        page = sign_in(who).get(url(found))
        assert page.status_code == 200, who
        assert "School N2, carried on by School E3" in page.content.decode()
    assert {each.name for each in queries.officers_over(found.school)} == {
        "District Officer", "Other District Officer",
    }  # fmt: skip
    assert now.school == queries.school_now(found.person_id, found.school)


def test_a_draft_follows_its_writer_to_the_school_that_carries_on(world: World) -> None:
    draft = helpers.a_draft(world)
    succession_actions.close_school(
        world.schools["N2"], on=helpers.today(), successors=[world.schools["N4"]],
        by=world.cast["minister"],
    )  # fmt: skip
    new = Appointment.objects.create(
        person=draft.person, role=Role.HEAD, school=world.schools["N4"], starts=helpers.today()
    )
    draft = actions.change(draft, helpers.written(), by=new, seen=None)
    assert draft.school == world.schools["N4"]
    actions.ask_backing(draft, by=new, seen=None)
    actions.back(draft, by=world.cast["district_officer"], seen=None)
    found = actions.hand_in(draft, by=new, seen=None)
    assert found.evidence["before"] == ["School N2"]


def test_a_school_that_closes_with_nobody_after_it(world: World, sign_in: SignIn) -> None:
    found = helpers.handed_in(world)
    succession_actions.close_school(
        world.schools["N2"], on=helpers.today(), by=world.cast["minister"]
    )
    assert queries.school_now(found.person_id, found.school) is None
    page = sign_in("minister").get(url(found)).content.decode()
    assert "School N2, closed on" in page


# Lists and front pages


def test_the_list_of_leaders_is_open_and_has_no_figures(world: World, sign_in: SignIn) -> None:
    helpers.designated(world)
    page = sign_in("teacher").get(reverse("leaders:leaders"))
    words = page.content.decode()
    assert "School N2" in words
    assert "points" not in words
    assert "pupils" not in words.split("<main")[1].split("</main>")[0]
    filed = sign_in("teacher").get(reverse("leaders:leaders_export", args=["csv"]))
    lines = b"".join(filed).decode().splitlines()  # type: ignore[call-overload] # it streams
    assert len(lines) == 2
    assert lines[1].startswith("Head,N2,School N2,Upper,leads a partnership,")
    none = sign_in("teacher").get(reverse("leaders:leaders"), {"q": "Nowhere"})
    assert "No leader fits" in none.content.decode()


def test_who_leads_without_designation_is_listed_kindly(world: World, sign_in: SignIn) -> None:
    page = sign_in("district_officer").get(reverse("leaders:undesignated"))
    words = page.content.decode()
    assert "System Leader" in words
    assert "Other System Leader" not in words
    assert sign_in("head").get(reverse("leaders:undesignated")).status_code == 403


def test_front_cards_say_what_waits_for_whom(world: World) -> None:
    cast = world.cast
    assert pages.front_card(cast["head"]) is None
    draft = helpers.a_draft(world)
    card = pages.front_card(cast["head"])
    assert card is not None
    assert card["heading"] == "Your application to lead"
    assert pages.front_card(cast["district_officer"]) is None
    actions.ask_backing(draft, by=cast["head"], seen=None)
    card = pages.front_card(cast["district_officer"])
    assert card is not None
    assert card["text"] == "1 application asks for your backing."
    actions.back(draft, by=cast["district_officer"], seen=None)
    actions.hand_in(draft, by=cast["head"], seen=None)
    card = pages.front_card(cast["minister"])
    assert card is not None
    assert card["text"] == "1 application waits for a panel."
    assert pages.front_card(None) is None


def test_lists_take_as_many_statements_for_many_as_for_few(world: World, sign_in: SignIn) -> None:
    found = helpers.designated(world)
    helpers.asked(world, "other_head")

    def more(n: int) -> None:
        for at in range(n):
            person = Person.objects.create_user(f"more{n}{at}@test.invalid", None, name=f"M {at}")
            school = list(world.schools.values())[at % 10]
            Appointment.objects.create(person=person, role=Role.HEAD, school=school, starts=FORMED)
            done = Application.objects.create(
                person=person, school=school, grade="leader", state="designated",
                created_at=found.application.created_at,
                submitted_at=found.application.submitted_at,
            )  # fmt: skip
            type(found).objects.create(
                person=person, school=school, grade="leader", application=done, days=30,
                starts=found.starts, ends=found.ends,
            )  # fmt: skip
            Application.objects.create(
                person=person, school=school, grade="leader", state="submitted",
                created_at=done.created_at, submitted_at=done.submitted_at,
            )  # fmt: skip

    client = sign_in("minister")
    counts: dict[str, list[int]] = {}
    for n in (2, 12):
        more(n)
        for name in ("leaders", "applications", "undesignated"):
            with CaptureQueriesContext(
                connection,
            ) as ran:
                assert client.get(reverse(f"leaders:{name}")).status_code == 200
            counts.setdefault(name, []).append(len(ran))
    for name, (few, many) in counts.items():
        assert few == many, name
        assert many <= 25, name
