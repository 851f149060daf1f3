"""What each role sees, by lists that a person can check against `world.py`; the list of schools."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from brightspots_web.directory import actions, queries
from brightspots_web.directory.models import Appointment, Membership
from tests.web.conftest import SignIn
from tests.web.world import World

UPPER = {"N1", "N2", "N3", "N4", "N5", "N6"}
LOWER = {"L1", "L2", "L3", "L4"}
EAST = {"E1", "E2", "E3"}
ALL = UPPER | LOWER | EAST | {"W1"}
EVERY_AREA = {"Testland", "North", "South", "Upper", "Lower", "East", "West"}

SEES: dict[str, tuple[set[str], set[str], set[str]]] = {
    "minister": (ALL, {"Upper", "Lower", "East"}, EVERY_AREA),
    "analyst": (ALL, {"Upper", "Lower", "East"}, EVERY_AREA),
    "district_officer": (UPPER | LOWER, {"Upper", "Lower"}, {"North", "Upper", "Lower"}),
    "other_district_officer": (EAST | {"W1"}, {"East"}, {"South", "East", "West"}),
    "system_leader": (UPPER, {"Upper"}, set()),
    "other_system_leader": (EAST, {"East"}, set()),
    "head": (UPPER, {"Upper"}, set()),
    "partner_head": (UPPER, {"Upper"}, set()),
    "other_head": (EAST, {"East"}, set()),
    "teacher": (UPPER, {"Upper"}, set()),
}


def seen(acting: Appointment | None) -> tuple[set[str], set[str], set[str]]:
    schools = queries.schools_visible_to(acting).values_list("code", flat=True)
    partnerships = queries.partnerships_visible_to(acting).values_list("name", flat=True)
    areas = queries.areas_visible_to(acting).values_list("name", flat=True)
    return set(schools), {name.split()[0] for name in partnerships}, set(areas)


@pytest.mark.parametrize("who", SEES)
def test_each_sees_their_own_and_no_more(world: World, who: str) -> None:
    assert seen(world.cast[who]) == SEES[who]


def test_without_an_appointment_one_sees_nothing(world: World) -> None:
    assert seen(None) == (set(), set(), set())


def test_a_head_of_a_school_in_no_partnership_sees_that_school_alone(world: World) -> None:
    made = actions.appoint(
        world.person("nobody"), "head", by=world.cast["minister"], school=world.schools["W1"]
    )
    assert seen(made) == ({"W1"}, set(), set())


def test_an_area_whose_key_begins_like_anothers_is_not_taken_for_it(world: World) -> None:
    """Paths are compared by their start: area 1 must not contain area 12."""
    upper = world.areas["Upper"]
    stranger = world.areas["West"]
    stranger.path = upper.path.rstrip("/") + "0/"
    stranger.save()
    assert "W1" not in set(
        queries.schools_visible_to(world.cast["minister"])
        .filter(queries.within(upper))
        .values_list("code", flat=True)
    )


def test_a_school_that_leaves_its_partnership_is_out_of_its_members_sight(world: World) -> None:
    today = timezone.localdate()
    Membership.objects.filter(school=world.schools["N3"]).update(ends=today)
    assert seen(world.cast["head"])[0] == UPPER - {"N3"}
    assert seen(world.cast["partner_head"])[:2] == ({"N3"}, set())


def test_a_school_that_closes_leaves_its_partnership(world: World) -> None:
    school = world.schools["N3"]
    school.closed = timezone.localdate()
    school.save()
    upper = world.partnerships["Upper"]
    members = queries.memberships_of(upper).values_list("school__code", flat=True)
    assert set(members) == UPPER - {"N3"}
    assert school.pk not in queries.members_by_partnership()[upper.pk]
    assert queries.partnership_of(school) is None
    assert seen(world.cast["head"])[0] == UPPER - {"N3"}


# The list of schools


def listed(client: Any, **search: str) -> set[str]:
    page = client.get(reverse("directory:schools_export", args=["csv"]), search)
    lines = b"".join(page).decode("utf-8-sig").splitlines()[1:]
    return {line.split(",")[0] for line in lines}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({}, UPPER | LOWER),
        ({"q": "school n"}, UPPER),
        ({"q": "l2"}, {"L2"}),
        ({"area": "upper"}, UPPER),
        ({"area": "East"}, set()),
        ({"area": "Atlantis"}, set()),
        ({"phase": "primary"}, UPPER | LOWER),
        ({"connected": "no"}, set()),
        ({"within": "x"}, set()),
        ({"within": "99999999"}, set()),
    ],
)
def test_a_search_narrows_what_one_sees(
    sign_in: SignIn, search: dict[str, str], found: set[str]
) -> None:
    assert listed(sign_in("district_officer"), **search) == found


def test_the_schools_in_no_partnership_are_found(sign_in: SignIn) -> None:
    assert listed(sign_in("minister"), connected="no") == {"W1"}


@pytest.mark.parametrize("search", ["?q='%22%25_\\", "?page=-1", "?page=x", "?phase=zzz"])
def test_odd_searches_show_a_page(sign_in: SignIn, search: str) -> None:
    assert sign_in("minister").get(reverse("directory:schools") + search).status_code == 200


def test_an_address_with_a_null_character_is_not_found_in_words(sign_in: SignIn) -> None:
    answer = sign_in("minister").get(reverse("directory:schools") + "?q=%00")
    assert answer.status_code == 404
    assert b"<h1>" in answer.content


def test_the_list_of_schools_asks_few_questions(
    sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in("minister")
    with django_assert_max_num_queries(9):
        client.get(reverse("directory:schools"))
