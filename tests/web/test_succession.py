"""A school closes, merges or is divided: who carries on, who may read what it left."""

import csv
import gzip
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.directory import queries
from brightspots_web.directory import succession_actions as actions
from brightspots_web.directory import succession_queries as successions
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.directory.models import Appointment, Membership, School, Succession
from brightspots_web.shared.models import AuditEntry
from tests.web.import_helpers import bring_in, check, take_back
from tests.web.world import World

TODAY = timezone.localdate
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.DATA_FOLDER = tmp_path / "media", tmp_path / "data"


def names(schools: list[School]) -> list[str]:
    return [each.code for each in schools]


def test_a_school_that_closes_leaves_its_partnership_and_its_people_on_that_day(
    world: World,
) -> None:
    school, on = world.schools["N2"], TODAY() + 10 * DAY
    actions.close_school(
        school, on=on, successors=[world.schools["N3"]], by=world.cast["district_officer"]
    )
    school.refresh_from_db()
    assert school.closed == on
    assert Membership.objects.get(school=school).ends == on
    for who in ("head", "teacher"):
        world.cast[who].refresh_from_db()
        assert world.cast[who].ends == on
    # Until the day comes everything is as it was.
    assert queries.partnership_of(school) == world.partnerships["Upper"]
    assert names(successions.successors_of(school)) == ["N2"]
    assert names(successions.successors_of(school, on)) == ["N3"]
    entry = AuditEntry.objects.filter(action="directory.close_school").get()
    assert entry.detail["successors"] == ["N3"]


def test_what_ended_before_stays_as_it_ended_and_what_was_planned_is_called_off(
    world: World,
) -> None:
    school, on = world.schools["N2"], TODAY() + 10 * DAY
    former = world.cast["former_head"].ends
    soon = Appointment.objects.create(
        person=world.person("nobody"), role="head", school=school, starts=on + DAY
    )
    actions.close_school(school, on=on, by=world.cast["minister"])
    world.cast["former_head"].refresh_from_db()
    assert world.cast["former_head"].ends == former
    assert not Appointment.objects.filter(pk=soon.pk).exists()


def test_the_people_of_a_successor_may_read_what_came_before_and_nobody_elses(
    world: World,
) -> None:
    head = world.cast["other_head"]
    assert world.schools["W1"] not in queries.schools_visible_to(head)
    for code, successor in (("L4", "W1"), ("W1", "E2")):
        actions.close_school(
            world.schools[code],
            on=TODAY(),
            successors=[world.schools[successor]] if successor != "W1" else [],
            by=world.cast["minister"],
        )
    Succession.objects.create(predecessor=world.schools["L4"], successor=world.schools["W1"])
    seen = set(queries.schools_visible_to(head).values_list("code", flat=True))
    assert {"W1", "L4"} <= seen
    assert "L3" not in seen
    assert names(successions.predecessors_of(world.schools["E2"])) == ["L4", "W1"]
    world.schools["L4"].refresh_from_db()
    assert names(successions.successors_of(world.schools["L4"])) == ["E2"]


def test_who_carries_on_answers_for_what_was_begun(world: World) -> None:
    assert list(successions.answering_now(world.schools["N2"])) == [world.person("head")]
    actions.close_school(
        world.schools["N2"], on=TODAY(), successors=[world.schools["N3"]], by=world.cast["minister"]
    )
    world.schools["N2"].refresh_from_db()
    assert list(successions.answering_now(world.schools["N2"])) == [world.person("partner_head")]


def test_a_circle_of_links_is_walked_once(world: World) -> None:
    a, b = world.schools["N5"], world.schools["N6"]
    Succession.objects.create(predecessor=a, successor=b)
    Succession.objects.create(predecessor=b, successor=a)
    School.objects.filter(pk__in=[a.pk, b.pk]).update(closed=TODAY())
    a.refresh_from_db()
    assert successions.successors_of(a) == []
    assert names(successions.predecessors_of(a)) == ["N6"]


@pytest.mark.parametrize("who", ["other_district_officer", "head", "analyst", "system_leader"])
def test_only_who_appoints_there_closes_a_school(world: World, who: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.close_school(world.schools["N2"], on=TODAY(), by=world.cast[who])


def test_a_closing_that_cannot_be_is_refused_with_the_reason(world: World) -> None:
    by, school = world.cast["minister"], world.schools["N2"]
    with pytest.raises(ValidationError, match="cannot carry on its own"):
        actions.close_school(school, on=TODAY(), successors=[school], by=by)
    with pytest.raises(ValidationError, match="within two years"):
        actions.close_school(school, on=TODAY() + 4000 * DAY, by=by)
    world.schools["N3"] = actions.close_school(world.schools["N3"], on=TODAY() + DAY, by=by)
    with pytest.raises(ValidationError, match="closed by then"):
        actions.close_school(school, on=TODAY() + DAY, successors=[world.schools["N3"]], by=by)
    with pytest.raises(ValidationError, match="closed already"):
        actions.close_school(world.schools["N3"], on=TODAY() + DAY, by=by)


def test_links_of_a_file_are_kept_once_and_can_be_taken_back(world: World) -> None:
    by = command_line_operator()
    links = [
        actions.Link("L1", "L2", Succession.Kind.MERGED, TODAY()),
        actions.Link("L1", "L2"),
        actions.Link("L3", "L2"),
    ]
    made = actions.import_links(links, by=by)
    assert len(made) == 2
    assert actions.missing_links(links) == []
    assert actions.import_links(links, by=by) == []
    assert actions.forget_links(made, by=by) == 2
    assert not Succession.objects.exists()


LINKS = "URN,LinkURN,LinkType,LinkEstablishedDate\nL1,L2,Successor - merged,31-08-2021\n" + (
    "L2,L1,Predecessor - merged,31-08-2021\nL3,L2,Sixth Form Centre Link,\nL4,X9,Successor,\n"
)
MAPPING = {
    "name": "",
    "kind": "school_links",
    "columns": {
        "school": "URN", "other": "LinkURN", "link": "LinkType", "on": "LinkEstablishedDate",
    },
    "unmatched": "skip",
}  # fmt: skip


def test_a_list_of_links_is_looked_at_imported_once_and_taken_back(world: World) -> None:
    by = world.cast["analyst"]
    batch = check(LINKS, MAPPING, by)
    assert batch.counts["new"] == 1
    assert batch.counts["warnings"] == 2  # a school nobody knows, a kind without a direction
    batch = bring_in(LINKS, MAPPING, by)
    link = Succession.objects.get()
    assert (link.predecessor.code, link.successor.code, link.kind) == ("L1", "L2", "merged")
    assert link.on is not None
    assert link.on.isoformat() == "2021-08-31"
    again = check(LINKS, MAPPING, by)
    assert again.status == "unchanged"
    take_back(batch, by)
    assert not Succession.objects.exists()


@pytest.mark.real_data
def test_englands_list_finds_its_way_through_the_import(world: World, real_data: Path) -> None:
    """Schools of one borough of London: by hand, ten rows of the file tell of five links."""
    file = real_data / "england" / "gias_links_predecessor_successor_2021.csv.gz"
    content = file.read_bytes()
    rows = csv.DictReader(io.StringIO(gzip.decompress(content).decode()))
    urns = {row["URN"] for row in rows if row["URN"].startswith("1000")}
    School.objects.bulk_create(
        School(code=urn, name=f"School {urn}", area=world.areas["East"]) for urn in sorted(urns)
    )
    by = world.cast["analyst"]
    batch = bring_in(content, MAPPING, by)
    assert batch.counts["rows"] == 29_817
    kept = Succession.objects.count()
    assert kept == batch.counts["new"] == 5
    merged = Succession.objects.get(predecessor__code="100012")
    assert (merged.successor.code, merged.kind) == ("100021", "merged")
    assert School.objects.filter(pk=merged.predecessor_id).update(closed=merged.on) == 1
    closed = School.objects.get(code="100012")
    assert names(successions.successors_of(closed)) == ["100021"]
    assert "100012" in names(successions.predecessors_of(School.objects.get(code="100021")))
    take_back(batch, by)
    assert not Succession.objects.exists()
