"""How much data is used: counted without a person, shown without few."""

import threading
from datetime import date, timedelta

import pytest
from django.db import OperationalError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from brightspots_web.devolution import use_actions as actions
from brightspots_web.devolution import use_queries as queries
from brightspots_web.devolution.models import DataUse
from brightspots_web.directory.models import Area
from brightspots_web.insight.disclosure import FEWEST_SCHOOLS, SMALLEST_ACROSS
from brightspots_web.shared.models import AuditEntry
from tests.web.ballot_helpers import a_head
from tests.web.conftest import SignIn
from tests.web.note_helpers import today
from tests.web.world import World, build

LAST_MONTH = (today().replace(day=1) - timedelta(days=1)).replace(day=1)
LONG_AGO = LAST_MONTH - timedelta(days=40)


def used(
    world: World, area: str | None, times: int, *, on: date | None = None, role: str = "head",
    what: str = "looked",
) -> None:  # fmt: skip
    DataUse.objects.create(
        on=on or LAST_MONTH + timedelta(days=3), role=role, what=what, times=times,
        area=world.areas[area] if area else None,
    )  # fmt: skip


def shown(world: World, who: str = "minister") -> dict[str, int | None]:
    return {
        each.area.name: each.looked for each in queries.areas(world.cast[who], LAST_MONTH)
    }  # fmt: skip


def test_a_look_is_counted_by_day_role_and_area(world: World, sign_in: SignIn) -> None:
    head = sign_in("head")
    head.get("/schools/N2/")
    head.get("/schools/N3/")
    sign_in("minister").get("/schools/N2/")
    sign_in("district_officer").get("/schools/N2/")
    sign_in("head").get("/schools/E2/")  # not theirs to see: nothing was looked at
    rows = DataUse.objects.order_by("role").values_list("role", "area__name", "what", "times", "on")
    assert list(rows) == [
        ("district_officer", "North", "looked", 1, today()),
        ("head", "Upper", "looked", 2, today()),
        ("minister", None, "looked", 1, today()),
    ]
    assert not AuditEntry.objects.exists()
    assert {field.name for field in DataUse._meta.fields} == {
        "id", "on", "area", "role", "what", "times",
    }  # fmt: skip


def test_a_leader_counts_for_the_area_of_the_own_school(world: World) -> None:
    actions.count(world.cast["system_leader"], actions.LOOKED)
    leader = world.cast["other_system_leader"]
    leader.school = None
    leader.save()
    actions.count(leader, actions.LOOKED, times=3)
    actions.count(None, actions.LOOKED)
    rows = DataUse.objects.order_by("area__name").values_list("area__name", "times")
    assert list(rows) == [("East", 3), ("Upper", 1)]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_cannot_take_a_count_does_not_keep_the_page_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = build().cast["head"]

    def locked(*args: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(actions, "_add", locked)
    actions.count(head, actions.LOOKED)
    with pytest.raises(OperationalError), transaction.atomic():
        actions.count(head, actions.CONTRIBUTED)  # what is kept with it is not kept either


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="one writer at a time: SQLite locks the whole file"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["head", "minister"])
def test_many_at_once_are_all_counted(who: str) -> None:
    acting, start = build().cast[who], threading.Barrier(6)
    problems: list[Exception] = []

    def look() -> None:
        try:
            start.wait()
            for _ in range(5):
                actions.count(acting, actions.LOOKED)
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert DataUse.objects.get().times == 30


@pytest.mark.parametrize("who", ["head", "minister"])
def test_one_row_holds_all_of_a_day(world: World, who: str) -> None:
    for _ in range(30):
        actions.count(world.cast[who], actions.LOOKED)
    assert DataUse.objects.get().times == 30


def test_weeks_that_are_over_are_shown_by_tier_and_few_are_withheld(world: World) -> None:
    monday = queries.mondays()[-1]
    for code in ("N4", "E3"):
        a_head(world, code)  # five heads with those of the cast
    used(world, "Upper", 6, on=monday)
    used(world, "East", 5, on=monday + timedelta(days=6))
    used(world, "Upper", 9, on=monday, role="teacher")
    used(world, "Upper", 500, on=monday + timedelta(days=7))  # this week: not over
    found = {
        (each.role, each.monday): each.times
        for each in queries.tiers(world.cast["teacher"])
        if each.what == "looked"
    }
    assert found["head", monday] == 11
    assert found["teacher", monday] is None
    assert found["minister", monday] is None  # one person
    assert len({week for _role, week in found}) == queries.WEEKS
    # An officer sees the own area's.
    north = {
        (each.role, each.monday): each.times
        for each in queries.tiers(world.cast["district_officer"])
        if each.what == "looked"
    }
    assert north["head", monday] is None
    assert queries.tiers(None) == []


def test_an_officer_over_few_schools_sees_no_counts(world: World, sign_in: SignIn) -> None:
    officer = world.cast["other_district_officer"]
    officer.area = world.areas["West"]
    officer.save()
    used(world, "West", 40, on=queries.mondays()[-1])
    assert queries.tiers(officer) == []
    assert "fewer than three schools" in sign_in("other_district_officer").get(
        "/data-use/"
    ).content.decode()  # fmt: skip


def test_only_whole_months_that_were_counted_from_their_first_day_are_shown(world: World) -> None:
    assert queries.months() == []
    used(world, "Upper", 40)
    assert queries.months() == []  # counting began within it
    used(world, "Upper", 40, on=LONG_AGO)
    assert queries.months()[0] == LAST_MONTH
    used(world, "Upper", 40, on=today())
    assert today().replace(day=1) not in queries.months()


def test_areas_are_one_step_down_and_of_schools_alone(world: World) -> None:
    used(world, "Upper", 40)
    used(world, "East", 30)
    used(world, "North", 99, role="district_officer")
    assert shown(world) == {"North": 40, "South": 30}
    assert shown(world, "district_officer") == {"Lower": 0, "Upper": 40}
    assert queries.areas(world.cast["head"], LAST_MONTH) == []


def test_what_speaks_of_few_is_withheld_with_what_would_give_it_away(world: World) -> None:
    used(world, "Upper", 40)
    used(world, "Lower", 7)
    # Of two, either could be had from the sum; both go.
    assert shown(world, "district_officer") == {"Lower": None, "Upper": None}
    used(world, "East", 50)
    used(world, "West", 60)
    # One school in West: it goes, and East with it.
    assert shown(world, "other_district_officer") == {"East": None, "West": None}


def an_area(key: int, name: str) -> Area:
    return Area(pk=key, name=name, path=f"{key}/")


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=9).filter(bool)
)
def test_nobody_works_out_a_small_count_from_the_sum_of_all(rows: list[tuple[int, int]]) -> None:
    inner = [an_area(key, f"A{key}") for key in range(1, len(rows) + 1)]
    counts = {area.pk: count for area, (count, _n) in zip(inner, rows, strict=True)}
    schools = {area.pk: n for area, (_count, n) in zip(inner, rows, strict=True)}
    left = queries.withheld(inner, schools, counts)
    for area in inner:
        few = 0 < counts[area.pk] < SMALLEST_ACROSS or schools[area.pk] < FEWEST_SCHOOLS
        assert not (few and area.pk in left)
    gone = [area.pk for area in inner if area.pk not in left]
    if gone and left:
        # Whoever knows the sum of all knows the sum of these: each may still be anything small.
        assert len(gone) > 1
        assert sum(counts[key] for key in gone) >= 2 * SMALLEST_ACROSS


def test_pages_and_files_hold_the_same_and_nothing_withheld(world: World, sign_in: SignIn) -> None:
    used(world, "Upper", 40, on=LONG_AGO)
    used(world, "Upper", 4321)
    used(world, "Lower", 7)
    officer = sign_in("district_officer")
    page = officer.get("/data-use/").content.decode()
    file = b"".join(officer.get("/data-use/areas.csv")).decode()  # type: ignore[arg-type, call-overload] # streamed
    assert "too few to show" in page
    for text in (page, file):
        assert "4,321" not in text
        assert "4321" not in text
    assert sign_in("head").get("/data-use/areas.csv").status_code == 403
    weeks = b"".join(sign_in("teacher").get("/data-use/tiers.csv")).decode()  # type: ignore[arg-type, call-overload] # streamed
    assert "Head teacher" in weeks
