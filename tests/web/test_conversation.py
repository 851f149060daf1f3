"""The data conversation: large and small data in equal size, and nobody else's."""

import io
import json

import pypdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from brightspots_web.alignment.models import LocalSense, Priority
from brightspots_web.devolution import conversation_pages as pages
from brightspots_web.devolution import conversation_queries as queries
from brightspots_web.devolution import conversation_words as words
from brightspots_web.devolution.conversation_queries import Said
from brightspots_web.devolution.models import DataNote
from brightspots_web.directory.models import School
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.insight.partnership_queries import Figures, figures_of
from brightspots_web.insight.queries import Scale
from tests.web import insight_helpers
from tests.web import meeting_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.meeting_helpers import SECRET
from tests.web.world import World

URL = "/partnerships/P-UPPER/conversation/"
FEW = ("N2", "N3", "N4")
"""Schools with too few pupils in Singing."""


@pytest.fixture
def live(world: World) -> list[Priority]:
    insight_helpers.published(world)
    return helpers.priorities(world)


# What is shown and what is not


def test_figures_under_ten_pupils_are_on_no_screen_not_even_the_own_schools(
    world: World, live: list[Priority], sign_in: SignIn
) -> None:
    """Everybody in the room sees one and the same page; what a school sees alone is elsewhere."""
    upper = world.partnerships["Upper"]
    figures = figures_of(upper, Run.objects.get())["Singing"]
    assert {school.code for school in figures.without} == set(FEW)
    hidden = Estimate.objects.filter(subject="Singing", school__code__in=FEW)
    assert {row.school.code for row in hidden.filter(n__gte=5)} == {"N2", "N3"}
    for who in ("head", "system_leader"):
        answer = sign_in(who).get(URL, {"priority": live[1].code})
        (part,) = answer.context["parts"]
        rows = {row[0]: row for row in part["strengths"].rows}
        for code in FEW:
            assert rows[f"School {code}"][1:] == ("not known", "no interval", "not stated")
        assert rows["School N1"][1] != "not known"
        assert "School N2, School N3, School N4" in " ".join(part["questions"])
    frozen = pages.frozen_view(upper, live, world.cast["head"])
    assert not {cell["school"] for cell in frozen["priorities"][1]["cells"]} & set(FEW)


def test_single_years_of_a_school_whose_lasting_figure_is_withheld_stay_away(
    world: World, live: list[Priority]
) -> None:
    run = Run.objects.get()
    Estimate.objects.filter(
        run=run, subject="Reading", school=world.schools["N5"], year=None
    ).update(complementary=True)
    figures = figures_of(world.partnerships["Upper"], run)["Reading"]
    assert Estimate.objects.filter(subject="Reading", school=world.schools["N5"]).count() > 1
    assert world.schools["N5"].pk not in figures.now
    assert world.schools["N5"].pk not in figures.by_year
    assert len(figures.by_year[world.schools["N6"].pk]) == 3


def test_large_and_small_data_stand_side_by_side_and_change_who_comes_first(
    world: World, live: list[Priority], sign_in: SignIn
) -> None:
    for number, priority in enumerate(live):
        page = sign_in("teacher").get(URL, {"priority": priority.code}).content.decode()
        large, small = page.index(f'id="p{number + 1}-large"'), page.index(
            f'id="p{number + 1}-small"'
        )  # fmt: skip
        assert (large < small) == (number == 0)


def test_each_figure_says_how_sure_it_is_of_how_many_and_when(
    world: World, live: list[Priority], sign_in: SignIn
) -> None:
    answer = sign_in("head").get(URL)
    (part,) = answer.context["parts"]
    assert "360 pupils" not in part["caption"]  # three years of sixty each
    assert "1,080 pupils of 6 schools, 2021 to 2023 (3 years)" in part["caption"]
    assert "as of" in part["caption"]
    assert any("chance taken out" in said for said in part["differences"])
    assert len(part["years"].rows) == 18
    assert answer.context["together"].columns == ("School", *(each.title for each in live))


def test_notes_stand_there_once_they_are_shared_with_this_partnership(
    world: World, live: list[Priority], sign_in: SignIn
) -> None:
    helpers.a_note(world, "N3", live[0], "They guess from the first letter.")
    other = helpers.a_note(world, "N3", live[0], "Of another partnership.")
    other.shared_with = world.partnerships["East"]
    other.save()
    unshared = helpers.a_note(world, "N2", live[0], SECRET)
    DataNote.objects.filter(pk=unshared.pk).update(shared_at=None, shared_with=None)
    page = sign_in("system_leader").get(URL).content.decode()
    assert "They guess from the first letter." in page
    assert "Of another partnership." not in page
    assert SECRET not in page
    frozen = pages.frozen_view(world.partnerships["Upper"], live, world.cast["head"])
    assert [note["words"] for note in frozen["priorities"][0]["notes"]] == [
        "They guess from the first letter."
    ]


def test_the_local_sense_stands_above_both_or_is_asked_for(
    world: World, live: list[Priority], sign_in: SignIn
) -> None:
    assert "Write it down" in sign_in("head").get(URL).content.decode()
    assert "Write it down" not in sign_in("teacher").get(URL).content.decode()
    sense = LocalSense(
        priority=live[0], partnership=world.partnerships["Upper"],
        words="Nobody leaves year 3 without a book of their own.", by="The leader",
        at=live[0].starts,
    )  # fmt: skip
    sense.at = Run.objects.get().started_at
    sense.save()
    assert sense.words in sign_in("teacher").get(URL).content.decode()
    frozen = pages.frozen_view(world.partnerships["Upper"], live, world.cast["teacher"])
    assert frozen["priorities"][0]["sense"] == sense.words


def test_what_a_decision_keeps_is_plain_json_and_for_members_alone(
    world: World, live: list[Priority]
) -> None:
    upper = world.partnerships["Upper"]
    frozen = pages.frozen_view(upper, live, world.cast["head"])
    assert json.loads(json.dumps(frozen)) == frozen
    assert frozen["run"] == str(Run.objects.get().uuid)
    first = frozen["priorities"][0]
    assert {cell["school"] for cell in first["cells"]} == {f"N{i}" for i in range(1, 7)}
    for cell in first["cells"]:
        assert cell["lower"] < cell["value"] < cell["upper"]
    for who in ("minister", "analyst", "district_officer", "other_head", "other_system_leader"):
        assert pages.frozen_view(upper, live, world.cast[who]) == {}


def test_without_priorities_the_page_says_what_it_waits_for(world: World, sign_in: SignIn) -> None:
    page = sign_in("head").get(URL).content.decode()
    assert "The system has not set its priorities yet" in page
    assert sign_in("head").get(URL, {"wall": "1"}).status_code == 200


def test_without_an_analysis_small_data_stand_alone(world: World, sign_in: SignIn) -> None:
    helpers.priorities(world)
    page = sign_in("head").get(URL).content.decode()
    assert "once an analysis of this outcome is published" in page
    assert "What we see and hear" in page


def test_a_meeting_is_about_what_its_leader_chose(
    world: World, live: list[Priority], sign_in: SignIn
) -> None:
    meeting = helpers.called(world, priorities=[live[1]])
    answer = sign_in("head").get(
        reverse("devolution:meeting_conversation", args=[meeting.pk]), {"priority": live[0].code}
    )
    assert [part["priority"] for part in answer.context["parts"]] == [live[1]]
    assert queries.agenda(helpers.called(world, 8)) == live


# On a wall, on paper


def test_on_the_wall_there_is_one_priority_and_links_to_the_others(
    world: World, live: list[Priority], sign_in: SignIn
) -> None:
    client = sign_in("system_leader")
    page = client.get(URL, {"wall": "1"}).content.decode()
    assert "<script" not in page
    assert "Sign out" not in page
    assert live[1].title not in page
    assert 'rel="prev"' not in page
    assert f'rel="next" href="{URL}?wall=1&amp;priority={live[1].code}"' in page
    last = client.get(URL, {"wall": "1", "priority": live[1].code}).content.decode()
    assert 'rel="next"' not in last
    assert f'rel="prev" href="{URL}?wall=1&amp;priority={live[0].code}"' in last


def test_on_paper_all_priorities_stand(world: World, live: list[Priority], sign_in: SignIn) -> None:
    helpers.a_note(world, "N3", live[1], "They hum before they sing.")
    answer = sign_in("head").get("/partnerships/P-UPPER/conversation.pdf")
    assert answer["Content-Type"] == "application/pdf"
    pages_of = pypdf.PdfReader(io.BytesIO(answer.content)).pages
    text = " ".join(" ".join(each.extract_text().split()) for each in pages_of)
    for expected in (*(each.title for each in live), "They hum before they sing.", "To talk about"):
        assert expected in text


def test_the_page_costs_the_same_for_few_notes_as_for_many(
    world: World, live: list[Priority], sign_in: SignIn
) -> None:
    client = sign_in("head")
    client.get(URL)
    with CaptureQueriesContext(connection) as few:
        client.get(URL)
    for number in range(5):
        helpers.a_note(world, f"N{number + 1}", live[0])
    with CaptureQueriesContext(connection) as many:
        client.get(URL)
    assert len(many) <= len(few) + 1  # the schools of the notes
    assert len(many) < 45


# What there is to talk about


def figures(*rows: tuple[float, float] | None, years: bool = False) -> Figures:
    """Schools A, B, C … each with the ends of its interval, or None where it is withheld."""
    members = tuple(School(pk=n, code=f"S{n}", name=f"School {n}") for n in range(len(rows)))
    now = {
        n: Estimate(school_id=n, estimate=(row[0] + row[1]) / 2, lower=row[0], upper=row[1], n=50)
        for n, row in enumerate(rows)
        if row is not None
    }
    by_year = {}
    if years:
        first = Estimate(year=2021, estimate=0, lower=-0.1, upper=0.1, n=50)
        last = Estimate(year=2023, estimate=0.5, lower=0.4, upper=0.6, n=50)
        by_year = {0: (first, last)}
    scale = Scale("Reading", 10.0, 100.0, 1, (2021, 2022, 2023), "school")
    return Figures(Run(), scale, members, now, by_year)


def asked(found: Figures | None, notes: int = 1) -> str:
    priority = Priority(code="reading", title="Reading", subject="Reading")
    return "\n".join(words.questions(Said(priority, found, None), notes=notes))


def test_of_a_school_with_a_long_bar_one_asks_what_else_is_known() -> None:
    said = asked(figures((-0.2, 0.2), (-0.2, 0.2), (-0.2, 0.2), (-0.9, 0.9)))
    assert "We know little of School 3: anything from −9.0 to +9.0 points" in said
    assert "School 1" not in said


def test_of_a_school_without_a_figure_one_asks_itself() -> None:
    assert "Of School 1 no figure is shown" in asked(figures((-0.2, 0.2), None, (-0.2, 0.2)))


def test_a_school_is_named_for_what_others_can_learn_and_never_for_being_below() -> None:
    above = asked(figures((0.2, 0.4), (-0.2, 0.2), (-0.5, -0.1)))
    assert "Pupils of School 0 reach clearly more than expected" in above
    assert "School 2" not in above
    below = asked(figures((-0.2, 0.2), (-0.2, 0.2), (-0.5, -0.1)))
    assert "Some bars lie below what is expected" in below
    assert "School 2" not in below


def test_where_all_bars_meet_the_line_the_figures_are_said_to_tell_nothing_apart() -> None:
    said = asked(figures((-0.2, 0.2), (-0.1, 0.3), (-0.3, 0.1)))
    assert "the figures cannot tell our schools apart" in said


def test_a_year_apart_from_the_first_is_asked_about() -> None:
    said = asked(figures((-0.2, 0.2), (-0.2, 0.2), (-0.2, 0.2), years=True))
    assert "Something changed over the years at School 0" in said


def test_notes_are_asked_for_or_asked_about() -> None:
    assert "Nobody has shared a note on this yet" in asked(None, notes=0)
    assert "say different things" in asked(None, notes=2)
    assert "No figures speak of this" in asked(None)
