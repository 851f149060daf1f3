"""Learning: offered, taken part in, confirmed, cancelled, reminded of, suggested."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from brightspots_web.leaders import development_jobs, development_next
from brightspots_web.leaders import development_learning_actions as actions
from brightspots_web.leaders import development_learning_queries as queries
from brightspots_web.leaders.models import Attendance, Learning
from brightspots_web.notices import queries as notices
from tests.web.conftest import SignIn
from tests.web.development_helpers import an_offer, framework, learning, past, rated, today
from tests.web.world import World


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def url(name: str, found: Learning, *more: object) -> str:
    return reverse(f"leaders:{name}", args=[found.pk, *more])


# Offering


def test_who_offers_what_to_whom(world: World) -> None:
    framework(world)
    north, upper, south = (world.areas[name] for name in ("North", "Upper", "South"))
    community = Learning.Kind.COMMUNITY
    offered = [
        ("minister", an_offer(area=None, title="1")),
        ("minister", an_offer(area=north, title="2")),
        ("district_officer", an_offer(area=north, title="3")),
        ("system_leader", an_offer(area=upper, title="4", kind=community)),
        ("system_leader", an_offer(area=north, title="5", kind=community)),
    ]
    for who, wanted in offered:
        assert actions.offer(wanted, by=world.cast[who]).title == wanted.title
    refused = [
        ("system_leader", an_offer(area=upper)),  # a module
        ("system_leader", an_offer(area=south, kind=community)),
        ("system_leader", an_offer(area=None, kind=community)),
        ("district_officer", an_offer(area=None)),
        ("district_officer", an_offer(area=south)),
        ("head", an_offer(area=upper, kind=community)),
        ("analyst", an_offer(area=north)),
    ]
    for who, wanted in refused:
        with pytest.raises(PermissionDenied):
            actions.offer(wanted, by=world.cast[who])


def test_what_is_missing_is_said_in_its_place(world: World) -> None:
    framework(world)
    officer, north = world.cast["district_officer"], world.areas["North"]
    for changed, key in (
        ({"title": " "}, "title"),
        ({"about": ""}, "about"),
        ({"hours": Decimal(0)}, "hours"),
        ({"hours": Decimal(201)}, "hours"),
        ({"on": today() - timedelta(days=1)}, "on"),
        ({"on": None, "kind": Learning.Kind.COMMUNITY}, "on"),
        ({"place": "x" * 201}, "place"),
    ):
        with pytest.raises(ValidationError) as problem:
            actions.offer(an_offer(area=north, **changed), by=officer)
        assert set(problem.value.error_dict) == {key}
    first = actions.offer(an_offer(area=north), by=officer)
    assert actions.offer(an_offer(area=north), by=officer) == first


def test_whoever_takes_part_hears_of_another_day(world: World, sign_in: SignIn) -> None:
    framework(world)
    found = learning(world)
    actions.take_part(found, by=world.cast["system_leader"])
    moved = an_offer(area=world.areas["North"], on=today() + timedelta(days=20))
    actions.change(found, moved, by=world.cast["district_officer"], seen=found.version)
    assert any("another day or place" in each for each in told(world, "system_leader"))
    data = {
        "kind": "module", "title": "Typed", "about": "Here.", "hours": "3", "seen": found.version,
        "area": world.areas["North"].pk, "on": (today() + timedelta(days=9)).isoformat(),
    }  # fmt: skip
    answer = sign_in("district_officer").post(url("learning_change", found), data)
    assert answer.status_code == 409
    assert "Typed" in answer.content.decode()


def test_cancelling_says_why_and_nobody_takes_part_any_more(world: World, sign_in: SignIn) -> None:
    framework(world)
    found = learning(world)
    actions.take_part(found, by=world.cast["system_leader"])
    officer = world.cast["district_officer"]
    with pytest.raises(ValidationError, match="few words"):
        actions.cancel(found, by=officer, why=" ", seen=None)
    actions.cancel(found, by=officer, why="The hall is taken.", seen=None)
    assert any("does not take place" in each for each in told(world, "system_leader"))
    with pytest.raises(ValidationError, match="cancelled"):
        actions.take_part(found, by=world.cast["head"])
    with pytest.raises(ValidationError, match="nobody was there"):
        actions.confirm(past(found), [], by=officer)
    page = sign_in("head").get(url("learning_one", found)).content.decode()
    assert "The hall is taken." in page
    assert reverse("leaders:learning_take_part", args=[found.pk]) not in page
    assert queries.enrolled(world.person("system_leader")) == []


def test_what_was_attended_is_not_cancelled(world: World) -> None:
    framework(world)
    found = learning(world)
    actions.take_part(found, by=world.cast["head"])
    officer = world.cast["district_officer"]
    actions.confirm(past(found), [world.person("head").pk], by=officer)
    with pytest.raises(ValidationError, match="were there"):
        actions.cancel(found, by=officer, why="A slip.", seen=None)


# Taking part


def test_enrolling_twice_is_once_and_not_after_its_day(world: World) -> None:
    framework(world)
    found = learning(world)
    head = world.cast["head"]
    assert actions.take_part(found, by=head) == actions.take_part(found, by=head)
    with pytest.raises(PermissionDenied):
        actions.take_part(found, by=world.cast["minister"])
    actions.leave(found, by=head)
    assert not Attendance.objects.exists()
    with pytest.raises(ValidationError, match="already"):
        actions.take_part(past(found), by=head)


def test_attendance_is_confirmed_by_who_runs_it_and_counts_in_hours(world: World) -> None:
    framework(world)
    found = learning(world)
    for who in ("head", "system_leader", "teacher"):
        actions.take_part(found, by=world.cast[who])
    officer = world.cast["district_officer"]
    there = [world.person("head").pk, world.person("system_leader").pk]
    with pytest.raises(ValidationError, match="still to come"):
        actions.confirm(found, there, by=officer)
    past(found)
    for who in ("system_leader", "other_district_officer", "analyst"):
        with pytest.raises(PermissionDenied):
            actions.confirm(found, there, by=world.cast[who])
    with pytest.raises(PermissionDenied):  # nobody is added who had not enrolled
        actions.confirm(found, [*there, world.person("partner_head").pk], by=officer)
    assert actions.confirm(found, there, by=officer) == 2
    assert queries.hours_of(world.person("head")) == 6
    assert queries.hours_of(world.person("teacher")) == 0
    assert any("on your record" in each for each in told(world, "head"))
    with pytest.raises(ValidationError, match="stays on your record"):
        actions.leave(found, by=world.cast["head"])
    actions.confirm(found, there[:1], by=officer)  # a slip is taken back
    assert queries.hours_of(world.person("system_leader")) == 0


def test_a_module_of_any_time_is_confirmed_with_its_day(world: World) -> None:
    framework(world)
    found = learning(world, on=None)
    actions.take_part(found, by=world.cast["head"])
    officer, there = world.cast["district_officer"], [world.person("head").pk]
    with pytest.raises(ValidationError, match="which day"):
        actions.confirm(found, there, by=officer)
    actions.confirm(found, there, by=officer, on=today())
    assert Attendance.objects.get().attended_on == today()


def test_a_leader_confirms_who_came_to_the_own_community(world: World, sign_in: SignIn) -> None:
    framework(world)
    found = learning(
        world, by="system_leader", kind=Learning.Kind.COMMUNITY, area=world.areas["Upper"]
    )
    actions.take_part(found, by=world.cast["head"])
    past(found)
    answer = sign_in("system_leader").post(
        url("learning_attendance", found), {"people": [world.person("head").pk]}
    )
    assert answer.status_code == 302
    assert Attendance.objects.get().confirmed_by.startswith("System Leader")


def test_who_takes_part_is_shown_to_those_who_run_it_alone(world: World, sign_in: SignIn) -> None:
    framework(world)
    found = learning(world)
    actions.take_part(found, by=world.cast["partner_head"])
    for who in ("system_leader", "head", "analyst"):
        page = sign_in(who).get(url("learning_one", found)).content.decode()
        assert "Partner Head" not in page, who
        assert "1 person" in page
    page = sign_in("district_officer").get(url("learning_one", found)).content.decode()
    assert "Partner Head" in page
    file = sign_in("district_officer").get(url("learning_participants", found, "csv"))
    assert "Partner Head" in file.getvalue().decode()


# Reminders


def test_people_are_reminded_once_in_the_week_before(world: World) -> None:
    framework(world)
    soon = learning(world)
    later = learning(world, title="Later", on=today() + timedelta(days=9))
    for found in (soon, later):
        actions.take_part(found, by=world.cast["head"])
    assert development_jobs.every_day()["reminded"] == 1
    assert development_jobs.every_day()["reminded"] == 0
    said = [each for each in told(world, "head") if "in which you take part" in each]
    assert len(said) == 1
    assert "Asking, not telling" in said[0]
    assert actions.remind(today() + timedelta(days=3)) == 1


def test_one_that_was_moved_is_reminded_of_again(world: World) -> None:
    framework(world)
    found = learning(world)
    actions.take_part(found, by=world.cast["head"])
    actions.remind()
    moved = an_offer(area=world.areas["North"], on=today() + timedelta(days=6))
    actions.change(found, moved, by=world.cast["district_officer"], seen=None)
    assert actions.remind() == 1


# Finding, and being led to it


def test_the_list_is_narrowed_and_taken_along(world: World, sign_in: SignIn) -> None:
    framework(world)
    learning(world)
    learning(world, title="Reading figures", on=None, competences=[])
    gone = past(learning(world, title="Long gone"), 40)
    client, listed = sign_in("head"), reverse("leaders:learning")

    def titles(**query: str) -> str:
        return client.get(listed, query).content.decode()

    assert "Long gone" not in titles()
    assert "Long gone" in titles(when="past")
    assert "Reading figures" not in titles(competence="coaching")
    assert "Reading figures" in titles(q="figures")
    assert "Asking, not telling" not in titles(kind="community")
    assert "Nothing fits" in titles(q="nowhere to be found")
    actions.take_part(Learning.objects.get(title="Reading figures"), by=world.cast["head"])
    mine = titles(when="mine")
    assert "Reading figures" in mine
    assert "Asking, not telling" not in mine
    file = client.get(reverse("leaders:learning_export", args=["csv"]), {"when": "all"})
    text = file.getvalue().decode()
    assert gone.title in text
    assert "Reading figures" in text


def test_what_is_for_one_area_is_not_seen_in_another(world: World, sign_in: SignIn) -> None:
    framework(world)
    found = learning(world)
    for who in ("other_system_leader", "other_district_officer", "other_head"):
        assert found.title not in sign_in(who).get(reverse("leaders:learning")).content.decode()
        assert sign_in(who).get(url("learning_one", found)).status_code == 404
    for_all = learning(world, by="minister", area=None, title="For everybody")
    for who in ("other_system_leader", "head", "analyst"):
        assert sign_in(who).get(url("learning_one", for_all)).status_code == 200


def test_learning_is_suggested_for_what_comes_next_unless_one_takes_part(world: World) -> None:
    rated(world, 1, code="coaching")
    found = learning(world)
    learning(world, title="Not for that", competences=[])
    leader = world.cast["system_leader"]

    def offers() -> list[str]:
        coaching = [each for each in development_next.next_for(leader)
                    if each.competence.code == "coaching"]  # fmt: skip
        return [each.title for next_ in coaching for each in next_.offers]

    # Four competences of which nothing is said yet come before: only three are named.
    for code in ("diagnosing", "brokering", "reviewing", "using-data"):
        rated(world, 4, code=code)
    assert offers() == ["Asking, not telling"]
    actions.take_part(found, by=leader)
    assert offers() == []


def test_the_list_asks_the_database_no_more_often_for_more_learning(
    world: World, sign_in: SignIn
) -> None:
    framework(world)
    learning(world)
    client = sign_in("head")
    client.get(reverse("leaders:learning"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("leaders:learning"))
    for i in range(15):
        learning(world, title=f"Number {i}")
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("leaders:learning"))
    assert len(many) <= len(few)
