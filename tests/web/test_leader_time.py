"""Where time goes: a week written quickly, one's own balance, that of five people or none."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean, stdev

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness.models import DeploymentLog
from brightspots_web.devolution import meeting_attendance_actions as attending
from brightspots_web.devolution.meeting_time_queries import hours_met
from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import development_keeping_actions as keeping
from brightspots_web.leaders import time_actions as actions
from brightspots_web.leaders import time_known
from brightspots_web.leaders import time_queries as queries
from brightspots_web.leaders.models import TimeSpent
from tests.web.conftest import SignIn
from tests.web.development_helpers import more_leaders, today
from tests.web.meeting_helpers import going_on
from tests.web.permission_matrix import CAST
from tests.web.support_helpers import begun
from tests.web.world import World

ON = list(TimeSpent.On.values)
URL = "leaders:time"


def monday(weeks_ago: int = 0) -> date:
    return queries.monday_of(today()) - timedelta(weeks=weeks_ago)


def spent(acting: Appointment, *hours: float, ago: int = 1) -> None:
    said = {on: Decimal(str(each)) for on, each in zip(ON, hours, strict=False)}
    actions.write_week(monday(ago), said, by=acting)


# A week


def test_a_week_is_written_and_written_anew_in_its_place(world: World, sign_in: SignIn) -> None:
    client = sign_in("system_leader")
    assert client.post(reverse(URL), {"support": "3.5", "direction": "2"}).status_code == 302
    assert client.post(reverse(URL), {"support": "4", "note": "A visit."}).status_code == 302
    rows = TimeSpent.objects.all()
    assert [(row.on, row.hours, row.week) for row in rows] == [("support", Decimal(4), monday())]
    page = client.get(reverse(URL)).content.decode()
    assert 'value="4.0"' in page
    assert "A visit." in page


def test_hours_of_one_school_stand_beside_the_others(world: World, sign_in: SignIn) -> None:
    leader, school = world.cast["system_leader"], world.schools["N3"]
    spent(leader, 5, ago=0)
    actions.write_week(monday(), {"support": Decimal(3)}, by=leader, school=school)
    assert TimeSpent.objects.count() == 2
    page = sign_in("system_leader").get(reverse(URL)).content.decode()
    assert "8 hours" in page
    assert "School N3" in page
    with pytest.raises(PermissionDenied):
        actions.write_week(monday(), {"support": Decimal(3)}, by=leader, school=world.schools["E2"])


@pytest.mark.parametrize(
    ("week", "hours", "words"),
    [
        (monday(-1), 3, "still to come"),
        (monday(27), 3, "half a year"),
        (monday() + timedelta(days=1), 3, "begins on Monday"),
        (monday(1), 81, "Between 0 and 80"),
        (monday(1), -1, "Between 0 and 80"),
    ],
)
def test_what_cannot_be_is_refused(world: World, week: date, hours: int, words: str) -> None:
    if week > today() and "Monday" in words:
        week -= timedelta(weeks=1)
    with pytest.raises(ValidationError, match=words):
        actions.write_week(week, {"support": Decimal(hours)}, by=world.cast["system_leader"])


def test_a_week_has_at_most_eighty_hours_over_all_schools(world: World) -> None:
    leader = world.cast["system_leader"]
    spent(leader, 40, 30)
    with pytest.raises(ValidationError, match="more than 80"):
        actions.write_week(
            monday(1), {"support": Decimal(11)}, by=leader, school=world.schools["N2"]
        )
    spent(leader, 40, 30)  # written anew it does not count twice


def test_a_number_too_large_comes_back_with_what_was_typed(world: World, sign_in: SignIn) -> None:
    answer = sign_in("system_leader").post(reverse(URL), {"support": "99", "note": "Typed."})
    assert answer.status_code == 200
    assert "Typed." in answer.content.decode()
    assert not TimeSpent.objects.exists()


@pytest.mark.parametrize("who", sorted(set(CAST) - {"anonymous", "nobody", "former_head"}))
def test_nobody_sees_anybody_elses_hours(world: World, sign_in: SignIn, who: str) -> None:
    leader = world.cast["system_leader"]
    actions.write_week(
        monday(1), {"support": Decimal("17.5")}, by=leader, note="Between the two of us."
    )
    client = sign_in(who)
    own = who == "system_leader"
    for name, args in ((URL, []), ("leaders:time_export", ["csv"]), ("leaders:me", []),
                       ("leaders:time_balance", []), ("shared:audit", []),
                       ("leaders:profile", [leader.person_id])):  # fmt: skip
        body = client.get(reverse(name, args=args)).getvalue().decode()
        found = "17.5" in body
        assert found == (own and name in {URL, "leaders:time_export"}), name
        assert "Between the two of us" not in body or own, name


# What is known already


@pytest.fixture
def a_source() -> Iterator[None]:
    """A higher layer that knows of an hour and a half of a meeting in every week."""

    def meetings(person: int, first: date, last: date) -> list[time_known.Known]:
        assert last == first + timedelta(days=6)
        return [time_known.Known("collaboration", Decimal("1.5"), "A meeting on Tuesday")]

    time_known.register(meetings)
    time_known.register(meetings)
    yield
    time_known._SOURCES.remove(meetings)


@pytest.mark.usefixtures("a_source")
def test_what_the_system_knows_is_filled_in_and_not_asked(world: World, sign_in: SignIn) -> None:
    deployment = begun(world)
    giver = deployment.giver
    assert giver is not None
    DeploymentLog.objects.create(
        deployment=deployment, on=monday(), days=Decimal("1.5"), by="x", at=deployment.agreed_at
    )
    DeploymentLog.objects.create(
        deployment=deployment, on=monday() - timedelta(days=1), days=5, by="x",
        at=deployment.agreed_at,
    )  # fmt: skip
    known = time_known.known(giver.pk, monday())
    assert [(each.on, each.hours) for each in known] == [
        ("support", Decimal("10.5")), ("collaboration", Decimal("1.5")),
    ]  # fmt: skip
    who = next(name for name, each in world.cast.items() if each.person == giver)
    client = sign_in(who)
    page = client.get(reverse(URL)).content.decode()
    assert 'value="10.5"' in page
    assert "1.5 days of support at" in page
    assert "A meeting on Tuesday" in page
    client.post(reverse(URL), {"support": "9"})
    page = client.get(reverse(URL)).content.decode()
    assert 'value="9.0"' in page  # what was written goes before what is known
    assert 'value="1.5"' not in page


def test_a_meeting_one_was_at_counts_as_collaboration(world: World) -> None:
    meeting = going_on(world)
    leader, head = world.person("system_leader").pk, world.person("head").pk
    monday = queries.monday_of(timezone.localdate(meeting.starts_at))
    first, last = monday, monday + timedelta(days=6)
    assert hours_met(leader, first, last) == []  # nobody is on record as having been there
    attending.arrive(meeting.code, by=world.cast["head"])
    for person in (leader, head):
        (known,) = hours_met(person, first, last)
        assert (known.on, known.hours) == ("collaboration", Decimal("1.5"))
        assert "Upper partnership" in known.words
    assert hours_met(world.person("partner_head").pk, first, last) == []
    assert hours_met(leader, first - timedelta(weeks=1), last - timedelta(weeks=1)) == []


# The balance


def test_the_own_balance_is_of_ten_weeks_in_the_same_order(world: World, sign_in: SignIn) -> None:
    leader = world.cast["system_leader"]
    spent(leader, 6, 2, 1, 1, ago=0)
    spent(leader, 4, 4, 1, 1, ago=9)
    spent(leader, 40, ago=10)
    page = sign_in("system_leader").get(reverse(URL))
    chart = page.context["shares"]
    assert chart.rows == (
        ("support", "50%"), ("collaboration", "30%"), ("accountability", "10%"),
        ("instructional direction", "10%"),
    )  # fmt: skip
    assert "2 of these ten weeks" in page.content.decode()
    rows = page.context["stacks"].rows
    assert len(rows) == 10
    assert rows[0][1:] == ("6.0", "2.0", "1.0", "1.0", "10.0")
    assert rows[1][-1] == "0.0"


HOURS = [(8, 2, 0, 0), (5, 5, 0, 0), (2, 2, 4, 2), (1, 1, 1, 1), (6, 0, 0, 2), (4, 4, 4, 4)]


def five_or_more(world: World, number: int) -> list[Appointment]:
    people = more_leaders(world, number)
    for acting, hours in zip(people, HOURS, strict=False):
        spent(acting, *hours)
    return people


def test_of_four_people_there_is_no_balance(world: World, sign_in: SignIn) -> None:
    five_or_more(world, 4)
    spent(world.cast["district_officer"], 8)  # the reader is not one of five
    for who in ("district_officer", "other_district_officer"):
        found = queries.tier_balance(world.cast[who])
        assert (found.n, found.parts) == (None, ())
        page = sign_in(who).get(reverse("leaders:time_balance")).content.decode()
        assert "Too few people" in page
        assert "%" not in page.split("<main")[1].split("</main>")[0]
        file = sign_in(who).get(reverse("leaders:time_balance_export", args=["csv"]))
        assert len(file.getvalue().decode().strip().splitlines()) == 1
    assert queries.tier_balance(world.cast["minister"]).n == 5  # with the officer


def test_of_six_the_balance_has_its_n_dates_interval_and_spread(
    world: World, sign_in: SignIn
) -> None:
    five_or_more(world, 6)
    found = queries.tier_balance(world.cast["district_officer"])
    shares = [hours[0] / sum(hours) for hours in HOURS]
    support = found.parts[0]
    assert found.n == 6
    assert support.on == "support"
    assert support.share == pytest.approx(fmean(shares))
    assert support.spread == pytest.approx(stdev(shares))
    half = 2.5706 * stdev(shares) / 6**0.5  # Student's t, 5 degrees of freedom
    assert support.upper - support.share == pytest.approx(half, rel=0.003)
    assert sum(each.share for each in found.parts) == pytest.approx(1)
    assert (found.last - found.first).days == 69
    assert found.last < monday()
    page = sign_in("district_officer").get(reverse("leaders:time_balance")).content.decode()
    assert "6 people" in page
    assert "Student’s t" in page
    file = sign_in("minister").get(reverse("leaders:time_balance_export", args=["csv"]))
    assert len(file.getvalue().decode().strip().splitlines()) == 5


@pytest.mark.parametrize(("df", "t"), [(4, 2.7764), (5, 2.5706), (9, 2.2622), (60, 2.0003)])
def test_students_t_as_in_the_tables(df: int, t: float) -> None:
    assert queries._t(df) == pytest.approx(t, rel=0.003)


def test_an_officer_sees_the_area_and_this_week_is_not_in_it(world: World) -> None:
    people = five_or_more(world, 5)
    before = queries.tier_balance(world.cast["district_officer"])
    spent(people[0], 0, 0, 40, ago=0)
    assert queries.tier_balance(world.cast["district_officer"]) == before
    assert queries.tier_balance(world.cast["other_district_officer"]).n is None
    for who in ("system_leader", "head", "analyst"):
        assert queries.tier_balance(world.cast[who]).n is None


def test_the_own_page_asks_the_database_no_more_often_for_more_weeks(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("system_leader")
    spent(world.cast["system_leader"], 4)
    client.get(reverse(URL))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse(URL))
    for ago in range(2, 20):
        spent(world.cast["system_leader"], 4, 2, 1, ago=ago)
    with CaptureQueriesContext(connection) as many:
        client.get(reverse(URL))
    assert len(many) <= len(few)


def test_hours_are_kept_for_three_years(world: World) -> None:
    spent(world.cast["system_leader"], 4)
    assert keeping.forget(today() + timedelta(days=3 * 365 - 21))["hours"] == 0
    assert keeping.forget(today() + timedelta(days=3 * 365 + 15))["hours"] == 1
