"""The definition of isolation, beside a plain Python one, over random worlds."""

from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import contact_definition_queries as definition
from brightspots_web.connectedness.contact_definition_queries import NEAR_REASONS, REASONS
from brightspots_web.connectedness.models import (
    Contact,
    Deployment,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.directory.models import Appointment, Membership, Partnership, School
from brightspots_web.shared.permissions import Role
from tests.web.world import World

DAY = date(2026, 3, 10)
LONG = date(2020, 1, 1)


# The second opinion: loops over rows, no conditions, no joins.


def holds(row: Any, on: date) -> bool:
    return bool(row.starts <= on and (row.ends is None or row.ends > on))


def partnership_of(school: School, on: date) -> Partnership | None:
    found = [
        m.partnership
        for m in Membership.objects.select_related("partnership")
        if m.school_id == school.pk
        and holds(m, on)
        and (m.partnership.closed is None or m.partnership.closed > on)
    ]
    return found[0] if found else None


def is_led(partnership: Partnership, on: date) -> bool:
    return any(
        each.partnership_id == partnership.pk and holds(each, on)
        for each in Appointment.objects.filter(role=Role.SYSTEM_LEADER)
    )


def days_of_silence(school: School, on: date, *, without_support: bool = False) -> int | None:
    days = [
        c.on
        for c in Contact.objects.all()
        if c.school_id == school.pk
        and c.on <= on
        and not (without_support and c.kind == Contact.Kind.SUPPORT)
    ]
    days += [
        m.starts for m in Membership.objects.all() if m.school_id == school.pk and m.starts <= on
    ]
    return (on - max(days)).days if days else None


def plain_reasons(school: School, on: date, contact_days: int, smallest: int) -> set[str]:
    found = set()
    partnership = partnership_of(school, on)
    silence = days_of_silence(school, on)
    if partnership is None:
        found.add("no_partnership")
    else:
        with_us = [
            s
            for s in School.objects.all()
            if (s.closed is None or s.closed > on) and partnership_of(s, on) == partnership
        ]
        if len(with_us) <= smallest:
            found.add("small")
        if not is_led(partnership, on):
            found.add("no_leader")
        elif not all(is_led(partnership, on + timedelta(days=n)) for n in range(1, 61)):
            found.add("leader_ends")
    if silence is None or silence >= contact_days:
        found.add("no_contact")
    if silence is None or 5 * silence >= 4 * contact_days:
        found.add("contact_due")
    running = [
        d
        for d in Deployment.objects.all()
        if d.receiving_id == school.pk and d.state == "running" and d.starts <= on
    ]
    others = days_of_silence(school, on, without_support=True)
    alone = others is None or others >= contact_days
    if alone and len(running) == 1 and (running[0].exit_on - on).days <= 60:
        found.add("support_ends")
    return found


def state(reasons: set[str]) -> str:
    if reasons & set(REASONS):
        return "isolated"
    return "near" if reasons & set(NEAR_REASONS) else "connected"


# Random worlds


def a_deployment(world: World, school: str, *, exit_on: date, state: str = "running") -> Deployment:
    """Support that L1 gives; the request and the offer behind it are there for the rows alone."""
    priority, _made = Priority.objects.get_or_create(
        code="reading", defaults={"title": "Reading", "starts": LONG}
    )
    at = {"asked_by": "a", "asked_at": "2026-01-01T00:00Z"}
    request = SupportRequest.objects.create(
        school=world.schools[school], priority=priority, what="w", state="met", **at
    )
    offer = SupportOffer.objects.create(
        school=world.schools["L1"], priority=priority, giver_name="g", what="w", days=5,
        offered_by="o", offered_at="2026-01-01T00:00Z",
    )  # fmt: skip
    match = SupportMatch.objects.create(
        request=request, offer=offer, state="accepted", rank=1, score=1.0,
        suggested_by="s", suggested_at="2026-01-01T00:00Z",
    )  # fmt: skip
    return Deployment.objects.create(
        match=match, receiving=world.schools[school], giving=world.schools["L1"],
        priority=priority, giver_name="g", aim="a", days=5, starts=exit_on - timedelta(days=200),
        exit_on=exit_on, state=state, agreed_by="a", agreed_at="2026-01-01T00:00Z",
    )  # fmt: skip


def days_around(least: int, most: int) -> st.SearchStrategy[date]:
    return st.integers(least, most).map(lambda n: DAY + timedelta(days=n))


EDGES = st.sampled_from([1, 59, 60, 61]).map(lambda n: DAY + timedelta(days=n))
MAYBE_ENDS = st.none() | days_around(-5, 70) | EDGES


def draw_world(world: World, data: st.DataObject) -> None:
    """Memberships, leaders, contacts, support and closures of any dates, near the edges."""
    Membership.objects.all().delete()
    Appointment.objects.filter(role=Role.SYSTEM_LEADER).delete()
    Contact.objects.all().delete()
    Deployment.objects.all().delete()
    School.objects.update(closed=None)
    Partnership.objects.update(closed=None)
    for partnership in Partnership.objects.all():
        partnership.closed = data.draw(st.sampled_from([None] * 5 + [DAY, DAY + timedelta(days=1)]))
        partnership.save()
        for starts, ends in data.draw(
            st.lists(st.tuples(days_around(-90, 65), MAYBE_ENDS), max_size=3), label="leaders"
        ):
            Appointment.objects.create(
                person=world.person("nobody"), role=Role.SYSTEM_LEADER, partnership=partnership,
                starts=starts, ends=ends,
            )  # fmt: skip
    codes = ["N1", "N2", "N3", "E1", "W1"]
    for code in codes:
        school = world.schools[code]
        school.closed = data.draw(st.sampled_from([None] * 6 + [DAY, DAY + timedelta(days=1)]))
        school.save()
        if data.draw(st.booleans() | st.just(True), label="member"):
            Membership.objects.create(
                school=school,
                partnership=world.partnerships[data.draw(st.sampled_from(["Upper", "East"]))],
                starts=data.draw(st.just(LONG) | days_around(-70, 3)),
                ends=data.draw(st.none() | days_around(0, 5)),
            )
        for on, kind in data.draw(
            st.lists(st.tuples(days_around(-70, 2), st.sampled_from(Contact.Kind.values)),
                     max_size=2), label="contacts",
        ):  # fmt: skip
            Contact.objects.create(school=school, kind=kind, on=on, by="b", at="2026-01-01T00:00Z")
        for ends in data.draw(st.lists(days_around(-5, 70) | EDGES, max_size=2), label="support"):
            a_deployment(world, code, exit_on=ends)


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking rows takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_the_conditions_say_what_plain_loops_say(world: World, data: st.DataObject) -> None:
    draw_world(world, data)
    contact_days = data.draw(st.sampled_from([1, 7, 60, 61]), label="days")
    smallest = data.draw(st.sampled_from([2, 3]), label="smallest")
    by = definition.Rules(DAY, contact_days, smallest)
    minister = world.cast["minister"]
    schools = definition.schools_of(minister, None, DAY)
    expected = {
        s.code: plain_reasons(s, DAY, contact_days, smallest)
        for s in School.objects.all()
        if s.closed is None or s.closed > DAY
    }
    got = {
        s.code: {name for name in (*REASONS, *NEAR_REASONS) if getattr(s, name)}
        for s in definition.with_reasons(schools, by)
    }
    assert got == expected
    states = {code: state(reasons) for code, reasons in expected.items()}
    for name, condition in (
        ("isolated", definition.isolated(by)),
        ("near", definition.near(by)),
    ):
        found = set(schools.filter(condition).values_list("code", flat=True))
        assert found == {code for code, each in states.items() if each == name}
    whole = sum(definition.counts_by_path(schools, by).values(), definition.Counts())
    assert (whole.schools, whole.isolated, whole.near) == (
        len(states),
        sum(each == "isolated" for each in states.values()),
        sum(each == "near" for each in states.values()),
    )
    for name in REASONS:
        assert getattr(whole, name) == sum(name in reasons for reasons in expected.values())
