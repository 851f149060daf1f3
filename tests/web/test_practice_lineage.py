"""How practices travel: lineages of any shape, drawn and told, held against plain loops."""

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightspots_web.connectedness import practice_adoption_actions as adopting
from brightspots_web.connectedness import practice_journey_pages as journey
from brightspots_web.connectedness import practice_lineage_queries as lineage
from brightspots_web.connectedness.models import Practice, PracticeAdoption
from brightspots_web.directory.models import School
from brightspots_web.shared import charts, jobs
from brightspots_web.shared.models import Job
from tests.web.conftest import SignIn
from tests.web.practice_helpers import a_draft, a_practice, adopted, days_ago, head_of, today
from tests.web.world import World

FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def trees(draw: st.DrawFn) -> list[int | None]:
    """For each adoption in turn, which earlier one it was learned from."""
    n = draw(st.integers(0, 40))
    return [
        None if at == 0 else draw(st.one_of(st.none(), st.integers(0, at - 1))) for at in range(n)
    ]


def in_memory(tree: list[int | None], stopped: set[int] = frozenset()) -> list[PracticeAdoption]:  # type: ignore[assignment] # empty
    practice = Practice(pk=1, code="p", title="P", school=School(pk=1, code="S", name="Source"))
    rows: list[PracticeAdoption] = []
    for at, source in enumerate(tree):
        rows.append(
            PracticeAdoption(
                pk=100 + at,
                practice=practice,
                school=School(pk=1000 + at, code=f"C{at}", name=f"School {at}"),
                source=None if source is None else rows[source],
                on=days_ago(300 - at),
                adapted="In threes." if at % 3 == 1 else "",
                stopped_on=today() if at in stopped else None,
                stopped_why="No time." if at in stopped else "",
            )
        )
    return rows


@FEW
@given(tree=trees())
def test_each_school_stands_once_below_the_one_it_learned_from(tree: list[int | None]) -> None:
    steps = lineage.lineage(in_memory(tree))
    assert sorted(each.adoption.pk for each in steps) == [100 + at for at in range(len(tree))]
    place = {each.adoption.pk: at for at, each in enumerate(steps)}
    for each in steps:
        # An oracle: walk up to the source and count.
        deep, at = 1, tree[each.adoption.pk - 100]
        while at is not None:
            deep, at = deep + 1, tree[at]
        assert each.generation == deep
        assert each.passed_on == tree.count(each.adoption.pk - 100)
        source = each.adoption.source_id
        if source is not None:
            between = steps[place[source] + 1 : place[each.adoption.pk]]
            assert place[source] < place[each.adoption.pk]
            assert all(other.generation > steps[place[source]].generation for other in between)


@FEW
@given(tree=trees(), stopped=st.sets(st.integers(0, 39)))
def test_the_drawing_and_the_list_say_the_same(tree: list[int | None], stopped: set[int]) -> None:
    rows = in_memory(tree, stopped)
    steps = lineage.lineage(rows)
    practice = Practice(pk=1, code="p", school=School(pk=1, code="S", name="Source"))
    told = ElementTree.fromstring(f"<div>{journey.as_list(practice, steps)}</div>")  # noqa: S314 - ours
    parents = {child: parent for parent in told.iter() for child in parent}
    items = {str(item.text).split(",")[0]: item for item in told.iter("li")}
    assert len(items) == len(tree) + 1
    for row in rows:
        above = parents[parents[items[row.school.name]]]
        expected = row.source.school.name if row.source else "Source"
        assert str(above.text).split(",")[0] == expected
        assert ("stopped on" in str(items[row.school.name].text)) == (row.stopped_on is not None)


@FEW
@given(tree=trees())
def test_a_tree_of_any_shape_is_drawn_well_formed_with_every_school(tree: list[int | None]) -> None:
    branches = [charts.Branch("Source", "comes from here", "source")] + [
        charts.Branch(f"School <{at}> & more", "since", "kept", 0 if up is None else up + 1)
        for at, up in enumerate(tree)
    ]
    drawn = charts.lineage(key="k", title="T", branches=branches)
    root = ElementTree.fromstring(drawn.svg)  # noqa: S314 - ours
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [t for t in texts if t and t.startswith("School <")] == [
        f"School <{at}> & more" for at in range(len(tree))
    ]
    assert len(drawn.rows) == len(branches)
    for each in root.iter("{http://www.w3.org/2000/svg}text"):
        # At 320 px about 260 are left: a name of its kind must end inside.
        assert float(each.get("x", "0")) <= 10 + 18 * 6 + 18
    assert not re.search(r"NaN|None", drawn.svg)


def test_a_tree_that_is_none_is_refused() -> None:
    source = charts.Branch("Source", "", "source")
    for wrong in (
        [],
        [charts.Branch("A", "", "kept", 0)],
        [source, charts.Branch("A", "", "kept", None)],
        [source, charts.Branch("A", "", "kept", 1)],
        [source, charts.Branch("A", "", "kept", 2), charts.Branch("B", "", "kept", 1)],
    ):
        with pytest.raises(ValueError, match="the source stands first"):
            charts.lineage(key="k", title="T", branches=wrong)


# The actions


def test_a_school_learns_from_the_source_and_another_from_that_school(world: World) -> None:
    practice = a_practice(world)
    first = adopted(world, practice, "N3")
    second = adopted(world, practice, "E2", first, adapted="In threes, as we are few.")
    steps = lineage.lineage(lineage.adoptions_of(practice))
    assert [(each.adoption.school.code, each.generation, each.passed_on) for each in steps] == [
        ("N3", 1, 1),
        ("E2", 2, 0),
    ]
    assert second.adapted == "In threes, as we are few."


def test_a_circle_cannot_come_about(world: World) -> None:
    practice = a_practice(world)
    first = adopted(world, practice, "N3")
    second = adopted(world, practice, "E2", first)
    with pytest.raises(ValidationError, match="already"):
        adopted(world, practice, "N3", second, on=today())
    with pytest.raises(PermissionDenied):  # the source school itself
        adopted(world, practice, "N2", second)
    assert PracticeAdoption.objects.count() == 2


def test_pressed_twice_it_is_taken_up_once(world: World) -> None:
    practice = a_practice(world)
    assert adopted(world, practice, "N3").pk == adopted(world, practice, "N3").pk


def test_what_cannot_be_is_refused_and_says_why(world: World) -> None:
    practice, other = a_practice(world), a_practice(world, title="Other")
    first = adopted(world, practice, "N3", on=days_ago(10))
    cases = [
        ({"on": today() + timedelta(days=1)}, "still to come"),
        ({"on": days_ago(5000)}, "ten years"),
        ({"source": first, "on": days_ago(11)}, "itself began on"),
        ({"source": adopted(world, other, "L2"), "on": today()}, "took up this practice"),
        ({"adapted": "x" * 2001}, "under 2000"),
    ]
    for more, words in cases:
        with pytest.raises(ValidationError, match=words):
            adopted(world, practice, "E2", **{"on": today(), **more})
    world.schools["E3"].closed = days_ago(3)
    world.schools["E3"].save()
    with pytest.raises(ValidationError, match="closed"):
        adopted(world, practice, "E3")
    assert lineage.adoptions_of(practice) == [first]


def test_neither_a_draft_nor_a_withdrawn_practice_is_taken_up(world: World) -> None:
    draft = a_draft(world)
    with pytest.raises(PermissionDenied):
        adopted(world, draft, "N3")
    with pytest.raises(PermissionDenied):
        adopting.adopt(a_practice(world, title="B"), by=world.cast["teacher"], on=today())


def test_stopping_says_why_and_can_be_taken_back(world: World) -> None:
    practice = a_practice(world)
    first, head = adopted(world, practice, "N3"), head_of(world, "N3")
    with pytest.raises(ValidationError, match="few words"):
        adopting.stop(first, by=head, on=today(), why=" ", seen=None)
    with pytest.raises(ValidationError, match="that day or a later one"):
        adopting.stop(first, by=head, on=days_ago(200), why="No room.", seen=None)
    adopting.stop(first, by=head, on=today(), why="No room.", seen=first.version)
    with pytest.raises(ValidationError, match="since you opened it"):
        adopting.adapt(first, by=head, adapted="x", seen=first.version)
    (step,) = lineage.lineage(lineage.adoptions_of(practice))
    assert "No room." in journey.told(step)
    assert lineage.taken_by(world.schools["N3"]) == []
    adopting.resume(step.adoption, by=head, seen=step.adoption.version)
    assert [each.practice for each in lineage.taken_by(world.schools["N3"])] == [practice]


def test_only_the_school_itself_changes_what_is_said_of_it(world: World) -> None:
    first = adopted(world, a_practice(world), "N3")
    for who in ("minister", "head", "teacher", "system_leader"):
        with pytest.raises(PermissionDenied):
            adopting.adapt(first, by=world.cast[who], adapted="x", seen=None)


def test_the_file_has_every_school_with_its_source(world: World) -> None:
    practice = a_practice(world)
    adopted(world, practice, "E2", adopted(world, practice, "N3"), adapted="In threes.")
    rows = journey.school_rows(practice)
    assert [(row["code"], row["source_code"], row["generation"]) for row in rows] == [
        ("N3", "N2", 1),
        ("E2", "N3", 2),
    ]


def test_how_far_practices_spread_is_reckoned_by_a_job_and_shown(
    world: World, sign_in: SignIn
) -> None:
    practice = a_practice(world)
    first = adopted(world, practice, "N3", on=days_ago(900))
    adopted(world, practice, "E2", first, on=days_ago(800))
    adopted(world, practice, "L1", first, on=days_ago(700))
    adopted(world, practice, "L2", on=days_ago(20))
    client = sign_in("teacher")
    page = reverse("connectedness:practice", args=[practice.code])
    assert client.get(page).context["spread"] == []  # nothing is reckoned in a request
    (job,) = Job.objects.filter(kind=lineage.SPREAD)  # four adoptions, one job
    jobs.run(job.pk)
    found = lineage.newest_spread()
    # By hand: N3, E2 and L1 had it a year; within theirs N3 passed it on to two.
    own = found["practices"][practice.code]
    assert (own["adopters"], own["passed_on"], own["too_recent"]) == (3, 2, 1)
    assert own["mean"] == pytest.approx(2 / 3)
    assert own["lower"] < own["mean"] < own["upper"]
    assert (found["reached"], found["sources"]) == (4, 1)
    (figure,) = client.get(page).context["spread"]
    assert (figure.value, figure.n) == ("0.7", 3)
    assert figure.interval
    assert "4.0" in client.get(reverse("connectedness:practices")).content.decode()
