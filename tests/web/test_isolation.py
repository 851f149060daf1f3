"""The isolation register: exactly the open schools that are isolated, each with its reasons."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness import actions
from brightspots_web.connectedness import contact_actions as contact
from brightspots_web.connectedness import contact_definition_queries as definition
from brightspots_web.connectedness import contact_queries as queries
from brightspots_web.connectedness.contact_queries import Entry, Search
from brightspots_web.connectedness.models import Contact, IsolationCount, IsolationStep
from brightspots_web.directory import actions as directory
from brightspots_web.directory.models import Appointment, Membership, School
from tests.web.conftest import SignIn
from tests.web.test_connectedness import result
from tests.web.world import World


def today(days: int = 0) -> date:
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture
def in_touch(world: World) -> World:
    """Everybody was called ten days ago, and Lower has a leader: only W1 stands alone."""
    directory.appoint(
        world.person("nobody"), "system_leader", by=world.cast["minister"],
        partnership=world.partnerships["Lower"],
    )  # fmt: skip
    for code, school in world.schools.items():
        if code != "W1":
            contact.record_contact(school, "call", by=world.cast["minister"], on=today(-10))
    return world


def register(world: World, who: str = "minister", **search: object) -> dict[str, Entry]:
    """Code -> what the register says."""
    by = definition.rules()
    rows = queries.register(world.cast[who], Search(**search), by)  # type: ignore[arg-type]
    return {entry.school.code: entry for entry in queries.entries_of(rows, by)}


def reasons(entry: Entry) -> dict[str, date | None]:
    return {reason.name: reason.since for reason in entry.reasons}


def isolate(*codes: str) -> None:
    Membership.objects.filter(school__code__in=codes).update(ends=today())


# Why, and since when


def test_a_school_in_no_partnership_says_since_when_and_what_the_last_proposal_said(
    in_touch: World,
) -> None:
    assert reasons(register(in_touch)["W1"]) == {"no_partnership": None, "no_contact": None}
    isolate("N3")
    assert reasons(register(in_touch)["N3"]) == {"no_partnership": today()}
    for job, reason in enumerate(["too far", "no road", "on an island"]):
        actions.keep_proposal(result({"N1": ["N1", "N2"]}, {"W1": reason}), job=job)
    assert register(in_touch)["W1"].reasons[0].why == "on an island"


def test_schools_whose_leader_s_appointment_ended_are_isolated_from_that_day(
    in_touch: World,
) -> None:
    leader = in_touch.cast["other_system_leader"]
    Appointment.objects.filter(pk=leader.pk).update(ends=today(-3))
    found = register(in_touch)
    assert set(found) == {"W1", "E1", "E2", "E3"}
    assert reasons(found["E2"]) == {"no_leader": today(-3)}
    directory.appoint(
        leader.person, "system_leader", by=in_touch.cast["minister"],
        partnership=in_touch.partnerships["East"],
    )  # fmt: skip
    assert set(register(in_touch)) == {"W1"}


def test_days_without_contact_isolate_on_the_very_day_and_a_contact_ends_it(
    in_touch: World,
) -> None:
    Contact.objects.filter(school__code="N2").update(on=today(-59))
    assert "N2" not in register(in_touch)
    Contact.objects.filter(school__code="N2").update(on=today(-60))
    assert reasons(register(in_touch)["N2"]) == {"no_contact": today()}
    contact.record_contact(in_touch.schools["N2"], "visit", by=in_touch.cast["system_leader"])
    assert "N2" not in register(in_touch)


def test_on_the_first_day_of_a_partnership_nothing_is_amiss(in_touch: World) -> None:
    Contact.objects.all().delete()
    Membership.objects.update(starts=today())
    assert set(register(in_touch)) == {"W1"}
    Membership.objects.update(starts=today(-60))
    assert set(register(in_touch)) == set(in_touch.schools)


def test_all_reasons_that_hold_are_said(in_touch: World) -> None:
    Contact.objects.filter(school__code="E2").delete()
    Appointment.objects.filter(pk=in_touch.cast["other_system_leader"].pk).update(ends=today())
    found = register(in_touch)["E2"]
    assert set(reasons(found)) == {"no_leader", "no_contact"}
    started = Membership.objects.get(school__code="E2").starts
    assert found.since == started + timedelta(days=60)


def test_one_step_from_isolation_says_which_step_and_when(in_touch: World) -> None:
    Appointment.objects.filter(pk=in_touch.cast["other_system_leader"].pk).update(ends=today(30))
    Contact.objects.filter(school__code="N4").update(on=today(-48))
    found = register(in_touch, show="near")
    assert {code: reasons(entry) for code, entry in found.items()} == {
        **{code: {"leader_ends": today(30)} for code in ("E1", "E2", "E3")},
        "N4": {"contact_due": today(12)},
    }
    Contact.objects.filter(school__code="N4").update(on=today(-47))
    directory.appoint(
        in_touch.person("nobody"), "system_leader", by=in_touch.cast["minister"],
        partnership=in_touch.partnerships["East"], starts=today(30),
    )  # fmt: skip
    assert not register(in_touch, show="near")


def test_a_closed_school_is_not_isolated(in_touch: World) -> None:
    School.objects.filter(code="W1").update(closed=today())
    assert register(in_touch) == {}
    School.objects.filter(code="W1").update(closed=today(1))
    assert set(register(in_touch)) == {"W1"}


def test_a_membership_to_come_does_not_help_yet(in_touch: World) -> None:
    Membership.objects.create(
        partnership=in_touch.partnerships["East"], school=in_touch.schools["W1"], starts=today(1)
    )
    assert set(register(in_touch)) == {"W1"}


# What it is narrowed to, and who sees what


def test_the_register_is_narrowed_to_reason_area_and_to_who_is_on_it(in_touch: World) -> None:
    isolate("N3")
    minister = in_touch.cast["minister"]
    assert set(register(in_touch, reason="no_contact")) == {"W1"}
    assert set(register(in_touch, area=in_touch.areas["North"])) == {"N3"}
    assert set(register(in_touch, step="none")) == {"W1", "N3"}
    step = contact.add_step(
        in_touch.schools["W1"], by=minister, owner=minister.person, what="Call.", due=today()
    )
    assert set(register(in_touch, step="none")) == {"N3"}
    assert set(register(in_touch, step="open")) == {"W1"}
    assert set(register(in_touch, step="overdue")) == set()
    IsolationStep.objects.filter(pk=step.pk).update(due=today(-1))
    assert set(register(in_touch, step="overdue")) == {"W1"}
    contact.finish_step(step, by=minister, outcome="They join East.")
    assert set(register(in_touch, step="none")) == {"W1", "N3"}


@pytest.mark.parametrize(
    ("who", "codes"),
    [
        ("minister", {"W1", "N3"}),
        ("district_officer", {"N3"}),
        ("other_district_officer", {"W1"}),
    ],
)
def test_each_sees_the_isolated_schools_of_their_own_area(
    in_touch: World, sign_in: SignIn, who: str, codes: set[str]
) -> None:
    isolate("N3")
    assert set(register(in_touch, who)) == codes
    answer = sign_in(who).get(reverse("connectedness:isolation_export", args=["csv"]))
    lines = b"".join(answer).decode("utf-8-sig").splitlines()
    rows = [line.split(",")[0] for line in lines[1 : lines.index("")]]
    assert set(rows) == codes
    assert definition.counts(in_touch.cast[who]).isolated == len(codes)


def test_the_page_says_why_who_does_what_and_what_helps_next(
    in_touch: World, sign_in: SignIn
) -> None:
    officer = in_touch.cast["other_district_officer"]
    contact.add_step(
        in_touch.schools["W1"], by=officer, owner=officer.person, what="Ask East.", due=today(5)
    )
    page = sign_in("other_district_officer").get(reverse("connectedness:isolation"))
    text = page.content.decode()
    for words in (
        "In no partnership yet",
        "Nobody has written down a contact yet",
        "Other District Officer: Ask East., by",
        "Find it a partnership",
        "When a school counts as isolated",
        "for 60 days",
    ):
        assert words in text, words


def test_a_step_past_its_day_is_asked_after_kindly(in_touch: World, sign_in: SignIn) -> None:
    minister = in_touch.cast["minister"]
    step = contact.add_step(
        in_touch.schools["W1"], by=minister, owner=minister.person, what="Call.", due=today()
    )
    IsolationStep.objects.filter(pk=step.pk).update(due=today(-4))
    for url in (
        reverse("connectedness:isolation"),
        reverse("connectedness:school_contacts", args=["W1"]),
    ):
        page = sign_in("minister").get(url).content.decode()
        assert "The day has passed: is it done, or does it need another day?" in page


@pytest.mark.parametrize("address", ["?area=Nowhere", "?show=all", "?reason=weather", "?step=x"])
def test_a_filter_that_makes_no_sense_shows_no_rows_and_no_traceback(
    in_touch: World, sign_in: SignIn, address: str
) -> None:
    minister = sign_in("minister")
    answer = minister.get(reverse("connectedness:isolation") + address)
    assert answer.status_code == 200
    assert b"School W1" not in answer.content
    export = minister.get(reverse("connectedness:isolation_export", args=["csv"]) + address)
    assert export.status_code == 404


# Counts and their statements


def test_the_whole_is_the_sum_of_its_areas(in_touch: World) -> None:
    isolate("N3", "L2")
    found = definition.counts_by_area(
        in_touch.cast["minister"], [in_touch.areas[n] for n in ("Testland", "North", "South")]
    )
    numbers = {
        area.name: (found[area.pk].schools, found[area.pk].isolated)
        for area in in_touch.areas.values()
        if area.pk in found
    }
    assert numbers == {"Testland": (14, 3), "North": (10, 2), "South": (4, 1)}


def more_schools(world: World, letter: str, n: int) -> None:
    School.objects.bulk_create(
        School(code=f"{letter}{i}", name=f"School {letter}{i}", area=world.areas["West"])
        for i in range(n)
    )


def test_statements_do_not_grow_with_the_schools(in_touch: World) -> None:
    by, minister = definition.rules(), in_touch.cast["minister"]
    numbers = []
    for letter, n in (("X", 15), ("Y", 60)):
        more_schools(in_touch, letter, n)
        with CaptureQueriesContext(connection) as caught:
            found = queries.register(minister, Search(), by)
            assert len(list(queries.all_entries(found, by))) > n
            definition.counts(minister)
        numbers.append(len(caught))
    assert numbers[0] == numbers[1] <= 14


def test_the_page_keeps_to_its_statements(
    in_touch: World, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    more_schools(in_touch, "X", 60)
    client = sign_in("minister")
    client.get(reverse("connectedness:isolation"))
    with django_assert_max_num_queries(24):  # type: ignore[operator] # a fixture's type
        client.get(reverse("connectedness:isolation"))


# Day by day


def test_a_day_is_counted_for_the_system_and_each_area_and_again_in_place(
    in_touch: World,
) -> None:
    assert contact.count_isolation() == 1
    isolate("N3")
    assert contact.count_isolation() == 2
    whole = IsolationCount.objects.get(area=None, on=today())
    assert (whole.schools, whole.isolated, whole.no_partnership, whole.no_contact) == (14, 2, 2, 1)
    north = IsolationCount.objects.get(area=in_touch.areas["North"])
    assert (north.schools, north.isolated) == (10, 1)
    lower = IsolationCount.objects.get(area=in_touch.areas["Lower"])
    assert (lower.schools, lower.isolated) == (4, 0)
    assert IsolationCount.objects.count() == 8


def test_a_past_day_is_counted_as_it_was(in_touch: World) -> None:
    """Ten days before the calls of ten days ago, nobody had been in touch for long."""
    contact.count_isolation(today(-20))
    then = IsolationCount.objects.get(area=None, on=today(-20))
    assert (then.schools, then.isolated) == (14, 14)


def test_front_pages_show_the_number_with_its_definition_n_date_and_trend(
    in_touch: World, sign_in: SignIn
) -> None:
    contact.count_isolation(today(-40))
    contact.count_isolation()
    for who, url in (
        ("minister", reverse("home:ministry")),
        ("other_district_officer", reverse("home:area", args=[in_touch.areas["South"].pk])),
    ):
        page = sign_in(who).get(url).content.decode()
        assert "nobody in touch for 60 days" in page
        assert "The target is none." in page
        assert "target: none" in page
        assert "Isolated schools, day by day" in page


def test_the_counts_can_be_downloaded_and_are_those_of_the_area(
    in_touch: World, sign_in: SignIn
) -> None:
    contact.count_isolation()
    for who, schools in (("minister", "14"), ("district_officer", "10")):
        answer = sign_in(who).get(reverse("connectedness:counts_export", args=["csv"]))
        row = b"".join(answer).decode("utf-8-sig").splitlines()[1].split(",")
        assert row[:2] == [today().isoformat(), schools]
