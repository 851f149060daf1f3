"""Proposals kept and adopted; the pages of partnerships."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness import actions, queries
from brightspots_web.connectedness.models import Isolation, Proposal
from brightspots_web.directory import actions as directory
from brightspots_web.directory.models import Appointment, Membership, Partnership
from brightspots_web.shared import jobs
from brightspots_web.shared.models import AuditEntry, Job
from tests.web.conftest import SignIn
from tests.web.world import World

GROUPS = {
    "N1": ["N1", "N2", "N3", "N4", "N5", "N6"],  # as it is
    "L1": ["L1", "L2", "L3"],  # without L4
    "W1": ["W1", "L4"],  # new
}
"""Leader's school -> members. The three schools of East are left out."""


@dataclass
class Provenance:
    method: str = "test"
    method_version: str = "1"
    seed: int = 0
    input_hash: str = "0" * 64
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Result:
    """What the optimiser would return, by hand."""

    members: pl.DataFrame
    isolated: pl.DataFrame
    objective: dict[str, float] = field(default_factory=lambda: {"total": 10.0})
    lower_bound: float | None = 9.9
    gap: float | None = 0.01
    seconds: dict[str, float] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)


def result(groups: dict[str, list[str]], isolated: dict[str, str] | None = None) -> Result:
    rows = [
        {"school": school, "partnership": f"P{i}", "leader_school": lead, "distance_km": 1.5 * j}
        for i, (lead, members) in enumerate(groups.items())
        for j, school in enumerate(members)
    ]
    reasons = [{"school": s, "reason": r} for s, r in (isolated or {}).items()]
    schema = {"school": pl.String, "reason": pl.String}
    return Result(pl.DataFrame(rows), pl.DataFrame(reasons, schema=schema))


@pytest.fixture
def proposal(world: World) -> Proposal:
    far = dict.fromkeys(("E1", "E2", "E3"), "too far from any leader")
    return actions.keep_proposal(result(GROUPS, far), job=7)


def live_members() -> dict[str, set[str]]:
    """Partnership's code -> codes of its schools."""
    found: dict[str, set[str]] = {}
    rows = Membership.objects.filter(ends__isnull=True)
    for partnership, school in rows.values_list("partnership__code", "school__code"):
        found.setdefault(partnership, set()).add(school)
    return found


# Keeping


def test_the_same_job_again_replaces_its_proposal(world: World, proposal: Proposal) -> None:
    again = actions.keep_proposal(result({"N1": GROUPS["N1"]}), job=7)
    assert list(Proposal.objects.all()) == [again]
    assert (again.n_schools, again.n_partnerships, again.n_isolated) == (6, 1, 0)
    assert again.members.count() == 6
    assert not Isolation.objects.exists()


def test_the_same_job_again_leaves_what_was_adopted(world: World, proposal: Proposal) -> None:
    actions.adopt(proposal, by=world.cast["minister"])
    kept = actions.keep_proposal(result({"N1": GROUPS["N1"]}), job=7)
    assert (kept.pk, kept.status, kept.members.count()) == (proposal.pk, "adopted", 11)


def test_a_school_that_is_gone_meanwhile_is_said_so(world: World) -> None:
    with pytest.raises(jobs.CannotError, match="taken away"):
        actions.keep_proposal(result({"N1": ["N1", "GONE"]}), job=7)
    assert not Proposal.objects.exists()


# Adopting


def test_adopting_keeps_what_is_the_same_and_ends_the_rest(
    world: World, proposal: Proposal
) -> None:
    before = {p.name: p.pk for p in Partnership.objects.all()}
    actions.adopt(proposal, by=world.cast["minister"])
    assert live_members() == {
        "P-UPPER": set(GROUPS["N1"]),
        f"{proposal.pk}-P1": {"L1", "L2", "L3"},
        f"{proposal.pk}-P2": {"W1", "L4"},
    }
    today = timezone.localdate()
    closed = Partnership.objects.exclude(closed=None).values_list("pk", "closed")
    assert set(closed) == {
        (before["Lower partnership"], today),
        (before["East partnership"], today),
    }
    old = Membership.objects.filter(partnership=before["Lower partnership"])
    assert set(old.values_list("ends", flat=True)) == {today}
    new = Membership.objects.filter(partnership__formed=today)
    assert set(new.values_list("starts", "ends")) == {(today, None)}


def test_leaders_stay_with_a_partnership_that_stays_and_end_with_one_that_ends(
    world: World, proposal: Proposal
) -> None:
    to_come = directory.appoint(
        world.person("nobody"),
        "system_leader",
        by=world.cast["minister"],
        partnership=world.partnerships["Lower"],
        starts=timezone.localdate() + timedelta(days=20),
    )
    actions.adopt(proposal, by=world.cast["minister"])
    ends = {
        who: Appointment.objects.get(pk=world.cast[who].pk).ends
        for who in ("system_leader", "other_system_leader", "head")
    }
    assert ends == {
        "system_leader": None,
        "other_system_leader": timezone.localdate(),
        "head": None,
    }
    assert Appointment.objects.get(pk=to_come.pk).ends == timezone.localdate()


def test_each_school_has_at_most_one_live_membership(world: World, proposal: Proposal) -> None:
    actions.adopt(proposal, by=world.cast["minister"])
    second = actions.keep_proposal(result({"E1": ["E1", "N1"], "L1": ["L1", "W1"]}), job=8)
    actions.adopt(second, by=world.cast["minister"])
    schools = [s for members in live_members().values() for s in members]
    assert sorted(schools) == ["E1", "L1", "N1", "W1"]


def test_adopting_twice_is_refused(world: World, proposal: Proposal) -> None:
    actions.adopt(proposal, by=world.cast["minister"])
    before = live_members()
    with pytest.raises(ValidationError, match="already"):
        actions.adopt(proposal, by=world.cast["minister"])
    with pytest.raises(ValidationError, match="already"):
        actions.withdraw(proposal, by=world.cast["minister"])
    assert live_members() == before


def test_what_was_set_aside_is_not_adopted(world: World, proposal: Proposal) -> None:
    actions.withdraw(proposal, by=world.cast["analyst"])
    with pytest.raises(ValidationError, match="already"):
        actions.adopt(proposal, by=world.cast["analyst"])


@pytest.mark.parametrize("who", ["district_officer", "system_leader", "head", "teacher"])
def test_only_the_system_level_decides_for_the_system(
    world: World, proposal: Proposal, who: str
) -> None:
    by = world.cast[who]
    for action in (actions.adopt, actions.withdraw):
        with pytest.raises(PermissionDenied):
            action(proposal, by=by)
    with pytest.raises(PermissionDenied):
        actions.ask_for_proposal({}, by=by, area=world.areas["East"])


def test_a_closed_school_neither_joins_nor_makes_a_partnership_another(
    world: World, proposal: Proposal
) -> None:
    school = world.schools["N6"]
    school.closed = timezone.localdate()
    school.save()
    groups = {**GROUPS, "N1": GROUPS["N1"][:-1]}
    again = actions.keep_proposal(result(groups), job=8)
    actions.adopt(again, by=world.cast["minister"])
    assert live_members()["P-UPPER"] == set(groups["N1"])


def test_decisions_are_on_record(world: World, proposal: Proposal) -> None:
    actions.adopt(proposal, by=world.cast["minister"])
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "directory.form_partnerships",
        "connectedness.adopt",
    ]


# The optimiser behind it


def test_a_proposal_is_asked_for_made_and_followed_to_its_page(
    world: World, sign_in: SignIn
) -> None:
    minister = sign_in("minister")
    asked = minister.post(
        reverse("connectedness:proposals"), {"minimum": 3, "maximum": 8, "max_km": 400}
    )
    job = jobs.run_here(Job.objects.get())
    assert job.status == "done", job.problem
    page = minister.get(asked.headers["Location"])
    found = Proposal.objects.get()
    link = reverse("connectedness:proposal", args=[found.pk])
    assert link in page.content.decode()
    assert minister.get(link).status_code == 200
    placed = set(found.members.values_list("school__code", flat=True))
    alone = set(found.isolations.values_list("school__code", flat=True))
    assert placed | alone == set(world.schools)
    assert not placed & alone


def test_settings_that_contradict_each_other_are_refused(world: World, sign_in: SignIn) -> None:
    data = {"minimum": 9, "maximum": 8, "max_km": 25}
    page = sign_in("minister").post(reverse("connectedness:proposals"), data)
    assert "must not be below" in page.content.decode()
    assert not Job.objects.exists()


# Pages


def test_the_list_shows_numbers_that_a_person_can_check(world: World) -> None:
    rows = {p.code: p for p in queries.partnership_list(world.cast["minister"])}
    upper: Any = rows["P-UPPER"]
    assert (upper.n_schools, upper.mean_km, upper.far_km, upper.has_leader) == (6, 6.25, 12.5, True)
    lower: Any = rows["P-LOWER"]
    assert (lower.n_schools, lower.mean_km, lower.far_km, lower.has_leader) == (4, 3.75, 7.5, False)


def test_a_membership_that_is_over_does_not_count(world: World) -> None:
    Membership.objects.filter(school__code__in=["N5", "N6"]).update(ends=timezone.localdate())
    row: Any = queries.partnership_list(world.cast["minister"]).get(code="P-UPPER")
    assert (row.n_schools, row.far_km) == (4, 7.5)


def test_a_district_officer_has_the_partnerships_of_the_district_alone(
    world: World, sign_in: SignIn
) -> None:
    page = sign_in("district_officer").get(reverse("connectedness:partnerships")).content.decode()
    assert "Upper partnership" in page
    assert "Lower partnership" in page
    assert "East partnership" not in page


@pytest.mark.parametrize("area", ["Atlantis", "East"])
def test_an_area_one_cannot_see_shows_nothing_and_says_so(
    world: World, sign_in: SignIn, area: str
) -> None:
    client = sign_in("district_officer")
    for name in ("partnerships", "isolation"):
        page = client.get(reverse(f"connectedness:{name}"), {"area": area}).content.decode()
        assert "There is no such area among those you may see." in page
        assert "Upper partnership" not in page
        export = reverse(f"connectedness:{name}_export", args=["csv"])
        assert client.get(export, {"area": area}).status_code == 404


def test_an_area_narrows_the_list_and_its_export(world: World, sign_in: SignIn) -> None:
    client = sign_in("minister")
    page = client.get(reverse("connectedness:partnerships"), {"area": "lower"}).content.decode()
    assert "Lower partnership" in page
    assert "Upper partnership" not in page
    answer = client.get(
        reverse("connectedness:partnerships_export", args=["csv"]), {"area": "lower"}
    )
    text = b"".join(answer).decode()
    assert "P-LOWER" in text
    assert "P-UPPER" not in text


def test_the_list_of_proposals_is_a_file_of_what_one_may_see(
    world: World, proposal: Proposal, sign_in: SignIn
) -> None:
    client = sign_in("minister")
    link = reverse("connectedness:proposals_export", args=["csv"])
    assert link in client.get(reverse("connectedness:proposals")).content.decode()
    text = b"".join(client.get(link)).decode()
    made = timezone.localdate(proposal.made_at)
    assert f"Proposal {proposal.pk},for the whole system,{made.isoformat()}," in text
    assert f"{proposal.n_partnerships},{proposal.n_isolated}" in text
    # An officer's file holds proposals for the own area alone, as the officer's page does.
    officers = b"".join(sign_in("district_officer").get(link)).decode()
    assert f"Proposal {proposal.pk}" not in officers


def test_of_two_areas_of_one_name_the_one_above_tells(world: World, sign_in: SignIn) -> None:
    west = world.areas["West"]
    west.name = "Upper"
    west.save()
    client, url = sign_in("minister"), reverse("connectedness:partnerships")
    page = client.get(url, {"area": "Upper"}).content.decode()
    assert "North &gt; Upper" in page
    assert "Upper partnership" not in page
    assert "Upper partnership" in client.get(url, {"area": "North > Upper"}).content.decode()
    assert "Upper partnership" not in client.get(url, {"area": "South>Upper"}).content.decode()


@pytest.mark.parametrize(
    ("name", "most"), [("partnerships", 8), ("isolation", 24), ("proposals", 8)]
)
def test_lists_ask_few_questions_however_long_they_are(
    world: World, sign_in: SignIn, name: str, most: int, django_assert_max_num_queries: Any
) -> None:
    client = sign_in("minister")
    with django_assert_max_num_queries(most):
        client.get(reverse(f"connectedness:{name}"))
