"""What was chosen on what: written down by itself, as it was known that day, and never changed."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import practice_adoption_actions
from brightspots_web.connectedness.models import PracticeAdoption
from brightspots_web.directory import partnership_actions
from brightspots_web.directory.models import Membership, Succession
from brightspots_web.evidence import choice_known_queries as known
from brightspots_web.evidence import choice_pages as pages
from brightspots_web.evidence import choice_queries as queries
from brightspots_web.evidence import choice_record_actions as recording
from brightspots_web.evidence import choice_time_actions as time
from brightspots_web.evidence import choice_words as words
from brightspots_web.evidence.models import Choice
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.shared.models import AuditEntry
from tests.web import choice_helpers as helpers
from tests.web import practice_helpers, support_helpers
from tests.web.conftest import SignIn
from tests.web.world import World

Kind, Way = Choice.Kind, Choice.Way


def of(world: World, kind: str) -> list[Choice]:
    return list(Choice.objects.filter(kind=kind).order_by("pk"))


# Support


def test_support_is_written_down_with_the_figure_published_before_it_began(world: World) -> None:
    run = helpers.a_run(world)
    found = helpers.a_choice(world, "N2", "N1")
    assert (found.way, found.what) == (Way.ASKED, "Every child masters reading")
    assert (found.score, found.lower, found.upper) == pytest.approx((-6.0, -7.0, -5.0))
    assert (found.n, found.run, found.score_of) == (60, run.uuid, "value")
    # A quarter of the spread of 10 points: -6 lies from -7.5 up to below -5.
    assert (found.band_lower, found.band_upper) == pytest.approx((-7.5, -5.0))
    assert found.chosen_on == timezone.localdate()
    assert found.begins == timezone.localdate() - timedelta(days=30)
    assert found.reasons["rank"] == 1
    assert found.reasons["score"] == pytest.approx(0.0)
    assert found.giving == world.schools["N1"]
    assert found.by


def test_what_is_published_after_the_choice_changes_nothing_even_when_written_later(
    world: World,
) -> None:
    run = helpers.a_run(world)
    support_helpers.begun(world, "N2", "N1")
    later = helpers.a_run(world, days_ago=0, shift=1.0)
    later.published_at = timezone.now() + timedelta(seconds=1)
    later.save()
    recording.notice()
    first = of(world, Kind.DEPLOYMENT)[0]
    assert (first.run, first.score) == (run.uuid, pytest.approx(-6.0))
    recording.notice()
    assert of(world, Kind.DEPLOYMENT) == [first]


def test_an_analysis_that_was_taken_back_after_the_choice_is_what_was_known(world: World) -> None:
    older = helpers.a_run(world, days_ago=80, shift=0.3)
    run = helpers.a_run(world, days_ago=40)
    support_helpers.begun(world, "N2", "N1")
    Run.objects.filter(pk=run.pk).update(withdrawn_at=timezone.now() + timedelta(seconds=1))
    recording.notice()
    found = of(world, Kind.DEPLOYMENT)[0]
    assert found.run == run.uuid
    assert not known.still_published(found.run)
    assert pages.page(found, world.cast["analyst"])["withdrawn"]
    # One that had been taken back before was not known any more.
    Run.objects.filter(pk=run.pk).update(withdrawn_at=timezone.now() - timedelta(days=30))
    Choice.objects.all().delete()
    recording.notice()
    assert of(world, Kind.DEPLOYMENT)[0].run == older.uuid


def test_it_is_written_once_however_often_the_worker_looks(world: World) -> None:
    helpers.a_choice(world)
    before = list(Choice.objects.order_by("pk").values())
    entries = AuditEntry.objects.count()
    assert recording.notice() == 0
    assert time.look_after() == 0
    assert list(Choice.objects.order_by("pk").values()) == before
    assert AuditEntry.objects.count() == entries, "what writes nothing leaves no entry"


def test_a_figure_of_too_few_pupils_is_not_written_down(world: World) -> None:
    helpers.a_run(world, few=("N2",))
    found = helpers.a_choice(world, "N2", "N1")
    assert (found.score, found.n, found.score_of) == (None, None, "")
    assert found.without == Choice.Without.FEW
    assert "too few pupils" in words.score(found)
    # Nor is one withheld since another year's could be had from it.
    Choice.objects.all().delete()
    Estimate.objects.update(n=60, complementary=True)
    recording.notice()
    assert of(world, Kind.DEPLOYMENT)[0].score is None


@pytest.mark.parametrize(
    ("case", "without"),
    [("none", "no_run"), ("subject", "no_outcome"), ("removed", "removed"), ("late", "no_run")],
)
def test_where_there_is_no_score_the_line_says_why(world: World, case: str, without: str) -> None:
    if case != "none":
        run = helpers.a_run(world, days_ago=-1 if case == "late" else 40)
        if case == "removed":
            Run.objects.filter(pk=run.pk).update(rows_removed_at=timezone.now())
    deployment = support_helpers.begun(world, "N2", "N1")
    if case == "subject":
        Priority.objects.update(subject="Dancing")
    recording.notice()
    found = Choice.objects.get(deployment=deployment)
    assert (found.score, found.without) == (None, without)
    assert words.score(found)


# Practices and partnerships


def test_what_is_written_down_is_not_read_again_every_hour(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording.notice()

    def read(*_args: object) -> None:
        raise AssertionError("a membership that is written down was read again")

    monkeypatch.setattr(Membership, "from_db", read)
    assert recording.notice() == 0


def test_a_question_to_the_database_is_as_long_when_much_is_written_as_when_little_is(
    world: World,
) -> None:
    """A list of all keys would be refused beyond some tens of thousands of them."""
    helpers.a_run(world)

    def longest() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert recording.notice() == 0
        return max(len(each["sql"]) for each in asked)

    recording.notice()
    before = longest()
    practice = practice_helpers.a_practice(world)
    practice_adoption_actions.adopt(
        practice, by=world.cast["partner_head"], on=timezone.localdate()
    )
    at = timezone.now()
    others = [school for school in world.schools.values() if school.code.startswith(("L", "E"))]
    PracticeAdoption.objects.bulk_create(
        PracticeAdoption(practice=practice, school=each, on=at.date(), by="x", at=at)
        for each in others
    )
    assert recording.notice() == 1 + len(others)
    assert longest() == before


def test_a_partnership_that_is_gone_keeps_no_practice_of_that_day_from_being_written(
    world: World,
) -> None:
    helpers.a_run(world)
    school = world.cast["partner_head"].school
    assert school is not None
    Choice.objects.create(
        kind=Kind.PARTNERSHIP, school=school, what="Gone", begins=timezone.localdate(),
        chosen_on=timezone.localdate(), way=Way.FORMED, without="no_distance",
        noticed_at=timezone.now(),
    )  # fmt: skip
    adoption = practice_adoption_actions.adopt(
        practice_helpers.a_practice(world), by=world.cast["partner_head"], on=timezone.localdate()
    )
    recording.notice()
    assert Choice.objects.filter(adoption=adoption).exists()


def test_a_practice_taken_up_is_written_down_as_the_schools_own_decision(world: World) -> None:
    helpers.a_run(world)
    practice = practice_helpers.a_practice(world)
    adoption = practice_adoption_actions.adopt(
        practice, by=world.cast["partner_head"], on=timezone.localdate()
    )
    recording.notice()
    found = Choice.objects.get(adoption=adoption)
    assert (found.kind, found.way, found.school) == (Kind.ADOPTION, Way.OWN, adoption.school)
    assert (found.giving, found.what) == (practice.school, practice.title)
    assert found.by == adoption.by


@pytest.mark.parametrize(("days_ago", "known"), [(30, True), (60, False)])
def test_a_practice_that_is_told_of_afterwards_rests_on_what_was_known_when_it_began(
    world: World, days_ago: int, known: bool
) -> None:
    """The analysis was published 40 days ago: figures from after the beginning are no reason."""
    helpers.a_run(world, days_ago=40)
    practice = practice_helpers.a_practice(world)
    practice.priority = support_helpers.a_priority()
    practice.save()
    on = timezone.localdate() - timedelta(days=days_ago)
    adoption = practice_adoption_actions.adopt(practice, by=world.cast["partner_head"], on=on)
    recording.notice()
    found = Choice.objects.get(adoption=adoption)
    assert (found.begins, found.chosen_on) == (on, on)
    assert (found.score is not None) == known
    assert found.without == ("" if known else "no_run")


def test_every_school_of_a_partnership_that_began_is_written_down_with_its_distance(
    world: World,
) -> None:
    recording.notice()
    found = {each.school.code: each for each in of(world, Kind.PARTNERSHIP)}
    assert len(found) == Membership.objects.count() == 13
    n3 = found["N3"]
    assert (n3.score, n3.score_of, n3.way) == (5.0, "distance", Way.FORMED)
    assert (n3.giving, n3.what) == (world.schools["N1"], "Upper partnership")
    assert found["N1"].giving is None, "who leads is not led by itself"


def test_partnerships_that_are_planned_are_written_down_when_they_begin(world: World) -> None:
    recording.notice()
    before = Choice.objects.count()
    group = partnership_actions.Group("X", "New", world.schools["E1"].pk, {
        world.schools[code].pk: 1.0 for code in ("E1", "E2", "E3", "W1")
    })  # fmt: skip
    day = timezone.localdate() + timedelta(days=20)
    minister = world.cast["minister"]
    partnership_actions.form_partnerships(
        [group], by=minister, starts=day, area=world.areas["South"]
    )
    assert recording.notice() == 0
    partnership_actions.call_off(["X"], by=minister, starts=day, area=world.areas["South"])
    partnership_actions.form_partnerships([group], by=minister, area=world.areas["South"])
    assert recording.notice() == 4
    assert Choice.objects.count() == before + 4
    new = Choice.objects.filter(what="New").first()
    assert new is not None
    assert (new.by, new.chosen_on) == (minister.label, timezone.localdate())


def test_partnerships_formed_twice_a_day_leave_what_was_written(world: World) -> None:
    recording.notice()
    minister, south = world.cast["minister"], world.areas["South"]
    for code, schools in (("X", ("E1", "E2", "E3", "W1")), ("Y", ("E2", "E1", "E3", "W1"))):
        group = partnership_actions.Group(
            code, f"New {code}", world.schools[schools[0]].pk,
            {world.schools[each].pk: 1.0 for each in schools},
        )  # fmt: skip
        partnership_actions.form_partnerships([group], by=minister, area=south)
        assert recording.notice() == 4
    assert Choice.objects.filter(what__startswith="New").count() == 8


# Who reads it


def test_a_school_reads_of_itself_alone_and_a_successor_of_what_it_carries_on(
    world: World,
) -> None:
    found = helpers.a_choice(world, "N2", "N1")

    def sees(who: str) -> bool:
        return queries.visible_to(world.cast[who]).filter(pk=found.pk).exists()

    live = [who for who in world.cast if who != "former_head"]
    assert [who for who in live if sees(who)] == [
        "minister", "analyst", "district_officer", "head",
    ]  # fmt: skip
    Succession.objects.create(
        predecessor=world.schools["N2"], successor=world.schools["N3"], on=timezone.localdate()
    )
    assert sees("partner_head")


def test_the_list_narrows_and_its_file_has_the_same_rows(world: World, sign_in: SignIn) -> None:
    helpers.a_choice(world, "N2", "N1")
    client = sign_in("analyst")
    page = client.get("/evidence/choices/?kind=deployment")
    assert page.context["page"].paginator.count == 1
    text = page.content.decode()
    assert "−6.0 points in Reading (likely −7.0 to −5.0; 60 pupils)" in text
    exported = client.get("/evidence/choices.csv?kind=deployment")
    lines = b"".join(exported).decode().splitlines()  # type: ignore[arg-type] # streamed
    assert len([line for line in lines if line.startswith("N2,")]) == 1
    assert not [line for line in lines if line.startswith("N3,")]
    nonsense = client.get("/evidence/choices/?kind=x&priority=99&since=soon&area=0&page=9")
    assert nonsense.status_code == 200
    none = client.get("/evidence/choices/?way=lottery")
    assert none.context["page"].paginator.count == 0
    assert "Take a filter away" in none.content.decode()


def test_the_list_asks_the_database_as_often_for_one_line_as_for_many(
    world: World, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    helpers.a_choice(world, "N2", "N1")
    client = sign_in("analyst")
    client.get("/evidence/choices/")
    with django_assert_max_num_queries(16):  # type: ignore[operator] # a fixture of pytest-django
        client.get("/evidence/choices/")


@pytest.mark.parametrize(("days_ago", "late"), [(40, False), (5, True)])
def test_support_that_began_before_its_figure_was_published_says_so(
    world: World, sign_in: SignIn, days_ago: int, late: bool
) -> None:
    helpers.a_run(world, days_ago=days_ago)
    choice = helpers.a_choice(world)
    assert choice.begins < timezone.localdate() - timedelta(days=5)
    shown = sign_in("analyst").get(reverse("evidence:choice", args=[choice.pk])).content.decode()
    assert ("what it did may be in the figure already" in shown) == late


def test_the_page_says_why_and_on_what(world: World, sign_in: SignIn) -> None:
    found = helpers.a_choice(world, "N2", "N1")
    text = sign_in("head").get(f"/evidence/choices/{found.pk}/").content.decode()
    for said in ("the school asked", "Published on", "number 1 on", "looked for every hour"):
        assert said in text
