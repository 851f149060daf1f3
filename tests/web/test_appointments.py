"""Appointments: who may make and end them, how long they hold, and the first password."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from brightspots_web.directory import actions, queries
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared.models import AuditEntry
from tests.web.conftest import SignIn
from tests.web.world import World

NEW = "an entirely new one"


def sees(client: Client, code: str) -> bool:
    return client.get(reverse("home:school", args=[code])).status_code == 200


def day(offset: int) -> Any:
    return timezone.localdate() + timedelta(days=offset)


# How long one holds


def test_an_appointment_that_ends_is_gone_at_the_next_request(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("head")
    assert sees(client, "N2")
    actions.end_appointment(world.cast["head"], by=world.cast["district_officer"])
    assert not sees(client, "N2")
    assert "no appointment" in client.get(reverse("home:front")).content.decode()


def test_one_of_tomorrow_does_not_hold_yet_and_one_of_today_does(world: World) -> None:
    nobody, by = world.person("nobody"), world.cast["minister"]
    school = world.schools["N4"]
    actions.appoint(nobody, "head", by=by, school=school, starts=day(1))
    assert not queries.live_appointments(nobody).exists()
    actions.appoint(nobody, "teacher", by=by, school=school, starts=day(0), ends=day(1))
    assert [a.role for a in queries.live_appointments(nobody)] == ["teacher"]


@pytest.mark.parametrize("starts", [-400, 0, 30])
def test_one_that_is_ended_never_holds_again_whenever_it_began(world: World, starts: int) -> None:
    by = world.cast["minister"]
    made = actions.appoint(
        world.person("nobody"), "head", by=by, school=world.schools["N4"], starts=day(starts)
    )
    actions.end_appointment(made, by=by)
    for ahead in range(0, 60, 10):
        assert not Appointment.objects.filter(queries.live(day(ahead)), pk=made.pk).exists()
    with pytest.raises(ValidationError):
        actions.end_appointment(made, by=by)


# Several at once


def test_with_several_one_acts_under_one_and_switches(world: World, sign_in: SignIn) -> None:
    head = world.cast["head"]
    second = actions.appoint(
        head.person, "teacher", by=world.cast["minister"], school=world.schools["E1"]
    )
    client = sign_in("head")
    assert (sees(client, "N2"), sees(client, "E1")) == (True, False)
    page = client.get(reverse("directory:schools")).content.decode()
    switch = reverse("directory:act_as", args=[second.pk])
    assert f'action="{switch}"' in page
    assert f'action="{reverse("directory:act_as", args=[head.pk])}"' not in page
    client.post(switch)
    assert (sees(client, "N2"), sees(client, "E1")) == (False, True)
    actions.end_appointment(second, by=world.cast["minister"])
    assert (sees(client, "N2"), sees(client, "E1")) == (True, False)


def test_a_single_appointment_shows_no_switch(sign_in: SignIn) -> None:
    assert "act-as" not in sign_in("head").get(reverse("directory:schools")).content.decode()


# Who may appoint whom

PLACES: dict[str, dict[str, tuple[str, str]]] = {
    "minister": {},
    "analyst": {},
    "district_officer": {"area": ("areas", "North")},
    "system_leader": {"partnership": ("partnerships", "Upper")},
    "head": {"school": ("schools", "N4")},
    "teacher": {"school": ("schools", "N4")},
}
MAY = {
    "minister": set(PLACES),
    "district_officer": {"system_leader", "head", "teacher"},
}


@pytest.mark.parametrize("role", PLACES)
def test_only_ministry_and_district_appoint_and_never_upward(world: World, role: str) -> None:
    at = {kind: getattr(world, table)[key] for kind, (table, key) in PLACES[role].items()}
    allowed = set()
    for who, by in world.cast.items():
        if who == "former_head":
            continue
        try:
            made = actions.appoint(world.person("nobody"), role, by=by, **at)
        except PermissionDenied:
            continue
        allowed.add(who)
        made.delete()
    assert allowed == {who for who, roles in MAY.items() if role in roles}


@pytest.mark.parametrize(
    ("role", "place", "allowed"),
    [
        ("head", "N4", True),
        ("head", "E1", False),
        ("head", "W1", False),
        ("system_leader", "P-LOWER", True),
        ("system_leader", "P-EAST", False),
    ],
)
def test_a_district_officer_appoints_within_the_district_by_page_and_by_action(
    world: World, sign_in: SignIn, role: str, place: str, allowed: bool
) -> None:
    data = {"name": "New", "email": "new@test.invalid", "role": role, "place": place}
    sign_in("district_officer").post(
        reverse("directory:people"), {**data, "starts": day(0).isoformat()}
    )
    made = Appointment.objects.filter(person__email="new@test.invalid")
    assert made.exists() is allowed
    assert Person.objects.filter(email="new@test.invalid").exists() is allowed
    if not allowed:
        at: dict[str, Any] = (
            {"school": world.schools[place]}
            if role == "head"
            else {"partnership": world.partnerships["East"]}
        )
        with pytest.raises(PermissionDenied):
            actions.appoint(world.person("nobody"), role, by=world.cast["district_officer"], **at)


def test_the_form_offers_no_role_above_ones_own(sign_in: SignIn) -> None:
    page = sign_in("district_officer").get(reverse("directory:people")).content.decode()
    assert set(re.findall(r'<option value="(\w+)"', page)) == {"system_leader", "head", "teacher"}


def test_a_partnership_across_a_boundary_is_led_from_its_leaders_district(world: World) -> None:
    """Upper partnership takes in W1 of the South: its officer sees it, and cannot lead into it."""
    world.partnerships["Upper"].memberships.create(
        school=world.schools["W1"], starts=timezone.localdate()
    )
    upper = world.partnerships["Upper"]
    south = world.cast["other_district_officer"]
    assert upper in queries.partnerships_visible_to(south)
    with pytest.raises(PermissionDenied):
        actions.appoint(world.person("nobody"), "system_leader", by=south, partnership=upper)
    with pytest.raises(PermissionDenied):
        actions.end_appointment(world.cast["system_leader"], by=south)
    assert world.cast["system_leader"] not in queries.appointments_managed_by(south)


def test_the_same_role_at_the_same_place_is_given_once(world: World) -> None:
    head = world.cast["head"]
    with pytest.raises(ValidationError, match="already"):
        actions.appoint(head.person, "head", by=world.cast["minister"], school=head.school)


def test_nobody_takes_the_name_under_which_the_command_line_acts(world: World) -> None:
    for _before_and_after in range(2):
        with pytest.raises(ValidationError, match="command line"):
            actions.appoint_by_email(
                actions.OPERATOR.upper(),
                "Sly",
                "teacher",
                by=world.cast["district_officer"],
                school=world.schools["N4"],
            )
        actions.command_line_operator()


def test_appointing_and_ending_are_on_record(world: World) -> None:
    by = world.cast["minister"]
    made = actions.appoint(world.person("nobody"), "head", by=by, school=world.schools["N4"])
    actions.end_appointment(made, by=by)
    entries = AuditEntry.objects.order_by("pk").values_list("action", "actor", "target")
    assert list(entries) == [
        ("directory.appoint", "Minister, Ministry", "Nobody, Head teacher, School N4"),
        ("directory.end_appointment", "Minister, Ministry", "Nobody, Head teacher, School N4"),
    ]


def test_the_page_of_people_asks_few_questions(
    sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in("minister")
    with django_assert_max_num_queries(7):
        client.get(reverse("directory:people"))


# The first password


def appoint_on_the_page(client: Client, email: str = "new@test.invalid") -> str:
    """Appoint a new head of N4; what the page then shows."""
    answer = client.post(
        reverse("directory:people"),
        {
            "name": "New",
            "email": email,
            "role": "head",
            "place": "N4",
            "starts": day(0).isoformat(),
        },
        follow=True,
    )
    return answer.content.decode()


def link_in(page: str) -> str:
    found = re.search(r'value="http://testserver(/account/password/reset/key/[^"]+)"', page)
    assert found, "no link on the page"
    return found[1]


def set_password(link: str, password: str = NEW) -> str:
    client = Client()
    form = client.get(link, follow=True)
    answer = client.post(
        form.request["PATH_INFO"], {"password1": password, "password2": password}, follow=True
    )
    return answer.content.decode()


def signs_in(email: str, password: str = NEW) -> bool:
    client = Client()
    client.post(reverse("account_login"), {"login": email, "password": password})
    return client.get(reverse("directory:schools")).status_code == 200


def test_whoever_is_appointed_sets_a_password_by_the_link_handed_over(sign_in: SignIn) -> None:
    officer = sign_in("district_officer")
    link = link_in(appoint_on_the_page(officer))
    assert not signs_in("new@test.invalid")
    assert "short" in set_password(link, "short")
    set_password(link)
    assert signs_in("new@test.invalid")
    assert link not in officer.get(reverse("directory:people")).content.decode()


def test_the_link_works_once_and_is_not_kept_by_browsers(sign_in: SignIn) -> None:
    officer = sign_in("district_officer")
    link = link_in(appoint_on_the_page(officer))
    set_password(link)
    set_password(link, "a third password for it")
    assert signs_in("new@test.invalid")
    pk = Appointment.objects.get(person__email="new@test.invalid").pk
    again = officer.post(reverse("directory:password_link", args=[pk]))
    assert again.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("days", "works"), [(2.9, True), (3.1, False)])
def test_the_link_works_for_three_days(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, days: float, works: bool
) -> None:
    from django.contrib.auth.tokens import PasswordResetTokenGenerator

    link = link_in(appoint_on_the_page(sign_in("district_officer")))
    now = PasswordResetTokenGenerator._now
    monkeypatch.setattr(
        PasswordResetTokenGenerator, "_now", lambda self: now(self) + timedelta(days=days)
    )
    if works:
        set_password(link)
    else:
        assert "password1" not in Client().get(link, follow=True).content.decode()
    monkeypatch.undo()
    assert signs_in("new@test.invalid") is works


def test_somebody_with_a_password_is_appointed_without_a_link(sign_in: SignIn) -> None:
    page = appoint_on_the_page(sign_in("district_officer"), "teacher@test.invalid")
    assert "password/reset/key" not in page
    assert "Appointed: Teacher, Head teacher, School N4" in page


def test_a_lost_password_is_replaced_and_the_old_one_ends(world: World, sign_in: SignIn) -> None:
    url = reverse("directory:password_link", args=[world.cast["head"].pk])
    set_password(link_in(sign_in("district_officer").post(url).content.decode()))
    assert signs_in("head@test.invalid")
    assert not signs_in("head@test.invalid", "a long password")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target) == ("directory.password_link", "Head")


def test_no_password_for_somebody_who_holds_more_than_one_may_give(
    world: World, sign_in: SignIn
) -> None:
    """A head of the district who is also an analyst, now or from next month on."""
    head = world.cast["head"]
    actions.appoint(head.person, "analyst", by=world.cast["minister"], starts=day(30))
    url = reverse("directory:password_link", args=[head.pk])
    assert sign_in("district_officer").post(url).status_code == 403
    assert sign_in("minister").post(url).status_code == 200
    with pytest.raises(PermissionDenied):
        actions.password_link(head.person, by=world.cast["district_officer"])


@pytest.mark.parametrize("who", ["nobody", "former_head", "other_head", "minister", "analyst"])
def test_no_password_for_anybody_outside_ones_district_or_above(world: World, who: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.password_link(world.person(who), by=world.cast["district_officer"])


@pytest.mark.parametrize("by", ["analyst", "system_leader", "head", "teacher"])
def test_no_password_from_those_who_do_not_appoint(world: World, by: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.password_link(world.person("partner_head"), by=world.cast[by])


def test_nobody_makes_a_link_for_themselves(world: World) -> None:
    with pytest.raises(PermissionDenied):
        actions.password_link(world.person("minister"), by=world.cast["minister"])
