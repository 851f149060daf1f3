"""The isolation register: exactly the open schools in no partnership, each with what is known."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from brightspots_web.connectedness import actions, queries
from brightspots_web.directory.models import Membership, School
from tests.web.conftest import SignIn
from tests.web.test_connectedness import result
from tests.web.world import World, build


def register(world: World, who: str = "minister", area: str = "") -> dict[str, str | None]:
    """Code -> reason."""
    rows = queries.isolated_schools(world.cast[who], world.areas[area] if area else None)
    return {row.code: row.reason for row in rows}  # type: ignore[attr-defined] # annotated


def isolate(*codes: str) -> None:
    Membership.objects.filter(school__code__in=codes).update(ends=timezone.localdate())


def test_it_lists_exactly_the_schools_with_no_live_membership(world: World) -> None:
    assert register(world) == {"W1": None}
    isolate("N3", "E1")
    assert set(register(world)) == {"W1", "N3", "E1"}


def test_a_closed_school_is_not_isolated(world: World) -> None:
    today = timezone.localdate()
    School.objects.filter(code="W1").update(closed=today)
    assert register(world) == {}
    School.objects.filter(code="W1").update(closed=today + timedelta(days=1))
    assert set(register(world)) == {"W1"}


def test_a_membership_to_come_does_not_help_yet(world: World) -> None:
    Membership.objects.create(
        partnership=world.partnerships["East"],
        school=world.schools["W1"],
        starts=timezone.localdate() + timedelta(days=1),
    )
    assert set(register(world)) == {"W1"}


def test_the_reason_is_the_one_known_last(world: World) -> None:
    for job, reason in enumerate(["too far", "no road", "on an island"]):
        actions.keep_proposal(result({"N1": ["N1", "N2"]}, {"W1": reason}), job=job)
    assert register(world) == {"W1": "on an island"}


@pytest.mark.parametrize(
    ("who", "codes"),
    [
        ("minister", {"W1", "N3"}),
        ("district_officer", {"N3"}),
        ("other_district_officer", {"W1"}),
    ],
)
def test_each_sees_the_isolated_schools_of_their_own_area(
    world: World, sign_in: SignIn, who: str, codes: set[str]
) -> None:
    isolate("N3")
    assert set(register(world, who)) == codes
    client = sign_in(who)
    answer = client.get(reverse("connectedness:isolation_export", args=["csv"]))
    lines = b"".join(answer).decode("utf-8-sig").splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == codes
    counts = queries.connectedness(world.cast[who])
    assert counts.isolated == len(codes)


def test_an_unknown_reason_is_said_in_words(sign_in: SignIn) -> None:
    page = sign_in("minister").get(reverse("connectedness:isolation")).content.decode()
    assert "no partnerships have been proposed since" in page


@hypothesis_settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_counts_equal_lists_whatever_is_isolated_or_closed(
    world: World, data: st.DataObject
) -> None:
    codes = sorted(world.schools)
    some = st.sets(st.sampled_from(codes))
    alone, closed = data.draw(some, label="isolated"), data.draw(some, label="closed")
    today = timezone.localdate()
    Membership.objects.update(ends=None)
    School.objects.update(closed=None)
    isolate(*alone)
    School.objects.filter(code__in=closed).update(closed=today)
    for who in ("minister", "district_officer", "other_district_officer"):
        acting = world.cast[who]
        areas = [a for a in world.areas.values() if a.name in {"North", "South", "Upper", "West"}]
        by_area = queries.isolation_by_area(acting, areas)
        for area in areas:
            counts = queries.connectedness(acting, area)
            listed = register(world, who, area.name)
            assert counts.isolated == len(listed) == by_area[area.pk][1]
            assert counts.schools == by_area[area.pk][0]
    assert set(register(world)) == ({"W1"} | alone) - closed


def test_the_whole_is_the_sum_of_its_areas(db: None) -> None:
    world = build()
    isolate("N3", "L2")
    counts = queries.isolation_by_area(
        world.cast["minister"], [world.areas[n] for n in ("Testland", "North", "South")]
    )
    pairs = {area.name: counts[area.pk] for area in world.areas.values() if area.pk in counts}
    assert pairs == {"Testland": (14, 3), "North": (10, 2), "South": (4, 1)}
