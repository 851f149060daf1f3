"""What small groups do is not had by a detour: by subtraction, by parts, by the audit trail."""

from brightspots_web.alignment import ballot_queries as ballots
from brightspots_web.alignment import ballot_vote_actions as voting
from brightspots_web.alignment import proposal_actions as proposals
from brightspots_web.alignment.models import Ballot
from brightspots_web.devolution import use_queries as use
from brightspots_web.devolution.models import DataUse
from brightspots_web.directory.models import Appointment, Area, Person, School
from brightspots_web.leaders import panel_actions as panel
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.permissions import Role
from tests.web import ballot_helpers, designation_helpers, proposal_helpers
from tests.web.world import FORMED, World


def _area(world: World, name: str, parent: str) -> Area:
    above = world.areas[parent]
    area = Area.objects.create(name=name, parent=above, level=above.level + 1, path=f"new-{name}")
    area.path = f"{above.path}{area.pk}/"
    area.save()
    world.areas[name] = area
    return area


def _voted(ballot: Ballot, world: World, within: str) -> dict[str, int | None]:
    path = world.areas[within].path
    return {each.label: each.voted for each in ballots.turnout_by_area(ballot, path)}


def test_an_area_that_is_withheld_for_its_neighbour_is_not_shown_by_its_parts(world: World) -> None:
    """West has one school, so East goes with it: the parts of East would give West away."""
    part = _area(world, "East bank", "East")
    School.objects.filter(code__startswith="E").update(area=part)
    ballot = ballot_helpers.opened(world)
    voting.cast(ballot, "school", [], by=world.cast["other_head"])
    assert _voted(ballot, world, "South") == {"East": None, "West": None}
    assert _voted(ballot, world, "East") == {"East bank": None}
    assert _voted(ballot, world, "North") == {"Upper": 0, "Lower": 0}


def test_schools_that_stand_in_an_area_itself_are_not_had_from_its_parts(world: World) -> None:
    School.objects.create(code="X1", name="School X1", area=world.areas["North"])
    ballot = ballot_helpers.opened(world)
    voting.cast(ballot, "school", [], by=world.cast["head"])
    assert _voted(ballot, world, "Testland") == {"North": 1, "South": 0}
    assert _voted(ballot, world, "North") == {"Upper": 1, "Lower": None}


def test_a_tier_of_one_is_not_had_from_the_turnout_of_all(world: World) -> None:
    weights = {"school": 1, "partnership": 1, "ministry": 1}
    ballot = ballot_helpers.opened(world, weights=weights)
    shown = [each.voted for each in ballots.turnout_by_tier(ballot)]
    assert shown == [0, None, None]


def _use(world: World, role: str, times: int) -> None:
    DataUse.objects.create(
        on=use.mondays()[-1], area=world.areas["Upper"], role=role, what="looked", times=times
    )


def _shown(world: World, who: str, role: str) -> set[int | None]:
    return {
        each.times
        for each in use.tiers(world.cast[who])
        if each.role == role and each.what == "looked" and each.monday == use.mondays()[-1]
    }


def _appoint(world: World, role: str, number: int, code: str) -> None:
    person = Person.objects.create_user(f"{role}{number}@test.invalid", "a long password", name="X")
    Appointment.objects.create(
        person=person, role=role, school=world.schools[code], starts=FORMED
    )  # fmt: skip


def test_what_one_leader_of_an_area_looks_at_is_not_a_tier(world: World) -> None:
    """North has one leader in the cast: a count of leaders' looks would be that person's own."""
    _use(world, "system_leader", 44)
    for who in ("district_officer", "minister", "analyst", "head"):
        assert _shown(world, who, "system_leader") == {None}


def test_five_teachers_of_one_school_are_one_school(world: World) -> None:
    _use(world, "teacher", 44)
    for number in range(4):
        _appoint(world, Role.TEACHER, number, "N2")
    assert _shown(world, "minister", "teacher") == {None}
    for number, code in enumerate(("N3", "N4"), start=4):
        _appoint(world, Role.TEACHER, number, code)
    assert _shown(world, "minister", "teacher") == {44}


def _trail() -> str:
    return "\n".join(f"{each.target} {each.detail}" for each in AuditEntry.objects.all())


def test_the_audit_trail_has_no_title_of_a_draft(world: World) -> None:
    """The ministry and analysts read the trail; a draft is its writers' until it is proposed."""
    agreement = proposal_helpers.an_agreement(world)
    head = world.cast["head"]
    draft = proposal_helpers.a_draft(agreement, head, title="Sleepless teachers")
    draft = proposals.change(
        draft, proposal_helpers.text(title="Sleepless heads"), by=head, seen=None
    )
    proposals.discard(draft, by=head, seen=None)
    assert AuditEntry.objects.filter(action="alignment.discard_draft").exists()
    assert "Sleepless" not in _trail()


def test_the_audit_trail_does_not_say_what_binds_a_member_of_a_panel(world: World) -> None:
    found = designation_helpers.called(world)
    sits = designation_helpers.seat(found, world, "other_head")
    panel.declare_bound(sits, why="We were married once.", by=world.cast["other_head"])
    assert AuditEntry.objects.filter(action="leaders.set_aside").exists()
    assert "married" not in _trail()
