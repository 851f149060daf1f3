"""Who helps whom: what is shown to whom, narrowed to what; giving and receiving alike."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import network_queries as queries
from brightspots_web.connectedness.models import Deployment, Practice, PracticeAdoption
from brightspots_web.connectedness.network_queries import Search, Span
from brightspots_web.directory.models import Cycle, School
from tests.web.conftest import SignIn
from tests.web.test_contact_definition import a_deployment
from tests.web.world import World

AT = "2026-01-01T00:00Z"
SPRING = Span("y", "spring", date(2026, 1, 1), date(2026, 6, 1))


@pytest.fixture
def helped(world: World) -> World:
    """L1 supports N2 and E2; N1's practice went to N3 and from there to E1."""
    for school in ("N2", "E2"):
        a_deployment(world, school, exit_on=date(2026, 9, 1))
    other = Priority.objects.create(code="number", title="Number", starts=date(2020, 1, 1))
    practice = Practice.objects.create(
        code="fours", title="Fours by turns", school=world.schools["N1"], priority=other,
        language="en", summary="s", context="c", what_to_do="w", what_it_takes="t",
        state="published", written_by="b", written_at=AT, changed_at=AT,
    )  # fmt: skip
    first = PracticeAdoption.objects.create(
        practice=practice, school=world.schools["N3"], on=date(2026, 2, 1), by="b", at=AT
    )
    PracticeAdoption.objects.create(
        practice=practice, school=world.schools["E1"], source=first, on=date(2026, 8, 1),
        by="b", at=AT,
    )  # fmt: skip
    return world


def pairs(world: World, who: str = "minister", **search: object) -> set[tuple[str, str, str]]:
    found = queries.help_between(world.cast[who], Search(**search))  # type: ignore[arg-type]
    return {(each.giving.code, each.receiving.code, each.kind) for each in found}


ALL = {
    ("L1", "N2", "support"),
    ("L1", "E2", "support"),
    ("N1", "N3", "practice"),
    ("N3", "E1", "practice"),
}


def test_support_and_practices_lead_from_who_gives_to_who_receives(helped: World) -> None:
    assert pairs(helped) == ALL


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("analyst", ALL),
        ("district_officer", ALL),  # North has a side of each
        ("other_district_officer", {("L1", "E2", "support"), ("N3", "E1", "practice")}),
        ("system_leader", ALL - {("L1", "E2", "support")}),
        ("head", ALL - {("L1", "E2", "support")}),
        ("other_head", {("L1", "E2", "support"), ("N3", "E1", "practice")}),
    ],
)
def test_each_sees_the_help_of_which_a_side_is_theirs_to_see(
    helped: World, sign_in: SignIn, who: str, seen: set[tuple[str, str, str]]
) -> None:
    assert pairs(helped, who) == seen
    answer = sign_in(who).get(reverse("connectedness:network_export", args=["csv"]))
    rows = [line.split(",") for line in b"".join(answer).decode("utf-8-sig").splitlines()[1:]]
    assert {(row[0], row[2]) for row in rows} == {(a, b) for a, b, _kind in seen}


def test_a_school_that_may_not_be_opened_is_named_but_not_linked(
    helped: World, sign_in: SignIn
) -> None:
    page = sign_in("head").get(reverse("connectedness:network")).content.decode()
    assert "School L1" in page
    assert reverse("home:school", args=["L1"]) not in page
    assert reverse("home:school", args=["N3"]) in page


def test_it_is_narrowed_by_priority_kind_area_and_time(helped: World) -> None:
    number = Priority.objects.get(code="number").pk
    assert pairs(helped, priority=number) == {t for t in ALL if t[2] == "practice"}
    assert pairs(helped, kind="support") == {t for t in ALL if t[2] == "support"}
    assert pairs(helped, area=helped.areas["East"]) == {t for t in ALL if t[1].startswith("E")}
    assert pairs(helped, span=SPRING) == ALL - {("N3", "E1", "practice")}
    autumn = Span("y", "autumn", date(2026, 9, 2), date(2027, 1, 1))
    assert pairs(helped, span=autumn) == {t for t in ALL if t[2] == "practice"}
    Deployment.objects.filter(receiving__code="N2").update(ended_on=date(2025, 12, 31))
    assert ("L1", "N2", "support") not in pairs(helped, span=SPRING)


def test_a_practice_counts_as_long_as_it_is_in_use_and_no_draft_does(helped: World) -> None:
    PracticeAdoption.objects.filter(school__code="N3").update(stopped_on=date(2026, 1, 1))
    assert ("N1", "N3", "practice") not in pairs(helped, span=SPRING)
    Practice.objects.update(state="draft")
    assert pairs(helped) == {t for t in ALL if t[2] == "support"}


def test_times_are_the_cycles_and_without_cycles_the_years(helped: World) -> None:
    this = timezone.localdate().year
    years = [str(year) for year in range(this, 2025, -1)]
    assert [span.label for span in queries.spans()] == years
    Cycle.objects.create(name="Term 1", starts=date(2026, 1, 1), ends=date(2026, 4, 1))
    assert [(s.label, s.starts) for s in queries.spans()] == [("Term 1", date(2026, 1, 1))]


def test_the_page_has_drawing_map_and_list_with_both_sides_of_each_school(
    helped: World, sign_in: SignIn
) -> None:
    page = sign_in("minister").get(reverse("connectedness:network")).content.decode()
    for words in (
        "Who helps whom, on the map",
        "3 schools give. 4 schools receive. 1 of them does both.",
        "gives to",
        "receives from",
        "School E1: Fours by turns (a practice taken up, from",
    ):
        assert words in page, words
    assert page.count(">gives to<") == page.count(">receives from<") == 6
    assert page.count('class="map"') == 1


def test_nothing_to_show_is_said(world: World, sign_in: SignIn) -> None:
    client, url = sign_in("head"), reverse("connectedness:network")
    assert b"Once a school supports another" in client.get(url).content
    assert b"Clear the filter" in client.get(url + "?kind=support").content


@pytest.mark.parametrize("query", ["?priority=x", "?span=y1", "?kind=gossip", "?area=Nowhere"])
def test_a_filter_that_makes_no_sense_is_no_error(
    helped: World, sign_in: SignIn, query: str
) -> None:
    client = sign_in("minister")
    assert client.get(reverse("connectedness:network") + query).status_code == 200
    export = reverse("connectedness:network_export", args=["csv"]) + query
    assert client.get(export).status_code == 404


def test_statements_do_not_grow_with_the_help(
    helped: World, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    practice = Practice.objects.get()
    for i in range(70):
        school = School.objects.create(code=f"X{i}", name=f"X{i}", area=helped.areas["West"])
        PracticeAdoption.objects.create(
            practice=practice, school=school, on=date(2026, 3, 1) + timedelta(days=i), by="b", at=AT
        )
    client = sign_in("minister")
    client.get(reverse("connectedness:network"))
    with django_assert_max_num_queries(20):  # type: ignore[operator] # a fixture's type
        page = client.get(reverse("connectedness:network")).content.decode()
    assert "too many schools to draw them by name" in page
