"""What the front pages say while something is missing, and what they leave out for cause."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from brightspots_web.directory.models import School
from brightspots_web.home.navigation import navigation_for
from brightspots_web.insight import variability_charts
from brightspots_web.insight.models import Variance
from tests.web.conftest import SignIn
from tests.web.world import FORMED, World


def words(client: Client, name: str, **kwargs: Any) -> str:
    return client.get(reverse(name, kwargs=kwargs)).content.decode()


def test_without_open_schools_the_analyst_is_led_to_the_import_and_the_minister_told_who_does_it(
    sign_in: SignIn,
) -> None:
    School.objects.update(closed=FORMED)
    analyst, minister = (words(sign_in(who), "home:ministry") for who in ("analyst", "minister"))
    assert "No schools yet" in analyst
    assert f'class="button" href="{reverse("imports:new")}"' in analyst
    assert "No schools yet" in minister
    assert reverse("imports:new") not in minister


def test_without_an_analysis_the_analyst_is_led_to_it_and_the_officer_told_who_does_it(
    sign_in: SignIn, world: World
) -> None:
    assert f'href="{reverse("insight:start")}"' in words(sign_in("analyst"), "home:ministry")
    officer = words(sign_in("district_officer"), "home:area", pk=world.areas["North"].pk)
    assert "No analysis yet" in officer
    assert reverse("insight:start") not in officer
    assert "Schools and their partnerships" in officer  # what is known is shown all the same


def test_a_partnership_without_a_leader_says_what_happens_next(
    sign_in: SignIn, world: World
) -> None:
    link = f'href="{reverse("directory:people")}"'
    page = words(sign_in("minister"), "connectedness:partnership", code="P-LOWER")
    assert "waits for its system leader" in page
    assert "Appoint the system leader" in page
    assert link in page
    led = words(sign_in("minister"), "connectedness:partnership", code="P-UPPER")
    assert "waits for its system leader" not in led


@pytest.mark.parametrize(
    ("tier", "units", "shown"),
    [
        ("area:1", 4, False),
        ("area:1", 5, True),
        ("area:1", 0, True),  # the number is not on record
        ("school", 3, True),
        ("pupil", 2, True),
    ],
)
def test_fewer_than_five_areas_cannot_tell(tier: str, units: int, shown: bool) -> None:
    assert variability_charts.tells(Variance(tier=tier, units=units)) is shown


def test_home_is_marked_on_the_own_front_page_alone(world: World) -> None:
    head = world.cast["head"]
    own = navigation_for(head, "/schools/N2/")
    assert [item.label for item in own if item.current] == ["Home"]
    other = navigation_for(head, "/schools/N3/")
    assert [item.label for item in other if item.current] == ["Schools"]
