"""The list of support under way: each sees what is theirs, and a passed end is said kindly."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from brightspots_web.connectedness import support_deployment_actions as under_way
from brightspots_web.connectedness import support_extension_actions as extending
from brightspots_web.connectedness import support_running_queries as queries
from brightspots_web.connectedness import support_running_views as views
from brightspots_web.connectedness.models import Deployment
from brightspots_web.connectedness.support_running_queries import Narrowed
from tests.web import support_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.test_support_pages import STIGMA
from tests.web.world import World

LIST = "connectedness:support_running"


def codes(found: Any) -> list[str]:
    return [each.receiving.code for each in found]


def rows_of(client: Client, **narrowed: str) -> list[dict[str, str]]:
    answer = client.get(reverse(f"{LIST}_export", args=["csv"]), narrowed)
    assert answer.status_code == 200
    text = b"".join(answer).decode("utf-8-sig")
    start = text.index("Code of the school that receives")
    return list(csv.DictReader(io.StringIO(text[start:])))


@pytest.fixture
def three(world: World) -> dict[str, Deployment]:
    """N2 by N1, its end passed; N4 by N3, ending soon; E2 by E3 in the other county."""
    number = helpers.a_priority("number", "Mathematics")
    today = helpers.today()
    found = {
        "N2": helpers.begun(world, "N2", "N1", exit_on=today - timedelta(days=1)),
        "N4": helpers.begun(world, "N4", "N3", exit_on=today + timedelta(days=14)),
    }
    match = helpers.accepted(world, "E2", "E3", priority=number)
    found["E2"] = under_way.begin(
        match,
        by=helpers.a_head(world, "E3"),
        aim="(Invented.) Aim.",
        days=match.request.days,
        starts=today - timedelta(days=9),
        exit_on=today + timedelta(days=60),
    )
    return found


def test_each_sees_what_is_theirs_the_nearest_end_first(
    world: World, three: dict[str, Deployment]
) -> None:
    seen = {who: codes(queries.under_way(acting)) for who, acting in world.cast.items()}
    assert seen["minister"] == ["N2", "N4", "E2"]
    assert seen["district_officer"] == ["N2", "N4"]
    assert seen["other_district_officer"] == ["E2"]
    assert seen["head"] == ["N2"]
    assert "N2" in seen["system_leader"]
    assert "E2" not in seen["system_leader"]
    assert seen["other_system_leader"] == ["E2"]
    assert seen["analyst"] == []
    assert not queries.may_list(world.cast["analyst"])


def test_what_is_over_is_not_under_way(world: World, three: dict[str, Deployment]) -> None:
    Deployment.objects.filter(pk=three["N2"].pk).update(state="finished")
    assert codes(queries.under_way(world.cast["minister"])) == ["N4", "E2"]


def test_narrowed_by_area_priority_and_end(world: World, three: dict[str, Deployment]) -> None:
    minister = world.cast["minister"]
    area = world.schools["E2"].area
    for narrowed, expected in (
        (Narrowed(area=area), ["E2"]),
        (Narrowed(area=world.areas["North"]), ["N2", "N4"]),
        (Narrowed(priority=three["E2"].priority), ["E2"]),
        (Narrowed(priority=three["N2"].priority), ["N2", "N4"]),
        (Narrowed(end="passed"), ["N2"]),
        (Narrowed(end="soon"), ["N4"]),
        (Narrowed(area=area, end="passed"), []),
    ):
        assert codes(queries.under_way(minister, narrowed)) == expected


def test_an_end_today_is_soon_and_one_in_fifteen_days_is_not(
    world: World, three: dict[str, Deployment]
) -> None:
    minister, today = world.cast["minister"], helpers.today()
    for days, end in ((-1, "passed"), (0, "soon"), (14, "soon"), (15, "")):
        Deployment.objects.filter(pk=three["E2"].pk).update(exit_on=today + timedelta(days=days))
        for each in ("passed", "soon"):
            assert ("E2" in codes(queries.under_way(minister, Narrowed(end=each)))) == (each == end)


def test_an_end_that_passed_is_said_kindly(
    world: World, three: dict[str, Deployment], sign_in: SignIn
) -> None:
    minister = sign_in("minister")
    page = minister.get(reverse(LIST)).content.decode()
    assert "time to report, or to agree on a later end" in page
    assert "ends soon" in page
    content = page[page.index("<main") : page.index("</main")].lower()
    assert not [word for word in (*STIGMA, "late</", "overdue") if word in content]
    extending.propose_extension(
        three["N2"],
        by=helpers.a_head(world, "N2"),
        exit_on=helpers.today() + timedelta(days=30),
        days=three["N2"].days,
        why="(Invented.) Why.",
    )
    assert "a later end is proposed" in minister.get(reverse(LIST)).content.decode()


def test_the_export_holds_what_is_narrowed_to_and_nobody_s_words(
    world: World, three: dict[str, Deployment], sign_in: SignIn
) -> None:
    for days in range(2):  # two entries are one sum, and no second row
        helpers.logged(
            three["N2"], helpers.a_head(world, "N1"), on=helpers.today() - timedelta(days=days)
        )
    rows = rows_of(sign_in("district_officer"), end="passed")
    assert [row["Code of the school that receives"] for row in rows] == ["N2"]
    assert float(rows[0]["Days used"]) == 2
    assert "SECRET" not in str(rows)
    assert "Each class reads aloud" not in str(rows)
    minister = sign_in("minister")
    assert len(rows_of(minister)) == 3
    answer = minister.get(reverse(f"{LIST}_export", args=["csv"]), {"area": "Nowhere at all"})
    assert answer.status_code == 404


def test_a_school_cannot_narrow_by_area_and_an_unknown_area_is_said(
    world: World, three: dict[str, Deployment], sign_in: SignIn
) -> None:
    assert "area" not in sign_in("head").get(reverse(LIST)).context["form"].fields
    page = sign_in("minister").get(reverse(LIST), {"area": "Nowhere at all"}).content.decode()
    assert "There is no such area" in page


def test_pages_ask_as_many_questions_however_many_there_are(
    world: World,
    three: dict[str, Deployment],
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    monkeypatch.setattr(views, "PAGE", 2)
    minister = sign_in("minister")
    first = minister.get(reverse(LIST))
    assert len(first.context["page"]) == 2
    assert len(minister.get(reverse(LIST), {"page": 2}).context["page"]) == 1
    monkeypatch.setattr(views, "PAGE", 20)
    with django_assert_max_num_queries(14):
        minister.get(reverse(LIST))
