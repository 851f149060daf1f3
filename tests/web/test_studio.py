"""People change a proposal: moves, leaders, pins, undo, and two at once."""

import csv
import io
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness import actions, studio_actions, studio_effects, studio_queries
from brightspots_web.connectedness.models import Pin, Proposal
from brightspots_web.connectedness.studio_actions import ChangedProposalError
from brightspots_web.directory.models import School
from brightspots_web.shared import jobs
from brightspots_web.shared.models import AuditEntry, Job
from tests.web.conftest import SignIn
from tests.web.studio_helpers import GROUPS, SETTINGS, label, measured, proposed, together
from tests.web.world import World


@pytest.fixture
def proposal(world: World) -> Proposal:
    return proposed(world)


def move(world: World, proposal: Proposal, school: str, to: str, **terms: Any) -> Any:
    terms = {"by": world.cast["district_officer"], "version": None} | terms
    return studio_actions.move(proposal, world.schools[school], to, **terms)


# Moves


def test_a_move_is_kept_with_its_way_and_the_cost_measured_anew(
    world: World, proposal: Proposal
) -> None:
    move(world, proposal, "N4", label(proposal, "N5"), note="One bus.")
    proposal.refresh_from_db()
    assert together(proposal) == {
        "N1": {"N1", "N2", "N3"},
        "L1": set(GROUPS["L1"]),
        "N5": {"N4", "N5", "N6"},
    }
    row = proposal.members.get(school__code="N4")
    # 0.02 degrees of latitude are 2.224 km, 0.01 of longitude at 1 degree north 1.112.
    assert row.distance_km == pytest.approx(2.486, abs=0.002)
    assert proposal.objective == pytest.approx(measured(proposal))
    assert (proposal.version, proposal.n_schools, proposal.n_partnerships) == (2, 10, 3)
    change = proposal.changes.get()
    assert (change.version, change.detail["note"]) == (2, "One bus.")
    assert change.by.startswith("District Officer")


@pytest.mark.parametrize(
    ("school", "to", "words"),
    [
        ("N2", "same", "in this partnership already"),
        ("N1", "N5", "leads this partnership"),
        ("N2", "gone", "no such partnership"),
        ("E1", "N5", "not among the schools"),
        ("W1", "N5", "not among the schools"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    world: World, proposal: Proposal, school: str, to: str, words: str
) -> None:
    target = {"same": label(proposal, "N1"), "N5": label(proposal, "N5")}.get(to, to)
    with pytest.raises(ValidationError, match=words):
        move(world, proposal, school, target)
    proposal.refresh_from_db()
    assert (proposal.version, together(proposal)["N1"]) == (1, set(GROUPS["N1"]))


def test_a_closed_school_can_only_be_taken_out(world: World, proposal: Proposal) -> None:
    School.objects.filter(code="N4").update(closed=timezone.localdate())
    world.schools["N4"].refresh_from_db()
    with pytest.raises(ValidationError, match="closed"):
        move(world, proposal, "N4", label(proposal, "N5"))
    move(world, proposal, "N4", "")
    assert "N4" not in together(proposal)["N1"]


def test_a_broken_rule_is_allowed_to_people_and_marked(world: World, proposal: Proposal) -> None:
    School.objects.filter(code="L4").update(latitude=3.0)  # 222 km from N5 and more
    change = move(world, proposal, "L4", label(proposal, "N5"))
    row = proposal.members.get(school__code="L4")
    assert "further than the 80 km allowed" in row.exception
    assert any("further than" in words for words in change.detail["exceptions"])
    proposal.refresh_from_db()
    assert proposal.gap is None  # the bound speaks of partnerships within the rules


def test_sizes_and_phases_out_of_bounds_are_marked(world: World, proposal: Proposal) -> None:
    School.objects.filter(code="L2").update(phase="secondary")
    for school in ("L2", "L3"):
        move(world, proposal, school, label(proposal, "N1"))
    lead = proposal.members.get(school__code="N1")
    assert "6 schools are together; 5 should be the most" in lead.exception
    assert "Another phase" in proposal.members.get(school__code="L2").exception
    assert proposal.members.get(school__code="N2").exception == ""


def test_out_into_none_and_back_by_a_partnership_of_its_own(
    world: World, proposal: Proposal
) -> None:
    move(world, proposal, "N4", "")
    proposal.refresh_from_db()
    assert (proposal.n_isolated, proposal.lower_bound, proposal.gap) == (1, None, None)
    assert "District officer" in proposal.isolations.get().reason
    move(world, proposal, "N4", "new")
    proposal.refresh_from_db()
    assert together(proposal)["N4"] == {"N4"}
    assert (proposal.n_isolated, proposal.n_partnerships) == (0, 4)
    assert proposal.objective == pytest.approx(measured(proposal))


def test_another_leader_changes_all_ways(world: World, proposal: Proposal) -> None:
    at = label(proposal, "N1")
    studio_actions.choose_leader(
        proposal, at, world.schools["N2"], by=world.cast["minister"], version=1
    )
    proposal.refresh_from_db()
    assert together(proposal)["N2"] == set(GROUPS["N1"])
    assert proposal.members.get(school__code="N2").distance_km == 0
    assert proposal.objective == pytest.approx(measured(proposal))
    with pytest.raises(ValidationError, match="not in this partnership"):
        studio_actions.choose_leader(
            proposal, at, world.schools["N6"], by=world.cast["minister"], version=None
        )


def test_undo_takes_back_one_change_after_the_other_to_the_very_start(
    world: World, proposal: Proposal
) -> None:
    officer = world.cast["district_officer"]
    before = (together(proposal), dict(proposal.objective), proposal.lower_bound, proposal.gap)
    move(world, proposal, "N4", label(proposal, "N5"))
    move(world, proposal, "N3", "")
    studio_actions.add_pin(proposal, "leads", world.schools["N5"], by=officer, version=None)
    for _ in range(3):
        studio_actions.undo(proposal, by=officer, version=None)
    proposal.refresh_from_db()
    after = (together(proposal), dict(proposal.objective), proposal.lower_bound, proposal.gap)
    assert after == before
    assert not Pin.objects.exists()
    assert (proposal.version, proposal.changes.count()) == (7, 6)
    with pytest.raises(ValidationError, match="no change to undo"):
        studio_actions.undo(proposal, by=officer, version=None)


def figures(world: World) -> None:
    """A published analysis with another figure for each school and outcome."""
    from brightspots_web.insight.models import Estimate
    from tests.web.bright_spot_helpers import a_run

    a_run(world)
    for number, row in enumerate(Estimate.objects.filter(year=None).order_by("school__code")):
        row.estimate = ((number * 7) % 11 - 5) / 10
        row.need_probability = ((number * 5) % 13) / 13
        row.save()


@pytest.mark.parametrize("weighed", ["nothing", "figures", "priorities"])
def test_the_studio_measures_as_the_optimiser_does(world: World, weighed: str) -> None:
    """Part by part, what the library reports is what the studio's yardstick says."""
    from brightspots_web.alignment.actions import Wanted, set_priorities

    if weighed != "nothing":
        figures(world)
    if weighed == "priorities":
        wanted = [Wanted("Reading", subject="Reading"), Wanted("Singing", subject="Singing"),
                  Wanted("Kindness")]  # fmt: skip
        set_priorities(wanted, by=world.cast["minister"])
    settings = {"minimum": 2, "maximum": 3, "max_km": 120.0, "strong_share": 0.1}
    job = actions.ask_for_proposal(settings, by=world.cast["minister"], close_to="present")
    jobs.run_here(job)
    job.refresh_from_db()
    assert job.status == "done", job.problem
    found = Proposal.objects.get(pk=job.result["proposal"])
    parts = measured(found)
    assert {name: found.objective[name] for name in parts} == pytest.approx(parts, abs=1e-6)
    assert (parts["leader_strength"] > 0) == (weighed != "nothing")
    if weighed == "figures":
        assert parts["complement"] > 0
        assert parts["need"] > 0
    assert ("all_weak" in parts) == (weighed == "priorities")


# Two at once


def test_whoever_comes_second_changes_nothing_and_sees_what_the_first_did(
    world: World, proposal: Proposal, sign_in: SignIn
) -> None:
    move(world, proposal, "N4", label(proposal, "N5"), by=world.cast["minister"], version=1)
    to = label(proposal, "N5")
    with pytest.raises(ChangedProposalError):
        move(world, proposal, "N3", to, version=1)
    assert "N3" in together(proposal)["N1"]
    page = sign_in("district_officer").post(
        reverse("connectedness:move", args=[proposal.pk]),
        {"version": "1", "school": "N3", "to": to, "note": "Our own reason."},
    )
    text = page.content.decode()
    assert page.status_code == 409
    assert "School N4 moved from the partnership led by School N1" in text
    assert "Minister" in text
    assert "Our own reason." in text
    assert 'name="version" value="2"' in text  # the next attempt is held against what is shown
    assert "N3" in together(proposal)["N1"]


def test_two_who_read_the_same_version_do_not_both_write(world: World, proposal: Proposal) -> None:
    """The condition on the version holds where a database knows no locks on rows."""
    first, second = (Proposal.objects.get(pk=proposal.pk) for _ in range(2))
    by = world.cast["minister"]
    studio_actions.next_version(first, "rename", {"to": "One"}, by=by)
    second.name = "Two"
    with pytest.raises(ChangedProposalError) as refused:
        studio_actions.next_version(second, "rename", {"to": "Two"}, by=by)
    assert [change.detail["to"] for change in refused.value.changes] == ["One"]
    proposal.refresh_from_db()
    assert (proposal.version, proposal.name) == (2, "")


@pytest.mark.parametrize("button", ["undo", "withdraw"])
def test_a_button_on_an_old_page_does_nothing_and_says_why(
    world: World, proposal: Proposal, sign_in: SignIn, button: str
) -> None:
    move(world, proposal, "N4", label(proposal, "N5"), version=1)
    page = sign_in("minister").post(
        reverse(f"connectedness:{button}", args=[proposal.pk]), {"version": "1"}
    )
    assert page.status_code == 409
    assert "District Officer" in page.content.decode()
    proposal.refresh_from_db()
    assert (proposal.status, proposal.version) == ("proposed", 2)


# Pins


def pin(world: World, proposal: Proposal, kind: str, school: str, other: str = "") -> Any:
    return studio_actions.add_pin(
        proposal,
        kind,
        world.schools[school],
        world.schools[other] if other else None,
        by=world.cast["district_officer"],
        version=None,
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("together", "N1", "N2"), ("apart", "N2", "N1")),
        (("leads", "N1"), ("led_by", "N1", "N2")),
        (("led_by", "N3", "N1"), ("led_by", "N3", "N2")),
        (("leads", "N1"), ("together", "N1", "N1")),
        (("apart", "N1", "N2"), ("apart", "N2", "N1")),
    ],
)
def test_pins_that_contradict_are_refused_in_words(
    world: World, proposal: Proposal, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    pin(world, proposal, *first)
    with pytest.raises(ValidationError) as refused:
        pin(world, proposal, *second)
    assert " ".join(refused.value.messages).strip()
    assert Pin.objects.count() == 1
    proposal.refresh_from_db()
    assert proposal.version == 2


def test_a_move_against_a_pin_is_said(world: World, proposal: Proposal) -> None:
    pin(world, proposal, "together", "N1", "N4")
    change = move(world, proposal, "N4", label(proposal, "N5"))
    assert any("School N1 must be with School N4" in words
               for words in change.detail["exceptions"])  # fmt: skip
    state = studio_queries.state(proposal)
    assert studio_effects.pin_broken(Pin.objects.get(), state)


def test_a_new_proposal_keeps_pins_and_partnerships_and_knows_its_origin(
    world: World, proposal: Proposal
) -> None:
    officer = world.cast["district_officer"]
    pin(world, proposal, "together", "N2", "N6")
    pin(world, proposal, "apart", "N3", "N4")
    kept = label(proposal, "L1")
    job = actions.ask_again(proposal, by=officer, keep=[kept])
    jobs.run_here(job)
    job.refresh_from_db()
    assert job.status == "done", job.problem
    new = Proposal.objects.get(pk=job.result["proposal"])
    assert (new.based_on, new.area) == (proposal, world.areas["North"])
    groups = together(new)
    assert groups["L1"] == set(GROUPS["L1"])
    of = {school: lead for lead, members in groups.items() for school in members}
    assert of["N2"] == of["N6"]
    assert of.get("N3") != of.get("N4") or "N3" not in of
    assert set(new.pins.values_list("kind", flat=True)) == {"together", "apart"}
    assert new.objective == pytest.approx(measured(new), abs=1e-6)
    assert Proposal.objects.get(pk=proposal.pk).status == "proposed"
    jobs.run_here(Job.objects.get(pk=job.pk))  # the same job once more changes nothing
    assert Proposal.objects.count() == 2


def test_a_leader_that_closed_does_not_hold_up_a_new_proposal(
    world: World, proposal: Proposal
) -> None:
    pin(world, proposal, "leads", "N1")
    School.objects.filter(code="N1").update(closed=timezone.localdate())
    job = actions.ask_again(
        proposal, by=world.cast["minister"], keep=[label(proposal, "N1"), label(proposal, "L1")]
    )
    jobs.run_here(job)
    job.refresh_from_db()
    assert job.status == "done", job.problem
    groups = together(Proposal.objects.get(pk=job.result["proposal"]))
    assert groups["L1"] == set(GROUPS["L1"])
    assert "N1" not in set().union(*groups.values())


def test_a_pin_against_a_kept_partnership_stops_the_job_with_words(
    world: World, proposal: Proposal
) -> None:
    pin(world, proposal, "together", "L1", "N6")
    job = actions.ask_again(proposal, by=world.cast["minister"], keep=[label(proposal, "L1")])
    jobs.run_here(job)
    job.refresh_from_db()
    assert job.status == "failed"
    assert "contradicts a partnership" in job.problem


# Stale proposals


def test_closed_and_new_schools_are_named_and_closed_ones_taken_out_at_once(
    world: World, proposal: Proposal, sign_in: SignIn
) -> None:
    School.objects.filter(code__in=["N1", "L4"]).update(closed=timezone.localdate())
    School.objects.create(
        code="NEW", name="School NEW", area=world.areas["Upper"], latitude=1.0, longitude=30.0
    )
    page = sign_in("district_officer").get(reverse("connectedness:proposal", args=[proposal.pk]))
    text = page.content.decode()
    for words in ("Closed since:", "School L4", "Not in this proposal yet:", "School NEW"):
        assert words in text
    studio_actions.take_out_closed(proposal, by=world.cast["district_officer"], version=1)
    assert set().union(*together(proposal).values()) == {
        "N2", "N3", "N4", "N5", "N6", "L1", "L2", "L3",
    }  # fmt: skip
    assert {"N2", "N3", "N4"} in together(proposal).values()
    proposal.refresh_from_db()
    assert proposal.objective == pytest.approx(measured(proposal))
    new = School.objects.get(code="NEW")
    studio_actions.move(
        proposal, new, label(proposal, "N5"), by=world.cast["minister"], version=None
    )
    assert "NEW" in together(proposal)["N5"]


# Who may


@pytest.mark.parametrize("who", ["other_district_officer", "system_leader", "head", "teacher"])
def test_others_change_nothing(world: World, proposal: Proposal, who: str) -> None:
    with pytest.raises(PermissionDenied):
        move(world, proposal, "N4", "", by=world.cast[who])
    with pytest.raises(PermissionDenied):
        actions.ask_again(proposal, by=world.cast[who])


def test_an_officer_proposes_for_the_own_area_and_for_no_other(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("district_officer")
    data = SETTINGS | {"area": "East"}
    page = client.post(reverse("connectedness:proposals"), data)
    assert "no such area" in page.content.decode()
    assert not Job.objects.exists()
    client.post(reverse("connectedness:proposals"), SETTINGS)
    assert Job.objects.get().parameters["area"] == world.areas["North"].pk


def test_what_is_decided_changes_no_more(world: World, proposal: Proposal) -> None:
    actions.withdraw(proposal, by=world.cast["district_officer"], version=1)
    with pytest.raises(ValidationError, match="already"):
        move(world, proposal, "N4", "")


def test_every_change_is_in_the_audit_trail(world: World, proposal: Proposal) -> None:
    move(world, proposal, "N4", "")
    studio_actions.undo(proposal, by=world.cast["minister"], version=2)
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "connectedness.move_proposal",
        "connectedness.undo_change",
    ]


# Pages


def test_the_move_page_shows_what_it_does_before_it_is_done(
    world: World, proposal: Proposal, sign_in: SignIn
) -> None:
    client = sign_in("district_officer")
    url = reverse("connectedness:move", args=[proposal.pk])
    text = client.get(url, {"school": "N4", "to": label(proposal, "N5")}).content.decode()
    for words in ("What that would do", "Ways to the leaders", "Move it"):
        assert words in text
    assert proposal.changes.count() == 0
    done = client.post(
        url, {"school": "N4", "to": label(proposal, "N5"), "version": "1"}, follow=True
    )
    assert "Done. You can undo it." in done.content.decode()
    assert client.get(url, {"school": "NONE"}).status_code == 404
    assert client.get(url, {"school": "E1"}).status_code == 404


def test_the_files_have_members_history_and_schools_in_none(
    world: World, proposal: Proposal, sign_in: SignIn
) -> None:
    move(world, proposal, "N4", "")
    client = sign_in("district_officer")

    def rows(name: str, query: str = "") -> list[dict[str, str]]:
        url = reverse(f"connectedness:{name}", args=[proposal.pk, "csv"]) + query
        text = b"".join(client.get(url)).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    members = {row["Code"]: row for row in rows("proposal_export") if row["Code"]}
    assert set(GROUPS["L1"]) <= set(members)
    assert members["N4"]["Leader's school"] == ""
    assert rows("history_export")[0]["What changed"].startswith("School N4 taken out")
    differences = {row["Code"] for row in rows("differences_export")}
    assert differences == {"N4", "N5", "N6"}  # Upper has all six today


@pytest.mark.parametrize(("name", "most"), [("proposal", 45), ("history", 10), ("compare", 30)])
def test_pages_ask_few_questions(
    world: World,
    proposal: Proposal,
    sign_in: SignIn,
    name: str,
    most: int,
    django_assert_max_num_queries: Any,
) -> None:
    client = sign_in("minister")
    with django_assert_max_num_queries(most):
        client.get(reverse(f"connectedness:{name}", args=[proposal.pk]))
