"""Finding practices: the same on both databases. CI runs these on PostgreSQL too."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightspots_web.connectedness import practice_actions as actions
from brightspots_web.connectedness import practice_queries as queries
from brightspots_web.connectedness import practice_search
from brightspots_web.connectedness.models import Practice
from brightspots_web.connectedness.practice_queries import Search
from brightspots_web.insight.models import Family
from tests.web.bright_spot_helpers import a_run
from tests.web.practice_helpers import a_draft, a_practice, adopted, text
from tests.web.world import World


def titles(world: World, words: str, who: str = "teacher", **more: object) -> list[str]:
    found = queries.search(world.cast[who], Search(words=words, **more))  # type: ignore[arg-type] # passed on
    return [each.title for each in found.practices]


def test_a_word_is_found_by_its_beginning_whatever_its_capitals_and_accents(world: World) -> None:
    a_practice(world, title="Élèves au tableau", summary="Chacun explique.")
    for words in ("élèves", "ELEVES", "eleve", "Él", "tableau élèves", "Chac"):
        assert titles(world, words) == ["Élèves au tableau"], words
    assert titles(world, "leves") == []  # not by its middle


def test_letters_outside_latin_are_found(world: World) -> None:
    a_practice(world, title="القراءة بصوت عال")
    a_practice(world, title="የንባብ ሰዓት")
    assert titles(world, "القراءة") == ["القراءة بصوت عال"]
    assert titles(world, "የንባብ") == ["የንባብ ሰዓት"]


def test_the_title_weighs_more_than_the_summary_and_that_more_than_the_text(world: World) -> None:
    filler = " ".join(["lesson after lesson"] * 30)
    a_practice(world, title="In the text", what_to_do=f"{filler} reading {filler}")
    a_practice(world, title="In the summary", summary=f"Reading aloud. {filler[:200]}")
    a_practice(world, title="Reading together", what_to_do=filler)
    assert titles(world, "reading") == ["Reading together", "In the summary", "In the text"]


def test_a_title_comes_before_a_text_that_says_the_word_often(world: World) -> None:
    a_practice(world, title="Much of it", what_to_do="reading " * 40)
    a_practice(world, title="Reading together", what_to_do="Something " * 200)
    assert titles(world, "reading") == ["Reading together", "Much of it"]


def test_all_words_first_and_some_where_none_has_all(world: World) -> None:
    a_practice(world, title="Reading in pairs")
    a_practice(world, title="Counting in pairs")
    assert titles(world, "reading pairs") == ["Reading in pairs"]
    found = queries.search(world.cast["head"], Search(words="reading aloft"))
    assert [each.title for each in found.practices] == ["Reading in pairs"]
    assert found.some_words


@pytest.mark.parametrize(
    "words", ['"', "'", "a OR b", "title:x", "NEAR(a b)", "a & !b", "*", "-pairs", "\0", "(((", "%"]
)
def test_what_a_person_types_is_never_an_operator(world: World, words: str) -> None:
    a_practice(world, title="Reading in pairs")
    titles(world, words)  # does not raise


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(words=st.text(max_size=60), every=st.booleans())
def test_no_question_breaks_it(db: None, words: str, every: bool) -> None:
    assert practice_search.find(words, every=every) == []


def test_every_word_of_a_practice_finds_it(world: World) -> None:
    practice = a_practice(world, title="Fours – by turns (5'30), “so!” naïve façade ﬁne Straße")
    for part in practice_search.parts_of(practice):
        for word in practice_search.words_of(part):
            assert practice.pk in practice_search.find(word), word


def test_a_very_long_text_and_word_can_be_kept(world: World) -> None:
    practice = a_practice(world, what_to_do=f"{'x' * 3000} " + "word " * 900)
    assert practice.pk in practice_search.find("x" * 3000)
    assert practice.pk in practice_search.find("word")


def test_a_change_is_found_at_once_and_what_was_is_not(world: World) -> None:
    practice = a_practice(world, title="Old name")
    actions.change(practice, text(title="New name"), by=world.cast["head"], seen=practice.version)
    assert titles(world, "new") == ["New name"]
    assert titles(world, "old") == []


def test_drafts_are_found_by_those_alone_who_may_write_for_the_school(world: World) -> None:
    a_draft(world, title="Reading at dawn")
    assert titles(world, "reading") == []
    assert titles(world, "reading", "head", drafts=True) == ["Reading at dawn"]
    assert titles(world, "reading", "system_leader", drafts=True) == ["Reading at dawn"]
    assert titles(world, "reading", "other_head", drafts=True) == []
    assert titles(world, "reading", "teacher", drafts=True) == []


def test_a_translation_finds_its_original_once(world: World) -> None:
    practice = a_practice(world, title="Reading in pairs")
    swahili = actions.translate(
        practice, text(title="Kusoma wawili wawili"), by=world.cast["head"], language="sw"
    )
    assert titles(world, "kusoma") == []  # a draft yet
    actions.publish(swahili, by=world.cast["minister"], seen=swahili.version)
    assert titles(world, "kusoma") == ["Reading in pairs"]
    assert titles(world, "monday") == ["Reading in pairs"]  # in both, and shown once


def test_the_words_can_be_made_anew(world: World) -> None:
    a_practice(world, title="Reading in pairs")
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {practice_search.TABLE}")  # noqa: S608 - a constant
    assert titles(world, "reading") == []
    assert actions.rebuild_words() == Practice.objects.count() == 1
    assert actions.rebuild_words() == 1
    assert titles(world, "reading") == ["Reading in pairs"]


def test_the_words_of_what_is_gone_find_nothing(world: World) -> None:
    practice = a_practice(world, title="Reading in pairs")
    Practice.objects.filter(pk=practice.pk).delete()
    assert titles(world, "reading") == []


def test_it_narrows_by_phase_language_third_and_school(world: World) -> None:
    world.schools["E1"].phase, world.schools["E1"].language = "secondary", "Swahili"
    world.schools["E1"].save()
    a_practice(world, code="E1", title="From E1")  # poverty 20
    a_practice(world, code="N6", title="From N6")  # poverty 45, among the highest
    assert titles(world, "", phase="secondary") == ["From E1"]
    assert titles(world, "", language="Swahili") == ["From E1"]
    assert titles(world, "", circumstance="poverty=upper") == ["From N6"]
    assert titles(world, "", circumstance="poverty=lower") == ["From E1"]
    assert titles(world, "from", circumstance="poverty=upper") == ["From N6"]
    assert titles(world, "", circumstance="height=upper") == []
    assert titles(world, "", school="N6") == ["From N6"]


def test_schools_like_mine_are_those_of_the_family(world: World) -> None:
    run = a_run(world)
    a_practice(world, code="E1", title="From E1")
    a_practice(world, code="L1", title="From L1")
    mine = {"who": "head", "like_mine": True}
    assert titles(world, "", **mine) == []  # type: ignore[arg-type] # as above
    Family.objects.create(run=run, school=world.schools["N2"], members=[world.schools["L1"].pk])
    assert titles(world, "", **mine) == ["From L1"]  # type: ignore[arg-type] # as above


def test_thirds_and_kinds_of_the_register(world: World) -> None:
    for at, school in enumerate(world.schools.values()):
        school.context = {"poverty": float(at), "setting": "town" if at % 2 else "village",
                          "name": school.name * 2, "flat": 1.0}  # fmt: skip
        school.save()
    found = {each.name: each for each in queries.circumstances()}
    assert set(found) == {"poverty", "setting"} | ({"name"} if len(world.schools) <= 12 else set())
    assert found["setting"].kinds == ("town", "village")
    bands = [found["poverty"].band_of(float(at)) for at in range(len(world.schools))]
    assert bands == sorted(bands, key=queries.THIRDS.index)
    assert all(bands.count(third) >= len(bands) // 3 - 1 for third in queries.THIRDS)
    assert found["poverty"].band_of(None) == found["poverty"].band_of("much") == ""


def test_how_many_schools_took_it_up_is_counted_once_each(world: World) -> None:
    practice = a_practice(world)
    first = adopted(world, practice, "N3")
    adopted(world, practice, "E2", first)
    listed = queries.search(world.cast["head"], Search(words="fours")).practices[0]
    assert (listed.schools, listed.still) == (2, 2)  # type: ignore[attr-defined] # annotated


@pytest.mark.skipif(
    connection.vendor == "postgresql", reason="the command keeps to its own embedded database"
)
def test_the_command_makes_them_anew(empty_home: Path, tmp_path: Path) -> None:
    home = shutil.copytree(empty_home, tmp_path / "home")
    command = Path(sys.executable).with_name("brightspots")
    env = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [command, "rebuild-search", "--home", home], env=env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "The words of 0 practices were made anew." in done.stdout
